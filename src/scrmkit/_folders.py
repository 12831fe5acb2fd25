"""Folders of Parquet files, read as one lazy table, a batch of rows at a time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import narwhals.stable.v2 as nw
from attrs import evolve, frozen

from scrmkit import _tables
from scrmkit._tables import Home
from scrmkit.errors import MissingExtra, ScrmkitWarning, UnreadableFile


if TYPE_CHECKING:
    import polars as pl

BATCH: Final = 2_000_000
SUFFIXES: Final = (".parquet", ".pq")
NOWHERE: Final = "__HIVE_DEFAULT_PARTITION__"
TABLES: Final = {"_delta_log": "Delta", ".hoodie": "Hudi"}


@frozen
class _File:
    """One file of a folder, as it was when it was looked at.

    Args:
        name: its path within the folder.
        path: where it is.
        size: its bytes.
        changed: when it was last changed, in nanoseconds.
        rows: how many it has.
        columns: the types of its columns.
        values: the value of each column that its folders stand for.
    """

    name: str
    path: Path
    size: int
    changed: int
    rows: int
    columns: Mapping[str, pl.DataType]
    values: Mapping[str, str | None]

    def read(self, start: int, rows: int, schema: Mapping[str, Any]) -> pl.LazyFrame:
        """Some rows, with the columns and types of the whole folder."""
        import polars as pl

        self._check_unchanged()
        table = pl.scan_parquet(self.path, hive_partitioning=False, glob=False)
        return (
            table.slice(start, rows)
            .with_columns(
                **{
                    name: pl.col(name).cast(dtype)
                    if name in self.columns
                    else pl.lit(self.values.get(name), dtype)
                    for name, dtype in schema.items()
                    if self.columns.get(name) != dtype
                }
            )
            .select(*schema)
        )

    def _check_unchanged(self) -> None:
        try:
            now = self.path.stat()
        except OSError as error:
            raise UnreadableFile(f"{self.name}: {error}", value=str(self.path)) from error
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed):
            raise UnreadableFile(
                f"{self.name} has changed since the log was made: read the folder again",
                value=str(self.path),
            )


def is_folder(path: Path) -> bool:
    """Whether this names several files: a folder, or a pattern with ``*``, ``?`` or ``[``."""
    return path.is_dir() or (not path.exists() and any(map(_is_pattern, path.parts)))


def _is_pattern(part: str) -> bool:
    return any(sign in part for sign in "*?[")


def scan(path: Path, *, fields: Collection[str]) -> tuple[nw.LazyFrame[Any], Home]:
    """All Parquet files of a folder as one lazy table; only their ends are read here.

    Args:
        path: a folder, searched to the bottom, or a pattern such as ``logs/2026-*.parquet``.
            Files and folders whose name begins with ``_`` or ``.`` are left out, as
            programs call those so which they have not finished.
        fields: the names under which the caller looks for columns; a part of a path such as
            ``kind=answer`` becomes a column, of texts, where its name is among them.

    Raises:
        UnreadableFile: no Parquet file is there, one cannot be read, others are there too,
            or two of them have a column of types that do not fit.
        MissingExtra: Polars is not installed.

    Warns:
        ScrmkitWarning: some files lack a column, which is null there.
    """
    try:
        from polars.io.plugins import register_io_source
    except ImportError as error:
        raise MissingExtra("polars", extra="tables") from error

    files = [_look_at(name, file, fields) for name, file in _find(path.absolute()).items()]
    if not files:
        what = "the folder has no *.parquet files" if path.is_dir() else "no file fits the pattern"
        raise UnreadableFile(f"{path.name}: {what}", value=str(path))
    schema = _types_of(files)

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = schema if columns is None else {name: schema[name] for name in columns}
        return _read(files, wanted, predicate, most)

    frame, home = _tables.take(register_io_source(read, schema=schema))
    return frame, evolve(home, rows=sum(file.rows for file in files))


def _read(
    files: Sequence[_File], schema: Mapping[str, Any], predicate: pl.Expr | None, most: int | None
) -> Iterator[pl.DataFrame]:
    """The rows, so many at a time: Polars by itself reads far ahead.

    Args:
        files: the files, in order.
        schema: the columns that are wanted, with their types.
        predicate: which rows are wanted.
        most: how many rows are looked at; None for all of them.
    """
    import polars as pl

    for parts in _batches(files, most):
        table = pl.concat([file.read(start, rows, schema) for file, start, rows in parts])
        yield (table if predicate is None else table.filter(predicate)).collect()


def _batches(files: Sequence[_File], most: int | None) -> Iterator[list[tuple[_File, int, int]]]:
    """Stretches of files, each a start and a number of rows, which are read at once."""
    batch: list[tuple[_File, int, int]] = []
    room = BATCH
    for file in files:
        end = file.rows if most is None else min(file.rows, most)
        most = None if most is None else most - end
        start = 0
        while start < end:
            rows = min(room, end - start)
            batch.append((file, start, rows))
            start, room = start + rows, room - rows
            if not room:
                yield batch
                batch, room = [], BATCH
    if batch:
        yield batch


# what is there


def _find(path: Path) -> dict[str, Path]:
    """The files that a path names, in order of their names, by these names."""
    if path.is_dir():
        return _walk(path, path)
    start = next(place for place in path.parents if place.exists())
    found: dict[str, Path] = {}
    for one in start.glob(path.relative_to(start).as_posix()):
        if not any(map(_is_unfinished, one.relative_to(start).parts)):
            found |= _walk(one, start) if one.is_dir() else {_name(one, start): one}
    return dict(sorted(found.items()))


def _walk(folder: Path, start: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    been: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        for name in TABLES.keys() & {*folders}:
            raise UnreadableFile(
                f"{folder.name} is a {TABLES[name]} table, of which some files do not count: "
                f"open it with the library for such tables, and give what that returns"
            )
        real = os.path.realpath(place)
        folders[:] = [] if real in been else [one for one in folders if not _is_unfinished(one)]
        if real in been:
            continue
        been.add(real)
        for file in (Path(place, name) for name in names if not _is_unfinished(name)):
            if file.suffix.lower() not in SUFFIXES:
                raise UnreadableFile(
                    f"{_name(file, start)} is no Parquet file: name those to be read by a "
                    f"pattern, such as {folder.name}/**/*.parquet",
                    value=str(file),
                )
            found[_name(file, start)] = file
    return dict(sorted(found.items()))


def _name(file: Path, start: Path) -> str:
    return file.relative_to(start).as_posix()


def _is_unfinished(part: str) -> bool:
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def _look_at(name: str, path: Path, fields: Collection[str]) -> _File:
    import polars as pl

    try:
        state = path.stat()
        table = pl.scan_parquet(path, hive_partitioning=False, glob=False)
        columns = table.collect_schema()
        rows = table.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UnreadableFile(f"{name}: {error}", value=str(path)) from error
    pairs = (part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
    values = {key: None if value == NOWHERE else unquote(value) for key, value in pairs}
    values = {key: value for key, value in values.items() if key in fields}
    for key in values.keys() & columns.keys():
        raise UnreadableFile(
            f"{name} has a column {key!r}, and a folder on its path stands for one too: rename "
            f"one of them"
        )
    return _File(name, path, state.st_size, state.st_mtime_ns, rows, columns, values)


# what fits together


def _types_of(files: Sequence[_File]) -> dict[str, pl.DataType]:
    """The columns of all files together, each with a type that holds those of the files."""
    import polars as pl

    types: dict[str, dict[pl.DataType, str]] = {}
    for file in files:
        text = dict.fromkeys(file.values, pl.String())
        for name, dtype in {**file.columns, **text}.items():
            types.setdefault(name, {}).setdefault(dtype, file.name)
    for name in types:
        lack = [file.name for file in files if name not in {**file.columns, **file.values}]
        if lack:
            warnings.warn(
                f"column {name!r} is missing in {len(lack):,} files, such as {lack[0]}: it is "
                f"null there",
                ScrmkitWarning,
                stacklevel=4,
            )
    return {name: _common(name, seen) for name, seen in types.items()}


def _common(name: str, seen: Mapping[pl.DataType, str]) -> pl.DataType:
    import polars as pl

    types = [dtype for dtype in seen if dtype != pl.Null] or [pl.Null()]
    common = _holding(types)
    if common is not None:
        return common
    first = types[0]
    other = next((one for one in types[1:] if _holding([first, one]) is None), types[-1])
    raise UnreadableFile(
        f"column {name!r} is of type {first} in {seen[first]} and of type {other} in "
        f"{seen[other]}: write both with one type"
    )


def _holding(types: Sequence[pl.DataType]) -> pl.DataType | None:
    """A type that holds all values of some types; None where there is none."""
    import polars as pl

    wide = (pl.UInt64, pl.Int128)
    if len(types) == 1:
        return types[0]
    if all(one.is_integer() and one not in wide for one in types):
        return pl.Int64()
    if all(one.is_float() or (one.is_integer() and one not in wide) for one in types):
        return pl.Float64()
    decimals = [one for one in types if isinstance(one, pl.Decimal)]
    if len(decimals) == len(types):
        return pl.Decimal(38, max(one.scale for one in decimals))
    if all(isinstance(one, pl.String | pl.Categorical | pl.Enum) for one in types):
        return pl.String()
    zones = {isinstance(one, pl.Datetime) and one.time_zone is not None for one in types}
    if len(zones) == 1 and all(isinstance(one, pl.Datetime) for one in types):
        return pl.Datetime("us", "UTC" if zones == {True} else None)
    return None
