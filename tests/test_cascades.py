"""Cascades: trees equal to networkx and to plain definitions, and carriers with honest bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import engines
from scrmkit import Interaction, InteractionLog, _shrinkage, _trees
from scrmkit.diffusion import Cascades, cascades
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.testing import strategies


START = datetime(2026, 3, 1, tzinfo=UTC)
FEW = settings(max_examples=settings().max_examples // 3)  # of what needs several logs each
HIGGS = {"source": "column_1", "target": "column_2", "time": "column_3", "kind": "column_4"}
WORDS = {"RT": "repost", "MT": "mention", "RE": "reply"}
SHAPE = ("size", "depth", "breadth", "virality")

forests = st.lists(st.integers(-3, 30), max_size=30).map(
    lambda drawn: [
        min(above, number) - 1 if above > 0 else -1 for number, above in enumerate(drawn)
    ]
)
"""Parents of nodes, each before its children; -1 for roots."""


def minutes(count: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=count)


def replies(parents: Sequence[int], people: int = 4) -> InteractionLog:
    """A log in which each act answers another, a minute after the one before it."""
    numbers = range(len(parents))
    table = {
        "id": list(numbers),
        "time": [minutes(number) for number in numbers],
        "kind": ["reply"] * len(parents),
        "source": [f"c{number % people}" for number in numbers],
        "in_reply_to": [parent if parent >= 0 else None for parent in parents],
    }
    return InteractionLog.from_frame(
        pl.DataFrame(table, schema_overrides={"in_reply_to": pl.Int64})
    )


def rows_of(table: Any) -> list[dict[str, Any]]:
    """The rows of a Polars result."""
    rows: list[dict[str, Any]] = table.frame.to_dicts()
    return rows


def same(one: Cascades, other: Cascades) -> None:
    """Both have the same cascades, carriers and counts."""
    assert one.frame.equals(other.frame)
    assert one.carriers.frame.equals(other.carriers.frame)
    assert dict(one.links) == dict(other.links)
    assert dict(one.left_out) == dict(other.left_out)


@given(forests)
def test_trees_are_those_of_networkx(parents: list[int]) -> None:
    """Size, depth, breadth and virality equal networkx, of every tree of two or more."""
    graph = nx.DiGraph((parent, child) for child, parent in enumerate(parents) if parent >= 0)
    wanted = {}
    for members in nx.weakly_connected_components(graph):
        tree = graph.subgraph(members)
        root = next(node for node in tree if tree.in_degree(node) == 0)
        far = nx.single_source_shortest_path_length(tree, root)
        n = len(tree)
        virality = 2 * nx.wiener_index(tree.to_undirected()) / (n * (n - 1))
        wanted[root] = (n, max(far.values()), max(Counter(far.values()).values()), virality)
    found = (
        {
            row["cascade"]: tuple(row[name] for name in SHAPE)
            for row in rows_of(cascades(replies(parents)))
        }
        if parents
        else {}
    )
    assert found.keys() == wanted.keys()
    for root, shape in wanted.items():
        assert found[root] == pytest.approx(shape)


@pytest.mark.parametrize("n", [2, 3, 10, 1_000])
def test_virality_of_stars_and_chains_is_the_closed_form(n: int) -> None:
    """A star has 2 (n - 1) / n, a chain (n + 1) / 3."""
    star = cascades(replies([-1, *[0] * (n - 1)])).frame
    assert star["virality"].item() == pytest.approx(2 * (n - 1) / n)
    assert (star["depth"].item(), star["breadth"].item()) == (1, n - 1)
    chain = cascades(replies(range(-1, n - 1))).frame
    assert chain["virality"].item() == pytest.approx((n + 1) / 3)
    assert (chain["depth"].item(), chain["breadth"].item()) == (n - 1, 1)


def test_a_deep_chain_costs_a_logarithm() -> None:
    """A chain of 200,000 has its sizes and depths, without a step for each level."""
    parent = np.arange(-1, 199_999)
    root, depth = _trees.climb(parent)
    assert (root == 0).all()
    assert (depth == np.arange(200_000)).all()
    assert (_trees.sizes(parent) == np.arange(200_000, 0, -1)).all()


@given(st.lists(st.integers(-1, 11), min_size=1, max_size=12))
def test_circles_are_cut_where_they_are(drawn: list[int]) -> None:
    """Acts on a circle, as networkx finds them, lose their link; all others keep it."""
    parents = [parent if parent < len(drawn) else -1 for parent in drawn]
    graph = nx.DiGraph((child, parent) for child, parent in enumerate(parents) if parent >= 0)
    graph.add_nodes_from(range(len(parents)))
    circle = {node for nodes in nx.simple_cycles(graph) for node in nodes}
    forest, cut = _trees.cut_circles(np.array(parents))
    assert set(cut.tolist()) == circle
    kept = [-1 if node in circle else parent for node, parent in enumerate(parents)]
    assert forest.tolist() == kept
    assert cascades(replies(parents)).links["circular"] == len(circle)


def test_what_is_odd_is_counted() -> None:
    """Unseen, own, early and circular links, several parents, automated and lonely acts."""
    rows = [
        ("a", 5, "ana", None, {}),
        ("b", 6, "ana", "a", {}),  # own
        ("c", 4, "ben", "a", {}),  # early
        ("d", 7, "cem", "gone", {}),  # unseen
        ("e", 8, "dora", "gone", {}),  # unseen, with d
        ("f", 9, "ben", "g", {}),  # circular
        ("g", 9, "cem", "f", {}),  # circular
        ("h", 10, "eva", "g", {}),
        ("i", 11, "eva", None, {}),  # alone
        ("j", 12, "bot", "a", {"automated": True}),
        ("k", 13, "fay", "j", {}),  # unseen: automated
        ("l", 14, None, "a", {}),  # nobody knows who
    ]
    made = [
        Interaction(id=name, time=minutes(at), kind="reply", source=who, target="us",
                    in_reply_to=after, **more)
        for name, at, who, after, more in rows
    ]  # fmt: skip
    made.append(evolve(made[1], target="them", in_reply_to="d"))  # several
    found = cascades(InteractionLog.from_records(made))
    assert dict(found.links) == {
        "followed": 7, "unseen": 3, "own": 1, "early": 1, "circular": 2, "several": 1
    }  # fmt: skip
    assert dict(found.left_out) == {"nobody": 0, "automated": 1, "alone": 2}
    table = {row["cascade"]: row for row in rows_of(found)}
    assert {name: row["size"] for name, row in table.items()} == {"a": 4, "gone": 3, "g": 2, "j": 2}
    assert table["gone"]["observed"] is False
    assert table["gone"]["root"] is None
    assert table["gone"]["start"] == minutes(7)
    assert table["a"]["customers"] == 2
    assert table["a"]["seconds"] == 540
    assert any("not in the log" in note for note in found.notes)


def test_an_id_is_an_act_of_its_scope() -> None:
    """Equal ids of two scopes are two acts, and a link stays in its scope."""
    acts = [
        Interaction(id=1, time=minutes(0), kind="post", source="ana", scope="x"),
        Interaction(id=1, time=minutes(0), kind="post", source="ben", scope="y"),
        Interaction(id=2, time=minutes(1), kind="reply", source="cem", scope="y", in_reply_to=1),
    ]
    found = rows_of(cascades(InteractionLog.from_records(acts)))
    assert [(row["scope"], row["cascade"], row["root"]) for row in found] == [("y", 1, "ben")]


def test_a_message_to_several_is_one_act() -> None:
    """Rows with one id are one act, whoever they go to."""
    acts = [
        Interaction(id=1, time=minutes(0), kind="email", source="ana", target=whom)
        for whom in ("ben", "cem", "dora")
    ]
    acts.append(Interaction(id=2, time=minutes(9), kind="reply", source="ben", in_reply_to=1))
    found = cascades(InteractionLog.from_records(acts))
    assert found.frame["size"].to_list() == [2]
    assert found.carriers.frame.select("customer", "acts").rows() == [("ana", 1), ("ben", 1)]


def test_only_the_kinds_that_are_named_follow() -> None:
    """An act of another kind follows nothing, but can be followed; an alias is its kind."""
    acts = [
        Interaction(id=1, time=minutes(0), kind="post", source="ana"),
        Interaction(id=2, time=minutes(1), kind="retweet", source="ben", in_reply_to=1),
        Interaction(id=3, time=minutes(2), kind="reply", source="cem", in_reply_to=1),
    ]
    log = InteractionLog.from_records(acts)
    assert cascades(log, kinds=["repost"]).frame["size"].to_list() == [2]
    assert cascades(log).frame["size"].to_list() == [3]
    none = cascades(log, kinds=["referral"])
    assert len(none.frame) == 0
    assert none.notes == ("no act in the log is of one of the kinds",)


@given(strategies.logs(min_size=1, max_size=12, replies=True, repeats=True), st.data())
@FEW
def test_rows_order_repeats_and_the_clock_do_not_matter(log: list[Interaction], data: Any) -> None:
    """Shuffling, repeating and shifting the log by a time changes no number."""
    on = data.draw(st.sampled_from(["in_reply_to", "target"]))
    last = max(act.time for act in log)
    found = cascades(_with_columns(log), on=on, as_of=last)
    shuffled = data.draw(st.permutations(log)) + log[:3]
    same(found, cascades(_with_columns(shuffled), on=on, as_of=last))
    shift = timedelta(days=400, seconds=7, microseconds=3)
    moved = [evolve(act, time=act.time + shift) for act in log]
    later = cascades(_with_columns(moved), on=on, as_of=last + shift)
    assert later.frame.with_columns(pl.col("start") - shift).equals(found.frame)
    assert later.carriers.frame.equals(found.carriers.frame)


@given(strategies.logs(min_size=1, max_size=12, replies=True, late=True), st.data())
@FEW
def test_nothing_later_counts(log: list[Interaction], data: Any) -> None:
    """At an instant the cascades are those of the log until then; likewise of what was known."""
    on = data.draw(st.sampled_from(["in_reply_to", "target"]))
    when = data.draw(st.sampled_from(sorted(act.time for act in log)))
    before = [act for act in log if act.time <= when]
    same(cascades(_with_columns(log), on=on, as_of=when),
         cascades(_with_columns(before), on=on, as_of=when))  # fmt: skip
    known = [act for act in before if (act.received_at or act.time) <= when]
    same(cascades(_with_columns(log), on=on, as_of=when, known_at=when),
         cascades(_with_columns(known), on=on, as_of=when))  # fmt: skip


def _with_columns(log: Sequence[Interaction]) -> InteractionLog:
    """A log that has all columns, whoever is in it."""
    names = ("id", "time", "kind", "source", "target", "in_reply_to", "automated", "received_at",
             "scope")  # fmt: skip
    text = dict.fromkeys(("id", "kind", "source", "target", "in_reply_to", "scope"), pl.String)
    rows = [{name: getattr(act, name) for name in names} for act in log]
    for row in rows:
        for name in text:
            row[name] = None if row[name] is None else str(row[name])
    instant = pl.Datetime("us", "UTC")
    schema = {**text, "time": instant, "received_at": instant, "automated": pl.Boolean}
    return InteractionLog.from_frame(
        pl.DataFrame(rows, schema={name: schema[name] for name in names})
    )


def infer(log: InteractionLog, within: timedelta | None) -> list[tuple[Any, ...]]:
    """Cascades by the plain definition of ``on="target"``: root, start, size, customers, depth."""
    rows = [
        row for row in log.frame.to_dicts() if row["source"] is not None and not row["automated"]
    ]
    acts = sorted({(row["source"], row["time"]) for row in rows})
    parent: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    orphans = []
    for act in acts:
        whom = {row["target"] for row in rows if (row["source"], row["time"]) == act} - {None}
        before = [
            other
            for other in acts
            if other[0] in whom and other[1] < act[1]
            and (within is None or act[1] - other[1] <= within)
        ]  # fmt: skip
        if before:
            latest = max(time for _, time in before)
            parent[act] = min(other for other in before if other[1] == latest)
        elif whom:
            orphans.append((min(whom), act[1], act))
    for whom_it_is, group in groupby(sorted(orphans), key=lambda orphan: orphan[0]):
        last, root = None, None
        for _, time, act in group:
            if last is None or (within is not None and time - last > within):
                root = (whom_it_is, time, "unseen")
            last, parent[act] = time, root
    graph = nx.DiGraph((above, act) for act, above in parent.items())
    found = []
    for members in nx.weakly_connected_components(graph):
        tree = graph.subgraph(members)
        root = next(node for node in tree if tree.in_degree(node) == 0)
        depth = max(nx.single_source_shortest_path_length(tree, root).values())
        people = len({node[0] for node in tree})
        found.append((root[0], len(root) == 2, root[1], len(tree), people, depth))
    return sorted(found)


@given(
    strategies.logs(min_size=1, max_size=25, nobody=True),
    st.sampled_from([None, timedelta(seconds=30), timedelta(days=1)]),
)
@FEW
def test_inferred_trees_are_those_of_the_plain_definition(
    acts: list[Interaction], within: timedelta | None
) -> None:
    """``on="target"`` equals a search through all acts for the latest one before."""
    log = _with_columns(acts)
    found = cascades(log, on="target", within=within)
    columns = ("root", "observed", "start", "size", "customers", "depth")
    assert sorted(found.frame.select(columns).rows()) == infer(log, within)
    numbers = found.frame.sort("start", "root")["cascade"].to_list()
    assert sorted(numbers) == list(range(len(numbers)))


@given(forests.filter(bool))
def test_carriers_are_counted_by_the_plain_definition(parents: list[int]) -> None:
    """Acts, cascades started, acts carried, acts after and acts below equal a plain count."""
    who = [number % 4 for number in range(len(parents))]
    tree = nx.DiGraph((parent, child) for child, parent in enumerate(parents) if parent >= 0)
    tree.add_nodes_from(range(len(parents)))
    wanted: dict[str, list[int]] = {}
    for node, owner in enumerate(who):
        below = nx.descendants(tree, node)
        next_to = list(tree.successors(node))
        next_acts = sum(who[child] != owner for child in next_to)
        leads, is_root = bool(next_to), parents[node] < 0
        row = (1, leads and is_root, leads and not is_root, next_acts, len(below))
        before = wanted.get(f"c{owner}", [0] * 5)
        wanted[f"c{owner}"] = [one + other for one, other in zip(before, row, strict=True)]
    columns = ("customer", "acts", "started", "carried", "followed_by", "downstream")
    carriers = cascades(replies(parents)).carriers.frame.select(columns).rows()
    assert {name: list(numbers) for name, *numbers in carriers} == wanted
    order = [(-row[4], row[0]) for row in carriers]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("people", "dispersion", "shape", "least"),
    [(2_000, 0, 2, 0.93), (2_000, 5, 2, 0.93), (2_000, 20, 2, 0.9), (2_000, 5, 0, 0.99),
     (2_000, 20, 0, 0.99), (10, 2, 2, 0.85)],
)  # fmt: skip
def test_amplification_is_right_as_often_as_it_says(
    people: int, dispersion: float, shape: float, least: float
) -> None:
    """Where acts of one rate differ more than Poisson, 95 % of intervals or more hold it."""
    rng = np.random.default_rng(3)
    held, draws = 0.0, 1 if people > 100 else 15
    for _ in range(draws):
        acts = rng.integers(1, 6, people)
        rate = rng.gamma(shape, 1 / shape, people) if shape else np.ones(people)
        owner = np.repeat(np.arange(people), acts)
        each = rng.gamma(1 / dispersion, dispersion * rate[owner]) if dispersion else rate[owner]
        counts = rng.poisson(each)
        found = _shrinkage.dispersion_of(counts.astype(float), owner)
        seen = np.bincount(owner, weights=counts, minlength=people)
        made = _shrinkage.estimate_rates(seen, acts.astype(float), found or 0.0)
        assert (made.low <= made.expected).all()
        assert (made.expected <= made.high).all()
        held += ((made.low <= rate) & (rate <= made.high)).mean() / draws
    assert held > least
    if not shape:
        assert made.expected.max() < 1.8  # nearly all drawn to the rate that all have
        assert made.strength > 20 * acts.mean()
    elif people > 100:
        assert held < (0.97 if dispersion < 5 else 0.999)


def test_what_a_rate_may_be_is_that_of_the_plain_integral() -> None:
    """For many counts the mean and the ends equal those of a fine integral by scipy."""
    rng = np.random.default_rng(5)
    acts = rng.integers(1, 6, 3_000)
    rate = rng.gamma(2, 0.5, 3_000)
    seen = rng.negative_binomial(acts / 0.7, 1 / (1 + 0.7 * rate)).astype(float)
    made = _shrinkage.estimate_rates(seen, acts.astype(float), 0.7)
    b = 1 + made.strength / 0.7  # the rate times 0.7 is a ratio of odds
    grid = np.geomspace(1e-6, 100, 20_001)
    prior = stats.betaprime(made.strength * made.mean, b, scale=1 / 0.7).pdf(grid)
    for row in (0, int(seen.argmax()), int(seen.argmin())):
        n = acts[row]
        density = prior * stats.nbinom.pmf(seen[row], n / 0.7, 1 / (1 + 0.7 * grid)) * grid
        below = np.cumsum(density) / density.sum()
        drawn = (made.strength * made.mean + seen[row]) / (made.strength + n)
        assert made.expected[row] == pytest.approx(drawn, rel=0.02)
        assert made.expected[row] == pytest.approx(density @ grid / density.sum(), rel=0.02)
        assert below[np.searchsorted(grid, made.high[row])] == pytest.approx(0.975, abs=0.01)
        assert below[np.searchsorted(grid, made.low[row])] == pytest.approx(0.025, abs=0.02)


def test_results_of_two_days_can_be_put_together() -> None:
    """A day without cascades, without roots or bounds has the types of any other."""
    full = _with_columns(
        [Interaction(id=f"m{n}", time=minutes(n), kind="reply", source=f"c{n % 7}",
                     in_reply_to=f"m{n // 2}" if n else None) for n in range(30)]
    )  # fmt: skip
    lost = _with_columns(
        [Interaction(id="m1", time=minutes(1), kind="reply", source="ana", in_reply_to="m0")]
    )
    none = _with_columns([])
    found = [cascades(log, as_of=minutes(60)) for log in (full, lost, none)]
    assert len(pl.concat([one.frame for one in found])) == len(found[0].frame) + 1
    assert found[2].frame.schema == found[0].frame.schema
    carriers = [one.carriers.frame for one in found]
    assert carriers[1]["low"].null_count() == 1
    assert carriers[0]["low"].null_count() == 0
    assert len(pl.concat(carriers)) == 8


def test_amplification_is_unknown_without_acts_or_without_a_second_act() -> None:
    """Who has no act in the log has no amplification; nobody with two acts gives no bounds."""
    acts = [("ben", "ana", 1), ("cem", "ben", 2)]
    log = InteractionLog.from_records(
        {"time": minutes(at), "kind": "repost", "source": who, "target": whom}
        for who, whom, at in acts
    )
    carriers = {row["customer"]: row for row in rows_of(cascades(log, on="target").carriers)}
    assert (carriers["ana"]["followed_by"], carriers["ana"]["amplification"]) == (1, None)
    assert carriers["ben"]["amplification"] > carriers["cem"]["amplification"]
    assert carriers["ben"]["low"] is None
    few = cascades(replies([-1, 0, 0, 1, 2, 2, 5, 6, 6], people=4)).carriers
    assert few.frame["low"].null_count() == 4
    assert "4 customers acted twice" in few.notes[0]
    enough = cascades(replies([-1, 0, 0, 1, 2, 2, 5, 6, 6, 3, 4, 9], people=5)).carriers
    table = enough.frame
    assert enough.notes == ()
    assert table["low"].null_count() == 0
    assert (table["low"] <= table["amplification"]).all()
    assert (table["amplification"] <= table["high"]).all()


@pytest.mark.parametrize("name", ["Polars lazy", "pandas", "pandas Arrow", "pyarrow", "DuckDB"])
@pytest.mark.parametrize("on", ["in_reply_to", "target"])
def test_engines_agree(name: str, on: str) -> None:
    """Every engine gives the table of Polars, as a table of its own."""
    engine = engines.find(name)
    acts = [
        Interaction(id=f"m{number}", time=minutes(number * 7), kind="reply",
                    source=f"c{number % 5}", target=f"c{number * 3 % 4}",
                    in_reply_to=f"m{number // 3}" if number % 4 else None)
        for number in range(40)
    ]  # fmt: skip
    table = _with_columns(acts).frame
    wanted, got = (
        cascades(InteractionLog.from_frame(made), on=on) for made in (table, engine.make(table))
    )
    for one, other in ((wanted, got), (wanted.carriers, got.carriers)):
        assert engine.owns(other.frame)
        frame = engine.read(other.frame).cast(dict(one.frame.schema))
        assert frame.to_dicts() == one.frame.to_dicts()
    assert dict(wanted.links) == dict(got.links)


@pytest.mark.parametrize("on", ["in_reply_to", "target"])
def test_without_polars_the_numbers_are_the_same(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are numbered without Polars as with it."""
    acts = [
        Interaction(id=f"m{n}", time=minutes(n), kind="reply", source=f"c{n % 5}", target="c0",
                    in_reply_to=f"m{n // 2}" if n else None)
        for n in range(20)
    ]  # fmt: skip
    table = _with_columns(acts).frame
    wanted = cascades(InteractionLog.from_frame(table), on=on)
    monkeypatch.setattr("scrmkit._codes._has_polars", lambda: False)
    pandas = engines.find("pandas")
    got = cascades(InteractionLog.from_frame(pandas.make(table)), on=on)
    assert pandas.read(got.frame)["size"].to_list() == wanted.frame["size"].to_list()
    assert pandas.read(got.frame)["root"].to_list() == wanted.frame["root"].to_list()


def test_a_log_without_links_gives_nothing() -> None:
    """No acts, and acts that follow none, give an empty result with its columns."""
    acts = [Interaction(id=1, time=minutes(0), kind="post", source="ana")]
    one = cascades(_with_columns(acts))
    none = cascades(_with_columns([]), as_of=START)
    assert len(one.frame) == len(none.frame) == 0
    assert one.frame.columns == none.frame.columns
    assert one.left_out["alone"] == 1
    assert len(none.carriers.frame) == 0
    assert one.carriers.frame.select("customer", "acts", "followed_by").rows() == [("ana", 1, 0)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on": "thread"}, "on must be"),
        ({"within": timedelta(hours=1)}, "goes with"),
        ({"on": "target", "within": timedelta(0)}, "longer than zero"),
        ({"kinds": []}, "kinds is empty"),
        ({"kinds": "repost"}, "list of str"),
        ({"as_of": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_options_that_cannot_be_are_refused(options: Mapping[str, Any], words: str) -> None:
    """Each is an error that says how to mend it."""
    with pytest.raises(InvalidParameter, match=words):
        cascades(replies([-1, 0]), **options)


def test_a_log_without_the_columns_is_refused() -> None:
    """The message names the column that is missing."""
    log = InteractionLog.from_records([{"time": START, "kind": "post", "source": "ana"}])
    with pytest.raises(InvalidTable, match="no column 'id'"):
        cascades(log)
    with pytest.raises(InvalidTable, match="no column 'target'"):
        cascades(log, on="target")


def test_the_cascades_of_an_announcement(shared_data: Path) -> None:
    """On half a million tweets every repost is in one tree, and the counts add up."""
    path = shared_data / "higgs" / "higgs-activity_time.txt.gz"
    log = InteractionLog.read(path, columns=HIGGS, kinds=WORDS)
    found = cascades(log, on="target", kinds=["repost"], within=timedelta(days=1))
    table = found.frame
    assert found.links["followed"] == 354_868  # of 354,930 reposts 62 are of a second one at once
    assert int((table["size"] - 1).sum()) == found.links["followed"]
    acts = table["size"].sum() - int((~table["observed"]).sum()) + found.left_out["alone"]
    assert acts == log.frame.select("source", "time").unique().height
    assert (
        int(found.carriers.frame["followed_by"].sum()) + found.links["own"]
        == found.links["followed"]
    )
