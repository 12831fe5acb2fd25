"""Ties as tables that are joined: taken and checked, as arcs, as shares, and their totals."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit import _tables
from scrmkit._checks import is_missing
from scrmkit._ids import to_plain_ids
from scrmkit._shelf import Frame, Shelf
from scrmkit._tables import Home, aggregate
from scrmkit.errors import InvalidParameter, InvalidTable


_DIGITS: Final = 9
_LARGEST_POWER: Final = 300


def take_columns(ties: Any, weight: str) -> tuple[Frame, Home, list[str]]:
    """Ends and weights of ties, their home, and which columns are weights: two if directed."""
    frame, home = _tables.take(ties)
    names = frame.collect_schema().names()
    each_way = [f"{weight}_ab", f"{weight}_ba"]
    numbers = each_way if all(name in names for name in each_way) else [weight]
    _tables.check_columns(names, ["a", "b", *numbers], where="the table of ties")
    frame = to_plain_ids(frame.select("a", "b", *numbers), "a", "b")
    schema = frame.collect_schema()
    if any(schema[name] == nw.Object for name in numbers):
        rows = frame.collect()
        frame = rows.with_columns(*(_to_numbers(rows.get_column(name)) for name in numbers)).lazy()
    return frame, home, numbers


def _to_numbers(column: nw.Series[Any]) -> nw.Series[Any]:
    """Decimals of pandas, which are objects there, as numbers; other objects as they are."""
    values = [None if is_missing(value) else value for value in column.to_list()]
    if not all(value is None or isinstance(value, Decimal | int | float) for value in values):
        return column
    numbers = [None if value is None else float(value) for value in values]
    return nw.new_series(column.name, numbers, nw.Float64, backend=column.implementation)


def take_ties(ties: Any, weight: str, shelf: Shelf) -> tuple[Frame, Home, bool]:
    """Rows ``a``, ``b``, ``out`` and ``back`` (the weights each way), their home, if directed."""
    frame, home, numbers = take_columns(ties, weight)
    schema = frame.collect_schema()
    for name in numbers:
        if not schema[name].is_numeric():
            raise InvalidTable(
                f"column {name!r} of the ties is {schema[name]}, not a number", value=name
            )
    kind = _kind_of_ids(schema["a"], schema["b"])
    out, back = (nw.col(name).cast(nw.Float64) for name in (numbers[0], numbers[-1]))
    rows = shelf.keep(
        frame.select(
            nw.col("a").cast(kind), nw.col("b").cast(kind), out.alias("out"), back.alias("back")
        )
    )
    _check(rows)
    return rows, home, len(numbers) == 2


def _kind_of_ids(a: nw.dtypes.DType, b: nw.dtypes.DType) -> type[nw.Int64 | nw.String]:
    if a.is_integer() and b.is_integer():
        return nw.Int64
    if all(isinstance(kind, nw.String | nw.Categorical | nw.Enum) for kind in (a, b)):
        return nw.String
    raise InvalidTable(
        f"the columns a and b of the ties are {a} and {b}: ids must be all texts or all integers"
    )


def _check(rows: Frame) -> None:
    """Refuse nulls, weights that are not finite or negative, and a sum that is not finite."""
    ends, weights = ("a", "b"), ("out", "back")
    flags = {f"no_{name}": nw.col(name).is_null() for name in (*ends, *weights)}
    flags |= {f"wild_{name}": ~nw.col(name).is_finite() for name in weights}
    flags |= {f"negative_{name}": nw.col(name) < 0 for name in weights}
    exprs = [flag.cast(nw.Int64).alias(name) for name, flag in flags.items()]
    seen = totals(rows.select(*exprs, *weights), *flags, *weights)
    for name in ends:
        if seen[f"no_{name}"]:
            raise InvalidTable(f"column {name!r} of the ties has nulls: a tie has two ends")
    if seen["no_out"] or seen["no_back"]:
        raise InvalidTable("the weights of the ties have nulls: fill or drop them")
    if seen["wild_out"] or seen["wild_back"]:
        raise InvalidTable("the weights of the ties must be finite")
    if negative := int(max(seen["negative_out"], seen["negative_back"])):
        raise InvalidParameter(
            f"{negative} ties have a negative weight: take weights of at least 0, such as the "
            f"strength of ties"
        )
    if not math.isfinite(2 * (seen["out"] + seen["back"])):
        raise InvalidTable(
            "the sum of the weights is not a finite number: divide them all by the same"
        )


def to_people(rows: Frame) -> Frame:
    """The column ``customer``: everybody who occurs, once."""
    ends = [rows.select(nw.col(name).alias("customer")) for name in ("a", "b")]
    return nw.concat(ends).unique()


def _round_digits(frame: Frame, column: str) -> Frame:
    """Weights rounded to nine significant digits, as those of a `SocialGraph`; none that are 0."""
    frame = frame.filter(nw.col(column) > 0)
    power = _DIGITS - 1 - nw.col(column).log(base=10).floor()
    up, down = (nw.lit(10.0) ** each.clip(0, _LARGEST_POWER) for each in (power, -power))
    frame = frame.with_columns(up.alias("up"), down.alias("down"))
    up, down = nw.col("up"), nw.col("down")
    rounded = (nw.col(column) * up / down).round() / up * down
    return frame.with_columns(rounded.alias(column)).filter(nw.col(column) > 0).drop("up", "down")


def totals(frame: Frame, *columns: str) -> dict[str, float]:
    """One row: how many ``rows``, and the sums of columns. Nothing else is ever brought here."""
    exprs = [nw.col(name).sum() for name in columns]
    row = frame.select(nw.len().alias("rows"), *exprs).collect()
    return {name: float(nw.to_py_scalar(row[name][0]) or 0) for name in ("rows", *columns)}


def to_both_ways(rows: Frame, *, directed: bool) -> Frame:
    """The arcs ``start``, ``end`` in both directions, each with the ``weight`` of both."""
    weight = (nw.col("out") + nw.col("back") if directed else nw.col("out")).alias("weight")
    there = rows.filter(nw.col("a") != nw.col("b")).select(
        nw.col("a").alias("start"), nw.col("b").alias("end"), weight
    )
    back = there.select(nw.col("end").alias("start"), nw.col("start").alias("end"), "weight")
    summed = aggregate(nw.concat([there, back]), ["start", "end"], weight=("weight", "sum"))
    return _round_digits(summed, "weight")


def to_shares(rows: Frame, damping: float, shelf: Shelf, *, directed: bool) -> Frame:
    """The arcs ``start``, ``end`` with the ``share`` of a start's value that goes on to the end."""
    there = rows.select(nw.col("a").alias("start"), nw.col("b").alias("end"), "out")
    back = rows if directed else rows.filter(nw.col("a") != nw.col("b"))
    back = back.select(
        nw.col("b").alias("start"), nw.col("a").alias("end"), nw.col("back").alias("out")
    )
    weighed = aggregate(nw.concat([there, back]), ["start", "end"], out=("out", "sum"))
    arcs = shelf.keep(_round_digits(weighed, "out"))
    sums = aggregate(arcs, ["start"], whole=("out", "sum"))
    share = (nw.col("out") / nw.col("whole") * damping).alias("share")
    made = shelf.keep(arcs.join(sums, on="start", how="inner").select("start", "end", share))
    shelf.drop(arcs)
    return made
