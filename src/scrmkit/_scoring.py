"""How the acts of one customer add up to an engagement score.

Everything here works on counts of acts by kind and day, in plain Python. The batch form
makes the same sums of whole tables and calls the same `Rules.dispersion` and `Model.value`,
which are plain arithmetic and take numbers, arrays and expressions alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, Self

from attrs import field, frozen

from scrmkit import _checks, _sums
from scrmkit._checks import Id
from scrmkit._models import (
    NEW,
    UNKNOWN,
    EngagementModel,
    Level,
    Model,
    fade_of,
    take_model,
)
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import Family, Vocabulary


FAMILIES: Final = (
    Family.CONVERSATION,
    Family.CONTRIBUTION,
    Family.ADVOCACY,
    Family.TRANSACTION,
    Family.SERVICE,
    Family.ATTENTION,
)


_NUMBERS: Final = ("score", "low", "high")
_COUNTS: Final = ("n", "exposure", "active_days", "attention")
_TEXTS: Final = ("level", "model", "version", "digest")


def _to_mapping(parts: Mapping[str, float]) -> Mapping[str, float]:
    return _checks.freeze(parts, name="contributions", error=InvalidParameter)


@frozen(kw_only=True)
class Score:
    """How engaged a customer is at an instant, how sure we are, and why.

    Attributes:
        customer: whose score it is.
        as_of: the instant, in UTC.
        value: the score, 0 to 100: the sum of ``contributions`` in their order.
        low: the lower end of the interval.
        high: the upper end of the interval.
        n: how many acts count; acts beyond the cap are among them.
        exposure: for how many days we have looked: from the customer's first own act.
        active_days: on how many distinct days something that counts was done.
        level: the name of the level, or ``"new"``, or ``"unknown"``.
        contributions: what each family adds to the score.
        attention: how many acts of attention there were; counted apart.
        model: the name of the model.
        version: its version.
        digest: sixteen hexadecimal digits that name all its parameters.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Interaction, Score, Tracker
        >>> tracker = Tracker()
        >>> tracker.record(Interaction(
        ...     id="p1", time=datetime(2026, 3, 1, tzinfo=UTC), kind="post", source="ana",
        ... ))
        >>> score = tracker.score("ana")
        >>> round(score.value, 2), score.n, score.exposure, score.level
        (9.09, 1, 1, 'new')
        >>> Score.from_dict(score.to_dict()) == score
        True
    """

    customer: Id = field(repr=False)
    as_of: datetime
    value: float
    low: float
    high: float
    n: int
    exposure: int
    active_days: int
    level: str
    contributions: Mapping[str, float] = field(converter=_to_mapping, hash=False)
    attention: int
    model: str
    version: str
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """The score as what JSON can hold; `from_dict` gives back an equal one."""
        return {
            "ids": _sums.type_of(self.customer),
            "customer": _sums.to_plain(self.customer),
            "as_of": self.as_of.isoformat(),
            "score": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "exposure": self.exposure,
            "active_days": self.active_days,
            "level": self.level,
            "contributions": dict(self.contributions),
            "attention": self.attention,
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """A score from what `to_dict` wrote.

        Raises:
            InvalidParameter: it is not what `to_dict` writes.
        """
        _checks.check_type(data, Mapping, name="data")
        parts: Any = data.get("contributions")
        _checks.check_type(parts, Mapping, name="contributions")
        for name, value in (*((name, data.get(name)) for name in _NUMBERS), *parts.items()):
            _checks.check_range(value, name=str(name), error=InvalidParameter)
        for name in _COUNTS:
            _checks.check_count(data.get(name), name=name)
        for name in _TEXTS:
            _checks.check_text(data.get(name), name=name, error=InvalidParameter)
        return cls(
            customer=_sums.from_plain(data.get("customer"), data.get("ids"), where="customer"),
            as_of=_sums.from_text(data.get("as_of"), where="as_of"),
            value=data["score"],
            contributions=parts,
            **{name: data[name] for name in ("low", "high", *_COUNTS, *_TEXTS)},
        )


@frozen
class Rules:
    """A model read together with a vocabulary, with nothing left open."""

    name: str
    version: str
    digest: str
    weights: Mapping[str, float]
    families: Mapping[str, Family]
    half_life: timedelta | None
    cap: int
    levels: tuple[Level, ...]
    new_below: int
    prior_activity: float
    prior_dispersion: float
    value: Callable[[Any, Any, Any], tuple[Any, Any, Any]]

    @classmethod
    def of(cls, model: str | Model | None, vocabulary: Vocabulary) -> Rules:
        """Check a model and complete it from the vocabulary and the defaults."""
        default = EngagementModel()
        _checks.check_type(vocabulary, Vocabulary, name="vocabulary")
        model = take_model(model)
        given = model.weights
        if given is None:
            given = {kind.name: kind.engagement_weight for kind in vocabulary}
        for word in given:
            _check_kind(word, vocabulary)
        weights = {kind: float(weight) for kind, weight in given.items() if weight > 0}
        levels = tuple(getattr(model, "levels", default.levels))
        new_below = getattr(model, "new_below", default.new_below)
        prior_activity = float(getattr(model, "prior_activity", default.prior_activity))
        prior_dispersion = float(getattr(model, "prior_dispersion", default.prior_dispersion))
        families = {kind.name: kind.family for kind in vocabulary}
        digest = _checks.digest(
            {
                "name": model.name,
                "version": model.version,
                "weights": weights,
                "words": {
                    word: [kind.name, kind.family] for word, kind in vocabulary.words.items()
                },
                "half_life": model.half_life,
                "cap_per_day": model.cap_per_day,
                "levels": [
                    [level.name, level.at_least, level.active_days, level.counterparts]
                    for level in levels
                ],
                "new_below": new_below,
                "prior": [prior_activity, prior_dispersion],
                "parameters": dict(getattr(model, "parameters", {})),
            }
        )
        return cls(
            name=model.name,
            version=model.version,
            digest=digest,
            weights=weights,
            families=families,
            half_life=model.half_life,
            cap=model.cap_per_day,
            levels=levels,
            new_below=new_below,
            prior_activity=prior_activity,
            prior_dispersion=prior_dispersion,
            value=model.value,
        )

    @property
    def scored_families(self) -> tuple[Family, ...]:
        """The families with a contribution, in order; attention only where it has weight."""
        attention = any(self.families[kind] is Family.ATTENTION for kind in self.weights)
        return FAMILIES if attention else FAMILIES[:-1]

    @property
    def asks_counterparts(self) -> bool:
        """Whether a level asks for distinct counterparts."""
        return any(level.counterparts for level in self.levels)

    def fade(self, age: int) -> float:
        """What whole days leave of 1."""
        if self.half_life is None:
            return 1.0
        return float(2.0 ** (age * (-1.0 / (self.half_life / timedelta(days=1)))))

    def dispersion(self, activity: Any, squares: Any, recent: Any, exposure: Any) -> Any:
        """The variance of a day's activity as a multiple of its mean, shrunk to the prior.

        The variance of activity is the sum over days of ``(fade * (day - mean)) ** 2``,
        days without acts included, where the mean is the one that makes it least; the
        share of the mean that is taken off is one less the share of a single day, so that
        few days are not mistaken for steady ones.

        Args:
            activity: the decayed sum of the days.
            squares: the sum of ``(fade * day) ** 2``.
            recent: the sum of ``fade ** 2 * day``.
            exposure: the number of days.
        """
        fade = fade_of(self.half_life)
        gathered = (1 + fade**exposure) / (1 + fade)
        if self.half_life is None:
            days = square_days = exposure
        else:
            days = (1 - fade**exposure) / (1 - fade)
            square_days = days * gathered
        between = squares - recent * recent / square_days * (1 - gathered / days)
        prior = self.prior_activity
        return (between / gathered + prior * self.prior_dispersion) / (activity + prior)

    def standing(self, value: float, active_days: int, counterparts: int) -> int:
        """The place of the highest level whose conditions are all met; else the lowest."""
        places = (
            place
            for place, level in enumerate(self.levels)
            if value >= level.at_least
            and active_days >= level.active_days
            and counterparts >= level.counterparts
        )
        return max(places, default=0)


def _check_kind(word: str, vocabulary: Vocabulary) -> None:
    kind = vocabulary.get(word)
    if kind is None:
        near = get_close_matches(word, list(vocabulary.words), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidParameter(
            f"the model weighs {word!r}, which the vocabulary {vocabulary.name!r} lacks.{hint} "
            f"Extend the vocabulary: Vocabulary.extend(Kind(name={word!r}, ...))"
        )
    if kind.name != word:
        raise InvalidParameter(
            f"the model weighs {word!r}, which is another word for {kind.name!r}: use that one"
        )


@frozen
class Sums:
    """What the acts of one customer add up to on a day."""

    families: Mapping[Family, float]
    n: int
    exposure: int
    active_days: int
    attention: int
    squares: float
    recent: float

    @property
    def activity(self) -> float:
        """The activity, family by family."""
        total = 0.0
        for part in self.families.values():
            total += part
        return total


def add_up(rules: Rules, counts: Mapping[tuple[str, int], int], today: int) -> Sums:
    """Add up acts by kind and day, in order of day and kind, so that order cannot matter."""
    families = dict.fromkeys(rules.scored_families, 0.0)
    days: defaultdict[int, float] = defaultdict(float)
    n = attention = 0
    for (kind, day), count in sorted(counts.items(), key=lambda item: (item[0][1], item[0][0])):
        family = rules.families.get(kind)
        if family is Family.ATTENTION:
            attention += count
        weight = rules.weights.get(kind)
        if weight is None or family is None:
            continue
        n += count
        amount = weight * min(count, rules.cap)
        families[family] += amount * rules.fade(today - day)
        days[day] += amount
    squares = recent = 0.0
    for day, amount in days.items():
        fade = rules.fade(today - day)
        squares += (fade * amount) * (fade * amount)
        recent += fade * fade * amount
    return Sums(
        families=families,
        n=n,
        exposure=today - min(day for _, day in counts) + 1,
        active_days=len(days),
        attention=attention,
        squares=squares,
        recent=recent,
    )


def assess(
    rules: Rules,
    counts: Mapping[tuple[str, int], int],
    *,
    customer: Id,
    as_of: datetime,
    today: int,
    counterparts: int,
) -> Score:
    """The score of one customer from the counts of acts by kind and day; at least one act."""
    sums = add_up(rules, counts, today)
    activity, exposure = sums.activity, float(sums.exposure)
    dispersion = rules.dispersion(activity, sums.squares, sums.recent, exposure)
    whole, low, high = rules.value(activity, dispersion, exposure)
    contributions = {
        str(family): float(whole * (part / activity)) if activity > 0 else 0.0
        for family, part in sums.families.items()
    }
    value = 0.0
    for part in contributions.values():
        value += part
    places = [rules.standing(x, sums.active_days, counterparts) for x in (value, low, high)]
    if sums.exposure < rules.new_below:
        level = NEW
    elif places[2] - places[1] > 1:
        level = UNKNOWN
    else:
        level = rules.levels[places[0]].name
    return Score(
        customer=customer,
        as_of=as_of,
        value=value,
        low=float(low),
        high=float(high),
        n=sums.n,
        exposure=sums.exposure,
        active_days=sums.active_days,
        level=level,
        contributions=contributions,
        attention=sums.attention,
        model=rules.name,
        version=rules.version,
        digest=rules.digest,
    )
