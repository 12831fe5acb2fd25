"""The shape of the house: what importing costs, what is public, which room stands on which."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import scrmkit


pytestmark = pytest.mark.core

SOURCE = Path(scrmkit.__file__).parent
HEAVY = ("matplotlib", "narwhals", "networkx", "numpy", "polars", "scipy")


def run(code: str) -> str:
    """What a fresh interpreter prints, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_importing_is_light_and_quiet() -> None:
    """`import scrmkit` loads no data library and warns of nothing."""
    code = f"import sys, scrmkit; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert run(code).strip() == "[]"


def test_there_is_one_version() -> None:
    """The version is that of the installed distribution."""
    assert scrmkit.__version__ == version("scrmkit")


def test_public_names_are_sorted() -> None:
    """`__all__` is in the order in which people look names up, without repeats."""
    constants = [name for name in scrmkit.__all__ if name.isupper()]
    others = [name for name in scrmkit.__all__ if not name.isupper()]
    assert scrmkit.__all__ == sorted(set(constants)) + sorted(set(others))
