"""What readers, writers and enrichers are, and the fields that enrichers may write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from scrmkit import _checks
from scrmkit.errors import InvalidParameter


class Reader(Protocol):
    """Makes tables of interactions of whatever a vendor's format is; a function will do.

    Protocol version 1, group ``scrmkit.readers``. Called by `InteractionLog.read` with
    ``reader=``. What it owes, and `scrmkit.testing.check_reader` tries:

    - every record of the source is one row of one table (or several rows, where one record
      is several interactions), in the order of the source, and none comes twice;
    - columns that are named like fields of `Interaction` hold what these hold: times with a
      zone, kinds as words, valences from -1 to 1. Others are kept as they are;
    - a record that cannot be used is a row with the reason in the text column ``rejected``,
      which is null in all other rows. It goes to `InteractionLog.rejected`;
    - a source that is not what the reader reads is an `UnreadableFile`;
    - the same source gives the same tables, whatever the time is.

    Example:
        >>> import json
        >>> from scrmkit import InteractionLog
        >>> def read_chat(path):
        ...     with open(path) as file:
        ...         for message in json.load(file):
        ...             yield {
        ...                 "id": [message["no"]], "time": [message["at"]], "kind": ["message"],
        ...                 "source": [message["who"]], "target": [message["to"]],
        ...             }
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "chat.json"
        ...     _ = path.write_text(
        ...         '[{"no": 1, "at": "2026-03-01T09:00Z", "who": "ana", "to": "ben"}]'
        ...     )
        ...     log = InteractionLog.read(path, reader=read_chat)
        >>> len(log)
        1
    """

    def __call__(self, path: Any, /) -> Any:
        """One table, or tables one after the other.

        Args:
            path: what the caller gave to `InteractionLog.read`.

        Returns:
            A table that Narwhals takes, a mapping of columns, or an iterable of these.
        """


class Writer(Protocol):
    r"""Writes the rows of a log or of a result in a format of a vendor's; a function will do.

    Protocol version 1, group ``scrmkit.writers``. Called by ``write(path, writer=)`` of logs
    and results. What it owes, and `scrmkit.testing.check_writer` tries:

    - every row is written once, in the order in which they come;
    - the same rows make the same bytes, whatever the time is, and however they are dealt
      into tables;
    - it writes to the path it is given and nowhere else. It need not clean up: what is
      unfinished is never seen by the caller.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from scrmkit import InteractionLog
        >>> def write_pairs(tables, path):
        ...     with path.open("w") as file:
        ...         for table in tables:
        ...             for source, target in table.select("source", "target").iter_rows():
        ...                 print(source, ">", target, file=file)
        >>> log = InteractionLog.from_records(
        ...     [{"time": "2026-03-01T09:00Z", "kind": "message", "source": "ana", "target": "ben"}]
        ... )
        >>> with TemporaryDirectory() as folder:
        ...     log.write(Path(folder) / "pairs.txt", writer=write_pairs)
        ...     (Path(folder) / "pairs.txt").read_text()
        'ana > ben\n'
    """

    def __call__(self, tables: Iterator[Any], path: Path, /) -> None:
        """Write them.

        Args:
            tables: tables of Polars, at least one, with the same columns; each is some of
                the rows.
            path: where; nothing is there yet. A file or a folder must be there afterwards.
        """


class Enricher(Protocol):
    """Finds something out about interactions: sentiment, topic, language.

    Protocol version 1, group ``scrmkit.enrichers``. Called by `InteractionLog.annotate`. What
    it owes, and `scrmkit.testing.check_enricher` tries:

    - one row for each row it is given, in their order, with the columns of ``fields``;
    - what a row gets depends on that row alone, not on those beside it, and not on the time;
    - numbers are finite and within the bounds of their field, words among its choices. Null
      stands for: it cannot be said.

    A function of one interaction becomes an enricher by `plugins.lift`.

    Example:
        >>> import polars as pl
        >>> from scrmkit.plugins import Number
        >>> class Length:
        ...     version, needs, fields = "1", ("text",), {"letters": Number(low=0)}
        ...     def __call__(self, rows):
        ...         return rows.select(letters=pl.col("text").str.len_chars())
    """

    @property
    def version(self) -> str:
        """Changes whenever what it finds changes."""

    @property
    def needs(self) -> Sequence[str]:
        """The columns that the log must have."""

    @property
    def fields(self) -> Mapping[str, Number | Word]:
        """What it writes."""

    def __call__(self, rows: Any, /) -> Any:
        """What is found out about each row.

        Args:
            rows: some rows of a log, with all its columns, as a table of Polars.

        Returns:
            A table of Polars with as many rows and the columns of ``fields``.
        """


@frozen(kw_only=True)
class Number:
    """A field of annotations that holds finite numbers.

    Args:
        low: the least; None for any.
        high: the largest; None for any.

    Example:
        >>> from scrmkit.plugins import Number
        >>> Number(low=-1, high=1)
        Number(low=-1.0, high=1.0)
    """

    low: float | None = field(default=None, converter=_checks.to_float)
    high: float | None = field(default=None, converter=_checks.to_float)

    def __attrs_post_init__(self) -> None:
        for name, bound in (("low", self.low), ("high", self.high)):
            if bound is not None:
                _checks.check_range(bound, name=f"Number.{name}", error=InvalidParameter)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InvalidParameter("Number.low must not be above Number.high")


def _to_choices(words: Iterable[str] | None) -> tuple[str, ...] | None:
    if words is None:
        return None
    choices = _checks.to_tuple(words, name="Word.choices", of=str, error=InvalidParameter)
    if not choices:
        raise InvalidParameter("Word.choices is empty: leave it out where any word will do")
    return choices


@frozen(kw_only=True)
class Word:
    """A field of annotations that holds words.

    Args:
        choices: the words that there can be; None for any.

    Example:
        >>> from scrmkit.plugins import Word
        >>> Word(choices=["praise", "blame"])
        Word(choices=('praise', 'blame'))
    """

    choices: tuple[str, ...] | None = field(default=None, converter=_to_choices)
