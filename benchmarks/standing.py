"""Betweenness, structural holes and cores of 1 million ties against igraph; growth to 10 million.

    python benchmarks/standing.py [peer | growth] [RUNS] [--without-fast]

Both take the same compressed rows; making them is not timed. igraph runs on one core. Ours is
compared on one, and again on all; compiled loops come with the extra ``fast``. Values are
compared to the last digit that differs. Growth is the time for ten times the people and ties as
a multiple of the time for one time; igraph's growth on the same graphs stands beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from unittest import mock

import numpy as np
import polars as pl

from by_hand import standing as peers
from harness import compare
from ranking import PEOPLE, TIES, planted
from scrmkit import SocialGraph, _compiled
from scrmkit.influence import brokers, rank


SEED, SOURCES, SOME, FEW = 7, 256, 64, 8


def graph_of(times: int = 1) -> SocialGraph:
    """The planted graph, with numbers as ids."""
    ties = planted(people=times * PEOPLE, ties=times * TIES)
    ends = pl.col("a", "b").str.slice(len("customer-")).cast(pl.Int64)
    return SocialGraph.from_ties(ties.with_columns(ends), weight="strength")


def drawn(graph: SocialGraph, sources: int) -> Any:
    """The sources that `rank` draws, as positions."""
    return np.sort(np.random.default_rng(SEED).choice(len(graph), sources, replace=False))


def in_order(graph: SocialGraph, frame: pl.DataFrame, column: str) -> Any:
    """A column of a result in order of the graph."""
    place = np.searchsorted(graph.ids, frame["customer"].to_numpy())
    values = np.empty(len(graph))
    values[place] = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values


def peer(runs: int) -> None:
    """Times and values beside those of igraph."""
    graph = graph_of()
    made = peers.igraph_of(graph)
    sources = drawn(graph, SOURCES)
    print(graph)

    def between() -> Any:
        ranking = rank(graph, method="betweenness", sources=SOURCES, seed=SEED)
        return in_order(graph, ranking.frame, "value")

    def holes() -> Any:
        return in_order(graph, brokers(graph).frame, "constraint")

    def cores() -> Any:
        return in_order(graph, rank(graph, method="core").frame, "value")

    for name, ours, theirs, limit in (
        (f"betweenness, {SOURCES} sources", between, lambda: peers.betweenness(made, sources), 1.2),
        ("constraint of all", holes, lambda: peers.constraint(made), 1 / 2),
        ("cores", cores, lambda: peers.cores(made), None),
    ):
        with mock.patch.object(_compiled, "_cores", return_value=1):
            print(compare(ours, theirs, runs=runs, name=f"{name}, one core / igraph", limit=limit))
        print(compare(ours, theirs, runs=runs, name=f"{name} / igraph", limit=limit))
        _compare_values(name, ours(), theirs())


def _compare_values(name: str, ours: Any, theirs: Any) -> None:
    apart = np.nanmax(np.abs(ours - theirs))
    alone = int(np.count_nonzero(np.isnan(ours)))
    print(f"{name}: at most {apart:.1e} apart, where the largest is {np.nanmax(theirs):.3g}")
    if alone:
        print(f"{name}: {alone} customers without an answer")


def growth(runs: int) -> None:
    """Ten times the people and ties: linear is 10, at most 13 is asked for."""
    graphs = [graph_of(times) for times in (10, 1)]
    made = [peers.igraph_of(graph) for graph in graphs]
    sources = [drawn(graph, FEW) for graph in graphs]

    def both(function: Callable[[int], Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
        return lambda: function(0), lambda: function(1)

    tasks: list[tuple[str, Callable[[int], Any], float | None]] = [
        (method, lambda one, method=method: rank(graphs[one], method=method, sources=SOME), 13)
        for method in ("betweenness", "closeness")
    ]
    tasks += [
        ("brokers", lambda one: brokers(graphs[one]), 13),
        ("cores", lambda one: rank(graphs[one], method="core"), 13),
        ("igraph betweenness", lambda one: peers.betweenness(made[one], sources[one]), None),
        ("igraph constraint", lambda one: peers.constraint(made[one]), None),
        ("igraph cores", lambda one: peers.cores(made[one]), None),
    ]
    for name, function, limit in tasks:
        print(compare(*both(function), runs=runs, name=f"{name}, ten times the ties", limit=limit))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--without-fast"]
    task = words[0] if words else "peer"
    with _compiled.switched_off() if "--without-fast" in sys.argv else nullcontext():
        {"peer": peer, "growth": growth}[task](int(words[1]) if len(words) > 1 else 5)
