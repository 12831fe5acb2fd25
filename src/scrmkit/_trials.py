"""How far predictions are off, for several methods on the same pairs, with intervals."""

from __future__ import annotations

from attrs import frozen

from scrmkit._sparse import Floats, Ints, np


DRAWS = 1_000
CONFIDENCE = 0.95
_AT_ONCE = 100


@frozen(eq=False)
class Trial:
    """What came of one method, or of one method less another.

    Attributes:
        value: the measure on the pairs as they are; NaN where it is not defined.
        low: the lower end of its interval.
        high: the upper end.
    """

    value: Floats
    low: Floats
    high: Floats


def measure(
    found: Floats, truth: Floats, source: Ints, target: Ints, rng: np.random.Generator
) -> dict[str, Trial]:
    """Errors of methods, one a row of ``found``, on pairs, one a column.

    The intervals are of the pigeonhole bootstrap (Owen 2007): in each draw every source and
    every target comes as often as in a sample with repetition of all of them, and a pair as
    often as its source times its target, because the ratings that one gives, and those that
    one receives, are not independent of each other.
    """
    parts = _moments(found, truth)
    whole = _measures(parts.sum(axis=2, keepdims=True), None)
    best = int(np.argmin(whole["rmse"][:, 0])) if len(truth) else 0
    whole = _measures(parts.sum(axis=2, keepdims=True), best)
    drawn: dict[str, list[Floats]] = {name: [] for name in whole}
    ends = [np.unique(each, return_inverse=True)[1] for each in (source, target)]
    for _ in range(DRAWS // _AT_ONCE if len(truth) else 0):
        weights = np.ones((_AT_ONCE, len(truth)))
        for each in ends:
            size = int(each.max()) + 1
            counts = rng.multinomial(size, np.full(size, 1 / size), size=_AT_ONCE)
            weights *= counts[:, each]
        for name, values in _measures(_summed(parts, weights), best).items():
            drawn[name].append(values)
    return {
        name: Trial(values[:, 0], *_ends(drawn[name], len(found))) for name, values in whole.items()
    }


def _moments(found: Floats, truth: Floats) -> Floats:
    """For each method, what is added up over pairs: errors, and what the correlation needs."""
    there = np.broadcast_to(truth, found.shape)
    off = found - truth
    parts = (np.ones_like(found), off**2, np.abs(off), found, there, found**2, there**2)
    return np.stack([*parts, found * there], axis=1)


def _summed(parts: Floats, weights: Floats) -> Floats:
    """The weighed sums over pairs: methods, then parts, then draws."""
    methods, kinds, pairs = parts.shape
    sums = parts.reshape(methods * kinds, pairs) @ weights.T
    return np.asarray(sums.reshape(methods, kinds, len(weights)))


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


def _ends(drawn: list[Floats], methods: int) -> tuple[Floats, Floats]:
    """The ends of the middle part of what was drawn, of those draws in which there was any."""
    low, high = np.full(methods, np.nan), np.full(methods, np.nan)
    if drawn:
        for method, values in enumerate(np.concatenate(drawn, axis=1)):
            known = values[np.isfinite(values)]
            if len(known):
                tails = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
                low[method], high[method] = np.quantile(known, tails)
    return low, high
