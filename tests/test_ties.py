"""Ties: relationships in bulk, on every kind of table, equal to the live ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import networkx as nx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.algorithms import bipartite

from scrmkit import (
    DEFAULT_VOCABULARY,
    Interaction,
    InteractionLog,
    InvalidParameter,
    InvalidTable,
    Ledger,
    ScrmkitWarning,
    relationships,
)
from scrmkit.communities import detect
from scrmkit.relationships import measure, together
from scrmkit.testing.strategies import half_lives, logs, people, splits, vocabularies


# a drawn log may end in an act that stands alone; the warning has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore:the last act of the log")

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2040, 1, 1, tzinfo=UTC)
NUMBERS = ("strength_ab", "strength_ba", "strength", "balance")
FAMILIES = (
    "attention",
    "conversation",
    "contribution",
    "advocacy",
    "transaction",
    "service",
    "unknown",
)
COLUMNS = [
    "a",
    "b",
    "n_ab",
    "n_ba",
    "strength_ab",
    "strength_ba",
    "strength",
    "balance",
    "reciprocity",
    "first_seen",
    "last_seen",
    *FAMILIES,
]
_CONNECTION = duckdb.connect()
_CONNECTION.execute("set timezone = 'UTC'")


def _relation(frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    return _CONNECTION.from_arrow(frame.to_arrow())


ENGINES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: frame.to_pandas(),
    "pandas arrow": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "pyarrow": lambda frame: frame.to_arrow(),
    "duckdb": _relation,
}


def to_polars(table: Any) -> pl.DataFrame:
    """Any engine's table as a Polars frame, in order of the pair."""
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    elif isinstance(table, duckdb.DuckDBPyRelation):
        table = pl.from_arrow(table.to_arrow_table())
    elif not isinstance(table, pl.DataFrame):
        table = pl.DataFrame(
            pa.Table.from_pandas(table) if isinstance(table, pd.DataFrame) else table
        )
    return table.sort("a", "b")


def rows(result: Any) -> dict[tuple[Any, Any], dict[str, Any]]:
    """The rows of a result by pair."""
    return {(row["a"], row["b"]): row for row in to_polars(result.frame).to_dicts()}


def plain(one: Any) -> Any:
    """An id as it stands in tables."""
    return str(one) if isinstance(one, UUID) else one


def ledger_of(acts: Sequence[Interaction], **model: Any) -> Ledger:
    """A ledger that has recorded these interactions."""
    ledger = Ledger(**model)
    for one in acts:
        ledger.record(one)
    return ledger


def assert_equal(ties: dict[Any, dict[str, Any]], ledger: Ledger, as_of: datetime) -> None:
    """A table and a ledger hold the same relationships, to 1e-9 of the strength."""
    assert set(ties) == {(plain(a), plain(b)) for a, b in ledger}
    for a, b in ledger:
        rel, row = ledger.between(a, b, as_of=as_of), ties[plain(a), plain(b)]
        for name in ("n_ab", "n_ba", "first_seen", "last_seen"):
            assert row[name] == getattr(rel, name)
        assert {name: row[name] for name in FAMILIES} == rel.counts
        for name in NUMBERS:
            assert abs(row[name] - getattr(rel, name)) <= 1e-9 * rel.strength + 1e-300
        if rel.strength > 1e-250:
            assert row["reciprocity"] == pytest.approx(rel.reciprocity, rel=1e-9, abs=1e-9)


def message(day: float, source: Any, target: Any, **fields: Any) -> dict[str, Any]:
    """A message some days after the start, as a record."""
    made = {"kind": "message", "time": START + timedelta(days=day), **fields}
    return {"source": source, "target": target, **made}


def small() -> pl.DataFrame:
    """A table with everything in it that a tie can be made of, and all that makes none."""
    acts = [
        message(0, "ana", "ben", valence=0.5),
        message(1.25, "ben", "ana", kind="call", valence=-1.0),
        message(2, "ana", "ben", kind="like"),
        message(3.5, "cem", "ana", kind="thing nobody knows"),
        message(4, "cem", "ana", kind="purchase"),
        message(5, "dora", "dora"),
        message(6, "ana", None),
        message(6, None, "ben"),
        message(7, "ana", "ben", automated=True),
        message(8, "élise", "国", kind="email", valence=1.0),
        message(30, "dora", "ben", kind="answer", valence=0.1),
    ]
    frame = pl.DataFrame(acts, infer_schema_length=None)
    return frame.with_columns(automated=pl.col("automated").fill_null(False))


@given(acts=logs(), half_life=half_lives(), vocabulary=vocabularies() | st.just(DEFAULT_VOCABULARY))
def test_live_is_batch(
    acts: list[Interaction], half_life: timedelta | None, vocabulary: Any
) -> None:
    """A log measured at once has the relationships of a ledger fed one by one."""
    log = InteractionLog.from_records(acts, vocabulary=vocabulary)
    ties = measure(log, as_of=LATER, half_life=half_life)
    ledger = ledger_of(acts, half_life=half_life, vocabulary=vocabulary)
    assert_equal(rows(ties), ledger, LATER)
    assert ties.left_out == ledger.left_out
    assert ties.parameters["model"] == ledger.digest


@settings(max_examples=20)
@given(acts=logs(late=True, retractions=True, repeats=True), data=st.data())
def test_live_is_batch_at_every_instant(acts: list[Interaction], data: st.DataObject) -> None:
    """At an instant counts what had happened, was known, and was not taken back by then."""
    if not acts:
        return
    as_of = data.draw(st.sampled_from([act.time for act in acts]), label="as_of")
    known_at = data.draw(st.none() | st.sampled_from([a.time for a in acts]), label="known_at")
    ties = measure(InteractionLog.from_records(acts), as_of=as_of, known_at=known_at)
    once = {act.key: act for act in acts}.values()
    known = [
        act
        for act in once
        if act.time <= as_of and (known_at is None or (act.received_at or act.time) <= known_at)
    ]
    gone = {act.retracts for act in known}
    counted = [act for act in known if act.retracts is None and act.id not in gone]
    assert_equal(rows(ties), ledger_of(counted), as_of)


@settings(max_examples=20)
@given(acts=logs(min_size=1), data=st.data())
def test_two_halves_add_up_to_the_whole(acts: list[Interaction], data: st.DataObject) -> None:
    """Ties of two disjoint logs at one instant, added up, are those of the log."""
    halves = [
        rows(measure(InteractionLog.from_records(half), as_of=LATER))
        for half in data.draw(splits(acts), label="halves")
    ]
    whole = rows(measure(InteractionLog.from_records(acts[::-1]), as_of=LATER))
    assert set(whole) == {*halves[0], *halves[1]}
    for pair, row in whole.items():
        parts = [half[pair] for half in halves if pair in half]
        for name in NUMBERS:
            slack = 1e-9 * row["strength"] + 1e-300
            assert abs(row[name] - sum(part[name] for part in parts)) <= slack
        for name in ("n_ab", "n_ba", *FAMILIES):
            assert row[name] == sum(part[name] for part in parts)
        assert row["first_seen"] == min(part["first_seen"] for part in parts)
        assert row["last_seen"] == max(part["last_seen"] for part in parts)


@settings(max_examples=20)
@given(acts=logs(min_size=1), days=st.integers(-3000, 3000), cut=st.integers(0, 29))
def test_there_is_no_hidden_clock(acts: list[Interaction], days: int, cut: int) -> None:
    """Shifting all times and the instant changes nothing, and nothing later counts."""
    shift = timedelta(days=days)
    as_of = acts[cut % len(acts)].time
    shifted = [evolve(act, time=act.time + shift, received_at=None) for act in acts]
    past = [act for act in acts if act.time <= as_of]
    here = rows(measure(InteractionLog.from_records(acts), as_of=as_of))
    there = rows(measure(InteractionLog.from_records(shifted), as_of=as_of + shift))
    alone = rows(measure(InteractionLog.from_records(past), as_of=as_of))
    assert set(here) == set(there) == set(alone)
    for pair, row in here.items():
        for other in (there[pair], alone[pair]):
            assert other["strength"] == pytest.approx(row["strength"], rel=1e-9, abs=1e-300)


@settings(max_examples=20)
@given(who=people(min_size=3), data=st.data())
def test_a_group_is_the_same_sum_over_other_names(who: list[Any], data: st.DataObject) -> None:
    """Grouping in bulk is what the ledger does, for text, integers and UUIDs."""
    acts = data.draw(logs(who=who, min_size=1))
    names = {who[0]: who[-1], who[1]: who[-1]}
    ties = measure(InteractionLog.from_records(acts), as_of=LATER, group=names)
    ledger = ledger_of(acts).group(names)
    assert_equal(rows(ties), ledger, LATER)
    assert ties.left_out == ledger.left_out
    assert ties.parameters["group"] is not None


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_ties(engine: str) -> None:
    """Each kind of table gives back its own kind, with the numbers of the ledger."""
    table = ENGINES[engine](small())
    ties = measure(InteractionLog.from_frame(table))
    assert type(ties.frame) is type(table)
    records = [
        Interaction(id=number, **{name: value for name, value in row.items() if value is not None})
        for number, row in enumerate(small().to_dicts())
    ]
    ledger = ledger_of(records)
    assert_equal(rows(ties), ledger, START + timedelta(days=30))
    assert to_polars(ties.frame).columns == COLUMNS
    assert ties.left_out == ledger.left_out == {"automated": 1, "nobody": 2, "self": 1}


def test_pandas_gives_the_same_ties_without_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Polars is not installed the rows are added up by pandas, to equal values."""
    expected = to_polars(measure(InteractionLog.from_frame(small())).frame)
    monkeypatch.setattr("scrmkit._tables.hasten", lambda frame: frame)
    ties = to_polars(measure(InteractionLog.from_frame(small().to_pandas())).frame)
    pl.testing.assert_frame_equal(ties, expected, rel_tol=1e-9, check_dtypes=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_groups(engine: str) -> None:
    """A mapping and a table of groups give the same ties, on every engine."""
    table = ENGINES[engine](small())
    log = InteractionLog.from_frame(table)
    names = {"ana": "us", "dora": "us", "国": "élise"}
    frame = pl.DataFrame({"customer": list(names), "party": list(names.values())})
    by_mapping = measure(log, group=names)
    by_table = measure(log, group=ENGINES[engine](frame))
    assert set(rows(by_mapping)) == {("ben", "us"), ("cem", "us")}
    assert by_mapping.left_out == by_table.left_out
    for pair, row in rows(by_mapping).items():
        other = rows(by_table)[pair]
        assert {k: v for k, v in row.items() if k not in (*NUMBERS, "reciprocity")} == {
            k: v for k, v in other.items() if k not in (*NUMBERS, "reciprocity")
        }
        assert [other[n] for n in NUMBERS] == pytest.approx([row[n] for n in NUMBERS])


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_groups_integers(engine: str) -> None:
    """Integers of 64 bits stay what they are."""
    big = 2**60 + 1
    acts = pl.DataFrame([message(0, 1, big), message(1, 2, big + 1)])
    ties = measure(InteractionLog.from_frame(ENGINES[engine](acts)), group={1: 2, 9: 9})
    assert set(rows(ties)) == {(2, big), (2, big + 1)}


def test_the_columns_and_their_types() -> None:
    """Counts are integers, sums floats, instants in UTC, and a comes before b."""
    frame = measure(InteractionLog.from_frame(small())).frame.sort("a", "b")
    types = dict.fromkeys(COLUMNS, pl.Float64())
    types.update(dict.fromkeys(("a", "b"), pl.String()))
    types.update(dict.fromkeys(("n_ab", "n_ba", *FAMILIES), pl.Int64()))
    types.update(dict.fromkeys(("first_seen", "last_seen"), pl.Datetime("us", "UTC")))
    assert dict(frame.schema) == types
    assert frame["a"].to_list() == ["ana", "ana", "ben", "élise"]
    assert (frame["a"] < frame["b"]).all()
    assert (
        frame["n_ab"] + frame["n_ba"] == frame.select(pl.sum_horizontal(FAMILIES))["attention"]
    ).all()


@pytest.mark.parametrize("kind", ["message", "like", "thing nobody knows"])
@pytest.mark.parametrize("valence", [None, 0.5, -1.0])
def test_a_constant_is_a_column_of_one_value(kind: str, valence: float | None) -> None:
    """A kind or a valence that is the same everywhere need not be a column."""
    acts = small().drop("kind", "valence", "automated")
    constants = {"kind": kind} if valence is None else {"kind": kind, "valence": valence}
    by_constant = measure(InteractionLog.from_frame(acts, constants=constants))
    full = acts.with_columns(**{name: pl.lit(value) for name, value in constants.items()})
    by_column = measure(InteractionLog.from_frame(full))
    pair = ["a", "b"]
    assert by_constant.frame.columns == COLUMNS
    for name in COLUMNS:
        one, other = (x.frame.sort(pair)[name] for x in (by_constant, by_column))
        assert one.dtype == other.dtype
        assert (
            one.to_list() == pytest.approx(other.to_list())
            if one.dtype == pl.Float64
            else (one.to_list() == other.to_list())
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_one_party_may_be_a_constant(engine: str) -> None:
    """Customers who write to the company, where the table has no column for the company."""
    acts = pl.DataFrame([message(0, "ana", "x"), message(1, "ben", "x")]).drop("target", "kind")
    constants = {"target": "company", "kind": "message"}
    log = InteractionLog.from_frame(ENGINES[engine](acts), constants=constants)
    assert set(rows(measure(log))) == {("ana", "company"), ("ben", "company")}
    grouped = measure(log, group={"ana": "company"})
    assert set(rows(grouped)) == {("ben", "company")}
    assert grouped.left_out == {"automated": 0, "nobody": 0, "self": 1}


def test_a_log_of_automated_acts_has_no_ties() -> None:
    """A constant `automated` leaves nothing."""
    acts = small().drop("automated")
    ties = measure(InteractionLog.from_frame(acts, constants={"automated": True}))
    assert len(ties.frame) == 0
    assert ties.left_out == {"automated": 11, "nobody": 0, "self": 0}


def test_a_log_without_targets_has_no_ties() -> None:
    """Acts towards everybody make none, and are counted."""
    ties = measure(InteractionLog.from_frame(small().drop("target")))
    assert ties.frame.columns == COLUMNS
    assert len(ties.frame) == 0
    assert ties.left_out == {"automated": 1, "nobody": 9, "self": 0}


def test_an_empty_log_has_no_ties() -> None:
    """No rows give no rows, at a given instant."""
    log = InteractionLog.from_frame(small().clear())
    assert len(measure(log, as_of=START).frame) == 0
    with pytest.raises(InvalidParameter, match="give as_of"):
        measure(log)


def test_a_balance_is_never_beyond_the_strength() -> None:
    """Rounding does not carry the balance of good acts above their strength."""
    acts = pl.DataFrame(
        [message(n / 7, *(("ana", "ben") if n % 3 else ("ben", "ana"))) for n in range(500)]
    )
    for valence in (1.0, -1.0):
        log = InteractionLog.from_frame(acts.with_columns(valence=valence))
        row = measure(log, as_of=LATER).frame.row(0, named=True)
        assert abs(row["balance"]) <= row["strength"]
        assert row["balance"] == pytest.approx(valence * row["strength"], rel=1e-12)


def test_the_last_instant_is_in_the_result() -> None:
    """Without as_of strengths are those of the last instant, and the result says so."""
    ties = measure(InteractionLog.from_frame(small()))
    assert ties.parameters["as_of"] == START + timedelta(days=30)
    assert "as_of=2026-01-31" in repr(ties)
    assert ties.parameters["half_life"] == timedelta(days=90)
    assert ties.parameters["vocabulary_digest"] == DEFAULT_VOCABULARY.digest
    assert ties.top(1)["a"].to_list() == ["ana"]


def test_a_lone_last_act_long_after_the_rest_warns() -> None:
    """A slip of the pen in one year makes everything decay: the warning names the gap."""
    typo = [*[message(n, "ana", "ben") for n in range(9)], message(400, "ana", "cem")]
    log = InteractionLog.from_records(typo)
    with pytest.warns(ScrmkitWarning, match="stands alone, 392 days after") as caught:
        measure(log)
    assert caught[0].filename == __file__
    with pytest.warns(ScrmkitWarning):
        together(InteractionLog.from_records([dict(act, thread="t") for act in typo]))
    measure(log, as_of=LATER)
    measure(InteractionLog.from_records([*typo, message(400, "ana", "dora")]))
    measure(InteractionLog.from_records(typo[-1:]))


@pytest.mark.parametrize("engine", ["polars", "pandas", "pyarrow"])
def test_a_grouping_has_a_digest(engine: str) -> None:
    """The same pairs have the same digest, as a mapping in any order or as a table."""
    log = InteractionLog.from_frame(small())
    names = {"ana": "us", "dora": "us"}
    frame = pl.DataFrame({"customer": list(names), "party": list(names.values())})
    digest = measure(log, group=names).parameters["group"]
    assert re.fullmatch("[0-9a-f]{16}", digest)
    assert measure(log, group=dict(reversed(names.items()))).parameters["group"] == digest
    assert measure(log, group=ENGINES[engine](frame)).parameters["group"] == digest
    assert measure(log, group={"ana": "us"}).parameters["group"] != digest


def test_a_grouping_that_is_not_read_is_said_to_be_so() -> None:
    """A table that stays in its engine has no digest, and no grouping has no name."""
    log = InteractionLog.from_frame(_relation(small()))
    group = _relation(pl.DataFrame({"customer": ["ana"], "party": ["us"]}))
    assert measure(log, group=group).parameters["group"] == "lazy table"
    assert measure(log).parameters["group"] is None


@pytest.mark.parametrize("group", [pd.Series({"ana": "us"}), pl.Series(["us"]), 3, ["ana"]])
def test_a_grouping_is_a_mapping_or_a_table(group: Any) -> None:
    """Anything else is refused with what would do."""
    log = InteractionLog.from_frame(small())
    with pytest.raises(InvalidParameter, match=r"group is of type \w+: give a mapping"):
        measure(log, group=group)


def test_communities_can_be_the_groups() -> None:
    """What detect finds groups customers as the dictionary of it does."""
    acts = [message(0, 1, 2), message(1, 2, 3), message(2, 3, 4)]
    log = InteractionLog.from_records(acts)
    found = detect(measure(log), significance=False)
    assert rows(measure(log, group=found)) == rows(measure(log, group=dict(found)))


def test_groups_that_cannot_be_are_refused() -> None:
    """A customer in two parties, a missing party, ids of another type."""
    log = InteractionLog.from_frame(small())
    for customers, parties in [(["ana", "ana"], ["x", "y"]), (["ana"], [None])]:
        table = pl.DataFrame(
            {"customer": customers, "party": parties}, schema_overrides={"party": pl.String}
        )
        with pytest.raises(InvalidTable, match="each customer once"):
            measure(log, group=table)
    with pytest.raises(InvalidTable, match="no column 'party'"):
        measure(log, group=pl.DataFrame({"customer": ["ana"]}))
    for wrong in ({"ana": 7}, {7: "ana"}):
        with pytest.raises(InvalidParameter, match="same type"):
            measure(log, group=wrong)
    with pytest.raises(InvalidParameter, match="an id in group"):
        measure(log, group={"ana": None})
    with pytest.raises(InvalidTable, match="same engine"):
        measure(
            InteractionLog.from_frame(_relation(small())),
            group=pl.DataFrame({"customer": ["ana"], "party": ["us"]}),
        )


def test_what_is_no_log_is_refused() -> None:
    """A bare table needs to become a log first."""
    with pytest.raises(InvalidParameter, match=r"InteractionLog\.from_frame"):
        measure(small())  # type: ignore[arg-type]
    with pytest.raises(InvalidParameter, match="half_life"):
        measure(InteractionLog.from_frame(small()), half_life=timedelta(0))


def shared_acts(where: dict[str, list[str]], on: str = "about") -> list[dict[str, Any]]:
    """Who attended what, a day apart."""
    return [
        {"time": START + timedelta(days=day), "source": name, "kind": "attendance", on: place}
        for day, (place, names) in enumerate(where.items())
        for name in names
    ]


@given(
    where=st.dictionaries(
        st.sampled_from("uvwxyz"),
        st.lists(st.sampled_from(["ana", "ben", "cem", "dora", "eve"]), min_size=1, max_size=7),
        min_size=1,
    )
)
def test_shared_ties_are_newman_s(where: dict[str, list[str]]) -> None:
    """Without decay the weights are those of Newman's collaboration graph in networkx."""
    log = InteractionLog.from_records(shared_acts(where))
    ties = together(log, on="about", as_of=LATER, half_life=None)
    table = nx.Graph((name, f"at {place}") for place, names in where.items() for name in names)
    guests = sorted({name for names in where.values() for name in names})
    expected = bipartite.collaboration_weighted_projected_graph(table, guests)
    pairs = {tuple(sorted((a, b))): w for a, b, w in expected.edges(data="weight")}
    assert {pair: row["strength"] for pair, row in rows(ties).items()} == pytest.approx(pairs)
    for (a, b), row in rows(ties).items():
        assert row["n"] == len(list(nx.common_neighbors(table, a, b)))
    used = [
        (name, place)
        for place, names in where.items()
        for name in set(names)
        if len(set(names)) > 1
    ]
    assert sorted(zip(*ties.incidence, strict=True)) == sorted(used)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_shared_ties(engine: str) -> None:
    """Decay is by the group's last act; seen are the first and the last act of groups in common."""
    where = {"tea": ["ana", "ben", "cem"], "ball": ["ana", "ben"], "walk": ["dora"]}
    acts = shared_acts(where, on="thread")
    acts.append({**acts[0], "time": START + timedelta(days=10)})
    log = InteractionLog.from_frame(ENGINES[engine](pl.DataFrame(acts)))
    ties = together(log, as_of=START + timedelta(days=20), half_life=timedelta(days=10))
    table = to_polars(ties.frame)
    assert table.columns == ["a", "b", "n", "strength", "first_seen", "last_seen"]
    assert table["n"].to_list() == [2, 1, 1]
    ball = 2 ** (-19 / 10)
    assert table["strength"].to_list() == pytest.approx([0.25 + ball, 0.25, 0.25])
    assert table["first_seen"].to_list() == [START] * 3
    assert table["last_seen"].to_list() == [START + timedelta(days=10)] * 3
    assert ties.incidence == (
        ["ana", "ben", "ana", "ben", "cem"],
        ["ball", "ball", "tea", "tea", "tea"],
    )
    assert ties.left_out_groups == {}


def test_larger_groups_are_left_out_and_listed() -> None:
    """A group above max_size gives no tie, and the result names it with its size."""
    log = InteractionLog.from_records(
        shared_acts({"fair": ["ana", "ben", "cem", "dora"], "tea": ["ana", "ben", "cem"]})
    )
    ties = together(log, on="about", max_size=3)
    assert ties.left_out_groups == {"fair": 4}
    assert ties.frame["n"].to_list() == [1, 1, 1]
    assert ties.parameters["max_size"] == 3


def test_only_acting_is_taking_part() -> None:
    """Automated acts, likes and purchases are no taking part; they are counted apart."""
    acts = [
        message(0, "ana", "zoe", thread="t"),
        message(1, "ben", None, thread="t"),
        message(2, "cem", None, thread="t", automated=True),
        message(3, "dora", None, thread="t", kind="like"),
        message(4, "eve", None, thread="t", kind="purchase"),
        message(5, "fay", None, thread=None),
        message(6, None, "fay", thread="t"),
    ]
    ties = together(InteractionLog.from_records(acts), half_life=None)
    assert rows(ties).keys() == {("ana", "ben")}
    assert rows(ties)["ana", "ben"]["strength"] == 1.0
    assert ties.left_out == {"automated": 1, "nobody": 2, "weightless": 2}


def test_together_refuses_what_it_cannot_do() -> None:
    """Another column, a size that makes no pair, a log without threads."""
    log = InteractionLog.from_frame(small())
    with pytest.raises(InvalidParameter, match="thread"):
        together(log, on="channel")
    with pytest.raises(InvalidParameter, match="max_size"):
        together(log, max_size=1)
    with pytest.raises(InvalidTable, match="the log has no column 'thread'"):
        together(log)


def test_ties_make_a_graph() -> None:
    """Measured ties make a directed graph with all in it, shared ones an undirected one."""
    graph = relationships.graph(measure(InteractionLog.from_frame(small())))
    assert graph.directed
    assert list(graph.ids) == ["ana", "ben", "cem", "dora", "élise", "国"]
    log = InteractionLog.from_records(shared_acts({"tea": ["ana", "ben", "cem"]}))
    shared = relationships.graph(together(log, on="about"))
    assert (shared.directed, shared.number_of_ties) == (False, 3)
    assert shared.incidence is not None


def test_college_messages(shared_data: Path) -> None:
    """The private messages of 1,899 students make the published 20,296 directed pairs."""
    frame = pl.read_csv(
        shared_data / "collegemsg" / "CollegeMsg.txt.gz",
        separator=" ",
        has_header=False,
        new_columns=["source", "target", "time"],
    )
    log = InteractionLog.from_frame(
        frame.with_columns(pl.from_epoch("time").dt.replace_time_zone("UTC")),
        constants={"kind": "message"},
    )
    ties = measure(log).frame
    assert ((ties["n_ab"] > 0).sum() + (ties["n_ba"] > 0).sum(), len(frame)) == (20_296, 59_835)
    assert (ties["n_ab"] + ties["n_ba"]).sum() == 59_835
    assert pl.concat([ties["a"], ties["b"].alias("a")]).n_unique() == 1_899
    ledger = ledger_of(
        [
            Interaction(
                id=n, time=datetime.fromtimestamp(t, UTC), kind="message", source=s, target=d
            )
            for n, (s, d, t) in enumerate(frame.rows()[:5000])
        ]
    )
    assert ledger.as_of is not None
    first = InteractionLog.from_frame(
        frame.head(5000).with_columns(pl.from_epoch("time").dt.replace_time_zone("UTC")),
        constants={"kind": "message"},
    )
    assert_equal(rows(measure(first)), ledger, ledger.as_of)
