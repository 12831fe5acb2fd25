"""The live form in a host's hands: times at the edges, wrong arguments, copies, erasure."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given

from scrmkit import (
    DEFAULT_VOCABULARY,
    EngagementModel,
    Interaction,
    InvalidInteraction,
    InvalidParameter,
    Ledger,
    Relationship,
    Score,
    Tracker,
    UnknownCustomer,
)
from scrmkit.testing.strategies import instants


pytestmark = pytest.mark.core

START = datetime(2026, 1, 1, tzinfo=UTC)


def act(day: float = 0, source: Any = "ana", target: Any = "ben", **fields: Any) -> Interaction:
    """A message of Ana to Ben, some days after the start."""
    made = {"id": "m", "kind": "message", "time": START + timedelta(days=day), **fields}
    return Interaction(source=source, target=target, **made)


def ledger_of(*acts: Interaction) -> Ledger:
    """A ledger that has recorded these interactions."""
    ledger = Ledger()
    for one in acts:
        ledger.record(one)
    return ledger


def tracker_of(*acts: Interaction) -> Tracker:
    """A tracker that has recorded these interactions."""
    tracker = Tracker()
    for one in acts:
        tracker.record(one)
    return tracker


# Times at the edges


@pytest.mark.parametrize(
    "time",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        datetime(9998, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
        datetime(2, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_refused(time: datetime) -> None:
    """Instants outside the years 0002 to 9998 in UTC are an ordinary error, with the remedy."""
    with pytest.raises(InvalidInteraction, match=r"time is not within .* leave it out"):
        act(time=time)


def test_an_as_of_at_the_end_of_the_calendar_is_refused() -> None:
    """The last datetime there is cannot be asked about."""
    with pytest.raises(InvalidParameter, match="as_of is not within the years"):
        Relationship.of(act()).at(datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))))


@given(time=instants(datetime(3, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001 - Hypothesis's
def test_a_sum_of_any_year_can_be_kept_and_asked(time: datetime) -> None:
    """A value takes its own `to_dict` and its own instant, whatever the year."""
    rel = Relationship.of(act(time=time))
    assert Relationship.from_dict(rel.to_dict()) == rel == rel.at(rel.as_of or time)
    assert timedelta(0) <= time - (rel.last_seen or time) <= timedelta(microseconds=32)


@given(time=instants(datetime(3, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001 - Hypothesis's
def test_a_ledger_of_any_year_can_be_kept_and_asked(time: datetime) -> None:
    """One act far away makes no ledger unsavable, and can be asked about at its own time."""
    ledger = ledger_of(act(), act(time=time))
    assert Ledger.from_dict(json.loads(json.dumps(ledger.to_dict()))) == ledger
    assert ledger.between("ana", "ben", as_of=max(time, START)).n_ab == 2


def test_a_relationship_of_the_year_9000_takes_its_own_row() -> None:
    """The last microsecond of a second is not rounded beyond the act."""
    time = datetime(9000, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)
    rel = Relationship.of(act(time=time))
    assert Relationship.from_dict(rel.to_dict()).at(time) == rel


# Rows that nobody wrote


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strength_ba": 7.0}, "strength_ba must not be beyond n_ba acts"),
        ({"strength_ab": 50.0}, "strength_ab must not be beyond n_ab acts"),
        ({"version": True}, "another version"),
        ({"version": 1.0}, "another version"),
    ],
)
def test_a_row_that_no_acts_can_make_is_refused(change: dict[str, Any], message: str) -> None:
    """Strength without acts, or beyond the heaviest kind, is no sum of interactions."""
    row = Relationship.of(act()).to_dict()
    with pytest.raises(InvalidParameter, match=message):
        Relationship.from_dict({**row, **change})


def test_the_rows_of_a_ledger_are_bound_too() -> None:
    """The same bound holds for each row of a ledger, and the error has the place."""
    kept = ledger_of(act()).to_dict()
    kept["rows"][0][kept["columns"].index("strength_ba")] = 7.0
    with pytest.raises(InvalidParameter, match=r"rows\[0\]\.strength_ba"):
        Ledger.from_dict(kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customer": 7}, r"customers\[0\]\.customer"),
        ({"last": "today"}, r"customers\[0\]\.last"),
        ({"acts": []}, r"customers\[0\]\.acts must"),
        ({"acts": [["ben", "message", True, 1]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", "message", 3, True]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", "message", 10**6, 1]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", "message", 20_455, 1]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", "message", -(10**6), 1]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", " ", 3, 1]]}, r"acts\[0\] must be"),
        ({"acts": [["ben", "message", 3, 2**60]]}, r"acts\[0\] must be"),
        ({"acts": [["ana", "message", 3, 1]]}, r"acts\[0\] is of a customer towards themself"),
        ({"acts": [["ben", "email", 3, 1]]}, r"acts\[0\] is of kind 'email'"),
        ({"acts": [[7, "message", 3, 1]]}, r"acts\[0\]\[0\] must be an id"),
    ],
)
def test_a_customer_that_no_tracker_wrote_is_refused(change: dict[str, Any], message: str) -> None:
    """Every field of a customer is checked, and the error has the place."""
    data = tracker_of(act()).to_dict()
    row = data["customers"][0]
    assert row["acts"] == [["ben", "message", 20_454, 1]]
    with pytest.raises(InvalidParameter, match=message):
        Tracker.from_dict({**data, "customers": [{**row, **change}]})


@pytest.mark.parametrize("change", [{"size": 2}, {"size": True}, {"size": None}, {"version": True}])
def test_a_tracker_that_was_cut_off_is_refused(change: dict[str, Any]) -> None:
    """The number of customers and the version are whole numbers, and right."""
    with pytest.raises(InvalidParameter, match=r"size is not|another version"):
        Tracker.from_dict({**tracker_of(act()).to_dict(), **change})


def test_a_customer_stands_once_in_a_tracker() -> None:
    """A row that is there twice would count twice."""
    data = tracker_of(act()).to_dict()
    rows = data["customers"] * 2
    with pytest.raises(InvalidParameter, match=r"customers\[1\]\.customer is there twice"):
        Tracker.from_dict({**data, "customers": rows, "size": 2})


# Wrong arguments


@pytest.mark.parametrize(
    "call",
    [
        lambda: Ledger(vocabulary=None),
        lambda: Tracker(vocabulary=None),
        lambda: Relationship.empty("ana", "ben", vocabulary={}),
        lambda: Relationship.of({"id": "m"}),
        lambda: Ledger().record({"id": "m"}),
        lambda: Tracker().record({"id": "m"}),
        lambda: Tracker().retract({"id": "m"}, at=START),
        lambda: Tracker().merge(Ledger()),
        lambda: Ledger().merge(Tracker()),
        lambda: Tracker().group([("a", "b")]),
        lambda: Ledger().group([("a", "b")]),
    ],
)
def test_a_value_of_another_type_is_an_error_of_ours(call: Any) -> None:
    """The message says which type came and which is wanted."""
    with pytest.raises((InvalidParameter, InvalidInteraction), match=r"of type .*(give|make)"):
        call()


@pytest.mark.parametrize("name", [None, "", 1.5])
def test_the_new_names_of_a_tracker_are_ids(name: Any) -> None:
    """Grouping to what is no id is refused, as in a ledger."""
    with pytest.raises(InvalidParameter, match="name of a group"):
        tracker_of(act()).group({"ana": name})


def test_an_act_that_is_refused_decides_nothing() -> None:
    """A tracker that refused an act with ids of two types is still open for either."""
    tracker = Tracker()
    with pytest.raises(InvalidParameter, match="all as integers"):
        tracker.record(act(target=5))
    tracker.record(act(source=4, target=5))
    assert list(tracker) == [4]


@pytest.mark.parametrize("live", [Ledger, Tracker])
def test_the_type_of_ids_is_open_again_when_all_are_forgotten(live: Any) -> None:
    """What is empty takes ids of any type."""
    one = live()
    one.record(act())
    one.forget("ana")
    one.record(act(source=4, target=5))
    assert len(one) == 1


@pytest.mark.parametrize("name", ["half_life", "vocabulary"])
def test_the_model_of_a_ledger_cannot_be_changed(name: str) -> None:
    """What its sums depend on can be read, and not assigned."""
    ledger = Ledger(half_life=None)
    assert (ledger.half_life, ledger.vocabulary) == (None, DEFAULT_VOCABULARY)
    with pytest.raises(AttributeError):
        setattr(ledger, name, None)


# Trackers as things of their own


@pytest.mark.parametrize("copy", [deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_tracker_can_be_copied(copy: Any) -> None:
    """A copy has the same scores, and goes its own way."""
    tracker = tracker_of(act())
    other = copy(tracker)
    assert other.score("ana") == tracker.score("ana")
    other.record(act(1))
    assert tracker.score("ana").n == 1


def test_a_tracker_lists_its_customers_in_the_order_in_which_they_came() -> None:
    """Iterating gives those with acts of their own."""
    tracker = tracker_of(act(source="zoe"), act(), act(source="zoe"), act(source="cem"))
    assert list(tracker) == ["zoe", "ana", "cem"]


def test_a_tracker_says_what_it_was_made_with() -> None:
    """Model, vocabulary and the last instant can be read."""
    model = EngagementModel(scale=7)
    tracker = Tracker(model=model)
    assert (tracker.model, tracker.vocabulary, tracker.as_of) == (model, DEFAULT_VOCABULARY, None)
    tracker.record(act(3))
    tracker.record(act(1, source="cem"))
    assert tracker.as_of == START + timedelta(days=3)
    assert Tracker().model == EngagementModel()


def test_to_forget_somebody_says_how_many_acts_named_them() -> None:
    """Their own acts and those of others towards them; 0 for somebody unknown."""
    tracker = tracker_of(act(), act(), act(source="ben", target="ana"), act(source="ben"))
    assert tracker.forget("ana") == 3
    assert tracker.forget("ana") == 0


def test_who_has_nothing_left_leaves_no_name() -> None:
    """A customer whose acts were all taken back is not kept."""
    tracker = tracker_of(act(), act(source="cem", target=None))
    tracker.retract(act(), at=START)
    assert "ana" not in json.dumps(tracker.to_dict())


def test_an_act_towards_somebody_forgotten_is_taken_back_without_the_target() -> None:
    """The name is gone, so the act is now one towards nobody."""
    tracker = tracker_of(act())
    tracker.forget("ben")
    with pytest.raises(InvalidInteraction, match="not recorded"):
        tracker.retract(act(), at=START)
    tracker.retract(evolve(act(), target=None), at=START)
    with pytest.raises(UnknownCustomer):
        tracker.score("ana")


@pytest.mark.parametrize("customer", ["ana", 7, UUID(int=7)])
def test_a_score_survives_json(customer: Any) -> None:
    """What JSON holds comes back as the same score, for ids of every type."""
    found = tracker_of(act(source=customer, target=None)).score(customer)
    assert Score.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": None}, "ids must be"),
        ({"customer": 7}, "customer must be"),
        ({"as_of": "2026-01-01"}, "as_of has no time zone"),
        ({"score": "1"}, "score is of type str"),
        ({"low": float("nan")}, "low must be a finite number"),
        ({"n": True}, "n must be a whole number"),
        ({"exposure": -1}, "exposure must be a whole number"),
        ({"level": None}, "level is of type NoneType"),
        ({"contributions": None}, "contributions is of type NoneType"),
        ({"contributions": {"service": None}}, "service is of type NoneType"),
        ({"contributions": {7: 1.0}}, "a name in contributions"),
    ],
)
def test_a_score_that_nobody_wrote_is_refused(change: dict[str, Any], message: str) -> None:
    """Each field is checked, and the error names it."""
    row = tracker_of(act()).score("ana").to_dict()
    with pytest.raises(InvalidParameter, match=message):
        Score.from_dict({**row, **change})
