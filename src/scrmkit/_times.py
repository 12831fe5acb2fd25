"""Columns of times to instants."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import polars as pl


def parse_times(
    column: pl.Series, *, timezone: str | None, name: str
) -> tuple[pl.Series, pl.Series]:
    """The instants (Datetime us UTC) of a column, and why a value could not be used."""
    raise NotImplementedError(column, timezone, name)


def localize(column: pl.Series, timezone: str) -> tuple[pl.Series, pl.Series]:
    """Local times of a zone as instants, and which of them a clock change skips or repeats."""
    raise NotImplementedError(column, timezone)
