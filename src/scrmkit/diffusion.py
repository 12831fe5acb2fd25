"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations.

`cascades` are the trees that happened, and `learn_probabilities` makes of them how likely one
customer acts after another. `spread` says how far something would go, `seeds` whom to ask
first and how good that choice is at least, `block` whom to tell the truth.
"""

from __future__ import annotations

from scrmkit._cascades import Cascades, cascades
from scrmkit._contagion import Method, Model, probabilities
from scrmkit._learning import Probabilities, learn_probabilities
from scrmkit._seeds import Seeds, block, seeds
from scrmkit._spread import Spread, spread


__all__ = [
    "Cascades",
    "Method",
    "Model",
    "Probabilities",
    "Seeds",
    "Spread",
    "block",
    "cascades",
    "learn_probabilities",
    "probabilities",
    "seeds",
    "spread",
]
