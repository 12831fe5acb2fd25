"""The page and its pictures: true, safe, readable, and the same for the same log."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pages import Page
from scrmkit import (
    InteractionLog,
    InvalidParameter,
    InvalidTable,
    ScrmkitWarning,
    _labels,
    _layout,
    _svg,
    communities,
    plots,
    relationships,
    report,
)
from scrmkit._page import cell, count, number, policy, sentence
from scrmkit._periods import count_periods
from scrmkit._svg import inline
from scrmkit.testing.strategies import interactions


# a drawn log may end in an act that stands alone; the warning has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore:the last act of the log")

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NASTY = (
    "<script>document.title='owned'</script>",
    "</script></style></title></svg><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "&lt;b&gt; & $x^2$ {{ 7 * 7 }} {% raw %}",
    "abc\u202egnp.exe\u2066\u200f",
    "line\nbreak\x00\x1b[31m",
    "علي 李小龙 Ångström 🙂",
)
TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p"),
    *("nav", "ul", "li", "main", "section", "article", "figure", "details", "summary", "div"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "strong", "small", "bdi"),
    *("footer", "dl", "dt", "dd"),
    *("svg", "desc", "g", "path", "use", "defs", "clippath", "rect", "text", "tspan"),
}


def day(number: float) -> datetime:
    """An instant some days after the start."""
    return START + timedelta(days=number)


def messages(people: tuple[Any, ...], *, n: int = 60, **columns: Any) -> InteractionLog:
    """A log in which everybody writes to the next and the one after."""
    rows = [
        {
            "time": day(at * 1.7),
            "kind": "message",
            "source": people[at % len(people)],
            "target": people[(at + 1 + at % 2) % len(people)],
            **columns,
        }
        for at in range(n)
    ]
    return InteractionLog.from_records(rows)


@pytest.fixture(scope="module")
def nasty() -> Page:
    """The page about people whose ids try to break it."""
    return Page(report.build(messages(NASTY), title=NASTY[0], about=[NASTY[1]]).html)


@pytest.fixture(scope="module")
def html() -> str:
    """The page about five people, as text."""
    people = ("ana", "ben", "cem", "dia", "eva")
    return report.build(messages(people, valence=-0.5), title="Five people").html


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The page about five people."""
    return Page(html)


# ---------------------------------------------------------------- labels


def test_what_would_deceive_is_shown_as_its_code_point() -> None:
    """Overrides, isolates, marks, control characters and surrogates become visible."""
    assert _labels.visible("a\u202eb\x00\ud800\u2028") == "a[U+202E]b[U+0000][U+D800][U+2028]"


@given(st.text())
def test_visible_text_cannot_turn_what_is_around_it(text: str) -> None:
    """No character of direction and no control character survives, and it stays so."""
    shown = _labels.visible(text)
    assert not TURNS.search(shown)
    assert shown.isprintable() or all(ord(one) > 0x7F for one in shown if not one.isprintable())
    assert _labels.visible(shown) == shown


@pytest.mark.parametrize("text", ["José", "علي", "李小龙", "🙂", "a b", "O'Neil & Söhne <x>"])
def test_words_of_any_script_stay_as_they_are(text: str) -> None:
    """Only what deceives is replaced."""
    assert _labels.visible(text) == text


@given(st.text(), st.integers(1, 30))
def test_short_text_is_never_longer_than_asked(text: str, width: int) -> None:
    """What fits is untouched; what does not has both its ends."""
    made = _labels.short(text, width)
    assert len(made) <= width
    assert (made == text) == (len(text) <= width) or "…" in text


def test_names_are_used_only_where_given() -> None:
    """A label is the name if there is one, else the id."""
    assert _labels.label(7, {7: "Ana"}) == "Ana"
    assert _labels.label(8, {7: "Ana"}) == "8"
    assert _labels.label(8, None) == "8"


# ---------------------------------------------------------------- layout


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[tuple[int, int, float]], np.ndarray]:
    """A graph with a radius for each node, with room for all of them."""
    n = draw(st.integers(1, 25))
    pairs = [(a, b) for a in range(n) for b in range(a)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=60)) if pairs else []
    weights = st.floats(1e-6, 1e6)
    radii = draw(st.lists(st.floats(3, 9), min_size=n, max_size=n))
    return [(a, b, draw(weights)) for a, b in chosen], np.array(radii)


@given(drawings())
@settings(max_examples=25)
def test_nodes_lie_inside_and_do_not_overlap(drawing: Any) -> None:
    """However strong the ties, each node can be told from each other one."""
    edges, radii = drawing
    places = _layout.positions(edges, radii, width=320, height=300)
    assert (
        (places >= radii[:, None] - 1e-6) & (places <= [320, 300] - radii[:, None] + 1e-6)
    ).all()
    for a in range(len(radii)):
        for b in range(a):
            assert math.dist(places[a], places[b]) >= radii[a] + radii[b] - 0.5


@given(drawings(), st.text(max_size=20))
@settings(max_examples=25)
def test_labels_overlap_neither_each_other_nor_nodes(drawing: Any, text: str) -> None:
    """A label that fits nowhere is left out rather than written over something."""
    edges, radii = drawing
    places = _layout.positions(edges, radii, width=320, height=300)
    texts = [text + str(node) for node in range(len(radii))]
    order = range(len(radii))
    found = _layout.place_labels(places, radii, texts, order, size=9.5, width=320, height=300)
    boxes = {}
    for node, (x, y) in found.items():
        wide, high = _labels.ems(texts[node]) * 9.5 / 2, 0.6 * 9.5
        boxes[node] = (x - wide, y - high, x + wide, y + high)
    for a, box in boxes.items():
        assert box[0] >= 0
        assert box[2] <= 320
        for b, other in boxes.items():
            apart = (
                box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
            )
            assert a == b or apart


# ---------------------------------------------------------------- periods


def daily(spans: list[float]) -> InteractionLog:
    """A log with messages at these numbers of days after the start."""
    return InteractionLog.from_records(
        [{"time": day(span), "kind": "message", "source": 1, "target": 2} for span in spans]
    )


@given(st.lists(st.floats(0, 40_000), min_size=1, max_size=20))
def test_periods_cover_everything_once(spans: list[float]) -> None:
    """There are at most 70 periods, without gaps, and they hold every interaction."""
    log = daily(spans)
    periods = count_periods(log)
    assert 1 <= len(periods.starts) - 1 <= 70
    assert list(periods.starts) == sorted(set(periods.starts))
    (counts,) = periods.counts.values()
    assert sum(counts) == len(spans)
    expected = [
        sum(low <= day(span) < high for span in spans) for low, high in pairwise(periods.starts)
    ]
    assert list(counts) == expected


@pytest.mark.parametrize(
    ("span", "each"),
    [
        (0.0, "an hour"),
        (2.5, "an hour"),
        (10, "a quarter day"),
        (60, "a day"),
        (400, "a week"),
        (1500, "a month"),
        (6000, "a quarter"),
        (20_000, "a year"),
        (60_000, "in 3 years"),
    ],
)
def test_the_finest_period_that_fits_is_used(span: float, each: str) -> None:
    """Bars are as fine as a page can show."""
    assert count_periods(daily([0, span])).each == each


def test_periods_end_with_the_calendar() -> None:
    """The last day that can be written has a period of its own."""
    log = InteractionLog.from_records(
        [
            {"time": time, "kind": "message", "source": 1, "target": 2}
            for time in ("1970-01-01T00:00Z", "9999-12-31T23:00Z")
        ]
    )
    assert sum(count_periods(log).counts["conversation"]) == 2


def test_an_empty_log_has_no_activity() -> None:
    """There is nothing to draw, and the error says so."""
    with pytest.raises(InvalidParameter, match="no last instant"):
        plots.activity(InteractionLog.from_records([]))


# ---------------------------------------------------------------- pictures


def luminance(colour: str) -> float:
    """The relative luminance of the web content accessibility guidelines."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "colour", sorted({*plots.COLOURS.values(), *plots.GROUP_COLOURS, plots.INK})
)
@pytest.mark.parametrize("paper", ["#ffffff", "#14171a"])
def test_colours_can_be_seen_on_light_and_dark(colour: str, paper: str) -> None:
    """What is drawn has a contrast of at least 3 to 1 with either paper."""
    dark, light = sorted((luminance(colour), luminance(paper)))
    assert (light + 0.05) / (dark + 0.05) >= 3


def tied() -> pl.DataFrame:
    """Three ties with both directions."""
    return pl.DataFrame(
        {
            "a": ["ana", "ana", "$b$"],
            "b": ["ben", "cem", "cem"],
            "strength": [1.0, 3.0, 2.0],
            "strength_ab": [1.0, 1.0, 0.0],
            "strength_ba": [0.0, 2.0, 2.0],
        }
    )


def test_ties_are_drawn_strongest_first() -> None:
    """The picture has the pairs in order of strength, by name where one is given."""
    figure = plots.ties(tied(), k=2, names={"ana": "Ana"})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:4] == ["Ana & cem", "3", "$b$ & cem", "2"]


def test_names_are_not_mathematics() -> None:
    """A dollar is a dollar in every text of every picture."""
    names = [f"$customer_{place}^2$" for place in range(6)]
    graph = nx.relabel_nodes(nx.path_graph(6), dict(enumerate(names)))
    groups = pl.DataFrame({"customer": names, "community": [1, 1, 1, 2, 2, 2]})
    scores = pl.DataFrame({"customer": names}).with_columns(
        score=pl.lit(40.0), low=pl.lit(30.0), high=pl.lit(50.0)
    )
    for figure in (plots.communities(graph, groups), plots.engagement(scores)):
        svg = inline(figure, key="k", title="t", description="d")
        assert "$customer_" in svg


@pytest.mark.parametrize("draw", [plots.ties, plots.engagement])
def test_nothing_cannot_be_drawn(draw: Any) -> None:
    """An empty table is an error that says so."""
    names = ["a", "b", "strength", "customer", "score", "low", "high"]
    empty = pl.DataFrame({name: [] for name in names}, schema_overrides={"score": pl.Float64})
    with pytest.raises(InvalidTable, match="no"):
        draw(empty)


def test_no_communities_cannot_be_drawn() -> None:
    """An empty table of communities is an error that says so."""
    with pytest.raises(InvalidTable, match="no communities"):
        plots.communities(nx.path_graph(2), pl.DataFrame({"customer": [], "community": []}))


def test_scores_of_several_instants_cannot_be_drawn_as_one() -> None:
    """One picture is of one instant."""
    twice = pl.DataFrame(
        {"customer": [1, 1], "score": [1.0, 2.0], "low": [0.0, 1.0], "high": [2.0, 3.0]}
    )
    with pytest.raises(InvalidTable, match="one instant"):
        plots.engagement(twice)


def test_engagement_counts_each_customer_once() -> None:
    """The bars of the distribution add up to the number of customers."""
    scores = [0.0, 5.0, 10.0, 99.9, 100.0]
    table = pl.DataFrame({"customer": range(5), "score": scores, "low": scores, "high": scores})
    bars = plots.engagement(table).axes[0].patches
    assert [int(bar.get_height()) for bar in bars] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]


def test_a_large_graph_is_drawn_as_its_communities() -> None:
    """Circles stand for communities, their area for members, at most 20 of them."""
    graph = nx.random_partition_graph([40, 10, *[3] * 30], 0.5, 0.01, seed=1)
    parts = graph.graph["partition"]
    of = {node: place + 1 for place, part in enumerate(parts) for node in part}
    groups = pl.DataFrame({"customer": list(of), "community": list(of.values())})
    circles = list(plots.communities(graph, groups).axes[0].patches)
    assert len(circles) == 20
    assert circles[0].radius ** 2 / circles[1].radius ** 2 == pytest.approx(4)


def test_written_labels_do_not_overlap() -> None:
    """The labels of a picture of customers are apart when they are really drawn."""
    graph = nx.karate_club_graph()
    groups = pl.DataFrame({"customer": list(graph), "community": [1 + n % 3 for n in graph]})
    names = {node: f"Customer {node}" for node in graph}
    figure = plots.communities(graph, groups, names=names)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) > 15
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[:at])


def test_a_picture_as_html_is_plain() -> None:
    """No styles, no foreign identifiers, text in the colour of the page, a title for all."""
    svg = inline(plots.ties(tied()), key="pic", title="A < B", description="bars & more")
    assert "style=" not in svg
    assert "font-family" not in svg
    assert "http" not in svg
    assert 'fill="currentColor"' in svg
    root = Page(svg).elements[0]
    assert root["role"] == "img"
    assert root["aria-labelledby"] == "pic-title pic-desc"
    assert Page(svg).one("title").text == "A < B"
    assert all(one.get("id").startswith(("pic-", "")) for one in Page(svg).elements)


def test_text_keeps_its_size_and_weight_and_no_font() -> None:
    """Both forms in which matplotlib writes a font give the same attributes."""
    short = "font: 700 10.5px 'DejaVu Sans', sans-serif; fill: red"
    long = "font-size: 10.5px; font-weight: bold; font-family: 'DejaVu Sans'; fill: red"
    assert dict(_svg._properties(short)) == dict(_svg._properties(long))


def test_the_same_picture_is_the_same_text() -> None:
    """Nothing in a picture is random or dated."""
    first, second = (
        inline(plots.ties(tied()), key="pic", title="t", description="d") for _ in range(2)
    )
    assert first == second


# ---------------------------------------------------------------- words and numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (2.0, "2"),
        (1234.5, "1,234"),
        (123.46, "123.5"),
        (1.234, "1.23"),
        (0.1234, "0.123"),
        (0.01234, "0.0123"),
        (0.0000123, "1.23e-05"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers_are_written_as_people_read_them(value: float, text: str) -> None:
    """Thousands are apart, and small numbers keep three digits."""
    assert number(value) == text


def test_a_cell_is_never_empty() -> None:
    """What is not known is a dash, truth is yes or no, and text is made visible."""
    assert [cell(None), cell(True), cell("a\u202e")] == ["–", "yes", "a[U+202E]"]  # noqa: RUF001


def test_counts_have_their_noun() -> None:
    """One is singular."""
    assert [count(1, "tie"), count(2000, "tie"), count(0, "index", "indices")] == [
        "1 tie",
        "2,000 ties",
        "0 indices",
    ]


def test_ids_in_sentences_are_escaped_and_isolated() -> None:
    """Whatever an id says, it stays an id."""
    assert sentence("from {}", "<b>\u202e") == "from <bdi>&lt;b&gt;[U+202E]</bdi>"


# ---------------------------------------------------------------- the page: safe


def test_ids_never_become_elements(nasty: Page) -> None:
    """The page has only elements of ours, whatever people are called."""
    assert {element.tag for element in nasty.elements} <= ALLOWED


def test_ids_never_become_attributes(nasty: Page) -> None:
    """No element has a handler or a style of its own."""
    names = {name for element in nasty.elements for name in element.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src")}


def test_ids_are_still_readable(nasty: Page) -> None:
    """Escaped text is shown as it was given."""
    shown = {element.text for element in nasty.all("bdi")}
    assert _labels.visible(NASTY[0]) in shown
    assert _labels.visible(NASTY[6]) in shown


def test_nothing_turns_the_direction_of_writing(nasty: Page) -> None:
    """Neither text nor attributes hold a character that does."""
    assert not TURNS.search("".join(element.text for element in nasty.elements))
    assert not TURNS.search(
        "".join(value for element in nasty.elements for value in element.attributes.values())
    )


def test_ids_in_tables_are_isolated(page: Page) -> None:
    """Each id stands in an element that keeps its direction to itself."""
    cells = [one for one in page.elements if one.tag in ("td", "th") and one.get("class") == "who"]
    rows = [one for one in cells if one.get("scope") != "col"]
    assert rows
    bdi = [one for one in page.all("bdi") if one.parent in rows]
    assert len(bdi) == len(rows)


def test_the_page_asks_for_nothing(html: str, page: Page) -> None:
    """There is no address in it, no script, and a policy that forbids both."""
    assert not re.search(r"(https?:)?//", html.replace("/*", "").replace("*/", ""))
    assert not page.all("script")
    assert all(one["href"].startswith("#") for one in page.elements if one.get("href"))
    (found,) = [one["content"] for one in page.all("meta") if one.get("http-equiv")]
    digest = hashlib.sha256(page.one("style").text.encode()).digest()
    assert found == policy(page.one("style").text)
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in found
    assert "default-src 'none'" in found
    assert "unsafe" not in found


def test_names_appear_only_on_request() -> None:
    """Ids stand alone unless names are given, and then beside them."""
    log = messages((1, 2, 3))
    names = {1: "Ana <b>", 2: "Ben"}
    assert "Ana" not in report.build(log).html
    with_names = Page(report.build(log, names=names).html)
    shown = {element.text for element in with_names.all("bdi")}
    assert {"Ana <b>", "Ben", "1", "2", "3"} <= shown
    assert "b" not in {element.tag for element in with_names.elements}


def test_what_people_said_is_not_on_the_page() -> None:
    """Texts, amounts and channels stay in the log."""
    log = messages((1, 2, 3), text="a secret", channel="private channel")
    page = report.build(log).html
    assert "secret" not in page
    assert "private channel" not in page


# ---------------------------------------------------------------- the page: readable


def test_headings_are_in_order(page: Page) -> None:
    """One first-level heading, and no level is skipped on the way down."""
    levels = [int(one.tag[1]) for one in page.elements if re.fullmatch(r"h\d", one.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_has_landmarks_and_a_language(page: Page) -> None:
    """A screen reader finds the parts, and the way past the links."""
    assert page.one("html")["lang"] == "en"
    for tag in ("header", "nav", "main", "footer"):
        page.one(tag)
    assert page.all("a")[0]["href"] == "#main"
    assert page.one("main")["id"] == "main"


def test_every_table_has_a_caption_and_scopes(page: Page) -> None:
    """Each heading of a table says what it is the heading of."""
    tables = page.all("table")
    assert len(tables) > 8
    assert len(page.all("caption")) == len(tables)
    assert all(one.text.strip() for one in page.all("caption"))
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))


def test_every_picture_says_what_it_shows(page: Page) -> None:
    """Each has the role of an image, a title and a description."""
    pictures = page.all("svg")
    assert len(pictures) == 4
    texts = {one.get("id"): one.text for one in page.elements if one.tag in ("title", "desc")}
    for picture in pictures:
        assert picture["role"] == "img"
        for name in picture["aria-labelledby"].split():
            assert texts[name].strip()


def test_identifiers_are_unique_and_references_lead_somewhere(page: Page) -> None:
    """Nothing is named twice, and what is referred to is there."""
    names = [one["id"] for one in page.elements if one.get("id")]
    assert len(names) == len(set(names))
    for one in page.elements:
        for reference in (*one.get("aria-labelledby").split(), *one.get("href")[1:].split()):
            assert reference in names
        if one.get("clip-path"):
            assert one["clip-path"][5:-1] in names


def test_every_figure_says_what_it_means_and_how_sure_it_is(page: Page) -> None:
    """Each part of the page with a heading has both sentences, and they end."""
    paragraphs = page.all("p")
    meanings = [one.text for one in paragraphs if one.get("class") == "meaning"]
    sure = [one.text for one in paragraphs if one.get("class") == "sure"]
    assert len(meanings) == len(sure) == len(page.all("article"))
    assert all(text.strip().endswith(".") for text in (*meanings, *sure))


def test_the_page_has_all_its_parts(page: Page) -> None:
    """What was read, when, ties, engagement, standing, communities, and how it was made."""
    assert [one.text for one in page.all("h2")] == [
        "In short",
        "What was read",
        "What happened when",
        "Ties",
        "Engagement",
        "Standing and brokers",
        "Communities",
        "How this page was made",
    ]
    titles = {one.text for one in page.all("h3")}
    assert {"The strongest ties", "Ties that cool down", "Ties that are bad", "Brokers"} <= titles


# ---------------------------------------------------------------- the page: true


def cells(page: Page, caption: str) -> list[list[str]]:
    """The rows of the table with this caption."""
    rows: dict[int, list[str]] = {}
    wanted = [one.parent for one in page.all("caption") if one.text == caption]
    for one in page.elements:
        row = one.parent
        if one.tag in ("td", "th") and one.get("scope") != "col" and row is not None:
            table = row.parent.parent if row.parent else None
            if table in wanted:
                rows.setdefault(id(row), []).append(one.text)
    return list(rows.values())


def test_rows_are_accounted_for() -> None:
    """The page has the counts of the log, and each rule with its rows."""
    log = InteractionLog.from_records(
        [
            {"id": 1, "time": START, "kind": "message", "source": "a", "target": "b"},
            {"id": 1, "time": START, "kind": "message", "source": "a", "target": "b"},
            {"id": 2, "time": START, "kind": "message", "source": "b", "target": "a"},
            {"id": 3, "time": None, "kind": "message", "source": "a", "target": "b"},
        ]
    )
    page = Page(report.build(log).html)
    assert [row[1] for row in cells(page, "What became of the rows")] == ["4", "2", "1", "1"]
    ((rule, n, where),) = cells(page, "Why rows were rejected")
    assert rule in log.summary().rules
    assert (n, where) == ("1", "3")


def test_the_strongest_ties_are_those_of_the_ties() -> None:
    """The table has the pairs that `measure` puts first, with their strength."""
    log = messages(("ana", "ben", "cem", "dia"), n=23)
    ties = relationships.measure(log)
    best, n = ties.top(3), len(ties.frame)
    rows = cells(Page(report.build(log).html), f"The {n} strongest of {n} ties")
    assert [row[:2] for row in rows[:3]] == [list(pair) for pair in best.select("a", "b").rows()]
    assert [row[2] for row in rows[:3]] == [number(value) for value in best["strength"]]


def test_cooling_compares_with_one_half_life_ago() -> None:
    """A tie that has been silent for a half-life has lost half of what it had."""
    half_life = timedelta(days=10)
    log = InteractionLog.from_records(
        [
            *({"time": day(0), "kind": "message", "source": 1, "target": 2} for _ in range(4)),
            {"time": day(20), "kind": "message", "source": 3, "target": 4},
        ]
    )
    rows = cells(Page(report.build(log, half_life=half_life).html), "The largest losses")
    assert rows == [["1", "2", "2", "1", "1", "2026-01-05"]]


def test_a_log_younger_than_a_half_life_cannot_cool() -> None:
    """The page says that nothing is known of the time before, rather than show nothing."""
    page = Page(report.build(messages((1, 2, 3), n=9)).html)
    assert any("younger than one half-life" in one.text for one in page.all("p"))


def test_without_decay_nothing_cools() -> None:
    """The page leaves out what would have no meaning."""
    page = Page(report.build(messages((1, 2, 3)), half_life=None).html)
    assert "Ties that cool down" not in {one.text for one in page.all("h3")}


def test_nothing_after_as_of_counts() -> None:
    """The page at an instant is the page of the log until then, but for what was read."""
    people, instant = (1, 2, 3, 4), day(40)
    whole, part = messages(people, n=40), messages(people, n=24)
    pages = [Page(report.build(log, as_of=instant).html) for log in (whole, part)]
    first, second = ([one.text for one in page.all("article")[1:]] for page in pages)
    assert first == second


@given(st.lists(interactions(), min_size=1, max_size=12, unique_by=lambda one: one.key), st.data())
@settings(max_examples=5)
def test_the_order_of_the_log_does_not_matter(acts: list[Any], data: st.DataObject) -> None:
    """The same interactions in any order give the same page, whatever they are."""
    shuffled = data.draw(st.permutations(acts))
    last = max(act.time for act in acts)
    first, second = (
        report.build(InteractionLog.from_records(some), as_of=last).html
        for some in (acts, shuffled)
    )
    assert first == second


def test_a_log_with_nothing_in_it_says_what_was_read() -> None:
    """Where every row was rejected the page says why."""
    log = InteractionLog.from_records([{"time": None, "kind": "message", "source": 1, "target": 2}])
    page = Page(report.build(log).html)
    assert [one.text for one in page.all("h2")][1:-1] == ["What was read"]


def test_a_log_of_views_has_no_ties_and_says_why() -> None:
    """Attention does not make ties, and the page says what would."""
    log = InteractionLog.from_records([{"time": START, "kind": "view", "source": 1, "target": 2}])
    page = Page(report.build(log).html)
    assert any("weigh nothing in ties" in one.text for one in page.all("p"))


def test_attention_is_apart() -> None:
    """A thousand likes change neither ties nor scores."""
    rows = [
        {"time": day(at), "kind": "message", "source": at % 3, "target": (at + 1) % 3}
        for at in range(30)
    ]
    likes = [{"time": day(at % 20), "kind": "like", "source": 0, "target": 1} for at in range(500)]
    with_likes, without = (
        Page(report.build(InteractionLog.from_records(some), as_of=day(30)).html)
        for some in ([*rows, *likes], rows)
    )
    caption = "The 3 strongest of 3 ties"
    strengths = [[row[2] for row in cells(page, caption)] for page in (with_likes, without)]
    assert strengths[0] == strengths[1]


@pytest.mark.parametrize("likes", [0, 3])
def test_only_what_occurs_has_a_column_beside_the_score(likes: int) -> None:
    """The most engaged have columns for their families, and one for attention if there is any."""
    rows = [{"time": day(at), "kind": "message", "source": 1, "target": 2} for at in range(9)]
    liked = [{"time": day(at), "kind": "like", "source": 1, "target": 2} for at in range(likes)]
    page = Page(report.build(InteractionLog.from_records([*rows, *liked])).html)
    heads = [one.text for one in page.all("th") if one.get("scope") == "col"]
    assert ("attention" in heads) == (likes > 0)
    assert "conversation" in heads
    assert "advocacy" not in heads


def test_modularity_is_told_with_what_chance_reaches() -> None:
    """The page gives the same statistic for this graph and for random ones, and no zero."""
    network = nx.planted_partition_graph(4, 12, 0.6, 0.03, seed=2)
    rows = [{"time": START, "kind": "message", "source": a, "target": b} for a, b in network.edges]
    log = InteractionLog.from_records(rows)
    found = communities.detect(relationships.measure(log))
    made = report.build(log).html
    assert found.expected is not None
    assert f"reach a modularity of {found.expected:.3f} (the median)" in made
    assert f"this one reaches {found.observed:.3f} by the same" in made
    assert "0 is chance" not in made


def test_untested_modularity_is_told_with_a_warning() -> None:
    """Where random graphs were not made, the page says that they reach well above 0 too."""
    assert "a random graph reach well above 0 too" in report.build(messages((1, 2, 3))).html


def test_times_near_the_epoch_are_pointed_out() -> None:
    """Seconds from a start of their own are dates of 1970, and the page says so."""
    log = InteractionLog.from_records(
        [{"time": at, "kind": "message", "source": 1, "target": 2} for at in (0, 3600, 86400)]
    )
    assert "1 January 1970" in report.build(log).html
    assert "1 January 1970" not in report.build(messages((1, 2))).html


def test_writing_gives_the_path_back(tmp_path: Path) -> None:
    """The file is the page, in UTF-8."""
    made = report.build(messages(("ana", "李小龙")))
    path = made.write(tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == made.html


def test_a_doubtful_last_instant_is_on_the_page() -> None:
    """What the ties warn of is warned of, and stands where people read it."""
    log = daily([*range(28), 3650])
    with pytest.warns(ScrmkitWarning, match="stands alone"):
        made = report.build(log)
    assert "Mind that the last act of the log" in made.html


def test_a_table_is_no_log() -> None:
    """A bare table needs to become a log first."""
    with pytest.raises(InvalidParameter, match="a DataFrame is no log: InteractionLog"):
        report.build(pl.DataFrame({"time": [START]}))


def test_progress_is_told() -> None:
    """Each step is announced before it is done."""
    steps: list[str] = []
    report.build(messages((1, 2)), progress=steps.append)
    assert steps[0] == "ties"
    assert "communities" in steps
