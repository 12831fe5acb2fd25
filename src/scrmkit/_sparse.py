"""The only room that knows sparse matrices: build them, and compute with them.

Everything here works on plain arrays and on square matrices in compressed sparse rows; who
the rows are is the business of `scrmkit.graph`, what the numbers mean that of the rooms above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from scrmkit.errors import InvalidParameter, MissingExtra, NotConverged


try:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
    from scipy.sparse import csgraph
    from scipy.sparse.linalg import LinearOperator, eigsh, spsolve_triangular
except ImportError:
    raise MissingExtra("numpy or scipy", extra="graphs") from None


__all__ = ["np", "sparse"]  # for the rooms above, where one of them may be missing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"

DIGITS = 9
_LARGEST_POWER = 300
_POWERS = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])


def generator(seed: Any) -> np.random.Generator:
    """The source of random draws for a seed; refuse what is no seed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidParameter(
            "seed must be a whole number of at least 0, a list of such, a generator of "
            "numpy.random, or None",
            value=seed,
        ) from None


def round_digits(values: Floats) -> Floats:
    """Round to nine significant decimal digits; 0 for what is closer to zero than 1e-300."""
    size = np.abs(values)
    size[size == 0] = 1.0
    shift = DIGITS - 1 - np.floor(np.log10(size)).astype(np.int64)
    up = _POWERS[np.clip(shift, 0, _LARGEST_POWER)]
    down = _POWERS[np.clip(-shift, 0, _LARGEST_POWER)]
    rounded: Floats = np.round(values * up / down) / up * down
    return rounded


def narrowed(positions: Ints) -> NDArray[np.int32] | Ints:
    """Where the rows of a matrix begin, as integers of 32 bits unless they need more.

    SciPy takes the positions and the columns in one type, so with the narrow one columns of
    32 bits are not copied.
    """
    return positions if positions[-1] > np.iinfo(np.int32).max else positions.astype(np.int32)


def from_arcs(rows: NDArray[np.int32], columns: NDArray[np.int32], data: Floats, n: int) -> Matrix:
    """Compressed sparse rows of n by n from arcs in any order; parallel arcs are summed."""
    turned = sparse.coo_array((data, (columns, rows)), shape=(n, n)).tocsr()
    # Turning a matrix sorts its columns by counting, which is cheaper than sorting each row.
    matrix = turned.T.tocsr()
    matrix.has_sorted_indices = True
    matrix.sum_duplicates()
    return matrix


def mirror(upper: Matrix) -> Matrix:
    """The symmetric matrix whose upper triangle, diagonal included, is given.

    Each row is what is below the diagonal, then what is above: two sorted pieces.
    """
    n = upper.shape[0]
    above = np.diff(upper.indptr)
    lower = upper.T.tocsr()
    strict = row_of_each(lower) > lower.indices
    below = np.bincount(row_of_each(lower)[strict], minlength=n)
    indptr = narrowed(np.concatenate([[0], np.cumsum(above + below)]))
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1])
    first = np.repeat(indptr[:-1] - (np.cumsum(below) - below), below)
    second = np.repeat(indptr[1:] - np.cumsum(above), above)
    for start, source in (
        (first, (lower.indices[strict], lower.data[strict])),
        (second, (upper.indices, upper.data)),
    ):
        place = start + np.arange(len(start))
        indices[place], data[place] = source
    matrix: Matrix = sparse.csr_array((data, indices, indptr), shape=(n, n))
    matrix.has_canonical_format = True
    return matrix


def without_loops(matrix: Matrix) -> Matrix:
    """The matrix without its diagonal; the matrix itself where that is empty."""
    rows = row_of_each(matrix)
    kept = rows != matrix.indices
    if kept.all():
        return matrix
    n = matrix.shape[0]
    return from_arcs(rows[kept], matrix.indices[kept], matrix.data[kept], n)


def with_arcs(matrix: Matrix) -> Ints:
    """The rows that have an arc, out or in."""
    busy = np.diff(matrix.indptr) > 0
    busy[matrix.indices] = True
    return np.flatnonzero(busy)


def only(matrix: Matrix, rows: Ints) -> Matrix:
    """The matrix of these rows, in order, where the others have no arcs out or in."""
    n = matrix.shape[0]
    if len(rows) == n:
        return matrix
    place = np.zeros(n, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    indptr = np.append(matrix.indptr[rows], matrix.indptr[-1])
    size = (len(rows), len(rows))
    made: Matrix = sparse.csr_array((matrix.data, place[matrix.indices], indptr), shape=size)
    made.has_canonical_format = matrix.has_canonical_format
    return made


def row_of_each(matrix: Matrix) -> NDArray[np.int32]:
    """The row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))


def row_sums(matrix: Matrix) -> Floats:
    """The sum of each row; each is a fixed order of additions."""
    return np.asarray(matrix @ np.ones(matrix.shape[1]), dtype=np.float64)


def inverse(values: Floats) -> Floats:
    """One over each value, 0 where it is 0."""
    result: Floats = np.divide(1.0, values, out=np.zeros_like(values), where=values != 0)
    return result


def restart_walk(matrix: Matrix, restart: Floats, damping: float, *, symmetric: bool) -> Floats:
    """Where a walk is that follows arcs by weight and restarts with ``1 - damping``.

    Who has no arcs restarts always. With P the arcs over their row's sum, the answer is
    proportional to the solution of ``z = restart + damping * P' z``, which is the restart
    itself for those whom no arcs touch.
    """
    walk = restart.copy()
    tied = with_arcs(matrix)
    if restart[tied].any():
        walk[tied] = _walk_among(only(matrix, tied), restart[tied], damping, symmetric=symmetric)
    return np.asarray(walk / walk.sum())


def _walk_among(matrix: Matrix, restart: Floats, damping: float, *, symmetric: bool) -> Floats:
    """The ``z`` of `restart_walk`.

    A solver comes close; steps of the equation itself end it, because their residual bounds
    the error: at most 1e-10 in sum, and 1e-7 of each value wherever it may restart.
    """
    share = inverse(row_sums(matrix)) * damping
    back = matrix if symmetric else matrix.T.tocsr()
    limit = np.where(restart > 0, restart * 1e-7, np.inf)

    def missing(walk: Floats) -> Floats:
        return np.asarray(restart + back @ (walk * share) - walk)

    def is_small(residual: Floats, total: float) -> bool:
        size = np.abs(residual)
        return bool(size.sum() <= total and (size <= limit).all())

    walk = _solve(missing, restart, lambda residual: is_small(residual, 5e-11))
    for _ in range(_MOST_STEPS):
        residual = missing(walk)
        walk = walk + residual
        if is_small(residual, 1e-10 * (1 - damping) * float(walk.sum())):
            return np.maximum(walk, 0.0)
    raise NotConverged(
        f"PageRank with damping {damping:g} did not reach 1e-10 in {_MOST_STEPS} steps: "
        f"take a smaller damping"
    )


def _solve(
    missing: Callable[[Floats], Floats], start: Floats, is_small: Callable[[Floats], bool]
) -> Floats:
    """Nearly the vector of which nothing is missing; the start where that is not found.

    BiCGSTAB (van der Vorst 1992, doi:10.1137/0913035), for ``missing`` that is a constant
    less a linear function. Products of vectors are plain sums: those of a linear algebra
    library differ with the number of its threads.
    """
    constant = missing(np.zeros_like(start))
    found, residual = start, missing(start)
    shadow = direction = residual
    fit = float((shadow * residual).sum())
    for _ in range(_MOST_SOLVED):
        if is_small(residual):
            return found
        image = constant - missing(direction)
        across = float((shadow * image).sum())
        if fit == 0 or across == 0:
            return start
        step = fit / across
        half = residual - step * image
        smoothed = constant - missing(half)
        size = float((smoothed * smoothed).sum())
        turn = float((smoothed * half).sum()) / size if size else 0.0
        found = found + step * direction + turn * half
        residual = half - turn * smoothed
        fit, before = float((shadow * residual).sum()), fit
        if turn == 0:
            return found if is_small(residual) else start
        direction = residual + fit / before * step / turn * (direction - turn * image)
    return start


_MOST_STEPS = 20_000
_MOST_SOLVED = 100


def hub_scores(matrix: Matrix) -> Floats:
    """Hubs: the limit of ``h <- A A' h`` from equal scores, summing to 1; 0 without arcs.

    Where several centres are equally strong, each gets what it would get in the limit.
    """
    n = matrix.shape[0]
    if not matrix.nnz:
        return np.zeros(n)
    scaled = matrix / matrix.data.max()
    turned = scaled.T.tocsr()
    if n <= _DENSE:
        values, vectors = np.linalg.eigh((scaled @ turned).toarray())
        strongest = vectors[:, values >= values[-1] * (1 - 1e-9)]
        scores = strongest @ (strongest.T @ np.ones(n))
    else:
        twice = LinearOperator((n, n), matvec=lambda x: scaled @ (turned @ x), dtype=np.float64)
        start = scaled @ (turned @ np.ones(n))
        scores = eigsh(twice, k=1, v0=start, tol=1e-13)[1][:, 0]
    scores = np.abs(scores)
    scores[scores < 1e-14 * scores.max()] = 0.0
    return np.asarray(scores / scores.sum())


_DENSE = 200


def core_numbers(matrix: Matrix) -> Ints:
    """The core number of each row of a symmetric matrix without loops.

    Repeatedly takes away whoever has the fewest neighbours left (Batagelj and Zaversnik).
    """
    left = np.diff(matrix.indptr).astype(np.int64)
    core = np.zeros(len(left), dtype=np.int64)
    there = np.ones(len(left), dtype=bool)
    level = 0
    while there.any():
        level = max(level, int(left[there].min()))
        leaving = np.flatnonzero(there & (left <= level))
        while len(leaving):
            core[leaving] = level
            there[leaving] = False
            ends = matrix.indices[_arcs_of(matrix, leaving)[0]]
            touched, lost = np.unique(ends[there[ends]].astype(np.int64), return_counts=True)
            left[touched] -= lost
            leaving = touched[left[touched] <= level]
    return core


def _arcs_of(matrix: Matrix, rows: Ints) -> tuple[Ints, Ints]:
    """The positions of the arcs of some rows, and how many each row has."""
    counts = (matrix.indptr[rows + 1] - matrix.indptr[rows]).astype(np.int64)
    first = matrix.indptr[rows] - (np.cumsum(counts) - counts)
    return np.repeat(first, counts) + np.arange(counts.sum()), counts


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
        arcs, counts = _arcs_of(self.matrix, keys // self.width)
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
_STATE = 4_000_000


def _batches(sources: Ints, size: int) -> Iterator[Ints]:
    width = max(1, min(len(sources), 256, _STATE // max(size, 1)))
    for first in range(0, len(sources), width):
        yield sources[first : first + width]


def hop_dependencies(matrix: Matrix, sources: Ints) -> Floats:
    """The sum over sources of the shares of shortest paths through each row, in hops."""
    pattern = _pattern(matrix)
    turned = pattern.T.tocsr()
    total = np.zeros(matrix.shape[0])
    for batch in _batches(sources, matrix.shape[0]):
        total += _Search(pattern, turned, batch).dependencies().sum(axis=1)
    return total


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


def broker_numbers(mutual: Matrix) -> tuple[Floats, Floats]:
    """Burt's constraint and effective size of each row of a symmetric matrix without loops.

    Both need, for each tie, a sum over those whom its two ends share, so over triangles.
    """
    rows, n = row_of_each(mutual), mutual.shape[0]
    strongest = np.zeros(n)
    np.maximum.at(strongest, rows, mutual.data)
    share = mutual.data * inverse(row_sums(mutual))[rows]
    relative = mutual.data * inverse(strongest)[rows]
    around, shared = np.zeros(mutual.nnz), np.zeros(mutual.nnz)
    for ab, ba, ac, ca, bc, cb in _triangles(mutual):
        for tie, out, on, back in (
            (ab, ac, cb, bc),
            (ba, bc, ca, ac),
            (ac, ab, bc, cb),
            (ca, cb, ba, ab),
            (bc, ba, ac, ca),
            (cb, ca, ab, ba),
        ):
            np.add.at(around, tie, share[out] * share[on])
            np.add.at(shared, tie, share[out] * relative[back])
    constraint = np.bincount(rows, weights=(share + around) ** 2, minlength=n)
    redundancy = np.bincount(rows, weights=shared, minlength=n)
    return constraint.astype(np.float64), np.diff(mutual.indptr) - redundancy


def _triangles(matrix: Matrix) -> Iterator[tuple[Ints, ...]]:
    """All triangles of a symmetric matrix, as the positions of their six arcs, in portions.

    Ties point to the end with more neighbours, so nobody has many to look at; a triangle is
    a tie, a further tie from its end, and the tie that closes them (Latapy 2008,
    doi:10.1016/j.tcs.2008.07.017).
    """
    n, rows, columns = matrix.shape[0], row_of_each(matrix), matrix.indices
    degree = np.diff(matrix.indptr)
    upwards = (degree[rows] < degree[columns]) | (
        (degree[rows] == degree[columns]) & (rows < columns)
    )
    places = np.flatnonzero(upwards)
    numbered = sparse.csr_array((np.arange(matrix.nnz), columns, matrix.indptr), shape=(n, n))
    reverse = numbered.T.tocsr().data[places]
    start, end = rows[places].astype(np.int64), columns[places].astype(np.int64)
    keys = start * n + end
    out = np.bincount(start, minlength=n)
    first = np.cumsum(out) - out
    steps = np.concatenate([[0], np.cumsum(out[end])])
    begin = 0
    while begin < len(places):
        last = max(begin + 1, int(np.searchsorted(steps, steps[begin] + _STATE, side="right")) - 1)
        count = out[end[begin:last]]
        one = np.repeat(np.arange(begin, last), count)
        offset = np.repeat(first[end[begin:last]] - (steps[begin:last] - steps[begin]), count)
        two = offset + np.arange(len(one))
        wanted = start[one] * n + end[two]
        closing = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        closed = keys[closing] == wanted
        arcs = (one[closed], closing[closed], two[closed])
        yield tuple(side[arc] for arc in arcs for side in (places, reverse))
        begin = last


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
