"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations.

`cascades` are the trees that happened, and `learn_probabilities` makes of them how likely one
customer acts after another. `spread` says how far something would go, `seeds` whom to ask
first and how good that choice is at least, `block` whom to tell the truth. `ovation` has a
crowd rise, `private_opinion` asks votes for what was thought before the crowd was seen, and
`information_cascade` says how often everybody follows.
"""

from __future__ import annotations

from scrmkit._bounds import Estimate
from scrmkit._cascades import Cascades, cascades
from scrmkit._contagion import Method, Model, probabilities
from scrmkit._herds import (
    InformationCascade,
    PrivateOpinion,
    information_cascade,
    private_opinion,
)
from scrmkit._learning import Probabilities, learn_probabilities
from scrmkit._ovations import Ovation, ovation, theatre
from scrmkit._seeds import Seeds, block, seeds
from scrmkit._spread import Spread, spread


__all__ = [
    "Cascades",
    "Estimate",
    "InformationCascade",
    "Method",
    "Model",
    "Ovation",
    "PrivateOpinion",
    "Probabilities",
    "Seeds",
    "Spread",
    "block",
    "cascades",
    "information_cascade",
    "learn_probabilities",
    "ovation",
    "private_opinion",
    "probabilities",
    "seeds",
    "spread",
    "theatre",
]
