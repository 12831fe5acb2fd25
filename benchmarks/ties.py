"""Ten million interactions to ties: `from_frame` and `measure` against Polars by hand.

    python benchmarks/ties.py [ROWS [PAIRS OF RUNS]]

The table has text ids, UTC times, eight kinds (one that nobody knows) and a valence in half
of its rows; a tenth as many pairs as rows, some of them much busier than others. Every run is
a process of its own, which first reads the table into memory.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import polars.testing

from by_hand.ties import FORMS
from harness import compare_fresh, measure_fresh
from scrmkit import InteractionLog
from scrmkit.relationships import measure


KINDS = ["message", "reply", "like", "comment", "call", "purchase", "answer", "wave"]
SHARES = [0.4, 0.2, 0.15, 0.1, 0.05, 0.04, 0.04, 0.02]


def make(rows: int, *, seed: int = 7) -> pl.DataFrame:
    """A table of interactions with skewed people and skewed pairs."""
    rng = np.random.default_rng(seed)
    pairs, people = rows // 10, rows // 50
    a = (rng.pareto(1.3, pairs) * people / 50).astype(np.int64) % people
    b = (a + rng.integers(1, people, pairs)) % people
    pair = rng.permutation(pairs)[(rng.random(rows) ** 1.5 * pairs).astype(np.int64)]
    back = rng.random(rows) < 0.4
    ids = pl.Series([f"customer-{i}" for i in range(people)])
    times = 1_600_000_000_000_000 + rng.integers(0, 2 * 365 * 86400 * 10**6, rows)
    valence = pl.Series(rng.uniform(-1, 1, rows))
    return pl.DataFrame(
        {
            "time": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            "source": ids.gather(np.where(back, b[pair], a[pair])),
            "target": ids.gather(np.where(back, a[pair], b[pair])),
            "kind": pl.Series(KINDS).gather(rng.choice(len(KINDS), rows, p=SHARES)),
            "valence": pl.select(pl.when(pl.Series(rng.random(rows) < 0.5)).then(valence)),
        }
    )


def read(path: str) -> pl.DataFrame:
    """The table, in memory."""
    return pl.read_parquet(path, memory_map=False)


def both(path: str, _: str) -> Callable[[], object]:
    """`from_frame` and `measure`."""
    acts = read(path)
    return lambda: measure(InteractionLog.from_frame(acts))


def alone(path: str, _: str) -> Callable[[], object]:
    """`measure` of a log that stands."""
    log = InteractionLog.from_frame(read(path))
    return lambda: measure(log)


def by_hand(path: str, form: str) -> Callable[[], object]:
    """One of the forms written by hand."""
    return partial(FORMS[form], read(path))


def main(rows: int = 10_000_000, runs: int = 7) -> None:
    """Print the figures."""
    few = make(min(rows, 200_000))
    ours = measure(InteractionLog.from_frame(few)).frame.sort("a", "b")
    for form in FORMS.values():
        hand = form(few).sort("a", "b")
        polars.testing.assert_frame_equal(ours, hand, rel_tol=1e-9, abs_tol=1e-12)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "acts.parquet")
        make(rows).write_parquet(path)
        seconds = {
            form: median(measure_fresh("ties:by_hand", args=[path, form])[0] for _ in range(3))
            for form in FORMS
        }
        print("by hand, s:", ", ".join(f"{form} {time:.2f}" for form, time in seconds.items()))
        best = min(seconds, key=seconds.__getitem__)
        for function, limit in (("both", 1.5), ("alone", 1.15)):
            print(
                compare_fresh(
                    f"ties:{function}",
                    "ties:by_hand",
                    args=[path, best],
                    runs=runs,
                    name=f"{rows:,} acts to ties, {function} / {best}",
                    limit=limit,
                )
            )


if __name__ == "__main__":
    main(*(int(arg) for arg in sys.argv[1:]))
