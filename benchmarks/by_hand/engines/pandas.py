"""Ties and scores in pandas by hand, for NumPy and for Arrow dtypes."""

from __future__ import annotations

import numpy as np
import pandas as pd

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


def micros(time: pd.Series) -> np.ndarray:
    """The times as microseconds since 1970."""
    if isinstance(time.dtype, pd.ArrowDtype):
        return time.astype("int64[pyarrow]").to_numpy()
    return time.astype("datetime64[us, UTC]").astype("int64").to_numpy()


def by_word(kind: pd.Series, values: dict[str, float], default: float) -> np.ndarray:
    """The value of each kind, looked up once for each distinct word."""
    codes, words = pd.factorize(kind)
    return np.array([values.get(word, default) for word in words])[codes]


def fade(time: pd.Series) -> np.ndarray:
    """The decay of each act until the last one."""
    instants = micros(time)
    return np.exp(TIE_RATE * (instants - instants.max()))


def finish_ties(sums: pd.DataFrame) -> pd.DataFrame:
    """The columns that follow from sums."""
    ab, ba = sums["strength_ab"], sums["strength_ba"]
    weaker, stronger = np.minimum(ab, ba), np.maximum(ab, ba)
    return pd.DataFrame(
        {
            "a": sums["a"],
            "b": sums["b"],
            "n_ab": sums["n_ab"].astype("int64"),
            "n_ba": sums["n"] - sums["n_ab"].astype("int64"),
            "strength_ab": ab,
            "strength_ba": ba,
            "strength": ab + ba,
            "balance": sums["balance"].clip(-(ab + ba), ab + ba),
            "reciprocity": (weaker / stronger).where(weaker > 0, 0.0),
            "first_seen": sums["first_seen"],
            "last_seen": sums["last_seen"],
            **{name: sums[name].astype("int64") for name in FAMILIES},
            "unknown": sums["n"] - sums[FAMILIES].sum(axis=1).astype("int64"),
        }
    )


def ties_plain(acts: pd.DataFrame) -> pd.DataFrame:
    """Columns first, then one group-by over the two names."""
    fades = fade(acts["time"])
    between = (acts["source"] != acts["target"]).to_numpy()
    acts, fades = acts[between], fades[between]
    forth = acts["source"] < acts["target"]
    weight = fades * acts["kind"].map(TIE_WEIGHT).fillna(0.0).to_numpy()
    family = acts["kind"].map(NUMBER).fillna(6).to_numpy()
    way = forth.to_numpy()
    columns = pd.DataFrame(
        {
            "a": acts["source"].where(forth, acts["target"]),
            "b": acts["target"].where(forth, acts["source"]),
            "time": acts["time"],
            "n_ab": way,
            "strength_ab": np.where(way, weight, 0.0),
            "strength_ba": np.where(way, 0.0, weight),
            "balance": weight * acts["valence"].to_numpy(dtype="float64", na_value=np.nan),
            **{name: family == number for number, name in enumerate(FAMILIES)},
        }
    )
    groups = columns.groupby(["a", "b"], sort=False)
    sums = groups[SUMMED].sum()
    sums["n"] = groups.size()
    sums["first_seen"], sums["last_seen"] = groups["time"].min(), groups["time"].max()
    return finish_ties(sums.reset_index())


def ties_by_numbers(acts: pd.DataFrame) -> pd.DataFrame:
    """Names made into numbers in their order first, then one group-by over one number."""
    n = len(acts)
    codes, ids = pd.factorize(pd.concat([acts["source"], acts["target"]]), sort=True)
    source, target = codes[:n], codes[n:]
    between, forth = source != target, source < target
    weight = fade(acts["time"]) * by_word(acts["kind"], TIE_WEIGHT, 0.0)
    family = by_word(acts["kind"], NUMBER, 6)
    instants = micros(acts["time"])
    columns = pd.DataFrame(
        {
            "pair": np.minimum(source, target) * np.int64(len(ids)) + np.maximum(source, target),
            "time": instants,
            "n_ab": forth,
            "strength_ab": np.where(forth, weight, 0.0),
            "strength_ba": np.where(forth, 0.0, weight),
            "balance": weight * acts["valence"].to_numpy(dtype="float64", na_value=np.nan),
            **{name: family == number for number, name in enumerate(FAMILIES)},
        }
    )[between]
    groups = columns.groupby("pair", sort=False)
    sums = groups[SUMMED].sum()
    sums["n"] = groups.size()
    seen = {"first_seen": groups["time"].min(), "last_seen": groups["time"].max()}
    for name, times in seen.items():
        sums[name] = times.astype("datetime64[us]").dt.tz_localize("UTC")
    sums = sums.reset_index()
    a, b = np.divmod(sums.pop("pair").to_numpy(), len(ids))
    return finish_ties(sums.assign(a=ids.take(a), b=ids.take(b)))


def scores(acts: pd.DataFrame) -> pd.DataFrame:
    """Counts by customer, kind and day; then days; then customers; then the formula."""
    day = micros(acts["time"]) // DAY
    rows = pd.DataFrame({"source": acts["source"], "kind": acts["kind"], "age": day.max() - day})
    rows = rows[(acts["target"].isna() | (acts["source"] != acts["target"])).to_numpy()]
    counts = rows.groupby(["source", "kind", "age"], sort=False).size().reset_index(name="m")
    return _finish_scores(counts)


def scores_by_numbers(acts: pd.DataFrame) -> pd.DataFrame:
    """Customers and kinds made into numbers first, so that acts are counted by one number."""
    codes, ids = pd.factorize(acts["source"])
    kinds, words = pd.factorize(acts["kind"])
    day = micros(acts["time"]) // DAY
    age = day.max() - day
    others = (acts["target"].isna() | (acts["source"] != acts["target"])).to_numpy()
    ages = int(age.max()) + 1
    keys = ((codes * len(words) + kinds) * ages + age)[others]
    found = pd.Series(keys).value_counts(sort=False)
    rest, age = np.divmod(found.index.to_numpy(), ages)
    source, kind = np.divmod(rest, len(words))
    counts = pd.DataFrame(
        {
            "source": source,
            "kind": pd.Series(words).take(kind).to_numpy(),
            "age": age,
            "m": found.to_numpy(),
        }
    )
    customers = _finish_scores(counts)
    return customers.assign(customer=ids.take(customers["customer"])).sort_values(
        "customer", ignore_index=True
    )


def _finish_scores(counts: pd.DataFrame) -> pd.DataFrame:
    """From counts by customer, kind and age on."""
    weight = by_word(counts["kind"], ENGAGEMENT_WEIGHT, 0.0)
    family = by_word(counts["kind"], NUMBER, 6)
    m, age = counts["m"].to_numpy(), counts["age"].to_numpy()
    fades = 2.0 ** (age * RATE)
    faded = weight * np.minimum(m, CAP) * fades
    days = (
        pd.DataFrame(
            {
                "source": counts["source"],
                "age": age,
                "faded": faded,
                "n": np.where(weight > 0, m, 0),
                "attention": np.where(family == 0, m, 0),
                **{name: np.where(family == FAMILIES.index(name), faded, 0) for name in SCORED},
            }
        )
        .groupby(["source", "age"], sort=False)
        .sum()
        .reset_index()
    )
    whole, fades = days.pop("faded").to_numpy(), 2.0 ** (days["age"].to_numpy() * RATE)
    groups = days.assign(
        squares=whole * whole, recent=whole * fades, active_days=days["n"] > 0
    ).groupby("source")
    sums = groups[["squares", "recent", "active_days", "n", "attention", *SCORED]].sum()
    sums["oldest"] = groups["age"].max()
    columns = judge({name: sums[name].to_numpy() for name in sums.columns})
    return pd.DataFrame({"customer": sums.index, **columns})


TIES = {"plain": ties_plain, "by_numbers": ties_by_numbers}
SCORES = {"three_steps": scores, "by_numbers": scores_by_numbers}
