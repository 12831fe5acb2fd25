"""Columns of results: ranks, ids, and values with gaps where there is no answer."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import narwhals.stable.v2 as nw

from scrmkit._sparse import Flags, Floats, Ints, NDArray, np, round_digits
from scrmkit._tables import ENGINES, Engine, Home, default_engine


def ranks(values: Floats) -> tuple[Ints, Ints]:
    """Positions from the largest value down, equal ones in order of position, and their ranks.

    Values that agree to 1e-9 of the largest are equal and share a rank, the first of them.
    """
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    near = 1e-9 * float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    new = np.ones(len(values), dtype=bool)
    with np.errstate(invalid="ignore"):
        new[1:] = descending[:-1] - descending[1:] > near
    group = np.cumsum(new) - 1
    if (~new[1:] & (order[1:] < order[:-1])).any():
        order = order[np.lexsort((order, group))]
    return order, np.flatnonzero(new)[group] + 1


def middle_ranks(values: Floats) -> Floats:
    """Ranks from 1, the smallest; equal values (to nine digits) are at the mean of theirs."""
    _, codes, sizes = np.unique(round_digits(values), return_inverse=True, return_counts=True)
    middle: Floats = (np.cumsum(sizes) - (sizes - 1) / 2)[codes]
    return middle


def names(ids: NDArray[Any], home: Home | None) -> Any:
    """Ids, of a type also where there are none."""
    if ids.dtype != object:
        return ids
    return _typed(ids.tolist(), nw.String, home)


def words(values: Sequence[str | None], home: Home | None) -> Any:
    """Words with nulls, of a type for words even if there is none."""
    return _typed(values, nw.String, home)


def numbers(values: Floats, home: Home | None, *, where: Flags | None = None) -> Any:
    """Numbers, null where they are no answer, of a type for numbers even if none is.

    Args:
        values: the numbers.
        home: where the result goes back to.
        where: which of them are answers; without it all of them.
    """
    if where is None or where.all():
        return values
    return _typed(_with_gaps(values, where), nw.Float64, home)


def instants(values: Sequence[datetime], home: Home | None) -> Any:
    """Instants in UTC, of a type for them even if there is none."""
    return _typed(values, nw.Datetime("us", "UTC"), home)


def wholes(values: Ints, home: Home | None, *, where: Flags) -> Any:
    """Whole numbers, null where they are no answer, never floats."""
    if where.all():
        return values
    if _engine_of(home) == "pandas":
        return importlib.import_module("pandas").array(_with_gaps(values, where), dtype="Int64")
    return _typed(_with_gaps(values, where), nw.Int64, home)


def truths(values: Sequence[bool | None], home: Home | None) -> Any:
    """Truth values, null where they are no answer, of a type for them even if none is."""
    if _engine_of(home) == "pandas" and None in values:
        return importlib.import_module("pandas").array(list(values), dtype="boolean")
    return _typed(values, nw.Boolean, home)


def _with_gaps(values: Floats | Ints, where: Flags) -> list[Any]:
    return [one if there else None for one, there in zip(values.tolist(), where, strict=True)]


def _typed(values: Sequence[Any], kind: Any, home: Home | None) -> Any:
    return nw.new_series("column", list(values), kind, backend=_engine_of(home)).to_native()


def _engine_of(home: Home | None) -> Engine:
    """The engine that a result for this home is built by."""
    wanted = None if home is None else home.engine
    return next((name for name in ENGINES if name == wanted), None) or default_engine()
