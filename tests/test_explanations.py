"""Explanations as plain values, for a host's own page or answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from scrmkit import InteractionLog, engagement


ANA, BEN = UUID(int=7), UUID(int=8)


def explain() -> engagement.Explanation:
    """Why Ana has the score that she has."""
    time = datetime(2026, 3, 1, 9, tzinfo=UTC)
    acts = [{"id": "m1", "time": time, "kind": "post", "source": ANA, "target": BEN}]
    return engagement.explain(InteractionLog.from_records(acts), ANA)


def test_an_explanation_is_plain_values() -> None:
    """JSON holds the score, each kind with its acts, and the next step."""
    why = explain()
    data = json.loads(json.dumps(why.to_dict()))
    act = {"id": "m1", "time": "2026-03-01T09:00:00+00:00", "target": str(BEN)}
    assert data["score"] == why.score.to_dict()
    assert data["kinds"][0]["evidence"] == [act]
    assert data["next_level"] == {"level": "occasional", "kind": "answer", "acts": 1}
    assert data["assumptions"] == list(why.assumptions)


def test_what_the_customer_is_shown_names_nobody_else() -> None:
    """The plain values of `for_person` lack the counterpart."""
    shown = json.dumps(explain().for_person().to_dict())
    assert str(BEN) not in shown
    assert "m1" in shown
