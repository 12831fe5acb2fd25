"""Columns of times to instants.

Whole columns are read by vectorised formats that a sample suggests; what they leave over is
read text by text, each different text once. What a value means depends on the value and on
its column as a whole, never on the order of the rows, the current date or the machine.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from scrmkit.errors import InvalidParameter, InvalidTable, MissingExtra


if TYPE_CHECKING:
    import polars as pl

SKIPPED: Final = "is skipped by a clock change"
REPEATED: Final = "is repeated by a clock change"
NO_ZONE: Final = "has no time zone"
EMPTY: Final = "is empty"
UNREAD: Final = "cannot be read"
AMBIGUOUS: Final = "can be read with day and month either way"
OUT_OF_RANGE: Final = "is out of range"
OTHER_UNIT: Final = "is in another unit than the rest of the column"

SAMPLE: Final = 1000

# Numbers: the first unit whose limit is above the median of a column's magnitudes.
UNITS: Final = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (float("inf"), 0.001))
FIRST_SECOND: Final = -62_135_596_800  # the year 1
LAST_SECOND: Final = 253_402_300_799  # the year 9999
COMPACT: Final = (
    (19_000_101, 21_001_231, "%Y%m%d"),
    (190_001_010_000, 210_012_312_359, "%Y%m%d%H%M"),
    (19_000_101_000_000, 21_001_231_235_959, "%Y%m%d%H%M%S"),
)

DAYS: Final = ("%Y-%m-%dT", "%Y-%m-%d ", "%Y/%m/%d ")
HOURS: Final = ("%H:%M:%S", "%H:%M:%S%.f", "%H:%M")
ZONES: Final = ("", "Z", " UTC", "%#z")
ISO: Final = (
    *(f"{day}{hour}{zone}" for zone in ZONES for hour in HOURS for day in DAYS),
    "%Y-%m-%d",
    "%Y/%m/%d",
)
CLOCKS: Final = (
    *("", " %H:%M:%S", " %H:%M:%S%.f", " %H:%M"),
    *(" %I:%M:%S %p", " %I:%M:%S%.f %p", " %I:%M %p"),
)
MARKS: Final = ("/", ".", "-")
YEAR_LAST: Final = r"(?:^|\D)(\d{1,2})([/.\-])(\d{1,2})[/.\-]\d{4}(?:\D|$)"
ONLY_YEAR_LAST: Final = r"^\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}(?: |$)"

Order = Literal["day first", "month first"]

# Instants, local times and rules of one column.
_Found = tuple["pl.Series", "pl.Series", "pl.Series"]


def parse_times(
    column: pl.Series, *, timezone: str | None, name: str
) -> tuple[pl.Series, pl.Series]:
    """The instants of a column, and why a value could not be used.

    Times with a zone are taken as they are. Times without one are local times of
    ``timezone``; a date alone is midnight. Texts are ISO 8601, dates as e-mails have them,
    and what else python-dateutil reads in one way only. Dates like 03/04/2021 are day first
    or month first where some date of the column can only be read so and none only the other
    way; a second of 60 (a leap second) is the next second.

    Numbers count from 1970-01-01 UTC: seconds where the median of their magnitudes is below
    1e11, milliseconds below 1e14, microseconds below 1e17, else nanoseconds. A number whose
    own magnitude belongs to another unit is rejected (so milliseconds within 1166 days of
    1970 are). Where every number reads as YYYYMMDD, YYYYMMDDhhmm or YYYYMMDDhhmmss between
    1900 and 2100, they are such dates.

    Args:
        column: times, dates, numbers or texts.
        timezone: the zone that local times were written in; None refuses local times.
        name: what to call the column in rules and errors.

    Returns:
        Two columns of the same length: instants (Datetime, microseconds, UTC; null where the
        value is null or could not be used), and rules (String; null where all is well).

    Raises:
        InvalidParameter: there are only local times and no ``timezone``; an unknown zone.
        InvalidTable: a column that cannot hold times.

    Complexity:
        Linear; about 0.3 ms for each different text that no vectorised format reads.

    Example:
        >>> import polars as pl
        >>> column = pl.Series(["2021-03-04T05:06Z", "1 Feb 2021 9:00 +0100", "soon"])
        >>> instants, rules = parse_times(column, timezone=None, name="time")
        >>> instants.dt.to_string().to_list()
        ['2021-03-04 05:06:00.000000+00:00', '2021-02-01 08:00:00.000000+00:00', None]
        >>> rules.to_list()
        [None, None, 'time cannot be read']
    """
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtra("polars", extra="tables") from error

    if timezone is not None:
        _check_zone(timezone)
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    dtype = column.dtype
    none = _nothing(column, "UTC"), _nothing(column, None), _no_rules(column)
    if dtype == pl.Null:
        aware, local, rules = none
    elif isinstance(dtype, pl.Datetime):
        times, rules = _to_microseconds(column)
        aware, local = (times, none[1]) if dtype.time_zone else (none[0], times)
        aware = aware.cast(pl.Datetime("us", "UTC"))
    elif dtype == pl.Date:
        local, rules = _to_microseconds(column.cast(pl.Datetime("ms")))
        aware = none[0]
    elif dtype == pl.String:
        aware, local, rules = _read_texts(column)
    elif dtype.is_numeric():
        aware, local, rules = _read_numbers(column)
    else:
        raise InvalidTable(
            f"column {name!r} is of type {dtype}: a time is a timestamp, a date, a text or a "
            f"number of seconds since 1970"
        )
    if local.count():
        aware, rules = _place(aware, local, rules, timezone=timezone, name=name)
    aware, rules = _keep_years(aware, rules)
    if rules.count():
        rules = f"{name} " + rules
    return aware.alias(column.name), rules.alias("rule")


def localize(column: pl.Series, timezone: str) -> tuple[pl.Series, pl.Series]:
    """Local times of a zone as instants, and the rule for those that name none or two.

    Args:
        column: times without a zone (Datetime).
        timezone: the zone they were written in, as the IANA database has it.

    Returns:
        Instants (Datetime, microseconds, UTC), null for a time that a clock change skips or
        repeats; and for those the rule (String).

    Raises:
        InvalidParameter: an unknown zone.

    Example:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> times = pl.Series([datetime(2021, 3, 28, hour, 30) for hour in (0, 1, 2)])
        >>> instants, rules = localize(times, "Europe/London")
        >>> instants.dt.hour().to_list(), rules.to_list()
        ([0, None, 1], [None, 'is skipped by a clock change', None])
    """
    import polars as pl

    _check_zone(timezone)
    utc = pl.Datetime("us", "UTC")
    column = column.cast(pl.Datetime("us"))
    if timezone in ("UTC", "Etc/UTC"):
        return column.dt.replace_time_zone("UTC"), _no_rules(column)
    instants = column.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    instants = instants.cast(utc)
    lost = instants.is_null() & column.is_not_null()
    if not lost.any():
        return instants, _no_rules(column)
    earlier = column.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    rule = pl.when(earlier.is_null()).then(pl.lit(SKIPPED)).otherwise(pl.lit(REPEATED))
    return instants, pl.select(pl.when(lost).then(rule)).to_series()


def _check_zone(timezone: str) -> None:
    import polars as pl

    try:
        zoneinfo.ZoneInfo(timezone)
        pl.Series([None], dtype=pl.Datetime("us")).dt.replace_time_zone(timezone)
    except (KeyError, ValueError, OSError, TypeError, pl.exceptions.PolarsError):
        names = zoneinfo.available_timezones()
        near = get_close_matches(str(timezone), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidParameter(
            f"timezone {timezone!r} is not known.{hint} Give a name of the IANA database, "
            f'such as "UTC" or "Europe/London"',
            value=timezone,
        ) from None


def _place(
    aware: pl.Series, local: pl.Series, rules: pl.Series, *, timezone: str | None, name: str
) -> tuple[pl.Series, pl.Series]:
    """Put local times where they belong."""
    import polars as pl

    if timezone is not None:
        instants, why = localize(local, timezone)
    elif not aware.count():
        raise InvalidParameter(
            f"the times of column {name!r} have no time zone: say which one they were "
            f'written in, e.g. timezone="Europe/London" or timezone="UTC"'
        )
    else:
        why = pl.select(pl.when(local.is_not_null()).then(pl.lit(NO_ZONE))).to_series()
        instants = aware
    return _coalesce(aware, instants), _coalesce(rules, why)


def _keep_years(instants: pl.Series, rules: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Reject instants outside the years 1 to 9999, which Python cannot hold."""
    import polars as pl

    ticks = instants.to_physical()
    low, high = FIRST_SECOND * 1_000_000, LAST_SECOND * 1_000_000 + 999_999
    least, most = ticks.min(), ticks.max()
    if least is None or (least >= low and most <= high):  # type: ignore[operator]
        return instants, rules
    outside = ~ticks.is_between(low, high) & ticks.is_not_null()
    kept = pl.select(pl.when(~outside).then(instants)).to_series()
    why = pl.select(pl.when(outside).then(pl.lit(OUT_OF_RANGE))).to_series()
    return kept, _coalesce(rules, why)


def _to_microseconds(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Times of any unit in microseconds; what is out of range is rejected before it wraps."""
    import polars as pl

    dtype = column.dtype
    if not isinstance(dtype, pl.Datetime) or dtype.time_unit != "ms":
        return _keep_years(column.dt.cast_time_unit("us"), _no_rules(column))
    inside = column.to_physical().is_between(FIRST_SECOND * 1000, LAST_SECOND * 1000 + 999)
    kept = pl.select(pl.when(inside).then(column)).to_series().dt.cast_time_unit("us")
    why = pl.select(pl.when(~inside).then(pl.lit(OUT_OF_RANGE))).to_series()
    return kept, why


def _read_numbers(column: pl.Series) -> _Found:
    """Instants, local times and rules of numbers."""
    import polars as pl

    whole = column.cast(pl.Int64, strict=False) if column.dtype.is_integer() else None
    if whole is not None:
        dates = _read_compact(whole)
        if dates is not None:
            return _nothing(column, "UTC"), dates, _no_rules(column)
    instants, rules = _since_1970(column.cast(pl.Float64, strict=False), whole)
    return instants, _nothing(column, None), rules


def _read_compact(numbers: pl.Series) -> pl.Series | None:
    """Numbers such as 20210304 as dates; None where not all of them are such dates."""
    least, most = numbers.min(), numbers.max()
    if not isinstance(least, int) or not isinstance(most, int):
        return None
    for low, high, pattern in COMPACT:
        if low <= least and most <= high:
            dates = _parse(numbers.cast(_string()), pattern)
            return dates if dates.null_count() == numbers.null_count() else None
    return None


def _since_1970(numbers: pl.Series, whole: pl.Series | None) -> tuple[pl.Series, pl.Series]:
    """Numbers as instants; ``whole`` has the exact values of those that are integers."""
    import polars as pl

    finite = numbers.is_finite() & numbers.is_not_null()
    size = pl.select(pl.when(finite).then(numbers.abs())).to_series()
    middle = size.quantile(0.5, "lower")
    if middle is None:
        why = pl.select(pl.when(numbers.is_not_null()).then(pl.lit(OUT_OF_RANGE))).to_series()
        return _nothing(numbers, "UTC"), why
    unit = sum(middle >= limit for limit, _ in UNITS)
    limit, factor = UNITS[unit]
    lower = UNITS[unit - 1][0] if unit else 0.0
    same = size.is_between(lower, limit, closed="left")
    seconds = numbers * (factor / 1e6)
    inside = seconds.is_between(FIRST_SECOND, LAST_SECOND)
    usable = same & inside
    kept = pl.select(pl.when(usable).then(numbers)).to_series()
    ticks = (kept * factor).round().cast(pl.Int64)
    if whole is not None:
        exact = pl.select(pl.when(usable).then(whole)).to_series()
        exact = exact * int(factor) if factor >= 1 else exact // round(1 / factor)
        ticks = pl.select(pl.coalesce(exact, ticks)).to_series()
    why = pl.select(
        pl.when(numbers.is_null() | usable.fill_null(value=False))
        .then(None)
        .when(same)
        .then(pl.lit(OUT_OF_RANGE))
        .when(finite)
        .then(pl.lit(OTHER_UNIT))
        .otherwise(pl.lit(OUT_OF_RANGE))
    ).to_series()
    return ticks.cast(pl.Datetime("us", "UTC")), why.cast(pl.String)


def _read_texts(column: pl.Series) -> _Found:
    """Instants, local times and rules of texts."""
    found = (*_read_formats(column, ISO), _no_rules(column))
    rest = _unread(column, found)
    if rest.null_count() == len(rest):
        return found
    stripped = rest.str.strip_chars()
    if (stripped != rest).any():
        found = _join(found, (*_read_formats(stripped, ISO), _no_rules(rest)))
    rest = _unread(stripped, found)
    numbers = _to_numbers(rest)
    if 2 * numbers.count() > column.count():
        found = _join(found, _read_number_texts(rest, numbers))
        rest = _unread(rest, found)
    order = _order_of(rest)
    for step in (_read_year_last, _read_one_by_one):
        found = _join(found, step(rest, order))
        rest = _unread(rest, found)
    return found


def _unread(texts: pl.Series, found: _Found) -> pl.Series:
    import polars as pl

    aware, local, rules = found
    left = aware.is_null() & local.is_null() & rules.is_null()
    return pl.select(pl.when(left).then(texts)).to_series()


def _join(found: _Found, more: _Found) -> _Found:
    aware, local, rules = (_coalesce(a, b) for a, b in zip(found, more, strict=True))
    return aware, local, rules


def _to_numbers(texts: pl.Series) -> pl.Series:
    import polars as pl

    numbers = texts.cast(pl.Float64, strict=False)
    return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def _read_number_texts(texts: pl.Series, numbers: pl.Series) -> _Found:
    """Texts that are numbers."""
    import polars as pl

    whole = texts.cast(pl.Int64, strict=False)
    if whole.count() == numbers.count():
        dates = _read_compact(whole)
        if dates is not None:
            return _nothing(texts, "UTC"), dates, _no_rules(texts)
    instants, why = _since_1970(numbers, whole)
    return instants, _nothing(texts, None), why


def _read_year_last(texts: pl.Series, order: Order | None) -> _Found:
    """Dates such as 25/12/2021, by vectorised formats where their order is known."""
    import polars as pl

    nothing, rules = _nothing(texts, "UTC"), _no_rules(texts)
    is_date = texts.str.contains(ONLY_YEAR_LAST).fill_null(value=False)
    if not is_date.any():
        return nothing, _nothing(texts, None), rules
    dates = pl.select(pl.when(is_date).then(texts)).to_series()
    if order is not None:
        return nothing, _read_formats(dates, _formats(order))[1], rules
    first, second = _leading_numbers(dates)
    either = ((first <= 12) & (second <= 12) & (first != second)).fill_null(value=False)
    rules = pl.select(pl.when(either).then(pl.lit(AMBIGUOUS))).to_series()
    days = pl.select(pl.when(~either & (second <= 12)).then(dates)).to_series()
    months = pl.select(pl.when(~either & (second > 12)).then(dates)).to_series()
    local = _coalesce(
        _read_formats(days, _formats("day first"))[1],
        _read_formats(months, _formats("month first"))[1],
    )
    return nothing, local, rules


def _formats(order: Order) -> list[str]:
    parts = ("%d", "%m") if order == "day first" else ("%m", "%d")
    return [f"{mark.join((*parts, '%Y'))}{clock}" for mark in MARKS for clock in CLOCKS]


def _order_of(texts: pl.Series) -> Order | None:
    """The order of day and month that some date shows and none contradicts."""
    first, second = _leading_numbers(texts)
    days = bool(((first > 12) & (second <= 12)).any())
    months = bool(((first <= 12) & (second > 12)).any())
    if days == months:
        return None
    return "day first" if days else "month first"


def _leading_numbers(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    import polars as pl

    return (
        texts.str.extract(YEAR_LAST, 1).cast(pl.Int32, strict=False),
        texts.str.extract(YEAR_LAST, 3).cast(pl.Int32, strict=False),
    )


def _read_one_by_one(texts: pl.Series, order: Order | None) -> _Found:
    """Each different text that is left, the slow way."""
    import polars as pl

    if texts.count() == 0:
        return _nothing(texts, "UTC"), _nothing(texts, None), _no_rules(texts)

    from scrmkit import _dates

    day_first = None if order is None else order == "day first"
    different = texts.drop_nulls().unique()
    readings = [
        (None, EMPTY) if not text else _dates.read_date(text, day_first=day_first)
        for text in different.to_list()
    ]
    table = pl.DataFrame(
        {
            "text": different,
            "ticks": pl.Series([_ticks(time) for time, _ in readings], dtype=pl.Int64),
            "aware": [time is not None and time.tzinfo is not None for time, _ in readings],
            "rule": pl.Series([rule for _, rule in readings], dtype=pl.String),
        }
    )
    found = texts.alias("text").to_frame().join(table, on="text", how="left", maintain_order="left")
    ticks = pl.col("ticks").cast(pl.Datetime("us"))
    found = found.select(
        aware=pl.when("aware").then(ticks.dt.replace_time_zone("UTC")),
        local=pl.when(~pl.col("aware")).then(ticks),
        rule="rule",
    )
    return found["aware"], found["local"], found["rule"]


def _ticks(time: datetime | None) -> int | None:
    if time is None:
        return None
    since = time.replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _read_formats(texts: pl.Series, formats: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """The instants and the local times that any of the formats reads."""
    import polars as pl

    aware, local = _nothing(texts, "UTC"), _nothing(texts, None)
    left = list(formats)
    rest = texts
    while left and rest.null_count() < len(rest):
        best = _best_format(rest, left)
        if best is None:
            break
        left.remove(best)
        times = _parse(rest, best)
        if best.endswith(("Z", "UTC")):
            times = times.dt.replace_time_zone("UTC")
        if best.endswith(("Z", "UTC", "z")):
            aware = _coalesce(aware, times)
        else:
            local = _coalesce(local, times)
        if times.null_count() == rest.null_count():
            break
        rest = pl.select(pl.when(times.is_null()).then(rest)).to_series()
    return aware, local


def _best_format(texts: pl.Series, formats: Sequence[str]) -> str | None:
    """The format that reads most of a sample, the first of equals; None where none reads any."""
    known = texts.drop_nulls()
    sample = known.gather_every(max(1, len(known) // SAMPLE))
    best, most = None, 0
    for candidate in formats:
        count = len(sample) - _parse(sample, candidate).null_count()
        if count > most:
            best, most = candidate, count
        if count == len(sample):
            break
    return best


def _parse(texts: pl.Series, pattern: str) -> pl.Series:
    """The times that a pattern reads; null for the others and for years of fewer digits."""
    import polars as pl

    times = texts.str.to_datetime(
        pattern, time_unit="us", strict=False, cache=pattern in ("%Y-%m-%d", "%Y/%m/%d")
    )
    least = times.to_physical().min()
    if isinstance(least, int) and least < FIRST_SECOND * 1_000_000 + 999 * 366 * 86_400_000_000:
        years = texts.str.contains(r"(?:^|\D)\d{4}(?:\D|$)|^\d{8,14}$")
        times = pl.select(pl.when(years).then(times)).to_series()
    return times


def _string() -> pl.DataType:
    import polars as pl

    return pl.String()


def _coalesce(first: pl.Series, second: pl.Series) -> pl.Series:
    import polars as pl

    if not first.count():
        return second
    if not second.count():
        return first
    return pl.select(pl.coalesce(first, second)).to_series()


def _nothing(like: pl.Series, zone: str | None) -> pl.Series:
    import polars as pl

    return pl.Series([None], dtype=pl.Datetime("us", zone)).new_from_index(0, len(like))


def _no_rules(like: pl.Series) -> pl.Series:
    import polars as pl

    return pl.Series([None], dtype=pl.String).new_from_index(0, len(like))
