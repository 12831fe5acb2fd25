"""Annotations: beside the log, on every engine, and used where the caller says so."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from attrs import evolve
from hypothesis import given
from polars.testing import assert_frame_equal

from distributions import Site
from engines import ENGINES, find
from scrmkit import (
    Interaction,
    InteractionLog,
    InvalidParameter,
    InvalidTable,
    PluginError,
    ScrmkitWarning,
    plugins,
    relationships,
)
from scrmkit.plugins import Number
from scrmkit.testing import strategies


pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option"),
    pytest.mark.filterwarnings("ignore:Dask support is moving out of Narwhals"),
]

FEEL = """
    from scrmkit.plugins import Number, Word, lift

    @lift(version="7", needs=["text"], fields={"mood": Number(low=-1, high=1), "topic": Word()})
    def feel(interaction):
        return {"mood": 0.5, "topic": "thanks"} if "thanks" in interaction.text else {"mood": -0.5}
"""
ACTS = pl.DataFrame(
    {
        "id": [f"m{number}" for number in range(12)],
        "time": [f"2026-03-{number + 1:02}T09:00Z" for number in range(12)],
        "kind": ["post", "message", "message"] * 4,
        "source": ["ben", "ana"] * 6,
        "target": [*["ana", "ben"] * 5, None, None],
        "text": ["thanks", "no", None, None] * 3,
        "valence": [None, 1.0, *[None] * 10],
    },
    schema_overrides={"valence": pl.Float64},
).with_columns(pl.col("time").str.to_datetime(time_zone="UTC"))
WANTED = [0.5, 1.0, None, None, 0.5, -0.5, None, None, 0.5, -0.5, None, None]


@pytest.fixture
def acme(site: Site) -> Site:
    """A distribution with an enricher."""
    site.install("acme-crm", {"enrichers": {"feel": "feel"}}, FEEL)
    return site


def make_log() -> InteractionLog:
    """A few posts and messages with texts."""
    return InteractionLog.from_frame(ACTS)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("ids", ["text", "integers"])
def test_every_engine_fills_alike(acme: Site, name: str, ids: str) -> None:
    """Ids of text and of integers; the table that comes back is of the kind that went in."""
    engine = find(name)
    acts = ACTS
    if ids == "integers":
        numbered = pl.col("source", "target").replace_strict({"ana": 1, "ben": 2})
        acts = ACTS.with_columns(numbered, pl.col("id").str.slice(1).cast(pl.Int64))
    log = InteractionLog.from_frame(engine.make(acts))
    found = log.annotate("feel")
    moody = log.with_annotations(found, {"valence": "mood", "subject": "topic"})
    rows = engine.read(moody.frame) if engine.owns(moody.frame) else pl.DataFrame(moody.frame)
    rows = rows.sort("time")
    assert rows["valence"].to_list() == WANTED
    assert rows["subject"].to_list() == ["thanks", None, None, None] * 3
    assert rows["id"].to_list() == acts["id"].to_list()
    stored = found.frame if not engine.owns(found.frame) else engine.read(found.frame)
    again = log.with_annotations(stored, {"valence": "mood"})
    ties, wanted = (
        pl.DataFrame(relationships.measure(each, half_life=None))["balance"].to_list()
        for each in (again, InteractionLog.from_frame(acts.with_columns(valence=pl.Series(WANTED))))
    )
    assert ties == wanted


def test_annotations_stand_beside_the_log(acme: Site) -> None:
    """One row for what can be said; the log is as it was."""
    log = make_log()
    before = log.frame.clone()
    found = log.annotate("feel")
    assert found.frame.columns == [
        "id", "target", "enricher", "version", "field", "value", "word"
    ]  # fmt: skip
    assert found.frame.filter(field="mood").height == 6
    assert found.frame.filter(field="topic")["word"].to_list() == ["thanks"] * 3
    assert found.parameters["enricher"] == "acme-crm:feel"
    assert found.parameters["enricher_version"] == "7"
    assert log.frame.equals(before)
    assert "annotations" not in log.parameters


def test_results_say_what_was_filled(acme: Site) -> None:
    """With the enricher and its version, in the log and in all that is made of it."""
    log = make_log()
    moody = log.with_annotations(log.annotate("feel"), {"valence": "mood", "subject": "topic"})
    said = {"valence": "acme-crm:feel 7 mood", "subject": "acme-crm:feel 7 topic"}
    assert dict(moody.parameters["annotations"]) == said
    ties = relationships.measure(moody, half_life=timedelta(days=30))
    assert dict(ties.parameters["annotations"]) == said
    assert moody.summary() == log.summary()


def test_annotations_go_by_scope_id_and_target() -> None:
    """Two acts of one id are two; nothing, too, is a target."""
    log = InteractionLog.from_records(
        {"scope": scope, "id": "m", "time": 0, "kind": "message", "source": "ana", "target": to}
        for scope in ("x", "y")
        for to in ("ben", "cem", None)
    )

    class Place:
        version, needs, fields = "1", (), {"place": plugins.Word()}

        def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
            return rows.select(place=pl.concat_str("scope", pl.col("target").fill_null("all")))

    filled = log.with_annotations(log.annotate(Place()), {"about": "place"}).frame
    assert [f"{scope}{to or 'all'}" for scope, to in filled.select("scope", "target").rows()] == (
        filled["about"].to_list()
    )
    assert len(filled) == 6


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"valence": "moot"}, InvalidParameter, "there are: mood, topic"),
        ({"kind": "topic"}, InvalidParameter, "annotations cannot fill 'kind'"),
        ({"valence": "topic"}, InvalidTable, "takes numbers"),
        ({"about": "mood"}, InvalidTable, "takes words"),
    ],
)
def test_what_annotations_cannot_fill(
    acme: Site, columns: dict[str, str], error: type[Exception], message: str
) -> None:
    """The error says what there is, or what can be filled."""
    log = make_log()
    with pytest.raises(error, match=message):
        log.with_annotations(log.annotate("feel"), columns)


def test_annotations_of_two_versions_must_be_told_apart(acme: Site) -> None:
    """So must two of one interaction; a valence beyond the range is none."""
    log = make_log()
    found = log.annotate("feel").frame
    other = found.with_columns(version=pl.lit("8"))
    with pytest.raises(InvalidTable, match=r"acme-crm:feel 7 and acme-crm:feel 8.*filter"):
        log.with_annotations(pl.concat([found, other]), {"valence": "mood"})
    with pytest.raises(InvalidTable, match="several annotations for 'valence'"):
        log.with_annotations(pl.concat([found, found]), {"valence": "mood"})
    with pytest.raises(InvalidTable, match="some of these annotations are beyond"):
        log.with_annotations(found.with_columns(value=pl.col("value") * 3), {"valence": "mood"})


def test_an_enricher_needs_ids_and_its_columns(acme: Site) -> None:
    """The error says which column the log lacks."""
    rows = [{"time": 0, "kind": "post", "source": "ana"}]
    with pytest.raises(InvalidTable, match="no column 'id', and annotations go by it"):
        InteractionLog.from_records(rows).annotate("feel")
    with pytest.raises(InvalidTable, match="the log has no column 'text'"):
        InteractionLog.from_records([{**rows[0], "id": 1}]).annotate("feel")


def note(log: InteractionLog, value: float, version: str = "1") -> Any:
    """An annotation of every act."""
    return log.annotate(
        plugins.lift(version=version, needs=[], fields={"mood": Number(low=-1, high=1)})(
            lambda _: {"mood": value}
        )
    )


def test_large_integers_beside_nulls_stay_what_they_are() -> None:
    """In tables of pandas, too, whose integers have no nulls by nature."""
    acts = pd.DataFrame({"id": [1, 2], "time": [0, 1], "source": [7, 7]})
    acts["target"] = pd.array([2**53 + 1, None], dtype="Int64")
    log = InteractionLog.from_frame(acts, constants={"kind": "message"})
    found = note(log, 0.5)
    assert found.frame["target"].to_list() == [2**53 + 1, pd.NA]
    assert log.with_annotations(found, {"valence": "mood"}).frame["valence"].to_list() == [0.5, 0.5]


def test_eager_rows_stay_in_their_order() -> None:
    """So that what is written of them is the same every time."""
    table = pl.DataFrame({"id": range(60_000), "time": range(60_000)})
    log = InteractionLog.from_frame(table, constants={"kind": "post", "source": 7})
    assert log.with_annotations(note(log, 0.5), {"valence": "mood"}).frame["id"].is_sorted()


def test_two_enrichers_of_one_column_are_both_named() -> None:
    """In the order in which they filled it; the first one's values stay."""
    log = make_log()
    twice = log.with_annotations(note(log, 0.25, "1"), {"subject": "mood"}).with_annotations(
        note(log, 0.5, "2"), {"subject": "mood"}
    )
    said = twice.parameters["annotations"]["subject"]
    assert re.fullmatch(r"\S+ 1 mood, then \S+ 2 mood", said)
    assert set(twice.frame["subject"]) == {0.25}


def test_annotations_of_another_log_are_warned_of() -> None:
    """Where none of them belongs to an interaction of this one."""
    log = make_log()
    other = InteractionLog.from_frame(ACTS.with_columns(id=pl.lit("x") + pl.col("id")))
    with pytest.warns(ScrmkitWarning, match="none of the annotations for 'valence'"):
        log.with_annotations(note(other, 0.5), {"valence": "mood"})


def test_a_quiet_day_is_no_error(acme: Site) -> None:
    """Where the enricher had nothing to say; the log says that it was asked."""
    log = InteractionLog.from_frame(ACTS.with_columns(text=pl.lit(None, pl.String)))
    quiet = log.with_annotations(log.annotate("feel"), {"valence": "mood", "subject": "topic"})
    assert quiet.parameters["annotations"]["valence"] == "acme-crm:feel 7 mood"
    assert quiet.frame["subject"].null_count() == 12
    assert quiet.frame["valence"].to_list() == ACTS["valence"].to_list()


def test_annotations_that_were_kept_as_text_come_back(acme: Site, tmp_path: Path) -> None:
    """Versions that look like numbers, and nothing where there was nothing."""
    log = make_log()
    log.annotate("feel").frame.write_csv(tmp_path / "notes.csv")
    kept = pl.read_csv(tmp_path / "notes.csv")
    assert log.with_annotations(kept, {"valence": "mood"}).frame["valence"].to_list() == WANTED


@pytest.mark.parametrize("columns", ["valence", ["valence"]])
def test_columns_are_a_mapping(columns: Any) -> None:
    """The message shows one."""
    log = make_log()
    with pytest.raises(InvalidParameter, match=r"give a mapping such as \{\"valence\""):
        log.with_annotations(note(log, 0.5), columns)


def test_a_column_of_text_takes_no_numbers() -> None:
    """They would become text."""
    log = InteractionLog.from_frame(ACTS.with_columns(subject=pl.lit("x")))
    with pytest.raises(InvalidTable, match="'subject' takes words"):
        log.with_annotations(note(log, 0.5), {"subject": "mood"})


def length(interaction: Interaction) -> dict[str, float]:
    """How much was said."""
    return {"length": float(len(interaction.text or "")), "fields": len(interaction.attributes)}


LENGTH = plugins.lift(
    version="1", needs=["text"], fields={"length": Number(low=0), "fields": Number()}
)
lifted = LENGTH(length)


def test_a_lifted_function_takes_every_row_of_a_log() -> None:
    """Lists, empty texts and money without a currency are left out of the interaction."""
    table = pl.DataFrame(
        {"id": ["a", "b"], "time": [0, 1], "text": ["yes", ""], "tags": [["x"], None],
         "channel": ["", "app"], "value": [3, None], "stars": [5, None]}
    )  # fmt: skip
    log = InteractionLog.from_frame(table, constants={"kind": "post", "source": "ana"})
    found = log.annotate(lifted).frame
    assert found.select("id", "field", "value").rows() == [("a", "length", 3), ("a", "fields", 1)]


def test_a_lifted_function_can_be_pickled() -> None:
    """By its name, as functions are."""
    global length  # noqa: PLW0603 - a decorator leaves its result under the name
    length = lifted  # type: ignore[assignment]
    assert pickle.loads(pickle.dumps(lifted)) is lifted  # noqa: S301


def test_fields_that_cannot_be_are_refused() -> None:
    """Bounds the wrong way round, no choices, needs that are one text."""
    with pytest.raises(InvalidParameter, match="low must not be above"):
        Number(low=1, high=-1)
    with pytest.raises(InvalidParameter, match="choices is empty"):
        plugins.Word(choices=[])
    with pytest.raises(InvalidParameter, match=r"give a list, such as \['text'\]"):
        plugins.lift(version="1", needs="text", fields={"x": Number()})


def test_a_field_that_was_not_announced_is_blamed(acme: Site) -> None:
    """With the name of the enricher."""

    @plugins.lift(version="1", needs=["text"], fields={"mood": Number()})
    def strange(interaction: Interaction) -> dict[str, float]:
        return {"zzz": 1.0}

    with pytest.raises(PluginError, match="strange: these are no fields of it: zzz"):
        make_log().annotate(strange)


@given(strategies.logs(min_size=1, said=True, repeats=True, late=True))
def test_annotations_change_nothing_that_was_said(acts: list[Interaction]) -> None:
    """Counts and strengths stay; a balance is that of what was said, and of what fills the rest."""
    log = InteractionLog.from_records(acts)
    mood = {act.key: act.valence if act.valence is not None else 0.5 for act in acts}
    filled = log.with_annotations(note(log, 0.5), {"valence": "mood"})
    by_hand = InteractionLog.from_records(evolve(act, valence=mood[act.key]) for act in acts)
    last = max(act.time for act in acts)
    found, wanted, before = (
        relationships.measure(each, as_of=last, half_life=None).frame.sort("a", "b")
        for each in (filled, by_hand, log)
    )
    assert_frame_equal(found, wanted, rel_tol=1e-9)
    unmoved = before.drop("balance", strict=False)
    assert_frame_equal(found.select(unmoved.columns), unmoved, rel_tol=1e-9)
