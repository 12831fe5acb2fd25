"""Relationships and ledgers: the sum of interactions, one at a time."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit import (
    DEFAULT_VOCABULARY,
    AsOfError,
    Interaction,
    InvalidInteraction,
    InvalidParameter,
    Ledger,
    ModelMismatch,
    Relationship,
    UnknownCustomer,
)
from scrmkit.testing.strategies import (
    half_lives,
    instants,
    interactions,
    logs,
    people,
    splits,
    vocabularies,
)


pytestmark = pytest.mark.core

START = datetime(2026, 1, 1, tzinfo=UTC)
FAMILIES = (
    "attention",
    "conversation",
    "contribution",
    "advocacy",
    "transaction",
    "service",
    "unknown",
)
LATER = datetime(2040, 1, 1, tzinfo=UTC)


def act(day: float = 0, source: Any = "ana", target: Any = "ben", **fields: Any) -> Interaction:
    """A message of Ana to Ben, some days after the start."""
    made = {"id": "m", "kind": "message", "time": START + timedelta(days=day), **fields}
    return Interaction(source=source, target=target, **made)


def ledger_of(acts: Sequence[Interaction], **model: Any) -> Ledger:
    """A ledger that has recorded these interactions."""
    ledger = Ledger(**model)
    for one in acts:
        ledger.record(one)
    return ledger


def assert_same(one: Relationship, other: Relationship) -> None:
    """Two relationships are equal, numbers to 1e-9 of the strength."""
    for name in ("a", "b", "n_ab", "n_ba", "counts", "first_seen", "last_seen"):
        assert getattr(one, name) == getattr(other, name)
    close = pytest.approx(one.strength, rel=1e-9, abs=1e-300)
    assert other.strength == close
    slack = 1e-9 * one.strength + 1e-300
    for name in ("strength_ab", "strength_ba", "balance"):
        assert abs(getattr(one, name) - getattr(other, name)) <= slack


def assert_same_ledgers(one: Ledger, other: Ledger) -> None:
    """Two ledgers hold the same sums."""
    assert set(one) == set(other)
    for pair in one:
        assert_same(one.between(*pair, as_of=LATER), other.between(*pair, as_of=LATER))
    assert one.left_out == other.left_out
    assert one.as_of == other.as_of


def exact(acts: Sequence[Interaction], as_of: datetime, half_life: timedelta | None) -> Any:
    """Strengths and balance of a pair by decimals of fifty digits."""
    sums = {"strength_ab": Decimal(0), "strength_ba": Decimal(0), "balance": Decimal(0)}
    micro = timedelta(microseconds=1)
    with localcontext() as context:
        context.prec = 50
        for one in acts:
            age = Decimal((as_of - one.time) // micro)
            decay = Decimal(1) if half_life is None else 2 ** (-age / (half_life // micro))
            kind = DEFAULT_VOCABULARY.get(one.kind)
            weight = Decimal(kind.tie_weight) * decay if kind else Decimal(0)
            sums["strength_ab" if one.source < one.target else "strength_ba"] += weight
            sums["balance"] += weight * Decimal(one.valence or 0)
    return sums


def test_a_relationship_is_the_sum_of_its_interactions() -> None:
    """Counts, strengths each way, balance and reciprocity of three acts."""
    rel = (
        Relationship.of(act(0, valence=1.0))
        + act(0, "ben", "ana", kind="call", valence=-0.5)
        + act(90, kind="like")
    )
    assert (rel.a, rel.b, rel.n_ab, rel.n_ba) == ("ana", "ben", 2, 1)
    assert (rel.strength_ab, rel.strength_ba, rel.strength) == (0.5, 1.5, 2.0)
    assert rel.balance == pytest.approx(0.5 - 0.75)
    assert rel.reciprocity == pytest.approx(1 / 3)
    assert rel.first_seen == START
    assert rel.last_seen == rel.as_of == START + timedelta(days=90)
    assert rel.counts == {**dict.fromkeys(FAMILIES, 0), "attention": 1, "conversation": 2}


def test_an_unknown_kind_is_counted_and_weighs_nothing() -> None:
    """A word that the vocabulary lacks adds to the count alone."""
    rel = Relationship.of(act(kind="thing nobody knows", valence=1.0))
    assert (rel.n_ab, rel.strength, rel.balance, rel.counts["unknown"]) == (1, 0.0, 0.0, 1)


def test_an_alias_weighs_what_its_kind_weighs() -> None:
    """An e-mail is a message."""
    assert Relationship.of(act(kind="email")).strength == 1.0


def test_strength_halves_in_each_half_life() -> None:
    """After two half-lives a quarter is left."""
    rel = Relationship.of(act(), half_life=timedelta(days=10))
    assert rel.at(START + timedelta(days=20)).strength == pytest.approx(0.25, rel=1e-15)


def test_without_a_half_life_nothing_decays() -> None:
    """None is no decay."""
    rel = Relationship.of(act(), half_life=None)
    assert rel.at(LATER).strength == 1.0


def test_moving_to_another_instant_loses_nothing() -> None:
    """Strength that has decayed to nothing is back where the sum is asked for its last act."""
    rel = Relationship.of(act(), half_life=timedelta(hours=1))
    assert rel.at(LATER).strength == 0.0
    assert rel.at(LATER).at(START) == rel


def test_an_instant_before_the_last_interaction_is_refused() -> None:
    """A sum cannot be taken apart; the log can."""
    rel = Relationship.of(act(1))
    with pytest.raises(AsOfError, match="measure the log as of that instant"):
        rel.at(START)
    with pytest.raises(InvalidParameter, match="no time zone"):
        rel.at(datetime(2027, 1, 1))  # noqa: DTZ001 - the point of the test


def test_only_one_pair_adds_up() -> None:
    """Relationships of two pairs are kept in a ledger."""
    with pytest.raises(InvalidParameter, match="Ledger"):
        Relationship.of(act()) + act(source="cem")


@pytest.mark.parametrize("model", [{"half_life": None}, {"half_life": timedelta(days=89)}])
def test_numbers_of_two_models_do_not_add_up(model: Any) -> None:
    """Another half-life is another model."""
    with pytest.raises(ModelMismatch):
        Relationship.of(act()) + Relationship.of(act(), **model)
    with pytest.raises(ModelMismatch):
        Ledger().merge(Ledger(**model))


def test_what_does_not_touch_ties_is_the_same_model() -> None:
    """Engagement weights, names and versions of a vocabulary are no part of the model."""
    other = DEFAULT_VOCABULARY.reweigh(engagement={"message": 9}, name="other", version="7")
    rel = Relationship.of(act()) + Relationship.of(act(), vocabulary=other)
    assert rel.strength == 2.0
    heavier = DEFAULT_VOCABULARY.reweigh(tie={"message": 9}, name="default")
    with pytest.raises(ModelMismatch):
        rel + Relationship.of(act(), vocabulary=heavier)


def test_a_relationship_needs_two_customers() -> None:
    """Acts with nobody or with oneself make none, and say so."""
    for wrong in (act(target=None), act(source=None)):
        with pytest.raises(InvalidInteraction, match="no source or no target"):
            Relationship.of(wrong)
    with pytest.raises(InvalidInteraction, match="themself"):
        Relationship.of(act(target="ana"))


def test_an_automated_act_adds_nothing() -> None:
    """One cannot have a relationship with a system."""
    rel = Relationship.of(act())
    assert rel + act(5, automated=True) == rel
    assert Relationship.of(act(automated=True)) == Relationship.empty("ben", "ana")


def test_what_takes_back_cannot_be_added() -> None:
    """An act that retracts one raises, with the remedy, live and in the ledger."""
    back = act(1, retracts="m")
    for refuse in (Relationship.of, Relationship.of(act()).__add__, Ledger().record):
        with pytest.raises(InvalidInteraction, match="measure the pair from there again"):
            refuse(back)


def test_ids_of_two_types_are_refused() -> None:
    """Text and integers have no common order."""
    with pytest.raises(InvalidParameter, match="no common order"):
        Relationship.of(act(target=7))
    with pytest.raises(InvalidParameter, match="no common order"):
        Ledger().record(act(target=7))
    ledger = ledger_of([act()])
    with pytest.raises(InvalidParameter, match="one type") as caught:
        ledger.record(act(source=1, target=2))
    assert caught.value.value == 1
    assert len(ledger) == 1


def test_the_empty_relationship_adds_nothing() -> None:
    """Empty is the identity, and `sum` begins with 0."""
    rel = Relationship.of(act()) + act(3, "ben", "ana")
    empty = Relationship.empty("ben", "ana")
    assert rel + empty == empty + rel == rel == sum([rel])
    assert sum([Relationship.of(act()), Relationship.of(act(3, "ben", "ana"))]) == rel
    assert empty.first_seen is empty.last_seen is empty.as_of is None
    assert (empty.strength, empty.reciprocity, empty.balance) == (0.0, 0.0, 0.0)
    assert empty.at(datetime(1890, 1, 1, tzinfo=UTC)).strength == 0.0


def test_other_things_are_not_added() -> None:
    """Only relationships and interactions can be added."""
    with pytest.raises(TypeError):
        Relationship.of(act()) + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        1 + Relationship.of(act())


def test_a_relationship_is_a_value() -> None:
    """It is equal by content, hashable, frozen, and can be copied and pickled."""
    rel = Relationship.of(act()) + act(3, "ben", "ana", valence=0.25)
    assert pickle.loads(pickle.dumps(rel)) == copy.deepcopy(rel) == rel  # noqa: S301 - our own
    assert hash(rel) == hash(copy.copy(rel))
    with pytest.raises(AttributeError):
        rel.as_of = LATER  # type: ignore[misc]


def test_a_repr_names_nobody() -> None:
    """Ids stay out of what ends up in logs."""
    shown = repr(Relationship.of(act())) + repr(ledger_of([act()]))
    assert "ana" not in shown
    assert "strength=1" in shown


def test_the_zone_of_a_time_does_not_matter() -> None:
    """An instant is the same in every zone."""
    there = START.astimezone(timezone(timedelta(hours=9)))
    assert Relationship.of(act(time=there)) == Relationship.of(act())


@given(acts=logs(who=["ana", "ben"], nobody=False, automated=False, min_size=1), data=st.data())
def test_order_and_split_do_not_matter(acts: list[Interaction], data: st.DataObject) -> None:
    """However a log is dealt out and added up, the sum is the same."""
    acts = [one for one in acts if one.source != one.target]
    parts = [Relationship.of(one) for one in acts]
    whole = sum(parts, Relationship.empty("ana", "ben")).at(LATER)
    left, right = (
        [Relationship.of(one) for one in half] for half in data.draw(splits(acts), label="halves")
    )
    empty = Relationship.empty("ana", "ben")
    assert_same(whole, (sum(right, empty) + sum(left, empty)).at(LATER))
    assert_same(whole, reduce(lambda one, other: other + one, parts, empty).at(LATER))


@given(one=interactions(who=["ana", "ben"]), other=interactions(who=["ana", "ben"]))
def test_adding_two_is_commutative_to_the_bit(one: Interaction, other: Interaction) -> None:
    """Two relationships add up to the same value in either order."""
    pair = [evolve(x, source="ana", target="ben", automated=False) for x in (one, other)]
    first, second = (Relationship.of(x) for x in pair)
    assert first + second == second + first
    assert (first + second).as_of == max(x.time for x in pair)


@given(
    acts=st.lists(interactions(who=["ana", "ben"], nobody=False), min_size=1, max_size=20),
    half_life=half_lives(),
    wait=st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_sums_are_those_of_exact_arithmetic(
    acts: list[Interaction], half_life: timedelta | None, wait: timedelta
) -> None:
    """Strengths and balance are right to 1e-9 of the strength, over thirty years."""
    acts = [one for one in acts if one.source != one.target and not one.automated]
    ledger = ledger_of(acts, half_life=half_life)
    rel = ledger.between("ana", "ben")
    if rel.last_seen is None:
        return
    as_of = rel.last_seen + wait
    expected = exact(acts, as_of, half_life)
    slack = 1e-9 * float(expected["strength_ab"] + expected["strength_ba"]) + 1e-300
    for name, value in expected.items():
        assert abs(getattr(rel.at(as_of), name) - float(value)) <= slack


@pytest.mark.parametrize("order", [sorted, lambda x: sorted(x, reverse=True), list])
@pytest.mark.parametrize("hours", [1, 24, 24 * 90, 24 * 3650])
def test_thirty_years_of_one_pair_stay_exact(
    hours: int, order: Callable[[list[datetime]], list[datetime]]
) -> None:
    """Thousands of acts, in any order, of any half-life, do not drift."""
    rng = random.Random(7)  # noqa: S311 - no secret
    half_life = timedelta(hours=hours)
    times = [START + timedelta(seconds=rng.uniform(0, 30 * 365 * 86400)) for _ in range(500)]
    times[-100:] = [max(times) - timedelta(seconds=rng.uniform(0, 9e4)) for _ in range(100)]
    acts = [
        act(
            time=time, valence=rng.choice([None, -1.0, 0.3, 1.0]), kind=rng.choice(["call", "vote"])
        )
        for time in order(times)
    ]
    parts = [ledger_of(acts[i::7], half_life=half_life) for i in range(7)]
    merged = Ledger(half_life=half_life)
    for part in parts:
        merged.merge(part)
    as_of = max(times) + timedelta(hours=5)
    expected = exact(acts, as_of, half_life)
    for ledger in (ledger_of(acts, half_life=half_life), merged):
        rel = ledger.between("ana", "ben", as_of=as_of)
        for name, value in expected.items():
            assert abs(getattr(rel, name) - float(value)) <= 1e-9 * rel.strength
        assert rel.n_ab == len(acts)


@given(acts=logs(), half_life=half_lives())
def test_a_ledger_holds_the_sum_of_each_pair(
    acts: list[Interaction], half_life: timedelta | None
) -> None:
    """The mapping has the pairs who interacted, and the relationship of each."""
    ledger = ledger_of(acts, half_life=half_life)
    expected: dict[Any, list[Interaction]] = {}
    left_out = {"automated": 0, "nobody": 0, "self": 0}
    for one in acts:
        if one.automated:
            left_out["automated"] += 1
        elif one.source is None or one.target is None:
            left_out["nobody"] += 1
        elif one.source == one.target:
            left_out["self"] += 1
        else:
            pair: Any = tuple(sorted([one.source, one.target]))
            expected.setdefault(pair, []).append(one)
    assert set(ledger) == set(expected)
    assert len(ledger) == len(expected)
    assert ledger.left_out == left_out
    for pair, its in expected.items():
        parts = [Relationship.of(one, half_life=half_life) for one in its]
        assert_same(sum(parts[1:], parts[0]).at(LATER), ledger.between(*pair, as_of=LATER))


@given(acts=logs(), data=st.data(), half_life=half_lives())
def test_merging_ledgers_is_adding_logs(
    acts: list[Interaction], data: st.DataObject, half_life: timedelta | None
) -> None:
    """Two halves of a log, in any order, make the ledger of the whole."""
    left, right = data.draw(splits(acts), label="halves")
    merged = ledger_of(right[::-1], half_life=half_life)
    merged.merge(ledger_of(left, half_life=half_life))
    assert_same_ledgers(merged, ledger_of(acts, half_life=half_life))


@given(acts=logs(who=["ana", "ben", "cem", "dora", "eve"]), number=st.integers(1, 5))
def test_a_group_is_the_same_sum_over_other_names(acts: list[Interaction], number: int) -> None:
    """Grouping a ledger gives the ledger of the log with other names."""
    names = dict(zip(["ana", "ben", "cem", "dora", "eve"][:number], "zzxxy", strict=False))

    def rename(one: Any) -> Any:
        return names.get(one, one)

    renamed = [evolve(x, source=rename(x.source), target=rename(x.target)) for x in acts]
    ledger = ledger_of(acts)
    expected = ledger_of(renamed)
    for grouped in (ledger.group(names), ledger.group(rename)):
        assert set(grouped) == set(expected)
        assert grouped.left_out == expected.left_out
        for pair in expected:
            assert_same(expected.between(*pair, as_of=LATER), grouped.between(*pair, as_of=LATER))


def test_grouped_ids_are_of_one_type() -> None:
    """A grouping to a mixture of types is refused."""
    ledger = ledger_of([act(), act(source="cem", target="dora")])
    with pytest.raises(InvalidParameter, match="no common order"):
        ledger.group({"ana": 7})
    with pytest.raises(InvalidParameter, match="one type"):
        ledger.group({"ana": 7, "ben": 8})
    with pytest.raises(InvalidParameter, match="name of a group"):
        ledger.group(lambda _: None)  # type: ignore[arg-type,return-value]


@given(acts=logs(who=["ana", "ben", "cem", "dora"], automated=False, nobody=False))
def test_forgetting_is_never_having_met(acts: list[Interaction]) -> None:
    """The ledger afterwards is that of the log without the customer."""
    ledger = ledger_of(acts)
    pairs = len(ledger)
    gone = ledger.forget("ana")
    rest = ledger_of([one for one in acts if "ana" not in (one.source, one.target)])
    assert len(ledger) == pairs - gone
    assert list(ledger.items()) == list(rest.items())
    assert ledger.as_of == rest.as_of
    assert ledger.forget("ana") == 0


@given(
    acts=logs(nobody=False, automated=False, min_size=1),
    valence=st.floats(-1, 1),
    kind=st.sampled_from(sorted(DEFAULT_VOCABULARY.words)),
)
def test_a_balance_follows_one_more_act(acts: list[Interaction], valence: float, kind: str) -> None:
    """At a fixed instant a bad act never raises a balance, and a good one never lowers it."""
    ledger = ledger_of(acts)
    one = acts[0]
    if one.source == one.target:
        return
    before = ledger.between(one.source, one.target, as_of=LATER)
    ledger.record(evolve(one, valence=valence, kind=kind))
    after = ledger.between(one.source, one.target, as_of=LATER)
    slack = 1e-9 * after.strength
    if valence >= 0:
        assert after.balance >= before.balance - slack
    if valence <= 0:
        assert after.balance <= before.balance + slack
    assert -after.strength <= after.balance <= after.strength


@given(acts=logs(), days=st.integers(-2000, 2000))
def test_there_is_no_hidden_clock(acts: list[Interaction], days: int) -> None:
    """Shifting all times and the instant together changes nothing."""
    shift = timedelta(days=days)
    one = ledger_of(acts)
    other = ledger_of([evolve(x, time=x.time + shift, received_at=None) for x in acts])
    for pair in one:
        here, there = one.between(*pair, as_of=LATER), other.between(*pair, as_of=LATER + shift)
        assert there.strength == pytest.approx(here.strength, rel=1e-9, abs=1e-300)


@given(acts=logs(), likes=logs())
def test_vanity_is_apart(acts: list[Interaction], likes: list[Interaction]) -> None:
    """Likes and purchases are counted, and change no strength and no balance."""
    kinds = ["like", "view", "follow", "repost", "purchase"]
    people = sorted({x.source for x in acts if x.source is not None}, key=str)
    if len(people) < 2:
        return
    vain = [
        evolve(x, source=people[0], target=people[1], kind=kinds[i % 5], automated=False)
        for i, x in enumerate(likes)
    ]
    plain, both = ledger_of(acts), ledger_of([*acts, *vain])
    one = plain.between(people[0], people[1], as_of=LATER)
    other = both.between(people[0], people[1], as_of=LATER)
    assert other.strength == pytest.approx(one.strength, rel=1e-9, abs=1e-300)
    assert abs(other.balance - one.balance) <= 1e-9 * one.strength
    assert other.n_ab + other.n_ba == one.n_ab + one.n_ba + len(vain)


def test_between_takes_the_two_in_either_order() -> None:
    """Keys are in order of id; `between` does not mind."""
    ledger = ledger_of([act()])
    assert ledger.between("ben", "ana") == ledger["ana", "ben"] == ledger.between("ana", "ben")
    with pytest.raises(UnknownCustomer, match="either order"):
        ledger["ben", "ana"]
    assert ledger.get(("ben", "ana")) is None
    assert ("ana", "ben") in ledger
    assert list(ledger) == [("ana", "ben")]


def test_a_ledger_stands_at_its_last_interaction() -> None:
    """Without as_of every relationship is that of the last instant in the ledger."""
    ledger = ledger_of([act(0), act(90, "cem", "dora")])
    assert ledger.as_of == START + timedelta(days=90)
    assert ledger["ana", "ben"].strength == 0.5
    assert ledger.between("ana", "ben", as_of=START).strength == 1.0
    with pytest.raises(AsOfError):
        ledger.between("cem", "dora", as_of=START)
    assert Ledger().as_of is None


def test_who_never_met_has_the_empty_relationship() -> None:
    """Strangers have strength 0, not an error."""
    ledger = ledger_of([act()])
    strangers = ledger.between("ana", "zoe")
    assert (strangers.strength, strangers.n_ab, strangers.as_of) == (0.0, 0, START)
    with pytest.raises(InvalidParameter, match="themself"):
        ledger.between("ana", "ana")


def test_a_ledger_counts_each_act_that_it_is_fed() -> None:
    """A ledger remembers no ids: feeding one act twice counts twice."""
    assert ledger_of([act(), act()]).between("ana", "ben").n_ab == 2


def test_a_ledger_can_be_merged_with_itself() -> None:
    """The sum of a ledger with itself is twice the ledger."""
    ledger = ledger_of([act(), act(3, "ben", "ana")])
    ledger.merge(ledger)
    assert (ledger["ana", "ben"].n_ab, ledger["ana", "ben"].strength_ba) == (2, 2.0)


@given(people(), half_lives(), vocabularies(), st.data())
def test_values_and_ledgers_survive_json(
    who: list[Any], half_life: timedelta | None, vocabulary: Any, data: st.DataObject
) -> None:
    """What JSON holds comes back equal to the bit."""
    acts = data.draw(logs(who=who, vocabulary=vocabulary))
    model = {"half_life": half_life, "vocabulary": vocabulary}
    ledger = ledger_of(acts, **model)
    again = Ledger.from_dict(json.loads(json.dumps(ledger.to_dict())), **model)
    assert list(again.items()) == list(ledger.items())
    assert again.left_out == ledger.left_out
    assert again.to_dict() == ledger.to_dict()
    strangers = Relationship.empty(who[0], who[1], **model)
    for rel in (*ledger.values(), strangers, strangers.at(LATER)):
        assert Relationship.from_dict(json.loads(json.dumps(rel.to_dict())), **model) == rel


@given(instants(datetime(1700, 1, 1), datetime(2240, 1, 1)))  # noqa: DTZ001 - Hypothesis's
def test_instants_are_kept_to_the_microsecond(time: datetime) -> None:
    """First and last seen are the very instants of the acts."""
    rel = Relationship.of(act(time=time))
    assert rel.first_seen == rel.last_seen == rel.as_of == time
    assert ledger_of([act(time=time)]).as_of == time


def test_a_row_that_was_kept_goes_on_adding_up() -> None:
    """A relationship from a row of the host's is as good as one that never left."""
    row = Relationship.of(act()).to_dict()
    later = Relationship.from_dict(row) + act(9, "ben", "ana")
    assert later == Relationship.of(act()) + act(9, "ben", "ana")


def test_another_model_s_row_is_refused() -> None:
    """The error says with which model the row was made, and which was given."""
    row = Relationship.of(act(), half_life=timedelta(days=30)).to_dict()
    with pytest.raises(ModelMismatch, match=r"half-life of 30\.0 days.*not with.*90\.0 days"):
        Relationship.from_dict(row)
    with pytest.raises(ModelMismatch, match="no half-life"):
        Ledger.from_dict(ledger_of([act()]).to_dict(), half_life=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not what to_dict"),
        ({"version": 2}, "another version"),
        ({"model": None}, "model must say"),
        ({"ids": "float"}, "ids must be one of"),
        ({"ids": "uuid"}, "a must be an id of type uuid"),
        ({"ids": "int"}, "a must be an id of type int"),
        ({"a": 5}, "a must be an id of type str"),
        ({"a": ""}, "a is empty"),
        ({"a": None}, "a must be an id"),
        ({"a": "zoe"}, "a must come before b"),
        ({"a": "ben"}, "themself"),
        ({"as_of": None}, "as_of must be an instant"),
        ({"as_of": "2020-01-01T00:00:00+00:00"}, "not before last_seen"),
        ({"as_of": "soon"}, "as_of must be an instant in ISO 8601"),
        ({"as_of": "2029-01-01"}, "as_of has no time zone"),
        ({"last_seen": 5}, "last_seen must be an instant"),
        ({"first_seen": "2029-01-01T00:00:00+00:00"}, "first_seen must not be after"),
        ({"n_ab": 0}, "something else is not"),
        ({"n_ab": 2}, "must be the sum of the counts"),
        ({"n_ab": -1}, "n_ab must be a whole number"),
        ({"n_ab": True}, "n_ab must be a whole number"),
        ({"n_ba": 1.0}, "n_ba must be a whole number"),
        ({"conversation": "1"}, "conversation must be a whole number"),
        ({"strength_ab": float("nan")}, "strength_ab must be a finite number"),
        ({"strength_ab": -1.0}, "strength_ab must be a finite number of at least 0"),
        ({"strength_ba": "1"}, "strength_ba is of type str"),
        ({"strength_ab": 10**400}, "strength_ab must be a finite number"),
        ({"balance": 1.5}, "balance must not be beyond"),
        ({"balance": None}, "balance is of type NoneType"),
    ],
)
def test_a_malformed_row_is_refused(change: dict[str, Any], message: str) -> None:
    """Each field is checked, and the error names it."""
    row = Relationship.of(act(valence=0.5)).to_dict()
    with pytest.raises(InvalidParameter, match=message):
        Relationship.from_dict({**row, **change})


@given(st.data())
@settings(max_examples=200)
def test_a_row_of_rubbish_gives_a_documented_error(data: st.DataObject) -> None:
    """Whatever a row holds, there is a relationship or an error of ours."""
    rubbish = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        | st.lists(st.integers(), max_size=2)
    )  # fmt: skip
    row = Relationship.of(act(valence=0.5)).to_dict()
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=3)):
        row[name] = data.draw(rubbish)
    with suppress(InvalidParameter, InvalidInteraction, ModelMismatch):
        Relationship.from_dict(row)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 3}, "a part is missing"),
        ({"rows": None}, "a part is missing"),
        ({"columns": ["a", "b"]}, "columns must be"),
        ({"left_out": {"self": 0}}, "left_out must count"),
        ({"left_out": {"self": -1, "nobody": 0, "automated": 0}}, r"left_out\.self must be"),
        ({"ids": None}, "ids must be one of"),
        ({"format": "scrmkit.relationship"}, "not what to_dict"),
    ],
)
def test_a_malformed_ledger_is_refused(change: dict[str, Any], message: str) -> None:
    """What is cut off or mixed up is not taken for a ledger."""
    kept = ledger_of([act(), act(source="cem")]).to_dict()
    with pytest.raises(InvalidParameter, match=message):
        Ledger.from_dict({**kept, **change})


def test_the_rows_of_a_ledger_are_checked() -> None:
    """Each pair stands once, in order, and has interactions."""
    kept = ledger_of([act(), act(source="cem")]).to_dict()
    first, second = kept["rows"]
    turned = [first[1], first[0], *first[2:]]
    nothing = [*first[:2], 0, 0, 0.0, 0.0, 0.0, None, None, *[0] * 7]
    for rows, message in [
        ([first, first], r"rows\[1\] must be the only one of its pair"),
        ([turned, second], r"rows\[0\] must be the only one of its pair, with a before b"),
        ([first, second[:-1]], r"rows\[1\] must have 16 values"),
        ([first, [*second[:4], -1.0, *second[5:]]], r"rows\[1\]\.strength_ab must be"),
        ([nothing, second], r"rows\[0\] must have at least one interaction"),
    ]:
        with pytest.raises(InvalidParameter, match=message):
            Ledger.from_dict({**kept, "rows": rows})


def test_the_digest_names_the_model() -> None:
    """Values, ledgers and rows of one model have one digest, and models differ in it."""
    ledger = ledger_of([act()])
    rel = ledger["ana", "ben"]
    assert ledger.digest == rel.digest == rel.to_dict()["model"]["digest"]
    assert Ledger(half_life=None).digest != ledger.digest


def test_wrong_half_lives_are_refused_at_once() -> None:
    """A half-life is a positive timedelta or None."""
    for wrong in (timedelta(0), timedelta(days=-1), 90):
        with pytest.raises(InvalidParameter, match="half_life"):
            Ledger(half_life=wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidParameter, match="half_life"):
            Relationship.of(act(), half_life=wrong)  # type: ignore[arg-type]


def test_uuids_are_ids_too() -> None:
    """UUIDs are ordered as such and come back as such."""
    one, other = UUID(int=1), UUID(int=2**100)
    rel = Relationship.of(act(source=other, target=one))
    assert (rel.a, rel.b, rel.n_ba) == (one, other, 1)
    assert Relationship.from_dict(rel.to_dict()) == rel
