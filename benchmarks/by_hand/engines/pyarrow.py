"""Ties and scores in Arrow by hand: columns by pyarrow.compute, sums by Table.group_by."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from by_hand.engines.words import (
    CAP,
    DAY,
    ENGAGEMENT_WEIGHT,
    FAMILIES,
    FAMILY,
    RATE,
    SCORED,
    TIE_RATE,
    TIE_WEIGHT,
    judge,
)


NUMBER = {kind: FAMILIES.index(family) for kind, family in FAMILY.items()}
SUMMED = ["n_ab", "strength_ab", "strength_ba", "balance", *FAMILIES]


def by_word(kind: pa.ChunkedArray, values: dict[str, float], default: float) -> pa.ChunkedArray:
    """The value of each kind."""
    places = pc.fill_null(pc.index_in(kind, pa.array(list(values), kind.type)), len(values))
    return pc.take(pa.array([*values.values(), default]), places)


def fade(time: pa.ChunkedArray) -> pa.ChunkedArray:
    """The decay of each act until the last one."""
    instants = time.cast(pa.int64())
    return pc.exp(pc.multiply(TIE_RATE, pc.subtract(instants, pc.max(instants)).cast(pa.float64())))


def flags(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """What each act adds to the sums of its pair, from forth, weight, family and valence."""
    forth, weight, family = table["forth"], table["weight"], table["family"]
    return {
        "n_ab": forth.cast(pa.int32()),
        "strength_ab": pc.if_else(forth, weight, 0.0),
        "strength_ba": pc.if_else(forth, 0.0, weight),
        "balance": pc.multiply(weight, table["valence"]),
        **{name: pc.equal(family, number).cast(pa.int32()) for number, name in enumerate(FAMILIES)},
    }


def finish_ties(sums: pa.Table) -> pa.Table:
    """The columns that follow from sums."""
    ab, ba, n = sums["strength_ab_sum"], sums["strength_ba_sum"], sums["time_count"]
    weaker, stronger = pc.min_element_wise(ab, ba), pc.max_element_wise(ab, ba)
    strength, balance = pc.add(ab, ba), pc.fill_null(sums["balance_sum"], 0.0)
    rest = n
    for name in FAMILIES:
        rest = pc.subtract(rest, sums[f"{name}_sum"])
    return pa.table(
        {
            "a": sums["a"],
            "b": sums["b"],
            "n_ab": sums["n_ab_sum"],
            "n_ba": pc.subtract(n, sums["n_ab_sum"]),
            "strength_ab": ab,
            "strength_ba": ba,
            "strength": strength,
            "balance": pc.min_element_wise(
                pc.max_element_wise(balance, pc.negate(strength)), strength
            ),
            "reciprocity": pc.if_else(pc.greater(weaker, 0), pc.divide(weaker, stronger), 0.0),
            "first_seen": sums["time_min"],
            "last_seen": sums["time_max"],
            **{name: sums[f"{name}_sum"] for name in FAMILIES},
            "unknown": rest,
        }
    )


def between_two(acts: pa.Table) -> pa.Table:
    """Acts between two people, with their weight and the number of their family."""
    acts = acts.append_column(
        "weight", pc.multiply(fade(acts["time"]), by_word(acts["kind"], TIE_WEIGHT, 0.0))
    )
    acts = acts.append_column("family", by_word(acts["kind"], NUMBER, 6))
    return acts.filter(pc.not_equal(acts["source"], acts["target"]))


SEEN = [("time", "count"), ("time", "min"), ("time", "max")]


def ties_plain(acts: pa.Table) -> pa.Table:
    """Columns first, then one group-by over the two names."""
    acts = between_two(acts)
    acts = acts.append_column("forth", pc.less(acts["source"], acts["target"]))
    columns = pa.table(
        {
            "a": pc.if_else(acts["forth"], acts["source"], acts["target"]),
            "b": pc.if_else(acts["forth"], acts["target"], acts["source"]),
            "time": acts["time"],
            **flags(acts),
        }
    )
    sums = columns.group_by(["a", "b"]).aggregate([*((n, "sum") for n in SUMMED), *SEEN])
    return finish_ties(sums)


def ties_by_numbers(acts: pa.Table) -> pa.Table:
    """Names made into numbers in their order first, then one group-by over one number."""
    acts = between_two(acts)
    ids = pc.unique(pa.chunked_array([*acts["source"].chunks, *acts["target"].chunks]))
    ids = ids.take(pc.sort_indices(ids))
    source = pc.index_in(acts["source"], ids).cast(pa.int64())
    target = pc.index_in(acts["target"], ids).cast(pa.int64())
    acts = acts.append_column("forth", pc.less(source, target))
    first, last = pc.min_element_wise(source, target), pc.max_element_wise(source, target)
    pair = pc.add(pc.multiply(first, len(ids)), last)
    columns = pa.table({"pair": pair, "time": acts["time"], **flags(acts)})
    sums = columns.group_by("pair").aggregate([*((n, "sum") for n in SUMMED), *SEEN])
    a = pc.divide(sums["pair"], len(ids))
    b = pc.subtract(sums["pair"], pc.multiply(a, len(ids)))
    sums = sums.append_column("a", pc.take(ids, a)).append_column("b", pc.take(ids, b))
    return finish_ties(sums)


def scores(acts: pa.Table) -> pa.Table:
    """Counts by customer, kind and day; then days; then customers; then the formula."""
    day = pc.divide(acts["time"].cast(pa.int64()), DAY)
    rows = pa.table(
        {
            "source": acts["source"],
            "kind": acts["kind"],
            "age": pc.subtract(pc.max(day), day),
        }
    )
    others = pc.fill_null(pc.not_equal(acts["source"], acts["target"]), fill_value=True)
    counts = rows.filter(others).group_by(["source", "kind", "age"]).aggregate([([], "count_all")])
    return _finish_scores(counts)


def scores_by_numbers(acts: pa.Table) -> pa.Table:
    """Customers and kinds made into numbers first, so that acts are counted by one number."""
    day = pc.divide(acts["time"].cast(pa.int64()), DAY)
    age = pc.subtract(pc.max(day), day)
    ids, words, ages = pc.unique(acts["source"]), pc.unique(acts["kind"]), pc.max(age).as_py() + 1
    source = pc.index_in(acts["source"], ids).cast(pa.int64())
    kind = pc.index_in(acts["kind"], words).cast(pa.int64())
    key = pc.add(pc.multiply(pc.add(pc.multiply(source, len(words)), kind), ages), age)
    others = pc.fill_null(pc.not_equal(acts["source"], acts["target"]), fill_value=True)
    counts = pa.table({"key": key}).filter(others).group_by("key").aggregate([([], "count_all")])
    rest = pc.divide(counts["key"], ages)
    source = pc.divide(rest, len(words))
    numbered = pa.table(
        {
            "source": source,
            "kind": pc.take(words, pc.subtract(rest, pc.multiply(source, len(words)))),
            "age": pc.subtract(counts["key"], pc.multiply(rest, ages)),
            "count_all": counts["count_all"],
        }
    )
    scored = _finish_scores(numbered)
    named = scored.set_column(0, "customer", pc.take(ids, scored["customer"]))
    return named.sort_by("customer")


def _finish_scores(counts: pa.Table) -> pa.Table:
    """From counts by customer, kind and age on."""
    m, age, kind = counts["count_all"], counts["age"], counts["kind"]
    weight, family = by_word(kind, ENGAGEMENT_WEIGHT, 0.0), by_word(kind, NUMBER, 6)
    fades = pc.power(2.0, pc.multiply(age.cast(pa.float64()), RATE))
    faded = pc.multiply(pc.multiply(weight, pc.min_element_wise(m, CAP)), fades)
    days = (
        pa.table(
            {
                "source": counts["source"],
                "age": age,
                "faded": faded,
                "n": pc.if_else(pc.greater(weight, 0), m, 0),
                "attention": pc.if_else(pc.equal(family, 0), m, 0),
                **{
                    name: pc.if_else(pc.equal(family, FAMILIES.index(name)), faded, 0.0)
                    for name in SCORED
                },
            }
        )
        .group_by(["source", "age"])
        .aggregate([(name, "sum") for name in ("faded", "n", "attention", *SCORED)])
    )
    whole, age = days["faded_sum"], days["age"].cast(pa.float64())
    days = (
        days.append_column("squares_sum", pc.multiply(whole, whole))
        .append_column("recent_sum", pc.multiply(whole, pc.power(2.0, pc.multiply(age, RATE))))
        .append_column("active_days_sum", pc.greater(days["n_sum"], 0).cast(pa.int64()))
    )
    names = ("squares", "recent", "active_days", "n", "attention", *SCORED)
    customers = days.group_by("source").aggregate(
        [("age", "max"), *((f"{name}_sum", "sum") for name in names)]
    )
    sums = {name: customers[f"{name}_sum_sum"].to_numpy() for name in names}
    columns = judge({**sums, "oldest": customers["age_max"].to_numpy()})
    level = pa.array(columns.pop("level").astype(object), pa.string())
    table = pa.table({"customer": customers["source"], **columns, "level": level})
    return table.select(ORDER).sort_by("customer")


ORDER = [
    *("customer", "score", "low", "high", "n", "exposure", "active_days", "level"),
    *(*SCORED, "attention"),
]
TIES = {"plain": ties_plain, "by_numbers": ties_by_numbers}
SCORES = {"three_steps": scores, "by_numbers": scores_by_numbers}
