"""Ties and scores in SQL, for DuckDB and for Spark, which differ in how they read a time.

Each statement reads from a table called ``acts`` with the columns time, source, target, kind
and valence. Names of functions differ, so a dialect says what a time is in microseconds.
"""

from __future__ import annotations

from attrs import frozen

from by_hand.engines.words import (
    CAP,
    DAY,
    ENGAGEMENT_WEIGHT,
    FAMILIES,
    FAMILY,
    RATE,
    REST,
    SCORED,
    TIE_RATE,
    TIE_WEIGHT,
    Z,
)


@frozen
class Dialect:
    """How an engine says what SQL leaves open."""

    micros: str
    day: str
    float: str
    values: str


DUCKDB = Dialect("epoch_us({})", f"(epoch_us({{}}) // {DAY})", "double", "(values {}) k({})")
SPARK = Dialect(
    "unix_micros({})", "unix_date(to_date({}))", "double", "(select * from values {} as k({}))"
)


def case(values: dict[str, object], default: object, column: str = "kind") -> str:
    """A CASE with one branch for each value that differs from the default."""
    groups: dict[object, list[str]] = {}
    for word, value in values.items():
        if value != default:
            groups.setdefault(value, []).append(word)
    branches = " ".join(
        f"when {column} in ({', '.join(map(repr, words))}) then {value}"
        for value, words in groups.items()
    )
    return f"case {branches} else {default} end"


NUMBER = {kind: FAMILIES.index(family) for kind, family in FAMILY.items()}
ROWS = ", ".join(
    f"('{kind}', cast({TIE_WEIGHT[kind]} as double), {NUMBER[kind]})" for kind in FAMILY
)


def finish_ties(sums: str) -> str:
    """The columns of ties that follow from sums."""
    strength = "strength_ab + strength_ba"
    families = ", ".join(f"cast({name} as bigint) as {name}" for name in FAMILIES)
    return f"""
        select a, b, cast(n_ab as bigint) as n_ab, cast(n - n_ab as bigint) as n_ba,
            strength_ab, strength_ba, {strength} as strength,
            least(greatest(coalesce(balance, 0), -({strength})), {strength}) as balance,
            case when least(strength_ab, strength_ba) > 0
                then least(strength_ab, strength_ba) / greatest(strength_ab, strength_ba)
                else 0 end as reciprocity,
            first_seen, last_seen, {families},
            cast(n - {" - ".join(FAMILIES)} as bigint) as unknown
        from ({sums})"""


def weighed(dialect: Dialect, *, by_join: bool = False, columns: str = "") -> str:
    """Each act between two people with its weight and the number of its family."""
    fade = f"exp({TIE_RATE!r} * ({dialect.micros.format('time')} - last))"
    last = f"(select {dialect.micros.format('max(time)')} as last from acts)"
    if by_join:
        names = dialect.values.format(ROWS, "word, w, f")
        source = f"acts cross join {last} left join {names} on kind = word"
        weight, family = "coalesce(w, 0)", "coalesce(f, 6)"
    else:
        source = f"acts cross join {last}"
        weight = f"cast({case(TIE_WEIGHT, 0.0)} as double)"
        family = case(NUMBER, 6)
    return f"""select source, target, time, valence, {fade} * {weight} as weight,
        {family} as family {columns} from {source} where source <> target"""


PAIR = """, least(source, target) as a, greatest(source, target) as b,
    source < target as forth"""


def ties_filtered(dialect: Dialect, *, by_join: bool = False) -> str:
    """Conditions in the aggregation, as one would write it first."""
    families = ", ".join(
        f"count(*) filter (where family = {number}) as {name}"
        for number, name in enumerate(FAMILIES)
    )
    return finish_ties(f"""
        select a, b, count(*) as n, count(*) filter (where forth) as n_ab,
            coalesce(sum(weight) filter (where forth), 0) as strength_ab,
            coalesce(sum(weight) filter (where not forth), 0) as strength_ba,
            sum(weight * valence) as balance, min(time) as first_seen, max(time) as last_seen,
            {families}
        from ({weighed(dialect, by_join=by_join, columns=PAIR)}) group by a, b""")


def ties_joined(dialect: Dialect) -> str:
    """The same with the kinds as a table that is joined."""
    return ties_filtered(dialect, by_join=True)


def ties_flagged(dialect: Dialect) -> str:
    """Everything as columns first, then plain sums."""
    families = ", ".join(
        f"cast(family = {number} as int) as {name}" for number, name in enumerate(FAMILIES)
    )
    sums = ", ".join(f"sum({name}) as {name}" for name in FAMILIES)
    return finish_ties(f"""
        select a, b, count(*) as n, sum(n_ab) as n_ab, sum(strength_ab) as strength_ab,
            sum(strength_ba) as strength_ba, sum(balance) as balance,
            min(time) as first_seen, max(time) as last_seen, {sums}
        from (select a, b, time, cast(forth as int) as n_ab,
                case when forth then weight else 0 end as strength_ab,
                case when forth then 0 else weight end as strength_ba,
                weight * valence as balance, {families}
            from ({weighed(dialect, columns=PAIR)})) group by a, b""")


def ties_directed(dialect: Dialect) -> str:
    """Each direction first, then the two directions of each pair."""
    families = ", ".join(
        f"count(*) filter (where family = {number}) as {name}"
        for number, name in enumerate(FAMILIES)
    )
    sums = ", ".join(f"sum({name}) as {name}" for name in FAMILIES)
    return finish_ties(f"""
        select least(source, target) as a, greatest(source, target) as b, sum(m) as n,
            sum(case when source < target then m else 0 end) as n_ab,
            sum(case when source < target then weight else 0 end) as strength_ab,
            sum(case when source < target then 0 else weight end) as strength_ba,
            sum(balance) as balance, min(first_seen) as first_seen, max(last_seen) as last_seen,
            {sums}
        from (select source, target, count(*) as m, sum(weight) as weight,
                sum(weight * valence) as balance, min(time) as first_seen,
                max(time) as last_seen, {families}
            from ({weighed(dialect)}) group by source, target)
        group by least(source, target), greatest(source, target)""")


def scores(dialect: Dialect) -> str:
    """Counts by customer, kind and day; then days; then customers; then the formula."""
    weight = f"cast({case(ENGAGEMENT_WEIGHT, 0.0)} as double)"
    sums = ", ".join(f"sum({name}) as {name}" for name in (*SCORED, "n", "attention"))
    by_family = ", ".join(
        f"sum(case when family = {FAMILIES.index(name)} then amount * fade else 0 end) as {name}"
        for name in SCORED
    )
    return finish_scores(f"""
        select source, max(age) + 1 as exposure, sum(amount * fade * amount * fade) as squares,
            sum(amount * fade * fade) as recent,
            sum(case when n > 0 then 1 else 0 end) as active_days, {sums}
        from (select source, age, max(fade) as fade, sum(amount) as amount, {by_family},
                sum(case when weight > 0 then m else 0 end) as n,
                sum(case when family = 0 then m else 0 end) as attention
            from (select *, pow(2, age * {RATE!r}) as fade, weight * least(m, {CAP}) as amount
                from (select source, m, today - day as age, {case(NUMBER, 6)} as family,
                        {weight} as weight
                    from (select source, kind, {dialect.day.format("time")} as day,
                            count(*) as m
                        from acts where target is null or source <> target
                        group by source, kind, {dialect.day.format("time")})
                    cross join (select {dialect.day.format("max(time)")} as today from acts)))
            group by source, age)
        group by source""")


def scores_pivoted(dialect: Dialect) -> str:
    """Counts of each kind as columns of a day; then customers; then the formula."""
    kinds = list(ENGAGEMENT_WEIGHT)
    counts = ", ".join(
        f"sum(case when kind = '{kind}' then 1 else 0 end) as {kind}_n" for kind in kinds
    )
    attention = ", ".join(repr(kind) for kind, family in FAMILY.items() if family == "attention")

    def amount(wanted: list[str]) -> str:
        terms = (f"{ENGAGEMENT_WEIGHT[kind]} * least({kind}_n, {CAP})" for kind in wanted)
        return f"cast({' + '.join(terms)} as double)"

    families = ", ".join(
        f"{amount([kind for kind in kinds if FAMILY[kind] == name])} as {name}" for name in SCORED
    )
    sums = ", ".join(f"sum({name} * fade) as {name}" for name in SCORED)
    whole = " + ".join(f"{name} * fade" for name in SCORED)
    return finish_scores(f"""
        select source, max(age) + 1 as exposure, sum(({whole}) * ({whole})) as squares,
            sum(({whole}) * fade) as recent,
            sum(case when n > 0 then 1 else 0 end) as active_days, {sums}, sum(n) as n,
            sum(attention) as attention
        from (select source, today - day as age, pow(2, (today - day) * {RATE!r}) as fade,
                {families}, {" + ".join(f"{kind}_n" for kind in kinds)} as n, attention
            from (select source, {dialect.day.format("time")} as day, {counts},
                    sum(case when kind in ({attention}) then 1 else 0 end) as attention
                from acts where target is null or source <> target
                group by source, {dialect.day.format("time")})
            cross join (select {dialect.day.format("max(time)")} as today from acts))
        group by source""")


def finish_scores(customers: str) -> str:
    """Points, intervals and levels from the sums of each customer."""
    parts = ", ".join(
        f"case when activity > 0 then points * ({name} / activity) else 0 end as {name}"
        for name in SCORED
    )
    kept = "source, n, exposure, active_days, attention"

    def quantile(shape: str, z: float) -> str:
        root = f"(1 - 1 / (9 * {shape}) + {z!r} / (3 * sqrt({shape})))"
        return f"piece * {shape} * pow(greatest({root}, 0), 3)"

    def points(amount: str) -> str:
        return f"({amount}) / (({amount}) + 20) * 100"

    def level(value: str) -> str:
        return f"""case when {value} >= 80 and active_days >= 24 then 3
            when {value} >= 50 and active_days >= 8 then 2 when {value} >= 20 then 1 else 0 end"""

    families = ", ".join(SCORED)
    return f"""
        select source as customer, score, low, high, cast(n as bigint) as n,
            cast(exposure as bigint) as exposure, cast(active_days as bigint) as active_days,
            case when exposure < 14 then 'new' when {level("high")} - {level("low")} > 1
                then 'unknown'
                else case {level("score")} when 3 then 'devoted' when 2 then 'regular'
                    when 1 then 'occasional' else 'quiet' end end as level,
            {families}, cast(attention as bigint) as attention
        from (select *, {" + ".join(SCORED)} as score from (
            select {kept}, {points("low")} as low, {points("high")} as high, {parts} from (
            select *, {points("activity")} as points, {quantile("few", -Z)} as low,
                {quantile("many", Z)} as high
            from (select *, activity / piece + 1e-12 as few, activity / piece + 1 + 1e-12 as many
            from (select *, ((squares - recent * recent / (days * gathered)
                    * (1 - gathered / days)) / gathered + 4.0) / (activity + 2.0)
                    * gathered as piece
            from (select *, (1 + pow({REST!r}, exposure)) / {1 + REST!r} as gathered,
                (1 - pow({REST!r}, exposure)) / {1 - REST!r} as days,
                {" + ".join(SCORED)} as activity
            from ({customers})))))))"""


TIES = {
    "filtered": ties_filtered,
    "joined": ties_joined,
    "flagged": ties_flagged,
    "directed": ties_directed,
}
SCORES = {"three_steps": scores, "pivoted": scores_pivoted}
