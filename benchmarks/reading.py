"""From a CSV file to a validated log, against `read_csv` and explicit casts.

python benchmarks/reading.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import polars as pl

from by_hand import reading as by_hand
from harness import compare
from scrmkit import InteractionLog


KINDS = ("message", "reply", "like", "post", "repost", "comment")
CHANNELS = ("email", "forum", "app", "phone")
START, SECONDS = 1_609_459_200, 2 * 365 * 86_400


def make(rows: int, path: Path, *, ids: bool) -> None:
    """Two years of acts of a million people; about 55 bytes a line."""
    rng = np.random.default_rng(7)
    name = "u" + pl.int_range(1_000_000, dtype=pl.Int64, eager=True).cast(pl.String).str.zfill(6)
    times = pl.Series(rng.integers(START, START + SECONDS, rows))
    frame = pl.DataFrame(
        {
            "source": name.gather(rng.integers(0, len(name), rows)),
            "target": name.gather(rng.integers(0, len(name), rows)),
            "time": pl.from_epoch(times).dt.strftime("%Y-%m-%dT%H:%M:%S"),
            "kind": rng.choice(KINDS, rows),
            "channel": rng.choice(CHANNELS, rows),
            "valence": rng.uniform(-1, 1, rows).round(3),
        }
    )
    if ids:
        numbers = pl.int_range(rows, eager=True).shuffle(1)
        frame = frame.insert_column(0, ("i" + numbers.cast(pl.String)).alias("id"))
    frame.write_csv(path)


def read(path: Path) -> InteractionLog:
    """Ours."""
    return InteractionLog.read(path, timezone="UTC")


def fastest(path: Path) -> str:
    """The name of the fastest attempt by hand."""
    seconds: dict[str, list[float]] = {}
    for _ in range(3):
        for name, attempt in by_hand.ATTEMPTS.items():
            start = perf_counter()
            attempt(str(path))
            seconds.setdefault(name, []).append(perf_counter() - start)
    return min(seconds, key=lambda name: median(seconds[name]))


def main(rows: int = 10_000_000) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acts.csv"
        for ids, limit in ((False, 1.2), (True, 1.6)):
            make(rows, path, ids=ids)
            summary = read(path).summary()
            if summary.accepted != rows:
                raise SystemExit(f"not all rows were accepted:\n{summary}")
            peer = fastest(path)
            name = f"{rows:,} lines with{'' if ids else 'out'} ids / {peer}"
            hand = partial(by_hand.ATTEMPTS[peer], str(path))
            print(compare(partial(read, path), hand, name=name, limit=limit), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
