"""Shortest paths in hops, level by level, compiled by numba.

Entered only where `_compiled.enabled` says so. Each function here has a form in numpy in
`_paths`. Arcs are given twice in compressed rows: as they leave a row (``out``, ``ends``) and
as they come into it (``back``, ``starts``).

The next level is found along the arcs that leave the last one, or along those that come into
all who are not seen yet, whichever are fewer (Beamer et al. 2012, doi:10.1109/SC.2012.50); and
likewise on the way back. Who is not seen has sum 0 and arcs from nobody seen but the last
level, so that sums need no questions asked: the processor would often guess the answer wrong.
Large levels are in order of row, because memory is slow to answer where rows are not.
"""

from __future__ import annotations

from typing import Any

from scrmkit._compiled import compiled
from scrmkit._sparse import np


_LARGE = 16  # a level of one row in so many, or more, is put into order

_PAIRS = np.uint64(0x5555555555555555)
_FOURS = np.uint64(0x3333333333333333)
_EIGHTS = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)
_ZERO, _ONE, _TWO, _FOUR, _LAST_BYTE = (np.uint64(number) for number in (0, 1, 2, 4, 56))


@compiled
def _row_sum(arcs: Any, ends: Any, row: int, values: Any) -> float:
    """The sum of the values at the ends of the arcs of a row."""
    total = 0.0
    for arc in range(arcs[row], arcs[row + 1]):
        total += values[ends[arc]]
    return total


@compiled
def _push(
    arcs: Any, ends: Any, queue: Any, begin: int, end: int, values: Any, sums: Any, size: int
) -> int:
    """Add the values of some places of a queue to the sums at the ends of their arcs.

    Whose sum was 0 is put into the queue; gives its new size.
    """
    for place in range(begin, end):
        row, value = queue[place], values[place]
        for arc in range(arcs[row], arcs[row + 1]):
            other = ends[arc]
            before = sums[other]
            queue[size] = other
            size += before == 0.0
            sums[other] = before + value
    return size


@compiled
def _search(
    out: Any,
    ends: Any,
    back: Any,
    starts: Any,
    sums: Any,
    queue: Any,
    paths: Any,
    bounds: Any,
    leaving: Any,
    coming: Any,
) -> int:
    """How many shortest paths lead from the first of a queue to each place of it.

    Gives the number of levels. A level is the places of the queue between two bounds, and has
    so many arcs that leave it, and so many that come into it. Sums of rows not seen are 0;
    those of rows seen before the last level have no meaning.
    """
    n = len(out) - 1
    seen = np.zeros(n, dtype=np.bool_)
    sums.fill(0.0)
    sums[queue[0]] = 1.0
    begin, end, level, left = 0, 1, 0, back[n]
    bounds[0] = 0
    while begin < end:
        leaving[level], coming[level] = 0, 0
        for place in range(begin, end):
            row = queue[place]
            seen[row] = True
            paths[place] = sums[row]
            leaving[level] += out[row + 1] - out[row]
            coming[level] += back[row + 1] - back[row]
        left -= coming[level]
        size = end
        if leaving[level] <= left + n:
            size = _push(out, ends, queue, begin, end, paths, sums, size)
            if (size - end) * _LARGE > n:
                size = end
                for row in range(n):
                    queue[size] = row
                    size += (sums[row] != 0.0) & (not seen[row])
        else:
            for row in range(n):
                if sums[row] == 0.0:
                    found = _row_sum(back, starts, row, sums)
                    queue[size] = row
                    paths[size] = found
                    size += found != 0.0
            for place in range(end, size):
                sums[queue[place]] = paths[place]
        level += 1
        bounds[level] = end
        begin, end = end, size
    return level


@compiled
def dependencies(
    out: Any, ends: Any, back: Any, starts: Any, sources: Any, first: int, last: int
) -> Any:
    """The sum over some of the sources of the shares of shortest paths through each row.

    On the way back (Brandes 2001), each row of a level passes on to the level before, along
    each of its arcs from there, one over its paths, times one and what passes through it.
    Arcs lead at most one level deeper, and sums of levels before are 0 until written, so
    here too sums need no questions asked.
    """
    n = len(out) - 1
    total, sums = np.zeros(n), np.empty(n)
    queue = np.empty(n + 1, dtype=np.int32)
    paths, shares = np.empty(n + 1), np.empty(n + 1)
    bounds, leaving, coming = np.empty((3, n + 2), dtype=np.int64)
    for number in range(first, last):
        queue[0] = sources[number]
        levels = _search(out, ends, back, starts, sums, queue, paths, bounds, leaving, coming)
        sums.fill(0.0)
        for level in range(levels - 1, 0, -1):
            begin, end, size = bounds[level], bounds[level + 1], bounds[min(level + 2, levels)]
            if level + 1 == levels:
                for place in range(begin, end):
                    shares[place] = 0.0
            elif leaving[level] <= coming[level + 1]:
                for place in range(begin, end):
                    shares[place] = _row_sum(out, ends, queue[place], sums)
            else:
                for place in range(end, size):
                    row, value = queue[place], shares[place]
                    for arc in range(back[row], back[row + 1]):
                        sums[starts[arc]] += value
                for place in range(begin, end):
                    shares[place] = sums[queue[place]]
            for place in range(begin, end):
                row = queue[place]
                passing = paths[place] * shares[place]
                total[row] += passing
                shares[place] = (1.0 + passing) / paths[place]
                sums[row] = shares[place]
    return total


@compiled
def _ones(word: Any) -> Any:
    """How many bits of a word of 64 are set."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _FOURS) + ((word >> _TWO) & _FOURS)
    word = (word + (word >> _FOUR)) & _EIGHTS
    return np.int64((word * _BYTES) >> _LAST_BYTE)


@compiled
def distance_sums(out: Any, ends: Any, sources: Any, first: int, last: int) -> Any:
    """How many of some sources, 64 at most, reach each row, and the sum of their hops.

    Each source is one bit of a word, so one search does for all (Then et al. 2014,
    doi:10.14778/2735496.2735507).
    """
    n = len(out) - 1
    seen, now, new = np.zeros((3, n), dtype=np.uint64)
    queue, touched = np.empty((2, n + 1), dtype=np.int32)
    reached, distance = np.zeros((2, n), dtype=np.int64)
    size, depth = 0, 0
    for number in range(first, last):
        row = sources[number]
        queue[size] = row
        size += now[row] == _ZERO
        now[row] |= _ONE << np.uint64(number - first)
    for place in range(size):
        row = queue[place]
        seen[row] = now[row]
        reached[row] = _ones(now[row])
    while size:
        count = 0
        for place in range(size):
            row = queue[place]
            bits = now[row]
            for arc in range(out[row], out[row + 1]):
                other = ends[arc]
                before = new[other]
                touched[count] = other
                count += before == _ZERO
                new[other] = before | bits
        size = 0
        depth += 1
        for place in range(count):
            row = touched[place]
            bits = new[row] & ~seen[row]
            new[row] = _ZERO
            now[row] = bits
            seen[row] |= bits
            arrived = _ones(bits)
            reached[row] += arrived
            distance[row] += depth * arrived
            queue[size] = row
            size += bits != _ZERO
    return reached, distance
