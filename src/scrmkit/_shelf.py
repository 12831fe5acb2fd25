"""A shelf: tables that are computed once and read often, kept where their engine keeps tables.

What takes many rounds of joins puts the table of each round on a shelf. Polars, pandas,
Arrow and Dask hold it in memory, DuckDB and Ibis in a temporary table of the connection that
the table came from. Spark holds it in a checkpoint: in the directory that its session has for
checkpoints; where there is none, on the workers, and a worker that is lost takes its part
along, so that the job fails.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final, Self

import narwhals.stable.v2 as nw

from scrmkit import _tables
from scrmkit._tables import Home
from scrmkit.errors import InvalidTable


Frame = nw.LazyFrame[Any]

_IN_MEMORY: Final = ("polars", "pandas", "pyarrow", "modin", "cudf")
_ROWS: Final = "__scrmkit_rows"
_NUMBERS: Final = count(1)


class Shelf:
    """Tables that were computed. The end of its ``with`` block drops what was not given away."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Frame, Callable[[], object]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for frame, _drop in list(self._kept.values()):
            self.drop(frame)

    def keep(self, frame: Frame) -> Frame:
        """The table, computed."""
        kept, drop = _materialise(frame)
        self._kept[id(kept)] = kept, drop
        return kept

    def drop(self, frame: Frame) -> None:
        """Let go of a table that was kept."""
        _, drop = self._kept.pop(id(frame))
        drop()

    def give(self, frame: Frame, home: Home) -> Any:
        """A native table of the kind that came in, which outlives the shelf.

        One in memory is in order of its first column.
        """
        if home.lazy:
            return _materialise(frame)[0].to_native()
        rows = _tables.collect(frame.sort(frame.collect_schema().names()[0]))
        return _tables.give(rows.lazy(), home)


def _materialise(frame: Frame) -> tuple[Frame, Callable[[], object]]:
    """The table, computed, and a function that drops it."""
    engine = frame.implementation.value
    if engine in _IN_MEMORY:
        return _tables.collect(frame).lazy(), _leave
    if engine == "duckdb":
        return _to_temporary_table(frame.to_native())
    if engine.startswith("pyspark"):
        return _to_checkpoint(frame.to_native())
    if engine == "ibis":
        return _to_ibis_table(frame.to_native())
    if engine == "dask":
        return nw.from_native(frame.to_native().persist()).lazy(), _leave
    raise InvalidTable(
        f"rounds of joins do not run on {engine}: bring the ties to Polars, pandas, Arrow, DuckDB, "
        f"Ibis, Dask or Spark"
    )


def _leave() -> None:
    """Nothing to drop: the table goes with its last reference."""


def _to_temporary_table(rows: Any) -> tuple[Frame, Callable[[], object]]:
    name = _new_name()
    made = rows.query(_ROWS, f"CREATE TEMPORARY TABLE {name} AS FROM {_ROWS}")
    # any relation stands for its connection
    connection = rows.query(_ROWS, "SELECT 1") if made is None else made
    table = connection.query(_ROWS, f"FROM {name}")

    def forget() -> None:
        if made is None:  # before 2.0 DuckDB makes a view for each query
            connection.query(_ROWS, f"DROP VIEW IF EXISTS {_ROWS}")

    def drop() -> None:
        connection.query(_ROWS, f"DROP TABLE {name}")
        forget()

    forget()
    return nw.from_native(table), drop


def _to_ibis_table(rows: Any) -> tuple[Frame, Callable[[], object]]:
    backend, name = rows.get_backend(), _new_name()
    table = backend.create_table(name, rows, temp=True)
    return nw.from_native(table), lambda: backend.raw_sql(f"DROP TABLE {name}")


def _new_name() -> str:
    return f"__scrmkit_{next(_NUMBERS)}"


def _to_checkpoint(table: Any) -> tuple[Frame, Callable[[], object]]:
    session = table.sparkSession
    context = getattr(session, "sparkContext", None)  # Spark Connect has none, and cleans up
    if context is None:
        lasting = session.conf.get("spark.checkpoint.dir", None)
    else:
        lasting = context.getCheckpointDir()
    kept = table.localCheckpoint() if lasting is None else table.checkpoint()
    return nw.from_native(kept), _leave if context is None else lambda: _let_go(kept)


def _let_go(kept: Any) -> None:
    """Free what workers hold of a checkpoint, which would stay until the driver runs short."""
    kept._jdf.queryExecution().analyzed().rdd().unpersist(False)  # noqa: SLF001 - of Java
