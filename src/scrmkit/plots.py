"""Pictures of what a log holds: activity, ties, engagement, communities.

Each function returns a matplotlib ``Figure`` that belongs to nobody: no window, no global
state. ``figure.savefig("ties.svg")`` keeps it. Backgrounds are transparent and colours are of
middle brightness (at least 3:1 against white and against near-black). Text is drawn as it
stands, so ``$`` is a dollar and no mathematics, and what would not show is made visible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from scrmkit import _tables
from scrmkit._checks import Id
from scrmkit._labels import label
from scrmkit._periods import UNKNOWN, count_periods
from scrmkit.errors import InvalidTable, MissingExtra
from scrmkit.interactions import Family
from scrmkit.log import InteractionLog


try:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle
    from matplotlib.ticker import FuncFormatter, MaxNLocator
except ImportError as missing:
    raise MissingExtra(missing.name or "matplotlib", extra="report") from missing

from scrmkit import _layout
from scrmkit.graph import SocialGraph


if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    from numpy.typing import NDArray

    Groups = NDArray[np.int64]

__all__ = ["activity", "communities", "engagement", "ties"]

Names = Mapping[Id, str] | None
Edges = list[tuple[int, int, float]]

INK: Final = "#6b6f76"
RULE: Final = "#9aa0a6"
COLOURS: Final[Mapping[str, str]] = {
    Family.CONVERSATION: "#2a78c2",
    Family.CONTRIBUTION: "#0b9268",
    Family.ADVOCACY: "#b765a4",
    Family.SERVICE: "#d2600a",
    Family.TRANSACTION: "#8f7a1f",
    Family.ATTENTION: "#7d838c",
    UNKNOWN: "#a0522d",
}
GROUP_COLOURS: Final = ("#2a78c2", "#d2600a", "#0b9268", "#b765a4", "#8f7a1f", "#7d838c")
GROUP_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
MOST_CUSTOMERS: Final = 60
MOST_COMMUNITIES: Final = 20
NEAREST: Final = 3

_WIDTH: Final = 400.0
_SIZE: Final = 10.5
_POINTS_PER_INCH: Final = 72.0
_ID_WIDTH: Final = 26
_SMALLEST: Final = 6.0
_LARGEST: Final = 34.0
_ROOM_FOR_A_NUMBER: Final = 9.0
_CROWD: Final = 3


def activity(log: InteractionLog, *, as_of: datetime | None = None) -> Figure:
    """How many interactions there were over time, by family.

    Bars span hours, quarter days, days, weeks, months, quarters or years in UTC: the finest of
    which at most 70 are needed. Kinds that the vocabulary lacks are the family ``unknown``.

    Args:
        log: what happened; at least one interaction.
        as_of: nothing later is drawn; None for all.

    Raises:
        InvalidParameter: a log with no interactions.

    Example:
        >>> from scrmkit import InteractionLog, plots
        >>> log = InteractionLog.from_records(
        ...     [{"time": "2026-03-01T09:00Z", "kind": "message", "source": 1, "target": 2}]
        ... )
        >>> plots.activity(log).axes[0].get_ylabel()
        'interactions an hour'
    """
    periods = count_periods(log, as_of=as_of)
    figure, axes = _chart(190, left=44, bottom=30, top=32)
    limits: Any = np.array([start.replace(tzinfo=None) for start in periods.starts], "M8[us]")
    starts, widths = limits[:-1], np.diff(limits)
    floor = np.zeros(len(starts))
    for family, counts in periods.counts.items():
        axes.bar(
            starts,
            counts,
            widths,
            bottom=floor,
            align="edge",
            color=COLOURS[family],
            label=family,
            linewidth=0,
        )
        floor += np.array(counts, dtype=float)
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlim(limits[0], limits[-1])
    axes.set_ylim(0, 1.05 * floor.max())
    axes.set_ylabel(f"interactions {periods.each}", color=INK, fontsize=_SIZE)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: _compact(count)))
    axes.grid(visible=True, axis="y", color=RULE, linewidth=0.4, alpha=0.6)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        frameon=False,
        fontsize=_SIZE,
        labelcolor=INK,
        handlelength=0.9,
        columnspacing=1.0,
        borderaxespad=0.2,
    )
    return figure


def ties(ties: Any, *, k: int = 10, names: Names = None) -> Figure:
    """The strongest ties, each way.

    Args:
        ties: what `relationships.measure` or `relationships.together` gives, or a table like
            it; at least one row.
        k: how many; 1 or more.
        names: what to write for an id.

    Raises:
        InvalidTable: no rows, or no column ``strength``.

    Example:
        >>> import polars as pl
        >>> from scrmkit import plots
        >>> some = pl.DataFrame({"a": ["ana"], "b": ["ben"], "strength": [2.5]})
        >>> [text.get_text() for text in plots.ties(some).axes[0].texts]
        ['ana & ben', '2.5']
    """
    rows = strongest(ties, k)
    directed = "strength_ab" in rows.columns
    high = float(rows["strength"][0]) or 1.0
    step, top = 27.0, 26.0 if directed else 8.0
    figure, axes = _picture(top + step * len(rows) + 4)
    room = _WIDTH - 60
    for place, row in enumerate(rows.iter_rows(named=True)):
        y = top + place * step
        pair = " & ".join(label(row[end], names, width=_ID_WIDTH) for end in ("a", "b"))
        _write(axes, 2, y + 5, pair, ha="left")
        parts = ("strength_ab", "strength_ba") if directed else ("strength",)
        left = 2.0
        for part, colour in zip(parts, GROUP_COLOURS, strict=False):
            wide = room * float(row[part]) / high
            axes.barh(y + 17, wide, 9, left=left, color=colour, linewidth=0)
            left += wide
        _write(axes, left + 4, y + 17, f"{row['strength']:.3g}", ha="left")
    if directed:
        for left, colour, text in (
            (2, GROUP_COLOURS[0], "from the first to the second"),
            (190, GROUP_COLOURS[1], "from the second to the first"),
        ):
            axes.barh(10, 9, 9, left=left, color=colour, linewidth=0)
            _write(axes, left + 14, 10, text, ha="left")
    return figure


def engagement(scores: Any, *, k: int = 10, names: Names = None) -> Figure:
    """How engagement is distributed, and the most engaged with their intervals.

    Args:
        scores: what `engagement.score` gives at one instant, or a table with the columns
            ``customer, score, low, high``; at least one row.
        k: how many of the most engaged; 1 or more.
        names: what to write for an id.

    Raises:
        InvalidTable: no rows, a column is missing, or more than one instant.

    Example:
        >>> import polars as pl
        >>> from scrmkit import plots
        >>> some = pl.DataFrame({"customer": [7], "score": [42.0], "low": [30.0], "high": [55.0]})
        >>> how_many, the_best = plots.engagement(some).axes
        >>> how_many.get_title("left"), the_best.get_title("right")
        ('customers by score', 'the most engaged, with 90 % intervals')
    """
    frame, _ = _tables.take(scores)
    found = frame.collect_schema().names()
    _tables.check_columns(found, ("customer", "score", "low", "high"), where="the table of scores")
    wanted = frame.select("customer", "score", "low", "high")
    eager = _tables.largest_first(wanted, "score", ["customer"]).collect()
    if not len(eager):
        raise InvalidTable("there are no scores to draw")
    if len(eager) != eager["customer"].n_unique():
        raise InvalidTable(
            "a customer has several scores: keep one instant, such as the last as_of"
        )
    best = eager.head(k)
    step, over = 17.0, 150.0
    height = over + 46 + step * len(best)
    figure, axes = _chart(height, left=8, bottom=height - over + 18, top=22, right=14)
    counts, edges = np.histogram(eager["score"].to_numpy(), bins=10, range=(0, 100))
    bars = axes.bar(edges[:-1], counts, np.diff(edges) * 0.92, align="edge", color=GROUP_COLOURS[0])
    axes.bar_label(
        bars, [_compact(count) for count in counts], color=INK, fontsize=_SIZE, padding=1
    )
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 1.18 * counts.max())
    axes.set_yticks([])
    axes.set_xticks(range(0, 101, 20))
    axes.spines["left"].set_visible(False)
    axes.set_title("customers by score", color=INK, fontsize=_SIZE, loc="left", fontweight="bold")
    low = _axes(figure, 155, 24, _WIDTH - 169, step * len(best))
    low.set_title(
        "the most engaged, with 90 % intervals",
        color=INK,
        fontsize=_SIZE,
        loc="right",
        fontweight="bold",
    )
    low.set_xlim(0, 100)
    low.set_ylim(len(best) - 0.5, -0.5)
    low.set_xticks(range(0, 101, 20))
    low.set_yticks(
        range(len(best)),
        [label(one, names, width=20) for one in best["customer"].to_list()],
        parse_math=False,
    )
    low.spines["left"].set_visible(False)
    low.grid(visible=True, axis="x", color=RULE, linewidth=0.4, alpha=0.6)
    places = np.arange(len(best))
    low.hlines(places, best["low"].to_numpy(), best["high"].to_numpy(), GROUP_COLOURS[0], lw=2.5)
    low.plot(best["score"].to_numpy(), places, "o", ms=5, color=GROUP_COLOURS[1], clip_on=False)
    return figure


def communities(graph: Any, found: Any, *, names: Names = None) -> Figure:
    """The graph with its communities, so that one can read it.

    Up to 60 customers are drawn each by their own, with the three strongest ties of each. A
    larger graph is drawn as its communities, the 20 largest of those of three and more: the
    area of a circle is the number of members (small ones have room for their number), the
    width of a line what the ties between two add up to. Places say who is near whom, nothing
    else; labels that would overlap are left out.

    Args:
        graph: ties, a networkx graph or a `SocialGraph`.
        found: what `communities.detect` gave for it, or a table with the columns
            ``customer, community``.
        names: what to write for an id.

    Raises:
        InvalidTable: no rows or a column is missing.
    """
    frame, _ = _tables.take(found)
    columns = frame.collect_schema().names()
    _tables.check_columns(columns, ("customer", "community"), where="the table of communities")
    eager = frame.select("customer", "community").collect()
    if not len(eager):
        raise InvalidTable("there are no communities to draw")
    of = dict(zip(eager["customer"].to_list(), eager["community"].to_list(), strict=True))
    social = SocialGraph.of(graph).undirected()
    groups = np.array([of.get(one, -1) for one in social.ids.tolist()])
    if len(social) <= MOST_CUSTOMERS:
        return _draw_customers(social, groups, names)
    return _draw_communities(social, groups)


def strongest(ties: Any, k: int) -> nw.DataFrame[Any]:
    """The k strongest ties, strongest first; equal ones in order of their ids."""
    frame, _ = _tables.take(ties)
    _tables.check_columns(
        frame.collect_schema().names(), ("a", "b", "strength"), where="the table of ties"
    )
    rows = _tables.largest_first(frame, "strength", ["a", "b"]).head(k).collect()
    if not len(rows):
        raise InvalidTable("there are no ties to draw")
    return rows


def _draw_customers(social: SocialGraph, groups: Groups, names: Names) -> Figure:
    n = len(social)
    height = 240.0 + 6 * n
    edges = _nearest(social)
    strength: NDArray[np.float64] = np.asarray(social.matrix().sum(axis=1)).ravel()
    radii = np.full(n, _SMALLEST)
    pulled = [(a, b, weight * (2.0 if groups[a] == groups[b] else 1.0)) for a, b, weight in edges]
    places = _layout.positions(pulled, radii, width=_WIDTH - 80, height=height - 30)
    places += [40.0, 15.0]
    kinds = sorted(set(groups.tolist()))
    figure, axes = _picture(height + 16 * math.ceil(len(kinds) / 4))
    _draw_edges(axes, places, edges, groups)
    for group in kinds:
        inside = groups == group
        look = _look(group, kinds)
        axes.plot(
            *places[inside].T, ls="", ms=2 * _SMALLEST, label=f"{group} ({inside.sum()})", **look
        )
    texts = [label(one, names, width=_ID_WIDTH) for one in social.ids.tolist()]
    order = np.lexsort((np.arange(n), -strength)).tolist()
    size = {"size": _SIZE, "width": _WIDTH, "height": height}
    for node, (x, y) in _layout.place_labels(places, radii, texts, order, **size).items():
        _write(axes, x, y, texts[node], ha="center")
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=4,
        frameon=False,
        fontsize=_SIZE,
        labelcolor=INK,
        markerscale=0.7,
        borderaxespad=0.2,
        handletextpad=0.2,
        title="community (customers)",
        title_fontsize=_SIZE,
        alignment="left",
    )
    legend.get_title().set_color(INK)
    return figure


def _draw_communities(social: SocialGraph, groups: Groups) -> Figure:
    shown, sizes = drawn_communities(groups)
    code = np.full(len(groups), -1)
    for place, group in enumerate(shown):
        code[groups == group] = place
    edges = _between(social, code, len(shown))
    radii = np.maximum(_LARGEST * np.sqrt(sizes / sizes.max()), _ROOM_FOR_A_NUMBER)
    height = 340.0
    places = _layout.positions(edges, radii, width=_WIDTH - 10, height=height - 10)
    places += [5.0, 5.0]
    figure, axes = _picture(height)
    _draw_edges(axes, places, edges, np.zeros(len(shown), np.int64))
    for place, (x, y) in enumerate(places):
        colour = GROUP_COLOURS[place % len(GROUP_COLOURS)]
        axes.add_patch(Circle((x, y), radii[place], facecolor=colour, linewidth=0))
        number = str(shown[place])
        small = _SIZE if len(number) < 3 else _SIZE * 2 / len(number)
        axes.text(x, y, number, ha="center", va="center", color="white", fontsize=small)
    return figure


def drawn_communities(groups: Groups) -> tuple[Groups, Groups]:
    """Which communities a picture shows, largest first, and how many customers each has.

    The 20 largest, and of those only the ones of three and more, unless there are none.
    """
    kinds, members = np.unique(groups, return_counts=True)
    order = np.lexsort((kinds, -members))[:MOST_COMMUNITIES]
    if (members >= _CROWD).any():
        order = order[members[order] >= _CROWD]
    return kinds[order], members[order]


def _nearest(social: SocialGraph) -> Edges:
    """The strongest ties of each customer, each pair once."""
    kept: dict[tuple[int, int], float] = {}
    for one in range(len(social)):
        arcs = slice(social.indptr[one], social.indptr[one + 1])
        others, weights = social.indices[arcs], social.weights[arcs]
        order = [at for at in np.lexsort((others, -weights)) if others[at] != one]
        for at in order[:NEAREST]:
            other = int(others[at])
            kept[min(one, other), max(one, other)] = float(weights[at])
    return [(a, b, weight) for (a, b), weight in sorted(kept.items())]


def _between(social: SocialGraph, code: Groups, n: int) -> Edges:
    """What the ties between each two groups add up to; code -1 is left out."""
    rows = np.repeat(code, np.diff(social.indptr))
    columns = code[social.indices]
    across = (rows >= 0) & (columns >= 0) & (rows < columns)
    total = np.bincount(rows[across] * n + columns[across], social.weights[across], n * n)
    return [(int(at // n), int(at % n), float(total[at])) for at in np.flatnonzero(total > 0)]


def _draw_edges(axes: Axes, places: _layout.Points, edges: Edges, groups: Groups) -> None:
    if not edges:
        return
    high = max(weight for *_, weight in edges)
    axes.add_collection(
        LineCollection(
            [places[[a, b]] for a, b, _ in edges],
            linewidths=[0.4 + 3.6 * weight / high for *_, weight in edges],
            colors=RULE,
            alpha=0.55,
            linestyles=["solid" if groups[a] == groups[b] else (0, (4, 2)) for a, b, _ in edges],
            zorder=0,
        )
    )


def _look(group: int, kinds: list[int]) -> dict[str, Any]:
    """Colour and shape of a community: each shape is used with one colour first."""
    place = kinds.index(group)
    turn = place // len(GROUP_COLOURS)
    return {
        "color": GROUP_COLOURS[place % len(GROUP_COLOURS)],
        "marker": GROUP_MARKERS[(place + turn) % len(GROUP_MARKERS)],
        "markeredgewidth": 0,
    }


def _blank(height: float) -> Figure:
    """A figure whose unit, the point, is also that of what is placed in it."""
    figure = Figure(figsize=(_WIDTH / _POINTS_PER_INCH, height / _POINTS_PER_INCH))
    figure.patch.set_alpha(0.0)
    return figure


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place in points, with quiet lines."""
    tall = figure.get_figheight() * _POINTS_PER_INCH
    axes = figure.add_axes((left / _WIDTH, bottom / tall, width / _WIDTH, height / tall))
    axes.patch.set_alpha(0.0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=RULE, labelcolor=INK, labelsize=_SIZE, length=3, width=0.6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=RULE, linewidth=0.6)
    return axes


def _chart(
    height: float, *, left: float, bottom: float, top: float, right: float = 10.0
) -> tuple[Figure, Axes]:
    """A figure with one chart, with margins in points."""
    figure = _blank(height)
    return figure, _axes(figure, left, bottom, _WIDTH - left - right, height - bottom - top)


def _picture(height: float) -> tuple[Figure, Axes]:
    """A figure to draw in by points: x to the right, y downwards, no axes to see."""
    figure = _blank(height)
    axes = _axes(figure, 0, 0, _WIDTH, height)
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def _write(axes: Axes, x: float, y: float, text: str, *, ha: Literal["left", "center"]) -> None:
    axes.text(x, y, text, ha=ha, va="center", color=INK, fontsize=_SIZE, parse_math=False)


def _compact(count: float) -> str:
    """A count in at most four characters or so: 950, 12k, 3.4M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.4g}"
