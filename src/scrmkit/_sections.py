"""The first parts of a page: what was read, when it took place, ties, engagement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
from attrs import field, frozen

from scrmkit import _instants, _tables, plots, relationships
from scrmkit._checks import Id
from scrmkit._labels import visible
from scrmkit._models import Model
from scrmkit._page import Exhibit, Kind, Section, Sentence, Table, count, table
from scrmkit._periods import UNKNOWN, count_periods
from scrmkit._svg import inline
from scrmkit.interactions import Family
from scrmkit.log import InteractionLog
from scrmkit.relationships import Ties


SHOWN: Final = 15
DRAWN: Final = 10
_EXAMPLES: Final = 5
_START_OF_TIME: Final = timedelta(days=31)


@frozen(kw_only=True)
class Subject:
    """What a page is about, and how to look at it.

    Args:
        log: what happened.
        as_of: the instant of every number.
        half_life: after which time an act counts half; None for no decay.
        together: what makes a tie where it is not the act of one towards another.
        names: what customers are called.
        model: the engagement model; None for the default one with this half-life.
    """

    log: InteractionLog
    as_of: datetime
    half_life: timedelta | None
    together: Literal["thread", "about"] | None
    names: Mapping[Id, str] = field(factory=dict)
    model: Model | None = None

    def ties(self, as_of: datetime | None) -> Ties:
        """The ties at an instant; None for the last of the log, if it is a likely one."""
        if self.together is not None:
            return relationships.together(
                self.log, on=self.together, as_of=as_of, half_life=self.half_life
            )
        return relationships.measure(self.log, as_of=as_of, half_life=self.half_life)

    @property
    def decay(self) -> str:
        """How acts fade in ties, in words."""
        return fading(self.half_life)


def fading(half_life: timedelta | None) -> str:
    """How acts fade, in words."""
    if half_life is None:
        return "counted in full, however old"
    return f"halved for every {days(half_life)} of its age"


def days(span: timedelta) -> str:
    """A span of time in days."""
    whole = span / timedelta(days=1)
    return f"{whole:g} day{'' if whole == 1 else 's'}"


def day(instant: object) -> str:
    """The UTC day of an instant, as ISO 8601 writes it."""
    scalar: datetime = nw.to_py_scalar(instant)
    return scalar.strftime("%Y-%m-%d")


def moment(instant: datetime) -> str:
    """An instant in UTC to the minute."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def rows_of(result: Any) -> nw.DataFrame[Any]:
    """The rows of a result or table."""
    return _tables.take(result)[0].collect()


def top(rows: nw.DataFrame[Any], by: str, keys: list[str], k: int = SHOWN) -> list[dict[str, Any]]:
    """The k rows with the largest value, largest first; equal ones in order of their keys."""
    ordered = _tables.largest_first(rows.lazy(), by, keys).head(k).collect()
    return list(ordered.iter_rows(named=True))


def reading(subject: Subject) -> Section:
    """What became of the rows that were read."""
    summary = subject.log.summary()
    share = f" ({100 * summary.accepted / summary.read:.4g} %)" if summary.read else ""
    span = (
        f", from {moment(summary.first)} to {moment(summary.last)}"
        if summary.first is not None and summary.last is not None
        else ""
    )
    fate = table(
        "What became of the rows",
        {"rows": "text", "how many": "number"},
        [
            ("read", summary.read),
            ("accepted", summary.accepted),
            ("repeated: seen before with the same content", summary.repeated),
            ("rejected: could not be used", summary.rejected),
        ],
    )
    tables = [fate]
    if summary.rules:
        tables.append(_rejections(subject.log, summary.rules))
    sentence = (
        f"Of {count(summary.read, 'row')} that were read, {summary.accepted:,}{share} were "
        f"accepted, {summary.repeated:,} were repeats and {summary.rejected:,} were "
        f"rejected{span}."
    )
    return Section(
        "reading",
        "What was read",
        exhibits=(
            Exhibit(
                title="Every row, accounted for",
                meaning="Read = accepted + repeated + rejected: nothing is dropped in silence.",
                sure=f"A count of all {count(summary.read, 'row')}; nothing is estimated.",
                tables=tuple(tables),
            ),
        ),
        short=(sentence,),
    )


def _rejections(log: InteractionLog, rules: Mapping[str, int]) -> Table:
    rejected = rows_of(log.rejected)
    place = next((name for name in ("line", "row") if name in rejected.columns), None)
    examples: dict[str, list[str]] = {rule: [] for rule in rules}
    if place is not None:
        for rule, at in rejected.select("rule", place).iter_rows():
            if len(examples[rule]) < _EXAMPLES and at is not None:
                examples[rule].append(str(at))
    head: dict[str, Kind] = {"rule that was broken": "text", "rows": "number"}
    if place is not None:
        head[f"for example, {place}"] = "text"
    ordered = sorted(rules, key=lambda rule: (-rules[rule], rule))
    rows = [
        (rule, rules[rule], *([", ".join(examples[rule])] if place is not None else []))
        for rule in ordered
    ]
    return table("Why rows were rejected", head, rows)


def activity(subject: Subject) -> Section:
    """When interactions took place, and of which kinds they are."""
    log, as_of = subject.log, subject.as_of
    periods = count_periods(log, as_of=as_of)
    families = list(periods.counts)
    total = {family: sum(counts) for family, counts in periods.counts.items()}
    whole = sum(total.values())
    starts = periods.starts[:-1]
    fine = periods.each in ("an hour", "a quarter day")
    by_period = table(
        f"Interactions {periods.each}, by family",
        {"from (UTC)": "date", **dict.fromkeys(families, "number")},
        [
            (moment(start) if fine else day(start), *(periods.counts[one][at] for one in families))
            for at, start in enumerate(starts)
        ],
        folded=True,
    )
    busiest = max(
        range(len(starts)), key=lambda at: sum(periods.counts[one][at] for one in families)
    )
    peak = sum(periods.counts[one][busiest] for one in families)
    since = moment(starts[busiest]) if fine else day(starts[busiest])
    picture = inline(
        plots.activity(log, as_of=as_of),
        key="activity",
        title=f"Interactions {periods.each}, by family",
        description=(
            f"{count(whole, 'interaction')} in {count(len(starts), 'period')} from "
            f"{day(starts[0])} on; the busiest begins on {since} with {peak:,}."
        ),
    )
    notes: list[Sentence] = []
    if timedelta(0) <= starts[0] + _START_OF_TIME - _instants.EPOCH < 2 * _START_OF_TIME:
        notes.append(
            "The first times are within a month of 1 January 1970, the instant from which "
            "computers count. If the file counts from a beginning of its own, the dates on this "
            "page are not those of the calendar; the spans between them are right."
        )
    return Section(
        "activity",
        "What happened when",
        exhibits=(
            Exhibit(
                title="Activity over time",
                meaning=(
                    f"How many interactions took place {periods.each} (UTC), by what they are "
                    f"good for."
                ),
                sure=(
                    f"A count of {count(whole, 'accepted interaction')} up to {moment(as_of)}; "
                    f"the first and the last period may be cut short by the log."
                ),
                picture=picture,
                tables=(by_period,),
                notes=tuple(notes),
            ),
            _kinds(subject),
        ),
        short=(
            f"The busiest time began on {since}, with {count(peak, 'interaction')} {periods.each}.",
        ),
    )


def _kinds(subject: Subject) -> Exhibit:
    acts = subject.log.acts(as_of=subject.as_of).frame.select("kind")
    counted = _tables.aggregate(acts, ["kind"], n=("kind", "len")).collect()
    found = Counter(dict(zip(counted["kind"].to_list(), counted["n"].to_list(), strict=True)))
    rows = []
    for word, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        kind = subject.log.vocabulary.get(word)
        if kind is None:
            rows.append((word, UNKNOWN, n, 0.0, 0.0))
        else:
            rows.append(
                (
                    word,
                    str(kind.family),
                    n,
                    kind.tie_weight,
                    _weight(subject, kind.name, kind.engagement_weight),
                )
            )
    notes: list[Sentence] = []
    if any(family == UNKNOWN for _, family, *_ in rows):
        notes.append(
            "Unknown kinds are kept and counted, and weigh nothing: name what they mean to "
            "give them weight."
        )
    if any(family == Family.ATTENTION for _, family, *_ in rows):
        notes.append(
            "Attention (likes, views, reposts) is counted apart and adds nothing to ties or "
            "engagement."
        )
    return Exhibit(
        title="Kinds of interactions",
        meaning="What each kind is good for, and what one of them adds to a tie and to engagement.",
        sure=(
            f"Counts of all interactions; the weights are conventions of the vocabulary "
            f"{visible(subject.log.vocabulary.name)!r}{_and_model(subject)}, not measurements."
        ),
        tables=(
            table(
                "Kinds, families and weights",
                {
                    "kind": "text",
                    "family": "text",
                    "interactions": "number",
                    "weight in ties": "number",
                    "weight in engagement": "number",
                },
                rows,
            ),
        ),
        notes=tuple(notes),
    )


def _own_weights(subject: Subject) -> Mapping[str, float] | None:
    return None if subject.model is None else subject.model.weights


def _weight(subject: Subject, kind: str, usual: float) -> float:
    """What one act of a kind adds to engagement: by the model, where it has weights of its own."""
    weights = _own_weights(subject)
    return usual if weights is None else weights.get(kind, 0.0)


def _and_model(subject: Subject) -> str:
    if subject.model is None or _own_weights(subject) is None:
        return ""
    return f" and, in engagement, of the model {visible(subject.model.name)!r}"
