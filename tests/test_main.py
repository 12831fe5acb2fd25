"""The commands: what they write, where, and what they say when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pages import Page
from scrmkit.__main__ import main


MESSAGES = """who,whom,when,what,stars
1,2,2026-01-05T09:00:00Z,RT,5
2,1,2026-01-06T09:00:00Z,MSG,-10
2,3,2026-01-07T09:00:00Z,MSG,10
3,1,yesterday,MSG,0
"""
COLUMNS = [
    *("--column", "source=who", "--column", "target=whom", "--column", "time=when"),
    *("--column", "kind=what", "--kind", "RT=repost", "--kind", "MSG=message"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a file of messages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "messages.csv").write_text(MESSAGES, encoding="utf-8")
    return tmp_path


def page(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding="utf-8")


def test_a_file_becomes_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page is written here under the file's name, and the terminal has the counts."""
    assert main(["report", "messages.csv", *COLUMNS]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("4 read = 3 accepted + 0 repeated + 1 rejected")
    assert said.out.rstrip().endswith(str(folder / "messages.html"))
    assert said.err == ""
    assert Page(page(folder / "messages.html")).one("h1").text == "messages.csv"


def test_title_and_place_can_be_chosen(folder: Path) -> None:
    """`--title` and `--out` do what they say."""
    assert main(["report", "messages.csv", *COLUMNS, "--title", "A & B", "--out", "p.html"]) == 0
    assert Page(page(folder / "p.html")).one("h1").text == "A & B"


def test_ratings_become_valence(folder: Path) -> None:
    """A range of negative numbers is understood, and the worst tie is found."""
    options = ["--column", "valence=stars", "--valence-range", "-10", "10"]
    assert main(["report", "messages.csv", *COLUMNS, *options]) == 0
    assert "Ties that are bad" in page(folder / "messages.html")


def test_a_weight_is_used_and_said(folder: Path) -> None:
    """Reposts make ties where they are given weight, and the page says by whose wish."""
    assert main(["report", "messages.csv", *COLUMNS]) == 0
    without = page(folder / "messages.html")
    assert main(["report", "messages.csv", *COLUMNS, "--weight", "repost=1"]) == 0
    weighed = page(folder / "messages.html")
    assert "By request" not in without
    assert "By request, each repost is counted as conversation and weighs 1" in weighed
    assert "default with repost=1" in weighed


def test_a_kind_that_nobody_knows_can_be_weighed(folder: Path) -> None:
    """A word of the file that means nothing to us counts by request."""
    options = [*COLUMNS[:8], "--kind", "RT=repost", "--weight", "MSG=2"]
    assert main(["report", "messages.csv", *options]) == 0
    assert "is not known to the vocabulary" in page(folder / "messages.html")


def test_names_are_shown_beside_ids(folder: Path) -> None:
    """`--names` reads a table of ids and names."""
    (folder / "people.csv").write_text("id,name\n1,Ana Ámbar\n9,Nobody\n", encoding="utf-8")
    assert main(["report", "messages.csv", *COLUMNS, "--names", "people.csv"]) == 0
    shown = page(folder / "messages.html")
    assert "Ana Ámbar" in shown
    assert "Nobody" not in shown


def test_half_life_and_instant_are_on_the_page(folder: Path) -> None:
    """What the numbers depend on is said."""
    options = ["--half-life", "30", "--as-of", "2026-01-06T12:00:00+00:00"]
    assert main(["report", "messages.csv", *COLUMNS, *options]) == 0
    text = page(folder / "messages.html")
    assert "30 days" in text
    assert "2026-01-06 12:00 UTC" in text


def test_no_decay_is_a_half_life_too(folder: Path) -> None:
    """`--half-life none` counts everything in full."""
    assert main(["report", "messages.csv", *COLUMNS, "--half-life", "none"]) == 0
    assert "counted in full" in page(folder / "messages.html")


def test_constants_are_values_of_their_field(folder: Path) -> None:
    """A truth value and a number are read as such."""
    options = [*COLUMNS[:6], "--constant", "kind=message", "--constant", "public=true"]
    assert main(["report", "messages.csv", *options, "--constant", "valence=0.5"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.csv"], "missing.csv|no such file|missing"),
        (["messages.csv"], "time"),
        (["messages.csv", "--column", "time"], "--column takes NAME=VALUE"),
        (["messages.csv", "--column", "tim=when"], "Did you mean 'time'"),
        (["messages.csv", *COLUMNS, "--half-life", "soon"], "--half-life takes a number"),
        (["messages.csv", *COLUMNS, "--half-life", "-1"], "longer than zero"),
        (["messages.csv", *COLUMNS, "--half-life", "1e300"], "out of range"),
        (["messages.csv", *COLUMNS, "--as-of", "noon"], "--as-of takes an instant"),
        (["messages.csv", *COLUMNS, "--as-of", "2026-01-06"], "no time zone"),
        (["messages.csv", *COLUMNS, "--weight", "repost=much"], "--weight takes a number"),
        (["messages.csv", *COLUMNS, "--weight", "repost=-1"], "tie_weight"),
        (["messages.csv", *COLUMNS, "--names", "nobody.csv"], "--names is missing"),
        (["messages.csv", *COLUMNS, "--names", "messages.csv"], "columns id and name"),
        (["messages.csv", *COLUMNS, "--out", "no/such/folder.html"], "No such file"),
        (["messages.csv", *COLUMNS, "--valence-range", "1", "-1"], "valence_range"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """An error is one message on standard error, and the code is 2."""
    assert main(["report", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert any(word in said.err for word in says.split("|"))
    assert said.out == ""
    assert not list(folder.glob("*.html"))


@pytest.mark.parametrize("arguments", [[], ["fly"], ["report"]])
def test_a_wrong_command_says_how_it_goes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The usage is shown, and the code is 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "python -m scrmkit" in capsys.readouterr().err


def test_progress_is_for_terminals(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Steps are told where somebody looks on."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert main(["report", "messages.csv", *COLUMNS]) == 0
    assert "... reading messages.csv" in capsys.readouterr().err


def test_a_warning_is_a_note(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lone last row years after the rest is pointed out, and the page is made all the same."""
    rows = "".join(f"1,2,2026-01-{at:02}T09:00:00Z,MSG,0\n" for at in range(1, 29))
    late = "2,1,2036-01-05T09:00:00Z,MSG,0\n"
    Path("late.csv").write_text(MESSAGES.splitlines()[0] + "\n" + rows + late, encoding="utf-8")
    assert main(["report", "late.csv", *COLUMNS]) == 0
    said = capsys.readouterr()
    assert "note: " in said.err
    assert (folder / "late.html").exists()


def test_a_missing_extra_is_said_with_the_pip_line(folder: Path) -> None:
    """Without matplotlib the command says what to install."""
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from scrmkit.__main__ import main; sys.exit(main(['demo']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 2
    assert 'pip install "scrmkit[report]"' in done.stderr
    assert "Traceback" not in done.stderr
