"""Distributions that are installed for one test: a module and metadata, on the path."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest


class Site:
    """A place where distributions are installed, and gone after the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(str(folder))

    def install(
        self, name: str, entry_points: dict[str, dict[str, str]], code: str, version: str = "1.2"
    ) -> None:
        """Install a distribution of one module.

        Args:
            name: of the distribution; the module has underscores for hyphens.
            entry_points: for each group (without ``scrmkit.``) names and attributes.
            code: the module.
            version: of the distribution.
        """
        module = name.replace("-", "_").replace(".", "_").lower()
        (self._folder / f"{module}.py").write_text(dedent(code))
        info = self._folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = []
        for group, points in entry_points.items():
            lines.append(f"[scrmkit.{group}]")
            lines += [f"{point} = {module}:{attribute}" for point, attribute in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines))
        self._monkeypatch.delitem(sys.modules, module, raising=False)

    def forget_metadata(self, name: str) -> None:
        """Take away what says what a distribution is called."""
        next(self._folder.glob(f"{name}-*.dist-info/METADATA")).unlink()
