"""What people write without scrmkit: from a table of ties to a ranking and to communities.

Each takes a Polars frame with the columns ``a``, ``b``, ``strength`` and gives a Polars frame.
networkx and igraph are used as their documentation shows; of the ways into igraph this is the
fastest that we found that it offers itself (``Graph.DataFrame`` takes longer).
"""

from __future__ import annotations

from typing import Any

import igraph
import networkx as nx
import polars as pl


def networkx_graph(ties: pl.DataFrame) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    rows = zip(ties["a"].to_list(), ties["b"].to_list(), ties["strength"].to_list(), strict=True)
    graph.add_weighted_edges_from(rows)
    return graph


def networkx_pagerank(ties: pl.DataFrame, **options: Any) -> pl.DataFrame:
    ranks = nx.pagerank(networkx_graph(ties), **options)
    frame = pl.DataFrame({"customer": list(ranks), "value": list(ranks.values())})
    return frame.sort("value", descending=True)


def igraph_graph(ties: pl.DataFrame) -> igraph.Graph:
    return igraph.Graph.TupleList(ties.iter_rows(), weights=True)


def igraph_pagerank(ties: pl.DataFrame) -> pl.DataFrame:
    graph = igraph_graph(ties)
    frame = pl.DataFrame({"customer": graph.vs["name"], "value": graph.pagerank(weights="weight")})
    return frame.sort("value", descending=True)


def igraph_leiden(ties: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    graph = igraph_graph(ties)
    found = graph.community_leiden(
        objective_function="modularity", weights="weight", n_iterations=2
    )
    frame = pl.DataFrame({"customer": graph.vs["name"], "community": found.membership})
    return frame.sort("customer"), graph.modularity(found.membership, weights="weight")


def igraph_graph_by_codes(ties: pl.DataFrame) -> tuple[igraph.Graph, list[str]]:
    """The same graph, with ids made into numbers by Polars first, as scrmkit does."""
    words = pl.concat([ties["a"], ties["b"].alias("a")]).unique().sort()
    codes = ties.select(pl.col("a", "b").cast(pl.Enum(words)).to_physical())
    graph = igraph.Graph(len(words), codes.to_numpy())
    graph.es["weight"] = ties["strength"].to_list()
    return graph, words.to_list()


def igraph_pagerank_by_codes(ties: pl.DataFrame) -> pl.DataFrame:
    graph, names = igraph_graph_by_codes(ties)
    frame = pl.DataFrame({"customer": names, "value": graph.pagerank(weights="weight")})
    return frame.sort("value", descending=True)


def igraph_leiden_by_codes(ties: pl.DataFrame) -> pl.DataFrame:
    graph, names = igraph_graph_by_codes(ties)
    found = graph.community_leiden(
        objective_function="modularity", weights="weight", n_iterations=2
    )
    return pl.DataFrame({"customer": names, "community": found.membership})
