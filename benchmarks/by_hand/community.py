"""Ties and engagement scores of a community's log in Polars by hand, without validation.

Each form takes a frame with `time` (UTC), `kind`, `source` and `target`, of which it knows the
four kinds, and gives the ties and the scores of its last instant: the same columns with the
same values as `relationships.measure` and `engagement.score`. `FORMS` has them all; the
fastest one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl


TIE_WEIGHTS = {"question": 1.0, "answer": 2.0, "comment": 1.0, "like": 0.0}
ACT_WEIGHTS = {"question": 1.0, "answer": 3.0, "comment": 1.0}
HALF_LIFE_DAYS = 90
CAP = 5
Z = 1.6448536269514722

Both = tuple[pl.DataFrame, pl.DataFrame]


def texts(acts: pl.DataFrame) -> Both:
    """Everything by the texts of the ids, one after the other."""
    ties = finish_ties(add_pairs(acts))
    scores = finish_scores(add_days(acts, "source"), acts["time"].max())
    return ties.collect(engine="streaming"), scores.sort("customer").collect(engine="streaming")


def at_once(acts: pl.DataFrame) -> Both:
    """The same, in one go."""
    ties = finish_ties(add_pairs(acts))
    scores = finish_scores(add_days(acts, "source"), acts["time"].max()).sort("customer")
    return tuple(pl.collect_all([ties, scores], engine="streaming"))


def in_memory(acts: pl.DataFrame) -> Both:
    """The same, without the engine for what is larger than memory."""
    ties = finish_ties(add_pairs(acts))
    scores = finish_scores(add_days(acts, "source"), acts["time"].max()).sort("customer")
    return tuple(pl.collect_all([ties, scores]))


def numbers(acts: pl.DataFrame) -> Both:
    """Ids as their places in their order first, so that all grouping is by numbers."""
    ids = pl.concat([acts["source"], acts["target"]]).drop_nulls().unique().sort()
    places = pl.Enum(ids)
    coded = acts.select("time", "kind", pl.col("source", "target").cast(places).to_physical())
    ties = finish_ties(add_pairs(coded)).with_columns(
        pl.col("a", "b").cat.to(places).cast(pl.String)
    )
    scores = (
        finish_scores(add_days(coded, "source"), acts["time"].max())
        .sort("customer")
        .with_columns(pl.col("customer").cat.to(places).cast(pl.String))
    )
    return ties.collect(engine="streaming"), scores.collect(engine="streaming")


def pair_numbers(acts: pl.DataFrame) -> Both:
    """As `numbers`, with one number for each pair."""
    ids = pl.concat([acts["source"], acts["target"]]).drop_nulls().unique().sort()
    places = pl.Enum(ids)
    coded = acts.select(
        "time", "kind", pl.col("source", "target").cast(places).to_physical().cast(pl.Int64)
    )
    a, b = pl.min_horizontal("source", "target"), pl.max_horizontal("source", "target")
    pairs = add_pairs(coded, pair=a * 2**32 + b)
    ties = finish_ties(
        pairs.with_columns(a=pl.col("pair") // 2**32, b=pl.col("pair") % 2**32)
    ).with_columns(pl.col("a", "b").cast(pl.UInt32).cat.to(places).cast(pl.String))
    scores = (
        finish_scores(add_days(coded, "source"), acts["time"].max())
        .sort("customer")
        .with_columns(pl.col("customer").cast(pl.UInt32).cat.to(places).cast(pl.String))
    )
    return ties.collect(engine="streaming"), scores.collect(engine="streaming")


def add_pairs(acts: pl.DataFrame, pair: pl.Expr | None = None) -> pl.LazyFrame:
    """The sums of each pair, keyed by its two ends or by one number."""
    forth, kind, fade = pl.col("source") < pl.col("target"), pl.col("kind"), pl.col("fade")
    last = acts["time"].max().timestamp() * 1e6
    age = pl.col("time").dt.timestamp("us") - last
    keys = {
        "a": pl.when(forth).then("source").otherwise("target"),
        "b": pl.when(forth).then("target").otherwise("source"),
    }
    if pair is not None:
        keys = {"pair": pair}
    weight = fade * (
        pl.when(kind == "like").then(0.0).when(kind == "answer").then(2.0).otherwise(1.0)
    )
    return (
        acts.lazy()
        .filter(pl.col("source") != pl.col("target"))
        .select(
            "time",
            "kind",
            **keys,
            forth=forth,
            fade=(age * (0.6931471805599453 / (HALF_LIFE_DAYS * 86400e6))).exp(),
        )
        .select(
            "time",
            *keys,
            n_ab=pl.col("forth").cast(pl.UInt32),
            strength_ab=pl.when("forth").then(weight).otherwise(0.0),
            strength_ba=pl.when("forth").then(0.0).otherwise(weight),
            attention=(kind == "like").cast(pl.UInt32),
            contribution=(kind == "answer").cast(pl.UInt32),
        )
        .group_by(*keys)
        .agg(
            pl.col("n_ab", "strength_ab", "strength_ba", "attention", "contribution").sum(),
            n=pl.len(),
            first_seen=pl.col("time").min(),
            last_seen=pl.col("time").max(),
        )
    )


def finish_ties(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """The columns that follow from the sums of each pair."""
    ab, ba = pl.col("strength_ab"), pl.col("strength_ba")
    n, weaker = pl.col("n").cast(pl.Int64), pl.min_horizontal(ab, ba)
    nothing = pl.lit(0, pl.Int64)
    return pairs.select(
        "a",
        "b",
        pl.col("n_ab").cast(pl.Int64),
        n_ba=n - pl.col("n_ab"),
        strength_ab=ab,
        strength_ba=ba,
        strength=ab + ba,
        balance=pl.lit(0.0),
        reciprocity=pl.when(weaker > 0).then(weaker / pl.max_horizontal(ab, ba)).otherwise(0.0),
        first_seen="first_seen",
        last_seen="last_seen",
        attention=pl.col("attention").cast(pl.Int64),
        conversation=n - pl.col("attention") - pl.col("contribution"),
        contribution=pl.col("contribution").cast(pl.Int64),
        advocacy=nothing,
        transaction=nothing,
        service=nothing,
        unknown=nothing,
    )


def add_days(acts: pl.DataFrame, who: str) -> pl.LazyFrame:
    """How many acts of each kind each customer did on each day."""
    kind = pl.col("kind")
    return (
        acts.lazy()
        .filter(pl.col("source").ne_missing(pl.col("target")))
        .select(
            customer=who,
            day=pl.col("time").dt.epoch("d"),
            **{name: (kind == name).cast(pl.UInt32) for name in TIE_WEIGHTS},
        )
        .group_by("customer", "day")
        .agg(pl.col(*TIE_WEIGHTS).sum())
    )


def finish_scores(days: pl.LazyFrame, last: datetime) -> pl.LazyFrame:
    """Scores from the acts of each day, with the numbers of the default model."""
    rest = 2.0 ** (-1 / HALF_LIFE_DAYS)
    fade, amount, activity = (pl.col(name) for name in ("fade", "amount", "activity"))
    exposure = pl.col("exposure").cast(pl.Float64)
    gathered = (1 + rest**exposure) / (1 + rest)
    span = (1 - rest**exposure) / (1 - rest)
    between = pl.col("squares") - pl.col("recent").pow(2) / (span * gathered) * (
        1 - gathered / span
    )
    dispersion = (between / gathered + 4.0) / (activity + 2.0)
    pieces = activity / pl.col("piece")
    capped = {name: pl.col(name).clip(upper_bound=CAP) for name in ACT_WEIGHTS}
    names = {0: "quiet", 1: "occasional", 2: "regular", 3: "devoted"}

    def quantile(shape: pl.Expr, z: float) -> pl.Expr:
        shape = shape + 1e-12
        root = (1 - 1 / (9 * shape) + z / (3 * shape.sqrt())).clip(lower_bound=0)
        return pl.col("piece") * shape * root**3

    def points(amount: pl.Expr) -> pl.Expr:
        return amount / (amount + 20) * 100

    def level(value: pl.Expr) -> pl.Expr:
        active = pl.col("active_days")
        return (
            pl.when((value >= 80) & (active >= 24))
            .then(3)
            .when((value >= 50) & (active >= 8))
            .then(2)
            .when(value >= 20)
            .then(1)
            .otherwise(0)
        )

    customers = (
        days.with_columns(age=pl.lit(last).dt.epoch("d") - pl.col("day"))
        .with_columns(fade=rest ** pl.col("age"))
        .select(
            "customer",
            "age",
            "fade",
            n=pl.sum_horizontal(*ACT_WEIGHTS),
            attention=pl.col("like"),
            conversation=(capped["question"] + capped["comment"]) * fade,
            contribution=capped["answer"] * 3.0 * fade,
        )
        .with_columns(amount=pl.col("conversation") + pl.col("contribution"))
        .group_by("customer")
        .agg(
            pl.col("n", "attention", "conversation", "contribution").sum(),
            squares=(amount * amount).sum(),
            recent=(amount * fade).sum(),
            active_days=(pl.col("n") > 0).sum(),
            exposure=pl.col("age").max() + 1,
        )
    )
    parts = ("conversation", "contribution")
    return (
        customers.with_columns(activity=pl.col("conversation") + pl.col("contribution"))
        .with_columns(piece=dispersion * gathered)
        .with_columns(
            *(
                pl.when(activity > 0)
                .then(points(activity) * (pl.col(part) / activity))
                .otherwise(0.0)
                .alias(part)
                for part in parts
            ),
            low=points(quantile(pieces, -Z)),
            high=points(quantile(pieces + 1, Z)),
        )
        .with_columns(score=pl.col("conversation") + pl.col("contribution"))
        .with_columns(
            level=pl.when(pl.col("exposure") < 14)
            .then(pl.lit("new"))
            .when(level(pl.col("high")) - level(pl.col("low")) > 1)
            .then(pl.lit("unknown"))
            .otherwise(level(pl.col("score")).replace_strict(names, return_dtype=pl.String))
        )
        .select(
            "customer",
            *("score", "low", "high"),
            pl.col("n", "exposure", "active_days").cast(pl.Int64),
            "level",
            *parts,
            advocacy=pl.lit(0.0),
            transaction=pl.lit(0.0),
            service=pl.lit(0.0),
            attention=pl.col("attention").cast(pl.Int64),
        )
    )


FORMS: dict[str, Callable[[pl.DataFrame], Both]] = {
    "texts": texts,
    "at_once": at_once,
    "in_memory": in_memory,
    "numbers": numbers,
    "pair_numbers": pair_numbers,
}
