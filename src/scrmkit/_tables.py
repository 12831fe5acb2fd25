"""Tables of every engine: take one, aggregate it, build one, give it back as what came in.

Derived columns are projected first and aggregated as plain columns (an expression inside an
aggregation is silently wrong on pandas and Arrow), so `aggregate` is the only way to
aggregate.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
from attrs import field, frozen
from narwhals.exceptions import DuplicateError

from scrmkit.errors import InvalidTable, MissingExtra


How = Literal["sum", "min", "max", "len", "count", "mean", "n_unique"]

Engine = Literal["polars", "pandas", "pyarrow"]
ENGINES: Final[tuple[Engine, ...]] = ("polars", "pandas", "pyarrow")
REPLACERS: Final = ("polars", "pandas", "pyarrow", "modin", "cudf")

_ORDER: Final = "__scrmkit_order"
_VIEW: Final = "__scrmkit_home"
_OFFSET: Final = re.compile(r"(UTC)?[+-]\d\d:?\d\d")


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
    """A lazy frame as the kind of table that came in; lazy stays lazy.

    A table of pandas has a new index, 0, 1 and so on: that of the table that came in is gone.
    Where that one had Arrow types, all its columns have, save those of Python's objects.
    """
    if home.lazy:
        return frame.to_native()
    eager = nw.maybe_reset_index(frame.collect())
    if home.engine == "pyarrow":
        return eager.to_arrow()
    if home.engine == "pandas" and (home.arrow or eager.implementation.is_polars()):
        return _to_pandas(eager, arrow=home.arrow)
    return eager.to_native()


def _to_pandas(frame: nw.DataFrame[Any], *, arrow: bool) -> Any:
    objects = [name for name, dtype in frame.schema.items() if dtype == nw.Object]
    columns = frame.drop(objects).to_polars()
    table = columns.to_pandas(use_pyarrow_extension_array=arrow)
    if not arrow:
        for name, dtype in columns.schema.items():
            if dtype.is_integer() and columns[name].null_count():  # floats would not hold them
                table[name] = _to_nullable(columns[name])
    for name in objects:
        table[name] = frame[name].to_native()
    return table[frame.columns] if objects else table


def _to_nullable(column: Any) -> Any:
    """Integers and nulls as pandas holds them without loss."""
    return importlib.import_module("pandas").array(column.to_list(), dtype="Int64")


def collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """The rows of a lazy frame; Polars computes them in batches, which needs less memory."""
    if frame.implementation.is_polars():
        return frame.collect(engine="streaming")
    return frame.collect()


def build(columns: Mapping[str, Any], home: Home | None = None) -> Any:
    """A native table from columns of equal length (arrays or lists).

    The kind is that of ``home``, in its connection or session; without one the first of
    Polars, pandas and Arrow that is installed, and so for a read-only file of a DuckDB
    before 1.5.
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
        return _to_relation(table, home.table)
    session = getattr(home.table, "sparkSession", None)
    backend: Any = home.engine
    return table.lazy(backend=backend, session=session).to_native()


def _to_relation(table: nw.DataFrame[Any], beside: Any) -> Any:
    """A table as a relation of DuckDB in the connection of another.

    Before version 1.5 DuckDB makes a view for that, which is dropped again; where the
    database is read-only it cannot, and the table stays what it is.
    """
    rows = table.to_arrow()  # noqa: F841, DuckDB finds it by its name
    try:
        relation = beside.query(_VIEW, "from rows")
    except importlib.import_module("duckdb").InvalidInputException:
        return table.to_native()
    beside.query(_VIEW, f"drop view if exists {_VIEW}")
    return relation


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


def largest_first(
    frame: nw.LazyFrame[Any], by: str, keys: Sequence[str], *, lazy: bool = False
) -> nw.LazyFrame[Any]:
    """The rows from the largest value down; equal ones in the order of their keys, nulls last.

    Values that agree to 1e-9 of the largest are equal, because sums over threads differ in
    the last bit. A table that must not be read yet is ordered by its values as they are.
    """
    descending = [True, *(False for _ in keys)]
    largest = 0.0
    if not lazy and frame.collect_schema()[by].is_float():
        bounds = frame.select(low=nw.col(by).min(), high=nw.col(by).max()).collect()
        ends = [float(end) for end in (bounds["low"][0], bounds["high"][0]) if end is not None]
        largest = max((abs(end) for end in ends), default=0.0)
    if not 0 < largest < math.inf:
        return frame.sort(by, *keys, descending=descending, nulls_last=True)
    placed = frame.with_columns((nw.col(by) / largest).round(9).alias(_ORDER))
    return placed.sort(_ORDER, *keys, descending=descending, nulls_last=True).drop(_ORDER)


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
