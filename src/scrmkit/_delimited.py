"""Delimited text (CSV and its relatives) as rows and rejected lines; every byte is accounted for.

The whole text is read at once where that is provably right: the bytes of all values, of the
separators, quotes and line ends must add up to the bytes of the text. Otherwise the lines are
judged one by one, the well-formed ones still in bulk.

The grammar: a field that starts with a quote ends with the next single quote, two quotes in
it are one, and it may span lines; in any other field a quote is an ordinary character. A
record over several lines counts only if it has the right number of fields and at most
`MOST_LINES` lines; otherwise each line stands for itself, so that one stray quote costs one
line and not the rest of the file.
"""

from __future__ import annotations

import io
import mmap
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from scrmkit.errors import UnreadableFile


if TYPE_CHECKING:
    import polars as pl

MOST_LINES: Final = 1000
SAMPLE_BYTES: Final = 1 << 18
SAMPLE_RECORDS: Final = 200
CHUNK: Final = 1 << 22
# The columns of a pattern that tells well-formed quoted lines; wider ones are read one by one.
MOST_COLUMNS: Final = 100

SEPARATORS: Final = ("\t", "|", ";", ",", " ")

TOO_FEW: Final = "too few fields"
TOO_MANY: Final = "too many fields"
OPEN_QUOTE: Final = "quote not closed"
AFTER_QUOTE: Final = "text after a closing quote"
NOT_UTF8: Final = "not UTF-8"
NUL: Final = "holds a NUL byte"

# A cell that is a number or a time, as the names of columns are not.
_VALUE: Final = re.compile(
    r"\s*(?:[+\-.$€£]*\d|(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct"
    r"|nov|dec)[a-z]*[,.]?\s.*\d)",
    re.IGNORECASE,
)

Data = bytes | mmap.mmap

# The number of lines up to the end of a record, and its fields.
_Start = tuple[int, list[str]]


@frozen
class Layout:
    """How a text is laid out.

    Args:
        separator: the character between fields.
        names: the names of the columns.
        header: whether the first record names them.
        skipped: the lines in front of the first record: blank ones, and the header.
    """

    separator: str
    names: tuple[str, ...]
    header: bool
    skipped: int


@frozen
class Rows:
    """Rows with their line numbers, and the lines that are none: (line, rule, text)."""

    frame: pl.DataFrame
    number: pl.Series
    rejected: list[tuple[int, str, str]]
    header: bool


def read_delimited(source: Path | bytes, data: Data, fields: Collection[str]) -> Rows:
    """The rows of a text in UTF-8 without a byte order mark.

    Args:
        source: what the engine reads: the file, or its bytes.
        data: the same as bytes.
        fields: names that a header may have.
    """
    import polars as pl

    if data.find(b"\n") < 0 and data.find(b"\r") >= 0:
        source = data = data[:].replace(b"\r", b"\n")
    aligned = data.find(b'"') < 0
    layout = find_layout(data, fields, aligned=aligned)
    if aligned and layout.separator == " ":
        source, data = _single_spaces(source, data)
    if not _lines_from(data, layout.skipped):
        frame = pl.DataFrame(schema=dict.fromkeys(layout.names, pl.String))
        return Rows(frame, pl.Series("line", [], dtype=pl.Int64), [], layout.header)
    return _read_at_once(source, data, layout) or _read_lines(data[:], layout)


def _lines_from(data: Data, count: int) -> bool:
    """Whether anything but blanks follows the first lines."""
    start = 0
    for _ in range(count):
        end = data.find(b"\n", start)
        if end < 0:
            return False
        start = end + 1
    while start < len(data):
        if data[start : start + CHUNK].strip():
            return True
        start += CHUNK
    return False


def _single_spaces(source: Path | bytes, data: Data) -> tuple[Path | bytes, Data]:
    """Columns that are aligned with spaces: one space between fields, none at the ends."""
    if all(data.find(mark) < 0 for mark in (b"  ", b"\n ", b" \n", b" \r")) and data[:1] != b" ":
        return source, data
    single = re.sub(rb" +", b" ", data[:])
    single = re.sub(rb"(?m)^ | (?=\r?$)", b"", single)
    return single, single


# how a text is laid out


def find_layout(data: Data, fields: Collection[str], *, aligned: bool) -> Layout:
    """Decide the separator, the header and the names from the first lines.

    Args:
        data: the text.
        fields: names that a header may have.
        aligned: whether runs of spaces count as one separator.
    """
    head = data[:SAMPLE_BYTES]
    if len(data) > SAMPLE_BYTES and b"\n" in head:
        head = head[: head.rindex(b"\n")]
    lines = [line.removesuffix("\r") for line in head.decode(errors="replace").split("\n")]
    known = {field.casefold() for field in fields}
    best: tuple[tuple[int, bool, float], str, list[_Start]] | None = None
    for separator in SEPARATORS:
        if aligned and separator == " ":
            lines = [re.sub(" +", " ", line.strip(" ")) for line in lines]
        records = _sample(lines, separator)
        width, count = _usual_width(records)
        if width < 2:
            continue
        share = count / len(records)
        hits = _hits(records[0][1], known)
        rank = (hits if hits > 1 else 0, share >= 0.9 and separator != " ", share)
        if best is None or rank > best[0]:
            best = rank, separator, records
    separator, records = (best[1], best[2]) if best else (",", _sample(lines, ","))
    return _judge_header(head, separator, records, known)


def _judge_header(head: bytes, separator: str, records: list[_Start], known: set[str]) -> Layout:
    width, _ = _usual_width(records)
    end, first = records[0] if records else (0, [])
    below = [record for _, record in records[1:] if len(record) == width]
    if not first or not _is_header(first, below, known):
        names = tuple(f"column_{number}" for number in range(1, width + 1))
        return Layout(separator, names, header=False, skipped=0)
    try:
        b"\n".join(head.split(b"\n")[:end]).decode()
    except UnicodeDecodeError:
        raise UnreadableFile(
            "the header is not UTF-8: save the file as UTF-8, e.g. "
            "iconv -f windows-1252 -t utf-8 FILE"
        ) from None
    return Layout(separator, _names(first), header=True, skipped=end)


def _sample(lines: Sequence[str], separator: str) -> list[_Start]:
    """The first records, each with the number of lines up to its end; malformed ones are empty."""
    records: list[_Start] = []
    start = 0
    while start < len(lines) and len(records) < SAMPLE_RECORDS:
        if _is_blank(lines[start]):
            start += 1
            continue
        record, taken, _ = split_record(lines[start : start + MOST_LINES], separator)
        start += taken
        records.append((start, record or []))
    return records


def _usual_width(records: Sequence[_Start]) -> tuple[int, int]:
    """The number of fields that most records have, and how many have it; at least 1."""
    counts = Counter(len(record) for _, record in records if record)
    return max(counts.items(), key=lambda item: (item[1], item[0]), default=(1, 0))


def _hits(cells: Iterable[str], known: set[str]) -> int:
    return sum(cell.strip().casefold() in known for cell in cells)


def _is_header(first: Sequence[str], below: Sequence[Sequence[str]], known: set[str]) -> bool:
    """Whether cells are names: known ones, or no values where values stand below."""
    has_value = any(_VALUE.match(cell) for cell in first)
    hits = _hits(first, known)
    if hits > 1 or (hits and not has_value):
        return True
    if has_value or (below and len(first) != len(below[0])):
        return False
    columns = list(zip(*below, strict=True))
    if any(2 * sum(bool(_VALUE.match(cell)) for cell in column) > len(below) for column in columns):
        return True
    return not any(cell in column for cell, column in zip(first, columns, strict=False))


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for columns: stripped, none empty, no two alike."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        stem = cell.strip(" \t") or f"column_{number}"
        name, copy = stem, 1
        while name in names:
            copy += 1
            name = f"{stem}_{copy}"
        names.append(name)
    return tuple(names)


# the grammar of one record


def split_record(lines: Iterable[str], separator: str) -> tuple[list[str] | None, int, str | None]:
    """The fields of the record that starts with the first line, and how many lines it takes.

    Returns:
        The fields, the number of lines and None; or None, 1 and the rule that is broken.
    """
    fields: list[str] = []
    quoted: list[str] | None = None
    for taken, line in enumerate(lines, start=1):
        at = 0
        while True:
            if quoted is None:
                if line.startswith('"', at):
                    quoted, at = [], at + 1
                    continue
                end = line.find(separator, at)
                if end < 0:
                    fields.append(line[at:])
                    return fields, taken, None
                fields.append(line[at:end])
                at = end + 1
                continue
            end = line.find('"', at)
            if end < 0:
                quoted.append(line[at:] + "\n")
                break
            if line.startswith('"', end + 1):
                quoted.append(line[at : end + 1])
                at = end + 2
                continue
            fields.append("".join((*quoted, line[at:end])))
            quoted, at = None, end + 1
            if at == len(line):
                return fields, taken, None
            if not line.startswith(separator, at):
                return None, 1, AFTER_QUOTE if taken == 1 else OPEN_QUOTE
            at += 1
        if taken == MOST_LINES:
            break
    return None, 1, OPEN_QUOTE


def _is_blank(line: str) -> bool:
    return not line.strip(" \r")


# all at once


def _read_at_once(source: Path | bytes, data: Data, layout: Layout) -> Rows | None:
    """The rows where every line is well formed and none is blank; None where that is not sure."""
    import polars as pl

    if len(layout.names) == 1 or layout.skipped != layout.header or data.find(b"\0") >= 0:
        return None
    frame = _parse(source, layout, skip=layout.skipped)
    if frame is None:
        return None
    start = data.find(b"\n") + 1 if layout.header else 0
    if not _holds_all(frame, data, start) or not _ends_well(frame, data, start, layout.separator):
        return None
    if data.find(b'"') >= 0:
        frame = _empty_to_null(frame)
    first = layout.skipped + 1
    number = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True).alias("line")
    return Rows(frame, number, [], layout.header)


def _holds_all(frame: pl.DataFrame, data: Data, start: int) -> bool:
    """Whether the rows are the lines of a text, with every byte where it belongs.

    The engine refuses a line with too many fields and fills one with too few with nulls. So
    all is well where the last column has none; otherwise the bytes are counted. A blank line
    at the start is skipped by some versions.
    """
    if data[start : start + 1] in (b"\n", b"\r"):
        return False
    has_quotes, has_returns = data.find(b'"') >= 0, data.find(b"\r") >= 0
    if not has_quotes and not has_returns and not frame.to_series(-1).null_count():
        return True
    ends = frame.height - (data[len(data) - 1 :] != b"\n")
    known = _total(frame, lambda column: column.str.len_bytes())
    known += frame.height * (frame.width - 1) + ends
    if has_returns:
        returns = _count(data, b"\r\n", start)
        if returns != _count(data, b"\r", start):
            return False
        known += returns
    if has_quotes:
        if _count(data, b"\n", start) != ends:
            return False
        inside = _total(frame, lambda column: column.str.count_matches('"', literal=True))
        known += _count(data, b'"', start) - inside
    return known == len(data) - start


def _ends_well(frame: pl.DataFrame, data: Data, start: int, separator: str) -> bool:
    """Whether the last line is well formed, where the engine is lenient."""
    last = data[data.rfind(b"\n", start, len(data) - 1) + 1 :].decode().rstrip("\r\n")
    record, _, _ = split_record([last], separator)
    return record is not None and len(record) == frame.width


def _parse(
    source: Path | bytes, layout: Layout, *, skip: int, quote: str | None = '"'
) -> pl.DataFrame | None:
    """What the engine makes of a text, all columns as text; None where it refuses."""
    import polars as pl

    try:
        return pl.read_csv(
            source,
            has_header=False,
            skip_rows=skip,
            schema=dict.fromkeys(layout.names, pl.String),
            separator=layout.separator,
            quote_char=quote,
            glob=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _empty_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return frame.select(pl.when(pl.all() != "").then(pl.all()))


def _total(frame: pl.DataFrame, measure: Callable[[pl.Expr], pl.Expr]) -> int:
    import polars as pl

    sums = frame.select(measure(pl.all()).cast(pl.Int64).sum()).row(0)
    return int(sum(sums))


def _count(data: Data, mark: bytes, start: int) -> int:
    """How often a mark occurs, without a copy of the whole."""
    more = len(mark) - 1
    return sum(data[at : at + CHUNK + more].count(mark) for at in range(start, len(data), CHUNK))


# line by line


def _read_lines(data: bytes, layout: Layout) -> Rows:
    """The rows of a text where some lines are blank, broken or part of a record."""
    import polars as pl

    clean, bad = clean_lines(data)
    lines = split_lines(clean).to_frame("text").with_row_index("line", offset=1)
    lines = lines.slice(layout.skipped).with_columns(pl.col("line").cast(pl.Int64))
    width = len(layout.names)
    text = pl.col("text")
    is_quoted = text.str.contains('"', literal=True)
    is_strict = pl.lit(value=False)
    if width <= MOST_COLUMNS:
        is_strict = is_quoted & text.str.contains(_pattern(layout.separator, width))
    lines = lines.with_columns(
        spoilt=pl.col("line").is_in(list(bad)),
        blank=text.str.strip_chars(" \r") == "",
        surplus=text.str.count_matches(layout.separator, literal=True).cast(pl.Int64) - width + 1,
        quoted=is_quoted,
        strict=is_strict,
    )
    records, rejected, taken = _walk(lines, layout, bad)
    alone = lines.filter(~pl.col("blank") & ~pl.col("line").is_in(taken))
    rejected.extend((line, bad[line], text) for line, text in _pick(alone.filter("spoilt")))
    alone = alone.filter(~pl.col("spoilt"))
    plain = alone.filter(~pl.col("quoted"))
    for rule, ragged in ((TOO_FEW, pl.col("surplus") < 0), (TOO_MANY, pl.col("surplus") > 0)):
        rejected.extend((line, rule, text) for line, text in _pick(plain.filter(ragged)))
    good = alone.filter(pl.when("quoted").then("strict").otherwise(pl.col("surplus") == 0))
    frame, number = _assemble(good, records, layout)
    return Rows(frame, number, sorted(rejected), layout.header)


def _pick(lines: pl.DataFrame) -> Iterator[tuple[int, str]]:
    yield from lines.select("line", "text").iter_rows()


def clean_lines(data: bytes) -> tuple[bytes, dict[int, str]]:
    """A text made UTF-8 throughout, and what was wrong with which lines."""
    pieces: list[bytes] = []
    bad: dict[int, str] = {}
    at, number = 0, 1
    while at < len(data):
        end = data.find(b"\n", at + CHUNK) + 1 or len(data)
        piece = data[at:end]
        if not _is_clean(piece):
            lines = piece.split(b"\n")
            for offset, line in enumerate(lines):
                if not _is_clean(line):
                    text = line.decode(errors="replace")
                    bad[number + offset] = NUL if text.encode() == line else NOT_UTF8
                    lines[offset] = text.encode()
            piece = b"\n".join(lines)
        pieces.append(piece)
        number += piece.count(b"\n")
        at = end
    return b"".join(pieces), bad


def _is_clean(piece: bytes) -> bool:
    if b"\0" in piece:
        return False
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def split_lines(clean: bytes) -> pl.Series:
    """The lines of a text in UTF-8, without their ends."""
    import polars as pl

    controls = (*range(1, 9), 11, 12, *range(14, 32))
    unused = next((chr(code) for code in controls if clean.find(bytes([code])) < 0), None)
    expected = clean.count(b"\n") + (not clean.endswith(b"\n"))
    if unused is not None:
        layout = Layout(unused, ("text",), header=False, skipped=0)
        frame = _parse(clean, layout, skip=0, quote=None)
        if frame is not None and frame.height == expected:
            return frame.to_series().fill_null("")
    lines = clean.decode().split("\n")[:expected]
    return pl.Series("text", [line.removesuffix("\r") for line in lines], dtype=pl.String)


def _pattern(separator: str, width: int) -> str:
    """What a line matches that is one record by RFC 4180, with this many fields."""
    mark = {"\t": r"\t", "|": r"\|"}.get(separator, separator)
    field = f'(?:"(?:[^"]|"")*"|[^"{mark}]*)'
    return f"^{field}(?:{mark}{field}){{{width - 1}}}$"


def _walk(
    lines: pl.DataFrame, layout: Layout, bad: dict[int, str]
) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str, str]], list[int]]:
    """Records with irregular quotes, lines with broken ones, and the lines that records take."""
    import polars as pl

    width = len(layout.names)
    records: list[tuple[int, list[str]]] = []
    rejected: list[tuple[int, str, str]] = []
    taken: list[int] = []
    doubtful = lines.filter(pl.col("quoted") & ~pl.col("strict") & ~pl.col("spoilt"))
    free = 0
    for line, text in _pick(doubtful):
        if line < free:
            continue
        following = _following(lines["text"], line - 1 - layout.skipped)
        record, count, rule = split_record(following, layout.separator)
        if record is None:
            rejected.append((line, rule or OPEN_QUOTE, text))
        elif count == 1 and len(record) != width:
            rejected.append((line, TOO_MANY if len(record) > width else TOO_FEW, text))
        elif count > 1 and (
            len(record) != width or any(number in bad for number in range(line, line + count))
        ):
            rejected.append((line, OPEN_QUOTE, text))
        else:
            records.append((line, record))
            taken.extend(range(line, line + count))
            free = line + count
    return records, rejected, taken


def _following(texts: pl.Series, start: int) -> Iterator[str]:
    """The lines from one on, fetched in blocks that grow."""
    block = 1
    while start < len(texts):
        yield from texts.slice(start, block).to_list()
        start += block
        block = min(2 * block, MOST_LINES)


def _assemble(
    good: pl.DataFrame, records: list[tuple[int, list[str]]], layout: Layout
) -> tuple[pl.DataFrame, pl.Series]:
    """Well-formed lines in bulk and irregular records, in the order of the file."""
    import polars as pl

    schema = dict.fromkeys(layout.names, pl.String)
    frame = pl.DataFrame(schema=schema)
    if good.height:
        buffer = io.BytesIO()
        good.select("text").write_csv(
            buffer, include_header=False, quote_style="never", line_terminator="\r\n"
        )
        parsed = _parse(buffer.getvalue(), layout, skip=0)
        if parsed is None or parsed.height != good.height:
            rows = [split_record([text], layout.separator)[0] for text in good["text"]]
            parsed = pl.DataFrame(rows, schema=schema, orient="row")
        frame = parsed
    number = good["line"]
    if records:
        more = pl.DataFrame([record for _, record in records], schema=schema, orient="row")
        frame = pl.concat([frame, more])
        number = pl.concat([number, pl.Series("line", [line for line, _ in records], pl.Int64)])
        order = number.arg_sort()
        frame, number = frame[order], number.gather(order)
    return _empty_to_null(frame), number
