"""The only room that knows Narwhals: take a table, project, aggregate, age, give it back.

Two rules keep one implementation right on every engine. Derived columns are projected
first and aggregated as plain columns (an expression inside an aggregation is silently
wrong on pandas and Arrow), so `aggregate` is the only way to aggregate. Ages come from
date parts, because durations do not exist on every engine.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
from attrs import field, frozen
from narwhals.exceptions import DuplicateError

from scrmkit.errors import InvalidTable, MissingExtra


How = Literal["sum", "min", "max", "len", "count", "mean", "n_unique"]

Engine = Literal["polars", "pandas", "pyarrow"]
ENGINES: Final[tuple[Engine, ...]] = ("polars", "pandas", "pyarrow")
REPLACERS: Final = ("polars", "pandas", "pyarrow", "modin", "cudf")

_OFFSET: Final = re.compile(r"(UTC)?[+-]\d\d:?\d\d")

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class Home:
    """Where a table came from, so that what is made of it goes back there.

    Args:
        engine: the name of the engine in Narwhals, such as ``"polars"``.
        lazy: whether the table was a promise rather than rows.
        arrow: whether it was a table of pandas with columns of Arrow types.
        table: the table, where its connection or session is needed to make another.
        rows: how many rows it has, where that is known.
    """

    engine: str
    lazy: bool
    arrow: bool = False
    table: Any = field(default=None, eq=False, repr=False)
    rows: int | None = field(default=None, eq=False)

    def __reduce__(self) -> tuple[type[Home], tuple[str, bool, bool]]:
        return Home, (self.engine, self.lazy, self.arrow)


DAYS: Final = 1 / 86400e6  # of a microsecond
JOINERS: Final = ("polars", "duckdb", "pyspark")
WORD: Final = "__scrmkit_word"
NEW: Final = "__scrmkit_new"

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


def take(table: Any) -> tuple[nw.LazyFrame[Any], Home]:
    """A table as a lazy frame, and the home that results go back to.

    Takes what Narwhals takes, results of ours, and any object with
    ``__arrow_c_stream__``. Arrow tables are handed to Polars without a copy where Polars
    is installed.
    """
    if isinstance(table, nw.LazyFrame):
        return table, _home(table)
    own = getattr(table, "frame", None)
    if own is not None and hasattr(table, "parameters"):
        table = own
    try:
        frame = nw.from_native(table, pass_through=True, allow_series=True)
    except DuplicateError:
        raise InvalidTable("the table has two columns of one name: rename one of them") from None
    if isinstance(frame, nw.LazyFrame):
        return frame, _home(frame)
    if not isinstance(frame, nw.DataFrame):
        if isinstance(frame, nw.Series) or not hasattr(table, "__arrow_c_stream__"):
            raise InvalidTable(
                f"a {type(table).__name__} is not a table: give a data frame (Polars, pandas, "
                f"Arrow, DuckDB, Spark, ...) or an object with __arrow_c_stream__"
            )
        home = Home(default_engine(), lazy=False)
        by_way_of_arrow = home.engine == "polars" and _is_installed("pyarrow")
        frame = nw.from_arrow(table, backend="pyarrow" if by_way_of_arrow else default_engine())
    else:
        home = Home(frame.implementation.value, lazy=False, arrow=_has_arrow_types(frame))
    frame = _without_offsets(frame)
    if frame.implementation.is_pyarrow() and _is_installed("polars"):
        frame = nw.from_arrow(frame, backend="polars")
    return frame.lazy(), home


def _without_offsets(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """The table with times in UTC whose zone is an offset such as +05:30, unknown to Polars."""
    exprs = [
        nw.col(name).dt.convert_time_zone("UTC")
        for name, dtype in frame.schema.items()
        if isinstance(dtype, nw.Datetime) and _OFFSET.fullmatch(dtype.time_zone or "")
    ]
    return frame.with_columns(*exprs) if exprs else frame


def _home(frame: nw.LazyFrame[Any]) -> Home:
    return Home(frame.implementation.value, lazy=True, table=frame.to_native())


def _has_arrow_types(frame: nw.DataFrame[Any]) -> bool:
    if not (frame.implementation.is_pandas() and _is_installed("polars")):
        return False
    return any(type(dtype).__name__ == "ArrowDtype" for dtype in frame.to_native().dtypes)


def hasten(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows of pandas as rows of Polars where it is installed, which adds them up faster.

    `give` brings what is made of them back.
    """
    if not frame.implementation.is_pandas():
        return frame
    if not (_is_installed("polars") and _is_installed("pyarrow")):
        return frame
    return nw.from_arrow(nw.maybe_reset_index(frame.collect()), backend="polars").lazy()


def give(frame: nw.LazyFrame[Any], home: Home) -> Any:
    """A lazy frame as the kind of table that came in; lazy stays lazy."""
    if home.lazy:
        return frame.to_native()
    eager = frame.collect()
    if home.engine == "pyarrow":
        return eager.to_arrow()
    if home.engine == "pandas" and (home.arrow or eager.implementation.is_polars()):
        return eager.to_polars().to_pandas(use_pyarrow_extension_array=home.arrow)
    return eager.to_native()


def collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """The rows of a lazy frame; Polars computes them in batches, which needs less memory."""
    if frame.implementation.is_polars():
        return frame.collect(engine="streaming")
    return frame.collect()


def build(columns: Mapping[str, Any], home: Home | None = None) -> Any:
    """A native table from columns of equal length (arrays or lists).

    The kind is that of ``home``, in its connection or session; without one the first of
    Polars, pandas and Arrow that is installed.
    """
    wanted = home.engine if home is not None else None
    engine = next((name for name in ENGINES if name == wanted), None) or default_engine()
    table = nw.from_dict(dict(columns), backend=engine)
    if home is None:
        return table.to_native()
    if not home.lazy:
        return give(table.lazy(), home)
    if home.engine == engine == "polars":
        return table.lazy().to_native()
    if home.table is None:
        return table.to_native()
    if home.engine == "duckdb":
        rows = table.to_arrow()  # noqa: F841, DuckDB finds it by its name
        return home.table.query("__scrmkit_home", "from rows")
    session = getattr(home.table, "sparkSession", None)
    backend: Any = home.engine
    return table.lazy(backend=backend, session=session).to_native()


def default_engine() -> Engine:
    """The engine for tables that come from nowhere: Polars, else pandas, else Arrow."""
    for engine in ENGINES:
        if _is_installed(engine):
            return engine
    raise MissingExtra("a data frame library", extra="tables")


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def aggregate(
    frame: nw.LazyFrame[Any], keys: Sequence[str], **columns: tuple[str, How]
) -> nw.LazyFrame[Any]:
    """Group by plain columns and aggregate plain columns.

    Args:
        frame: the table.
        keys: the columns to group by.
        columns: the name of each result, with the column it is made from and how.
    """
    exprs = [
        (nw.len() if how == "len" else getattr(nw.col(source), how)()).alias(name)
        for name, (source, how) in columns.items()
    ]
    return frame.group_by(list(keys)).agg(*exprs)


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


class Plain:
    """An expression for ``+ - * / **`` in which a division copies neither side.

    Narwhals divides on Spark by a choice among cases that holds the left side four times
    and the right side three times, so divisions within divisions grow beyond all bounds.
    Here a division is the product with a power.
    """

    def __init__(self, expr: nw.Expr) -> None:
        self.expr = expr

    def __add__(self, other: Any) -> Plain:
        return Plain(self.expr + bare(other))

    def __radd__(self, other: Any) -> Plain:
        return Plain(other + self.expr)

    def __sub__(self, other: Any) -> Plain:
        return Plain(self.expr - bare(other))

    def __rsub__(self, other: Any) -> Plain:
        return Plain(other - self.expr)

    def __mul__(self, other: Any) -> Plain:
        return Plain(self.expr * bare(other))

    def __rmul__(self, other: Any) -> Plain:
        return Plain(other * self.expr)

    def __truediv__(self, other: Any) -> Plain:
        return Plain(self.expr * bare(other) ** -1.0)

    def __rtruediv__(self, other: Any) -> Plain:
        return Plain(other * self.expr**-1.0)

    def __pow__(self, other: Any) -> Plain:
        return Plain(self.expr ** bare(other))

    def __rpow__(self, other: Any) -> Plain:
        return Plain(other**self.expr)

    def __neg__(self) -> Plain:
        return Plain(self.expr * -1.0)

    def __pos__(self) -> Plain:
        return self


def plain(frame: nw.LazyFrame[Any], column: str) -> Any:
    """A column for a function of plain arithmetic; `bare` undoes it."""
    expr = nw.col(column)
    return Plain(expr) if frame.implementation.is_spark_like() else expr


def bare(value: Any) -> Any:
    """What a function of plain arithmetic has made, as an expression or a number."""
    return value.expr if isinstance(value, Plain) else value


def look_up(
    frame: nw.LazyFrame[Any], column: str, **values: tuple[Mapping[Any, float], float]
) -> nw.LazyFrame[Any]:
    """The table with more columns: what belongs to each word of a column.

    By a join where the engine is better at that, else as `lookup`.

    Args:
        frame: the table.
        column: its column of words.
        values: for each new column the value of each word, and that of all others.
    """
    if frame.implementation.value not in JOINERS:
        return frame.with_columns(
            **{
                name: lookup(frame, column, known, default, _type_of(default))
                for name, (known, default) in values.items()
            }
        )
    words = sorted({word for known, _ in values.values() for word in known})
    columns = {
        name: [known.get(word, default) for word in words]
        for name, (known, default) in values.items()
    }
    table = _table_beside(frame, {WORD: words, **columns})
    joined = frame.join(table, left_on=column, right_on=WORD, how="left")
    return joined.with_columns(
        **{name: nw.col(name).fill_null(default) for name, (_, default) in values.items()}
    )


def _table_beside(
    frame: nw.LazyFrame[Any], columns: Mapping[str, Sequence[str | float]]
) -> nw.LazyFrame[Any]:
    """A small table in the engine of another; in DuckDB as text, so that views can hold it."""
    if frame.implementation.value == "duckdb":
        rows = zip(*columns.values(), strict=True)
        texts = ", ".join(f"({', '.join(map(_to_sql, row))})" for row in rows)
        query = f"select * from (values {texts}) as words({', '.join(columns)})"  # noqa: S608
        table = frame.to_native().query("__scrmkit_words", query)
    else:
        table = build(columns, _home(frame))
    beside: nw.LazyFrame[Any] = nw.from_native(table)
    return beside


def _to_sql(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value!r}::double" if isinstance(value, float) else str(value)


def _type_of(value: float) -> type[nw.dtypes.NumericType]:
    return nw.Int16 if isinstance(value, int) else nw.Float64


def lookup(
    frame: nw.LazyFrame[Any],
    column: str,
    values: Mapping[Any, float],
    default: float,
    dtype: type[nw.dtypes.NumericType] = nw.Float64,
) -> nw.Expr:
    """The value that belongs to each word (or number) of a column.

    A hash table where the engine has one, else a chain of comparisons, one for each
    distinct value.
    """
    if not values:
        return nw.lit(default)
    if frame.implementation.value in REPLACERS:
        return nw.col(column).replace_strict(
            list(values), list(values.values()), default=default, return_dtype=dtype
        )
    words: dict[float, list[Any]] = {}
    for word, value in values.items():
        if value != default:
            words.setdefault(value, []).append(word)
    result = nw.lit(default)
    for value, group in reversed(words.items()):
        result = nw.when(nw.col(column).is_in(group)).then(nw.lit(value)).otherwise(result)
    return result.cast(dtype)


def rename_words(
    frame: nw.LazyFrame[Any], column: str, names: Mapping[str, str]
) -> nw.LazyFrame[Any]:
    """The table in which some words of a column are replaced by others.

    By a join in databases. A join of Polars would lose the order of the rows.
    """
    words, engine = nw.col(column).cast(nw.String), frame.implementation.value
    if engine in REPLACERS[1:]:
        new = words.replace_strict(list(names), list(names.values()), default=None)
        return frame.with_columns(nw.coalesce(new, words).alias(column))
    if engine in JOINERS[1:]:
        table = _table_beside(frame, {WORD: list(names), NEW: list(names.values())})
        joined = frame.with_columns(words).join(table, left_on=column, right_on=WORD, how="left")
        return joined.with_columns(nw.coalesce(nw.col(NEW), nw.col(column)).alias(column)).drop(NEW)
    result = words
    for old, new_word in names.items():
        result = nw.when(words == old).then(nw.lit(new_word)).otherwise(result)
    known = words.is_in(list(names))
    return frame.with_columns(nw.when(known).then(result).otherwise(words).alias(column))


def rename_ids(
    frame: nw.LazyFrame[Any],
    columns: Sequence[str],
    names: Mapping[Any, Any] | nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:
    """A table in which some ids are replaced by others; the rest keep their name.

    Args:
        frame: the table.
        columns: its columns of ids.
        names: the new name for an id: a mapping, or a table of the same engine with the
            columns ``old`` and ``new``, in which each old id stands once.
    """
    if names and not isinstance(names, nw.LazyFrame) and frame.implementation.is_polars():
        names = _table_beside(frame, {"old": list(names), "new": list(names.values())})
    if isinstance(names, nw.LazyFrame):
        for column in columns:
            ours = names.select(nw.col("old").alias(column), nw.col("new").alias(NEW))
            renamed = nw.coalesce(nw.col(NEW), nw.col(column)).alias(column)
            frame = frame.join(ours, on=column, how="left").with_columns(renamed)
            frame = frame.drop(NEW)
        return frame
    if not names:
        return frame
    exprs = []
    for column in columns:
        result = nw.col(column)
        if frame.implementation.value in REPLACERS:
            old, new = list(names), list(names.values())
            exprs.append(result.replace_strict(old, new, default=result))
            continue
        members: dict[Any, list[Any]] = {}
        for one, party in names.items():
            members.setdefault(party, []).append(one)
        for party, group in members.items():
            known = nw.col(column).is_in(group)
            result = nw.when(known).then(nw.lit(party)).otherwise(result).alias(column)
        exprs.append(result)
    return frame.with_columns(*exprs)


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


def check_columns(names: Iterable[str], wanted: Iterable[str], *, where: str) -> None:
    """Refuse a table that lacks a column; the message says what it has instead."""
    names = list(names)
    for column in wanted:
        if column not in names:
            near = get_close_matches(column, names, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidTable(
                f"{where} has no column {column!r}.{hint} It has: {', '.join(map(repr, names))}",
                value=column,
            )
