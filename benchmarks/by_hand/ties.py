"""Ties in Polars by hand, several honest attempts: the same columns, without validation.

Each takes a frame, eager or lazy, with `time` (UTC), `source`, `target`, `kind`, `valence` and
gives the ties of its last instant. `FORMS` has them all; the fastest one counts.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from scrmkit import DEFAULT_VOCABULARY


FAMILIES = ["attention", "conversation", "contribution", "advocacy", "transaction", "service"]
WEIGHTS = {word: kind.tie_weight for word, kind in DEFAULT_VOCABULARY.words.items()}
FAMILY = {word: FAMILIES.index(kind.family) for word, kind in DEFAULT_VOCABULARY.words.items()}
PLACES = sorted({(FAMILY[word], WEIGHTS[word]) for word in WEIGHTS})
PLACE = {word: PLACES.index((FAMILY[word], WEIGHTS[word])) for word in WEIGHTS}
HALF_LIFE = 90 * 86400e6


Frame = pl.DataFrame | pl.LazyFrame


def fade(acts: Frame) -> pl.Expr:
    """The decay of each act until the last one."""
    last = acts.lazy().select(pl.col("time").max()).collect().item().timestamp() * 1e6
    return (0.6931471805599453 * (pl.col("time").dt.timestamp("us") - last) / HALF_LIFE).exp()


def finish(ties: pl.LazyFrame) -> pl.DataFrame:
    """The columns that follow from sums."""
    ab, ba = pl.col("strength_ab"), pl.col("strength_ba")
    weaker = pl.min_horizontal(ab, ba)
    return ties.select(
        "a",
        "b",
        pl.col("n_ab").cast(pl.Int64),
        n_ba=(pl.col("n") - pl.col("n_ab")).cast(pl.Int64),
        strength_ab=ab,
        strength_ba=ba,
        strength=ab + ba,
        balance=pl.col("balance").clip(-(ab + ba), ab + ba),
        reciprocity=pl.when(weaker > 0).then(weaker / pl.max_horizontal(ab, ba)).otherwise(0.0),
        first_seen="first_seen",
        last_seen="last_seen",
        **{name: pl.col(name).cast(pl.Int64) for name in FAMILIES},
        unknown=(pl.col("n") - pl.sum_horizontal(FAMILIES)).cast(pl.Int64),
    ).collect(engine="streaming")


def plain(acts: Frame) -> pl.DataFrame:
    """As one would write it first: conditions inside the aggregation."""
    forth = pl.col("source") < pl.col("target")
    ties = (
        acts.lazy()
        .filter(pl.col("source") != pl.col("target"))
        .with_columns(
            forth=forth,
            weight=fade(acts) * pl.col("kind").replace_strict(WEIGHTS, default=0.0),
            family=pl.col("kind").replace_strict(FAMILY, default=6, return_dtype=pl.UInt8),
        )
        .group_by(
            a=pl.when("forth").then("source").otherwise("target"),
            b=pl.when("forth").then("target").otherwise("source"),
        )
        .agg(
            n=pl.len(),
            n_ab=pl.col("forth").sum(),
            strength_ab=pl.col("weight").filter("forth").sum(),
            strength_ba=pl.col("weight").filter(~pl.col("forth")).sum(),
            balance=(pl.col("weight") * pl.col("valence")).sum(),
            first_seen=pl.col("time").min(),
            last_seen=pl.col("time").max(),
            **{name: (pl.col("family") == i).sum() for i, name in enumerate(FAMILIES)},
        )
    )
    return finish(ties)


def flags(acts: Frame, *, one_lookup: bool = False) -> pl.DataFrame:
    """Everything as columns first, then plain sums."""
    forth, weight = pl.col("forth"), pl.col("weight")
    columns = acts.lazy().filter(pl.col("source") != pl.col("target"))
    if one_lookup:
        place = pl.col("place")
        columns = columns.select(
            "source",
            "target",
            "time",
            "valence",
            forth=pl.col("source") < pl.col("target"),
            fade=fade(acts),
            place=pl.col("kind").replace_strict(PLACE, default=len(PLACES), return_dtype=pl.UInt8),
        ).with_columns(
            weight=pl.col("fade")
            * place.replace_strict(
                list(range(len(PLACES))),
                [weight for _, weight in PLACES],
                default=0.0,
                return_dtype=pl.Float64,
            )
        )
        families = {}
        for i, name in enumerate(FAMILIES):
            its = [p for p, (family, _) in enumerate(PLACES) if family == i]
            families[name] = place.is_between(its[0], its[-1])
    else:
        columns = columns.select(
            "source",
            "target",
            "time",
            "valence",
            forth=pl.col("source") < pl.col("target"),
            weight=fade(acts) * pl.col("kind").replace_strict(WEIGHTS, default=0.0),
            family=pl.col("kind").replace_strict(FAMILY, default=6, return_dtype=pl.UInt8),
        )
        families = {name: pl.col("family") == i for i, name in enumerate(FAMILIES)}
    ties = (
        columns.select(
            "time",
            a=pl.when(forth).then("source").otherwise("target"),
            b=pl.when(forth).then("target").otherwise("source"),
            n_ab=forth.cast(pl.UInt32),
            strength_ab=pl.when(forth).then(weight).otherwise(0.0),
            strength_ba=pl.when(forth).then(0.0).otherwise(weight),
            balance=weight * pl.col("valence"),
            **{name: flag.cast(pl.UInt32) for name, flag in families.items()},
        )
        .group_by("a", "b")
        .agg(
            pl.col("n_ab", "strength_ab", "strength_ba", "balance", *FAMILIES).sum(),
            n=pl.len(),
            first_seen=pl.col("time").min(),
            last_seen=pl.col("time").max(),
        )
    )
    return finish(ties)


def flags_one_lookup(acts: Frame) -> pl.DataFrame:
    """As `flags`, with one lookup of the kind instead of two."""
    return flags(acts, one_lookup=True)


def directed(acts: Frame) -> pl.DataFrame:
    """Each direction first, then the two directions of each pair."""
    forth, weight = pl.col("source") < pl.col("target"), pl.col("weight")
    each_way = (
        acts.lazy()
        .select(
            "source",
            "target",
            "time",
            "valence",
            weight=fade(acts) * pl.col("kind").replace_strict(WEIGHTS, default=0.0),
            family=pl.col("kind").replace_strict(FAMILY, default=6, return_dtype=pl.UInt8),
        )
        .select(
            "source",
            "target",
            "time",
            "weight",
            balance=weight * pl.col("valence"),
            **{name: (pl.col("family") == i).cast(pl.UInt32) for i, name in enumerate(FAMILIES)},
        )
        .group_by("source", "target")
        .agg(
            pl.col("weight", "balance", *FAMILIES).sum(),
            n=pl.len(),
            first_seen=pl.col("time").min(),
            last_seen=pl.col("time").max(),
        )
    )
    ties = (
        each_way.filter(pl.col("source") != pl.col("target"))
        .select(
            "n",
            "balance",
            "first_seen",
            "last_seen",
            *FAMILIES,
            a=pl.when(forth).then("source").otherwise("target"),
            b=pl.when(forth).then("target").otherwise("source"),
            n_ab=pl.when(forth).then("n").otherwise(0),
            strength_ab=pl.when(forth).then("weight").otherwise(0.0),
            strength_ba=pl.when(forth).then(0.0).otherwise("weight"),
        )
        .group_by("a", "b")
        .agg(
            pl.col("n", "n_ab", "strength_ab", "strength_ba", "balance", *FAMILIES).sum(),
            pl.col("first_seen").min(),
            pl.col("last_seen").max(),
        )
    )
    return finish(ties)


FORMS: dict[str, Callable[[Frame], pl.DataFrame]] = {
    "plain": plain,
    "flags": flags,
    "flags_one_lookup": flags_one_lookup,
    "directed": directed,
}
