"""Brokerage roles: equal to the plain definition, for every form of grouping."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import communities
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph
from scrmkit.influence import Roles, roles
from scrmkit.testing.strategies import graphs


ROLES = ("coordinator", "consultant", "gatekeeper", "representative", "liaison")
OF_THREE = {
    (True, True, True): "coordinator",
    (False, True, False): "consultant",
    (False, False, True): "gatekeeper",
    (True, False, False): "representative",
    (False, False, False): "liaison",
}


def by_definition(network: nx.Graph[Any], groups: dict[Any, Any]) -> dict[Any, dict[str, int]]:
    """Every ordered triple, one by one."""
    tied = network.to_directed().has_edge
    found = {one: dict.fromkeys(ROLES, 0) for one in network}
    for a, v, b in permutations(network, 3):
        if tied(a, v) and tied(v, b) and not tied(a, b):
            one, two, three = groups[a], groups[v], groups[b]
            found[v][OF_THREE[one == two, one == three, two == three]] += 1
    return found


def table(found: Roles) -> dict[Any, dict[str, int]]:
    """The counts of a result by customer."""
    rows = pl.DataFrame(found).rows(named=True)
    return {row["customer"]: {role: row[role] for role in ROLES} for row in rows}


@st.composite
def grouped(draw: st.DrawFn, **options: Any) -> tuple[nx.Graph[Any], dict[Any, int]]:
    """A graph, and a group for each of its customers."""
    network = draw(graphs(loops=True, **options))
    return network, {one: draw(st.integers(0, 2)) for one in network}


@given(grouped(max_nodes=8))
def test_roles_are_those_of_the_definition(case: tuple[nx.Graph[Any], dict[Any, int]]) -> None:
    """Counts equal those of all ordered triples, with and without directions."""
    network, groups = case
    found = roles(network, groups)
    assert table(found) == by_definition(network, groups)
    rows = pl.DataFrame(found).rows(named=True)
    assert all(row["total"] == sum(row[role] for role in ROLES) for row in rows)


def test_roles_are_those_of_the_definition_where_there_are_many_triangles() -> None:
    """So they are in a dense directed graph of five groups."""
    network = nx.gnp_random_graph(25, 0.4, seed=5, directed=True)
    groups = {one: f"team {one % 5}" for one in network}
    assert table(roles(network, groups)) == by_definition(network, groups)


@given(grouped(min_nodes=1, max_nodes=4))
def test_expected_counts_are_the_means_over_all_permutations(
    case: tuple[nx.Graph[Any], dict[Any, int]],
) -> None:
    """They equal the mean over every way to deal out the groups of the others."""
    network, groups = case
    expected = pl.DataFrame(roles(network, groups).expected).rows(named=True)
    for row in expected:
        others = [one for one in network if one != row["customer"]]
        dealt = [
            by_definition(network, {**groups, **dict(zip(others, given, strict=True))})
            for given in permutations([groups[one] for one in others])
        ]
        for role in ROLES:
            mean = np.mean([counts[row["customer"]][role] for counts in dealt])
            assert row[role] == pytest.approx(mean, abs=1e-9)


@given(grouped(max_nodes=7, directed=False))
def test_an_undirected_tie_goes_both_ways(case: tuple[nx.Graph[Any], dict[Any, int]]) -> None:
    """Every triad counts from both ends, so gatekeeper and representative are equal."""
    network, groups = case
    assert table(roles(network, groups)) == table(roles(network.to_directed(), groups))
    for counts in table(roles(network, groups)).values():
        assert counts["gatekeeper"] == counts["representative"]
        assert all(counts[role] % 2 == 0 for role in ("coordinator", "consultant", "liaison"))


@given(grouped(max_nodes=8), st.randoms())
def test_names_of_customers_and_groups_mean_nothing(
    case: tuple[nx.Graph[Any], dict[Any, int]], random: Any
) -> None:
    """Other ids and other names of the same groups give the same counts."""
    network, groups = case
    names = random.sample(range(100, 100 + len(network)), len(network))
    renamed = dict(zip(network, names, strict=True))
    other = nx.relabel_nodes(network, renamed)
    found = table(roles(other, {renamed[one]: f"g{-group}" for one, group in groups.items()}))
    assert found == {renamed[one]: counts for one, counts in table(roles(network, groups)).items()}


def test_groups_are_a_mapping_communities_or_a_table() -> None:
    """All three forms give the same counts, and tables of two engines do."""
    network = nx.karate_club_graph()
    found = communities.detect(network, significance=False)
    wanted = table(roles(network, dict(found)))
    assert table(roles(network, found)) == wanted
    rows = {"customer": list(found), "group": list(found.values())}
    for made in (pl.DataFrame(rows).reverse(), pl.LazyFrame(rows), pd.DataFrame(rows)):
        assert table(roles(network, made)) == wanted


def test_results_go_back_where_the_ties_came_from() -> None:
    """Ties of pandas give a table of pandas; the rows' order means nothing."""
    ties = pd.DataFrame({"a": ["ana", "ben"], "b": ["ben", "cem"], "strength": [1.0, 2.0]})
    groups = {"ana": 1, "ben": 2, "cem": 1}
    found = roles(ties, groups)
    assert isinstance(found.frame, pd.DataFrame)
    assert found.frame["consultant"].tolist() == [0, 2, 0]
    assert roles(ties[::-1], groups).frame.equals(found.frame)


def test_a_customer_without_a_group_is_an_error() -> None:
    """The error says how many; who they are is in its value alone."""
    with pytest.raises(InvalidParameter, match="1 of the 3 customers") as caught:
        roles(nx.path_graph(3), {0: "a", 1: "a"})
    assert caught.value.value == [2]
    with pytest.raises(InvalidParameter, match="1 of the 3 customers"):
        roles(nx.path_graph(3), {0: "a", 1: "a", 2: None})


def test_groups_of_customers_outside_the_graph_are_counted() -> None:
    """They change nothing, and a note says how many there are."""
    found = roles(nx.path_graph(3), dict.fromkeys(range(5), "a"))
    assert found.notes == ("2 customers with a group are not in the graph",)
    assert table(found) == table(roles(nx.path_graph(3), dict.fromkeys(range(3), "a")))


@pytest.mark.parametrize(
    ("groups", "error", "match"),
    [
        ({"0": "a", "1": "a", "2": "a"}, InvalidParameter, "texts and those of the graph"),
        ([1, 2, 3], InvalidParameter, "groups is of type list"),
        (pl.DataFrame({"customer": [0, 1], "team": ["a", "b"]}), InvalidTable, "no column 'group'"),
        (pl.DataFrame({"customer": [0, 0], "group": ["a", "b"]}), InvalidTable, "repeat"),
        (pl.DataFrame({"customer": [0, None], "group": ["a", "b"]}), InvalidTable, "null"),
        ({0: "a", 1: 2, 2: "a"}, InvalidParameter, "groups themselves are of type int, str"),
    ],
)
def test_groups_that_cannot_be_used_are_refused(groups: Any, error: Any, match: str) -> None:
    """Each error says what is wrong."""
    with pytest.raises(error, match=match):
        roles(nx.path_graph(3), groups)


def test_negative_weights_are_refused() -> None:
    """Dislike passes nothing on."""
    with pytest.raises(InvalidParameter, match="1 weights are negative"):
        roles(SocialGraph.from_edges([1], [2], [-1.0], directed=True), {1: 0, 2: 0})


def test_an_empty_graph_gives_no_rows() -> None:
    """Nobody has no roles, and none are expected."""
    found = roles(nx.Graph(), {})
    assert found.frame.shape == (0, 8)
    assert found.expected.shape == (0, 8)


def test_parameters_name_the_grouping() -> None:
    """Another grouping has another digest; the same one in another form has the same."""
    network = nx.path_graph(3)
    one, other = {0: "a", 1: "b", 2: "a"}, {0: "a", 1: "b", 2: "b"}
    rows = pl.DataFrame({"customer": list(one), "group": list(one.values())})
    digests = [roles(network, each).parameters["grouping"] for each in (one, rows, other)]
    assert digests[0] == digests[1] != digests[2]
    assert roles(network, one).parameters["groups"] == 2


def test_parameters_name_the_graph() -> None:
    """Another graph of the same size has other parameters; the order of edges has not."""
    groups = {0: "a", 1: "b", 2: "a", 3: "b"}
    edges = [(0, 1), (1, 2), (2, 3)]
    same, turned, other = (
        dict(roles(nx.Graph(each), groups).parameters)
        for each in (edges, edges[::-1], [(3, 1), (1, 2), (2, 0)])
    )
    assert same == turned != other
