"""Logs: every row is accepted, repeated or rejected, and what counts at an instant counts."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import duckdb
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import (
    DEFAULT_VOCABULARY,
    Interaction,
    InteractionLog,
    InvalidInteraction,
    InvalidParameter,
    InvalidTable,
)
from scrmkit._acts import UNTIL
from scrmkit.testing.strategies import instants, logs


START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def table(**columns: list[Any]) -> pl.DataFrame:
    """A table of messages from ana to ben, an hour apart, with these columns changed."""
    n = len(next(iter(columns.values()))) if columns else 2
    frame = {
        "time": [START + HOUR * row for row in range(n)],
        "kind": ["message"] * n,
        "source": ["ana"] * n,
        "target": ["ben"] * n,
    }
    return pl.DataFrame({**frame, **columns})


def rows(frame: Any) -> list[tuple[Any, ...]]:
    """The rows of any native table, sorted, columns in order of name."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    elif isinstance(frame, duckdb.DuckDBPyRelation):
        frame = pl.DataFrame(frame.arrow())
    elif isinstance(frame, pd.DataFrame):
        frame = pl.DataFrame(
            {name: [None if pd.isna(x) else x for x in frame[name]] for name in frame.columns}
        )
    else:
        frame = pl.DataFrame(frame)
    names = sorted(frame.columns)
    return sorted(
        (
            tuple(cell.astimezone(UTC) if isinstance(cell, datetime) else cell for cell in row)
            for row in frame.select(names).iter_rows()
        ),
        key=repr,
    )


# what comes in


@given(logs(repeats=True))
def test_interactions_become_rows(log: list[Interaction]) -> None:
    """Each distinct interaction is one row that holds what the interaction holds."""
    frame = InteractionLog.from_records(log).frame
    distinct = {act.key: act for act in log}
    kinds = {word: kind.name for word, kind in DEFAULT_VOCABULARY.words.items()}
    expected = Counter(
        (
            act.id,
            act.time.astimezone(UTC),
            kinds.get(act.kind, act.kind),
            str(act.source) if isinstance(act.source, UUID) else act.source,
            act.valence,
            act.automated,
        )
        for act in distinct.values()
    )
    got = Counter(
        (
            row["id"],
            row["time"],
            row["kind"],
            row.get("source"),
            row.get("valence"),
            bool(row.get("automated")),
        )
        for row in frame.to_dicts()
    )
    assert got == expected


@given(logs(repeats=True), st.integers(0, 2**32))
def test_order_of_rows_is_irrelevant(log: list[Interaction], seed: int) -> None:
    """A log in another order has the same accepted rows and the same counts."""
    shuffled = Random(seed).sample(log, len(log))  # noqa: S311
    one, other = InteractionLog.from_records(log), InteractionLog.from_records(shuffled)
    assert rows(one.frame) == rows(other.frame)
    assert one.summary() == other.summary()


@given(logs(min_size=1))
def test_a_log_read_twice_is_the_log(log: list[Interaction]) -> None:
    """Feeding the same interactions again adds nothing, and the repeats are counted."""
    once, twice = InteractionLog.from_records(log), InteractionLog.from_records(log + log)
    assert rows(twice.frame) == rows(once.frame)
    assert twice.summary().repeated == len(log)


DIRTY = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", "3", "4", None]),
        "time": st.sampled_from([START, START + HOUR, None]),
        "kind": st.sampled_from(["message", "dm", "", None]),
        "source": st.sampled_from(["ana", "ben", "", None]),
        "target": st.sampled_from(["ana", "ben", None]),
        "valence": st.sampled_from([None, 0.0, 1.0, -1.5, float("inf"), float("nan")]),
    }
)
DIRTY_TYPES = {
    "id": pl.String,
    "time": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "source": pl.String,
    "target": pl.String,
    "valence": pl.Float64,
}


def judge(row: dict[str, Any]) -> str | None:
    """The rule that a row breaks, by plain Python."""
    if row["time"] is None:
        return "time is missing"
    if not row["kind"]:
        return "kind is missing"
    if row["source"] == "":
        return "source is empty"
    if row["source"] is None and row["target"] is None:
        return "source and target are missing"
    if row["id"] is None:
        return "id is missing"
    valence = row["valence"]
    if valence is not None and (valence < -1 or valence > 1):
        return "valence is out of range"
    return None


@given(st.lists(DIRTY, max_size=12))
def test_every_row_is_accepted_repeated_or_rejected(dirty: list[dict[str, Any]]) -> None:
    """The counts, the rules and the row numbers are those of a reading one row at a time."""
    log = InteractionLog.from_frame(pl.DataFrame(dirty, schema=DIRTY_TYPES))
    rules = {number: judge(row) for number, row in enumerate(dirty)}
    versions: dict[tuple[Any, Any], dict[str, int]] = {}
    for number, row in enumerate(dirty):
        if rules[number] is None:
            nothing = {"valence": None} if row["valence"] != row["valence"] else {}
            content = repr({**row, **nothing, "kind": "message"})
            versions.setdefault((row["id"], row["target"]), {}).setdefault(content, number)
    accepted = sum(len(numbers) == 1 for numbers in versions.values())
    for numbers in versions.values():
        if len(numbers) > 1:
            rules.update(dict.fromkeys(numbers.values(), "the same id with other content"))
    expected = sorted((number, rule) for number, rule in rules.items() if rule is not None)
    summary = log.summary()
    assert log.rejected.select("row", "rule").rows() == expected
    assert summary.accepted == log.frame.height == accepted
    assert summary.read == len(dirty)
    assert summary.repeated == summary.read - summary.accepted - summary.rejected
    assert summary.rules == Counter(rule for _, rule in expected)


ENGINES = {
    "polars lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: pd.DataFrame(frame.to_dict(as_series=False)),
    "pyarrow": lambda frame: frame.to_arrow(),
    "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree(engine: str) -> None:
    """The same table gives the same rows and counts on every engine, of the kind that came in."""
    frame = pl.DataFrame(
        {
            "id": ["1", "2", "2", "3", "3", "4", None, "5", "6", "7"],
            "time": [START + HOUR * row for row in (0, 1, 1, 2, 2, 3, 4, 5, 6, 7)],
            "kind": ["message", "dm", "dm", "call", "view", "x", "x", "", "mail", "like"],
            "source": ["ana", "ben", "ben", "ana", "ana", "", "ana", "ana", None, "国"],
            "target": ["ben", None, None, "ben", "ben", "ben", "ben", "ben", "ben", "ana"],
            "valence": [0.5, None, None, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 1.5],
        }
    )
    native = ENGINES[engine](frame)
    log = InteractionLog.from_frame(native, constants={"channel": "app"})
    reference = InteractionLog.from_frame(frame, constants={"channel": "app"})
    assert rows(log.frame) == rows(reference.frame)
    assert log.summary() == reference.summary()
    assert isinstance(log.frame, type(native))
    assert isinstance(log.rejected, type(native))


def test_arrow_streams_are_tables() -> None:
    """An object that has only an Arrow stream is taken."""

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return table().__arrow_c_stream__(requested_schema)

    assert len(InteractionLog.from_frame(Stream())) == 2


def test_no_id_column_means_every_row_counts() -> None:
    """Without a column id equal rows are two interactions."""
    assert InteractionLog.from_frame(table(time=[START, START])).summary().accepted == 2


def test_one_email_to_three_people_is_three_interactions() -> None:
    """The target is part of the key."""
    frame = table(id=["m", "m", "m"], target=["ben", "cem", None], time=[START] * 3)
    assert InteractionLog.from_frame(frame).summary().accepted == 3


def test_tenants_do_not_share_ids() -> None:
    """The scope is part of the key."""
    frame = table(id=["m", "m"], scope=["one", "two"], valence=[0.0, 1.0])
    assert InteractionLog.from_frame(frame).summary().accepted == 2


# names and values


def test_columns_are_found_by_our_name_or_the_given_one() -> None:
    """A named column becomes the field; other columns of the host are kept."""
    frame = table(mood=[1, 2]).rename({"time": "ts", "source": "from_id"})
    log = InteractionLog.from_frame(frame, columns={"time": "ts", "source": "from_id"})
    assert set(log.frame.columns) == {"time", "source", "kind", "target", "mood"}


def test_aliases_and_words_of_the_table_become_kinds() -> None:
    """An alias of the vocabulary and a word in kinds= both become the name of the kind."""
    frame = table(kind=["retweet", "RT", "message", "never heard of"])
    log = InteractionLog.from_frame(frame, kinds={"RT": "share"})
    assert log.frame["kind"].to_list() == ["repost", "repost", "message", "never heard of"]
    assert log.summary().unknown_kinds == {"never heard of": 1}


@pytest.mark.parametrize(
    "make",
    [pl.DataFrame.lazy, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, duckdb.from_arrow],
)
def test_only_frequent_unknown_kinds_are_named(make: Any) -> None:
    """Of many unknown kinds the summary names a hundred and counts the rest together."""
    kinds = ["message"] * 5 + ["b", "a", "b"] + [f"kind {n:04}" for n in range(300)]
    summary = InteractionLog.from_frame(make(table(kind=kinds))).summary()
    assert summary.unknown == 303
    named = [("b", 2), ("a", 1), *((f"kind {n:04}", 1) for n in range(98))]
    assert list(summary.unknown_kinds.items()) == named
    assert str(summary).endswith(
        "\nunknown kind, weighs nothing, kind 0097: 1\nother unknown kinds, weigh nothing: 202"
    )


def test_a_constant_kind_may_be_unknown() -> None:
    """A kind that all rows share is counted like any other."""
    log = InteractionLog.from_frame(table().drop("kind"), constants={"kind": "never heard of"})
    assert log.summary().unknown == len(log)
    assert log.summary().unknown_kinds == {"never heard of": len(log)}


def test_constants_fill_a_field() -> None:
    """A constant is the value of its field in every row, an alias becomes the kind's name."""
    log = InteractionLog.from_frame(
        table().drop("kind"), constants={"kind": "dm", "channel": "app", "valence": 0.5}
    )
    assert log.frame.select("kind", "channel", "valence").unique().rows() == [
        ("message", "app", 0.5)
    ]
    assert log.acts().constants["kind"] == "message"


@pytest.mark.parametrize(
    ("given", "expected"), [(-10, -1.0), (0, 0.0), (4, 0.4), (10, 1.0), (None, None)]
)
def test_valence_range_is_mapped_in_a_straight_line(
    given: float | None, expected: float | None
) -> None:
    """The ends of the range are -1 and 1, and its middle is 0."""
    log = InteractionLog.from_frame(
        table(valence=pl.Series([given], dtype=pl.Float64)), valence_range=(-10, 10)
    )
    assert log.frame["valence"].to_list() == [pytest.approx(expected)]


def test_ids_of_pandas_with_gaps_stay_integers() -> None:
    """Integer ids that pandas keeps as floats because some are missing are integers again."""
    frame = pd.DataFrame(
        {"time": [START] * 2, "kind": "message", "source": [1, 2], "target": [2, None]}
    )
    log = InteractionLog.from_frame(frame)
    assert sorted(log.frame["source"].tolist()) == [1, 2]
    assert str(log.frame["target"].dtype).lower() == "int64"


def test_uuids_become_their_text() -> None:
    """UUIDs of records are their text, which is in the same order."""
    ids = [UUID(int=5), UUID(int=3 << 100)]
    log = InteractionLog.from_records(
        [Interaction(id=1, time=START, kind="call", source=ids[0], target=ids[1])]
    )
    assert log.frame["source"].to_list() == [str(ids[0])]
    assert (ids[0] < ids[1]) == (str(ids[0]) < str(ids[1]))


def test_attributes_become_columns() -> None:
    """The attributes of interactions are columns, null where an interaction lacks them."""
    acts = [
        Interaction(id=n, time=START, kind="call", source="a", target="b", attributes=more)
        for n, more in enumerate([{"minutes": 3}, {}])
    ]
    assert InteractionLog.from_records(acts).frame["minutes"].to_list() == [3, None]


def test_texts_of_numbers_truths_and_money_are_read() -> None:
    """Text columns of typed fields are read, and what cannot be read is a rejected row."""
    frame = table(
        valence=["0.5", " -1 ", "good", None],
        automated=["yes", "FALSE", "no", "0"],
        value=["9.90", "-3", "1", "1"],
        currency=["EUR"] * 4,
    )
    log = InteractionLog.from_frame(frame)
    assert log.rejected.select("row", "rule").rows() == [(2, "valence cannot be read")]
    assert log.frame["automated"].to_list() == [True, False, False]
    assert log.frame["value"].to_list()[:2] == [Decimal("9.9"), Decimal(-3)]
    assert InteractionLog.from_frame(table(automated=["perhaps"])).summary().rules == {
        "automated cannot be read": 1
    }
    assert InteractionLog.from_frame(table(value=["9,90"], currency=["EUR"])).summary().rules == {
        "value cannot be read": 1
    }


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"value": [1], "currency": [None]}, "value and currency are not both there"),
        ({"value": [1], "currency": ["Euro"]}, "currency is no ISO 4217 code"),
        ({"target": [""]}, "target is empty"),
        ({"id": [""]}, "id is missing"),
    ],
)
def test_rules_of_rows(columns: dict[str, list[Any]], rule: str) -> None:
    """A row that breaks a rule comes back with it."""
    types = {"currency": pl.String}
    frame = table(**columns).cast({name: types[name] for name in columns if name in types})
    assert InteractionLog.from_frame(frame).summary().rules == {rule: 1}


@pytest.mark.parametrize("engine", ["polars", *ENGINES])
def test_what_is_optional_may_be_missing(engine: str) -> None:
    """On every engine a row without money is a row, and one with a bad currency is rejected."""
    frame = table(value=[5, None, 3], currency=["EUR", None, "Euro"])
    native = frame if engine == "polars" else ENGINES[engine](frame.cast({"value": pl.Int64}))
    if engine == "pandas":
        native["value"] = native["value"].astype("Int64")
    assert InteractionLog.from_frame(native).summary().rules == {"currency is no ISO 4217 code": 1}


@pytest.mark.parametrize("engine", ["polars", *ENGINES])
def test_a_log_of_which_nothing_is_left_is_empty(engine: str) -> None:
    """On every engine a log whose rows were all rejected is empty, and where to look is said."""
    frame = table(source=["", ""])
    log = InteractionLog.from_frame(frame if engine == "polars" else ENGINES[engine](frame))
    summary = log.summary()
    assert (summary.read, summary.accepted, summary.first) == (2, 0, None)
    with pytest.raises(InvalidParameter, match=r"log\.summary\(\)\) says"):
        _ = log.acts().as_of


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["RT", "dm"])])
def test_kinds_may_be_categories(dtype: Any) -> None:
    """Categories are words: aliases and words of the table are replaced in them too."""
    frame = table(kind=["RT", "dm"]).with_columns(pl.col("kind").cast(dtype))
    for native in (frame, frame.lazy(), frame.to_arrow()):
        log = InteractionLog.from_frame(native, kinds={"RT": "repost"})
        assert [row[0] for row in rows(log.frame)] == ["message", "repost"]


def test_one_column_may_be_two_fields() -> None:
    """A column that is named for two fields is both, and nothing is dropped."""
    log = InteractionLog.from_frame(table(t=["x", "y"]), columns={"thread": "t", "about": "t"})
    assert log.frame.select("thread", "about").rows() == [("x", "x"), ("y", "y")]
    log = InteractionLog.from_frame(table(), columns={"about": "kind"})
    assert log.frame["about"].to_list() == log.frame["kind"].to_list()


def test_ids_as_floats_are_whole_and_exact() -> None:
    """Floats are ids where they are whole numbers and small enough to be told apart."""
    for frame in (table(source=[1.0, 2.0], target=[3, 4]),):
        assert InteractionLog.from_frame(frame).frame["source"].to_list() == [1, 2]
    for ids, text in ([1.5, 2.0], "fractions"), ([2.0**60, 1.0], "mixed up"):
        for native in (
            table(source=ids, target=[3, 4]),
            pd.DataFrame({"time": [START] * 2, "kind": "call", "source": ids, "target": [3, 4]}),
        ):
            with pytest.raises(InvalidTable, match=text):
                InteractionLog.from_frame(native)


def test_ids_that_no_engine_can_hold_are_refused() -> None:
    """Integers beyond 64 bits are refused with the remedy, from tables and from records."""
    wide = pl.Series([2**63 + 1, 1], dtype=pl.UInt64)
    with pytest.raises(InvalidTable, match="make them text"):
        InteractionLog.from_frame(table(source=wide, target=[3, 4]))
    with pytest.raises(InvalidTable, match="beyond 64 bits"):
        InteractionLog.from_records([{"source": 2**70, "time": START, "kind": "call"}])


def test_a_party_that_is_always_missing_has_no_type() -> None:
    """Posts to all by people with integer ids are a log, from records and from every table."""
    posts = [{"time": START, "kind": "post", "source": 1, "target": None}]
    assert len(InteractionLog.from_records(posts)) == 1
    assert len(InteractionLog.from_frame(pd.DataFrame(posts))) == 1


def test_decimals_of_pandas_are_money() -> None:
    """An object column of Decimals is money; one of floats is not."""
    frame = pd.DataFrame(table().to_dict(as_series=False))
    log = InteractionLog.from_frame(frame.assign(value=[Decimal("9.9"), 3], currency="EUR"))
    assert len(log) == 2
    with pytest.raises(InvalidTable, match="money"):
        InteractionLog.from_frame(frame.assign(value=[Decimal("9.9"), 3.5], currency="EUR"))


@pytest.mark.parametrize("reverse", [False, True])
def test_naive_times_among_instants_are_told_apart(reverse: bool) -> None:  # noqa: FBT001
    """A time without a zone is never taken for UTC because another one has a zone."""
    naive = datetime(2026, 1, 1, 12)  # noqa: DTZ001
    records = [
        {"time": time, "kind": "call", "source": "a", "target": "b"} for time in (naive, START)
    ]
    records = records[::-1] if reverse else records
    log = InteractionLog.from_records(records, timezone="America/New_York")
    assert log.frame["time"].sort().to_list() == [START, START + 17 * HOUR]
    for log in (
        InteractionLog.from_records(records),
        InteractionLog.from_frame(pd.DataFrame(records).astype({"time": object})),
    ):
        assert log.summary().rules == {"time has no time zone": 1}


def test_an_empty_batch_is_an_empty_log() -> None:
    """No records are a log, whatever the options for records would be."""
    for options in ({}, {"constants": {"kind": "call"}}, {"columns": {"time": "ts"}}):
        assert len(InteractionLog.from_records([], **options)) == 0


@given(st.permutations([1, 0.5, None, -1]))
def test_whole_and_broken_numbers_mix(valences: list[float | None]) -> None:
    """Records whose numbers are now whole and now not are one column, in any order."""
    records = [
        {"time": START, "kind": "call", "source": "a", "target": "b", "valence": valence}
        for valence in valences
    ]
    assert InteractionLog.from_records(records).frame["valence"].to_list() == valences


def test_a_session_in_another_zone_is_refused_with_the_line_that_mends_it() -> None:
    """DuckDB shows times in the zone of its connection: any but UTC is an error."""
    connection = duckdb.connect()
    frame = table()  # noqa: F841 - DuckDB finds it by its name
    connection.execute("SET TimeZone = 'Europe/Berlin'")
    with pytest.raises(InvalidTable, match="SET TimeZone = 'UTC'"):
        InteractionLog.from_frame(connection.sql("from frame"))
    connection.execute("SET TimeZone = 'UTC'")
    assert len(InteractionLog.from_frame(connection.sql("from frame"))) == 2


def test_rejected_rows_come_back_as_they_came() -> None:
    """A rejected row has its number, its rule and its values before anything was changed."""
    log = InteractionLog.from_frame(table(valence=[0.5, 7.0]), valence_range=(0, 5))
    assert log.rejected.select("row", "rule", "valence").rows() == [
        (1, "valence is out of range", 7.0)
    ]


def test_columns_of_the_host_keep_their_names() -> None:
    """Names that scrmkit uses for itself do not clash with those of the table."""
    frame = table(
        id=["1", "2"],
        row=[7, 8],
        rule=["x", "y"],
        until=[1, 2],
        valence=[0.0, 9.0],
        retracts=pl.Series([None, None], dtype=pl.String),
    )
    log = InteractionLog.from_frame(frame)
    assert {"row", "rule", "until"} <= set(log.frame.columns)
    assert log.rejected.select("row", "rule", "row_given", "rule_given").rows() == [
        (1, "valence is out of range", 8, "y")
    ]
    assert len(log.acts().frame.collect()) == 1


# times


def test_names_that_differ_only_in_case_are_refused_where_they_are_one() -> None:
    """SQL cannot tell the host's `Source` from our `source`, and Polars can."""
    table = pl.DataFrame(
        {"time": [START], "kind": ["post"], "who": ["ana"], "Source": ["the shop's till"]}
    )
    columns = {"source": "who"}
    log = InteractionLog.from_frame(table, columns=columns)
    assert log.frame.row(0, named=True)["Source"] == "the shop's till"
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    relation = connection.from_arrow(table.to_arrow())
    with pytest.raises(InvalidTable, match="'Source' and 'source', which are one name for duckdb"):
        InteractionLog.from_frame(relation, columns=columns)


def test_times_without_a_zone_are_refused() -> None:
    """A naive column without timezone= is an error that names the column and the remedy."""
    frame = table().with_columns(pl.col("time").dt.replace_time_zone(None))
    with pytest.raises(InvalidParameter, match=r"'time'.*timezone="):
        InteractionLog.from_frame(frame)
    with pytest.raises(InvalidParameter, match=r"'time'.*timezone="):
        InteractionLog.from_frame(frame.lazy())


def test_local_times_around_a_clock_change() -> None:
    """Local times are taken in their zone; skipped and repeated ones are rejected rows."""
    local = [
        datetime(2021, 3, 28, 0, 59),  # noqa: DTZ001
        datetime(2021, 3, 28, 1, 30),  # noqa: DTZ001
        datetime(2021, 3, 28, 2, 0),  # noqa: DTZ001
        datetime(2021, 10, 31, 1, 30),  # noqa: DTZ001
    ]
    log = InteractionLog.from_frame(table(time=local), timezone="Europe/London")
    assert log.frame["time"].to_list() == [
        datetime(2021, 3, 28, 0, 59, tzinfo=UTC),
        datetime(2021, 3, 28, 1, 0, tzinfo=UTC),
    ]
    assert log.rejected["row"].to_list() == [1, 3]
    assert all("clock change" in rule for rule in log.rejected["rule"])


@given(st.lists(instants(), min_size=1, max_size=8))
def test_instants_are_the_same_from_any_zone(times: list[datetime]) -> None:
    """Records with times in any zone are in the log as the same instants in UTC."""
    acts = [
        Interaction(id=n, time=time, kind="call", source="a", target="b")
        for n, time in enumerate(times)
    ]
    frame = InteractionLog.from_records(acts).frame
    assert frame.sort("id")["time"].to_list() == [time.astimezone(UTC) for time in times]


def test_other_units_and_zones_are_converted() -> None:
    """Columns in another zone or in nanoseconds are in the log in microseconds and UTC."""
    frame = table().with_columns(
        pl.col("time").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns")
    )
    for given_frame in (frame, frame.lazy()):
        log = InteractionLog.from_frame(given_frame)
        assert rows(log.frame) == rows(InteractionLog.from_frame(table()).frame)


# what counts at an instant


@given(logs(late=True, retractions=True, repeats=True), instants(), st.none() | instants())
def test_what_counts_at_an_instant(
    log: list[Interaction], as_of: datetime, known_at: datetime | None
) -> None:
    """What counts is what took place by then, was known, and was not yet taken back."""
    acts = InteractionLog.from_records(log).acts(as_of=as_of, known_at=known_at)
    known = [
        act
        for act in log
        if act.time <= as_of and (known_at is None or (act.received_at or act.time) <= known_at)
    ]
    gone = {act.retracts for act in known if act.retracts is not None}
    expected = {act.key for act in known if act.retracts is None and act.id not in gone}
    frame = acts.frame.collect()
    targets = frame["target"].to_list() if "target" in frame.columns else [None] * len(frame)
    got = list(zip(frame["id"].to_list(), targets, strict=True))
    assert sorted(map(str, got)) == sorted(
        str((key[1], str(key[2]) if isinstance(key[2], UUID) else key[2])) for key in expected
    )


@given(logs(retractions=True, min_size=1), instants(), instants())
def test_one_scan_for_several_instants(
    log: list[Interaction], one: datetime, other: datetime
) -> None:
    """With earliest=, one table of rows tells what counts at each instant from then on."""
    first, last = sorted((one, other))
    batch = InteractionLog.from_records(log)
    frame = batch.acts(as_of=last, earliest=first).frame.collect().to_native()
    for instant in (first, first + (last - first) / 2, last):
        counted = frame.filter(pl.col("time") <= instant)
        if UNTIL in frame.columns:
            counted = counted.filter(pl.col(UNTIL).is_null() | (pl.col(UNTIL) > instant))
        alone = batch.acts(as_of=instant).frame.collect().to_native()
        assert sorted(counted["id"].to_list()) == sorted(alone["id"].to_list())


def test_an_undone_like_is_gone_from_then_on() -> None:
    """Before it is taken back an act counts; from that instant on neither of the two does."""
    frame = table(
        id=["1", "2", "3"], kind=["like", "message", "unlike"], retracts=[None, None, "1"]
    )
    log = InteractionLog.from_frame(frame)
    for hours, expected in [(0, ["1"]), (1, ["1", "2"]), (2, ["2"])]:
        acts = log.acts(as_of=START + HOUR * hours)
        assert sorted(acts.frame.collect()["id"].to_list()) == expected


def test_the_last_instant_is_the_default() -> None:
    """Without as_of the instant is that of the last row."""
    assert InteractionLog.from_frame(table()).acts().as_of == START + HOUR
    assert InteractionLog.from_frame(table().lazy()).acts().as_of == START + HOUR


def test_an_empty_log_has_no_last_instant() -> None:
    """An empty log is a log, and needs as_of."""
    log = InteractionLog.from_records([])
    assert log.summary().read == 0
    assert len(log.acts(as_of=START).frame.collect()) == 0
    with pytest.raises(InvalidParameter, match="give as_of"):
        log.acts()


# errors


def test_a_missing_column_says_what_there_is() -> None:
    """The error names the missing column, a near name, and the columns of the table."""
    with pytest.raises(InvalidTable, match=r"'tmie'.*Did you mean 'time'.*'kind'"):
        InteractionLog.from_frame(table(), columns={"time": "tmie"})


@pytest.mark.parametrize(
    ("frame", "options", "error", "text"),
    [
        (table().drop("time"), {}, InvalidTable, "no column is the time"),
        (table().drop("kind"), {}, InvalidTable, 'constants={"kind": "message"}'),
        (table().drop("source", "target"), {}, InvalidTable, "who acted"),
        (table(), {"constants": {"kind": "call"}}, InvalidTable, "a constant and a column"),
        (table(), {"columns": {"sorce": "source"}}, InvalidParameter, "Did you mean 'source'"),
        (table(), {"constants": {"time": START}}, InvalidParameter, "differs from row to row"),
        (table(), {"constants": {"valence": 3}}, InvalidParameter, "valence"),
        (table(), {"constants": {"channel": ""}}, InvalidParameter, "channel"),
        (table(), {"constants": {"automated": 1}}, InvalidParameter, "True or False"),
        (table(), {"valence_range": (1, 1)}, InvalidParameter, "the lower one first"),
        (table(), {"valence_range": 3}, InvalidParameter, "two numbers"),
        (table(), {"vocabulary": {}}, InvalidParameter, "vocabulary"),
        (
            table(),
            {"columns": {"source": "source"}, "constants": {"source": "ana"}},
            InvalidParameter,
            "both in columns and in constants",
        ),
        (table(retracts=["1", "1"]), {}, InvalidTable, "no column id"),
        (table(source=[1, 2]), {}, InvalidTable, "one type"),
        (table(source=[START, START]), {}, InvalidTable, "cast it to text"),
        (table(value=[1.5, 2.5], currency=["EUR", "EUR"]), {}, InvalidTable, "cannot hold money"),
        (table().drop("target"), {"constants": {"target": 7}}, InvalidTable, "one type"),
        (table(id=["1", "2"], retracts=[None, 1]), {}, InvalidTable, "one type"),
        (table(), {"columns": "time"}, InvalidParameter, "give a mapping"),
        (table(), {"kinds": ["a"]}, InvalidParameter, "give a mapping"),
        (table(), {"timezone": "nonsense"}, InvalidParameter, "time zone database"),
        (table(), {"constants": {"currency": "euros"}}, InvalidParameter, "ISO 4217"),
        (pd.DataFrame([[1, 2]]), {}, InvalidTable, "name of text"),
        (pd.DataFrame([[1, 2]], columns=["time", "time"]), {}, InvalidTable, "of one name"),
        (table(valence=[START, START]), {}, InvalidTable, "cast it to floats"),
        (object(), {}, InvalidTable, "not a table"),
    ],
)
def test_tables_and_options_that_cannot_be(
    frame: Any, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Each says what is wrong and how to mend it."""
    with pytest.raises(error, match=text.replace("{", r"\{")):
        InteractionLog.from_frame(frame, **options)


def test_records_of_another_type_are_refused() -> None:
    """A record that is neither an interaction nor a mapping is named by its number."""
    with pytest.raises(InvalidTable, match="record 0"):
        InteractionLog.from_records([1])  # type: ignore[list-item]
    with pytest.raises(InvalidTable, match="int in record 0, str in record 1"):
        InteractionLog.from_records([{"source": 1}, {"source": "a"}])
    with pytest.raises(InvalidTable, match="give interactions"):
        InteractionLog.from_records(None)  # type: ignore[arg-type]
    for value in (Decimal("NaN"), "\ud800"):
        with pytest.raises(InvalidTable, match="record 1 has a value that no table can hold"):
            InteractionLog.from_records([{"about": None}, {"about": value}])
    with pytest.raises(InvalidInteraction):
        Interaction(id=1, time=START, kind="call")


@pytest.mark.parametrize("kind", ["polars", "lazy", "pandas"])
def test_a_log_can_be_pickled(kind: str) -> None:
    """A log that was sent to another process has the same rows, constants and summary."""
    acts = table(source=["ana", "", "ben"]).drop("kind")
    given = {"polars": acts, "lazy": acts.lazy(), "pandas": acts.to_pandas()}[kind]
    log = InteractionLog.from_frame(given, constants={"kind": "message"})
    other = pickle.loads(pickle.dumps(log))  # noqa: S301
    assert rows(other.frame) == rows(log.frame)
    assert other.acts().constants == {"kind": "message"}
    assert pickle.loads(pickle.dumps(log.summary())) == other.summary()  # noqa: S301
