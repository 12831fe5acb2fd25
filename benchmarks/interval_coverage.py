"""How often the intervals of engagement scores are right: in simulations and on real data.

    python benchmarks/interval_coverage.py [simulations | halves] [FOLDER]

**Simulations.** Customers act by rules that are not the model's own. An interval is right
where it holds the activity that the rule lets one expect over the days from the customer's
first act to the end. Figures are percent of the customers who acted at all.

**Halves.** The days of each real person are dealt to two halves; each half is renumbered, so
that its days follow one another, and scored as a log of its own with half the half-life.
Days are dealt in three ways: *alternating* (even and odd days), *neighbours* (of every two
neighbouring days a coin sends one to each half) and *free* (any half of all days). Two
questions are asked for each person and half:

- *holds*: does the interval of one half hold the activity of the other? An interval that is
  right for what is to be expected misses more often than its confidence says where the
  other half has noise of its own: for days that are independent (*free*), about 75 % of the
  time in place of 90 %. Where neighbouring days are alike, the halves share what the days
  have in common, and the two effects cancel more or less.
- *agrees*: does the difference of the two halves agree with none, once the noise of both is
  allowed for? The interval of the difference is put together from the two intervals (MOVER,
  Zou and Donner 2008, https://doi.org/10.1002/sim.3095). This is the right question for
  independent days, and should be answered yes in 90 % of the cases under *free*.

People are grouped by the acts in the half whose interval it is. A half without any act is
given the interval of no activity over the exposure of the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scrmkit import InteractionLog, Kind, Vocabulary
from scrmkit.engagement import EngagementModel, score


Matrix = NDArray[np.float64]

START = datetime(2020, 1, 1, 12, tzinfo=UTC)
MODEL = EngagementModel()
RATES = (0.3, 1, 3, 10, 30)
MONTH = 30.4


def main() -> None:
    """Print the tables that are asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted in ("simulations", "all"):
        print_simulations()
    if wanted in ("halves", "all"):
        here = Path(__file__).resolve().parents[2] / "shared" / "data"
        print_halves(Path(sys.argv[2]) if len(sys.argv) > 2 else here)


# Simulations


def poisson(rate: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Acts of independent days, and how many within the cap are to be expected."""
    return rng.poisson(rate).astype(float), capped_mean(rate)


def capped_mean(rate: Matrix, size: int = 1) -> Matrix:
    """The mean of ``min(size * Poisson(rate / size), cap)``."""
    small = rate / size
    chance = np.exp(-small)
    total = np.zeros_like(small)
    left = np.ones_like(small)
    for k in range(200):
        total += chance * min(size * k, MODEL.cap_per_day)
        left -= chance
        chance = chance * small / (k + 1)
    return total + np.maximum(left, 0) * MODEL.cap_per_day


def bursts(rate: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Acts that come three at a time."""
    return 3.0 * rng.poisson(rate / 3), capped_mean(rate, 3)


def spread(shape: float, block: int, *, given: bool) -> Rule:
    """Rates that vary by a gamma factor from one block of days to the next."""

    def rule(rate: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        people, days = rate.shape
        blocks = -(-days // block)
        factor = rng.gamma(shape, 1 / shape, size=(people, blocks))
        varied = rate * np.repeat(factor, block, axis=1)[:, :days]
        if given:
            return poisson(varied, rng)
        draws = rng.gamma(shape, 1 / shape, size=100_000)
        mean = capped_mean(float(rate[0, 0]) * draws).mean()
        return rng.poisson(varied).astype(float), np.full_like(rate, mean)

    return rule


Rule = Callable[[Matrix, np.random.Generator], tuple[Matrix, Matrix]]
Shape = Callable[[Matrix, np.random.Generator], Matrix]


def steady(days: Matrix, _: np.random.Generator) -> Matrix:
    """The same rate all the time."""
    return np.ones_like(days)


def weekdays(days: Matrix, _: np.random.Generator) -> Matrix:
    """Nothing at weekends."""
    return np.where(days % 7 < 5, 1.4, 0.0)


def rising(days: Matrix, _: np.random.Generator) -> Matrix:
    """From nothing to twice the mean."""
    return 2 * days / days.shape[1]


def fading(days: Matrix, _: np.random.Generator) -> Matrix:
    """Halved every 60 days, with the same mean."""
    shape = 2.0 ** (-days / 60)
    return shape / shape[0].mean()


def leaving(days: Matrix, rng: np.random.Generator) -> Matrix:
    """Until a day on which the customer leaves for good, after 240 days on average."""
    return (days < rng.exponential(240, size=(len(days), 1))).astype(float)


ONE = {"one": (1.0, 1.0)}
THREE = {"one": (1.0, 1 / 3), "two": (2.0, 1 / 3), "three": (3.0, 1 / 3)}
HEAVY = {"light": (0.2, 0.6), "one": (1.0, 0.35), "heavy": (5.0, 0.05)}

CASES: dict[str, tuple[Rule, Shape, dict[str, tuple[float, float]], int]] = {
    "independent days": (poisson, steady, ONE, 720),
    "the same, watched for 60 days": (poisson, steady, ONE, 60),
    "weekdays only": (poisson, weekdays, ONE, 720),
    "rising": (poisson, rising, ONE, 720),
    "fading": (poisson, fading, ONE, 720),
    "leaving for good": (poisson, leaving, ONE, 720),
    "three kinds, weights 1, 2, 3": (poisson, steady, THREE, 720),
    "rare heavy kind: 5 % of weight 5, 60 % of 0.2": (poisson, steady, HEAVY, 720),
    "bursts of three": (bursts, steady, ONE, 720),
    "busy and idle days (gamma 0.3)": (spread(0.3, 1, given=False), steady, ONE, 720),
    "busy and idle weeks, given these weeks": (spread(0.3, 7, given=True), steady, ONE, 720),
    "busy and idle weeks, any weeks": (spread(0.3, 7, given=False), steady, ONE, 720),
    "busy and idle months, any months": (spread(0.3, 30, given=False), steady, ONE, 720),
}


def simulate(name: str, per_month: float, *, people: int = 1000, seed: int = 0) -> float:
    """The percentage of customers whose interval is right."""
    rule, shape, kinds, length = CASES[name]
    rng = np.random.default_rng(seed)
    days = np.broadcast_to(np.arange(length, dtype=float), (people, length))
    rate = per_month / MONTH * shape(days, rng)
    counts, means = {}, np.zeros((people, length))
    for kind, (weight, share) in kinds.items():
        counts[kind], mean = rule(rate * share, rng)
        means += weight * mean
    made = Vocabulary(
        name="simulated",
        kinds=tuple(
            Kind(name=kind, family="conversation", tie_weight=0, engagement_weight=weight)
            for kind, (weight, _) in kinds.items()
        ),
    )
    table = score_counts(counts, length, MODEL, made)
    age = length - 1 - np.arange(length)
    decayed = means * 2.0 ** (-age * (timedelta(days=1) / MODEL.half_life))
    who = table["customer"].to_numpy()
    since = np.cumsum(decayed[:, ::-1], axis=1)
    expected = since[who, table["exposure"].to_numpy() - 1]
    low, high = (activity_of(table[end].to_numpy()) for end in ("low", "high"))
    return 100 * float(np.mean((low <= expected) & (expected <= high)))


def score_counts(
    counts: dict[str, Matrix], length: int, model: EngagementModel, vocabulary: Vocabulary
) -> pl.DataFrame:
    """Scores of a matrix of acts (people by days) for each kind."""
    frames = []
    for kind, matrix in counts.items():
        person, day = np.nonzero(matrix)
        n = np.minimum(matrix[person, day], model.cap_per_day).astype(int)
        frame = pl.DataFrame({"source": np.repeat(person, n), "day": np.repeat(day, n)})
        frames.append(frame.with_columns(kind=pl.lit(kind)))
    acts = pl.concat(frames).with_columns(time=pl.lit(START) + pl.duration(days="day"))
    log = InteractionLog.from_frame(acts.drop("day"), vocabulary=vocabulary)
    return score(log, model=model, as_of=START + timedelta(days=length - 1)).frame


def activity_of(points: Matrix) -> Matrix:
    """The activity that belongs to a score."""
    return MODEL.scale * points / (100 - points)


def print_simulations() -> None:
    """One row for each rule, one column for each rate."""
    print("| acts a month | " + " | ".join(f"{rate:g}" for rate in RATES) + " |")
    print("| --- |" + " ---: |" * len(RATES))
    for name in CASES:
        cells = (f"{simulate(name, rate):.0f}" for rate in RATES)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


# Halves of real days

SETS = {
    "collegemsg": "collegemsg/CollegeMsg.txt.gz",
    "email-eu-core": "email-eu-core/email-Eu-core-temporal.txt.gz",
}
WAYS = ("alternating", "neighbours", "free")


def read_days(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Who acted on which day, and an even number of days that ends with the last."""
    rows = np.loadtxt(path, dtype=np.int64)
    rows = rows[rows[:, 0] != rows[:, 1]]
    who = np.unique(rows[:, 0], return_inverse=True)[1]
    day = rows[:, 2] // 86400
    length = int(day.max() - day.min()) + 1
    length += length % 2
    return who, day - day.max() + length - 1, length


def deal(way: str, people: int, length: int, seed: int) -> NDArray[np.bool_]:
    """For each person and day whether it is in the first half; half of the days are."""
    rng = np.random.default_rng(seed)
    if way == "alternating":
        return np.broadcast_to((np.arange(length) + seed) % 2 == 0, (people, length))
    block = 2 if way == "neighbours" else length
    keys = rng.random((people, length // block, block))
    ranks = keys.argsort(axis=2).argsort(axis=2)
    return (ranks < block // 2).reshape(people, length)


def halves(path: Path, way: str, *, seeds: int) -> dict[str, dict[str, float]]:
    """The percentages of *holds* and *agrees*, for few and many acts."""
    who, day, length = read_days(path)
    people = int(who.max()) + 1
    matrix = np.zeros((people, length))
    np.add.at(matrix, (who, day), 1)
    model = EngagementModel(half_life=MODEL.half_life / 2)
    vocabulary = Vocabulary(
        name="one",
        kinds=(Kind(name="one", family="conversation", tie_weight=0, engagement_weight=1),),
    )
    found: dict[str, list[tuple[bool, bool]]] = {"1 to 19": [], "20 or more": []}
    for seed in range(seeds):
        first = deal(way, people, length, seed)
        tables = []
        for half in (first, ~first):
            counts = matrix[half].reshape(people, length // 2)
            scored = score_counts({"one": counts}, length // 2, model, vocabulary)
            tables.append(complete(scored, counts.sum(axis=1)))
        exposure = np.maximum(tables[0]["exposure"], tables[1]["exposure"])
        for table in tables:
            none = table["n"] == 0
            bound = model.value(0.0, model.prior_dispersion, exposure[none])[2]
            table["high"][none] = activity_of(bound)
        for mine, other in (tables, tables[::-1]):
            for group, some in (
                ("1 to 19", (mine["n"] >= 1) & (mine["n"] < 20)),
                ("20 or more", mine["n"] >= 20),
            ):
                pairs = zip(holds(mine, other)[some], agrees(mine, other)[some], strict=True)
                found[group].extend(pairs)
    return {
        group: dict(zip(("holds", "agrees"), 100 * np.mean(np.array(answers), axis=0), strict=True))
        for group, answers in found.items()
    }


def complete(scored: pl.DataFrame, n: Matrix) -> dict[str, Matrix]:
    """A row for everybody, in units of activity; ``n`` without the cap."""
    columns = {name: np.zeros(len(n)) for name in ("score", "low", "high", "exposure")}
    who = scored["customer"].to_numpy()
    for name, values in columns.items():
        own = scored[name].to_numpy().astype(float)
        values[who] = own if name == "exposure" else activity_of(own)
    return {**columns, "n": n}


def holds(mine: dict[str, Matrix], other: dict[str, Matrix]) -> NDArray[np.bool_]:
    """Whether my interval holds the other's activity."""
    return (mine["low"] <= other["score"] + 1e-9) & (other["score"] <= mine["high"])


def agrees(mine: dict[str, Matrix], other: dict[str, Matrix]) -> NDArray[np.bool_]:
    """Whether the interval of the difference holds none."""
    difference = mine["score"] - other["score"]
    below = np.hypot(mine["score"] - mine["low"], other["high"] - other["score"])
    above = np.hypot(mine["high"] - mine["score"], other["score"] - other["low"])
    return (difference - below <= 0) & (difference + above >= 0)


def print_halves(folder: Path) -> None:
    """One row for each data set and way to deal."""
    print("| data | days dealt | holds, 1-19 acts | 20+ | agrees, 1-19 acts | 20+ |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, path in SETS.items():
        for way in WAYS:
            figures = halves(folder / path, way, seeds=2 if way == "alternating" else 10)
            cells = [
                f"{figures[group][question]:.1f}"
                for question in ("holds", "agrees")
                for group in figures
            ]
            print(f"| {name} | {way} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
