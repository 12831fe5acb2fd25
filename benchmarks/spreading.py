"""Cascades and seeds on 100,000 people with 1 million ties, against cynetdiff and NDlib.

    python benchmarks/spreading.py [cascades | ndlib | seeds | growth] [RUNS]

The peers are installed with ``pip install cynetdiff ndlib``, compiled loops with the extra
``fast``. All of them take the same arcs with the same probabilities, as compressed rows (NDlib:
as a networkx graph), and begin with the same ten customers; making their input is not timed.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from by_hand import diffusion as peers
from harness import compare
from ranking import PEOPLE, planted
from scrmkit import SocialGraph, _compiled, diffusion


def directed(people: int = PEOPLE, ties: int | None = None) -> SocialGraph:
    """The planted graph with a direction by chance for each tie, all weighing alike."""
    table = planted() if ties is None else planted(people=people, ties=ties)
    turned = np.random.default_rng(3).random(table.height) < 0.5
    pairs = table.select(pl.col("a", "b").str.slice(9).cast(pl.Int64))
    return SocialGraph.from_ties(pairs.with_columns(n_ab=1 - turned, n_ba=1 * turned), weight="n")


def busiest(graph: SocialGraph) -> Any:
    return np.argsort(-np.diff(graph.indptr), kind="stable")[:10]


def cascades(runs: int, count: int = 1_000) -> None:
    """Independent cascades against cynetdiff; large ones, and small ones."""
    graph = directed()
    begin = busiest(graph)
    for name, limit, passing in (
        ("weighted cascade", 1 / 1.5, diffusion.probabilities(graph, method="share")),
        ("p = .01", 1.0, diffusion.probabilities(graph, method="constant", probability=0.01)),
    ):
        matrix = passing.matrix()
        theirs = peers.cynetdiff_cascades(matrix, begin)

        def ours(passing: SocialGraph = passing) -> float:
            return diffusion.spread(passing, graph.ids[begin], runs=count, seed=7).reach

        print(f"{name}: reach {ours():,.1f}, cynetdiff {theirs(count):,.1f}")
        peer = lambda theirs=theirs: theirs(count)  # noqa: E731
        print(compare(ours, peer, runs=runs, name=f"{name} / cynetdiff", limit=limit))


def ndlib(runs: int) -> None:
    """Weighted cascades against NDlib, per simulation, with and without compiled loops."""
    graph = directed()
    begin = busiest(graph)
    passing = diffusion.probabilities(graph, method="share")
    theirs = peers.ndlib_cascades(passing.matrix(), begin)
    count = 200
    diffusion.spread(passing, graph.ids[begin], runs=2)  # loads or compiles the loops
    for pair in range(runs):
        start = perf_counter()
        reach = theirs(1)
        one = perf_counter() - start
        seconds = []
        for off in (False, True):
            start = perf_counter()
            if off:
                with _compiled.switched_off():
                    diffusion.spread(passing, graph.ids[begin], runs=count, seed=pair)
            else:
                diffusion.spread(passing, graph.ids[begin], runs=count, seed=pair)
            seconds.append((perf_counter() - start) / count)
        print(
            f"NDlib {one:.2f} s a simulation (reach {reach:,.0f}); ours {one / seconds[0]:,.0f} "
            f"times faster with fast, {one / seconds[1]:,.0f} times without"
        )


def seeds(runs: int) -> None:
    """50 seeds with a certificate of .73 against 2,000 cascades of cynetdiff."""
    graph = directed()
    passing = diffusion.probabilities(graph, method="share")
    theirs = peers.cynetdiff_cascades(passing.matrix(), busiest(graph))

    def ours() -> Any:
        return diffusion.seeds(passing, k=50, at_least=0.73)

    found = ours()
    check = diffusion.spread(passing, found, runs=2_000, seed=99)
    print(f"certificate {found.certificate:.3f}, {found.method}, {found.samples:,} samples, ")
    print(f"estimated reach {found.reach:,.0f}, simulated {check.low:,.0f} to {check.high:,.0f}")
    name = "50 seeds / 2,000 cynetdiff cascades"
    print(compare(ours, lambda: theirs(2_000), runs=runs, name=name, limit=1.0))


def growth(runs: int) -> None:
    """The same on ten times the people and ties; each time has the preparing of all arcs in it."""
    small, large = directed(), directed(10 * PEOPLE, 10_000_000)
    parts = [diffusion.probabilities(graph, method="share") for graph in (small, large)]
    begin = [graph.ids[busiest(graph)] for graph in (small, large)]

    def cascade(which: int) -> Any:
        return diffusion.spread(parts[which], begin[which], runs=100, seed=7)

    reach = [cascade(which).reach for which in (0, 1)]
    for _ in range(runs):
        seconds = []
        for which in (1, 0):
            start = perf_counter()
            cascade(which)
            seconds.append(perf_counter() - start)
        grown = seconds[0] / seconds[1]
        print(
            f"cascades: {grown / 10:.2f} times linear in ties; reach {reach[0]:,.0f} and "
            f"{reach[1]:,.0f}, so {grown * reach[0] / reach[1]:.2f} times for a customer reached"
        )
        seconds = []
        for which in (1, 0):
            start = perf_counter()
            diffusion.seeds(parts[which], k=50, samples=65_536, at_least=0.99)
            seconds.append(perf_counter() - start)
        print(f"seeds, the same number of samples: {seconds[0] / seconds[1] / 10:.2f} times linear")


if __name__ == "__main__":
    task = sys.argv[1] if len(sys.argv) > 1 else "cascades"
    {"cascades": cascades, "ndlib": ndlib, "seeds": seeds, "growth": growth}[task](
        int(sys.argv[2]) if len(sys.argv) > 2 else 5
    )
