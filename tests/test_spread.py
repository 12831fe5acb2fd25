"""How far something spreads."""

from __future__ import annotations

import pickle
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import InvalidParameter, SocialGraph, UnknownCustomer, _compiled, diffusion
from worlds import expected_reach, listening_worlds, live_worlds, workers


RUNS = 4_000
MODELS = (
    "independent_cascade",
    "weighted_cascade",
    "linear_threshold",
    "complex_contagion",
    "signed_cascade",
)


@st.composite
def passing(draw: st.DrawFn, *, signed: bool = False, max_arcs: int = 9) -> nx.DiGraph[Any]:
    """A small directed graph whose weights are probabilities."""
    n = draw(st.integers(2, 6))
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    arcs = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=max_arcs, unique=True))
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(range(n))
    for a, b in arcs:
        sign = draw(st.sampled_from([-1, 1])) if signed else 1
        graph.add_edge(a, b, weight=sign * draw(st.sampled_from([0.02, 0.04, 0.3, 0.5, 1.0])))
    return graph


def large(seed: int, n: int = 300, m: int = 1_500) -> SocialGraph:
    """A random directed graph with probabilities of many sizes."""
    rng = np.random.default_rng(seed)
    chances = rng.choice([0.01, 0.04, 0.1, 0.3, 0.9], size=m)
    a, b = rng.integers(n, size=(2, m))
    keep = a != b
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from(
        zip(a[keep].tolist(), b[keep].tolist(), chances[keep].tolist(), strict=True)
    )
    return SocialGraph.of(graph)


def close(found: diffusion.Spread, exact: float) -> bool:
    """The mean of many runs is the exact value, but for five standard errors."""
    error = found.by_run.std() / len(found.by_run) ** 0.5
    return abs(found.reach - exact) <= 5 * error + 1e-9


@given(passing(), st.data())
def test_independent_cascade_is_that_of_all_worlds(graph: nx.DiGraph[Any], data: Any) -> None:
    """The reach of an independent cascade is the sum over all sets of live arcs."""
    seeds = data.draw(st.lists(st.sampled_from(list(graph)), min_size=1, max_size=2, unique=True))
    found = diffusion.spread(graph, seeds, runs=RUNS, seed=3)
    assert close(found, expected_reach(live_worlds(graph), seeds))


@given(passing())
def test_linear_threshold_is_that_of_all_worlds(graph: nx.DiGraph[Any]) -> None:
    """Thresholds drawn from 0 to 1 are everybody listening to one other (Kempe et al. 2003)."""
    found = diffusion.spread(graph, [0], model="linear_threshold", runs=RUNS, seed=3)
    assert close(found, expected_reach(listening_worlds(graph), [0]))


@given(passing())
def test_weighted_cascade_takes_the_share_of_what_comes_in(graph: nx.DiGraph[Any]) -> None:
    """A weighted cascade is the independent one with each weight over those that come in."""
    shares = graph.copy()
    for a, b, weight in graph.edges(data="weight"):
        shares[a][b]["weight"] = weight / graph.in_degree(b, weight="weight")
    found = diffusion.spread(graph, [0], model="weighted_cascade", runs=RUNS, seed=3)
    assert close(found, expected_reach(live_worlds(shares), [0]))


def test_florentine_families_by_full_enumeration() -> None:
    """On the Florentine families cascade and threshold are the exact sums over all worlds."""
    families = nx.florentine_families_graph()
    ids = sorted(families)
    ends = [(ids.index(a), ids.index(b)) for a, b in families.edges]
    live = np.arange(2 ** len(ends))
    reached = np.full(len(live), 1 << ids.index("Medici"))
    before = np.zeros_like(reached)
    while (before != reached).any():
        before = reached.copy()
        for number, (a, b) in enumerate(ends):
            open_ = (live >> number) & 1
            reached |= (((reached >> a) & open_) << b) | (((reached >> b) & open_) << a)
    size, count = np.bitwise_count(reached), np.bitwise_count(live)
    exact = float((size * 0.1**count * 0.9 ** (len(ends) - count)).sum())
    passing = diffusion.probabilities(families, method="constant", probability=0.1)
    assert close(diffusion.spread(passing, ["Medici"], runs=40_000), exact)

    choices = [[ids.index(other) for other in sorted(families[one])] for one in ids]
    heard = np.meshgrid(*choices, indexing="ij", sparse=True)
    told = np.zeros(np.broadcast_shapes(*(part.shape for part in heard)), dtype=np.int64)
    told |= 1 << ids.index("Medici")
    before = np.zeros_like(told)
    while (before != told).any():
        before = told.copy()
        for place, source in enumerate(heard):
            told |= ((told >> source) & 1) << place
    exact = float(np.bitwise_count(told).mean())
    found = diffusion.spread(families, ["Medici"], model="linear_threshold", runs=40_000)
    assert close(found, exact)


def test_interval_covers_the_exact_reach() -> None:
    """Of 200 intervals at .95, 180 to 199 contain the exact reach."""
    star = diffusion.probabilities(nx.star_graph(8), method="constant", probability=0.3)
    inside = 0
    for seed in range(200):
        found = diffusion.spread(star, [0], runs=50, seed=seed)
        inside += found.low <= 1 + 8 * 0.3 <= found.high
    assert 180 <= inside <= 199


@given(st.integers(0, 5), st.sampled_from(MODELS[:4]), st.data())
def test_more_seeds_never_reach_less(seed: int, model: Any, data: Any) -> None:
    """In every single world more seeds reach at least what fewer do."""
    graph = large(seed, n=60, m=200)
    some = data.draw(st.lists(st.integers(0, 59), max_size=5))
    more = data.draw(st.lists(st.integers(0, 59), max_size=5))
    few = diffusion.spread(graph, some, model=model, runs=40, seed=seed).by_run
    many = diffusion.spread(graph, [*some, *more], model=model, runs=40, seed=seed).by_run
    assert (many >= few).all()


@pytest.mark.parametrize("model", MODELS)
def test_compiled_and_by_numpy_are_the_same_worlds(model: Any) -> None:
    """Loops by numba, on any number of threads, and numpy give the same to the last bit."""
    pytest.importorskip("numba", reason="the extra fast is not installed")
    options: dict[str, Any] = {"quality": 0.8} if model == "signed_cascade" else {}
    audience = {customer: customer % 3 for customer in range(300)}

    def run() -> list[Any]:
        found = diffusion.spread(
            large(2), [1, 5, 9], model=model, runs=700, audience=audience, seed=8, **options
        )
        return [found.by_run.tolist(), found.reach, found.against, found.frame.rows()]

    with workers(1):
        once = run()
    with workers(3):
        assert run() == once
    with _compiled.switched_off():
        assert run() == once


@pytest.mark.parametrize("model", MODELS)
def test_a_seed_gives_the_same_whatever_the_order_of_rows(model: Any) -> None:
    """The same ties in another order, and the same seed, give the same runs."""
    edges = [(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (2, 5), (5, 6)]
    runs = [
        diffusion.spread(
            nx.DiGraph([(a, b, {"weight": 0.5}) for a, b in order]), [1], model=model, runs=50
        ).by_run.tolist()
        for order in (edges, edges[::-1])
    ]
    assert runs[0] == runs[1]


def test_thresholds_that_are_given_leave_nothing_to_chance() -> None:
    """One joins when the share of those who did is one's threshold, also where it is just met."""
    ring: nx.DiGraph[Any] = nx.DiGraph([(0, 2), (1, 2), (9, 2), (2, 3), (0, 3), (1, 3)])
    options: dict[str, Any] = {"model": "linear_threshold", "runs": 5}
    for threshold, reach in ((2 / 3, 4.0), (1 / 3, 4.0), (0.7, 2.0)):
        found = diffusion.spread(ring, [0, 1], threshold=threshold, **options)
        assert (found.reach, found.low, found.high) == (reach, reach, reach)
    own = dict.fromkeys(ring, 1.0) | {3: 0.5}
    assert diffusion.spread(ring, [0, 1], threshold=own, **options).reach == 3.0


def test_complex_contagion_needs_several() -> None:
    """On a ring lattice two neighbours carry on, and on a ring they do not (Centola, Macy)."""
    lattice, ring = nx.circulant_graph(12, [1, 2]), nx.cycle_graph(12)
    assert diffusion.spread(lattice, [0, 1], model="complex_contagion", runs=2).reach == 12
    assert diffusion.spread(ring, [0, 1], model="complex_contagion", runs=2).reach == 2
    found = diffusion.spread(lattice, [0, 1], model="complex_contagion", threshold=3, runs=2)
    assert found.reach == 2


def test_good_and_bad_word_of_mouth() -> None:
    """An arc of negative weight turns an opinion round, and quality spoils good ones only."""
    line = nx.DiGraph([(0, 1, {"weight": -1.0}), (1, 2, {"weight": 1.0}), (2, 3, {"weight": -1.0})])
    found = diffusion.spread(line, [0], model="signed_cascade", runs=10)
    assert (found.reach, found.against) == (2.0, 2.0)
    assert [row[4:] for row in found.frame.rows()] == [(1, 0), (0, 1), (0, 1), (1, 0)]
    chain = nx.path_graph(4, create_using=nx.DiGraph)
    found = diffusion.spread(chain, [0], model="signed_cascade", quality=0.5, runs=RUNS)
    assert found.reach == pytest.approx(0.5 + 0.25 + 0.125 + 0.0625, abs=0.08)
    assert found.reach + found.against == 4


@given(passing(signed=True))
def test_of_several_who_tell_at_once_chance_decides(graph: nx.DiGraph[Any]) -> None:
    """Good and bad reach add up to that of the cascade without signs, in every world."""
    plain = nx.DiGraph([(a, b, {"weight": abs(w)}) for a, b, w in graph.edges(data="weight")])
    plain.add_nodes_from(graph)
    signed = diffusion.spread(graph, [0], model="signed_cascade", runs=200)
    assert signed.reach + signed.against == pytest.approx(
        diffusion.spread(plain, [0], runs=200).reach
    )


def test_first_to_tell_is_drawn_evenly() -> None:
    """Told good and bad in the same step, one takes either half of the time."""
    arms = nx.DiGraph()
    arms.add_weighted_edges_from([(0, 1, 1.0), (0, 2, -1.0), (1, 3, 1.0), (2, 3, 1.0)])
    found = diffusion.spread(arms, [0], model="signed_cascade", runs=RUNS)
    good = found.frame.rows()[3][4]
    assert good == pytest.approx(0.5, abs=0.04)


def test_who_is_reached_and_when() -> None:
    """Each customer has a likelihood with an interval, and the mean number of steps."""
    line = diffusion.probabilities(nx.path_graph(4), method="constant", probability=0.5)
    rows = diffusion.spread(line, [0], runs=RUNS).frame.rows()
    assert rows[0] == (0, 1.0, pytest.approx(1, abs=0.002), 1.0, 0.0)
    for customer, likelihood, low, high, step in rows[1:]:
        assert low < likelihood < high
        assert likelihood == pytest.approx(0.5**customer, abs=0.03)
        assert step == customer
    far = nx.path_graph(3, create_using=nx.DiGraph)
    assert diffusion.spread(far, [1], runs=2).frame["step"].to_list() == [None, 0.0, 1.0]


def test_an_audience_is_who_counts() -> None:
    """Ids count one, a mapping counts as it says, and the others are reached for nothing."""
    line = nx.path_graph(4)
    assert diffusion.spread(line, [0], audience=[2, 3], runs=2).reach == 2
    assert diffusion.spread(line, [0], audience={1: 0.5, 3: 2.0}, runs=2).reach == 2.5


def test_interval_where_hardly_any_run_differs() -> None:
    """A rare large cascade that no run has seen is within the interval, and so is a seen one."""
    rare = SocialGraph.from_edges(
        [0] + [1] * 2_000, [1, *range(2, 2_002)], [0.001] + [1.0] * 2_000, directed=True
    )
    inside = 0
    for seed in range(100):
        found = diffusion.spread(rare, [0], runs=400, seed=seed)
        inside += found.low <= 1 + 0.001 * 2_001 <= found.high
    assert inside >= 95


def test_nothing_is_unsure_where_nothing_is_left_to_chance() -> None:
    """Thresholds of a number, and probabilities of 1, give intervals without width."""
    line = nx.path_graph(4)
    for model in ("complex_contagion", "independent_cascade"):
        found = diffusion.spread(line, [0], model=model, runs=5)
        assert found.low == found.reach == found.high
        assert found.frame["low"].to_list() == found.frame["high"].to_list()


def test_a_large_crowd_meets_a_threshold() -> None:
    """Who hears from all of 100,000 joins at a threshold of 1, though shares are rounded."""
    n = 100_000
    star = SocialGraph.from_edges(range(1, n + 1), [0] * n, directed=True)
    found = diffusion.spread(star, range(1, n + 1), model="linear_threshold", threshold=1, runs=2)
    assert found.reach == n + 1


def test_ties_with_oneself_do_not_count() -> None:
    """A loop takes no share of what comes in, and is no probability."""
    graph = nx.Graph([(0, 1, {"weight": 1.0}), (1, 1, {"weight": 9.0})])
    for model in ("weighted_cascade", "linear_threshold"):
        assert diffusion.spread(graph, [0], model=model, runs=5).reach == 2
    assert diffusion.probabilities(graph, method="share").weights.tolist() == [1.0, 1.0]


def test_parameters_name_what_decides() -> None:
    """Other seeds, audiences, thresholds or draws have other parameters; ids are not in them."""
    line = nx.path_graph(4)

    def made(*seeds: int, **options: Any) -> str:
        return repr(diffusion.spread(line, seeds, runs=2, **options).parameters)

    threshold = {0: 0.5, 1: 0.5, 2: 0.5, 3: 1.0}
    others: dict[str, Any] = {"model": "linear_threshold", "threshold": threshold}
    every = [made(0), made(1), made(0, audience=[1]), made(0, audience=[2]), made(0, seed=1)]
    every += [made(0, **others), made(0, **others | {"threshold": threshold | {1: 1.0}})]
    assert len(set(every)) == len(every)
    drawn = [
        diffusion.probabilities(nx.cycle_graph(9), method="trivalency", seed=seed).parameters
        for seed in (1, 2)
    ]
    assert drawn[0] != drawn[1]


def test_a_spread_can_be_pickled() -> None:
    """A spread and its graph come back from a pickle with their table."""
    found = diffusion.spread(nx.path_graph(3), [0], runs=5)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again.frame.equals(found.frame)
    ties = SocialGraph.from_edges(["ana"], ["ben"])
    assert pickle.loads(pickle.dumps(ties)) == ties  # noqa: S301


def test_empty_and_lonely() -> None:
    """No seeds reach nobody, and who has no ties is reached where asked first."""
    graph = nx.empty_graph(3)
    assert diffusion.spread(graph, [], runs=2).reach == 0
    assert diffusion.spread(graph, [1], runs=2).reach == 1
    with pytest.raises(InvalidParameter, match="no customers"):
        diffusion.spread(nx.empty_graph(0), [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "flu"}, "model must be one of"),
        ({"runs": 1}, "runs must be a whole number of at least 2"),
        ({"threshold": 0.5}, "threshold goes with"),
        ({"threshold": 0, "model": "linear_threshold"}, "above 0"),
        ({"threshold": {0: 0.5}, "model": "linear_threshold"}, "lacks 2 of 3"),
        ({"threshold": 1.5, "model": "linear_threshold"}, "from 0 to 1"),
        ({"quality": 0.5}, "quality goes with"),
        ({"audience": []}, "must give some customer"),
        ({"audience": {0: 1e308, 1: 1e308}}, "no finite number"),
        ({"audience": pl.DataFrame({"customer": [0]})}, "such as the column"),
        ({"seed": "x"}, "seed must be"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    """Each option that cannot be used is refused with what to do."""
    with pytest.raises(InvalidParameter, match=message):
        diffusion.spread(nx.path_graph(3), [0], **options)


def test_weights_that_are_no_probabilities() -> None:
    """Weights above 1 are refused with the three ways out, negative ones with the one."""
    heavy = nx.DiGraph([(1, 2, {"weight": 3.0})])
    with pytest.raises(InvalidParameter, match=r"1 weights are above 1.*diffusion\.probabilities"):
        diffusion.spread(heavy, [1])
    bad = nx.DiGraph([(1, 2, {"weight": -0.5})])
    with pytest.raises(InvalidParameter, match="signed_cascade"):
        diffusion.spread(bad, [1])
    with pytest.raises(UnknownCustomer):
        diffusion.spread(nx.path_graph(3), [7])
    with pytest.raises(InvalidParameter, match="give a list of ids"):
        diffusion.spread(nx.path_graph(3), "0")


def test_probabilities_by_their_formula() -> None:
    """Saturation, share and constant follow their formula; three values come by chance."""
    graph = nx.DiGraph([(1, 3, {"weight": 1.0}), (2, 3, {"weight": 3.0})])

    def made(**options: Any) -> list[float]:
        return diffusion.probabilities(graph, **options).weights.tolist()

    assert made(rate=0.5) == pytest.approx([1 - np.exp(-0.5), 1 - np.exp(-1.5)])
    assert made(method="share") == [0.25, 0.75]
    assert made(method="constant", probability=0.2) == [0.2, 0.2]
    assert set(made(method="trivalency")) <= {0.1, 0.01, 0.001}
    gone = diffusion.probabilities(graph, method="constant", probability=0)
    assert (len(gone), gone.number_of_ties) == (3, 0)
    for options in ({}, {"method": "share", "rate": 1.0}, {"method": "luck"}, {"rate": 0}):
        with pytest.raises(InvalidParameter):
            made(**options)


def test_a_graph_turned_round() -> None:
    """Reversing turns each arc round, twice gives the same, and undirected graphs are theirs."""
    graph = SocialGraph.from_edges([1, 1], [2, 3], [0.5, 0.25], directed=True)
    turned = graph.reversed()
    assert sorted(turned.to_networkx().edges(data="weight")) == [(2, 1, 0.5), (3, 1, 0.25)]
    assert turned.reversed() == graph
    pair = SocialGraph.from_edges([1], [2])
    assert pair.reversed() is pair


def test_an_interrupt_leaves_nothing_broken() -> None:
    """Whoever stops a run in the middle gets the interrupt, and the next run is as ever."""
    graph = large(3)
    before = diffusion.spread(graph, [1], runs=900).by_run.tolist()

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            diffusion.spread(graph, [1], runs=900, progress=interrupt)
    assert diffusion.spread(graph, [1], runs=900).by_run.tolist() == before


def test_progress_is_told() -> None:
    """The caller hears how many worlds are done, to the last."""
    heard: list[str] = []
    diffusion.spread(nx.path_graph(3), [0], runs=600, progress=heard.append)
    assert heard[-1] == "simulated 600 of 600 worlds"
