"""Rates of many who were seen a few times each: drawn towards the rate of all.

The rates are taken to differ as a beta (of trials) or a gamma distribution (of counts) does
whose mean is the rate of all together. How much they differ is estimated from the counts, by
maximum likelihood (empirical Bayes: Robbins 1956; Casella 1985, doi:10.2307/2682801).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from scrmkit._sparse import Floats, Ints, np


TAIL: Final = 0.025  # what is beyond each end of an interval of 95 %
_WEAKEST: Final = 0.01


@frozen
class Prior:
    """What is known of a rate before anything is seen of it.

    Args:
        mean: the rate of all together.
        strength: how many trials of one's own weigh as much.
    """

    mean: float
    strength: float

    def shrink(self, seen: Floats, of: Floats) -> Floats:
        """The rates that are expected, for so many successes (or counts) in so many trials."""
        made: Floats = (self.mean * self.strength + seen) / (self.strength + of)
        return made


def beta_prior(seen: Floats, of: Floats) -> Prior:
    """The prior of probabilities, from the successes and the trials of each."""
    from scipy.special import betaln

    mean = (float(seen.sum()) + 0.5) / (float(of.sum()) + 1)

    def likelihood(strength: float, seen: Floats, of: Floats) -> Floats:
        a, b = mean * strength, (1 - mean) * strength
        found: Floats = betaln(a + seen, b + of - seen) - betaln(a, b)
        return found

    return Prior(mean, _likeliest(likelihood, seen, of))


def beta_interval(prior: Prior, seen: Floats, of: Floats) -> tuple[Floats, Floats]:
    """Where each probability lies with 95 %: the quantiles of its beta distribution."""
    from scipy.special import betaincinv

    (seen, of), back = _distinct(seen, of)
    a = prior.mean * prior.strength + seen
    b = (1 - prior.mean) * prior.strength + of - seen
    low, high = (np.asarray(betaincinv(a, b, tail), np.float64) for tail in (TAIL, 1 - TAIL))
    return low[back], high[back]


def gamma_prior(seen: Floats, of: Floats) -> Prior:
    """The prior of rates, from the counts and the exposure of each."""
    from scipy.special import gammaln

    mean = (float(seen.sum()) + 0.5) / max(float(of.sum()), 1.0)

    def likelihood(strength: float, seen: Floats, of: Floats) -> Floats:
        a = mean * strength
        found: Floats = gammaln(a + seen) - gammaln(a) - seen * np.log(strength + of)
        return found - a * np.log1p(of / strength)

    return Prior(mean, _likeliest(likelihood, seen, of))


def gamma_interval(
    prior: Prior, seen: Floats, of: Floats, dispersion: float
) -> tuple[Floats, Floats]:
    """Where each rate lies with 95 %: the quantiles of a gamma distribution.

    Its mean is the rate that is expected. Its variance is that of Poisson counts times
    ``1 + dispersion * rate``, because counts of one and the same rate differ so much more.
    """
    from scipy.special import gammaincinv

    (seen, of), back = _distinct(seen, of)
    size = prior.strength + of
    rate = (prior.mean * prior.strength + seen) / size
    size = size / (1 + dispersion * rate)
    shape = rate * size
    return (gammaincinv(shape, TAIL) / size)[back], (gammaincinv(shape, 1 - TAIL) / size)[back]


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


def _likeliest(
    likelihood: Callable[[float, Floats, Floats], Floats], seen: Floats, of: Floats
) -> float:
    """The strength under which the counts are likeliest; at most that of all of them."""
    from scipy.optimize import minimize_scalar

    some = of > 0
    (seen, of), back = _distinct(seen[some], of[some])
    times = np.bincount(back, minlength=len(seen)).astype(np.float64)
    most = max(float(of @ times), 2 * _WEAKEST)

    def loss(power: float) -> float:
        return -float(times @ likelihood(math.exp(power), seen, of)) / max(float(times.sum()), 1.0)

    ends = (math.log(_WEAKEST), math.log(most))
    found: Any = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def _distinct(seen: Floats, of: Floats) -> tuple[tuple[Floats, Floats], Ints]:
    """The distinct pairs of numbers, in order, and where each row's pair is among them."""
    order = np.lexsort((of, seen))
    one, other = seen[order], of[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.cumsum(new) - 1
    return (one[new], other[new]), back
