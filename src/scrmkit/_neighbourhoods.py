"""What the neighbours of a row share: cores, triangles, and Burt's holes between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from scrmkit import _compiled
from scrmkit._compiled import loops
from scrmkit._sparse import (
    STATE,
    Floats,
    Ints,
    Matrix,
    arcs_of,
    inverse,
    np,
    row_of_each,
    row_sums,
    sparse,
    to_read,
)


_STEPS = 50_000_000  # ties that a portion of compiled loops goes through


def core_numbers(matrix: Matrix) -> Ints:
    """The core number of each row of a symmetric matrix without loops.

    Repeatedly takes away whoever has the fewest neighbours left (Batagelj and Zaversnik
    2003, arXiv:cs/0310049).
    """
    if _compiled.enabled():
        return _peeled(matrix)
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
            ends = matrix.indices[arcs_of(matrix, leaving)[0]]
            touched, lost = np.unique(ends[there[ends]].astype(np.int64), return_counts=True)
            left[touched] -= lost
            leaving = touched[left[touched] <= level]
    return core


def _peeled(matrix: Matrix) -> Ints:
    """Core numbers by compiled loops, one core after the other.

    A k-core has at least k neighbours of each, so looking at all of it for every k is no more
    than the arcs times the logarithm of the largest k.
    """
    n = matrix.shape[0]
    peel = loops("_neighbour_loops").peel
    indptr, indices = to_read(matrix.indptr, np.int64), to_read(matrix.indices, np.int32)
    left = np.diff(matrix.indptr).astype(np.int32)
    rows, queue = np.arange(n, dtype=np.int32), np.empty(n + 1, dtype=np.int32)
    core = np.zeros(n, dtype=np.int64)
    level, size = 0, n
    while size:
        size, gone = peel(indptr, indices, level, left, rows, size, queue)
        core[queue[:gone]] = level
        level += 1
    return core


def broker_numbers(mutual: Matrix) -> tuple[Floats, Floats]:
    """Burt's constraint and effective size of each row of a symmetric matrix without loops.

    Both need, for each tie, a sum over those whom its two ends share, so over triangles.
    """
    if _compiled.enabled():
        return _broker_numbers(mutual)
    rows, n = row_of_each(mutual), mutual.shape[0]
    strongest = np.zeros(n)
    np.maximum.at(strongest, rows, mutual.data)
    share = mutual.data * inverse(row_sums(mutual))[rows]
    relative = mutual.data * inverse(strongest)[rows]
    around, shared = np.zeros(mutual.nnz), np.zeros(mutual.nnz)
    for ab, ba, ac, ca, bc, cb in triangles(mutual):
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


def _broker_numbers(mutual: Matrix) -> tuple[Floats, Floats]:
    """As `broker_numbers`, by compiled loops over triangles, each found once.

    With the weight m of a tie and the sums S of rows, ``g(a, b) = m(a, b) / sqrt(S(a) S(b))``
    is the same both ways, and so are the sums over whom the ends of a tie share,
    ``sum_q g(a, q) g(q, b)`` and ``sum_q g(a, q) S(q) g(q, b)``. Each direction follows:
    ``p(a, b) = g(a, b) sqrt(S(b) / S(a))``, and ``m(b, q) = S(q) g(q, b) sqrt(S(b) / S(q))``.
    """
    n, strength = mutual.shape[0], row_sums(mutual)
    rows = row_of_each(mutual)
    strongest = np.zeros(n)
    np.maximum.at(strongest, rows, mutual.data)
    order = np.argsort(np.diff(mutual.indptr), kind="stable")
    place = np.empty(n, dtype=np.int32)
    place[order] = np.arange(n, dtype=np.int32)
    low, high = place[rows], place[mutual.indices]
    once = low < high
    root, total, most = np.sqrt(strength)[order], strength[order], strongest[order]
    size = (n, n)
    ties = sparse.coo_array((mutual.data[once], (low[once], high[once])), shape=size).tocsr()
    low, high = row_of_each(ties), ties.indices
    both = ties.data / root[low] / root[high]
    shared, multiplied = _close_triangles(ties, both, total)
    constraint, redundancy = np.zeros(n), np.zeros(n)
    for one, other in ((low, high), (high, low)):
        turn = root[other] / root[one]
        constraint += np.bincount(one, weights=((both + shared) * turn) ** 2, minlength=n)
        redundancy += np.bincount(one, weights=multiplied * turn / most[other], minlength=n)
    return constraint[place], (np.diff(mutual.indptr) - redundancy[place])


def _close_triangles(ties: Matrix, values: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """Two sums for each tie over its triangles, in portions of rows; see the compiled loop."""
    n = ties.shape[0]
    run = loops("_neighbour_loops").close_triangles
    indptr, indices = to_read(ties.indptr, np.int64), to_read(ties.indices, np.int32)
    given = (indptr, indices, to_read(values, np.float64), to_read(factors, np.float64))
    places = np.full(n, -1, dtype=np.int32)
    shared, multiplied = np.zeros(ties.nnz), np.zeros(ties.nnz)
    steps = np.append(0, np.cumsum(np.diff(indptr)[indices] + 1))[indptr]
    bounds = np.searchsorted(steps, np.arange(_STEPS, steps[-1], _STEPS))
    for first, last in pairwise([0, *bounds.tolist(), n]):
        run(*given, first, last, places, shared, multiplied)
    return shared, multiplied


def triangles(matrix: Matrix) -> Iterator[tuple[Ints, ...]]:
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
        last = max(begin + 1, int(np.searchsorted(steps, steps[begin] + STATE, side="right")) - 1)
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
