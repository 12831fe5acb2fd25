"""One self-contained page from a log: what was read, ties, engagement, standing, communities.

    from scrmkit import InteractionLog, report

    log = InteractionLog.read("messages.csv", constants={"kind": "message"})
    report.build(log).write("page.html")

The page is a single file of HTML with its pictures in it. It asks the network for nothing and
runs no script (a content security policy forbids both), prints, and can be read on a phone, in
the dark and by a screen reader. Each figure says what it means and how sure it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

from scrmkit import _checks, _findings, _sections, _structure
from scrmkit._checks import Id
from scrmkit._instants import EPOCH
from scrmkit._models import Model, take_model
from scrmkit._page import Page, Section, render
from scrmkit._pieces import Progress
from scrmkit._sections import Subject, days, moment
from scrmkit._ties import check_log
from scrmkit.errors import ScrmkitWarning
from scrmkit.graph import SocialGraph
from scrmkit.log import InteractionLog
from scrmkit.relationships import Ties


__all__ = ["Report", "build"]

_HALF_LIFE: Final = timedelta(days=90)


@frozen
class Report:
    """A page, finished.

    Attributes:
        html: the whole page as text.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from scrmkit import InteractionLog, report
        >>> log = InteractionLog.from_records(
        ...     [{"time": "2026-03-01T09:00Z", "kind": "message", "source": "ana", "target": "ben"}]
        ... )
        >>> with TemporaryDirectory() as folder:
        ...     report.build(log).write(Path(folder) / "page.html").name
        'page.html'
    """

    html: str = field(repr=False)

    def write(self, path: str | PathLike[str]) -> Path:
        """Write the page to a file, in UTF-8.

        Args:
            path: where; an existing file is replaced.

        Returns:
            The path.
        """
        target = Path(path)
        target.write_text(self.html, encoding="utf-8")
        return target


def build(
    log: InteractionLog,
    *,
    title: str = "What the interactions add up to",
    about: Iterable[str] = (),
    as_of: datetime | None = None,
    half_life: timedelta | None = _HALF_LIFE,
    model: str | Model | None = None,
    together: Literal["thread", "about"] | None = None,
    names: Mapping[Id, str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """One page about a log.

    Customers appear by their ids, unless ``names`` says what to call them; what they said
    appears nowhere. Large graphs are drawn by their communities, betweenness is sampled above
    2,000 customers, and whether communities are more than chance is tested up to about 20,000
    ties; the page says so where it applies.

    Args:
        log: what happened.
        title: the heading of the page.
        about: paragraphs to put below the title.
        as_of: nothing later counts; None for the last instant of the log.
        half_life: after which time an act counts half, in ties and in engagement; None for no
            decay, and then no ties that cool down.
        model: the engagement model, or the name of a plugin; it has a half-life of its own.
            None for the default one with the half-life above.
        together: make ties of having done something together, by ``"thread"`` or by
            ``"about"``, instead of acts of one towards another.
        names: the names of customers, by id. The id is shown besides.
        progress: called with a few words before each step.

    Returns:
        The page. A log without an accepted interaction gives a page that says what was read.

    Raises:
        InvalidParameter: an instant without a time zone, a half-life or a model that cannot
            be, or a table instead of a log.
        PluginError: the plugin cannot be loaded, or is no model.
        InvalidTable: ``together`` names a column that the log lacks.

    Warns:
        ScrmkitWarning: the last act of the log stands alone, long after all others; the page
            says so too.

    Example:
        >>> from scrmkit import InteractionLog, report
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"time": "2026-03-01T09:00Z", "kind": "message", "source": 1, "target": 2},
        ...         {"time": "2026-03-02T09:00Z", "kind": "message", "source": 2, "target": 1},
        ...     ]
        ... )
        >>> "2 rows that were read" in report.build(log, title="Two messages").html
        True
    """
    say: Progress = progress or (lambda _: None)
    check_log(log)
    _checks.check_half_life(half_life)
    chosen = None if model is None else take_model(model)
    known = dict(names or {})
    made = {"vocabulary": _named(log)}
    paragraphs = (about,) if isinstance(about, str) else tuple(about)
    if len(log) == 0:
        empty = Subject(log=log, as_of=EPOCH, half_life=half_life, together=together)
        return Report(
            render(
                Page(
                    title=title,
                    about=paragraphs,
                    made=made,
                    names=known,
                    sections=(_sections.reading(empty),),
                )
            )
        )
    subject = Subject(
        log=log,
        as_of=log.acts(as_of=as_of).as_of,
        half_life=half_life,
        together=together,
        names=known,
        model=chosen,
    )
    say("ties")
    ties, doubts = _measure(subject, as_of)
    sections: list[Section] = [
        _sections.reading(subject),
        _sections.activity(subject),
        _findings.ties(subject, ties),
    ]
    say("engagement")
    sections.append(_findings.engaged(subject))
    say("standing")
    graph = SocialGraph.of(ties)
    sections.append(_structure.standing(subject, graph))
    say("communities")
    sections.append(_structure.grouped(subject, graph))
    say("the page")
    made = {
        "as of": moment(subject.as_of),
        "half-life": "none" if half_life is None else days(half_life),
        "ties": "acts of one towards another" if together is None else f"together, by {together}",
        **made,
        **{name: value for section in sections for name, value in section.made.items()},
    }
    return Report(
        render(
            Page(
                title=title,
                about=(*paragraphs, *doubts),
                made=made,
                names=known,
                sections=tuple(sections),
            )
        )
    )


def _measure(subject: Subject, as_of: datetime | None) -> tuple[Ties, list[str]]:
    """The ties, and what was warned of while they were made, which is warned of again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScrmkitWarning)
        ties = subject.ties(as_of)
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=3)
    doubts = [str(one.message) for one in caught if issubclass(one.category, ScrmkitWarning)]
    return ties, [f"Mind that {doubt}." for doubt in doubts]


def _named(log: InteractionLog) -> str:
    vocabulary = log.vocabulary
    return f"{vocabulary.name}, version {vocabulary.version}, digest {vocabulary.digest}"
