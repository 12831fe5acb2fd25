"""What every test may rely on: the Hypothesis profile and the place of the real data.

``HYPOTHESIS_PROFILE=quick`` makes fewer examples, ``thorough`` many more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from cluster import Cluster, missing, start_cluster, start_session
from distributions import Site


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


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Spark cluster of this machine: a master and two workers."""
    with start_cluster() as started:
        yield started


@pytest.fixture(scope="session")
def spark(cluster: Cluster) -> Iterator[Any]:
    """A session on the Spark cluster; its zone is UTC."""
    with start_session(cluster) as session:
        yield session


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a browser or a cluster where there is none.

    The cluster takes half a minute to start, so it is started only where it is asked for.
    """
    reasons = {"browser": None, "spark": missing()}
    if not any(shutil.which(name) for name in BROWSERS):
        reasons["browser"] = "the browser tests need Chromium: apt-get install chromium"
    if "spark" not in config.option.markexpr:
        reasons["spark"] = "the Spark tests start a cluster: pytest -m spark"
    for item in items:
        for marker, reason in reasons.items():
            if reason is not None and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A place to install distributions for one test."""
    monkeypatch.delenv("SCRMKIT_PLUGINS", raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder, monkeypatch)
