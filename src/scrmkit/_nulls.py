"""Is a graph more divided than chance: random graphs and tables that keep everybody's count.

Both are made by swapping: two ties, drawn at random, exchange an end unless that would tie
somebody to itself or tie a pair twice. Everybody keeps the number of ties (in a table of who
was where: of events, and every event its size), and all else becomes random.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from attrs import frozen

from scrmkit._partitions import Leiden
from scrmkit._sparse import Flags, Ints, Matrix, from_arcs, np, row_of_each, sparse, without_loops


_LEVEL: Final = 0.05
_SPARSE: Final = 2.5
_STUCK: Final = 1.0
_MIXED: Final = 4.0
_FEW_ROUNDS: Final = 10
_MOST_ROUNDS: Final = 60
_AT_ONCE: Final = 400_000

REWIRED_TIES: Final = (
    "random graphs in which everybody has as many ties as here, made by swapping the ends of "
    "ties, without weights"
)
REWIRED_EVENTS: Final = (
    "random tables of who took part in what, in which everybody takes part as often and every "
    "event is as large as here, made by swapping, projected with weights 1 / (size - 1)"
)


@frozen
class Verdict:
    """Whether a graph is more divided than chance, or why that cannot be said.

    Args:
        significant: whether, at level .05.
        p_value: the share of random graphs at least as divided.
        observed: the modularity that one short run finds here.
        expected: the median of what such runs find in random graphs.
        null: which random graphs, in words.
        reason: why there is no answer.
        count: how many random graphs.
    """

    significant: bool | None = None
    p_value: float | None = None
    observed: float | None = None
    expected: float | None = None
    null: str | None = None
    reason: str | None = None
    count: int = 0


class Source(Protocol):
    """What is rewired, and how a graph is made of it.

    Attributes:
        null: which random graphs come of it, in words.
        table: whether left and right are things of two sorts.
        left: one end of each tie, numbered from 0; no pair twice, none with itself.
        right: the other end.
    """

    null: str
    table: bool
    left: Ints
    right: Ints

    def graph(self, left: Ints, right: Ints) -> Matrix:
        """The symmetric matrix of a graph with these ends."""


class Topology:
    """The ties of a graph, each counting 1."""

    null = REWIRED_TIES
    table = False

    def __init__(self, matrix: Matrix) -> None:
        rows = row_of_each(matrix)
        upper = rows < matrix.indices
        self.left, self.right = rows[upper].astype(np.int64), matrix.indices[upper].astype(np.int64)
        self._size = matrix.shape[0]

    def graph(self, left: Ints, right: Ints) -> Matrix:
        """The graph with these ties, both ways."""
        ends = np.concatenate([left, right]).astype(np.int32)
        others = np.concatenate([right, left]).astype(np.int32)
        return from_arcs(ends, others, np.ones(len(ends)), self._size)


class Attendance:
    """Who took part in what; two customers are tied by 1 / (size - 1) of each common event."""

    null = REWIRED_EVENTS
    table = True

    def __init__(self, customers: Ints, events: Ints) -> None:
        pairs = np.unique(np.stack([customers, events]), axis=1)
        self.left, self.right = pairs[0], pairs[1]
        size = np.bincount(self.right)
        self._shape = (int(self.left.max(initial=-1)) + 1, len(size))
        self._share = 1 / np.maximum(size - 1, 1)

    def graph(self, left: Ints, right: Ints) -> Matrix:
        """The projection of a table on its customers."""
        there = sparse.coo_array((np.ones(len(left)), (left, right)), shape=self._shape).tocsr()
        weighted = there @ sparse.diags_array(self._share)
        return without_loops((weighted @ there.T).tocsr())


def compare(source: Source, *, resolution: float, count: int, rng: np.random.Generator) -> Verdict:
    """Compare how divided a graph is with random ones; each gets one run of two iterations."""
    left, right = source.left, source.right
    ends = np.unique(left).size + np.unique(right).size if source.table else _ends(left, right)
    if 2 * len(left) < _SPARSE * ends:
        return Verdict(
            reason=f"there are only {2 * len(left) / max(ends, 1):.1f} ends of ties for each who "
            f"has any: below {_SPARSE}, swapping takes graphs apart and everything looks divided"
        )
    once = Leiden(trials=1, iterations=2, resolution=resolution)
    observed = once.divide(source.graph(left, right), rng)
    found = []
    for random in rewire(left, right, table=source.table, count=count, rng=rng):
        if random.swaps < _STUCK:
            return Verdict(
                reason="hardly any tie can be swapped for another, so there are no random "
                "graphs with the same degrees to compare with"
            )
        found.append(once.divide(source.graph(random.left, random.right), rng))
    p_value = (1 + sum(other >= observed for other in found)) / (count + 1)
    return Verdict(
        significant=p_value <= _LEVEL,
        p_value=p_value,
        observed=observed,
        expected=float(np.median(found)),
        null=source.null,
        count=count,
    )


def _ends(left: Ints, right: Ints) -> int:
    return int(np.unique(np.concatenate([left, right])).size)


@frozen
class Rewired:
    """One random graph or table.

    Args:
        left: one end of each tie, or the customers.
        right: the other end, or the events.
        swaps: how many ties were swapped on the way, for each tie.
    """

    left: Ints
    right: Ints
    swaps: float


def rewire(
    left: Ints, right: Ints, *, table: bool, count: int, rng: np.random.Generator
) -> Iterator[Rewired]:
    """Random graphs with the degrees of this one, each begun from it.

    Args:
        left: one end of each tie, numbered from 0; no pair twice, none with itself.
        right: the other end.
        table: whether left and right are things of two sorts (customers and events), so
            that only right ends are exchanged.
        count: how many.
        rng: makes the draws.
    """
    m = len(left)
    together = max(1, min(count, _AT_ONCE // max(m, 1)))
    for first in range(0, count, together):
        copies = min(together, count - first)
        yield from _rewire_together(left, right, table=table, copies=copies, rng=rng)


def _rewire_together(
    left: Ints, right: Ints, *, table: bool, copies: int, rng: np.random.Generator
) -> Iterator[Rewired]:
    m, half = len(left), len(left) // 2
    lefts, rights = np.tile(left, (copies, 1)), np.tile(right, (copies, 1))
    width = np.int64(max(left.max(initial=0), right.max(initial=0)) + 1)
    offset = np.arange(copies)[:, None] * width * width
    row = np.arange(copies)[:, None]
    places = np.tile(np.arange(m), (copies, 1))
    swapped = np.zeros(copies)

    def key(one: Ints, other: Ints) -> Ints:
        high, low = (one, other) if table else (np.minimum(one, other), np.maximum(one, other))
        keys: Ints = offset + high * width + low
        return keys

    for number in range(_MOST_ROUNDS):
        if number >= _FEW_ROUNDS and swapped.mean() >= _MIXED * m / 2:
            break
        places = rng.permuted(places, axis=1)
        i, j = places[:, :half], places[:, half : 2 * half]
        a, b, c, d = lefts[row, i], rights[row, i], lefts[row, j], rights[row, j]
        if not table:
            turn = rng.random(c.shape) < 0.5
            c, d = np.where(turn, d, c), np.where(turn, c, d)
        one, two = key(a, d), key(c, b)
        taken = np.sort(key(lefts, rights), axis=None)
        good = ~(_is_in(one, taken) | _is_in(two, taken))
        if not table:
            good &= (a != d) & (c != b)
        good &= _occurs_once(np.stack([one, two])).all(axis=0)
        lefts[row, i], rights[row, i] = a, np.where(good, d, b)
        lefts[row, j], rights[row, j] = c, np.where(good, b, d)
        swapped += good.sum(axis=1)
    for copy in range(copies):
        yield Rewired(lefts[copy], rights[copy], 2 * swapped[copy] / max(m, 1))


def _is_in(keys: Ints, ordered: Ints) -> Flags:
    place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[place] == keys)


def _occurs_once(keys: Ints) -> Flags:
    order = np.argsort(keys, axis=None)
    ordered = keys.ravel()[order]
    same = ordered[1:] == ordered[:-1]
    repeated = np.zeros(keys.size, dtype=bool)
    repeated[order[1:]] |= same
    repeated[order[:-1]] |= same
    return ~repeated.reshape(keys.shape)
