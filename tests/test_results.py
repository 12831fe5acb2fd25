"""What batch functions return: a table, how it was made, and ways to look at it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from scrmkit import (
    InteractionLog,
    InvalidParameter,
    InvalidTable,
    UnknownCustomer,
    communities,
    influence,
    relationships,
)
from scrmkit._tables import Home
from scrmkit.results import Ranking, Result


PANDAS = [pd.DataFrame.from_arrow] if hasattr(pd.DataFrame, "from_arrow") else []
COLUMNS = {"a": ["x", "y", "y", "z"], "b": ["y", "z", "a", "x"], "v": [1.0, 3.0, 3.0, None]}


def result(frame: Any = None, **made: Any) -> Result:
    """A small result."""
    frame = pl.DataFrame(COLUMNS) if frame is None else frame
    return Result(frame, **({"parameters": {"method": "count"}, "order": "v"} | made))


def ranking(**made: Any) -> Ranking:
    """A small ranking, largest first."""
    columns = {"customer": ["ana", "ben"], "pagerank": [0.75, 0.25]}
    return Ranking(columns, value="pagerank", parameters={"method": "pagerank"}, **made)


@pytest.mark.parametrize("make", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.table])
def test_the_frame_is_of_the_kind_that_came_in(make: Any) -> None:
    """`frame` and `top` give the engine's own table; lazy stays lazy."""
    table = make(COLUMNS)
    one = result(table)
    assert one.frame is table
    assert type(one.top(2)) is type(table)


def test_top_is_the_largest_first() -> None:
    """Equal values are in the order of the columns from the left, nulls come last."""
    assert result().top(3).rows() == [("y", "a", 3.0), ("y", "z", 3.0), ("x", "y", 1.0)]
    assert result().top(9)["v"].to_list() == [3.0, 3.0, 1.0, None]


def test_top_by_another_column() -> None:
    """Any column of the table can be what counts."""
    assert result().top(1, by="b").rows() == [("y", "z", 3.0)]


@pytest.mark.parametrize("k", [np.int64(2), np.uint8(2), np.array(2)])
def test_top_takes_every_type_of_whole_number(k: Any) -> None:
    """An integer of NumPy is as good as one of Python."""
    assert len(result().top(k)) == 2


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "3", np.bool_(True), np.array([1, 2])])
def test_top_wants_a_whole_number(k: Any) -> None:
    """Anything but 1, 2, 3 and so on is refused."""
    with pytest.raises(InvalidParameter, match="k must be a whole number of at least 1"):
        result().top(k)


def test_top_names_the_columns_there_are() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(InvalidTable, match=r"the result has no column 'vv'\. Did you mean 'v'"):
        result().top(by="vv")


@pytest.mark.parametrize("make", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.table])
def test_everything_that_reads_arrow_reads_a_result(make: Any) -> None:
    """Polars, Arrow and DuckDB take a result as it is."""
    one = result(make(COLUMNS))
    assert pl.DataFrame(one).shape == (4, 3)
    assert pa.table(one).num_rows == 4
    reader = pa.RecordBatchReader.from_stream(one)
    assert duckdb.from_arrow(reader).aggregate("sum(v)").fetchall() == [(7.0,)]


def each_class_of_result() -> list[Result]:
    """A result of each class, with two rows: of a count, of a room each."""
    log = InteractionLog.from_records(
        [
            {"time": "2026-03-01T09:00Z", "kind": "message", "source": "x", "target": "y"},
            {"time": "2026-03-02T09:00Z", "kind": "message", "source": "x", "target": "z"},
        ]
    )
    network = nx.Graph([("ana", "ben")])
    return [
        result(pl.DataFrame({"a": ["x", "y"], "v": [1.0, 2.0]})),
        influence.rank(network, method="strength"),
        communities.detect(network),
        relationships.measure(log),
    ]


@pytest.mark.parametrize("one", each_class_of_result(), ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("read", [pl.DataFrame, pa.table, *PANDAS, duckdb.from_arrow])
def test_every_class_of_result_is_read_as_its_table(read: Any, one: Result) -> None:
    """Ids are never taken for the names of columns."""
    if read is duckdb.from_arrow:
        table = duckdb.from_arrow(pa.RecordBatchReader.from_stream(one)).to_arrow_table()
    else:
        table = read(one)
    names = getattr(table, "column_names", None) or list(table.columns)
    assert names == list(one.frame.columns)
    assert table.shape == one.frame.shape == (2, len(names))


def test_parameters_cannot_be_changed() -> None:
    """How a result was made is a fact, and apart from the mapping that was given."""
    parameters = {"method": "count"}
    one = result(parameters=parameters)
    parameters["method"] = "guess"
    assert one.parameters == {"method": "count"}
    with pytest.raises(TypeError):
        one.parameters["method"] = "guess"  # type: ignore[index]


def test_the_repr_says_how_it_was_made() -> None:
    """A repr has the parameters and none of the rows."""
    assert repr(result()) == "<Result method=count>"


def test_the_html_escapes_what_it_shows() -> None:
    """Ids, parameters and notes are text in a notebook, never markup."""
    evil = "<script>alert(1)</script>"
    one = result(
        pl.DataFrame({"a": [evil], "v": [1.0]}), parameters={"method": evil}, notes=(evil,)
    )
    page = one._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 3


def test_the_html_shows_the_first_rows() -> None:
    """A notebook shows ten rows, with what they are ordered by."""
    page = result(pl.DataFrame({"a": range(50), "v": [float(i) for i in range(50)]}))._repr_html_()
    assert "the first 10 by v" in page
    assert page.count("<tr>") == 11
    assert "<td>49</td>" in page
    assert "<td>39</td>" not in page


def test_the_html_of_a_lazy_result_computes_only_what_it_shows() -> None:
    """A lazy result can be looked at and stays lazy."""
    one = result(pl.LazyFrame(COLUMNS))
    assert "<td>y</td>" in one._repr_html_()
    assert isinstance(one.frame, pl.LazyFrame)


def test_columns_go_home_when_asked() -> None:
    """A result made of columns becomes a table of the kind that came in, once."""
    one = Result(columns=COLUMNS, home=Home("pandas", lazy=False), parameters={}, order="v")
    assert isinstance(one.frame, pd.DataFrame)
    assert one.frame is one.frame


def test_a_ranking_is_read_as_a_dictionary() -> None:
    """One can look a customer up, iterate from the largest, and count."""
    one = ranking()
    assert dict(one) == {"ana": 0.75, "ben": 0.25}
    assert list(one) == ["ana", "ben"]
    assert len(one) == 2
    assert "ana" in one
    assert "cem" not in one
    assert one.get("cem", 0.0) == 0.0
    assert one.get("cem") is None
    assert list(one.keys()) == ["ana", "ben"]
    assert list(one.values()) == [0.75, 0.25]
    assert {**one} == dict(one.items())


def test_a_ranking_knows_uuids_by_their_value() -> None:
    """A table holds UUIDs as text, and one may ask by the UUID itself."""
    customer = UUID(int=7)
    one = Ranking({"customer": [str(customer)], "v": [2.0]}, value="v", parameters={})
    assert one[customer] == 2.0


@pytest.mark.parametrize("nobody", [None, 1.5, ["ana"]])
def test_what_is_no_id_is_not_in_a_ranking(nobody: Any) -> None:
    """Something that cannot be an id is unknown, and no other error."""
    assert nobody not in ranking()


def test_a_ranking_of_arrays_gives_plain_values() -> None:
    """Ids and numbers come back as Python's own, so that they can be written as JSON."""
    columns = {"customer": np.array([7, 3]), "v": np.array([2.0, 1.0])}
    one = Ranking(columns, value="v", parameters={})
    assert [(type(key), type(value)) for key, value in one.items()] == [(int, float)] * 2
    assert one[7] == 2.0


def test_an_unknown_customer_is_an_error_without_the_id() -> None:
    """The message does not tell the id; the error carries it."""
    with pytest.raises(UnknownCustomer) as caught:
        ranking()["cem"]
    assert "cem" not in str(caught.value)
    assert caught.value.value == "cem"


def test_a_ranking_is_a_result() -> None:
    """It has a frame, a top and a repr like any other, and can be a key of a dict."""
    one = ranking()
    assert one.frame.columns == ["customer", "pagerank"]
    assert one.top(1).rows() == [("ana", 0.75)]
    assert repr(one) == "<Ranking method=pagerank>"
    assert {one: 1}[one] == 1
    assert one != ranking()


def test_an_empty_ranking_is_one() -> None:
    """No customers means no rows, not an error."""
    one = Ranking({"customer": [], "v": []}, value="v", parameters={})
    assert len(one) == 0
    assert list(one) == []


def test_a_ranking_needs_a_value_for_each() -> None:
    """Columns of different length are refused."""
    with pytest.raises(InvalidTable, match="one value for each customer"):
        Ranking({"customer": ["ana"], "v": []}, value="v", parameters={})


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame])
def test_values_that_differ_in_the_last_bit_are_equal(make: Any) -> None:
    """As sums over threads do; then the ids decide, whatever the order of the rows."""
    rows = {"customer": ["b", "a", "c"], "value": [1.1 + 2.2, 3.3, 0.5], "n": [1, 2, 3]}
    assert rows["value"][0] > rows["value"][1]
    for table in (make(rows), make({name: column[::-1] for name, column in rows.items()})):
        found = Result(table, parameters={}, order="value").top(2)
        assert list(found["customer"]) == ["a", "b"]
