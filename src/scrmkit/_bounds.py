"""Where a mean or a share lies of which only some values were drawn."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from scrmkit._sparse import Floats, Ints, np


_Z: Final = 1.959963984540054  # the standard normal deviate of .975


@frozen
class Estimate:
    """A number with the interval in which it lies; who gives it says which interval that is.

    Attributes:
        value: the number; None where there is no answer.
        low: the lower end; None where there is none.
        high: the upper end; None where there is none.

    Example:
        >>> import networkx as nx
        >>> from scrmkit.diffusion import ovation
        >>> ovation(nx.path_graph(2), quality=1.0, noise=0.0).standing
        Estimate(value=1.0, low=1.0, high=1.0)
    """

    value: float | None
    low: float | None
    high: float | None


def mean_interval(mean: Floats, k: int, error: float) -> tuple[Floats, Floats]:
    """Where the mean of numbers from 0 to 1 lies that has this mean over k random ones.

    Both ends solve ``k * KL(mean, end) = log(2 / error)``, by bisection.
    """
    bound = np.log(2 / error) / k
    mean = np.clip(mean, 0.0, 1.0)
    ends = []
    for limit in (0.0, 1.0):
        inside, outside = mean.copy(), np.full_like(mean, limit)
        for _ in range(50):
            middle = (inside + outside) / 2
            within = _divergence(mean, middle) <= bound
            inside = np.where(within, middle, inside)
            outside = np.where(within, outside, middle)
        ends.append(outside)
    return ends[0], ends[1]


def _divergence(p: Floats, q: Floats) -> Floats:
    """Kullback and Leibler's divergence of two coins; p between 0 and 1, q inside."""
    with np.errstate(divide="ignore", invalid="ignore"):
        heads = np.where(p > 0, p * np.log(p / q), 0.0)
        tails = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    return np.asarray(heads + tails)


def share_interval(successes: Ints, n: int) -> tuple[Floats, Floats]:
    """Wilson's interval, at .95, of the shares that some of n trials suggest (1927).

    doi:10.1080/01621459.1927.10502953
    """
    share = successes / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    low, high = np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
    return np.where(successes == 0, 0.0, low), np.where(successes == n, 1.0, high)
