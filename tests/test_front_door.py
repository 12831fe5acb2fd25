"""The front door on the core install: nothing that is only looked at asks for an extra."""

from __future__ import annotations

import subprocess
import sys

import pytest


pytestmark = pytest.mark.core

EXTRAS = ("numpy", "scipy", "polars", "graspologic_native", "numba", "matplotlib", "jinja2")


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run some code where none of the extras is installed."""
    block = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS}))\n"
    return subprocess.run(
        [sys.executable, "-c", block + code], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "code",
    [
        "import scrmkit as sk; assert all(getattr(sk, name) for name in sk.__all__)",
        "import scrmkit as sk; assert hasattr(sk, 'SocialGraph')",
        "import scrmkit as sk, inspect; assert dict(inspect.getmembers(sk))['Tracker']",
        "import scrmkit as sk; assert {'log', 'engagement', 'relationships'} <= set(dir(sk))",
    ],
    ids=["all", "hasattr", "getmembers", "dir"],
)
def test_looking_through_the_front_door_needs_no_extra(code: str) -> None:
    """Every name of the front door can be had; rooms that need an extra are not listed."""
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("ties", ["from_edges([1], [2])", "from_networkx(networkx.Graph())"])
def test_building_a_graph_says_which_extra_it_needs(ties: str) -> None:
    """The class can be imported without numpy, and building one cannot do without."""
    done = run(f"import networkx, scrmkit as sk; sk.SocialGraph.{ties}")
    assert "MissingExtra" in done.stderr
    assert "scrmkit[graphs]" in done.stderr


def test_a_room_that_needs_an_extra_says_so() -> None:
    """Entering one where its library is missing names the extra."""
    assert "scrmkit[graphs]" in run("import scrmkit as sk; sk.influence").stderr


@pytest.mark.parametrize("command", ["'demo'", "'report', 'messages.csv'"])
def test_the_commands_ask_for_all_that_they_need_at_once(command: str) -> None:
    """The error names the one extra that brings it, not the first part of it."""
    done = run(f"from scrmkit.__main__ import main; sys.exit(main([{command}]))")
    assert done.returncode == 2
    assert 'pip install "scrmkit[report]"' in done.stderr
