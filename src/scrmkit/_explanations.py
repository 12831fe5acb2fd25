"""Why a score is what it is: contributions with their evidence, and what would change it."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve, field, frozen

from scrmkit import _sums
from scrmkit._checks import Id
from scrmkit._instants import day_of
from scrmkit._models import NEW, UNKNOWN
from scrmkit._scoring import Rules, Score, add_up, assess


SHOWN: Final = 5
CENTURY: Final = 36_525


@frozen
class Evidence:
    """One act behind a score.

    Attributes:
        id: the id of the act; None where the log has no ids.
        time: when it took place, in UTC.
        target: towards whom; None for nobody, and in what is shown to the customer.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit.engagement import Evidence
        >>> Evidence("m1", datetime(2026, 3, 1, tzinfo=UTC), "ben").to_dict()
        {'id': 'm1', 'time': '2026-03-01T00:00:00+00:00', 'target': 'ben'}
    """

    id: Id | None = field(repr=False)
    time: datetime
    target: Id | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The act as what JSON can hold."""
        return {
            "id": None if self.id is None else _sums.to_plain(self.id),
            "time": self.time.isoformat(),
            "target": None if self.target is None else _sums.to_plain(self.target),
        }


@frozen(kw_only=True)
class KindShare:
    """What the acts of one kind add to a score.

    Attributes:
        kind: the kind.
        family: its family, or ``"unknown"``.
        weight: what one act counts; 0 where it adds nothing.
        n: how many acts there were.
        counted: how many of them are within the cap per day.
        activity: their decayed weight.
        points: what they add to the score.
        evidence: the acts, the latest first.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     {"time": datetime(2026, 3, 1, hour, tzinfo=UTC), "kind": "post", "source": "ana"}
        ...     for hour in range(7)
        ... )
        >>> share = engagement.explain(log, "ana").kinds[0]
        >>> share.kind, share.family, share.n, share.counted, share.activity
        ('post', 'contribution', 7, 5, 10.0)
    """

    kind: str
    family: str
    weight: float
    n: int
    counted: int
    activity: float
    points: float
    evidence: tuple[Evidence, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The share as what JSON can hold."""
        return {
            "kind": self.kind,
            "family": self.family,
            "weight": self.weight,
            "n": self.n,
            "counted": self.counted,
            "activity": self.activity,
            "points": self.points,
            "evidence": [act.to_dict() for act in self.evidence],
        }


@frozen
class NextLevel:
    """The least that would lift a customer to a higher level today.

    Attributes:
        level: the level that would be reached, judged by the score alone.
        kind: of which kind the acts would be.
        acts: how many of them it takes.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     [{"time": datetime(2026, 3, 1, tzinfo=UTC), "kind": "post", "source": "ana"}]
        ... )
        >>> engagement.explain(log, "ana").next_level
        NextLevel(level='occasional', kind='answer', acts=1)
    """

    level: str
    kind: str
    acts: int

    def to_dict(self) -> dict[str, Any]:
        """The step as what JSON can hold."""
        return {"level": self.level, "kind": self.kind, "acts": self.acts}


@frozen(kw_only=True)
class Explanation:
    """Why a score is what it is.

    Attributes:
        score: the score, with the name, version and digest of the model.
        standing: the level by the score alone, whether or not the interval and the
            exposure allow to say so.
        kinds: what each kind adds, most points first; points add up to the score.
        next_level: the fewest further acts of one kind today that lead to a higher
            level; None where no single kind does.
        obstacle: why not, in words, where ``next_level`` is None.
        days_left: whole days without further acts after which decay takes the level
            away; None where it never does (within a century).
        assumptions: what the numbers take for granted, in words.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     [{"time": datetime(2026, 3, 1, tzinfo=UTC), "kind": "post", "source": "ana",
        ...       "target": "ben"}]
        ... )
        >>> why = engagement.explain(log, "ana")
        >>> why.standing, why.days_left
        ('quiet', None)
        >>> "ben" in str(why.to_dict()), "ben" in str(why.for_person().to_dict())
        (True, False)
    """

    score: Score
    standing: str
    kinds: tuple[KindShare, ...]
    next_level: NextLevel | None
    obstacle: str
    days_left: int | None
    assumptions: tuple[str, ...]

    def for_person(self) -> Explanation:
        """What may be shown to the customer: nothing about other people.

        The ids of the customer's own acts stay; towards whom they were goes. Ranks and
        comparisons with others are in no explanation.
        """
        return evolve(
            self,
            kinds=tuple(
                evolve(share, evidence=tuple(Evidence(act.id, act.time) for act in share.evidence))
                for share in self.kinds
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """The explanation as what JSON can hold; what may be shown is that of `for_person`."""
        return {
            "score": self.score.to_dict(),
            "standing": self.standing,
            "kinds": [share.to_dict() for share in self.kinds],
            "next_level": None if self.next_level is None else self.next_level.to_dict(),
            "obstacle": self.obstacle,
            "days_left": self.days_left,
            "assumptions": list(self.assumptions),
        }

    def _summary(self) -> list[str]:
        score = self.score
        lines = [
            (
                f"Score {score.value:.1f} of 100 ({score.low:.1f} to {score.high:.1f}), level "
                f"{score.level}, as of {score.as_of.isoformat()}"
            ),
            (
                f"{_acts(score.n)} on {_days(score.active_days)} within {_days(score.exposure)} "
                f"observed; {_acts(score.attention)} of attention, counted apart"
            ),
        ]
        if score.level == NEW:
            lines.append(f"Too new for a level; by the score alone it would be {self.standing}.")
        elif score.level == UNKNOWN:
            lines.append(f"Too unsure for a level; by the score alone it would be {self.standing}.")
        if self.next_level is not None:
            step = self.next_level
            more = "1 more act" if step.acts == 1 else f"{step.acts} more acts"
            lines.append(f"Next level: {step.level}, with {more} of kind {step.kind} today.")
        else:
            lines.append(f"Next level: {self.obstacle}.")
        if self.days_left is not None:
            lines.append(
                f"Without further acts, decay takes the level {self.standing} away in "
                f"{_days(self.days_left)}."
            )
        return lines

    def __str__(self) -> str:
        lines = self._summary()
        for family, points in self.score.contributions.items():
            lines.append(f"  {family}: {points:.1f} points")
            lines.extend(
                f"    {_describe(share)}" for share in self.kinds if share.family == family
            )
        rest = [share for share in self.kinds if share.family not in self.score.contributions]
        if rest:
            lines.append("  adds nothing:")
            lines.extend(f"    {_describe(share)}" for share in rest)
        lines.append(_model_line(self.score))
        lines.append("Assumptions:")
        lines.extend(f"- {text}" for text in self.assumptions)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(share.family)}</td><td>{html.escape(share.kind)}</td>"
            f"<td>{share.n}</td><td>{share.counted}</td><td>{share.weight:g}</td>"
            f"<td>{share.points:.1f}</td><td>{html.escape(_ids(share.evidence))}</td></tr>"
            for share in self.kinds
        )
        head = "".join(
            f"<th>{name}</th>"
            for name in ("family", "kind", "acts", "within the cap", "weight", "points", "ids")
        )
        summary = "".join(f"<p>{html.escape(line)}</p>" for line in self._summary())
        notes = "".join(f"<li>{html.escape(text)}</li>" for text in self.assumptions)
        return (
            f"{summary}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{html.escape(_model_line(self.score))}</p><ul>{notes}</ul>"
        )


def explain_acts(
    rules: Rules, acts: Mapping[str, Sequence[Evidence]], *, customer: Id, as_of: datetime
) -> Explanation:
    """Explain the score of one customer from the acts of each kind; at least one act."""
    today = day_of(as_of)
    counts = Counter((kind, day_of(act.time)) for kind in acts for act in acts[kind])
    counterparts = len(
        {act.target for kind in rules.weights for act in acts.get(kind, ())} - {None}
    )

    def score_after(kind: str | None = None, more: int = 0, days: int = 0) -> Score:
        """The score after so many further acts today, or so many days later."""
        after = dict(counts)
        if kind is not None:
            after[kind, today] = after.get((kind, today), 0) + more
        return assess(
            rules,
            after,
            customer=customer,
            as_of=as_of,
            today=today + days,
            counterparts=counterparts,
        )

    def place(score: Score) -> int:
        return rules.standing(score.value, score.active_days, counterparts)

    now = score_after()
    standing = place(now)
    step = _next_level(rules, counts, today, lambda kind, n: place(score_after(kind, n)), standing)
    lost = None
    if standing and rules.half_life is not None:
        lost = _first(lambda days: place(score_after(days=days)) < standing, CENTURY)
    return Explanation(
        score=now,
        standing=rules.levels[standing].name,
        kinds=_shares(rules, acts, counts, now, today),
        next_level=step,
        obstacle="" if step else _obstacle(rules, now, standing, counterparts),
        days_left=lost,
        assumptions=_assumptions(rules, acts),
    )


def _first(holds: Callable[[int], bool], most: int) -> int | None:
    """The least number from 1 to `most` for which it holds, where it holds from there on."""
    if most < 1 or not holds(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _next_level(
    rules: Rules,
    counts: Mapping[tuple[str, int], int],
    today: int,
    place_after: Callable[[str, int], int],
    standing: int,
) -> NextLevel | None:
    """The fewest acts of one kind; among kinds that take as many, the lightest."""
    steps = []
    for kind, weight in rules.weights.items():
        room = rules.cap - counts.get((kind, today), 0)
        acts = _first(lambda n, kind=kind: place_after(kind, n) > standing, room)  # type: ignore[misc]
        if acts is not None:
            steps.append((acts, weight, kind))
    if not steps:
        return None
    acts, _, kind = min(steps)
    return NextLevel(rules.levels[place_after(kind, acts)].name, kind, acts)


def _obstacle(rules: Rules, now: Score, standing: int, counterparts: int) -> str:
    if standing == len(rules.levels) - 1:
        return "there is none above"
    above = rules.levels[standing + 1]
    wants = []
    if now.active_days + 1 < above.active_days:
        wants.append(
            f"{above.active_days} distinct days with acts that count (there are {now.active_days})"
        )
    if counterparts < above.counterparts:
        wants.append(f"acts towards {above.counterparts} people (there are {counterparts})")
    if wants:
        return f"{above.name} takes {' and '.join(wants)}"
    return (
        f"no single kind leads to {above.name} today, at {rules.cap} acts of a kind that count "
        f"on a day"
    )


def _shares(
    rules: Rules,
    acts: Mapping[str, Sequence[Evidence]],
    counts: Mapping[tuple[str, int], int],
    now: Score,
    today: int,
) -> tuple[KindShare, ...]:
    total = add_up(rules, counts, today).activity
    shares = []
    for kind, evidence in acts.items():
        own = {key: count for key, count in counts.items() if key[0] == kind}
        activity = add_up(rules, own, today).activity
        shares.append(
            KindShare(
                kind=kind,
                family=str(rules.families.get(kind, "unknown")),
                weight=rules.weights.get(kind, 0.0),
                n=len(evidence),
                counted=sum(min(count, rules.cap) for count in own.values()),
                activity=activity,
                points=now.value * (activity / total) if total > 0 else 0.0,
                evidence=tuple(
                    sorted(evidence, key=lambda act: (act.time, str(act.id)), reverse=True)
                ),
            )
        )
    return tuple(sorted(shares, key=lambda share: (-share.points, share.kind)))


def _assumptions(rules: Rules, acts: Mapping[str, Sequence[Evidence]]) -> tuple[str, ...]:
    weights = ", ".join(f"{kind} {rules.weights.get(kind, 0):g}" for kind in sorted(acts))
    decay = (
        "Acts do not lose weight with age."
        if rules.half_life is None
        else f"An act loses half its weight in {rules.half_life.total_seconds() / 86400:g} days."
    )
    attention = (
        "Attention (likes, views, follows) has weight in this model."
        if any(str(family) == "attention" for family in rules.scored_families)
        else "Attention (likes, views, follows) adds nothing."
    )
    return (
        (
            "Counted is what the customer did, not what was done to them; automated acts and acts "
            "towards oneself do not count."
        ),
        f"The weights are the model's choice, not measured: {weights}.",
        decay,
        f"At most {rules.cap} acts of one kind count on one UTC day.",
        attention,
        "We have looked since the customer's first own act.",
        (
            "The interval is for the activity to be expected of this customer over the days "
            "observed, not for the future; it takes days as independent of one another."
        ),
    )


def _describe(share: KindShare) -> str:
    capped = "" if share.counted == share.n else f" ({share.counted} within the cap)"
    ids = _ids(share.evidence)
    return (
        f"{share.kind}: {_acts(share.n)}{capped}, {share.points:.1f} points"
        f"{f'; {ids}' if ids else ''}"
    )


def _ids(evidence: Sequence[Evidence]) -> str:
    ids = [str(act.id) for act in evidence if act.id is not None]
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more


def _model_line(score: Score) -> str:
    return f"Model {score.model}, version {score.version}, digest {score.digest}"


def _acts(count: int) -> str:
    return "1 act" if count == 1 else f"{count} acts"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
