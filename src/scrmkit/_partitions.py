"""Partitions of a graph: found by Leiden, measured by modularity, numbered by size."""

from __future__ import annotations

from attrs import frozen

from scrmkit._sparse import (
    Ints,
    Matrix,
    np,
    only,
    round_digits,
    row_of_each,
    row_sums,
    with_arcs,
)
from scrmkit.errors import MissingExtra


try:
    from graspologic_native import leiden_csr
except ImportError:
    raise MissingExtra("graspologic-native", extra="graphs") from None


@frozen
class Leiden:
    """How hard to look for communities.

    Args:
        trials: runs from scratch, of which the best counts.
        iterations: of each run, each from the partition of the one before.
        resolution: more than 1 gives smaller communities.
    """

    trials: int
    iterations: int
    resolution: float

    def partition(self, matrix: Matrix, rng: np.random.Generator) -> Ints:
        """One label for each row of a symmetric matrix without loops.

        Who has no ties is left out of the search, because Leiden spends more on somebody
        alone than on somebody with ties.

        Weights are brought to a mean of 1 first, because Leiden's randomness is measured on
        their scale: communities do not change when all ties get weaker together.
        """
        seed = int(rng.integers(2**63))
        labels = np.arange(matrix.shape[0])
        tied = with_arcs(matrix)
        n = len(tied)
        if not n:
            return labels
        matrix = only(matrix, tied)
        _, found = leiden_csr(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            round_digits(matrix.data / matrix.data.mean()),
            n,
            resolution=self.resolution,
            iterations=self.iterations,
            trials=self.trials,
            seed=seed,
        )
        members = tied[np.fromiter(found.keys(), np.int64, n)]
        labels[members] = tied[np.fromiter(found.values(), np.int64, n)]
        return labels

    def divide(self, matrix: Matrix, rng: np.random.Generator) -> float:
        """The modularity of the partition that this effort finds."""
        return modularity(matrix, self.partition(matrix, rng), self.resolution)


def modularity(matrix: Matrix, labels: Ints, resolution: float) -> float:
    """The share of weight inside communities, less resolution times what chance puts there."""
    total = float(matrix.data.sum())
    if not total:
        return 0.0
    inside = labels[row_of_each(matrix)] == labels[matrix.indices]
    volume = np.bincount(labels, weights=row_sums(matrix)) / total
    return float(matrix.data[inside].sum() / total - resolution * (volume * volume).sum())


def by_size(labels: Ints) -> Ints:
    """The same partition, numbered from the largest; equally large ones by first member."""
    if not len(labels):
        return labels
    _, first, inverse, size = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(first), dtype=np.int64)
    number[np.lexsort((first, -size))] = np.arange(len(first))
    renumbered: Ints = number[inverse]
    return renumbered
