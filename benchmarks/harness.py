"""Compare two ways of doing the same: ratios of interleaved pairs of runs, with an interval.

    from harness import compare, compare_fresh

    print(compare(ours, peer, name="ties of 1 million rows", limit=1.5))
    print(compare_fresh("ties:ours", "ties:by_hand", args=["10_000_000"], limit=1.5))

Pairs are run A B A B, so what slows the machine down slows both. The figure is the median of
the ratios of the pairs; the interval is the narrowest pair of order statistics that holds the
true median with at least 95 % (98.4 % for seven pairs: the least and the largest). A limit is
missed when the median is beyond it; the interval says how sure that is.

`compare` calls two functions in this process. `compare_fresh` starts a process for every run,
so that it can also measure peak memory, and names functions as ``module:function``. Such a
function prepares its input and returns the function to be timed, or does the work itself.
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any


CONFIDENCE = 0.95
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Comparison:
    """How long ours takes, as a multiple of how long the peer takes.

    Attributes:
        name: what was compared.
        ratio: the median of ours / peer over the pairs.
        low: the lower end of its interval.
        high: the upper end of its interval.
        confidence: how sure the interval is, 0 to 1.
        ours: seconds of ours, median.
        peer: seconds of the peer, median.
        ours_peak: bytes of peak memory of a process that does ours; None where not measured.
        peer_peak: the same for the peer.
        limit: what the ratio may be at most; None where nothing was promised.
    """

    name: str
    ratio: float
    low: float
    high: float
    confidence: float
    ours: float
    peer: float
    ours_peak: int | None = None
    peer_peak: int | None = None
    limit: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the limit is kept, as far as this run can tell."""
        return self.limit is None or self.ratio <= self.limit

    @property
    def memory_ratio(self) -> float | None:
        """Peak memory of ours as a multiple of the peer's."""
        if self.ours_peak is None or not self.peer_peak:
            return None
        return self.ours_peak / self.peer_peak

    def __str__(self) -> str:
        parts = [
            f"{self.name:<44}",
            f"{self.ratio:8.3g}x [{self.low:.3g}, {self.high:.3g}]",
            f"{self.ours:9.4g} s / {self.peer:.4g} s",
        ]
        if self.memory_ratio is not None:
            peaks = f"{_mib(self.ours_peak)} / {_mib(self.peer_peak)} MiB"
            parts.append(f"memory {self.memory_ratio:.2f}x ({peaks})")
        if self.limit is not None:
            parts.append(f"at most {self.limit:g}: {'holds' if self.holds else 'FALLS SHORT'}")
        return "  ".join(parts)


def compare(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    runs: int = 7,
    warmup: int = 1,
    name: str = "",
    limit: float | None = None,
) -> Comparison:
    """Compare two functions in this process, in interleaved pairs.

    Args:
        ours: what is judged.
        peer: what it is judged by.
        runs: pairs that count.
        warmup: pairs before them that do not.
        name: what to call the comparison.
        limit: what ours / peer may be at most.
    """
    pairs = [(_timed(ours), _timed(peer)) for _ in range(warmup + runs)][warmup:]
    return _judge(pairs, name=name, limit=limit)


def compare_fresh(
    ours: str,
    peer: str,
    *,
    args: Sequence[str] = (),
    runs: int = 7,
    warmup: int = 1,
    name: str = "",
    limit: float | None = None,
    environment: dict[str, str] | None = None,
) -> Comparison:
    """Compare two functions, each run in a process of its own, with peak memory.

    Args:
        ours: what is judged, as ``module:function``; modules are looked for here.
        peer: what it is judged by.
        args: texts that both functions get.
        runs: pairs that count.
        warmup: pairs before them that do not.
        name: what to call the comparison.
        limit: what ours / peer may be at most.
        environment: variables to set, such as ``{"POLARS_MAX_THREADS": "1"}``.
    """
    pairs = [
        (_run_fresh(ours, args, environment), _run_fresh(peer, args, environment))
        for _ in range(warmup + runs)
    ][warmup:]
    peaks = [max(run[side]["peak"] for run in pairs) for side in (0, 1)]
    seconds = [(a["seconds"], b["seconds"]) for a, b in pairs]
    return _judge(seconds, name=name or f"{ours} / {peer}", limit=limit, peaks=peaks)


def measure_fresh(
    function: str, *, args: Sequence[str] = (), environment: dict[str, str] | None = None
) -> tuple[float, int]:
    """Seconds and bytes of peak memory of one function in a process of its own."""
    run = _run_fresh(function, args, environment)
    return run["seconds"], run["peak"]


def _timed(function: Callable[[], object]) -> float:
    gc.collect()
    start = perf_counter()
    result = function()
    seconds = perf_counter() - start
    del result
    return seconds


def _judge(
    pairs: Sequence[tuple[float, float]],
    *,
    name: str,
    limit: float | None,
    peaks: Sequence[int | None] = (None, None),
) -> Comparison:
    ratios = sorted(ours / peer for ours, peer in pairs)
    rank, confidence = _order_statistic(len(ratios))
    return Comparison(
        name=name,
        ratio=median(ratios),
        low=ratios[rank],
        high=ratios[-1 - rank],
        confidence=confidence,
        ours=median(ours for ours, _ in pairs),
        peer=median(peer for _, peer in pairs),
        ours_peak=peaks[0],
        peer_peak=peaks[1],
        limit=limit,
    )


def _order_statistic(n: int) -> tuple[int, float]:
    """How many values to leave out at each end, and how sure the interval then is."""
    outside, rank, confidence = 0.0, 0, 1 - 2.0 * 0.5**n
    for left_out in range(n // 2):
        outside += math.comb(n, left_out) * 0.5**n
        if 1 - 2 * outside < CONFIDENCE:
            break
        rank, confidence = left_out, 1 - 2 * outside
    return rank, confidence


def _run_fresh(function: str, args: Sequence[str], environment: dict[str, str] | None) -> Any:
    command = [sys.executable, str(HERE / "harness.py"), function, *args]
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _peak() -> int:
    """Bytes of the most memory that this process has held, with those it started that still run.

    Linux hands ru_maxrss of a parent down to what it starts, so it is the last choice.
    """
    try:
        return sum(_most_held(process) for process in _with_children(Path("/proc/self")))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _with_children(process: Path) -> list[Path]:
    found = [process]
    for thread in (process / "task").iterdir():
        for child in (thread / "children").read_text().split():
            found.extend(_with_children(Path("/proc") / child))
    return found


def _most_held(process: Path) -> int:
    lines = (process / "status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _mib(peak: int | None) -> str:
    return f"{(peak or 0) / 2**20:.0f}"


def main(function: str, *args: str) -> None:
    """Run one function and print its seconds and peak memory; `compare_fresh` calls this."""
    sys.path.insert(0, str(HERE))
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    start = perf_counter()
    result = call(*args)
    seconds = perf_counter() - start
    if callable(result):
        seconds = _timed(result)
    print(json.dumps({"seconds": seconds, "peak": _peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
