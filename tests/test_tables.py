"""Tables, instants, words and arithmetic: the same answer on every engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import InvalidTable, MissingExtra, _arithmetic, _instants, _tables, _words
from scrmkit._tables import Home
from scrmkit.results import Result
from scrmkit.testing.strategies import half_lives, instants


Make = Callable[[dict[str, Any]], Any]


def to_duckdb(columns: dict[str, Any]) -> duckdb.DuckDBPyRelation:
    """A relation on a connection whose zone is UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.from_arrow(pl.DataFrame(columns).to_arrow())


def to_pandas_arrow(columns: dict[str, Any]) -> pd.DataFrame:
    """A pandas frame with Arrow dtypes."""
    return pl.DataFrame(columns).to_pandas(use_pyarrow_extension_array=True)


MAKERS: dict[str, Make] = {
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
    "pandas": pd.DataFrame,
    "pandas arrow": to_pandas_arrow,
    "pyarrow": lambda columns: pl.DataFrame(columns).to_arrow(),
    "duckdb": to_duckdb,
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Make:
    """A function from columns to a table of one engine."""
    return MAKERS[request.param]


def values(frame: nw.LazyFrame[Any], column: nw.Expr) -> list[Any]:
    """What an expression gives, in the order of the column `row`."""
    made = frame.select("row", column.alias("made")).collect("polars")
    return made.sort("row")["made"].to_list()


class Stream:
    """An object that has an Arrow stream and nothing else."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream of the table inside."""
        return self._table.__arrow_c_stream__(requested_schema)


def test_what_came_in_comes_out(make: Make) -> None:
    """A table goes through take and give as the kind that it was, with its rows."""
    table = make({"a": [1, 2], "b": ["x", None]})
    frame, home = _tables.take(table)
    out = _tables.give(frame, home)
    assert type(out) is type(table)
    assert values(_tables.take(out)[0].rename({"a": "row"}), nw.col("b")) == ["x", None]


def test_an_arrow_stream_is_a_table() -> None:
    """An object with nothing but `__arrow_c_stream__` becomes a frame."""
    frame, home = _tables.take(Stream(pa.table({"row": [1], "b": [2.5]})))
    assert home == Home("polars", lazy=False)
    assert values(frame, nw.col("b")) == [2.5]


def test_a_result_is_a_table() -> None:
    """What one function returns can be given to the next."""
    result = Result(pl.DataFrame({"row": [1]}), parameters={}, order="row")
    assert _tables.take(result)[1] == Home("polars", lazy=False)


@pytest.mark.parametrize("thing", [None, 3, "file.csv", [1, 2], {"a": [1]}])
def test_what_is_no_table_is_refused(thing: object) -> None:
    """The error says what it was and what would do."""
    with pytest.raises(InvalidTable, match=f"a {type(thing).__name__} is not a table: give a data"):
        _tables.take(thing)


@pytest.mark.parametrize("make", [pl.Series, pd.Series])
def test_a_single_column_is_no_table(make: Any) -> None:
    """A series is refused, although it can be read as Arrow."""
    with pytest.raises(InvalidTable, match="a Series is not a table"):
        _tables.take(make([1, 2]))


@pytest.mark.parametrize("engine", ["polars", "pandas", "pyarrow"])
def test_build_goes_home(engine: str) -> None:
    """Columns become a table of the kind that came in."""
    table = _tables.build({"a": [1, 2]}, Home(engine, lazy=False))
    assert nw.from_native(table).implementation.value == engine


def test_build_stays_lazy_where_it_can() -> None:
    """A lazy Polars frame in means a lazy one out; without its connection DuckDB gives rows."""
    assert isinstance(_tables.build({"a": [1]}, Home("polars", lazy=True)), pl.LazyFrame)
    assert isinstance(_tables.build({"a": [1]}, Home("duckdb", lazy=True)), pl.DataFrame)
    assert isinstance(_tables.build({"a": [1]}), pl.DataFrame)


def test_no_engine_at_all_gives_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any data frame library one is told which extra to install."""
    monkeypatch.setattr(_tables, "_is_installed", lambda _: False)
    with pytest.raises(MissingExtra, match=r"scrmkit\[tables\]"):
        _tables.build({"a": [1]})


def test_aggregation_is_right_on_every_engine(make: Make) -> None:
    """Each way to aggregate, by two keys, one of which is null in places."""
    table = make(
        {
            "a": ["x", "x", "y", "y", "y"],
            "b": [1, 1, None, None, 2],
            "v": [1.0, 2.5, -1.0, 4.0, 8.0],
            "w": ["p", "p", "q", "r", "r"],
        }
    )
    made = _tables.aggregate(
        _tables.take(table)[0],
        ["a", "b"],
        n=("v", "len"),
        total=("v", "sum"),
        least=("v", "min"),
        most=("v", "max"),
        middle=("v", "mean"),
        words=("w", "n_unique"),
    )
    rows = made.collect("polars").to_native().sort("a", "b", nulls_last=True).rows()
    assert [tuple(None if cell != cell else cell for cell in row) for row in rows] == [  # noqa: PLR0124
        ("x", 1, 2, 3.5, 1.0, 2.5, 1.75, 1),
        ("y", 2, 1, 8.0, 8.0, 8.0, 8.0, 1),
        ("y", None, 2, 3.0, -1.0, 4.0, 1.5, 2),
    ]


HARD = [
    datetime(1, 1, 1),  # noqa: DTZ001
    datetime(1900, 2, 28, 23, 59, 59, 999999),  # noqa: DTZ001
    datetime(1969, 12, 31, 23),  # noqa: DTZ001
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2000, 2, 29, 12),  # noqa: DTZ001
    datetime(2024, 12, 31),  # noqa: DTZ001
    datetime(2100, 3, 1, 0, 0, 0, 1),  # noqa: DTZ001
]


def test_days_of_hard_dates(make: Make) -> None:
    """Leap years, centuries and times before 1970 come out on every engine."""
    times = [time.replace(tzinfo=UTC) for time in HARD]
    frame, _ = _tables.take(make({"row": list(range(len(times))), "t": times}))
    assert values(frame, _instants.epoch_day(frame, "t")) == [
        _instants.day_of(time) for time in times
    ]
    got = values(frame, _instants.epoch_days("t"))
    assert got == pytest.approx([_instants.days_of(time) for time in times], abs=1e-9)


@given(st.lists(instants(datetime(1700, 1, 1), datetime(2200, 1, 1)), max_size=20))  # noqa: DTZ001
def test_days_are_those_of_the_calendar(times: list[datetime]) -> None:
    """Days since 1970 from date parts are those of the standard library."""
    utc = [time.astimezone(UTC) for time in times]
    columns = {"row": range(len(utc)), "t": pd.Series(utc, dtype="datetime64[us, UTC]")}
    for table in (pd.DataFrame(columns), pl.from_pandas(pd.DataFrame(columns))):
        frame, _ = _tables.take(table)
        assert values(frame, _instants.epoch_day(frame, "t")) == [
            _instants.day_of(time) for time in times
        ]
        exact = [_instants.days_of(time) for time in times]
        assert values(frame, _instants.epoch_days("t")) == pytest.approx(exact, abs=1e-9)


@given(half_lives(), st.floats(0, 20_000), st.floats(0, 20_000))
def test_decay_multiplies(half_life: timedelta | None, one: float, two: float) -> None:
    """What is left after two stretches is the product; after a half-life it is a half."""
    half = 0.0 if half_life is None else half_life / timedelta(days=1)
    frame, _ = _tables.take(pl.DataFrame({"row": range(4), "age": [one, two, one + two, half]}))
    first, second, both, halved = values(frame, _instants.decay(nw.col("age"), half_life))
    assert both == pytest.approx(first * second, rel=1e-9, abs=1e-300)
    assert halved == (1.0 if half_life is None else pytest.approx(0.5))


def every_operation(x: Any, y: Any) -> Any:
    """A formula with each operator, both ways round."""
    return (+x + 1 - y * 2) / (y / 3 + 2) + (1 + 5 / (x + y) - 0.5**x * -y) ** 2 - (2 - x) * (3 * y)


@given(st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 50)), min_size=1, max_size=9))
def test_plain_arithmetic_is_that_of_numbers(pairs: list[tuple[float, float]]) -> None:
    """A division that copies neither side gives what numbers give."""
    columns = {"row": range(len(pairs)), "x": [x for x, _ in pairs], "y": [y for _, y in pairs]}
    frame, _ = _tables.take(pl.DataFrame(columns))
    made = every_operation(_arithmetic.Plain(nw.col("x")), _arithmetic.Plain(nw.col("y")))
    got = values(frame, _arithmetic.bare(made))
    assert got == pytest.approx([every_operation(*pair) for pair in pairs], rel=1e-9)


def test_decay_is_one_formula(make: Make) -> None:
    """Every engine gives two to the power of minus age over half-life."""
    ages = [0.0, 0.5, 1.0, 30.0, 1e6]
    frame, _ = _tables.take(make({"row": list(range(5)), "age": ages}))
    got = values(frame, _instants.decay(nw.col("age"), timedelta(days=15)))
    assert got == pytest.approx([math.exp2(-age / 15) for age in ages], rel=1e-12)


def test_lookup_finds_words_and_defaults(make: Make) -> None:
    """Known words get their number; unknown and missing ones the default."""
    frame, _ = _tables.take(make({"row": [0, 1, 2, 3], "word": ["a", "b", "zz", None]}))
    expression = _words.lookup(frame, "word", {"a": 1.0, "b": 2.5, "c": 1.0}, default=-1.0)
    assert values(frame, expression) == [1.0, 2.5, -1.0, -1.0]
    assert values(frame, _words.lookup(frame, "word", {}, default=3.0)) == [3.0] * 4


def test_look_up_adds_a_column_for_each_table_of_words(make: Make) -> None:
    """Each new column has the value of the word, or its own default; other columns stay."""
    frame, _ = _tables.take(make({"row": [0, 1, 2, 3], "word": ["a", "it's", "zz", None]}))
    found = _words.look_up(frame, "word", x=({"a": 1.5, "it's": 2.0}, -1.0), y=({"a": 3}, 6))
    assert found.collect_schema().names() == ["row", "word", "x", "y"]
    assert values(found, nw.col("x")) == [1.5, 2.0, -1.0, -1.0]
    assert values(found, nw.col("y")) == [3, 6, 6, 6]


def test_what_was_looked_up_can_be_kept_as_a_view_of_duckdb() -> None:
    """A relation with looked up words refers to nothing but its connection."""
    connection = duckdb.connect()
    frame, _ = _tables.take(connection.sql("select 'a' as word"))
    _words.look_up(frame, "word", x=({"a": 1.5}, 0.0)).to_native().create_view("kept")
    assert connection.sql("from kept").fetchall() == [("a", 1.5)]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_is_as_it_was(tmp_path: Path, *, read_only: bool) -> None:
    """Looking up, renaming and building leave no view in a file, and need not write it."""
    with duckdb.connect(tmp_path / "acts.duckdb") as connection:
        connection.execute('create table acts as select \'it\'\'s\' as "a ""word"""')
    with duckdb.connect(tmp_path / "acts.duckdb", read_only=read_only) as connection:
        frame, home = _tables.take(connection.table("acts"))
        word = 'a "word"'
        found = _words.look_up(frame, word, x=({"it's": 1.5}, 0.0), y=({}, 2))
        renamed = _words.rename_words(found, word, {"it's": "the 'new' one"})
        assert renamed.to_native().fetchall() == [("the 'new' one", 1.5, 2)]
        for rows in ([1, 2], [3]):
            built, _ = _tables.take(_tables.build({"a": rows}, home))
            assert built.collect("polars")["a"].to_list() == rows
        views = connection.sql("select view_name from duckdb_views() where not internal")
        assert views.fetchall() == []


def test_rows_of_pandas_are_hastened_and_come_back_as_pandas() -> None:
    """What Polars makes of a pandas table is a pandas table, with nulls where it had NaN."""
    table = pd.DataFrame({"a": ["x", None], "b": [1.5, math.nan]}, index=[7, 8])
    frame, home = _tables.take(table)
    fast = _tables.hasten(frame)
    assert fast.implementation.is_polars()
    assert fast.collect()["b"].null_count() == 1
    pd.testing.assert_frame_equal(_tables.give(fast, home), table.reset_index(drop=True))


def test_arrow_types_of_pandas_survive_the_way_through_polars() -> None:
    """A pandas table with Arrow types comes back with Arrow types."""
    frame, home = _tables.take(to_pandas_arrow({"a": ["x", None], "b": [1, 2]}))
    given = _tables.give(_tables.hasten(frame), home)
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in given.dtypes)


@pytest.mark.parametrize("arrow", [False, True])
def test_pandas_comes_back_with_a_new_index(*, arrow: bool) -> None:
    """The index of the table that came in is gone, whatever its types are."""
    table = pd.DataFrame({"a": ["x", "y", "z"]}, index=[7, 7, 8])
    if arrow:
        table = table.convert_dtypes(dtype_backend="pyarrow")
    frame, home = _tables.take(table)
    given = _tables.give(frame.filter(nw.col("a") != "x").sort("a", descending=True), home)
    assert given.index.equals(pd.RangeIndex(2))
    assert given["a"].tolist() == ["z", "y"]


def test_objects_among_arrow_types_stay_as_they_are() -> None:
    """A column that Arrow cannot hold goes through a table of Arrow types untouched."""
    table = to_pandas_arrow({"a": [1, 2, 3], "c": ["x", "y", "z"]})
    things = [object(), "text", {"b": 1}]
    table.insert(1, "b", things)
    frame, home = _tables.take(table)
    given = _tables.give(frame.filter(nw.col("a") > 1), home)
    assert given.columns.tolist() == ["a", "b", "c"]
    assert given["b"].tolist() == things[1:]
    assert [isinstance(dtype, pd.ArrowDtype) for dtype in given.dtypes] == [True, False, True]


def test_without_polars_rows_of_pandas_stay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hastening needs Polars, and is left out without it."""
    monkeypatch.setattr(_tables, "_is_installed", lambda package: package != "polars")
    frame, _ = _tables.take(pd.DataFrame({"a": [1]}))
    assert _tables.hasten(frame).implementation.is_pandas()


def test_words_are_renamed_and_others_kept(make: Make) -> None:
    """A map of words changes those that it has, and leaves the rest and nulls alone."""
    frame, _ = _tables.take(make({"row": [0, 1, 2, 3], "word": ["RT", "MT", "zz", None]}))
    renamed = _words.rename_words(frame, "word", {"RT": "repost", "MT": "mention"})
    assert values(renamed, nw.col("word")) == ["repost", "mention", "zz", None]
    assert renamed.collect_schema().names() == ["row", "word"]


def test_a_missing_column_is_named_with_the_nearest() -> None:
    """The error says what the table has instead."""
    with pytest.raises(InvalidTable) as caught:
        _tables.check_columns(["sourc", "target"], ["target", "source"], where="the log")
    assert str(caught.value) == (
        "the log has no column 'source'. Did you mean 'sourc'? It has: 'sourc', 'target'"
    )
    with pytest.raises(InvalidTable, match=r"no column 'x'. It has: 'target'"):
        _tables.check_columns(["target"], ["x"], where="the log")
