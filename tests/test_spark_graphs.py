"""Graphs by joins on a cluster: the same as on one machine, also when a worker is lost.

All of it needs ``pytest -m spark``, which starts the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pytest

from cluster import Cluster
from engines import from_arrow
from scrmkit import large_graphs
from scrmkit._shelf import Shelf
from scrmkit.errors import InvalidParameter
from scrmkit.large_graphs import connected_components, label_propagation
from test_large_graphs import draw_ties, spell


pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

rank = partial(large_graphs.pagerank, damping=0.2)  # needs few rounds
FUNCTIONS = (rank, connected_components, label_propagation)


def to_spark(spark: Any, ties: pl.DataFrame) -> Any:
    """Ties on the cluster."""
    return spark.createDataFrame(ties.to_arrow())


def agree(theirs: Any, function: Any, ties: pl.DataFrame) -> None:
    """A result of the cluster is a table of it, and the numbers are those of Polars."""
    assert hasattr(theirs.frame, "sparkSession")
    rows = dict(from_arrow(theirs.frame.toArrow()).iter_rows())
    wanted = dict(function(ties).frame.iter_rows())
    assert rows == (pytest.approx(wanted, abs=1e-9) if function is rank else wanted)


@pytest.fixture
def checkpoints(spark: Any, tmp_path: Path) -> Iterator[Path]:
    """A directory for checkpoints, which the session has for one test."""
    context = spark.sparkContext
    context.setCheckpointDir(str(tmp_path))
    yield tmp_path
    forget = getattr(context._jsc.sc(), "checkpointDir_$eq")
    forget(context._jvm.scala.Option.empty())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cluster_gives_the_same(spark: Any, function: Any) -> None:
    """Each function on a cluster equals Polars."""
    ties = spell(draw_ties(directed=True))
    agree(function(to_spark(spark, ties)), function, ties)


def test_no_ties_and_bad_ties_on_a_cluster(spark: Any) -> None:
    """An empty table gives none; a negative weight is the same error as anywhere."""
    ties = to_spark(spark, draw_ties())
    assert connected_components(ties.limit(0)).frame.count() == 0
    with pytest.raises(InvalidParameter, match="ties have a negative weight"):
        rank(ties.selectExpr("a", "b", "-1 - strength AS strength"))


def test_the_driver_reads_one_row_at_a_time(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that grows with the ties is brought to the driver."""
    seen = []
    collect = nw.LazyFrame.collect

    def count(self: Any, *arguments: Any, **options: Any) -> Any:
        rows = collect(self, *arguments, **options)
        seen.append(len(rows))
        return rows

    def refuse(*_: Any) -> None:
        pytest.fail("a table was brought to the driver")

    ties = to_spark(spark, draw_ties())
    monkeypatch.setattr(nw.LazyFrame, "collect", count)
    for name in ("collect", "toPandas", "toLocalIterator", "take"):
        monkeypatch.setattr(type(ties), name, refuse)
    for function in FUNCTIONS:
        function(ties)
    assert set(seen) == {1}


def test_workers_hold_the_result_alone(spark: Any) -> None:
    """What workers kept for the rounds is freed as soon as the next round is there."""
    held = spark.sparkContext._jsc.getPersistentRDDs
    before = held().size()
    result = connected_components(to_spark(spark, draw_ties()))
    assert result.parameters["rounds"] > 1
    assert held().size() <= before + 1


def test_a_worker_lost_between_rounds_changes_nothing(
    spark: Any, cluster: Cluster, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a directory for checkpoints the rounds go on when a worker is killed among them."""
    kept = []
    keep = Shelf.keep

    def keep_and_kill(self: Shelf, frame: Any) -> Any:
        made = keep(self, frame)
        kept.append(made)
        if len(kept) == 5:
            cluster.workers[0].kill()
            cluster.fill_up()
        return made

    ties = draw_ties()
    table = to_spark(spark, ties)
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "keep", keep_and_kill)
        result = connected_components(table)
    assert len(kept) > 5
    assert any(checkpoints.iterdir())
    agree(result, connected_components, ties)
