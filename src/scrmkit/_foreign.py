"""Formats of others: what a reader brings as rows of one table, and rows for a writer.

Both go by tables of Polars, which is the engine for files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _pieces, _plugins, _records, _tables
from scrmkit.errors import InvalidTable, PluginError, UnreadableFile


if TYPE_CHECKING:
    import polars as pl

REASON: Final = "rejected"
_ROWS: Final = 100_000
_ROW: Final = "__scrmkit_row"


@frozen
class Brought:
    """What a reader brought.

    Args:
        frame: the rows that it could make something of.
        place: the number of each of them among all rows, 0 for the first.
        rejected: the others, with ``row`` and ``rule``.
    """

    frame: pl.DataFrame
    place: pl.Series
    rejected: pl.DataFrame


def read(reader: Any, path: Any, *, empty: Mapping[str, list[Any]]) -> Brought:
    """The rows that a reader makes of a source; the empty table where it brings none.

    Raises:
        UnreadableFile: the reader says so, or the operating system does.
        PluginError: the reader fails, or brings what are no tables that fit each other.
    """
    import polars as pl

    plugin = _plugins.choose_function("readers", reader)
    with _plugins.blame(plugin.label):
        try:
            tables = [_to_polars(one) for one in _several(plugin.made(path))]
        except OSError as error:
            raise UnreadableFile(
                f"{plugin.label} cannot read it: {error.strerror or type(error).__name__}",
                value=str(path),
            ) from error
        except InvalidTable as error:
            raise PluginError(f"it brings something that is no table: {error}") from error
    try:
        rows = pl.concat(tables or [pl.DataFrame(empty)], how="diagonal_relaxed").with_row_index(
            _ROW
        )
    except pl.exceptions.PolarsError as error:
        raise PluginError(
            f"{plugin.label} brings tables whose columns do not fit each other: {error}"
        ) from error
    if REASON not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias(REASON))
    if rows.schema[REASON] not in (pl.String, pl.Null):
        raise PluginError(f"{plugin.label}: the column {REASON!r} must be text")
    fine = pl.col(REASON).is_null()
    good, bad = rows.filter(fine).drop(REASON), rows.filter(~fine)
    given = {name: f"{name}_given" for name in ("row", "rule")}
    bad = bad.rename(given, strict=False).rename({REASON: "rule", _ROW: "row"})
    return Brought(good.drop(_ROW), good[_ROW], bad)


def _several(brought: Any) -> Iterable[Any]:
    """One table, or several, as several."""
    one = isinstance(brought, Mapping) or hasattr(brought, "__arrow_c_stream__")
    if one or hasattr(brought, "columns") or not isinstance(brought, Iterable):
        return [brought]
    return brought


def _to_polars(table: Any) -> pl.DataFrame:
    if isinstance(table, Mapping):
        columns = {name: _records.to_one_type(list(cells), name) for name, cells in table.items()}
        table = _tables.build(columns)
    return _tables.take(table)[0].collect().to_polars()


def write(frame: nw.LazyFrame[Any], writer: Any, path: str | PathLike[str]) -> None:
    """Have a writer write the rows of a table to a place where nothing is yet.

    Raises:
        PluginError: the writer fails, or writes nothing.
        InvalidParameter: something is there already.
    """
    plugin = _plugins.choose_function("writers", writer)
    place = _pieces.free(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as folder:
        made = Path(folder) / place.name
        with _plugins.blame(plugin.label):
            plugin.made(portions(frame), made)
        if not made.exists():
            raise PluginError(f"{plugin.label} wrote nothing to the path it was given")
        if place.is_dir():
            if made.is_dir():
                made.chmod(place.stat().st_mode)
            place.rmdir()
        made.replace(place)


def portions(frame: nw.LazyFrame[Any]) -> Iterator[pl.DataFrame]:
    """The rows in order, some at a time; at least one table, which may be empty."""
    if frame.implementation.is_polars():
        parts = frame.to_native().collect_batches(
            chunk_size=_ROWS, maintain_order=True, engine="streaming"
        )
    else:
        parts = iter([frame.collect().to_polars()])
    empty = True
    for part in parts:
        for rows in part.iter_slices(_ROWS):
            empty = False
            yield rows
    if empty:
        yield frame.head(0).collect().to_polars()
