"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations."""

from __future__ import annotations

from scrmkit._cascades import Cascades, cascades
from scrmkit._learning import Probabilities, learn_probabilities


__all__ = ["Cascades", "Probabilities", "cascades", "learn_probabilities"]
