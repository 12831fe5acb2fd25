"""The page of the docs that says what runs on which engine: read it, check it, write it.

The tests of the engines fill it: with ``SCRMKIT_WRITE_ENGINES=1`` they write their columns
instead of comparing them. A column that a run does not fill stays as it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cases import cases
from conformance import FUNCTIONS
from engines import ENGINES


PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "engines.md"
COLUMNS: Final = (*ENGINES, "Spark")
FUNCTION_ROWS: Final = tuple(dict.fromkeys(f"`{function.name}`" for function in FUNCTIONS))
LOG_ROWS: Final = tuple(case.name for case in cases())
WRITE: Final = "SCRMKIT_WRITE_ENGINES"

Cells = dict[str, dict[str, str]]


def read_page() -> Cells:
    """The cells of both tables, by row and engine."""
    cells: Cells = {}
    columns: list[str] = []
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        if not line.startswith("|"):
            columns = []
            continue
        first, *rest = (cell.strip() for cell in line.strip("|").split("|"))
        if not columns:
            columns = rest
        elif not set(first) <= {"-", " "}:
            cells[first] = dict(zip(columns, rest, strict=True))
    return cells


def check_column(engine: str, found: Mapping[str, str]) -> None:
    """Compare what a run found with the column of an engine, row by row, or write it there."""
    cells = read_page()
    if os.environ.get(WRITE):
        for row, cell in found.items():
            cells.setdefault(row, {})[engine] = cell
        PAGE.write_text(to_page(cells))
        return
    said = {row: cells.get(row, {}).get(engine) for row in found}
    assert said == dict(found), f"{PAGE.name} is out of date: run the tests with {WRITE}=1"


def to_page(cells: Cells) -> str:
    """The text of the page."""
    return TEXT.format(
        functions=_to_table("function", FUNCTION_ROWS, cells),
        logs=_to_table("log", LOG_ROWS, cells),
    )


def _to_table(what: str, rows: tuple[str, ...], cells: Cells) -> str:
    lines = [[what, *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    lines += [[row, *(cells.get(row, {}).get(name, "") for name in COLUMNS)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TEXT: Final = """# What runs where

Everything that takes a log or ties takes a table of any of these engines, and gives back a
table of the same. There is one implementation, by way of
[Narwhals](https://narwhals-dev.github.io/narwhals/), and one test suite that asks each
engine for each function: the numbers are those of Polars to 1e-9 of the strength of a tie,
and the rows are the same. The two tables of this page are written by that suite.

Polars lazy, DuckDB, Ibis, Dask and Spark are *lazy*: what comes back is a promise, and the
table is read when its rows are asked for. Only what cannot be a promise reads it before:
`summary` and ``len(log)``, `left_out`, `incidence`, `explain`, graphs, what is computed from
graphs, everything in `large_graphs`, cascades and what is learned from them, private opinions,
what is computed from ratings, a table given as ``group=``, what a notebook shows of a result,
pickling one, and `parameters["as_of"]` where no instant was given. Results made from
graphs go back into the connection or session that the table came from.

Where a lazy table changes between two uses, give ``as_of``: without it the last instant is read
once for `parameters["as_of"]`, while the rows are computed anew.

- **pyarrow** tables are handed to Polars without a copy, and come back as Arrow tables.
- **Arrow stream** is any object with ``__arrow_c_stream__``; results are Polars tables.
- **pandas Arrow** is pandas with Arrow types. Either kind of pandas table comes back with a new
  index.
- **DuckDB** before 1.5 needs a file that it may write: in a read-only one, results made from
  graphs are Polars tables, and [graphs by joins](large_graphs.md) are refused by DuckDB.
- **DuckDB** and **Spark** tell the parts of a time in the zone of their connection or
  session, and so does DuckDB under **Ibis**. One that is not UTC is an error, which names the
  line that mends it.
- **Ibis** was run over DuckDB.
- **Dask** is slow here: each function takes seconds, whatever the size. Narwhals 2.29 warns of
  each Dask table that its support moves to a package ``narwhals-dask``.

A folder of Parquet files (`InteractionLog.read`) is a table of Polars lazy, whichever engines
are installed. `Result.write` puts a result of any engine into a folder.

## Joining results to tables of the host

Whatever came in, ids come back as texts or as 64-bit integers, UUIDs and categories as their
text, and times in UTC to the microsecond. Where the host's own column is of another type, cast
it to that of the result before the join: Polars joins neither categories to texts nor 32-bit
integers to 64-bit ones.

In DuckDB, results are relations of the connection that the log came from. Give each a name
before two are joined: ``ties.frame.set_alias("t").join(scores.frame.set_alias("s"), ...)``. In
SQL on that connection name the relation, as in ``found = ties.frame`` and then
``connection.sql("from found")``: a *result* is read there as an Arrow stream, which is only for
other connections.

## Functions

``yes``: the same numbers, as a table of the same engine (or plain values, where the function
gives such). ``as ...``: the same numbers, as a table of another engine.

{functions}

`InteractionLog.annotate` runs an enricher on this machine, for logs of every engine but Spark;
`InteractionLog.with_annotations` fills the columns of a log on its own engine, Spark included.

## Logs

``yes``: the log is taken, with the same accepted and rejected rows. ``no``: it is refused,
with an error that names the column, what is wrong with it, and what to do. Lazy tables have
to have timestamps, truth values and numbers already, because what cannot be read would have
to be found row by row.

{logs}

What no column of the table can show:

- NaN is no valence: the row counts, without one. Times outside the years 1 to 9999, and the
  infinity of a database, are rejected as out of range on every engine.
- Times whose zone is an offset such as +05:30, which Arrow and pandas have, are instants.
- Nanoseconds of DuckDB are refused where the column has a zone. ``TIMESTAMP_NS`` has none, and
  is taken with ``timezone="UTC"``.
- Unsigned 64-bit ids of a lazy table are refused before it is read, as they may not fit; those
  of an eager table are refused where they do not.
- Objects of pandas are ids where they are texts, integers or UUIDs; None, NaN, NaT and NA are
  nobody.
- Repeats are told from conflicts by all columns, lists and mappings included; Dask cannot
  compare those.
"""
