"""The contract of engagement models, as rules that are tried."""

from __future__ import annotations

from itertools import pairwise, product
from math import isfinite
from numbers import Real
from typing import Any, Final

from attrs import evolve

from scrmkit import _checks
from scrmkit._models import Model
from scrmkit._models import check_model as check_data
from scrmkit._plugins import choose
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import DEFAULT_VOCABULARY, Vocabulary
from scrmkit.testing import strategies
from scrmkit.testing._contracts import check_rules, draw, for_all, reads_the_clock


ACTIVITIES: Final = (0.0, 1e-9, 0.01, 0.5, 1.0, 2.0, 7.5, 20.0, 100.0, 2_000.0, 1e6)
DISPERSIONS: Final = (0.05, 1.0, 2.0, 40.0)
EXPOSURES: Final = (1.0, 2.0, 30.0, 365.0, 8_000.0)
PLACES: Final = tuple(product(DISPERSIONS, EXPOSURES))
_SLACK: Final = 1e-9


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
            ("parameters", lambda: _parameters(made)),
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
    weighted = [word for word in (model.weights or {}) if word in vocabulary]
    logs = strategies.logs(min_size=3, who=("ana", "ben", "cem"), vocabulary=vocabulary)
    drawn = draw(logs, count=15)
    return for_all(drawn, lambda log: _compare(model, vocabulary, log, weighted))


def _compare(model: Any, vocabulary: Vocabulary, log: Any, weighted: Any) -> str | None:
    from scrmkit import engagement
    from scrmkit.log import InteractionLog

    acts = [
        evolve(act, kind=weighted[number % len(weighted)]) if weighted and number % 2 else act
        for number, act in enumerate(log)
    ]
    table = InteractionLog.from_records(acts, vocabulary=vocabulary)
    last = max(act.time for act in acts)
    tracker = engagement.Tracker(model=model, vocabulary=vocabulary)
    for act in acts:
        tracker.record(act)
    for row in engagement.score(table, model=model, as_of=last).frame.iter_rows(named=True):
        live = tracker.score(row["customer"], as_of=last)
        for name, one in (("score", live.value), ("low", live.low), ("high", live.high)):
            if abs(row[name] - one) > 1e-7:
                return f"gives {name} {one:g} for a customer and {row[name]:g} in a table"
    return None


def _parameters(model: Any) -> str | None:
    try:
        _checks.digest({"parameters": dict(getattr(model, "parameters", {}))})
    except InvalidParameter as error:
        return f"has parameters without a digest: {error}"
    return None
