"""Whom to ask first, and whom to reach to block a story."""

from __future__ import annotations

import gzip
from itertools import combinations
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import (
    InvalidParameter,
    SocialGraph,
    UnknownCustomer,
    _compiled,
    communities,
    diffusion,
)
from scrmkit._cover import Samples, Terms, cover
from test_spread import large, passing
from worlds import best_of, expected_reach, kept_from, listening_worlds, live_worlds, workers


WORTH = 0.632


def plain(n: int, k: int) -> Terms:
    """Choose k of n, no matter whom."""
    nobody = np.zeros(0, dtype=np.int64)
    alike = np.zeros(n, dtype=np.int64)
    return Terms(np.ones(n, dtype=bool), nobody, np.ones(n), float(k), alike, np.array([k]))


@given(st.lists(st.sets(st.integers(0, 6), max_size=4), min_size=1, max_size=12), st.integers(1, 3))
def test_greedy_choice_and_its_bound(sets: list[set[int]], k: int) -> None:
    """A greedy choice covers what the plain algorithm does, and no choice beats the bound."""
    sizes = [len(one) for one in sets]
    members = np.array([who for one in sets for who in sorted(one)], dtype=np.int32)
    samples = Samples(members, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
    chosen, bound = cover(samples, 7, plain(7, k), by_cost=False)

    def covered(some: Any) -> int:
        return sum(bool(one & set(some)) for one in sets)

    expected: list[int] = []
    for _ in range(k):
        left = [one for one in range(7) if one not in expected]
        expected.append(max(left, key=lambda one: (covered([*expected, one]), -one)))
    assert chosen.tolist() == expected
    assert samples.hit_by(chosen, 7).sum() == covered(expected)
    best = best_of(covered, range(7), k)
    assert best <= bound + 1e-9
    assert covered(expected) >= WORTH * best


@given(
    passing(max_arcs=6),
    st.sampled_from(["independent_cascade", "linear_threshold"]),
    st.integers(1, 2),
)
def test_certificate_is_true(graph: nx.DiGraph[Any], model: Any, k: int) -> None:
    """The choice reaches at least ``low``, and no choice reaches more than ``best``."""
    listed = live_worlds if model == "independent_cascade" else listening_worlds
    worlds = list(listed(graph))
    found = diffusion.seeds(graph, k=k, model=model, samples=65_536)
    exact = expected_reach(worlds, found)
    best = best_of(lambda some: expected_reach(worlds, some), graph, k)
    assert found.low <= exact + 1e-9
    assert best <= found.best + 1e-9
    assert exact >= found.certificate * best - 1e-9
    assert found.certificate == pytest.approx(found.low / found.best)
    assert found.certificate >= 0.7 or found.notes
    assert found.reach == pytest.approx(exact, abs=0.05 * len(graph))


@given(passing(max_arcs=7), st.data())
def test_terms_are_kept_and_bounded(graph: nx.DiGraph[Any], data: Any) -> None:
    """Whatever the terms, they are kept, and the best choice under them is not above ``best``."""
    ids = list(graph)
    k = data.draw(st.integers(1, len(ids)))
    must = data.draw(st.lists(st.sampled_from(ids), max_size=min(k, 1)))
    barred = data.draw(st.lists(st.sampled_from(ids), max_size=1)) if not must else []
    costs = {one: data.draw(st.sampled_from([0.5, 1.0, 3.0])) for one in ids}
    budget = data.draw(st.sampled_from([3.0, 4.5]))
    audience = {one: data.draw(st.sampled_from([0.0, 1.0, 2.5])) for one in ids} | {ids[0]: 1.0}
    found = diffusion.seeds(
        graph,
        k=k,
        must=must,
        must_not=barred,
        costs=costs,
        budget=budget,
        audience=audience,
        samples=65_536,
    )
    assert list(found)[: len(must)] == must
    assert not set(found) & set(barred)
    assert len(found) == len(set(found)) <= k
    assert sum(costs[one] for one in found) <= budget
    worlds = list(live_worlds(graph))
    possible = [
        {*must, *some}
        for size in range(k - len(must) + 1)
        for some in combinations([one for one in ids if one not in (*must, *barred)], size)
        if sum(costs[one] for one in {*must, *some}) <= budget
    ]
    best = max(expected_reach(worlds, some, audience.__getitem__) for some in possible)
    assert best <= found.best + 1e-9
    assert found.low <= expected_reach(worlds, found, audience.__getitem__) + 1e-9


def test_groups_get_their_share() -> None:
    """Each group gets its part of k by size, remainders to the largest, and the bound keeps."""
    club = nx.karate_club_graph()
    found = communities.detect(club)
    chosen = diffusion.seeds(club, k=8, model="weighted_cascade", groups=found)
    sizes = np.bincount(list(found.values()))
    counts = np.bincount([found[one] for one in chosen], minlength=len(sizes))
    assert counts.tolist() == [3, 3, 1, 1]
    assert sizes.tolist() == [12, 11, 6, 5]
    assert chosen.frame["group"].to_list() == [found[one] for one in chosen]
    assert "50 %" in chosen.guarantee
    free = diffusion.seeds(club, k=8, model="weighted_cascade")
    assert chosen.reach <= free.best


def test_terms_name_what_remains_of_the_guarantee() -> None:
    """Every combination of terms says which guarantee is left, or that none is."""
    graph = nx.path_graph(4)
    costs, groups = dict.fromkeys(graph, 1.0), dict.fromkeys(graph, "all")
    for options, words in (
        ({"k": 1}, "63.2 % of the best, 1 - 1/e"),
        ({"k": 2, "must": [3]}, "leave"),
        ({"costs": costs, "budget": 2}, "31.6 %"),
        ({"k": 1, "groups": groups}, "50 %"),
        ({"k": 1, "groups": groups, "costs": costs, "budget": 2}, "none"),
    ):
        assert words in diffusion.seeds(graph, **options).guarantee


@pytest.mark.parametrize("seed", range(2))
def test_never_worse_than_standing(seed: int) -> None:
    """Degree, discounted degree and PageRank are not better by two standard errors."""
    graph = large(seed, n=400, m=1_600)
    network = graph.to_networkx()
    ours = diffusion.seeds(graph, k=10, model="weighted_cascade", seed=seed, at_least=0.5)
    degree = sorted(network, key=lambda one: -network.out_degree(one))[:10]
    walk = nx.pagerank(network.reverse())
    central = sorted(network, key=lambda one: -walk[one])[:10]
    single: list[Any] = []
    for _ in range(10):
        left = set(network) - set(single)
        single.append(max(left, key=lambda one: (len(set(network[one]) - set(single)), -one)))

    def by_run(some: Any) -> Any:
        options: dict[str, Any] = {"model": "weighted_cascade", "runs": 1_000, "seed": 99}
        return diffusion.spread(graph, some, **options).by_run

    mine = by_run(ours)
    for rival in (degree, single, central):
        difference = by_run(rival) - mine
        assert difference.mean() <= 2 * difference.std() / len(difference) ** 0.5


@pytest.mark.parametrize("model", ["independent_cascade", "linear_threshold"])
def test_compiled_and_by_numpy_choose_alike(model: Any) -> None:
    """Loops by numba, on any number of threads, and numpy draw the same samples."""
    pytest.importorskip("numba", reason="the extra fast is not installed")
    audience = {one: one % 4 for one in range(300)}
    graph = large(1)

    def run() -> list[Any]:
        made = [diffusion.seeds(graph, k=5, model=model, audience=audience, seed=4)]
        if model == "independent_cascade":
            made.append(diffusion.block(graph, [3, 4], k=5, seed=4))
        return [(list(one), one.low, one.best, one.samples, one.method) for one in made]

    with workers(1):
        once = run()
    with workers(3):
        assert run() == once
    with _compiled.switched_off():
        assert run() == once


def test_the_order_of_rows_does_not_matter() -> None:
    """The same ties in another order give the same seeds and the same certificate."""
    edges = list(nx.karate_club_graph().edges)
    found = [
        diffusion.seeds(nx.Graph(order), k=3, model="weighted_cascade")
        for order in (edges, edges[::-1])
    ]
    assert list(found[0]) == list(found[1])
    assert found[0].certificate == found[1].certificate


def test_what_was_asked_for_and_what_was_reached() -> None:
    """A certificate that samples, or time, do not allow is reported as what was reached."""
    club = nx.karate_club_graph()
    options: dict[str, Any] = {"k": 3, "model": "weighted_cascade"}
    modest = diffusion.seeds(club, at_least=0.5, **options)
    strict = diffusion.seeds(club, at_least=0.8, **options)
    assert (modest.notes, strict.notes) == ((), ())
    assert strict.certificate >= 0.8 > modest.certificate
    assert strict.samples > modest.samples
    few = diffusion.seeds(club, at_least=0.8, samples=6_000, **options)
    assert few.samples == 6_000
    assert "all 6,000 samples" in few.notes[0]
    assert f"{few.certificate:.3f}" in few.notes[0]
    vain = diffusion.seeds(club, at_least=0.99, **options)
    assert "no tighter bound" in vain.notes[0]
    assert vain.samples < 1_000_000
    hurried = diffusion.seeds(club, at_least=0.99, seconds=0, **options)
    assert "time was over" in hurried.notes[0]
    assert hurried.samples > 0
    assert diffusion.seeds(club, at_least=0.3, seconds=0, **options).notes == ()


def test_seeds_are_a_table_and_a_list() -> None:
    """Gains add up to the reach, and the result can be simulated as it is."""
    club = nx.karate_club_graph()
    found = diffusion.seeds(club, k=4, model="weighted_cascade")
    table = found.frame
    assert table["customer"].to_list() == list(found)
    assert table["place"].to_list() == [1, 2, 3, 4]
    assert table["gain"].sum() == pytest.approx(found.reach)
    assert table["reach"].to_list()[-1] == pytest.approx(found.reach)
    simulated = diffusion.spread(club, found, model="weighted_cascade", runs=5_000)
    assert simulated.low - 1 <= found.reach <= simulated.high + 1
    assert found.low <= simulated.high


def test_nethept_linear_threshold(shared_data: Path) -> None:
    """On NetHEPT, parallel edges counted, 50 seeds reach 1,375 or more (about 1,400 published)."""
    with gzip.open(shared_data / "nethept" / "hep.txt.gz", "rt") as file:
        pairs = [tuple(map(int, line.split()[:2])) for line in file][1:]
    graph = SocialGraph.from_edges(*zip(*pairs, strict=True))
    found = diffusion.seeds(graph, k=50, model="linear_threshold", at_least=0.65)
    check = diffusion.spread(graph, found, model="linear_threshold", runs=500, seed=77)
    assert check.reach >= 1_375


@given(passing(max_arcs=6), st.data())
def test_blocking_is_that_of_all_worlds(graph: nx.DiGraph[Any], data: Any) -> None:
    """What is kept from a story, and the best that could be, are those of racing in all worlds."""
    story = [data.draw(st.sampled_from(list(graph)))]
    found = diffusion.block(graph, story, k=1, samples=65_536)
    worlds = list(live_worlds(graph))

    def kept(truth: Any) -> float:
        return sum(chance * kept_from(arcs, story, truth) for chance, arcs in worlds)

    others = [one for one in graph if one not in story]
    assert max((kept([one]) for one in others), default=0.0) <= found.best + 1e-9
    assert found.low <= kept(found) + 1e-9
    assert found.reach == pytest.approx(kept(found), abs=0.05 * len(graph))


def test_a_budget_and_a_number_have_no_guarantee_beforehand() -> None:
    """With k and costs a greedy choice can be poor; what is said of it stays true."""
    graph = nx.DiGraph()
    graph.add_edges_from((100, 1_000 + leaf) for leaf in range(12))
    for number in range(8):
        graph.add_edges_from((number, 2_000 + 10 * number + leaf) for leaf in range(10))
    costs = dict.fromkeys(graph, 1000.0) | {100: 8.0} | dict.fromkeys(range(8), 1.0)
    graph.add_nodes_from(range(200, 208))
    costs |= dict.fromkeys(range(200, 208), 0.01)
    found = diffusion.seeds(graph, k=8, costs=costs, budget=8, samples=8_192)
    assert "none before sampling" in found.guarantee
    assert found.best >= 88
    assert found.certificate <= found.reach / 88 + 0.05


def test_a_budget_that_is_just_met() -> None:
    """Rounding of a budget moves neither the choice nor the bound."""
    alone = nx.empty_graph(6)
    costs = dict.fromkeys(alone, 1.0) | {0: 1.1}
    found = diffusion.seeds(alone, costs=costs, budget=4.1, must=[0])
    assert len(found) == 4
    assert found.best >= 4
    assert found.certificate <= 1


def test_one_seed_has_a_tight_bound() -> None:
    """For one seed the best is bounded by the most samples that anybody is in."""
    club = diffusion.probabilities(nx.karate_club_graph(), rate=0.1)
    assert diffusion.seeds(club, k=1, at_least=0.9).certificate >= 0.9


def test_judging_draws_other_worlds_than_simulating() -> None:
    """With one seed for both, a spread is no check on the draws that chose its seeds."""
    arms = nx.DiGraph()
    arms.add_weighted_edges_from((one, 100, 0.5) for one in range(40))
    options: dict[str, Any] = {"audience": [100]}
    inside = 0
    for seed in range(60):
        found = diffusion.seeds(arms, k=1, must_not=[100], samples=128, seed=seed, **options)
        check = diffusion.spread(arms, found, runs=128, seed=seed, **options)
        inside += check.low <= 0.5 <= check.high
    assert inside >= 52


def test_a_story_that_hardly_spreads() -> None:
    """Where no sample is hit for long, more are drawn, and the end is told."""
    line = diffusion.probabilities(nx.path_graph(3), method="constant", probability=1e-8)
    found = diffusion.block(line, [0], k=1, samples=10_000)
    assert (found.certificate, found.reach) == (0.0, 0.0)
    assert "10,000 samples" in found.notes[0]


def test_groups_as_a_table_and_of_any_type() -> None:
    """Groups may be a table, and 1 and "1" are not mixed up silently."""
    club = nx.karate_club_graph()
    labels = {one: one % 3 for one in club}
    table = pl.DataFrame({"customer": list(labels), "group": list(labels.values())})
    options: dict[str, Any] = {"k": 6, "model": "weighted_cascade"}
    found = diffusion.seeds(club, groups=table, **options)
    assert list(found) == list(diffusion.seeds(club, groups=labels, **options))
    with pytest.raises(InvalidParameter, match="groups"):
        diffusion.seeds(club, groups=labels | {0: "1"}, **options)


def test_parameters_name_the_terms() -> None:
    """Another term, audience or seed gives other parameters, without ids in them."""
    line = nx.path_graph(4)
    every = [
        repr(diffusion.seeds(line, samples=512, **options).parameters["terms"])
        for options in (
            {"k": 1},
            {"k": 2},
            {"k": 2, "must": [1]},
            {"k": 2, "must_not": [1]},
            {"k": 2, "groups": {0: 1, 1: 1, 2: 2, 3: 2}},
            {"costs": dict.fromkeys(line, 2.0), "budget": 4},
        )
    ]
    assert len(set(every)) == len(every)


def test_nobody_to_keep_from_a_story() -> None:
    """Where a story reaches nobody, nobody is chosen, and a note says why."""
    found = diffusion.block(nx.DiGraph([(1, 2)]), [2], k=1)
    assert (list(found), found.reach, found.certificate) == ([], 0.0, 0.0)
    assert "nobody" in found.notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give k"),
        ({"k": 0}, "k must be a whole number"),
        ({"k": 1, "budget": 2.0}, "go together"),
        ({"k": 1, "model": "complex_contagion"}, "no samples"),
        ({"k": 1, "at_least": 1.0}, "at_least must be above 0 and below 1"),
        ({"k": 1, "must": [0], "must_not": [0]}, "in common"),
        ({"k": 1, "must": [0, 1]}, "more than k"),
        ({"costs": {0: 1.0}, "budget": 2.0}, "costs must be above 0"),
        ({"k": 1, "groups": {0: "a"}}, "have no group"),
        ({"k": 1, "groups": ["a"]}, "groups"),
        ({"costs": [1.0], "budget": 2.0}, "costs must be a mapping"),
        ({"k": 1, "must_not": [0, 1, 2]}, "nobody may be asked"),
        ({"k": 1, "must_not": None}, "must_not is of type"),
        ({"budget": 1.0, "costs": {0: 1.0, 1: 1.0, 2: 1.0}, "groups": {}}, "groups share k"),
        ({"k": 1, "samples": 0}, "samples must be"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    """Each term that cannot be met is refused with what to do."""
    with pytest.raises(InvalidParameter, match=message):
        diffusion.seeds(nx.path_graph(3), **options)


def test_graphs_and_ids_that_cannot_be() -> None:
    """An empty graph, no story, and ids that are not there are refused."""
    with pytest.raises(InvalidParameter, match="no customers"):
        diffusion.seeds(nx.empty_graph(0), k=1)
    with pytest.raises(InvalidParameter, match="story must name"):
        diffusion.block(nx.path_graph(3), [], k=1)
    with pytest.raises(InvalidParameter, match="model must be"):
        diffusion.block(nx.path_graph(3), [0], k=1, model="linear_threshold")
    with pytest.raises(UnknownCustomer):
        diffusion.seeds(nx.path_graph(3), k=1, must=[9])
