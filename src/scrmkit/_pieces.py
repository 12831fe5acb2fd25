"""Results larger than memory: made and written in pieces that need little of it.

The rows that a result is made of are dealt to `DECKS` decks on disk, so that rows which
belong together (those of a pair, those of a customer) lie in one deck, and then the decks
are added up apart. Every row is read once, written once and read again, so the time grows
as the rows do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _checks
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter


if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[str], object]

DECKS: Final = 64
BATCH: Final = 2_000_000
TOGETHER: Final = 4_000_000
DECK: Final = "__scrmkit_deck"
SEED: Final = 20_261
SPREAD: Final = ("pyspark", "pyspark[connect]", "sqlframe", "dask")


@frozen
class Pieces:
    """How a result can be made in pieces.

    Args:
        rows: what it is made of.
        together: columns of ids; rows in which they hold the same ids, in any order, belong
            together.
        make: makes the result of some rows, of which none is missing that belongs to them.
    """

    rows: nw.LazyFrame[Any]
    together: tuple[str, ...]
    make: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]

    @classmethod
    def of(cls, home: Home, **made: Any) -> Pieces | None:
        """The pieces of what is made of a lazy table of Polars; others need none."""
        if not (home.lazy and home.engine == "polars" and made["together"]):
            return None
        return cls(**made)


def write(
    frame: nw.LazyFrame[Any],
    home: Home,
    path: str | PathLike[str],
    *,
    pieces: Pieces | None,
    progress: Progress | None,
) -> None:
    """Write a result as a folder of Parquet files.

    Args:
        frame: the result.
        home: where it came from.
        path: the folder, which must not be there yet, or be empty.
        pieces: how it can be made in pieces, where it can.
        progress: called with a few words on the way.

    Raises:
        InvalidParameter: something is there already.
    """
    say = progress or (lambda _: None)
    if frame.implementation.value in SPREAD:
        place = str(path) if "://" in str(path) else str(free(path))
        say("writing")
        frame.sink_parquet(place)
        return
    folder = free(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # On the disk of the result, which has room for it; what stands there is complete.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        made = Path(name) / "made"
        made.mkdir()
        if pieces is not None:
            _write_pieces(pieces, made, Path(name) / "decks", home.rows, say)
        else:
            say("writing")
        if not any(made.iterdir()):
            frame.sink_parquet(str(made / _file(0)))
        if folder.exists():
            made.chmod(folder.stat().st_mode)
        try:
            made.replace(folder)
        except OSError as error:
            raise _occupied(folder) from error


def free(path: str | PathLike[str]) -> Path:
    """Where something can be made: nothing is there, or an empty folder."""
    folder = _checks.to_path(path).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _occupied(folder)
    return folder


def _occupied(folder: Path) -> InvalidParameter:
    return InvalidParameter(
        f"there is something at {folder.name!r} already: remove it, or give another path",
        value=str(folder),
    )


def _file(number: int) -> str:
    return f"part-{number:04}.parquet"


def _write_pieces(
    pieces: Pieces, folder: Path, decks: Path, total: int | None, say: Progress
) -> None:
    import polars as pl

    written = 0
    batches = list(_batches(_deal(pieces, decks, total, say)))
    for number, numbers in enumerate(batches):
        some = pl.scan_ipc([file for deck in numbers for file in (decks / str(deck)).iterdir()])
        file = folder / _file(number)
        pieces.make(nw.from_native(some)).to_native().sink_parquet(file)
        written += pl.scan_parquet(file).select(pl.len()).collect().item()
        say(f"added up {number + 1} of {len(batches)} parts, {written:,} rows")


def _deal(pieces: Pieces, decks: Path, total: int | None, say: Progress) -> list[int]:
    """Deal the rows to decks on disk; how many each got."""
    import polars as pl

    for number in range(DECKS):
        (decks / str(number)).mkdir(parents=True)
    counts = [0] * DECKS
    parts = 0

    def deal(batch: pl.DataFrame) -> None:
        nonlocal parts
        for cards in batch.partition_by(DECK, maintain_order=False):
            number = cards.item(0, DECK)
            file = decks / str(number) / f"{parts}.ipc"
            cards.drop(DECK).write_ipc(file, compression="lz4")
            counts[number] += cards.height
        parts += 1
        done = f"read {sum(counts):,} rows"
        say(done if total is None else f"{done} of {total:,}")

    rows: pl.LazyFrame = pieces.rows.to_native()
    hashes = [pl.col(name).hash(SEED) for name in pieces.together]
    deck = (reduce(add, hashes) % DECKS).cast(pl.UInt8)
    rows.with_columns(deck.alias(DECK)).sink_batches(
        deal, chunk_size=BATCH, maintain_order=False, engine="streaming"
    )
    return counts


def _batches(counts: list[int]) -> Iterator[list[int]]:
    """Decks that are added up at once: as many as have few rows together."""
    batch: list[int] = []
    rows = 0
    for number, count in enumerate(counts):
        if batch and rows + count > TOGETHER:
            yield batch
            batch, rows = [], 0
        if count:
            batch.append(number)
            rows += count
    if batch:
        yield batch
