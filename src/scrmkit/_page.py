"""What a page is made of, and the one page that it becomes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final, Literal

from attrs import field, frozen

from scrmkit._checks import Id
from scrmkit._labels import visible
from scrmkit.errors import MissingExtra


try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
except ImportError as missing:
    raise MissingExtra(missing.name or "jinja2", extra="report") from missing


Kind = Literal["who", "people", "number", "date", "text"]
Sentence = str | Markup

_MISSING: Final = "not known"


@frozen
class Column:
    """One column of a table: its heading and what stands in it."""

    head: str
    kind: Kind = "number"


@frozen
class Table:
    """A table with a caption; the first column names the row.

    Args:
        caption: what the rows are.
        columns: one for each cell of a row.
        rows: an id where the column is of kind who, several where it is of kind people, else
            what `cell` shows.
        folded: whether it is shown only on request.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    folded: bool = False


@frozen(kw_only=True)
class Exhibit:
    """A figure with what it means and how sure it is.

    Args:
        title: its heading.
        meaning: what it shows, in one sentence.
        sure: how sure it is: interval, error bound, or what it is counted from.
        picture: an SVG.
        tables: the numbers.
        notes: what else one should know.
    """

    title: str
    meaning: Sentence
    sure: Sentence
    picture: Markup | None = None
    tables: tuple[Table, ...] = ()
    notes: tuple[Sentence, ...] = ()


@frozen
class Section:
    """A part of the page.

    Args:
        key: its name in links.
        title: its heading.
        lead: what comes before its exhibits.
        exhibits: its figures.
        short: what it adds to the sentences at the top of the page.
        made: what its numbers depend on besides what all do, by name.
    """

    key: str
    title: str
    lead: tuple[Sentence, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    short: tuple[Sentence, ...] = ()
    made: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Page:
    """Everything that stands on a page.

    Args:
        title: of the page.
        about: what it is about, before anything that was found.
        sections: its parts.
        made: what the numbers depend on, by name.
        names: what customers are called; ids are shown besides.
    """

    title: str
    about: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    made: Mapping[str, str]
    names: Mapping[Id, str] = field(factory=dict)


def number(value: float) -> str:
    """A number as people read it: thousands apart, four digits that count."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size < 1e-4:
        return f"{value:.2e}"
    digits = 1 if size >= 100 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    return f"{value:,.{digits}f}"


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 tie``, ``2,000 ties``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def cell(value: object) -> str:
    """What stands in a table for a value that is no customer."""
    if value is None:
        return "–"  # noqa: RUF001 - a dash that stands for nothing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return visible(value)


def sentence(text: str, /, *who: object) -> Markup:
    """A sentence with ids in it, each kept apart from the writing around it."""
    return Markup(text).format(*(isolate(one) for one in who))  # noqa: S704 - a literal of ours


def isolate(text: object) -> Markup:
    """Somebody's word as HTML: visible, escaped, and unable to turn the words around it."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


def render(page: Page) -> str:
    """The page as one HTML file that needs nothing else."""
    environment = Environment(
        loader=PackageLoader("scrmkit", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": cell, "isolate": isolate, "visible": visible}
    style = environment.get_template("page.css").render()
    return environment.get_template("page.html").render(
        page=page,
        style=Markup(style),  # noqa: S704 - a file of ours
        policy=policy(style),
        version=version("scrmkit"),
        name_of=page.names.get,
    )


def policy(style: str) -> str:
    """A content security policy that allows this one style sheet and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def table(
    caption: str,
    columns: Mapping[str, Kind],
    rows: Sequence[Sequence[Any]],
    *,
    folded: bool = False,
) -> Table:
    """A table from headings with their kind, and rows."""
    return Table(
        caption,
        tuple(Column(head, kind) for head, kind in columns.items()),
        tuple(tuple(row) for row in rows),
        folded,
    )
