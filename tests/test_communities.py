"""Communities: the best known partitions for any seed, and no belief in noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from scrmkit import _nulls
from scrmkit._partitions import Leiden
from scrmkit.communities import Communities, detect
from scrmkit.errors import InvalidParameter, InvalidTable, UnknownCustomer
from scrmkit.graph import SocialGraph
from scrmkit.testing.strategies import graphs


SEEDS = st.integers(0, 2**32)


def untested(graph: Any, **options: Any) -> Communities:
    """Communities without the test of significance."""
    return detect(graph, significance=False, **options)


def groups(found: Communities) -> list[set[Any]]:
    """The communities as sets of customers."""
    return [set(found.members(one)) for one in sorted(set(found.values()))]


def from_gml(path: Path) -> nx.Graph[int]:
    """A graph from a GML file, in which some pairs are listed twice."""
    text = path.read_text().replace("[", "[ multigraph 1 ", 1)
    return nx.Graph(nx.parse_gml(text, label="id"))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("network", "weighted", "best"),
    [
        (nx.karate_club_graph(), False, 0.4198),
        (nx.karate_club_graph(), True, 0.4449),
        (nx.les_miserables_graph(), False, 0.5600),
        (nx.les_miserables_graph(), True, 0.5667),
    ],
)
def test_best_known_modularity(
    network: nx.Graph[Any],
    weighted: bool,  # noqa: FBT001 - a parameter of the test
    best: float,
    seed: int,
) -> None:
    """The best known modularity is found for any seed, to four decimals."""
    graph = SocialGraph.of(network)
    found = untested(graph if weighted else graph.unweighted(), seed=seed)
    assert round(found.modularity, 4) == best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("name", "best"), [("dolphins", 0.5285), ("polbooks", 0.5272), ("football", 0.6046)]
)
def test_best_known_modularity_of_real_data(
    shared_data: Path, name: str, best: float, seed: int
) -> None:
    """As above, on three further graphs with published partitions."""
    network = from_gml(shared_data / "communities" / f"{name}.gml")
    found = untested(SocialGraph.of(network).unweighted(), seed=seed)
    assert round(found.modularity, 4) == best


@given(graphs(min_nodes=1), SEEDS, st.sampled_from([0.5, 1.0, 2.0]))
def test_modularity_is_that_of_networkx(
    network: nx.Graph[Any], seed: int, resolution: float
) -> None:
    """Modularity equals that of networkx for the same partition; 0 without ties."""
    found = untested(network, seed=seed, resolution=resolution)
    both = SocialGraph.of(network).undirected().to_networkx()
    if both.edges:
        theirs = nx.community.modularity(both, groups(found), resolution=resolution)
        assert found.modularity == pytest.approx(theirs, abs=1e-12)
    else:
        assert found.modularity == 0


@given(graphs(), SEEDS)
def test_a_partition_in_order_of_size(network: nx.Graph[Any], seed: int) -> None:
    """Everybody is in one community; numbers go by size, then by first customer."""
    found = untested(network, seed=seed)
    assert list(found) == sorted(network)
    parts = groups(found)
    assert [(-len(part), min(part)) for part in parts] == sorted(
        (-len(part), min(part)) for part in parts
    )
    assert dict(zip(found.frame["customer"], found.frame["community"], strict=True)) == dict(found)


@given(graphs(min_nodes=1), SEEDS)
def test_the_table_of_communities_is_that_of_networkx(network: nx.Graph[Any], seed: int) -> None:
    """Size, ties, density, strength and conductance equal networkx."""
    found = untested(network, seed=seed)
    both = SocialGraph.of(network).undirected().to_networkx()
    for row, part in zip(found.communities.iter_rows(named=True), groups(found), strict=True):
        inside, others = both.subgraph(part), set(both) - part
        assert row["size"] == len(part)
        assert row["ties"] == inside.number_of_edges()
        assert row["density"] == (None if len(part) == 1 else pytest.approx(nx.density(inside)))
        assert row["strength"] == pytest.approx(inside.size(weight="weight"))
        cut = nx.cut_size(both, part, others, weight="weight") if others else 0
        assert row["outside"] == pytest.approx(cut)
        if cut:
            theirs = nx.conductance(both, part, others, weight="weight")
            assert row["conductance"] == pytest.approx(theirs)
        else:
            assert row["conductance"] == 0


@given(graphs(), SEEDS, st.randoms(use_true_random=False))
def test_order_does_not_matter(network: nx.Graph[Any], seed: int, random: Any) -> None:
    """The same graph with edges in another order has the same communities and p-value."""
    shuffled = type(network)()
    shuffled.add_nodes_from(random.sample(list(network), len(network)))
    edges = list(network.edges(data=True))
    shuffled.add_edges_from(random.sample(edges, len(edges)))
    one, two = detect(network, seed=seed), detect(shuffled, seed=seed)
    assert dict(one) == dict(two)
    assert one.p_value == two.p_value


def test_every_engine_gives_the_same_communities() -> None:
    """Ties in Polars, pandas and Arrow give the same communities, each in its own kind."""
    edges = list(nx.les_miserables_graph().edges(data="weight"))
    ties = pl.DataFrame(edges, schema=["a", "b", "strength"], orient="row")
    found = detect(ties, seed=3)
    shuffled = detect(ties.sample(fraction=1, shuffle=True, seed=1).to_pandas(), seed=3)
    assert isinstance(shuffled.frame, pd.DataFrame)
    assert isinstance(shuffled.communities, pd.DataFrame)
    assert dict(found) == dict(shuffled) == dict(detect(ties.to_arrow(), seed=3))
    assert found.p_value == shuffled.p_value


@given(st.integers(-200, 60))
def test_weaker_ties_are_the_same_communities(exponent: int) -> None:
    """When all ties get weaker together, communities stay to the bit."""
    graph = SocialGraph.of(nx.karate_club_graph())
    weaker = graph.to_networkx()
    for _, _, data in weaker.edges(data=True):
        data["weight"] *= 10.0**exponent
    assert dict(untested(weaker, seed=5)) == dict(untested(graph, seed=5))


@given(SEEDS, st.lists(st.integers(-50, 100), unique=True))
def test_customers_without_ties_change_nothing(seed: int, alone: list[int]) -> None:
    """Who has no ties is a community alone, and the communities of the others stay."""
    network = nx.gnm_random_graph(100, 250, seed=3)
    network.remove_nodes_from(list(nx.isolates(network)))
    known = untested(network, seed=seed, trials=1)
    more = nx.Graph(network)
    more.add_nodes_from(alone)
    found = untested(more, seed=seed, trials=1)
    assert {who: found[who] for who in network} == dict(known)
    assert found.modularity == pytest.approx(known.modularity, abs=1e-12)
    assert all(len(found.members(found[who])) == 1 for who in set(alone) - set(network))


def test_directions_are_summed_and_loops_do_not_count() -> None:
    """A directed graph has the communities of its two directions together."""
    network = nx.karate_club_graph()
    directed = nx.DiGraph(network)
    for _, _, data in directed.edges(data=True):
        data["weight"] /= 2
    directed.add_edge(0, 0, weight=1000)
    assert dict(untested(directed)) == dict(untested(network))


def test_planted_communities_are_found_and_significant() -> None:
    """Six planted groups of fifty are found and called significant."""
    for seed in range(2):
        network = nx.planted_partition_graph(6, 50, 0.25, 0.02, seed=seed)
        found = detect(network, seed=seed)
        assert sorted(map(min, groups(found))) == [0, 50, 100, 150, 200, 250]
        assert found.significant
        assert found.p_value == 0.01
        assert "as many ties" in str(found.null)


def test_what_chance_gives_is_far_above_zero() -> None:
    """Noise reaches about the modularity expected of it, and structure more."""
    noise = detect(nx.gnm_random_graph(100, 200, seed=1))
    planted = detect(nx.planted_partition_graph(6, 50, 0.25, 0.02, seed=1))
    for found in (noise, planted):
        assert found.observed is not None
        assert found.expected is not None
    assert noise.expected > 0.4
    assert noise.observed == pytest.approx(noise.expected, abs=0.05)
    assert planted.observed > planted.expected + 0.2


def test_what_is_expected_is_the_median_of_random_graphs() -> None:
    """Half of the random graphs are at least as divided as expected, without weights."""
    network = nx.karate_club_graph()
    source = _nulls.Topology(SocialGraph.of(network).matrix())
    rng = np.random.default_rng(5)
    verdict = _nulls.compare(source, resolution=1.0, count=9, rng=np.random.default_rng(5))
    once = Leiden(trials=1, iterations=2, resolution=1.0)
    assert verdict.observed == once.divide(source.graph(source.left, source.right), rng)
    random = _nulls.rewire(source.left, source.right, table=False, count=9, rng=rng)
    found = [once.divide(source.graph(one.left, one.right), rng) for one in random]
    assert verdict.expected == sorted(found)[4]


def test_noise_is_rarely_called_significant() -> None:
    """Of 50 random graphs no more are called significant than level .05 allows."""
    called = 0
    for seed in range(50):
        network = nx.gnm_random_graph(40, 80, seed=seed)
        verdict = detect(network, seed=seed, trials=1)
        assert verdict.reason is None
        called += bool(verdict.significant)
    assert called <= binom.ppf(0.99, 50, 0.05)


def test_weights_do_not_make_noise_significant() -> None:
    """Weights are left out of the test, so wild ones change no p-value."""
    network = nx.gnm_random_graph(80, 240, seed=1)
    plain = detect(network, seed=1)
    weights = np.random.default_rng(1).lognormal(0, 3, size=240)
    for (_, _, data), weight in zip(network.edges(data=True), weights, strict=True):
        data["weight"] = float(weight)
    assert detect(network, seed=1).p_value == plain.p_value


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (nx.complete_graph(12), "hardly any tie can be swapped"),
        (nx.star_graph(12), "takes graphs apart"),
        (nx.random_labeled_tree(60, seed=1), "takes graphs apart"),
        (nx.empty_graph(4), "no ties"),
        (nx.Graph(), "no ties"),
    ],
)
def test_no_answer_where_rewiring_does_not_work(network: nx.Graph[Any], reason: str) -> None:
    """Complete graphs, stars, trees and graphs without ties have no answer but a reason."""
    found = detect(network)
    assert found.significant is None
    assert found.p_value is None
    assert found.observed is None
    assert found.expected is None
    assert found.null is None
    assert reason in str(found.reason)
    assert found.notes == (found.reason,)


def test_large_graphs_are_tested_on_request() -> None:
    """Above 20,000 ties the test is made when asked for, with 19 random graphs."""
    network = nx.planted_partition_graph(4, 250, 0.16, 0.002, seed=1)
    assert network.number_of_edges() > 20_000
    graph = SocialGraph.of(network)
    found = detect(graph)
    assert found.significant is None
    assert "significance=True" in str(found.reason)
    asked = detect(graph, significance=True)
    assert asked.significant
    assert asked.p_value == 0.05
    assert asked.parameters["random_graphs"] == 19


def davis() -> tuple[nx.Graph[Any], list[str], list[str]]:
    """The women of Davis, Gardner and Gardner (1941), and who was at which event."""
    table = nx.davis_southern_women_graph()
    women = table.graph["top"]
    network = nx.bipartite.collaboration_weighted_projected_graph(table, women)
    pairs = [(woman, event) for woman in women for event in table[woman]]
    return network, [woman for woman, _ in pairs], [event for _, event in pairs]


def test_groups_of_the_southern_women() -> None:
    """The women form the two groups of the literature, more apart than who went where."""
    network, women, events = davis()
    for given_as in ((women, events), pl.DataFrame({"customer": women, "event": events})):
        found = detect(network, events=given_as)
        assert found.significant
        assert "took part in what" in str(found.null)
        assert [len(part) for part in groups(found)] == [9, 9]
    assert {"Evelyn Jefferson", "Laura Mandeville", "Theresa Anderson"} <= groups(found)[0]


def test_ties_bring_their_events_along() -> None:
    """Ties that know who was where are compared with rewired tables."""
    network, women, events = davis()

    class Shared(pl.DataFrame):
        incidence = (women, events)

    edges = list(network.edges(data="weight"))
    ties = Shared(pl.DataFrame(edges, schema=["a", "b", "strength"], orient="row"))
    found = detect(SocialGraph.from_ties(ties))
    assert "took part in what" in str(found.null)


def test_projected_noise_is_rarely_called_significant() -> None:
    """Random tables make cliques of their events, and still are not called significant."""
    called = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        there = rng.random((25, 15)) < 0.2
        people, events = (side.tolist() for side in np.nonzero(there))
        table = nx.Graph((("p", one), ("e", at)) for one, at in zip(people, events, strict=True))
        network = nx.bipartite.projected_graph(table, {("p", one) for one in people})
        network = nx.relabel_nodes(network, {node: node[1] for node in network})
        called += bool(detect(network, seed=seed, trials=1, events=(people, events)).significant)
    assert called <= binom.ppf(0.99, 40, 0.05)


@given(graphs(directed=False, weighted=False, min_nodes=4, max_nodes=12), SEEDS)
def test_rewiring_keeps_everybodys_ties(network: nx.Graph[Any], seed: int) -> None:
    """A rewired graph is simple and everybody has as many ties as before."""
    source = _nulls.Topology(SocialGraph.of(network).matrix())
    degrees = source.graph(source.left, source.right).sum(axis=1)
    rng = np.random.default_rng(seed)
    for random in _nulls.rewire(source.left, source.right, table=False, count=3, rng=rng):
        matrix = source.graph(random.left, random.right)
        assert (matrix.data == 1).all()
        assert not matrix.diagonal().any()
        assert (matrix.sum(axis=1) == degrees).all()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), unique=True, min_size=1), SEEDS)
def test_rewiring_a_table_keeps_its_margins(pairs: list[tuple[int, int]], seed: int) -> None:
    """A rewired table has nobody twice at an event, and the same sums both ways."""
    customers, events = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    rng = np.random.default_rng(seed)
    for random in _nulls.rewire(customers, events, table=True, count=3, rng=rng):
        assert len(set(zip(random.left.tolist(), random.right.tolist(), strict=True))) == len(pairs)
        assert sorted(random.left) == sorted(customers)
        assert sorted(random.right) == sorted(events)


def test_rewiring_reaches_every_graph_alike() -> None:
    """Of the 15 perfect matchings of six people each is drawn about as often."""
    left, right = np.array([0, 2, 4]), np.array([1, 3, 5])
    rng = np.random.default_rng(1)
    seen: dict[Any, int] = {}
    for random in _nulls.rewire(left, right, table=False, count=3000, rng=rng):
        pairs = zip(random.left.tolist(), random.right.tolist(), strict=True)
        drawn = frozenset(frozenset(pair) for pair in pairs)
        seen[drawn] = seen.get(drawn, 0) + 1
    assert len(seen) == 15
    assert max(abs(count - 200) for count in seen.values()) < 5 * 200**0.5


def test_projection_is_that_of_newman() -> None:
    """Common events tie two people by the sum of 1 / (size - 1) (Newman 2001)."""
    network, women, events = davis()
    order = sorted(network)
    numbers = np.array([order.index(woman) for woman in women])
    kinds = sorted(set(events))
    source = _nulls.Attendance(numbers, np.array([kinds.index(event) for event in events]))
    theirs = nx.to_numpy_array(network, nodelist=order)
    np.testing.assert_allclose(source.graph(source.left, source.right).toarray(), theirs)


def test_shown_communities_are_those_of_the_largest() -> None:
    """The first rows shown are the largest communities."""
    found = untested(nx.karate_club_graph())
    assert found.top(2)["size"].to_list() == [12, 11]
    assert found.top(1, by="conductance")["community"].len() == 1
    assert "<td>12</td>" in found._repr_html_()
    assert found.parameters["trials"] == 20
    assert found.parameters["iterations"] == 10


@pytest.mark.parametrize("nobody", [None, 1.5, [1], 2**70, "1"])
def test_what_is_no_id_here_is_in_no_community(nobody: Any) -> None:
    """Something that cannot be an id of the graph is unknown, and no other error."""
    assert nobody not in untested(nx.path_graph(4))


def test_communities_are_read_as_a_dictionary() -> None:
    """A result gives the community of each customer, and knows who is not in it."""
    found = untested(nx.path_graph(4))
    assert 3 in found
    assert 7 not in found
    with pytest.raises(UnknownCustomer):
        found[7]
    with pytest.raises(InvalidParameter, match="numbered from 0"):
        found.members(9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 0}, "above 0"),
        ({"resolution": -1}, "resolution must be"),
        ({"trials": 0}, "trials"),
        ({"trials": 2.5}, "trials must be a whole number of at least 1"),
        ({"trials": "a"}, "trials must be a whole number of at least 1"),
        ({"seed": "a"}, "seed must be a whole number of at least 0"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    """An option that cannot be is refused."""
    with pytest.raises(InvalidParameter, match=message):
        detect(nx.path_graph(3), **options)


def test_negative_weights_are_refused() -> None:
    """Communities are not made of negative weights."""
    with pytest.raises(InvalidParameter, match="negative"):
        detect(nx.Graph([(1, 2, {"weight": -1.0})]))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ((["x"], []), "one length"),
        ((["x"], [None]), "nulls"),
        (([1, "a"], [1, 2]), "customers in the table of events are of type int, str"),
        (([1, 2], [1, "a"]), "events in the table of events are of type int, str"),
        ((["x"], ["x"], ["x"]), "two sequences of one length"),
        ((1, 2), "two sequences of one length"),
        (pl.DataFrame({"customer": ["x"]}), "no column 'event'"),
    ],
)
def test_wrong_events_are_refused(events: Any, message: str) -> None:
    """A table of events that is none is refused with the reason."""
    with pytest.raises(InvalidTable, match=message):
        detect(nx.path_graph(3), events=events)
