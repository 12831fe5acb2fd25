"""A log larger than memory: a folder of Parquet files to ties and scores, beside a tenth of it.

    python benchmarks/large.py [ROWS [PAIRS OF RUNS [ids]]]

Each run is a process of its own, which reads the folder with `InteractionLog.read` and writes
the result with `write`. The figure is the time of the whole log as a multiple of that of a log
with a tenth of the rows and the same shape: 10 would be linear. With the word ``ids`` the log
has ids, one row in a thousand is a repeat, and repeats are looked for.

The log has 20 acts for each customer and about 3.4 for each pair that interacts, and a few
customers and pairs are much busier than the others. The files are in order of time, as logs are.
A log of 100 million rows without ids is 1.6 GB; what lies on the disk meanwhile comes on top.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from harness import compare_fresh
from scrmkit import InteractionLog, engagement, relationships
from ties import KINDS, SHARES


FILES = 40
LIMIT = 12.0
MEMORY = 8 * 2**30
START, SPAN = 1_600_000_000_000_000, 2 * 365 * 86400 * 10**6
FUNCTIONS = {"ties": relationships.measure, "scores": engagement.score}


def make(folder: Path, rows: int, *, ids: bool, seed: int = 7) -> None:
    """A folder of files, each with the next stretch of time."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    pairs, people = int(rows / 2.8), rows // 20
    a = (rng.random(pairs) ** 3 * people).astype(np.int32)
    b = ((a + 1 + (rng.random(pairs) ** 1.5 * (people - 1)).astype(np.int32)) % people).astype(
        np.int32
    )
    for number in range(FILES):
        count = rows * (number + 1) // FILES - rows * number // FILES
        pair = (rng.random(count) ** 2.5 * pairs).astype(np.int64) * 7919 % pairs
        back = rng.random(count) < 0.4
        time = START + SPAN * number // FILES + rng.integers(0, SPAN // FILES, count)
        valence = pl.Series(rng.uniform(-1, 1, count))
        acts = pl.select(
            time=pl.Series(np.sort(time)).cast(pl.Datetime("us", "UTC")),
            source=pl.format("customer-{}", pl.Series(np.where(back, b[pair], a[pair]))),
            target=pl.format("customer-{}", pl.Series(np.where(back, a[pair], b[pair]))),
            kind=pl.Series(KINDS).gather(rng.choice(len(KINDS), count, p=SHARES)),
            valence=pl.when(pl.Series(rng.random(count) < 0.5)).then(valence),
        )
        if ids:
            drawn = pl.format("act-{}", pl.Series(rng.integers(0, 2**63, count)))
            acts = acts.with_columns(id=drawn)
            acts = pl.concat([acts, acts.sample(count // 1000, seed=number)])
        acts.write_parquet(folder / f"part-{number:03}.parquet")


def whole(folder: str, what: str) -> None:
    """Everything, from the folder of the log to the folder of the result."""
    write(Path(folder) / "whole", what)


def tenth(folder: str, what: str) -> None:
    """The same of the smaller log."""
    write(Path(folder) / "tenth", what)


def write(folder: Path, what: str) -> None:
    """Write what is asked for, and take it away again."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        FUNCTIONS[what](InteractionLog.read(folder)).write(made)


def main(rows: str = "100_000_000", runs: str = "3", ids: str = "") -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "whole", int(rows), ids=bool(ids))
        make(Path(folder) / "tenth", int(rows) // 10, ids=bool(ids))
        for what in FUNCTIONS:
            name = f"{what} of {int(rows):,} rows{ids and ' with ids'} / of a tenth"
            seen = compare_fresh(
                "large:whole",
                "large:tenth",
                args=[folder, what],
                runs=int(runs),
                warmup=0,
                name=name,
                limit=LIMIT,
            )
            print(seen)
            kept = (seen.ours_peak or 0) <= MEMORY
            print(f"within 8 GiB: {'holds' if kept else 'FALLS SHORT'}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
