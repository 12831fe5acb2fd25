"""Ties of those who did something together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from scrmkit import _checks, _instants, _tables, _words
from scrmkit._instants import Instant
from scrmkit._sums import HALF_LIFE
from scrmkit._ties import Ties, acts_of, automated_in, count, give_rows
from scrmkit.errors import InvalidParameter


if TYPE_CHECKING:
    from scrmkit.log import InteractionLog


class SharedTies(Ties):
    """Ties made by doing something together, and who took part in what.

    Example:
        >>> from scrmkit import InteractionLog, relationships
        >>> log = InteractionLog.from_records(
        ...     {"time": "2026-03-01T09:00Z", "kind": "attendance", "source": who, "about": "tea"}
        ...     for who in ("ana", "ben")
        ... )
        >>> relationships.together(log, on="about").incidence
        (['ana', 'ben'], ['tea', 'tea'])
    """

    def __init__(
        self, frame: Any, *, members: nw.LazyFrame[Any], larger: nw.LazyFrame[Any], **made: Any
    ) -> None:
        super().__init__(frame, **made)
        self._members = members
        self._larger = larger

    @cached_property
    def incidence(self) -> tuple[list[Any], list[Any]]:
        """Who took part in what: customers and groups, two lists of one length, in order."""
        rows = _tables.collect(self._members.select("customer", "group"))
        rows = rows.sort("group", "customer")
        return rows["customer"].to_list(), rows["group"].to_list()

    @cached_property
    def left_out_groups(self) -> Mapping[Any, int]:
        """The groups with more than ``max_size`` people, and how many they have."""
        rows = _tables.collect(self._larger.select("group", "size")).sort("group")
        sizes = (int(size) for size in rows["size"].to_list())
        return MappingProxyType(dict(zip(rows["group"].to_list(), sizes, strict=True)))


def together(
    log: InteractionLog,
    *,
    on: str = "thread",
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    half_life: timedelta | None = HALF_LIFE,
    max_size: int = 500,
) -> SharedTies:
    """Ties of those who did something together: wrote in a thread, came to an event.

    Everybody who acts in a group takes part in it (as ``source``; being written to is not
    enough, nor is an automated act, nor one whose kind weighs nothing in ties). A group of
    ``k`` people gives each of its pairs ``1 / (k - 1)``, so that each person shares out 1
    (Newman 2001), times ``2 ** (-age / half_life)`` for the age of the group's last act.

    This is a function of the whole log and no sum over its parts: one more participant
    weakens the ties of the others.

    Args:
        log: the interactions.
        on: what makes a group: ``"thread"`` or ``"about"``.
        as_of: the instant of the strengths; None for the last instant of the log.
        known_at: nothing that the host learnt later counts; None for all of it.
        half_life: after which time a group counts half; None for no decay.
        max_size: groups with more people give no ties; 2 or more. Time and memory grow
            with the square of the size of a group.

    Returns:
        A result with the columns ``a, b``, ``n`` (groups in common), ``strength``,
        ``first_seen, last_seen`` (of the groups in common, the first act of the earliest
        and the last act of the latest), in order of the pair but for lazy tables. A group
        of one gives nothing.
        ``left_out_groups`` names those that are too large, ``incidence`` says who took part
        in what, and ``left_out`` counts acts that are automated, weigh nothing, or have no
        source or no group.

    Raises:
        InvalidTable: the log has no such column.
        InvalidParameter: another ``on``, a ``max_size`` below 2, a time without a zone.

    Warns:
        ScrmkitWarning: as `measure`.

    References:
        M. E. J. Newman (2001). Scientific collaboration networks. II. Physical Review E 64,
        016132. doi:10.1103/PhysRevE.64.016132

    Example:
        >>> from scrmkit import InteractionLog, relationships
        >>> guests = {"dinner": ["ana", "ben", "cem"], "tea": ["ana", "ben"]}
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"time": "2026-03-01", "source": name, "about": event}
        ...         for event, names in guests.items()
        ...         for name in names
        ...     ],
        ...     constants={"kind": "attendance"},
        ...     timezone="UTC",
        ... )
        >>> relationships.together(log, on="about").frame.select("a", "b", "n", "strength").rows()
        [('ana', 'ben', 2, 1.5), ('ana', 'cem', 1, 0.5), ('ben', 'cem', 1, 0.5)]
    """
    if on not in ("thread", "about"):
        raise InvalidParameter('on must be "thread" or "about"', value=on)
    max_size = _checks.to_whole(max_size, name="max_size", least=2)
    counted = acts_of(log, as_of, known_at, half_life)
    _tables.check_columns(counted.columns, [on, "source"], where="the log")
    weights = {word: kind.tie_weight for word, kind in log.vocabulary.words.items()}
    acts = counted.frame.select(
        nw.col("source").alias("customer"),
        nw.col(on).alias("group"),
        "time",
        automated_in(counted.frame).alias("automated"),
        (_words.lookup(counted.frame, "kind", weights, 0.0) == 0).alias("weightless"),
    )
    by_people = ~nw.col("automated")
    nobody = nw.col("customer").is_null() | nw.col("group").is_null()
    people = _tables.aggregate(
        acts.filter(by_people & ~nobody & ~nw.col("weightless")),
        ["customer", "group"],
        first_seen=("time", "min"),
        last_seen=("time", "max"),
    )
    groups = _tables.aggregate(
        people,
        ["group"],
        size=("customer", "len"),
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
    )
    members = people.select("customer", "group").join(
        groups.filter((nw.col("size") > 1) & (nw.col("size") <= max_size)), on="group"
    )
    ties = _pairs(members, as_of=counted.instant, half_life=half_life)
    if not counted.home.lazy:
        ties = ties.sort("a", "b")
    return SharedTies(
        give_rows(ties, counted.home),
        members=members,
        larger=groups.filter(nw.col("size") > max_size),
        left_out=lambda: count(
            acts,
            automated=nw.col("automated"),
            nobody=by_people & nobody,
            weightless=by_people & ~nobody & nw.col("weightless"),
        ),
        parameters={
            "method": "together",
            "on": on,
            "as_of": counted.instant,
            "known_at": known_at,
            "half_life": half_life,
            "max_size": max_size,
            **log.parameters,
        },
    )


def _pairs(
    members: nw.LazyFrame[Any], *, as_of: Instant, half_life: timedelta | None
) -> nw.LazyFrame[Any]:
    """The ties of those who are in the same groups."""
    fade = _instants.decay(_instants.age_days(members, "last_seen", as_of), half_life)
    others = members.select(nw.col("customer").alias("b"), "group")
    pairs = (
        as_of.attach(members)
        .with_columns(
            nw.col("customer").alias("a"),
            (fade / (nw.col("size").cast(nw.Float64) - 1.0)).alias("strength"),
        )
        .join(others, on="group")
        .filter(nw.col("a") < nw.col("b"))
    )
    ties = _tables.aggregate(
        pairs,
        ["a", "b"],
        n=("group", "len"),
        strength=("strength", "sum"),
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
    )
    counted = nw.col("n").cast(nw.Int64)
    return ties.select("a", "b", counted, "strength", "first_seen", "last_seen")
