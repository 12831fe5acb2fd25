"""Rates of many who were seen a few times each: drawn towards the rate of all.

The rates are taken to differ as a beta (of trials) or a beta prime distribution (of counts)
does; the latter has the heavy tail of logs in which a few are followed by thousands.
Its mean and how much the rates differ are estimated from the counts. Neither is known for
sure, the less so the fewer there are who were seen, so a rate is averaged over what both may
be, each weighted by how likely the counts are then (Deely and Lindley 1981,
doi:10.1080/01621459.1981.10477731). Before the counts are seen, every share by which a rate
may be drawn towards the mean is equally likely (Daniels 1999, doi:10.2307/3316122).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from scrmkit._sparse import Floats, Ints, np


TAIL: Final = 0.025  # what is beyond each end of an interval of 95 %
_POWERS: Final = (-8.0, 12.0, 81)  # the strengths that are tried, from exp(-8) to exp(12)
_CELLS: Final = 600  # intervals of rates over which a posterior is summed
_PORTION: Final = 20_000
_SMALLEST: Final = 1e-300
_NEAR: Final = 0.25  # logarithms of strengths that are taken together in an interval
_HALVINGS: Final = 45


@frozen
class Estimates:
    """What is expected of each rate, and of all of them.

    Args:
        mean: the mean of the rates.
        strength: how many trials of one's own weigh as much as what is known of all.
        expected: the mean of what each rate may be.
        low: what it is above with 97.5 %; never above what is expected.
        high: what it is below with 97.5 %; never below what is expected.
    """

    mean: float
    strength: float
    expected: Floats
    low: Floats
    high: Floats


@frozen
class _Fit:
    """What is known of all rates if the strength is one number.

    Args:
        mean: their mean.
        variance: how unsure that is.
        score: the logarithm of how likely the counts are.
    """

    mean: float
    variance: float
    score: float


_Tried = list[tuple[float, float, _Fit]]


def estimate_probabilities(seen: Floats, of: Floats) -> Estimates:
    """Probabilities, from the successes and the trials of each: a beta-binomial model.

    Given the strength ``s`` the mean is that of the shares, weighted by how sure each is: a
    pair of ``n`` trials counts as ``n (s + 1) / (n + s)``, half a success and half a failure
    are added (Jeffreys), and a probability has a beta distribution. The interval of 95 % is
    between quantiles of all these together.
    """
    from scipy.special import betainc, betaln

    (seen, of), back = _distinct(seen, of)
    times = np.bincount(back, minlength=len(seen)).astype(np.float64)

    def fit(strength: float) -> _Fit:
        sure = times * (strength + 1) / (of + strength)
        won, lost = float(sure @ seen) + 0.5, float(sure @ (of - seen)) + 0.5
        mean, size = won / (won + lost), won + lost
        a, b = mean * strength, (1 - mean) * strength
        likelihood = float(times @ (betaln(a + seen, b + of - seen) - betaln(a, b)))
        return _Fit(mean, mean * (1 - mean) / (size + 1), likelihood - math.log(size) / 2)

    tried = _explore(lambda tried: [fit(one) for one in tried.tolist()], _typical(of, times))
    group, groups = _groups(tried)
    first, square = np.zeros((groups, len(seen))), np.zeros((groups, len(seen)))
    for (strength, weight, found), place in zip(tried, group, strict=True):
        size = strength + of
        rate = (strength * found.mean + seen) / size
        unsure = (strength / size) ** 2 * found.variance
        first[place] += weight * rate
        square[place] += weight * (rate**2 + unsure + (rate * (1 - rate) - unsure) / (size + 1))

    def below(mean: Floats, variance: Floats, rate: Floats) -> Floats:
        size = np.maximum(mean * (1 - mean) / variance - 1, _SMALLEST)
        made = betainc(mean * size, (1 - mean) * size, np.minimum(rate, 1.0))
        return np.asarray(made, np.float64)

    return _estimates(tried, 0.0, (group, first, square), below, back, most=1.0)


def estimate_rates(seen: Floats, of: Floats, dispersion: float) -> Estimates:
    """Rates, from the counts and the exposure of each: a beta-prime-negative-binomial model.

    Each count of somebody with the rate ``r`` has the variance ``r + dispersion * r ** 2``,
    so their sum is negative binomial, and rates have a beta prime distribution, for which
    ``(s m + seen) / (s + of)`` is the mean that is left. (If the dispersion is 0: Poisson and
    gamma, the limits of both.) The strength is how
    many counts of one's own weigh as much as what is known of all; given it, the mean is that
    of the rates, weighted by how sure each is. What a rate may be is summed over 600 narrow
    intervals, and taken as a gamma distribution for each strength. The interval of 95 % is
    between quantiles of all these together.
    """
    from scipy.special import gammainc

    (seen, of), back = _distinct(seen, of)
    times = np.bincount(back, minlength=len(seen))
    counts = _Counts.of_rows(seen, of, times, dispersion)
    tried = _explore(counts.fits, _typical(of, counts.times) + dispersion)
    group, groups = _groups(tried)
    first, square = counts.average(tried, group, groups)

    def below(mean: Floats, variance: Floats, rate: Floats) -> Floats:
        made = gammainc(mean**2 / variance, mean / variance * rate)
        return np.asarray(made, np.float64)

    return _estimates(tried, dispersion, (group, first, square), below, back, most=math.inf)


@frozen
class _Counts:
    """Counts, and the rates that are summed over.

    Args:
        seen: the counts.
        of: the exposure of each.
        times: how often this pair of numbers occurs.
        dispersion: how much more than Poisson the counts of one rate differ.
        edges: where each interval of rates begins, but for the first, which begins at 0.
        rates: a rate in each of them.
    """

    seen: Floats
    of: Floats
    times: Floats
    dispersion: float
    edges: Floats
    rates: Floats

    @classmethod
    def of_rows(cls, seen: Floats, of: Floats, times: Ints, dispersion: float) -> _Counts:
        least = 0.01 / (1 + float(of.max(initial=0)))
        edges = np.geomspace(least, 10 * (1 + float(seen.max(initial=0))), _CELLS)
        rates = edges * np.sqrt(edges[1] / edges[0])
        return cls(seen, of, times.astype(np.float64), dispersion, edges, rates)

    def fits(self, strengths: Floats) -> list[_Fit]:
        """What is known of all rates for each strength (less the dispersion)."""
        means = [self._mean(strength) for strength in strengths.tolist()]
        masses = self._masses(np.array([mean for mean, *_ in means]), strengths)
        score = np.array([-math.log(size) / 2 for *_, size in means])
        for rows, likely in self._likelihoods():
            score += self.times[rows] @ np.log(np.maximum(likely @ masses, _SMALLEST))
        return [
            _Fit(mean, variance, one)
            for (mean, variance, _), one in zip(means, score.tolist(), strict=True)
        ]

    def average(self, tried: _Tried, group: Ints, groups: int) -> tuple[Floats, Floats]:
        """The mean of each rate and of its square, times the weight of each group of strengths."""
        strengths = np.array([strength for strength, *_ in tried])
        weight = np.zeros((len(tried), groups))
        weight[np.arange(len(tried)), group] = [weight for _, weight, _ in tried]
        mean = np.array([fit.mean for *_, fit in tried])
        variance = np.array([fit.variance for *_, fit in tried])
        masses = self._masses(mean, strengths)
        short = mean - self.rates @ masses  # what the intervals miss of the mean
        step = 1 + math.log(self.edges[1] / self.edges[0]) ** 2 / 12
        whole = strengths + self.dispersion
        expected, square = np.zeros((groups, len(self.seen))), np.zeros((groups, len(self.seen)))
        for rows, likely in self._likelihoods():
            total = np.maximum(likely @ masses, _SMALLEST)
            share = whole / (whole + self.of[rows, None])
            first = likely @ (masses * self.rates[:, None]) / total
            second = likely @ (masses * (step * self.rates**2)[:, None]) / total
            rate = first + share * short
            expected[:, rows] = (rate @ weight).T
            spread = second - first**2 + share**2 * variance
            square[:, rows] = ((spread + rate**2) @ weight).T
        return expected, square

    def _mean(self, strength: float) -> tuple[float, float, float]:
        """The mean of all rates, how unsure it is, and of how many counts it is."""
        whole = strength + self.dispersion
        sure = self.times * (whole + 1) / (self.of + whole)
        size = max(float(sure @ self.of), 1.0)
        mean = (float(sure @ self.seen) + 0.5) / size
        spread = mean * (1 + self.dispersion * mean) / strength  # the variance of the rates
        return mean, spread * (whole + 1) / size, size

    def _masses(self, mean: Floats, strengths: Floats) -> Floats:
        """How likely each interval of rates is, a column for each strength."""
        from scipy.special import betainc, gammainc

        scale = strengths / (1 + self.dispersion * mean)  # the mean over the variance of the rates
        if self.dispersion > 0:
            odds = self.dispersion * self.edges[:, None]
            a, b = mean * (strengths + self.dispersion), 2 + strengths / self.dispersion
            below = betainc(a, b, odds / (1 + odds))
        else:
            below = gammainc(mean * scale, np.outer(self.edges, scale))
        below[0] = 0.0
        made: Floats = np.diff(below, append=1.0, axis=0)
        return made

    def _likelihoods(self) -> Iterator[tuple[slice, Floats]]:
        """How likely the counts of each are at each rate, but for a factor, in portions."""
        excess = np.log1p(self.dispersion * self.rates)
        slow = excess / self.dispersion if self.dispersion > 0 else self.rates
        for first in range(0, len(self.seen), _PORTION):
            rows = slice(first, first + _PORTION)
            made = np.outer(self.seen[rows], np.log(self.rates) - excess)
            made -= np.outer(self.of[rows], slow)
            yield rows, np.exp(made - made.max(axis=1, keepdims=True))


def dispersion_of(counts: Floats, owner: Ints) -> float | None:
    """How much more the counts of one owner differ than Poisson counts of their mean do.

    The variance is taken to be ``mean + dispersion * mean ** 2``, as where the rate of each
    count differs as a gamma distribution does. With ``s`` the variance and ``m`` the mean of
    the ``n`` counts of an owner, ``s - m`` estimates the second term without bias and
    ``m ** 2 - s / n`` the square of the mean; the dispersion is the ratio of their sums,
    weighted by ``(n - 1) / (1 + m) ** 2`` so that a few large owners do not decide it.

    Args:
        counts: the counts.
        owner: whose each is, as a whole number.

    Returns:
        The dispersion, 0 or more; None where nobody who has a count above 0 has two.
    """
    n = np.maximum(np.bincount(owner), 1)
    mean = np.bincount(owner, weights=counts) / n
    spread = np.bincount(owner, weights=(counts - mean[owner]) ** 2) / np.maximum(n - 1, 1)
    weight = (n - 1) / (1 + mean) ** 2
    excess, square = float(weight @ (spread - mean)), float(weight @ (mean**2 - spread / n))
    return max(excess / square, 0.0) if square > 0 else None


def _typical(of: Floats, times: Floats) -> float:
    """The mean exposure of those who have any."""
    return max(float(of @ times), 1.0) / max(float(times[of > 0].sum()), 1.0)


def _explore(fits: Callable[[Floats], list[_Fit]], typical: float) -> _Tried:
    """Strengths, how likely each is (together 1), and what is known of all rates then."""
    powers = np.linspace(*_POWERS)
    tried: _Tried = []
    for _ in range(2):
        strengths = typical * np.exp(powers)
        found = fits(strengths)
        score = np.array([fit.score for fit in found]) + powers - 2 * np.log1p(np.exp(powers))
        weight = np.exp(score - score.max())
        likely = weight > 1e-5 * weight.max()
        weight /= weight[likely].sum()
        tried = [
            (strength, share, fit)
            for strength, share, fit, use in zip(
                strengths.tolist(), weight.tolist(), found, likely, strict=True
            )
            if use
        ]
        some, step = powers[likely], powers[1] - powers[0]
        powers = np.linspace(some[0] - step, some[-1] + step, len(powers))
    return tried


def _groups(tried: _Tried) -> tuple[Ints, int]:
    """The group of each strength, of those that differ by little, and how many groups."""
    powers = np.log([strength for strength, *_ in tried])
    groups, group = np.unique(np.floor((powers - powers[0]) / _NEAR), return_inverse=True)
    return group, len(groups)


def _estimates(
    tried: _Tried,
    extra: float,
    sums: tuple[Ints, Floats, Floats],
    below: Callable[[Floats, Floats, Floats], Floats],
    back: Ints,
    *,
    most: float,
) -> Estimates:
    """What is expected, and the quantiles of what is left for all groups together.

    Args:
        tried: the strengths.
        extra: what they are short of.
        sums: the group of each; the means of each rate and of its square, times their weight.
        below: the distribution function, for a mean, a variance and a rate.
        back: which of the rates each row has.
        most: what no rate is above.
    """
    group, first, square = sums
    weight = np.bincount(group, weights=[weight for _, weight, _ in tried])[:, None]
    expected = first.sum(axis=0)
    means = first / weight
    variances = np.maximum(square / weight - means**2, 1e-14 * means**2)
    far = np.sqrt(np.maximum(square.sum(axis=0) - expected**2, 1e-14 * expected**2))
    top = np.log(np.minimum(expected + 7 * far, most))  # at most 1 in 50 is beyond it
    ends = []
    for tail in (TAIL, 1 - TAIL):
        low, high = np.full(len(top), math.log(_SMALLEST)), top
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            short = (weight * below(means, variances, np.exp(middle))).sum(axis=0) < tail
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        ends.append(np.exp(high))
    low, high = np.minimum(ends[0], expected), np.maximum(ends[1], expected)
    mean = sum(weight * fit.mean for _, weight, fit in tried)
    power = sum(weight * math.log(strength + extra) for strength, weight, _ in tried)
    return Estimates(mean, math.exp(power), expected[back], low[back], high[back])


def _distinct(seen: Floats, of: Floats) -> tuple[tuple[Floats, Floats], Ints]:
    """The distinct pairs of numbers, in order, and where each row's pair is among them."""
    order = np.lexsort((of, seen))
    one, other = seen[order], of[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.cumsum(new) - 1
    return (one[new], other[new]), back
