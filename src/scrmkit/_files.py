"""A file on disk as a table of columns with line numbers; nothing lost."""

from __future__ import annotations

import codecs
import gzip
import json
import mmap
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from scrmkit._delimited import Data, Rows, clean_lines, read_delimited, split_lines
from scrmkit.errors import MissingExtra, UnreadableFile


if TYPE_CHECKING:
    import polars as pl

JSON_LINES: Final = (".ndjson", ".jsonl", ".ldjson")

NOT_JSON: Final = "not JSON"
NOT_AN_OBJECT: Final = "not a JSON object"
NO_CHARACTER: Final = "holds half a surrogate pair"

_MAGIC: Final = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet: save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet: save the table as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard: decompress it, or use gzip",
    b"BZh": "compressed with bzip2: decompress it, or use gzip",
    b"\xfd7zXZ": "compressed with xz: decompress it, or use gzip",
    b"SQLite format 3": "a SQLite database: export the table as CSV",
}
# UTF-32 first: its mark starts with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXACT: Final = 2**53


@frozen
class Lines:
    """The records of a file, each of them either a row or rejected.

    Args:
        frame: one row a well-formed record; from text files all columns are String and an
            empty field is null, from NDJSON and Parquet columns have their types.
        number: the line (text files, NDJSON; 1 is the first line of the file) or the row
            (Parquet, from 1) of each row of ``frame``; of a record over several lines the
            first.
        rejected: the columns ``line``, ``rule`` and ``text`` of records that could not be
            split into fields.
        read: how many records the file has; a header and blank lines are no records.
        header: whether the first line was a header.
    """

    frame: pl.DataFrame
    number: pl.Series
    rejected: pl.DataFrame
    read: int
    header: bool


def read_file(path: str | PathLike[str], *, fields: Collection[str] = ()) -> Lines:
    """The records of a file, with their line numbers.

    Args:
        path: delimited text (tab, ``|``, ``;``, comma or space between fields), NDJSON, both
            also compressed with gzip; Parquet. Text is UTF-8, or UTF-16
            or UTF-32 with a byte order mark. What the file is, is told by its content.
        fields: names that the caller looks for, to tell a header from a record.

    Returns:
        Every record of the file, in its order, either as a row or as rejected. Lines that are
        not UTF-8 are rejected rather than guessed at, because a wrong guess changes names
        unseen. Without a header the columns are called ``column_1``, ``column_2``, ...

    Raises:
        UnreadableFile: a file that is missing, empty, broken as a whole, or no table.
        MissingExtra: Polars is not installed.
    """
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtra("polars", extra="tables") from error

    path = Path(path)
    try:
        with _open(path) as data:
            return _read_open(path, data, fields)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"{path.name}: {reason}", value=str(path)) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UnreadableFile(f"{path.name}: {error}", value=str(path)) from error
    except UnreadableFile as error:
        raise UnreadableFile(f"{path.name}: {error}", value=str(path)) from None


@contextmanager
def _open(path: Path) -> Iterator[Data]:
    with path.open("rb") as file:
        if not file.read(1):
            raise UnreadableFile("the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _read_open(path: Path, data: Data, fields: Collection[str]) -> Lines:
    if data[:4] == b"PAR1":
        return _read_parquet(path)
    source: Path | bytes = path
    if data[:2] == b"\x1f\x8b":
        source = data = gzip.decompress(data)
    for magic, what in _MAGIC.items():
        if data[: len(magic)] == magic:
            raise UnreadableFile(f"this is {what}")
    source, data = _to_utf8(source, data)
    head = data[:4096]
    if 10 * head.count(b"\0") > len(head):
        raise UnreadableFile(
            "this is not text, or UTF-16 without a byte order mark: save it as UTF-8"
        )
    if not any(data[at : at + 65536].strip() for at in range(0, len(data), 65536)):
        raise UnreadableFile("the file is empty")
    if _is_json(path, head):
        return _read_json_lines(data)
    return _to_lines(read_delimited(source, data, fields))


def _to_utf8(source: Path | bytes, data: Data) -> tuple[Path | bytes, Data]:
    if data[:3] == codecs.BOM_UTF8:
        data = data[3:]
        return data, data
    for mark, encoding in _MARKS:
        if data[: len(mark)] == mark:
            try:
                text = data[:].decode(encoding)
                data = text.encode()
            except UnicodeError as error:
                raise UnreadableFile(f"this starts as {encoding.upper()} and is broken") from error
            return data, data
    return source, data


def _to_lines(rows: Rows) -> Lines:
    import polars as pl

    schema = {"line": pl.Int64, "rule": pl.String, "text": pl.String}
    rejected = pl.DataFrame(rows.rejected, schema=schema, orient="row")
    read = rows.frame.height + rejected.height
    return Lines(rows.frame, rows.number, rejected, read, rows.header)


# Parquet


def _read_parquet(path: Path) -> Lines:
    import polars as pl

    frame = pl.read_parquet(path, glob=False)
    number = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias("line")
    return _to_lines(Rows(frame, number, [], header=True))


# NDJSON


def _is_json(path: Path, head: bytes) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes[-1:] == [".json"] and head.lstrip()[:1] == b"[":
        raise UnreadableFile(
            "this is one JSON array: write one object a line, e.g. jq -c '.[]' FILE"
        )
    return (bool(suffixes) and suffixes[-1] in JSON_LINES) or head.lstrip()[:1] == b"{"


def _read_json_lines(data: Data) -> Lines:
    """Objects, one a line; the engine reads them at once where it is sure to read them all."""
    import polars as pl

    content = data[:]
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    if rb"\ud" not in content.lower():
        try:
            frame = pl.read_ndjson(content, infer_schema_length=None)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            frame = pl.DataFrame()
        if frame.width and frame.height == lines:
            number = pl.int_range(1, lines + 1, dtype=pl.Int64, eager=True).alias("line")
            return _to_lines(Rows(frame, number, [], header=True))
    return _to_lines(_read_each_object(content))


def _read_each_object(content: bytes) -> Rows:
    import polars as pl

    clean, bad = clean_lines(content)
    objects: list[dict[str, Any]] = []
    numbers: list[int] = []
    rejected: list[tuple[int, str, str]] = []
    for number, text in enumerate(split_lines(clean), start=1):
        if not text.strip():
            continue
        value, rule = (None, bad[number]) if number in bad else _parse_object(text)
        if value is None:
            rejected.append((number, rule or NOT_JSON, text))
        else:
            objects.append(value)
            numbers.append(number)
    names = dict.fromkeys(name for value in objects for name in value)
    columns = [_to_column(name, [value.get(name) for value in objects]) for name in names]
    if not columns:
        raise UnreadableFile("no line is a JSON object with fields")
    return Rows(pl.DataFrame(columns), pl.Series("line", numbers, pl.Int64), rejected, header=True)


def _parse_object(text: str) -> tuple[dict[str, Any] | None, str | None]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None, NOT_JSON
    if not isinstance(value, dict):
        return None, NOT_AN_OBJECT
    if "\\ud" in text.lower():
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return None, NO_CHARACTER
    return value, None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _to_column(name: str, values: list[Any]) -> pl.Series:
    """Values of one type as such; whole numbers with fractions as floats; the rest as text."""
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float} and all(abs(value) <= _EXACT for value in values if value is not None):
        return pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)
    if len(kinds) < 2:
        try:
            return pl.Series(name, values, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            pass
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pl.Series(name, texts, pl.String)
