"""Tables as hosts really have them: odd values, odd types, odd names. None gives a wrong number."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from scrmkit import (
    InteractionLog,
    InvalidParameter,
    InvalidTable,
    engagement,
    influence,
    large_graphs,
    relationships,
)


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
        f"select unnest([timestamptz '{far}', timestamptz '2026-01-01 00:00:00+00']) as time, "
        "'message' as kind, 'ana' as source, 'ben' as target"
    )
    log = from_frame(relation)
    assert log.summary().rules == {"time is out of range": 1}
    ties = relationships.measure(log).frame
    assert ties.select("a, b, n_ab, strength").fetchall() == [("ana", "ben", 1, 1.0)]


def test_naive_timestamps_among_instants_are_local_times() -> None:
    """A pandas Timestamp without a zone is never taken for UTC because another one has a zone."""
    mixed = objects(pd.Timestamp(START), pd.Timestamp("2026-01-01T07:00"), pd.NaT)
    log = from_frame(acts(time=mixed), timezone="America/New_York")
    assert [time.hour for time in log.frame["time"]] == [0, 12]
    assert log.summary().rules == {"time is missing": 1}
    assert from_frame(acts(time=mixed)).summary().rules == {
        "time has no time zone": 1,
        "time is missing": 1,
    }


@pytest.mark.parametrize("nothing", [None, pd.NaT, pd.NA, float("nan")])
def test_a_missing_instant_among_objects_is_missing(nothing: Any) -> None:
    """Instants of two zones and nothing, as objects: two rows count, and one lacks its time."""
    abroad = pd.Timestamp("2026-01-01T05:30+05:30")
    for times in ((pd.Timestamp(START), abroad, nothing), (START, START, nothing)):
        log = from_frame(acts(time=objects(*times)))
        assert log.frame["time"].to_list() == [START, START]
        assert log.summary().rules == {"time is missing": 1}
        records = acts(time=objects(*times)).to_dict("records")
        assert InteractionLog.from_records(records).summary().rules == {"time is missing": 1}


def test_a_missing_as_of_is_said_to_be_missing() -> None:
    """NaT is no instant, which is not for want of a time zone."""
    with pytest.raises(InvalidParameter, match="as_of is missing"):
        relationships.measure(from_frame(acts()), as_of=pd.NaT)


def test_as_of_is_kept_as_the_numbers_use_it() -> None:
    """A pandas Timestamp becomes a datetime, without the nanoseconds that nothing counts."""
    as_of = pd.Timestamp("2026-01-09T00:00:00.000001002", tz="Asia/Kolkata")
    kept = relationships.measure(from_frame(acts()), as_of=as_of).parameters["as_of"]
    assert type(kept) is datetime
    assert kept == datetime(2026, 1, 8, 18, 30, 0, 1, tzinfo=UTC)


# ids

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("nothing", [None, pd.NaT, pd.NA, float("nan")])
@pytest.mark.parametrize(
    ("ids", "kept"),
    [(("ana", "cem"), ["ana", "cem"]), ((ONE, TWO), [str(ONE), str(TWO)]), ((1, 2), [1, 2])],
)
def test_nothing_is_nobody(nothing: Any, ids: tuple[Any, Any], kept: list[Any]) -> None:
    """What pandas writes for nothing among ids is no customer called "NaT" or "<NA>"."""
    target = [9] * 3 if isinstance(ids[0], int) else ["ben"] * 3
    log = from_frame(acts(source=objects(ids[0], nothing, ids[1]), target=target))
    assert [one for one in log.frame["source"] if not pd.isna(one)] == kept
    assert {str(one) for one in engagement.score(log).frame["customer"]} == {*map(str, kept)}


@pytest.mark.parametrize(
    "ids",
    [(Decimal(1), Decimal("1.0")), (b"a", b"b"), (("a", 1), ("b", 2)), (True, None), (1.5, None)],
)
@pytest.mark.parametrize("make", [objects, lambda *ids: pl.Series(ids, dtype=pl.Object)])
def test_ids_are_texts_integers_or_uuids(ids: tuple[Any, Any], make: Any) -> None:
    """Nothing else becomes an id by way of its text, which two people may share."""
    frame = acts(2) if make is objects else pl.DataFrame(acts(2))
    frame = (
        frame.assign(source=make(*ids))
        if make is objects
        else frame.with_columns(make(*ids).alias("source"))
    )
    with pytest.raises(InvalidTable, match="holds ids and is of type"):
        from_frame(frame)


@pytest.mark.parametrize("ids", [(2**70, None), (2**63 + 1, 5), (-(2**63) - 1, 5)])
def test_integers_that_are_too_large_are_called_so(ids: tuple[Any, Any]) -> None:
    """Integers beyond 64 bits among objects are too large, and not text and numbers."""
    with pytest.raises(InvalidTable, match="make them text"):
        from_frame(acts(2, source=objects(*ids), target=[1, 2]))


# columns


def in_offset_zone() -> pa.Table:
    """An Arrow table of two messages, whose times and another column of times are at +05:30."""
    times = pa.array([0, 1_000_000], pa.timestamp("us", "+05:30"))
    people = {"source": ["ana", "ben"], "target": ["ben", "ana"]}
    return pa.table({"time": times, "seen": times, "kind": ["message"] * 2, **people})


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        lambda table: table.to_reader(),
    ],
    ids=["pyarrow", "pandas", "pandas Arrow", "stream"],
)
def test_zones_that_are_offsets_are_zones(make: Callable[[pa.Table], Any]) -> None:
    """Times at +05:30, as Arrow and pandas write them, are instants, in every column."""
    log = from_frame(make(in_offset_zone()))
    summary = log.summary()
    assert (summary.accepted, summary.first) == (2, datetime(1970, 1, 1, tzinfo=UTC))
    assert len(log.rejected) == 0
    assert len(engagement.score(log).frame) == 2


@pytest.mark.parametrize("name", ["*", "^.*$", "__scrmkit_row"])
@pytest.mark.parametrize("make", [pl.DataFrame, pl.DataFrame.lazy])
def test_names_with_another_meaning_are_refused(name: str, make: Any) -> None:
    """A column of the host whose name is a pattern of an engine, or ours, has to be renamed."""
    with pytest.raises(InvalidTable, match="rename it"):
        from_frame(make(pl.DataFrame(acts()).with_columns(pl.lit(7).alias(name))))


def test_a_column_of_pandas_may_be_its_index_too() -> None:
    """An index of the same name as a column neither counts nor is in the way."""
    frame = acts(time=START, id="m1").set_index("time", drop=False)
    summary = from_frame(frame).summary()
    assert (summary.accepted, summary.repeated) == (1, 2)


def test_an_index_that_has_what_is_missed_is_named() -> None:
    """Where pandas has the parties or the time in the index, the error says so."""
    for names in (["source", "target"], ["time"]):
        with pytest.raises(InvalidTable, match=rf"In the index are '{names[0]}'.*reset_index"):
            from_frame(acts().set_index(names))


def test_periods_are_refused_with_the_remedy() -> None:
    """A column of periods names the method that makes times of it."""
    with pytest.raises(InvalidTable, match="to_timestamp"):
        from_frame(acts(time=pd.period_range("2026-01-01", periods=3)), timezone="UTC")


def test_a_series_is_no_grouping_but_its_mapping_is() -> None:
    """A pandas Series as groups is refused with the method that makes a mapping of it."""
    groups = pd.Series({"ana": "both", "ben": "both"})
    with pytest.raises(InvalidParameter, match="to_dict"):
        relationships.measure(from_frame(acts()), group=groups)


def test_a_log_of_which_all_rows_were_rejected_says_so() -> None:
    """Where no row was accepted, the want of an instant is not what has to be mended."""
    with pytest.raises(InvalidParameter, match=r"\(3 read, 3 rejected\).*log.summary"):
        relationships.measure(from_frame(acts(source="")))


@pytest.mark.parametrize("make", [objects, lambda *values: pl.Series(values, dtype=pl.Object)])
def test_repeats_are_told_from_conflicts_by_any_values(make: Any) -> None:
    """Lists, arrays, mappings and nothing among the content of a row are compared as values."""
    frame = acts(6, time=START, id=["m1", "m1", "m2", "m2", "m3", "m3"])
    for same, other in (([1, [2]], [1]), ({"a": 1, "b": [2]}, {"a": 1}), ({1, 2}, {1})):
        values = [same, copy(same), same, other, None, None]
        table = frame if make is objects else pl.DataFrame(frame)
        if isinstance(same, set):
            with pytest.raises(InvalidTable, match="column 'extra' holds values that cannot be"):
                from_frame(_with_extra(table, make(*values)))
            continue
        log = from_frame(_with_extra(table, make(*values)))
        assert sorted(log.frame["id"]) == ["m1", "m3"]
        assert log.summary().rules == {"the same id with other content": 2}
        assert log.frame["extra"].to_list()[0] == same


def _with_extra(table: Any, values: Any) -> Any:
    """A table with one more column."""
    if isinstance(table, pl.DataFrame):
        return table.with_columns(values.alias("extra"))
    return table.assign(extra=values)


# ties of the host

ON_TIES = (influence.rank, large_graphs.connected_components)


def in_duckdb(frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    """A table of DuckDB."""
    return duckdb.connect().from_arrow(frame.to_arrow())


@pytest.mark.parametrize("function", ON_TIES)
@pytest.mark.parametrize(
    "make", [pl.DataFrame.to_pandas, pl.DataFrame, pl.DataFrame.lazy, in_duckdb]
)
def test_ids_of_ties_that_are_too_large_are_called_so(function: Any, make: Any) -> None:
    """Unsigned ids beyond 63 bits are refused, without one of them in the text; others count."""
    wide = {"schema_overrides": {"a": pl.UInt64, "b": pl.UInt64}}
    ties = pl.DataFrame({"a": [2**63 + 1], "b": [5], "strength": [1.0]}, **wide)
    with pytest.raises(InvalidTable, match="holds integers beyond") as refusal:
        function(make(ties))
    assert "9223372036854775809" not in str(refusal.value)
    small = function(make(ties.with_columns(a=pl.lit(4, pl.UInt64))))
    assert set(nw.from_native(small.frame).lazy().collect()["customer"].to_list()) == {4, 5}


def test_unsigned_ids_of_a_lazy_log_are_refused_before_any_is_read() -> None:
    """A lazy table may hold ids beyond 63 bits, which would fail when they are read."""
    ids = pl.Series([2**63 + 1, 1, 2], dtype=pl.UInt64)
    frame = pl.DataFrame(acts()).with_columns(source=ids, target=ids)
    with pytest.raises(InvalidTable, match="cast it to Int64 or to text"):
        from_frame(frame.lazy())
    assert len(from_frame(frame[1:])) == 2


@pytest.mark.parametrize("function", ON_TIES)
def test_uuids_and_decimals_of_pandas_are_ends_and_weights(function: Any) -> None:
    """UUIDs are ids of ties as of logs, and Decimals are numbers, for all that takes ties."""
    ties = pd.DataFrame({"a": [ONE], "b": [TWO], "strength": objects(Decimal("1.5"))})
    assert {*function(ties).frame["customer"]} == {str(ONE), str(TWO)}
    with pytest.raises(InvalidTable, match="not a number"):
        function(ties.assign(strength=objects((1, 2))))
