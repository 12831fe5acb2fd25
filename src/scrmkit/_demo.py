"""The women of Davis, Gardner and Gardner (1941): who came to 14 social events."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import networkx as nx
from attrs import frozen

from scrmkit import communities, influence, relationships, report
from scrmkit.log import InteractionLog


TITLE: Final = "The Southern Women of Davis, Gardner and Gardner (1941)"

YEAR: Final = 1936
DATES: Final[Mapping[str, tuple[int, int]]] = {
    "E1": (6, 27),
    "E2": (3, 2),
    "E3": (4, 12),
    "E4": (9, 26),
    "E5": (2, 25),
    "E6": (5, 19),
    "E7": (3, 15),
    "E8": (9, 16),
    "E9": (4, 8),
    "E10": (6, 10),
    "E11": (2, 23),
    "E12": (4, 7),
    "E13": (11, 21),
    "E14": (8, 3),
}
FIRST_GROUP: Final = 9

ABOUT: Final = (
    "In the 1930s the authors noted which of 18 women came to which of 14 social events in a "
    "town of the American South, from newspaper reports and other records. Month and day "
    "of the events are the study's; the year is not known, and 1936 is assumed. A tie says "
    "that two women came to the same events; a small event says more than a large one. "
    "Nothing decays."
)
SOURCES: Final = (
    "Davis, Gardner, Gardner (1941), Deep South, University of Chicago Press; the table is that "
    "of networkx. Freeman (2003), Finding social groups: a meta-analysis of the southern women "
    "data, in Breiger, Carley, Pattison (eds), Dynamic Social Network Modeling and Analysis, "
    "National Academies Press. Newman (2001), doi:10.1103/PhysRevE.64.016132."
)


def women() -> list[str]:
    """The 18 women in the order of the study, which is that of the literature."""
    return list(nx.davis_southern_women_graph().graph["top"])


def attendance() -> InteractionLog:
    """A log with one ``attendance`` for each of the 89 times that a woman came to an event."""
    graph = nx.davis_southern_women_graph()
    return InteractionLog.from_records(
        (
            {
                "time": datetime(YEAR, *DATES[event], 12, tzinfo=UTC),
                "source": woman,
                "about": event,
            }
            for woman in graph.graph["top"]
            for event in sorted(graph[woman], key=list(DATES).index)
        ),
        constants={"kind": "attendance"},
    )


@frozen
class Comparison:
    """Groups that were found, against those of the literature.

    Args:
        groups: how many groups were found.
        agreeing: the women who are in the group that matches the literature's.
        differing: those who are in another.
    """

    groups: int
    agreeing: tuple[str, ...]
    differing: tuple[str, ...]

    def __str__(self) -> str:
        whole = len(self.agreeing) + len(self.differing)
        text = (
            f"Freeman (2003) compared 21 analyses of these data; the consensus of them puts the "
            f"women 1 to 9 of the study into one group and 10 to 18 into the other. The "
            f"{self.groups} groups found here agree for {len(self.agreeing)} of {whole} women"
        )
        if self.differing:
            return f"{text}; they differ for {', '.join(self.differing)}."
        return (
            f"{text}. The study itself was less sure: it counted Ruth (9) to both groups, and "
            f"Pearl (8), Ruth, Verne (10), Dorothy (16), Olivia (17) and Flora (18) among the "
            f"secondary members."
        )


def compare(found: Mapping[Any, int]) -> Comparison:
    """Match the groups that were found with the literature's two, and count who agrees.

    Each of the two is matched with the group that shares the most women with it; a group
    that is found besides agrees with neither.

    Args:
        found: the group of each woman.
    """
    sides = (women()[:FIRST_GROUP], women()[FIRST_GROUP:])
    groups = sorted(set(found.values()))
    candidates = [*groups, None]
    pairs = [(one, other) for one in candidates for other in candidates if one != other]

    def agreement(pair: tuple[int | None, int | None]) -> list[str]:
        return [
            woman
            for side, group in zip(sides, pair, strict=True)
            for woman in side
            if found[woman] == group
        ]

    agreeing = max(map(agreement, pairs), key=len)
    differing = [woman for woman in women() if woman not in agreeing]
    return Comparison(len(groups), tuple(agreeing), tuple(differing))


def show(path: Path, *, write: Callable[[str], object], progress: Callable[[str], object]) -> None:
    """Write what was found to the terminal, and the page to a file.

    Args:
        path: of the page.
        write: takes the text for the terminal.
        progress: called with a few words before each step of the page.
    """
    log = attendance()
    write(f"{TITLE}\n\n{_wrap(ABOUT)}\n\n{log.summary()}\n")
    ties = relationships.together(log, on="about", half_life=None)
    write("\nThe strongest ties\n")
    for row in ties.top(10).iter_rows(named=True):
        pair = f"{row['a']} and {row['b']}"
        write(f"  {row['strength']:.2f}  {pair:<38} {row['n']} events in common\n")
    groups = communities.detect(ties)
    write("\nThe groups\n")
    for group in sorted(set(groups.values())):
        members = [woman for woman in women() if groups[woman] == group]
        write(_wrap(f"{len(members)} women: {', '.join(members)}", indent="  ") + "\n")
    comparison = compare(dict(groups))
    write(f"\n{_wrap(str(comparison))}\n")
    write("\nStanding (PageRank)\n")
    for place, (woman, share) in enumerate(influence.rank(ties).items(), start=1):
        write(f"  {place:>2}  {100 * share:4.1f} %  {woman}\n")
    page = report.build(
        log,
        title=TITLE,
        about=(ABOUT, str(comparison), SOURCES),
        half_life=None,
        together="about",
        progress=progress,
    )
    write(f"\nThe page: {page.write(path).resolve()}\n")


def _wrap(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, 88, initial_indent=indent, subsequent_indent=indent)
