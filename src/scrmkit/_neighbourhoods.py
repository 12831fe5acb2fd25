"""What the neighbours of a row share: cores, triangles, and Burt's holes between them."""

from __future__ import annotations

from collections.abc import Iterator

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
)


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
            ends = matrix.indices[arcs_of(matrix, leaving)[0]]
            touched, lost = np.unique(ends[there[ends]].astype(np.int64), return_counts=True)
            left[touched] -= lost
            leaving = touched[left[touched] <= level]
    return core


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
