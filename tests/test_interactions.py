"""Interaction, Kind, Channel, Vocabulary: what they take, what they refuse, what they say."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import (
    DEFAULT_VOCABULARY,
    Channel,
    Family,
    Interaction,
    InvalidInteraction,
    InvalidParameter,
    Kind,
    UnknownKind,
    Vocabulary,
)
from scrmkit.testing.strategies import interactions, kinds, texts, vocabularies, weights


pytestmark = pytest.mark.core

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAIL = "ana@example.org"


def act(**fields: Any) -> Interaction:
    """A valid interaction with some fields changed."""
    base = {"id": "m1", "time": NOON, "kind": "message", "source": "ana", "target": "ben"}
    return Interaction(**(base | fields))


def kind(**fields: Any) -> Kind:
    """A valid kind with some fields changed."""
    base = {"name": "demo", "family": "service", "tie_weight": 1, "engagement_weight": 2}
    return Kind(**(base | fields))


class TestInteraction:
    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"id": None}, "id is of type NoneType: an id is a text, an integer or a UUID"),
            ({"id": True}, "id is of type bool"),
            ({"id": 1.5}, "id is of type float"),
            ({"id": ""}, "id is empty: give an id"),
            ({"time": datetime(2026, 3, 1)}, "time has no time zone.*attach the zone"),  # noqa: DTZ001
            ({"time": "2026-03-01"}, "time is of type str, not a datetime with a time zone"),
            ({"time": NOON.date()}, "time is of type date, not a datetime"),
            ({"kind": ""}, "kind is empty"),
            ({"kind": " "}, "kind is empty"),
            ({"kind": 3}, "kind is of type int, not text"),
            ({"source": ""}, "source is empty.*or None where there is nobody"),
            ({"target": 1.5}, "target is of type float"),
            ({"source": None, "target": None}, "source and target are both missing: say at least"),
            ({"channel": ""}, "channel is empty"),
            ({"channel": Channel(name="app")}, "channel is of type Channel, not text"),
            ({"valence": 1.1}, "valence must be a finite number from -1 to 1"),
            ({"valence": -1.1}, "valence must be a finite number from -1 to 1"),
            ({"valence": float("nan")}, "valence must be a finite number"),
            ({"valence": "good"}, "valence is of type str, not a number"),
            ({"valence": True}, "valence is of type bool, not a number"),
            ({"value": 9.9, "currency": "EUR"}, r"a float cannot hold money\): Decimal\('9.90'\)"),
            ({"value": True, "currency": "EUR"}, "value must be a finite Decimal or an integer"),
            ({"value": Decimal("NaN"), "currency": "EUR"}, "value must be a finite Decimal"),
            ({"value": Decimal(1)}, "currency must be an ISO 4217 code"),
            ({"value": 1, "currency": "eur"}, "three capital letters, such as 'EUR'"),
            ({"value": 1, "currency": "A1B"}, "three capital letters"),
            ({"value": 1, "currency": "EURO"}, "three capital letters"),
            ({"value": 1, "currency": "ÄÖÜ"}, "three capital letters"),
            ({"currency": "EUR"}, "currency has no value: give both or neither"),
            ({"thread": ""}, "thread is empty"),
            ({"in_reply_to": 0.5}, "in_reply_to is of type float"),
            ({"about": b"x"}, "about is of type bytes"),
            ({"retracts": ""}, "retracts is empty"),
            ({"scope": ""}, "scope is empty"),
            ({"public": "yes"}, "public is of type str: give True or False"),
            ({"automated": None}, "automated is of type NoneType: give True or False"),
            ({"automated": 1}, "automated is of type int"),
            ({"text": 3}, "text is of type int, not text"),
            ({"received_at": datetime(2026, 3, 1)}, "received_at has no time zone"),  # noqa: DTZ001
            ({"attributes": ["a"]}, "attributes is of type list: give a mapping"),
            ({"attributes": {"": 1}}, "a name in attributes is empty"),
            ({"attributes": {3: 1}}, "a name in attributes is of type int, not text"),
            ({"attributes": {"a": [1]}}, "attribute 'a' is of type list: attributes are flat"),
            ({"attributes": {"a": datetime(2026, 3, 1)}}, "attribute 'a' has no time zone"),  # noqa: DTZ001
        ],
    )
    def test_a_broken_rule_is_named_with_its_field(self, fields: dict[str, Any], says: str) -> None:
        """The error says which field is wrong, in what way, and what it may be."""
        with pytest.raises(InvalidInteraction, match=says):
            act(**fields)

    @pytest.mark.parametrize(
        "fields",
        [
            {"id": (MAIL,)},
            {"time": MAIL},
            {"source": [MAIL]},
            {"valence": MAIL},
            {"value": MAIL, "currency": "EUR"},
            {"text": [MAIL]},
            {"attributes": {"note": [MAIL]}},
        ],
    )
    def test_errors_do_not_tell_personal_values(self, fields: dict[str, Any]) -> None:
        """What was given is an attribute of the error and no part of its text."""
        with pytest.raises(InvalidInteraction) as caught:
            act(**fields)
        assert MAIL not in str(caught.value)
        assert MAIL in str(caught.value.value)

    def test_the_repr_does_not_tell_personal_values(self) -> None:
        """A log line shows when and what, and neither who nor what was said."""
        shown = repr(
            act(
                id=MAIL, source=MAIL, target=MAIL, text=MAIL, thread=MAIL, about=MAIL,
                in_reply_to=MAIL, scope=MAIL, attributes={"mail": MAIL}, value=77,
                currency="EUR",
            )
        )  # fmt: skip
        assert MAIL not in shown
        assert "77" not in shown
        assert "kind='message'" in shown

    @given(interactions())
    def test_it_is_a_value(self, one: Interaction) -> None:
        """Equal content is equal, hashes the same, and cannot be changed."""
        same = evolve(one)
        assert same == one
        assert hash(same) == hash(one)
        assert same is not one
        with pytest.raises(FrozenInstanceError):
            one.kind = "like"  # type: ignore[misc]

    @given(interactions())
    def test_it_can_be_copied_and_pickled(self, one: Interaction) -> None:
        """A worker or a cache gets the same value back."""
        one = evolve(one, attributes={"plan": "gold"})
        assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
        assert copy.deepcopy(one) == one

    def test_attributes_are_kept_apart_from_the_mapping_given(self) -> None:
        """Changing the dict afterwards changes nothing, and there is no way to assign."""
        given_attributes = {"plan": "gold"}
        one = act(attributes=given_attributes)
        given_attributes["plan"] = "tin"
        assert one.attributes == {"plan": "gold"}
        assert repr(one.attributes) == "{'plan': 'gold'}"
        with pytest.raises(TypeError):
            one.attributes["plan"] = "tin"  # type: ignore[index]

    @pytest.mark.parametrize("flat", ["a", 1, 1.5, True, Decimal(2), NOON, None])
    def test_attributes_take_scalars(self, flat: object) -> None:
        """Text, numbers, truth values, instants and nothing at all can be kept."""
        assert act(attributes={"x": flat}).attributes["x"] == flat

    def test_the_key_is_scope_id_and_target(self) -> None:
        """One e-mail to three people is three interactions with one id."""
        assert act(scope="shop", target="cem").key == ("shop", "m1", "cem")

    @pytest.mark.parametrize("one_id", ["m1", 7, -1, UUID(int=5), " m1 ", "феодор"])
    def test_ids_are_kept_as_given(self, one_id: str | int | UUID) -> None:
        """Text, integers and UUIDs come back with their type and their spaces."""
        one = act(id=one_id, source=one_id)
        assert (one.id, type(one.id)) == (one_id, type(one_id))
        assert one.source == one_id

    def test_somebody_may_be_absent(self) -> None:
        """An anonymous vote has no source, a post to all has no target."""
        assert act(source=None).source is None
        assert act(target=None).target is None

    def test_a_retraction_may_name_nobody(self) -> None:
        """Taking back by id needs neither source nor target."""
        assert act(source=None, target=None, retracts="m0").retracts == "m0"

    def test_integers_of_money_become_decimals(self) -> None:
        """A whole number is as exact as a Decimal, so it is one."""
        paid = act(value=10, currency="EUR").value
        assert paid == Decimal(10)
        assert isinstance(paid, Decimal)

    def test_unknown_kinds_are_taken(self) -> None:
        """A word that no vocabulary has is kept."""
        assert act(kind="barn raising").kind == "barn raising"

    @given(st.integers(-14, 14))
    def test_the_same_instant_in_another_zone_is_equal(self, hours: int) -> None:
        """The zone in which a time was written is no part of what happened."""
        zone = timezone(timedelta(hours=hours))
        assert act(time=NOON.astimezone(zone)) == act()


class TestKind:
    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"name": ""}, "Kind.name is empty"),
            ({"name": None}, "Kind.name is of type NoneType, not text"),
            ({"family": "talk"}, "'talk' is not a family of kinds: choose one of attention, conv"),
            ({"tie_weight": -1}, "tie_weight of 'demo' must be a finite number of at least 0"),
            ({"tie_weight": float("inf")}, "tie_weight of 'demo' must be a finite number"),
            ({"tie_weight": "3"}, "tie_weight of 'demo' is of type str, not a number"),
            ({"tie_weight": True}, "tie_weight of 'demo' is of type bool, not a number"),
            ({"tie_weight": None}, "tie_weight of 'demo' is of type NoneType"),
            ({"engagement_weight": -0.1}, "engagement_weight of 'demo' must be a finite number"),
            ({"engagement_weight": float("nan")}, "engagement_weight of 'demo' must be a finite"),
            ({"aliases": ("",)}, "an alias of 'demo' is empty"),
            ({"aliases": (3,)}, "Kind.aliases holds a value of type int: give a list of str"),
            ({"aliases": 3}, "Kind.aliases is of type int: give a list of str"),
        ],
    )
    def test_a_broken_rule_is_named_with_its_field(self, fields: dict[str, Any], says: str) -> None:
        """The error says which kind and which field is wrong, and what it may be."""
        with pytest.raises(InvalidParameter, match=says):
            kind(**fields)

    @pytest.mark.parametrize("family", [Family.ATTENTION, Family.TRANSACTION])
    def test_vanity_and_business_make_no_ties(self, family: Family) -> None:
        """A weight for ties is refused for attention and for transactions."""
        with pytest.raises(InvalidParameter, match=f"must be 0: {family} does not make a tie"):
            kind(family=family, tie_weight=0.1)
        assert kind(family=family, tie_weight=0).tie_weight == 0

    def test_a_single_alias_needs_no_list(self) -> None:
        """One text is one alias, not a list of letters."""
        assert kind(aliases="trial").aliases == ("trial",)

    @given(kinds())
    def test_weights_are_floats(self, one: Kind) -> None:
        """Whatever number was given, a finite float of at least zero is kept."""
        assert isinstance(one.tie_weight, float)
        assert isinstance(one.engagement_weight, float)
        assert min(one.tie_weight, one.engagement_weight) >= 0

    def test_the_families_are_closed(self) -> None:
        """There are six families, and they are their own names."""
        assert [str(family) for family in Family] == [
            "attention", "conversation", "contribution", "advocacy", "transaction", "service",
        ]  # fmt: skip


class TestChannel:
    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"name": " "}, "Channel.name is empty"),
            ({"name": 3}, "Channel.name is of type int, not text"),
            ({"name": "app", "online": "no"}, "Channel.online is of type str: give True or False"),
            ({"name": "app", "public": 1}, "Channel.public is of type int: give True or False"),
        ],
    )
    def test_a_broken_rule_is_named_with_its_field(self, fields: dict[str, Any], says: str) -> None:
        """The error says which field is wrong and what it may be."""
        with pytest.raises(InvalidParameter, match=says):
            Channel(**fields)

    def test_offline_is_a_channel_too(self) -> None:
        """A counter is as much a channel as an app."""
        assert not Channel(name="shop counter", online=False).online


class TestVocabulary:
    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"name": ""}, "Vocabulary.name is empty"),
            ({"version": ""}, "Vocabulary.version is empty"),
            ({"version": 2}, "Vocabulary.version is of type int, not text"),
            (
                {"kinds": ["demo"]},
                "Vocabulary.kinds holds a value of type str: give a list of Kind",
            ),
            ({"kinds": "demo"}, "Vocabulary.kinds is of type str: give a list of Kind"),
            ({"kinds": kind()}, "Vocabulary.kinds is of type Kind: give a list of Kind"),
            (
                {"kinds": [kind(), kind(name="trial", aliases="demo")]},
                "'demo' stands for both 'demo' and 'trial' in the vocabulary 'house'",
            ),
            ({"kinds": [kind(), kind()]}, "one word means one kind"),
            ({"kinds": [kind(aliases=("a", "a"))]}, "'a' stands for both 'demo' and 'demo'"),
        ],
    )
    def test_a_broken_rule_is_named(self, fields: dict[str, Any], says: str) -> None:
        """The error says which word or field is wrong, and in which vocabulary."""
        with pytest.raises(InvalidParameter, match=says):
            Vocabulary(**({"name": "house", "kinds": [kind()]} | fields))

    @given(vocabularies(max_size=4), st.randoms(use_true_random=False))
    def test_the_order_of_kinds_does_not_matter(self, one: Vocabulary, random: Any) -> None:
        """Two vocabularies with the same kinds have the same digest."""
        shuffled = random.sample(one.kinds, len(one))
        assert Vocabulary(name="other", version="9", kinds=shuffled).digest == one.digest

    @given(vocabularies(max_size=4), texts)
    def test_reasons_are_prose(self, one: Vocabulary, reason: str) -> None:
        """Writing a reason anew changes no number, so it keeps the digest."""
        reworded = [evolve(each, reason=reason) for each in one]
        assert evolve(one, kinds=reworded).digest == one.digest

    @given(vocabularies(max_size=4), weights(), st.data())
    def test_weights_matter(self, one: Vocabulary, weight: float, data: st.DataObject) -> None:
        """The digest changes exactly when a weight does."""
        name = data.draw(st.sampled_from(one.kinds)).name
        other = one.reweigh(engagement={name: weight}, name=one.name)
        same = one[name].engagement_weight == weight
        assert (other.digest == one.digest) is same

    @given(vocabularies(max_size=4), st.data())
    def test_words_and_families_matter(self, one: Vocabulary, data: st.DataObject) -> None:
        """The digest changes with a name, an alias or a family."""
        old = data.draw(st.sampled_from(one.kinds))
        rest = [each for each in one if each is not old]
        for changed in (
            evolve(old, name="some new name"),
            evolve(old, aliases=(*old.aliases, "some new alias")),
            evolve(
                old,
                tie_weight=0,
                family="attention" if old.family != Family.ATTENTION else "transaction",
            ),
        ):
            assert evolve(one, kinds=[changed, *rest]).digest != one.digest

    def test_zero_has_one_digest(self) -> None:
        """A weight of -0.0 is a weight of 0."""
        minus = Vocabulary(name="house", kinds=[kind(tie_weight=-0.0)])
        assert minus.digest == Vocabulary(name="house", kinds=[kind(tie_weight=0)]).digest

    def test_digests_stay_what_they_are(self) -> None:
        """A digest kept in a row of years ago still names the same weights."""
        one = Vocabulary(name="house", kinds=[kind(aliases=("b", "a"))])
        assert one.digest == "c60a1ef9ac1a721d"

    @given(vocabularies())
    def test_every_word_finds_its_kind(self, one: Vocabulary) -> None:
        """Names and aliases are looked up alike, and nothing else is found."""
        for each in one:
            for word in (each.name, *each.aliases):
                assert one[word] is each
                assert one.get(word) is each
                assert word in one
        assert "no such word at all" not in one
        assert one.get("no such word at all") is None
        assert len(list(one)) == len(one) == len(one.kinds)

    def test_an_unknown_word_says_what_was_probably_meant(self) -> None:
        """Looking up a misspelt kind gives a hint."""
        with pytest.raises(UnknownKind, match="'mesage' is not a kind in the vocabulary 'default'"):
            DEFAULT_VOCABULARY["mesage"]
        with pytest.raises(KeyError, match="Did you mean 'message'"):
            DEFAULT_VOCABULARY["mesage"]

    def test_extending_adds_and_replaces(self) -> None:
        """A kind of the same name takes the place of the old one; the old value stays."""
        house = DEFAULT_VOCABULARY.extend(
            kind(), kind(name="message", aliases=("email",)), name="house", version="3"
        )
        assert (house.name, house.version) == ("house", "3")
        assert len(house) == len(DEFAULT_VOCABULARY) + 1
        assert house["email"].family == Family.SERVICE
        assert house.get("sms") is None
        assert DEFAULT_VOCABULARY["email"].family == Family.CONVERSATION

    def test_reweighing_changes_only_what_is_named(self) -> None:
        """Other weights make another vocabulary with the same words."""
        house = DEFAULT_VOCABULARY.reweigh(
            tie={"call": 9}, engagement={"like": 0.1}, name="house", version="2"
        )
        assert house["call"].tie_weight == 9
        assert house["call"].engagement_weight == DEFAULT_VOCABULARY["call"].engagement_weight
        assert house["heart"].engagement_weight == 0.1
        assert set(house.words) == set(DEFAULT_VOCABULARY.words)

    def test_reweighing_refuses_words_that_are_no_names(self) -> None:
        """An unknown word and an alias are errors that say which name to use."""
        with pytest.raises(InvalidParameter, match="Did you mean 'call'"):
            DEFAULT_VOCABULARY.reweigh(tie={"cal": 2}, name="house")
        with pytest.raises(InvalidParameter, match="'email' is an alias of 'message'"):
            DEFAULT_VOCABULARY.reweigh(tie={"email": 2}, name="house")

    @given(vocabularies())
    def test_it_can_be_pickled_with_what_it_remembers(self, one: Vocabulary) -> None:
        """A vocabulary that was used goes to another process and means the same there."""
        digest, words = one.digest, one.words
        other = pickle.loads(pickle.dumps(one))  # noqa: S301
        assert other == one
        assert other.digest == digest
        assert other.words == words
        assert isinstance(words, Mapping)


class TestDefaultVocabulary:
    def test_it_has_about_25_kinds_in_all_families(self) -> None:
        """Small enough to read, and no family is empty."""
        assert 20 <= len(DEFAULT_VOCABULARY) <= 30
        assert {each.family for each in DEFAULT_VOCABULARY} == set(Family)

    def test_every_kind_has_a_reason(self) -> None:
        """Nobody has to guess why a kind weighs what it weighs."""
        assert all(each.reason.endswith(".") for each in DEFAULT_VOCABULARY)
        assert len({each.reason for each in DEFAULT_VOCABULARY}) == len(DEFAULT_VOCABULARY)

    def test_attention_adds_nothing(self) -> None:
        """Vanity is apart: likes, follows, views and reposts weigh 0 everywhere."""
        vanity = [each for each in DEFAULT_VOCABULARY if each.family == Family.ATTENTION]
        assert {word for each in vanity for word in (each.name, *each.aliases)} >= {
            "like", "follow", "view", "repost",
        }  # fmt: skip
        assert all(each.tie_weight == each.engagement_weight == 0 for each in vanity)

    def test_a_message_is_the_unit(self) -> None:
        """All other weights are multiples of a message's."""
        unit = DEFAULT_VOCABULARY["message"]
        assert (unit.tie_weight, unit.engagement_weight) == (1, 1)

    def test_the_documented_table_is_the_vocabulary(self, root: Any) -> None:
        """The page of the docs has these kinds, weights and reasons and no others."""
        lines = ["| kind | also | ties | engagement | why |", "| --- | --- | ---: | ---: | --- |"]
        tables = []
        for family in Family:
            rows = [
                f"| `{each.name}` | {', '.join(f'`{word}`' for word in each.aliases)} "
                f"| {each.tie_weight:g} | {each.engagement_weight:g} | {each.reason} |"
                for each in DEFAULT_VOCABULARY
                if each.family == family
            ]
            tables.append("\n".join([f"## {family.capitalize()}", "", *lines, *rows]))
        page = (root / "docs" / "reference" / "vocabulary.md").read_text()
        assert [table for table in tables if table not in page] == []
        assert f"`{DEFAULT_VOCABULARY.digest}`" in page


@pytest.mark.parametrize("name", ["source", "time", "attributes"])
def test_an_attribute_is_not_called_like_a_field(name: str) -> None:
    """Where both stood, a table could keep only one of them."""
    with pytest.raises(InvalidInteraction, match=f"'{name}' has the name of a field"):
        act(attributes={name: "x"})


def test_a_valence_beyond_every_float_is_refused() -> None:
    """An integer of four hundred digits is an ordinary error."""
    with pytest.raises(InvalidInteraction, match="valence must be"):
        act(valence=10**400)
