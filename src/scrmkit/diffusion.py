"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations."""

from __future__ import annotations

from scrmkit._contagion import Method, Model, probabilities
from scrmkit._seeds import Seeds, block, seeds
from scrmkit._spread import Spread, spread


__all__ = ["Method", "Model", "Seeds", "Spread", "block", "probabilities", "seeds", "spread"]
