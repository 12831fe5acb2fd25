"""What engines trip over: each error names the column, and each trap is found before a user is."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

import scrmkit
from conformance import forget
from engines import ENGINES, Engine, Stream, find
from scrmkit import InteractionLog, InvalidParameter, InvalidTable, communities, relationships
from scrmkit.influence import rank


pytestmark = [
    # Ibis and Dask use what is going away in DuckDB, pandas and Narwhals
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option"),
    pytest.mark.filterwarnings("ignore:Dask support is moving out of Narwhals"),
]

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ACTS = pl.DataFrame(
    {
        "time": [NOON, NOON + timedelta(days=1)],
        "kind": ["message", "message"],
        "source": ["ana", "ben"],
        "target": ["ben", "ana"],
    }
)
SOURCE = Path(scrmkit.__file__).parent

from_frame = InteractionLog.from_frame


@pytest.fixture(scope="module", autouse=True)
def _connections() -> Iterator[None]:
    """Let go of the connections at the end."""
    yield
    forget()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """One engine after the other."""
    return find(request.param)


@pytest.fixture(params=[name for name, each in ENGINES.items() if each.lazy])
def lazy(request: pytest.FixtureRequest) -> Engine:
    """One lazy engine after the other."""
    return find(request.param)


Mistake = tuple[pl.DataFrame, Callable[[Any], Any], str]

TIES = pl.DataFrame({"a": ["ana"], "b": ["ben"], "strength": [1.0]})

MISTAKES: dict[str, Mistake] = {
    "a column that is not there": (
        ACTS,
        lambda table: from_frame(table, columns={"time": "tme"}),
        "the table has no column 'tme'. Did you mean 'time'? It has: 'time', 'kind', 'source'",
    ),
    "no time": (
        ACTS.drop("time"),
        from_frame,
        "no column is the time: name it with columns={'time': ...}. The table has: 'kind', 's",
    ),
    "no kind": (
        ACTS.drop("kind"),
        from_frame,
        """columns={'kind': ...} or constants={"kind": "message"}. The table has: 'time', 's""",
    ),
    "nobody": (
        ACTS.select("time", "kind", who="source"),
        from_frame,
        """columns={"source": ..., "target": ...}. The table has: 'time', 'kind', 'who'""",
    ),
    "money in floats": (
        ACTS.with_columns(value=1.5, currency=pl.lit("EUR")),
        from_frame,
        "column 'value' holds money and is of type Float64: cast it to decimals",
    ),
    "texts and numbers": (
        ACTS.with_columns(target=pl.lit(7)),
        from_frame,
        "source holds text and target integers: the ids of a log have one type",
    ),
    "times without a zone": (
        ACTS.with_columns(pl.col("time").dt.replace_time_zone(None)),
        from_frame,
        "the times of column 'time' have no time zone: say which one they were written in",
    ),
    "no threads": (
        ACTS,
        lambda table: relationships.together(from_frame(table), as_of=NOON),
        "the log has no column 'thread'. It has: ",
    ),
    "no such weight": (
        TIES,
        lambda table: rank(table, weight="strenght"),
        "the table of ties has no column 'strenght'. Did you mean 'strength'? It has: 'a', 'b'",
    ),
    "words for weights": (
        TIES.with_columns(strength=pl.lit("much")),
        rank,
        "column 'strength' of the ties is String, not a number",
    ),
    "half a tie": (
        TIES.with_columns(b=pl.lit(None, pl.String)),
        communities.detect,
        "column 'b' of the ties has nulls: a tie has two ends",
    ),
    "no such order": (
        ACTS,
        lambda table: relationships.measure(from_frame(table), as_of=NOON).top(by="balanc"),
        "the result has no column 'balanc'. Did you mean 'balance'? It has: 'a', 'b', 'n_ab'",
    ),
    "groups without parties": (
        ACTS.rename({"source": "customer"}),
        lambda table: relationships.measure(
            from_frame(table, columns={"source": "customer"}), as_of=NOON, group=table
        ),
        "the table of groups has no column 'party'. Did you mean 'target'? It has: 'time', ",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_errors_name_the_column_and_what_there_is(mistake: str, engine: Engine) -> None:
    """The same words on every engine: what is missing or wrong, and what the table has."""
    if engine.name == "Ibis" and mistake == "times without a zone":
        pytest.skip("Ibis cannot attach a zone at all, and the error says so")
    frame, ask, words = MISTAKES[mistake]
    with pytest.raises((InvalidTable, InvalidParameter), match=re.escape(words)):
        ask(engine.make(frame))


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("time", ["2026-07-01T12:00Z"] * 2, "column 'time' of a lazy table is of type String"),
        ("time", [0, 60], "column 'time' of a lazy table is of type Int64: make it a timestamp"),
        ("automated", ["yes", "no"], "column 'automated' holds truth values and is of type Str"),
        ("valence", ["good", "bad"], "column 'valence' holds numbers and is of type String: cast"),
        ("source", [1.0, 2.0], "column 'source' holds ids and is of type Float64: cast it to"),
    ],
)
def test_a_lazy_table_has_to_have_its_types(
    column: str, values: list[Any], words: str, lazy: Engine
) -> None:
    """What would have to be read row by row is refused, with the type that it has."""
    frame = ACTS.with_columns(pl.Series(column, values))
    with pytest.raises(InvalidTable, match=re.escape(words)):
        from_frame(lazy.make(frame))


def test_local_times_of_a_lazy_table_are_refused(lazy: Engine) -> None:
    """A clock change would have to be looked for in every row."""
    frame = ACTS.with_columns(pl.col("time").dt.replace_time_zone(None))
    with pytest.raises(InvalidTable, match="column 'time' of a"):
        from_frame(lazy.make(frame), timezone="Europe/London")


def test_groups_of_another_engine_are_refused(lazy: Engine) -> None:
    """A table of groups lives where the log does; the error names both."""
    if lazy.name == "Polars lazy":
        pytest.skip("Polars takes the rows of any engine")
    groups = pl.DataFrame({"customer": ["ana"], "party": ["acme"]})
    log = from_frame(lazy.make(ACTS))
    with pytest.raises(InvalidTable, match="and the groups one of polars: give a mapping"):
        relationships.measure(log, as_of=NOON, group=groups)


def _in_a_session(name: str, zone: str, frame: pl.DataFrame) -> Any:
    """A table of a connection with a zone of its own."""
    table = frame.to_arrow()
    if name == "DuckDB":
        connection = duckdb.connect()
        connection.execute(f"SET TimeZone = '{zone}'")
        return connection.from_arrow(table)
    ibis = pytest.importorskip("ibis")
    backend = ibis.duckdb.connect()
    backend.raw_sql(f"SET TimeZone = '{zone}'")
    backend.con.from_arrow(table).create("acts")
    return backend.table("acts")


@pytest.mark.parametrize("zone", ["Europe/London", "America/Lima"])
@pytest.mark.parametrize("name", ["DuckDB", "Ibis"])
def test_a_session_that_is_not_in_utc_is_refused(name: str, zone: str) -> None:
    """Parts of times are those of the session; the error has the line that mends it."""
    with pytest.raises(InvalidTable, match=r"'time'.*SET TimeZone = 'UTC'") as caught:
        from_frame(_in_a_session(name, zone, ACTS))
    line = re.search(r"run (\w+\.\w+\(.*\)) first", str(caught.value))
    assert line is not None
    table = _in_a_session(name, "UTC", ACTS)
    made = relationships.measure(from_frame(table), as_of=NOON, half_life=None).frame
    assert find(name).read(made)["n_ab"].to_list() == [1]


def test_local_times_in_a_session_that_is_not_in_utc_are_refused() -> None:
    """Times without a zone become instants, whose parts are those of the session again."""
    local = ACTS.with_columns(pl.col("time").dt.replace_time_zone(None))
    with pytest.raises(InvalidTable, match=r"is Europe/London: run connection\.execute"):
        from_frame(_in_a_session("DuckDB", "Europe/London", local), timezone="UTC")


def test_pandas_keeps_truth_values_beside_nothing() -> None:
    """Truth values with gaps, which pandas keeps as objects or as numbers, stay what they are."""
    for values in ([True, None, False], ["yes", None, "no"], [1, None, 0]):
        table = ACTS.head(1).to_pandas().loc[[0, 0, 0]].reset_index(drop=True)
        frame = from_frame(table.assign(public=values)).frame
        assert frame["public"].astype(object).where(frame["public"].notna(), None).to_list() == [
            True,
            None,
            False,
        ]


def test_lazy_tables_show_rejected_rows_as_they_came(lazy: Engine) -> None:
    """Neither the words of the vocabulary nor another scale stand in what was rejected."""
    if lazy.name == "Dask":
        pytest.skip("shown by the logs that are rejected there")
    rows = ACTS.with_columns(source=pl.lit(""), kind=pl.lit("retweet"), valence=pl.lit(3))
    same = ACTS.with_columns(kind=pl.Series(["retweet", "mail"]), valence=pl.lit(3), id=pl.lit("x"))
    same = same.with_columns(target=pl.lit("cem"))
    for frame in (rows, same):
        log = from_frame(lazy.make(frame), valence_range=(-5, 5))
        found = lazy.read(log.rejected)
        assert sorted(found["kind"]) == sorted(frame["kind"])
        assert found["valence"].to_list() == [3, 3]
        assert found.schema["valence"].is_integer()


def test_an_object_with_a_stream_alone_needs_a_way_round() -> None:
    """Narwhals does not know such an object, and our functions take it all the same."""
    with pytest.raises(TypeError, match="Unsupported dataframe type"):
        nw.from_native(Stream(ACTS))
    ties = relationships.measure(from_frame(Stream(ACTS)))
    again = rank(Stream(ties.frame))
    assert sorted(again) == ["ana", "ben"]


Call = tuple[str, str, ast.Call]


@cache
def _methods() -> dict[str, list[Call]]:
    """Each call of a method in the source, by its name: module, function, call."""
    found: dict[str, list[Call]] = {}

    def look(node: ast.AST, module: str, function: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
                found.setdefault(child.func.attr, []).append((module, function, child))
            inner = isinstance(child, ast.FunctionDef) and not function
            look(child, module, child.name if inner else function)

    for path in sorted(SOURCE.glob("*.py")):
        look(ast.parse(path.read_text()), path.stem, "")
    return found


def _calls(name: str) -> list[Call]:
    return _methods().get(name, [])


def test_only_one_function_aggregates() -> None:
    """An expression inside an aggregation is silently wrong on pandas, Arrow and Dask."""
    assert {(module, function) for module, function, _ in _calls("agg")} == {
        ("_tables", "aggregate")
    }
    pandas = nw.from_native(pd.DataFrame({"g": [1, 1], "w": [1.0, 10.0], "yes": [True, False]}))
    inside = nw.when(nw.col("yes")).then(nw.col("w")).otherwise(nw.lit(0.0)).sum()
    wrong = pandas.group_by("g").agg(inside.alias("w"))["w"].to_list()
    assert wrong == [11.0], "Narwhals is right by now: the trap is gone, and so may the rule be"


def test_no_call_orders_by_a_bare_word() -> None:
    """`unique(order_by="at")` is read letter by letter: it takes a list."""
    for module, _, call in _calls("unique"):
        for keyword in call.keywords:
            if keyword.arg == "order_by":
                assert isinstance(keyword.value, ast.List), module


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        # missing on Spark and Ibis: ages come from parts of dates there
        ("total_seconds", {("_explanations", "_assumptions")}),
        ("total_microseconds", {("_instants", "microseconds")}),
        (
            "timestamp",
            {
                ("_instants", "microseconds"),
                # of rows in memory
                ("_codes", "microseconds"),
                ("_first_acts", "first_acts"),
                ("_judgements", "_order_of"),
            },
        ),
        # no engine truncates to weeks, and not every one to months
        ("truncate", set()),
        # there are no row numbers on Spark and DuckDB: rows in memory alone have them
        (
            "with_row_index",
            {("_intake", "_take_eagerly"), ("_delimited", "_read_lines"), ("_foreign", "read")},
        ),
        # pandas deprecates it: `__arrow_c_stream__` has taken its place
        ("__dataframe__", set()),
    ],
)
def test_what_some_engine_lacks_is_not_used(method: str, allowed: set[tuple[str, str]]) -> None:
    """Methods that exist on some engines stand only where those engines cannot come."""
    assert {(module, function) for module, function, _ in _calls(method)} <= allowed


def test_windows_have_partitions() -> None:
    """A window without partitions, or a rank, moves a Spark table to one machine."""
    for module, _, call in _calls("over"):
        assert call.args, module
    narwhals = [name for name, _, call in _calls("rank") if ast.unparse(call.func).startswith("nw")]
    assert narwhals == []
