"""Cascades by other libraries, on the same arcs with the same probabilities."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np


def cynetdiff_cascades(matrix: Any, seeds: Any) -> Callable[[int], float]:
    """Independent cascades by cynetdiff (C++), which is given compressed rows; the mean reach."""
    from cynetdiff.models import IndependentCascadeModel

    model = IndependentCascadeModel(
        array.array("I", matrix.indptr[:-1].tolist()),
        array.array("I", matrix.indices.tolist()),
        activation_probs=array.array("f", matrix.data.tolist()),
        rng=np.random.default_rng(1),
    )
    model.set_seeds({int(one) for one in seeds})

    def run(runs: int) -> float:
        total = 0
        for _ in range(runs):
            model.reset_model()
            model.advance_until_completion()
            total += model.get_num_activated_nodes()
        return total / runs

    return run


def ndlib_cascades(matrix: Any, seeds: Any) -> Callable[[int], float]:
    """The same by NDlib (Python), which is given a networkx graph."""
    import networkx as nx
    from ndlib.models import ModelConfig
    from ndlib.models.epidemics import IndependentCascadesModel

    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(range(matrix.shape[0]))
    arcs = list(zip(rows.tolist(), matrix.indices.tolist(), matrix.data.tolist(), strict=True))
    graph.add_edges_from((a, b) for a, b, _ in arcs)
    config = ModelConfig.Configuration()
    for a, b, chance in arcs:
        config.add_edge_configuration("threshold", (a, b), chance)
    config.add_model_initial_configuration("Infected", [int(one) for one in seeds])
    model = IndependentCascadesModel(graph)
    model.set_initial_status(config)

    def run(runs: int) -> float:
        total = 0
        for _ in range(runs):
            model.reset([int(one) for one in seeds])
            while model.iteration()["node_count"][1]:
                pass
            total += sum(status != 0 for status in model.status.values())
        return total / runs

    return run
