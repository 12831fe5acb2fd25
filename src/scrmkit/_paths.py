"""Shortest paths on a sparse matrix, by hops or by lengths, from some sources or from all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve_triangular

from scrmkit import _compiled
from scrmkit._compiled import in_parallel, loops
from scrmkit._sparse import (
    STATE,
    Floats,
    Ints,
    Matrix,
    arcs_of,
    inverse,
    np,
    row_of_each,
    sparse,
    to_read,
)


_WORK = 40_000_000  # arcs and rows of a portion of sources of compiled loops
_BITS = 64  # sources that a compiled search follows together


class _Search:
    """Breadth-first search from several sources at once, level by level.

    The state is one column for each source. A level with a wide frontier is one product of
    matrices; one with a narrow frontier touches only the arcs that leave it.
    """

    def __init__(self, matrix: Matrix, turned: Matrix, sources: Ints) -> None:
        n, width = matrix.shape[0], len(sources)
        self.matrix, self.turned, self.width = matrix, turned, width
        self.depth = np.full(n * width, -1, dtype=np.int32)
        self.paths = np.zeros(n * width)
        keys = sources * width + np.arange(width)
        self.depth[keys] = 0
        self.paths[keys] = 1.0
        self.levels: list[Ints] = []
        while len(keys):
            self.levels.append(keys)
            keys = self._next(keys)

    def _is_wide(self, keys: Ints) -> bool:
        rows = keys // self.width
        arcs = int((self.matrix.indptr[rows + 1] - self.matrix.indptr[rows]).sum())
        return arcs * _NARROW > self.matrix.nnz * self.width

    def _spread(self, matrix: Matrix, keys: Ints, values: Floats) -> Floats:
        block = np.zeros(len(self.depth))
        block[keys] = values
        return np.asarray(matrix @ block.reshape(-1, self.width)).ravel()

    def _ends(self, keys: Ints) -> tuple[Ints, Ints]:
        """The keys of the ends of all arcs of a frontier, and from which of its keys."""
        arcs, counts = arcs_of(self.matrix, keys // self.width)
        start = np.repeat(np.arange(len(keys)), counts)
        return self.matrix.indices[arcs] * np.int64(self.width) + keys[start] % self.width, start

    def _next(self, keys: Ints) -> Ints:
        level = len(self.levels)
        if self._is_wide(keys):
            reached = self._spread(self.turned, keys, self.paths[keys])
            found = np.flatnonzero((reached > 0) & (self.depth < 0))
            self.paths[found] = reached[found]
        else:
            ends, start = self._ends(keys)
            new = self.depth[ends] < 0
            ends, start = ends[new], start[new]
            np.add.at(self.paths, ends, self.paths[keys[start]])
            found = np.unique(ends)
        self.depth[found] = level
        return found

    def dependencies(self) -> Floats:
        """How much of the shortest paths from each source passes through each row (Brandes)."""
        passing = np.zeros(len(self.depth))
        for level in range(len(self.levels) - 1, 1, -1):
            keys, below = self.levels[level - 1], self.levels[level]
            if self._is_wide(keys):
                value = (1 + passing[below]) / self.paths[below]
                gathered = self._spread(self.matrix, below, value)[keys]
            else:
                ends, start = self._ends(keys)
                deeper = self.depth[ends] == level
                ends, start = ends[deeper], start[deeper]
                value = (1 + passing[ends]) / self.paths[ends]
                gathered = np.bincount(start, weights=value, minlength=len(keys)).astype(float)
            passing[keys] = self.paths[keys] * gathered
        return passing.reshape(-1, self.width)


_NARROW = 30


def _batches(sources: Ints, size: int) -> Iterator[Ints]:
    width = max(1, min(len(sources), 256, STATE // max(size, 1)))
    for first in range(0, len(sources), width):
        yield sources[first : first + width]


def hop_dependencies(matrix: Matrix, sources: Ints) -> Floats:
    """The sum over sources of the shares of shortest paths through each row, in hops."""
    if _compiled.enabled():
        return _hop_dependencies(matrix, sources)
    pattern = _pattern(matrix)
    turned = pattern.T.tocsr()
    total = np.zeros(matrix.shape[0])
    for batch in _batches(sources, matrix.shape[0]):
        total += _Search(pattern, turned, batch).dependencies().sum(axis=1)
    return total


def _hop_dependencies(matrix: Matrix, sources: Ints) -> Floats:
    """As `hop_dependencies`, by compiled loops.

    The portions of sources depend on the matrix alone and are added in order, so the number
    of cores changes nothing.
    """
    run = loops("_path_loops").dependencies
    turned = matrix.T.tocsr()
    given = (*_read(matrix), *_read(turned), to_read(sources, np.int64))
    width = max(1, _WORK // (matrix.nnz + matrix.shape[0] + 1))

    def portion(number: int) -> Floats:
        last = min((number + 1) * width, len(sources))
        return np.asarray(run(*given, number * width, last))

    total = np.zeros(matrix.shape[0])
    for part in in_parallel(portion, -(-len(sources) // width)):
        total += part
    return total


def _read(matrix: Matrix) -> tuple[Any, Any]:
    return to_read(matrix.indptr, np.int64), to_read(matrix.indices, np.int32)


def hop_distances(matrix: Matrix, sources: Ints) -> Iterator[Floats]:
    """For batches of sources, the hops from each to each row: one column for each source."""
    pattern = _pattern(matrix)
    turned = pattern.T.tocsr()
    for batch in _batches(sources, matrix.shape[0]):
        depth = _Search(pattern, turned, batch).depth.reshape(-1, len(batch))
        yield np.where(depth < 0, np.inf, depth)


def link_distances(lengths: Matrix, sources: Ints) -> Iterator[Floats]:
    """As `hop_distances`, where each arc has its own length."""
    for batch in _batches(sources, lengths.shape[0]):
        yield csgraph.dijkstra(lengths, indices=batch).T


def distance_sums(
    lengths: Matrix, sources: Ints, walk: Callable[[Matrix, Ints], Iterator[Floats]]
) -> tuple[Floats, Floats]:
    """For each row, how many of the sources reach it, and the sum of their distances.

    Args:
        lengths: the length of each arc.
        sources: from whom; each reaches itself.
        walk: `hop_distances` or `link_distances`.
    """
    n = lengths.shape[0]
    reached, distance = np.zeros(n), np.zeros(n)
    if walk is hop_distances and _compiled.enabled():
        run = loops("_path_loops").distance_sums
        given = (*_read(lengths), to_read(sources, np.int64))

        def portion(number: int) -> Any:
            return run(*given, number * _BITS, min((number + 1) * _BITS, len(sources)))

        for some, far in in_parallel(portion, -(-len(sources) // _BITS)):
            reached += some
            distance += far
        return reached, distance
    for block in walk(lengths, sources):
        finite = np.isfinite(block)
        reached += finite.sum(axis=1)
        distance += np.where(finite, block, 0.0).sum(axis=1)
    return reached, distance


def link_dependencies(lengths: Matrix, sources: Ints) -> Floats:
    """As `hop_dependencies`, where each arc has its own length.

    Lengths within 1e-9 of the shortest count as shortest. The arcs that lie on shortest
    paths lead away from the source, so in order of distance their matrix is triangular.
    """
    n = lengths.shape[0]
    rows, columns = row_of_each(lengths), lengths.indices
    total = np.zeros(n)
    for batch in _batches(sources, max(n, lengths.nnz)):
        distance = csgraph.dijkstra(lengths, indices=batch)
        near, far = distance[:, rows], distance[:, columns]
        on_path = (near < far) & (near + lengths.data <= far * (1 + 1e-9)) & np.isfinite(near)
        source, arc = np.nonzero(on_path)
        size = distance.size
        order = np.argsort(distance, axis=None, kind="stable")
        place = np.empty(size, dtype=np.int64)
        place[order] = np.arange(size)
        below, above = place[source * n + columns[arc]], place[source * n + rows[arc]]
        first = place[np.arange(len(batch)) * n + batch]
        starts = np.zeros(size)
        starts[first] = 1.0
        ends = below.astype(np.int32), above.astype(np.int32)  # what SuperLU takes
        arcs = sparse.coo_array((-np.ones(len(arc)), ends), shape=(size, size))
        downwards = (sparse.eye_array(size) + arcs).tocsc()
        paths = spsolve_triangular(downwards, starts, lower=True, unit_diagonal=True)
        upwards = downwards.T
        passing = paths * spsolve_triangular(
            upwards, inverse(paths), lower=False, unit_diagonal=True
        )
        passing = np.where(paths > 0, passing - 1, 0.0)
        passing[first] = 0.0
        total += np.maximum(passing, 0.0)[place].reshape(-1, n).sum(axis=0)
    return total


def _pattern(matrix: Matrix) -> Matrix:
    parts = (np.ones(matrix.nnz), matrix.indices, matrix.indptr)
    pattern: Matrix = sparse.csr_array(parts, shape=matrix.shape)
    return pattern


def shortest_in(lengths: Matrix) -> Floats:
    """The shortest arc that comes into each row; 0 where there is none."""
    shortest = np.full(lengths.shape[0], np.inf)
    np.minimum.at(shortest, lengths.indices, lengths.data)
    return np.where(np.isfinite(shortest), shortest, 0.0)


def reaches(
    lengths: Matrix, walk: Callable[[Matrix, Ints], Iterator[Floats]]
) -> tuple[Floats, Floats]:
    """For each row, how many are in its component, and how far away those can be at most.

    Whoever reaches the row either does so through the best-connected one, the centre (then
    the distance is at most that to the centre and on), or over others only of which none
    reaches the centre, or of which the centre reaches none.
    """
    n = lengths.shape[0]
    labels = csgraph.connected_components(lengths, directed=False)[1]
    size = np.bincount(labels, minlength=n)[labels].astype(np.float64)
    longest_arc = float(lengths.data.max()) if lengths.nnz else 0.0
    turned = lengths.T.tocsr()
    centre = np.array([np.argmax(np.diff(lengths.indptr) + np.diff(turned.indptr))])
    onwards = next(iter(walk(lengths, centre)))[:, 0]
    inwards = next(iter(walk(turned, centre)))[:, 0]
    arriving, leaving = np.isfinite(inwards), np.isfinite(onwards)
    aside = longest_arc * max(int(np.count_nonzero(~arriving)) - 1, 0)
    through = np.maximum(inwards[arriving].max() + onwards, aside)
    beyond = longest_arc * max(int(np.count_nonzero(~leaving)) - 1, 0)
    longest = np.where(leaving, through, beyond)
    return size, np.minimum(longest, (size - 1) * longest_arc)
