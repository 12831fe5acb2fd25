"""Ties and scores in PySpark by hand: SQL over a view, and the DataFrame API."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from by_hand.engines import sql
from by_hand.engines.words import (
    CAP,
    ENGAGEMENT_WEIGHT,
    FAMILIES,
    FAMILY,
    RATE,
    SCORED,
    TIE_RATE,
    TIE_WEIGHT,
)


if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def _form(statement: str) -> Any:
    def form(acts: DataFrame) -> DataFrame:
        acts.createOrReplaceTempView("acts")
        return acts.sparkSession.sql(statement)

    return form


def _words(values: dict[str, Any], default: Any) -> Column:
    """A map of literals, looked up with the kind."""
    from pyspark.sql import functions as f

    pairs = [f.lit(part) for pair in values.items() for part in pair]
    return f.coalesce(f.create_map(*pairs)[f.col("kind")], f.lit(default))


def ties(acts: DataFrame) -> DataFrame:
    """The DataFrame API; the last instant is asked for first, and words are looked up in a map."""
    from pyspark.sql import functions as f

    last = acts.agg(f.unix_micros(f.max("time"))).first()[0]
    forth, weight = f.col("source") < f.col("target"), f.col("weight")
    sums = (
        acts.filter(f.col("source") != f.col("target"))
        .withColumn(
            "weight",
            f.exp(TIE_RATE * (f.unix_micros("time") - last)) * _words(TIE_WEIGHT, 0.0),
        )
        .withColumn("family", _words(FAMILY, "unknown"))
        .groupBy(f.least("source", "target").alias("a"), f.greatest("source", "target").alias("b"))
        .agg(
            f.count("*").alias("n"),
            f.count_if(forth).alias("n_ab"),
            f.sum(f.when(forth, weight).otherwise(0.0)).alias("strength_ab"),
            f.sum(f.when(forth, 0.0).otherwise(weight)).alias("strength_ba"),
            f.sum(weight * f.col("valence")).alias("balance"),
            f.min("time").alias("first_seen"),
            f.max("time").alias("last_seen"),
            *(f.count_if(f.col("family") == name).alias(name) for name in FAMILIES),
        )
    )
    sums.createOrReplaceTempView("sums")
    return acts.sparkSession.sql(sql.finish_ties("select * from sums"))


def scores(acts: DataFrame) -> DataFrame:
    """The DataFrame API, in three steps."""
    from pyspark.sql import functions as f

    today = acts.agg(f.unix_date(f.to_date(f.max("time")))).first()[0]
    m, age, fade, amount, n = (f.col(name) for name in ("m", "age", "fade", "amount", "n"))
    days = (
        acts.filter(f.col("target").isNull() | (f.col("source") != f.col("target")))
        .groupBy("source", "kind", f.unix_date(f.to_date("time")).alias("day"))
        .agg(f.count("*").alias("m"))
        .withColumn("age", today - f.col("day"))
        .withColumn("fade", f.pow(f.lit(2.0), age * RATE))
        .withColumn("weight", _words(ENGAGEMENT_WEIGHT, 0.0))
        .withColumn("family", _words(FAMILY, "unknown"))
        .withColumn("amount", f.col("weight") * f.least(m, f.lit(CAP)))
        .groupBy("source", "age")
        .agg(
            f.max("fade").alias("fade"),
            f.sum("amount").alias("amount"),
            f.sum(f.when(f.col("weight") > 0, m).otherwise(0)).alias("n"),
            f.sum(f.when(f.col("family") == "attention", m).otherwise(0)).alias("attention"),
            *(
                f.sum(f.when(f.col("family") == name, amount * fade).otherwise(0.0)).alias(name)
                for name in SCORED
            ),
        )
    )
    whole = reduce(add, (f.col(name) for name in SCORED))
    customers = days.groupBy("source").agg(
        (f.max("age") + 1).alias("exposure"),
        f.sum(whole * whole).alias("squares"),
        f.sum(whole * fade).alias("recent"),
        f.count_if(n > 0).alias("active_days"),
        *(f.sum(name).alias(name) for name in (*SCORED, "n", "attention")),
    )
    customers.createOrReplaceTempView("customers")
    return acts.sparkSession.sql(sql.finish_scores("select * from customers"))


TIES = {**{name: _form(make(sql.SPARK)) for name, make in sql.TIES.items()}, "api": ties}
SCORES = {**{name: _form(make(sql.SPARK)) for name, make in sql.SCORES.items()}, "api": scores}
