"""Engagement models: what they must be, tried before they score anybody."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve, field, frozen

from scrmkit import DEFAULT_VOCABULARY, InvalidParameter, Kind, Tracker
from scrmkit._checks import digest
from scrmkit.engagement import EngagementModel, Level


pytestmark = pytest.mark.core


@frozen
class Vendor:
    """A vendor's model, whose every part can be another one."""

    name: Any = "vendor"
    version: Any = "1"
    weights: Any = field(factory=lambda: {"post": 1.0})
    half_life: Any = timedelta(days=60)
    cap_per_day: Any = 5
    levels: Any = (Level("one", 0),)
    parameters: Any = field(factory=dict)
    low: Any = 0.0
    high: Any = 100.0
    rise: Any = 1.0

    def value(self, activity: float, *_: float) -> tuple[Any, ...]:
        """A score that rises with activity between two fixed ends."""
        return self.rise * 100 * activity / (activity + 20), self.low * activity, self.high


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"low": -1.0}, "0 <= low"),
        ({"low": math.nan}, "finite"),
        ({"low": None}, "raises TypeError"),
        ({"low": 90.0}, "low <= score"),
        ({"high": 101.0}, "<= 100"),
        ({"high": "100"}, "finite numbers"),
        ({"high": 0.0}, "score <= high"),
        ({"rise": -1.0}, "0 <= low"),
    ],
)
def test_a_function_that_breaks_a_rule_is_refused(wrong: dict[str, Any], rule: str) -> None:
    """Live and in batch alike, with the name of the model and the rule."""
    with pytest.raises(InvalidParameter, match=f"of the model 'vendor' .*{rule}"):
        Tracker(model=Vendor(**wrong))


class Falling(Vendor):
    """A score that falls where activity rises."""

    def value(self, activity: float, *_: float) -> tuple[Any, ...]:
        """Fifty for one act, ten for many."""
        return 0 if not activity else 50 if activity < 2 else 10, 0, 100


class Pair(Vendor):
    """Two numbers instead of three."""

    def value(self, *_: float) -> tuple[Any, ...]:
        """Without high."""
        return 0, 0


class Generous(Vendor):
    """A score for nothing."""

    def value(self, *_: float) -> tuple[Any, ...]:
        """Always fifty."""
        return 50, 0, 100


@pytest.mark.parametrize(
    ("model", "rule"),
    [(Falling, "less activity"), (Pair, "three numbers"), (Generous, "no activity")],
)
def test_a_function_of_another_shape_is_refused(model: type[Vendor], rule: str) -> None:
    """Three numbers, 0 for nothing, and never less for more."""
    with pytest.raises(InvalidParameter, match=rule):
        Tracker(model=model())


def test_a_low_that_leaves_the_scale_later_gives_the_lowest_level() -> None:
    """What the trial did not find gets the first level, not a crash."""
    from scrmkit._scoring import Rules

    assert Rules.of(None, DEFAULT_VOCABULARY).standing(-5.0, 0, 0) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"version": None}, "version is of type NoneType"),
        ({"weights": ["post"]}, "weights is of type list"),
        ({"weights": {7: 1.0}}, "a name in weights"),
        ({"levels": ["one"]}, "levels holds a value of type str"),
        ({"levels": "one"}, "levels is of type str"),
        ({"parameters": None}, "parameters is of type NoneType"),
        ({"half_life": 60}, "half_life is of type int"),
        ({"weights": {"post": 10**400}}, "weight of 'post'"),
    ],
)
def test_a_vendor_s_model_is_checked_like_ours(wrong: dict[str, Any], message: str) -> None:
    """The message names the part that is wrong."""
    with pytest.raises(InvalidParameter, match=message):
        Tracker(model=Vendor(**wrong))


@pytest.mark.parametrize("model", [object(), 7, Vendor])
def test_what_is_no_model_is_refused(model: Any) -> None:
    """The message says what a model has that this has not."""
    with pytest.raises(InvalidParameter, match=r"lacks .*value"):
        Tracker(model=model)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EngagementModel(scale="x"),
        lambda: EngagementModel(scale=None),
        lambda: EngagementModel(scale=10**400),
        lambda: EngagementModel(prior_activity="q"),
        lambda: EngagementModel(confidence="high"),
        lambda: Level("a", "x"),
        lambda: Level("a", 10**400),
        lambda: Kind(name="k", family="service", tie_weight=10**400, engagement_weight=1),
    ],
)
def test_what_is_no_finite_number_is_refused(make: Any) -> None:
    """With an error of ours, also where no float is large enough."""
    with pytest.raises(InvalidParameter, match="number"):
        make()


# The digest


@pytest.mark.parametrize(
    "kind",
    [
        Kind(name="like", family="attention", tie_weight=0, engagement_weight=0),
        Kind(name="like", family="service", tie_weight=0, engagement_weight=0, aliases=["heart"]),
    ],
)
def test_the_digest_names_words_and_families_of_weightless_kinds(kind: Kind) -> None:
    """An alias less, or attention that is no attention, makes other numbers."""
    like = Kind(name="like", family="attention", tie_weight=0, engagement_weight=0, aliases="heart")
    one, other = (DEFAULT_VOCABULARY.extend(x, name="house") for x in (like, kind))
    assert Tracker(vocabulary=one).digest != Tracker(vocabulary=other).digest


@pytest.mark.parametrize("value", [object(), {1, 2}, math.nan, b"x", lambda: 1])
def test_parameters_without_a_form_in_json_are_refused(value: Any) -> None:
    """A digest of an address in memory would name nothing."""
    with pytest.raises(InvalidParameter, match="digest"):
        Tracker(model=evolve(Vendor(), parameters={"x": value}))


def test_instants_durations_uuids_and_decimals_have_a_digest() -> None:
    """They stand as their text."""
    values = [datetime(2026, 1, 1, tzinfo=UTC), timedelta(1), UUID(int=1), Decimal("0.1")]
    assert digest({"x": values}) == digest({"x": [str(value) for value in values]})
