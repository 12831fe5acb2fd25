"""How items lean by themselves, where each vote leans besides on what its voter saw.

The model: a vote on item j is up with probability ``expit(o_j + h * x)``, with ``o_j``
normal around ``m`` with deviation ``s``. The opinions ``o_j`` are integrated out by adaptive
Gauss-Hermite quadrature (Naylor and Smith 1982), one item at a time; ``(h, m, log s)`` are
explored around their mode at the 27 points of a product rule, each weighted by how likely it
is, so that what is not known of them widens the intervals of the items. Few items say little
of the herd, and what they say is far from normal: then the herd is explored on a grid from end
to end of its interval and beyond, with the other two at their best for each strength.
"""

from __future__ import annotations

from itertools import product
from typing import Final

from attrs import define, field, frozen
from scipy.special import expit, ndtr

from scrmkit._bounds import Estimate
from scrmkit._compiled import Progress
from scrmkit._sparse import Floats, Ints, np


CONFIDENCE: Final = 0.95
Z: Final = 1.959963984540054  # the normal quantile of that confidence

FEW: Final = 20  # items: with fewer the herd is explored on a grid

_HERD: Final = 10.0
_MEAN: Final = 1.5
_SPREAD: Final = 1.0

_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(7)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _NODES**2
_START: Final = (0.0, 0.0, -0.5)
_BOUNDS: Final = ((-200.0, 200.0), (-10.0, 10.0), (-4.0, 2.0))
_GAIN: Final = 1e-5  # of the log-likelihood: what is less is not worth a step
_FLATTEST: Final = 0.1  # a direction of which the votes say less than this is cut there
_STEPS: Final = np.linspace(-3.5, 3.5, 11)  # of the grid, in deviations of the herd


@frozen(eq=False)
class Leanings:
    """The private share of each item with its interval, and the strength of the herd."""

    value: Floats
    low: Floats
    high: Floats
    herd: Estimate


def fit(
    item: Ints, x: Floats, up: Floats, items: int, *, progress: Progress | None = None
) -> Leanings:
    """Fit the model to votes on items 0, 1 and so on, each of which has at least one."""
    if not len(item):
        nothing = np.zeros(items)
        return Leanings(nothing, nothing, nothing, herd=Estimate(None, None, None))
    say = progress or _say_nothing
    order = np.lexsort((up, x, item))
    likelihood = _Likelihood.of(item[order], x[order], up[order], items)
    free = [0, 1, 2] if x.any() else [1, 2]
    mode, best = _climb(likelihood, np.array(_START), free)
    say("found the most likely herd")
    scales = _scales(likelihood, mode, free)
    herd = Estimate(None, None, None)
    if x.any():
        step = Z * float(np.sqrt((scales[0] ** 2).sum()))
        metric = np.linalg.inv(np.linalg.inv(scales @ scales.T)[1:, 1:])
        low, high = (_end(likelihood, mode, best, side * step, metric) for side in (-1, 1))
        herd = Estimate(float(mode[0]), low, high)
        say("found the ends of its interval")
    if x.any() and items < FEW:
        points = _explore_grid(likelihood, mode, herd, metric)
        tail = (1 - CONFIDENCE) / 2
        low_end, value, high_end = (
            expit(points.quantile(chance)) for chance in (tail, 0.5, 1 - tail)
        )
    else:
        points = _Points()
        points.add(likelihood, mode, scales, free)
        mean, variance = points.moments()
        half = Z * np.sqrt(variance)
        low_end, value, high_end = (expit(part) for part in (mean - half, mean, mean + half))
    say("weighed what else the herd could be")
    return Leanings(value, low_end, high_end, herd)


def _say_nothing(words: str) -> None:
    """Progress that nobody wants to hear of."""


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


@define(eq=False)
class _Points:
    """Points with the logarithms of their weights, and means and variances of opinions there."""

    logs: list[float] = field(factory=list)
    means: list[Floats] = field(factory=list)
    variances: list[Floats] = field(factory=list)

    def add(
        self,
        likelihood: _Likelihood,
        mode: Floats,
        scales: Floats,
        free: list[int],
        area: float = 1.0,
    ) -> None:
        """Add those of a product rule around the mode, which stand for this area."""
        low, high = (np.array(ends) for ends in zip(*_BOUNDS, strict=True))
        for steps in product((-np.sqrt(3), 0.0, np.sqrt(3)), repeat=len(free)):
            along = np.array(steps)
            point = mode.copy()
            point[free] += scales @ along
            value, _, mean, variance = likelihood.at(np.clip(point, low, high))
            weight = 0.5 * along @ along + np.log(np.where(along == 0, 4, 1)).sum()
            self.logs.append(float(value + weight + np.log(area)))
            self.means.append(mean)
            self.variances.append(variance)

    def shares(self) -> Floats:
        """How likely each point is."""
        weights = np.exp(np.array(self.logs) - max(self.logs))
        result: Floats = weights / weights.sum()
        return result

    def moments(self) -> tuple[Floats, Floats]:
        """Means and variances of opinions over all points."""
        shares, means = self.shares(), np.array(self.means)
        mean = shares @ means
        return mean, shares @ (np.array(self.variances) + (means - mean) ** 2)

    def quantile(self, chance: float) -> Floats:
        """Below what each opinion is with this chance; at each point it is taken as normal."""
        shares, means = self.shares(), np.array(self.means)
        deviations = np.sqrt(np.array(self.variances))
        low = (means - 9 * deviations).min(axis=0)
        high = (means + 9 * deviations).max(axis=0)
        for _ in range(50):
            middle = (low + high) / 2
            below = shares @ ndtr((middle - means) / deviations) < chance
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        result: Floats = (low + high) / 2
        return result


def _explore_grid(likelihood: _Likelihood, mode: Floats, herd: Estimate, metric: Floats) -> _Points:
    """Strengths of the herd on a grid, and around the best of the others a product rule each.

    One deviation is, on each side, what it would be if the end of the interval were that of a
    normal distribution.
    """
    low, high = _BOUNDS[0]
    down = mode[0] - (low if herd.low is None else herd.low)
    up = (high if herd.high is None else herd.high) - mode[0]
    strengths = mode[0] + np.where(_STEPS < 0, down, up) * _STEPS / Z
    strengths = strengths[(strengths > low) & (strengths < high)]
    widths, middle = np.gradient(strengths), int(np.searchsorted(strengths, mode[0]))
    cells = [_Points() for _ in strengths]
    for way in (range(middle, len(strengths)), range(middle - 1, -1, -1)):
        best = mode
        for place in way:
            best, _ = _climb(likelihood, np.array([strengths[place], *best[1:]]), [1, 2], metric)
            scales = _scales(likelihood, best, [1, 2])
            area = float(widths[place]) * abs(float(np.linalg.det(scales)))
            cells[place].add(likelihood, best, scales, [1, 2], area)
    return _joined(cells)


def _joined(cells: list[_Points]) -> _Points:
    """All points of a grid; opinions that move from cell to cell are as wide as they move."""
    points = _Points()
    moves = np.gradient(np.array([cell.moments()[0] for cell in cells]), axis=0)
    for cell, move in zip(cells, moves, strict=True):
        points.logs += cell.logs
        points.means += cell.means
        points.variances += [variance + move**2 / 12 for variance in cell.variances]
    return points


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
