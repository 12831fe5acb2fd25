"""Reach against accuracy: two numbers with published intervals, and never one."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scrmkit import _reach
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.influence import rank, reach_and_accuracy


COLUMNS = [
    "customer",
    "reach",
    "reach_low",
    "reach_high",
    "right",
    "n",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
]
verdicts = st.lists(st.sampled_from([True, False, None]), max_size=6)
records = st.dictionaries(st.integers(0, 20), verdicts, max_size=12)
reaches = st.dictionaries(st.integers(0, 20), st.integers(0, 9), max_size=12)


def rows(found: Any) -> list[dict[str, Any]]:
    """The rows of a result as dictionaries."""
    return pl.DataFrame(found).rows(named=True)


def tabled(record: dict[int, list[bool | None]], random: Any) -> pl.DataFrame:
    """A record as a table with a row for each claim, in any order."""
    claims = [(who, right) for who, each in record.items() for right in each]
    random.shuffle(claims)
    schema = {"customer": pl.Int64, "right": pl.Boolean}
    return pl.DataFrame(claims, schema=schema, orient="row")


@given(reaches, records)
def test_everybody_of_either_has_a_row(
    reach: dict[int, int], record: dict[int, list[bool | None]]
) -> None:
    """Counts are those of the lists; what is not known is null."""
    found = rows(reach_and_accuracy(reach, record, counts=True))
    assert [row["customer"] for row in found] == sorted({*reach, *record})
    for row in found:
        judged = [one for one in record.get(row["customer"], []) if one is not None]
        assert (row["right"], row["n"]) == (sum(judged), len(judged))
        assert row["reach"] == reach.get(row["customer"])
        assert (row["reach_low"] is None) == (row["customer"] not in reach)
        shares = [row[name] for name in COLUMNS[-3:]]
        assert (shares == [None] * 3) == (not judged)
        if judged:
            accuracy, low, high = shares
            assert accuracy == sum(judged) / len(judged)
            assert 0 <= low <= accuracy <= high <= 1


@given(reaches, records, st.randoms())
def test_a_table_of_claims_is_as_a_mapping(
    reach: dict[int, int], record: dict[int, list[bool | None]], random: Any
) -> None:
    """One row for each claim gives the same, in whatever order the rows are."""
    record = {who: claims for who, claims in record.items() if claims}
    wanted = reach_and_accuracy(reach, record)
    pairs = list(reach.items())
    random.shuffle(pairs)
    found = reach_and_accuracy(
        pl.DataFrame(pairs, schema={"customer": pl.Int64, "value": pl.Int64}, orient="row"),
        tabled(record, random),
    )
    assert rows(found) == rows(wanted)
    assert found.notes == wanted.notes
    assert (found.correlation, found.low) == (wanted.correlation, wanted.low)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_accuracy_is_the_published_one(
    right: int, n: int, low: float, high: float
) -> None:
    """Wilson's intervals are those of Newcombe (1998), table I, method 3."""
    found = _reach.wilson(np.array([right]), np.array([n]))
    assert [round(float(end[0]), 4) for end in found] == [low, high]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_the_interval_of_a_count_is_that_of_the_chi_squared_distribution(
    counts: list[int],
) -> None:
    """Garwood's interval equals its form by quantiles of chi squared."""
    low, high = _reach.garwood(np.array(counts, dtype=float))
    for count, one, other in zip(counts, low, high, strict=True):
        wanted = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
        assert one == pytest.approx(wanted, rel=1e-9)
        assert other == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-9)


def test_the_interval_of_ten_views_is_the_published_one() -> None:
    """Garwood's interval of 10 is 4.795 to 18.390, and of none 0 to 3.689."""
    low, high = _reach.garwood(np.array([0.0, 10.0]))
    assert [round(float(end), 3) for end in (*low, *high)] == [0.0, 4.795, 3.689, 18.39]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30))
def test_the_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """Spearman's, also where many values are equal; None where one of the two is constant."""
    x, y = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    ours = _reach.spearman(x, y)
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert ours is None
    else:
        assert ours == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_the_interval_of_the_correlation_holds_what_it_promises() -> None:
    """In 300 simulations of 40 people with few claims each, about 95 % of intervals hold."""
    rng = np.random.default_rng(5)

    def draw(n: int) -> tuple[Any, Any, Any]:
        standing = rng.normal(size=n)
        claims = 1 + rng.poisson(3, size=n)
        talent = 0.6 * standing + 0.8 * rng.normal(size=n)
        return standing, rng.binomial(claims, 1 / (1 + np.exp(-talent))), claims

    reach, right, claims = draw(200_000)
    truth = stats.spearmanr(reach, right / claims).statistic
    held = 0
    for _ in range(300):
        reach, right, claims = draw(40)
        r = _reach.spearman(reach, right / claims)
        low, high = _reach._bounds(r, 40)
        held += low <= truth <= high
    assert 275 <= held <= 297


def test_the_correlation_is_of_those_who_have_both() -> None:
    """Others have a row, and no part in it."""
    rng = np.random.default_rng(1)
    reach = {one: int(rng.integers(100)) for one in range(30)}
    record = {one: list(rng.random(5) < one / 40) for one in range(10, 40)}
    found = reach_and_accuracy(reach, record)
    both = [row for row in rows(found) if row["reach"] is not None and row["n"]]
    wanted = stats.spearmanr([row["reach"] for row in both], [row["accuracy"] for row in both])
    assert found.compared == len(both) == 20
    assert found.correlation == pytest.approx(wanted.statistic)
    assert found.low < found.correlation < found.high


def test_there_is_no_column_that_joins_the_two() -> None:
    """Every number is of reach or of accuracy, and `top` takes one of the two."""
    found = reach_and_accuracy({1: 5, 2: 3}, {1: [False], 2: [True]})
    assert found.frame.columns == COLUMNS
    assert found.top(1)["customer"].to_list() == [1]
    assert found.top(1, by="accuracy")["customer"].to_list() == [2]


def test_a_ranking_brings_its_interval_and_its_parameters() -> None:
    """Sampled betweenness has low and high; the strength of ties has none."""
    network = nx.karate_club_graph()
    record = {one: [one % 2 == 0] * 3 for one in network}
    ranking = rank(network, method="betweenness", sources=10)
    found = reach_and_accuracy(ranking, record)
    for row in rows(found):
        assert row["reach"] == ranking[row["customer"]]
        assert row["reach_low"] <= row["reach"] <= row["reach_high"]
    assert found.parameters["reach"]["sources"] == 10
    plain = reach_and_accuracy(rank(network, method="strength_in"), record)
    assert "reach has no interval" in plain.notes[0]
    assert plain.frame.schema["reach_low"] == pl.Float64


def test_records_of_every_engine_give_the_same() -> None:
    """Verdicts may be truth values or 1 and 0, of Polars, pandas, Arrow and DuckDB."""
    reach = {"ana": 4, "ben": 2, "cem": 1}
    table = pl.DataFrame(
        {"customer": ["ana", "ben", "ana", "ben", None], "right": [True, False, False, None, True]}
    )
    wanted = rows(reach_and_accuracy(reach, table))
    assert [(row["right"], row["n"]) for row in wanted] == [(1, 2), (0, 1), (0, 0)]
    numbers = table.with_columns(pl.col("right").cast(pl.Int8))
    arrow = numbers.to_arrow()
    objects = pd.DataFrame(table.to_dict(as_series=False))
    assert objects["right"].dtype == object
    floats = pd.DataFrame(numbers.to_dict(as_series=False))
    lazy = duckdb.connect().from_arrow(arrow)
    for given_as in (table.lazy(), numbers, arrow, objects, floats, lazy):
        found = reach_and_accuracy(reach, given_as)
        assert rows(found) == wanted
        assert found.notes[:2] == (
            "1 claims that nobody has judged do not count",
            "1 claims of nobody (customer is null) do not count",
        )
    for table in (floats, nw.from_native(floats).lazy()):
        assert isinstance(reach_and_accuracy(reach, table).frame, pd.DataFrame)


def test_nothing_gives_an_empty_table() -> None:
    """No reach and no record is no rows, no correlation, and typed columns."""
    found = reach_and_accuracy({}, {})
    assert found.frame.shape == (0, len(COLUMNS))
    assert (found.correlation, found.low, found.compared) == (None, None, 0)
    assert rows(reach_and_accuracy({}, {1: [True]}))[0]["reach"] is None


def test_one_order_throughout_has_no_interval() -> None:
    """A correlation of 1 would have an interval without width, so there is none."""
    found = reach_and_accuracy(
        {one: one for one in range(12)},
        {one: [True] * one + [False] * (12 - one) for one in range(12)},
    )
    assert (found.correlation, found.low) == (1.0, None)
    assert "one order throughout" in found.notes[-1]


@pytest.mark.parametrize(
    ("reach", "record", "options", "error", "match"),
    [
        ({1: -1}, {}, {"counts": True}, InvalidParameter, "no counts"),
        ({1: 0.5}, {}, {"counts": True}, InvalidParameter, "no counts"),
        ({1: math.inf}, {}, {}, InvalidParameter, "finite"),
        ({1: None}, {}, {}, InvalidParameter, "1 values of reach are missing"),
        ({1: "many"}, {}, {}, InvalidParameter, "numbers"),
        ({1: 1}, {1: [2]}, {}, InvalidParameter, "right or not"),
        ({1: 1}, {1: True}, {}, InvalidParameter, "a list"),
        ({1: 1}, {"1": [True]}, {}, InvalidParameter, "ids of record are texts"),
        ({1: 1}, {}, {"counts": 1}, InvalidParameter, "counts"),
        ({1: 1}, pl.DataFrame({"customer": [1], "right": [2]}), {}, InvalidTable, "0 and 1"),
        ({1: 1}, pl.DataFrame({"customer": [1], "right": ["y"]}), {}, InvalidTable, "truth values"),
        ({1: 1}, pl.DataFrame({"customer": [1], "won": [1]}), {}, InvalidTable, "'right'"),
        (
            pl.DataFrame({"customer": [1], "value": [1], "low": [2], "high": [3]}),
            {},
            {},
            InvalidParameter,
            "low <= value",
        ),
        (
            pl.DataFrame({"customer": [1], "value": [1], "low": [0], "high": [3]}),
            {},
            {"counts": True},
            InvalidParameter,
            "of its own",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(
    reach: Any, record: Any, options: dict[str, Any], error: Any, match: str
) -> None:
    """Each error says what is wrong."""
    with pytest.raises(error, match=match):
        reach_and_accuracy(reach, record, **options)


def test_customers_that_pandas_keeps_as_floats_are_integers() -> None:
    """Integer customers beside a null in pandas are as in Polars, with the same note."""
    columns = {"customer": [1, 1, None, 2], "right": [True, False, True, True]}
    wanted, found = (
        reach_and_accuracy({1: 5, 2: 3}, kind(columns)) for kind in (pl.DataFrame, pd.DataFrame)
    )
    assert found.notes == wanted.notes
    assert found.frame["n"].tolist() == wanted.frame["n"].to_list() == [2, 1]
    assert found.frame["customer"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("reach", "record"),
    [
        ({"ana": 1}, {"ana": np.array([[True], [False]])}),
        ({"ana": 1}, {"ana": np.array([[True, False]])}),
        ({"ana": 1}, {"ana": [[True]]}),
        ({"ana": np.array([1.0, 2.0])}, {}),
        ({"ana": np.array([1.0])}, {}),
        ({"ana": "1"}, {}),
        ({"ana": 10**400}, {}),
    ],
)
def test_arrays_where_numbers_belong_are_refused(reach: Any, record: Any) -> None:
    """Nested arrays, texts and numbers beyond all floats are errors of ours."""
    with pytest.raises(InvalidParameter):
        reach_and_accuracy(reach, record)


def test_verdicts_of_numpy_are_verdicts() -> None:
    """Truth values and numbers of numpy count as those of Python."""
    for values in (np.array([True, False]), np.array([1, 0]), np.array([1.0, 0.0])):
        found = reach_and_accuracy({"ana": 1}, {"ana": values}).frame
        assert (found["right"].item(), found["n"].item()) == (1, 2)


def test_parameters_name_reach_and_record() -> None:
    """Another reach, or another record, has other parameters."""
    made = [
        dict(reach_and_accuracy(reach, {"ana": record}).parameters)
        for reach, record in (({"ana": 1}, [True]), ({"ana": 2}, [True]), ({"ana": 1}, [False]))
    ]
    assert made[0] != made[1]
    assert made[0] != made[2]
