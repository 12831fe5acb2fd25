"""Who others depend on for being answered."""

import numpy as np

from scrmkit import SocialGraph


def helpfulness(graph: SocialGraph, rng: np.random.Generator) -> np.ndarray:
    """The sum, over those whom one writes to, of the share of what they get that comes from one.

    Writing to somebody whom nobody else writes to counts 1; being one of a hundred counts .01.
    """
    matrix = graph.matrix()
    received = np.asarray(matrix.sum(axis=0), dtype=float).ravel()
    share = np.divide(1.0, received, out=np.zeros_like(received), where=received > 0)
    return matrix @ share
