"""Engagement live: the model, its arithmetic, and the tracker, on the core install."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import (
    DEFAULT_VOCABULARY,
    AsOfError,
    Interaction,
    InvalidInteraction,
    InvalidParameter,
    Kind,
    ModelMismatch,
    UnknownCustomer,
)
from scrmkit.engagement import EngagementModel, Level, Score, Tracker
from scrmkit.testing.strategies import logs, splits


pytestmark = pytest.mark.core

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = datetime(2040, 1, 1, tzinfo=UTC)
LEVELS = (
    Level("low", 0),
    Level("middle", 20, active_days=2),
    Level("high", 30, counterparts=2),
)
SIMPLE = EngagementModel(weights={"message": 1, "referral": 5}, new_below=0, levels=LEVELS)


def act(day: float = 0, kind: str = "message", **fields: object) -> Interaction:
    """One act of ana towards ben, so many days after noon of the first of March."""
    given_fields = {"id": "m", "source": "ana", "target": "ben", **fields}
    return Interaction(time=NOON + timedelta(days=day), kind=kind, **given_fields)


def tracked(acts: list[Interaction], model: EngagementModel | None = None) -> Tracker:
    """A tracker that has recorded these acts."""
    tracker = Tracker(model=model)
    for one in acts:
        tracker.record(one)
    return tracker


def scores(tracker: Tracker, acts: list[Interaction]) -> dict[object, Score]:
    """The score, at the last of these acts, of everybody in them whom the tracker knows."""
    people = {one.source for one in acts} - {None}
    as_of = max((one.time for one in acts), default=NOON)
    return {who: tracker.score(who, as_of=as_of) for who in people if who in tracker}


def plain(acts: list[Interaction]) -> list[Interaction]:
    """The acts without those that take something back."""
    return [one for one in acts if one.retracts is None]


def test_a_score_is_the_share_of_activity_in_activity_and_scale() -> None:
    """One message today against a scale of 20 gives 100 / 21."""
    assert tracked([act()]).score("ana").value == pytest.approx(100 / 21, rel=1e-12)


def test_an_act_is_halved_by_its_half_life() -> None:
    """A referral of weight 5 counts 2.5 after the half-life."""
    found = tracked([act(kind="referral")]).score("ana", as_of=NOON + timedelta(days=90))
    assert found.value == pytest.approx(100 * 2.5 / 22.5, rel=1e-12)


def test_age_counts_whole_utc_days() -> None:
    """The hour of the act and the hour of the question do not matter, only their days."""
    late = tracked([act(11.9 / 24)]).score("ana", as_of=NOON + timedelta(days=9, hours=-11))
    early = tracked([act(-11.9 / 24)]).score("ana", as_of=NOON + timedelta(days=9, hours=11))
    assert late.value == early.value


def test_no_half_life_means_no_decay() -> None:
    """Without a half-life an act counts the same for ever."""
    model = EngagementModel(half_life=None)
    assert tracked([act()], model).score("ana", as_of=END).value == pytest.approx(100 / 21)


def test_acts_beyond_the_cap_are_counted_but_add_nothing() -> None:
    """A hundred messages on a day are worth as much as five, and n says that they were 100."""
    many, five = tracked([act()] * 100).score("ana"), tracked([act()] * 5).score("ana")
    assert (many.value, many.n, five.n) == (five.value, 100, 5)


def test_the_cap_is_for_each_kind_on_each_day_over_all_counterparts() -> None:
    """Six messages to six people are capped at five; five messages and a call are not."""
    six = tracked([act(target=f"p{n}") for n in range(6)]).score("ana")
    mixed = tracked([act()] * 5 + [act(kind="call")]).score("ana")
    assert six.value == pytest.approx(100 * 5 / 25)
    assert mixed.value == pytest.approx(100 * 7 / 27)


@pytest.mark.parametrize(
    "nothing",
    [act(automated=True), act(source=None), act(target="ana")],
    ids=["automated", "nobody's", "towards oneself"],
)
def test_what_does_not_count_changes_nothing(nothing: Interaction) -> None:
    """Automated acts, acts of nobody and acts towards oneself leave no trace."""
    assert "ana" not in tracked([nothing])
    assert tracked([nothing, act(1)]).score("ana") == tracked([act(1)]).score("ana")


def test_what_was_done_to_somebody_does_not_count() -> None:
    """Receiving a message is no engagement."""
    with pytest.raises(UnknownCustomer):
        tracked([act()]).score("ben")


def test_attention_is_counted_apart() -> None:
    """Likes change neither the score nor its parts, and are counted."""
    with_likes = tracked([act(), act(kind="like"), act(kind="heart")]).score("ana")
    without = tracked([act()]).score("ana")
    assert evolve(with_likes, attention=0) == without
    assert with_likes.attention == 2


def test_attention_with_weight_is_a_contribution() -> None:
    """Where the caller gives likes weight, they add to the score under their own name."""
    model = EngagementModel(weights={"like": 1.0})
    found = tracked([act(kind="like")], model).score("ana")
    assert found.contributions["attention"] == found.value > 0
    assert found.attention == found.n == 1


def test_unknown_kinds_weigh_nothing_but_say_since_when_we_look() -> None:
    """An act that nobody knows adds nothing to the score and begins the exposure."""
    found = tracked([act(kind="thing"), act(9)]).score("ana")
    assert (found.n, found.active_days, found.exposure) == (1, 1, 10)


def test_aliases_mean_their_kind() -> None:
    """A mail and a message on one day share one cap."""
    assert tracked([act(kind="mail")] * 3 + [act()] * 3).score("ana").value == pytest.approx(20.0)


def test_a_person_with_attention_only_scores_nothing_and_is_not_sure_of_it() -> None:
    """A score of 0 has a high above 0: having looked in vain is not knowing."""
    found = tracked([act(kind="like")]).score("ana")
    assert found.value == found.low == 0 < found.high
    assert found.n == 0


# The interval


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(5, 1.970, 10.513), (10, 5.425, 16.962), (20, 13.255, 29.062), (50, 38.965, 63.287)],
)
def test_the_interval_is_that_of_a_count(count: int, low: float, high: float) -> None:
    """For single acts without decay it is Garwood's (1936) 90 % interval, to 1 %."""
    model = EngagementModel(half_life=None, scale=100)
    ends = [100 * x / (100 - x) for x in model.value(float(count), 1.0, 365.0)[1:]]
    assert ends == [pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01)]


def test_the_interval_grows_with_confidence() -> None:
    """99 % is wider than 90 %, on both sides."""
    wide = EngagementModel(confidence=0.99).value(20.0, 1.0, 100.0)
    narrow = EngagementModel().value(20.0, 1.0, 100.0)
    assert wide[1] < narrow[1] < narrow[2] < wide[2]


@given(
    activity=st.floats(0, 1e6),
    dispersion=st.floats(1e-3, 1e4),
    exposure=st.integers(1, 20_000),
    half_life=st.none() | st.timedeltas(timedelta(hours=1), timedelta(days=3650)),
)
def test_low_score_and_high_are_in_order(
    activity: float, dispersion: float, exposure: int, half_life: timedelta | None
) -> None:
    """0 <= low <= score <= high <= 100, whatever comes in."""
    model = EngagementModel(half_life=half_life)
    value, low, high = model.value(activity, dispersion, float(exposure))
    assert 0 <= low <= value <= high <= 100


def test_bursts_make_the_interval_wider() -> None:
    """Twenty acts on four days say less than twenty acts on twenty days."""
    later = NOON + timedelta(days=40)
    spread = tracked([act(day) for day in range(0, 40, 2)], SIMPLE).score("ana", as_of=later)
    bursts = tracked([act(day) for day in (0, 10, 20, 38)] * 5, SIMPLE).score("ana", as_of=later)
    assert bursts.high - bursts.low > 1.2 * (spread.high - spread.low)


def test_one_day_of_acts_is_one_piece_of_evidence() -> None:
    """Five acts on the only day observed leave nearly everything open below."""
    found = tracked([act()] * 5).score("ana")
    assert found.value == pytest.approx(20)
    assert found.low < 3


@given(log=logs(max_size=12))
def test_a_score_is_the_sum_of_its_contributions(log: list[Interaction]) -> None:
    """To the bit, in the order in which they stand."""
    tracker = tracked(plain(log))
    for found in scores(tracker, log).values():
        total = 0.0
        for part in found.contributions.values():
            total += part
        assert total == found.value
        assert 0 <= found.low <= found.value * (1 + 1e-12)
        assert found.value <= found.high * (1 + 1e-12)


# Levels


@pytest.mark.parametrize(
    ("acts", "level"),
    [
        ([act()], "low"),
        ([act(kind="referral")] * 4, "low"),
        ([act(-1, "referral")] * 2 + [act(kind="referral")] * 2, "middle"),
        ([act(kind="referral", target="cem")] * 2 + [act(kind="referral")] * 3, "high"),
        ([act(kind="referral", target=None)] * 2 + [act(kind="referral")] * 3, "low"),
    ],
)
def test_a_level_takes_all_its_conditions(acts: list[Interaction], level: str) -> None:
    """The highest level holds whose score, active days and counterparts are all reached."""
    model = evolve(SIMPLE, confidence=0.01, prior_dispersion=0.01)
    assert tracked(acts, model).score("ana", as_of=NOON).level == level


def test_a_level_is_new_until_we_have_looked_long_enough() -> None:
    """Thirteen days of exposure are too few, fourteen are enough."""
    tracker = tracked([act()])
    assert tracker.score("ana", as_of=NOON + timedelta(days=12)).level == "new"
    assert tracker.score("ana", as_of=NOON + timedelta(days=13)).level == "quiet"


def test_a_level_is_unknown_where_the_interval_goes_beyond_neighbours() -> None:
    """An interval from the first to the third level names none of them."""
    levels = (Level("a", 0), Level("b", 19), Level("c", 21))
    model = EngagementModel(levels=levels, new_below=0)
    assert tracked([act()] * 5, model).score("ana").level == "unknown"
    model = evolve(model, levels=levels[:2])
    assert tracked([act()] * 5, model).score("ana").level == "b"


# Laws


@given(log=logs(max_size=15), data=st.data())
def test_order_does_not_matter(log: list[Interaction], data: st.DataObject) -> None:
    """Any order of the same acts gives the same scores, to the bit."""
    log = plain(log)
    other = data.draw(st.permutations(log))
    assert scores(tracked(log), log) == scores(tracked(other), log)


@given(log=logs(max_size=12), data=st.data())
def test_trackers_of_a_split_log_merge_into_that_of_the_whole(
    log: list[Interaction], data: st.DataObject
) -> None:
    """The state is a sum, so it adds up over machines, in either order."""
    log = plain(log)
    left, right = data.draw(splits(log))
    for first, second in ((left, right), (right, left)):
        tracker, other = tracked(first), tracked(second)
        before = other.to_dict()
        tracker.merge(other)
        assert scores(tracker, log) == scores(tracked(log), log)
        assert other.to_dict() == before


@given(log=logs(max_size=15), days=st.integers(-3000, 3000))
def test_there_is_no_hidden_clock(log: list[Interaction], days: int) -> None:
    """Shift all times and the instant by whole days, and nothing changes."""
    shift = timedelta(days=days)
    log = plain(log)
    moved = [evolve(one, time=one.time + shift, received_at=None) for one in log]
    after = scores(tracked(moved), moved)
    back = {who: evolve(one, as_of=one.as_of - shift) for who, one in after.items()}
    assert back == scores(tracked(log), log)


@given(log=logs(min_size=1, max_size=12), number=st.integers(0, 10**6))
def test_one_more_act_never_lowers_a_score(log: list[Interaction], number: int) -> None:
    """At a fixed instant, whatever somebody does besides does not make the score fall."""
    log = plain(log)
    more = evolve(log[number % len(log)], valence=-1.0)
    before, after = scores(tracked(log), log), scores(tracked([*log, more]), log)
    for who, score in before.items():
        assert after[who].value >= score.value - 1e-9


@given(log=logs(max_size=12))
def test_a_score_does_not_depend_on_others(log: list[Interaction]) -> None:
    """Everybody alone in a tracker has the score that they have among all."""
    log = plain(log)
    for who, score in scores(tracked(log), log).items():
        alone = tracked([one for one in log if one.source == who])
        assert alone.score(who, as_of=score.as_of) == score


@given(log=logs(max_size=12))
def test_it_survives_being_kept_as_text(log: list[Interaction]) -> None:
    """To JSON and back, for ids of every type, gives the same scores."""
    log = plain(log)
    tracker = tracked(log)
    again = Tracker.from_dict(json.loads(json.dumps(tracker.to_dict())))
    assert scores(again, log) == scores(tracker, log)


@given(log=logs(who=["ana", "ben", "cem", "dora"], max_size=12))
def test_joining_handles_is_the_log_with_those_handles_made_one(log: list[Interaction]) -> None:
    """What ana and ben did towards each other counts no more; grouping leaves the original."""
    log = plain(log)
    names = {"ben": "ana"}
    joined = [
        evolve(
            one,
            source=names.get(one.source, one.source),
            target=names.get(one.target, one.target),
        )
        for one in log
    ]
    tracker = tracked(log)
    before = scores(tracker, log)
    assert scores(tracker.group(names), joined) == scores(tracked(joined), joined)
    assert scores(tracker, log) == before


# Time and corrections


def test_an_instant_before_the_last_act_is_an_error() -> None:
    """Counts cannot be taken apart again, and the message says whom to ask."""
    tracker = tracked([act(), act(2)])
    with pytest.raises(AsOfError, match=r"engagement\.score"):
        tracker.score("ana", as_of=NOON + timedelta(days=1))
    assert tracker.score("ana").as_of == NOON + timedelta(days=2)


def test_an_instant_without_a_zone_is_refused() -> None:
    """A naive datetime names no instant."""
    with pytest.raises(InvalidParameter, match="time zone"):
        tracked([act()]).score("ana", as_of=datetime(2030, 1, 1))  # noqa: DTZ001 - the point


def test_a_retraction_takes_an_act_back() -> None:
    """After it the score is that of the other acts, from that instant on."""
    tracker = tracked([act(), act(1, "call")])
    tracker.retract(act(1, "call"), at=NOON + timedelta(days=3))
    assert tracker.score("ana", as_of=END) == tracked([act()]).score("ana", as_of=END)
    with pytest.raises(AsOfError):
        tracker.score("ana", as_of=NOON + timedelta(days=2))


def test_a_customer_whose_acts_were_all_taken_back_is_unknown() -> None:
    """Nothing is left to score."""
    tracker = tracked([act()])
    tracker.retract(act(), at=NOON)
    assert len(tracker) == 0
    assert "ana" not in tracker
    with pytest.raises(UnknownCustomer):
        tracker.score("ana")


def test_only_what_was_recorded_can_be_retracted() -> None:
    """Another kind, another day or an instant before the act is an error."""
    tracker = tracked([act()])
    for wrong in (act(kind="call"), act(-1), act(source="cem")):
        with pytest.raises(InvalidInteraction, match="not recorded"):
            tracker.retract(wrong, at=NOON)
    with pytest.raises(InvalidParameter, match="before"):
        tracker.retract(act(), at=NOON - timedelta(hours=1))
    tracker.retract(act(automated=True), at=NOON)
    assert "ana" in tracker


def test_an_interaction_that_takes_back_is_not_recorded() -> None:
    """The message says what to call."""
    with pytest.raises(InvalidInteraction, match=r"retract\(original"):
        Tracker().record(act(retracts="m0"))


def test_to_forget_somebody_removes_their_acts_and_their_name() -> None:
    """Their own score is gone; the acts of others towards them stay, towards nobody."""
    tracker = tracked([act(), act(source="ben", target="ana"), act(source="ben", target=None)])
    before = tracker.score("ben", as_of=END)
    tracker.forget("ana")
    tracker.forget("nobody")
    assert "ana" not in tracker
    assert "ana" not in json.dumps(tracker.to_dict())
    assert tracker.score("ben", as_of=END) == before


def test_who_is_forgotten_is_no_counterpart() -> None:
    """Those who acted towards them acted towards one person fewer, which can cost a level."""
    levels = (Level("closed", 0), Level("open", 1, counterparts=2))
    acts = [act(day, target=target) for day in range(40) for target in ("ben", "cem")]
    tracker = tracked(acts, evolve(SIMPLE, levels=levels))
    before = tracker.score("ana")
    tracker.forget("ben")
    after = tracker.score("ana")
    assert (before.level, after.level) == ("open", "closed")
    assert before.value == after.value


# Models


@frozen
class ForumModel:
    """A vendor's model: some data and one function."""

    name: str = "forum"
    version: str = "1"
    weights: dict[str, float] = field(factory=lambda: {"post": 1.0})
    half_life: timedelta = timedelta(days=60)
    cap_per_day: int = 5

    def value(self, activity: float, dispersion: float, exposure: float) -> tuple[float, ...]:
        """Activity for each day of exposure."""
        share = 100 * activity / (activity + exposure)
        return share, share / (1 + dispersion), share + (100 - share) * dispersion / 100


def test_any_object_of_the_right_shape_is_a_model() -> None:
    """A vendor's model needs no base class; what it lacks is that of the built-in one."""
    tracker = Tracker(model=ForumModel())
    tracker.record(act(kind="post"))
    tracker.record(act())
    found = tracker.score("ana")
    assert (found.value, found.model, found.level, found.n) == (50, "forum", "new", 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"half_life": timedelta(0)}, "half_life"),
        ({"cap_per_day": 0}, "cap_per_day"),
        ({"scale": 0}, "scale"),
        ({"confidence": 1}, "confidence"),
        ({"confidence": 0}, "confidence"),
        ({"new_below": -1}, "new_below"),
        ({"prior_activity": 0}, "prior_activity"),
        ({"prior_dispersion": math.nan}, "prior_dispersion"),
        ({"weights": {"message": -1}}, "weight of 'message'"),
        ({"levels": ()}, "levels"),
        ({"levels": [Level("a", 1)]}, "levels"),
        ({"levels": [Level("a", 0), Level("b", 0)]}, "levels"),
        ({"levels": [Level("a", 0), Level("a", 2)]}, "same name"),
        ({"levels": [Level("a", 0, active_days=1)]}, "lowest level"),
        ({"levels": ["a"]}, "levels"),
        ({"name": ""}, "name"),
    ],
)
def test_a_model_that_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    """The message names the option."""
    with pytest.raises(InvalidParameter, match=message):
        EngagementModel(**wrong)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("new", {}), ("unknown", {}), ("", {}), ("a", {"active_days": -1})],
)
def test_a_level_that_cannot_be_is_refused(name: str, fields: dict[str, int]) -> None:
    """Two words are taken, and counts are whole numbers."""
    with pytest.raises(InvalidParameter):
        Level(name, 10, **fields)


def test_a_weight_for_a_kind_that_nobody_knows_is_refused() -> None:
    """A slip of the pen would silently weigh nothing; an alias is sent to its kind."""
    with pytest.raises(InvalidParameter, match="Did you mean 'message'"):
        Tracker(model=EngagementModel(weights={"mesage": 1}))
    with pytest.raises(InvalidParameter, match="another word for 'message'"):
        Tracker(model=EngagementModel(weights={"email": 1}))


def test_the_weights_come_from_the_vocabulary() -> None:
    """A host's own kind counts as its vocabulary says."""
    house = DEFAULT_VOCABULARY.extend(
        Kind(name="demo", family="service", tie_weight=0, engagement_weight=20), name="house"
    )
    tracker = Tracker(vocabulary=house)
    tracker.record(act(kind="demo"))
    assert tracker.score("ana").contributions["service"] == 50


def test_different_models_are_not_put_together() -> None:
    """Neither by merging nor by reading counts that were kept under another model."""
    one, two = tracked([act()]), tracked([act()], EngagementModel(scale=21))
    assert one.digest != two.digest
    with pytest.raises(ModelMismatch, match="different models"):
        one.merge(two)
    with pytest.raises(ModelMismatch, match="pass the model"):
        Tracker.from_dict(one.to_dict(), model=EngagementModel(scale=21))


def test_what_is_read_is_checked() -> None:
    """Anything that `to_dict` does not write is refused, with the place."""
    data = tracked([act()]).to_dict()
    row = data["customers"][0]
    for wrong, message in [
        ([], "not what"),
        ({**data, "format": "scrmkit.ledger"}, "not what"),
        ({**data, "version": 99}, "version of scrmkit"),
        ({**data, "model": None}, "model"),
        ({**data, "ids": "bytes"}, "ids"),
        ({**data, "customers": None}, "customers"),
        ({**data, "customers": [1]}, r"customers\[0\]"),
        ({**data, "customers": [{**row, "customer": 7}]}, r"customers\[0\].customer"),
        ({**data, "customers": [{**row, "last": "today"}]}, r"customers\[0\]"),
        ({**data, "customers": [{**row, "acts": None}]}, "acts"),
        ({**data, "customers": [{**row, "acts": [["ben", "message", 3, 0]]}]}, "acts"),
        ({**data, "customers": [{**row, "acts": [[7, "message", 3, 1]]}]}, "acts"),
    ]:
        with pytest.raises(InvalidParameter, match=message):
            Tracker.from_dict(wrong)


def test_ids_are_of_one_type() -> None:
    """An integer among texts is an error, as in a log."""
    tracker = tracked([act()])
    with pytest.raises(InvalidParameter, match="all as integers"):
        tracker.record(act(source=7))


def test_a_tracker_can_be_grouped_by_a_function() -> None:
    """Handles become their person; what is left between them does not count."""
    log = [act(source="ana/mail"), act(source="ana/app", target="ana/mail")]
    people = tracked(log).group(lambda handle: handle.partition("/")[0])
    assert people.score("ana", as_of=END) == tracked([act()]).score("ana", as_of=END)


def test_every_parameter_is_in_the_digest() -> None:
    """Changing any of them changes the name under which scores were made."""
    changes = [
        {},
        {"name": "other"},
        {"version": "2"},
        {"weights": {"message": 2}},
        {"half_life": None},
        {"cap_per_day": 6},
        {"scale": 21},
        {"levels": LEVELS},
        {"new_below": 15},
        {"prior_activity": 3},
        {"prior_dispersion": 3},
        {"confidence": 0.8},
    ]
    digests = Counter(Tracker(model=EngagementModel(**change)).digest for change in changes)
    assert set(digests.values()) == {1}


def test_a_score_can_be_kept_in_a_row() -> None:
    """As plain values; and neither its repr nor the tracker's shows who it is."""
    who = UUID(int=7)
    tracker = tracked([act(source=who, target=None)])
    found = tracker.score(who)
    assert found.to_dict()["score"] == found.value
    assert json.dumps({**found.to_dict(), "customer": str(who)})
    assert str(who) not in repr(found)
    assert repr(tracker) == "<Tracker of 1 customers, model 'default'>"
