"""Every plugin keeps its contract, and works in scrmkit by being named."""

from datetime import timedelta
from pathlib import Path

import pytest

from scrmkit import (
    InteractionLog,
    UnreadableFile,
    Vocabulary,
    engagement,
    influence,
    plugins,
    relationships,
    report,
)
from scrmkit.testing import check_enricher, check_measure, check_model, check_reader


TOPIC = Path(__file__).parent / "topic.json"


@pytest.fixture
def log() -> InteractionLog:
    words = Vocabulary.load("scrmkit", "forum")
    return InteractionLog.read(TOPIC, reader="discourse", vocabulary=words)


def test_all_of_them_are_ready() -> None:
    ours = [entry for entry in plugins.installed() if entry.distribution == "scrmkit-forum"]
    assert [entry.group for entry in ours] == [
        "enrichers", "measures", "models", "readers", "vocabularies"
    ]  # fmt: skip
    assert [plugins.inspect(entry).problem for entry in ours] == [None] * 5


def test_the_reader_keeps_its_contract() -> None:
    check_reader("scrmkit-forum:discourse", TOPIC, ids=[70, 71, 72, 73, 74, 75, 76, 77])


def test_the_enricher_keeps_its_contract() -> None:
    check_enricher("scrmkit-forum:sentiment")


def test_the_model_keeps_its_contract() -> None:
    check_model("scrmkit-forum:forum", vocabulary=Vocabulary.load("scrmkit", "forum"))


def test_the_measure_keeps_its_contract() -> None:
    check_measure("scrmkit-forum:helpfulness")


def test_posts_are_interactions(log: InteractionLog) -> None:
    rows = log.frame.sort("id").select("kind", "source", "target", "in_reply_to", "public").rows()
    assert rows == [
        ("topic", "ana", None, None, True),
        ("solution", "ben", "ana", None, True),
        ("reply", "ana", "ben", 71, True),
        ("reply", "cem", "ana", None, True),
        ("moderation", "dora", "ana", None, False),
        ("moderation", "system", "ana", None, True),
    ]
    assert dict(log.summary().rules) == {
        "a post on another page": 1,
        "a post without id, number, time, author or topic": 1,
    }


def test_what_is_no_topic_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "topics.json"
    other.write_text('{"topic_list": {}}')
    with pytest.raises(UnreadableFile, match=r"topics\.json is no topic of Discourse"):
        InteractionLog.read(other, reader="discourse")


def test_sentiment_becomes_valence_where_nobody_said(log: InteractionLog) -> None:
    found = log.annotate("sentiment")
    moods = dict(found.frame.select("id", "value").rows())
    assert moods[70] < -0.3 < 0.5 < moods[72]
    assert 73 not in moods
    ties = relationships.measure(log.with_annotations(found, {"valence": "polarity"}))
    assert ties.parameters["annotations"]["valence"].startswith("scrmkit-forum:sentiment vader-3.3")
    assert ties.frame.filter(a="ana", b="ben")["balance"].item() > 0


def test_the_model_scores_and_explains(log: InteractionLog) -> None:
    scores = engagement.score(log, model="scrmkit-forum:forum")
    assert scores.top(1)["customer"].item() == "ben"
    why = engagement.explain(log, "ben", model="scrmkit-forum:forum")
    assert [kind.kind for kind in why.kinds] == ["solution"]
    assert "forum, version 1" in report.build(log, model="scrmkit-forum:forum").html


def test_the_measure_ranks(log: InteractionLog) -> None:
    ties = relationships.measure(log, half_life=timedelta(days=60))
    ranking = influence.rank(ties, method="scrmkit-forum:helpfulness")
    assert ranking["ana"] == pytest.approx(1)
    assert 0 < ranking["cem"] < ranking["ben"] < 1
