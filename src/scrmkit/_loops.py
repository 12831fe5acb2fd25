"""Simulations of diffusion one customer at a time, compiled by numba.

Entered only where `_compiled.enabled` says so. Each function here has a form in numpy in
the room that calls it, and both draw the same coins.
"""

from __future__ import annotations

import math
from typing import Any

from scrmkit._arcs import BITS, COARSE, INDEX, PART, SMALL
from scrmkit._coins import COARSEST, FIRST, FOURTH, GOLDEN, OTHER, SECOND, THIRD, UNIT
from scrmkit._compiled import compiled
from scrmkit._sparse import np


WINDOW = 32

_ELEVEN = np.uint64(11)
_TWENTY_SEVEN = np.uint64(27)
_THIRTY = np.uint64(30)
_THIRTY_ONE = np.uint64(31)


@compiled
def _mix(word: Any) -> Any:
    word = (word ^ (word >> _THIRTY)) * FIRST
    word = (word ^ (word >> _TWENTY_SEVEN)) * SECOND
    return word ^ (word >> _THIRTY_ONE)


@compiled
def _key_of(series: Any, world: int) -> Any:
    return _mix(series + np.uint64(world + 1) * GOLDEN)


@compiled
def _draw(key: Any, place: int) -> Any:
    return np.int64(_mix(key + np.uint64(place + 1) * GOLDEN) >> _ELEVEN)


@compiled
def _next_live(key: Any, place: int, end: int, words: Any) -> int:
    """The first arc from a place on that is live in a world; the end where there is none."""
    while place < end:
        likely = words[place] >> BITS
        bits = _draw(key, place)
        if likely >= SMALL:
            if bits >> COARSE < likely:
                return place
        else:
            skipped = math.log((bits + 1) * UNIT) / math.log1p(-likely * PART)
            if skipped >= end - place:
                return end
            place += int(skipped)
            found = words[place] >> BITS
            if found == likely or _draw(key ^ OTHER, place) * UNIT * likely < found:
                return place
        place += 1
    return end


@compiled
def _fetch(queue: Any, place: int, size: int, indptr: Any, words: Any, low: Any, high: Any) -> Any:
    """The arcs of the next customers of a queue, how many these are, and what has no meaning.

    All their first and last arcs are read at once, because memory is slow to answer.
    """
    count = min(len(low), size - place)
    for number in range(count):
        one = queue[place + number]
        low[number] = indptr[one]
        high[number] = indptr[one + 1]
    read = np.int64(0)
    for number in range(count):
        if low[number] < high[number]:
            read ^= words[low[number]] ^ words[high[number] - 1]
    return count, read


@compiled
def cascade(
    indptr: Any,
    words: Any,
    seeds: Any,
    values: Any,
    series: Any,
    first: int,
    last: int,
    reached: Any,
    steps: Any,
) -> Any:
    """The value of who is reached in some worlds; who and after how many steps, if asked."""
    n = len(indptr) - 1
    seen = np.zeros(n, dtype=np.bool_)
    queue = np.empty(n, dtype=np.int32)
    low, high = np.empty(WINDOW, dtype=np.int64), np.empty(WINDOW, dtype=np.int64)
    reach = np.zeros(last - first)
    read = np.int64(0)
    for world in range(first, last):
        key = _key_of(series, world)
        size = len(seeds)
        for place in range(size):
            queue[place] = seeds[place]
            seen[seeds[place]] = True
        begin, end, step = 0, size, 1
        while begin < size:
            count, junk = _fetch(queue, begin, end, indptr, words, low, high)
            read ^= junk
            for number in range(count):
                arc = _next_live(key, low[number], high[number], words)
                while arc < high[number]:
                    other = words[arc] & INDEX
                    if not seen[other]:
                        seen[other] = True
                        queue[size] = other
                        size += 1
                        if len(steps):
                            steps[other] += step
                    arc = _next_live(key, arc + 1, high[number], words)
            begin += count
            if begin == end:
                end, step = size, step + 1
        reach[world - first] = _total(queue, size, values)
        for place in range(size):
            seen[queue[place]] = False
            if len(reached):
                reached[queue[place]] += 1
    return reach, read


@compiled
def _total(queue: Any, size: int, values: Any) -> float:
    """The value of the first customers of a queue; how many they are where all count alike."""
    if not len(values):
        return float(size)
    total = 0.0
    for place in range(size):
        total += values[queue[place]]
    return total


@compiled
def threshold(
    indptr: Any,
    indices: Any,
    pushes: Any,
    limits: Any,
    seeds: Any,
    values: Any,
    series: Any,
    first: int,
    last: int,
    reached: Any,
    steps: Any,
) -> Any:
    """As `cascade`, where one is reached by as many pushes as one's limit.

    Limits are drawn in each world where none are given.
    """
    n = len(indptr) - 1
    seen = np.zeros(n, dtype=np.int8)  # 1 pushed, 2 reached
    left = np.zeros(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.int32)
    pushed = np.empty(n, dtype=np.int32)
    reach = np.zeros(last - first)
    for world in range(first, last):
        key = _key_of(series, world)
        size = len(seeds)
        for place in range(size):
            queue[place] = seeds[place]
            seen[seeds[place]] = 2
        begin, step, touched = 0, 0, 0
        while begin < size:
            end = size
            step += 1
            for place in range(begin, end):
                start = queue[place]
                for arc in range(indptr[start], indptr[start + 1]):
                    other = indices[arc]
                    if seen[other] == 2:
                        continue
                    if seen[other] == 0:
                        seen[other] = 1
                        pushed[touched] = other
                        touched += 1
                        left[other] = (
                            limits[other] if len(limits) else (_draw(key, other) >> COARSEST) + 1
                        )
                    left[other] -= pushes[arc]
                    if left[other] <= 0:
                        seen[other] = 2
                        queue[size] = other
                        size += 1
                        if len(steps):
                            steps[other] += step
            begin = end
        for place in range(touched):
            seen[pushed[place]] = 0
        reach[world - first] = _total(queue, size, values)
        for place in range(size):
            seen[queue[place]] = 0
            if len(reached):
                reached[queue[place]] += 1
    return reach


@compiled
def rumour(
    indptr: Any,
    words: Any,
    signs: Any,
    quality: float,
    seeds: Any,
    values: Any,
    series: Any,
    first: int,
    last: int,
    good: Any,
    bad: Any,
) -> Any:
    """As `cascade`, with an opinion: the value of who ends with a good one, and with a bad one."""
    n = len(indptr) - 1
    opinion = np.zeros(n, dtype=np.int8)
    settled = np.zeros(n, dtype=np.bool_)
    best = np.empty(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.int32)
    reach = np.zeros((2, last - first))
    for world in range(first, last):
        key = _key_of(series, world)
        size = len(seeds)
        for place in range(size):
            queue[place] = seeds[place]
            opinion[seeds[place]] = 1
        begin, end = 0, 0
        while end < size:
            begin, end = end, size
            for place in range(begin, end):
                one = queue[place]
                if opinion[one] > 0 and _draw(key ^ THIRD, one) * UNIT >= quality:
                    opinion[one] = -1
                settled[one] = True
            for place in range(begin, end):
                start = queue[place]
                stop = indptr[start + 1]
                arc = _next_live(key, indptr[start], stop, words)
                while arc < stop:
                    other = words[arc] & INDEX
                    if not settled[other]:
                        order = _draw(key ^ FOURTH, arc)
                        if opinion[other] == 0:
                            queue[size] = other
                            size += 1
                            best[other] = order + 1
                        if order < best[other]:
                            best[other] = order
                            opinion[other] = opinion[start] * signs[arc]
                    arc = _next_live(key, arc + 1, stop, words)
        for place in range(size):
            one = queue[place]
            settled[one] = False
            value = values[one] if len(values) else 1.0
            if opinion[one] > 0:
                reach[0, world - first] += value
                if len(good):
                    good[one] += 1
            else:
                reach[1, world - first] += value
                if len(bad):
                    bad[one] += 1
            opinion[one] = 0
    return reach


@compiled
def _root_of(key: Any, roots: Any, upto: Any) -> Any:
    """Who a sample begins with: anybody of the roots, or by their values where given."""
    part = _draw(key ^ OTHER, -1) * UNIT
    if len(upto):
        return roots[np.searchsorted(upto, part, side="right")]
    return roots[int(part * len(roots))]


@compiled
def _room_for(members: Any, size: int, more: int) -> Any:
    if size + more <= len(members):
        return members
    longer = np.empty(2 * len(members) + more, dtype=np.int32)
    longer[:size] = members[:size]
    return longer


@compiled
def cascade_samples(
    indptr: Any,
    words: Any,
    roots: Any,
    upto: Any,
    series: Any,
    first: int,
    last: int,
) -> Any:
    """Who would reach the root of each of some samples, by arcs taken backwards."""
    n = len(indptr) - 1
    seen = np.zeros(n, dtype=np.bool_)
    members = np.empty(n + 8 * (last - first), dtype=np.int32)
    sizes = np.empty(last - first, dtype=np.int64)
    low, high = np.empty(WINDOW, dtype=np.int64), np.empty(WINDOW, dtype=np.int64)
    read = np.int64(0)
    size = 0
    for sample in range(first, last):
        key = _key_of(series, sample)
        members = _room_for(members, size, n)
        begin = size
        root = _root_of(key, roots, upto)
        members[size] = root
        seen[root] = True
        size += 1
        place = begin
        while place < size:
            count, junk = _fetch(members, place, size, indptr, words, low, high)
            read ^= junk
            place += count
            for number in range(count):
                arc = _next_live(key, low[number], high[number], words)
                while arc < high[number]:
                    other = words[arc] & INDEX
                    if not seen[other]:
                        seen[other] = True
                        members[size] = other
                        size += 1
                    arc = _next_live(key, arc + 1, high[number], words)
        for place in range(begin, size):
            seen[members[place]] = False
        sizes[sample - first] = size - begin
    return members[:size].copy(), sizes, read


@compiled
def rescue_samples(
    indptr: Any,
    words: Any,
    told: Any,
    roots: Any,
    upto: Any,
    series: Any,
    first: int,
    last: int,
) -> Any:
    """As `cascade_samples`: those who are no further from the root than who was told.

    Nobody where the root is reached by none who was told.
    """
    n = len(indptr) - 1
    seen = np.zeros(n, dtype=np.bool_)
    members = np.empty(n + 8 * (last - first), dtype=np.int32)
    sizes = np.empty(last - first, dtype=np.int64)
    size = 0
    for sample in range(first, last):
        key = _key_of(series, sample)
        members = _room_for(members, size, n)
        first_of_all = size
        root = _root_of(key, roots, upto)
        members[size] = root
        seen[root] = True
        size += 1
        begin, found = first_of_all, told[root]
        while begin < size and not found:
            end = size
            for place in range(begin, end):
                member = members[place]
                stop = indptr[member + 1]
                arc = _next_live(key, indptr[member], stop, words)
                while arc < stop:
                    other = words[arc] & INDEX
                    if not seen[other]:
                        seen[other] = True
                        members[size] = other
                        size += 1
                        found = found or told[other]
                    arc = _next_live(key, arc + 1, stop, words)
            begin = end
        kept = first_of_all
        for place in range(first_of_all, size):
            member = members[place]
            seen[member] = False
            if found and not told[member] and not told[root]:
                members[kept] = member
                kept += 1
        size = kept
        sizes[sample - first] = size - first_of_all
    return members[:size].copy(), sizes


@compiled
def walk_samples(
    indptr: Any,
    indices: Any,
    shares: Any,
    roots: Any,
    upto: Any,
    series: Any,
    first: int,
    last: int,
) -> Any:
    """As `cascade_samples`, where everybody listens to one other: shares add up in each row."""
    n = len(indptr) - 1
    seen = np.zeros(n, dtype=np.bool_)
    members = np.empty(n + 8 * (last - first), dtype=np.int32)
    sizes = np.empty(last - first, dtype=np.int64)
    size = 0
    for sample in range(first, last):
        key = _key_of(series, sample)
        members = _room_for(members, size, n)
        begin = size
        one = _root_of(key, roots, upto)
        while not seen[one]:
            seen[one] = True
            members[size] = one
            size += 1
            low, high = indptr[one], indptr[one + 1]
            part = _draw(key, one) * UNIT
            arc = low + np.searchsorted(shares[low:high], part, side="right")
            if arc == high:
                break
            one = indices[arc]
        for place in range(begin, size):
            seen[members[place]] = False
        sizes[sample - first] = size - begin
    return members[:size].copy(), sizes


@compiled
def take_from(gains: Any, samples: Any, starts: Any, members: Any) -> None:
    """Take 1 from the gain of each member of some samples."""
    for sample in samples:
        for place in range(starts[sample], starts[sample + 1]):
            gains[members[place]] -= 1
