"""The type that each column of a log has, on every engine; what cannot have it is an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit import _instants
from scrmkit._options import FIELDS, IDS, INSTANTS, PARTIES, TRUTHS, WORDS, Options
from scrmkit.errors import InvalidParameter, InvalidTable


# Python has no instant before or after these; what is further off than they are becomes them.
FIRST_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)
LAST_TIME: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

PAIRS: Final = (PARTIES, ("id", "retracts"))
WIDE: Final = (nw.UInt64, nw.Int128, nw.UInt128)

UTC_NAMES: Final = ("UTC", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Zulu", "UCT", "Universal")


def to_types(frame: nw.LazyFrame[Any], options: Options) -> list[nw.Expr]:
    """The expressions that give each column its type; none where it has it already."""
    schema: dict[str, nw.dtypes.DType] = dict(frame.collect_schema())
    exprs: list[nw.Expr] = []
    for name, dtype in schema.items():
        column = nw.col(name)
        if dtype == nw.Unknown and name in FIELDS and _has_no_type(frame, name):
            schema[name] = type_of_nothing(name, schema, options)
            exprs.append(_nothing(frame, name, schema[name]))
        elif name in INSTANTS:
            _check_session(frame, dtype, name)
            exprs.extend(each.alias(name) for each in _instant(frame, dtype, name, options))
        elif name in IDS:
            exprs.extend(_id(frame, dtype, name))
        elif name in WORDS and dtype != nw.String:
            exprs.append(column.cast(nw.String))
        elif name in TRUTHS and dtype != nw.Boolean:
            raise misfit(dtype, name, "truth values", "cast it to booleans")
        elif name == "valence":
            exprs.append(_valence(column, dtype, options))
        elif name == "value" and not (
            dtype.is_decimal() or dtype.is_integer() or dtype == nw.Object
        ):
            raise misfit(dtype, name, "money", "cast it to decimals, as a float cannot hold money")
    for pair in PAIRS:
        _check_one_type(schema, options, *pair)
    return exprs


def _has_no_type(frame: nw.LazyFrame[Any], name: str) -> bool:
    """Whether an engine gives a column the type of null, which Narwhals does not know."""
    one: Any = frame.select(name).to_native()
    ways = ("types", "collect_schema", "schema", "dtypes")
    types = next(getattr(one, way) for way in ways if hasattr(one, way))
    return "null" in str(types() if callable(types) else types).lower()


def _nothing(frame: nw.LazyFrame[Any], name: str, dtype: nw.dtypes.DType) -> nw.Expr:
    """A column of no type as one of a type."""
    if dtype.is_integer() and frame.implementation.is_dask():
        raise InvalidTable(
            f"column {name!r} of a Dask table has no type, and Dask makes no integers of nothing: "
            f"drop it, or give it the type Int64"
        )
    if isinstance(dtype, nw.Datetime) and frame.implementation.is_dask():
        return nw.col(name).cast(nw.Datetime("us")).dt.replace_time_zone("UTC")
    return nw.col(name).cast(dtype)


def type_of_nothing(
    name: str, schema: Mapping[str, nw.dtypes.DType], options: Options
) -> nw.dtypes.DType:
    """The type of a column in which there is nothing; ids have that of those they stand beside."""
    for pair in PAIRS:
        whole = (
            schema[each].is_integer() if each in schema else _is_whole(options.constants.get(each))
            for each in pair
        )
        if name in pair and any(whole):
            return nw.Int64()
    dtype: nw.dtypes.DType = _EMPTY.get(name, nw.String())
    return dtype


_EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(INSTANTS, nw.Datetime("us", "UTC")),
    **dict.fromkeys(TRUTHS, nw.Boolean()),
    "valence": nw.Float64(),
    "value": nw.Int64(),
}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_session(frame: nw.LazyFrame[Any], dtype: nw.dtypes.DType, name: str) -> None:
    """Refuse times that an engine shows in the zone of its session."""
    line = _SESSIONS.get(frame.implementation.value)
    if line is None or not isinstance(dtype, nw.Datetime):
        return
    zone = _instants.session_zone(frame)
    names = ("UTC",) if frame.implementation.is_spark_like() else UTC_NAMES
    if zone not in names:
        raise InvalidTable(
            f"column {name!r} holds times, and the zone of the session, of which the parts of "
            f"times are, is {zone}: run {line} first"
        )
    if dtype.time_zone is None and frame.implementation.is_ibis():
        raise InvalidTable(
            f"column {name!r} of an Ibis table has no time zone: make it a timestamp with a "
            f"time zone in the database, or give the table of the database itself"
        )


_SESSIONS: Final = {
    "duckdb": """connection.execute("SET TimeZone = 'UTC'")""",
    "ibis": """connection.raw_sql("SET TimeZone = 'UTC'")""",
    **dict.fromkeys(
        ("pyspark", "pyspark[connect]"),
        """spark.conf.set("spark.sql.session.timeZone", "UTC")""",
    ),
}


def _instant(
    frame: nw.LazyFrame[Any], dtype: nw.dtypes.DType, name: str, options: Options
) -> list[nw.Expr]:
    if not isinstance(dtype, nw.Datetime):
        raise InvalidTable(
            f"column {name!r} of a lazy table is of type {dtype}: make it a timestamp with a "
            f"time zone there, or collect the table first"
        )
    column = nw.col(name).dt
    if dtype.time_zone in UTC_NAMES:
        return [] if dtype.time_unit == "us" else [_in_micros(frame, nw.col(name), dtype)]
    if dtype.time_zone is not None:
        return [_in_micros(frame, column.convert_time_zone("UTC"), dtype)]
    if options.timezone in UTC_NAMES:
        return [_in_micros(frame, column.replace_time_zone("UTC"), dtype)]
    if options.timezone is None:
        raise InvalidParameter(
            f"the times of column {name!r} have no time zone: say which one they were "
            f'written in, e.g. timezone="Europe/London" or timezone="UTC"'
        )
    raise InvalidTable(
        f"column {name!r} of a lazy table holds local times of {options.timezone}: make them "
        f"timestamps with a time zone there, or collect the table first"
    )


def _in_micros(frame: nw.LazyFrame[Any], instants: nw.Expr, dtype: nw.Datetime) -> nw.Expr:
    if dtype.time_unit in ("s", "ms"):  # which reach further than microseconds do
        early, late = instants < FIRST_TIME, instants > LAST_TIME
        instants = nw.when(early).then(FIRST_TIME).when(late).then(LAST_TIME).otherwise(instants)
    if not frame.implementation.is_dask():
        return instants.cast(nw.Datetime("us", "UTC"))
    # Dask casts nothing that has a zone
    return instants.dt.replace_time_zone(None).cast(nw.Datetime("us")).dt.replace_time_zone("UTC")


def _id(frame: nw.LazyFrame[Any], dtype: nw.dtypes.DType, name: str) -> list[nw.Expr]:
    column = nw.col(name)
    if dtype in (nw.String, nw.Int64):
        return []
    if dtype in WIDE:
        raise InvalidTable(
            f"column {name!r} of a lazy table holds ids of type {dtype}, and 64 bits with a sign "
            f"may not hold them all: cast it to Int64 or to text there, or collect the table first"
        )
    if dtype.is_integer():
        # Dask casts no integers that may be null
        return [] if frame.implementation.is_dask() else [column.cast(nw.Int64)]
    if dtype in (nw.Categorical, nw.Unknown, nw.Object) or isinstance(dtype, nw.Enum):
        return [column.cast(nw.String)]
    raise misfit(dtype, name, "ids", "cast it to text or to integers")


def _valence(column: nw.Expr, dtype: nw.dtypes.DType, options: Options) -> nw.Expr:
    """Valences from -1 to 1; NaN, which pandas has for nothing, is null on every engine."""
    if not dtype.is_numeric():
        raise misfit(dtype, "valence", "numbers", "cast it to floats")
    numbers = column.cast(nw.Float64)
    numbers = nw.when(~numbers.is_nan()).then(numbers).alias("valence")
    low, high = options.valence_range
    if (low, high) == (-1.0, 1.0):
        return numbers
    return (numbers * 2.0 - (low + high)) / (high - low)


def misfit(dtype: nw.dtypes.DType, name: str, what: str, remedy: str) -> InvalidTable:
    return InvalidTable(f"column {name!r} holds {what} and is of type {dtype}: {remedy}")


def _check_one_type(
    schema: Mapping[str, nw.dtypes.DType], options: Options, one: str, other: str
) -> None:
    """Refuse ids of two columns that can never be equal because their types differ."""
    types = {}
    for name in (one, other):
        if name in schema:
            whole = schema[name].is_integer() or schema[name].is_float()
        elif name in options.constants:
            whole = _is_whole(options.constants[name])
        else:
            return
        types[name] = "integers" if whole else "text"
    if types[one] != types[other]:
        raise InvalidTable(
            f"{one} holds {types[one]} and {other} {types[other]}: the ids of a log have one "
            f"type, so make one of the two like the other"
        )
