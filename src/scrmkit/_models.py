"""What makes an engagement model: weights, decay, a cap, levels, and one plain function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from math import isfinite
from numbers import Real
from statistics import NormalDist
from typing import Any, Final, Protocol

from attrs import Attribute, field, frozen

from scrmkit import _checks, _plugins
from scrmkit.errors import InvalidParameter, PluginError


NEW: Final = "new"
UNKNOWN: Final = "unknown"
_SLACK: Final = 1e-9


def _check_whole(value: object, *, name: str, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise InvalidParameter(f"{name} must be a whole number of at least {low}", value=value)


def _check_positive(value: object, *, name: str) -> None:
    _checks.check_range(value, name=name, error=InvalidParameter, low=0)
    if value == 0:
        raise InvalidParameter(f"{name} must be more than 0")


@frozen
class Level:
    """A name for scores from a number on.

    Args:
        name: such as ``"regular"``; ``"new"`` and ``"unknown"`` are taken.
        at_least: the score from which it holds, 0 to 100.
        active_days: how many distinct days with an act that counts it takes.
        counterparts: how many distinct people these acts must have been towards.

    Raises:
        InvalidParameter: with what is wrong.

    Example:
        >>> from scrmkit import EngagementModel
        >>> from scrmkit.engagement import Level
        >>> levels = [Level("guest", 0), Level("host", 30, active_days=10, counterparts=5)]
        >>> [level.name for level in EngagementModel(levels=levels).levels]
        ['guest', 'host']
    """

    name: str = field()
    at_least: float = field(converter=_checks.to_float)
    active_days: int = field(default=0, kw_only=True)
    counterparts: int = field(default=0, kw_only=True)

    @name.validator
    def _check_name(self, _: Attribute[str], value: str) -> None:
        _checks.check_text(value, name="Level.name", error=InvalidParameter)
        if value in (NEW, UNKNOWN):
            raise InvalidParameter(
                f"a level cannot be called {value!r}: that word says that there is none yet"
            )

    @at_least.validator
    def _check_at_least(self, _: Attribute[float], value: float) -> None:
        _checks.check_range(
            value, name=f"at_least of {self.name!r}", error=InvalidParameter, low=0, high=100
        )

    @active_days.validator
    @counterparts.validator
    def _check_count(self, attribute: Attribute[int], value: int) -> None:
        _check_whole(value, name=f"{attribute.name} of {self.name!r}", low=0)


DEFAULT_LEVELS: Final = (
    Level("quiet", 0),
    Level("occasional", 20),
    Level("regular", 50, active_days=8),
    Level("devoted", 80, active_days=24),
)


class Model(Protocol):
    """What makes an engagement model: some data and one function of plain arithmetic.

    `EngagementModel` is one; any object of this shape is another. A model may besides have
    the attributes ``levels``, ``new_below``, ``prior_activity``, ``prior_dispersion`` and
    ``parameters`` of `EngagementModel`; where it has not, theirs are used. What ``value``
    depends on besides its arguments belongs in ``parameters``, so that it is in the digest.

    A model is tried at a few places before it is used: one whose ``value`` breaks a rule
    is refused with an `InvalidParameter` that says which.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> from scrmkit import Interaction, Tracker
        >>> class PostsAWeek:
        ...     name, version = "posts a week", "1"
        ...     weights, half_life, cap_per_day = {"post": 1.0}, None, 3
        ...     def value(self, activity, dispersion, exposure):
        ...         score = 100 * activity / (activity + exposure / 7)
        ...         return score, score / 2, score / 2 + 50
        >>> tracker = Tracker(model=PostsAWeek())
        >>> tracker.record(Interaction(
        ...     id="p1", time=datetime(2026, 3, 1, tzinfo=UTC), kind="post", source="ana",
        ... ))
        >>> round(tracker.score("ana", as_of=datetime(2026, 3, 7, tzinfo=UTC)).value)
        50
    """

    @property
    def name(self) -> str:
        """What results call the model."""

    @property
    def version(self) -> str:
        """The version of the model; change it with the function."""

    @property
    def weights(self) -> Mapping[str, float] | None:
        """What one act of each kind counts; None for the weights of the vocabulary."""

    @property
    def half_life(self) -> timedelta | None:
        """The time in which an act loses half its weight; None for no decay."""

    @property
    def cap_per_day(self) -> int:
        """How many acts of one kind count on one day."""

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> tuple[Any, Any, Any]:
        """Score, low and high, each from 0 to 100.

        Written with ``+ - * / **`` alone, so that floats, arrays and expressions of lazy
        tables pass through it. The score must be 0 where activity is 0 and must not fall
        where activity rises.

        Args:
            activity: the decayed, capped, weighted sum of the acts; 0 or more.
            dispersion: the variance of a day's weighted acts as a multiple of their mean,
                shrunk to the prior; more than 0.
            exposure: for how many days we have looked; 1 or more.
        """


def _to_weights(weights: Mapping[str, float] | None) -> Mapping[str, float] | None:
    if weights is None:
        return None
    return _checks.freeze(weights, name="weights", error=InvalidParameter)


def _to_levels(levels: Iterable[Level]) -> tuple[Level, ...]:
    return _checks.to_tuple(levels, name="levels", of=Level, error=InvalidParameter)


@frozen(kw_only=True)
class EngagementModel:
    """How acts become a score: weights, decay, a cap, levels, and how to be unsure.

    The *activity* of a customer is what the customer did, each act with the weight of its
    kind, halved for every half-life of its age in whole UTC days, at most ``cap_per_day``
    acts of a kind on a day::

        activity = sum over kinds and days of  weight * 2 ** (-age / half_life) * min(n, cap)
        score    = 100 * activity / (activity + scale)

    The interval is for *the activity to be expected of this customer over the days
    observed*, had the same customer lived the same days again: not for the future. Days
    are taken as independent, acts of one day are not. Activity is treated as a number of
    pieces of equal size, where the size is what makes the variance right, and the interval
    of a count is used for the pieces (Garwood 1936, as Fay and Feuer 1997 carry it over to
    weighted sums), with the gamma quantiles of Wilson and Hilferty (1931), which are plain
    arithmetic::

        fade   = 2 ** (-1 day / half_life)
        piece  = dispersion * (1 + fade ** exposure) / (1 + fade)
        low    = piece * gamma(activity / piece).quantile((1 - confidence) / 2)
        high   = piece * gamma(activity / piece + 1).quantile((1 + confidence) / 2)

    Args:
        name: what results call the model.
        version: its version.
        weights: what one act of each kind counts; None for the engagement weights of the
            log's vocabulary.
        half_life: the time in which an act loses half its weight; None for no decay.
        cap_per_day: how many acts of one kind count on one day.
        scale: the activity that gives a score of 50.
        levels: names for scores, rising from 0; a customer has the highest level whose
            conditions are all met.
        new_below: days of exposure below which the level is ``"new"``.
        prior_activity: how much activity the prior counts for: dispersion is estimated as
            if that much had been seen besides.
        prior_dispersion: the dispersion of that activity. It is fixed here and never
            fitted to a table, so that nobody's interval depends on others.
        confidence: the share of cases in which the interval is meant to be right.

    Raises:
        InvalidParameter: with what is wrong and what would be right.

    Example:
        >>> from scrmkit import EngagementModel
        >>> model = EngagementModel(scale=20)
        >>> low, high = model.value(activity=20.0, dispersion=1.0, exposure=365.0)[1:]
        >>> model.value(20.0, 1.0, 365.0)[0], round(low), round(high)
        (50.0, 43, 57)

    References:
        F. Garwood: Fiducial limits for the Poisson distribution. Biometrika 28 (1936).
        M. P. Fay, E. J. Feuer: Confidence intervals for directly standardized rates.
        Statistics in Medicine 16 (1997).
        E. B. Wilson, M. M. Hilferty: The distribution of chi-square. PNAS 17 (1931).
        https://doi.org/10.1073/pnas.17.12.684
    """

    name: str = "default"
    version: str = "1"
    weights: Mapping[str, float] | None = field(default=None, converter=_to_weights, hash=False)
    half_life: timedelta | None = timedelta(days=90)
    cap_per_day: int = 5
    scale: float = field(default=20.0, converter=_checks.to_float)
    levels: tuple[Level, ...] = field(default=DEFAULT_LEVELS, converter=_to_levels)
    new_below: int = 14
    prior_activity: float = field(default=2.0, converter=_checks.to_float)
    prior_dispersion: float = field(default=2.0, converter=_checks.to_float)
    confidence: float = field(default=0.9, converter=_checks.to_float)

    def __attrs_post_init__(self) -> None:
        _check_positive(self.scale, name="scale")
        _checks.check_range(self.confidence, name="confidence", error=InvalidParameter, low=0)
        if not 0 < self.confidence < 1:
            raise InvalidParameter("confidence must be between 0 and 1, such as 0.9")
        check_model(self)

    @property
    def parameters(self) -> Mapping[str, float]:
        """What `value` depends on besides its arguments and the half-life."""
        return {"scale": self.scale, "confidence": self.confidence}

    @cached_property
    def _z(self) -> float:
        return NormalDist().inv_cdf((1 + self.confidence) / 2)

    def value(self, activity: Any, dispersion: Any, exposure: Any) -> tuple[Any, Any, Any]:
        """Score, low and high for numbers, arrays or expressions; see `Model.value`."""
        fade = fade_of(self.half_life)
        piece = dispersion * (1 + fade**exposure) / (1 + fade)
        pieces = activity / piece
        low = piece * _gamma_quantile(pieces, -self._z)
        high = piece * _gamma_quantile(pieces + 1, self._z)
        return self._to_score(activity), self._to_score(low), self._to_score(high)

    def _to_score(self, activity: Any) -> Any:
        return activity / (activity + self.scale) * 100


def _gamma_quantile(shape: Any, z: float) -> Any:
    """The quantile of a gamma distribution of scale 1 that belongs to a normal quantile."""
    shape = shape + 1e-12
    root = 1 - 1 / (9 * shape) + z / (3 * shape**0.5)
    positive = (root + (root**2) ** 0.5) / 2
    return shape * positive**3


def fade_of(half_life: timedelta | None) -> float:
    """What a day leaves of 1."""
    return 1.0 if half_life is None else 2.0 ** (-1.0 / (half_life / timedelta(days=1)))


def take_model(model: str | Model | None) -> Model:
    """A model, checked: the one that is given, that of a plugin, or the default one.

    Raises:
        InvalidParameter: a model that cannot be, or no plugin of that name.
        PluginError: a plugin that cannot be loaded, or is no model.
    """
    if model is None:
        return EngagementModel()
    if not isinstance(model, str):
        check_model(model)
        check_value(model)
        return model
    plugin = _plugins.choose("models", model)
    with _plugins.blame(plugin.label):
        try:
            return take_model(plugin.made)
        except InvalidParameter as error:
            raise PluginError(str(error)) from error


_NEEDED: Final = ("name", "version", "weights", "half_life", "cap_per_day", "value")


def check_model(model: Model) -> None:
    """Refuse a model that lacks what a model needs, or whose data cannot be."""
    lacks = [name for name in _NEEDED if not hasattr(model, name)]
    if lacks or not callable(model.value) or isinstance(model, type):
        raise InvalidParameter(
            f"the model is of type {type(model).__name__}, and lacks "
            f"{', '.join(lacks) or 'a function called value'}: give an EngagementModel, or an "
            f"object of the shape of engagement.Model",
            value=model,
        )
    _checks.check_text(model.name, name="the model's name", error=InvalidParameter)
    _checks.check_text(model.version, name="the model's version", error=InvalidParameter)
    _checks.check_half_life(model.half_life)
    _check_whole(model.cap_per_day, name="cap_per_day", low=1)
    for kind, weight in (_to_weights(model.weights) or {}).items():
        _checks.check_range(weight, name=f"the weight of {kind!r}", error=InvalidParameter, low=0)
    _check_whole(getattr(model, "new_below", 0), name="new_below", low=0)
    for name in ("prior_activity", "prior_dispersion"):
        _check_positive(getattr(model, name, 1.0), name=name)
    _checks.check_type(getattr(model, "parameters", {}), Mapping, name="parameters")
    _check_levels(_to_levels(getattr(model, "levels", DEFAULT_LEVELS)))


def _check_levels(levels: tuple[Level, ...]) -> None:
    starts = [level.at_least for level in levels]
    if not levels or starts[0] != 0 or sorted(set(starts)) != starts:
        raise InvalidParameter(
            "levels must begin with one from 0 on, and each next one must begin higher"
        )
    if levels[0].active_days or levels[0].counterparts:
        raise InvalidParameter(
            f"the lowest level, {levels[0].name!r}, must have no conditions: everybody has it"
        )
    if len({level.name for level in levels}) < len(levels):
        raise InvalidParameter("two levels have the same name")


def check_value(model: Model) -> None:
    """Refuse a model whose function breaks a rule, tried at a few places."""
    for exposure in (1.0, 400.0):
        least = 0.0
        for activity in (0.0, 1.0, 100.0):
            call = f"value({activity:g}, 1, {exposure:g}) of the model {model.name!r}"
            try:
                found = model.value(activity, 1.0, exposure)
            except Exception as error:
                raise InvalidParameter(f"{call} raises {type(error).__name__}") from error
            broken = _broken_rule(found, least, nothing=not activity)
            if broken:
                raise InvalidParameter(f"{call} {broken}", value=found)
            least = found[0]


def _broken_rule(found: Any, least: float, *, nothing: bool) -> str:
    """Which rule for score, low and high is broken; empty where none is."""
    if not isinstance(found, tuple | list) or len(found) != 3:
        return "must be three numbers: the score, low and high"
    if not all(isinstance(x, Real) and not isinstance(x, bool) and isfinite(x) for x in found):
        return "must be three finite numbers"
    value, low, high = found
    if not -_SLACK <= low <= value + _SLACK <= high + 2 * _SLACK <= 100 + 3 * _SLACK:
        return "must have 0 <= low <= score <= high <= 100"
    if nothing and value > _SLACK:
        return "must have the score 0, for there is no activity"
    if value < least - _SLACK:
        return "must not be less than for less activity"
    return ""
