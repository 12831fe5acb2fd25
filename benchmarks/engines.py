"""Each engine against the same columns written by hand for it.

    python benchmarks/engines.py [WHAT [ENGINE [ROWS [PAIRS OF RUNS]]]]

WHAT is ties, scores or both; ENGINE is one of those below or all. What is timed goes from the
engine's own table to rows that are there: `InteractionLog.from_frame` and
`relationships.measure` or `engagement.score` on our side; on the other the fastest form in
`by_hand/engines/`, whose results are first compared with ours on a smaller table. Eager tables
stand in memory; lazy ones are a Parquet file (Polars, Spark) or a table of DuckDB. Results of
DuckDB become Arrow tables, results of Spark are written to nowhere. Every run is a process of
its own; that of Spark does everything once on a small table first, so that what is timed is
not the start of a Java machine. Ten million rows are made as in `ties.py`; Spark gets one.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import polars.testing

from harness import compare_fresh, measure_fresh
from scrmkit import InteractionLog, engagement, relationships
from ties import make


ENGINES = {
    "polars": "polars",
    "polars-lazy": "polars",
    "pandas": "pandas",
    "pandas-arrow": "pandas",
    "pyarrow": "pyarrow",
    "duckdb": "duckdb",
    "pyspark": "spark",
}
KEYS = {"ties": ["a", "b"], "scores": ["customer"]}
SMALL = 200_000
LIMIT = 1.5


def load(engine: str, path: str) -> Any:
    """The table of an engine."""
    match engine:
        case "polars":
            return pl.read_parquet(path, memory_map=False)
        case "polars-lazy":
            return pl.scan_parquet(path)
        case "pandas":
            return pl.read_parquet(path).to_pandas()
        case "pandas-arrow":
            return pl.read_parquet(path).to_pandas(use_pyarrow_extension_array=True)
        case "pyarrow":
            import pyarrow.parquet as pq

            return pq.read_table(path)
        case "duckdb":
            import duckdb

            connection = duckdb.connect()
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"create table acts as from '{path}'")
            return connection.table("acts")
    return session().read.parquet(path)


def session() -> Any:
    """Spark on two threads of this machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", value=False)
    settings = {
        "spark.driver.memory": "6g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "8",
        "spark.log.level": "ERROR",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def force(engine: str, result: Any) -> Any:
    """Rows instead of a promise."""
    match engine:
        case "polars-lazy":
            return result.lazy().collect(engine="streaming")
        case "duckdb":
            return result.to_arrow_table()
        case "pyspark":
            return result.write.format("noop").mode("overwrite").save()
    return result


def to_polars(engine: str, result: Any) -> pl.DataFrame:
    """A result, to be compared with another."""
    match engine:
        case "polars" | "polars-lazy":
            return result.lazy().collect()
        case "duckdb":
            return pl.from_arrow(result.to_arrow_table())
        case "pyspark":
            return pl.from_arrow(result.toArrow())
        case "pyarrow":
            return pl.from_arrow(result)
    return pl.from_pandas(result)


def do_ours(what: str, table: Any) -> Any:
    """What people write with scrmkit."""
    log = InteractionLog.from_frame(table)
    return (relationships.measure(log) if what == "ties" else engagement.score(log)).frame


def forms(engine: str, what: str) -> dict[str, Callable[[Any], Any]]:
    """The forms written by hand for an engine."""
    module = importlib.import_module(f"by_hand.engines.{ENGINES[engine]}")
    return module.TIES if what == "ties" else module.SCORES


def ours(engine: str, what: str, path: str, _: str) -> Callable[[], object]:
    """`from_frame`, then `measure` or `score`."""
    return _prepare(engine, path, lambda table: do_ours(what, table))


def by_hand(engine: str, what: str, path: str, form: str) -> Callable[[], object]:
    """One of the forms written by hand."""
    return _prepare(engine, path, forms(engine, what)[form])


def _prepare(engine: str, path: str, function: Callable[[Any], Any]) -> Callable[[], object]:
    if engine == "pyspark":
        force(engine, function(load(engine, small(path))))
    table = load(engine, path)
    return lambda: force(engine, function(table))


def small(path: str) -> str:
    """The path of the smaller table."""
    return path.replace("acts", "few")


def check(engine: str, what: str, path: str) -> None:
    """Raise where a form written by hand gives other values than ours."""
    table = load(engine, small(path))
    expected = to_polars(engine, do_ours(what, table)).sort(KEYS[what])
    for name, form in forms(engine, what).items():
        found = to_polars(engine, form(table)).sort(KEYS[what])
        found = found.cast({k: v for k, v in expected.schema.items() if v.is_temporal()})
        try:
            pl.testing.assert_frame_equal(
                expected, found, rel_tol=1e-9, abs_tol=1e-9, categorical_as_str=True
            )
        except AssertionError as error:
            raise AssertionError(f"{engine}, {what}, {name}: {error}") from None


def figure(engine: str, what: str, path: str, rows: int, runs: int) -> None:
    """Print the figure of one engine."""
    check(engine, what, path)
    tries = 2 if engine == "pyspark" else 3
    seconds = {
        form: median(
            measure_fresh("engines:by_hand", args=[engine, what, path, form])[0]
            for _ in range(tries)
        )
        for form in forms(engine, what)
    }
    best = min(seconds, key=seconds.__getitem__)
    print(f"{engine} by hand, s:", ", ".join(f"{form} {s:.2f}" for form, s in seconds.items()))
    print(
        compare_fresh(
            "engines:ours",
            "engines:by_hand",
            args=[engine, what, path, best],
            runs=runs,
            name=f"{rows:,} acts to {what}, {engine} / {best}",
            limit=LIMIT,
        ),
        flush=True,
    )


def main(what: str = "both", engine: str = "all", rows: str = "", runs: str = "5") -> None:
    """Print the figures."""
    whats = list(KEYS) if what == "both" else [what]
    for one in list(ENGINES) if engine == "all" else [engine]:
        count = int(rows or (1_000_000 if one == "pyspark" else 10_000_000))
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "acts.parquet")
            make(count).write_parquet(path)
            make(min(count, SMALL)).write_parquet(small(path))
            for each in whats:
                figure(one, each, path, count, int(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
