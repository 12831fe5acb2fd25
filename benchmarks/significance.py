"""How often noise is called a community, and planted communities are found.

    python benchmarks/significance.py [GRAPHS]

Random graphs of four sorts, 100 of each, and 20 planted partitions of each of three strengths.
Of the random ones at most 7 in 100 may be called significant at level .05.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
from scipy.stats import beta

from scrmkit import communities


def chung_lu(seed: int) -> nx.Graph[int]:
    activity = 3 * (np.random.default_rng(seed).pareto(1.8, 300) + 1)
    return nx.expected_degree_graph(np.minimum(activity, 60), seed=seed, selfloops=False)


def weighted(seed: int) -> nx.Graph[int]:
    network = nx.gnm_random_graph(300, 1500, seed=seed)
    rng = np.random.default_rng(seed)
    for _, _, data in network.edges(data=True):
        data["weight"] = float(rng.lognormal(0, 2))
    return network


NOISE: dict[str, Callable[[int], Any]] = {
    "uniform, 300 customers, 1,500 ties": lambda seed: nx.gnm_random_graph(300, 1500, seed=seed),
    "uniform, 100 customers, 200 ties": lambda seed: nx.gnm_random_graph(100, 200, seed=seed),
    "few have many ties, 300 customers": chung_lu,
    "uniform with weights that vary much": weighted,
}
PLANTED = ((0.25, 0.02), (0.15, 0.03), (0.12, 0.04))


def main(graphs: int = 100) -> None:
    called = 0
    for name, make in NOISE.items():
        verdicts = [
            communities.detect(make(seed), seed=seed, trials=1).significant
            for seed in range(graphs)
        ]
        called += verdicts.count(True)
        print(f"{name:<40} {verdicts.count(True)} of {graphs} called significant", flush=True)
    total = graphs * len(NOISE)
    low, high = beta.ppf([0.025, 0.975], [called + 0.5], [total - called + 0.5])
    verdict = "holds" if called <= 0.07 * total else "FALLS SHORT"
    print(
        f"noise: {called} of {total}, {100 * called / total:.1f} % "
        f"[{100 * low:.1f}, {100 * high:.1f}], at most 7 %: {verdict}"
    )
    for inside, outside in PLANTED:
        found = [
            communities.detect(
                nx.planted_partition_graph(6, 50, inside, outside, seed=seed), seed=seed
            ).significant
            for seed in range(max(graphs // 5, 1))
        ]
        print(
            f"planted, 6 groups of 50, {inside} inside and {outside} outside: "
            f"{found.count(True)} of {len(found)} found",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
