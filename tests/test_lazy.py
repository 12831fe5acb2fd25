"""Lazy tables are not read before they are needed, and results go back to where they came from."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import polars as pl
import polars.testing
import pytest

from scrmkit import InteractionLog, SocialGraph, _tables
from scrmkit.communities import detect
from scrmkit.engagement import score
from scrmkit.influence import rank
from scrmkit.relationships import measure, together


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FUNCTIONS: dict[str, Callable[[InteractionLog], Any]] = {
    "measure": measure,
    "together": together,
    "score": score,
    "score at instants": lambda log: score(log, as_of=[NOON, NOON + timedelta(days=9)]),
}


def acts(retracts: list[str | None] | None = None) -> pl.DataFrame:
    """Four acts of three people, the last of which may take one back."""
    return pl.DataFrame(
        {
            "id": ["m1", "m2", "m3", "m4"],
            "time": [NOON + timedelta(days=day) for day in (0, 10, 20, 50)],
            "kind": ["message", "answer", "message", "message"],
            "source": ["ana", "ben", "ana", "cem"],
            "target": ["ben", "ana", "cem", "ana"],
            "thread": ["t1", "t1", "t2", "t2"],
        }
    ).with_columns(*([] if retracts is None else [pl.Series("retracts", retracts, pl.String)]))


def watched(frame: pl.DataFrame) -> tuple[pl.LazyFrame, list[int]]:
    """A lazy table, and a list that grows whenever it is read."""
    reads: list[int] = []

    def watch(batch: pl.DataFrame) -> pl.DataFrame:
        reads.append(len(batch))
        return batch

    return frame.lazy().map_batches(watch, schema=frame.schema), reads


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_read_before_it_is_needed(name: str) -> None:
    """A batch function reads no row of a lazy table, without ``as_of`` neither."""
    lazy, reads = watched(acts(retracts=[None, None, None, None]))
    result = FUNCTIONS[name](InteractionLog.from_frame(lazy))
    repr(result)
    assert reads == []
    assert len(result.frame.collect())
    assert reads


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("retracts", [None, [None, None, None, "m2"]])
def test_the_last_instant_is_that_of_the_eager_log(
    name: str, retracts: list[str | None] | None
) -> None:
    """Without ``as_of`` a lazy table gives the numbers of the same table in memory."""
    frame = acts(retracts)
    eager = FUNCTIONS[name](InteractionLog.from_frame(frame))
    lazy = FUNCTIONS[name](InteractionLog.from_frame(frame.lazy()))
    polars.testing.assert_frame_equal(
        lazy.frame.collect(), eager.frame, check_row_order=False, rel_tol=1e-12
    )
    assert dict(lazy.parameters) == dict(eager.parameters)


def test_the_last_instant_is_read_once() -> None:
    """The parameters of a lazy result read the last instant when asked, and keep it."""
    lazy, reads = watched(acts())
    ties = measure(InteractionLog.from_frame(lazy))
    assert ties.parameters["as_of"] == NOON + timedelta(days=50)
    before = len(reads)
    assert ties.parameters["as_of"] == NOON + timedelta(days=50)
    assert len(reads) == before


def test_an_empty_lazy_log_has_no_last_instant() -> None:
    """An empty lazy log gives no rows, and the parameters say that there is no instant."""
    ties = measure(InteractionLog.from_frame(acts().head(0).lazy()))
    assert len(ties.frame.collect()) == 0
    assert ties.parameters["as_of"] is None


@pytest.mark.parametrize("analyse", [rank, detect])
def test_what_is_made_of_arrays_goes_back_to_its_connection(
    analyse: Callable[..., Any],
) -> None:
    """A ranking of DuckDB ties can be joined with them in the host's own connection."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    given = acts()  # noqa: F841, DuckDB finds it by its name
    ties = measure(InteractionLog.from_frame(connection.sql("from given")))
    found = analyse(ties).frame
    assert isinstance(found, duckdb.DuckDBPyRelation)
    joined = ties.frame.set_alias("ties").join(found.set_alias("found"), "ties.a = found.customer")
    pairs = (table.select("a", "b").fetchall() for table in (joined, ties.frame))
    assert len({frozenset(rows) for rows in pairs}) == 1


def test_a_home_without_its_connection_still_holds_rows() -> None:
    """A graph of DuckDB ties can be pickled; what is made of the copy is in memory."""
    connection = duckdb.connect()
    ties = connection.sql("select 'ana' as a, 'ben' as b, 1.0 as strength")
    copy = pickle.loads(pickle.dumps(SocialGraph.from_ties(ties).home))  # noqa: S301
    assert copy == _tables.Home("duckdb", lazy=True)
    assert isinstance(_tables.build({"a": [1]}, copy), pl.DataFrame)
