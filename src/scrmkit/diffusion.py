"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations."""

from __future__ import annotations

from scrmkit._bounds import Estimate
from scrmkit._herds import (
    InformationCascade,
    PrivateOpinion,
    information_cascade,
    private_opinion,
)
from scrmkit._ovations import Ovation, ovation, theatre


__all__ = [
    "Estimate",
    "InformationCascade",
    "Ovation",
    "PrivateOpinion",
    "information_cascade",
    "ovation",
    "private_opinion",
    "theatre",
]
