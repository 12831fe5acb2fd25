"""Engagement scores written by hand for Polars: the same columns, without checks or choice."""

from __future__ import annotations

import polars as pl


WEIGHTS = {
    "message": 1.0,
    "reply": 1.0,
    "comment": 1.0,
    "call": 2.0,
    "answer": 3.0,
    "recommendation": 4.0,
    "purchase": 1.0,
}
FAMILIES = {
    "conversation": ("message", "reply", "comment", "call"),
    "contribution": ("answer",),
    "advocacy": ("recommendation",),
    "transaction": ("purchase",),
    "service": (),
}
Z = 1.6448536269514722


def score(acts: pl.DataFrame | pl.LazyFrame, *, engine: str = "auto") -> pl.DataFrame:
    """Scores at the last instant, with the numbers of the default model.

    Args:
        acts: columns time (Datetime), kind, source, target (text).
        engine: of Polars.
    """
    n, age, fade, amount = (pl.col(name) for name in ("n", "age", "fade", "amount"))
    kind, day = pl.col("kind"), pl.col("day")
    rate = -1 / 90
    rest = 2.0**rate
    last = acts.lazy().select(pl.col("time").max()).collect().item()
    weighed = amount * fade
    exposure = pl.col("exposure").cast(pl.Float64)
    gathered = (1 + rest**exposure) / (1 + rest)
    days = (1 - rest**exposure) / (1 - rest)
    between = pl.col("squares") - pl.col("recent").pow(2) / (days * gathered) * (
        1 - gathered / days
    )
    dispersion = (between / gathered + 4.0) / (pl.col("activity") + 2.0)
    piece = dispersion * gathered
    pieces = pl.col("activity") / pl.col("piece")

    def quantile(shape: pl.Expr, z: float) -> pl.Expr:
        shape = shape + 1e-12
        root = (1 - 1 / (9 * shape) + z / (3 * shape.sqrt())).clip(lower_bound=0)
        return pl.col("piece") * shape * root**3

    def points(activity: pl.Expr) -> pl.Expr:
        return activity / (activity + 20) * 100

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

    names = {0: "quiet", 1: "occasional", 2: "regular", 3: "devoted"}
    return (
        acts.lazy()
        .filter(pl.col("source") != pl.col("target"))
        .group_by("source", "kind", day=pl.col("time").dt.epoch("d"))
        .agg(n=pl.len())
        .with_columns(age=pl.lit(last).dt.epoch("d") - day)
        .with_columns(
            fade=2.0 ** (age * rate),
            amount=kind.replace_strict(WEIGHTS, default=0.0) * n.clip(upper_bound=5),
        )
        .group_by("source", "age")
        .agg(
            fade.first(),
            amount.sum(),
            n.filter(kind.is_in(list(WEIGHTS))).sum(),
            n.filter(kind.is_in(["like", "view"])).sum().alias("attention"),
            *(
                weighed.filter(kind.is_in(list(kinds))).sum().alias(family)
                for family, kinds in FAMILIES.items()
            ),
        )
        .group_by("source")
        .agg(
            pl.col("n", "attention", *FAMILIES).sum(),
            squares=(weighed * weighed).sum(),
            recent=(weighed * fade).sum(),
            active_days=(n > 0).sum(),
            exposure=age.max() + 1,
        )
        .with_columns(activity=pl.sum_horizontal(*FAMILIES))
        .with_columns(piece=piece)
        .with_columns(
            *(
                (points(pl.col("activity")) * (pl.col(family) / pl.col("activity"))).alias(family)
                for family in FAMILIES
            ),
            low=points(quantile(pieces, -Z)),
            high=points(quantile(pieces + 1, Z)),
        )
        .with_columns(pl.col(*FAMILIES).fill_nan(0.0))
        .with_columns(score=pl.sum_horizontal(*FAMILIES))
        .with_columns(
            level=pl.when(pl.col("exposure") < 14)
            .then(pl.lit("new"))
            .when(level(pl.col("high")) - level(pl.col("low")) > 1)
            .then(pl.lit("unknown"))
            .otherwise(level(pl.col("score")).replace_strict(names, return_dtype=pl.String))
        )
        .select(
            pl.col("source").alias("customer"),
            *("score", "low", "high"),
            pl.col("n", "exposure", "active_days").cast(pl.Int64),
            "level",
            *FAMILIES,
            pl.col("attention").cast(pl.Int64),
        )
        .sort("customer")
        .collect(engine=engine)
    )
