"""Rows with one key, in lazy tables: repeats count once, and rows that differ are conflicts.

A lazy table of Polars is looked through in little memory. First the keys become numbers, of
which those that occur twice are kept; all rows with another number pass, and only the few
that are left are compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw

from scrmkit import _tables


if TYPE_CHECKING:
    import polars as pl

COPIES: Final = "__scrmkit_copies"
NUMBER: Final = "__scrmkit_number"
SEED: Final = 20_262
AT_ONCE: Final = 2_000_000


def settle(
    rows: nw.LazyFrame[Any], key: Sequence[str], content: Sequence[str]
) -> nw.LazyFrame[Any]:
    """One row of each key whose rows have the same content."""
    return _choose(rows, key, content, nw.col(COPIES) == 1, with_others=True)


def conflicts(
    rows: nw.LazyFrame[Any], key: Sequence[str], content: Sequence[str]
) -> nw.LazyFrame[Any]:
    """The rows of keys whose rows have different content, each content once."""
    return _choose(rows, key, content, nw.col(COPIES) > 1, with_others=False)


def _choose(
    rows: nw.LazyFrame[Any],
    key: Sequence[str],
    content: Sequence[str],
    wanted: nw.Expr,
    *,
    with_others: bool,
) -> nw.LazyFrame[Any]:
    """The different contents of those keys of which `COPIES`, the number of contents, is wanted."""

    def chosen(some: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        versions = some.unique(subset=list(content))
        return versions.with_columns(nw.len().over(*key).alias(COPIES)).filter(wanted).drop(COPIES)

    if not rows.implementation.is_polars():
        return chosen(rows)
    return _in_two_steps(rows, key, chosen, with_others=with_others)


def _in_two_steps(
    rows: nw.LazyFrame[Any],
    key: Sequence[str],
    choose: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]],
    *,
    with_others: bool,
) -> nw.LazyFrame[Any]:
    """What is chosen of the rows whose key occurs twice, and the others as they are.

    Args:
        rows: a lazy table of Polars.
        key: its columns of the key.
        choose: what becomes of rows of which none is missing that has the same key.
        with_others: whether rows whose key occurs once come along.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    native: pl.LazyFrame = rows.to_native()
    numbered = native.with_columns(pl.struct(*key).hash(SEED).alias(NUMBER))

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        numbers = numbered.select(NUMBER).sort(NUMBER)
        again = numbers.filter(pl.col(NUMBER) == pl.col(NUMBER).shift(1)).unique()
        repeated = _tables.collect(nw.from_native(again)).to_native()
        parts: list[pl.LazyFrame] = []
        if with_others:
            parts.append(numbered.join(repeated.lazy(), on=NUMBER, how="anti").drop(NUMBER))
        for some in repeated.iter_slices(AT_ONCE):
            several = numbered.join(some.lazy(), on=NUMBER, how="semi").drop(NUMBER)
            held = several.collect(engine="streaming").lazy()
            parts.append(choose(nw.from_native(held)).to_native())
        for part in parts or [native.head(0)]:
            rows = part
            if most is not None:
                first = part.head(most).collect(engine="streaming")
                rows, most = first.lazy(), most - first.height
            rows = rows if predicate is None else rows.filter(predicate)
            rows = rows if columns is None else rows.select(columns)
            yield from rows.collect_batches(maintain_order=False, engine="streaming")

    return nw.from_native(register_io_source(read, schema=native.collect_schema))
