"""Files as tables with line numbers: every line is a row, rejected, blank or the header."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scrmkit import _delimited
from scrmkit._delimited import MOST_LINES, Layout
from scrmkit._files import Lines, read_file
from scrmkit.errors import ScrmkitError, UnreadableFile


FIELDS = ("time", "source", "target", "kind", "text")
HEADER = "source,target,time\n"
ROW = "ana,ben,2026-03-01T09:00Z\n"

Write = Callable[..., Lines]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files of tests that write many."""
    return tmp_path_factory.mktemp("files")


def read(folder: Path, content: str | bytes, name: str = "log.csv") -> Lines:
    """What a file with this content is read as."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(path, fields=FIELDS)


def rejected(lines: Lines) -> list[tuple[int, str]]:
    """The lines that were rejected and why."""
    return lines.rejected.select("line", "rule").rows()


# how a text is laid out


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", " "])
@pytest.mark.parametrize("header", [True, False])
def test_separator_and_header_are_decided(tmp_path: Path, separator: str, header: bool) -> None:  # noqa: FBT001
    """Each separator is found, with and without a header."""
    rows = [("ana", "ben", "2026-03-01T09:00Z"), ("ben", "eve", "2026-03-02T09:00Z")]
    records = [("source", "target", "time"), *rows] if header else rows
    lines = read(tmp_path, "\n".join(separator.join(record) for record in records))
    assert lines.frame.rows() == rows
    assert lines.header == header
    names = ["source", "target", "time"] if header else ["column_1", "column_2", "column_3"]
    assert lines.frame.columns == names
    assert lines.number.to_list() == ([2, 3] if header else [1, 2])
    assert set(lines.frame.dtypes) == {pl.String}


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("FROM_NODE,TO_NODE,TIME\n6,2,1289241911.72836\n", True),
        ("von,nach,wann\nana,ben,3. Mai 2026\neve,ben,4. Mai 2026\n", True),
        ("a,b,Mon 3 May 2026\nb,c,Tue 4 May 2026\n", False),
        ("ana,ben,text,2026-03-01\n", False),
        ("name,colour\nana,red\nben,red\n", True),
        ("ana,red\nben,red\neve,blue\n", False),
        ("source,target,time\n", True),
        (",source,time\n0,ana,2026-03-01\n", True),
    ],
)
def test_headers(tmp_path: Path, content: str, header: bool) -> None:  # noqa: FBT001
    """A header has known names, or no values where values stand below it."""
    lines = read(tmp_path, content)
    assert lines.header == header
    assert lines.read == len(content.splitlines()) - header


def test_semicolons_win_over_decimal_commas(tmp_path: Path) -> None:
    """A text that both separators fit is not split at the commas of its numbers."""
    lines = read(tmp_path, "source;valence\nana;1,5\nben;2,5\n")
    assert lines.frame.rows() == [("ana", "1,5"), ("ben", "2,5")]


def test_names_of_columns(tmp_path: Path) -> None:
    """Names are stripped; an empty one gets its number, a second one of a kind its count."""
    lines = read(tmp_path, 'source, time ,,source,"a ""b"""\n1,2026-01-01,3,4,5\n')
    assert lines.frame.columns == ["source", "time", "column_3", "source_2", 'a "b"']


def test_columns_aligned_with_spaces(tmp_path: Path) -> None:
    """Runs of spaces separate once, and spaces at the ends of lines do not."""
    lines = read(tmp_path, " id  date dollars\r\n 00001 19970101  11.77\r\n 2 19970112 12.00 \r\n")
    assert lines.frame.columns == ["id", "date", "dollars"]
    assert lines.frame.rows() == [("00001", "19970101", "11.77"), ("2", "19970112", "12.00")]


# what is a record


def test_empty_fields_are_null(tmp_path: Path) -> None:
    """A field with nothing in it is null, quoted or not."""
    lines = read(tmp_path, HEADER + 'ana,,2026-01-01\nana,"",2026-01-01\n')
    assert lines.frame["target"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("ana,ben", "too few fields"),
        ("ana,ben,2026-03-01,eve", "too many fields"),
        ("ana,ben,2026-03-01,", "too many fields"),
        ('ana,"ben,2026-03-01', "quote not closed"),
        ('ana,"ben"s,2026-03-01', "text after a closing quote"),
        ("ana,b\xe9n,2026-03-01", "not UTF-8"),
        ("ana,b\x00n,2026-03-01", "holds a NUL byte"),
    ],
)
@pytest.mark.parametrize("where", [0, 1, 3])
def test_malformed_lines(tmp_path: Path, line: str, rule: str, where: int) -> None:
    """A malformed line is rejected with its number and text; those around it are rows."""
    bodies = [ROW.encode()] * 3
    bodies.insert(where, line.encode("latin-1") + b"\n")
    lines = read(tmp_path, HEADER.encode() + b"".join(bodies))
    assert rejected(lines) == [(where + 2, rule)]
    assert lines.rejected["text"].to_list() == [line.replace("\xe9", "\ufffd")]
    assert lines.number.to_list() == [number for number in (2, 3, 4, 5) if number != where + 2]
    assert lines.frame["target"].to_list() == ["ben"] * 3
    assert lines.read == 4


def test_quotes_inside_a_field_are_characters(tmp_path: Path) -> None:
    """A quote that does not start a field is kept as it stands."""
    lines = read(tmp_path, HEADER + 'ana "ann",5\'10",2026-03-01\n')
    assert lines.frame.rows() == [('ana "ann"', "5'10\"", "2026-03-01")]
    assert not rejected(lines)


def test_records_over_several_lines(tmp_path: Path) -> None:
    """A quoted field may span lines; the record has the number of its first line."""
    content = HEADER + 'ana,"be\n\n""n"", x",2026-03-01\r\n' + ROW + 'eve,"a\r\nb",2026-03-02\n'
    lines = read(tmp_path, content)
    assert lines.frame["target"].to_list() == ['be\n\n"n", x', "ben", "a\nb"]
    assert lines.number.to_list() == [2, 5, 6]
    assert lines.read == 3


def test_a_stray_quote_costs_one_line(tmp_path: Path) -> None:
    """A quote that is opened and never closed does not swallow the lines after it."""
    lines = read(tmp_path, HEADER + 'ana,"ben,2026-03-01\n' + ROW * 5 + 'eve,"x"y,2026-03-01\n')
    assert rejected(lines) == [(2, "quote not closed"), (8, "text after a closing quote")]
    assert lines.frame.height == 5


@pytest.mark.parametrize("extra", [0, 1])
def test_a_record_has_an_end(tmp_path: Path, extra: int) -> None:
    """A quoted field over more lines than a record may have is a stray quote."""
    content = HEADER + 'ana,"' + "\n" * (MOST_LINES - 1 + extra) + 'x",2026-03-01\n' + ROW
    lines = read(tmp_path, content)
    assert lines.frame.height == 2 - extra
    assert lines.rejected.height == 2 * extra


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    """Blank lines are skipped anywhere, and line numbers count them."""
    lines = read(tmp_path, "\n \n" + HEADER + "\n" + ROW + "\r\n  \n" + ROW + "\n\n")
    assert lines.header
    assert lines.number.to_list() == [5, 8]
    assert lines.read == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool) -> None:  # noqa: FBT001
    """Lines end as on any system, and the last one may lack its end."""
    content = (HEADER + ROW * 2).replace("\n", end)
    lines = read(tmp_path, content if last else content.removesuffix(end))
    assert lines.frame.height == 2
    assert lines.frame["time"].to_list() == ["2026-03-01T09:00Z"] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(tmp_path: Path, encoding: str, packed: bool) -> None:  # noqa: FBT001
    """Unicode in every form with a mark is read, also out of gzip."""
    content = "source,target,time\nzoë,\U0001f600,2026-03-01\n".encode(encoding)
    lines = read(tmp_path, gzip.compress(content, mtime=0) if packed else content, "log.csv.gz")
    assert lines.frame.columns == ["source", "target", "time"]
    assert lines.frame.rows() == [("zoë", "\U0001f600", "2026-03-01")]


# every line is accounted for


def account(content: bytes, lines: Lines) -> None:
    """Check that every line of a text is the header, blank, rejected, or part of one row."""
    physical = content.decode(errors="replace").split("\n")
    if not physical[-1]:
        physical.pop()
    owners = dict.fromkeys(range(1, len(physical) + 1), 0)
    for row, number in zip(lines.frame.iter_rows(), lines.number, strict=True):
        inner = sum((cell or "").count("\n") for cell in row)
        for line in range(number, number + inner + 1):
            owners[line] += 1
    for number, _, text in lines.rejected.iter_rows():
        owners[number] += 1
        assert text.rstrip("\r") == physical[number - 1].rstrip("\r")
    nobody = [number for number, count in owners.items() if count == 0]
    if lines.header:
        first = next(number for number in nobody if physical[number - 1].strip(" \r"))
        inner = sum(name.count("\n") for name in lines.frame.columns)
        nobody = [number for number in nobody if not first <= number <= first + inner]
    assert all(not physical[number - 1].strip(" \r") for number in nobody)
    assert all(count <= 1 for count in owners.values())
    assert lines.read == lines.frame.height + lines.rejected.height
    assert all(a < b for a, b in pairwise(lines.number))


cells = st.sampled_from(
    ["ana", "", "1", '"q"', '"a,b"', '"x\ny"', '""', '"c""d"', 'e"f', " ", "é", '"', '"o', "\x01"]
)
records = st.lists(cells, min_size=2, max_size=4).map(",".join) | st.sampled_from(
    ["", " ", "a,b,c", "a,b,c", "a,b,c", "\x00", '"a\n\nb",c,d', "a,b,c\r", 'a,"b""', '"""', ",,"]
)
texts = st.tuples(
    st.lists(records, min_size=1, max_size=12).map("\n".join), st.sampled_from(["", "\n", "\r\n"])
).map("".join)


@settings(max_examples=300)
@given(texts, st.booleans(), st.lists(st.integers(0, 100), max_size=2))
@example(',"""""', False, [])
@example("a\n,\n,,,", True, [])
@example('ana,"\nana,"', False, [])
@example('"a,b","c"\n\n"c""d",\r\n\r,1\n', False, [])
def test_every_line_is_accounted_for(
    folder: Path,
    text: str,
    header: bool,  # noqa: FBT001
    spoilt: list[int],
) -> None:
    """Each line of a broken text is the header, blank, rejected, or part of exactly one row."""
    content = bytearray((HEADER if header else "").encode() + text.encode())
    for place in spoilt:
        content.insert(place % (len(content) + 1), 0xE9)
    try:
        lines = read(folder, bytes(content))
    except UnreadableFile:
        return
    account(bytes(content), lines)


@settings(max_examples=300)
@given(texts, st.booleans())
@example(',"""""', False)
@example('"""é\n1 1é\n""', False)
@example("\na,b,c\nd,e,f", False)
@example("\na,b,c\nd,e,f", True)
@example(",\n,,\x011,", False)
@example("a,b\r\n,\r\r\n", False)
def test_the_quick_way_reads_what_the_slow_way_reads(text: str, header: bool) -> None:  # noqa: FBT001
    """Where a text is read at once, judging its lines one by one gives the same."""
    data = ("h1,h2,h3\n" if header else "").encode() + text.encode()
    layout = Layout(",", ("a", "b", "c"), header=header, skipped=int(header))
    at_once = _delimited._read_at_once(data, data, layout)
    if at_once is None:
        return
    line_by_line = _delimited._read_lines(data, layout)
    assert not line_by_line.rejected
    assert at_once.frame.equals(line_by_line.frame)
    assert at_once.number.equals(line_by_line.number)


plain_cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=6
)


@given(st.lists(st.tuples(plain_cells, plain_cells), min_size=1, max_size=6))
def test_what_a_csv_writer_wrote_is_read_back(folder: Path, rows: list[tuple[str, str]]) -> None:
    """Any text at all that was written by the rules of CSV is read back as it was."""
    path = folder / "written.csv"
    frame = pl.DataFrame(
        [("2026-03-01", *row) for row in rows], schema=["time", "source", "target"], orient="row"
    )
    frame.write_csv(path, quote_style="always")
    lines = read_file(path, fields=FIELDS)
    assert lines.frame.rows() == [
        tuple(cell or None for cell in ("2026-03-01", *row)) for row in rows
    ]


@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.ndjson", "x.parquet", "x.csv.gz"]))
def test_any_bytes_at_all(folder: Path, content: bytes, name: str) -> None:
    """Rubbish is read or refused with a documented error."""
    try:
        lines = read(folder, content, name)
    except ScrmkitError:
        return
    assert (
        lines.read
        == lines.frame.height + lines.rejected.height
        == len(lines.number) + len(lines.rejected)
    )


@given(st.lists(st.tuples(st.integers(4, 500), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_parquet_file(folder: Path, damage: list[tuple[int, int]]) -> None:
    """A Parquet file with wrong bytes in it is read or refused with a documented error."""
    path = folder / "damaged.parquet"
    pl.DataFrame({"time": ["2026-03-01"] * 9, "n": range(9)}).write_parquet(path)
    content = bytearray(path.read_bytes())
    for place, byte in damage:
        content[place % len(content)] = byte
    try:
        lines = read(folder, bytes(content), "damaged.parquet")
    except ScrmkitError:
        return
    assert lines.read == len(lines.frame)


# files that are no tables


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "log.csv", "the file is empty"),
        (b" \n\r\n", "log.csv", "the file is empty"),
        (gzip.compress(b"", mtime=0), "log.csv.gz", "the file is empty"),
        (gzip.compress(b"a,b\n" * 999, mtime=0)[:-20], "log.csv.gz", "log.csv.gz: "),
        ("source,target\n".encode("utf-16-le") * 50, "log.csv", "UTF-16"),
        ("source,target\n".encode("utf-16")[:-1], "log.csv", "broken"),
        ("source,targét\nana,ben\n".encode("latin-1"), "log.csv", "header is not UTF-8.*iconv"),
        (b"PK\x03\x04rest", "log.xlsx", "save the table as CSV"),
        (b"PAR1rest", "log.parquet", "log.parquet: "),
        (b'[{"a": 1}]', "log.json", "one object a line"),
        (b"{}\n", "log.ndjson", "no line is a JSON object with fields"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, name: str, message: str) -> None:
    """A file that is broken as a whole is an error that says what it is and how to mend it."""
    with pytest.raises(UnreadableFile, match=message):
        read(tmp_path, content, name)


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that does not exist is an error with its name."""
    with pytest.raises(UnreadableFile, match=r"none\.csv: No such file"):
        read_file(tmp_path / "none.csv")


# NDJSON and Parquet


def test_json_lines(tmp_path: Path) -> None:
    """Objects keep their types, lines without one are rejected, blank lines are skipped."""
    records = [{"a": 1, "b": "x"}, {"a": 2}, {"b": "\U0001f600", "c": [1, 2]}]
    texts = [json.dumps(record) for record in records]
    lines = read(tmp_path, "\n".join(texts), "log.jsonl")
    bad = ["", "[1]", texts[0], '{"a": NaN}', *texts[1:], '{"a"']
    broken = read(tmp_path, "\n".join(bad), "bad.jsonl")
    for frame in (lines.frame, broken.frame):
        assert frame.schema == {"a": pl.Int64, "b": pl.String, "c": pl.List(pl.Int64)}
        assert frame["a"].to_list() == [1, 2, None]
    assert lines.number.to_list() == [1, 2, 3]
    assert broken.number.to_list() == [3, 5, 6]
    assert rejected(broken) == [(2, "not a JSON object"), (4, "not JSON"), (7, "not JSON")]


def test_json_lines_with_mixed_types(tmp_path: Path) -> None:
    """A field of several types is text, so that no value is lost."""
    content = '{"a": 1, "b": 1}\n{"a": "y", "b": 2.5}\n{"a": true}\nx\n'
    lines = read(tmp_path, content, "log.ndjson")
    assert lines.frame["a"].to_list() == ["1", "y", "true"]
    assert lines.frame["b"].to_list() == [1.0, 2.5, None]


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    """An escape that is no character is rejected; a pair that is one is read."""
    lines = read(tmp_path, '{"a": "\\ud83d\\ude00"}\n{"a": "\\ud83d"}\n', "log.ndjson")
    assert lines.frame["a"].to_list() == ["\U0001f600"]
    assert rejected(lines) == [(2, "holds half a surrogate pair")]


json_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
objects = st.dictionaries(st.sampled_from("abc"), json_values | st.lists(json_values, max_size=2))


@given(st.lists(objects.map(json.dumps) | st.sampled_from(["", "[", "3", "{"]), max_size=8))
def test_every_json_line_is_accounted_for(folder: Path, rows: list[str]) -> None:
    """Each line is a row or rejected, or blank."""
    try:
        lines = read(folder, "\n".join(rows), "log.ndjson")
    except UnreadableFile:
        return
    known = {*lines.number, *lines.rejected["line"]}
    assert known == {number for number, row in enumerate(rows, start=1) if row}
    assert lines.read == len(known)


def test_parquet(tmp_path: Path) -> None:
    """A Parquet file keeps the order of its rows, which are numbered from 1."""
    path = tmp_path / "log.parquet"
    pl.DataFrame({"source": ["ben", "ana"]}).write_parquet(path)
    lines = read_file(path)
    assert lines.frame["source"].to_list() == ["ben", "ana"]
    assert lines.number.to_list() == [1, 2]
    assert lines.read == 2


# real files


@pytest.mark.parametrize(
    ("name", "read", "header"),
    [
        ("collegemsg/CollegeMsg.txt.gz", 59_835, False),
        ("email-eu-core/email-Eu-core-temporal.txt.gz", 332_334, False),
        ("higgs/higgs-activity_time.txt.gz", 563_069, False),
        ("bitcoin-otc/soc-sign-bitcoinotc.csv.gz", 35_592, True),
        ("cdnow/CDNOW_master.txt.gz", 69_659, True),
        ("cdnow/CDNOW_sample.txt", 6_919, False),
    ],
)
def test_real_files(shared_data: Path, name: str, read: int, header: bool) -> None:  # noqa: FBT001
    """Published data sets are read whole, as they are."""
    lines = read_file(shared_data / name, fields=FIELDS)
    assert (lines.read, lines.header) == (read, header)
    assert lines.frame.height == read


def test_exports_of_other_systems(shared_data: Path) -> None:
    """Every export of a CRM is read with its header and without a rejected line."""
    for path in sorted((shared_data / "formats" / "crm-exports").rglob("*.csv")):
        lines = read_file(path, fields=("id", "created_at"))
        assert lines.header, path.name
        assert not lines.rejected.height, path.name
