"""Speed and size of a ledger: interactions a second of one core, bytes a relationship.

    python benchmarks/ledger.py [PAIRS [RUNS]]

Each pair has four to five interactions, in no order, of eight kinds (one that nobody knows),
half of them with a valence. Bytes are what Python has allocated for the ledger beside
the ids, which belong to the interactions; the number of pairs is one at which the dictionary
has just grown, so they are the most that a relationship takes.
"""

from __future__ import annotations

import random
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

from scrmkit import Interaction, Ledger


START = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = ["message", "reply", "like", "comment", "call", "purchase", "answer", "wave"]
SPEED, SIZE = 250_000, 320


def make(pairs: int, *, seed: int = 7) -> list[Interaction]:
    """Interactions of this many pairs."""
    rng = random.Random(seed)
    ids = [f"customer-{i}" for i in range(pairs // 3)]
    two: set[tuple[str, str]] = set()
    while len(two) < pairs:
        one, other = rng.sample(ids, 2)
        two.add((min(one, other), max(one, other)))
    order = [pair for pair in sorted(two) for _ in range(rng.choice((4, 5)))]
    rng.shuffle(order)
    acts = []
    for number, (a, b) in enumerate(order):
        source, target = (a, b) if rng.random() < 0.6 else (b, a)
        acts.append(
            Interaction(
                id=number,
                time=START + timedelta(seconds=rng.uniform(0, 730 * 86400)),
                kind=rng.choice(KINDS),
                source=source,
                target=target,
                valence=rng.choice((None, rng.uniform(-1, 1))),
            )
        )
    return acts


def fill(acts: list[Interaction]) -> Ledger:
    """A ledger that has recorded them."""
    ledger = Ledger()
    for act in acts:
        ledger.record(act)
    return ledger


def main(pairs: int = 180_000, runs: int = 7) -> None:
    """Print the figures."""
    acts = make(pairs)
    speeds = []
    for _ in range(runs):
        start = process_time()
        ledger = fill(acts)
        speeds.append(len(acts) / (process_time() - start))
        del ledger
    tracemalloc.start()
    ledger = fill(acts)
    size = tracemalloc.get_traced_memory()[0] / len(ledger)
    tracemalloc.stop()
    speeds.sort()
    verdict = "holds" if speeds[-1] >= SPEED else "FALLS SHORT"
    print(
        f"Ledger.record, {len(acts):,} acts of {pairs:,} pairs: {median(speeds):,.0f} a CPU second "
        f"[{speeds[0]:,.0f}, {speeds[-1]:,.0f}]  at least {SPEED:,}: {verdict}"
    )
    verdict = "holds" if size <= SIZE else "FALLS SHORT"
    print(f"a relationship in a ledger: {size:.0f} bytes  at most {SIZE}: {verdict}")


if __name__ == "__main__":
    main(*(int(arg) for arg in sys.argv[1:]))
