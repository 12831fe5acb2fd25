"""Herds: cascades equal to enumeration, and opinions that are better than the raw share."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binomtest

from scrmkit import InteractionLog, _herds, _leanings
from scrmkit.diffusion import PrivateOpinion, information_cascade, private_opinion
from scrmkit.errors import InvalidParameter, InvalidTable


NUMBERS = ("raw", "private", "low", "high", "saw")


# Cascades


def enumerate_cascades(p: Fraction, people: int) -> tuple[Fraction, Fraction, Fraction]:
    """Right, wrong and undecided by all signals and coins, after an even number of people.

    The rational rule in full: the first of a pair goes by the signal, the second does too
    where it agrees, and tosses a coin where it does not.
    """
    chances = {(): Fraction(1)}
    for place in range(people):
        after: dict[tuple[bool, ...], Fraction] = {}
        for actions, chance in chances.items():
            herd = None
            for end in range(2, place + 1, 2):
                first, second = actions[end - 2 : end]
                if herd is None and first == second:
                    herd = first
            for signal, likely in ((True, p), (False, 1 - p)):
                if herd is not None:
                    choices = {herd: Fraction(1)}
                elif place % 2 == 0 or actions[-1] == signal:
                    choices = {signal: Fraction(1)}
                else:
                    choices = {True: Fraction(1, 2), False: Fraction(1, 2)}
                for action, share in choices.items():
                    key = (*actions, action)
                    after[key] = after.get(key, Fraction(0)) + chance * likely * share
        chances = after
    ends = dict.fromkeys((True, False, None), Fraction(0))
    for actions, chance in chances.items():
        pairs = [actions[end : end + 2] for end in range(0, people - people % 2, 2)]
        herd = next((one for one, other in pairs if one == other), None)
        ends[herd] += chance
    return ends[True], ends[False], ends[None]


@pytest.mark.parametrize("people", range(11))
@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(3, 5), Fraction(9, 10), Fraction(1)])
def test_cascades_are_those_of_all_signals_and_coins(p: Fraction, people: int) -> None:
    """The closed form equals full enumeration in fractions, for even and odd numbers."""
    found = information_cascade(float(p), people=people)
    wanted = enumerate_cascades(p, people)
    assert (found.right, found.wrong, found.undecided) == pytest.approx([*map(float, wanted)])
    assert sum(wanted) == 1


def bayesian_action(p: float, actions: tuple[bool, ...], signal: bool, coin: bool) -> bool:  # noqa: FBT001
    """What is more likely right, by Bayes' rule over what all before could have seen."""
    odds = likelihood(p, actions, truth=True) / likelihood(p, actions, truth=False)
    odds *= p / (1 - p) if signal else (1 - p) / p
    return coin if abs(math.log(odds)) < 1e-9 else odds > 1


@cache
def likelihood(p: float, actions: tuple[bool, ...], *, truth: bool) -> float:
    """How likely people act so, if each acts by Bayes' rule."""
    if not actions:
        return 1.0
    before, last = actions[:-1], actions[-1]
    if not likelihood(p, before, truth=truth):
        return 0.0
    chance = 0.0
    for signal, coin in product((True, False), repeat=2):
        if bayesian_action(p, before, signal, coin) == last:
            chance += (p if signal == truth else 1 - p) / 2
    return likelihood(p, before, truth=truth) * chance


def test_the_rule_of_the_closed_form_is_what_bayes_would_do() -> None:
    """People who compute posteriors end in cascades as often as the closed form says."""
    p, people = 0.7, 8
    right = sum(
        likelihood(p, actions, truth=True)
        for actions in product((True, False), repeat=people)
        if likelihood(p, actions, truth=True) and settled(p, actions) is True
    )
    assert right == pytest.approx(information_cascade(p, people=people).right)


def settled(p: float, actions: tuple[bool, ...]) -> bool | None:
    """What the next does whatever the signal, None where the signal decides."""
    choices = {
        bayesian_action(p, actions, signal, coin)
        for signal, coin in product((True, False), repeat=2)
    }
    return choices.pop() if len(choices) == 1 else None


def test_without_end_a_cascade_is_certain() -> None:
    """Infinitely many people are the limit of many, and nobody is undecided."""
    many, all_ = information_cascade(0.6, people=2_000), information_cascade(0.6)
    assert (all_.right, all_.wrong) == pytest.approx((many.right, many.wrong))
    assert all_.undecided == 0
    assert all_.right + all_.wrong == pytest.approx(1)
    assert information_cascade(1).right == 1
    for wrong in (0.4, 1.1, "p"):
        with pytest.raises(InvalidParameter, match="precision"):
            information_cascade(wrong)
    with pytest.raises(InvalidParameter, match="people"):
        information_cascade(0.6, people=-1)


# What was seen


@st.composite
def polls(draw: st.DrawFn) -> pl.DataFrame:
    """Votes of a few people on a few items, with several at one instant and repeats."""
    n = draw(st.integers(1, 14))
    column = {
        "item": st.sampled_from(["a", "b", "c"]),
        "customer": st.sampled_from(["u", "v", "w", "x"]),
        "time": st.integers(0, 6),
        "vote": st.integers(0, 1),
    }
    return pl.DataFrame(
        {
            name: draw(st.lists(values, min_size=n, max_size=n, unique=False))
            for name, values in column.items()
        }
    )


def first_votes(table: pl.DataFrame) -> pl.DataFrame:
    """The first vote of each person on each item; of several at one instant one down."""
    return table.sort("time", "vote").unique(["item", "customer"], keep="first")


def seen_plainly(table: pl.DataFrame, sees: nx.DiGraph[Any] | None) -> list[tuple[Any, ...]]:
    """Item, time, customer, vote, seen and ups of each vote, by plain definition."""
    rows = first_votes(table).rows(named=True)
    result = []
    for row in rows:
        others = [
            other["vote"]
            for other in rows
            if other["item"] == row["item"]
            and other["time"] < row["time"]
            and (sees is None or sees.has_edge(row["customer"], other["customer"]))
        ]
        result.append((row["item"], row["time"], row["vote"], len(others), sum(others)))
    return sorted(result)


@given(polls(), st.integers(0, 99), st.booleans())
def test_what_a_voter_saw_is_what_was_there_before(
    table: pl.DataFrame,
    seed: int,
    everybody: bool,  # noqa: FBT001
) -> None:
    """Earlier votes on the item, of all or of those whom the voter sees."""
    sees = None if everybody else nx.gnp_random_graph(3, 0.5, seed=seed, directed=True)
    sees = sees and nx.relabel_nodes(sees, dict(enumerate("uvw")))  # x is not in it
    graph = None if sees is None else _herds.SocialGraph.of(sees)
    frame, _ = _herds._tables.take(table)
    votes, items, _ = _herds._read(frame, graph)
    if graph is None:
        seen, ups = _herds._seen_by_all(votes)
    else:
        seen, ups = _herds._seen_by_some(votes, graph)
    times = sorted(set(table["time"]))
    ours = sorted(
        (items[item], times[time], up, saw, raised)
        for item, time, up, saw, raised in zip(
            votes.item, votes.time, votes.up, seen, ups, strict=True
        )
    )
    assert ours == seen_plainly(table, sees)


def test_portions_of_arcs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many arcs are looked at in one go does not matter."""
    rng = np.random.default_rng(1)
    table = pl.DataFrame(
        {
            "customer": rng.integers(0, 30, 200),
            "item": rng.integers(0, 9, 200),
            "time": rng.integers(0, 50, 200),
            "vote": rng.integers(0, 2, 200),
        }
    )
    graph = _herds.SocialGraph.of(nx.gnp_random_graph(30, 0.3, seed=2, directed=True))
    votes, _, notes = _herds._read(_herds._tables.take(table)[0], graph)
    whole = _herds._seen_by_some(votes, graph)
    monkeypatch.setattr(_herds._sparse, "STATE", 10)
    assert np.array_equal(_herds._seen_by_some(votes, graph), whole)
    again = 200 - len(table.unique(["customer", "item"]))
    assert notes == (f"votes left out, again by the same customer: {again}",)


# The model


def plain_posterior(
    item: np.ndarray, x: np.ndarray, up: np.ndarray, point: tuple[float, float, float]
) -> tuple[float, list[float], list[float]]:
    """Log-likelihood with priors, means and variances of opinions, on a fine fixed grid."""
    herd, middle, log_spread = point
    spread = math.exp(log_spread)
    grid = np.linspace(middle - 12 * spread, middle + 12 * spread, 20_001)
    total = -math.log1p((herd / 10) ** 2) - (middle / 1.5) ** 2 / 2 - spread**2 / 2 + log_spread
    means, variances = [], []
    for one in range(item.max() + 1):
        its = item == one
        eta = grid[:, None] + herd * x[its]
        logs = (up[its] * eta - np.logaddexp(0, eta)).sum(axis=1)
        logs -= ((grid - middle) / spread) ** 2 / 2 + math.log(spread * math.sqrt(2 * math.pi))
        parts = np.exp(logs) * (grid[1] - grid[0])
        total += math.log(parts.sum())
        means.append((parts * grid).sum() / parts.sum())
        variances.append((parts * (grid - means[-1]) ** 2).sum() / parts.sum())
    return total, means, variances


def simulate(
    seed: int, items: int, *, herd: float, spread: float, votes: tuple[int, int], copy: float = 0.0
) -> tuple[pl.DataFrame, np.ndarray]:
    """Votes that come about as the model says (or by copying most), and private shares.

    With ``copy`` each voter does with that chance what most did, and else as alone.
    """
    rng = np.random.default_rng(seed)
    opinions = rng.normal(0, spread, items)
    rows = []
    for item, opinion in enumerate(opinions):
        ups = 0
        for time in range(rng.integers(*votes, endpoint=True)):
            x = (ups + 1) / (time + 2) - 0.5
            if 2 * ups != time and rng.random() < copy:
                vote = int(2 * ups > time)
            else:
                vote = int(rng.random() < expit(opinion + herd * x))
            rows.append((item, time, vote))
            ups += vote
    return pl.DataFrame(rows, schema=["item", "time", "vote"], orient="row"), expit(opinions)


def error(found: PrivateOpinion, truth: np.ndarray, column: str = "private") -> float:
    """The mean absolute error of a column."""
    return float(np.abs(found.frame[column].to_numpy() - truth).mean())


def covered(found: PrivateOpinion, truth: np.ndarray) -> float:
    """The share of items whose interval holds the truth."""
    low, high = (found.frame[name].to_numpy() for name in ("low", "high"))
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("point", [(0.0, 0.0, 0.0), (4.0, -0.5, -0.7), (-1.0, 1.0, 0.6)])
def test_the_likelihood_is_that_of_a_fine_grid(point: tuple[float, float, float]) -> None:
    """Quadrature of seven points equals twenty thousand, also for votes that are all alike."""
    table, _ = simulate(3, 6, herd=3, spread=1, votes=(1, 12))
    table = pl.concat([table, pl.DataFrame({"item": [6] * 9, "time": range(9), "vote": [1] * 9})])
    votes, _, _ = _herds._read(_herds._tables.take(table)[0], None)
    seen, ups = _herds._seen_by_all(votes)
    x = (ups + 1) / (seen + 2) - 0.5
    ours = _leanings._Likelihood.of(votes.item, x, votes.up, 7)
    wanted, means, variances = plain_posterior(votes.item, x, votes.up, point)
    value, gradient, mean, variance = ours.at(np.array(point))
    assert value == pytest.approx(wanted, abs=5e-3)
    assert mean == pytest.approx(means, abs=5e-3)
    assert variance == pytest.approx(variances, rel=5e-3)
    step = 1e-4
    for place, along in enumerate(np.eye(3)):
        sides = [
            plain_posterior(votes.item, x, votes.up, tuple(np.array(point) + side * step * along))
            for side in (1, -1)
        ]
        slope = (sides[0][0] - sides[1][0]) / (2 * step)
        assert gradient[place] == pytest.approx(slope, abs=2e-2)


def test_with_a_herd_the_private_share_is_nearer_than_the_raw_one() -> None:
    """Over many items the mean error is a good third smaller, and the herd is found."""
    for seed in range(3):
        table, truth = simulate(seed, 80, herd=4, spread=1, votes=(5, 60))
        found = private_opinion(table)
        assert error(found, truth) < 0.65 * error(found, truth, "raw")
        assert found.herd.low > 0
        assert found.herd.low <= 4 <= found.herd.high


def test_without_a_herd_the_private_share_is_no_worse_than_the_raw_one() -> None:
    """There is nothing to discount, and 0 is in the herd's interval."""
    for seed in range(3):
        table, truth = simulate(seed, 80, herd=0, spread=1, votes=(5, 60))
        found = private_opinion(table)
        assert error(found, truth) < 1.05 * error(found, truth, "raw")
        assert found.herd.low <= 0 <= found.herd.high


def test_intervals_cover_as_often_as_they_say() -> None:
    """Of 900 items of thirty worlds about .95 lie inside, and so does the herd's strength."""
    inside, herds = [], []
    for seed in range(30):
        strength = (0.0, 2.0, 5.0)[seed % 3]
        table, truth = simulate(seed + 50, 30, herd=strength, spread=0.8, votes=(2, 40))
        found = private_opinion(table)
        inside.append(covered(found, truth))
        herds.append(found.herd.low <= strength <= found.herd.high)
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(herds) >= 0.8


def test_who_copies_the_most_is_another_model_that_is_still_better_than_raw() -> None:
    """Errors are smaller than raw, but the intervals cover too little."""
    table, truth = simulate(7, 80, herd=0, spread=1, votes=(5, 60), copy=0.5)
    found = private_opinion(table)
    assert error(found, truth) < 0.9 * error(found, truth, "raw")
    assert covered(found, truth) < 0.9


def test_in_a_full_cascade_the_interval_stays_wide() -> None:
    """One item on which all went the same way says little, whatever Wilson's interval says."""
    votes = pl.DataFrame({"time": range(200), "vote": [1] * 200})
    found = private_opinion(votes)
    raw_low, low, high = found.frame.select("raw_low", "low", "high").row(0)
    assert raw_low > 0.97
    assert high - low > 0.5
    assert low < 0.5 < high
    assert found.notes == ("all votes are alike: opinion and herd cannot be told apart",)


def test_many_cascades_tell_how_little_each_says() -> None:
    """Where each item's crowd follows its first voters, raw shares are extreme and wrong."""
    table, truth = simulate(11, 40, herd=20, spread=0.5, votes=(40, 40))
    found = private_opinion(table)
    assert error(found, truth) < 0.5 * error(found, truth, "raw")
    assert covered(found, truth) >= 0.9
    assert found.herd.low > 8


def test_where_nobody_sees_anybody_there_is_no_herd() -> None:
    """The herd is null, and the private share is the raw one drawn towards the others."""
    table, _ = simulate(1, 20, herd=0, spread=1, votes=(5, 30))
    table = table.with_columns(pl.int_range(pl.len()).alias("customer"))
    nobody = nx.empty_graph(len(table), create_using=nx.DiGraph)
    found = private_opinion(table, sees=nobody)
    assert found.herd.value is None
    assert found.notes == ("nobody saw an earlier vote: there is no herd to discount",)
    frame = found.frame
    assert (frame["saw"] == 0).all()
    mean = float(frame["private"].mean())
    inside = (frame["private"] - frame["raw"]) * (mean - frame["raw"])
    assert (inside >= -0.005).all()
    shifted = table.with_columns(pl.lit(3).alias("time"))
    assert private_opinion(shifted).herd.value is None


def test_who_sees_few_tells_more_than_who_sees_all() -> None:
    """The same votes without sight leave narrower intervals."""
    table, _ = simulate(2, 30, herd=0, spread=1, votes=(20, 20))
    table = table.with_columns(pl.int_range(pl.len()).alias("customer"))
    few = nx.gnp_random_graph(len(table), 0.0005, seed=1, directed=True)
    width = [
        float((found.frame["high"] - found.frame["low"]).mean())
        for found in (private_opinion(table), private_opinion(table, sees=few))
    ]
    assert width[1] < width[0]


@pytest.mark.parametrize("votes", [[1], [0], [1, 1], [1, 0]])
def test_one_or_two_votes_have_an_answer(votes: list[int]) -> None:
    """The interval holds the value, and hardly anything is ruled out."""
    found = private_opinion(pl.DataFrame({"time": range(len(votes)), "vote": votes}))
    low, value, high = found.frame.select("low", "private", "high").row(0)
    assert 0 < low < value < high < 1
    assert high - low > 0.6
    assert value == pytest.approx(0.5, abs=0.35)


def test_turning_every_vote_round_turns_the_shares_round() -> None:
    """Up and down are treated alike."""
    table, _ = simulate(4, 25, herd=3, spread=1, votes=(3, 20))
    one, other = (
        private_opinion(each) for each in (table, table.with_columns(vote=1 - pl.col("vote")))
    )
    assert one.frame["private"].to_list() == pytest.approx(
        [1 - value for value in other.frame["private"]], abs=1e-3
    )
    assert one.frame["raw_low"].to_list() == pytest.approx(
        [1 - value for value in other.frame["raw_high"]]
    )
    assert one.herd.value == pytest.approx(other.herd.value, abs=1e-2)


def test_wilsons_interval_is_that_of_scipy() -> None:
    """The raw share has the interval that takes votes for independent."""
    for ups, count in ((0, 1), (1, 1), (3, 7), (90, 100)):
        votes = [1] * ups + [0] * (count - ups)
        found = private_opinion(pl.DataFrame({"time": range(count), "vote": votes})).frame
        wanted = binomtest(ups, count).proportion_ci(method="wilson")
        assert found.select("raw_low", "raw_high").row(0) == pytest.approx(tuple(wanted))


# Doors


def test_order_of_rows_and_a_shift_of_time_change_nothing() -> None:
    """Times matter by their order, and rows not at all."""
    table, _ = simulate(5, 12, herd=2, spread=1, votes=(2, 12))
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    dated = table.with_columns(
        pl.Series("time", [begin + timedelta(hours=hour) for hour in table["time"]])
    )
    whole = private_opinion(table)
    for other in (table.sample(fraction=1, shuffle=True, seed=1), dated):
        found = private_opinion(other)
        assert found.frame.equals(whole.frame)
        assert found.herd == whole.herd


def test_tables_of_other_libraries_give_the_same() -> None:
    """Pandas comes back as pandas, lazy as lazy; truth values and integers are alike."""
    table, _ = simulate(6, 9, herd=2, spread=1, votes=(2, 12))
    table = table.with_columns(pl.format("item {}", "item").alias("item"))
    whole = private_opinion(table)
    frame = private_opinion(table.to_pandas()).frame
    assert isinstance(frame, pd.DataFrame)
    assert frame["item"].tolist() == whole.frame["item"].to_list()
    for name in NUMBERS:
        assert frame[name].tolist() == whole.frame[name].to_list()
    lazy = private_opinion(table.lazy().with_columns(pl.col("vote").cast(pl.Boolean))).frame
    assert lazy.collect().equals(whole.frame)
    arrow = private_opinion(table.to_arrow()).frame
    assert pl.from_arrow(arrow).equals(whole.frame)


def test_a_log_has_votes_by_kind_or_by_valence() -> None:
    """What is about the item is a vote; what lacks an item or is automated is counted."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        ("ana", "tea", "like", 0.5),
        ("ben", "tea", "complaint", -0.5),
        ("cy", "tea", "like", 1.0),
        ("ana", "cup", "complaint", -1.0),
        ("ana", None, "like", 1.0),
        ("ben", "cup", "view", None),
    ]
    log = InteractionLog.from_records(
        {
            "time": begin + timedelta(hours=hour),
            "source": source,
            "target": "us",
            "kind": kind,
            **({"about": about} if about else {}),
            **({"valence": valence} if valence else {}),
            "automated": False,
        }
        for hour, (source, about, kind, valence) in enumerate(rows)
    )
    table = pl.DataFrame(
        {
            "item": ["tea", "tea", "tea", "cup"],
            "time": [0, 1, 2, 3],
            "vote": [1, 0, 1, 0],
        }
    )
    wanted = private_opinion(table).frame
    kinds = private_opinion(log, up=["like"], down=["complaint"])
    assert kinds.frame.equals(wanted)
    assert kinds.notes == ("votes left out, without an item: 1",)
    assert private_opinion(log).frame.equals(wanted)
    early = private_opinion(log, as_of=begin + timedelta(hours=1)).frame
    assert early["votes"].to_list() == [2]
    sees = nx.DiGraph([("cy", "ana")])
    found = private_opinion(log, sees=sees)
    assert found.frame["saw"].to_list() == pytest.approx([0, 1 / 3])
    assert found.notes[1] == "voters not in the graph of who sees whom, so seeing nobody: 1"


def test_no_votes_give_an_empty_table() -> None:
    """With or without items."""
    empty = pl.DataFrame(schema={"time": pl.Int64, "vote": pl.Int64})
    for table in (empty, empty.with_columns(pl.lit("a").alias("item"))):
        found = private_opinion(table)
        assert len(found.frame) == 0
        assert found.herd.value is None
        assert found.notes == ("there are no votes",)


def test_what_cannot_be_used_is_refused() -> None:
    """Each message says what is wrong and how to mend it."""
    table = pl.DataFrame({"time": [1, 2], "vote": [1, 0], "customer": ["a", "b"]})
    wrong: list[tuple[pl.DataFrame, dict[str, Any], type[Exception], str]] = [
        (table.drop("vote"), {}, InvalidTable, "vote"),
        (table.with_columns(vote=pl.lit(3)), {}, InvalidTable, "grade >= 4"),
        (table.with_columns(vote=pl.lit("x")), {}, InvalidTable, "True and False"),
        (table.with_columns(time=pl.Series([1, None])), {}, InvalidTable, "nulls"),
        (table.drop("customer"), {"sees": nx.Graph()}, InvalidTable, "customer"),
        (table, {"sees": nx.path_graph(2)}, InvalidParameter, "types"),
        (table, {"up": ["like"]}, InvalidParameter, "go with a log"),
    ]
    for each, options, kind, message in wrong:
        with pytest.raises(kind, match=message):
            private_opinion(each, **options)
    log = InteractionLog.from_records(
        [{"time": "2026-03-01T09:00Z", "kind": "like", "source": "a", "about": "b"}]
    )
    with pytest.raises(InvalidParameter, match="up and down"):
        private_opinion(log, up=["like"], down=["like"])
    with pytest.raises(InvalidTable, match="valence"):
        private_opinion(log)


def test_the_herd_is_in_logits() -> None:
    """Who sees only up differs from who sees only down by the herd: the docs' arithmetic."""
    assert logit(2.718281828 / 3.718281828) - logit(1 / 3.718281828) == pytest.approx(2)


def cover_few(items: int, votes: int, herd: float, worlds: int) -> tuple[float, float]:
    """How often intervals hold the truth in worlds of a few items: private shares, the herd."""
    inside, herds = [], []
    for seed in range(worlds):
        table, truth = simulate(seed, items, herd=herd, spread=1, votes=(votes, votes))
        found = private_opinion(table)
        inside.append(covered(found, truth))
        low, high = found.herd.low, found.herd.high
        herds.append((low is None or low <= herd) and (high is None or herd <= high))
    return float(np.mean(inside)), float(np.mean(herds))


@pytest.mark.parametrize(("items", "votes", "herd"), [(1, 40, 6.0), (3, 25, 5.0)])
def test_intervals_of_few_items_cover_too(items: int, votes: int, herd: float) -> None:
    """One or three items say little of the herd, and their intervals know it."""
    inside, herds = cover_few(items, votes, herd, worlds=24)
    assert inside >= 0.9
    assert herds >= 0.9


def test_the_grid_of_few_items_agrees_with_a_plain_sum_over_a_fine_one() -> None:
    """Ends and median of one item equal those of the posterior summed over opinion and herd."""
    table, _ = simulate(3, 1, herd=3, spread=1, votes=(40, 40))
    found = private_opinion(table).frame
    up = table["vote"].to_numpy().astype(float)
    seen = np.arange(len(up))
    x = (np.cumsum(up) - up + 1) / (seen + 2) - 0.5
    opinion, herd = np.linspace(-9, 9, 301), np.linspace(-60, 60, 401)
    spread = np.linspace(0.01, 5, 300)
    variance = 1.5**2 + spread**2
    prior = np.exp(-(spread**2) / 2) / np.sqrt(variance)
    logs = np.log((prior * np.exp(-(opinion[:, None] ** 2) / 2 / variance)).sum(axis=1))
    logs = logs[:, None] - np.log1p((herd / 10) ** 2)
    for vote, share in zip(up, x, strict=True):
        eta = opinion[:, None] + herd * share
        logs = logs + vote * eta - np.logaddexp(0, eta)
    chances = np.exp(logs - logs.max()).sum(axis=1).cumsum()
    wanted = expit(np.interp([0.025, 0.5, 0.975], chances / chances[-1], opinion))
    assert found.select("low", "private", "high").row(0) == pytest.approx(tuple(wanted), abs=0.03)


# Kinds, gaps and other doors


def log_of(*kinds: str) -> InteractionLog:
    """A log with an act of each kind about one thing, a minute apart."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    return InteractionLog.from_records(
        {
            "time": begin + timedelta(minutes=place),
            "source": f"c{place}",
            "about": "tea",
            "kind": kind,
        }
        for place, kind in enumerate(kinds)
    )


@pytest.mark.parametrize("word", ["like", "favourite", "favorite"])
def test_any_word_for_a_kind_finds_its_votes(word: str) -> None:
    """The log's vocabulary says what a kind means, whatever it is called."""
    log = log_of("favourite", "like", "favorite", "dislike")
    found = private_opinion(log, up=iter([word]), down=["dislike"])
    assert found.frame.select("votes", "raw").row(0) == (4, 0.75)
    assert not any("kind" in note for note in found.notes)
    assert found.parameters["up"] == private_opinion(log, up=["like"]).parameters["up"]
    with pytest.raises(InvalidParameter, match="up and down"):
        private_opinion(log, up=["like"], down=[word])


def test_a_kind_that_nothing_is_of_is_noted() -> None:
    """A slip of the pen does not pass for a vote that nobody gave."""
    found = private_opinion(log_of("like", "dislike"), up=["lik"], down=["dislike"])
    assert found.notes[0] == "no act in the log is of the kind 'lik'"
    assert found.frame["votes"].to_list() == [1]


@pytest.mark.parametrize("column", ["time", "item", "customer"])
def test_nan_is_no_time_and_no_id(column: str) -> None:
    """Polars keeps NaN beside null; it is refused as null is, and whole floats are ids."""
    table = pl.DataFrame(
        {"time": [1.0, 2.0], "item": [7.0, 7.0], "customer": [1.0, 2.0], "vote": [1, 0]}
    )
    assert private_opinion(table).frame["item"].to_list() == [7]
    wrong = table.with_columns(pl.Series(column, [1.0, math.nan]))
    with pytest.raises(InvalidTable, match=f"'{column}' of the votes has NaN"):
        private_opinion(wrong)


def test_a_table_with_a_column_automated_is_no_log() -> None:
    """Only a log leaves out what a system did; a table is taken as it is."""
    table = pl.DataFrame({"time": [1, 2], "vote": [1, 0]})
    whole = private_opinion(table).frame
    marked = table.with_columns(automated=pl.lit(value=True))
    assert private_opinion(marked).frame.equals(whole)


def test_ties_need_no_strength_to_say_who_sees_whom() -> None:
    """A table with a and b alone will do, also an empty one, and parameters tell them apart."""
    table = pl.DataFrame({"time": [1, 2], "vote": [1, 0], "customer": ["u", "v"]})
    ties = pl.DataFrame({"a": ["u"], "b": ["v"]})
    found = private_opinion(table, sees=ties)
    whole = private_opinion(table, sees=nx.Graph([("u", "v")]))
    assert found.frame.equals(whole.frame)
    assert found.parameters["sees"]["digest"] == whole.parameters["sees"]["digest"]
    other = private_opinion(table, sees=ties.with_columns(b=pl.lit("w")))
    assert other.parameters["sees"]["digest"] != found.parameters["sees"]["digest"]
    for empty in (ties.clear(), pl.DataFrame({"a": [], "b": []}), ties.clear().to_pandas()):
        assert private_opinion(table, sees=empty).frame["saw"].to_list() == [0]
    with pytest.raises(InvalidTable, match="'b'"):
        private_opinion(table, sees=ties.drop("b"))


def test_a_crowd_beyond_counting_is_a_crowd_without_end() -> None:
    """Numbers of people that no float can hold have an answer, and numpy's numbers are taken."""
    whole = information_cascade(0.7)
    found = information_cascade(0.7, people=10**400)
    assert (found.right, found.wrong, found.undecided) == (whole.right, whole.wrong, 0)
    assert information_cascade(np.float32(0.75)) == information_cascade(0.75)
    assert information_cascade(1.0, people=10**400).right == 1


def test_no_votes_have_columns_of_the_type_of_some() -> None:
    """Items are texts or integers also where there are none."""
    empty = pl.DataFrame(schema={"time": pl.Int64, "vote": pl.Int64, "item": pl.String})
    assert private_opinion(empty).frame.schema["item"] == pl.String
    whole = empty.with_columns(pl.col("item").cast(pl.Int64))
    assert private_opinion(whole).frame.schema["item"] == pl.Int64
    nothing = empty.with_columns(pl.lit(None).alias("item"))
    assert private_opinion(nothing).frame.schema["item"] == pl.String


def test_who_waits_is_told_how_far_it_has_come() -> None:
    """Progress is a few words, and changes nothing."""
    table, _ = simulate(1, 3, herd=1, spread=1, votes=(4, 4))
    said: list[str] = []
    found = private_opinion(table, progress=said.append)
    assert said[0] == "read 12 votes"
    assert len(said) > 3
    assert found.frame.equals(private_opinion(table).frame)
