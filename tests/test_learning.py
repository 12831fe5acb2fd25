"""Learned probabilities: trials by the plain definition, honest priors, and a check that is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import engines
from scrmkit import Interaction, InteractionLog, SocialGraph, _exposures, _shrinkage
from scrmkit.diffusion import Probabilities, learn_probabilities
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.testing import strategies


START = datetime(2026, 3, 1, tzinfo=UTC)
FEW = settings(max_examples=settings().max_examples // 3)  # of what needs several logs each
HOUR = timedelta(hours=1)
WITHIN = st.sampled_from([timedelta(seconds=20), timedelta(hours=5), timedelta(days=3)])
WAYS = st.sampled_from(["in_reply_to", "target", "about", "thread"])
TEXTS = ("id", "kind", "source", "target", "in_reply_to", "about", "thread", "scope")

Counts = dict[tuple[str, str], tuple[int, float]]


def log_of(acts: Sequence[Interaction]) -> InteractionLog:
    """A log that has all columns, whoever is in it, with ids as text."""
    rows = [
        {name: None if (value := getattr(act, name)) is None else str(value) for name in TEXTS}
        | {"time": act.time, "received_at": act.received_at, "automated": act.automated}
        for act in acts
    ]
    instant = pl.Datetime("us", "UTC")
    schema = dict.fromkeys(TEXTS, pl.String) | {
        "time": instant, "received_at": instant, "automated": pl.Boolean
    }  # fmt: skip
    return InteractionLog.from_frame(pl.DataFrame(rows, schema=schema))


def counts_of(learned: Probabilities) -> Counts:
    """Trials and successes of each direction that can be moved."""
    found: Counts = {}
    for row in learned.frame.to_dicts():
        for u, v, way in ((row["a"], row["b"], "ab"), (row["b"], row["a"], "ba")):
            if row[f"low_{way}"] is not None:
                found[u, v] = (row[f"trials_{way}"], row[f"successes_{way}"])
    return found


def count(
    log: InteractionLog, on: str, within: timedelta, arcs: set[tuple[str, str]] | None
) -> Counts:
    """Trials and successes by the plain definition, act by act and pair by pair."""
    frame = log.frame.to_dicts()
    if not frame:
        return {}
    end = max(row["time"] for row in frame) - within
    rows = [row for row in frame if row["source"] is not None and not row["automated"]]
    acts: dict[Any, tuple[str, datetime]] = {}
    for row in rows:
        name = {
            "target": (row["source"], row["time"]),
            "in_reply_to": (row["scope"], row["id"]),
        }.get(on, (row["source"], row[on]))
        if name[1] is not None:
            what = (row["source"], row["time"])
            acts[name] = min(acts.get(name, what), what, key=lambda act: (act[1], act[0]))
    known: dict[tuple[str, str], datetime] = {}
    followed: dict[Any, set[Any]] = defaultdict(set)  # an act that came later: those it followed
    for number, row in enumerate(rows):
        v, time = row["source"], row["time"]
        near = []
        if on == "target" and row["target"] not in (None, v):
            earlier = [
                name for name, act in acts.items() if act[0] == row["target"] and act[1] < time
            ]
            near = sorted(earlier, key=lambda name: acts[name][1])[-1:]
        elif on == "in_reply_to" and row["in_reply_to"] is not None:
            near = [(row["scope"], row["in_reply_to"])]
        for name in near:
            if name in acts and acts[name][0] != v and time - acts[name][1] <= within:
                followed[number, v].add(name)
        whom = {row["target"], *(acts[name][0] for name in followed.get((number, v), ()))}
        for u in whom - {None, v}:
            known[u, v] = min(known.get((u, v), time), time)
    if on in ("about", "thread"):
        for (v, thing), (_, time) in acts.items():
            for name, (u, before) in acts.items():
                if name[1] == thing and u != v and before < time <= before + within:
                    followed[thing, v].add(name)
    first: dict[tuple[str, str], datetime | None] = dict(known)
    if arcs is not None:
        first = dict.fromkeys(arcs)
    trials: dict[tuple[str, str], int] = dict.fromkeys(first, 0)
    won: dict[tuple[str, str], float] = dict.fromkeys(first, 0.0)

    def is_trial(pair: tuple[str, str], name: Any, when: datetime) -> bool:
        since = first.get(pair)
        if pair not in first or (since is not None and when <= since):
            return False
        own = acts.get((pair[1], name[1])) if on in ("about", "thread") else None
        return own is None or own[1] > when

    for name, (u, when) in acts.items():
        for v in {pair[1] for pair in first if pair[0] == u}:
            if when <= end and is_trial((u, v), name, when):
                trials[u, v] += 1
    done = set()
    for (_, v), names in followed.items():
        tried = [name for name in names if is_trial((acts[name][0], v), name, acts[name][1])]
        for name in tried:
            once = (v, name)
            if acts[name][1] <= end and once not in done:
                done.add(once)
                won[acts[name][0], v] += 1 / len(tried)
    if not any(trials.values()):
        return {}
    return {pair: (trials[pair], won[pair]) for pair in first}


def people_of(log: InteractionLog) -> list[str]:
    """Everybody in a log."""
    ends = [log.frame[name].drop_nulls() for name in ("source", "target")]
    return sorted(set(pl.concat(ends).to_list()))


@given(strategies.logs(min_size=1, max_size=25, replies=True), WAYS, WITHIN, st.data())
@FEW
def test_trials_are_those_of_the_plain_definition(
    acts: list[Interaction], on: str, within: timedelta, data: Any
) -> None:
    """Trials and successes equal a count act by act, with a graph and without one."""
    log = log_of(acts)
    people = people_of(log)
    arcs = None
    if data.draw(st.booleans()) and len(people) > 1:
        pairs = [(u, v) for u in people for v in people if u != v]
        arcs = set(data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True)))
    graph = None if arcs is None else nx.DiGraph(list(arcs))
    found = counts_of(learn_probabilities(log, on=on, within=within, graph=graph))
    wanted = count(log, on, within, arcs)
    assert found.keys() == wanted.keys()
    for pair, numbers in wanted.items():
        assert found[pair] == pytest.approx(numbers)


def test_what_made_a_pair_known_is_no_success() -> None:
    """Without a graph the first act towards somebody is no trial; the next one is."""
    told = [
        (0, "ana", "us"),
        (1, "ben", "ana"),
        (10, "ana", "us"),
        (11, "ben", "ana"),
        (30, "x", "y"),
    ]
    log = InteractionLog.from_records(
        {"time": START + at * HOUR, "kind": "message", "source": who, "target": whom}
        for at, who, whom in told
    )
    learned = learn_probabilities(log, on="target", within=2 * HOUR)
    assert counts_of(learned)["ana", "ben"] == (1, 1.0)
    sees = nx.DiGraph([("ana", "ben")])
    assert counts_of(learn_probabilities(log, on="target", within=2 * HOUR, graph=sees)) == {
        ("ana", "ben"): (2, 2.0)
    }


def test_a_trial_counts_once_its_time_is_over() -> None:
    """An act whose time is not over by then is neither a trial nor a success."""
    told = [(0, "ana", "a"), (1, "ben", "a"), (5, "ana", "b"), (6, "ben", "b")]
    log = InteractionLog.from_records(
        {"time": START + at * HOUR, "kind": "post", "source": who, "about": what}
        for at, who, what in told
    )
    sees = nx.DiGraph([("ana", "ben")])
    learned = learn_probabilities(log, on="about", within=2 * HOUR, graph=sees)
    assert counts_of(learned) == {("ana", "ben"): (1, 1.0)}
    later = START + 7 * HOUR
    learned = learn_probabilities(log, on="about", within=2 * HOUR, graph=sees, as_of=later)
    assert counts_of(learned) == {("ana", "ben"): (2, 2.0)}


def test_a_success_is_shared() -> None:
    """Who acts after three that move him owes a third to each."""
    told = [(0, "ana"), (1, "ben"), (2, "cem"), (3, "dora")]
    log = InteractionLog.from_records(
        {"time": START + at * HOUR, "kind": "post", "source": who, "about": "tea"}
        for at, who in told
    )
    sees = nx.DiGraph([(who, "dora") for who in ("ana", "ben", "cem")])
    as_of = START + 9 * HOUR
    learned = learn_probabilities(log, on="about", within=4 * HOUR, graph=sees, as_of=as_of)
    assert counts_of(learned) == {
        (who, "dora"): (1, pytest.approx(1 / 3)) for who in ("ana", "ben", "cem")
    }
    assert learned.left_out["unmatched"] == 3


def test_only_the_kinds_that_are_named_are_a_success() -> None:
    """Acts of other kinds are trials, but no success."""
    told = [(0, "ana", "post"), (1, "ben", "reply"), (2, "cem", "retweet")]
    log = InteractionLog.from_records(
        {"time": START + at * HOUR, "kind": kind, "source": who, "about": "tea"}
        for at, who, kind in told
    )
    sees = nx.DiGraph([("ana", "ben"), ("ana", "cem")])
    options = {"on": "about", "within": 4 * HOUR, "graph": sees, "as_of": START + 9 * HOUR}
    found = counts_of(learn_probabilities(log, kinds=["repost"], **options))
    assert found == {("ana", "ben"): (1, 0.0), ("ana", "cem"): (1, 1.0)}


@given(
    strategies.logs(min_size=1, max_size=12, replies=True, repeats=True), WAYS, WITHIN, st.data()
)
@FEW
def test_rows_order_repeats_and_the_clock_do_not_matter(
    log: list[Interaction], on: str, within: timedelta, data: Any
) -> None:
    """Shuffling, repeating and shifting the log by a time changes no number."""
    last = max(act.time for act in log)
    options = {"on": on, "within": within}
    found = learn_probabilities(log_of(log), as_of=last, **options)
    shuffled = data.draw(st.permutations(log)) + log[:3]
    assert learn_probabilities(log_of(shuffled), as_of=last, **options).frame.equals(found.frame)
    shift = timedelta(days=400, seconds=7, microseconds=3)
    moved = [evolve(act, time=act.time + shift) for act in log]
    later = learn_probabilities(log_of(moved), as_of=last + shift, **options)
    assert later.frame.equals(found.frame)
    chances = found.frame.select(pl.col("^(probability|low|high)_.*$"))
    assert all(0 <= value <= 1 for row in chances.rows() for value in row if value is not None)


@given(strategies.logs(min_size=1, max_size=12, replies=True, late=True), WAYS, WITHIN, st.data())
@FEW
def test_nothing_later_counts(
    log: list[Interaction], on: str, within: timedelta, data: Any
) -> None:
    """At an instant the numbers are those of the log until then; likewise of what was known."""
    when = data.draw(st.sampled_from(sorted(act.time for act in log)))
    options = {"on": on, "within": within, "as_of": when}
    before = [act for act in log if act.time <= when]
    known = [act for act in before if (act.received_at or act.time) <= when]
    for left, known_at in ((before, None), (known, when)):
        found = learn_probabilities(log_of(log), known_at=known_at, **options)
        assert found.frame.equals(learn_probabilities(log_of(left), **options).frame)


def test_names_do_not_matter() -> None:
    """Other ids in the same order, and integers, give the same numbers."""
    acts = simulate(np.random.default_rng(1), people=12, acts=300)[0]
    found = learn_probabilities(acts, on="target", within=HOUR)
    table = acts.frame.with_columns(
        pl.col(name).str.slice(1).cast(pl.Int64) for name in ("source", "target")
    )
    numbered = learn_probabilities(InteractionLog.from_frame(table), on="target", within=HOUR)
    assert numbered.frame["a"].dtype == pl.Int64
    assert numbered.frame.drop("a", "b").equals(found.frame.drop("a", "b"))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1))
def test_shrinkage_is_monotone_and_bounded(seen: list[tuple[int, int]]) -> None:
    """Among pairs, one success more or one failure less is never a lower probability."""
    won, lost = (np.array(part, dtype=float) for part in zip(*seen, strict=True))
    made = _shrinkage.estimate_probabilities(won, won + lost)
    assert ((made.low >= 0) & (made.high <= 1)).all()
    assert ((made.low <= made.expected) & (made.expected <= made.high)).all()
    better = (won[:, None] >= won) & (lost[:, None] <= lost)
    assert ((made.expected[:, None] >= made.expected * (1 - 1e-9)) | ~better).all()


def test_probabilities_of_many_are_those_of_the_likeliest_prior() -> None:
    """For many pairs estimates and ends equal those of scipy under the likeliest prior."""
    rng = np.random.default_rng(5)
    trials = rng.integers(1, 15, 6_000)
    wins = rng.binomial(trials, rng.beta(0.6, 5.4, 6_000))
    made = _shrinkage.estimate_probabilities(wins.astype(float), trials.astype(float))

    def loss(powers: list[float]) -> float:
        return -float(stats.betabinom.logpmf(wins, trials, *np.exp(powers)).sum())

    a, b = np.exp(optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead").x)
    assert made.mean == pytest.approx(a / (a + b), rel=0.02)
    assert made.strength == pytest.approx(a + b, rel=0.05)
    wanted = stats.beta(a + wins, b + trials - wins)
    np.testing.assert_allclose(made.expected, wanted.mean(), rtol=0.03)
    np.testing.assert_allclose(wanted.cdf(made.high), 0.975, atol=0.01)
    np.testing.assert_allclose(wanted.cdf(made.low)[wins > 0], 0.025, atol=0.01)


def test_without_a_success_an_estimate_is_in_its_interval() -> None:
    """115 trials without a success: estimates are small, above 0 and between their bounds."""
    trials = np.array([4.0] * 28 + [3.0])
    made = _shrinkage.estimate_probabilities(0 * trials, trials)
    assert (made.low <= made.expected).all()
    assert (made.expected <= made.high).all()
    assert 0.0005 < made.expected[0] < 0.01
    assert 0.01 < made.high[0] < 0.1


def test_where_all_are_alike_all_are_drawn_together() -> None:
    """Pairs of one probability are drawn to it, nearly all the way."""
    trials = np.full(2_000, 5.0)
    wins = np.random.default_rng(1).binomial(5, 0.3, 2_000).astype(float)
    made = _shrinkage.estimate_probabilities(wins, trials)
    assert made.strength > 20 * 5
    assert np.abs(made.expected - 0.3).max() < 0.06


@pytest.mark.parametrize(
    ("pairs", "trials", "a", "b", "least"),
    [(1, 10, 3.0, 7.0, 0.92), (3, 20, 1.0, 3.0, 0.89), (10, 20, 1.0, 3.0, 0.92)],
)
def test_intervals_of_few_pairs_are_honest(
    pairs: int, trials: int, a: float, b: float, least: float
) -> None:
    """With one, three and ten pairs nine of ten intervals or more hold the probability."""
    rng = np.random.default_rng(17)
    held, draws = 0.0, 40
    for _ in range(draws):
        truth = rng.beta(a, b, pairs)
        wins = rng.binomial(trials, truth).astype(float)
        made = _shrinkage.estimate_probabilities(wins, np.full(pairs, float(trials)))
        held += ((made.low <= truth) & (truth <= made.high)).mean() / draws
    assert held > least


def test_one_pair_knows_as_much_as_its_trials_say() -> None:
    """Three of ten are about as unsure as by Jeffreys' interval, from .09 to .61."""
    made = _shrinkage.estimate_probabilities(np.array([3.0]), np.array([10.0]))
    low, high = stats.beta(3.5, 7.5).ppf([0.025, 0.975])
    assert made.low[0] == pytest.approx(low, abs=0.02)
    assert made.high[0] == pytest.approx(high, abs=0.02)


def test_gains_of_few_who_acted_have_no_bounds() -> None:
    """With fewer than five who acted first the bounds are null, and a note says so."""
    for people, unknown in ((4, 4), (5, 1)):
        log, chance = simulate(np.random.default_rng(3), people=people, acts=200)
        options = {"within": HOUR, "kinds": ["repost"], "as_of": START + 300 * HOUR}
        learned = learn_probabilities(log, on="target", graph=fans_of(chance), **options)
        check = learned.check(log)
        assert check.frame["gain"].null_count() == 1
        assert check.frame["gain_low"].null_count() == unknown
        assert check.frame["brier_gain_high"].null_count() == unknown
        assert check.frame["gain_low"].dtype == pl.Float64
        assert any("customers" in note for note in check.notes) == (people == 4)


def test_a_kind_that_occurs_nowhere_is_noted() -> None:
    """Probabilities learned of no act say so."""
    log, _ = simulate(np.random.default_rng(4), people=9, acts=50)
    some, none = (
        learn_probabilities(log, on="target", within=HOUR, kinds=[kind])
        for kind in ("repost", "zzz")
    )
    assert none.notes == (*some.notes, "no act in the log is of one of the kinds")


def test_types_do_not_depend_on_what_is_there() -> None:
    """No acts give the types of columns that many give."""
    log, _ = simulate(np.random.default_rng(4), people=9, acts=50)
    options = {"on": "target", "within": HOUR, "as_of": START + 90 * HOUR}
    empty = InteractionLog.from_frame(log.frame.clear())
    some, none = (learn_probabilities(one, **options).frame for one in (log, empty))
    assert none.schema == some.schema


def simulate(
    rng: np.random.Generator, *, people: int, acts: int, alike: bool = False
) -> tuple[InteractionLog, dict[tuple[str, str], float]]:
    """A log of posts, each followed by others with the probability of the pair, and these.

    Everybody posts in turn, three hours apart, and each of three fans follows within the
    hour; at the beginning each fan greets whom he follows.
    """
    names = [f"c{number:03d}" for number in range(people)]
    chance = {
        (names[u], names[(u + step) % people]): 0.2 if alike else float(rng.beta(0.5, 2.0))
        for u in range(people)
        for step in (1, 2, 3)
    }
    rows: list[tuple[float, str, str | None, str]] = [(-10.0, v, u, "message") for u, v in chance]
    for number in range(acts):
        u = names[int(rng.integers(people))]
        rows.append((3.0 * number, u, None, "post"))
        fans = [v for (who, v) in chance if who == u]
        rows += [
            (3.0 * number + 0.1 + 0.8 * float(rng.random()), v, u, "repost")
            for v in fans
            if rng.random() < chance[u, v]
        ]
    table = {
        "time": [START + at * HOUR for at, *_ in rows],
        "source": [row[1] for row in rows],
        "target": [row[2] for row in rows],
        "kind": [row[3] for row in rows],
    }
    return InteractionLog.from_frame(pl.DataFrame(table)), chance


def fans_of(chance: Mapping[tuple[str, str], float]) -> SocialGraph:
    """Who can be moved by whom in a simulation."""
    return SocialGraph.from_edges(*zip(*chance, strict=True), directed=True)


def test_probabilities_that_are_there_are_found() -> None:
    """95 % of the intervals hold the true probability, and estimates are nearer than raw shares."""
    rng = np.random.default_rng(11)
    trials = rng.integers(0, 12, 5_000)
    truth = rng.beta(0.5, 2.0, 5_000)
    wins = rng.binomial(trials, truth).astype(float)
    of = trials.astype(float)
    made = _shrinkage.estimate_probabilities(wins, of)
    low, high = made.low, made.high
    assert 0.935 < ((low <= truth) & (truth <= high)).mean() < 0.965
    some = of > 0
    raw = np.abs(wins[some] / of[some] - truth[some]).mean()
    assert np.abs(made.expected[some] - truth[some]).mean() < 0.9 * raw


def test_the_check_finds_what_there_is_to_find() -> None:
    """Where pairs differ, learned beats the other rules; where they do not, hardly."""
    split = START + 3 * 2_000 * HOUR
    log, chance = simulate(np.random.default_rng(2), people=20, acts=4_000)
    options = {"on": "target", "within": HOUR, "kinds": ["repost"], "as_of": split}
    learned = learn_probabilities(log, graph=fans_of(chance), **options)
    found = learned.check(log).frame
    assert found["rule"].to_list() == ["learned", "constant", "1/degree", "scaled 1/degree"]
    assert (found["gain_low"].drop_nulls() > 0).all()
    assert (found["brier_gain_low"].drop_nulls() > 0).all()
    expected = found["expected"].to_list()
    assert expected[0] == pytest.approx(found["successes"][0], rel=0.1)
    log, chance = simulate(np.random.default_rng(2), people=20, acts=4_000, alike=True)
    options |= {"graph": fans_of(chance)}
    even = learn_probabilities(log, **options).check(log).frame
    # all trials of a post are alike, all those of a repost too: some is left to be found
    assert even["gain"][1] < found["gain"][1] / 3


@given(strategies.logs(min_size=8, max_size=25, replies=True), WAYS, st.data())
@FEW
def test_the_check_is_that_of_the_plain_definition(
    acts: list[Interaction], on: str, data: Any
) -> None:
    """Log-likelihood and Brier score equal a sum over the trials, one by one."""
    within = timedelta(hours=5)
    log = log_of(acts)
    people = people_of(log)
    if len(people) < 2:
        return
    graph = nx.complete_graph(people, create_using=nx.DiGraph)
    times = sorted(act.time for act in acts)
    split = data.draw(st.sampled_from(times[2:]))
    learned = learn_probabilities(log, on=on, within=within, graph=graph, as_of=split)
    try:
        found = learned.check(log).frame
    except InvalidParameter:
        return
    chance = {}
    for row in learned.frame.to_dicts():
        chance[row["a"], row["b"]] = row["probability_ab"]
        chance[row["b"], row["a"]] = row["probability_ba"]
    everything = set(chance)
    # trials until the end less those until the split, the latter with the acts of the end
    ended = count(log, on, within, everything)
    started = count_until(log, on, within, everything, split)
    total, likelihood, squares = 0, 0.0, 0.0
    shared = False
    for pair, p in chance.items():
        trials, won = ended.get(pair, (0, 0.0)), started.get(pair, (0, 0.0))
        n, k = trials[0] - won[0], trials[1] - won[1]
        shared |= abs(k - round(k)) > 1e-9 or abs(trials[1] - round(trials[1])) > 1e-9
        total += n
        likelihood += (n - k) * np.log1p(-p) + k * np.log(p)
        squares += (n - k) * p**2 + k * (1 - p) ** 2
    assert found["trials"][0] == total
    if not shared and on in ("in_reply_to", "target"):
        assert found["log_likelihood"][0] == pytest.approx(likelihood / total)
        assert found["brier"][0] == pytest.approx(squares / total)


def count_until(
    log: InteractionLog, on: str, within: timedelta, arcs: set[tuple[str, str]], split: datetime
) -> Counts:
    """The trials whose act is not after an instant, with all that followed them."""
    last = log.frame["time"].max()
    assert isinstance(last, datetime)
    # as if the log ended within after the split: what is later cannot follow in time
    end = split + within
    kept = log.frame.filter(pl.col("time") <= end)
    pad = log.frame.head(1).with_columns(
        time=pl.lit(end), source=pl.lit(None, pl.String), target=pl.lit("nobody"),
        id=pl.lit("pad"), in_reply_to=pl.lit(None, pl.String),
    )  # fmt: skip
    if last <= end:
        return count(log, on, within, arcs) if last - within <= split else {}
    return count(InteractionLog.from_frame(pl.concat([kept, pad])), on, within, arcs)


def test_an_act_after_several_is_one_success_of_the_check() -> None:
    """Its probability is one less the product of what each leaves; Brier scores are null."""
    rows = [(0, "ana", "a"), (1, "ben", "a"), (50, "ana", "b"), (51, "cem", "b"), (52, "ben", "b")]
    log = InteractionLog.from_records(
        [{"time": START + at * HOUR, "kind": "post", "source": who, "about": what}
         for at, who, what in rows]
        + [{"time": START + 90 * HOUR, "kind": "post", "source": "x", "about": "z"}]
    )  # fmt: skip
    sees = nx.DiGraph([("ana", "ben"), ("cem", "ben"), ("ana", "cem")])
    as_of = START + 20 * HOUR
    learned = learn_probabilities(log, on="about", within=4 * HOUR, graph=sees, as_of=as_of)
    p = dict(zip([("ana", "ben"), ("ana", "cem"), ("ben", "cem")],
                 learned.frame["probability_ab"].to_list(), strict=True))  # fmt: skip
    back = learned.frame["probability_ba"][2]  # of cem on ben
    missed = (1 - p["ana", "ben"]) * (1 - back)
    wanted = np.log(1 - missed) + np.log(p["ana", "cem"])
    found = learned.check(log).frame
    assert found["log_likelihood"][0] == pytest.approx(wanted / 3)
    assert (found["trials"][0], found["successes"][0]) == (3, 2)
    assert found["brier"].null_count() == 4


def test_the_seed_decides_the_intervals() -> None:
    """The same seed gives the same intervals, and another seed others; the rest stays."""
    log, _ = simulate(np.random.default_rng(4), people=9, acts=400)
    learned = learn_probabilities(
        log, on="target", within=HOUR, as_of=START + 600 * HOUR, kinds=["repost"]
    )
    one, two, other = (learned.check(log, seed=seed).frame for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)
    assert one["gain"].equals(other["gain"])


def test_a_check_without_trials_is_refused() -> None:
    """A log that has not gone on, and probabilities of nobody, cannot be checked."""
    log, _ = simulate(np.random.default_rng(4), people=9, acts=50)
    learned = learn_probabilities(log, on="target", within=HOUR)
    with pytest.raises(InvalidParameter, match="no trial after"):
        learned.check(log)
    none = learn_probabilities(log_of([]), on="target", within=HOUR, as_of=START)
    assert len(none.frame) == 0
    with pytest.raises(InvalidParameter, match="no trial after"):
        none.check(log)


def test_the_graph_of_probabilities_is_directed() -> None:
    """Who can be moved one way is one arc; everybody of the pairs is in the graph."""
    log, chance = simulate(np.random.default_rng(7), people=10, acts=300)
    learned = learn_probabilities(
        log, on="target", within=HOUR, kinds=["repost"], graph=fans_of(chance)
    )
    graph = SocialGraph.of(learned, weight="probability").to_networkx()
    assert graph.is_directed()
    assert set(graph.edges) == set(chance)


def test_portions_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked up in portions is the same in small ones."""
    rng = np.random.default_rng(8)
    log = InteractionLog.from_records(
        {"time": START + float(rng.random()) * 90 * HOUR, "kind": "post",
         "source": f"c{rng.integers(12)}", "about": f"t{rng.integers(6)}"}
        for _ in range(150)
    )  # fmt: skip
    graph = nx.complete_graph([f"c{number}" for number in range(12)])
    options = {"on": "about", "within": 9 * HOUR, "graph": graph}
    wanted = learn_probabilities(log, **options).frame
    monkeypatch.setattr(_exposures, "STATE", 5)
    assert learn_probabilities(log, **options).frame.equals(wanted)
    assert wanted["successes_ab"].sum() > 5


@pytest.mark.parametrize("name", ["Polars lazy", "pandas", "pandas Arrow", "pyarrow", "DuckDB"])
def test_engines_agree(name: str) -> None:
    """Every engine gives the table of Polars, as a table of its own, and the same check."""
    engine = engines.find(name)
    table = simulate(np.random.default_rng(9), people=8, acts=120)[0].frame
    split = START + 180 * HOUR
    options = {"on": "target", "within": HOUR, "kinds": ["repost"], "as_of": split}
    logs = [InteractionLog.from_frame(made) for made in (table, engine.make(table))]
    wanted, got = (learn_probabilities(log, **options) for log in logs)
    checks = wanted.check(logs[0]), got.check(logs[1])
    for one, other in ((wanted, got), checks):
        assert engine.owns(other.frame)
        frame = engine.read(other.frame).cast(dict(one.frame.schema))
        assert frame.to_dicts() == one.frame.to_dicts()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on": "channel"}, "on must be"),
        ({"within": timedelta(0)}, "longer than zero"),
        ({"within": 3}, "longer than zero"),
        ({"kinds": []}, "kinds is empty"),
        ({"graph": nx.path_graph(3)}, "different types"),
    ],
)
def test_options_that_cannot_be_are_refused(options: Mapping[str, Any], words: str) -> None:
    """Each is an error that says how to mend it."""
    log, _ = simulate(np.random.default_rng(4), people=9, acts=5)
    with pytest.raises(InvalidParameter, match=words):
        learn_probabilities(log, **{"on": "target", "within": HOUR, **options})


def test_a_log_without_the_columns_is_refused() -> None:
    """The message names the column that is missing, or asks for a graph."""
    log = InteractionLog.from_records(
        [{"time": START, "kind": "post", "source": "ana", "about": "tea"}]
    )
    with pytest.raises(InvalidTable, match="no column 'target'"):
        learn_probabilities(log, on="target", within=HOUR)
    with pytest.raises(InvalidTable, match="give graph"):
        learn_probabilities(log, on="about", within=HOUR)
