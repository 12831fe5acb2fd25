"""The numbers that the forms written by hand share: kinds, families, decay, points, levels."""

from __future__ import annotations

from math import log

import numpy as np

from scrmkit import DEFAULT_VOCABULARY


FAMILIES = ["attention", "conversation", "contribution", "advocacy", "transaction", "service"]
SCORED = ["conversation", "contribution", "advocacy", "transaction", "service"]
KINDS = sorted({kind.name for kind in DEFAULT_VOCABULARY.words.values()})
FAMILY = {kind: str(DEFAULT_VOCABULARY[kind].family) for kind in KINDS}
TIE_WEIGHT = {kind: DEFAULT_VOCABULARY[kind].tie_weight for kind in KINDS}
ENGAGEMENT_WEIGHT = {
    kind: DEFAULT_VOCABULARY[kind].engagement_weight
    for kind in KINDS
    if DEFAULT_VOCABULARY[kind].engagement_weight
}
DAY = 86400 * 10**6
TIE_RATE = log(2) / (90 * DAY)
CAP = 5
RATE = -1 / 90
REST = 2.0**RATE
Z = 1.6448536269514722
LEVELS = np.array(["quiet", "occasional", "regular", "devoted"])


def judge(sums: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a score from the sums of each customer, as arrays."""
    exposure = sums["oldest"] + 1.0
    activity = sum(sums[family] for family in SCORED)
    gathered = (1 + REST**exposure) / (1 + REST)
    days = (1 - REST**exposure) / (1 - REST)
    between = sums["squares"] - sums["recent"] ** 2 / (days * gathered) * (1 - gathered / days)
    piece = (between / gathered + 4.0) / (activity + 2.0) * gathered

    def quantile(shape: np.ndarray, z: float) -> np.ndarray:
        shape = shape + 1e-12
        root = 1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape))
        return piece * shape * np.maximum(root, 0) ** 3

    def points(amount: np.ndarray) -> np.ndarray:
        return amount / (amount + 20) * 100

    def level(value: np.ndarray) -> np.ndarray:
        active = sums["active_days"]
        place = (value >= 20).astype(np.int8)
        place[(value >= 50) & (active >= 8)] = 2
        place[(value >= 80) & (active >= 24)] = 3
        return place

    some = np.where(activity > 0, activity, 1.0)
    parts = {family: points(activity) * (sums[family] / some) for family in SCORED}
    score = sum(parts.values())
    low = points(quantile(activity / piece, -Z))
    high = points(quantile(activity / piece + 1, Z))
    named = np.where(level(high) - level(low) > 1, "unknown", LEVELS[level(score)])
    return {
        "score": score,
        "low": low,
        "high": high,
        "n": sums["n"],
        "exposure": exposure.astype(np.int64),
        "active_days": sums["active_days"],
        "level": np.where(exposure < 14, "new", named),
        **parts,
        "attention": sums["attention"],
    }
