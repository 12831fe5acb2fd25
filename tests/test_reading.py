"""From a file to a log: read = accepted + repeated + rejected, whatever the file holds."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit import InteractionLog
from scrmkit.errors import InvalidParameter, InvalidTable, ScrmkitError, UnreadableFile


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files of tests that write many."""
    return tmp_path_factory.mktemp("reading")


HEADER = ["id", "time", "source", "target", "kind", "valence"]

cells = {
    "id": st.integers(0, 5).map(str) | st.sampled_from(["", "x", " 1"]),
    "time": st.sampled_from(
        [
            *("2026-03-01T09:00Z", "2026-03-01T10:00:00+01:00", "2026-03-02", "soon", ""),
            *("1772355600", "03/04/2026", "25/04/2026 10:00", "2026-03-29 01:30", "2026-02-30"),
            *("Sun, 1 Mar 2026 09:00:00 GMT", "10:00", "nan", "1e300"),
        ]
    ),
    "source": st.sampled_from(["ana", "ben", "", "zoë", '"eve, ""e"""', "7", "null"]),
    "target": st.sampled_from(["ana", "ben", "", "\U0001f600", '"a\nb"', "-"]),
    "kind": st.sampled_from(["message", "like", "", "unheard-of", " message"]),
    "valence": st.sampled_from(["", "0.5", "-1", "7", "good", "NaN", "inf", "0,5"]),
}
broken = st.sampled_from(
    [
        *("", " ", ",,,,,", "a,b", "1,2,3,4,5,6,7", '1,"2026-03-01', '"x"y,1,2,3,4,5'),
        *('"', "caf\udce9,1,2,3,4,5", "a\x00b,1,2,3,4,5", "id,time,source,target,kind,valence"),
    ]
)
records = st.tuples(*cells.values()).map(",".join)
ends = st.sampled_from(["\n", "\r\n"])
files = st.lists(st.tuples(records | records | records | broken, ends), max_size=12).map(
    lambda rows: "".join(record + end for record, end in rows)
)


def check_counts(log: InteractionLog) -> None:
    """Check that a log accounts for every record that was read."""
    summary = log.summary()
    assert summary.read == summary.accepted + summary.repeated + summary.rejected
    assert summary.accepted == len(log.frame)
    assert summary.rejected == len(log.rejected) == sum(summary.rules.values())
    assert summary.repeated >= 0
    assert log.frame.select(pl.col("time", "kind").null_count()).row(0) == (0, 0)
    assert log.rejected["line"].is_sorted()
    assert not log.rejected["line"].null_count()
    assert not log.rejected["rule"].null_count()


@settings(max_examples=90)
@given(files, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
def test_a_fuzzed_csv(folder: Path, body: str, encoding: str) -> None:
    """Broken records, wrong types, bad dates, repeats, encodings: all is counted, nothing else."""
    text = ",".join(HEADER) + "\n" + body
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    path = folder / "fuzzed.csv"
    path.write_bytes(text.encode(encoding, errors))
    check_counts(InteractionLog.read(path, timezone="Europe/London"))


@settings(max_examples=60)
@given(files, st.data())
def test_a_damaged_csv(folder: Path, body: str, data: st.DataObject) -> None:
    """A file with bytes cut out or put in is read, or refused with a documented error."""
    content = bytearray((",".join(HEADER) + "\n" + body).encode("utf-8", "surrogateescape"))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        if data.draw(st.booleans()):
            del content[place : place + data.draw(st.integers(1, 20))]
        else:
            content[place:place] = data.draw(st.sampled_from([b'"', b",", b"\n", b"\xff", b"\0"]))
    path = folder / "damaged.csv"
    path.write_bytes(content)
    try:
        log = InteractionLog.read(path, timezone="UTC")
    except (InvalidTable, UnreadableFile):
        return
    check_counts(log)


@given(st.binary(max_size=120), st.sampled_from(["csv", "ndjson", "parquet", "csv.gz", "txt"]))
def test_any_bytes_at_all(folder: Path, content: bytes, suffix: str) -> None:
    """Rubbish is never more than a documented error."""
    path = folder / f"any.{suffix}"
    path.write_bytes(content)
    try:
        check_counts(InteractionLog.read(path, constants={"kind": "message"}, timezone="UTC"))
    except ScrmkitError:
        return


def test_lines_of_what_was_rejected(tmp_path: Path) -> None:
    """Each rejected record has its line, whether it was no row or broke a rule as one."""
    path = tmp_path / "log.csv"
    path.write_text(
        "time,source,target,kind\n"
        "2026-03-01T09:00Z,ana,ben,message\n"
        "\n"
        "soon,ana,ben,message\n"
        "2026-03-01T09:00Z,ana,ben\n"
        '2026-03-02T09:00Z,"ana\nmaria",ben,message\n'
        "2026-03-01T09:00Z,,,message\n"
    )
    log = InteractionLog.read(path)
    assert log.rejected.select("line", "rule").rows() == [
        (4, "time cannot be read"),
        (5, "too few fields"),
        (8, "source and target are missing"),
    ]
    assert log.summary().read == 5
    assert log.frame["source"].to_list() == ["ana", "ana\nmaria"]


def test_the_same_log_from_every_format(tmp_path: Path) -> None:
    """CSV, NDJSON and Parquet of one table give the same log."""
    table = pl.DataFrame(
        {
            "id": ["1", "2", "3"],
            "time": ["2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5Z", "2026-03-02T09:00:00Z"],
            "source": ["ana", "ben", "zoë"],
            "target": ["ben", None, "ana"],
            "kind": ["message", "post", "like"],
            "valence": [0.5, None, -1.0],
        }
    )
    table.write_csv(tmp_path / "log.csv")
    table.write_csv(tmp_path / "log.tsv", separator="\t")
    (tmp_path / "log.csv.gz").write_bytes(
        gzip.compress((tmp_path / "log.csv").read_bytes(), mtime=0)
    )
    table.write_ndjson(tmp_path / "log.ndjson")
    table.write_parquet(tmp_path / "log.parquet")
    logs = [InteractionLog.read(path) for path in sorted(tmp_path.iterdir())]
    assert len(logs) == 5
    for log in logs:
        assert log.summary().accepted == 3
        assert log.frame.equals(logs[0].frame)


def test_local_times_of_a_file_need_a_zone(tmp_path: Path) -> None:
    """A file of local times without timezone= is an error with the remedy."""
    path = tmp_path / "log.csv"
    path.write_text("time,source,target,kind\n2026-03-01 09:00,ana,ben,message\n")
    with pytest.raises(InvalidParameter, match=r'timezone="Europe/London"'):
        InteractionLog.read(path)


@pytest.mark.parametrize(
    ("name", "columns", "options", "accepted"),
    [
        ("collegemsg/CollegeMsg.txt.gz", "source target time", {}, 59_835),
        ("email-eu-core/email-Eu-core-temporal.txt.gz", "source target time", {}, 332_334),
        ("higgs/higgs-activity_time.txt.gz", "source target time kind", {}, 563_069),
        (
            "bitcoin-otc/soc-sign-bitcoinotc.csv.gz",
            "source=FROM_NODE target=TO_NODE valence=TRUST_INDEX time=TIME_SINCE_EPOCH",
            {"valence_range": (-10, 10)},
            35_592,
        ),
        (
            "cdnow/CDNOW_master.txt.gz",
            "source=customer_id time=date",
            {"timezone": "America/New_York"},
            69_659,
        ),
    ],
)
def test_real_files(
    shared_data: Path, name: str, columns: str, options: dict[str, object], accepted: int
) -> None:
    """Published data sets become logs without a lost or a rejected row."""
    pairs = [column.partition("=")[::2] for column in columns.split()]
    names = {ours: theirs or f"column_{n}" for n, (ours, theirs) in enumerate(pairs, start=1)}
    if "kind" not in names:
        options = {**options, "constants": {"kind": "message"}}
    log = InteractionLog.read(shared_data / name, columns=names, **options)
    assert log.summary().read == log.summary().accepted == accepted
    assert Counter(log.frame["time"].dt.year()).keys() <= set(range(1970, 2020))
