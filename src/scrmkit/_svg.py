"""A matplotlib figure as a piece of a page: no style of its own, nothing that collides."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from scrmkit.plots import INK


_NAMESPACE: Final = re.compile(r"^\{[^}]*\}")
_REFERENCE: Final = re.compile(r"#([\w.-]+)")
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")
_NO_TURN: Final = re.compile(r"^rotate\(-?0(\.0*)?[ ,)]")
_BOLD: Final = ("bold", "700")
_FONT_SIZE: Final = re.compile(r"[\d.]+px")


def inline(figure: Figure, *, key: str, title: str, description: str) -> Markup:
    """The figure as an ``<svg>`` to put into HTML.

    Text stays text, in the font and colour of the page around it; styles become attributes,
    so that a content security policy without inline styles shows it; identifiers begin with
    ``key``. The same figure gives the same text.

    Args:
        figure: what to draw.
        key: letters that no other figure on the page has.
        title: what it is, for those who cannot see it.
        description: what there is to see.
    """
    root = ET.fromstring(_draw(figure, key))  # noqa: S314 - matplotlib wrote it just now
    for element in root.iter():
        _tidy(element)
    _drop(root, ("metadata", "style"))
    _rename(root, key)
    view = root.get("viewBox", "")
    names = {"title": f"{key}-title", "desc": f"{key}-desc"}
    root.attrib = {
        "class": "picture",
        "viewBox": view,
        "role": "img",
        "aria-labelledby": " ".join(names.values()),
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": names[tag]})
        element.text = text
        root.insert(place, element)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by ElementTree


def _draw(figure: Figure, key: str) -> bytes:
    file = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's fonts draw the text
        figure.savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


def _tidy(element: ET.Element) -> None:
    """Plain names, attributes instead of styles, short numbers, the colour of the page's text."""
    element.tag = _NAMESPACE.sub("", element.tag)
    found = {_NAMESPACE.sub("", name): value for name, value in element.attrib.items()}
    found |= dict(_properties(found.pop("style", "")))
    if _NO_TURN.match(found.get("transform", "")):
        del found["transform"]
    for name, value in found.items():
        if value == INK:
            found[name] = "currentColor"
        elif name not in ("id", "href", "clip-path", "class"):
            found[name] = _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", value)
    if "d" in found:
        found["d"] = " ".join(found["d"].split())
    element.attrib = found
    if element.tag != "text":
        element.text = None
    element.tail = None


def _properties(style: str) -> Iterator[tuple[str, str]]:
    """The properties of a style, except which font: of that only the size and the weight."""
    for part in style.split(";"):
        name, _, value = (word.strip() for word in part.partition(":"))
        if name == "font":  # all in one, as matplotlib before 3.10 writes it
            yield from (("font-size", size) for size in _FONT_SIZE.findall(value)[:1])
            yield from (("font-weight", "bold") for word in value.split() if word in _BOLD)
        elif name and name != "font-family":
            yield name, value


def _drop(root: ET.Element, tags: tuple[str, ...]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in tags:
                parent.remove(child)


def _rename(root: ET.Element, key: str) -> None:
    """Begin the identifiers that are referred to with the key, and drop the others."""
    used = {
        name
        for element in root.iter()
        for attribute in ("href", "clip-path")
        for name in _REFERENCE.findall(element.get(attribute, ""))
    }
    for element in root.iter():
        if (name := element.get("id")) is not None:
            del element.attrib["id"]
            if name in used:
                element.set("id", f"{key}-{name}")
        for attribute in ("href", "clip-path"):
            if (value := element.get(attribute)) is not None:
                element.set(attribute, _REFERENCE.sub(rf"#{key}-\1", value))
