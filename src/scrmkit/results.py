"""What every batch function returns: a table, how it was made, and a way to look at it."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import cached_property
from os import PathLike
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from scrmkit import _checks, _foreign, _pieces, _tables
from scrmkit._checks import Id
from scrmkit._instants import Instant
from scrmkit._pieces import Pieces, Progress
from scrmkit._protocols import Writer
from scrmkit._tables import Home
from scrmkit.errors import InvalidTable, UnknownCustomer


__all__ = ["Lookup", "Ranking", "Result"]

_ROWS_SHOWN = 10

Value = TypeVar("Value", bound=float)
Default = TypeVar("Default")


class _Parameters(Mapping[str, Any]):
    """The parameters of a result; the last instant of a lazy log is read when asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        return value.read() if isinstance(value, Instant) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self._values.items())


class Result:
    """A table with the parameters it was made with.

    Functions return results; nobody builds one by hand. A result can be handed to every
    library that reads Arrow streams (``polars.DataFrame(result)``,
    ``pyarrow.table(result)``, ``pandas.DataFrame.from_arrow(result)``,
    ``duckdb.sql("from result")``) and to every function of scrmkit that takes a table. On the
    very connection of DuckDB that its table lives in, name the table: ``found =
    result.frame`` and ``connection.sql("from found")``.

    Attributes:
        parameters: the name, version or digest of everything the numbers depend on. The
            last instant of a lazy log is read when it is first asked for.
        notes: what one should know before believing them, in words.

    Example:
        >>> from scrmkit import InteractionLog, engagement
        >>> log = InteractionLog.from_records(
        ...     [{"time": "2026-03-01T09:00Z", "kind": "message", "source": "ana", "target": "ben"}]
        ... )
        >>> scores = engagement.score(log)
        >>> scores.top(1)["customer"].to_list(), scores.parameters["cap_per_day"]
        (['ana'], 5)
    """

    def __init__(
        self,
        frame: Any = None,
        *,
        columns: Mapping[str, Any] | None = None,
        home: Home | None = None,
        parameters: Mapping[str, Any],
        order: str,
        notes: tuple[str, ...] = (),
        pieces: Pieces | None = None,
    ) -> None:
        self._pieces = pieces
        self._native = frame
        self._columns = columns
        self._home = home
        self._order = order
        self.parameters: Mapping[str, Any] = _Parameters(parameters)
        self.notes = notes

    @cached_property
    def frame(self) -> Any:
        """The table, of the kind that came in; lazy stays lazy."""
        if self._columns is not None:
            return _tables.build(self._columns, self._home)
        return self._native

    def top(self, k: int = 10, *, by: str | None = None) -> Any:
        """The ``k`` rows with the largest values, largest first.

        Args:
            k: how many rows; 1 or more.
            by: the column to order by; without it the one that the result is about.

        Returns:
            A table of the kind of `frame`. Equal values are in the order of the columns
            from the left, which begins with the ids; where the table is not lazy, values
            that agree to 1e-9 of the largest are equal.

        Raises:
            InvalidParameter: ``k`` below 1.
            InvalidTable: no such column.
        """
        k = _checks.to_whole(k, name="k", least=1)
        frame, home = _tables.take(self.frame)
        names = frame.collect_schema().names()
        by = by or self._order
        _tables.check_columns(names, [by], where="the result")
        keys = [name for name in names if name != by][:2]
        ordered = _tables.largest_first(frame, by, keys, lazy=home.lazy)
        return _tables.give(ordered.head(k), home)

    def write(
        self,
        path: str | PathLike[str],
        *,
        writer: str | Writer | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Write the table as a folder of Parquet files, also where it is larger than memory.

        Ties and scores of a lazy log of Polars are made in pieces, which lie on the disk of
        the folder meanwhile and need room there for the acts; other lazy tables are written
        by their own engine. Whatever reads Parquet reads the folder, such as
        ``polars.scan_parquet(path)``, and every function of scrmkit takes that table. A
        folder that could not be finished is not there, except where Spark or Dask write it.
        A process that is killed leaves a folder beside it, whose name begins with a dot and
        that of the result; it holds ids and can be removed.

        Args:
            path: the folder, which must not be there yet, or be empty; for Spark and Dask
                also an address that they can write to.
            writer: who writes it, for a format of a vendor's instead of Parquet: the name of a
                plugin, or a function; see `plugins.Writer`.
            progress: called with a few words on the way, such as ``print``; the words may
                change from version to version.

        Raises:
            InvalidParameter: something is there already, or it is an address such as
                ``s3://...`` and the engine writes files of this machine, or there is no such
                writer.
            PluginError: the writer cannot be loaded, or breaks its contract.
            OSError: the disk is full, or the folder may not be written.

        Example:
            >>> import tempfile
            >>> import polars as pl
            >>> from scrmkit import InteractionLog, relationships
            >>> table = pl.LazyFrame(
            ...     {"source": ["ana", "ben"], "target": ["ben", "ana"], "time": [0, 60_000_000]}
            ... ).cast({"time": pl.Datetime("us", "UTC")})
            >>> log = InteractionLog.from_frame(table, constants={"kind": "message"})
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     relationships.measure(log).write(f"{folder}/ties", progress=print)
            ...     pl.read_parquet(f"{folder}/ties").select("a", "b", "n_ab", "n_ba").rows()
            read 2 rows
            added up 1 of 1 parts, 1 rows
            [('ana', 'ben', 1, 1)]
        """
        frame, home = _tables.take(self.frame)
        home = self._home or home
        if writer is not None:
            _foreign.write(frame, writer, path)
            return
        _pieces.write(frame, home, path, pieces=self._pieces, progress=progress)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pieces": None}

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        eager = _tables.take(self.frame)[0].collect()
        native = eager.to_native()
        if not hasattr(native, "__arrow_c_stream__"):
            native = eager.to_arrow()
        return native.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.parameters!r}>"

    def _repr_html_(self) -> str:
        rows = _tables.take(self.top(_ROWS_SHOWN))[0].collect()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in rows.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_show(cell))}</td>" for cell in row) + "</tr>"
            for row in rows.iter_rows()
        )
        made = "".join(
            f"<li>{html.escape(name)}: {html.escape(str(value))}</li>"
            for name, value in self.parameters.items()
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<table><caption>{type(self).__name__}, the first {len(rows)} by "
            f"{html.escape(self._order)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><ul>{made}{notes}</ul>"
        )


class Lookup(ABC, Generic[Value]):
    """A value for each customer, which is read as a dictionary is.

    It is no ``collections.abc.Mapping``: libraries of data frames take each key of a
    mapping for the name of a column, before they see that it offers an Arrow stream.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import influence
        >>> ranking = influence.rank(nx.path_graph(3), method="strength")
        >>> dict(ranking), ranking.get(7), 7 in ranking
        ({1: 2.0, 0: 1.0, 2: 1.0}, None, False)
    """

    @abstractmethod
    def __getitem__(self, customer: Id) -> Value:
        """The value of a customer; `UnknownCustomer` for one who is not there."""

    @abstractmethod
    def __iter__(self) -> Iterator[Id]:
        """The ids."""

    @abstractmethod
    def __len__(self) -> int:
        """How many customers there are."""

    def __contains__(self, customer: object) -> bool:
        try:
            self[customer]  # type: ignore[index]
        except UnknownCustomer:
            return False
        return True

    def get(self, customer: Id, default: Default | None = None) -> Value | Default | None:
        """The value of a customer, or the default for one who is not there."""
        try:
            return self[customer]
        except UnknownCustomer:
            return default

    def keys(self) -> KeysView[Id]:
        """The ids."""
        return KeysView(self)

    def values(self) -> ValuesView[Value]:
        """The values, in order of the ids."""
        return ValuesView(self)

    def items(self) -> ItemsView[Id, Value]:
        """The ids with their values."""
        return ItemsView(self)


Numbers: TypeAlias = Mapping[Any, float] | Lookup[float]
"""A number for each customer: ids of any one type, in a dictionary or what is read like one."""


class Ranking(Result, Lookup[float]):
    """A result with one number for each customer, which is also read as a dictionary is.

    It has ``ranking[customer]``, ``in``, ``len``, ``get``, ``keys``, ``values`` and
    ``items``, and ``dict(ranking)`` makes a dictionary of it. Iterating goes from the
    largest value to the smallest; equal values (within 1e-9) are in order of id.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import influence
        >>> ranking = influence.rank(nx.path_graph(3), method="strength")
        >>> list(ranking)
        [1, 0, 2]
        >>> ranking[1], dict(ranking)
        (2.0, {1: 2.0, 0: 1.0, 2: 1.0})
    """

    def __init__(self, columns: Mapping[str, Any], *, value: str, **made: Any) -> None:
        if len(columns["customer"]) != len(columns[value]):
            raise InvalidTable("a ranking needs one value for each customer")
        super().__init__(columns=columns, order=value, **made)
        self._ids = columns["customer"]
        self._numbers = columns[value]

    @cached_property
    def _values(self) -> dict[Id, float]:
        pairs = zip(self._ids, self._numbers, strict=True)
        return {_plain(customer): float(number) for customer, number in pairs}

    def __getitem__(self, customer: Id) -> float:
        try:
            return self._values[str(customer) if isinstance(customer, UUID) else customer]
        except (KeyError, TypeError):
            raise UnknownCustomer("this customer is not in the ranking", value=customer) from None

    def __iter__(self) -> Iterator[Id]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _show(cell: object) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else "" if cell is None else str(cell)
