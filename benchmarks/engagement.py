"""Speed of engagement: scores of a table against hand-written Polars, and of the live form.

python benchmarks/engagement.py [ROWS]
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import perf_counter

import numpy as np
import polars as pl
import polars.testing

from by_hand import engagement as by_hand
from harness import compare
from scrmkit import Interaction, InteractionLog
from scrmkit.engagement import Tracker, score


START = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = ("message", "message", "message", "call", "answer", "recommendation", "purchase", "like")


def make(rows: int) -> pl.DataFrame:
    """Two years of acts, a few people doing most, with ids of text."""
    rng = np.random.default_rng(0)
    people = max(rows // 10, 10)
    who = (people * rng.random(rows) ** 3).astype(np.int64)
    others = rng.integers(0, people, rows)
    return pl.DataFrame(
        {
            "time": rng.integers(0, 730 * 86400, rows),
            "kind": rng.choice(KINDS, rows),
            "source": who,
            "target": np.where(others == who, (others + 1) % people, others),
        }
    ).with_columns(
        pl.col("source", "target").cast(pl.String),
        time=pl.lit(START) + pl.duration(seconds="time"),
    )


def main(rows: int = 1_000_000) -> None:
    """Print the figures."""
    acts = make(rows)
    log = InteractionLog.from_frame(acts)
    ours, hand = score(log).frame, by_hand.score(acts)
    pl.testing.assert_frame_equal(ours, hand, rel_tol=1e-9, abs_tol=1e-9)
    name = f"scores of {rows:,} acts"
    print(compare(lambda: score(log).frame, lambda: by_hand.score(acts), name=name, limit=1.5))
    print(
        compare(
            lambda: score(InteractionLog.from_frame(acts)).frame,
            lambda: by_hand.score(acts),
            name="the same with from_frame",
        )
    )
    months = [START + timedelta(days=30 * month) for month in range(1, 25)]
    print(
        compare(
            lambda: score(log, as_of=months).frame,
            lambda: [score(log, as_of=month).frame for month in months],
            name="24 instants at once against one by one",
            runs=3,
        )
    )
    live(acts)


def live(acts: pl.DataFrame, size: int = 100_000) -> None:
    """Acts recorded and scores made in a second."""
    rows = islice(acts.iter_rows(named=True), size)
    interactions = [Interaction(id=number, **row) for number, row in enumerate(rows)]
    tracker = Tracker()
    start = perf_counter()
    for interaction in interactions:
        tracker.record(interaction)
    recorded = perf_counter()
    people = {interaction.source for interaction in interactions[:5000]}
    for who in people:
        tracker.score(who, as_of=START + timedelta(days=730))
    scored = perf_counter()
    print(f"recorded: {size / (recorded - start):,.0f} acts a second")
    print(f"scored: {len(people) / (scored - recorded):,.0f} customers a second")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
