"""The engines that hold tables: how to make a table of each, and how to read one back.

`ENGINES` has all that are installed, by name; `find` gives one and skips a test where it is
absent. An engine that keeps its tables elsewhere (Spark) makes an `Engine` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from itertools import count
from typing import Any, NoReturn

import polars as pl
import pytest
from attrs import Factory, field, frozen


READ = "the table was read"


class TableReadError(Exception):
    """A table was read that should have stayed a promise."""


def refuse(*_: object, **__: object) -> NoReturn:
    """Fail, because a table is read."""
    raise TableReadError(READ)


@frozen
class Engine:
    """One kind of table.

    Args:
        name: what it is called in tests and docs.
        package: what has to be installed for it.
        make: a table of this kind from a Polars frame.
        read: a table of this kind as a Polars frame.
        owns: whether a table is of the kind that results of this engine have.
        unreadable: for lazy engines, a table with the columns of a Polars frame that fails
            as soon as its rows are asked for; its error says `READ`.
        gives: the name of the engine whose tables its results are; itself if not said.
    """

    name: str
    package: str
    make: Callable[[pl.DataFrame], Any]
    read: Callable[[Any], pl.DataFrame]
    owns: Callable[[Any], bool]
    unreadable: Callable[[pl.DataFrame], Any] | None = None
    gives: str = field(default=Factory(lambda engine: engine.name, takes_self=True))

    @property
    def lazy(self) -> bool:
        """Whether its tables are promises rather than rows."""
        return self.unreadable is not None

    @property
    def installed(self) -> bool:
        """Whether it can be used here."""
        return find_spec(self.package) is not None


class Stream:
    """An object that has an Arrow stream and nothing else."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream of the frame inside."""
        return self._frame.__arrow_c_stream__(requested_schema)


def _kind(module: str, name: str) -> Callable[[Any], bool]:
    """Whether a table is of a class, which is looked up by name so that nothing is imported."""

    def owns(table: Any) -> bool:
        return any(
            each.__name__ == name and each.__module__.partition(".")[0].strip("_") == module
            for each in type(table).__mro__
        )

    return owns


def _has_types(*, arrow: bool) -> Callable[[Any], bool]:
    """Whether a table is one of pandas whose columns all have Arrow types, or not all of them."""
    is_pandas = _kind("pandas", "DataFrame")

    def owns(table: Any) -> bool:
        if not is_pandas(table):
            return False
        return all(type(dtype).__name__ == "ArrowDtype" for dtype in table.dtypes) == arrow

    return owns


def _to_pandas(frame: pl.DataFrame) -> Any:
    return frame.to_pandas()


def _to_pandas_arrow(frame: pl.DataFrame) -> Any:
    return frame.to_pandas(use_pyarrow_extension_array=True)


def from_pandas(table: Any) -> pl.DataFrame:
    """A pandas frame as a Polars frame, in which what is not a number is nothing."""
    import pyarrow as pa

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def from_arrow(table: Any) -> pl.DataFrame:
    """An Arrow table as a Polars frame."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def duckdb_connection() -> Any:
    """The DuckDB connection of the tests; its zone is UTC."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _to_relation(frame: pl.DataFrame) -> Any:
    return duckdb_connection().from_arrow(frame.to_arrow())


def _from_relation(relation: Any) -> pl.DataFrame:
    return from_arrow(relation.to_arrow_table())


def _unreadable_relation(frame: pl.DataFrame) -> Any:
    return _to_relation(_one_row(frame)).filter(f"error('{READ}: ' || kind) IS NULL")


def _one_row(frame: pl.DataFrame) -> pl.DataFrame:
    """The first row, of which no one can be pruned away."""
    assert len(frame)
    return frame.head(1)


_numbers = count()


@cache
def ibis_connection() -> Any:
    """The Ibis connection of the tests, over DuckDB."""
    import ibis

    return ibis.duckdb.connect()


def _to_ibis(frame: pl.DataFrame) -> Any:
    name = f"table_{next(_numbers)}"
    ibis_connection().con.from_arrow(frame.to_arrow()).create(name)
    return ibis_connection().table(name)


def _from_ibis(table: Any) -> pl.DataFrame:
    return from_arrow(table.to_pyarrow())


def _unreadable_ibis(frame: pl.DataFrame) -> Any:
    name = f"view_{next(_numbers)}"
    table = ibis_connection().con.from_arrow(_one_row(frame).to_arrow())
    table.filter(f"error('{READ}: ' || kind) IS NULL").create_view(name)
    return ibis_connection().table(name)


def _to_dask(frame: pl.DataFrame) -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(_to_pandas_arrow(frame), npartitions=3)


def _from_dask(table: Any) -> pl.DataFrame:
    return from_pandas(table.compute())


def _unreadable_dask(frame: pl.DataFrame) -> Any:
    import dask.dataframe as dd

    return dd.from_map(refuse, range(2), meta=_to_pandas_arrow(frame.head(0)))


def _unreadable_polars(frame: pl.DataFrame) -> pl.LazyFrame:
    return frame.lazy().map_batches(refuse, schema=frame.schema)


_all = (
    Engine(
        "Polars", "polars", lambda frame: frame, lambda table: table, _kind("polars", "DataFrame")
    ),
    Engine(
        "Polars lazy",
        "polars",
        lambda frame: frame.lazy(),
        lambda table: table.collect(),
        _kind("polars", "LazyFrame"),
        _unreadable_polars,
    ),
    Engine("pandas", "pandas", _to_pandas, from_pandas, _has_types(arrow=False)),
    Engine("pandas Arrow", "pandas", _to_pandas_arrow, from_pandas, _has_types(arrow=True)),
    Engine("pyarrow", "pyarrow", lambda f: f.to_arrow(), from_arrow, _kind("pyarrow", "Table")),
    Engine(
        "Arrow stream",
        "polars",
        Stream,
        lambda table: table,
        _kind("polars", "DataFrame"),
        gives="Polars",
    ),
    Engine(
        "DuckDB",
        "duckdb",
        _to_relation,
        _from_relation,
        _kind("duckdb", "DuckDBPyRelation"),
        _unreadable_relation,
    ),
    Engine("Ibis", "ibis", _to_ibis, _from_ibis, _kind("ibis", "Table"), _unreadable_ibis),
    Engine("Dask", "dask", _to_dask, _from_dask, _kind("dask", "DataFrame"), _unreadable_dask),
)
ENGINES: dict[str, Engine] = {engine.name: engine for engine in _all}


def find(name: str) -> Engine:
    """An engine by its name; skips the test where it is not installed."""
    engine = ENGINES[name]
    if not engine.installed:
        pytest.skip(f"{engine.package} is not installed: pip install --group engines")
    return engine


def installed() -> Iterable[Engine]:
    """The engines that can be used here."""
    return [engine for engine in ENGINES.values() if engine.installed]
