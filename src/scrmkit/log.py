"""Logs of interactions: from any table, from records, from files; nothing is lost silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from os import PathLike
from typing import Any, Self

import narwhals.stable.v2 as nw
from attrs import evolve

from scrmkit import (
    _annotations,
    _checks,
    _folders,
    _foreign,
    _intake,
    _records,
    _tables,
)
from scrmkit._acts import Acts, without_retracted
from scrmkit._checks import Frozen
from scrmkit._files import Lines, read_file
from scrmkit._foreign import Brought
from scrmkit._instants import Instant
from scrmkit._intake import Intake, LazyIntake
from scrmkit._options import FIELDS, Options, check_options
from scrmkit._protocols import Enricher, Reader, Writer
from scrmkit._summaries import Summary, summarize
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter
from scrmkit.interactions import DEFAULT_VOCABULARY, Interaction, Vocabulary
from scrmkit.results import Result


__all__ = ["Acts", "InteractionLog", "Summary"]


class InteractionLog:
    """A log of interactions as a table: what every batch function takes.

    A log comes from a table (`from_frame`), from records (`from_records`) or from a file
    (`read`). Each row that comes in is accepted, repeated or rejected, and none is lost:
    `summary` counts them, `rejected` has those that could not be used, with the reason.

    A repeat is a row with the same key (scope, id, target) and the same content as
    another. Rows with the same key and other content are a conflict, and all of them are
    rejected: nobody can say which one is right, and the order of a log must not decide.
    Without a column ``id`` every row counts.

    Attributes:
        vocabulary: the words of this log.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import InteractionLog
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"at": "2026-03-01T09:00Z", "from": "ana", "to": "ben"},
        ...         {"at": "2026-03-02T10:00Z", "from": "ben", "to": "ana"},
        ...         {"at": "yesterday", "from": "ben", "to": "ana"},
        ...     ],
        ...     columns={"time": "at", "source": "from", "target": "to"},
        ...     constants={"kind": "message"},
        ... )
        >>> print(log.summary())
        3 read = 2 accepted + 0 repeated + 1 rejected
        from 2026-03-01T09:00:00+00:00 to 2026-03-02T10:00:00+00:00
        rejected, time cannot be read: 1
    """

    def __init__(
        self,
        intake: Intake | LazyIntake,
        *,
        home: Home,
        options: Options,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        self._intake = intake
        self._home = home
        self._options = options
        self._constants = Frozen(options.constants)
        self._annotations = Frozen(annotations or {})
        self.vocabulary = options.vocabulary

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        columns: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        kinds: Mapping[str, str] | None = None,
        valence_range: tuple[float, float] = (-1.0, 1.0),
        timezone: str | None = None,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A log from a table: Polars, pandas, Arrow, DuckDB, or anything that Narwhals takes.

        A column whose name is that of a field of `Interaction` is that field; others are
        kept as they are. ``time`` and ``kind`` are needed, and ``source`` or ``target``.

        Args:
            frame: the table; a lazy one stays lazy, and is not read before it is needed.
            columns: the name of the table's column for a field, such as
                ``{"time": "ts", "source": "from_id"}``.
            constants: the value of a field in every row, such as ``{"kind": "message"}``.
            kinds: the vocabulary's word for a word of the table, such as
                ``{"RT": "repost"}``.
            valence_range: the worst and the best value of the column ``valence``, which is
                mapped to -1 and 1 in a straight line; NaN is no valence.
            timezone: the zone of times that have none, such as ``"Europe/London"``. Local
                times that a clock change skips or repeats are rejected rows.
            vocabulary: what the kinds count for.

        Raises:
            InvalidTable: a column that is missing or of a type that cannot be used.
            InvalidParameter: an option that cannot be, or times without a zone.

        Example:
            >>> import polars as pl
            >>> from scrmkit import InteractionLog
            >>> ratings = pl.DataFrame(
            ...     {"rater": [6, 6], "ratee": [2, 5], "stars": [4, -10],
            ...      "ts": [1289241911, 1289241941]}
            ... )
            >>> log = InteractionLog.from_frame(
            ...     ratings,
            ...     columns={
            ...         "source": "rater", "target": "ratee", "valence": "stars", "time": "ts"
            ...     },
            ...     constants={"kind": "rating"},
            ...     valence_range=(-10, 10),
            ... )
            >>> log.frame["valence"].to_list()
            [0.4, -1.0]
        """
        options = check_options(columns, constants, kinds, valence_range, timezone, vocabulary)
        taken, home = _tables.take(frame)
        return cls(_intake.take_in(taken, home, options), home=home, options=options)

    @classmethod
    def from_records(
        cls,
        records: Iterable[Interaction | Mapping[str, Any]],
        *,
        columns: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        kinds: Mapping[str, str] | None = None,
        valence_range: tuple[float, float] = (-1.0, 1.0),
        timezone: str | None = None,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A log from interactions, or from mappings such as the JSON of a webhook.

        The options are those of `from_frame`. Attributes of interactions become columns.
        UUIDs become their text, which has the same order.
        """
        table = _records.to_table(records) or _nothing(columns, constants)
        return cls.from_frame(
            _tables.build(table),
            columns=columns,
            constants=constants,
            kinds=kinds,
            valence_range=valence_range,
            timezone=timezone,
            vocabulary=vocabulary,
        )

    @classmethod
    def read(
        cls,
        path: str | PathLike[str],
        *,
        reader: str | Reader | None = None,
        columns: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        kinds: Mapping[str, str] | None = None,
        valence_range: tuple[float, float] = (-1.0, 1.0),
        timezone: str | None = None,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A log from a file: CSV (any separator, with or without a header), NDJSON, Parquet.

        Or from a folder of Parquet files, searched to the bottom, or a pattern such as
        ``"logs/2026-*.parquet"``: all of them make one lazy log, which is not read before it
        is needed and may be larger than memory. Columns of one name have one type, or types
        that one of them holds; one that some files lack is null there, with a warning. A
        part of a path such as ``kind=answer`` is a column where its name is that of a field
        or one in ``columns``. What a program has not finished (a name that begins with ``_``
        or ``.``) is left out; other files are an error, and so are files that change before
        they are read.

        Text files may be compressed with gzip. The columns of a file without a header are
        called ``column_1``, ``column_2`` and so on. Times are ISO 8601, seconds or
        milliseconds since 1970 (decided for the column), or what python-dateutil reads.
        Ids of text files are text, as they stand there.

        A format of a vendor's is read by ``reader``: the name of a plugin, such as
        ``"scrmkit-forum:discourse"``, or a function (see `plugins.Reader`). Then ``path`` is
        whatever that reader takes.

        The other options are those of `from_frame`; `rejected` has the lines of a file. As in
        every lazy table, times of a folder are of a type for time.

        Raises:
            UnreadableFile: a file that is missing, empty, or no table; a folder without
                Parquet files, with other files, or with columns of types that do not fit.
            InvalidParameter: an option that cannot be, an address such as ``s3://...``, or
                no such reader.
            PluginError: the reader cannot be loaded, or breaks its contract.

        Warns:
            ScrmkitWarning: some files of a folder lack a column.
        """
        options = check_options(columns, constants, kinds, valence_range, timezone, vocabulary)
        if reader is not None:
            brought = _foreign.read(reader, path, empty=_nothing(columns, constants))
            taken, home = _tables.take(brought.frame)
            intake = _intake.take_in(taken, home, options)
            return cls(_with_reasons(intake, brought), home=home, options=options)
        path, fields = _checks.to_path(path), (*FIELDS, *options.columns.values())
        if _folders.is_folder(path):
            taken, home = _folders.scan(path, fields=fields)
            return cls(_intake.take_in(taken, home, options), home=home, options=options)
        lines = read_file(path, fields=fields)
        taken, home = _tables.take(lines.frame)
        intake = _intake.take_in(taken, home, options)
        return cls(_with_lines(intake, lines), home=home, options=options)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The name, version and digest of the vocabulary, and what annotations filled."""
        made: dict[str, Any] = {
            "vocabulary": self.vocabulary.name,
            "vocabulary_version": self.vocabulary.version,
            "vocabulary_digest": self.vocabulary.digest,
        }
        return Frozen(made | ({"annotations": self._annotations} if self._annotations else {}))

    @cached_property
    def frame(self) -> Any:
        """The accepted rows, as a table of the kind that came in.

        A table of pandas has a new index, here and in every result; make an index that you
        need a column first (``reset_index``).
        """
        return _tables.give(self._rows, self._home)

    @cached_property
    def rejected(self) -> Any:
        """The rows that could not be used, as they came, with the rule that each broke.

        Where the input has an order, ``row`` is the number of the row (0 is the first),
        and for files ``line`` is the line (1 is the first) and ``record`` what stood there
        where it could not be split into fields. A column of the table that has one of
        these names is shown with ``_given`` behind it.
        Of rows in conflict that say the same in other words, one is shown.
        """
        return _tables.give(self._intake.rejected, self._home)

    @property
    def _rows(self) -> nw.LazyFrame[Any]:
        accepted = self._intake.accepted
        if not self._constants:
            return accepted
        return accepted.with_columns(
            **{name: nw.lit(value) for name, value in self._constants.items()}
        )

    def annotate(self, enricher: str | Enricher) -> Result:
        """What an enricher finds out about the interactions: sentiment, topic, language.

        Annotations stand beside the log and never change it. `with_annotations` makes a log
        that uses some of them.

        Args:
            enricher: the name of a plugin, such as ``"scrmkit-forum:sentiment"``, or an
                enricher; see `plugins.Enricher` and `plugins.lift`.

        Returns:
            One row for each interaction and field about which something can be said, with
            the columns ``scope``, ``id`` and ``target`` (those that the log has),
            ``enricher``, ``version``, ``field``, and ``value`` for a number or ``word`` for
            a word. The enricher runs on this machine, on some rows at a time; its numbers
            are held in memory. A log on Spark is an error.

        Raises:
            InvalidParameter: there is no such enricher.
            InvalidTable: the log has no column ``id``, or lacks one that the enricher reads.
            PluginError: the enricher cannot be loaded, or breaks its contract.

        Example:
            >>> from scrmkit import InteractionLog
            >>> from scrmkit.plugins import Number, lift
            >>> @lift(version="1", needs=["text"], fields={"mood": Number(low=-1, high=1)})
            ... def mood(interaction):
            ...     return {"mood": 1.0 if "thank" in interaction.text else 0.0}
            >>> log = InteractionLog.from_records(
            ...     [{"id": "m1", "time": "2026-03-01T09:00Z", "kind": "message", "source": "ana",
            ...       "target": "ben", "text": "thank you"}]
            ... )
            >>> log.annotate(mood).frame["value"].to_list()
            [1.0]
        """
        return _annotations.find(self._rows, enricher, self._home, self.parameters)

    def with_annotations(self, annotations: Any, columns: Mapping[str, str]) -> InteractionLog:
        """A new log in which columns are filled from annotations.

        What stands in the log stays: an annotation goes only where nothing is, because what
        people said themselves beats what was found out. The new log's ``parameters``, and
        those of every result made of it, say what was filled by which enricher and version.

        Args:
            annotations: what `annotate` gave, now or earlier: a result or a table with its
                columns. Those of interactions that are not in the log are left out.
            columns: the field of the annotations for a column of the log, such as
                ``{"valence": "polarity"}``: ``valence`` takes numbers; ``channel``, ``thread``
                and ``about`` take words; a name that is no field of an interaction takes
                either.

        Raises:
            InvalidParameter: no annotation has such a field, or the column cannot be filled.
            InvalidTable: the table is none of annotations, or says several things of one
                interaction and field, or what it says does not fit the column.

        Warns:
            ScrmkitWarning: none of the annotations is of an interaction of this log; lazy logs
                are not read for this.

        Example:
            >>> import polars as pl
            >>> from scrmkit import InteractionLog
            >>> log = InteractionLog.from_records(
            ...     [{"id": "m1", "time": "2026-03-01T09:00Z", "kind": "message", "source": "ana",
            ...       "target": "ben"}]
            ... )
            >>> found = pl.DataFrame(
            ...     {"id": ["m1"], "target": ["ben"], "enricher": ["ours"], "version": ["1"],
            ...      "field": ["mood"], "value": [0.8], "word": [None]}
            ... )
            >>> moody = log.with_annotations(found, {"valence": "mood"})
            >>> moody.frame["valence"].to_list(), dict(moody.parameters["annotations"])
            ([0.8], {'valence': 'ours 1 mood'})
        """
        rows, filled = _annotations.fill(self._rows, self._home, annotations, columns)
        for column, before in self._annotations.items():
            if column in filled:
                filled[column] = f"{before}, then {filled[column]}"
        return type(self)(
            evolve(self._intake, accepted=rows),
            home=self._home,
            options=self._options,
            annotations={**self._annotations, **filled},
        )

    def write(self, path: str | PathLike[str], *, writer: str | Writer) -> None:
        """Write the accepted rows in a format of a vendor's.

        For Parquet, CSV and the like use what `frame` offers.

        Args:
            path: where; nothing may be there yet.
            writer: the name of a plugin, or a function; see `plugins.Writer`. What it does
                not finish is not there.

        Raises:
            InvalidParameter: something is there already, or there is no such writer.
            PluginError: the writer cannot be loaded, or breaks its contract.

        Example:
            >>> from pathlib import Path
            >>> from tempfile import TemporaryDirectory
            >>> from scrmkit import InteractionLog
            >>> def write_sources(tables, path):
            ...     path.write_text(" ".join(one for table in tables for one in table["source"]))
            >>> log = InteractionLog.from_records(
            ...     [{"time": "2026-03-01T09:00Z", "kind": "post", "source": "ana"}]
            ... )
            >>> with TemporaryDirectory() as folder:
            ...     log.write(Path(folder) / "sources.txt", writer=write_sources)
            ...     (Path(folder) / "sources.txt").read_text()
            'ana'
        """
        _foreign.write(self._rows, writer, path)

    def summary(self) -> Summary:
        """How many rows were read, accepted, repeated and rejected, and by which rules."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        return summarize(self._rows, self._intake, self.vocabulary)

    def __len__(self) -> int:
        return self._summary.accepted

    def __repr__(self) -> str:
        kind = "lazy " if self._home.lazy else ""
        return f"<InteractionLog of a {kind}{self._home.engine} table, {self.vocabulary.name!r}>"

    def acts(
        self,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        earliest: datetime | None = None,
    ) -> Acts:
        """The interactions that count at an instant: what every batch function begins with.

        Args:
            as_of: nothing later counts; None for the last instant of the log, which for a
                lazy table is not read but joined to its rows.
            known_at: nothing that the host learnt later counts; None for all of it. What
                has no ``received_at`` was learnt when it took place.
            earliest: for several instants at once the first of them: rows that were taken
                back only later are kept, and the column `UNTIL` says when.

        Returns:
            The rows without those that take something back (``retracts``) and without
            those that were taken back at or before ``as_of``.

        Raises:
            InvalidParameter: an instant without a time zone; an empty log without ``as_of``
                where the table is not lazy.
        """
        rows = self._rows
        names = rows.collect_schema().names()
        if known_at is not None:
            limit = nw.lit(_checks.to_utc(known_at, name="known_at"))
            learnt = nw.col("time")
            if "received_at" in names:
                learnt = nw.coalesce(nw.col("received_at"), learnt)
            rows = rows.filter(learnt <= limit)
        if as_of is not None:
            known = _checks.to_utc(as_of, name="as_of")
            rows = rows.filter(nw.col("time") <= nw.lit(known))
            instant = Instant(known)
        else:
            instant = Instant.last_of(rows, "time")
        if "retracts" in names:
            rows = without_retracted(rows, names, instant.known if earliest is None else earliest)
        acts = Acts(rows, self._constants, instant, self._home)
        if self._home.lazy:
            return acts
        if instant.read() is None and self._summary.rejected and not len(self):
            raise InvalidParameter(
                f"no row of the log was accepted ({self._summary.read:,} read, "
                f"{self._summary.rejected:,} rejected): print(log.summary()) says why"
            )
        return evolve(acts, instant=Instant(acts.as_of))


def _nothing(
    columns: Mapping[str, str] | None, constants: Mapping[str, Any] | None
) -> dict[str, list[Any]]:
    """The columns that a log needs, without rows, under the names of the host."""
    needed = ("id", "time", "kind", "source", "target")
    own = {name: name for name in needed if name not in (constants or {})}
    return {name: [] for name in {**own, **dict(columns or {})}.values()}


def _with_lines(intake: Intake | LazyIntake, lines: Lines) -> Intake:
    """Say on which lines of a file the rejected rows stood, and add those that were no rows."""
    import polars as pl

    rejected = intake.rejected.collect().to_polars()
    numbered = rejected.with_columns(line=lines.number.gather(rejected["row"]).cast(pl.Int64)).drop(
        "row"
    )
    unsplit = lines.rejected.rename({"text": "record"})
    everything = pl.concat([unsplit, numbered], how="diagonal_relaxed").sort("line")
    rest = [name for name in everything.columns if name not in unsplit.columns]
    ordered = everything.select("line", "rule", "record", *rest)
    return Intake(intake.accepted, nw.from_native(ordered).lazy(), lines.read)


def _with_reasons(intake: Intake | LazyIntake, brought: Brought) -> Intake:
    """Say which rows of a reader were rejected, and add those that the reader could not use."""
    import polars as pl

    ours = intake.rejected.collect().to_polars()
    ours = ours.with_columns(row=brought.place.gather(ours["row"]).cast(pl.Int64))
    theirs = brought.rejected.with_columns(row=pl.col("row").cast(pl.Int64))
    everything = pl.concat([ours, theirs], how="diagonal_relaxed").sort("row")
    read = brought.frame.height + brought.rejected.height
    return Intake(intake.accepted, nw.from_native(everything).lazy(), read)
