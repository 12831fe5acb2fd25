"""Sampled betweenness, distances, constraint and cores by igraph, on our compressed rows."""

from __future__ import annotations

from typing import Any

import igraph
import numpy as np

from scrmkit import SocialGraph


def igraph_of(graph: SocialGraph) -> Any:
    """The undirected graph as igraph has it: customers are numbers, weights are ours."""
    matrix = graph.matrix().tocoo()
    once = matrix.row < matrix.col
    made = igraph.Graph(n=len(graph), edges=np.stack([matrix.row[once], matrix.col[once]], 1))
    made.es["weight"] = matrix.data[once].tolist()
    return made


def betweenness(made: Any, sources: Any) -> Any:
    """The share of shortest paths from the sources, as ours; igraph counts a pair once."""
    n, k = made.vcount(), len(sources)
    found = np.array(made.betweenness(directed=False, sources=sources.tolist()))
    return 2 * found / (k * (n - 2)) * n / (n - 1)


def constraint(made: Any) -> Any:
    """Burt's constraint of all."""
    return np.array(made.constraint(weights="weight"))


def cores(made: Any) -> Any:
    """The core number of all."""
    return np.array(made.coreness())
