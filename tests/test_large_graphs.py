"""Graphs by joins: equal to the sparse form and to networkx, on every engine that holds tables."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scrmkit as sk
from engines import Engine, find
from scrmkit import influence, relationships
from scrmkit.errors import InvalidParameter, InvalidTable, NotConverged
from scrmkit.graph import SocialGraph
from scrmkit.large_graphs import connected_components, label_propagation, pagerank
from scrmkit.results import Result


HELD = ["Polars", "Polars lazy", "pandas", "pyarrow", "DuckDB"]
rank = partial(pagerank, damping=0.2)  # needs few rounds
FUNCTIONS = (rank, connected_components, label_propagation)
CIRCLE = [
    (1, 3, 5), (1, 4, 5), (1, 5, 2), (2, 7, 6), (2, 8, 5), (3, 7, 5),
    (4, 6, 4), (5, 3, 7), (8, 3, 3), (8, 6, 4), (8, 7, 7),
]  # fmt: skip
EMPTY = {"a": pl.Int64, "b": pl.Int64, "strength": pl.Float64}


def draw_ties(
    *, directed: bool = False, people: int = 120, rows: int = 180, seed: int = 3
) -> pl.DataFrame:
    """Ties with loops, repeated pairs, parts, dead ends and weights of 0, in no order."""
    rng = np.random.default_rng(seed)
    size = 10 ** rng.uniform(-3, 6, rows)
    ends = rng.integers(people, size=(2, rows))
    ends[1, :4] = ends[0, :4]
    ends[:, 4:8] = ends[:, 8:12]
    weights = {"strength": size * (rng.random(rows) > 0.2)}
    if directed:
        weights["strength_ab"] = size * (rng.random(rows) > 0.5)
        weights["strength_ba"] = size * (rng.random(rows) > 0.5)
    return pl.DataFrame({"a": ends[0], "b": ends[1], **weights})


def spell(ties: pl.DataFrame) -> pl.DataFrame:
    """The same ties with texts for ids, in the same order."""
    names = pl.format("customer-{}", pl.col("a", "b").cast(pl.String).str.zfill(6)).name.keep()
    return ties.with_columns(names)


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """A small table of ties, with loops, repeated pairs and weights of 0."""
    one = st.integers(0, 11)
    weight = st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.25])
    rows = draw(st.lists(st.tuples(one, one, weight, weight), max_size=25))
    names = ["a", "b", "strength_ab", "strength_ba"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")
    frame = frame.with_columns(pl.col("a", "b").cast(pl.Int64))
    if draw(st.booleans()):
        return frame
    return frame.select("a", "b", strength="strength_ab")


def values(result: Result) -> dict[Any, Any]:
    """What belongs to each customer."""
    frame = result.frame
    rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    columns = pl.DataFrame(rows)
    assert columns.columns[0] == "customer"
    assert columns["customer"].is_unique().all()
    return dict(columns.iter_rows())


def read(engine: Engine, result: Result) -> dict[Any, Any]:
    """What belongs to each customer, of a result that lives on an engine."""
    assert engine.owns(result.frame)
    return dict(engine.read(result.frame).iter_rows())


def network(ties: pl.DataFrame) -> nx.Graph[Any]:
    """The undirected graph of ties, without loops and without what weighs 0."""
    graph: nx.Graph[Any] = SocialGraph.of(ties).undirected().to_networkx()
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


def pieces(graph: nx.Graph[Any]) -> dict[Any, Any]:
    """The smallest node of the part of a graph that each node is in."""
    return {node: min(part) for part in nx.connected_components(graph) for node in part}


def spread_labels(graph: nx.Graph[Any], most: int = 100) -> tuple[dict[Any, Any], int]:
    """The labels, and after how many rounds, as the docstring says, one after the other."""
    labels = {node: node for node in graph}
    number = 0
    for number in range(1, most + 1):
        moves = {}
        for node in graph:
            votes: dict[Any, float] = defaultdict(float)
            for other in graph[node]:
                votes[labels[other]] += graph[node][other]["weight"]
            largest = max(votes.values(), default=0.0)
            wanted = {label for label, vote in votes.items() if vote >= largest * (1 - 1e-9)}
            if wanted and labels[node] not in wanted:
                moves[node] = min(wanted)
        if not moves:
            break
        for node, label in moves.items():
            waits = label > labels[node] if number % 2 else False
            if number > 20:
                waits = any(other < node for other in graph[node] if other in moves)
            if not waits:
                labels = {**labels, node: label}
    return labels, number


def propagate(graph: nx.Graph[Any]) -> dict[Any, Any]:
    """Communities of label propagation: the connected parts of those who hold one label."""
    labels, _ = spread_labels(graph)
    one_label = graph.copy()
    one_label.remove_edges_from([(a, b) for a, b in graph.edges if labels[a] != labels[b]])
    return pieces(one_label)


def agree(ours: dict[Any, float], theirs: Any, *, apart: float = 1e-9) -> None:
    """Both have the same customers and values that are no further apart."""
    assert set(ours) == set(theirs)
    assert max((abs(ours[one] - theirs[one]) for one in ours), default=0.0) <= apart


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("damping", [0.0, 0.5, 0.85])
def test_pagerank_is_that_of_the_sparse_form(directed: bool, damping: float) -> None:  # noqa: FBT001
    """PageRank by joins equals PageRank of the sparse matrix, dead ends and loops included."""
    ties = draw_ties(directed=directed)
    ours = values(pagerank(ties, damping=damping))
    agree(ours, influence.rank(ties, damping=damping))
    assert math.fsum(ours.values()) == pytest.approx(1)


@settings(max_examples=6)
@given(tables())
def test_pagerank_is_that_of_networkx(ties: pl.DataFrame) -> None:
    """PageRank by joins equals networkx on any small graph."""
    theirs = nx.pagerank(SocialGraph.of(ties).to_networkx(), alpha=0.5, tol=1e-13, max_iter=1_000)
    agree(values(pagerank(ties, damping=0.5)), theirs)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_tolerance_bounds_the_errors(tolerance: float) -> None:
    """All errors together are at most the tolerance, and a larger one takes fewer rounds."""
    ties = draw_ties(directed=True)
    result = pagerank(ties, tolerance=tolerance)
    exact = influence.rank(ties)
    assert sum(abs(value - exact[one]) for one, value in values(result).items()) <= tolerance
    assert result.parameters["rounds"] < 100


def test_undirected_walks_converge_in_few_rounds() -> None:
    """Where ties have no direction PageRank needs half the rounds or fewer."""
    path = pl.DataFrame({"a": range(29), "b": range(1, 30), "strength": 1.0})
    one_way = path.with_columns(strength_ab="strength", strength_ba="strength")
    rounds, more = (pagerank(t, tolerance=1e-4).parameters["rounds"] for t in (path, one_way))
    assert rounds <= more / 2


@settings(max_examples=20)
@given(tables())
def test_components_are_those_of_networkx(ties: pl.DataFrame) -> None:
    """Components equal networkx, and each is called by its smallest id."""
    assert values(connected_components(ties)) == pieces(network(ties))


@pytest.mark.parametrize("ids", ["grow", "any"])
def test_a_long_path_takes_few_rounds(ids: str) -> None:
    """A path of 2,000 customers is one component after a dozen rounds, however it is numbered."""
    path = np.arange(2_000) if ids == "grow" else np.random.default_rng(1).permutation(2_000)
    ties = pl.DataFrame({"a": path[:-1], "b": path[1:], "strength": 1.0})
    result = connected_components(ties)
    assert set(values(result).values()) == {0}
    assert result.parameters["rounds"] <= 13


@settings(max_examples=15)
@given(tables())
def test_labels_spread_as_the_rule_says(ties: pl.DataFrame) -> None:
    """Label propagation equals the rule of its docstring, carried out one by one."""
    assert values(label_propagation(ties)) == propagate(network(ties))


@pytest.mark.parametrize("directed", [False, True])
def test_everybody_is_where_most_of_the_ties_are(directed: bool) -> None:  # noqa: FBT001
    """Settled labels leave nobody with stronger ties to another community than to the own."""
    ties = draw_ties(directed=directed, people=300, rows=900)
    result = label_propagation(ties)
    assert result.parameters["unsettled"] == 0
    community, graph = values(result), network(ties)
    for node in graph:
        inside: dict[Any, float] = defaultdict(float)
        for other in graph[node]:
            inside[community[other]] += graph[node][other]["weight"]
        if inside:
            assert inside[community[node]] >= max(inside.values()) * (1 - 1e-9)
    assert community == propagate(graph)


@pytest.mark.parametrize("left", [range(3), range(3, 6)])
def test_two_sides_do_not_swap_labels_for_ever(left: range) -> None:
    """A complete bipartite graph settles, as one community."""
    pairs = [(a, b) for a in left for b in range(6) if b not in left]
    ties = pl.DataFrame(pairs, schema=["a", "b"], orient="row").with_columns(strength=1.0)
    result = label_propagation(ties)
    assert set(values(result).values()) == {0}
    assert result.parameters["unsettled"] == 0
    assert result.notes == ()


def test_a_label_in_two_places_is_two_communities() -> None:
    """Two groups to whom a customer gave a label, before leaving them, are two communities."""
    groups = [(4, 5, 6), (7, 8, 9)]
    inside = [
        (x, y, 3.0) for one, two, three in groups for x, y in combinations((one, two, three), 2)
    ]
    left = [(1, other, 5.0) for group in groups for other in group]
    ties = pl.DataFrame(
        [*inside, *left, (1, 2, 40.0), (2, 3, 50.0)],
        schema=["a", "b", "strength"],
        orient="row",
    )
    labels, _ = spread_labels(network(ties))
    assert {labels[one] for group in groups for one in group} == {1}
    communities = {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: 4, 7: 7, 8: 7, 9: 7}
    assert values(label_propagation(ties)) == communities


def test_moves_in_a_circle_come_to_an_end() -> None:
    """Customers who would follow each other for ever take turns after 20 rounds, and settle."""
    ties = pl.DataFrame(CIRCLE, schema=["a", "b", "strength"], orient="row")
    labels, rounds = spread_labels(network(ties))
    result = label_propagation(ties)
    assert result.parameters["rounds"] == rounds == 26
    assert result.parameters["unsettled"] == 0
    assert set(labels.values()) == {7}
    assert set(values(result).values()) == {1}


def test_labels_that_have_not_settled_are_told_of() -> None:
    """Where rounds run out, the result says how many customers were still about to move."""
    result = label_propagation(draw_ties(people=300, rows=900), max_iterations=1)
    assert result.parameters["rounds"] == 1
    assert result.parameters["unsettled"] > 0
    assert str(result.parameters["unsettled"]) in result.notes[0]


@pytest.mark.parametrize("name", HELD)
def test_every_engine_gives_the_same(name: str) -> None:
    """Results are of the kind that came in, and equal those of Polars."""
    engine, ties = find(name), spell(draw_ties(people=60, rows=90))
    given_ties = engine.make(ties)
    agree(read(engine, rank(given_ties)), influence.rank(ties, damping=0.2))
    for function in (connected_components, label_propagation):
        assert read(engine, function(given_ties)) == values(function(ties))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "function"), [("Ibis", label_propagation), ("Dask", connected_components)]
)
def test_engines_of_other_engines_give_the_same(name: str, function: Any) -> None:
    """Ties held by Ibis or Dask give what Polars gives."""
    engine, ties = find(name), draw_ties(people=8, rows=12)
    assert read(engine, function(engine.make(ties))) == values(function(ties))


def test_an_engine_that_keeps_no_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knows how an engine keeps tables, the error names those of whom we do."""
    monkeypatch.setattr("scrmkit._shelf._IN_MEMORY", ())
    with pytest.raises(InvalidTable, match="do not run on polars: bring the ties to Polars"):
        connected_components(draw_ties())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_order_of_rows_does_not_matter(function: Any) -> None:
    """The same rows in another order, each pair either way round, give the same."""
    ties = draw_ties()
    other = ties.sample(fraction=1, shuffle=True, seed=5).select(a="b", b="a", strength="strength")
    first, second = values(function(ties)), values(function(other))
    if function is rank:
        agree(first, second, apart=1e-12)
    else:
        assert first == second


@pytest.mark.parametrize("function", FUNCTIONS)
def test_new_names_in_the_same_order_do_not_matter(function: Any) -> None:
    """Where ids get other names in the same order, so do the answers."""
    ties = draw_ties(directed=True)
    names = {number: f"customer-{number:06}" for number in range(1_000)}
    before, after = values(function(ties)), values(function(spell(ties)))
    if function is rank:
        agree({names[one]: value for one, value in before.items()}, after, apart=1e-12)
    else:
        assert {names[one]: names[label] for one, label in before.items()} == after


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_ties_give_no_rows(function: Any, name: str) -> None:
    """An empty table gives an empty table of the same kind."""
    engine = find(name)
    result = function(engine.make(pl.DataFrame(schema=EMPTY)))
    assert read(engine, result) == {}
    assert result.parameters["customers"] == 0


@pytest.mark.parametrize("name", HELD)
def test_ties_that_weigh_nothing_leave_everybody_alone(name: str) -> None:
    """Customers whose ties weigh 0, or who are tied with themselves alone, are all there."""
    engine = find(name)
    ties = pl.DataFrame({"a": [1, 5, 7], "b": [2, 5, 8], "strength": [0.0, 2.0, 0.0]})
    alone = {one: one for one in (1, 2, 5, 7, 8)}
    assert read(engine, connected_components(engine.make(ties))) == alone
    assert read(engine, label_propagation(engine.make(ties))) == alone


@pytest.mark.parametrize("function", FUNCTIONS)
def test_large_integers_stay_as_they_are(function: Any) -> None:
    """Ids that floats cannot hold come back exactly, also from pandas."""
    first = 2**62 + 1
    ties = pd.DataFrame({"a": [first, 5], "b": [first + 1, 5], "strength": [1.0, 0.0]})
    assert function(ties).frame["customer"].tolist() == [5, first, first + 1]
    if function is not rank:
        assert function(ties).frame.iloc[:, 1].tolist() == [5, first, first]


def test_results_of_ties_say_what_they_were_made_with() -> None:
    """Ties of a log are taken as they are, and their parameters are kept."""
    acts = [
        {"time": f"2026-03-0{day}T09:00Z", "kind": "message", "source": one, "target": other}
        for day, one, other in ((1, "ana", "ben"), (2, "ben", "ana"), (3, "cy", "dora"))
    ]
    ties = relationships.measure(sk.InteractionLog.from_records(acts))
    result = connected_components(ties)
    assert values(result) == {"ana": "ana", "ben": "ana", "cy": "cy", "dora": "cy"}
    assert result.parameters["graph"]["as_of"] == ties.parameters["as_of"]
    agree(values(rank(ties)), influence.rank(ties, damping=0.2))
    agree(values(rank(ties, weight="n")), influence.rank(ties, weight="n", damping=0.2))


def test_the_largest_come_first_on_request() -> None:
    """`top` orders PageRank by value, ties by id."""
    star = pl.DataFrame({"a": [1, 2, 3], "b": [9, 9, 9], "strength": 1.0})
    assert pagerank(star).top(2)["customer"].to_list() == [9, 1]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("column", "values", "error", "words"),
    [
        ("a", [1, None], InvalidTable, "'a' of the ties has nulls: a tie has two ends"),
        ("b", ["x", "y"], InvalidTable, "all texts or all integers"),
        ("strength", [1.0, None], InvalidTable, "have nulls"),
        ("strength", [1.0, math.nan], InvalidTable, "must be finite"),
        ("strength", [1.0, -math.inf], InvalidTable, "must be finite"),
        ("strength", ["1", "2"], InvalidTable, "String, not a number"),
        ("strength", [1e308, 1e308], InvalidTable, "divide them all by the same"),
        ("strength", [1.0, -1.0], InvalidParameter, "1 ties have a negative weight"),
    ],
)
def test_what_is_no_tie_is_refused(
    function: Any, column: str, values: list[Any], error: type[Exception], words: str
) -> None:
    """Nulls, weights that are not finite or negative, and ids of two types are errors."""
    ties = pl.DataFrame({"a": [1, 2], "b": [2, 3], "strength": [1.0, 1.0]})
    with pytest.raises(error, match=words):
        function(ties.with_columns(pl.Series(column, values, strict=False)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_column_that_is_missing_is_named(function: Any) -> None:
    """A weight that is not there is an error that says what the table has."""
    with pytest.raises(InvalidTable, match="Did you mean 'strength'"):
        function(draw_ties(), weight="strenght")


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (pagerank, {"damping": 1.0}),
        (pagerank, {"damping": -0.1}),
        (pagerank, {"tolerance": 0.0}),
        (pagerank, {"max_iterations": 0}),
        (label_propagation, {"max_iterations": 0}),
    ],
)
def test_options_out_of_range_are_refused(function: Any, options: dict[str, Any]) -> None:
    """Options that cannot be are errors before anything is computed."""
    with pytest.raises(InvalidParameter):
        function(None, **options)


def test_rounds_that_do_not_suffice_are_an_error() -> None:
    """PageRank that has not reached its tolerance says what would help."""
    with pytest.raises(NotConverged, match="allow more, or take a larger tolerance"):
        pagerank(draw_ties(), max_iterations=3)


def test_only_one_row_at_a_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves the engine is one row of counts in each round, however many ties there are."""
    import narwhals.stable.v2 as nw

    rows = []
    collect = nw.LazyFrame.collect

    def count(self: Any, *arguments: Any, **options: Any) -> Any:
        made = collect(self, *arguments, **options)
        rows.append(len(made))
        return made

    ties = find("DuckDB").make(draw_ties(people=6, rows=14))
    monkeypatch.setattr(nw.LazyFrame, "collect", count)
    rounds = sum(function(ties).parameters["rounds"] for function in FUNCTIONS)
    assert set(rows) == {1}
    assert rounds < len(rows) < 3 * rounds


def test_a_duckdb_file_that_can_only_be_read_will_do(tmp_path: Path) -> None:
    """Ties in a file opened for reading are ranked in its own connection."""
    file = str(tmp_path / "ties.duckdb")
    with duckdb.connect(file) as connection:
        connection.execute(
            "CREATE TABLE ties AS SELECT range AS a, 9 AS b, 1.0 AS strength FROM range(5)"
        )
    with duckdb.connect(file, read_only=True) as connection:
        result = pagerank(connection.table("ties"), damping=0.1)
        assert result.top(1)["customer"].fetchall() == [(9,)]
        assert len(result.frame.fetchall()) == 6


def test_a_duckdb_connection_keeps_the_results_alone() -> None:
    """Tables of the rounds are gone; a result outlives the ties, and an error leaves nothing."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE ties AS SELECT 1 AS a, 2 AS b, 1.0 AS strength")
        results = [function(connection.table("ties")) for function in FUNCTIONS]
        connection.execute("DROP TABLE ties")
        assert len(connection.execute("SHOW ALL TABLES").fetchall()) == 3
        assert [len(result.frame.fetchall()) for result in results] == [2, 2, 2]
        assert results[0].frame.filter("customer = 2").fetchall() == [(2, 0.5)]
        with pytest.raises(InvalidParameter):
            rank(connection.sql("SELECT 1 AS a, 2 AS b, -1.0 AS strength"))
        assert len(connection.execute("SHOW ALL TABLES").fetchall()) == 3
