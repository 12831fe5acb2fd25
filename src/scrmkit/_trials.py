"""How far predictions are off, for several methods on the same pairs, with intervals."""

from __future__ import annotations

from attrs import frozen

from scrmkit._compiled import Progress
from scrmkit._sparse import Floats, Ints, np


DRAWS = 1_000
CONFIDENCE = 0.95
FEWEST = 10  # of pairs, of sources and of targets: a few drawn again and again are too alike
_AT_A_TIME = 100


@frozen(eq=False)
class Trial:
    """What came of one method, or of one method less another.

    Attributes:
        value: the measure on the pairs as they are; NaN where it is not defined.
        low: the lower end of its interval; NaN where there are too few pairs.
        high: the upper end.
    """

    value: Floats
    low: Floats
    high: Floats


def measure(
    found: Floats,
    truth: Floats,
    source: Ints,
    target: Ints,
    rng: np.random.Generator,
    *,
    progress: Progress | None = None,
) -> dict[str, Trial]:
    """Errors of methods, one a row of ``found``, on pairs, one a column.

    The intervals are of the pigeonhole bootstrap (Owen 2007): in each draw every source and
    every target comes as often as in a sample with repetition of all of them, and a pair as
    often as its source times its target, because the ratings that one gives, and those that
    one receives, are not independent of each other. With fewer than ten sources or targets, and
    so with fewer than ten pairs, there are no intervals.
    """
    parts = _moments(found, truth)
    whole = _measures(parts.sum(axis=2, keepdims=True), None)
    best = int(np.argmin(whole["rmse"][:, 0])) if len(truth) else 0
    whole = _measures(parts.sum(axis=2, keepdims=True), best)
    ends = [np.unique(each, return_inverse=True)[1] for each in (source, target)]
    sums = np.zeros((*parts.shape[:2], DRAWS if are_enough(source, target) else 0))
    for draw in range(sums.shape[2]):
        givers, takers = (_times_drawn(each, rng) for each in ends)
        sums[:, :, draw] = np.einsum("mkp,p->mk", parts, givers * takers)
        if progress is not None and (draw + 1) % _AT_A_TIME == 0:
            progress(f"drew {draw + 1:,} of {DRAWS:,} samples")
    drawn = _measures(sums, best)
    return {name: Trial(values[:, 0], *_ends(drawn[name])) for name, values in whole.items()}


def are_enough(source: Ints, target: Ints) -> bool:
    """Whether there are sources and targets enough to draw samples of them."""
    return min(len(np.unique(source)), len(np.unique(target))) >= FEWEST


def _times_drawn(ends: Ints, rng: np.random.Generator) -> Floats:
    """For each pair, how often its end comes in a sample with repetition of all ends."""
    size = int(ends.max()) + 1
    counts = np.bincount(rng.integers(0, size, size), minlength=size)
    return counts[ends].astype(np.float64)


def _moments(found: Floats, truth: Floats) -> Floats:
    """For each method, what is added up over pairs: errors, and what the correlation needs."""
    there = np.broadcast_to(truth, found.shape)
    off = found - truth
    parts = (np.ones_like(found), off**2, np.abs(off), found, there, found**2, there**2)
    return np.stack([*parts, found * there], axis=1)


def _measures(sums: Floats, best: int | None) -> dict[str, Floats]:
    """The measures of methods (rows) in draws (columns) from their sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(sums[:, :1] > 0, sums / sums[:, :1], np.nan)
        _, square, size, x, y, xx, yy, xy = (means[:, part] for part in range(8))
        spread_x, spread_y = xx - x * x, yy - y * y
        steady = (spread_x <= 1e-12) | (spread_y <= 1e-12)
        pearson = np.clip((xy - x * y) / np.sqrt(np.abs(spread_x * spread_y)), -1.0, 1.0)
    rmse = np.sqrt(square)
    return {
        "rmse": rmse,
        "mae": size,
        "pearson": np.where(steady, np.nan, pearson),
        "behind": rmse - rmse[0 if best is None else best],
    }


def _ends(drawn: Floats) -> tuple[Floats, Floats]:
    """The ends of the middle part of what was drawn, of those draws in which there was any."""
    low, high = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    for method, values in enumerate(drawn):
        known = values[np.isfinite(values)]
        if len(known):
            tails = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
            low[method], high[method] = np.quantile(known, tails)
    return low, high
