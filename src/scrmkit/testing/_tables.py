"""The contracts of readers, writers and enrichers, as rules that are tried."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from scrmkit import _foreign
from scrmkit._annotations import Enrichment
from scrmkit._checks import Id
from scrmkit._plugins import Plugin, choose_function
from scrmkit._protocols import Enricher, Reader, Writer
from scrmkit.errors import InvalidParameter, PluginError, ScrmkitError
from scrmkit.interactions import FIELDS
from scrmkit.log import InteractionLog
from scrmkit.testing import strategies
from scrmkit.testing._contracts import Rule, check_rules, draw, for_all, reads_the_clock


if TYPE_CHECKING:
    import polars as pl


def check_reader(reader: str | Reader, path: Any, *, ids: Sequence[Id]) -> None:
    r"""Try the contract of a reader on one source; see `plugins.Reader`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``tables``     it brings tables whose columns fit each other
    ``lost``       every record of the source is there
    ``once``       none is there more often than in the source
    ``order``      they come in the order of the source
    ``units``      a log accepts every row that the reader did not reject: times have a
                   zone, valences are from -1 to 1, somebody acted
    ``repeatable`` the same source gives the same tables
    ``damaged``    a file that breaks off is an `UnreadableFile`, or rows with and without
                   a reason, and no other error (that none is skipped is not seen)
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    Args:
        reader: a reader, or the name of a plugin.
        path: a source; where it is a file, pieces of it are tried as well.
        ids: the ids of the rows that it must bring, the rejected ones among them, in the
            order of the source.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from scrmkit.testing import check_reader
        >>> def read_lines(path):
        ...     names, fields = ("id", "time", "source", "target"), []
        ...     for line in Path(path).read_text().splitlines():
        ...         cells = line.split()
        ...         fine = len(cells) == 4
        ...         row = dict(zip(names, cells)) if fine else {"id": cells[0]}
        ...         yield {name: [value] for name, value in row.items()} | {
        ...             "kind": ["message"], "rejected": [None if fine else "four words a line"],
        ...         }
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "chat.txt"
        ...     _ = path.write_text("m1 2026-03-01T09:00Z ana ben\nm2 2026-03-01\n")
        ...     check_reader(read_lines, path, ids=["m1", "m2"])
    """
    plugin = choose_function("readers", reader)
    check_rules(
        plugin.label,
        [("tables", lambda: _tables_of(plugin, path))],
        [
            ("lost", lambda: _lost(_ids_of(plugin, path), ids)),
            ("once", lambda: _twice(_ids_of(plugin, path), ids)),
            ("order", lambda: _moved(_ids_of(plugin, path), ids)),
            ("units", lambda: _units(plugin, path)),
            ("repeatable", lambda: _changes(lambda: _all_rows(plugin, path).to_dicts())),
            ("damaged", lambda: _damaged(plugin, path)),
            ("clock", lambda: reads_the_clock(plugin.made, lambda: _all_rows(plugin, path))),
        ],
    )


def _tables_of(plugin: Plugin, path: Any) -> str | None:
    try:
        rows = _all_rows(plugin, path)
    except ScrmkitError as error:
        return f"cannot be used: {error}"
    return None if "id" in rows.columns else "must bring a column 'id'"


def _all_rows(plugin: Plugin, path: Any) -> pl.DataFrame:
    import polars as pl

    brought = _foreign.read(plugin.made, path, empty={"id": []})
    good = brought.frame.insert_column(0, brought.place.alias("row"))
    return pl.concat([good, brought.rejected], how="diagonal_relaxed").sort("row")


def _ids_of(plugin: Plugin, path: Any) -> list[Any]:
    return list(_all_rows(plugin, path)["id"])


def _lost(found: Sequence[Id], wanted: Sequence[Id]) -> str | None:
    lost = Counter(wanted) - Counter(found)
    return f"loses {lost.total()} of {len(wanted)}: {_some(lost)}" if lost else None


def _twice(found: Sequence[Id], wanted: Sequence[Id]) -> str | None:
    more = Counter(found) - Counter(wanted)
    return f"brings too many: {_some(more)}" if more else None


def _moved(found: Sequence[Id], wanted: Sequence[Id]) -> str | None:
    """Whether those that are in both, each the first time, are in another order."""
    both = set(found) & set(wanted)
    left = [one for one in dict.fromkeys(found) if one in both]
    right = [one for one in dict.fromkeys(wanted) if one in both]
    return None if left == right else "changes the order of the source"


def _some(ids: Any) -> str:
    return ", ".join(sorted(map(str, ids))[:5])


def _units(plugin: Plugin, path: Any) -> str | None:
    theirs = _foreign.read(plugin.made, path, empty={"id": []}).rejected
    rules = dict(InteractionLog.read(path, reader=plugin.made).summary().rules)
    for rule in theirs["rule"].to_list() if "rule" in theirs.columns else []:
        rules[rule] -= 1
    broken = sorted(rule for rule, count in rules.items() if count)
    return f"brings rows that no log accepts: {'; '.join(broken)}" if broken else None


def _changes(make: Callable[[], object]) -> str | None:
    return None if make() == make() else "gives something else the second time"


def _damaged(plugin: Plugin, path: Any) -> str | None:
    if not isinstance(path, str | PathLike) or not Path(path).is_file():
        return None
    whole = Path(path).read_bytes()
    with TemporaryDirectory() as folder:
        piece = Path(folder) / Path(path).name
        for share in (0.0, 0.3, 0.5, 0.9, 0.99):
            piece.write_bytes(whole[: int(len(whole) * share)])
            try:
                InteractionLog.read(piece, reader=plugin.made)
            except PluginError as error:
                return f"must say that a file which breaks off is unreadable: {error}"
            except ScrmkitError:
                continue
    return None


def check_writer(
    writer: str | Writer, *, read: Callable[[Path], Sequence[Id]], suffix: str = ""
) -> None:
    r"""Try the contract of a writer; see `plugins.Writer`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``place``      something is at the path it was given, and nothing beside it; also for
                   a table without rows
    ``lost``       every row is there
    ``once``       none is there twice
    ``order``      they are in the order in which they came
    ``repeatable`` the same rows make the same bytes
    ``portions``   so they do however they are dealt into tables
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    Args:
        writer: a writer, or the name of a plugin.
        read: gives the ids of the interactions that stand in what was written, in order, as
            text.
        suffix: with which the path must end, such as ``".xml"``.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name.

    Example:
        >>> from scrmkit.testing import check_writer
        >>> def write_ids(tables, path):
        ...     with path.open("w") as file:
        ...         for table in tables:
        ...             file.writelines(f"{one}\n" for one in table["id"])
        >>> check_writer(write_ids, read=lambda path: path.read_text().split())
    """
    plugin = choose_function("writers", writer)
    rows = _rows_to_write()
    wanted = rows["id"].to_list()
    written = _Written(plugin, suffix)
    check_rules(
        plugin.label,
        [("place", lambda: written.misplaced(rows) or written.misplaced(rows.head(0)))],
        [
            ("lost", lambda: _lost(written.ids(rows, read), wanted)),
            ("once", lambda: _twice(written.ids(rows, read), wanted)),
            ("order", lambda: _moved(written.ids(rows, read), wanted)),
            ("repeatable", lambda: _changes(lambda: written.digest(rows, 7))),
            ("clock", lambda: reads_the_clock(plugin.made, lambda: written.digest(rows, 7))),
        ],
        [("portions", lambda: written.depends_on_portions(rows))],
    )


def _rows_to_write() -> pl.DataFrame:
    import polars as pl

    days = [f"2026-03-{day:02}T09:00:00Z" for day in (2, 1, 3, 3, 9, 8, 7, 28, 11, 12)]
    words = ["a", "", "two\nlines", "<b>&amp;</b>", '"q"', "国", None, ";,\t", "'", "x" * 99]
    log = InteractionLog.from_frame(
        pl.DataFrame(
            {
                "id": [f"m{number}" for number in (3, 1, 2, 9, 4, 0, 7, 8, 6, 5)],
                "time": days,
                "kind": ["message", "reply", "post", "like", "thing nobody knows"] * 2,
                "source": ["ana", "ben"] * 5,
                "target": ["ben", "ana", None, "ana", "ben"] * 2,
                "text": words,
                "valence": [None, 0.5] * 5,
            }
        )
    )
    frame: pl.DataFrame = log.frame
    return frame


class _Written:
    """What a writer writes of some rows."""

    def __init__(self, plugin: Plugin, suffix: str) -> None:
        self._made = plugin.made
        self._name = f"written{suffix}"

    def _write(self, rows: pl.DataFrame, size: int, folder: str) -> Path:
        path = Path(folder) / self._name
        self._made(iter(list(rows.iter_slices(size)) or [rows]), path)
        return path

    def misplaced(self, rows: pl.DataFrame) -> str | None:
        with TemporaryDirectory() as folder:
            path = self._write(rows, 7, folder)
            there = sorted(each.name for each in Path(folder).iterdir())
        if path.name not in there:
            return "writes nothing to the path that it is given"
        return None if there == [path.name] else f"writes besides: {', '.join(there)}"

    def ids(self, rows: pl.DataFrame, read: Callable[[Path], Sequence[Id]]) -> list[Id]:
        with TemporaryDirectory() as folder:
            return [str(one) for one in read(self._write(rows, 7, folder))]

    def digest(self, rows: pl.DataFrame, size: int) -> str:
        with TemporaryDirectory() as folder:
            path = self._write(rows, size, folder)
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            whole = hashlib.sha256()
            for file in files:
                whole.update(str(file.relative_to(folder)).encode())
                whole.update(file.read_bytes() if file.is_file() else b"")
        return whole.hexdigest()

    def depends_on_portions(self, rows: pl.DataFrame) -> str | None:
        same = len({self.digest(rows, size) for size in (1, 7, 100)}) == 1
        return None if same else "writes other bytes where rows come in other portions"


def check_enricher(enricher: str | Enricher, *, rows: pl.DataFrame | None = None) -> None:
    """Try the contract of an enricher; see `plugins.Enricher`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``shape``      it has ``version``, ``needs`` and ``fields``, and gives tables, also of
                   no rows
    ``rows``       one row for each that came
    ``fields``     the columns that ``fields`` says
    ``types``      numbers where it says numbers, words where it says words
    ``range``      numbers are finite and within bounds, words among the choices
    ``alone``      what a row gets does not depend on the rows beside it, to 1e-6
    ``repeatable`` the same rows get the same
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    Args:
        enricher: an enricher, or the name of a plugin.
        rows: what to try it on, for an enricher that needs columns which are no fields of an
            interaction; without it generated logs with texts, in several languages and none.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name, or ``rows`` lack what it needs.

    Example:
        >>> from scrmkit.plugins import Number, lift
        >>> from scrmkit.testing import check_enricher
        >>> @lift(version="1", needs=["text"], fields={"letters": Number(low=0)})
        ... def letters(interaction):
        ...     return {"letters": len(interaction.text)}
        >>> check_enricher(letters)
    """
    plugin = choose_function("enrichers", enricher)
    check_rules(plugin.label, [("shape", lambda: _no_enricher(plugin))])
    tables = _tables_to_enrich(plugin, rows)

    def rule(name: str, test: Callable[[Plugin, pl.DataFrame], str | None]) -> Rule:
        return name, lambda: for_all(tables, lambda table: test(plugin, table), shown=rows is None)

    def contract(name: str) -> Rule:
        return rule(name, lambda plugin, table: _breaks(plugin, table, name))

    check_rules(
        plugin.label,
        [contract("shape")],
        [
            *map(contract, ("rows", "fields", "types", "range")),
            rule("repeatable", lambda plugin, table: _changes(_found(plugin, table))),
            rule(
                "clock",
                lambda plugin, table: reads_the_clock(plugin.made, _found(plugin, table)),
            ),
        ],
        [rule("alone", _depends)],
    )


def _no_enricher(plugin: Plugin) -> str | None:
    try:
        Enrichment.of(plugin)
    except PluginError as error:
        return str(error)
    return None


def _tables_to_enrich(plugin: Plugin, rows: pl.DataFrame | None) -> list[pl.DataFrame]:
    """Tables that have what an enricher needs, one of them without rows."""
    import polars as pl

    needs = tuple(plugin.made.needs)
    there = FIELDS if rows is None else set(rows.columns)
    if strange := sorted(set(needs) - there):
        raise InvalidParameter(
            f"the enricher needs {', '.join(strange)}: give a table that has it as rows="
        )
    if rows is not None:
        return [rows, rows.head(1), rows.head(0)]
    nothing = {name: pl.lit(None, pl.String) for name in needs}
    logs = draw(strategies.logs(min_size=1, max_size=8, said=True, replies=True))
    tables = [_frame_of(log, nothing) for log in logs]
    return [*tables, tables[0].head(0)]


def _frame_of(log: Any, columns: Any) -> pl.DataFrame:
    frame: pl.DataFrame = InteractionLog.from_records(log).frame
    return frame.with_columns(
        expr.alias(name) for name, expr in columns.items() if name not in frame.columns
    )


def _found(plugin: Plugin, rows: pl.DataFrame) -> Callable[[], list[dict[str, Any]]]:
    return lambda: plugin.made(rows).to_dicts()


def _breaks(plugin: Plugin, rows: pl.DataFrame, rule: str) -> str | None:
    broken = Enrichment.of(plugin).broken(plugin.made(rows), rows)
    return next((wrong for name, wrong in broken if name == rule), None)


def _depends(plugin: Plugin, rows: pl.DataFrame) -> str | None:
    together = _found(plugin, rows)()
    alone = [one for row in rows.iter_slices(1) for one in _found(plugin, row)()]
    backwards = _found(plugin, rows.reverse())()[::-1]
    if _agree(together, alone) and _agree(together, backwards):
        return None
    return "gives a row something else where other rows stand beside it"


def _agree(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Whether rows are equal; numbers to 1e-6 of their size, or of 1."""
    return len(one) == len(other) and all(
        math.isclose(left[name], right[name], rel_tol=1e-6, abs_tol=1e-6)
        if isinstance(left[name], float) and isinstance(right[name], float)
        else left[name] == right[name]
        for left, right in zip(one, other, strict=True)
        for name in left
    )
