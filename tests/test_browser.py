"""The page in a real browser: nothing runs, nothing is asked for, it fits and it darkens."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from pages import Page
from scrmkit import InteractionLog, report


pytestmark = pytest.mark.browser

QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--enable-logging=stderr"),
]
DARK = "--blink-settings=preferredColorScheme=0"
NASTY = (
    "<script>document.title='owned'</script>",
    "</script></style></title></svg><img src=https://example.invalid/x onerror=alert(1)>",
    '" onmouseover="alert(1)" style="color:red" x="',
    "abc\u202egnp.exe\u2066",
    "x" * 300,
)

Browse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Browse:
    """Opens a file in a browser without a window and with an empty profile."""

    def run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [chromium, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *options]
        return subprocess.run(
            [*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )

    return run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about people whose ids try to break it."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    log = InteractionLog.from_records(
        {
            "time": start + timedelta(days=at),
            "kind": "message",
            "source": NASTY[at % 5],
            "target": NASTY[(at + 1 + at % 2) % 5],
        }
        for at in range(60)
    )
    made = report.build(log, title=NASTY[1], about=[NASTY[0]], names={NASTY[3]: NASTY[2]})
    return made.write(tmp_path_factory.mktemp("page") / "page.html")


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the page made the browser write to its console."""
    return [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def test_nothing_runs_and_nothing_is_asked_for(browse: Browse, page: Path) -> None:
    """The browser has nothing to refuse, and builds the elements that were written."""
    done = browse(page, "--dump-dom")
    assert complaints(done) == []
    built, written = Page(done.stdout), Page(page.read_text(encoding="utf-8"))
    assert built.one("style").text == written.one("style").text
    assert built.all("title")[0].text == written.all("title")[0].text == NASTY[1]
    assert not built.all("script")
    assert not built.all("img")
    assert [one.tag for one in built.elements] == [one.tag for one in written.elements]


def test_the_policy_would_refuse_what_gets_in(browse: Browse, page: Path, tmp_path: Path) -> None:
    """A page that somebody tampered with neither runs a script nor asks for a picture."""
    added = '<h1><script>document.title="owned"</script><img src="https://example.invalid/x">'
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text(encoding="utf-8").replace("<h1>", added), encoding="utf-8")
    done = browse(broken, "--dump-dom")
    assert len(complaints(done)) == 2
    assert Page(done.stdout).all("title")[0].text != "owned"


def test_the_browser_sees_no_turned_text(browse: Browse, page: Path) -> None:
    """What would turn the direction of writing is visible as its code point."""
    shown = browse(page, "--dump-dom").stdout
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert "abc[U+202E]gnp.exe[U+2066]" in shown


@pytest.mark.parametrize(
    ("option", "paper"), [("--mute-audio", (255, 255, 255)), (DARK, (0x14, 0x17, 0x1A))]
)
def test_the_page_is_as_dark_as_asked(
    browse: Browse, page: Path, tmp_path: Path, option: str, paper: tuple[int, int, int]
) -> None:
    """The style sheet is applied, and follows the colour scheme that the reader prefers."""
    shot = tmp_path / "shot.png"
    browse(page, f"--screenshot={shot}", "--window-size=800,600", option)
    corner = np.rint(imread(shot)[0, 0, :3] * 255)
    assert tuple(corner.astype(int).tolist()) == paper


def test_the_page_fits_a_phone(browse: Browse, page: Path, tmp_path: Path) -> None:
    """Nothing but the tables' own scrolling is wider than a narrow window."""
    measuring = (
        '<style>html{scroll-behavior:auto}</style><iframe id="f" width="360" height="640" '
        'src="page.html"></iframe><script>const f=document.getElementById("f");f.onload=()=>{'
        "const d=f.contentDocument.documentElement;document.title=d.scrollWidth+' of '"
        "+d.clientWidth}</script>"
    )
    (tmp_path / "page.html").write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(measuring, encoding="utf-8")
    shown = browse(frame, "--allow-file-access-from-files", "--dump-dom").stdout
    needed, offered = map(int, Page(shown).all("title")[0].text.split(" of "))
    assert 300 < needed <= offered


def test_the_page_prints(browse: Browse, page: Path, tmp_path: Path) -> None:
    """The browser makes sheets of paper from it, without asking for anything."""
    paper = tmp_path / "page.pdf"
    done = browse(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert complaints(done) == []
    assert paper.read_bytes().startswith(b"%PDF")
