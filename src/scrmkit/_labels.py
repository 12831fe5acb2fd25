"""Ids and names as people read them: visible, short, and never taken for something else."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from scrmkit._checks import Id


_ELLIPSIS: Final = "…"
_LINE_ENDS: Final = ("\u2028", "\u2029")


def visible(text: object) -> str:
    """The text with everything that would show something else written as its code point.

    Control characters, lone surrogates and the characters that turn the direction of
    writing become ``[U+202E]`` and the like. Letters of any script stay as they are.
    """
    return "".join(f"[U+{ord(one):04X}]" if _deceives(one) else one for one in str(text))


def _deceives(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    return (
        unicodedata.category(character) in ("Cc", "Cs")
        or character in _LINE_ENDS
        or _turns(character)
    )


def _turns(character: str) -> bool:
    """Whether it is one of the marks, embeddings, overrides and isolates of direction."""
    point = ord(character)
    return (
        point in (0x061C, 0x200E, 0x200F) or 0x202A <= point <= 0x202E or 0x2066 <= point <= 0x2069
    )


def short(text: str, width: int) -> str:
    """At most so many characters, with an ellipsis in the middle of what was longer."""
    if len(text) <= width:
        return text
    head = width // 2
    tail = width - 1 - head
    return text[:head] + _ELLIPSIS + (text[-tail:] if tail else "")


def label(customer: Id, names: Mapping[Id, str] | None, *, width: int | None = None) -> str:
    """What a customer is called in a picture or table: the name where one is given, else the id."""
    text = visible((names or {}).get(customer, customer))
    return text if width is None else short(text, width)


def ems(text: str) -> float:
    """An upper estimate of how wide a text is, in heights of its font."""
    return sum(1.05 if unicodedata.east_asian_width(one) in "WF" else 0.62 for one in text)
