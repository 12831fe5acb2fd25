"""Relationships in bulk: the ties of a whole log as a table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw

from scrmkit import _checks, _instants, _tables, _words
from scrmkit._checks import Frozen, Id
from scrmkit._instants import Instant
from scrmkit._pieces import Pieces
from scrmkit._sums import FAMILIES, HALF_LIFE, model_of
from scrmkit._tables import Home, How
from scrmkit.errors import InvalidParameter, InvalidTable, MissingExtra, ScrmkitWarning
from scrmkit.interactions import Vocabulary
from scrmkit.results import Lookup, Result


if TYPE_CHECKING:
    from scrmkit.graph import SocialGraph
    from scrmkit.log import Acts, InteractionLog

PARTIES: Final = ("source", "target")
LONELY: Final = timedelta(days=365)


class Ties(Result):
    """A table with one row for each pair of customers who interacted.

    Attributes:
        parameters: what the numbers depend on.

    Example:
        >>> from scrmkit import InteractionLog, relationships
        >>> log = InteractionLog.from_records(
        ...     {"time": "2026-03-01T09:00Z", "kind": "message", "source": "ana", "target": who}
        ...     for who in ("ben", "ana", None)
        ... )
        >>> ties = relationships.measure(log)
        >>> len(ties.frame), dict(ties.left_out)
        (1, {'automated': 0, 'nobody': 1, 'self': 1})
    """

    def __init__(
        self, frame: Any, *, left_out: Callable[[], Mapping[str, int]], **made: Any
    ) -> None:
        super().__init__(frame, order="strength", **made)
        self._count_left_out = left_out

    @cached_property
    def left_out(self) -> Mapping[str, int]:
        """How many acts made no tie, by the reason; counted when it is first asked for."""
        return Frozen(self._count_left_out())

    def __getstate__(self) -> dict[str, Any]:
        counted = self.left_out
        return {**super().__getstate__(), "left_out": counted, "_count_left_out": dict}


def measure(
    log: InteractionLog,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    half_life: timedelta | None = HALF_LIFE,
    group: Mapping[Id, Id] | Any = None,
) -> Ties:
    """The ties of all pairs who interacted, as a table: what a `Ledger` holds, in bulk.

    For acts ``i`` of ``a`` towards ``b``, with the weight ``w`` of their kind in the log's
    vocabulary::

        strength_ab = sum of w_i * 2 ** (-(as_of - time_i) / half_life)
        strength    = strength_ab + strength_ba
        balance     = the sum over both directions, each term times valence_i
        reciprocity = min(strength_ab, strength_ba) / max(strength_ab, strength_ba)

    Acts of a customer towards themself, with nobody on one side, and automated ones make
    no tie; ``left_out`` counts them. Attention (likes, follows), transactions and kinds
    that the vocabulary lacks are counted and weigh nothing. An act without a valence adds
    nothing to the balance.

    Args:
        log: the interactions.
        as_of: the instant of the strengths; nothing later counts. None for the last
            instant of the log, which the result's parameters name; a lazy table is not read
            for it before they are asked.
        known_at: nothing that the host learnt later counts; None for all of it.
        half_life: after which time an act counts half; None for no decay.
        group: the party that a customer belongs to: a mapping, or a table with the columns
            ``customer`` and ``party``. Others keep their name. The ties are then those of
            the parties: the same sums over other names. The result's parameters name it by
            a digest of its pairs, or as ``"lazy table"`` where they are never read here.

    Returns:
        A result with the columns ``a, b`` (``a`` comes first in order of id), ``n_ab,
        n_ba`` (counts of acts), ``strength_ab, strength_ba, strength``, ``balance``
        (-strength to strength), ``reciprocity`` (0 to 1; 0 where a direction is 0),
        ``first_seen, last_seen`` (UTC) and the count of each family: ``attention,
        conversation, contribution, advocacy, transaction, service, unknown``. The order of
        the rows is not promised: sorting by ``a, b`` would cost a seventh of the time. No
        acts give no rows.

    Raises:
        InvalidParameter: a time without a zone; an empty log without ``as_of``; groups that
            are neither mapping nor table, or of another type than the ids.
        InvalidTable: a table of groups that has a customer twice, or nulls.

    Warns:
        ScrmkitWarning: without ``as_of``, where a single act stands more than a year after
            all others: decay would be counted from what may be a slip of the pen. Lazy tables
            are not read for this.

    Example:
        >>> from scrmkit import InteractionLog, relationships
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"time": "2026-03-01T09:00Z", "source": "ana", "target": "ben"},
        ...         {"time": "2026-05-30T09:00Z", "source": "ben", "target": "ana"},
        ...     ],
        ...     constants={"kind": "message"},
        ... )
        >>> ties = relationships.measure(log)
        >>> ties.frame.select("a", "b", "n_ab", "n_ba", "strength_ab", "strength").row(0)
        ('ana', 'ben', 1, 1, 0.5, 1.5)
    """
    acts = acts_of(log, as_of, known_at, half_life)
    frame, grouping = with_parties(acts.frame, group)

    def ties_of(rows: nw.LazyFrame[Any], instant: Instant) -> nw.LazyFrame[Any]:
        return sum_up(
            rows,
            as_of=instant,
            half_life=half_life,
            vocabulary=log.vocabulary,
            kind=acts.constants.get("kind"),
        )

    return Ties(
        give_rows(ties_of(frame, acts.instant), acts.home),
        home=acts.home,
        left_out=lambda: left_out_of_ties(frame),
        pieces=Pieces.of(
            acts.home,
            rows=needed(frame),
            together=PARTIES,
            make=lambda rows: ties_of(rows, acts.instant.fixed()),
        ),
        parameters={
            "method": "measure",
            "as_of": acts.instant,
            "known_at": known_at,
            "half_life": half_life,
            "group": grouping,
            "model": model_of(half_life, log.vocabulary).digest,
            **log.parameters,
        },
    )


def graph(ties: Any, *, weight: str = "strength") -> SocialGraph:
    """The graph of ties.

    Args:
        ties: the result of `measure` or `together`, or a table with ``a``, ``b`` and the
            weights.
        weight: which column weighs the edges. Where the table has it for each direction
            (``strength_ab`` and ``strength_ba``) the graph is directed.

    Returns:
        The graph. Everybody in the table is in it; a direction of weight 0 is no arc.

    Raises:
        MissingExtra: NumPy or SciPy is not installed.
        InvalidTable: the table has no such column.

    Example:
        >>> import polars as pl
        >>> from scrmkit import relationships
        >>> relationships.graph(pl.DataFrame({"a": ["ana"], "b": ["ben"], "strength": [2.0]}))
        <SocialGraph: 2 customers, 1 undirected ties, weight 'strength'>
    """
    try:
        from scrmkit.graph import SocialGraph
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "scipy", extra="graphs") from None
    return SocialGraph.from_ties(ties, weight=weight)


def acts_of(
    log: InteractionLog,
    as_of: datetime | None,
    known_at: datetime | None,
    half_life: timedelta | None,
) -> Acts:
    """The acts that count, and a warning where the log's last instant may be a mistake."""
    _checks.check_half_life(half_life)
    check_log(log)
    acts = log.acts(as_of=as_of, known_at=known_at)
    if as_of is None and not acts.home.lazy:
        warn_if_the_last_is_alone(acts, stacklevel=4)
    return acts


def check_log(log: object) -> None:
    """Refuse what is no log, such as the table that one is made of."""
    if not hasattr(log, "acts"):
        raise InvalidParameter(
            f"a {type(log).__name__} is no log: InteractionLog.from_frame makes one of a table"
        )


def warn_if_the_last_is_alone(acts: Acts, *, stacklevel: int) -> None:
    """Warn where one act stands long after all others, because decay is counted from it."""
    gap = gap_before_the_last(acts.frame, acts.as_of)
    if gap is not None and gap > LONELY:
        warnings.warn(
            f"the last act of the log, at {acts.as_of.isoformat()}, stands alone, {gap.days} "
            f"days after all others, and everything has decayed until then: give as_of, or "
            f"mend its time",
            ScrmkitWarning,
            stacklevel=stacklevel,
        )


def give_rows(ties: nw.LazyFrame[Any], home: Home) -> Any:
    """Ties as the kind of table that came in; lazy stays lazy."""
    if home.lazy:
        return _tables.give(ties, home)
    return _tables.give(_tables.collect(ties).lazy(), home)


def with_parties(frame: nw.LazyFrame[Any], group: Any) -> tuple[nw.LazyFrame[Any], str | None]:
    """The acts with columns for both parties, under the names that a grouping gives them.

    And the grouping's digest; None without one.
    """
    schema = frame.collect_schema()
    ids = next(schema[name] for name in PARTIES if name in schema)
    for name in PARTIES:
        if name not in schema:
            frame = frame.with_columns(nw.lit(None, ids).alias(name))
    if group is None:
        return frame, None
    names = _to_names(group, frame, ids)
    grouping = "lazy table"
    if not isinstance(names, nw.LazyFrame):
        grouping = _checks.digest({"group": sorted(names.items())})
    return _words.rename_ids(frame, PARTIES, names), grouping


def _to_names(
    group: Any, frame: nw.LazyFrame[Any], ids: nw.dtypes.DType
) -> Mapping[Id, Id] | nw.LazyFrame[Any]:
    """A grouping as a mapping, or as a table where the engine of the log holds no rows."""
    if isinstance(group, Mapping | Lookup):
        for one in (*group, *group.values()):
            _checks.check_id(one, name="an id in group", error=InvalidParameter)
        return _check_types({_plain(old): _plain(new) for old, new in group.items()}, ids)
    try:
        table, _ = _tables.take(group)
    except InvalidTable:
        raise InvalidParameter(
            f"group is of type {type(group).__name__}: give a mapping from customers to their "
            f"party (such as series.to_dict()), or a table with the columns customer and party"
        ) from None
    names = table.collect_schema().names()
    _tables.check_columns(names, ["customer", "party"], where="the table of groups")
    table = table.select(nw.col("customer").alias("old"), nw.col("party").alias("new"))
    repeated = _tables.aggregate(table, ["old"], n=("old", "len")).filter(nw.col("n") > 1)
    missing = table.filter(nw.any_horizontal(nw.all().is_null(), ignore_nulls=False))
    if len(repeated.head(1).collect()) or len(missing.head(1).collect()):
        raise InvalidTable(
            "the table of groups must have each customer once, with a party: drop nulls and "
            "choose one party for each customer"
        )
    if frame.implementation.value not in _tables.REPLACERS:
        if frame.implementation != table.implementation:
            raise InvalidTable(
                f"the log is a table of {frame.implementation.value} and the groups one of "
                f"{table.implementation.value}: give a mapping, or a table of the same engine"
            )
        return table
    rows = table.collect()
    return _check_types(dict(zip(rows["old"].to_list(), rows["new"].to_list(), strict=True)), ids)


def _check_types(names: Mapping[Id, Id], ids: nw.dtypes.DType) -> Mapping[Id, Id]:
    wanted = str if ids == nw.String else int
    for one in (*names, *names.values()):
        if not isinstance(one, wanted):
            raise InvalidParameter(
                f"the ids of the log are of type {ids}, and group has one of type "
                f"{type(one).__name__}: give ids of the same type",
                value=one,
            )
    return names


def _plain(one: Id) -> str | int:
    return str(one) if isinstance(one, UUID) else one


def automated_in(frame: nw.LazyFrame[Any]) -> nw.Expr:
    """Whether a system did it."""
    if "automated" not in frame.collect_schema().names():
        return nw.lit(False)
    return nw.col("automated").fill_null(value=False)


def left_out_of_ties(frame: nw.LazyFrame[Any]) -> Mapping[str, int]:
    """How many acts are automated; of the others, how many with nobody; how many with oneself."""
    source, target = nw.col("source"), nw.col("target")
    nobody = source.is_null() | target.is_null()
    marked = frame.select(automated_in(frame).alias("automated"), nobody.alias("nobody"), *PARTIES)
    return count(
        marked,
        automated=nw.col("automated"),
        nobody=~nw.col("automated") & nw.col("nobody"),
        self=~nw.col("automated") & (source == target).fill_null(value=False),
    )


def count(frame: nw.LazyFrame[Any], **conditions: nw.Expr) -> dict[str, int]:
    """In how many rows each condition holds."""
    flags = [test.cast(nw.Int64).alias(f"is_{name}") for name, test in conditions.items()]
    rows = _tables.collect(frame.select(*flags).select(nw.all().sum()))
    return {name: int(rows[f"is_{name}"][0] or 0) for name in conditions}


def needed(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The columns that ties are made of, of acts with both parties."""
    names = frame.collect_schema().names()
    kept = [name for name in ("kind", "valence", "automated") if name in names]
    return frame.select(*PARTIES, "time", *kept)


def sum_up(
    frame: nw.LazyFrame[Any],
    *,
    as_of: Instant,
    half_life: timedelta | None,
    vocabulary: Vocabulary,
    kind: str | None,
) -> nw.LazyFrame[Any]:
    """The ties that acts make.

    Args:
        frame: acts, with both parties.
        as_of: the instant of the strengths.
        half_life: of the decay.
        vocabulary: the weights and families of the kinds.
        kind: the kind of all acts, where they have the same.
    """
    frame = _tables.hasten(needed(frame))
    names = frame.collect_schema().names()
    kept = [name for name in ("kind", "valence") if name in names]
    source, target, forth, weight = (nw.col(n) for n in ("source", "target", "forth", "weight"))
    between_two = ~source.is_null() & ~target.is_null() & (source != target)
    if "automated" in names:
        between_two = between_two & ~automated_in(frame)
    fade = _instants.decay(_instants.age_days(frame, "time", as_of), half_life)
    kinds = _Kinds(vocabulary, kind)
    acts = as_of.attach(frame.filter(between_two)).select(
        *PARTIES, "time", *kept, forth=source < target, fade=fade
    )
    acts = kinds.look_up(acts).with_columns(weight=nw.col("fade") * weight)
    balance = weight * nw.col("valence") if "valence" in names else None
    flags = kinds.flags()
    acts = acts.select(
        "time",
        nw.when(forth).then(source).otherwise(target).alias("a"),
        nw.when(forth).then(target).otherwise(source).alias("b"),
        nw.when(forth).then(nw.lit(1)).alias("n_ab"),
        nw.when(forth).then(weight).otherwise(nw.lit(0.0)).alias("strength_ab"),
        nw.when(forth).then(nw.lit(0.0)).otherwise(weight).alias("strength_ba"),
        *([] if balance is None else [balance.alias("balance")]),
        *(nw.when(flag).then(nw.lit(1)).alias(family) for family, flag in flags.items()),
    )
    summed = ["strength_ab", "strength_ba", *([] if balance is None else ["balance"])]
    sums: dict[str, tuple[str, How]] = {
        **{name: (name, "sum") for name in summed},
        **{name: (name, "count") for name in ("n_ab", *flags)},
    }
    ties = _tables.aggregate(
        acts,
        ["a", "b"],
        n=("time", "len"),
        first_seen=("time", "min"),
        last_seen=("time", "max"),
        **sums,
    )
    return _finish(ties, kinds, has_balance=balance is not None)


def _finish(ties: nw.LazyFrame[Any], kinds: _Kinds, *, has_balance: bool) -> nw.LazyFrame[Any]:
    """The columns of ties that follow from the sums."""
    flags, rest = kinds.flags(), kinds.rest
    counts = ["n", "n_ab", *flags]
    balance = nw.col("balance").fill_null(0.0) if has_balance else nw.lit(0.0)
    ties = ties.with_columns(
        *(nw.col(name).cast(nw.Int64) for name in counts),
        (nw.col("strength_ab") + nw.col("strength_ba")).alias("strength"),
        balance.alias("balance"),
        nw.min_horizontal("strength_ab", "strength_ba").alias("weaker"),
        nw.max_horizontal("strength_ab", "strength_ba").alias("stronger"),
    )
    left = nw.col("n")
    for family in flags:
        left = left - nw.col(family)
    families = [
        nw.col(family) if family in flags else (left if family == rest else left * 0).alias(family)
        for family in FAMILIES
    ]
    strength, balance = nw.col("strength"), nw.col("balance")
    clipped = nw.when(balance > strength).then(strength).otherwise(balance)
    clipped = nw.when(balance < -strength).then(-strength).otherwise(clipped)
    ratio = nw.col("weaker") / nw.col("stronger")
    return ties.select(
        "a",
        "b",
        "n_ab",
        (nw.col("n") - nw.col("n_ab")).alias("n_ba"),
        "strength_ab",
        "strength_ba",
        "strength",
        clipped.alias("balance"),
        nw.when(nw.col("weaker") > 0).then(ratio).otherwise(nw.lit(0.0)).alias("reciprocity"),
        "first_seen",
        "last_seen",
        *families,
    )


class _Kinds:
    """The weights and families of kinds, as columns."""

    def __init__(self, vocabulary: Vocabulary, constant: str | None) -> None:
        self._families = {kind.name: FAMILIES.index(kind.family) for kind in vocabulary}
        self._weights = {kind.name: kind.tie_weight for kind in vocabulary}
        self._unknown = len(FAMILIES) - 1
        self._constant = constant
        self.rest = FAMILIES[-1]
        if constant is not None:
            self.rest = FAMILIES[self._families.get(constant, self._unknown)]

    def look_up(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """The acts with the weight of each and, where they differ, the number of its family."""
        if self._constant is not None:
            return frame.with_columns(weight=nw.lit(self._weights.get(self._constant, 0.0)))
        return _words.look_up(
            frame,
            "kind",
            weight=(self._weights, 0.0),
            family=(self._families, self._unknown),
        )

    def flags(self) -> dict[str, nw.Expr]:
        """Whether an act is of a family, for all families that occur but one, the rest."""
        if self._constant is not None:
            return {}
        return {
            family: nw.col("family") == number
            for number, family in enumerate(FAMILIES[:-1])
            if number in self._families.values()
        }


def gap_before_the_last(frame: nw.LazyFrame[Any], last: datetime) -> timedelta | None:
    """How long before the last act, if it stands alone, the one before it took place."""
    times = frame.select("time")
    earlier = times.filter(nw.col("time") < nw.lit(last)).select(nw.col("time").max())
    before = _instants.to_instant(_tables.collect(earlier)["time"])
    if before is None:
        return None
    if count(times, last=nw.col("time") == nw.lit(last))["last"] > 1:
        return None
    return last - before
