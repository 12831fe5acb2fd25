"""The test kit: every rule of every contract is broken by a plugin that breaks that one alone."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit import (
    Channel,
    Customer,
    EngagementModel,
    InteractionLog,
    InvalidParameter,
    SocialGraph,
    UnreadableFile,
    Vocabulary,
    testing,
)
from scrmkit._checks import Frozen
from scrmkit.plugins import Number, Word, lift
from scrmkit.testing import (
    ContractBroken,
    check_detector,
    check_enricher,
    check_measure,
    check_model,
    check_reader,
    check_writer,
    strategies,
)


def broken(check: Callable[[], None]) -> tuple[str, ...]:
    """The rules that a check finds broken."""
    with pytest.raises(ContractBroken) as caught:
        check()
    return caught.value.rules


turns = count()


# Models


@frozen
class Model:
    """A good model, whose parts can be replaced."""

    name: Any = "test"
    version: Any = "1"
    weights: Any = field(factory=lambda: {"post": 2.0, "message": 1.0})
    half_life: Any = timedelta(days=60)
    cap_per_day: Any = 5
    parameters: Any = field(factory=lambda: {"scale": 20})

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """A score that rises with activity."""
        del dispersion, exposure
        score = activity / (activity + 20) * 100
        return score, score / 2, score / 2 + 50


class Infinite(Model):
    """Says nothing finite without activity."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """Not a number below one act a century."""
        score = super().value(activity, dispersion, exposure)[0]
        return (score, 0.0, float("inf")) if activity > 1000 else (score, score / 2, score)


class Wide(Model):
    """Leaves the scale for those with much activity."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """High is beyond 100."""
        score, low, high = super().value(activity, dispersion, exposure)
        return score, low, high + 1


class Generous(Model):
    """Gives something for nothing."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """At least one point."""
        score, low, high = super().value(activity, dispersion, exposure)
        return score * 0.9 + 1, low * 0.9, high * 0.9 + 1


class Tired(Model):
    """Falls beyond a thousand."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """A score that falls again."""
        del dispersion, exposure
        score = 100 * activity / (activity + 20 + activity * activity / 1000)
        return score, score / 2, score / 2 + 50


class Moody(Model):
    """Gives a little more every time."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """High depends on how often it was asked."""
        score, low, high = super().value(activity, dispersion, exposure)
        return score, low, high - (next(turns) % 7) * 1e-9


class Scalar(Model):
    """Works for one customer at a time."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """With a comparison, which a column does not have."""
        if isinstance(activity, float) and activity > 1:
            return super().value(activity, dispersion, exposure)
        score, low, high = super().value(activity, dispersion, exposure)
        return score * 0.9, low * 0.9, high


class Timed(Model):
    """Looks at the clock, and does nothing with it."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> Any:
        """What it is, at any time."""
        score, low, high = super().value(activity, dispersion, exposure)
        return score + 0 * time.time(), low, high


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        (Model(cap_per_day=0), "shape"),
        (Model(weights=3), "shape"),
        (object(), "shape"),
        (Infinite(), "shape"),
        (Wide(), "range"),
        (Generous(), "nothing"),
        (Tired(), "monotone"),
        (Moody(), "repeatable"),
        (Scalar(), "arithmetic"),
        (Model(parameters={"x": object()}), "parameters"),
        (Timed(), "clock"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_rule_of_models(model: Any, rule: str) -> None:
    """Is broken by the model that breaks it, and no other is."""
    assert broken(lambda: check_model(model)) == (rule,)


@pytest.mark.parametrize(
    "model",
    [
        Model(),
        EngagementModel(),
        EngagementModel(scale=3, half_life=None, confidence=0.5),
        EngagementModel(weights={"like": 1.0}, prior_activity=0.5),
    ],
)
def test_good_models_pass(model: Any) -> None:
    """Ours among them."""
    check_model(model)


# Measures and detectors


def good(graph: Any, rng: Any) -> Any:
    """The degree."""
    return np.diff(graph.indptr) * 1.0


def short(graph: Any, rng: Any) -> Any:
    """One number too few."""
    return good(graph, rng)[1:]


def pair(graph: Any, rng: Any) -> Any:
    """Neither one array nor three."""
    return good(graph, rng), good(graph, rng)


def crash(graph: Any, rng: Any) -> Any:
    """Fails without customers."""
    return good(graph, rng) / good(graph, rng).max()


def lonely(graph: Any, rng: Any) -> Any:
    """No number for who has no ties."""
    degree = good(graph, rng)
    return np.where(degree > 0, degree, np.nan)


def crossed(graph: Any, rng: Any) -> Any:
    """Low above high for who has two ties."""
    degree = good(graph, rng)
    return degree - (degree < 2), degree, degree - (degree >= 2)


def unseeded(graph: Any, rng: Any) -> Any:
    """Chance from elsewhere."""
    return good(graph, rng) + np.array([random.random() for _ in graph.ids])  # noqa: S311


def numbered(graph: Any, rng: Any) -> Any:
    """Adds the place in the order of ids."""
    return good(graph, rng) + np.arange(len(graph))


def central(graph: Any, rng: Any) -> Any:
    """Adds how far one is from both ends of the order."""
    place = np.arange(len(graph))
    return good(graph, rng) + np.minimum(place, place[::-1])


def sampled(graph: Any, rng: Any) -> Any:
    """Draws by chance, by the seed."""
    return good(graph, rng) + rng.random(len(graph))


def bounded(graph: Any, rng: Any) -> Any:
    """With bounds."""
    degree = good(graph, rng)
    return degree - 1, degree, degree


def dated(graph: Any, rng: Any) -> Any:
    """Looks at the calendar."""
    return good(graph, rng) + 0 * date.today().year  # noqa: DTZ011


def opaque(graph: Any, rng: Any) -> Any:
    """With a parameter that no digest can name."""
    return good(graph, rng)


opaque.parameters = {"x": object()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("measure", "rule"),
    [
        (short, "shape"),
        (pair, "shape"),
        (crash, "shape"),
        (lambda graph, _: ["x"] * len(graph), "shape"),
        (lonely, "finite"),
        (crossed, "bounds"),
        (unseeded, "seed"),
        (numbered, "names"),
        (central, "names"),
        (opaque, "parameters"),
        (dated, "clock"),
    ],
)
def test_each_rule_of_measures(measure: Any, rule: str) -> None:
    """Is broken by the measure that breaks it, and no other is."""
    assert broken(lambda: check_measure(measure)) == (rule,)


@pytest.mark.parametrize("measure", [good, sampled, bounded])
def test_good_measures_pass(measure: Any) -> None:
    """Also those that draw by the seed, and those with bounds."""
    check_measure(measure)


def components(graph: Any, rng: Any) -> Any:
    """Those that are tied."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(graph.matrix(), directed=False)[1]


def shuffled(graph: Any, rng: Any) -> Any:
    """Chance from elsewhere."""
    return np.array([random.randrange(10**6) for _ in graph.ids], dtype=int)  # noqa: S311


def hourly(graph: Any, rng: Any) -> Any:
    """Looks at the clock."""
    return components(graph, rng) + 0 * datetime.now(UTC).hour


def secret(graph: Any, rng: Any) -> Any:
    """With parameters that are none."""
    return components(graph, rng)


secret.parameters = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("detector", "rule"),
    [
        (short, "shape"),
        (good, "shape"),
        (shuffled, "seed"),
        (secret, "parameters"),
        (hourly, "clock"),
    ],
)
def test_each_rule_of_detectors(detector: Any, rule: str) -> None:
    """Is broken by the detector that breaks it, and no other is."""
    assert broken(lambda: check_detector(detector)) == (rule,)


@pytest.mark.parametrize(
    "detector", [components, lambda graph, rng: rng.integers(3, size=len(graph))]
)
def test_good_detectors_pass(detector: Any) -> None:
    """Also one that draws by the seed."""
    check_detector(detector)


# Readers


LINES = "m1 2026-03-01T09:00Z ana ben 0.5\nm2 2026-03-02T09:00Z ben ana -1\nm3\nm4 {t} cem ana 0\n"
TEXT = LINES.replace("{t}", "2026-03-03T09:00Z")
IDS = ("m1", "m2", "m3", "m4")


def read_lines(path: Path) -> Iterator[dict[str, list[Any]]]:
    """A good reader of lines of five words."""
    for line in Path(path).read_text().splitlines():
        cells = line.split()
        fine = len(cells) == 5 and cells[4].strip("-.0123456789") == ""
        yield {
            "id": [cells[0]],
            "time": [cells[1] if fine else None],
            "kind": ["message"],
            "source": [cells[2] if fine else None],
            "target": [cells[3] if fine else None],
            "valence": [float(cells[4]) if fine else None],
            "rejected": [None if fine else "five words a line"],
        }


def read_other(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Columns of types that do not fit."""
    for number, row in enumerate(read_lines(path)):
        yield {**row, "text": [["list"]] if number else [1]}


def read_less(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Drops what it cannot use."""
    return (row for row in read_lines(path) if row["rejected"] == [None])


def read_twice(path: Path) -> Iterator[dict[str, list[Any]]]:
    """The first one again."""
    rows = list(read_lines(path))
    yield from [*rows, *rows[:1]]


def read_backwards(path: Path) -> Iterator[dict[str, list[Any]]]:
    """The last one first."""
    yield from list(read_lines(path))[::-1]


def read_percent(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Valences in percent."""
    for row in read_lines(path):
        yield {**row, "valence": [None if row["valence"] == [None] else 100 * row["valence"][0]]}


def read_differently(path: Path) -> Iterator[dict[str, list[Any]]]:
    """With a number of its own."""
    for row in read_lines(path):
        yield {**row, "serial": [next(turns)]}


def read_whole(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Trusts that lines are whole."""
    if not Path(path).read_text().endswith("\n"):
        raise ValueError
    return read_lines(path)


def read_now(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Looks at the clock."""
    time.time_ns()
    return read_lines(path)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Four lines, of which one is no record."""
    path = tmp_path / "log.txt"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("reader", "rule"),
    [
        (read_other, "tables"),
        (lambda _: 3, "tables"),
        (lambda _: {"time": [1]}, "tables"),
        (read_less, "lost"),
        (read_twice, "once"),
        (read_backwards, "order"),
        (read_percent, "units"),
        (read_differently, "repeatable"),
        (read_whole, "damaged"),
        (read_now, "clock"),
    ],
)
def test_each_rule_of_readers(lines: Path, reader: Any, rule: str) -> None:
    """Is broken by the reader that breaks it, and no other is."""
    assert broken(lambda: check_reader(reader, lines, ids=IDS)) == (rule,)


def test_good_readers_pass(lines: Path) -> None:
    """Also one that refuses what breaks off, with the error for that."""
    check_reader(read_lines, lines, ids=IDS)

    def read_strictly(path: Path) -> Any:
        if not Path(path).read_text().endswith("\n"):
            raise UnreadableFile("it breaks off")
        return read_lines(path)

    check_reader(read_strictly, lines, ids=IDS)


def test_a_record_of_several_rows_is_counted(lines: Path) -> None:
    """Of a record that must bring two rows, one is too few."""
    rows = [{"id": [one], "time": [0], "kind": ["post"], "source": ["ana"]} for one in (1, 1, 2)]
    check_reader(lambda _: rows, "x", ids=[1, 1, 2])
    assert broken(lambda: check_reader(lambda _: rows[1:], "x", ids=[1, 1, 2])) == ("lost",)


def test_a_source_need_be_no_file() -> None:
    """Whatever the reader takes is handed to it."""
    row = {"id": [1], "time": [0], "kind": ["post"], "source": ["ana"]}
    check_reader(lambda where: [row] * len(where), {"host": "crm"}, ids=[1])


def test_real_rows_are_not_shown() -> None:
    """What customers said stays out of the logs of a test run."""
    rows = pl.DataFrame({"text": ["a secret"]})
    with pytest.raises(ContractBroken) as caught:
        check_enricher(Strange(), rows=rows)
    assert "secret" not in str(caught.value)


# Writers


def write_ids(tables: Any, path: Path) -> None:
    """A good writer of ids."""
    with path.open("w") as file:
        for table in tables:
            file.writelines(f"{one}\n" for one in table["id"])


def write_nothing(tables: Any, path: Path) -> None:
    """Nothing."""


def write_beside(tables: Any, path: Path) -> None:
    """Leaves a file behind."""
    write_ids(tables, path)
    path.with_suffix(".bak").touch()


def write_less(tables: Any, path: Path) -> None:
    """Drops what nobody said anything in."""
    write_ids((table.filter(pl.col("text").is_not_null()) for table in tables), path)


def write_first(tables: Any, path: Path) -> None:
    """Needs a first row."""
    tables = list(tables)
    path.touch()
    assert tables[0]["id"][0]
    write_ids(tables, path)


def write_more(tables: Any, path: Path) -> None:
    """The first once more."""
    write_ids(tables, path)
    path.write_text(path.read_text() + "".join(path.read_text().splitlines(True)[:1]))


def write_sorted(tables: Any, path: Path) -> None:
    """In order of time."""
    write_ids([pl.concat(list(tables)).sort("time", "id")], path)


def write_serial(tables: Any, path: Path) -> None:
    """With a number of its own."""
    write_ids(tables, path)
    path.write_text(f"{path.read_text()}#{next(turns)}\n")


def write_heads(tables: Any, path: Path) -> None:
    """A line for each table."""
    with path.open("w") as file:
        for table in tables:
            file.write("#\n")
            file.writelines(f"{one}\n" for one in table["id"])


def write_late(tables: Any, path: Path) -> None:
    """Looks at the clock."""
    datetime.now(UTC)
    write_ids(tables, path)


def read_ids(path: Path) -> list[str]:
    """The lines that are no remark."""
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("writer", "rule"),
    [
        (write_nothing, "place"),
        (write_beside, "place"),
        (write_first, "place"),
        (write_less, "lost"),
        (write_more, "once"),
        (write_sorted, "order"),
        (write_serial, "repeatable"),
        (write_heads, "portions"),
        (write_late, "clock"),
    ],
)
def test_each_rule_of_writers(writer: Any, rule: str) -> None:
    """Is broken by the writer that breaks it, and no other is."""
    assert broken(lambda: check_writer(writer, read=read_ids)) == (rule,)


def test_good_writers_pass() -> None:
    """Of files and of folders."""
    check_writer(write_ids, read=read_ids, suffix=".txt")

    def write_folder(tables: Any, path: Path) -> None:
        path.mkdir()
        write_ids(tables, path / "ids")

    check_writer(write_folder, read=lambda path: read_ids(path / "ids"))


# Enrichers


class Letters:
    """A good enricher."""

    version: Any = "1"
    needs: Any = ("text",)
    fields: Any = Frozen({"letters": Number(low=0), "size": Word(choices=["short", "long"])})

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """How much was said."""
        letters = pl.col("text").str.len_chars()
        size = pl.when(letters > 9).then(pl.lit("long")).when(letters >= 0).then(pl.lit("short"))
        return rows.select(letters=letters, size=size)


class Nameless(Letters):
    """Without a version."""

    version = ""


class Fewer(Letters):
    """No row for who said nothing."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Some rows."""
        return super().__call__(rows).drop_nulls()


class Further(Letters):
    """A column more."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """With words."""
        return super().__call__(rows).with_columns(words=1)


class Other(Letters):
    """Words for numbers."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """As text."""
        return super().__call__(rows).with_columns(pl.col("letters").cast(pl.String))


class Below(Letters):
    """Beyond its bounds."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Minus one for nothing."""
        return super().__call__(rows).with_columns(pl.col("letters").cast(pl.Int64) - 1)


class Strange(Letters):
    """Beyond its choices."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Something between."""
        return super().__call__(rows).with_columns(size=pl.lit("middling"))


class Relative(Letters):
    """Compares with the others."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The share of the longest."""
        found = super().__call__(rows)
        return found.with_columns(pl.col("letters") / pl.col("letters").max().clip(1))


class Nonempty(Letters):
    """Needs a first row."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Looks at it."""
        assert rows["id"][0]
        return super().__call__(rows)


class Careless(Letters):
    """Rounds as a vector of another length does."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """A ten-millionth more where there are many."""
        found = super().__call__(rows)
        return found.with_columns(pl.col("letters") * (1 + 1e-8 * rows.height))


class Serial(Letters):
    """Counts how often it is asked."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """A number of its own."""
        return super().__call__(rows).with_columns(letters=pl.lit(next(turns) * 1.0))


class Late(Letters):
    """Looks at the clock."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """And forgets it."""
        time.monotonic()
        return super().__call__(rows)


@pytest.mark.parametrize(
    ("enricher", "rule"),
    [
        (Nameless, "shape"),
        (lambda: good, "shape"),
        (lambda *_: type("Nobody", (Letters,), {"__call__": lambda *_: 3})(), "shape"),
        (Nonempty, "shape"),
        (type("Needless", (Letters,), {"needs": None}), "shape"),
        (Fewer, "rows"),
        (Further, "fields"),
        (Other, "types"),
        (Below, "range"),
        (Strange, "range"),
        (Relative, "alone"),
        (Serial, "repeatable"),
        (Late, "clock"),
    ],
)
def test_each_rule_of_enrichers(enricher: Any, rule: str) -> None:
    """Is broken by the enricher that breaks it, and no other is."""
    assert broken(lambda: check_enricher(enricher())) == (rule,)


def test_good_enrichers_pass() -> None:
    """Of tables, of one interaction, and of columns that only a vendor has."""
    check_enricher(Letters())
    check_enricher(Careless())

    @lift(version="1", needs=["text", "source"], fields={"own": Number()})
    def own(interaction: Any) -> Any:
        return {"own": float(str(interaction.source) in interaction.text)}

    check_enricher(own)

    class Stars(Letters):
        needs = ("stars",)
        fields: Any = Frozen({"good": Number(low=0, high=1)})

        def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
            return rows.select(good=pl.col("stars") / 5)

    with pytest.raises(InvalidParameter, match="needs stars: give a table"):
        check_enricher(Stars())
    check_enricher(Stars(), rows=pl.DataFrame({"stars": [1, 5, None]}))


# The checks


def test_the_message_says_what_is_broken_and_how() -> None:
    """With an example."""
    with pytest.raises(
        ContractBroken, match=r"lonely breaks its contract:\n- finite: it must give"
    ):
        check_measure(lonely)


def test_a_plugin_that_is_not_installed_is_refused() -> None:
    """By every check alike."""
    for check in (check_model, check_measure, check_detector, check_enricher):
        with pytest.raises(InvalidParameter, match="there is no 'nobody:knows'"):
            check("nobody:knows")


def test_a_check_leaves_the_profiler_as_it_was() -> None:
    """Whoever measures something goes on measuring."""
    import sys

    before = sys.getprofile()
    check_measure(good)
    assert sys.getprofile() is before


# Strategies


@given(st.data())
@settings(max_examples=20)
def test_strategies_draw_what_they_say(data: st.DataObject) -> None:
    """Each of them a value of ours, without an error."""
    assert isinstance(data.draw(strategies.customers()), Customer)
    assert isinstance(data.draw(strategies.channels()), Channel)
    assert isinstance(data.draw(strategies.vocabularies()), Vocabulary)
    assert isinstance(data.draw(strategies.social_graphs()), SocialGraph)
    log = data.draw(strategies.interaction_logs(min_size=2, replies=True, said=True))
    assert isinstance(log, InteractionLog)
    ties = data.draw(strategies.ties(unknown=False))
    assert "strength" in ties.frame.columns


@given(strategies.logs(min_size=6, replies=True))
def test_replies_answer_acts_of_the_log(log: list[Any]) -> None:
    """Whatever is answered is there, in the same thread."""
    acts = {act.id: act for act in log}
    for act in log:
        if act.in_reply_to is not None:
            assert act.thread == (acts[act.in_reply_to].thread or "t3")


def test_everything_public_has_a_strategy() -> None:
    """Every name of the room is a function or a strategy, and documented."""
    for name in strategies.__all__:
        assert getattr(strategies, name).__doc__, name
    assert sorted(strategies.__all__) == list(strategies.__all__)
    assert sorted(testing.__all__) == list(testing.__all__)
