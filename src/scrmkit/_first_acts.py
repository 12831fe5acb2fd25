"""When each customer acted first, as a caller says it, and the periods that time is cut into."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit import _checks, _entries, _tables
from scrmkit._entries import CUSTOMER
from scrmkit._instants import EPOCH
from scrmkit._sparse import Ints, NDArray, np
from scrmkit.errors import InvalidParameter, InvalidTable


_MICROSECOND: Final = timedelta(microseconds=1)


def first_acts(times: Any, *, rounds: bool) -> tuple[NDArray[Any], Ints, tuple[str, ...]]:
    """Who acted, in order of id, when first, and what was left out.

    Instants are microseconds since 1970, whole numbers are as they are.

    Args:
        times: what the caller gave.
        rounds: whether whole numbers will do.
    """
    if _entries.is_mapping(times, "time"):
        said = _entries.read(times, "time", name="times")
        values = said.columns["time"]
        known = np.array([not _checks.is_missing(one) for one in values], dtype=bool)
        present = [one for one, there in zip(values, known, strict=True) if there]
        whole = [_is_whole(one) for one in present]
        if any(whole) and not (rounds and all(whole)):
            raise _mixed()
        numbers = [
            int(one) if number else _to_micros(one)
            for one, number in zip(present, whole, strict=True)
        ]
        return said.ids[known], _entries.to_int64(numbers, name="times"), ()
    frame, home = _entries.to_rows(times, ["time"], name="times")
    nobody = len(_tables.collect(frame.filter(nw.col(CUSTOMER).is_null()).select("time")))
    rows = _whole_times(frame.filter(~nw.col(CUSTOMER).is_null() & ~nw.col("time").is_null()))
    first = _tables.collect(_tables.aggregate(rows, [CUSTOMER], time=("time", "min")))
    dtype = first["time"].dtype
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        first = first.with_columns(nw.col("time").dt.timestamp("us"))
    elif dtype.is_integer() and not rounds:
        raise _mixed()
    elif not dtype.is_integer() and len(first):
        raise InvalidTable(
            f"column 'time' of the table of times is of type {dtype}: give instants with a time "
            f"zone, or whole numbers",
            value="time",
        )
    said = _entries.collect(first.lazy(), name="times", home=home)
    notes = (f"{nobody} rows of times name no customer and do not count",) if nobody else ()
    return said.ids, _entries.to_int64(said.columns["time"], name="times"), notes


def _whole_times(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows with whole numbers that pandas kept as floats, because some were null, as such."""
    if not (rows.collect_schema()["time"].is_float() and rows.implementation.is_pandas_like()):
        return rows
    frame = rows.collect()
    times = frame["time"]
    if not ((times.abs() <= 2**53) & (times % 1 == 0)).all():
        return rows
    return frame.with_columns(times.cast(nw.Int64)).lazy()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _to_micros(instant: Any) -> int:
    return (_checks.to_utc(instant, name="a time") - EPOCH) // _MICROSECOND


def _mixed() -> InvalidParameter:
    return InvalidParameter(
        "times are all instants, or all whole numbers and then without a period"
    )


def to_periods(instants: Ints, period: timedelta | None) -> Ints:
    """The period of each act, from 0."""
    if period is None:
        return np.unique(instants, return_inverse=True)[1].astype(np.int64)
    if not isinstance(period, timedelta) or period < _MICROSECOND:
        raise InvalidParameter(
            "period must be a timedelta longer than zero, or None for each instant by itself",
            value=period,
        )
    first = instants.min(initial=np.iinfo(np.int64).max)
    longest = np.iinfo(np.int64).max
    codes: Ints = (instants - first) // min(period // _MICROSECOND, longest)
    return codes
