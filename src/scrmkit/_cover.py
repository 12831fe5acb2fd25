"""Choosing customers who occur in as many samples as can be, and how good that choice is.

A sample is a set of customers of whom one is enough. What must be kept to when choosing is
a `Terms`; the gain of a choice is submodular, so what is left to gain bounds every choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import log, sqrt
from typing import Final

from attrs import frozen

from scrmkit import _compiled
from scrmkit._checks import digest
from scrmkit._compiled import loops
from scrmkit._samples import Sampler
from scrmkit._sparse import Codes, Flags, Floats, Ints, np, spans, sparse


_BOUNDS: Final = 8
_LOOKED_FOR: Final = 100


@frozen(eq=False)
class Terms:
    """What a choice must keep to.

    Attributes:
        may: who may be chosen.
        must: the positions of those who are chosen first, whatever they bring.
        costs: what each costs.
        budget: what all of them may cost together.
        groups: the number of each customer's group.
        quotas: how many may be chosen from each group.
    """

    may: Flags
    must: Ints
    costs: Floats
    budget: float
    groups: Ints
    quotas: Ints

    @property
    def name(self) -> str:
        """Sixteen digits that differ where the terms do."""
        return digest(
            {
                "may": np.flatnonzero(~self.may).tolist(),
                "must": self.must.tolist(),
                "costs": [] if (self.costs == 1).all() else self.costs.tolist(),
                "budget": self.budget,
                "groups": self.groups.tolist() if len(self.quotas) > 1 else [],
                "quotas": self.quotas.tolist(),
            }
        )

    def choose(self, next_of: Callable[[Flags, float], int | None]) -> Ints:
        """Choose one after the other whom a rule picks of those who may still be chosen.

        The rule gets who may be, and what is left of the budget.
        """
        left, quotas, may = self.budget, self.quotas.copy(), self.may.copy()
        chosen: list[int] = []
        waiting = list(self.must.tolist())
        while True:
            one = waiting.pop(0) if waiting else None
            if one is None:
                possible = may & (self.costs <= left * (1 + 1e-12)) & (quotas[self.groups] > 0)
                one = next_of(possible, left) if possible.any() else None
            if one is None:
                return np.array(chosen, dtype=np.int64)
            chosen.append(one)
            may[one] = False
            left -= float(self.costs[one])
            quotas[self.groups[one]] -= 1

    def by_score(self, scores: Floats) -> Ints:
        """Those with the largest scores, as long as the terms allow."""
        order = np.argsort(-scores, kind="stable")
        place = 0

        def following(possible: Flags, _: float) -> int | None:
            nonlocal place
            while not possible[order[place]]:
                place += 1
            return int(order[place])

        return self.choose(following)

    def most(self, gains: Ints) -> float:
        """A bound of what a choice can add, if each customer adds at most a gain."""
        quotas = self.quotas - np.bincount(self.groups[self.must], minlength=len(self.quotas))
        budget = (self.budget - float(self.costs[self.must].sum())) * (1 + 1e-12)
        may = np.flatnonzero(self.may & (gains > 0))
        if not len(may):
            return 0.0
        if len(quotas) > 1:
            return float(
                sum(
                    _largest(gains[may[self.groups[may] == group]], int(quota))
                    for group, quota in enumerate(quotas)
                )
            )
        if (self.costs[may] == 1).all():
            return _largest(gains[may], int(min(quotas[0], budget)))
        density = gains[may] / np.maximum(self.costs[may], 1e-300)
        order = may[np.argsort(-density, kind="stable")]
        spent = np.cumsum(self.costs[order])
        whole = int(np.searchsorted(spent, budget, side="right"))
        total = float(gains[order[:whole]].sum())
        if whole < len(order):
            before = float(spent[whole - 1]) if whole else 0.0
            total += float(gains[order[whole]] * (budget - before) / self.costs[order[whole]])
        return total


def _largest(values: Ints, k: int) -> float:
    if k <= 0:
        return 0.0
    if k >= len(values):
        return float(values.sum())
    return float(np.partition(values, len(values) - k)[len(values) - k :].sum())


@frozen(eq=False)
class Samples:
    """Samples as one array of members.

    Attributes:
        members: the members of one sample after the other.
        starts: where those of each sample begin; one more than there are samples.
    """

    members: Ints
    starts: Ints

    @classmethod
    def none(cls) -> Samples:
        """No samples yet."""
        return cls(np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def grown(self, sampler: Sampler, count: int, stop: Callable[[int], bool]) -> Samples:
        """These and the following samples of a series, up to a count.

        Or fewer, at least some, where ``stop`` says so of the number of all members.
        """
        members, sizes = [self.members], [np.diff(self.starts)]
        total = len(self.members)
        for some, their_sizes in sampler.draw(len(self), count):
            members.append(some)
            sizes.append(their_sizes)
            total += len(some)
            if stop(total):
                break
        starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
        return Samples(np.concatenate(members), starts.astype(np.int64))

    def with_one_of(self, choices: Sequence[Ints], n: int) -> list[int]:
        """In how many samples somebody of each of some choices occurs; at most 16 choices."""
        marks = np.zeros(n, dtype=np.uint16)
        for number, chosen in enumerate(choices):
            marks[chosen] |= np.uint16(1 << number)
        filled = self.starts[:-1][np.diff(self.starts) > 0]
        if not len(filled):
            return [0 for _ in choices]
        found = np.bitwise_or.reduceat(marks[self.members], filled)
        return [int(np.count_nonzero(found >> number & 1)) for number in range(len(choices))]

    def finder(self, n: int, picks: int) -> Callable[[int], Ints | Codes]:
        """What gives the samples in which a customer occurs; an index where many are asked for."""
        if picks <= _LOOKED_FOR:
            return lambda one: (
                np.searchsorted(self.starts, np.flatnonzero(self.members == one), side="right") - 1
            )
        ones = np.ones(len(self.members), dtype=np.int8)
        index = sparse.csr_array((ones, self.members, self.starts), shape=(len(self), n)).tocsc()
        return lambda one: index.indices[index.indptr[one] : index.indptr[one + 1]]

    def hit_by(self, chosen: Ints, n: int) -> Ints:
        """How many samples each of some customers is the first to occur in."""
        place = np.full(n, len(chosen), dtype=np.int64)
        place[chosen[::-1]] = np.arange(len(chosen))[::-1]
        first = np.full(len(self), len(chosen), dtype=np.int64)
        filled = np.flatnonzero(np.diff(self.starts) > 0)
        if len(filled):
            first[filled] = np.minimum.reduceat(place[self.members], self.starts[filled])
        return np.bincount(first, minlength=len(chosen) + 1)[:-1]


def cover(samples: Samples, n: int, terms: Terms, *, by_cost: bool) -> tuple[Ints, float]:
    """A greedy choice, and a bound of how many samples any choice occurs in.

    Each time who adds most samples is taken, or who adds most for their cost; of equals the
    first. The bound is what is covered and what could be added on top of it at most, at the
    best of a few moments (Leskovec et al. 2007; Tang, Tang, Xiao, Yuan 2018).
    """
    most = int(min(terms.quotas.sum(), n))
    find = samples.finder(n, most)
    gains = np.bincount(samples.members, minlength=n)
    covered = np.zeros(len(samples), dtype=bool)
    state = {"chosen": 0, "covered": 0, "bound": float(len(samples))}
    steps = frozenset(np.linspace(len(terms.must), most, _BOUNDS).astype(int).tolist())

    def settle() -> None:
        state["bound"] = min(state["bound"], state["covered"] + terms.most(gains))

    def take(one: int) -> None:
        state["covered"] += int(gains[one])
        new = find(one)
        new = new[~covered[new]]
        covered[new] = True
        if _compiled.enabled():
            loops("_loops").take_from(gains, new, samples.starts, samples.members)
        else:
            _, places = spans(samples.starts[new], samples.starts[new + 1])
            gains[:] -= np.bincount(samples.members[places], minlength=n)
        state["chosen"] += 1
        if state["chosen"] in steps:
            settle()

    pending = list(terms.must.tolist())
    for one in pending:
        take(one)
    settle()

    def best(possible: Flags, _: float) -> int | None:
        worth = np.where(possible, gains, -1)
        if by_cost:
            worth = np.where(possible, gains / np.maximum(terms.costs, 1e-300), -1.0)
        one = int(np.argmax(worth))
        take(one)
        return one

    chosen = terms.choose(best)
    settle()
    return chosen, state["bound"]


def lower_bound(covered: int, samples: int, error: float) -> float:
    """What share of all samples a choice occurs in at least, if it occurs in some of these.

    Holds with probability ``1 - error`` (Tang, Tang, Xiao, Yuan 2018, section 4).
    """
    a = log(1 / error)
    root = sqrt(covered + 2 * a / 9) - sqrt(a / 2)
    return max(root**2 - a / 18, 0.0) / samples if root > 0 else 0.0


def upper_bound(bound: float, samples: int, error: float) -> float:
    """What share of all samples the best choice occurs in at most, if in ``bound`` of these."""
    a = log(1 / error)
    return min((sqrt(bound + a / 2) + sqrt(a / 2)) ** 2 / samples, 1.0)


def doublings(first: int, most: int) -> Iterator[int]:
    """Numbers of samples, each twice the one before, up to the most."""
    count = min(first, most)
    while count < most:
        yield count
        count *= 2
    yield most
