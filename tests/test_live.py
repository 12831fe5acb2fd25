"""The live form in a host's hands: times at the edges, wrong arguments, copies, erasure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from scrmkit import Interaction, InvalidInteraction, InvalidParameter, Ledger, Relationship
from strategies import instants


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
