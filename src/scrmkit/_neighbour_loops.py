"""Cores and triangles of a symmetric matrix, row by row, compiled by numba.

Entered only where `_compiled.enabled` says so. `_neighbourhoods` calls these loops, and
has the forms in numpy.
"""

from __future__ import annotations

from typing import Any

from scrmkit._compiled import compiled
from scrmkit._sparse import np


@compiled
def peel(indptr: Any, indices: Any, level: int, left: Any, rows: Any, size: int, queue: Any) -> Any:
    """Take away, one after the other, all rows with as few neighbours left as the level.

    Args:
        indptr: the matrix.
        indices: the matrix.
        level: how many neighbours; all rows with fewer were taken away before.
        left: how many neighbours each row has left; below the level for who is gone.
        rows: first those that may be there; afterwards again, save who is gone at once.
        size: how many of them.
        queue: afterwards, first those who were taken away.

    Returns:
        How many rows may be there, and how many were taken away.
    """
    kept, gone = 0, 0
    for place in range(size):
        row = rows[place]
        rows[kept] = row
        queue[gone] = row
        kept += left[row] > level
        gone += left[row] == level
    place = 0
    while place < gone:
        row = queue[place]
        for arc in range(indptr[row], indptr[row + 1]):
            other = indices[arc]
            left[other] -= 1
            queue[gone] = other
            gone += left[other] == level
        place += 1
    return kept, gone


@compiled
def close_triangles(
    indptr: Any,
    indices: Any,
    data: Any,
    factors: Any,
    first: int,
    last: int,
    places: Any,
    shared: Any,
    multiplied: Any,
) -> Any:
    """For each tie of each triangle, add the product of the numbers of the two others.

    The arcs that leave the next few rows are touched together before they are gone through,
    because memory is slow to answer; what comes back is of no meaning.

    Args:
        indptr: for each row, where its ties to rows of a higher number begin.
        indices: those rows.
        data: the number of each tie.
        factors: a number of each row.
        first: the row whose triangles are the first; each belongs to its lowest row.
        last: the row after the last.
        places: as many as rows, all -1; so they are again afterwards.
        shared: for each tie, the sum of the products; is added to.
        multiplied: the same with each product times the factor of the row that is not on the
            tie; is added to.
    """
    read = np.int64(0)
    for row in range(first, last):
        begin, end = indptr[row], indptr[row + 1]
        for one in range(begin, end):
            other = indices[one]
            places[other] = one - begin
            if indptr[other] < indptr[other + 1]:
                read ^= indices[indptr[other]] ^ indices[indptr[other + 1] - 1]
        for one in range(begin, end):
            other = indices[one]
            for two in range(indptr[other], indptr[other + 1]):
                third = indices[two]
                if places[third] >= 0:
                    out = begin + places[third]
                    near, far = data[one] * data[out], data[one] * data[two]
                    across = data[out] * data[two]
                    shared[one] += across
                    shared[out] += far
                    shared[two] += near
                    multiplied[one] += across * factors[third]
                    multiplied[out] += far * factors[other]
                    multiplied[two] += near * factors[row]
        for one in range(begin, end):
            places[indices[one]] = -1
    return read
