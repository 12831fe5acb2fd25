"""Ratings as arrays, from a table or a graph, and the pairs of customers that are asked about."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw
from attrs import evolve, frozen

from scrmkit import _checks, _tables
from scrmkit._checks import Frozen, Id
from scrmkit._ids import to_plain_ids
from scrmkit._sparse import Flags, Floats, Ints, Matrix, digest, np, row_of_each, sparse
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph


if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIR: Final = ("source", "target")
_WORD_TYPES: Final = (nw.String, nw.Categorical, nw.Enum)
_HINT: Final = (
    "ratings go from -1 (not at all) to 1 (fully): bring them there first, such as marks from "
    "-10 to 10 by dividing by 10, or 1 to 5 stars by (stars - 3) / 2"
)


@frozen(eq=False)
class Judgements:
    """Ratings as arrays: one entry for each pair, in order of source, then target.

    Attributes:
        ids: the customers in order: integers of 64 bits, or texts.
        source: who rated, as a position in ids.
        target: who was rated.
        rating: from -1 to 1; no customer rates themself.
        time: when it was given, or anything else that orders ratings; None if not asked for.
        loops: how many rows were left out because somebody rated themself.
        home: where results go back to.
        parameters: what the ratings were made with, where they say so.
    """

    ids: NDArray[Any]
    source: Ints
    target: Ints
    rating: Floats
    time: Floats | Ints | None = None
    loops: int = 0
    home: Home | None = None
    parameters: Mapping[str, Any] = Frozen({})

    @classmethod
    def of(cls, given: Any, *, time: str | None = None) -> Judgements:
        """Whatever a function of trust was given, as arrays, with a column of times if wanted."""
        is_network = hasattr(given, "is_multigraph") and hasattr(given, "adj")
        if not is_network and not isinstance(given, SocialGraph):
            return _from_table(given, time)
        if time is not None:
            raise InvalidParameter(
                f"a graph has no column {time!r}: give the ratings as a table", value=time
            )
        return _from_networkx(given) if is_network else _from_graph(given)

    def __len__(self) -> int:
        return len(self.rating)

    def matrix(self) -> Matrix:
        """The ratings, rows to columns; a rating of 0 is an entry like all others."""
        n = len(self.ids)
        indptr = np.searchsorted(self.source, np.arange(n + 1)).astype(np.int32)
        parts = (self.rating, self.target.astype(np.int32), indptr)
        matrix: Matrix = sparse.csr_array(parts, shape=(n, n))
        matrix.has_canonical_format = True
        return matrix

    def without(self, left_out: Flags) -> Judgements:
        """The ratings but for some; everybody stays."""
        kept = ~left_out
        source, target = self.source[kept], self.target[kept]
        return evolve(self, source=source, target=target, rating=self.rating[kept], time=None)

    def find(self, source: Ints, target: Ints) -> Ints:
        """Where the rating of each pair of positions stands; -1 for those that have none."""
        n = len(self.ids)
        keys, wanted = self.source * n + self.target, source * n + target
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        if not len(keys):
            return np.full(len(wanted), -1)
        there = (keys[place] == wanted) & (source >= 0) & (target >= 0)
        return np.where(there, place, -1)

    def positions(self, wanted: Iterable[Id]) -> Ints:
        """Where customers stand in ids; -1 for those who are not there."""
        place = {one: position for position, one in enumerate(self.ids.tolist())}
        return np.fromiter((place.get(to_plain(one), -1) for one in wanted), dtype=np.int64)

    def origin(self) -> dict[str, Any]:
        """What the parameters of a result say of the ratings that it was made of."""
        made: dict[str, Any] = {
            "customers": len(self.ids),
            "ratings": len(self),
            "digest": digest(self.ids, self.source, self.target, self.rating),
        }
        return made | ({"made_with": dict(self.parameters)} if self.parameters else {})

    def notes(self) -> tuple[str, ...]:
        """What was left out of the ratings, in words."""
        if not self.loops:
            return ()
        return (f"{self.loops:,} ratings of customers of themselves are left out",)


@frozen(eq=False)
class Pairs:
    """Pairs of customers that are asked about, in the order given.

    Attributes:
        sources: their ids as a column of a result.
        targets: likewise.
        source: where they stand among the customers of ratings; -1 for who is not there.
        target: likewise.
        same: where the two of a pair are one.
        home: where results go back to, if the pairs came as a table.
    """

    sources: Any
    targets: Any
    source: Ints
    target: Ints
    same: Flags
    home: Home | None

    @classmethod
    def of(cls, pairs: Any, known: Judgements) -> Pairs:
        """A table with source and target, or a list of pairs."""
        if isinstance(pairs, list | tuple | Iterator):
            ends, home = _split(pairs), None
        else:
            rows, home = read_table(pairs, where="the table of pairs")
            ends = rows.get_column("source").to_list(), rows.get_column("target").to_list()
        kinds = {isinstance(one, str) for part in ends for one in part}
        texts = known.ids.dtype == object
        if len(kinds) > 1 or (len(known) and kinds and texts not in kinds):
            raise InvalidParameter(
                "the ids of the pairs are not of the type of those of the ratings: make them all "
                "texts, or all integers"
            )
        shown = [part or np.array([], dtype=str) for part in ends]
        places = [known.positions(part) for part in ends]
        same = np.array([one == other for one, other in zip(*ends, strict=True)], dtype=bool)
        return cls(shown[0], shown[1], places[0], places[1], same, home)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the pairs and their order."""
        ends = [[to_plain(one) for one in part] for part in (self.sources, self.targets)]
        return _checks.digest({"pairs": ends})


def _split(pairs: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The two ends of pairs."""
    ends: tuple[list[Any], list[Any]] = ([], [])
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidParameter(
                "pairs must be a table with source and target, or a list of pairs such as "
                "[(source, target)]"
            )
        for end, one in zip(ends, pair, strict=True):
            plain = to_plain(one)
            _checks.check_id(plain, name="an id in pairs", error=InvalidParameter)
            end.append(plain)
    return ends


def _from_graph(graph: SocialGraph) -> Judgements:
    if not graph.directed:
        raise _undirected()
    rows = row_of_each(graph.matrix())
    return _arrange(
        graph.ids,
        rows.astype(np.int64),
        graph.indices.astype(np.int64),
        np.asarray(graph.weights, dtype=np.float64),
        home=graph.home,
        parameters=Frozen(graph.parameters),
    )


def _from_networkx(graph: Any) -> Judgements:
    if not graph.is_directed():
        raise _undirected()
    edges = list(graph.edges(data="weight"))
    try:
        values = [1.0 if value is None else float(value) for *_, value in edges]
    except (TypeError, ValueError):
        raise InvalidParameter("the edge attribute 'weight' must be a number") from None
    empty = SocialGraph.from_edges([], [], customers=graph)
    place = {one: position for position, one in enumerate(empty.ids.tolist())}
    source, target = (
        np.fromiter((place[to_plain(edge[end])] for edge in edges), np.int64, len(edges))
        for end in (0, 1)
    )
    return _arrange(empty.ids, source, target, np.array(values, dtype=np.float64))


def to_plain(one: Any) -> Any:
    """An id as it stands among the ids: UUIDs are their text, integers those of Python."""
    if isinstance(one, UUID):
        return str(one)
    return int(one) if isinstance(one, np.integer) else one


def _undirected() -> InvalidParameter:
    return InvalidParameter(
        "the graph is undirected, and a rating goes from one customer to another: give a "
        "directed graph, or a table with source, target and rating"
    )


def _from_table(table: Any, time: str | None) -> Judgements:
    extra = [] if time is None else [time]
    columns, home = read_table(table, "rating", *extra, where="the table of ratings")
    sources, targets, column = (columns.get_column(name) for name in (*_PAIR, "rating"))
    if not column.dtype.is_numeric():
        raise InvalidTable(f"column 'rating' is {column.dtype}, not a number", value="rating")
    if column.null_count():
        raise InvalidTable("column 'rating' has nulls: leave out those who did not rate")
    ids, source, target = _encode(sources, targets)
    return _arrange(
        ids,
        source,
        target,
        column.to_numpy().astype(np.float64),
        time=None if time is None else _order_of(columns.get_column(time)),
        home=home,
        parameters=Frozen(getattr(table, "parameters", {})),
    )


def _order_of(column: nw.Series[Any]) -> Floats | Ints:
    """Times, dates or numbers as numbers of the same order."""
    if column.null_count():
        raise InvalidTable(f"column {column.name!r} has nulls: every rating needs its time")
    if column.dtype == nw.Date:
        column = column.cast(nw.Datetime("us"))
    if isinstance(column.dtype, nw.Datetime):
        column = column.dt.timestamp("us")
    if not column.dtype.is_numeric():
        raise InvalidTable(
            f"column {column.name!r} is {column.dtype}, not times or numbers", value=column.name
        )
    return np.asarray(column.to_numpy())


def read_table(table: Any, *columns: str, where: str) -> tuple[nw.DataFrame[Any], Home]:
    """The rows of a table with the columns of a pair, neither null, and others; and its home."""
    frame, home = _tables.take(table)
    names = [*_PAIR, *columns]
    _tables.check_columns(frame.collect_schema().names(), names, where=where)
    rows = _tables.collect(to_plain_ids(frame.select(*names), *_PAIR))
    for name in _PAIR:
        if rows.get_column(name).null_count():
            raise InvalidTable(f"column {name!r} of {where} has nulls: a pair has two customers")
    return rows, home


def _encode(sources: nw.Series[Any], targets: nw.Series[Any]) -> tuple[NDArray[Any], Ints, Ints]:
    """The ids of two columns in order, and where those of each row stand in them."""
    columns, n = (sources, targets), len(sources)
    kinds = [column.dtype for column in columns]
    if all(kind.is_integer() for kind in kinds):
        whole = np.concatenate([column.cast(nw.Int64).to_numpy() for column in columns])
        ids, places = np.unique(whole, return_inverse=True)
        return ids, places[:n], places[n:]
    if not n:
        return np.array([], dtype=object), np.zeros(0, np.int64), np.zeros(0, np.int64)
    if not all(isinstance(kind, _WORD_TYPES) for kind in kinds):
        raise InvalidTable(
            f"the columns source and target are {kinds[0]} and {kinds[1]}: ids must be all "
            f"texts or all integers"
        )
    if sources.implementation.is_polars() or (
        importlib.util.find_spec("polars") and importlib.util.find_spec("pyarrow")
    ):
        import polars as pl

        words = pl.concat([column.cast(nw.String).to_polars().alias("id") for column in columns])
        known = words.unique().sort()
        codes = words.cast(pl.Enum(known)).to_physical().to_numpy().astype(np.int64)
        return np.array(known.to_list(), dtype=object), codes[:n], codes[n:]
    texts = [column.cast(nw.String).to_list() for column in columns]
    names = sorted({*texts[0], *texts[1]})
    place = {one: position for position, one in enumerate(names)}
    ends = [np.fromiter((place[one] for one in part), np.int64, n) for part in texts]
    return np.array(names, dtype=object), ends[0], ends[1]


def _arrange(
    ids: NDArray[Any],
    source: Ints,
    target: Ints,
    rating: Floats,
    *,
    time: Floats | Ints | None = None,
    **made: Any,
) -> Judgements:
    """Ratings in order of the pair; refuse those out of range and pairs that come twice."""
    if not np.isfinite(rating).all():
        raise InvalidParameter("every rating must be a finite number")
    wild = int(np.count_nonzero(np.abs(rating) > 1))
    if wild:
        raise InvalidParameter(f"{wild:,} ratings are not from -1 to 1; {_HINT}")
    order = np.lexsort((target, source))
    order = order[source[order] != target[order]]
    loops = len(source) - len(order)
    source, target, rating = source[order], target[order], rating[order]
    twice = int(np.count_nonzero((np.diff(source) == 0) & (np.diff(target) == 0)))
    if twice:
        raise InvalidParameter(
            f"{twice:,} pairs have been rated before in these ratings: group by source and "
            f"target and take the mean, or make a log of them and call trust.ratings"
        )
    time = None if time is None else time[order]
    return Judgements(ids, source, target, rating, time, loops, **made)
