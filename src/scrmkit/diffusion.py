"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations."""

from __future__ import annotations

from scrmkit._bounds import Estimate
from scrmkit._ovations import Ovation, ovation, theatre


__all__ = ["Estimate", "Ovation", "ovation", "theatre"]
