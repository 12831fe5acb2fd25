"""Folders of Parquet files, read as one lazy table, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
from attrs import evolve

from scrmkit import _tables
from scrmkit._tables import Home
from scrmkit.errors import MissingExtra, UnreadableFile


if TYPE_CHECKING:
    import polars as pl

BATCH: Final = 2_000_000


def is_folder(path: str | PathLike[str]) -> bool:
    """Whether this names several files: a folder, or a pattern with ``*``, ``?`` or ``[``."""
    path = Path(path)
    return path.is_dir() or (any(map(_is_pattern, path.parts)) and not path.exists())


def _is_pattern(part: str) -> bool:
    return any(sign in part for sign in "*?[")


def scan(path: str | PathLike[str]) -> tuple[nw.LazyFrame[Any], Home]:
    """All Parquet files of a folder as one lazy table; only their ends are read here.

    Args:
        path: a folder, searched to the bottom, or a pattern such as ``logs/2026-*.parquet``.
            Parts of a path such as ``year=2026`` become columns. Files and folders whose
            name begins with ``_`` or ``.`` are left out, as programs call those so which
            they have not finished.

    Raises:
        UnreadableFile: no Parquet file is there, one cannot be read, or two of them differ
            in their columns.
        MissingExtra: Polars is not installed.
    """
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtra("polars", extra="tables") from error

    path = Path(path)
    files = _find(path)
    if not files:
        what = "the folder has no *.parquet files" if path.is_dir() else "no file fits the pattern"
        raise UnreadableFile(f"{path.name}: {what}", value=str(path))
    schemas: dict[str, dict[str, object]] = {}
    heights: dict[Path, int] = {}
    for name, file in files.items():
        try:
            columns = pl.read_parquet_schema(file)
            heights[file] = pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise UnreadableFile(f"{name}: {error}", value=str(file)) from error
        schemas[name] = {**columns, **dict.fromkeys(_keys(name), "folder")}
        _check_alike(schemas, next(iter(schemas)), name)
    frame, home = _tables.take(_in_batches(heights))
    return frame, evolve(home, rows=sum(heights.values()))


def _in_batches(heights: Mapping[Path, int]) -> pl.LazyFrame:
    """The rows of files, read by so many at a time that little memory is needed.

    Polars by itself reads ahead in files of which it has many.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    table = pl.scan_parquet(list(heights), hive_partitioning=True, glob=False)
    schema = table.collect_schema()

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        for file, height in heights.items():
            one = pl.scan_parquet(file, hive_schema=schema, hive_partitioning=True, glob=False)
            for start in range(0, height, BATCH):
                rows = one.slice(start, BATCH)
                rows = rows if predicate is None else rows.filter(predicate)
                batch = rows.select(columns or schema.names()).collect()
                yield batch if most is None else batch.head(most)
                if most is not None:
                    most -= batch.height
                    if most <= 0:
                        return

    return register_io_source(read, schema=schema)


def _find(path: Path) -> dict[str, Path]:
    """The Parquet files, in order of their names, by these names."""
    plain, pattern = path, "**/*.parquet"
    if not path.is_dir():
        start = next(place for place, part in enumerate(path.parts) if _is_pattern(part))
        plain, pattern = Path(*path.parts[:start]), "/".join(path.parts[start:])
    found = {file.relative_to(plain).as_posix(): file for file in plain.glob(pattern)}
    return {
        name: found[name]
        for name in sorted(found)
        if found[name].is_file() and not any(map(_is_unfinished, name.split("/")))
    }


def _is_unfinished(part: str) -> bool:
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def _keys(name: str) -> list[str]:
    """The columns that the folders of a file stand for."""
    return [part.partition("=")[0] for part in name.split("/")[:-1] if "=" in part]


def _check_alike(schemas: Mapping[str, dict[str, object]], one: str, other: str) -> None:
    for column in schemas[one] | schemas[other]:
        for with_it, without in ((one, other), (other, one)):
            if column not in schemas[without]:
                raise UnreadableFile(
                    f"{with_it} has the column {column!r} and {without} has not: give all files "
                    f"of the folder the same columns, or read them apart"
                )
        if schemas[one][column] != schemas[other][column]:
            raise UnreadableFile(
                f"column {column!r} is of type {schemas[one][column]} in {one} and of type "
                f"{schemas[other][column]} in {other}: write both with one type"
            )
