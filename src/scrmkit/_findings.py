"""The parts of a page about ties and engagement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit import _tables, engagement, plots
from scrmkit._page import Exhibit, Kind, Section, count, number, sentence, table
from scrmkit._scoring import Rules
from scrmkit._sections import DRAWN, Subject, day, fading, moment, rows_of, top
from scrmkit._svg import inline
from scrmkit.engagement import EngagementModel
from scrmkit.interactions import Family
from scrmkit.relationships import Ties


_PAIR: Final = ["a", "b"]
_REASONS: Final = {
    "automated": "done by a system",
    "nobody": "without a source or a target",
    "self": "of somebody towards themself",
    "weightless": "of a kind that weighs nothing",
}
_SHARED: Final = {"thread": "thread", "about": "subject"}


def ties(subject: Subject, found: Ties) -> Section:
    """Who is tied to whom, which ties cool down, and which are bad."""
    rows = rows_of(found)
    tied = rows.filter(nw.col("strength") > 0)
    if not len(tied):
        return Section("ties", "Ties", lead=(_no_ties(rows),))
    exhibits = [_strongest(subject, found, tied)]
    if subject.half_life is not None:
        exhibits.append(_cooling(subject, rows))
    if "balance" in rows.columns and (worst := rows.filter(nw.col("balance") < 0)).shape[0]:
        exhibits.append(_soured(subject, worst))
    if any(found.left_out.values()) or getattr(found, "left_out_groups", None):
        exhibits.append(_left_out(found))
    people = {*tied["a"].to_list(), *tied["b"].to_list()}
    first = top(tied, "strength", _PAIR, 1)[0]
    return Section(
        "ties",
        "Ties",
        exhibits=tuple(exhibits),
        short=(
            sentence(
                f"{count(len(people), 'customer')} are joined by {count(len(tied), 'tie')}; the "
                f"strongest, {number(first['strength'])}, is between {{}} and {{}}.",
                subject.names.get(first["a"], first["a"]),
                subject.names.get(first["b"], first["b"]),
            ),
        ),
    )


def _no_ties(rows: nw.DataFrame[Any]) -> str:
    if len(rows):
        return (
            f"{count(len(rows), 'pair')} interacted, but only in ways that weigh nothing in ties "
            f"(attention, transactions, unknown kinds). Give a kind weight to see its ties."
        )
    return "Nobody interacted with anybody else, so there are no ties."


def _strongest(subject: Subject, found: Ties, tied: nw.DataFrame[Any]) -> Exhibit:
    mutual = "strength_ab" in tied.columns
    best = top(tied, "strength", _PAIR)
    head: dict[str, Kind] = {"one": "who", "the other": "who", "strength": "number"}
    if mutual:
        head |= {"from one": "number", "from the other": "number", "acts": "number"}
        meaning = (
            f"Strength is what the acts of two customers towards each other add up to, each by "
            f"the weight of its kind, {subject.decay}."
        )
        cells: tuple[str, ...] = ("strength", "strength_ab", "strength_ba", "acts")
        acts = int(tied["n_ab"].sum() + tied["n_ba"].sum())
        sure = (
            f"A sum, not an estimate: exact for the {count(acts, 'act')} of these "
            f"{count(len(tied), 'tie')} at {moment(subject.as_of)}, and blind to what is not in "
            f"the log."
        )
    else:
        thing = _SHARED[subject.together or "about"]
        head |= {f"{thing}s in common": "number"}
        meaning = (
            f"Strength is what the {thing}s that two customers have in common add up "
            f"to, each by 1 over the number of the others who were there, {subject.decay}."
        )
        cells = ("strength", "n")
        sure = (
            f"A sum, not an estimate: exact for these {count(len(tied), 'tie')} at "
            f"{moment(subject.as_of)}. That two had a {thing} in common does not say "
            f"that they spoke."
        )
    head |= {"last seen": "date"}
    rows = []
    for row in best:
        if mutual:
            row["acts"] = row["n_ab"] + row["n_ba"]
        rows.append((row["a"], row["b"], *(row[name] for name in cells), day(row["last_seen"])))
    picture = inline(
        plots.ties(found, k=DRAWN, names=subject.names),
        key="ties",
        title=f"The {min(DRAWN, len(best))} strongest ties",
        description="Bars as long as the strength of each tie; the table has the same numbers.",
    )
    return Exhibit(
        title="The strongest ties",
        meaning=meaning,
        sure=sure,
        picture=picture,
        tables=(table(f"The {len(rows)} strongest of {count(len(tied), 'tie')}", head, rows),),
        notes=tuple(found.notes),
    )


def _left_out(found: Ties) -> Exhibit:
    """What made no tie, and why."""
    rows = [(_REASONS.get(reason, reason), n) for reason, n in found.left_out.items() if n]
    tables = [table("Acts that make no tie", {"which": "text", "acts": "number"}, rows)]
    larger = getattr(found, "left_out_groups", {})
    too_large = (
        f"{count(len(larger), 'group')} of more than {found.parameters.get('max_size', 500)} "
        f"people made no ties: being one of so many says nothing."
    )
    return Exhibit(
        title="What makes no tie",
        meaning="Acts that are in the log and in the counts above, but join no two customers.",
        sure="A count of all accepted acts.",
        tables=tuple(tables) if rows else (),
        notes=(too_large,) if larger else (),
    )


def _cooling(subject: Subject, rows: nw.DataFrame[Any]) -> Exhibit:
    """The ties that lost most over the last half-life."""
    span = subject.half_life or timedelta(0)
    before = subject.as_of - span
    title = "Ties that cool down"
    meaning = (
        f"The ties that lost the most strength between {day(before)} and {day(subject.as_of)}, "
        f"one half-life: a tie without a new act keeps half."
    )
    earlier = rows_of(subject.ties(before)).select(*_PAIR, nw.col("strength").alias("then"))
    if not len(earlier):
        return Exhibit(
            title=title,
            meaning=meaning,
            sure=(
                f"Nothing is known of the time before {day(before)}: the log is younger than one "
                f"half-life, so nothing can have cooled down. A shorter half-life would tell more."
            ),
        )
    both = earlier.join(rows.select(*_PAIR, "strength", "last_seen"), on=_PAIR, how="inner")
    lost = both.with_columns(lost=nw.col("then") - nw.col("strength")).filter(nw.col("lost") > 1e-9)
    silent = lost.filter(nw.col("last_seen") <= nw.lit(before))
    best = top(lost, "lost", _PAIR)
    return Exhibit(
        title=title,
        meaning=meaning,
        sure=(
            f"Exact sums at two instants: of {count(len(earlier), 'pair')} known by {day(before)}, "
            f"{len(lost):,} are weaker now, {len(silent):,} of them without a single act since. "
            f"Why they fell silent the log does not say."
        ),
        tables=(
            table(
                "The largest losses",
                {
                    "one": "who",
                    "the other": "who",
                    day(before): "number",
                    day(subject.as_of): "number",
                    "lost": "number",
                    "last seen": "date",
                },
                [
                    (
                        *(row[name] for name in ("a", "b", "then", "strength", "lost")),
                        day(row["last_seen"]),
                    )
                    for row in best
                ],
            ),
        )
        if best
        else (),
    )


def _soured(subject: Subject, bad: nw.DataFrame[Any]) -> Exhibit:
    """The ties in which the bad outweighs the good."""
    worst = bad.with_columns(badness=0.0 - nw.col("balance"))
    return Exhibit(
        title="Ties that are bad",
        meaning=(
            f"Balance is strength with each act times how good or bad it was (1 to -1), "
            f"{subject.decay}: below 0 the bad outweighs the good."
        ),
        sure=(
            f"Exact sums; {count(len(bad), 'tie')} have a balance below 0. Acts whose valence "
            f"nobody recorded add nothing to it."
        ),
        tables=(
            table(
                "The lowest balances",
                {
                    "one": "who",
                    "the other": "who",
                    "balance": "number",
                    "strength": "number",
                    "last seen": "date",
                },
                [
                    (row["a"], row["b"], row["balance"], row["strength"], day(row["last_seen"]))
                    for row in top(worst, "badness", _PAIR, DRAWN)
                ],
            ),
        ),
    )


def engaged(subject: Subject) -> Section:
    """How engaged customers are, and why."""
    model = subject.model or EngagementModel(half_life=subject.half_life)
    rules = Rules.of(model, subject.log.vocabulary)
    found = engagement.score(subject.log, as_of=subject.as_of, model=model)
    rows = rows_of(found)
    title = "Engagement"
    if not len(rows):
        return Section("engagement", title, lead=("Nobody did anything of their own.",))
    best = top(rows, "score", ["customer"])
    spread = float((rows["high"] - rows["low"]).median() or 0.0)
    unsure = int(rows["level"].is_in(["new", "unknown"]).sum())
    families = [
        name
        for name in (*map(str, Family), "attention_points")
        if name in rows.columns and name != Family.ATTENTION and any(row[name] > 0 for row in best)
    ]
    attention = [str(Family.ATTENTION)] if any(row["attention"] for row in best) else []
    picture = inline(
        plots.engagement(rows, k=DRAWN, names=subject.names),
        key="engagement",
        title="How engagement is distributed",
        description=(
            f"{count(len(rows), 'customer')} by score in tens, and the {min(DRAWN, len(rows))} "
            f"most engaged with their intervals; the tables have the numbers."
        ),
    )
    levels = [level.name for level in rules.levels]
    levels = [*reversed(levels), "unknown", "new"]
    numbers = dict(zip(*_tally(rows, "level"), strict=True))
    confidence = getattr(model, "confidence", None)
    surely = "as the model has it" if confidence is None else f"with {100 * confidence:g} %"
    interval = (
        f"Low and high bound, {surely}, the activity to be expected of a customer over "
        f"the days observed, not the future"
    )
    parameters = found.parameters
    return Section(
        "engagement",
        title,
        made={
            "engagement model": f"{parameters['model']}, version {parameters['model_version']}, "
            f"digest {parameters['model_digest']}"
        },
        exhibits=(
            Exhibit(
                title="How engaged customers are",
                meaning=(
                    f"A score from 0 to 100 for what each customer did: acts by the weight of "
                    f"their kind, at most {rules.cap} of a kind a day, {fading(rules.half_life)}; "
                    f"it does not depend on anybody else."
                ),
                sure=(
                    f"{interval}; half of the {count(len(rows), 'customer')} have an interval of "
                    f"more than {spread:.1f} points. The level is new below "
                    f"{rules.new_below} days of exposure, and unknown where the interval spans "
                    f"more than neighbouring levels: {count(unsure, 'customer')}."
                ),
                picture=picture,
                tables=(
                    table(
                        "Customers by level",
                        {
                            "level": "text",
                            "from a score of": "number",
                            "customers": "number",
                            "share": "number",
                        },
                        [
                            (
                                name,
                                next(
                                    (one.at_least for one in rules.levels if one.name == name), None
                                ),
                                numbers.get(name, 0),
                                f"{100 * numbers.get(name, 0) / len(rows):.1f} %",
                            )
                            for name in levels
                        ],
                    ),
                ),
            ),
            Exhibit(
                title="The most engaged, and why",
                meaning=(
                    f"The score is the sum of the points from each family; a family that gives "
                    f"none of them a point has no column."
                    f"{' Attention is a number of acts, not of points.' if attention else ''}"
                ),
                sure=f"{interval}; n is the number of acts that count.",
                tables=(
                    table(
                        f"The {len(best)} most engaged of {count(len(rows), 'customer')}",
                        {
                            "customer": "who",
                            "score": "number",
                            "low to high": "number",
                            "level": "text",
                            "n": "number",
                            "active days": "number",
                            **{name.replace("_", " "): "number" for name in families},
                            **dict.fromkeys(attention, "number"),
                        },
                        [
                            (
                                row["customer"],
                                f"{row['score']:.1f}",
                                f"{row['low']:.0f} to {row['high']:.0f}",
                                row["level"],
                                row["n"],
                                row["active_days"],
                                *(f"{row[name]:.1f}" for name in families),
                                *(row[name] for name in attention),
                            )
                            for row in best
                        ],
                    ),
                ),
            ),
        ),
        short=(_engaged_in_short(rows, numbers),),
    )


def _engaged_in_short(rows: nw.DataFrame[Any], numbers: dict[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
    parts = ", ".join(f"{n:,} {name}" for name, n in ordered)
    return (
        f"{count(len(rows), 'customer')} did something themselves; by level of engagement they are "
        f"{parts}."
    )


def _tally(rows: nw.DataFrame[Any], column: str) -> tuple[list[Any], list[int]]:
    counted = _tables.aggregate(rows.lazy(), [column], n=(column, "len")).collect()
    return counted[column].to_list(), counted["n"].to_list()
