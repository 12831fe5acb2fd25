"""When acts took place: instants, their days, their age and what is left of an act by then.

Durations do not exist on every engine, so ages come from numbers of microseconds where an
engine has them, and else from the parts of a date.
"""

from __future__ import annotations

import importlib
import math
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit._tables import REPLACERS, collect


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAYS: Final = 1 / 86400e6  # of a microsecond
AS_OF: Final = "__scrmkit_as_of"


@frozen
class Instant:
    """When numbers are taken: an instant, or the last one of a table that is not read for it.

    Args:
        known: the instant, in UTC; None where it has to be read.
        last: a table of one row, whose column `AS_OF` is the instant.
    """

    known: datetime | None
    last: nw.LazyFrame[Any] | None = None

    @classmethod
    def last_of(cls, frame: nw.LazyFrame[Any], column: str) -> Instant:
        """The last instant of a column."""
        return cls(None, frame.select(nw.col(column).max().alias(AS_OF)))

    def attach(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """The table with the column `AS_OF`, where the instant has to be read."""
        return frame if self.last is None else frame.join(self.last, how="cross")

    def read(self) -> datetime | None:
        """The instant; None for the last one of an empty table."""
        return self.known if self.last is None else self._read

    @cached_property
    def _read(self) -> datetime | None:
        if self.last is None:
            return self.known
        return to_instant(collect(self.last)[AS_OF])

    def fixed(self) -> Instant:
        """The instant as one that is known; itself where there is none."""
        known = self.read()
        return self if known is None else Instant(known)

    def __str__(self) -> str:
        return "the last instant" if self.last is not None else str(self.known)


def to_instant(column: nw.Series[Any]) -> datetime | None:
    """The one instant of a column of one row, in UTC; None where there is none."""
    if column.null_count():
        return None
    instant: datetime = nw.to_py_scalar(column[0])
    return instant.astimezone(UTC)


def microseconds(frame: nw.LazyFrame[Any], column: str) -> nw.Expr | None:
    """An instant as microseconds since 1970-01-01; None where the engine cannot say."""
    time, engine = nw.col(column), frame.implementation.value
    if engine in REPLACERS:
        return time.dt.timestamp("us")
    if engine == "duckdb":  # where an instant is read as the duration since 1970
        return time.dt.total_microseconds()
    if engine == "pyspark":  # where an instant is as a number its seconds since 1970
        return time.cast(nw.Float64) * 1e6
    return None


def epoch_days(column: str) -> nw.Expr:
    """An instant in UTC as days since 1970-01-01, with its fraction, from date parts."""
    time = nw.col(column).dt
    micros = time.microsecond().cast(nw.Float64)  # on Spark below 0 before 1970
    seconds = (
        time.hour().cast(nw.Float64) * 3600
        + time.minute().cast(nw.Float64) * 60
        + time.second().cast(nw.Float64)
        + nw.when(micros < 0).then(micros + 1e6).otherwise(micros) / 1e6
    )
    return _day_from_parts(column).cast(nw.Float64) + seconds / 86400


def epoch_day(frame: nw.LazyFrame[Any], column: str) -> nw.Expr:
    """The UTC day of an instant as whole days since 1970-01-01."""
    if frame.implementation.value == "pyspark":
        # half a second more, so that no midnight is just missed
        return ((nw.col(column).cast(nw.Int64) + 0.5) * (1 / 86400)).floor().cast(nw.Int64)
    whole = microseconds(frame, column)
    return _day_from_parts(column) if whole is None else whole // 86_400_000_000


def _day_from_parts(column: str) -> nw.Expr:
    time = nw.col(column).dt
    year = time.year().cast(nw.Int64) - 1
    leap_days = year // 4 - year // 100 + year // 400
    return year * 365 + leap_days + time.ordinal_day().cast(nw.Int64) - 719163


def days_of(instant: datetime) -> float:
    """An instant as days since 1970-01-01, with its fraction."""
    return (instant - EPOCH) / timedelta(days=1)


def day_of(instant: datetime) -> int:
    """The UTC day of an instant as whole days since 1970-01-01."""
    return (instant.astimezone(UTC).date() - EPOCH.date()).days


def age_days(frame: nw.LazyFrame[Any], column: str, as_of: Instant) -> nw.Expr:
    """How many days before an instant something took place, with their fraction.

    By subtraction where the engine can turn instants into numbers, else from date parts.

    Args:
        frame: the table, to which the instant is attached.
        column: when it took place.
        as_of: the instant.
    """
    known, times = as_of.known, microseconds(frame, column)
    if times is None:
        days = epoch_days(column)
        return epoch_days(AS_OF) - days if known is None else days_of(known) - days
    if known is None:
        passed = microseconds(frame, AS_OF) - times
    else:
        passed = (known - EPOCH) // timedelta(microseconds=1) - times
    return passed.cast(nw.Float64) * DAYS


def today(frame: nw.LazyFrame[Any], as_of: Instant) -> nw.Expr:
    """The UTC day of an instant, which is attached to the table, as days since 1970-01-01."""
    return epoch_day(frame, AS_OF) if as_of.known is None else nw.lit(day_of(as_of.known))


def decay(age_days: nw.Expr, half_life: timedelta | None) -> nw.Expr:
    """What is left of 1 after an age: ``2 ** (-age / half_life)``; 1 without a half-life."""
    if half_life is None:
        return age_days * 0.0 + 1.0
    return (age_days * (-math.log(2) / (half_life / timedelta(days=1)))).exp()


def session_zone(frame: nw.LazyFrame[Any]) -> str | None:
    """The zone in which an engine tells the parts of a time; no table is read for it."""
    if frame.implementation.is_spark_like():
        return _zone_of_spark(frame.to_native())
    if not frame.implementation.is_ibis():
        shown = frame.select(nw.lit(EPOCH).alias(AS_OF)).collect_schema()[AS_OF]
        return shown.time_zone if isinstance(shown, nw.Datetime) else None
    # Ibis calls every zone UTC: ask for the hour of an instant in winter and one in summer
    ibis: Any = importlib.import_module("ibis")
    january, july = (ibis.literal(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 7))
    hours = frame.to_native().get_backend().execute(january.hour() + july.hour())
    return "UTC" if hours == 0 else "not UTC"


def _zone_of_spark(table: Any) -> str | None:
    """The zone of the session of a Spark table, of which Narwhals remembers the first one."""
    zone: str | None = table.sparkSession.conf.get("spark.sql.session.timeZone")
    spark: Any = importlib.import_module("narwhals._spark_like.utils")
    remembered: Any = getattr(spark, "fetch_session_time_zone", None)
    if hasattr(remembered, "cache_clear") and remembered(table.sparkSession) != zone:
        remembered.cache_clear()
    return zone
