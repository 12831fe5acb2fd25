"""Engagement on a forum: those who solve other people's problems are the most engaged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scrmkit.engagement import Level


WEIGHTS = {"topic": 3.0, "solution": 8.0, "reply": 1.0, "comment": 1.0, "moderation": 1.0}


@dataclass(frozen=True)
class ForumModel:
    """Half of the scale at ``scale`` points of activity; an interval for noise of two to one."""

    name: str = "forum"
    version: str = "1"
    half_life: timedelta = timedelta(days=60)
    cap_per_day: int = 10
    scale: float = 15.0
    weights: Mapping[str, float] = field(default_factory=WEIGHTS.copy)
    levels: tuple[Level, ...] = (
        Level("reader", 0),
        Level("member", 25),
        Level("pillar", 75, active_days=8),
    )

    @property
    def parameters(self) -> dict[str, float]:
        return {"scale": self.scale}

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> tuple[Any, Any, Any]:
        noise = 1.645 * (dispersion * activity) ** 0.5
        least = activity - noise
        least = (least + (least**2) ** 0.5) / 2  # 0 where it is below 0
        most = activity + noise + dispersion
        return self._score(activity), self._score(least), self._score(most)

    def _score(self, activity: Any) -> Any:
        return activity / (activity + self.scale) * 100


forum = ForumModel()
