"""Trust: equal to networkx and to the definitions, bounded, and honest where nothing is known."""

from __future__ import annotations

import itertools
import math
import pickle
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import InteractionLog, SocialGraph, _columns, trust
from scrmkit._checks import digest
from scrmkit.errors import InvalidParameter, InvalidTable, UnknownCustomer
from scrmkit.interactions import Interaction
from scrmkit.testing import strategies


METHODS = get_args(trust.Method)
VALUES = (-1.0, -0.5, 0.0, 0.2, 0.25, 0.6, 0.75, 1.0)

Marks = dict[tuple[Any, Any], float]


@st.composite
def marks(draw: st.DrawFn, values: tuple[float, ...] = VALUES, people: int = 6) -> Marks:
    """Ratings among a few people, of whom some may rate nobody."""
    pairs = list(itertools.permutations(range(people), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=22))
    return {pair: draw(st.sampled_from(values)) for pair in chosen}


def table(ratings: Marks) -> pl.DataFrame:
    """Ratings as a table."""
    rows = [(source, target, rating) for (source, target), rating in ratings.items()]
    schema = {"source": pl.Int64, "target": pl.Int64, "rating": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def everybody(ratings: Marks) -> list[Any]:
    """Who occurs."""
    return sorted({one for pair in ratings for one in pair})


def predicted(ratings: Any, pairs: Any, method: str, **options: Any) -> list[tuple[Any, ...]]:
    """Rating, count and reason for each pair."""
    found = trust.predict(ratings, pairs, method=method, **options).frame
    return found.select("rating", "n", "reason").rows()


# from a log


@st.composite
def rated_logs(draw: st.DrawFn) -> list[Interaction]:
    """Logs in which one act at least has a valence, so that there are valences."""
    log = draw(strategies.logs(min_size=1))
    return [*log, evolve(log[0], id="more", valence=0.5)]


def means(log: list[Interaction], as_of: datetime, half_life: timedelta | None) -> Any:
    """Ratings by their formula, act by act."""
    sums: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
    for act in log:
        known = act.source is not None and act.target is not None and act.valence is not None
        if known and act.source != act.target and not act.automated:
            fade = 1.0 if half_life is None else 2 ** (-(as_of - act.time) / half_life)
            cell = sums[str(act.source), str(act.target)]
            cell[0] += fade * act.valence
            cell[1] += fade
            cell[2] += 1
    return {pair: (total / weight, n, weight) for pair, (total, weight, n) in sums.items()}


@given(
    rated_logs(),
    st.sampled_from([None, timedelta(days=400), timedelta(days=4000)]),
)
def test_a_rating_is_the_decayed_mean_of_valences(
    log: list[Interaction], half_life: timedelta | None
) -> None:
    """Ratings are the formula of the docstring, act by act."""
    as_of = max(act.time for act in log)
    found = trust.ratings(InteractionLog.from_records(log), as_of=as_of, half_life=half_life)
    wanted = means(log, as_of, half_life)
    rows = {(str(row["source"]), str(row["target"])): row for row in found.frame.to_dicts()}
    whole = {pair: value for pair, value in wanted.items() if value[2] > 1e-200}
    assert set(rows) == set(wanted)
    for pair, (rating, n, weight) in whole.items():
        assert rows[pair]["rating"] == pytest.approx(rating, abs=1e-7)
        assert rows[pair]["n"] == n
        assert rows[pair]["weight"] == pytest.approx(weight, rel=1e-6)
    counts = found.left_out
    assert counts["automated"] == sum(act.automated for act in log)
    assert sum(counts.values()) + sum(n for _, n, _ in wanted.values()) == len(log)


@given(rated_logs(), st.randoms(use_true_random=False))
def test_ratings_have_no_hidden_clock_and_no_order(log: list[Interaction], random: Any) -> None:
    """Shifting all times with the instant, or turning the rows about, changes no rating."""
    as_of, shift = max(act.time for act in log), timedelta(days=77, hours=5)
    options = {"half_life": timedelta(days=300)}
    wanted = trust.ratings(InteractionLog.from_records(log), as_of=as_of, **options).frame
    later = [evolve(act, time=act.time + shift) for act in log]
    random.shuffle(later)
    found = trust.ratings(InteractionLog.from_records(later), as_of=as_of + shift, **options)
    names = ["source", "target", "n"]
    assert found.frame.select(names).equals(wanted.select(names))
    for name in ("rating", "weight"):
        assert np.allclose(found.frame[name], wanted[name], rtol=1e-7, atol=1e-9)


def review(day: int, target: str | None, valence: float | None, **more: Any) -> dict[str, Any]:
    """Ana's review of somebody."""
    time = datetime(2026, 3, day, tzinfo=UTC)
    made = {"id": f"m{day}", "time": time, "source": "ana", "target": target, "valence": valence}
    return {**made, "kind": "review", "about": None, **more}


def test_ratings_at_an_instant_and_by_topic() -> None:
    """Nothing later counts, nor what was learnt later, nor another topic."""
    log = InteractionLog.from_records(
        [
            review(1, "ben", 1.0, about="advice"),
            review(2, "ben", -1.0, about="price"),
            review(3, "ben", 0.5, received_at=datetime(2026, 3, 9, tzinfo=UTC)),
            review(4, "ben", None),
            review(5, None, 1.0),
        ]
    )

    def rating(**options: Any) -> list[tuple[Any, ...]]:
        return trust.ratings(log, **options).frame.select("rating", "n").rows()

    second, fifth = (datetime(2026, 3, day, tzinfo=UTC) for day in (2, 5))
    assert rating() == [(pytest.approx(1 / 6), 3)]
    assert rating(as_of=second) == [(0.0, 2)]
    assert rating(known_at=fifth) == [(0.0, 2)]
    assert rating(about="advice") == [(1.0, 1)]
    assert rating(about="weather") == []
    assert trust.ratings(log).left_out == {"automated": 0, "nobody": 1, "self": 0, "unrated": 1}
    assert trust.ratings(log, about="advice").parameters["about"] == "advice"
    with pytest.raises(InvalidParameter, match="about"):
        trust.ratings(log, about=7)


def test_an_old_rating_keeps_its_value_and_loses_its_weight() -> None:
    """Where a weight fades to nothing, the mean is still that of the acts."""
    log = InteractionLog.from_records([review(1, "ben", 0.5), review(1, "ben", 0.0, id="n")])
    found = trust.ratings(log, as_of=datetime(2031, 3, 1, tzinfo=UTC), half_life=timedelta(hours=1))
    assert found.frame.select("rating", "n", "weight").rows() == [(0.25, 2, 0.0)]


def test_a_log_without_valences_is_refused() -> None:
    """What has no valences makes no ratings, and the error says what the log has."""
    log = InteractionLog.from_frame(
        pl.DataFrame({"time": [0], "source": ["ana"], "target": ["ben"]}),
        constants={"kind": "message"},
    )
    with pytest.raises(InvalidTable, match="valence"):
        trust.ratings(log)
    with pytest.raises(InvalidParameter, match="no log"):
        trust.ratings(log.frame)


def test_ratings_are_pickled_with_their_counts() -> None:
    """A result that was sent to another process still says what was left out."""
    found = trust.ratings(InteractionLog.from_records([review(1, None, 0.5)]))
    assert pickle.loads(pickle.dumps(found)).left_out["nobody"] == 1  # noqa: S301


# what is taken as ratings


def test_tables_and_graphs_are_the_same_ratings() -> None:
    """A table of any kind, a network and a SocialGraph of the same ratings rank alike."""
    ratings = {(1, 2): 1.0, (2, 3): 0.5, (3, 1): 0.25, (1, 3): -1.0}
    network = nx.DiGraph()
    network.add_weighted_edges_from((a, b, r) for (a, b), r in ratings.items())
    wanted = dict(trust.eigentrust(table(ratings)))
    frames = [table(ratings).to_pandas(), table(ratings).to_arrow(), table(ratings).lazy()]
    for other in (*frames, network, SocialGraph.of(network)):
        assert dict(trust.eigentrust(other)) == pytest.approx(wanted)
    assert isinstance(trust.eigentrust(frames[0]).frame, pd.DataFrame)


def test_ratings_of_nobody_and_of_no_weight_are_kept() -> None:
    """A rating of 0 counts, and so does a customer of a network without ties."""
    network = nx.DiGraph()
    network.add_edge("ana", "ben", weight=0.0)
    network.add_node("cem")
    found = trust.fairness_goodness(network).frame
    assert found.select("customer", "goodness", "fairness").rows() == [
        ("ben", 0.0, None),
        ("ana", None, 1.0),
        ("cem", None, None),
    ]


@pytest.mark.parametrize(
    ("ratings", "error", "words"),
    [
        ({"source": [1], "target": [2], "rating": [7.0]}, InvalidParameter, "dividing by 10"),
        ({"source": [1], "target": [2], "rating": [math.nan]}, InvalidParameter, "finite"),
        ({"source": [1], "target": [2], "rating": [None]}, InvalidTable, "number|nulls"),
        ({"source": [1, 3], "target": [2, 3], "rating": [1.0, None]}, InvalidTable, "nulls"),
        ({"source": [1], "target": [2], "rating": ["good"]}, InvalidTable, "not a number"),
        ({"source": [1, None], "target": [2, 3], "rating": [1.0, 1.0]}, InvalidTable, "nulls"),
        ({"source": [1, 1], "target": [2, 2], "rating": [1.0, 0.5]}, InvalidParameter, "mean"),
        ({"source": [1], "target": ["b"], "rating": [1.0]}, InvalidTable, "all texts or all"),
        ({"source": [1], "target": [2], "weight": [1.0]}, InvalidTable, "no column 'rating'"),
    ],
)
def test_what_are_no_ratings_is_refused(ratings: Any, error: type[Exception], words: str) -> None:
    """The error says what is wrong with a table of ratings and how to mend it."""
    with pytest.raises(error, match=words):
        trust.fairness_goodness(pl.DataFrame(ratings))


def test_graphs_that_are_no_ratings_are_refused() -> None:
    """A rating has a direction, and a graph has no times."""
    for graph in (nx.Graph([(1, 2)]), SocialGraph.from_edges([1], [2])):
        with pytest.raises(InvalidParameter, match="undirected"):
            trust.eigentrust(graph)
    with pytest.raises(InvalidParameter, match="as a table"):
        trust.evaluate(nx.DiGraph([(1, 2)]), time="last_seen")


def test_ratings_of_oneself_are_left_out_and_said() -> None:
    """A customer's rating of themself counts in nothing, and a note says so."""
    ratings = {(1, 2): 0.5, (2, 1): 0.25}
    with_loop = table({**ratings, (1, 1): 1.0})
    for call in (trust.eigentrust, trust.fairness_goodness):
        assert call(with_loop).frame.equals(call(table(ratings)).frame)
        assert call(with_loop).notes == ("1 ratings of customers of themselves are left out",)


def test_no_ratings_give_empty_results() -> None:
    """Without ratings there is nobody to rank, and nothing can be predicted."""
    nothing = table({})
    assert len(trust.eigentrust(nothing)) == 0
    assert len(trust.fairness_goodness(nothing).frame) == 0
    assert len(trust.predict(nothing, []).frame) == 0
    for method in METHODS:
        assert predicted(nothing, [(1, 2)], method)[0][:2] == (None, 0)
    with pytest.raises(InvalidParameter, match="two ratings"):
        trust.evaluate(nothing)


# reputation


@given(marks(), st.sampled_from([0.0, 0.5, 0.85]), st.data())
def test_eigentrust_is_pagerank_of_what_is_positive(
    ratings: Marks, damping: float, data: Any
) -> None:
    """EigenTrust equals networkx's PageRank of the positive ratings, with pre-trusted ones."""
    people = everybody(ratings)
    network = nx.DiGraph()
    network.add_nodes_from(people)
    network.add_weighted_edges_from((a, b, r) for (a, b), r in ratings.items() if r > 0)
    shares = st.dictionaries(st.sampled_from(people), st.sampled_from([1.0, 2.5]), min_size=1)
    trusted = data.draw(st.none() | shares) if people else None
    wanted = nx.pagerank(network, alpha=damping, personalization=trusted, tol=1e-13, max_iter=1_000)
    found = trust.eigentrust(table(ratings), trusted=trusted, damping=damping)
    assert dict(found) == pytest.approx(wanted, abs=1e-9)
    assert found.frame["value"].to_list() == sorted(found.values(), reverse=True)
    negative = sum(rating < 0 for rating in ratings.values())
    assert [note for note in found.notes if "negative" in note] == (
        [f"{negative} of {len(ratings)} ratings are negative and count as none"] if negative else []
    )


def test_a_closed_group_gains_nothing_without_trust_from_outside() -> None:
    """Who rate each other well but are rated by nobody trusted get no trust."""
    ring = {("x", "y"): 1.0, ("y", "x"): 1.0, ("ana", "ben"): 0.5, ("ben", "ana"): 0.5}
    frame = pl.DataFrame([(*pair, r) for pair, r in ring.items()], orient="row").rename(
        {"column_0": "source", "column_1": "target", "column_2": "rating"}
    )
    found = trust.eigentrust(frame, trusted=["ana"])
    assert found["x"] == found["y"] == 0
    assert found["ana"] + found["ben"] == pytest.approx(1)
    assert trust.eigentrust(frame)["x"] == pytest.approx(0.25)
    other = trust.eigentrust(frame, trusted=["ben"])
    assert found.parameters["trusted"] != other.parameters["trusted"]


def test_options_of_eigentrust_are_checked() -> None:
    """Who is trusted must be somebody, and damping is below 1."""
    ratings = table({(1, 2): 1.0})
    for trusted, error in (
        ("ana", InvalidParameter),
        ([], InvalidParameter),
        ([["a"]], InvalidParameter),
        ([None], InvalidParameter),
        ({(1, 2): 1.0}, InvalidParameter),
        (pl.DataFrame({"customer": [1]}), InvalidParameter),
        (pd.DataFrame({"customer": [1]}), InvalidParameter),
        ([9], UnknownCustomer),
    ):
        with pytest.raises(error):
            trust.eigentrust(ratings, trusted=trusted)
    for damping in (1.0, -0.1, "much"):
        with pytest.raises(InvalidParameter):
            trust.eigentrust(ratings, damping=damping)


def solve(ratings: Marks) -> tuple[dict[Any, float], dict[Any, float]]:
    """Fairness and goodness by their definition, in turn sixty times."""
    fairness = dict.fromkeys(everybody(ratings), 1.0)
    goodness: dict[Any, float] = {}
    for _ in range(60):
        goodness = {}
        for v in everybody(ratings):
            parts = [fairness[u] * r for (u, w), r in ratings.items() if w == v]
            if parts:
                goodness[v] = sum(parts) / len(parts)
        for u in fairness:
            off = [abs(r - goodness[v]) / 2 for (w, v), r in ratings.items() if w == u]
            if off:
                fairness[u] = 1 - sum(off) / len(off)
    givers = {u for u, _ in ratings}
    return {u: f for u, f in fairness.items() if u in givers}, goodness


@given(marks())
def test_fairness_and_goodness_solve_their_equations(ratings: Marks) -> None:
    """The values are those of the definition, within bounds, and null where it is silent."""
    fairness, goodness = solve(ratings)
    frame = trust.fairness_goodness(table(ratings)).frame
    assert sorted(frame["customer"]) == everybody(ratings)
    for row in frame.iter_rows(named=True):
        who = row["customer"]
        assert row["fairness"] == (
            pytest.approx(fairness[who], abs=1e-9) if who in fairness else None
        )
        assert row["goodness"] == (
            pytest.approx(goodness[who], abs=1e-9) if who in goodness else None
        )
        assert row["n_given"] == sum(u == who for u, _ in ratings)
        assert row["n_received"] == sum(v == who for _, v in ratings)
        assert row["fairness"] is None or 0 <= row["fairness"] <= 1
        assert row["goodness"] is None or -1 <= row["goodness"] <= 1
    known = frame["goodness"].drop_nulls().to_list()
    assert known == pytest.approx(sorted(known, reverse=True), abs=1e-8)


def test_fairness_and_goodness_of_a_published_form() -> None:
    """Two who praise and one who damns: goodness 1/3, fairness 2/3 and 1/3, by hand."""
    frame = trust.fairness_goodness(table({(1, 9): 1.0, (2, 9): 1.0, (3, 9): -1.0})).frame
    found = {row["customer"]: row for row in frame.to_dicts()}
    assert found[9]["goodness"] == pytest.approx(1 / 3, abs=1e-9)
    assert [found[u]["fairness"] for u in (1, 2, 3)] == pytest.approx([2 / 3, 2 / 3, 1 / 3])


# predictions


def plain_mean(values: list[float]) -> float | None:
    """The mean, None of nothing."""
    return sum(values) / len(values) if values else None


def by_means(ratings: Marks, source: Any, target: Any, method: str) -> float | None:
    """The plain means by their definition, of ratings without the pair's own."""
    every = plain_mean(list(ratings.values()))
    if method == "mean":
        return every
    received = [r for (_, v), r in ratings.items() if v == target]
    given = {v: r for (u, v), r in ratings.items() if u == source}
    if method == "mean_received":
        return plain_mean(received)
    if method == "mean_given":
        return plain_mean(list(given.values()))
    if every is None:
        return None

    def off(who: Any) -> float:
        values = [r - every for (_, v), r in ratings.items() if v == who]
        return sum(values) / (5 + len(values))

    own = sum(r - every - off(v) for v, r in given.items()) / (5 + len(given))
    return min(max(every + off(target) + own, -1.0), 1.0)


def by_fairness(ratings: Marks, source: Any, target: Any) -> float | None:
    """Fairness times goodness by their definition."""
    fairness, goodness = solve(ratings)
    if source not in fairness or target not in goodness:
        return None
    return fairness[source] * goodness[target]


def by_tidaltrust(ratings: Marks, source: Any, target: Any, horizon: int) -> float | None:
    """TidalTrust by its definition: all shortest paths, one by one."""
    for length in range(1, horizon):
        paths = []
        for middle in itertools.permutations(set(everybody(ratings)) - {source, target}, length):
            steps = list(itertools.pairwise((source, *middle)))
            passes = all(ratings.get(step, 0) > 0 for step in steps)
            if passes and (middle[-1], target) in ratings:
                paths.append((min(ratings[step] for step in steps), middle))
        if paths:
            strongest = max(strength for strength, _ in paths)
            chosen = [middle for strength, middle in paths if strength >= strongest]

            def hear(
                who: Any, level: int, chosen: list[Any] = chosen, length: int = length
            ) -> float:
                if level == length:
                    return ratings[who, target]
                before = {path[:level] for path in chosen if level == 0 or path[level - 1] == who}
                after = {path[level] for path in chosen if path[:level] in before}
                weights = {x: ratings[who, x] for x in after}
                total = sum(w * hear(x, level + 1) for x, w in weights.items())
                return total / sum(weights.values())

            return hear(source, 0)
    return None


def by_moletrust(
    ratings: Marks, source: Any, target: Any, horizon: int, threshold: float
) -> float | None:
    """MoleTrust by its definition: level after level, each from the trusted of the one before."""
    trusted, seen = {source: 1.0}, {source}
    for _ in range(horizon):
        heard = defaultdict(list)
        for (u, v), rating in ratings.items():
            if u in trusted and v not in seen:
                heard[v].append((trusted[u], rating))
        level = {v: sum(w * r for w, r in p) / sum(w for w, _ in p) for v, p in heard.items()}
        if target in level:
            return level[target]
        seen |= set(level)
        trusted = {v: value for v, value in level.items() if value >= threshold}
    return None


@given(marks(), st.sampled_from([1, 2, 3, 4]), st.sampled_from([0.2, 0.6]))
def test_predictions_are_those_of_the_definitions(
    ratings: Marks, horizon: int, threshold: float
) -> None:
    """For every pair each method gives what its definition gives without the pair's rating."""
    pairs = list(itertools.permutations(range(6), 2))
    for method in METHODS:
        found = predicted(table(ratings), pairs, method, horizon=horizon, threshold=threshold)
        for (source, target), (rating, n, reason) in zip(pairs, found, strict=True):
            others = {p: r for p, r in ratings.items() if p != (source, target)}
            if method == "tidaltrust":
                wanted = by_tidaltrust(others, source, target, horizon)
            elif method == "moletrust":
                wanted = by_moletrust(others, source, target, horizon, threshold)
            elif method == "fairness_goodness":
                wanted = by_fairness(others, source, target)
            else:
                wanted = by_means(others, source, target, method)
            assert rating == (None if wanted is None else pytest.approx(wanted, abs=1e-8))
            assert (rating is None) == (reason is not None)
            assert rating is None or -1 <= rating <= 1
            assert n > 0 or rating is None or method == "mean_both"


@given(marks(values=(0.6, 0.75, 1.0)))
def test_moletrust_among_the_trusted_is_as_published(ratings: Marks) -> None:
    """Where everybody is trusted enough, steps are the distances in the graph, as published."""
    network = nx.DiGraph(list(ratings))
    for source in everybody(ratings):
        away = nx.single_source_shortest_path_length(network, source)
        trusted = {source: 1.0}
        for step in range(1, 4):
            for target in [one for one, steps in away.items() if steps == step]:
                heard = [
                    (trusted[u], ratings[u, target])
                    for u in network.pred[target]
                    if away.get(u) == step - 1
                ]
                trusted[target] = sum(w * r for w, r in heard) / sum(w for w, _ in heard)
        pairs = [(source, one) for one, steps in away.items() if steps in (2, 3)]
        for (_, target), row in zip(
            pairs, predicted(table(ratings), pairs, "moletrust"), strict=True
        ):
            assert row[0] == pytest.approx(trusted[target])


EVE = {("alice", "bob"): 0.8, ("alice", "dave"): 1.0, ("bob", "eve"): 0.6, ("dave", "eve"): 0.9}


def named(ratings: Marks) -> pl.DataFrame:
    """Ratings of people with names, as a table."""
    rows = [(*pair, rating) for pair, rating in ratings.items()]
    return pl.DataFrame(rows, schema=["source", "target", "rating"], orient="row")


def test_the_example_of_moletrust() -> None:
    """Eve is trusted by (.8 * .6 + 1 * .9) / (.8 + 1) = .767, the example of its authors."""
    found = predicted(named(EVE), [("alice", "eve")], "moletrust", horizon=2, threshold=0.5)
    assert found == [(pytest.approx(0.7667, abs=1e-4), 2, None)]


def test_how_many_ratings_an_answer_rests_on() -> None:
    """``n`` counts the ratings that were heard, never the pair's own."""
    ratings = {**EVE, ("alice", "eve"): -1.0, ("carl", "eve"): 0.2}
    found = {
        method: predicted(named(ratings), [("alice", "eve")], method)[0][1] for method in METHODS
    }
    assert found == {
        "mean": 5,
        "mean_received": 3,
        "mean_given": 2,
        "mean_both": 5,
        "fairness_goodness": 3,
        "tidaltrust": 1,
        "moletrust": 2,
    }


def test_tidaltrust_hears_the_strongest_of_the_shortest_paths() -> None:
    """Only the path through Dave counts: its ratings are the largest; a longer one never does."""
    longer = {**EVE, ("dave", "fay"): 1.0, ("fay", "eve"): -1.0}
    assert predicted(named(longer), [("alice", "eve")], "tidaltrust") == [(0.9, 1, None)]
    equal = {**EVE, ("alice", "dave"): 0.8}
    found = predicted(named(equal), [("alice", "eve")], "tidaltrust")
    assert found == [(pytest.approx(0.75), 2, None)]


def test_tidaltrust_hears_nobody_by_a_weak_rating() -> None:
    """Who is on a strong path says what strong ratings say, not what weak ones do."""
    ratings = {
        ("ana", "ben"): 1.0,
        ("ana", "cem"): 1.0,
        ("ben", "dot"): 1.0,
        ("cem", "eli"): 1.0,
        ("cem", "dot"): 0.2,
        ("dot", "zoe"): -1.0,
        ("eli", "zoe"): 0.5,
    }
    assert predicted(named(ratings), [("ana", "zoe")], "tidaltrust") == [(-0.25, 2, None)]


def test_who_is_distrusted_passes_nothing_on() -> None:
    """The word of one whom the source distrusts is not heard, and a bad word by a friend is."""
    foe = {
        ("ana", "foe"): -1.0,
        ("foe", "dot"): 1.0,
        ("ana", "ben"): 1.0,
        ("ben", "cem"): 1.0,
        ("cem", "dot"): -0.5,
    }
    for method in ("tidaltrust", "moletrust"):
        assert predicted(named(foe), [("ana", "dot")], method) == [(-0.5, 1, None)]
        del_path = {pair: rating for pair, rating in foe.items() if pair != ("ben", "cem")}
        reasons = predicted(named(del_path), [("ana", "dot")], method)
        assert reasons == [(None, 0, "no trusted path")]


def test_why_nothing_can_be_said() -> None:
    """Each pair without an answer has a reason, and the note counts them."""
    ratings = named({("ana", "ben"): 1.0, ("cem", "dot"): 1.0})
    pairs = [("ana", "dot"), ("ana", "ana"), ("ben", "dot"), ("ana", "cem"), ("new", "newer")]
    found = trust.predict(ratings, pairs, method="tidaltrust")
    assert found.frame["reason"].to_list() == [
        "no trusted path",
        "source and target are one",
        "the source rated nobody else",
        "nobody else rated the target",
        "the source rated nobody else",
    ]
    assert found.notes == ("nothing can be said of 5 of 5 pairs; see the reasons",)
    assert found.frame.schema["rating"] == pl.Float64
    one = trust.predict(named({("ana", "ben"): 1.0}), [("ana", "ben")], method="mean")
    assert one.frame["reason"].to_list() == ["there are no other ratings"]
    fine = trust.predict(ratings, [("ana", "dot")], method="mean")
    assert fine.frame.schema["reason"] == pl.String
    assert fine.notes == ()


@given(marks(), st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_order_names_and_company_do_not_matter(ratings: Marks, method: str, random: Any) -> None:
    """Shuffled rows, other names and other pairs beside it change no prediction."""
    pairs = [*itertools.permutations(range(6), 2), (0, 1)]
    wanted = predicted(table(ratings), pairs, method)
    names = random.sample(range(100), 6)
    items = [((names[a], names[b]), rating) for (a, b), rating in ratings.items()]
    random.shuffle(items)
    places = random.sample(range(len(pairs)), len(pairs))
    asked = [tuple(names[one] for one in pairs[place]) for place in places]
    found = predicted(table(dict(items)), asked, method)
    for place, row in zip(places, found, strict=True):
        assert row[1:] == wanted[place][1:]
        assert row[0] == pytest.approx(wanted[place][0], abs=1e-9)
    alone = predicted(table(ratings), [pairs[3]], method)
    assert alone == [(pytest.approx(wanted[3][0], abs=1e-9), *wanted[3][1:])]


@given(marks())
def test_reputation_does_not_depend_on_order_or_names(ratings: Marks) -> None:
    """Turned rows and names that keep their order give the same reputation of everybody."""
    renamed = {(a * 10 - 3, b * 10 - 3): r for (a, b), r in reversed(list(ratings.items()))}
    for call in (trust.eigentrust, trust.fairness_goodness):
        wanted, found = (call(table(each)).frame for each in (ratings, renamed))
        assert (found["customer"] + 3).to_list() == (wanted["customer"] * 10).to_list()
        for name in wanted.columns[1:]:
            assert found[name].to_list() == pytest.approx(wanted[name].to_list(), abs=1e-9)


def test_pairs_come_as_a_table_or_a_list_and_keep_their_order() -> None:
    """A table of pairs gives a table of its kind; ids may be UUIDs."""
    ana, ben, cem = (UUID(int=number) for number in (3, 2, 1))
    ratings = pd.DataFrame({"source": [ana, cem], "target": [ben, ben], "rating": [0.5, 1.0]})
    found = trust.predict(ratings, [(ana, ben), (cem, ben)], method="mean_received").frame
    assert isinstance(found, pd.DataFrame)
    assert found["rating"].tolist() == [1.0, 0.5]
    numbers = table({(1, 2): 0.5, (3, 2): 1.0})
    assert predicted(numbers, np.array([[1, 2]]).tolist(), "mean_received") == [(1.0, 1, None)]
    assert predicted(numbers, [(np.int64(1), np.int64(2))], "mean_received") == [(1.0, 1, None)]
    pairs = pl.DataFrame({"source": [str(cem)], "target": [str(ben)], "more": [1]})
    found = trust.predict(ratings, pairs, method="mean_received").frame
    assert found.rows() == [(str(cem), str(ben), 0.5, 1, None)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pairs": ["ab"]}, "list of pairs"),
        ({"pairs": [(1, 2, 3)]}, "list of pairs"),
        ({"pairs": [(1, None)]}, "id"),
        ({"pairs": [("a", "b")]}, "of the type"),
        ({"method": "guess"}, "tidaltrust"),
        ({"method": np.array(["mean", "mean"])}, "tidaltrust"),
        ({"horizon": 0}, "horizon"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
    ],
)
def test_options_of_predict_are_checked(options: Mapping[str, Any], words: str) -> None:
    """An option that cannot be is refused by its name."""
    arguments: dict[str, Any] = {"pairs": [(1, 2)], **options}
    with pytest.raises(InvalidParameter, match=words):
        trust.predict(table({(1, 2): 1.0}), **arguments)


# how far off


def crowd(seed: int, people: int = 40, size: int = 600) -> pl.DataFrame:
    """Ratings that are what the target is worth, with noise, each at its own time."""
    rng = np.random.default_rng(seed)
    worth = rng.uniform(-0.8, 0.8, people)
    pairs = np.array(list(itertools.permutations(range(people), 2)))
    source, target = pairs[rng.permutation(len(pairs))[:size]].T
    noise = rng.uniform(-0.2, 0.2, size)
    return pl.DataFrame(
        {"source": source, "target": target, "rating": worth[target] + noise, "day": range(size)}
    )


@pytest.mark.parametrize("time", [None, "day"])
def test_errors_are_those_of_the_pairs_put_aside(time: str | None) -> None:
    """The errors of an evaluation are those of predictions from the rest, on common pairs."""
    ratings = crowd(1)
    methods = ["mean", "mean_received", "tidaltrust"]
    found = trust.evaluate(ratings, methods=methods, time=time, seed=5)
    if time is None:
        order = ratings.sort("source", "target")
        kept = np.zeros(len(order), dtype=bool)
        kept[np.random.default_rng(5).choice(len(order), 120, replace=False)] = True
        aside, rest = order.filter(kept), order.filter(~kept)
    else:
        aside, rest = ratings.tail(120), ratings.head(480)
    answers = {
        method: trust.predict(rest, aside, method=method).frame["rating"].to_numpy()
        for method in methods
    }
    common = ~np.isnan(list(answers.values())).any(axis=0)
    truth = aside["rating"].to_numpy()
    rows = {row["method"]: row for row in found.frame.to_dicts()}
    best = min(rows.values(), key=lambda row: row["rmse"])
    for method, values in answers.items():
        row, off = rows[method], (values - truth)[common]
        assert row["coverage"] == pytest.approx((~np.isnan(values)).mean())
        assert row["n"] == common.sum()
        assert row["rmse"] == pytest.approx(math.sqrt((off**2).mean()))
        assert row["mae"] == pytest.approx(np.abs(off).mean())
        assert row["behind"] == pytest.approx(row["rmse"] - best["rmse"])
        if method == "mean":
            assert row["pearson"] is None
        else:
            wanted = np.corrcoef(values[common], truth[common])[0, 1]
            assert row["pearson"] == pytest.approx(wanted)
        for name in ("rmse", "mae", "behind"):
            assert row[f"{name}_low"] <= row[name] + 1e-9
            assert row[name] <= row[f"{name}_high"] + 1e-9
    assert rows["mean"]["behind_low"] > 0
    assert found.frame["rmse"].is_sorted()


def test_an_evaluation_is_repeated_by_its_seed_whatever_the_order() -> None:
    """The same seed gives the same numbers, of shuffled rows too; another gives others."""
    ratings, options = crowd(2), {"methods": ["mean", "mean_both"]}
    wanted = trust.evaluate(ratings, seed=3, **options)
    shuffled = ratings.sample(fraction=1, shuffle=True, seed=9)
    again = trust.evaluate(shuffled, seed=3, **options).frame
    assert again.drop("method").to_numpy(allow_copy=True) == pytest.approx(
        wanted.frame.drop("method").to_numpy(), nan_ok=True
    )
    other = trust.evaluate(ratings, seed=4, **options).frame
    assert other["rmse"].to_list() != wanted.frame["rmse"].to_list()
    assert wanted.parameters["seed"] == 3
    assert wanted.notes == ("compared on the 120 of 120 pairs that all methods answer",)


def test_intervals_hold_the_error_of_new_raters() -> None:
    """In 20 drawn crowds the interval of the error holds the error that was put in."""
    exact = math.sqrt(0.4**2 / 12)  # of the noise; the mean of all but one adds little
    held = 0
    for seed in range(20):
        row = trust.evaluate(crowd(seed), methods=["mean_received"], seed=seed).frame.row(
            0, named=True
        )
        held += row["rmse_low"] <= exact * math.sqrt(1 + 1 / 12) <= row["rmse_high"]
    assert held >= 17


@pytest.mark.parametrize(("one", "many"), [("source", "target"), ("target", "source")])
def test_intervals_are_of_sources_and_of_targets(one: str, many: str) -> None:
    """Where ratings differ by one of the two sides alone, that side makes the interval."""
    values = np.random.default_rng(8).uniform(-1, 1, 40)
    pairs = [(few, who + 20) for few in range(12) for who in range(40)]
    ratings = pl.DataFrame(pairs, schema=[one, many], orient="row").with_columns(
        rating=pl.Series([values[who - 20] for _, who in pairs])
    )
    row = trust.evaluate(ratings, methods=["mean"], share=0.5).frame.row(0, named=True)
    assert row["rmse_low"] + 0.05 < row["rmse"] < row["rmse_high"] - 0.05


@pytest.mark.parametrize(("raters", "rated"), [(9, 30), (30, 9), (2, 2)])
def test_few_raters_or_rated_make_no_interval(raters: int, rated: int) -> None:
    """Below 10 raters or rated there is no interval, and a note says so; errors remain."""
    rng = np.random.default_rng(1)
    pairs = [(a, 100 + b) for a in range(raters) for b in range(rated)]
    ratings = table({pair: rng.uniform(-1, 1) for pair in pairs})
    found = trust.evaluate(ratings, methods=["mean", "mean_both"], share=0.5)
    assert found.frame.drop_nulls("rmse").height == 2
    for name in ("rmse", "mae", "pearson", "behind"):
        assert found.frame[f"{name}_low"].null_count() == 2
        assert found.frame[f"{name}_high"].null_count() == 2
    assert found.notes[-1].startswith("no intervals: these pairs are of ")


def test_ten_raters_and_ten_rated_make_an_interval() -> None:
    """From 10 of both on there are intervals, and no note about them."""
    rng = np.random.default_rng(1)
    pairs = [(a, 100 + b) for a in range(10) for b in range(10)]
    ratings = table({pair: rng.uniform(-1, 1) for pair in pairs})
    found = trust.evaluate(ratings, methods=["mean"], share=0.9)
    row = found.frame.row(0, named=True)
    assert row["rmse_low"] < row["rmse"] < row["rmse_high"]
    assert len(found.notes) == 1


def test_an_evaluation_says_how_far_it_is() -> None:
    """There are words after each method and between the samples, and they change nothing."""
    said: list[str] = []
    options: dict[str, Any] = {"methods": ["mean", "mean_given"]}
    found = trust.evaluate(crowd(1), progress=said.append, **options).frame
    assert said[:2] == ["predicted 120 ratings by mean", "predicted 120 ratings by mean_given"]
    assert said[-1] == "drew 1,000 of 1,000 samples"
    assert found.equals(trust.evaluate(crowd(1), **options).frame)


def test_a_generator_as_seed_has_a_name() -> None:
    """The parameters name the state that a generator was given in, and not the generator."""
    names = []
    for seed in (5, 5, 6):
        rng = np.random.default_rng(seed)
        made = trust.evaluate(crowd(1), methods=["mean"], seed=rng).parameters
        names.append(made["seed"])
        digest(dict(made))
    assert isinstance(names[0], str)
    assert names[0] == names[1] != names[2]
    legacy = np.random.Generator(np.random.MT19937(3))
    for seed, name in ((np.int64(3), 3), ([1, np.int64(2)], [1, 2]), (None, None)):
        made = trust.evaluate(crowd(1), methods=["mean"], seed=seed).parameters
        assert made["seed"] == name
    assert len(trust.evaluate(crowd(1), methods=["mean"], seed=legacy).parameters["seed"]) == 16


def test_parameters_name_the_ratings_and_the_pairs() -> None:
    """Other ratings, or other pairs, have other parameters; other rows of the same have not."""
    ratings = crowd(4)
    changed = ratings.with_columns(rating=pl.col("rating") * 0.5)
    for call in (trust.eigentrust, trust.fairness_goodness, trust.evaluate):
        wanted, other, turned = (
            dict(call(each).parameters) for each in (ratings, changed, ratings.reverse())
        )
        assert wanted == turned != other
        digest(wanted)
    pairs = [[(1, 2)], [(2, 1)], pl.DataFrame({"source": [1], "target": [2]})]
    made = [dict(trust.predict(ratings, each).parameters) for each in pairs]
    assert made[0] == made[2] != made[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", ["ana", "zz"])
def test_nobody_rates_themself(method: str, who: str) -> None:
    """A pair of one customer has no rating, known among the ratings or not."""
    ratings = named({("ana", "ben"): 1.0, ("ben", "cem"): 1.0})
    asked = pl.DataFrame({"source": [who], "target": [who]})
    for pairs in ([(who, who)], asked):
        rows = trust.predict(ratings, pairs, method=method).frame.rows()
        assert rows == [(who, who, None, 0, "source and target are one")]


def test_numbers_of_numpy_are_numbers() -> None:
    """Options and weights may be numbers of numpy, and are plain ones in the parameters."""
    ratings = table({(1, 2): 1.0, (2, 3): 0.5, (3, 1): 0.5})
    plain = trust.eigentrust(ratings, trusted={1: 2.0, 2: 1.0}, damping=0.5)
    for kind in (np.int64, np.float32, np.float64):
        weights = {np.int64(1): kind(2), 2: kind(1)}
        found = trust.eigentrust(ratings, trusted=weights, damping=np.float32(0.5))
        assert dict(found) == dict(plain)
        assert dict(found.parameters) == dict(plain.parameters)
        digest(dict(found.parameters))
    assert digest({"a": np.float32(0.5), "b": np.int64(2)}) == digest({"a": 0.5, "b": 2})
    share = trust.evaluate(crowd(1), methods=["mean"], share=np.float32(0.5)).parameters["share"]
    assert type(share) is float
    for wrong in (True, np.bool_(True), "1", np.float32("nan"), np.array([1.0]), 10**400):
        with pytest.raises(InvalidParameter, match="trusted"):
            trust.eigentrust(ratings, trusted={1: wrong})


def test_a_ranking_says_who_is_trusted() -> None:
    """What is read like a dictionary gives weights, with keys and values of any one type."""
    ratings = table({(1, 2): 1.0, (2, 3): 0.5, (3, 1): 0.5})
    ranking = trust.eigentrust(ratings)
    again = trust.eigentrust(ratings, trusted=ranking)
    weights: dict[int, float] = {1: ranking[1], 2: ranking[2], 3: ranking[3]}
    assert dict(again) == dict(trust.eigentrust(ratings, trusted=weights))


def test_ranks_of_nearly_equal_values_are_in_order_of_id() -> None:
    """Values that differ by the noise of sums share a rank, in order of position."""
    order, ranks = _columns.ranks(np.array([0.5, 1.0, 1.0 + 1e-13, 0.7]))
    assert (order.tolist(), ranks.tolist()) == ([1, 2, 3, 0], [1, 1, 3, 4])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"methods": "mean"}, "single text"),
        ({"methods": []}, "empty"),
        ({"methods": ["guess"]}, "one of"),
        ({"methods": None}, "methods is of type NoneType"),
        ({"methods": [["mean"]]}, "methods holds a value of type list"),
        ({"share": 0}, "share"),
        ({"share": 1}, "share"),
        ({"horizon": 0}, "horizon"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_options_of_evaluate_are_checked(options: Mapping[str, Any], words: str) -> None:
    """An option that cannot be is refused by its name."""
    with pytest.raises(InvalidParameter, match=words):
        trust.evaluate(crowd(1), **options)


def test_times_of_any_type_order_ratings() -> None:
    """Instants with a zone, dates and numbers put the same ratings aside; words do not."""
    ratings = crowd(3)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    dated = ratings.with_columns(
        instant=pl.lit(start) + pl.duration(hours=pl.col("day")),
        date=pl.lit(start.date()) + pl.duration(days=pl.col("day")),
        word=pl.lit("monday"),
        gap=pl.lit(None, dtype=pl.Int64),
    )
    wanted = trust.evaluate(ratings, methods=["mean"], time="day").frame
    for frame in (dated, dated.to_pandas(), dated.to_arrow()):
        for time in ("instant", "date") if frame is dated else ("instant",):
            found = pl.DataFrame(trust.evaluate(frame, methods=["mean"], time=time))
            assert found["rmse"].to_list() == pytest.approx(wanted["rmse"].to_list())
    for time in ("word", "gap", "none"):
        with pytest.raises(InvalidTable):
            trust.evaluate(dated, methods=["mean"], time=time)


def test_where_no_pair_is_answered_there_is_no_error() -> None:
    """Ratings of strangers to each other have coverage 0 and null errors."""
    ratings = table({(number, number + 50): 0.5 for number in range(20)})
    row = trust.evaluate(ratings, methods=["tidaltrust"]).frame.row(0, named=True)
    assert (row["coverage"], row["n"]) == (0.0, 0)
    assert row["rmse"] is row["rmse_low"] is row["behind_high"] is None


def test_bitcoin_otc(shared_data: Path) -> None:
    """On real ratings plain means are as good as what is built on trust: the docs say so."""
    file = shared_data / "bitcoin-otc" / "soc-sign-bitcoinotc.csv.gz"
    ratings = pl.read_csv(file, new_columns=["source", "target", "mark", "time"]).with_columns(
        rating=pl.col("mark") / 10
    )
    methods = ["mean", "mean_received", "mean_both", "fairness_goodness"]
    frame = trust.evaluate(ratings, methods=methods, time="time").frame
    errors = dict(frame.select("method", "rmse").rows())
    assert errors["fairness_goodness"] == pytest.approx(0.3298, abs=1e-3)
    assert errors["mean_both"] == pytest.approx(0.3339, abs=1e-3)
    low = dict(frame.select("method", "behind_low").rows())
    assert low["mean_both"] < 0 < low["mean_received"]
