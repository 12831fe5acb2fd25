"""Graphs as joins of tables against the sparse form, by size: time and peak memory.

    python benchmarks/large_graphs.py [TIES ...] [--on polars,duckdb,spark,sparse]

Each figure comes from a process of its own, which reads the ties from a Parquet file; what
Spark takes to start is left out, the memory of its JVM (``local[2]``) is counted; DuckDB runs
a second time with no more than a gigabyte, so that it has to use its disk. Ties are
drawn with skew, ten for each customer. The walk of PageRank is followed to 1e-3 by joins, so
that Spark ends in minutes; the sparse form always goes to 1e-10. The sparse form of
components is that of SciPy, and beside label propagation stands Leiden's method.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl


SIZES = (100_000, 1_000_000, 10_000_000)
ENGINES = ("sparse", "polars", "duckdb", "duckdb-1GB", "spark")
FUNCTIONS = ("pagerank", "connected_components", "label_propagation")
TOLERANCE = 1e-3
JVM = "8g"


def draw_ties(ties: int, seed: int = 7) -> pl.DataFrame:
    """Distinct pairs of customers, a few of whom have very many."""
    rng = np.random.default_rng(seed)
    people = ties // 10
    activity = np.cumsum(np.minimum(rng.pareto(1.5, people) + 1, 1_000))
    ends = [
        np.searchsorted(activity, rng.random(ties) * activity[-1]).astype(np.int64)
        for _ in range(2)
    ]
    pairs = {"a": np.minimum(*ends), "b": np.maximum(*ends)}
    frame = pl.DataFrame(pairs).filter(pl.col("a") != pl.col("b")).unique()
    return frame.with_columns(strength=pl.Series(rng.lognormal(size=frame.height)))


def main() -> None:
    """Print one row for each function, size and engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--on", default=",".join(ENGINES))
    parser.add_argument("--functions", default=",".join(FUNCTIONS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run(*options.one)))
        return
    print("| ties | customers | what | on | seconds | rounds | peak MiB | bytes for each tie |")
    print("| ---: | ---: | --- | --- | ---: | ---: | ---: | ---: |")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "ties.parquet")
            ties = draw_ties(size)
            people = pl.concat([ties["a"], ties["b"]]).n_unique()
            count = ties.height
            ties.write_parquet(file)
            del ties
            for name in options.functions.split(","):
                for engine in options.on.split(","):
                    seen = in_a_process(engine, name, file)
                    print(
                        f"| {count:,} | {people:,} | {name} | {engine} | {seen['seconds']:.3g} "
                        f"| {seen['rounds'] or '-'} | {seen['peak'] / 2**20:,.0f} "
                        f"| {(seen['peak'] - seen['idle']) / count:,.0f} |",
                        flush=True,
                    )


def in_a_process(engine: str, name: str, file: str) -> dict[str, Any]:
    """Run one function on one engine in a process of its own."""
    command = [sys.executable, __file__, "--one", engine, name, file]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(engine: str, name: str, file: str) -> dict[str, Any]:
    """Seconds from the file to all rows of the answer, rounds, and memory in bytes."""
    from scrmkit import large_graphs

    if engine == "sparse":
        from scrmkit import communities, influence  # noqa: F401 - loaded before the clock starts
    ties = open_ties(engine, file)
    idle = memory("VmHWM")
    start = perf_counter()
    if engine == "sparse":
        run_sparse(name, ties)
        rounds = None
    else:
        options = {"tolerance": TOLERANCE} if name == "pagerank" else {}
        result = getattr(large_graphs, name)(ties, **options)
        count(result.frame)
        rounds = result.parameters["rounds"]
    seconds = perf_counter() - start
    return {"seconds": seconds, "rounds": rounds, "idle": idle, "peak": memory("VmHWM")}


def open_ties(engine: str, file: str) -> Any:
    """The ties as a table of an engine."""
    if engine.startswith("duckdb"):
        import duckdb

        spill = f"{file}.spill"
        limit = {"memory_limit": "1GB"} if engine.endswith("1GB") else {}
        return duckdb.connect(config={"temp_directory": spill, **limit}).read_parquet(file)
    if engine == "spark":
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]")
        for key, value in {
            "spark.driver.memory": JVM,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "8",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        return session.read.parquet(file)
    return pl.scan_parquet(file)


def count(frame: Any) -> int:
    """Read every row, as somebody who writes them to a file would."""
    if hasattr(frame, "sparkSession"):
        return frame.count()
    return len(frame.collect()) if isinstance(frame, pl.LazyFrame) else len(frame.to_arrow_table())


def run_sparse(name: str, ties: pl.LazyFrame) -> None:
    """The same question to the sparse form."""
    from scipy.sparse import csgraph

    from scrmkit import communities, influence
    from scrmkit.graph import SocialGraph

    graph = SocialGraph.of(ties)
    if name == "pagerank":
        influence.rank(graph).frame.collect()
    elif name == "connected_components":
        csgraph.connected_components(graph.matrix(), directed=False)
    else:
        communities.detect(graph, seed=7).frame.collect()


def memory(field: str) -> int:
    """Bytes of the most memory that this process and its JVM have held, one after the other."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
        except OSError:
            continue
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if process.name == str(os.getpid()) or int(lines["PPid"]) == os.getpid():
            total += int(lines.get(field, "0 kB").split()[0]) * 1024
    return total


if __name__ == "__main__":
    main()
