"""What ties and scores cost on Spark for each act: core seconds, bytes shuffled, bytes written.

    python benchmarks/spark_costs.py [ROWS ...]

A session of two cores on this machine reads a folder of Parquet files, made as in `large.py`,
and writes the result as Parquet. What the tasks took (their sum over the cores, as Spark counts
it) is what a cluster needs too; what the network takes comes on top. The cost model of the
docs multiplies the figures of the largest log.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from large import FUNCTIONS, make
from scrmkit import InteractionLog


SIZES = ("1_000_000", "10_000_000")
FIELDS = {
    "cores": ("executorRunTime", 1e3, "us"),  # which are milliseconds
    "CPU": ("executorCpuTime", 1e-3, "us"),
    "garbage": ("jvmGcTime", 1e3, "us"),
    "shuffled": ("shuffleWriteBytes", 1, "B"),
    "spilled": ("diskBytesSpilled", 1, "B"),
    "written": ("outputBytes", 1, "B"),
}


def sum_of_stages(session: Any) -> dict[str, float]:
    """What all stages so far have taken."""
    context, java = session.sparkContext, session.sparkContext._gateway  # noqa: SLF001
    store = context._jsc.sc().statusStore()  # noqa: SLF001
    total = dict.fromkeys(FIELDS, 0.0)
    none = java.new_array(java.jvm.double, 0)
    stages = store.stageList(None, False, False, none, None)
    for number in range(stages.size()):
        for name, (field, unit, _) in FIELDS.items():
            total[name] += getattr(stages.apply(number), field)() * unit
    return total


def main(*sizes: str) -> None:
    """Print the figures."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", "8g")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    for rows in sizes or SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make(folder / "log", int(rows), ids=False)
            for what, function in FUNCTIONS.items():
                before, start = sum_of_stages(session), perf_counter()
                log = InteractionLog.from_frame(session.read.parquet(str(folder / "log")))
                result = function(log)
                result.write(folder / what)
                wall = perf_counter() - start
                after = sum_of_stages(session)
                count = session.read.parquet(str(folder / what)).count()
                spent = ", ".join(
                    f"{key} {(after[key] - before[key]) / int(rows):.2f} {unit}"
                    for key, (_, _, unit) in FIELDS.items()
                )
                print(f"{int(rows):,} acts to {count:,} {what} in {wall:.0f} s; each {spent}")


if __name__ == "__main__":
    main(*sys.argv[1:])
