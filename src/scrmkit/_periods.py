"""How many interactions fall into each period of time, by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _instants, _tables
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import Family
from scrmkit.log import InteractionLog


UNKNOWN: Final = "unknown"
_MOST: Final = 70
_HOUR: Final = timedelta(hours=1)


@frozen
class Periods:
    """Counts of interactions in periods that follow each other without a gap.

    Args:
        each: how long a period is, in words: ``"a week"``.
        starts: the first instant of each, in UTC, and at the end that of the one after.
        counts: for each family that occurs, a number for each period.
    """

    each: str
    starts: tuple[datetime, ...]
    counts: Mapping[str, tuple[int, ...]]


def count_periods(log: InteractionLog, *, as_of: datetime | None = None) -> Periods:
    """Count by the finest of hours, quarter days, days, weeks, ... years that gives at most 70.

    Raises:
        InvalidParameter: no interactions.
    """
    acts = log.acts(as_of=as_of)
    times = acts.frame.select(
        nw.col("time").min().alias("first"), nw.col("time").max().alias("last")
    ).collect()
    if times["first"][0] is None:
        raise InvalidParameter("a log with no interactions has no activity to show")
    first, last = (nw.to_py_scalar(times[name][0]).astimezone(UTC) for name in ("first", "last"))
    each, floor, after = _choose(first, last)
    starts = [floor(first)]
    while starts[-1] <= last:
        starts.append(after(starts[-1]))
    place = {start: position for position, start in enumerate(starts)}
    words = {word: str(kind.family) for word, kind in log.vocabulary.words.items()}
    counts: dict[str, Counter[int]] = {}
    for hour, kind, n in _hourly(acts.frame, fine=last - first < _MOST * 6 * _HOUR):
        family = words.get(kind, UNKNOWN)
        counts.setdefault(family, Counter())[place[floor(hour)]] += n
    return Periods(
        each=each,
        starts=tuple(starts),
        counts=MappingProxyType(
            {
                family: tuple(counts[family][position] for position in range(len(starts) - 1))
                for family in (*map(str, _ORDER), UNKNOWN)
                if family in counts
            }
        ),
    )


_ORDER: Final = (
    Family.CONVERSATION,
    Family.CONTRIBUTION,
    Family.ADVOCACY,
    Family.SERVICE,
    Family.TRANSACTION,
    Family.ATTENTION,
)


def _hourly(frame: nw.LazyFrame[Any], *, fine: bool) -> list[tuple[datetime, str, int]]:
    """The counts of each hour (or day, where hours are not needed) and kind."""
    hour = nw.col("time").dt.hour().cast(nw.Int64) if fine else nw.lit(0)
    counted = _tables.aggregate(
        frame.select("kind", (_instants.epoch_day(frame, "time") * 24 + hour).alias("hour")),
        ["hour", "kind"],
        n=("hour", "len"),
    ).collect()
    columns = (counted[name].to_list() for name in ("hour", "kind", "n"))
    return [
        (_instants.EPOCH + int(hour) * _HOUR, str(kind), int(n))
        for hour, kind, n in zip(*columns, strict=True)
    ]


_Floor = Callable[[datetime], datetime]


def _choose(first: datetime, last: datetime) -> tuple[str, _Floor, _Floor]:
    """The words for a period, the start of the one an instant is in, and the next start."""
    span = last - first
    for each, length in (
        ("an hour", _HOUR),
        ("a quarter day", 6 * _HOUR),
        ("a day", 24 * _HOUR),
        ("a week", 7 * 24 * _HOUR),
    ):
        if span <= (_MOST - 2) * length:
            return each, _floor_to(length), _after(length)
    for each, months in (("a month", 1), ("a quarter", 3), ("a year", 12)):
        if span / timedelta(days=30.4 * months) <= _MOST - 2:
            return each, _floor_to_months(months), _after_months(months)
    years = 12 * (int(span / timedelta(days=365 * _MOST)) + 1)
    return f"in {years // 12} years", _floor_to_months(years), _after_months(years)


def _floor_to(length: timedelta) -> _Floor:
    monday = datetime(1970, 1, 5, tzinfo=UTC)
    return lambda instant: monday + (instant - monday) // length * length


def _after(length: timedelta) -> _Floor:
    return lambda start: start + length


def _month(count: int) -> datetime:
    """The first instant of a month counted from the year 0, or the end of the calendar."""
    if count // 12 > MAXYEAR:
        return datetime(MAXYEAR, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    return datetime(max(count // 12, 1), count % 12 + 1, 1, tzinfo=UTC)


def _floor_to_months(months: int) -> _Floor:
    return lambda instant: _month((instant.year * 12 + instant.month - 1) // months * months)


def _after_months(months: int) -> _Floor:
    return lambda start: _month(start.year * 12 + start.month - 1 + months)
