"""How items lean by themselves, where each vote leans besides on what its voter saw.

The model: a vote on item j is up with probability ``expit(o_j + h * x)``, with ``o_j``
normal around ``m`` with deviation ``s``. The opinions ``o_j`` are integrated out by adaptive
Gauss-Hermite quadrature (Naylor and Smith 1982), one item at a time; ``(h, m, log s)`` are
explored around their mode at the 27 points of a product rule, each weighted by how likely it
is, so that what is not known of them widens the intervals of the items.
"""

from __future__ import annotations

from itertools import product
from typing import Final

from attrs import define, frozen
from scipy.special import expit

from scrmkit._bounds import Estimate
from scrmkit._sparse import Floats, Ints, np


CONFIDENCE: Final = 0.95
Z: Final = 1.959963984540054  # the normal quantile of that confidence

_HERD: Final = 2.5
_MEAN: Final = 1.5
_SPREAD: Final = 1.0

_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(7)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _NODES**2
_START: Final = (0.0, 0.0, -0.5)
_BOUNDS: Final = ((-200.0, 200.0), (-10.0, 10.0), (-4.0, 2.0))
_GAIN: Final = 1e-5  # of the log-likelihood: what is less is not worth a step
_FLATTEST: Final = 0.1  # a direction of which the votes say less than this is cut there


@frozen(eq=False)
class Leanings:
    """The private share of each item with its interval, and the strength of the herd."""

    value: Floats
    low: Floats
    high: Floats
    herd: Estimate


def fit(item: Ints, x: Floats, up: Floats, items: int) -> Leanings:
    """Fit the model to votes on items 0, 1 and so on, each of which has at least one."""
    if not len(item):
        nothing = np.zeros(items)
        return Leanings(nothing, nothing, nothing, herd=Estimate(None, None, None))
    order = np.lexsort((up, x, item))
    likelihood = _Likelihood.of(item[order], x[order], up[order], items)
    free = [0, 1, 2] if x.any() else [1, 2]
    mode, best = _climb(likelihood, np.array(_START), free)
    scales = _scales(likelihood, mode, free)
    mean, variance = _explore(likelihood, mode, scales, free)
    herd = Estimate(None, None, None)
    if x.any():
        step = Z * float(np.sqrt((scales[0] ** 2).sum()))
        metric = np.linalg.inv(np.linalg.inv(scales @ scales.T)[1:, 1:])
        low, high = (_end(likelihood, mode, best, side * step, metric) for side in (-1, 1))
        herd = Estimate(float(mode[0]), low, high)
    half = Z * np.sqrt(variance)
    low_end, value, high_end = (expit(part) for part in (mean - half, mean, mean + half))
    return Leanings(value, low_end, high_end, herd)


@define(eq=False)
class _Likelihood:
    """The log-likelihood of ``(h, m, log s)`` with its priors; it starts where it was last."""

    item: Ints
    x: Floats
    starts: Ints
    counts: Ints
    ups: Floats
    raised: Floats  # the sum of x over votes that are up
    centre: Floats

    @classmethod
    def of(cls, item: Ints, x: Floats, up: Floats, items: int) -> _Likelihood:
        """The votes in order of item, and their sums."""
        starts = np.searchsorted(item, np.arange(items))
        return cls(
            item=item,
            x=x,
            starts=starts,
            counts=np.diff(np.append(starts, len(item))),
            ups=np.add.reduceat(up, starts),
            raised=np.add.reduceat(x * up, starts),
            centre=np.zeros(items),
        )

    def at(self, point: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Its value and gradient, and the means and variances of opinions given the point."""
        herd, middle, log_spread = (float(part) for part in point)
        spread = np.exp(log_spread)
        precision = spread**-2
        pull = herd * self.x
        width = self._find_modes(pull, middle, precision)
        nodes = self.centre[:, None] + np.sqrt(2) * width[:, None] * _NODES
        logs, slopes = np.empty_like(nodes), np.empty_like(nodes)
        for place in range(len(_NODES)):
            eta = np.repeat(nodes[:, place], self.counts) + pull
            chance = expit(eta)
            soft = np.maximum(eta, 0.0) - np.log(np.maximum(chance, 1 - chance))
            logs[:, place] = -np.add.reduceat(soft, self.starts)
            slopes[:, place] = np.add.reduceat(self.x * chance, self.starts)
        logs += nodes * self.ups[:, None] + herd * self.raised[:, None]
        logs += _LOG_WEIGHTS - 0.5 * precision * (nodes - middle) ** 2
        top = logs.max(axis=1)
        shares = np.exp(logs - top[:, None])
        total = shares.sum(axis=1)
        shares /= total[:, None]
        mean = (shares * nodes).sum(axis=1)
        variance = (shares * (nodes - mean[:, None]) ** 2).sum(axis=1)
        items = len(mean)
        value = (top + np.log(total * width)).sum() - items * (log_spread + np.log(np.pi) / 2)
        value -= np.log1p((herd / _HERD) ** 2) + 0.5 * (middle / _MEAN) ** 2
        value += log_spread - 0.5 * (spread / _SPREAD) ** 2
        gradient = np.array(
            [
                self.raised.sum() - (shares * slopes).sum() - 2 * herd / (_HERD**2 + herd**2),
                precision * (mean - middle).sum() - middle / _MEAN**2,
                (precision * (variance + (mean - middle) ** 2) - 1).sum()
                + 1
                - (spread / _SPREAD) ** 2,
            ]
        )
        return float(value), gradient, mean, variance

    def _find_modes(self, pull: Floats, middle: float, precision: float) -> Floats:
        """Put the centre of each item where its opinion is most likely; the widths there."""
        for _ in range(100):
            chance = expit(np.repeat(self.centre, self.counts) + pull)
            slope = self.ups - np.add.reduceat(chance, self.starts)
            slope -= precision * (self.centre - middle)
            bend = np.add.reduceat(chance * (1 - chance), self.starts) + precision
            step = np.clip(slope / bend, -1.0, 1.0)
            self.centre = self.centre + step
            if (np.abs(step) <= 0.05 / np.sqrt(bend)).all():
                break
        width: Floats = 1 / np.sqrt(bend)
        return width


def _climb(
    likelihood: _Likelihood, start: Floats, free: list[int], metric: Floats | None = None
) -> tuple[Floats, float]:
    """The most likely point, where only some of the three numbers are free, and its value.

    Quasi-Newton steps (BFGS), halved until they climb; ``metric`` is a first guess of the
    inverse of the curvature. There are three numbers, so plain arrays do; solvers that call
    threads for matrices of this size spend their time on waking them.
    """
    low, high = (np.array(ends)[free] for ends in zip(*_BOUNDS, strict=True))
    point = start.copy()
    value, slope = _value(likelihood, point, free)
    inverse = np.eye(len(free)) if metric is None else metric
    for _ in range(100):
        along = inverse @ slope
        along /= max(1.0, float(np.abs(along).max()))
        rise = float(slope @ along)
        if rise < 2 * _GAIN:
            break
        size, here = 1.0, point[free]
        while True:
            there = np.clip(here + size * along, low, high)
            point[free] = there
            higher, bent = _value(likelihood, point, free)
            if higher >= value + 1e-4 * size * rise or size < 1e-4:
                break
            size /= 2
        if higher < value:
            point[free] = here
            break
        moved, turned = there - here, slope - bent
        value, slope = higher, bent
        if float(moved @ turned) > 0:
            inverse = _updated(inverse, moved, turned)
        if float(np.abs(moved).max()) == 0:
            break
    return point, value


def _value(likelihood: _Likelihood, point: Floats, free: list[int]) -> tuple[float, Floats]:
    value, gradient, _, _ = likelihood.at(point)
    return value, gradient[free]


def _updated(inverse: Floats, moved: Floats, turned: Floats) -> Floats:
    """The inverse of the curvature after a step (Broyden, Fletcher, Goldfarb, Shanno)."""
    scale = 1 / float(moved @ turned)
    side = np.eye(len(moved)) - scale * np.outer(moved, turned)
    result: Floats = side @ inverse @ side.T + scale * np.outer(moved, moved)
    return result


def _scales(likelihood: _Likelihood, mode: Floats, free: list[int]) -> Floats:
    """A root of the covariance at the mode, from the curvature, which differences tell."""
    step = 1e-2
    sides = [
        (likelihood.at(mode + step * along)[1] - likelihood.at(mode - step * along)[1])[free]
        for along in np.eye(3)[free]
    ]
    curvature = -np.array(sides) / (2 * step)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    scales: Floats = vectors / np.sqrt(np.maximum(values, _FLATTEST))
    return scales


def _explore(
    likelihood: _Likelihood, mode: Floats, scales: Floats, free: list[int]
) -> tuple[Floats, Floats]:
    """Means and variances of opinions over the points around the mode."""
    weights, means, variances = [], [], []
    low, high = (np.array(ends) for ends in zip(*_BOUNDS, strict=True))
    for steps in product((-np.sqrt(3), 0.0, np.sqrt(3)), repeat=len(free)):
        along = np.array(steps)
        point = mode.copy()
        point[free] += scales @ along
        value, _, mean, variance = likelihood.at(np.clip(point, low, high))
        weights.append(value + 0.5 * along @ along + np.log(np.where(along == 0, 4, 1)).sum())
        means.append(mean)
        variances.append(variance)
    shares = np.exp(np.array(weights) - max(weights))
    shares /= shares.sum()
    mean = shares @ np.array(means)
    return mean, shares @ (np.array(variances) + (np.array(means) - mean) ** 2)


def _end(
    likelihood: _Likelihood, mode: Floats, best: float, step: float, metric: Floats
) -> float | None:
    """Where the herd is so strong that the likelihood ratio leaves the confidence.

    The root of the drop is nearly a straight line in the herd, so a few secants do (regula
    falsi in the Illinois form).
    """

    def excess(herd: float) -> float:
        point, value = _climb(likelihood, np.array([herd, *rest[0]]), [1, 2], metric)
        rest[0] = point[1:]
        return float(np.sqrt(max(0.0, 2 * (best - value)))) - Z

    rest = [mode[1:]]
    inside, outside = float(mode[0]), float(mode[0]) + step
    below, above = -Z, excess(outside)
    while above < 0:
        inside, below = outside, above
        outside = outside + 2 * (outside - float(mode[0]))
        if abs(outside) > _BOUNDS[0][1]:
            return None
        above = excess(outside)
    side = 0
    for _ in range(30):
        middle = outside - above * (outside - inside) / (above - below)
        now = excess(middle)
        if abs(now) < 1e-2:
            return middle
        if now < 0:
            inside, below, above = middle, now, above / 2 if side < 0 else above
        else:
            outside, above, below = middle, now, below / 2 if side > 0 else below
        side = -1 if now < 0 else 1
    return outside
