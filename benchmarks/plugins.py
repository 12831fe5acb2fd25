"""What a plugin costs: an engagement model of a distribution against the built-in one.

python benchmarks/plugins.py [ROWS [PAIRS OF RUNS]]

The plugin is installed for the run, found by its name in every call, and computes what the
built-in model does; both scores are compared first. The cost of finding it is timed by itself.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import polars.testing

from engagement import make
from harness import compare
from scrmkit import InteractionLog
from scrmkit._plugins import choose
from scrmkit.engagement import score


CODE = """
from scrmkit import EngagementModel

_OURS = EngagementModel()

class Model:
    name, version, weights = "acme", "1", None
    half_life, cap_per_day, levels = _OURS.half_life, _OURS.cap_per_day, _OURS.levels

    def value(self, activity, dispersion, exposure):
        return _OURS.value(activity, dispersion, exposure)

model = Model()
"""


def install(folder: Path) -> None:
    """A distribution with one model, on the path."""
    (folder / "acme_crm.py").write_text(CODE)
    info = folder / "acme_crm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-crm\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[scrmkit.models]\nacme = acme_crm:model\n")
    sys.path.insert(0, str(folder))


def main(rows: int = 1_000_000, runs: int = 9) -> None:
    """Print the figures."""
    log = InteractionLog.from_frame(make(rows))
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        ours, theirs = score(log).frame, score(log, model="acme-crm:acme").frame
        polars.testing.assert_frame_equal(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
        print(
            compare(
                lambda: score(log, model="acme-crm:acme").frame,
                lambda: score(log).frame,
                name=f"a plugin model, {rows:,} acts",
                runs=runs,
                limit=1.1,
            )
        )
        start = perf_counter()
        for _ in range(100):
            choose("models", "acme-crm:acme")
        print(f"finding it: {(perf_counter() - start) * 10:.2f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
