"""Logs on which all engines must agree: generated ones, odd ones, and the real ones.

`joined` puts the generated ones into one frame, told apart by the beginning of each id, so
that an engine that is slow to start computes each function once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

import polars as pl
from attrs import evolve, field, frozen


AS_OF: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
PARTIES: Final = ("source", "target")

# the night in which London's clocks go back: 01:30 comes twice; and the one in which it is lost
CLOCK_BACK: Final = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
CLOCK_FORWARD: Final = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)

KINDS: Final = (
    *("message", "reply", "question", "answer", "thanks", "like", "purchase", "post"),
    *("email", "mention", "complaint", "follow", "call", "thing nobody knows"),
)
NAMES: Final = ("ana", "ben", "cem", "dora", "élise", "феодор", "国", "o'neil", "<b>", "Ana", " z")

SCHEMA: Final[Mapping[str, Any]] = {
    "id": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "kind": pl.String(),
    "source": pl.String(),
    "target": pl.String(),
    "channel": pl.String(),
    "valence": pl.Float64(),
    "value": pl.Decimal(18, 2),
    "currency": pl.String(),
    "thread": pl.String(),
    "about": pl.String(),
    "automated": pl.Boolean(),
    "received_at": pl.Datetime("us", "UTC"),
    "retracts": pl.String(),
    "scope": pl.String(),
    "shop": pl.Int64(),
}


@frozen(eq=False)
class Case:
    """One log.

    Args:
        name: what is special about it.
        table: the log as it came in.
        options: what `InteractionLog.from_frame` has to know.
        groups: the party of some customers.
        customer: somebody who acted, to be explained; None where nobody did.
    """

    name: str
    table: pl.DataFrame = field(repr=False)
    options: Mapping[str, Any] = field(factory=dict)
    groups: Mapping[Any, Any] = field(factory=dict, repr=False)
    customer: Any = None


def draw_acts(seed: int, size: int = 30) -> pl.DataFrame:
    """A generated log in which everything occurs that a log may have, and much that is wrong.

    People act with skew and in bursts around the nights of a clock change; columns are null
    in places; some acts are automated, learnt late, taken back (before and after `AS_OF`),
    repeated, or in conflict with another of the same id.
    """
    rng = random.Random(seed)  # noqa: S311
    people = rng.sample(NAMES, rng.randint(2, len(NAMES)))
    starts = (
        CLOCK_BACK,
        CLOCK_FORWARD,
        AS_OF - timedelta(days=9),
        datetime(1969, 12, 31, tzinfo=UTC),
    )
    spans = (timedelta(hours=2), timedelta(days=3), timedelta(days=80))

    def one_of(values: Iterable[Any], missing: float = 0.0) -> Any:
        return None if rng.random() < missing else rng.choice(list(values))

    rows: list[dict[str, Any]] = []
    for number in range(size):
        time = rng.choice(starts[:3] * 20 + starts[3:]) + rng.choice(spans) * rng.random()
        paid = rng.random() < 0.1
        row = {
            "id": f"m{number}",
            "time": one_of([time], missing=0.02),
            "kind": one_of(KINDS, missing=0.02),
            "source": one_of(people[: rng.randint(1, len(people))], missing=0.06),
            "target": one_of(people, missing=0.06),
            "channel": one_of(("app", "e-mail"), missing=0.3),
            "valence": one_of((-1.0, -0.5, 0.0, 0.3, 1.0, 1.5, rng.uniform(-1, 1)), missing=0.3),
            "value": Decimal(rng.randint(-(10**6), 10**6)) / 100 if paid else None,
            "currency": one_of(("EUR", "EUR", "eur"), missing=0.1) if paid else None,
            "thread": one_of(("t1", "t2", "t3"), missing=0.4),
            "about": one_of(("product", "case"), missing=0.6),
            "automated": one_of((True, False, False, False), missing=0.3),
            "scope": one_of(("shop a", "shop b"), missing=0.5),
            "shop": one_of((1, 2), missing=0.3),
        }
        if rng.random() < 0.3:
            row["received_at"] = time + timedelta(seconds=rng.randint(0, 40 * 86400))
        rows.append(row)
    rows.append({**rows[0], "id": "empty", "source": ""})
    rows.append({**rows[1], "id": "", "target": rng.choice(people)})
    known = [row for row in rows if row["time"] is not None]
    for number, row in enumerate(rng.sample(known, 4)):
        back = row["time"] + timedelta(seconds=rng.randint(1, 90 * 86400))
        taken = {"id": f"r{number}", "retracts": row["id"], "time": back, "received_at": None}
        rows.append({**row, **taken})
    rows += [dict(row) for row in rng.sample(rows, 4)]
    rows.append({**rng.choice(known), "channel": "another"})
    rows.append({**rng.choice(known), "kind": "mail"})
    last = {"time": AS_OF - timedelta(hours=1), "kind": "message", "automated": False}
    for number in range(2):
        rows.append({"id": f"z{number}", "source": people[0], "target": people[1], **last})
    rng.shuffle(rows)
    return pl.DataFrame(rows, schema=SCHEMA)


def drawn_cases(count: int = 12) -> list[Case]:
    """Generated logs with text ids and all columns."""
    made = []
    for seed in range(count):
        table = draw_acts(seed)
        people = sorted(set(table["target"].drop_nulls()) - {""})
        groups = dict.fromkeys(people[:2], people[-1]) | {"nobody known": people[0]}
        customer = table.filter(pl.col("id") == "z0")["source"][0]
        made.append(Case(f"drawn {seed}", table, groups=groups, customer=customer))
    return made


def joined(parts: Iterable[Case]) -> Case:
    """Several logs with the columns of `SCHEMA` as one; each id begins with its case's number."""
    tables, groups, customer = [], {}, None
    for number, case in enumerate(parts):
        start = f"{number:02d}:"
        ids = ("id", "source", "target", "thread", "about", "retracts")
        named = [
            pl.when(pl.col(name) == "").then(pl.lit("")).otherwise(start + pl.col(name)).alias(name)
            for name in ids
        ]
        tables.append(case.table.select(*SCHEMA).with_columns(named))
        groups |= {start + old: start + new for old, new in case.groups.items()}
        customer = customer or start + case.customer
    return Case("joined", pl.concat(tables), groups=groups, customer=customer)


def cases() -> list[Case]:
    """The logs that cannot be joined into one: other ids, other zones, other columns."""
    acts = draw_acts(100, size=60)
    plain = acts.drop("retracts", "value", "currency", "scope").filter(pl.col("kind").is_not_null())
    time, instants = pl.col("time"), pl.col("time", "received_at")
    numbers = {name: number * 7 - 20 for number, name in enumerate(NAMES)}
    uuids = {name: str(uuid5(NAMESPACE_DNS, name)) for name in NAMES}
    london = instants.dt.convert_time_zone("Europe/London")
    # wall clocks show the hour from one to two twice in October, and never in March
    local = plain.with_columns(london.dt.replace_time_zone(None))
    lost = pl.lit(datetime(2026, 3, 29, 1, 30)).cast(pl.Datetime("us"))  # noqa: DTZ001
    skipped = local.tail(1).with_columns(time=lost, id=pl.lit("lost"))
    found = [
        Case("no rows", plain.head(0)),
        Case("one row", plain.filter(pl.col("id") == "z0")),
        Case("all columns", acts),
        Case("integer ids", _with_ids(plain, numbers, pl.Int64())),
        Case("short integer ids", _with_ids(plain, numbers, pl.Int32())),
        Case("UUIDs", _with_ids(plain, uuids, pl.String())),
        Case("no target", plain.drop("target", "valence", "automated", "received_at")),
        Case("no ids of acts", plain.drop("id")),
        Case("one kind for all", plain.drop("kind"), {"constants": {"kind": "answer"}}),
        Case("other names and words", _renamed(plain), OTHER_NAMES),
        Case("times in London", plain.with_columns(london)),
        Case("times in Kolkata", plain.with_columns(instants.dt.convert_time_zone("Asia/Kolkata"))),
        Case("nanoseconds", plain.with_columns(time.dt.cast_time_unit("ns"))),
        Case("milliseconds", plain.with_columns(time.dt.cast_time_unit("ms"))),
        Case(
            "times without a zone, in UTC",
            plain.with_columns(instants.dt.replace_time_zone(None)),
            {"timezone": "UTC"},
        ),
        Case(
            "times without a zone, in London",
            pl.concat([local, skipped]),
            {"timezone": "Europe/London"},
        ),
        Case(
            "NaN for no valence", plain.with_columns(_on_last_rows(pl.lit(float("nan")), "valence"))
        ),
        Case("times that no calendar has", plain.with_columns(_far_times())),
        Case("columns of no type", _with_ids(plain, numbers, pl.Int64()).with_columns(**_NOTHING)),
        Case("lists and structs", plain.with_columns(_NESTED)),
        Case("seconds since 1970", plain.with_columns(time.dt.epoch("s")).drop("received_at")),
        Case("texts for times, truths and numbers", _in_words(acts)),
    ]
    return [_with_people(case) for case in found]


def _on_last_rows(value: pl.Expr, name: str) -> pl.Expr:
    """A column with another value in the rows that are accepted on every engine."""
    return pl.when(pl.col("id").str.starts_with("z")).then(value).otherwise(name).alias(name)


def _far_times() -> pl.Expr:
    """Times of which some are before the year 1, and one is after the year 9999."""
    ticks = pl.when(pl.col("id") == "z0").then(6 * 10**17).otherwise(-(10**17))
    far = pl.col("id").str.contains("^(z|m1)")
    return pl.when(far).then(ticks.cast(SCHEMA["time"])).otherwise("time").alias("time")


_NOTHING: Final = dict.fromkeys(
    ("target", "received_at", "automated", "valence", "thread", "channel"), pl.lit(None)
)


_NESTED: Final = (
    pl.concat_list("kind", "channel").alias("tags"),
    pl.struct("kind", "valence").alias("more"),
)


def _in_words(table: pl.DataFrame) -> pl.DataFrame:
    """A log whose times, truth values and numbers are texts."""
    return table.with_columns(
        pl.col("time", "received_at").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"),
        pl.col("automated", "valence", "value").cast(pl.String),
    )


OTHER_NAMES: Final[Mapping[str, Any]] = {
    "columns": {"time": "ts", "source": "from", "target": "to", "valence": "stars"},
    "constants": {"channel": "app"},
    "kinds": {"RT": "repost", "hello": "message"},
    "valence_range": (-2, 2),
}


def _renamed(table: pl.DataFrame) -> pl.DataFrame:
    """A log as another system would write it, to be read with `OTHER_NAMES`."""
    words = pl.col("kind").replace({"like": "RT", "message": "hello"})
    names = {ours: theirs for ours, theirs in OTHER_NAMES["columns"].items() if ours != "time"}
    return table.drop("channel").with_columns(words).rename({**names, "time": "ts"})


def _with_ids(table: pl.DataFrame, names: Mapping[str, Any], dtype: pl.DataType) -> pl.DataFrame:
    """A log whose people have other ids."""
    new = [pl.col(name).replace_strict(names, default=None, return_dtype=dtype) for name in PARTIES]
    return table.with_columns(*new)


def _with_people(case: Case) -> Case:
    """A case with the customer who acts most, and a grouping of the others."""
    columns = case.options.get("columns", {})
    source, target = (columns.get(name, name) for name in PARTIES)
    acted = case.table[source].drop_nulls()
    others = case.table[target if target in case.table.columns else source].drop_nulls()
    people = sorted(set(others.filter(others.cast(pl.String) != "")))
    if not people:
        return case
    busiest = acted.filter(acted.cast(pl.String) != "").mode().sort()[0]
    return evolve(case, customer=busiest, groups=dict.fromkeys(people[:2], people[-1]))


def real_cases(folder: Path, *, size: int = 4_000) -> list[Case]:
    """The first acts of two real logs: messages of students, and e-mail of an institute."""
    names = ["source", "target", "time"]
    found = []
    for name, path, start in (
        ("collegemsg", "collegemsg/CollegeMsg.txt.gz", 0),
        ("email", "email-eu-core/email-Eu-core-temporal.txt.gz", 1_064_000_000),
    ):
        table = pl.read_csv(
            folder / path, separator=" ", has_header=False, new_columns=names, n_rows=size
        )
        time = pl.from_epoch(pl.col("time") + start, time_unit="s").cast(pl.Datetime("us"))
        table = table.with_columns(time.dt.replace_time_zone("UTC"))
        found.append(_with_people(Case(name, table, {"constants": {"kind": "message"}})))
    return found
