"""The contract of engagement models, as rules that are tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from math import isfinite
from numbers import Real
from typing import Any, Final

from scrmkit._models import Model
from scrmkit._models import check_model as check_data
from scrmkit._plugins import choose
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import DEFAULT_VOCABULARY, Interaction, Vocabulary
from scrmkit.testing._contracts import check_rules, lacks_digest, reads_the_clock


ACTIVITIES: Final = (0.0, 1e-9, 0.01, 0.5, 1.0, 2.0, 7.5, 20.0, 100.0, 2_000.0, 1e6)
DISPERSIONS: Final = (0.05, 1.0, 2.0, 40.0)
EXPOSURES: Final = (1.0, 2.0, 30.0, 365.0, 8_000.0)
PLACES: Final = tuple(product(DISPERSIONS, EXPOSURES))
_SLACK: Final = 1e-9
_LAST: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def check_model(model: str | Model, *, vocabulary: Vocabulary = DEFAULT_VOCABULARY) -> None:
    """Try the contract of an engagement model; see `engagement.Model`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``shape``      it has what a model has, and ``value`` gives three finite numbers
    ``range``      ``0 <= low <= score <= high <= 100``
    ``nothing``    the score is 0 where there is no activity
    ``monotone``   more activity never lowers the score
    ``repeatable`` the same arguments give the same numbers
    ``arithmetic`` a whole table gives what one customer at a time gives, to 1e-7
    ``parameters`` ``parameters`` can be named by a digest
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    That a score is the sum of its contributions, and that order and repeats do not matter,
    holds for every model, because a model only turns sums into a score.

    Args:
        model: a model, or the name of a plugin.
        vocabulary: the kinds that it weighs.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name.

    Example:
        >>> from scrmkit import EngagementModel
        >>> from scrmkit.testing import check_model
        >>> check_model(EngagementModel(scale=50))
    """
    plugin = choose("models", model)
    made = plugin.made
    check_rules(
        plugin.label,
        [("shape", lambda: _shape(made))],
        [
            ("range", lambda: _range(made)),
            ("nothing", lambda: _nothing(made)),
            ("monotone", lambda: _monotone(made)),
            ("repeatable", lambda: _repeatable(made)),
            ("parameters", lambda: lacks_digest(plugin)),
            ("clock", lambda: reads_the_clock(made, lambda: _values(made))),
        ],
        [("arithmetic", lambda: _arithmetic(made, vocabulary))],
    )


def _values(model: Any) -> list[Any]:
    return [
        model.value(activity, dispersion, exposure)
        for dispersion, exposure in PLACES
        for activity in ACTIVITIES
    ]


def _shape(model: Any) -> str | None:
    try:
        check_data(model)
    except InvalidParameter as error:
        return f"is no model: {error}"
    for found in _values(model):
        if not isinstance(found, tuple | list) or len(found) != 3:
            return "must give three numbers: score, low and high"
        if not all(isinstance(one, Real) and isfinite(one) for one in found):
            return "must give finite numbers"
    return None


def _range(model: Any) -> str | None:
    for score, low, high in _values(model):
        if not -_SLACK <= low <= score + _SLACK <= high + 2 * _SLACK <= 100 + 3 * _SLACK:
            return f"must give 0 <= low <= score <= high <= 100: {low:g}, {score:g}, {high:g}"
    return None


def _nothing(model: Any) -> str | None:
    for place in PLACES:
        if abs(model.value(0.0, *place)[0]) > _SLACK:
            return "must give the score 0 where there is no activity"
    return None


def _monotone(model: Any) -> str | None:
    for place in PLACES:
        scores = [model.value(activity, *place)[0] for activity in ACTIVITIES if activity]
        if any(more < less - _SLACK for less, more in pairwise(scores)):
            return "must not give less for more activity"
    return None


def _repeatable(model: Any) -> str | None:
    return None if _values(model) == _values(model) else "gives other numbers the second time"


def _arithmetic(model: Any, vocabulary: Vocabulary) -> str | None:
    """Whether whole tables give what one customer at a time gives."""
    from scrmkit import engagement
    from scrmkit.log import InteractionLog

    acts = _acts_of(model, vocabulary)
    table = InteractionLog.from_records(acts, vocabulary=vocabulary)
    tracker = engagement.Tracker(model=model, vocabulary=vocabulary)
    for act in acts:
        tracker.record(act)
    for row in engagement.score(table, model=model, as_of=_LAST).frame.iter_rows(named=True):
        live = tracker.score(row["customer"], as_of=_LAST)
        for name, one in (("score", live.value), ("low", live.low), ("high", live.high)):
            if abs(row[name] - one) > 1e-7:
                return f"gives {name} {one:g} for a customer and {row[name]:g} in a table"
    return None


def _acts_of(model: Any, vocabulary: Vocabulary) -> list[Interaction]:
    """Customers who did little and much, lately and long ago, of every kind that weighs."""
    weights = model.weights or {kind.name: kind.engagement_weight for kind in vocabulary}
    kinds = [kind for kind, weight in weights.items() if weight > 0] or ["message"]
    return [
        Interaction(
            id=f"{customer}-{number}",
            time=_LAST - timedelta(hours=(number * (7 + customer)) % 9000),
            kind=kinds[number % len(kinds)],
            source=f"customer {customer}",
            target="somebody",
        )
        for customer in range(9)
        for number in range(2**customer)
    ]
