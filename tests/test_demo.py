"""The demonstration: the data of the study, its ties by hand, and the groups of the literature."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest

from pages import Page
from scrmkit import _demo, communities, relationships
from scrmkit.__main__ import main


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page]:
    """What the demonstration writes to the terminal, and its page."""
    text: list[str] = []
    path = tmp_path_factory.mktemp("demo") / "page.html"
    _demo.show(path, write=text.append, progress=lambda _: None)
    return "".join(text), Page(path.read_text(encoding="utf-8"))


def test_the_data_are_those_of_the_study() -> None:
    """18 women came 89 times to 14 events on the study's dates, all of one year."""
    summary = _demo.attendance().summary()
    assert (summary.read, summary.accepted, summary.rejected) == (89, 89, 0)
    rows = _demo.attendance().frame
    assert rows["source"].n_unique() == 18
    dates = {(row["about"], row["time"].month, row["time"].day) for row in rows.to_dicts()}
    assert dates == {(event, *date) for event, date in _demo.DATES.items()}
    assert len(dates) == 14
    assert set(rows["time"].dt.year()) == {_demo.YEAR}


def test_ties_are_newmans() -> None:
    """Each event of k women ties each two of them with 1 / (k - 1)."""
    graph = nx.davis_southern_women_graph()
    expected: dict[tuple[str, str], float] = {}
    for event in graph.graph["bottom"]:
        for pair in combinations(sorted(graph[event]), 2):
            expected[pair] = expected.get(pair, 0.0) + 1 / (len(graph[event]) - 1)
    ties = relationships.together(_demo.attendance(), on="about", half_life=None).frame
    found = {(row["a"], row["b"]): row["strength"] for row in ties.to_dicts()}
    assert found == pytest.approx(expected)
    assert len(found) == 139


@pytest.mark.parametrize("seed", range(5))
def test_the_groups_are_those_of_the_literature(seed: int) -> None:
    """Freeman (2003): women 1 to 9 in one group, 10 to 18 in the other, for any seed."""
    ties = relationships.together(_demo.attendance(), on="about", half_life=None)
    rows = communities.detect(ties, seed=seed).frame.to_dicts()
    found = {row["customer"]: row["community"] for row in rows}
    assert _demo.compare(found) == _demo.Comparison(2, tuple(_demo.women()), ())


def test_women_elsewhere_are_counted_as_differing() -> None:
    """A comparison is a count, whatever was found."""
    women = _demo.women()
    moved = {woman: int(place > 7) for place, woman in enumerate(women)}
    assert _demo.compare(moved).differing == (women[8],)
    three = {woman: place // 7 for place, woman in enumerate(women)}
    assert len(_demo.compare(three).agreeing) == 14 - 2
    assert len(_demo.compare(dict.fromkeys(women, 1)).agreeing) == 9
    assert "they differ for Ruth DeSand" in str(_demo.compare(moved))


def test_the_terminal_shows_ties_groups_and_standing(shown: tuple[str, Page]) -> None:
    """Somebody who only runs the command sees what was found."""
    text, _ = shown
    for part in ("The strongest ties", "The groups", "Standing", "18 of 18 women", "1936"):
        assert part in text
    assert "Nora Fayette and Sylvia Avondale" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_page_says_how_the_groups_compare(shown: tuple[str, Page]) -> None:
    """The literature is cited, and the agreement counted, in the page's own words."""
    _, page = shown
    said = " ".join(one.text for one in page.all("p"))
    for part in ("Freeman (2003)", "18 of 18 women", "is not known", "1936", "Newman (2001)"):
        assert part in said


def test_every_woman_has_her_name_in_the_picture(shown: tuple[str, Page]) -> None:
    """The graph is small enough for all its labels."""
    _, page = shown
    written = {one.text for one in page.all("text")}
    assert set(_demo.women()) <= written


def test_the_command_writes_the_page_where_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an option the page is scrmkit-demo.html in the current folder, and is named."""
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    said = capsys.readouterr()
    assert str(tmp_path / "scrmkit-demo.html") in said.out
    assert said.err == ""
    assert (tmp_path / "scrmkit-demo.html").stat().st_size > 20_000
