"""Running a diffusion in many worlds: how many are reached, who, and after how many steps.

Everything here works on plain arrays. Loops compiled by numba and numpy over many worlds at
once draw the same coins, so they give the same worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from scrmkit import _compiled
from scrmkit._arcs import WORK, Arcs
from scrmkit._coins import COARSEST, FOURTH, THIRD, Words, draw, keys_of, part
from scrmkit._compiled import Made, Progress, in_parallel, loops
from scrmkit._sparse import STATE, Codes, Floats, Ints, Matrix, np, spans


_PORTION: Final = 256
UNITS: Final = 2.0**40  # pushes and limits are whole numbers of its parts


@frozen(eq=False)
class Worlds:
    """In which worlds a diffusion runs, and what is kept of them.

    Attributes:
        series: the key of the series.
        runs: how many worlds.
        counted: whether it is counted who was reached, and after how many steps.
        progress: is told how far it has come.
    """

    series: np.uint64
    runs: int
    counted: bool = False
    progress: Progress | None = None


@frozen(eq=False)
class Outcome:
    """What came of a diffusion in a number of worlds.

    Attributes:
        reach: the value of those reached, for each world; of a rumour two rows, good and bad.
        counts: two rows, empty where not counted: in how many worlds each customer was
            reached, and the sum of the steps; of a rumour how often with a good and with a
            bad opinion.
    """

    reach: Floats
    counts: Ints


Portion = Callable[[int, int, Ints], Floats]


def run_cascade(arcs: Arcs, seeds: Ints, values: Floats, worlds: Worlds) -> Outcome:
    """Who is reached where each arc passes on with its probability (Kempe et al. 2003).

    Args:
        arcs: the arcs.
        seeds: the positions of those who begin.
        values: what each customer counts; empty where all count 1.
        worlds: in which worlds.
    """

    def portion(first: int, last: int, counts: Ints) -> Floats:
        if _compiled.enabled():
            run = loops("_loops").cascade
            reach, _ = run(
                arcs.indptr, arcs.words, seeds, values, worlds.series, first, last, *counts
            )
            return np.asarray(reach)
        return _cascade(arcs, seeds, values, keys_of(worlds.series, np.arange(first, last)), counts)

    return _run(portion, len(arcs.heads), len(arcs), worlds)


def run_threshold(
    matrix: Matrix, limits: Floats | None, seeds: Ints, values: Floats, worlds: Worlds
) -> Outcome:
    """Who is reached where one joins when the weights of those who did are one's limit.

    Limits are drawn from 0 to 1 in each world where none are given. A sum that lacks 1e-9 of
    a limit reaches it.
    """
    indptr = matrix.indptr.astype(np.int64)
    pushes = np.round(matrix.data * UNITS).astype(np.int64)
    whole = np.zeros(0, dtype=np.int64)
    if limits is not None:
        rounded = np.bincount(matrix.indices, minlength=len(limits))  # each push by half a unit
        whole = np.ceil(limits * (1 - 1e-9) * UNITS).astype(np.int64) - rounded
        whole = np.maximum(whole, 1)
    given = (indptr, matrix.indices, pushes, whole, seeds, values)

    def portion(first: int, last: int, counts: Ints) -> Floats:
        if _compiled.enabled():
            run = loops("_loops").threshold
            return np.asarray(run(*given, worlds.series, first, last, *counts))
        return _threshold(*given, keys_of(worlds.series, np.arange(first, last)), counts)

    return _run(portion, len(indptr) - 1, matrix.nnz, worlds)


def run_rumour(
    arcs: Arcs, signs: Ints, quality: float, seeds: Ints, values: Floats, worlds: Worlds
) -> Outcome:
    """As `run_cascade`, with a good or bad opinion: the first who tells gives theirs.

    Of several who tell in one step, chance decides. Along an arc of sign -1 it turns round,
    and a good one turns bad with probability ``1 - quality`` in each who holds it.
    """

    def portion(first: int, last: int, counts: Ints) -> Floats:
        if _compiled.enabled():
            run = loops("_loops").rumour
            given = (arcs.indptr, arcs.words, signs, quality, seeds, values)
            return np.asarray(run(*given, worlds.series, first, last, *counts))
        keys = keys_of(worlds.series, np.arange(first, last))
        return _rumour(arcs, signs, quality, seeds, values, keys, counts)

    return _run(portion, len(arcs.heads), len(arcs), worlds)


def _run(portion: Portion, n: int, arcs: int, worlds: Worlds) -> Outcome:
    """All worlds, in portions; counts are whole numbers, so their order does not matter."""
    width = min(_PORTION, (WORK if _compiled.enabled() else 2 * STATE) // max(n + arcs, 1))
    bounds = [*range(0, worlds.runs, max(1, width)), worlds.runs]
    size = n if worlds.counted else 0

    def make(number: int) -> tuple[Floats, Ints]:
        counts = np.zeros((2, size), dtype=np.int64)
        return portion(bounds[number], bounds[number + 1], counts), counts

    made = (in_parallel if _compiled.enabled() else _one_by_one)(make, len(bounds) - 1)
    reach, total = [], np.zeros((2, size), dtype=np.int64)
    for end, (values, counts) in zip(bounds[1:], made, strict=True):
        reach.append(values)
        total += counts
        if worlds.progress is not None:
            worlds.progress(f"simulated {end:,} of {worlds.runs:,} worlds")
    return Outcome(np.concatenate(reach, axis=-1), total)


def _begin(n: int, seeds: Ints, worlds: int) -> Ints:
    return (np.arange(worlds)[:, None] * n + seeds).ravel()


def _sums(states: Ints, n: int, values: Floats, worlds: int) -> Floats:
    """The value of the customers of some states, world by world."""
    weights = values[states % n] if len(values) else None
    return np.bincount(states // n, weights=weights, minlength=worlds).astype(np.float64)


def _count(states: Ints, n: int, step: int, counts: Ints) -> None:
    if counts.size:
        met = np.bincount(states % n, minlength=n)
        counts += np.stack([met, step * met])


def _cascade(arcs: Arcs, seeds: Ints, values: Floats, keys: Words, counts: Ints) -> Floats:
    n, worlds = len(arcs.heads), len(keys)
    seen = np.zeros(n * worlds, dtype=bool)
    states = _begin(n, seeds, worlds)
    reach, step = np.zeros(worlds), 0
    while len(states):
        seen[states] = True
        reach += _sums(states, n, values, worlds)
        _count(states, n, step, counts)
        owner, arc = arcs.live(keys[states // n], states % n)
        ends = states[owner] // n * n + arcs.ends(arc)
        states = np.unique(ends[~seen[ends]])
        step += 1
    return reach


def _threshold(
    indptr: Ints,
    indices: Codes,
    pushes: Ints,
    limits: Ints,
    seeds: Ints,
    values: Floats,
    keys: Words,
    counts: Ints,
) -> Floats:
    n, worlds = len(indptr) - 1, len(keys)
    seen = np.zeros(n * worlds, dtype=bool)
    drawn = (draw(keys[:, None], np.arange(n)[None, :]) >> COARSEST) + 1
    left = drawn.ravel() if not len(limits) else np.tile(limits, worlds)
    states = _begin(n, seeds, worlds)
    reach, step = np.zeros(worlds), 0
    while len(states):
        seen[states] = True
        reach += _sums(states, n, values, worlds)
        _count(states, n, step, counts)
        owner, arc = spans(indptr[states % n], indptr[states % n + 1])
        ends = states[owner] // n * n + indices[arc]
        np.subtract.at(left, ends, pushes[arc])
        states = np.unique(ends[~seen[ends] & (left[ends] <= 0)])
        step += 1
    return reach


def _rumour(
    arcs: Arcs,
    signs: Ints,
    quality: float,
    seeds: Ints,
    values: Floats,
    keys: Words,
    counts: Ints,
) -> Floats:
    n, worlds = len(arcs.heads), len(keys)
    opinion = np.zeros(n * worlds, dtype=np.int8)
    states = _begin(n, seeds, worlds)
    opinion[states] = 1
    while len(states):
        spoilt = part(keys[states // n] ^ THIRD, states % n) >= quality
        opinion[states[spoilt & (opinion[states] > 0)]] = -1
        owner, arc = arcs.live(keys[states // n], states % n)
        ends = states[owner] // n * n + arcs.ends(arc)
        new = opinion[ends] == 0
        owner, arc, ends = owner[new], arc[new], ends[new]
        turn = np.lexsort((draw(keys[ends // n] ^ FOURTH, arc), ends))
        owner, arc, ends = owner[turn], arc[turn], ends[turn]
        told, first = np.unique(ends, return_index=True)
        opinion[told] = opinion[states[owner[first]]] * signs[arc[first]]
        states = told
    held = [np.flatnonzero(opinion == kind) for kind in (1, -1)]
    if counts.size:
        counts += np.stack([np.bincount(states % n, minlength=n) for states in held])
    return np.stack([_sums(states, n, values, worlds) for states in held])


def _one_by_one(make: Callable[[int], Made], count: int) -> Iterator[Made]:
    yield from map(make, range(count))
