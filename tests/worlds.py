"""What diffusion comes to exactly: every world of a small graph, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations, product
from typing import Any

import networkx as nx

from scrmkit import _compiled


Arcs = list[tuple[Any, Any]]


def live_worlds(graph: nx.DiGraph[Any]) -> Iterator[tuple[float, Arcs]]:
    """Each set of arcs that may be live, with its probability, by the weights of a graph."""
    arcs = list(graph.edges(data="weight"))
    for lives in product((False, True), repeat=len(arcs)):
        chance = 1.0
        for (_, _, p), live in zip(arcs, lives, strict=True):
            chance *= p if live else 1 - p
        if chance:
            yield chance, [(a, b) for (a, b, _), live in zip(arcs, lives, strict=True) if live]


def listening_worlds(graph: nx.DiGraph[Any]) -> Iterator[tuple[float, Arcs]]:
    """Each way in which everybody listens to one other, by the shares of the weights."""
    choices = []
    for one in graph:
        total = graph.in_degree(one, weight="weight")
        heard = [(graph[a][one]["weight"] / total, [(a, one)]) for a in graph.predecessors(one)]
        choices.append(heard or [(1.0, [])])
    for chosen in product(*choices):
        chance = 1.0
        for share, _ in chosen:
            chance *= share
        yield chance, [arc for _, arcs in chosen for arc in arcs]


def expected_reach(
    worlds: Iterable[tuple[float, Arcs]],
    seeds: Iterable[Any],
    value: Callable[[Any], float] = lambda _: 1.0,
) -> float:
    """The expected value of those whom some seeds reach."""
    seeds, total = list(seeds), 0.0
    for chance, arcs in worlds:
        total += chance * sum(map(value, steps_from(arcs, seeds)))
    return total


def steps_from(arcs: Arcs, seeds: Iterable[Any]) -> dict[Any, int]:
    """After how many steps each customer is reached along live arcs."""
    steps, front = dict.fromkeys(seeds, 0), set(seeds)
    while front:
        front = {b for a, b in arcs if a in front} - set(steps)
        now = max(steps.values(), default=0) + 1
        steps |= dict.fromkeys(front, now)
    return steps


def kept_from(arcs: Arcs, story: Iterable[Any], truth: Iterable[Any]) -> int:
    """How many the truth keeps from a story that would reach them, where both race."""
    told = {**dict.fromkeys(story, "story"), **dict.fromkeys(truth, "truth")}
    front = dict(told)
    while front:
        heard: dict[Any, str] = {}
        for a, b in arcs:
            if a in front and b not in told and heard.get(b) != "truth":
                heard[b] = front[a]
        told |= heard
        front = heard
    return sum(told.get(one) == "truth" for one in steps_from(arcs, story))


def best_of(worth: Callable[[tuple[Any, ...]], float], customers: Iterable[Any], k: int) -> float:
    """The most that k customers are worth."""
    return max(worth(chosen) for chosen in combinations(customers, k))


@contextmanager
def workers(count: int) -> Iterator[None]:
    """So many threads for compiled loops, for the time of a block."""
    before = _compiled._cores
    _compiled._cores = lambda: count
    try:
        yield
    finally:
        _compiled._cores = before
