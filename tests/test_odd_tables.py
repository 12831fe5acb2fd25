"""Tables as hosts really have them: odd values, odd types, odd names. None gives a wrong number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from scrmkit import InteractionLog, relationships


START = datetime(2026, 1, 1, tzinfo=UTC)
from_frame = InteractionLog.from_frame


def acts(n: int = 3, **columns: Any) -> pd.DataFrame:
    """A pandas table of messages from ana to ben, a day apart, with these columns changed."""
    times = pd.date_range(START, periods=n, freq="D")
    plain = {"time": times, "kind": "message", "source": ["ana"] * n, "target": ["ben"] * n}
    return pd.DataFrame({**plain, **columns})


def objects(*values: Any) -> pd.Series[Any]:
    """A pandas column of Python objects."""
    return pd.Series(values, dtype=object)


# times


@pytest.mark.parametrize("lazy", [False, True])
def test_milliseconds_too_many_for_microseconds_are_rejected(lazy: bool) -> None:  # noqa: FBT001
    """The year 318857 is out of range, not an error of the engine nor another year."""
    times = pl.Series([10**16, 1_767_225_600_000, -(10**16)]).cast(pl.Datetime("ms", "UTC"))
    frame = pl.DataFrame({"time": times}).with_columns(kind=pl.lit("call"), source=pl.lit("ana"))
    summary = from_frame(frame.lazy() if lazy else frame).summary()
    assert summary.rules == {"time is out of range": 2}
    assert summary.first == summary.last == START


@pytest.mark.parametrize("far", ["infinity", "-infinity", "0044-03-15 (BC) 00:00:00+00"])
def test_times_that_only_databases_have_are_rejected(far: str) -> None:
    """Infinity and years before Christ of DuckDB are rejected, and the rest is counted."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    relation = connection.sql(
        f"select unnest([timestamptz '{far}', timestamptz '2026-01-01 00:00:00+00']) as time, "  # noqa: S608
        "'message' as kind, 'ana' as source, 'ben' as target"
    )
    log = from_frame(relation)
    assert log.summary().rules == {"time is out of range": 1}
    ties = relationships.measure(log).frame
    assert ties.select("a, b, n_ab, strength").fetchall() == [("ana", "ben", 1, 1.0)]
