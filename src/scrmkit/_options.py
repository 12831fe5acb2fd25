"""How the columns of a table become those of a log: the fields, and the options of a log."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from scrmkit import _checks
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import Vocabulary


IDS: Final = ("id", "source", "target", "thread", "in_reply_to", "about", "retracts", "scope")
PARTIES: Final = ("source", "target")
WORDS: Final = ("kind", "channel", "currency", "text")
TRUTHS: Final = ("public", "automated")
INSTANTS: Final = ("time", "received_at")
FIELDS: Final = (*INSTANTS, *IDS, *WORDS, *TRUTHS, "valence", "value")


@frozen
class Options:
    """How the columns of a table become those of a log."""

    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    kinds: Mapping[str, str]
    valence_range: tuple[float, float]
    timezone: str | None
    vocabulary: Vocabulary


def check_options(
    columns: Mapping[str, str] | None,
    constants: Mapping[str, Any] | None,
    kinds: Mapping[str, str] | None,
    valence_range: tuple[float, float],
    timezone: str | None,
    vocabulary: Vocabulary,
) -> Options:
    """Refuse options that cannot be, and complete the others."""
    for option, names in (("columns", columns), ("constants", constants), ("kinds", kinds)):
        if names is not None and not isinstance(names, Mapping):
            raise InvalidParameter(f"{option} is of type {type(names).__name__}: give a mapping")
    columns, constants, kinds = dict(columns or {}), dict(constants or {}), dict(kinds or {})
    for option, names in (("columns", columns), ("constants", constants)):
        for name in names:
            if name not in FIELDS:
                near = get_close_matches(name, FIELDS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise InvalidParameter(
                    f"{option} names {name!r}, which is no field of an interaction.{hint} "
                    f"The fields are: {', '.join(FIELDS)}"
                )
    for name in {*columns} & {*constants}:
        raise InvalidParameter(f"{name!r} is both in columns and in constants")
    if not isinstance(vocabulary, Vocabulary):
        raise InvalidParameter(
            f"vocabulary is of type {type(vocabulary).__name__}: give a Vocabulary"
        )
    _check_zone(timezone)
    low, high = _check_valence_range(valence_range)
    constants = _check_constants(constants, kinds, vocabulary, (low, high))
    return Options(columns, constants, kinds, (low, high), timezone, vocabulary)


def _check_zone(timezone: str | None) -> None:
    if timezone is None:
        return
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InvalidParameter(
            "timezone is no zone of the time zone database: give its name, such as "
            '"Europe/London" or "UTC"',
            value=timezone,
        ) from None


def _check_valence_range(valence_range: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = (float(bound) for bound in valence_range)
    except (TypeError, ValueError):
        raise InvalidParameter("valence_range must be two numbers, such as (-10, 10)") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidParameter("valence_range must be two finite numbers, the lower one first")
    return low, high


def _check_constants(
    constants: dict[str, Any],
    kinds: Mapping[str, str],
    vocabulary: Vocabulary,
    valence_range: tuple[float, float],
) -> dict[str, Any]:
    """The constants as fields of an interaction would hold them."""
    low, high = valence_range
    for name, value in constants.items():
        if name in (*INSTANTS, "id", "retracts", "value"):
            raise InvalidParameter(f"{name!r} differs from row to row: it cannot be a constant")
        if name in IDS:
            _checks.check_id(value, name=f"constant {name!r}", error=InvalidParameter)
        elif name in TRUTHS:
            if not isinstance(value, bool):
                raise InvalidParameter(f"constant {name!r} must be True or False", value=value)
        elif name == "valence":
            _checks.check_range(
                value, name="constant 'valence'", error=InvalidParameter, low=low, high=high
            )
        else:
            _checks.check_text(value, name=f"constant {name!r}", error=InvalidParameter)
        if name == "currency" and not re.fullmatch("[A-Z]{3}", value):
            raise InvalidParameter("constant 'currency' must be an ISO 4217 code, such as 'EUR'")
    checked: dict[str, Any] = {
        name: str(value) if isinstance(value, UUID) else value for name, value in constants.items()
    }
    if "kind" in checked:
        word = kinds.get(checked["kind"], checked["kind"])
        kind = vocabulary.get(word)
        checked["kind"] = word if kind is None else kind.name
    if "valence" in checked:
        checked["valence"] = (checked["valence"] * 2.0 - (low + high)) / (high - low)
    return checked
