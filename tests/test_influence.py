"""Rankings and brokers: equal to networkx, to published values, and honest when sampled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, get_args

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import _compiled, _neighbourhoods, _paths, _walks
from scrmkit.errors import InvalidParameter, NotConverged, UnknownCustomer
from scrmkit.graph import SocialGraph
from scrmkit.influence import Method, brokers, rank
from scrmkit.testing.strategies import graphs


METHODS = [name for name in get_args(Method) if name != "personalized_pagerank"]
TIGHT = {"tol": 1e-13, "max_iter": 1_000}


@st.composite
def networks(draw: st.DrawFn, **options: Any) -> nx.Graph[Any]:
    """A small graph whose distances, 1 over the weight, add up exactly in binary."""
    network = draw(graphs(weighted=False, max_nodes=12, **options))
    for a, b in network.edges:
        weight = draw(st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]))
        network.edges[a, b].update(weight=weight, length=1 / weight)
    return network


def agree(ours: Mapping[Any, float], theirs: Mapping[Any, float]) -> None:
    """Both have the same customers and the same values to 1e-9."""
    assert set(ours) == set(theirs)
    for customer, value in theirs.items():
        assert ours[customer] == pytest.approx(value, abs=1e-9)


@given(networks(loops=True), st.sampled_from([0.0, 0.5, 0.85]))
def test_pagerank_is_that_of_networkx(network: nx.Graph[Any], damping: float) -> None:
    """PageRank equals networkx, with customers that point to nobody and without ties."""
    agree(rank(network, damping=damping), nx.pagerank(network, alpha=damping, **TIGHT))


@given(networks(min_nodes=1), st.data())
def test_personalized_pagerank_is_that_of_networkx(network: nx.Graph[Any], data: Any) -> None:
    """New starts by a mapping equal networkx; a list of ids is a mapping of ones."""
    starts = data.draw(
        st.dictionaries(st.sampled_from(list(network)), st.sampled_from([1.0, 2.5]), min_size=1)
    )
    ours = rank(network, method="personalized_pagerank", personalization=starts)
    agree(ours, nx.pagerank(network, personalization=starts, **TIGHT))
    ours = rank(network, method="personalized_pagerank", personalization=list(starts))
    agree(ours, nx.pagerank(network, personalization=dict.fromkeys(starts, 1), **TIGHT))


@given(networks())
def test_betweenness_is_that_of_networkx(network: nx.Graph[Any]) -> None:
    """Betweenness counts steps; with a weight, distances of 1 over it."""
    agree(rank(network, method="betweenness"), nx.betweenness_centrality(network))
    if network.edges:
        ours = rank(network, method="betweenness", weight="weight")
        agree(ours, nx.betweenness_centrality(network, weight="length"))


@given(networks(loops=True))
def test_closeness_is_that_of_networkx(network: nx.Graph[Any]) -> None:
    """Closeness counts steps towards a customer; with a weight, distances of 1 over it."""
    agree(rank(network, method="closeness"), nx.closeness_centrality(network))
    if network.edges:
        ours = rank(network, method="closeness", weight="weight")
        agree(ours, nx.closeness_centrality(network, distance="length"))


@given(networks(loops=True))
def test_core_is_that_of_the_simple_graph(network: nx.Graph[Any]) -> None:
    """In a core a pair counts once, whichever way it is tied, and loops do not count."""
    simple = nx.Graph(network)
    simple.remove_edges_from(nx.selfloop_edges(simple))
    agree(rank(network, method="core"), nx.core_number(simple))


@given(networks())
def test_strength_is_the_weighted_degree(network: nx.Graph[Any]) -> None:
    """Strength sums weights: all, those that come in, those that go out."""
    agree(rank(network, method="strength"), dict(network.degree(weight="weight")))
    directed = network.to_directed()
    agree(rank(network, method="strength_in"), dict(directed.in_degree(weight="weight")))
    agree(rank(network, method="strength_out"), dict(directed.out_degree(weight="weight")))


@given(networks())
def test_hubs_and_authorities_are_the_limit_of_their_iteration(network: nx.Graph[Any]) -> None:
    """Hubs and authorities are where repeated mutual scoring from equal scores ends."""
    matrix = nx.to_numpy_array(network) if len(network) else np.zeros((0, 0))
    for method, once in (("hubs", matrix @ matrix.T), ("authorities", matrix.T @ matrix)):
        often = once
        for _ in range(30):  # thirty squarings are a thousand million iterations
            often = often @ often
            often = often / (often.max(initial=0) or 1)
        scores = often @ np.ones(len(network))
        wanted = scores / (scores.sum() or 1)
        ours = rank(network, method=method)
        for customer, value in enumerate(wanted):
            assert ours[customer] == pytest.approx(value, abs=1e-6)


def test_hubs_of_a_larger_graph_are_those_of_networkx() -> None:
    """Above 200 customers the sparse computation equals networkx."""
    network = nx.gnp_random_graph(300, 0.05, seed=3, directed=True)
    hubs, authorities = nx.hits(network, tol=1e-14)
    agree(rank(network, method="hubs"), hubs)
    agree(rank(network, method="authorities"), authorities)
    assert rank(nx.star_graph(300), method="hubs")[0] == pytest.approx(0.5)


@given(networks(min_nodes=1))
def test_brokers_are_those_of_networkx(network: nx.Graph[Any]) -> None:
    """Constraint and effective size, weighted, equal networkx on both directions together."""
    frame = brokers(network).frame
    if network.is_directed():
        network = SocialGraph.of(network).undirected().to_networkx()
    constraint = nx.constraint(network, nodes=list(network), weight="weight")
    size = nx.effective_size(network, nodes=list(network), weight="weight")
    for row in frame.iter_rows(named=True):
        customer = row["customer"]
        if math.isnan(constraint[customer]):
            others = ("constraint", "effective_size", "efficiency", "rank")
            assert [row[name] for name in others] == [None] * 4
            continue
        assert row["constraint"] == pytest.approx(constraint[customer])
        assert row["effective_size"] == pytest.approx(size[customer], abs=1e-9)
        neighbours = len(set(nx.all_neighbors(network, customer)))
        assert row["efficiency"] == pytest.approx(size[customer] / neighbours, abs=1e-9)
    ranks = [one for one in frame["rank"].to_list() if one is not None]
    assert ranks == sorted(ranks)


def test_brokers_in_portions_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going through the triangles in small portions gives the same numbers."""
    network = nx.les_miserables_graph()
    with _compiled.switched_off():
        wanted = brokers(network).frame
        monkeypatch.setattr(_neighbourhoods, "STATE", 50)
        found = brokers(network).frame
    assert found["customer"].equals(wanted["customer"])
    np.testing.assert_allclose(found["constraint"], wanted["constraint"])
    np.testing.assert_allclose(found["effective_size"], wanted["effective_size"])


def test_published_pagerank() -> None:
    """The example of Wikipedia's article on PageRank, to the decimals it prints."""
    links = {"B": "C", "C": "B", "D": "AB", "E": "BDF", "F": "BE", "G": "BE", "H": "BE"}
    links |= {"I": "BE", "J": "E", "K": "E"}
    ranking = rank(nx.DiGraph([(page, to) for page, ends in links.items() for to in ends]))
    printed = {"A": 3.3, "B": 38.4, "C": 34.3, "D": 3.9, "E": 8.1, "F": 3.9, "G": 1.6}
    assert {name: round(100 * ranking[name], 1) for name in printed} == printed


def test_published_centralities_of_the_kite() -> None:
    """Krackhardt (1990): Diane has most ties, Fernando and Garth are closest, Heather between."""
    kite = nx.krackhardt_kite_graph()
    diane, fernando, garth, heather = 3, 5, 6, 7
    assert rank(kite, method="strength")[diane] == 6
    closeness = rank(kite, method="closeness")
    assert list(closeness)[:2] == [fernando, garth]
    assert round(closeness[garth], 3) == 0.643
    between = rank(kite, method="betweenness")
    assert between[heather] * 36 == pytest.approx(14)
    assert round(between[garth] * 36, 2) == 8.33


def test_published_effective_size() -> None:
    """Burt (1992), as redrawn by Borgatti (1997): 6 contacts with 4 ties among them, 4.67."""
    network = nx.star_graph(6)
    network.add_edges_from([(1, 2), (2, 4), (4, 6), (5, 6)])
    row = brokers(network).frame.filter(pl.col("customer") == 0)
    assert round(row["effective_size"].item(), 2) == 4.67
    assert round(row["efficiency"].item(), 2) == 0.78


def test_published_cores_of_the_karate_club() -> None:
    """The innermost core of Zachary's karate club is a 4-core of ten."""
    ranking = rank(nx.karate_club_graph(), method="core")
    assert [customer for customer in ranking if ranking[customer] == 4] == [
        *(0, 1, 2, 3, 7, 8, 13, 30, 32, 33)
    ]


@pytest.mark.parametrize("method", METHODS)
@given(network=networks(), seed=st.randoms(use_true_random=False))
def test_other_names_give_the_same_numbers(
    method: Method, network: nx.Graph[Any], seed: Any
) -> None:
    """Whoever is renamed keeps the numbers, and the order of edges does not matter."""
    names = [f"p{number}" for number in seed.sample(range(100), len(network))]
    edges = list(network.edges(data=True))
    renamed = type(network)()
    renamed.add_nodes_from(names)
    renamed.add_edges_from((names[a], names[b], d) for a, b, d in seed.sample(edges, len(edges)))
    ours, theirs = rank(network, method=method), rank(renamed, method=method)
    for customer, name in enumerate(names):
        assert ours[customer] == pytest.approx(theirs[name], abs=1e-9)


@given(networks(), st.sampled_from(METHODS))
def test_order_and_ranks(network: nx.Graph[Any], method: Method) -> None:
    """Rows fall in value, equal values share a rank and are in order of id."""
    frame = rank(network, method=method).frame
    rows = list(zip(frame["customer"], frame["value"], frame["rank"], strict=True))
    near = 1e-9 * max((value for _, value, _ in rows), default=0)
    for number, ((a, high, first), (b, low, second)) in enumerate(pairwise(rows), start=2):
        if high - low <= near:
            assert first == second
            assert a < b
        else:
            assert high > low
            assert second == number


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_small_graphs(method: Method, kind: type[nx.Graph[Any]]) -> None:
    """Nobody gives an empty ranking; one alone is ranked first, with 1 or 0."""
    assert dict(rank(kind(), method=method)) == {}
    alone = kind()
    alone.add_node("ana")
    assert dict(rank(alone, method=method)) == {"ana": 1.0 if method == "pagerank" else 0.0}


def test_brokers_of_an_empty_graph() -> None:
    """Nobody brokers where there is nobody."""
    assert brokers(nx.Graph()).frame.height == 0


@pytest.mark.parametrize("method", METHODS)
def test_negative_weights_are_refused(method: Method) -> None:
    """No ranking is made of negative weights."""
    network = nx.Graph()
    network.add_edge("ana", "ben", weight=-1.0)
    with pytest.raises(InvalidParameter, match="negative"):
        rank(network, method=method)
    with pytest.raises(InvalidParameter, match="negative"):
        brokers(network)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "fame"}, "no 'fame' among the measures.*pagerank"),
        ({"personalization": [0]}, "goes with"),
        ({"method": "personalized_pagerank"}, "goes with"),
        ({"method": "personalized_pagerank", "personalization": []}, "more than 0"),
        ({"method": "personalized_pagerank", "personalization": {0: -1}}, "at least 0"),
        ({"damping": 1}, "below 1"),
        ({"damping": -0.1}, "damping must be"),
        ({"method": "personalized_pagerank", "personalization": 0}, "of type int: give a list"),
        ({"method": "personalized_pagerank", "personalization": "ana"}, "of type str: give a list"),
        ({"method": "closeness", "sources": 0}, "sources"),
        ({"method": "closeness", "sources": 2.5}, "sources must be a whole number"),
        ({"method": "closeness", "sources": "a"}, "sources must be a whole number"),
        ({"seed": -1}, "seed must be"),
        ({"seed": "a"}, "seed must be"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    """An option that cannot be is refused with what can."""
    with pytest.raises(InvalidParameter, match=message):
        rank(nx.path_graph(3), **options)


@pytest.mark.parametrize("nobody", [None, ["ana"], 1.5])
def test_personalization_wants_ids(nobody: Any) -> None:
    """A walk cannot start at something that cannot be an id."""
    with pytest.raises(UnknownCustomer):
        rank(nx.path_graph(3), method="personalized_pagerank", personalization=[nobody])


def test_huge_weights_of_new_starts_are_shares_all_the_same() -> None:
    """Only what new starts weigh against each other matters, also near the largest number."""
    for weight in (1.0, 1e308):
        ranking = rank(
            nx.path_graph(3),
            method="personalized_pagerank",
            personalization={0: weight, 2: weight},
        )
        assert ranking[0] == pytest.approx(ranking[2])
        assert sum(ranking.values()) == pytest.approx(1)


def test_a_loop_counts_once_in_strength() -> None:
    """An undirected tie with oneself counts once, unlike in networkx."""
    network = nx.Graph([(1, 1, {"weight": 2.0}), (1, 2, {"weight": 1.0})])
    assert rank(network, method="strength")[1] == 3
    assert network.degree(1, weight="weight") == 5


def test_personalization_knows_its_customers() -> None:
    """A walk cannot start at somebody who is not in the graph."""
    with pytest.raises(UnknownCustomer):
        rank(nx.path_graph(3), method="personalized_pagerank", personalization=[7])


def test_steps_alone_reach_what_the_solver_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the solver gives up, PageRank is reached step by step, equal to 1e-10."""
    network = nx.gnp_random_graph(60, 0.05, seed=1, directed=True)
    solved = dict(rank(network))
    monkeypatch.setattr(_walks, "_MOST_SOLVED", 0)
    agree(rank(network), solved)


def test_a_walk_that_does_not_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """PageRank that does not reach its tolerance is an error, not a number."""
    monkeypatch.setattr(_walks, "_MOST_SOLVED", 0)
    monkeypatch.setattr(_walks, "_MOST_STEPS", 3)
    with pytest.raises(NotConverged, match="smaller damping"):
        rank(nx.gnp_random_graph(30, 0.1, seed=1, directed=True), damping=0.999)


SAMPLED = {
    "tree": nx.random_labeled_tree(150, seed=5),
    "social": nx.barabasi_albert_graph(200, 3, seed=5),
    "in pieces": nx.gnp_random_graph(150, 0.012, seed=5),
    "directed": nx.gnp_random_graph(150, 0.02, seed=5, directed=True),
}


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("method", ["betweenness", "closeness"])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_sampled_values_are_within_their_bounds(
    name: str, method: Method, weight: str | None
) -> None:
    """What is exact lies between low and high for at least 95 % of all customers."""
    graph = SocialGraph.of(SAMPLED[name])
    exact = rank(graph, method=method, weight=weight)
    outside = 0
    for seed in range(5):
        frame = rank(graph, method=method, weight=weight, sources=40, seed=seed).frame
        truth = np.array([exact[customer] for customer in frame["customer"]])
        assert (frame["low"] <= frame["value"] + 1e-12).all()
        assert (frame["value"] <= frame["high"] + 1e-12).all()
        low, high = frame["low"].to_numpy(), frame["high"].to_numpy()
        outside += int(np.count_nonzero((truth < low - 1e-9) | (truth > high + 1e-9)))
    assert outside <= 0.05 * 5 * len(graph)


def test_more_sources_say_more() -> None:
    """Intervals get narrower with sources, and all sources are exact."""
    graph = SocialGraph.of(SAMPLED["social"])
    widths = []
    for sources in (20, 80, 200):
        result = rank(graph, method="betweenness", sources=sources)
        widths.append((result.frame["high"] - result.frame["low"]).mean())
    assert widths[0] > widths[1] > widths[2] == 0
    assert result.parameters["exact"]


def test_a_sample_is_drawn_by_its_seed() -> None:
    """The same seed gives the same sample; parameters say how it was drawn."""
    graph = SocialGraph.of(SAMPLED["social"])
    one, two = (rank(graph, method="closeness", sources=30, seed=4) for _ in range(2))
    assert one.frame.equals(two.frame)
    assert not one.frame.equals(rank(graph, method="closeness", sources=30, seed=5).frame)
    assert one.parameters["sources"] == 30
    assert one.parameters["confidence"] == 0.95
    assert one.parameters["seed"] == 4


def test_interval_is_that_of_coins() -> None:
    """The bound for a mean of 0 is known in closed form: 1 - (2 / error) ** (-1 / k)."""
    from scrmkit._bounds import mean_interval

    low, high = mean_interval(np.array([0.0, 1.0, 0.3]), 50, 0.05)
    edge = 1 - 40 ** (-1 / 50)
    assert low[:2] == pytest.approx([0, 1 - edge])
    assert high[:2] == pytest.approx([edge, 1])
    assert low[2] < 0.3 < high[2]


def test_wide_and_narrow_frontiers_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of matrices and arc by arc give the same betweenness."""
    graph = SocialGraph.of(SAMPLED["directed"])
    results = []
    for narrow in (1e-9, 1e9):
        monkeypatch.setattr(_paths, "_NARROW", narrow)
        with _compiled.switched_off():
            results.append(dict(rank(graph, method="betweenness")))
    agree(results[0], results[1])


def test_ties_in_and_tables_out() -> None:
    """Ties of pandas give a ranking in pandas, whose parameters say what it is."""
    ties = pd.DataFrame({"a": ["x", "x"], "b": ["y", "z"], "strength": [2.0, 1.0]})
    ranking = rank(ties, method="strength")
    assert isinstance(ranking.frame, pd.DataFrame)
    assert ranking.frame["customer"].tolist() == ["x", "y", "z"]
    assert ranking.parameters == {
        "method": "strength",
        "weight": "strength",
        "customers": 3,
        "ties": 2,
    }
    assert isinstance(brokers(ties).frame, pd.DataFrame)


def test_new_starts_by_another_ranking() -> None:
    """A ranking says where walks start anew just as the dictionary of it does."""
    network = nx.karate_club_graph()
    starts = rank(network, method="strength")
    one, two = (
        rank(network, method="personalized_pagerank", personalization=given_as)
        for given_as in (starts, dict(starts))
    )
    assert dict(one) == dict(two)
