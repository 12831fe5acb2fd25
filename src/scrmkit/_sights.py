"""Who sees whom: a graph in which it counts that there is an arc, and not what it weighs."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
from attrs import evolve

from scrmkit import _sparse, _tables
from scrmkit._checks import digest
from scrmkit._sparse import Matrix
from scrmkit.graph import SocialGraph


def who_sees_whom(sees: Any) -> SocialGraph:
    """A graph from whatever says who sees whom; ties need no strength, and no rows."""
    if isinstance(sees, SocialGraph) or hasattr(sees, "is_multigraph"):
        return SocialGraph.of(sees)
    frame, home = _tables.take(sees)
    names = frame.collect_schema().names()
    _tables.check_columns(names, ["a", "b"], where="the table of ties")
    parameters = dict(getattr(sees, "parameters", {}))
    if not len(_tables.collect(frame.select("a", "b").head(1))):
        return evolve(SocialGraph.from_edges([], []), home=home, parameters=parameters)
    if "strength" in names or {"strength_ab", "strength_ba"} <= set(names):
        return SocialGraph.of(sees)
    ties = frame.select("a", "b").with_columns(nw.lit(1.0).alias("strength"))
    return evolve(SocialGraph.from_ties(ties), home=home, parameters=parameters)


def arcs_seen(graph: SocialGraph) -> Matrix:
    """Its arcs, each of weight 1, and none with oneself."""
    return _sparse.without_loops(graph.unweighted().matrix())


def digest_of(graph: SocialGraph) -> str:
    """Sixteen hexadecimal digits that name its ids and arcs, whatever they weigh."""
    arcs = arcs_seen(graph)
    parts = (graph.ids, arcs.indptr, arcs.indices)
    return digest({"sees": [part.tolist() for part in parts]})
