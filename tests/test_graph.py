"""SocialGraph: one fixed form, whatever it was made from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import _sparse, _tables, communities, influence
from scrmkit.errors import InvalidParameter, InvalidTable, UnknownCustomer
from scrmkit.graph import SocialGraph
from scrmkit.results import Result


WEIGHTS = st.floats(1e-250, 1e250) | st.integers(1, 9).map(float)
TEXTS = st.text(min_size=1, max_size=4)


@st.composite
def networks(draw: st.DrawFn) -> nx.Graph[Any]:
    """A networkx graph of any kind, with nodes of one type, some isolated, some loops."""
    nodes = draw(
        st.lists(TEXTS, unique=True, max_size=7)
        | st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=7)
    )
    graph: nx.Graph[Any] = draw(st.sampled_from([nx.Graph, nx.DiGraph]))()
    graph.add_nodes_from(nodes)
    if nodes:
        node = st.sampled_from(nodes)
        graph.add_weighted_edges_from(draw(st.lists(st.tuples(node, node, WEIGHTS), max_size=20)))
    return graph


ROWS = st.lists(
    st.tuples(TEXTS, TEXTS, st.floats(0, 1e6)).filter(lambda row: row[0] != row[1]), max_size=20
)


def table(rows: list[tuple[str, str, float]]) -> pl.DataFrame:
    """A table of ties in Polars."""
    schema = {"a": pl.String, "b": pl.String, "strength": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(networks())
def test_networkx_round_trip(network: nx.Graph[Any]) -> None:
    """What goes through networkx comes back the same, isolated customers and loops included."""
    graph = SocialGraph.from_networkx(network)
    again = graph.to_networkx()
    assert SocialGraph.from_networkx(again) == graph
    assert sorted(again) == sorted(network) == graph.ids.tolist()
    assert again.number_of_edges() == network.number_of_edges() == graph.number_of_ties
    for a, b, weight in network.edges(data="weight"):
        assert again.edges[a, b]["weight"] == pytest.approx(weight, rel=1e-8)


@given(networks())
def test_arrays_cannot_be_written(network: nx.Graph[Any]) -> None:
    """No array of a graph can be changed."""
    graph = SocialGraph.of(network)
    for array in (graph.ids, graph.indptr, graph.indices, graph.weights):
        assert not array.flags.writeable


@given(networks())
def test_matrix_is_that_of_networkx(network: nx.Graph[Any]) -> None:
    """The matrix is the adjacency matrix that networkx makes with nodes in order."""
    matrix = SocialGraph.of(network).matrix()
    if len(network):
        theirs = nx.to_numpy_array(network, nodelist=sorted(network))
        np.testing.assert_allclose(matrix.toarray(), theirs, rtol=1e-8)
    assert (np.diff(matrix.indptr) >= 0).all()
    assert matrix.has_canonical_format


@pytest.mark.parametrize(("arcs", "bits"), [(0, 32), (2**31 - 1, 32), (2**31, 64), (2**33, 64)])
def test_positions_are_as_wide_as_the_graph_needs(arcs: int, bits: int) -> None:
    """Where 32 bits cannot count the arcs, positions have 64."""
    positions = _sparse.narrowed(np.array([0, arcs]))
    assert positions.dtype == f"int{bits}"
    assert positions.tolist() == [0, arcs]


@pytest.mark.parametrize("directed", [False, True])
def test_wide_positions_change_no_number(
    *, monkeypatch: pytest.MonkeyPatch, directed: bool
) -> None:
    """A graph whose positions need 64 bits goes through every function all the same."""
    ends = np.random.default_rng(5).integers(0, 30, (2, 90)).tolist()

    def numbers() -> list[Any]:
        graph = SocialGraph.from_edges(*ends, directed=directed)
        kept = _sparse.narrowed(graph.indptr).dtype
        assert graph.matrix().indices.dtype == kept
        ranks = [
            influence.rank(graph, method=method).frame
            for method in ("pagerank", "hubs", "strength_in", "core", "betweenness", "closeness")
        ]
        return [*ranks, influence.brokers(graph).frame, communities.detect(graph).frame]

    narrow = numbers()
    monkeypatch.setattr(_sparse, "narrowed", lambda positions: positions)
    for one, other in zip(narrow, numbers(), strict=True):
        assert one.equals(other)


def test_a_narrow_matrix_shares_the_memory_of_its_graph() -> None:
    """The weights and the other ends are not copied."""
    graph = SocialGraph.from_edges([1, 2], [2, 3])
    matrix = graph.matrix()
    assert np.shares_memory(matrix.data, graph.weights)
    assert np.shares_memory(matrix.indices, graph.indices)


@given(networks())
def test_undirected_sums_the_directions(network: nx.Graph[Any]) -> None:
    """Both directions of a pair are summed, a loop counts once, and names stay."""
    graph = SocialGraph.of(network)
    dense = graph.matrix().toarray()
    wanted = dense + dense.T - np.diag(np.diag(dense)) if graph.directed else dense
    undirected = graph.undirected()
    assert not undirected.directed
    assert undirected.ids.tolist() == graph.ids.tolist()
    np.testing.assert_allclose(undirected.matrix().toarray(), wanted, rtol=1e-8)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(rows: list[Any], random: Any) -> None:
    """Rows in another order give the same graph to the bit."""
    shuffled = random.sample(rows, len(rows))
    assert SocialGraph.of(table(rows)) == SocialGraph.of(table(shuffled))


@given(ROWS)
def test_engines_give_one_graph(rows: list[Any]) -> None:
    """Polars, lazy Polars, pandas and Arrow tables give the same graph to the bit."""
    frame = table(rows)
    graph = SocialGraph.of(frame)
    for other in (
        frame.lazy(),
        pd.DataFrame({name: frame[name].to_list() for name in frame.columns}).astype(
            {"a": "str", "b": "str", "strength": "float64"}
        ),
        frame.to_arrow(),
        frame.with_columns(pl.col("a").cast(pl.Categorical)),
    ):
        assert SocialGraph.of(other) == graph


def test_duckdb_relation_gives_the_same_graph() -> None:
    """A relation of DuckDB is a table like any other."""
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.connect().sql(
        "select * from (values ('x', 'y', 1.5), ('y', 'z', 2.0)) as ties(a, b, strength)"
    )
    frame = pl.DataFrame({"a": ["x", "y"], "b": ["y", "z"], "strength": [1.5, 2.0]})
    assert SocialGraph.of(relation) == SocialGraph.of(frame)


def test_columns_each_way_make_a_directed_graph() -> None:
    """Where the table has the weight each way, each that is not 0 is an arc."""
    ties = pl.DataFrame(
        {"a": ["x", "x"], "b": ["y", "z"], "strength_ab": [1.0, 0.0], "strength_ba": [2.0, 0.0]}
    )
    graph = SocialGraph.from_ties(ties)
    assert graph.directed
    assert sorted(graph.to_networkx().edges(data="weight")) == [("x", "y", 1.0), ("y", "x", 2.0)]
    assert graph.ids.tolist() == ["x", "y", "z"]


def test_integer_ids_stay_integers() -> None:
    """Integer ids are kept as given and are in their own order."""
    graph = SocialGraph.of(pa.table({"a": [10, -3], "b": [9, 10], "strength": [1, 2]}))
    assert graph.ids.tolist() == [-3, 9, 10]
    assert graph.position(9) == 1


def test_uuids_become_their_text() -> None:
    """A UUID is its text, as in every table, and can be looked up as a UUID."""
    one, two = UUID(int=1), UUID(int=2)
    graph = SocialGraph.from_edges([one], [two])
    assert graph.ids.tolist() == [str(one), str(two)]
    assert graph.position(two) == 1


def test_parallel_ties_are_summed() -> None:
    """Parallel edges of a multigraph, and rows of one pair either way round, are one tie."""
    network: nx.MultiGraph[str] = nx.MultiGraph([("x", "y", {"weight": 2.0}), ("y", "x")])
    graph = SocialGraph.of(network)
    assert graph.weights.tolist() == [3.0, 3.0]
    ties = pl.DataFrame({"a": ["x", "y"], "b": ["y", "x"], "strength": [2.0, 1.0]})
    assert SocialGraph.of(ties) == graph


def test_weights_have_nine_digits() -> None:
    """Weights that agree to nine significant digits are the same weight."""
    graph = SocialGraph.from_edges([1, 1], [2, 3], [0.1 + 0.2, 123456.7890123])
    assert sorted(set(graph.weights.tolist())) == [0.3, 123456.789]


def test_a_tie_of_weight_zero_is_none_but_its_customers_stay() -> None:
    """A tie that weighs 0 is left out; who it named is in the graph."""
    graph = SocialGraph.from_edges([1, 2], [2, 3], [0.0, 1.0])
    assert graph.number_of_ties == 1
    assert len(graph) == 3


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(13, 25), st.sampled_from([0.0, 0.0, 1.5])),
        max_size=20,
    ),
    st.booleans(),
)
def test_rows_of_weight_zero_name_customers_and_nothing_else(
    rows: list[tuple[int, int, float]],
    texts: bool,  # noqa: FBT001 - drawn
) -> None:
    """A table has the ties of its other rows and the customers of all, on every engine."""
    kind: Any = str if texts else int
    ties = pl.DataFrame(
        {
            "a": pl.Series([kind(a) for a, _, _ in rows], dtype=pl.String if texts else pl.Int64),
            "b": pl.Series([kind(b) for _, b, _ in rows], dtype=pl.String if texts else pl.Int64),
            "strength": pl.Series([weight for *_, weight in rows], dtype=pl.Float64),
        }
    )
    counted = ties.filter(pl.col("strength") > 0)
    everybody = {*ties["a"], *ties["b"]}
    expected = SocialGraph.from_edges(*counted, customers=everybody)
    assert SocialGraph.from_ties(ties) == expected
    assert SocialGraph.from_ties(ties.to_pandas()) == expected


def test_a_graph_passes_through() -> None:
    """A SocialGraph is returned as it is, and other weights of it are refused."""
    graph = SocialGraph.from_edges([1], [2])
    assert SocialGraph.of(graph) is graph
    assert SocialGraph.of(graph, weight="weight") is graph
    with pytest.raises(InvalidParameter, match="make it from the ties"):
        SocialGraph.of(graph, weight="strength")


def test_results_carry_their_parameters_along() -> None:
    """What ties were made with, and where they came from, stays with the graph."""
    ties = Result(
        pl.DataFrame({"a": ["x"], "b": ["y"], "strength": [1.0]}),
        parameters={"half_life": 90},
        order="strength",
    )
    graph = SocialGraph.of(ties)
    assert graph.parameters == {"half_life": 90}
    assert graph.home == _tables.Home("polars", lazy=False)


def test_unweighted_counts_every_tie_once() -> None:
    """Without weights every tie counts 1."""
    graph = SocialGraph.from_edges([1, 2], [2, 3], [0.5, 7.0]).unweighted()
    assert graph.weights.tolist() == [1.0] * 4
    assert graph.weight is None


@pytest.mark.parametrize("empty", [nx.Graph(), nx.DiGraph(), table([])])
def test_empty_graphs(empty: Any) -> None:
    """No customers make an empty graph, which goes to networkx and back."""
    graph = SocialGraph.of(empty)
    assert len(graph) == 0
    assert SocialGraph.of(graph.to_networkx()) == graph


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": ["x"], "b": ["y"]}, "no column 'strength'"),
        ({"a": ["x"], "b": ["y"], "strength": ["1"]}, "not a number"),
        ({"a": ["x"], "b": ["y"], "strength": [None]}, "not a number"),
        ({"a": ["x", "x"], "b": ["y", "z"], "strength": [1.0, None]}, "nulls"),
        ({"a": ["x"], "b": ["y"], "strength": [float("nan")]}, "finite"),
        ({"a": ["x"], "b": ["y"], "strength": [1e308]}, "sum of the weights is not a finite"),
        ({"a": ["x"], "b": [None], "strength": [1.0]}, "two ends"),
        ({"a": ["x"], "b": [1], "strength": [1.0]}, "of type int, str"),
        ({"a": [1.5], "b": [2.5], "strength": [1.0]}, "of type float"),
    ],
)
def test_wrong_tables_are_refused(columns: dict[str, list[Any]], message: str) -> None:
    """A table that is no table of ties is refused with the column and the reason."""
    with pytest.raises(InvalidTable, match=message):
        SocialGraph.of(pl.DataFrame(columns))


@pytest.mark.parametrize(
    ("network", "weight", "message"),
    [
        (nx.Graph([("x", 1)]), None, "of type int, str"),
        (nx.Graph([((1, 2), (3, 4))]), None, "of type tuple"),
        (nx.Graph([(1, 2**70)]), None, "64 bits"),
        (nx.Graph([(1, 2, {"n": 1})]), "m", r"the edges have: \['n'\]"),
        (nx.Graph([(1, 2, {"weight": "heavy"})]), None, "must be a number"),
        (nx.Graph([(1, 2, {"weight": float("inf")})]), None, "finite"),
        (nx.Graph([(1, 2, {"weight": 1e308})]), None, "sum of the weights is not a finite"),
    ],
)
def test_wrong_networks_are_refused(network: Any, weight: str | None, message: str) -> None:
    """A networkx graph whose nodes or weights cannot be used is refused with the reason."""
    with pytest.raises(InvalidParameter, match=message):
        SocialGraph.of(network, weight=weight)


def test_columns_of_different_lengths_are_refused() -> None:
    """Every tie needs both ends and its weight."""
    with pytest.raises(InvalidParameter, match="one length"):
        SocialGraph.from_edges([1, 2], [3])


@pytest.mark.parametrize("customer", ["nobody", 1, True])
def test_unknown_customers(customer: Any) -> None:
    """Asking for somebody who is not in the graph says so, without the id in the text."""
    graph = SocialGraph.from_edges(["x"], ["y"])
    with pytest.raises(UnknownCustomer) as caught:
        graph.position(customer)
    assert caught.value.value == customer


def test_equal_graphs_hash_equal() -> None:
    """Graphs with the same ties are equal and have the same hash; others are not equal."""
    one, two = (SocialGraph.from_edges(["x"], ["y"]) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != SocialGraph.from_edges(["x"], ["z"])
    assert one != SocialGraph.from_edges(["x"], ["y"], directed=True)
    assert one != "x"
