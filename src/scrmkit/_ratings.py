"""Ratings from a log: how one customer rated another, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw

from scrmkit import _checks, _instants, _tables
from scrmkit._checks import Frozen, Id
from scrmkit._ties import acts_of, automated_in, check_log, count, give_rows
from scrmkit.errors import InvalidParameter
from scrmkit.results import Result


if TYPE_CHECKING:
    from scrmkit.log import InteractionLog

_PAIR: Final = ("source", "target")


class Ratings(Result):
    """A table with one row for each customer who rated another.

    Attributes:
        parameters: what the numbers depend on.

    Example:
        >>> from scrmkit import InteractionLog, trust
        >>> log = InteractionLog.from_records(
        ...     {"time": "2026-03-01T09:00Z", "kind": "review", "source": "ana", "target": who,
        ...      "valence": 0.5}
        ...     for who in ("ben", "ana", None)
        ... )
        >>> found = trust.ratings(log)
        >>> len(found.frame), dict(found.left_out)
        (1, {'automated': 0, 'nobody': 1, 'self': 1, 'unrated': 0})
    """

    def __init__(
        self, frame: Any, *, left_out: Callable[[], Mapping[str, int]], **made: Any
    ) -> None:
        super().__init__(frame, order="rating", **made)
        self._count_left_out = left_out

    @cached_property
    def left_out(self) -> Mapping[str, int]:
        """How many acts made no rating, by the reason; counted when it is first asked for."""
        return Frozen(self._count_left_out())

    def __getstate__(self) -> dict[str, Any]:
        counted = self.left_out
        return {**super().__getstate__(), "left_out": counted, "_count_left_out": dict}


def ratings(
    log: InteractionLog,
    *,
    about: Id | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    half_life: timedelta | None = None,
) -> Ratings:
    """How customers rated each other: the mean valence of the acts of one towards the other.

    For the acts ``i`` of a source towards a target that have a valence::

        w_i    = 2 ** (-(as_of - time_i) / half_life)
        rating = sum of w_i * valence_i / sum of w_i
        weight = sum of w_i

    The kind of an act does not matter: a complaint, a vote and a review that say the same say
    it equally loud. Acts of a customer towards themself, with nobody on one side, automated
    ones and those without a valence make no rating; ``left_out`` counts them.

    Args:
        log: the interactions.
        about: only acts about this, so that trust in a matter is told from trust in general;
            None for all of them.
        as_of: nothing later counts, and the instant of the weights. None for the last instant
            of the log.
        known_at: nothing that the host learnt later counts; None for all of it.
        half_life: after which time an act counts half of a new one; None, which is usual here,
            for a plain mean. A judgement stands until it is made anew, so silence does not
            take it back; with a half-life what was said later weighs more, and ``weight``
            says how little of an old rating is left.

    Returns:
        A result with the columns ``source, target``, ``rating`` (-1 to 1), ``n`` (how many
        acts it is the mean of), ``weight`` (what they weigh; equal to ``n`` without a
        half-life, and 0 at the worst) and ``last_seen`` (UTC), in order of the pair but for
        lazy tables. Decay never takes a rating towards 0, only its weight. No such acts give
        no rows.

    Raises:
        InvalidTable: the log has no valences, or nothing that acts are about where that is
            asked for.
        InvalidParameter: a time without a zone, or an ``about`` of another type than the log's.

    Warns:
        ScrmkitWarning: with a half-life, as `relationships.measure`.

    Example:
        >>> from scrmkit import InteractionLog, trust
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"time": "2026-03-01T09:00Z", "target": "ben", "valence": -1.0},
        ...         {"time": "2026-03-11T09:00Z", "target": "ben", "valence": 1.0},
        ...         {"time": "2026-03-11T09:00Z", "target": "cem", "valence": 0.5},
        ...     ],
        ...     constants={"kind": "review", "source": "ana"},
        ... )
        >>> trust.ratings(log).frame.select("source", "target", "rating", "n").rows()
        [('ana', 'ben', 0.0, 2), ('ana', 'cem', 0.5, 1)]
        >>> from datetime import timedelta
        >>> trust.ratings(log, half_life=timedelta(days=10)).frame["rating"].round(4).to_list()
        [0.3333, 0.5]
    """
    _checks.check_half_life(half_life)
    check_log(log)
    if half_life is None:
        acts = log.acts(as_of=as_of, known_at=known_at)
    else:
        acts = acts_of(log, as_of, known_at, half_life)
    wanted = [*_PAIR, "valence", *([] if about is None else ["about"])]
    _tables.check_columns(acts.columns, wanted, where="the log")
    rows = acts.frame if about is None else _only(acts.frame, about)
    source, target = nw.col("source"), nw.col("target")
    rows = _tables.hasten(
        rows.select(*_PAIR, "time", "valence", automated_in(rows).alias("automated"))
    )
    system, nobody, unsaid = (
        nw.col("automated"),
        source.is_null() | target.is_null(),
        nw.col("valence").is_null(),
    )
    others = ~system & ~nobody & (source != target).fill_null(value=False)
    rated = rows.filter(others & ~unsaid).select(*_PAIR, "time", "valence")
    table = _plain_means(rated) if half_life is None else _faded_means(rated, acts, half_life)
    if not acts.home.lazy:
        table = table.sort(*_PAIR)
    return Ratings(
        give_rows(table, acts.home),
        left_out=lambda: count(
            rows,
            automated=system,
            nobody=~system & nobody,
            self=~system & ~nobody & (source == target).fill_null(value=False),
            unrated=others & unsaid,
        ),
        parameters={
            "method": "mean valence",
            "about": about,
            "as_of": acts.instant,
            "known_at": known_at,
            "half_life": half_life,
            **log.parameters,
        },
    )


def _only(rows: nw.LazyFrame[Any], about: Id) -> nw.LazyFrame[Any]:
    """The acts about one thing."""
    _checks.check_id(about, name="about", error=InvalidParameter)
    kind = rows.collect_schema()["about"]
    plain = str(about) if isinstance(about, UUID) else about
    if kind.is_integer() != isinstance(plain, int):
        raise InvalidParameter(
            f"what acts are about is of type {kind} in this log, and about of type "
            f"{type(about).__name__}: give one of the same type",
            value=about,
        )
    return rows.filter((nw.col("about") == nw.lit(plain)).fill_null(value=False))


def _plain_means(rated: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    sums = _tables.aggregate(
        rated,
        _PAIR,
        total=("valence", "sum"),
        n=("valence", "len"),
        last_seen=("time", "max"),
    )
    n = nw.col("n").cast(nw.Float64)
    return _finish(sums, nw.col("total") / n, weight=n)


def _faded_means(rated: nw.LazyFrame[Any], acts: Any, half_life: timedelta) -> nw.LazyFrame[Any]:
    """Means in which each act fades from the pair's last one, so that none fades to nothing."""
    last = _tables.aggregate(rated, _PAIR, last_seen=("time", "max"))
    rows = acts.instant.attach(rated.join(last, on=list(_PAIR)))
    age = _instants.age_days(rows, "time", acts.instant)
    newest = _instants.age_days(rows, "last_seen", acts.instant)
    rows = rows.with_columns(
        fade=_instants.decay(age - newest, half_life), left=_instants.decay(newest, half_life)
    )
    sums = _tables.aggregate(
        rows.with_columns(part=nw.col("fade") * nw.col("valence")),
        _PAIR,
        total=("part", "sum"),
        whole=("fade", "sum"),
        left=("left", "max"),
        n=("valence", "len"),
        last_seen=("time", "max"),
    )
    whole = nw.col("whole")
    return _finish(sums, nw.col("total") / whole, weight=whole * nw.col("left"))


def _finish(sums: nw.LazyFrame[Any], mean: nw.Expr, *, weight: nw.Expr) -> nw.LazyFrame[Any]:
    return sums.select(
        *_PAIR,
        mean.clip(-1.0, 1.0).alias("rating"),
        nw.col("n").cast(nw.Int64),
        weight.alias("weight"),
        "last_seen",
    )
