"""Engagement of whole logs: equal to the live form, on every engine, explained, covered."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import polars as pl
import polars.testing
import pytest
from attrs import asdict, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit import (
    DEFAULT_VOCABULARY,
    Interaction,
    InteractionLog,
    InvalidParameter,
    ScrmkitWarning,
    UnknownCustomer,
)
from scrmkit.engagement import EngagementModel, Explanation, Level, Tracker, explain, score
from scrmkit.testing.strategies import logs


# a drawn log may end in an act that stands alone; the warning has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore:the last act of the log")

FEW = settings(max_examples=10)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVELS = (
    Level("none", 0),
    Level("some", 5, counterparts=2),
    Level("more", 20, active_days=2),
    Level("most", 21, active_days=3, counterparts=1),
)
ASKING = EngagementModel(levels=LEVELS, new_below=3)
NUMBERS = ("score", "low", "high", "conversation", "contribution", "advocacy")
EXACT = ("n", "exposure", "active_days", "level", "attention")


def act(day: float = 0, kind: str = "message", **fields: object) -> Interaction:
    """One act of ana towards ben, so many days after noon of the first of March."""
    given_fields = {"id": f"{kind} {day}", "source": "ana", "target": "ben", **fields}
    return Interaction(time=NOON + timedelta(days=day), kind=kind, **given_fields)


def rows(frame: pl.DataFrame) -> dict[Any, dict[str, Any]]:
    """The rows of a table by customer, and by instant where there are several."""
    keys = ("customer", "as_of") if "as_of" in frame.columns else ("customer",)
    return {tuple(row[key] for key in keys): row for row in frame.iter_rows(named=True)}


def as_text(who: object) -> object:
    """The id as tables hold it."""
    return str(who) if isinstance(who, UUID) else who


def live(
    acts: Iterable[Interaction],
    as_of: datetime,
    *,
    model: EngagementModel | None = None,
    known_at: datetime | None = None,
) -> dict[Any, dict[str, Any]]:
    """What a tracker says that was fed what counts at an instant, by hand."""
    known = [
        one
        for one in acts
        if one.time <= as_of and (known_at is None or (one.received_at or one.time) <= known_at)
    ]
    gone = {(one.scope, one.retracts) for one in known if one.retracts is not None}
    tracker = Tracker(model=model)
    for one in known:
        if one.retracts is None and (one.scope, one.id) not in gone:
            tracker.record(one)
    people = {one.source for one in known} - {None}
    found = {}
    for who in people:
        if who in tracker:
            row = tracker.score(who, as_of=as_of).to_dict()
            found[as_text(who)] = {**row, **row["contributions"]}
    return found


def check_equal(batch: dict[str, Any], one: dict[str, Any]) -> None:
    """Two rows agree to 1e-9, and to the bit where they are no fractions."""
    for name in NUMBERS:
        assert math.isclose(batch[name], one[name], rel_tol=1e-9, abs_tol=1e-9), name
    for name in EXACT:
        assert batch[name] == one[name], name


@given(log=logs(max_size=15, late=True, retractions=True), asking=st.booleans())
@FEW
def test_batch_equals_live(log: list[Interaction], *, asking: bool) -> None:
    """For any log, at several instants at once, every column is that of the tracker."""
    if not log:
        return
    model = ASKING if asking else None
    times = sorted(one.time for one in log)
    instants = [times[0], times[len(times) // 2], times[-1], times[-1] + timedelta(days=30)]
    known_at = times[-1] + timedelta(days=1)
    table = InteractionLog.from_records(log)
    frame = score(table, model=model, as_of=instants, known_at=known_at).frame
    found = rows(frame)
    expected = {
        (who, instant.astimezone(UTC)): row
        for instant in set(instants)
        for who, row in live(log, instant, model=model, known_at=known_at).items()
    }
    assert set(found) == set(expected)
    for key, row in found.items():
        check_equal(row, expected[key])


@given(log=logs(min_size=1, max_size=12, retractions=True))
@FEW
def test_several_instants_are_one_after_the_other(log: list[Interaction]) -> None:
    """A list of instants gives the rows that each of them gives alone."""
    times = sorted(one.time for one in log)
    instants = sorted({times[0], times[len(times) // 2], times[-1]})
    table = InteractionLog.from_records(log)
    together = rows(score(table, as_of=instants).frame)
    alone = {
        (who, instant.astimezone(UTC)): row
        for instant in instants
        for (who,), row in rows(score(table, as_of=instant).frame).items()
    }
    assert set(together) == set(alone)
    for key, row in together.items():
        check_equal(row, alone[key])


@given(log=logs(min_size=1, max_size=12, repeats=True), data=st.data())
@FEW
def test_order_and_repeats_do_not_matter(log: list[Interaction], data: st.DataObject) -> None:
    """The log in another order, and without its repeats, gives the same scores."""
    other = data.draw(st.permutations(list({one.id: one for one in log}.values())))
    first = rows(score(InteractionLog.from_records(log)).frame)
    second = rows(score(InteractionLog.from_records(other)).frame)
    assert set(first) == set(second)
    for key, row in first.items():
        check_equal(row, second[key])


@given(log=logs(min_size=1, max_size=12))
@FEW
def test_a_score_is_the_sum_of_its_columns(log: list[Interaction]) -> None:
    """To the bit, in the order of the columns, between the level and the attention."""
    last = max(act.time for act in log)
    frame = score(InteractionLog.from_records(log), as_of=last).frame
    columns = frame.columns[frame.columns.index("level") + 1 : -1]
    for row in frame.iter_rows(named=True):
        total = 0.0
        for column in columns:
            total += row[column]
        assert total == row["score"]


@given(log=logs(min_size=2, max_size=12))
@FEW
def test_the_scale_is_absolute(log: list[Interaction]) -> None:
    """The others can leave the table, and nobody's score changes."""
    as_of = max(one.time for one in log)
    everybody = rows(score(InteractionLog.from_records(log), as_of=as_of).frame)
    for who in {one.source for one in log} - {None}:
        alone = InteractionLog.from_records([one for one in log if one.source == who])
        for key, row in rows(score(alone, as_of=as_of).frame).items():
            check_equal(row, everybody[key])


# What comes back


def test_the_columns() -> None:
    """They are those that the docstring names, in that order."""
    one = [
        *("customer", "score", "low", "high", "n", "exposure", "active_days", "level"),
        *("conversation", "contribution", "advocacy", "transaction", "service", "attention"),
    ]
    log = InteractionLog.from_records([act()])
    assert score(log).frame.columns == one
    several = score(log, as_of=[NOON]).frame
    assert several.columns == ["customer", "as_of", *one[1:]]
    assert several.schema["as_of"] == pl.Datetime("us", "UTC")
    weighed = score(log, model=EngagementModel(weights={"like": 1})).frame
    assert weighed.columns == [*one[:-1], "attention_points", "attention"]


def test_the_result_says_how_it_was_made() -> None:
    """Everything that the numbers depend on, the vocabulary too."""
    found = score(InteractionLog.from_records([act()]), known_at=NOON).parameters
    assert found["as_of"] == found["known_at"] == NOON
    assert found["model_digest"] == Tracker().digest
    assert found["vocabulary_digest"] == DEFAULT_VOCABULARY.digest


def test_the_best_come_first() -> None:
    """`top` orders by score."""
    log = InteractionLog.from_records([act(), act(kind="call", source="cem")])
    assert score(log).top(1)["customer"].to_list() == ["cem"]


def test_attention_with_weight_has_a_column_of_points() -> None:
    """And is part of the score then."""
    log = InteractionLog.from_records([act(kind="like"), act()])
    model = EngagementModel(weights={"like": 1.0, "message": 1.0})
    row = score(log, model=model).frame.row(0, named=True)
    assert row["attention_points"] == row["conversation"] == row["score"] / 2 > 0
    assert row["attention"] == 1


def test_nobody_acted() -> None:
    """A log of acts without a source, or of automated ones, gives no rows but all columns."""
    received = pl.DataFrame({"time": [NOON], "kind": ["message"], "target": ["ben"]})
    empty = score(InteractionLog.from_frame(received)).frame
    assert empty.is_empty()
    assert empty.columns == score(InteractionLog.from_records([act()])).frame.columns
    automated = InteractionLog.from_records([act(automated=True)])
    assert score(automated, as_of=[NOON, NOON + timedelta(1)]).frame.is_empty()


def test_an_instant_is_needed_and_has_a_zone() -> None:
    """An empty list, a naive time and a text are refused."""
    log = InteractionLog.from_records([act()])
    for wrong in ([], datetime(2026, 1, 1), [datetime(2026, 1, 1)], "today", 7):  # noqa: DTZ001
        with pytest.raises(InvalidParameter):
            score(log, as_of=wrong)


@pytest.mark.parametrize("ask", [score, lambda log: explain(log, "ana")])
def test_a_lone_last_act_long_after_the_rest_warns(ask: Any) -> None:
    """A slip of the pen in one year makes everything decay: the warning names the gap."""
    typo = InteractionLog.from_records([act(day) for day in (*range(9), 400)])
    with pytest.warns(ScrmkitWarning, match="stands alone, 392 days after") as caught:
        ask(typo)
    assert [one.filename for one in caught] == [__file__]


def test_an_instant_that_is_asked_for_does_not_warn() -> None:
    """Who says which instant is meant is not warned of a lone act there."""
    typo = InteractionLog.from_records([act(day) for day in (*range(9), 400)])
    instant = NOON + timedelta(days=400)
    assert score(typo, as_of=instant).frame["n"].to_list() == [10]


def test_a_table_is_no_log() -> None:
    """A bare table needs to become a log first."""
    table = pl.DataFrame({"time": [NOON]})
    for ask in (lambda: score(table), lambda: explain(table, "ana")):
        with pytest.raises(InvalidParameter, match="a DataFrame is no log: InteractionLog"):
            ask()


def test_an_act_later_on_the_day_does_not_count_yet() -> None:
    """Two instants of one day see what was done by then."""
    log = InteractionLog.from_records([act(), act(0.25), act(0.3)])
    frame = score(log, as_of=[NOON, NOON + timedelta(days=0.25)]).frame
    assert frame["n"].to_list() == [1, 2]


def test_what_was_taken_back_counts_until_then() -> None:
    """At an instant before the retraction the act is there, afterwards it is not."""
    log = InteractionLog.from_records([act(), act(1), act(4, retracts="message 1")])
    frame = score(log, as_of=[NOON + timedelta(days=day) for day in (1, 3, 4, 5)]).frame
    assert frame["n"].to_list() == [2, 2, 1, 1]


# Engines


@frozen
class VendorModel:
    """A vendor's model with a function of all three arguments."""

    name: str = "vendor"
    version: str = "3"
    weights: None = None
    half_life: timedelta = timedelta(days=60)
    cap_per_day: int = 2

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> tuple[Any, Any, Any]:
        """Activity against the days of exposure."""
        points = activity / (activity + exposure**0.5) * 100
        return points, points / (1 + dispersion), (points + 100 * dispersion) / (1 + dispersion)


def made(engine: str, frame: pl.DataFrame) -> Any:
    """The same table in another engine."""
    if engine == "duckdb":
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        connection.register("acts", frame.to_arrow())
        return connection.sql("select * from acts")
    return {
        "lazy": frame.lazy,
        "pandas": frame.to_pandas,
        "pandas alone": frame.to_pandas,
        "pandas on Arrow": lambda: frame.to_pandas(use_pyarrow_extension_array=True),
        "pyarrow": frame.to_arrow,
    }[engine]()


def read(table: Any) -> pl.DataFrame:
    """Any table as Polars, in order of customer and instant."""
    if isinstance(table, duckdb.DuckDBPyRelation):
        table = table.to_arrow_table()
    frame = table.collect() if isinstance(table, pl.LazyFrame) else pl.DataFrame(table)
    if "as_of" in frame.columns:
        frame = frame.with_columns(pl.col("as_of").cast(pl.Datetime("us", "UTC")))
    return frame.sort(frame.columns[: 1 + ("as_of" in frame.columns)])


@pytest.mark.parametrize(
    "engine", ["lazy", "pandas", "pandas alone", "pandas on Arrow", "pyarrow", "duckdb"]
)
def test_every_engine_gives_the_same(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal columns, in the kind of table that came in, for our model and a vendor's."""
    if engine == "pandas alone":
        monkeypatch.setattr("scrmkit._tables.hasten", lambda frame: frame)
    rng = np.random.default_rng(7)
    size = 300
    people = [None, *(f"c{number}" for number in range(8))]
    words = [*DEFAULT_VOCABULARY.words, "thing nobody knows"]
    frame = pl.DataFrame(
        {
            "id": [f"m{number}" for number in range(size)],
            "time": [NOON + timedelta(seconds=int(t)) for t in rng.integers(0, 10**7, size)],
            "kind": rng.choice(words, size),
            "source": [people[number] for number in rng.integers(0, 9, size)],
            "target": [people[number] for number in rng.integers(0, 9, size)],
            "automated": rng.random(size) < 0.1,
            "retracts": [f"m{n}" if n % 9 == 0 and n else None for n in range(size)],
        }
    )
    instants = [NOON + timedelta(days=day, hours=3) for day in (20, 60, 61, 115, 200)]
    for model, as_of in ((ASKING, instants), (VendorModel(), None), (None, instants[2])):
        reference = score(InteractionLog.from_frame(frame), model=model, as_of=as_of).frame
        table = made(engine, frame)
        found = score(InteractionLog.from_frame(table), model=model, as_of=as_of).frame
        assert type(found) is type(table)
        pl.testing.assert_frame_equal(read(found), reference, rel_tol=1e-9, check_dtypes=False)


@pytest.mark.parametrize("engine", ["lazy", "pandas", "pandas on Arrow", "pyarrow", "duckdb"])
def test_every_engine_is_explained_alike(engine: str) -> None:
    """Plain Python values come out of every table, and None where there is nobody."""
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "time": [NOON, NOON, NOON + timedelta(days=1)],
            "kind": ["message", "thanks", "message"],
            "source": [7, 7, None],
            "target": [8, None, 7],
        }
    )
    why = explain(InteractionLog.from_frame(made(engine, frame)), 7)
    assert why == explain(InteractionLog.from_frame(frame), 7)
    proofs = [proof for one in why.kinds for proof in one.evidence]
    assert {(type(one.time), type(one.target)) for one in proofs} == {
        (datetime, int),
        (datetime, type(None)),
    }


def test_several_instants_read_the_log_as_often_as_one() -> None:
    """A lazy table is scanned no more often for five instants than for one."""
    scans = []

    def count(frame: pl.DataFrame) -> pl.DataFrame:
        scans.append(1)
        return frame

    table = pl.DataFrame({"time": [NOON], "kind": ["message"], "source": ["ana"]})
    needed = []
    for as_of in (NOON, [NOON + timedelta(days=day) for day in range(5)]):
        scans.clear()
        lazy = table.lazy().map_batches(count)
        score(InteractionLog.from_frame(lazy), as_of=as_of).frame.collect()
        needed.append(len(scans))
    assert needed[0] == needed[1]


def test_arrays_pass_through_a_model() -> None:
    """Numbers and arrays of numbers give the same three values."""
    model = EngagementModel()
    activity, dispersion, exposure = np.array([0.0, 3.0, 50.0]), np.array([2.0, 1.0, 0.4]), 90.0
    together = np.array(model.value(activity, dispersion, exposure))
    for place in range(3):
        one = model.value(float(activity[place]), float(dispersion[place]), exposure)
        assert together[:, place] == pytest.approx(one, rel=1e-12)


# Explanations


def explained(acts: list[Interaction], model: EngagementModel | None = None) -> Explanation:
    """The explanation of ana's score at the last act."""
    return explain(InteractionLog.from_records(acts), "ana", model=model)


@given(log=logs(min_size=1, max_size=12, who=["ana", "ben", "cem"]))
@FEW
def test_an_explanation_is_that_of_the_score(log: list[Interaction]) -> None:
    """Its score is the row of the table; its points and acts add up to it."""
    table = InteractionLog.from_records(log)
    frame = score(table).frame
    for row in frame.iter_rows(named=True):
        why = explain(table, row["customer"])
        check_equal(row, {**why.score.to_dict(), **why.score.contributions})
        assert math.isclose(sum(one.points for one in why.kinds), row["score"], abs_tol=1e-9)
        mine = {one.id for one in log if one.source == row["customer"] != one.target}
        mine -= {one.id for one in log if one.automated}
        assert {proof.id for one in why.kinds for proof in one.evidence} == mine


@given(
    days=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    today=st.integers(0, 5),
    cap=st.integers(1, 6),
)
@FEW
def test_the_nearest_level_is_the_nearest(days: list[int], today: int, cap: int) -> None:
    """That many further acts of that kind lead there, and fewer of no kind do."""
    levels = (Level("a", 0), Level("b", 8), Level("c", 15, active_days=4), Level("d", 40))
    weights = {"message": 1, "call": 2, "referral": 4}
    model = EngagementModel(levels=levels, weights=weights, cap_per_day=cap, new_below=0)
    names = [level.name for level in levels]
    acts = [act(-day, id=f"m{number}") for number, day in enumerate(days)]
    acts += [act(id=f"t{number}") for number in range(today)]

    def standing(more: int = 0, kind: str = "message") -> int:
        further = [act(kind=kind, id=f"x{number}") for number in range(more)]
        return names.index(explained([*acts, act(source="cem"), *further], model).standing)

    why = explained([*acts, act(source="cem")], model)
    now = standing()
    reach = [
        (more, weights[kind], kind)
        for kind in weights
        for more in range(1, cap + 1)
        if standing(more, kind) > now
    ]
    if why.next_level is None:
        assert not reach
        assert why.obstacle
    else:
        best = min(reach)
        assert (why.next_level.acts, why.next_level.kind) == (best[0], best[2])
        assert names.index(why.next_level.level) == standing(best[0], best[2])


@given(days=st.lists(st.integers(0, 60), min_size=1, max_size=12), half_life=st.integers(1, 100))
@FEW
def test_decay_takes_the_level_away_on_the_day_that_is_named(
    days: list[int], half_life: int
) -> None:
    """A day earlier the level still stands."""
    levels = (Level("a", 0), Level("b", 8), Level("c", 15))
    model = EngagementModel(levels=levels, half_life=timedelta(days=half_life))
    acts = [act(-day, "call", id=f"m{number}") for number, day in enumerate(days)]
    log = InteractionLog.from_records(acts)
    end = max(one.time for one in acts)
    why = explain(log, "ana", model=model)
    if why.days_left is None:
        assert why.standing == "a"
        return
    after = explain(log, "ana", model=model, as_of=end + timedelta(days=why.days_left))
    before = explain(log, "ana", model=model, as_of=end + timedelta(days=why.days_left - 1))
    assert before.standing == why.standing > after.standing


def test_without_decay_no_level_is_lost() -> None:
    """There is no day on which a level would go."""
    model = EngagementModel(half_life=None)
    assert explained([act(kind="referral")] * 1, model).days_left is None


def test_an_obstacle_is_named() -> None:
    """Where no single kind of act leads to the next level today, the reason is given."""
    lone = (Level("a", 0), Level("b", 1, counterparts=3, active_days=9))
    assert "3 people (there are 1)" in explained([act()], EngagementModel(levels=lone)).obstacle
    assert "9 distinct days" in explained([act()], EngagementModel(levels=lone)).obstacle
    high = (Level("a", 0), Level("b", 99))
    assert "no single kind" in explained([act()], EngagementModel(levels=high)).obstacle
    assert "none above" in explained([act()], EngagementModel(levels=lone[:1])).obstacle


def texts(value: object) -> str:
    """Everything that an explanation holds, prints and shows, as one text."""
    shown = [str(value), repr(value), value._repr_html_()]
    return " ".join([*shown, repr(asdict(value, recurse=True))])


def test_what_a_person_is_shown_is_nothing_about_others() -> None:
    """The counterparts are in the explanation for the host, and gone from the person's."""
    acts = [act(day, target=f"secret{day}") for day in range(3)] + [act(5, "like", target="hush")]
    why = explained(acts)
    assert {proof.target for one in why.kinds for proof in one.evidence} >= {"secret1", "hush"}
    shown = why.for_person()
    assert "secret" not in texts(shown)
    assert "hush" not in texts(shown)
    assert shown.score == why.score
    assert str(shown) == str(why)


def test_an_explanation_reads_well() -> None:
    """Score, interval, level, evidence, model and assumptions are all in the text."""
    acts = (
        [act(day) for day in range(7)]
        + [act(3, "like"), act(4, "thing")]
        + [act(2, id=f"more{number}") for number in range(8)]
    )
    text = str(explained(acts))
    for part in (
        "Score 34.9 of 100",
        "15 acts on 7 days within 7 days observed; 1 act of attention, counted apart",
        "Too new for a level; by the score alone it would be occasional.",
        "Next level: ",
        "message: 15 acts (11 within the cap)",
        "and 10 more",
        "like: 1 act, 0.0 points",
        "thing: 1 act, 0.0 points",
        f"Model default, version 1, digest {Tracker().digest}",
        "not for the future",
    ):
        assert part in text


def test_an_unsure_level_is_said_to_be_so() -> None:
    """The text says what the level would be by the score alone."""
    levels = (Level("a", 0), Level("b", 19), Level("c", 21))
    model = EngagementModel(levels=levels, new_below=0)
    why = explained([act(id=f"m{n}") for n in range(5)], model)
    assert "Too unsure for a level; by the score alone it would be b." in str(why)


def test_the_page_of_an_explanation_is_escaped() -> None:
    """Ids and kinds come from outside and may hold anything."""
    why = explained([act(id="<script>alert(1)</script>", kind="<b>")])
    assert "<script>" not in why._repr_html_()
    assert "&lt;script&gt;" in why._repr_html_()


def test_a_log_without_ids_is_explained_without_them() -> None:
    """The acts are counted, and their times given."""
    table = pl.DataFrame({"time": [NOON], "kind": ["message"], "source": [7], "target": [8]})
    why = explain(InteractionLog.from_frame(table), 7)
    assert [(one.n, one.evidence[0].id, one.evidence[0].time) for one in why.kinds] == [
        (1, None, NOON)
    ]


def test_somebody_unknown_cannot_be_explained() -> None:
    """Somebody who only received, somebody later, and an id of another type."""
    log = InteractionLog.from_records([act(), act(3, source="cem")])
    for who in ("ben", "nobody", 7):
        with pytest.raises(UnknownCustomer):
            explain(log, who)
    with pytest.raises(UnknownCustomer):
        explain(log, "cem", as_of=NOON)


def test_uuids_are_found() -> None:
    """An id that the table holds as text is found as what it is."""
    who = UUID(int=3)
    log = InteractionLog.from_records([act(source=who, target=UUID(int=4))])
    assert explain(log, who).score.n == 1


# Coverage


@pytest.fixture(scope="module")
def coverage(root: Path) -> ModuleType:
    """The benchmark that measures coverage, as a module."""
    spec = importlib.util.spec_from_file_location(
        "coverage_of_intervals", root / "benchmarks" / "interval_coverage.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("case", "per_month", "least", "most"),
    [
        ("independent days", 1, 90, 100),
        ("independent days", 10, 87, 96),
        ("bursts of three", 3, 86, 96),
        ("three kinds, weights 1, 2, 3", 3, 86, 96),
        ("rare heavy kind: 5 % of weight 5, 60 % of 0.2", 10, 84, 95),
    ],
)
def test_intervals_are_right_in_simulations(
    coverage: ModuleType, case: str, per_month: float, least: float, most: float
) -> None:
    """About 90 % of intervals hold what is to be expected, more where there are few acts."""
    assert least <= coverage.simulate(case, per_month, people=300) <= most


@pytest.mark.parametrize("name", ["collegemsg", "email-eu-core"])
def test_intervals_hold_on_real_days(coverage: ModuleType, shared_data: Path, name: str) -> None:
    """The interval of even days holds the activity of odd ones as often as promised."""
    found = coverage.halves(shared_data / coverage.SETS[name], "alternating", seeds=1)
    assert 85 <= found["20 or more"]["holds"] <= 95
    assert found["1 to 19"]["holds"] >= 85


@pytest.mark.parametrize("name", ["collegemsg", "email-eu-core"])
def test_halves_of_independent_days_agree(
    coverage: ModuleType, shared_data: Path, name: str
) -> None:
    """With the noise of both halves allowed for, free halves agree as often as promised."""
    found = coverage.halves(shared_data / coverage.SETS[name], "free", seeds=2)
    assert 85 <= found["20 or more"]["agrees"] <= 96
    assert found["1 to 19"]["agrees"] >= 85
