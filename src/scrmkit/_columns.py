"""Columns of results: the order of values and their ranks, ids, and columns with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from scrmkit._sparse import Flags, Floats, Ints, np
from scrmkit._tables import ENGINES, Home, default_engine


def ranks(values: Floats) -> tuple[Ints, Ints]:
    """Positions from the largest value down, equal ones in order of position, and their ranks.

    Values that agree to 1e-9 of the largest are equal and share a rank, the first of them.
    """
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    near = 1e-9 * float(np.abs(values).max(initial=0.0))
    new = np.ones(len(values), dtype=bool)
    new[1:] = descending[:-1] - descending[1:] > near
    group = np.cumsum(new) - 1
    order = order[np.lexsort((order, group))]
    return order, np.flatnonzero(new)[group] + 1


def names(ids: Any, order: Ints) -> Any:
    """The ids at some positions."""
    chosen = ids[order]
    if chosen.dtype != object:
        return chosen
    return chosen.tolist() or np.array([], dtype=str)


def numbers(values: Floats, missing: Flags, home: Home | None) -> Any:
    """Numbers with nulls where there is no answer, of a type for numbers even if there is none."""
    plain = [None if no else value for value, no in zip(values.tolist(), missing, strict=True)]
    return _typed(plain, nw.Float64, home)


def words(values: Sequence[str | None], home: Home | None) -> Any:
    """Words with nulls, of a type for words even if there is none."""
    return _typed(values, nw.String, home)


def _typed(values: Sequence[Any], kind: Any, home: Home | None) -> Any:
    """A column of the engine that a result for this home is built by."""
    wanted = None if home is None else home.engine
    engine = next((name for name in ENGINES if name == wanted), None) or default_engine()
    return nw.new_series("column", list(values), kind, backend=engine).to_native()
