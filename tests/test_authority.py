"""Formal against social authority, and who is tied to us through others: by plain definition."""

from __future__ import annotations

from typing import Any

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph
from scrmkit.influence import hidden_leaders, mediated, rank
from scrmkit.testing.strategies import graphs


def rows(found: Any) -> list[dict[str, Any]]:
    """The rows of a result as dictionaries."""
    return pl.DataFrame(found).rows(named=True)


@st.composite
def charts(draw: st.DrawFn) -> dict[int, int | None]:
    """Who reports to whom, without circles, people in any order."""
    people = draw(st.lists(st.integers(0, 30), unique=True, max_size=12))
    return {one: draw(st.sampled_from([None, *people[:place]])) for place, one in enumerate(people)}


standings = st.dictionaries(st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=15)


@given(charts(), standings)
def test_the_chart_is_read_as_networkx_reads_it(
    chart: dict[int, int | None], standing: dict[int, float]
) -> None:
    """Reports are descendants, levels the way from the top, ranks those of SciPy."""
    tree = nx.DiGraph([(above, one) for one, above in chart.items() if above is not None])
    tree.add_nodes_from(chart)
    found = rows(hidden_leaders(standing, chart))
    assert sorted(row["customer"] for row in found) == sorted({*chart, *standing})
    both = sorted({*chart} & {*standing})
    reports = {one: len(nx.descendants(tree, one)) for one in tree}
    ranks = [
        dict(zip(both, rankdata([-values[one] for one in both]), strict=True))
        for values in (reports, standing)
    ]
    for row in found:
        one = row["customer"]
        assert row["reports"] == reports.get(one)
        assert row["level"] == (len(nx.ancestors(tree, one)) if one in chart else None)
        assert row["social"] == standing.get(one)
        assert row["formal_rank"] == ranks[0].get(one)
        assert row["social_rank"] == ranks[1].get(one)
        if one in both:
            gap = (ranks[0][one] - ranks[1][one]) / max(len(both) - 1, 1)
            assert row["gap"] == pytest.approx(gap)
        else:
            assert row["gap"] is None
    keys = [(row["gap"] is None, -round(row["gap"] or 0.0, 9), row["customer"]) for row in found]
    assert keys == sorted(keys)


@given(charts(), standings, st.randoms())
def test_the_order_of_rows_means_nothing(
    chart: dict[int, int | None], standing: dict[int, float], random: Any
) -> None:
    """Tables in any order give what mappings give, to the digest of the chart."""
    wanted = hidden_leaders(standing, chart)
    people, values = list(chart.items()), list(standing.items())
    random.shuffle(people)
    random.shuffle(values)
    found = hidden_leaders(
        pl.DataFrame(values, schema={"customer": pl.Int64, "value": pl.Float64}, orient="row"),
        pl.DataFrame(people, schema={"customer": pl.Int64, "manager": pl.Int64}, orient="row"),
    )
    assert rows(found) == rows(wanted)
    assert found.parameters == wanted.parameters


def test_a_hidden_and_a_hollow_leader_are_at_the_two_ends() -> None:
    """The one whom all ask and nobody reports to is first, the boss whom nobody asks last."""
    asks = nx.DiGraph([(one, "eva") for one in ("ben", "cem", "dee")] + [("eva", "dee")])
    asks.add_nodes_from(["ana", "fay"])
    chart = {"ana": None, "ben": "ana", "cem": "ben", "dee": "ben", "eva": "cem", "fay": "ana"}
    found = hidden_leaders(rank(asks, method="strength_in"), chart)
    order = [row["customer"] for row in rows(found)]
    assert (order[0], order[-1]) == ("eva", "ana")
    assert found.top(1)["customer"].to_list() == ["eva"]
    assert found.parameters["standing"]["method"] == "strength_in"


def test_a_manager_without_a_row_is_at_the_top() -> None:
    """Only named as a manager, one is in the chart all the same."""
    found = rows(hidden_leaders({1: 1.0, 2: 2.0}, {2: 1}))
    assert [(row["customer"], row["level"], row["reports"]) for row in found] == [
        (2, 1, 0),
        (1, 0, 1),
    ]


def test_a_long_line_of_command_is_read_to_its_end() -> None:
    """Each of 1,000 people has all that are further down."""
    found = rows(hidden_leaders({}, {one: one - 1 for one in range(1, 1_000)}))
    assert [(row["level"], row["reports"]) for row in found] == [
        (one, 999 - one) for one in range(1_000)
    ]


@pytest.mark.parametrize(
    ("chart", "circle"),
    [
        ({1: 1}, {1}),
        ({1: 2, 2: 3, 3: 1, 4: 1, 5: None}, {1, 2, 3}),
        ({9: 8, 8: 7, 7: 6, 6: 7}, {6, 7}),
    ],
)
def test_a_circle_is_an_error_that_names_it(chart: dict[int, int], circle: set[int]) -> None:
    """Its value has those on the circle, not those who report to them."""
    with pytest.raises(InvalidParameter, match=f"a circle of {len(circle)}") as caught:
        hidden_leaders({}, chart)
    assert set(caught.value.value) == circle


def test_people_of_one_of_the_two_are_counted_in_notes() -> None:
    """They have nulls and no part in the ranks."""
    found = hidden_leaders({"ana": 1.0, "zoe": 5.0}, {"ana": None, "ben": "ana"})
    assert found.notes == (
        "1 people of the chart have no standing, so no gap",
        "1 people with a standing are not in the chart, so no gap",
    )
    assert [row["gap"] for row in rows(found)] == [0.0, None, None]


def test_charts_of_every_engine_give_the_same() -> None:
    """Also where pandas keeps the ids of managers as floats, because one is null."""
    table = pl.DataFrame({"customer": [3, 1, 2], "manager": [1, None, 1]})
    standing = {1: 0.5, 2: 0.5, 3: 2.0, 4: 9.0}
    wanted = rows(hidden_leaders(standing, table))
    assert wanted[0]["customer"] == 3
    floats = pd.DataFrame({"customer": [3, 1, 2], "manager": [1, None, 1]})
    assert floats["manager"].dtype == float
    arrow = table.to_arrow()
    connection = duckdb.connect()
    for chart in (table.lazy(), arrow, floats, connection.from_arrow(arrow)):
        assert rows(hidden_leaders(standing, chart)) == wanted
    given_back = hidden_leaders(standing, floats).frame
    assert isinstance(given_back, pd.DataFrame)
    assert given_back["reports"].dtype == "Int64"
    assert isinstance(
        hidden_leaders(standing, connection.from_arrow(arrow)).frame, duckdb.DuckDBPyRelation
    )


def test_ids_of_numpy_are_integers() -> None:
    """A chart with ids of numpy is the chart with the same numbers, to its digest."""
    plain = hidden_leaders({1: 1.0}, {1: None, 2: 1, 3: 1})
    found = hidden_leaders({1: 1.0}, {1: None, np.int64(2): np.int64(1), 3: np.int32(1)})
    assert rows(found) == rows(plain)
    assert found.parameters == plain.parameters


def test_nothing_gives_a_typed_table() -> None:
    """No standing and no chart give no rows."""
    found = hidden_leaders({}, {}).frame
    assert found.shape == (0, 7)
    assert found.schema["reports"] == pl.Int64
    assert found.schema["gap"] == pl.Float64


@pytest.mark.parametrize(
    ("standing", "chart", "error", "match"),
    [
        ({1: 1.0}, {"1": None}, InvalidParameter, "ids of chart are texts"),
        ({1: 1.0}, {1: "boss"}, InvalidParameter, "ids of the managers are texts"),
        ({1: None}, {}, InvalidParameter, "missing"),
        ({}, pl.DataFrame({"customer": [1, 1], "manager": [2, 3]}), InvalidTable, "repeat"),
        ({}, pl.DataFrame({"customer": [1], "boss": [2]}), InvalidTable, "'manager'"),
        ({}, [(1, 2)], InvalidParameter, "chart is of type list"),
    ],
)
def test_what_cannot_be_used_is_refused(standing: Any, chart: Any, error: Any, match: str) -> None:
    """Each error says what is wrong."""
    with pytest.raises(error, match=match):
        hidden_leaders(standing, chart)


@st.composite
def served(draw: st.DrawFn) -> tuple[nx.Graph[Any], set[int]]:
    """A graph, and some of its customers or others as the company's own."""
    network = draw(graphs(loops=True))
    return network, draw(st.sets(st.integers(0, 10), max_size=4))


def ways(network: nx.Graph[Any], ours: set[int]) -> dict[int, dict[str, Any]]:
    """Who is tied to us through whom, customer by customer."""
    both: dict[int, dict[int, float]] = {one: {} for one in network}
    for a, b, weight in network.edges(data="weight"):
        if a != b:
            both[a][b] = both[a].get(b, 0.0) + weight
            both[b][a] = both[b].get(a, 0.0) + weight
    contact = {one: sum(w for other, w in both[one].items() if other in ours) for one in network}
    found = {}
    for one in network:
        peers = [other for other in both[one] if other not in ours and contact[other] > 0]
        if one in ours or contact[one] > 0 or not peers:
            continue
        best = max(peers, key=lambda other: (min(both[one][other], contact[other]), -other))
        found[one] = {
            "through": len(peers),
            "peer": best,
            "strength": min(both[one][best], contact[best]),
            "share": sum(both[one][other] for other in peers) / sum(both[one].values()),
        }
    return found


@given(served())
def test_mediated_customers_are_those_of_the_definition(
    case: tuple[nx.Graph[Any], set[int]],
) -> None:
    """Who has no contact and a peer who has, with the best way, is found one by one."""
    network, ours = case
    found = rows(mediated(network, ours))
    wanted = ways(network, ours)
    assert [row["customer"] for row in found] == sorted(wanted)
    for row in found:
        assert row == pytest.approx({"customer": row["customer"], **wanted[row["customer"]]})


@given(served(), st.randoms())
def test_names_of_customers_mean_nothing_for_mediation(
    case: tuple[nx.Graph[Any], set[int]], random: Any
) -> None:
    """Other ids give the same customers, numbers of peers and strengths."""
    network, ours = case
    everybody = sorted({*network, *ours})
    renamed = dict(zip(everybody, random.sample(range(1_000), len(everybody)), strict=True))
    other = mediated(nx.relabel_nodes(network, renamed), {renamed[one] for one in ours})
    found = {row["customer"]: row for row in rows(other)}
    for row in rows(mediated(network, ours)):
        twin = found.pop(renamed[row["customer"]])
        assert [twin[name] for name in ("through", "strength", "share")] == pytest.approx(
            [row[name] for name in ("through", "strength", "share")]
        )
    assert not found


def test_results_of_mediation_go_back_where_the_ties_came_from() -> None:
    """Ties of pandas give a table of pandas; the rows' order means nothing."""
    ties = pd.DataFrame(
        {"a": ["desk", "ana", "ana"], "b": ["ana", "ben", "cem"], "strength": [5.0, 1.0, 7.0]}
    )
    found = mediated(ties, ["desk", "night desk"])
    assert isinstance(found.frame, pd.DataFrame)
    assert found.frame["strength"].tolist() == [1.0, 5.0]
    assert found.top(1)["customer"].tolist() == ["cem"]
    assert mediated(ties[::-1], {"night desk", "desk"}).frame.equals(found.frame)
    assert found.notes == ("1 of ours are not in the graph",)


def test_the_ids_of_ours_may_be_of_numpy() -> None:
    """An array or a column is as good as a list."""
    network = nx.path_graph(4)
    wanted = rows(mediated(network, [0]))
    assert rows(mediated(network, np.array([0]))) == wanted
    assert rows(mediated(network, pl.Series([0]))) == wanted
    assert wanted[0]["customer"] == 2


@pytest.mark.parametrize(
    ("ours", "match"),
    [("desk", "of type str"), (["0"], "texts and those of the graph"), (7, "of type int")],
)
def test_ours_that_cannot_be_used_is_refused(ours: Any, match: str) -> None:
    """Each error says what is wrong."""
    with pytest.raises(InvalidParameter, match=match):
        mediated(nx.path_graph(3), ours)


def test_negative_weights_are_refused() -> None:
    """Dislike is no contact."""
    with pytest.raises(InvalidParameter, match="weights are negative"):
        mediated(SocialGraph.from_edges([1], [2], [-1.0]), [1])


def test_an_empty_graph_serves_nobody() -> None:
    """There are no rows, and who of ours is missing is said."""
    found = mediated(nx.Graph(), [1])
    assert found.frame.shape == (0, 5)
    assert found.notes == ("1 of ours are not in the graph",)


def test_parameters_name_standing_and_graph() -> None:
    """Another standing, or another graph of the same size, has other parameters."""
    standings = ({"ana": 1.0, "ben": 2.0}, {"ana": 1.0, "ben": 3.0})
    made = [dict(hidden_leaders(each, {"ana": "ben"}).parameters) for each in standings]
    assert made[0] != made[1]
    paths = (nx.path_graph(4), nx.relabel_nodes(nx.path_graph(4), {0: 3, 3: 0}))
    made = [dict(mediated(each, [1]).parameters) for each in paths]
    assert made[0] != made[1]


def test_the_texts_of_numpy_are_texts() -> None:
    """Ids of ours may come as an array of texts."""
    network = nx.Graph([("desk", "ana"), ("ana", "ben")])
    assert mediated(network, np.array(["desk"])).frame["customer"].to_list() == ["ben"]


def test_mediation_claims_no_more_than_ties() -> None:
    """Its words speak of ties, and not of service or of being brought."""
    said = " ".join((mediated.__doc__ or "").split())
    for claim in ("bring", "served", "reach"):
        assert claim not in said
