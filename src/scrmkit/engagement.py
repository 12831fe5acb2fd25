"""How engaged is each customer, why, and how sure are we.

Counted is what customers did (`Interaction.source`), never what was done to them; what is
automated, and what somebody does towards themself, does not count. Days are UTC days, and
the age of an act is a whole number of them. The scale is absolute: nobody's score depends
on who else is in the table.

- `score`: all customers of a log, at one instant or several.
- `explain`: one customer, with the evidence and the nearest change of level.
- `Tracker`: the same numbers live, one interaction at a time.
- `EngagementModel`: what counts for how much; any object of the shape of `Model` will do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw
from attrs import evolve

from scrmkit import _arithmetic, _checks, _instants, _tables, _words
from scrmkit._acts import UNTIL, Acts
from scrmkit._checks import Id
from scrmkit._explanations import (
    Evidence,
    Explanation,
    KindShare,
    NextLevel,
    explain_acts,
)
from scrmkit._instants import Instant
from scrmkit._models import NEW, UNKNOWN, EngagementModel, Level, Model
from scrmkit._pieces import Pieces
from scrmkit._scoring import FAMILIES, Rules, Score
from scrmkit._ties import PARTIES, check_log, give_rows, warn_if_the_last_is_alone
from scrmkit._trackers import Tracker
from scrmkit.errors import InvalidParameter, UnknownCustomer
from scrmkit.interactions import Family
from scrmkit.log import InteractionLog
from scrmkit.results import Result


__all__ = [
    "EngagementModel",
    "Evidence",
    "Explanation",
    "KindShare",
    "Level",
    "Model",
    "NextLevel",
    "Score",
    "Tracker",
    "explain",
    "score",
]

KEYS: Final = ("customer", "at")


def score(
    log: InteractionLog,
    *,
    model: str | Model | None = None,
    as_of: datetime | Iterable[datetime] | None = None,
    known_at: datetime | None = None,
) -> Result:
    """How engaged each customer is, from 0 to 100, with an interval and the reasons.

    The formula, and what the interval is for, are those of the model: see
    `EngagementModel`. The columns are ``customer``; ``as_of`` where several instants were
    asked for; ``score``, ``low`` and ``high``; ``n``, the acts that count (those of kinds
    with weight; acts beyond the cap are among them); ``exposure``, the days from the
    customer's first own act of any kind; ``active_days``, the distinct days with acts that
    count; ``level``, which is ``"new"`` below the model's ``new_below`` days of exposure
    and ``"unknown"`` where low and high are more than one level apart; what each family
    adds to the score, in points, of which the score is the sum in the order of the
    columns; and ``attention``, the number of acts of attention, which add nothing. Where a
    model gives weight to attention, its points are in a column ``attention_points``.

    Args:
        log: the interactions.
        model: what counts for how much: a model, or the name of a plugin, such as
            ``"scrmkit-forum:forum"``; None for `EngagementModel` with the weights of the
            log's vocabulary.
        as_of: nothing later counts; an instant, several of them (the log is read once),
            or None for the last instant of the log.
        known_at: nothing that the host learnt later counts; None for all of it.

    Returns:
        One row for each customer (and instant) with at least one act of their own, in
        order of customer (and instant) where the table is not lazy.

    Raises:
        InvalidParameter: an instant without a time zone; a model that cannot be, or that
            weighs a kind that the vocabulary lacks; no plugin of that name; an empty log
            without ``as_of``; a table instead of a log.
        PluginError: the plugin cannot be loaded, or is no model.

    Warns:
        ScrmkitWarning: without ``as_of``, where a single act stands more than a year after
            all others: decay would be counted from what may be a slip of the pen. Lazy tables
            are not read for this.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     {"time": datetime(2026, 3, day, tzinfo=UTC), "kind": kind, "source": "ana"}
        ...     for day, kind in [(1, "question"), (9, "answer"), (20, "answer"), (20, "like")]
        ... )
        >>> row = engagement.score(log).frame.row(0, named=True)
        >>> row["n"], row["exposure"], row["attention"], row["level"]
        (3, 20, 1, 'occasional')
        >>> round(row["low"]), round(row["score"]), round(row["high"])
        (8, 25, 46)
        >>> row["conversation"] + row["contribution"] == row["score"]
        True
    """
    check_log(log)
    rules = Rules.of(model, log.vocabulary)
    several = as_of is not None and not isinstance(as_of, datetime)
    instants = _to_instants(as_of)
    acts = log.acts(
        as_of=instants[-1] if instants else None,
        known_at=known_at,
        earliest=instants[0] if instants else None,
    )
    if not instants and not acts.home.lazy:
        warn_if_the_last_is_alone(acts, stacklevel=3)
    keys = ["customer", "as_of"] if several else ["customer"]

    def scores_of(acts: Acts) -> nw.LazyFrame[Any]:
        counts = _count(acts, instants, rules)
        dated = _date(counts, instants) if several else _age(counts, acts.instant)
        scored = _judge(_add_up(dated, rules), rules)
        if several:
            # Dask knows the type of an instant by itself, and no zones when it is told
            utc = None if scored.implementation.is_dask() else nw.Datetime("us", "UTC")
            scored = scored.with_columns(as_of=_of_instant([nw.lit(one, utc) for one in instants]))
        rest = [name for name in scored.collect_schema().names() if name not in (*keys, "at")]
        return scored.select(*keys, *rest)

    acts = evolve(acts, frame=_needed(acts))
    scored = scores_of(acts)
    if not acts.home.lazy:
        scored = scored.sort(keys)
    return Result(
        give_rows(scored, acts.home),
        home=acts.home,
        pieces=Pieces.of(
            acts.home,
            rows=acts.frame,
            together=tuple(name for name in ("source",) if name in acts.columns),
            make=lambda rows: scores_of(evolve(acts, frame=rows, instant=acts.instant.fixed())),
        ),
        parameters={
            "method": "engagement",
            "as_of": list(instants) if several else acts.instant,
            "known_at": known_at,
            "model": rules.name,
            "model_version": rules.version,
            "model_digest": rules.digest,
            "half_life": rules.half_life,
            "cap_per_day": rules.cap,
            **log.parameters,
        },
        order="score",
        notes=(
            (
                "low and high are for the activity to be expected of a customer over the days "
                "observed, not for the future"
            ),
        ),
    )


def _to_instants(as_of: datetime | Iterable[datetime] | None) -> tuple[datetime, ...]:
    if as_of is None:
        return ()
    if isinstance(as_of, datetime):
        return (_checks.to_utc(as_of, name="as_of"),)
    if isinstance(as_of, str) or not isinstance(as_of, Iterable):
        raise InvalidParameter("as_of must be an instant, several of them, or None", value=as_of)
    instants = tuple(sorted({_checks.to_utc(instant, name="as_of") for instant in as_of}))
    if not instants:
        raise InvalidParameter("as_of is an empty list: give an instant, or None for the last")
    return instants


def _own_acts(acts: Acts) -> nw.LazyFrame[Any]:
    """The acts that customers did themselves, towards others or towards nobody."""
    rows, names = acts.frame, acts.columns
    if "source" not in names:
        return rows.with_columns(source=nw.col("target")).filter(
            nw.col("target") != nw.col("target")
        )
    rows = rows.filter(~nw.col("source").is_null())
    if "target" in names:
        rows = rows.filter(nw.col("target").is_null() | (nw.col("source") != nw.col("target")))
    if "automated" in names:
        rows = rows.filter(~nw.col("automated").fill_null(False))
    return rows


def _needed(acts: Acts) -> nw.LazyFrame[Any]:
    """The columns that scores are made of."""
    columns = ("time", "kind", *PARTIES, "automated", UNTIL)
    return acts.frame.select([name for name in columns if name in acts.columns])


def _count(acts: Acts, instants: Sequence[datetime], rules: Rules) -> nw.LazyFrame[Any]:
    """Acts by customer, kind and day, and by counterpart where a level asks for them.

    For several instants acts are told apart by ``since``, the first instant at which they
    count, and ``gone``, the first at which they were taken back.
    """
    acts = evolve(acts, frame=_tables.hasten(acts.frame))
    columns = {
        "customer": nw.col("source"),
        "kind": nw.col("kind").cast(nw.String),
        "day": _instants.epoch_day(acts.frame, "time"),
    }
    if rules.asks_counterparts and "target" in acts.columns:
        columns["counterpart"] = nw.col("target")
    if len(instants) > 1:
        columns["since"] = _number(nw.col("time") > nw.lit(instant) for instant in instants)
        if UNTIL in acts.columns:
            until = nw.col(UNTIL)
            columns["gone"] = _number(
                until.is_null() | (until > nw.lit(instant)) for instant in instants
            )
    rows = _own_acts(acts).select(**columns)
    return _tables.aggregate(rows, list(columns), n=("day", "len"))


def _number(tests: Iterable[nw.Expr]) -> nw.Expr:
    """How many tests hold."""
    return reduce(add, (test.cast(nw.Int64) for test in tests))


def _age(counts: nw.LazyFrame[Any], as_of: Instant) -> nw.LazyFrame[Any]:
    """The counts with their age in days at one instant."""
    return as_of.attach(counts).with_columns(age=_instants.today(counts, as_of) - nw.col("day"))


def _date(counts: nw.LazyFrame[Any], instants: Sequence[datetime]) -> nw.LazyFrame[Any]:
    """The counts that hold at each instant, called ``at``, with their age in days."""
    rows = _repeat(counts, len(instants))
    names = rows.collect_schema().names()
    if "since" in names:
        rows = rows.filter(nw.col("since") <= nw.col("at"))
    if "gone" in names:
        rows = rows.filter(nw.col("gone") > nw.col("at"))
    today = _of_instant([nw.lit(_instants.day_of(instant)) for instant in instants])
    return rows.with_columns(age=today - nw.col("day"))


def _repeat(frame: nw.LazyFrame[Any], times: int) -> nw.LazyFrame[Any]:
    """Every row so many times, with a number ``at``; what is lazy is read once."""
    if frame.implementation.value in ("dask", *_tables.REPLACERS[1:]):
        parts = (frame.with_columns(at=nw.lit(number, nw.Int64)) for number in range(times))
        return nw.concat(list(parts))
    numbers = ",".join(map(str, range(times)))
    exploded = frame.with_columns(at=nw.lit(numbers).str.split(",")).explode("at")
    return exploded.with_columns(at=nw.col("at").cast(nw.Int64))


def _of_instant(values: Sequence[nw.Expr]) -> nw.Expr:
    """The value that belongs to the number ``at``."""
    result = values[0]
    for number, value in enumerate(values[1:], start=1):
        result = nw.when(nw.col("at") == number).then(value).otherwise(result)
    return result


def _add_up(dated: nw.LazyFrame[Any], rules: Rules) -> nw.LazyFrame[Any]:
    """The sums of each customer that a score is made of, as `_scoring.Sums` names them."""
    names = dated.collect_schema().names()
    keys: list[str] = [name for name in KEYS if name in names]
    kinds = dated
    if {"at", "counterpart"} & {*names}:
        kinds = _tables.aggregate(dated, [*keys, "kind", "age"], n=("n", "sum"))
    families = {_column(family): number for number, family in enumerate(rules.scored_families)}
    numbers = {kind: FAMILIES.index(family) for kind, family in rules.families.items()}
    n, family, fade = nw.col("n"), nw.col("family"), nw.col("fade")
    capped = nw.when(n > rules.cap).then(nw.lit(rules.cap)).otherwise(n)
    amounts = _words.look_up(
        kinds.select(*keys, "kind", "age", "n"),
        "kind",
        weight=(rules.weights, 0.0),
        family=(numbers, len(FAMILIES)),
    ).with_columns(
        faded=nw.col("weight") * capped * _instants.decay(nw.col("age"), rules.half_life),
        n=nw.when(nw.col("weight") > 0).then(n).otherwise(nw.lit(0)),
        attention=nw.when(family == FAMILIES.index(Family.ATTENTION)).then(n).otherwise(nw.lit(0)),
    )
    amounts = amounts.select(
        *keys,
        "age",
        "n",
        "attention",
        **{
            column: nw.when(family == number).then(nw.col("faded")).otherwise(nw.lit(0.0))
            for column, number in families.items()
        },
    )
    summed = ("n", "attention", *families)
    days = _tables.aggregate(amounts, [*keys, "age"], **{name: (name, "sum") for name in summed})
    faded = nw.col("faded")
    days = days.with_columns(
        faded=_sum(families), fade=_instants.decay(nw.col("age"), rules.half_life)
    )
    customers = _tables.aggregate(
        days.with_columns(
            squares=faded * faded,
            recent=faded * fade,
            active_days=(nw.col("n") > 0).cast(nw.Int64),
        ),
        keys,
        oldest=("age", "max"),
        **{name: (name, "sum") for name in (*summed, "squares", "recent", "active_days")},
    ).with_columns(exposure=nw.col("oldest") + 1)
    if "counterpart" not in names:
        return customers.with_columns(counterparts=nw.lit(0))
    towards = dated.filter(
        ~nw.col("counterpart").is_null() & nw.col("kind").is_in(list(rules.weights))
    )
    pairs = _tables.aggregate(towards, [*keys, "counterpart"], n=("n", "sum"))
    people = _tables.aggregate(pairs, keys, counterparts=("n", "len"))
    return customers.join(people, on=keys, how="left").with_columns(
        counterparts=nw.col("counterparts").fill_null(0)
    )


def _column(family: Family) -> str:
    return "attention_points" if family is Family.ATTENTION else str(family)


def _judge(sums: nw.LazyFrame[Any], rules: Rules) -> nw.LazyFrame[Any]:
    """Scores, intervals and levels from the sums, as `_scoring.assess` makes them."""
    columns = [_column(family) for family in rules.scored_families]
    frame = sums.with_columns(activity=_sum(columns), days=nw.col("exposure").cast(nw.Float64))
    activity, dispersion, squares, recent, days = (
        _arithmetic.plain(frame, name)
        for name in ("activity", "dispersion", "squares", "recent", "days")
    )
    frame = frame.with_columns(
        dispersion=_arithmetic.bare(rules.dispersion(activity, squares, recent, days))
    )
    judged = zip(("whole", "low", "high"), rules.value(activity, dispersion, days), strict=True)
    frame = frame.with_columns(**{name: _arithmetic.bare(value) for name, value in judged})
    frame = frame.with_columns(
        **{
            name: nw.when(nw.col("activity") > 0)
            .then(nw.col("whole") * (nw.col(name) / nw.col("activity")))
            .otherwise(nw.lit(0.0))
            for name in columns
        }
    )
    frame = frame.with_columns(score=_sum(columns))
    frame = frame.with_columns(
        **{f"place_{name}": _place(rules, name) for name in ("score", "low", "high")}
    )
    level = nw.lit(rules.levels[0].name)
    for place, named in enumerate(rules.levels[1:], start=1):
        level = nw.when(nw.col("place_score") == place).then(nw.lit(named.name)).otherwise(level)
    unsure = nw.col("place_high") - nw.col("place_low") > 1
    level = nw.when(unsure).then(nw.lit(UNKNOWN)).otherwise(level)
    level = nw.when(nw.col("exposure") < rules.new_below).then(nw.lit(NEW)).otherwise(level)
    whole_numbers = ("n", "exposure", "active_days")
    names = frame.collect_schema().names()
    return frame.select(
        *(name for name in KEYS if name in names),
        "score",
        "low",
        "high",
        *(nw.col(name).cast(nw.Int64) for name in whole_numbers),
        level.alias("level"),
        *(column for column in columns if column != "attention_points"),
        *(column for column in columns if column == "attention_points"),
        nw.col("attention").cast(nw.Int64),
    )


def _sum(columns: Iterable[str]) -> nw.Expr:
    """The sum in the order of the columns, to the bit."""
    return reduce(add, (nw.col(name) for name in columns))


def _place(rules: Rules, column: str) -> nw.Expr:
    """The place of the highest level whose conditions are all met."""
    place = nw.lit(0)
    for number, level in enumerate(rules.levels[1:], start=1):
        met = (
            (nw.col(column) >= level.at_least)
            & (nw.col("active_days") >= level.active_days)
            & (nw.col("counterparts") >= level.counterparts)
        )
        place = nw.when(met).then(nw.lit(number)).otherwise(place)
    return place


def explain(
    log: InteractionLog,
    customer: Id,
    *,
    model: str | Model | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Explanation:
    """Why one customer's score is what it is, with the acts behind it.

    Args:
        log: the interactions; where they have ids, the explanation names them.
        customer: whose score.
        model: what counts for how much; as for `score`.
        as_of: nothing later counts; None for the last instant of the log.
        known_at: nothing that the host learnt later counts; None for all of it.

    Returns:
        The score, what each family and kind adds with the acts behind it, the model's
        name, version and digest, its assumptions in words, and the nearest change of
        level. ``print`` shows it as text, a notebook as a table. What `Explanation.for_person`
        gives may be shown to the customer.

    Raises:
        UnknownCustomer: somebody without an act of their own in the log by then.
        InvalidParameter: as for `score`.

    Warns:
        ScrmkitWarning: as `score`.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     {"id": f"m{day}", "time": datetime(2026, 3, day, tzinfo=UTC), "kind": "answer",
        ...      "source": "ana", "target": "ben"}
        ...     for day in (1, 9, 20)
        ... )
        >>> why = engagement.explain(log, "ana")
        >>> why.score.level, why.days_left
        ('occasional', 67)
        >>> why.obstacle
        'regular takes 8 distinct days with acts that count (there are 3)'
        >>> [act.id for act in why.kinds[0].evidence]
        ['m20', 'm9', 'm1']
    """
    check_log(log)
    rules = Rules.of(model, log.vocabulary)
    acts = log.acts(as_of=as_of, known_at=known_at)
    if as_of is None and not acts.home.lazy:
        warn_if_the_last_is_alone(acts, stacklevel=3)
    names = acts.columns
    rows = _own_acts(acts)
    wanted = str(customer) if isinstance(customer, UUID) else customer
    schema = rows.collect_schema()
    if isinstance(wanted, str) != (schema["source"] == nw.String):
        raise UnknownCustomer(
            "this customer is not in the log: its ids are of another type",
            value=customer,
        )
    rows = rows.filter(nw.col("source") == nw.lit(wanted))
    found = rows.select(*(name for name in ("kind", "time", "id", "target") if name in names))
    eager = found.collect()
    columns = {name: _values(eager[name]) for name in eager.columns}
    nobody = [None] * len(eager)
    evidence: defaultdict[str, list[Evidence]] = defaultdict(list)
    for kind, time, act, target in zip(
        columns["kind"],
        columns["time"],
        columns.get("id", nobody),
        columns.get("target", nobody),
        strict=True,
    ):
        evidence[str(kind)].append(Evidence(act, time.astimezone(UTC), target))
    if not evidence:
        raise UnknownCustomer(
            "this customer has no act of their own in the log by then", value=customer
        )
    return explain_acts(rules, evidence, customer=customer, as_of=acts.as_of)


def _values(column: nw.Series[Any]) -> list[Any]:
    """The values as plain Python, None where there is none."""
    missing = column.is_null().to_list()
    return [
        None if absent else nw.to_py_scalar(value)
        for value, absent in zip(column.to_list(), missing, strict=True)
    ]
