"""Ids as texts or as integers of 64 bits, however a table holds them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw

from scrmkit._checks import is_missing
from scrmkit._types import WIDE, misfit
from scrmkit.errors import InvalidTable


EXACT: Final = 2**53
MOST: Final = 2**63 - 1


def to_plain_ids(frame: nw.LazyFrame[Any], *names: str) -> nw.LazyFrame[Any]:
    """A table whose ids are no objects, and no integers that 64 bits cannot hold."""
    schema = frame.collect_schema()
    for name in names:
        if schema[name] == nw.Object:
            rows = frame.collect()
            frame = rows.with_columns(to_ids(rows.get_column(name))).lazy()
        elif schema[name] in WIDE:
            to_int64(frame.select(nw.col(name).max()).collect().get_column(name))
    return frame


def to_ids(column: nw.Series[Any]) -> nw.Series[Any]:
    """Ids kept as floats or objects: whole numbers as such, everything else as text."""
    if column.dtype.is_float():
        floats = column.drop_nulls()
        if (floats.abs() > EXACT).any():
            raise InvalidTable(
                f"column {column.name!r} holds ids as floats, which are not exact beyond 2**53, "
                f"so people would be mixed up: read it as text or as integers"
            )
        if not (floats % 1 == 0).all():
            raise InvalidTable(f"column {column.name!r} holds fractions: ids are text or integers")
        if column.implementation.is_polars():
            return column.cast(nw.Int64)
    name, home = column.name, column.implementation
    values = [None if is_missing(value) else value for value in column.to_list()]
    known = [value for value in values if value is not None]
    numbers = [one for one in known if isinstance(one, int) and not isinstance(one, bool)]
    if any(not -MOST <= number <= MOST for number in numbers):
        raise too_large(name)
    if column.dtype == nw.Object:
        column = nw.new_series(name, values, nw.Object, backend=home)
    whole = nw.maybe_convert_dtypes(column)
    if whole.dtype == nw.String or (whole.dtype.is_integer() and whole.dtype not in WIDE):
        return whole
    if all(isinstance(value, str | UUID) for value in known):
        texts = [None if value is None else str(value) for value in values]
        return nw.new_series(name, texts, nw.String, backend=home)
    if len(numbers) == len(known):
        return nw.new_series(name, values, nw.Int64, backend=home)
    if numbers and any(isinstance(value, str) for value in known):
        raise InvalidTable(
            f"column {name!r} holds text and numbers: ids are all text or all integers"
        )
    raise misfit(column.dtype, name, "ids", "cast it to text or to integers")


def to_int64(column: nw.Series[Any]) -> nw.Series[Any]:
    """Integers of more bits or without a sign, where all of them are small enough."""
    if (column.max() or 0) > MOST:
        raise too_large(column.name)
    return column.cast(nw.Int64)


def too_large(name: str) -> InvalidTable:
    return InvalidTable(
        f"column {name!r} holds integers beyond 2**63, which no engine adds up: make them text"
    )
