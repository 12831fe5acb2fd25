"""The shuffle test: its counts, its fit, what it finds in simulations, and what it never says."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from scrmkit import InteractionLog, _first_acts, _shuffles
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph
from scrmkit.influence import ShuffleTest, shuffle_test
from scrmkit.testing.strategies import graphs


START = datetime(2026, 3, 1, tzinfo=UTC)
Network = nx.Graph


@st.composite
def cases(draw: st.DrawFn) -> tuple[nx.Graph[Any], dict[int, int]]:
    """A small graph, and the rounds in which some of its customers acted."""
    network = draw(graphs(loops=True, min_nodes=1))
    who = draw(st.lists(st.sampled_from(list(network)), unique=True))
    return network, {one: draw(st.integers(0, 5)) for one in who}


def by_definition(network: nx.Graph[Any], times: dict[int, int]) -> tuple[list[int], list[int]]:
    """Who acted and who waited in each period, by neighbours that had acted, one by one."""
    used = sorted(set(times.values()))
    directed = network.to_directed()
    acted, tried = [0] * (len(network) + 1), [0] * (len(network) + 1)
    for now in used:
        for one in network:
            if times.get(one, math.inf) < now:
                continue
            others = [other for other in directed.predecessors(one) if other != one]
            seen = sum(times.get(other, math.inf) < now for other in others)
            tried[seen] += 1
            acted[seen] += times.get(one) == now
    return acted, tried


@given(cases())
def test_counts_are_those_of_the_definition(case: tuple[nx.Graph[Any], dict[int, int]]) -> None:
    """Counted at once or customer by customer and period by period, they are the same."""
    network, times = case
    graph = SocialGraph.of(network)
    who = np.array(sorted(times), dtype=np.int64)
    rounds = np.array([times[one] for one in sorted(times)], dtype=np.int64)
    periods = _first_acts.to_periods(rounds, None)
    spell = _shuffles._Spell(graph, graph.ids.searchsorted(who), periods)
    acted, tried = spell.counts(periods)
    wanted = by_definition(network, times)
    for got, counts in zip((acted, tried), wanted, strict=True):
        padded = np.zeros(len(network) + 1)
        padded[: len(got)] = got
        assert padded.tolist() == counts


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), min_size=2, max_size=5))
def test_the_fit_has_the_largest_penalised_likelihood(rows: list[tuple[int, int]]) -> None:
    """No other slope and intercept that a general optimiser finds are better."""
    acted = np.array([float(some) for some, _ in rows])
    tried = acted + np.array([float(others) for _, others in rows])
    slope = float(_shuffles.fit(acted[None], tried[None])[0])
    there = tried > 0
    if np.count_nonzero(there) < 2 or not acted.any():
        assert math.isnan(slope)
        return
    x, y, n = np.log1p(np.flatnonzero(there)), acted[there], tried[there]

    def loss(beta: Any) -> float:
        eta = beta[0] + beta[1] * x
        p = 1 / (1 + np.exp(-eta))
        design = np.stack([np.ones_like(x), x])
        information = design @ np.diag(n * p * (1 - p)) @ design.T
        plain = (y * eta - n * np.logaddexp(0, eta)).sum()
        return -(plain + 0.5 * np.linalg.slogdet(information)[1])

    options = {"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2_000}
    best = optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead", options=options)
    assert slope == pytest.approx(best.x[1], abs=1e-4)


def test_the_fit_of_two_numbers_of_neighbours_is_the_closed_form() -> None:
    """With two values of a, it is the log odds ratio of counts to which 1/2 is added."""
    acted, tried = np.array([3.0, 7.0]), np.array([50.0, 20.0])
    odds = [(y + 0.5) / (n - y + 0.5) for y, n in zip(acted, tried, strict=True)]
    slope = math.log(odds[1] / odds[0]) / math.log(2)
    assert _shuffles.fit(acted[None], tried[None]) == pytest.approx([slope], abs=1e-9)


def spread(seed: int, slope: float, *, alike: bool) -> ShuffleTest:
    """A test of a simulated spread over two halves, in one of which people are keener."""
    rng = np.random.default_rng(seed)
    size, rounds = 200, 30
    network = nx.stochastic_block_model([size // 2] * 2, [[0.06, 0.005], [0.005, 0.06]], seed=seed)
    if alike:
        keen = np.arange(size) < size // 2
        who = np.flatnonzero(rng.random(size) < np.where(keen, 0.8, 0.1))
        return shuffle_test(
            network, {int(one): int(rng.integers(rounds)) for one in who}, shuffles=39, seed=seed
        )
    times: dict[int, int] = {}
    for now in range(rounds):
        for one in network:
            if one not in times:
                seen = sum(times.get(other, now) < now for other in network[one])
                if rng.random() < 1 / (1 + math.exp(4.5 - slope * math.log1p(seen))):
                    times[one] = now
    return shuffle_test(network, times, shuffles=39, seed=seed)


def test_contagion_is_found() -> None:
    """Where acting does depend on neighbours, nine of ten simulations say so."""
    found = [spread(seed, 2.0, alike=False) for seed in range(10)]
    assert sum(one.significant is True for one in found) >= 9


def test_homophily_that_does_not_change_is_not_taken_for_contagion() -> None:
    """Where neighbours are alike and times are chance, p-values are spread out evenly.

    Although the alphas are far above 0, as they are with contagion.
    """
    found = [spread(seed, 0.0, alike=True) for seed in range(40)]
    values = np.array([one.p_value for one in found])
    assert (values <= 0.05).sum() <= 5
    assert 0.35 < values.mean() < 0.65
    assert np.mean([one.alpha for one in found]) > 0.5


def test_nothing_that_it_says_claims_an_influence(root: Any) -> None:
    """No text that a test can print has the word; what cannot be excluded is always there."""
    found = [
        spread(1, 2.0, alike=False),
        spread(1, 0.0, alike=True),
        shuffle_test(nx.Graph(), {}),
        shuffle_test(nx.path_graph(3), {0: 1, 1: 1}),
        shuffle_test(nx.empty_graph(3), {0: 1, 1: 2}),
    ]
    conclusions = {one.conclusion for one in found}
    assert len(conclusions) == 5
    for one in found:
        for text in (str(one), repr(one), json.dumps(one.to_dict())):
            assert "influence" not in text.lower()
        assert one.cannot_exclude == _shuffles.CANNOT_EXCLUDE
        assert all(reason in str(one) for reason in one.cannot_exclude)
    assert "influences" not in (root / "src" / "scrmkit" / "_shuffles.py").read_text()


@given(cases(), st.randoms(), st.integers(-(10**6), 10**6))
def test_order_and_clock_mean_nothing(
    case: tuple[nx.Graph[Any], dict[int, int]], random: Any, shift: int
) -> None:
    """Rows in another order, and all times moved together, give the same test."""
    network, times = case
    wanted = shuffle_test(network, times, shuffles=19, seed=3)
    rows = list(times.items())
    random.shuffle(rows)
    moved = shuffle_test(network, {one: time + shift for one, time in rows}, shuffles=19, seed=3)
    parameters = {**wanted.parameters, "times": moved.parameters["times"]}
    assert moved == evolve(wanted, parameters=parameters)
    again = shuffle_test(network, dict(rows), shuffles=19, seed=3)
    assert again == wanted


def test_a_table_with_all_acts_is_as_a_mapping_of_the_first() -> None:
    """Of several rows the first counts, on every engine; no time is no act."""
    network = nx.gnp_random_graph(20, 0.2, seed=2)
    first = {one: START + timedelta(hours=one * 7 % 11) for one in range(0, 20, 2)}
    wanted = shuffle_test(network, {**first, 1: None}, shuffles=19)
    later = {one: time + timedelta(days=1) for one, time in first.items()}
    table = pl.DataFrame(
        {
            "customer": [*later, *first, 1],
            "time": [*later.values(), *first.values(), None],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )
    connection = duckdb.connect()
    connection.sql("set timezone = 'UTC'")
    arrow = table.to_arrow()
    made = connection.from_arrow(arrow)
    for given_as in (
        table,
        table.lazy(),
        arrow,
        pd.DataFrame(table.to_dict(as_series=False)),
        made,
    ):
        assert shuffle_test(network, given_as, shuffles=19) == wanted


def test_the_acts_of_a_log_can_be_given_as_they_are() -> None:
    """Its sources and times are a table; rows without a customer are counted in a note."""
    records = [
        {"time": START + timedelta(hours=hour), "kind": "purchase", "source": who, "target": "us"}
        for hour, who in enumerate(["ana", "ben", None, "cem", "ana"])
    ]
    log = InteractionLog.from_records(records)
    acts = log.frame.select(pl.col("source").alias("customer"), "time")
    ring = nx.cycle_graph(["ana", "ben", "cem", "dee", "eva"])
    found = shuffle_test(ring, acts)
    assert found.acted == 3
    assert found.notes == ("1 rows of times name no customer and do not count",)
    zones = acts.with_columns(pl.col("time").dt.convert_time_zone("Asia/Kolkata"))
    assert shuffle_test(ring, zones) == found


def test_a_period_joins_acts() -> None:
    """Acts of one period are not before each other, and empty periods count as waiting."""
    network = nx.gnp_random_graph(30, 0.15, seed=4)
    rng = np.random.default_rng(4)
    hours = {one: int(rng.integers(0, 200)) for one in range(25)}
    hours[0] = 0
    days = {one: hour // 24 for one, hour in hours.items()}
    times = {one: START + timedelta(hours=hour) for one, hour in hours.items()}
    by_day = shuffle_test(network, times, period=timedelta(days=1), shuffles=19)
    by_round = shuffle_test(network, days, shuffles=19)
    assert by_day.parameters["periods"] == max(days.values()) + 1
    assert set(days.values()) == set(range(max(days.values()) + 1))
    assert by_day.alpha == by_round.alpha
    assert by_day.p_value == by_round.p_value


def test_customers_outside_the_graph_change_nothing() -> None:
    """They are counted in a note."""
    network = nx.cycle_graph(20)
    times = {one: one for one in range(12)}
    wanted = shuffle_test(network, times, shuffles=19)
    found = shuffle_test(network, {**times, 77: 3, 78: 99}, shuffles=19)
    assert (found.alpha, found.p_value, found.acted) == (wanted.alpha, wanted.p_value, 12)
    assert found.notes == ("2 customers who acted are not in the graph and do not count",)


def test_directions_say_who_notices_whom() -> None:
    """Along the ties of a directed ring the spread is seen, against them it is not."""
    ring = nx.cycle_graph(40, create_using=nx.DiGraph)
    times = {one: one for one in range(30)}
    along, against = (shuffle_test(one, times) for one in (ring, ring.reverse()))
    assert along.significant
    assert not against.significant


@pytest.mark.parametrize(
    ("network", "times", "reason"),
    [
        (nx.Graph(), {}, "fewer than two"),
        (nx.path_graph(3), {1: 5}, "fewer than two"),
        (nx.path_graph(3), {0: 5, 1: 5}, "same period"),
        (nx.empty_graph(3), {0: 1, 1: 2}, "nobody had neighbours"),
    ],
)
def test_where_there_is_no_answer_it_says_why(
    network: nx.Graph[Any], times: dict[int, int], reason: str
) -> None:
    """All numbers are None then."""
    found = shuffle_test(network, times)
    numbers = (found.alpha, found.expected, found.low, found.high, found.p_value)
    assert numbers == (None,) * 5
    assert found.significant is None
    assert reason in found.conclusion


@pytest.mark.parametrize(
    ("times", "options", "error", "match"),
    [
        ({0: datetime(2026, 1, 1)}, {}, InvalidParameter, "no time zone"),  # noqa: DTZ001
        ({0: 1, 1: START}, {}, InvalidParameter, "all instants, or all whole"),
        ({0: 1, 1: 2}, {"period": timedelta(1)}, InvalidParameter, "without a period"),
        ({0: START}, {"period": timedelta(0)}, InvalidParameter, "longer than zero"),
        ({0: START}, {"shuffles": 18}, InvalidParameter, "shuffles"),
        ({"0": 1}, {}, InvalidParameter, "texts and those of the graph are integers"),
        (pl.DataFrame({"customer": [0], "time": ["noon"]}), {}, InvalidTable, "'time'"),
        (pl.DataFrame({"customer": [0], "at": [1]}), {}, InvalidTable, "no column 'time'"),
        (7, {}, InvalidParameter, "times is of type int"),
    ],
)
def test_what_cannot_be_used_is_refused(
    times: Any, options: dict[str, Any], error: Any, match: str
) -> None:
    """Each error says what is wrong."""
    with pytest.raises(error, match=match):
        shuffle_test(nx.path_graph(3), times, **options)


def test_negative_weights_are_refused() -> None:
    """A tie of dislike is none that one follows."""
    with pytest.raises(InvalidParameter, match="1 weights are negative"):
        shuffle_test(SocialGraph.from_edges([1], [2], [-1.0], directed=True), {1: 0})


def test_integers_that_pandas_keeps_as_floats_are_integers() -> None:
    """Customers and rounds beside nulls in pandas are as in Polars."""
    network = nx.path_graph(6)
    columns = {"customer": [0, 1, 2, 3, None, 4], "time": [1, 2, 2, 3, 4, None]}
    wanted = shuffle_test(network, pl.DataFrame(columns))
    found = shuffle_test(network, pd.DataFrame(columns))
    assert found == wanted
    assert found.acted == 4
    assert found.notes == ("1 rows of times name no customer and do not count",)
    instants = {
        "customer": [0, 1, 2, 3, None, 4],
        "time": [*(START + timedelta(days=day) for day in (1, 2, 2, 3, 4)), None],
    }
    wanted = shuffle_test(network, pl.DataFrame(instants))
    assert shuffle_test(network, pd.DataFrame(instants)).p_value == wanted.p_value
    with pytest.raises(InvalidTable, match="whole numbers"):
        shuffle_test(network, pd.DataFrame({"customer": [0, 1], "time": [0.5, 1]}))


def test_rounds_beyond_64_bits_are_refused() -> None:
    """Whole numbers that no array holds are an error of ours."""
    large = pl.DataFrame(
        {"customer": [0, 1], "time": [0, 2**63]}, schema_overrides={"time": pl.UInt64}
    )
    for times in ({0: 2**70}, {0: -(2**70)}, large):
        with pytest.raises(InvalidParameter, match="64 bits"):
            shuffle_test(nx.path_graph(3), times)


def test_a_period_may_be_as_long_as_any() -> None:
    """The longest period there is holds everything."""
    times = {0: START, 1: START + timedelta(days=1)}
    found = shuffle_test(nx.path_graph(3), times, period=timedelta.max)
    assert found.parameters["periods"] == 1


def test_it_says_how_far_it_is() -> None:
    """There are words on the way, which change nothing."""
    said: list[str] = []
    times = {0: 1, 1: 2, 2: 3}
    found = shuffle_test(nx.path_graph(5), times, shuffles=100, progress=said.append)
    assert said[0] == "counted 10 of 100 shuffles"
    assert said[-1] == "counted 100 of 100 shuffles"
    assert found == shuffle_test(nx.path_graph(5), times, shuffles=100)


def test_its_parameters_name_the_graph_and_the_seed() -> None:
    """Another graph of the same size has other parameters; a generator is named by its state."""
    times = {0: 1, 1: 2, 2: 3}
    turned = nx.relabel_nodes(nx.path_graph(4), {0: 3, 3: 0})
    made = [shuffle_test(each, times).parameters for each in (nx.path_graph(4), turned)]
    assert dict(made[0]) != dict(made[1])
    named = [
        shuffle_test(nx.path_graph(4), times, seed=np.random.default_rng(seed)).parameters["seed"]
        for seed in (1, 1, 2)
    ]
    assert isinstance(named[0], str)
    assert named[0] == named[1] != named[2]
