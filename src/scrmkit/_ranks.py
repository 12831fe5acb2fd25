"""Ranks of numbers of which some are equal."""

from __future__ import annotations

from scrmkit._sparse import Floats, np, round_digits


def middle_ranks(values: Floats) -> Floats:
    """Ranks from 1, the smallest; equal values (to nine digits) are at the mean of theirs."""
    _, codes, sizes = np.unique(round_digits(values), return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(sizes) - (sizes - 1) / 2)[codes]
    return ranks
