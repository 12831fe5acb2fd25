"""Ties of 1 million rows to a PageRank ranking and to communities, against networkx and igraph.

    python benchmarks/ranking.py [RUNS]

Both begin with the same Polars frame of text ids and end with a frame. Besides the times it
prints how far the rankings are apart, and the modularity of both partitions.
"""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

from by_hand import ranking as peers
from harness import compare
from scrmkit import communities, influence


PEOPLE, TIES, GROUPS, MIXING = 100_000, 1_000_000, 200, 0.3


def planted(seed: int = 7, people: int = PEOPLE, ties: int = TIES) -> pl.DataFrame:
    """People in groups, few of whom are very active; three in ten ties go anywhere."""
    rng = np.random.default_rng(seed)
    activity = rng.pareto(1.5, people) + 1
    activity = np.minimum(activity, 200)
    group = rng.integers(GROUPS, size=people)
    order = np.lexsort((np.arange(people), group))
    everywhere = np.cumsum(activity[order])
    edges = np.searchsorted(group[order], np.arange(GROUPS + 1))
    bounds = np.concatenate([[0.0], everywhere])[edges]
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < ties:
        draws = ties // 2
        one = np.searchsorted(everywhere, rng.random(draws) * everywhere[-1])
        home = group[order][one]
        low, high = bounds[home], bounds[home + 1]
        anywhere = rng.random(draws) < MIXING
        low, high = np.where(anywhere, 0, low), np.where(anywhere, everywhere[-1], high)
        two = np.searchsorted(everywhere, low + rng.random(draws) * (high - low))
        a, b = np.minimum(order[one], order[two]), np.maximum(order[one], order[two])
        pairs = np.unique(np.concatenate([pairs, (a * people + b)[a != b]]))
    pairs = rng.permutation(pairs)[:ties]
    names = np.array([f"customer-{number:06d}" for number in range(people)])
    return pl.DataFrame(
        {
            "a": names[pairs // people],
            "b": names[pairs % people],
            "strength": rng.lognormal(size=ties),
        }
    )


def main(runs: int = 5) -> None:
    ties = planted()
    print(f"{ties.height:,} ties, {pl.concat([ties['a'], ties['b']]).n_unique():,} people")

    def rank() -> pl.DataFrame:
        return influence.rank(ties).frame

    def detect() -> pl.DataFrame:
        return communities.detect(ties, seed=7).frame

    for name, ours, peer, limit in (
        ("PageRank / networkx", rank, peers.networkx_pagerank, 1 / 12),
        ("PageRank / igraph", rank, peers.igraph_pagerank, 1 / 2.5),
        ("PageRank / igraph fed with our codes", rank, peers.igraph_pagerank_by_codes, None),
        ("communities / igraph Leiden", detect, peers.igraph_leiden, 1.1),
        ("communities / the same, our codes", detect, peers.igraph_leiden_by_codes, None),
    ):
        print(compare(ours, lambda peer=peer: peer(ties), runs=runs, name=name, limit=limit))
    _compare_values(ties, rank())
    _compare_modularity(ties)


def _compare_values(ties: pl.DataFrame, ours: pl.DataFrame) -> None:
    for name, theirs in (
        ("networkx", peers.networkx_pagerank(ties, tol=1e-16, max_iter=1000)),
        ("igraph", peers.igraph_pagerank(ties)),
    ):
        both = ours.join(theirs, on="customer", suffix="_theirs", validate="1:1")
        apart = (both["value"] / both["value_theirs"] - 1).abs().max()
        print(f"PageRank differs from {name} by at most {apart:.1e} of the value")


def _compare_modularity(ties: pl.DataFrame) -> None:
    graph, _ = peers.igraph_graph_by_codes(ties)
    for seed in range(3):
        found = communities.detect(ties, seed=seed)
        theirs = graph.community_leiden(
            objective_function="modularity", weights="weight", n_iterations=2
        )
        ours = list(found.values())
        check = graph.modularity(ours, weights="weight")
        print(
            f"modularity {check:.4f} (we say {found.modularity:.4f}), igraph "
            f"{graph.modularity(theirs.membership, weights='weight'):.4f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
