"""Social CRM as a library: from a log of interactions to relationships and what they mean.

A relationship is the sum of its interactions, the good and the bad, online and offline.
Every number is a pure function of a log, an instant and named parameters.

The map of the house, from the top floor down; imports run downstairs only::

    testing          for those who build on it: strategies, and checks of plugins
    report           one self-contained page from a log
    plots            pictures
    engagement       how engaged is each customer, why, and how sure are we
    influence        who is central, who bridges, who is right
    diffusion        what spreads, and whom to ask first
    trust            whom to believe
    communities      who belongs together, and is that more than chance
    large_graphs     the same by joins, for graphs that do not fit one machine
    plugins          protocols, what is installed, help to write one
    relationships    the sum of interactions between two parties; the ledger; ties
    log              InteractionLog: tables and files of interactions
    graph            SocialGraph: compressed sparse rows
    customers        Customer, Handle, Role, Membership
    interactions     Interaction, Kind, Channel, Vocabulary
    results          what every batch function returns
    errors           the tree of errors

Nouns and errors are at the front door, functions in their rooms::

    import scrmkit as sk
    from scrmkit import engagement, relationships

    log = sk.InteractionLog.read("messages.csv")
    ties = relationships.measure(log)
    scores = engagement.score(log)

Importing scrmkit loads no data library: a room does so when it is entered, and says which
extra it needs where that is not installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from scrmkit.customers import Customer, Handle, Membership, Role
from scrmkit.errors import (
    AsOfError,
    InvalidCustomer,
    InvalidInteraction,
    InvalidParameter,
    InvalidTable,
    MissingExtra,
    ModelMismatch,
    NotConverged,
    PluginError,
    ScrmkitError,
    ScrmkitWarning,
    UnknownCustomer,
    UnknownKind,
    UnreadableFile,
)
from scrmkit.interactions import DEFAULT_VOCABULARY, Channel, Family, Interaction, Kind, Vocabulary


if TYPE_CHECKING:
    from scrmkit.engagement import EngagementModel, Score, Tracker
    from scrmkit.graph import SocialGraph
    from scrmkit.log import InteractionLog
    from scrmkit.relationships import Ledger, Relationship

__all__ = [
    "DEFAULT_VOCABULARY",
    "AsOfError",
    "Channel",
    "Customer",
    "EngagementModel",
    "Family",
    "Handle",
    "Interaction",
    "InteractionLog",
    "InvalidCustomer",
    "InvalidInteraction",
    "InvalidParameter",
    "InvalidTable",
    "Kind",
    "Ledger",
    "Membership",
    "MissingExtra",
    "ModelMismatch",
    "NotConverged",
    "PluginError",
    "Relationship",
    "Role",
    "Score",
    "ScrmkitError",
    "ScrmkitWarning",
    "SocialGraph",
    "Tracker",
    "UnknownCustomer",
    "UnknownKind",
    "UnreadableFile",
    "Vocabulary",
]

_UPSTAIRS = {
    "EngagementModel": "engagement",
    "InteractionLog": "log",
    "Ledger": "relationships",
    "Relationship": "relationships",
    "Score": "engagement",
    "SocialGraph": "graph",
    "Tracker": "engagement",
}
_ROOMS = {
    "communities": "scipy",
    "diffusion": "scipy",
    "engagement": "narwhals",
    "graph": "narwhals",
    "influence": "scipy",
    "large_graphs": "narwhals",
    "log": "narwhals",
    "plots": "matplotlib",
    "plugins": "narwhals",
    "relationships": "narwhals",
    "report": "jinja2",
    "testing": "hypothesis",
    "trust": "scipy",
}
"""Each room, and the library without which it cannot be entered."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("scrmkit")
    if name in _UPSTAIRS:
        return getattr(import_module(f"scrmkit.{_UPSTAIRS[name]}"), name)
    if name in _ROOMS:
        return import_module(f"scrmkit.{name}")
    raise AttributeError(f"module 'scrmkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(room for room, library in _ROOMS.items() if find_spec(library))})
