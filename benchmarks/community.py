"""A community of 1.3 million members and 6,000 posts a day, two years of it, on one machine.

    python benchmarks/community.py [PAIRS OF RUNS [MEMBERS]]
    python benchmarks/community.py stages|modularity|live [MEMBERS]

Without a word: from a Parquet file to a log, its ties, scores, PageRank and communities, as a
multiple of what hand-written Polars takes for the ties and the scores of a table in memory; with
the likes and for the posts alone, each run in a process of its own. With a word: the seconds of
each stage; modularity and seconds beside igraph's; how long a ledger and a tracker take to hold
the two years, to take in the next day one act after the other, and to be asked. What the log is
like: `community_log.py`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl
import polars.testing

from by_hand.community import FORMS
from community_log import DAYS, MEMBERS, POSTS_A_DAY, make
from harness import compare_fresh, measure_fresh
from scrmkit import (
    Interaction,
    InteractionLog,
    Ledger,
    Tracker,
    communities,
    engagement,
    influence,
    relationships,
)


LIMIT = 3.0
BATCH = 100_000


@contextmanager
def written(members: int) -> Iterator[Path]:
    """A folder with two years as Parquet, also without the likes, and the day after them."""
    acts = make(members)
    is_post = acts["kind"] != "like"
    a_day = round(POSTS_A_DAY * members / MEMBERS)
    morning = acts["time"].filter(is_post)[-a_day]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        acts.filter(pl.col("time") < morning).write_parquet(folder / "all.parquet")
        acts.filter(is_post & (acts["time"] < morning)).write_parquet(folder / "posts.parquet")
        acts.filter(pl.col("time") >= morning).write_parquet(folder / "day.parquet")
        del acts, is_post
        yield folder


def ours(path: str, _: str) -> Callable[[], object]:
    """From the file to the log, its ties, scores, ranking and communities."""
    return partial(run_stages, path)


def by_hand(path: str, form: str) -> Callable[[], object]:
    """Ties and scores alone, of a table in memory, by one of the forms written by hand."""
    columns = ["time", "kind", "source", "target"]
    return partial(FORMS[form], pl.read_parquet(path, columns=columns, memory_map=False))


def run_stages(path: str) -> dict[str, tuple[float, Any]]:
    """What each stage makes, with its seconds."""
    made: dict[str, tuple[float, Any]] = {}
    start = perf_counter()

    def finish(stage: str, result: Any) -> Any:
        nonlocal start
        now = perf_counter()
        made[stage] = (now - start, result)
        start = now
        return result

    log = finish("log", InteractionLog.read(path))
    ties = finish("ties", relationships.measure(log))
    finish("scores", engagement.score(log).frame)
    graph = finish("graph", relationships.graph(ties))
    finish("ranking", influence.rank(graph).frame)
    finish("communities", communities.detect(graph, seed=7).frame)
    return made


def check_values(path: str) -> None:
    """Refuse to time forms by hand that give other ties or scores than ours."""
    few = pl.read_parquet(path).tail(300_000)
    log = InteractionLog.from_frame(few)
    expected = [
        relationships.measure(log).frame.sort("a", "b"),
        engagement.score(log).frame.sort("customer"),
    ]
    for form in FORMS.values():
        ties, scores = form(few)
        for mine, theirs in zip(expected, (ties.sort("a", "b"), scores), strict=True):
            polars.testing.assert_frame_equal(mine, theirs, rel_tol=1e-9, abs_tol=1e-9)


def compare(folder: Path, runs: int) -> None:
    """Print the figure, with the likes and for the posts alone."""
    for name, what in (("all", "with likes"), ("posts", "posts alone")):
        path = str(folder / f"{name}.parquet")
        check_values(path)
        seconds = {
            form: median(measure_fresh("community:by_hand", args=[path, form])[0] for _ in range(3))
            for form in FORMS
        }
        print("by hand, s:", ", ".join(f"{form} {time:.2f}" for form, time in seconds.items()))
        best = min(seconds, key=seconds.__getitem__)
        print(
            compare_fresh(
                "community:ours",
                "community:by_hand",
                args=[path, best],
                runs=runs,
                name=f"{what}: all of it / ties and scores by hand",
                limit=LIMIT,
            ),
            flush=True,
        )


def print_stages(folder: Path) -> None:
    """The seconds of each stage, and the rows of what it makes."""
    for name in ("all", "posts"):
        made = run_stages(str(folder / f"{name}.parquet"))
        for stage, (seconds, result) in made.items():
            rows = len(result.frame) if stage == "ties" else len(result)
            print(f"{name:<6} {stage:<12} {seconds:6.2f} s {rows:>12,}")
        print(f"{name:<6} {'together':<12} {sum(seconds for seconds, _ in made.values()):6.2f} s")


def print_modularity(folder: Path) -> None:
    """Modularity and seconds beside igraph's Leiden of two iterations."""
    import igraph

    ties = relationships.measure(InteractionLog.read(folder / "all.parquet"))
    graph = relationships.graph(ties).undirected()
    matrix = graph.matrix().tocoo()
    once = matrix.row < matrix.col
    peer = igraph.Graph(len(graph), np.c_[matrix.row[once], matrix.col[once]])
    peer.es["weight"] = matrix.data[once]
    for seed in range(3):
        start = perf_counter()
        found = communities.detect(graph, seed=seed)
        middle = perf_counter()
        theirs = peer.community_leiden(
            objective_function="modularity", weights="weight", n_iterations=2
        )
        end = perf_counter()
        check = peer.modularity(theirs.membership, weights="weight")
        print(f"modularity {found.modularity:.5f} in {middle - start:.2f} s", end=", ")
        print(f"igraph {check:.5f} in {end - middle:.2f} s")


def print_live(folder: Path) -> None:
    """What it takes to keep a ledger and a tracker live, each in a process of its own."""
    for log in ("posts", "all"):
        for what in ("ledger", "tracker"):
            process = get_context("spawn").Process(target=keep_live, args=[str(folder), log, what])
            process.start()
            process.join()


def keep_live(folder: str, log: str, what: str) -> None:
    """Record two years, then a day; ask for everybody who posted on it; store it and read it."""
    live: Ledger | Tracker = Ledger() if what == "ledger" else Tracker()
    years = pl.scan_parquet(Path(folder) / f"{log}.parquet")
    rows = years.head(BATCH).collect().rows(named=True)
    before, count, spent = _resident(), 0, dict.fromkeys(("values", "record"), 0.0)
    while rows:
        start = process_time()
        acts = [Interaction(**row) for row in rows]
        middle = process_time()
        _record(live, acts)
        spent["values"] += middle - start
        spent["record"] += process_time() - middle
        count += len(acts)
        rows = years.slice(count, BATCH).collect().rows(named=True)
    size = _resident() - before
    print(
        f"{log}, {what}: {count:,} acts, {len(live):,} entries, {size / 2**20:,.0f} MiB,", end=" "
    )
    print(f"{size / len(live):,.0f} bytes an entry, {size / count:.0f} an act")
    for step, seconds in spent.items():
        print(f"{log}, {what}: {step} {seconds:.0f} CPU s, {seconds / count * 1e6:.2f} us an act")
    day = [Interaction(**row) for row in pl.read_parquet(f"{folder}/day.parquet").rows(named=True)]
    seconds = _cpu(_record, live, day)
    print(f"{log}, {what}: the next day, {len(day):,} acts, {len(day) / seconds:,.0f} a CPU second")
    posts = [act for act in day if act.kind != "like"]
    asked = [(act.source, act.target) for act in posts if act.target not in (None, act.source)]
    if isinstance(live, Tracker):
        asked = [(act.source,) for act in posts]
    asked = list(dict.fromkeys(asked))
    ask = live.score if isinstance(live, Tracker) else live.between
    seconds = _cpu(lambda: [ask(*one, as_of=day[-1].time) for one in asked])
    print(f"{log}, {what}: {len(asked):,} asked for, {seconds / len(asked) * 1e6:.0f} us each")
    if log == "all":  # what has been stored and is being read takes as much memory again
        return
    stored = Path(folder) / f"{what}.json"
    seconds = _cpu(lambda: stored.write_text(json.dumps(live.to_dict())))
    print(f"{log}, {what}: stored in {seconds:.0f} CPU s, {stored.stat().st_size / 2**20:,.0f} MiB")
    seconds = _cpu(lambda: type(live).from_dict(json.loads(stored.read_text())))
    print(f"{log}, {what}: read again in {seconds:.0f} CPU s", flush=True)


def _record(live: Ledger | Tracker, acts: list[Interaction]) -> None:
    for act in acts:
        live.record(act)


def _cpu(function: Callable[..., object], *args: object) -> float:
    start = process_time()
    function(*args)
    return process_time() - start


def _resident() -> int:
    """Bytes of memory that this process holds."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


WORDS = {"stages": print_stages, "modularity": print_modularity, "live": print_live}


def main(word: str = "7", members: str = str(MEMBERS)) -> None:
    """Print the figures."""
    with written(int(members)) as folder:
        print(f"{int(members):,} members, {DAYS} days", flush=True)
        if word in WORDS:
            WORDS[word](folder)
        else:
            compare(folder, int(word))


if __name__ == "__main__":
    main(*sys.argv[1:])
