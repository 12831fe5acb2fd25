"""What every test may rely on: the Hypothesis profile and the place of the real data.

``HYPOTHESIS_PROFILE=quick`` makes fewer examples, ``thorough`` many more.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings


settings.register_profile(
    "scrmkit",
    deadline=None,
    derandomize=True,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", settings.get_profile("scrmkit"), max_examples=10)
settings.register_profile("thorough", settings.get_profile("scrmkit"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "scrmkit"))

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; skips where it is absent."""
    folder = Path(os.environ.get("SCRMKIT_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the real data sets are absent: set SCRMKIT_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser of the Chromium family; skips where there is none."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip("the browser tests need Chromium: apt-get install chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked as needing a browser where there is none."""
    if not any(shutil.which(name) for name in BROWSERS):
        reason = "the browser tests need Chromium: apt-get install chromium"
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=reason))
