"""Standing ovations: equal to a plain simulation, and the laws that they keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals.stable.v2 as nw
import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import _ovations
from scrmkit.diffusion import Ovation, ovation, theatre
from scrmkit.errors import InvalidParameter, UnknownCustomer
from scrmkit.graph import SocialGraph
from scrmkit.testing.strategies import graphs


UPDATING = ("synchronous", "random", "incentive_first")
COLUMNS = ("judged_good", "standing", "standing_against_own", "sitting_against_own")

State = dict[Any, bool]


@st.composite
def audiences(draw: st.DrawFn, **options: Any) -> nx.DiGraph[Any]:
    """Who sees whom, with people who see nobody and people who see themselves."""
    network = draw(graphs(weighted=False, max_nodes=9, loops=True, min_nodes=1, **options))
    return network.to_directed() if draw(st.booleans()) else orient(network, draw)


def orient(network: nx.Graph[Any], draw: st.DrawFn) -> nx.DiGraph[Any]:
    """One direction for each tie."""
    directed: nx.DiGraph[Any] = nx.DiGraph()
    directed.add_nodes_from(network)
    for a, b in network.edges:
        directed.add_edge(*((a, b) if draw(st.booleans()) else (b, a)))
    return directed


def review(sees: nx.DiGraph[Any], state: State, person: Any, conformity: float) -> bool:
    """What one does after looking around, by plain definition."""
    seen = [state[other] for other in sees.successors(person) if other != person]
    if not seen or abs(sum(seen) - conformity * len(seen)) < 1e-9:
        return state[person]
    return sum(seen) > conformity * len(seen)


def at_once(sees: nx.DiGraph[Any], state: State, conformity: float) -> State:
    """A period where all review at once."""
    return {person: review(sees, state, person, conformity) for person in state}


def play(
    sees: nx.DiGraph[Any],
    first: State,
    conformity: float,
    most: int,
    order: Callable[[State], list[Any]],
) -> tuple[State, int | None]:
    """Reviews one after the other until a period changes nothing."""
    state = dict(first)
    for period in range(most + 1):
        if at_once(sees, state, conformity) == state:
            return state, period
        if period < most:
            for person in order(state):
                state[person] = review(sees, state, person, conformity)
    return state, None


def shares(first: State, state: State) -> tuple[float, ...]:
    """The columns of shares."""
    n = len(first)
    return (
        sum(first.values()) / n,
        sum(state.values()) / n,
        sum(state[one] and not first[one] for one in first) / n,
        sum(first[one] and not state[one] for one in first) / n,
    )


def rows(found: Ovation, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a result."""
    return list(found.frame.select(*names).rows())


def with_signals(sees: nx.DiGraph[Any], standing: list[bool]) -> tuple[State, dict[str, Any]]:
    """A first state, and the options that make it."""
    first = dict(zip(sorted(sees), standing, strict=False))
    return first, {"signals": {person: float(up) for person, up in first.items()}}


FIRST = st.lists(st.booleans(), min_size=9, max_size=9)
CONFORMITY = st.sampled_from([0.0, 0.3, 0.5, 0.6, 1.0])


@given(audiences(), FIRST, CONFORMITY)
def test_synchronous_reviews_are_those_of_a_plain_simulation(
    sees: nx.DiGraph[Any], standing: list[bool], conformity: float
) -> None:
    """Shares, periods and the length of the cycle equal a simulation that keeps all states."""
    first, options = with_signals(sees, standing)
    states = [first]
    while (after := at_once(sees, states[-1], conformity)) not in states:
        states.append(after)
    begin = states.index(after)
    cycle = states[begin:]
    found = ovation(sees, conformity=conformity, **options)
    assert rows(found, "periods", "cycle") == [(begin, len(cycle))]
    wanted = np.mean([shares(first, state) for state in cycle], axis=0)
    assert rows(found, *COLUMNS)[0] == pytest.approx(tuple(wanted))


@given(audiences(), FIRST, CONFORMITY, st.integers(0, 9))
def test_reviews_in_turn_are_those_of_a_plain_simulation(
    sees: nx.DiGraph[Any], standing: list[bool], conformity: float, seed: int
) -> None:
    """One after the other in a drawn order, or first whom most is at odds with."""
    first, options = with_signals(sees, standing)
    people = sorted(sees)

    def drawn(state: State) -> list[Any]:
        return [people[place] for place in source.permutation(len(people))]

    def by_incentive(state: State) -> list[Any]:
        def incentive(person: Any) -> float:
            seen = [state[other] for other in sees.successors(person) if other != person]
            if not seen:
                return -np.inf
            excess = round(sum(seen) / len(seen) - conformity, 9)
            return -excess if state[person] else excess

        return sorted(drawn(state), key=lambda person: -incentive(person))

    for updating, order in (("random", drawn), ("incentive_first", by_incentive)):
        keys = np.random.default_rng(seed).integers(2**63, size=2)
        found = ovation(
            sees,
            conformity=conformity,
            updating=updating,
            runs=2,
            max_periods=9,
            seed=seed,
            **options,
        )
        for key, ours in zip(keys, rows(found, *COLUMNS, "periods"), strict=True):
            source = np.random.default_rng(key)
            state, periods = play(sees, first, conformity, 9, order)
            assert ours == (pytest.approx(shares(first, state)[0]), *ours[1:])
            assert ours[:4] == pytest.approx(shares(first, state))
            assert ours[4] == periods


@given(
    audiences(),
    st.sampled_from(["synchronous", "random"]),
    st.lists(st.floats(-1, 2), min_size=2, max_size=2),
    st.integers(0, 99),
)
def test_a_better_performance_never_has_fewer_standing(
    sees: nx.DiGraph[Any], updating: str, qualities: list[float], seed: int
) -> None:
    """With the same draws the share standing does not fall with quality, run by run."""
    low, high = (
        ovation(sees, quality=quality, updating=updating, runs=3, seed=seed)
        for quality in sorted(qualities)
    )
    ends = [rows(found, "standing", "cycle") for found in (low, high)]
    for (one, cycle), (other, turn) in zip(*ends, strict=True):
        if cycle and turn:
            assert one <= other + 1e-12


@pytest.mark.parametrize("updating", UPDATING)
def test_a_seed_gives_the_same_runs_and_more_runs_begin_with_them(updating: str) -> None:
    """Runs depend on the seed and on their number alone."""
    seats = theatre(5, 6)
    few, same, many, other = (
        rows(ovation(seats, updating=updating, runs=runs, seed=seed), *COLUMNS, "periods")
        for runs, seed in ((20, 1), (20, 1), (50, 1), (20, 2))
    )
    assert few == same == many[:20]
    assert few != other


@pytest.mark.parametrize("updating", UPDATING)
def test_runs_in_portions_are_those_of_one_block(
    updating: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many runs are computed at once changes nothing."""
    seats = theatre(6, 5, view="cone")
    whole = rows(ovation(seats, updating=updating, runs=11), *COLUMNS, "periods", "cycle")
    monkeypatch.setattr(_ovations._sparse, "STATE", 1_000)
    assert rows(ovation(seats, updating=updating, runs=11), *COLUMNS, "periods", "cycle") == whole


@pytest.mark.parametrize("updating", UPDATING)
def test_names_that_keep_their_order_change_nothing(updating: str) -> None:
    """Ids matter by their order alone."""
    seats = theatre(4, 4).to_networkx()
    named = nx.relabel_nodes(seats, {seat: f"seat {seat:03}" for seat in seats})
    ours, theirs = (
        rows(ovation(each, updating=updating, runs=9), *COLUMNS, "periods")
        for each in (seats, named)
    )
    assert ours == theirs


def test_a_theatre_is_seen_as_the_paper_has_it() -> None:
    """Two beside and three ahead; with cones five in the row before that, seven in the next."""
    for view, depth in (("five", 1), ("cone", 3)):
        seats = theatre(4, 7, view=view).to_networkx()
        for row in range(4):
            for column in range(7):
                wanted = {(row, column - 1), (row, column + 1)} | {
                    (row - ahead, column + aside)
                    for ahead in range(1, depth + 1)
                    for aside in range(-ahead, ahead + 1)
                }
                there = {(r, c) for r, c in wanted if r >= 0 and 0 <= c < 7}
                assert set(seats[row * 7 + column]) == {r * 7 + c for r, c in there}
    assert len(theatre(1, 1)) == 1
    assert theatre(3, 1, view="cone").number_of_ties == 3


def test_two_who_see_each_other_change_places_for_ever() -> None:
    """Together they cycle; the shares of a cycle are means over it, and nobody is right."""
    found = ovation(nx.path_graph(2), signals={0: 1.0, 1: 0.0})
    assert rows(found, "run", *COLUMNS) == [(0, 0.5, 0.5, 0.25, 0.25)]
    assert rows(found, "efficient", "right", "periods", "cycle") == [(None, None, 0, 2)]
    assert found.cycling.value == 1
    assert found.informational_efficiency.value is None


def test_who_sees_as_many_standing_as_sitting_stays_as_he_is() -> None:
    """Equal shares change nothing, also where the share is no binary fraction."""
    star = nx.DiGraph([(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9)])
    star.add_edge(0, 10)
    for own in (0.0, 1.0):
        signals = {person: float(person <= 7) for person in range(11)} | {0: own}
        found = ovation(star, signals=signals, conformity=0.7)
        assert rows(found, "periods") == [(0,)]


def test_thresholds_and_conformity_may_differ_between_people() -> None:
    """A mapping gives each person a number of their own."""
    sees = nx.DiGraph([(0, 1), (0, 2), (3, 1), (3, 2)])
    found = ovation(
        sees,
        signals=dict.fromkeys(range(4), 0.5),
        threshold={0: 1, 1: 0, 2: 1, 3: 1},
        conformity={0: 0.4, 1: 0.5, 2: 0.5, 3: 0.6},
    )
    assert rows(found, *COLUMNS) == [(0.25, 0.5, 0.25, 0.0)]
    assert found.parameters["threshold"].startswith("digest ")
    assert found.parameters["threshold"] != found.parameters["conformity"]


def test_majorities_are_compared_with_judgements_and_with_the_truth() -> None:
    """Efficient is what most judged, right is what most would judge without noise."""
    everybody = nx.complete_graph(9)
    found = ovation(everybody, quality=0.55, runs=400)
    for judged, standing, efficient, right in rows(
        found, "judged_good", "standing", "efficient", "right"
    ):
        assert efficient == ((judged > 0.5) == (standing > 0.5))
        assert right == (standing > 0.5)
    frame = found.frame
    assert found.right.value == pytest.approx(frame["right"].mean())
    assert found.informational_efficiency.value == pytest.approx(frame["efficient"].mean())
    assert ovation(everybody, quality=0.5).right.value is None


def test_the_interval_holds_the_mean_of_many_runs() -> None:
    """Estimates lie inside their interval, which holds what far more runs show."""
    seats = theatre(6, 6)
    few, many = ovation(seats, runs=60, seed=1), ovation(seats, runs=4_000, seed=2)
    for name in ("standing", "standing_against_own", "informational_efficiency", "periods"):
        one, other = getattr(few, name), getattr(many, name)
        assert one.low <= one.value <= one.high
        assert one.low <= other.value <= one.high


def test_the_interval_of_the_median_covers_as_often_as_it_says() -> None:
    """The binomial chance that the median lies outside the order statistics is within .05."""
    draws = np.random.default_rng(5).geometric(0.3, size=(2_000, 25))
    inside = 0
    for row in draws.tolist():
        found = _ovations._median(row, drawn=True)
        inside += found.low <= 2 <= found.high  # the median of this distribution
    assert inside / len(draws) >= 0.95
    assert _ovations._median([1, 2, 3], drawn=True).low is None
    assert _ovations._median([1, None, None], drawn=True).value is None


def test_where_nothing_is_drawn_there_is_one_run() -> None:
    """Without noise, or with given signals, a synchronous applause is certain."""
    for options in ({"quality": 0.7, "noise": 0.0}, {"signals": dict.fromkeys(range(4), 1.0)}):
        found = ovation(nx.path_graph(4), runs=50, **options)
        assert found.parameters["runs"] == 1
        assert (found.standing.low, found.standing.value, found.standing.high) == (1, 1, 1)
        assert len(found.frame) == 1


def test_runs_that_find_no_end_are_counted_in_a_note() -> None:
    """Who gives up early says so, and has null for periods."""
    found = ovation(theatre(9, 9), max_periods=1, runs=30)
    unsettled = sum(periods is None for (periods,) in rows(found, "periods"))
    assert unsettled > 20
    assert found.notes == (f"{unsettled} of 30 runs had not come to rest after 1 periods",)


@pytest.mark.parametrize("updating", UPDATING)
def test_a_graph_without_people_has_no_shares(updating: str) -> None:
    """Nobody stands, and nobody sits."""
    found = ovation(SocialGraph.from_edges([], []), updating=updating, runs=2)
    assert found.standing.value is None
    assert set(rows(found, *COLUMNS, "efficient", "right")) == {(None,) * 6}


def test_options_that_cannot_be_are_refused() -> None:
    """Each message says what is wrong."""
    seats = theatre(2, 2)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"updating": "now"}, "updating must be one of"),
        ({"noise": -1.0}, "noise"),
        ({"conformity": 1.5}, "conformity"),
        ({"conformity": {0: 0.5}}, "conformity leaves out 3 of the 4"),
        ({"runs": 0}, "runs"),
        ({"max_periods": 0}, "max_periods"),
        ({"signals": dict.fromkeys(range(4), 1.0), "quality": 1.0}, "one or the other"),
        ({"seed": "x"}, "seed"),
    ]
    for options, message in wrong:
        with pytest.raises(InvalidParameter, match=message):
            ovation(seats, **options)
    with pytest.raises(UnknownCustomer):
        ovation(seats, threshold={9: 1.0})
    with pytest.raises(InvalidParameter, match="view"):
        theatre(2, 2, view="all")
    with pytest.raises(InvalidParameter, match="rows"):
        theatre(0, 2)


def test_runs_that_are_a_tie_are_counted_in_a_note() -> None:
    """Who leaves runs out of an estimate says how many."""
    found = ovation(theatre(2, 2), quality=0.6)
    for column, estimate in (("efficient", "informational_efficiency"), ("right", "right")):
        ties = found.frame[column].null_count()
        assert 0 < ties < 100
        assert (
            f"{estimate} leaves out {ties} of 100 runs, in which {column!r} is null because it "
            f"is a tie" in found.notes
        )


@pytest.mark.parametrize("engine", ["polars", "pandas", "pyarrow"])
def test_columns_are_of_one_type_whatever_is_in_them(engine: str) -> None:
    """Truth values, whole numbers and shares keep their types where all are null."""
    ties = pl.DataFrame({"a": [1], "b": [2]})
    table: Any = {"polars": ties, "pandas": ties.to_pandas(), "pyarrow": ties.to_arrow()}[engine]
    none = ovation(table, signals={1: 1.0, 2: 0.0}, max_periods=1)
    nobody = ovation(table[:0], runs=2)
    some = ovation(table, quality=0.9, noise=0.0)
    frames = [nw.from_native(found.frame) for found in (none, nobody, some)]
    wanted = {"efficient": nw.Boolean, "right": nw.Boolean, "periods": nw.Int64, "cycle": nw.Int64}
    for frame in frames:
        assert {name: frame.schema[name] for name in wanted} == wanted
        assert frame.schema["standing"] == nw.Float64
    assert frames[0]["efficient"].null_count() == 1


def test_ties_need_no_strength() -> None:
    """A table with a and b will do, of ties that are seen both ways."""
    ties = pl.DataFrame({"a": [1, 2], "b": [2, 3]})
    found = ovation(ties, seed=3)
    assert rows(found, *COLUMNS) == rows(ovation(nx.path_graph([1, 2, 3]), seed=3), *COLUMNS)
    one_way = ties.with_columns(strength_ab=1.0, strength_ba=0.0)
    arcs = nx.DiGraph([(1, 2), (2, 3)])
    assert rows(ovation(one_way, seed=3), *COLUMNS) == rows(ovation(arcs, seed=3), *COLUMNS)
    assert ovation(one_way).parameters["sees"] != found.parameters["sees"]
    assert found.parameters["sees"] == ovation(nx.path_graph([1, 2, 3])).parameters["sees"]


def test_numbers_of_numpy_are_numbers() -> None:
    """Options and mappings take them, and parameters are plain."""
    seats = theatre(2, 2)
    plain = ovation(seats, quality=1.0, noise=0.25, threshold=0.5, conformity=0.5)
    found = ovation(
        seats,
        quality=np.int64(1),
        noise=np.float32(0.25),
        threshold=np.float32(0.5),
        conformity=np.float64(0.5),
        seed=np.int64(0),
    )
    assert found.frame.equals(plain.frame)
    assert found.parameters == plain.parameters
    assert {type(found.parameters[name]) for name in ("quality", "threshold")} == {float}
    signals = {np.int64(seat): np.float32(0.75) for seat in range(4)}
    assert ovation(seats, signals=signals).standing.value == 1


def test_a_generator_is_named_by_what_it_drew() -> None:
    """The parameter says which draws they were, and nothing of the computer's memory."""
    seats = theatre(2, 2)
    one, other = (ovation(seats, seed=np.random.default_rng(5)) for _ in range(2))
    assert one.parameters["seed"] == other.parameters["seed"]
    assert one.parameters["seed"].startswith("digest ")
    assert (
        ovation(seats, seed=np.random.default_rng(6)).parameters["seed"] != one.parameters["seed"]
    )
    assert ovation(seats, seed=5).parameters["seed"] == 5
