"""Reverse reachable samples: who would have reached a customer drawn at random.

The share of samples in which some customers occur is their share of the reach (Borgs,
Brautbar, Chayes, Lucier 2014, doi:10.1137/1.9781611973402.70). Samples are drawn by arcs
taken backwards, with jumps over arcs that are not live (Guo, Wang, Wei, Chen 2020,
doi:10.1145/3318464.3389740), or by walks for thresholds. Loops compiled by numba and numpy
over many samples at once draw the same coins, so they give the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from scrmkit import _compiled
from scrmkit._arcs import WORK, Arcs
from scrmkit._coins import OTHER, Words, keys_of, part
from scrmkit._compiled import in_parallel, loops
from scrmkit._sparse import STATE, Codes, Flags, Floats, Ints, Matrix, np, row_of_each


_PORTION: Final = 2_048


@frozen(eq=False)
class Roots:
    """Who samples begin with.

    Attributes:
        customers: their positions.
        upto: the shares of their values, added up; empty where all count alike.
    """

    customers: Ints
    upto: Floats

    @classmethod
    def of(cls, values: Floats) -> Roots:
        """Those with a value above 0, each as likely as its value says."""
        customers = np.flatnonzero(values > 0)
        counted = values[customers]
        if (counted == counted[:1]).all():
            return cls(customers, np.zeros(0))
        upto = np.cumsum(counted) / counted.sum()
        upto[-1] = 1.0
        return cls(customers, upto)

    def drawn(self, keys: Words) -> Ints:
        """The root of each sample."""
        share = part(keys ^ OTHER, np.full(len(keys), -1))
        if len(self.upto):
            return self.customers[np.searchsorted(self.upto, share, side="right")]
        return self.customers[(share * len(self.customers)).astype(np.int64)]


Portion = Callable[[int, int], tuple[Ints, Ints]]


@frozen(eq=False)
class Sampler:
    """A series of samples; the sample of a number is always the same.

    Args:
        n: how many customers there are.
        arcs: how many arcs.
        portion: makes the members and sizes of the samples from one number up to another.
    """

    n: int
    arcs: int
    portion: Portion

    def draw(self, first: int, last: int) -> Iterator[tuple[Ints, Ints]]:
        """Members and sizes of some samples, in portions that grow as their sizes allow."""
        if not _compiled.enabled():
            most, work = max(1, 16 * STATE // max(self.n, 1)), STATE
        else:
            most, work = _PORTION, WORK
        width = max(1, min(most, 2 * work // max(self.n + self.arcs, 1)))
        while first < last:
            end = min(first + width, last)
            members, sizes = self.portion(first, end)
            yield members, sizes
            touched = (1 + len(members) / (end - first)) * (1 + self.arcs / max(self.n, 1))
            first, width = end, max(1, min(most, 4 * width, int(work / touched)))
            if _compiled.enabled():
                yield from self._at_once(first, last, max(1, min(most, int(work / touched))))
                return

    def _at_once(self, first: int, last: int, width: int) -> Iterator[tuple[Ints, Ints]]:
        bounds = [*range(first, last, width), last]

        def make(number: int) -> tuple[Ints, Ints]:
            return self.portion(bounds[number], bounds[number + 1])

        return in_parallel(make, len(bounds) - 1)


def cascade_sampler(back: Arcs, roots: Roots, series: np.uint64) -> Sampler:
    """Samples where arcs pass on with their probability; ``back`` has them turned round."""
    given = (back.indptr, back.words, roots.customers, roots.upto)

    def portion(first: int, last: int) -> tuple[Ints, Ints]:
        if _compiled.enabled():
            members, sizes, _ = loops("_loops").cascade_samples(*given, series, first, last)
            return members, sizes
        return _cascades(back, roots, None, keys_of(series, np.arange(first, last)))

    return Sampler(len(back.heads), len(back), portion)


def rescue_sampler(back: Arcs, roots: Roots, told: Flags, series: np.uint64) -> Sampler:
    """Samples of those who are no further from a customer than the nearest who was told."""
    given = (back.indptr, back.words, told, roots.customers, roots.upto)

    def portion(first: int, last: int) -> tuple[Ints, Ints]:
        if _compiled.enabled():
            found: tuple[Ints, Ints] = loops("_loops").rescue_samples(*given, series, first, last)
            return found
        return _cascades(back, roots, told, keys_of(series, np.arange(first, last)))

    return Sampler(len(back.heads), len(back), portion)


def walk_sampler(back: Matrix, roots: Roots, series: np.uint64) -> Sampler:
    """Samples where everybody listens to one other, drawn by the shares in their row."""
    n = back.shape[0]
    indptr = back.indptr.astype(np.int64)
    rows = row_of_each(back)
    running = np.concatenate([[0.0], np.cumsum(back.data)])
    shares = running[1:] - running[indptr[rows]]
    total = np.bincount(rows, weights=back.data, minlength=n)
    ends = np.flatnonzero(np.diff(indptr) > 0)
    complete = ends[total[ends] > 1 - 1e-9]
    shares[indptr[complete + 1] - 1] = 1.0
    given = (indptr, back.indices, shares, roots.customers, roots.upto)

    def portion(first: int, last: int) -> tuple[Ints, Ints]:
        if _compiled.enabled():
            found: tuple[Ints, Ints] = loops("_loops").walk_samples(*given, series, first, last)
            return found
        return _walks(indptr, back.indices, shares, roots, keys_of(series, np.arange(first, last)))

    return Sampler(n, back.nnz, portion)


def _cascades(back: Arcs, roots: Roots, told: Flags | None, keys: Words) -> tuple[Ints, Ints]:
    n, count = len(back.indptr) - 1, len(keys)
    root = roots.drawn(keys)
    states = np.arange(count) * n + root
    seen = np.zeros(n * count, dtype=bool)
    found = np.zeros(count, dtype=bool) if told is None else told[root]
    parts = []
    while len(states):
        seen[states] = True
        parts.append(states)
        if told is not None:
            found[states[told[states % n]] // n] = True
            states = states[~found[states // n]]
        owner, arc = back.live(keys[states // n], states % n)
        ends = states[owner] // n * n + back.ends(arc)
        states = np.unique(ends[~seen[ends]])
    members = np.concatenate(parts)
    if told is not None:
        members = members[found[members // n] & ~told[members % n] & ~told[root[members // n]]]
    return _grouped(members, n, count)


def _walks(
    indptr: Ints, indices: Codes, shares: Floats, roots: Roots, keys: Words
) -> tuple[Ints, Ints]:
    n, count = len(indptr) - 1, len(keys)
    one, sample = roots.drawn(keys), np.arange(count)
    seen = np.zeros(n * count, dtype=bool)
    parts = []
    while len(one):
        new = ~seen[sample * n + one]
        one, sample = one[new], sample[new]
        states = sample * n + one
        seen[states] = True
        parts.append(states)
        arc = _listened(indptr, shares, one, part(keys[sample], one))
        going = arc < indptr[one + 1]
        one, sample = indices[arc[going]].astype(np.int64), sample[going]
    return _grouped(np.concatenate(parts), n, count)


def _listened(indptr: Ints, shares: Floats, rows: Ints, share: Floats) -> Ints:
    """The first arc of each row whose share is above a number, by bisection."""
    low, high = indptr[rows], indptr[rows + 1]
    while (low < high).any():
        middle = (low + high) // 2
        beyond = (low < high) & (shares[np.minimum(middle, len(shares) - 1)] <= share)
        low, high = np.where(beyond, middle + 1, low), np.where(beyond, high, middle)
    return low


def _grouped(states: Ints, n: int, count: int) -> tuple[Ints, Ints]:
    states = np.sort(states)
    return (states % n).astype(np.int32), np.bincount(states // n, minlength=count)
