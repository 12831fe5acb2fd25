"""Trust that is passed along ratings: TidalTrust and MoleTrust, from one source at a time."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from scrmkit._sparse import Flags, Floats, Ints, Matrix, arcs_of, np


Answer = tuple[float, int]  # a rating, NaN where there is no path; and how many it is the mean of

NOTHING: Answer = (float("nan"), 0)


@frozen(eq=False)
class Network:
    """Ratings among customers, in both directions, without ratings of oneself.

    Attributes:
        matrix: the ratings, rows to columns; a rating of 0 is an entry like all others.
        turned: the same, columns to rows.
    """

    matrix: Matrix
    turned: Matrix

    def next(self, tails: Ints, ignore: tuple[int, int] | None) -> tuple[Ints, Ints, Floats]:
        """The ratings that some customers gave: who gave it, as a place in tails; to whom."""
        arcs, counts = arcs_of(self.matrix, tails)
        places = np.repeat(np.arange(len(tails)), counts)
        heads = self.matrix.indices[arcs].astype(np.int64)
        values = self.matrix.data[arcs]
        if ignore is None:
            return places, heads, values
        kept = (tails[places] != ignore[0]) | (heads != ignore[1])
        return places[kept], heads[kept], values[kept]

    def raters(self, target: int) -> tuple[Ints, Floats]:
        """Who rated a customer, and how."""
        row = slice(self.turned.indptr[target], self.turned.indptr[target + 1])
        return self.turned.indices[row].astype(np.int64), self.turned.data[row]


def moletrust(
    network: Network,
    source: int,
    targets: Sequence[int],
    *,
    horizon: int,
    threshold: float,
    ignored: bool,
) -> list[Answer]:
    """MoleTrust's rating of some targets.

    Args:
        network: the ratings.
        source: whose trust is asked for.
        targets: whom it is asked about.
        horizon: how many ratings a path may have.
        threshold: who is trusted less than this, above 0, passes nothing on.
        ignored: whether the source's own rating of the target, then a single one, is left out.
    """
    n = network.matrix.shape[0]
    trust, count = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    ignore = (source, targets[0]) if ignored else None
    asked = np.asarray(targets)
    seen = np.zeros(n, dtype=bool)
    seen[source] = True
    tails, weights = np.array([source]), np.ones(1)
    for _ in range(horizon):
        places, heads, values = network.next(tails, ignore)
        new = ~seen[heads]
        places, heads, values = places[new], heads[new], values[new]
        reached, group = np.unique(heads, return_inverse=True)
        given = weights[places]
        means = np.bincount(group, given * values) / np.bincount(group, given)
        trust[reached], count[reached] = means, np.bincount(group)
        seen[reached] = True
        accepted = means >= threshold
        tails, weights = reached[accepted], means[accepted]
        if not len(tails) or seen[asked].all():
            break
    found = np.clip(trust[asked], -1.0, 1.0)
    return list(zip(found.tolist(), count[asked].tolist(), strict=True))


def tidaltrust(
    network: Network,
    source: int,
    targets: Sequence[int],
    *,
    horizon: int,
    ignored: bool,
) -> list[Answer]:
    """TidalTrust's rating of some targets; the arguments are those of `moletrust`."""
    ignore = (source, targets[0]) if ignored else None
    waiting = {target: network.raters(target) for target in targets}
    flood = _Flood(network, source, ignore)
    answers: dict[int, Answer] = {}
    for depth in range(horizon):
        for target, (raters, values) in list(waiting.items()):
            near = flood.level[raters] == depth
            if depth == 0 and ignored:
                near[:] = False
            if near.any():
                answers[target] = flood.ebb(raters[near], values[near], depth)
                del waiting[target]
        if not waiting or depth + 1 == horizon or not flood.rise():
            break
    return [answers.get(target, NOTHING) for target in targets]


class _Flood:
    """Who is reached from a source by ratings above 0, in how many, and how strongly.

    The strength of a path is its smallest rating, that of a customer the strength of the
    strongest among the shortest paths there.
    """

    def __init__(self, network: Network, source: int, ignore: tuple[int, int] | None) -> None:
        n = network.matrix.shape[0]
        self._network = network
        self._ignore = ignore
        self._front = np.array([source])
        self._depth = 0
        self.level = np.full(n, -1)
        self.level[source] = 0
        self._strength = np.zeros(n)
        self._strength[source] = np.inf

    def rise(self) -> bool:
        """Reach one rating further; whether that reached anybody."""
        places, heads, values = self._network.next(self._front, self._ignore)
        new = (self.level[heads] < 0) & (values > 0)
        places, heads, values = places[new], heads[new], values[new]
        through = np.minimum(self._strength[self._front[places]], values)
        np.maximum.at(self._strength, heads, through)
        self._front = np.unique(heads)
        self._depth += 1
        self.level[self._front] = self._depth
        return len(self._front) > 0

    def ebb(self, raters: Ints, values: Floats, depth: int) -> Answer:
        """What the raters at a depth say of a target, as it comes back to the source.

        Only the strongest paths count; what one hears is the mean of what those said whom
        one rates, weighed by these ratings.
        """
        strongest = self._strength[raters].max()
        heard = self._strength[raters] >= strongest
        front, said, count = raters[heard], values[heard], int(heard.sum())
        for level in range(depth - 1, -1, -1):
            arcs, counts = arcs_of(self._network.turned, front)
            places = np.repeat(np.arange(len(front)), counts)
            tails = self._network.turned.indices[arcs].astype(np.int64)
            weights = self._network.turned.data[arcs]
            kept: Flags = (self.level[tails] == level) & (weights >= strongest)
            places, tails, weights = places[kept], tails[kept], weights[kept]
            front, group = np.unique(tails, return_inverse=True)
            said = np.bincount(group, weights * said[places]) / np.bincount(group, weights)
        return float(np.clip(said[0], -1.0, 1.0)), count
