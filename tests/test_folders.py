"""Folders of Parquet files are read as one lazy log, and results are written as such folders."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import networkx as nx
import polars as pl
import polars.testing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import AS_OF, draw_acts
from scrmkit import InteractionLog, _folders, _pieces, _repeats
from scrmkit.engagement import EngagementModel, Level, score
from scrmkit.errors import InvalidParameter, ScrmkitWarning, UnreadableFile
from scrmkit.influence import rank
from scrmkit.relationships import graph, measure, together
from scrmkit.results import Result


LEVELS = (Level("rare", at_least=0), Level("social", at_least=5, counterparts=2))
FUNCTIONS: dict[str, Callable[[InteractionLog], Result]] = {
    "ties": measure,
    "ties at an instant": lambda log: measure(log, as_of=AS_OF, known_at=AS_OF),
    "ties of groups": lambda log: measure(log, group={"ana": "ben", "cem": "dora"}),
    "scores": score,
    "scores at instants": lambda log: score(log, as_of=[AS_OF - timedelta(days=90), AS_OF]),
    "scores that count people": lambda log: score(log, model=EngagementModel(levels=LEVELS)),
    "ties of threads": together,
}


def deal(table: pl.DataFrame, folder: Path, files: int, *, seed: int = 0) -> Path:
    """The rows of a table, dealt to files in an order that the seed decides."""
    folder.mkdir()
    rows = table.sample(fraction=1, shuffle=True, seed=seed)
    for number in range(files):
        rows[number::files].write_parquet(folder / f"part-{number}.parquet")
    return folder


def rows_of(frame: Any) -> pl.DataFrame:
    """A table in an order that does not depend on how it was made."""
    table = pl.DataFrame(frame.collect() if isinstance(frame, pl.LazyFrame) else frame)
    return table.sort(table.columns[:2])


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are many, so that small tables are made in several pieces."""
    monkeypatch.setattr(_folders, "BATCH", 30)
    monkeypatch.setattr(_pieces, "BATCH", 30)
    monkeypatch.setattr(_pieces, "TOGETHER", 20)
    monkeypatch.setattr(_repeats, "AT_ONCE", 3)


# reading


def test_a_folder_is_read_as_one_lazy_log(tmp_path: Path) -> None:
    """The log of a folder has the rows and the counts of the eager log, and stays lazy."""
    table = draw_acts(1, size=120)
    log = InteractionLog.read(deal(table, tmp_path / "log", 3))
    eager = InteractionLog.from_frame(table)
    assert isinstance(log.frame, pl.LazyFrame)
    key = ["id", "target", "scope"]
    polars.testing.assert_frame_equal(
        log.frame.collect().sort(key), eager.frame.sort(key), check_column_order=False
    )
    assert str(log.summary()) == str(eager.summary())
    assert log.summary().rejected
    assert log.summary().repeated


def test_rejected_rows_of_a_folder_come_back(tmp_path: Path) -> None:
    """Each rejected row of a folder is given back as it came, with its rule."""
    table = draw_acts(2, size=120)
    folder = deal(table, tmp_path / "log", 3)
    ours = InteractionLog.read(folder).rejected.collect()
    theirs = InteractionLog.from_frame(table).rejected.select(ours.columns)
    polars.testing.assert_frame_equal(ours.sort(ours.columns), theirs.sort(ours.columns))
    assert len(ours)


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    """The same rows dealt to other files give the same ties."""
    table = draw_acts(3, size=100)
    ties = [
        rows_of(measure(InteractionLog.read(deal(table, tmp_path / f"{seed}", 4, seed=seed))).frame)
        for seed in range(2)
    ]
    polars.testing.assert_frame_equal(*ties, rel_tol=1e-9, abs_tol=1e-12)


def test_a_folder_is_not_read_before_it_is_needed(tmp_path: Path) -> None:
    """Rows that are lost after `read` are missed when they are needed, not before."""
    folder = deal(draw_acts(4), tmp_path / "log", 2)
    ties = measure(InteractionLog.read(folder))
    (folder / "part-1.parquet").unlink()
    with pytest.raises(UnreadableFile, match="part-1"):
        ties.frame.collect()


def test_parts_of_a_path_are_columns(tmp_path: Path) -> None:
    """Folders such as ``channel=email`` give the log a column, those above the log do not."""
    table = draw_acts(5).drop("channel", "id", "retracts")
    lake = tmp_path / "kind=like" / "lake"
    lake.mkdir(parents=True)
    for channel in ("email", "app%20store", "__HIVE_DEFAULT_PARTITION__"):
        deal(table, lake / f"channel={channel}", 2)
    log = InteractionLog.read(lake)
    counts = log.frame.collect()["channel"].value_counts()
    assert {*counts["channel"]} == {"email", "app store", None}
    assert counts["count"].n_unique() == 1
    kinds = InteractionLog.from_frame(table).frame["kind"]
    assert {*log.frame.collect()["kind"]} == {*kinds}
    assert "like" in {*kinds}
    assert kinds.n_unique() > 1


def test_parts_of_a_path_that_are_no_field_stay_away(tmp_path: Path) -> None:
    """What was loaded again on another day is a repeat, unless the day is asked for by its name."""
    table = draw_acts(5)
    for day in (1, 2):
        (tmp_path / f"loaded=2026-01-0{day}").mkdir()
        table.write_parquet(tmp_path / f"loaded=2026-01-0{day}" / "part-0.parquet")
    once, twice = InteractionLog.from_frame(table), InteractionLog.read(tmp_path)
    assert twice.summary().accepted == once.summary().accepted
    assert "loaded" not in twice.frame.collect_schema()
    named = InteractionLog.read(tmp_path, columns={"channel": "loaded"}).frame.collect_schema()
    assert named["channel"] == pl.String


def test_a_column_in_the_file_and_on_its_path(tmp_path: Path) -> None:
    """A column that the files have and their path stands for, too, is an error."""
    deal(draw_acts(5), tmp_path / "kind=like", 1)
    with pytest.raises(UnreadableFile, match=r"kind=like/part-0\.parquet has a column 'kind'"):
        InteractionLog.read(tmp_path)


def test_a_pattern_names_some_files(tmp_path: Path) -> None:
    """A pattern reads the files that fit it, also across folders."""
    table = draw_acts(6).drop("id", "retracts")
    for year in (2025, 2026):
        deal(table, tmp_path / f"{year}", 2)
    whole = InteractionLog.read(tmp_path).summary().read
    assert InteractionLog.read(tmp_path / "2026" / "part-*.parquet").summary().read == whole // 2
    assert InteractionLog.read(tmp_path / "*" / "part-?.parquet").summary().read == whole


def test_what_is_not_finished_is_left_out(tmp_path: Path) -> None:
    """Files and folders whose name begins with an underscore or a dot are not read."""
    table = draw_acts(7)
    folder = deal(table, tmp_path / "log", 1)
    for name in ("_temporary", ".staging"):
        deal(table, folder / name, 1)
    table.write_parquet(folder / ".part-0.parquet")
    (folder / "_SUCCESS").write_bytes(b"")
    assert InteractionLog.read(folder).summary().read == len(table)


def test_a_folder_without_parquet_files(tmp_path: Path) -> None:
    """A folder with no Parquet file, and a pattern that fits none, are errors with their name."""
    with pytest.raises(UnreadableFile, match=rf"{tmp_path.name}: the folder has no \*\.parquet"):
        InteractionLog.read(tmp_path)
    with pytest.raises(UnreadableFile, match=r"no file fits"):
        InteractionLog.read(tmp_path / "2026-*.parquet")


def test_types_that_one_type_holds(tmp_path: Path) -> None:
    """Files may differ in the width of numbers, in units and zones of times, and in their order."""
    table = draw_acts(8).with_columns(shop=pl.col("shop").cast(pl.Int64))
    tmp_path.joinpath("log").mkdir()
    table[:40].write_parquet(tmp_path / "log" / "a.parquet")
    table[40:80].select(sorted(table.columns)).with_columns(
        pl.col("shop").cast(pl.Int16),
        pl.col("valence").cast(pl.Float32).cast(pl.Float64),
        pl.col("time").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns"),
        pl.col("kind").cast(pl.Categorical),
    ).write_parquet(tmp_path / "log" / "b.parquet")
    table[80:].with_columns(pl.lit(None).alias("shop")).write_parquet(
        tmp_path / "log" / "c.parquet"
    )
    expected = table.with_columns(
        shop=pl.when(pl.int_range(pl.len()) < 80).then("shop"),
        valence=pl.when(pl.int_range(pl.len()).is_between(40, 79))
        .then(pl.col("valence").cast(pl.Float32).cast(pl.Float64))
        .otherwise("valence"),
    )
    eager = InteractionLog.from_frame(expected).frame
    found = InteractionLog.read(tmp_path / "log").frame.collect().select(eager.columns)
    polars.testing.assert_frame_equal(
        found.sort(found.columns), eager.sort(found.columns), categorical_as_str=True
    )


@pytest.mark.parametrize(
    ("types", "held"),
    [
        ([pl.Int8(), pl.UInt32(), pl.Int64()], pl.Int64()),
        ([pl.Int8(), pl.UInt64()], None),
        ([pl.Float32(), pl.Int8()], pl.Float64()),
        ([pl.Decimal(10, 2), pl.Decimal(20, 4)], pl.Decimal(38, 4)),
        ([pl.Decimal(10, 2), pl.Int64()], None),
        ([pl.String(), pl.Categorical()], pl.String()),
        ([pl.String(), pl.Int64()], None),
        ([pl.Datetime("ns", "UTC"), pl.Datetime("ms", "Asia/Tokyo")], pl.Datetime("us", "UTC")),
        ([pl.Datetime("ns"), pl.Datetime("ms")], pl.Datetime("us")),
        ([pl.Datetime("us", "UTC"), pl.Datetime("us")], None),
        ([pl.Datetime("us"), pl.Date()], None),
    ],
)
def test_which_types_fit_together(types: list[pl.DataType], held: pl.DataType | None) -> None:
    """Types have one in common where it changes no value and no meaning."""
    assert _folders._holding(types) == held
    assert _folders._holding(types[::-1]) == held


def test_columns_of_types_that_do_not_fit(tmp_path: Path) -> None:
    """A column of types that do not fit is an error that names it and both files."""
    folder = deal(draw_acts(8), tmp_path / "log", 2)
    draw_acts(8).cast({"shop": pl.String}).write_parquet(folder / "part-2.parquet")
    message = r"'shop' is of type Int64 in part-0\.parquet and of type String in part-2\.parquet"
    with pytest.raises(UnreadableFile, match=message):
        InteractionLog.read(folder)


def test_a_column_that_some_files_lack(tmp_path: Path) -> None:
    """A column that is missing in some files is null there, and that is said."""
    folder = deal(draw_acts(8).drop("valence"), tmp_path / "log", 2)
    draw_acts(9).write_parquet(folder / "part-2.parquet")
    message = r"'valence' is missing in 2 files, such as part-0\.parquet: it is null there"
    with pytest.warns(ScrmkitWarning, match=message) as told:
        log = InteractionLog.read(folder)
    assert told[0].filename == __file__
    assert log.frame.collect()["valence"].null_count() >= len(draw_acts(8).drop_nulls("time")) / 2


def test_other_files_in_a_folder(tmp_path: Path) -> None:
    """Files that are no Parquet are not left out without a word; a pattern can leave them out."""
    folder = deal(draw_acts(8), tmp_path / "log", 2)
    (folder / "part-0.parquet").rename(folder / "part-0.PQ")
    assert InteractionLog.read(folder).summary().read == len(draw_acts(8))
    (folder / "more.csv").write_text("time,source\n")
    with pytest.raises(UnreadableFile, match=r"more\.csv is no Parquet file: .* log/\*\*/\*"):
        InteractionLog.read(folder)
    assert InteractionLog.read(folder / "part-*").summary().read == len(draw_acts(8))
    (folder / "_delta_log").mkdir()
    with pytest.raises(UnreadableFile, match="log is a Delta table"):
        InteractionLog.read(folder)


def test_links_are_followed_once(tmp_path: Path) -> None:
    """A folder that is linked to is read; a link that leads back is not followed for ever."""
    folder = deal(draw_acts(8), tmp_path / "log", 2)
    deal(draw_acts(9), tmp_path / "elsewhere", 2)
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(folder)
    assert InteractionLog.read(folder).summary().read == len(draw_acts(8)) + len(draw_acts(9))


def test_signs_of_patterns_in_names(tmp_path: Path) -> None:
    """Files and folders whose name looks like a pattern are read as they are called."""
    folder = deal(draw_acts(8), tmp_path / "l[o]g *", 2)
    (folder / "part-0.parquet").rename(folder / "part-[0].parquet")
    everything = InteractionLog.read(folder).summary().read
    assert everything == InteractionLog.read(folder / "*.parquet").summary().read
    assert everything == InteractionLog.read(tmp_path / "l*").summary().read == len(draw_acts(8))


def test_a_path_is_that_of_the_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was named from here is read there, also after the program has moved."""
    deal(draw_acts(8), tmp_path / "log", 2)
    monkeypatch.chdir(tmp_path)
    log = InteractionLog.read("log")
    monkeypatch.chdir("/")
    assert log.summary().read == len(draw_acts(8))


def test_an_address_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are refused with the way to take, and nothing is written under their name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidParameter, match="give what that returns to from_frame"):
        InteractionLog.read("s3://bucket/log/*.parquet")
    with pytest.raises(InvalidParameter, match="an address is no path"):
        measure(InteractionLog.from_frame(draw_acts(8).lazy())).write("s3://bucket/ties")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["grown", "gone"])
def test_files_that_change_before_they_are_read(tmp_path: Path, change: str) -> None:
    """A file that is another one than when the log was made is an error with its name."""
    folder = deal(draw_acts(8), tmp_path / "log", 2)
    log = InteractionLog.read(folder)
    (folder / "part-1.parquet").unlink()
    if change == "grown":
        draw_acts(9).write_parquet(folder / "part-1.parquet")
    with pytest.raises(UnreadableFile, match=r"^part-1\.parquet"):
        log.frame.collect()


@pytest.mark.parametrize("ids", [True, False])
def test_rows_are_counted_before_they_are_chosen(tmp_path: Path, ids: bool) -> None:  # noqa: FBT001
    """Of the first rows those that are chosen come back, and of those chosen the first."""
    table = draw_acts(8, size=120)
    table = table if ids else table.drop("id", "retracts")
    frame = InteractionLog.read(deal(table, tmp_path / "log", 3)).frame
    chosen = pl.col("source") == frame.collect()["source"].drop_nulls()[0]
    size = len(frame.filter(chosen).collect())
    assert len(frame.filter(chosen).head(size).collect()) == size
    for most in (1, 70):
        first = frame.head(most)
        assert len(first.collect()) == most < len(frame.collect())
        among = len(first.filter(chosen).collect())
        assert among <= min(size, most)
        assert among + len(first.filter(chosen.not_() | chosen.is_null()).collect()) == most


def test_many_small_files_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read by numbers of rows, not one by one."""
    folder = deal(draw_acts(8), tmp_path / "log", 30)
    calls: list[int] = []
    collect = pl.concat
    monkeypatch.setattr(pl, "concat", lambda parts: (calls.append(len(parts)), collect(parts))[1])
    frame, _ = _folders.scan(folder, fields=())
    rows = frame.to_native().collect()
    assert sum(calls) >= 30
    assert len(calls) == -(-len(rows) // _folders.BATCH)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is no Parquet is an error with its name."""
    folder = deal(draw_acts(9), tmp_path / "log", 2)
    (folder / "part-1.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnreadableFile, match=r"^part-1\.parquet: "):
        InteractionLog.read(folder)


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "ana", "ben"]), st.sampled_from("abc"), st.integers(0, 1)),
        max_size=12,
    )
)
def test_repeats_and_conflicts_of_lazy_tables(rows: list[tuple[str | None, str, int]]) -> None:
    """One row of each key stays where all its rows agree; where they differ, each is told once."""
    names = ["scope", "id", "shop"]
    schema = dict(zip(names, (pl.String, pl.String, pl.Int64), strict=True))
    table = nw.from_native(pl.LazyFrame(rows, schema, orient="row"))
    versions: dict[tuple[str | None, str], set[int]] = {}
    for scope, key, shop in rows:
        versions.setdefault((scope, key), set()).add(shop)
    alone = {(*key, *shops) for key, shops in versions.items() if len(shops) == 1}
    several = {(*key, shop) for key, shops in versions.items() if len(shops) > 1 for shop in shops}
    for function, expected in ((_repeats.settle, alone), (_repeats.conflicts, several)):
        found = function(table, ["scope", "id"], names).collect().rows()
        assert len(found) == len(expected)
        assert {*found} == expected


def test_repeats_and_conflicts_of_lazy_logs() -> None:
    """A lazy log keeps, counts and gives back the rows that the eager one does."""
    table = draw_acts(7, size=40).drop("retracts", "received_at")
    table = table.with_columns(
        id=pl.col("id").str.slice(0, 1) + (pl.int_range(pl.len()) % 9).cast(str)
    )
    table = pl.concat([table, table.sample(fraction=0.5, seed=1)])
    lazy, eager = InteractionLog.from_frame(table.lazy()), InteractionLog.from_frame(table)
    assert str(lazy.summary()) == str(eager.summary())
    assert eager.summary().repeated
    columns = eager.frame.columns
    polars.testing.assert_frame_equal(
        lazy.frame.select(columns).collect().sort(columns), eager.frame.sort(columns)
    )


def test_repeats_are_found_among_the_columns_that_are_asked_for() -> None:
    """Rows of a lazy log with ids can be chosen, cut and counted before they are read."""
    table = draw_acts(10, size=80)
    lazy, eager = InteractionLog.from_frame(table.lazy()), InteractionLog.from_frame(table)
    assert lazy.frame.select(pl.len()).collect().item() == len(eager.frame)
    few = lazy.frame.filter(pl.col("kind") == "message").select("source").head(3).collect()
    assert few.shape == (3, 1)


# writing


@pytest.mark.parametrize(
    ("name", "ids"), [*((name, False) for name in FUNCTIONS), ("ties", True), ("scores", True)]
)
def test_what_is_written_is_the_eager_result(tmp_path: Path, name: str, ids: bool) -> None:  # noqa: FBT001
    """A result made in pieces holds the rows of the eager one, to 1e-9."""
    table = draw_acts(11, size=200)
    table = table if ids else table.drop("id", "retracts")
    FUNCTIONS[name](InteractionLog.read(deal(table, tmp_path / "log", 3))).write(tmp_path / "made")
    written = rows_of(pl.scan_parquet(tmp_path / "made"))
    eager = rows_of(FUNCTIONS[name](InteractionLog.from_frame(table)).frame)
    polars.testing.assert_frame_equal(written, eager, rel_tol=1e-9, abs_tol=1e-12)
    assert len(written)
    if name != "ties of threads":
        assert len(list((tmp_path / "made").iterdir())) > 1


def test_a_real_log(tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ties of a real log, read from a folder and written to one, are those of the eager log."""
    monkeypatch.setattr(_folders, "BATCH", 30_000)
    monkeypatch.setattr(_pieces, "TOGETHER", 20_000)
    monkeypatch.setattr(_pieces, "BATCH", 30_000)
    path = shared_data / "collegemsg" / "CollegeMsg.txt.gz"
    table = pl.read_csv(
        path, separator=" ", has_header=False, new_columns=["source", "target", "time"]
    ).with_columns(pl.from_epoch("time").dt.replace_time_zone("UTC"), kind=pl.lit("message"))
    measure(InteractionLog.read(deal(table, tmp_path / "log", 5))).write(tmp_path / "ties")
    written = rows_of(pl.scan_parquet(tmp_path / "ties"))
    eager = rows_of(measure(InteractionLog.from_frame(table)).frame)
    polars.testing.assert_frame_equal(written, eager, rel_tol=1e-9, abs_tol=1e-12)
    assert len(graph(pl.scan_parquet(tmp_path / "ties"))) == 1899


def test_an_empty_log_is_written_with_its_columns(tmp_path: Path) -> None:
    """A result without rows is a folder with one file that has the columns."""
    ties = measure(InteractionLog.from_frame(draw_acts(12).head(0).lazy()))
    ties.write(tmp_path / "ties")
    written = pl.read_parquet(tmp_path / "ties")
    assert len(written) == 0
    assert written.schema == ties.frame.collect_schema()


def test_progress_is_said_in_words(tmp_path: Path) -> None:
    """Somebody who waits is told how many rows of how many were read, and what is left."""
    said: list[str] = []
    table = draw_acts(13, size=200).drop("id", "retracts")
    log = InteractionLog.read(deal(table, tmp_path / "log", 3))
    measure(log).write(tmp_path / "ties", progress=said.append)
    assert any(line.endswith(f"of {len(table)}") and line.startswith("read ") for line in said)
    rows = pl.scan_parquet(tmp_path / "ties").select(pl.len()).collect().item()
    parts = len(list((tmp_path / "ties").iterdir()))
    assert said[-1] == f"added up {parts} of {parts} parts, {rows:,} rows"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A folder with something in it is refused and left alone; an empty one is filled."""
    ties = measure(InteractionLog.from_frame(draw_acts(14).lazy()))
    folder = tmp_path / "new" / "ties"
    ties.write(folder)
    before = sorted(folder.iterdir())
    with pytest.raises(InvalidParameter, match="something at 'ties' already"):
        ties.write(folder)
    assert sorted(folder.iterdir()) == before
    (tmp_path / "empty").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    ties.write(tmp_path / "link")
    assert len(pl.read_parquet(tmp_path / "empty"))
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o750


def test_what_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    """A folder that somebody else fills in the meantime is left alone, with the same error."""

    def fill(_: str) -> None:
        (tmp_path / "ties").mkdir(exist_ok=True)
        (tmp_path / "ties" / "theirs").touch()

    ties = measure(InteractionLog.from_frame(draw_acts(14).lazy()))
    with pytest.raises(InvalidParameter, match="something at 'ties' already"):
        ties.write(tmp_path / "ties", progress=fill)
    assert [file.name for file in (tmp_path / "ties").iterdir()] == ["theirs"]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    """Where writing fails half-way, nothing is left behind."""

    def stop(text: str) -> None:
        if text.startswith("added up"):
            raise KeyboardInterrupt

    ties = measure(InteractionLog.from_frame(draw_acts(15, size=200).lazy()))
    with pytest.raises(KeyboardInterrupt):
        ties.write(tmp_path / "ties", progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", ["polars", "pandas", "pyarrow", "duckdb"])
def test_results_of_every_kind_are_written(tmp_path: Path, engine: str) -> None:
    """Eager tables, DuckDB's relations and rankings are written as a folder of Parquet too."""
    table = draw_acts(16)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    given = {
        "polars": lambda: table,
        "pandas": table.to_pandas,
        "pyarrow": table.to_arrow,
        "duckdb": lambda: connection.from_arrow(table.to_arrow()),
    }[engine]()
    ties = measure(InteractionLog.from_frame(given), as_of=AS_OF)
    ties.write(tmp_path / "ties")
    eager = rows_of(measure(InteractionLog.from_frame(table), as_of=AS_OF).frame)
    written = rows_of(pl.scan_parquet(tmp_path / "ties"))
    polars.testing.assert_frame_equal(
        written, eager, rel_tol=1e-9, abs_tol=1e-12, check_dtypes=False
    )


def test_a_ranking_is_written(tmp_path: Path) -> None:
    """A ranking, which is made of arrays, is written with its customers and values."""
    ranking = rank(nx.path_graph(3), method="strength")
    ranking.write(tmp_path / "ranking")
    written = pl.read_parquet(tmp_path / "ranking")
    assert dict(zip(written["customer"], written["value"], strict=True)) == dict(ranking)


def test_columns_that_are_not_needed_stay_away(tmp_path: Path) -> None:
    """What a result is not made of, such as texts, is not dealt to disk."""
    pieces = [
        FUNCTIONS[name](InteractionLog.from_frame(draw_acts(17).lazy()))._pieces
        for name in ("ties", "scores")
    ]
    for piece in pieces:
        assert piece is not None
        assert not {"about", "thread", "shop"} & {*piece.rows.collect_schema().names()}


def test_an_instant_in_utc(tmp_path: Path) -> None:
    """Times of a folder in another zone are instants in UTC, also where they are written."""
    time = datetime(2026, 3, 1, 9, tzinfo=UTC)
    table = pl.DataFrame({"time": [time], "source": ["ana"], "target": ["ben"]}).with_columns(
        pl.col("time").dt.convert_time_zone("Europe/London").dt.cast_time_unit("ns")
    )
    log = InteractionLog.read(deal(table, tmp_path / "log", 1), constants={"kind": "message"})
    measure(log).write(tmp_path / "ties")
    written = pl.read_parquet(tmp_path / "ties")
    assert written.schema["first_seen"] == pl.Datetime("us", "UTC")
    assert written["first_seen"].item() == time


@pytest.mark.parametrize("name", ["ties", "scores"])
def test_results_can_be_pickled(name: str) -> None:
    """An eager result that is pickled keeps its rows, parameters and what was left out."""
    table = draw_acts(18)
    result = FUNCTIONS[name](InteractionLog.from_frame(table))
    other = pickle.loads(pickle.dumps(result))  # noqa: S301
    polars.testing.assert_frame_equal(rows_of(other.frame), rows_of(result.frame))
    assert dict(other.parameters) == dict(result.parameters)
    if name == "ties":
        assert other.left_out == result.left_out
        assert sum(other.left_out.values())
