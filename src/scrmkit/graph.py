"""SocialGraph: who is tied to whom, in compressed sparse rows.

The graph functions of every room take a `SocialGraph`, a networkx graph or a table of ties,
and put it through `SocialGraph.of`. A graph is in one fixed form (customers in order of id,
parallel arcs summed, weights rounded to nine significant digits), so what is computed from
it depends neither on the order of the rows nor on the engine that made them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from uuid import UUID

import narwhals.stable.v2 as nw
from attrs import evolve, field, frozen

from scrmkit._checks import Frozen, Id
from scrmkit._tables import Home
from scrmkit._tie_tables import take_columns
from scrmkit.errors import InvalidParameter, InvalidTable, ScrmkitError, UnknownCustomer


if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from scrmkit._sparse import Flags, Floats, Ints, Matrix

    Codes = NDArray[np.int32]

__all__ = ["SocialGraph"]

Incidence: TypeAlias = tuple[Sequence[Any], Sequence[Any]]

_EDGE: Final = "weight"
_STRENGTH: Final = "strength"
_WORD_TYPES: Final = (nw.String, nw.Categorical, nw.Enum)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.setflags(write=False)
    return view


@frozen(eq=False, repr=False)
class SocialGraph:
    """An immutable weighted graph of customers.

    Made by `of`, `from_ties`, `from_networkx` or `from_edges`. The arcs of customer ``i``
    are the positions ``indptr[i]`` to ``indptr[i + 1]`` of ``indices`` and ``weights``, in
    order of the other end. An undirected tie is stored in both directions. An arc of weight
    0 is no tie; negative weights are kept, and refused by every function that cannot use
    them. A tie of a customer with itself (from networkx) is kept, stored once.

    Attributes:
        ids: the ids in order: an array of 64-bit integers, or of texts (objects). UUIDs
            are their text.
        indptr: where the arcs of each customer begin; 64-bit integers, one more than ids.
        indices: the other end of each arc, as a position in ids; 32-bit integers.
        weights: the weight of each arc, rounded to nine significant digits.
        directed: whether an arc has a direction.
        weight: the name of what the weights are, such as ``"strength"``; ``None`` where
            every tie counts 1.
        parameters: what the ties were made with, where they say so.
        home: the kind of table the ties were, so that results are of the same.

    Example:
        >>> graph = SocialGraph.from_edges(["ana", "ben"], ["ben", "cy"], [2.0, 1.0])
        >>> graph
        <SocialGraph: 3 customers, 2 undirected ties, weight 'weight'>
        >>> graph.ids.tolist(), graph.weights.tolist()
        (['ana', 'ben', 'cy'], [2.0, 2.0, 1.0, 1.0])
    """

    ids: NDArray[Any] = field(converter=_read_only)
    indptr: Ints = field(converter=_read_only)
    indices: NDArray[np.int32] = field(converter=_read_only)
    weights: Floats = field(converter=_read_only)
    directed: bool = False
    weight: str | None = _EDGE
    parameters: Mapping[str, Any] = field(factory=dict, converter=Frozen)
    home: Home | None = None
    _incidence: Callable[[], Incidence] | None = None

    @classmethod
    def of(cls, graph: Any, *, weight: str | None = None) -> SocialGraph:
        """Whatever a graph function was given, as a SocialGraph.

        Args:
            graph: a `SocialGraph`, a networkx graph, or ties: a result or any table with
                the columns ``a`` and ``b``.
            weight: the attribute or column that holds the weights. Without it ``"weight"``
                for networkx (1 where an edge has none) and ``"strength"`` for ties.

        Returns:
            The graph; the very same object if it was a SocialGraph already.

        Raises:
            InvalidParameter: the networkx graph has no such attribute, or the weights of
                the SocialGraph are other ones.
            InvalidTable: the table has no such column, or one of the wrong type.

        Example:
            >>> import networkx as nx
            >>> SocialGraph.of(nx.path_graph(3))
            <SocialGraph: 3 customers, 2 undirected ties, weight 'weight'>
        """
        if isinstance(graph, SocialGraph):
            if weight not in (None, graph.weight):
                raise InvalidParameter(
                    f"the weights of this SocialGraph are {graph.weight!r}, not {weight!r}: make "
                    f"it from the ties with weight={weight!r}"
                )
            return graph
        if hasattr(graph, "is_multigraph") and hasattr(graph, "adj"):
            return cls.from_networkx(graph, weight=weight)
        return cls.from_ties(graph, weight=weight or _STRENGTH)

    @classmethod
    def from_ties(cls, ties: Any, *, weight: str = _STRENGTH) -> Self:
        """A graph from a table with one row for each pair.

        Args:
            ties: a result, or any table that Narwhals takes, with the columns ``a`` and
                ``b`` (text, integers or UUIDs, neither null) and the weights (finite numbers).
            weight: the column of weights. Where the table has ``{weight}_ab`` and
                ``{weight}_ba`` the graph is directed, with an arc for each that is not 0.

        Returns:
            The graph. Every id that occurs is a customer in it, also one whose ties all
            weigh 0. Rows with the same pair are summed. No rows give an empty graph.

        Raises:
            InvalidTable: a column is missing, null somewhere, or of the wrong type, or the
                weights are so large that their sum is not a finite number.

        Example:
            >>> import polars as pl
            >>> ties = pl.DataFrame({"a": [1], "b": [2], "n_ab": [3], "n_ba": [0]})
            >>> SocialGraph.from_ties(ties, weight="n")
            <SocialGraph: 2 customers, 1 directed ties, weight 'n'>
        """
        frame, home, numbers = take_columns(ties, weight)
        eager = _collect(frame)
        weights = [_numbers(eager[name], name) for name in numbers]
        _check_sum(*weights, error=InvalidTable)
        tied = sum(part != 0 for part in weights) > 0
        ids, a, b = _encode(eager, tied)
        ab, *ba = (part[tied] for part in weights)
        return cls(
            ids,
            **_compress(len(ids), a, b, ab, *ba, directed=bool(ba)),
            weight=weight,
            parameters=dict(getattr(ties, "parameters", {})),
            home=home,
            incidence=partial(getattr, ties, "incidence")
            if hasattr(type(ties), "incidence")
            else None,
        )

    @classmethod
    def from_edges(
        cls,
        a: Iterable[Id],
        b: Iterable[Id],
        weights: Iterable[float] | None = None,
        *,
        directed: bool = False,
        customers: Iterable[Id] = (),
    ) -> Self:
        """A graph from two columns of ids.

        Args:
            a: one end of each tie (where it starts, if directed): texts, integers or UUIDs.
            b: the other end.
            weights: a finite number for each tie; 1 each without it.
            directed: whether ties have a direction.
            customers: further ids, who may have no ties.

        Returns:
            The graph; parallel ties are summed.

        Raises:
            InvalidParameter: ids that are of no or of several types, a weight (or their
                sum) that is not finite, or columns of different lengths.

        Example:
            >>> SocialGraph.from_edges([1, 1], [2, 2], [0.5, 1.0], customers=[7]).weights.tolist()
            [1.5, 1.5]
        """
        from scrmkit._sparse import np

        starts, ends = _plain_ids(a), _plain_ids(b)
        values = np.ones(len(starts)) if weights is None else np.array(list(weights), dtype=float)
        if not len(starts) == len(ends) == len(values):
            raise InvalidParameter("a, b and weights must be of one length")
        if not np.isfinite(values).all():
            raise InvalidParameter("every weight must be a finite number")
        _check_sum(values, error=InvalidParameter)
        ids = _in_order({*starts, *ends, *_plain_ids(customers)})
        rows, columns = _places(ids, starts), _places(ids, ends)
        return cls(ids, **_compress(len(ids), rows, columns, values, directed=directed))

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any], *, weight: str | None = None) -> Self:
        """A graph from networkx, of any of its four kinds.

        Args:
            graph: nodes are texts, integers or UUIDs, all of one type.
            weight: the edge attribute with the weights, 1 where an edge has none. Without
                it ``"weight"``.

        Returns:
            The graph, directed if the networkx graph is; parallel edges are summed.

        Raises:
            InvalidParameter: nodes of another type or of several, weights that are not
                finite numbers, or an attribute that was asked for and that no edge has.

        Example:
            >>> import networkx as nx
            >>> SocialGraph.from_networkx(nx.DiGraph([("ana", "ben")]))
            <SocialGraph: 2 customers, 1 directed ties, weight 'weight'>
        """
        name = weight or _EDGE
        edges: list[tuple[Any, Any, Any]] = list(graph.edges(data=name))
        if weight is not None and edges and all(value is None for *_, value in edges):
            found = sorted({str(key) for *_, data in graph.edges(data=True) for key in data})
            raise InvalidParameter(
                f"no edge has an attribute {weight!r}; the edges have: {found or 'none'}",
                value=weight,
            )
        try:
            values = [1.0 if value is None else float(value) for *_, value in edges]
        except (TypeError, ValueError):
            raise InvalidParameter(f"the edge attribute {name!r} must be a number") from None
        made = cls.from_edges(
            [a for a, *_ in edges],
            [b for _, b, _ in edges],
            values,
            directed=graph.is_directed(),
            customers=graph,
        )
        return evolve(made, weight=name)

    def to_networkx(self) -> nx.Graph[Any] | nx.DiGraph[Any]:
        """The same as a networkx graph: every customer a node, weights as ``weight``.

        Returns:
            A ``Graph``, or a ``DiGraph`` if this graph is directed, with nodes in order of
            id. `from_networkx` makes the same graph of it again.

        Example:
            >>> SocialGraph.from_edges([1], [2], [0.5]).to_networkx().edges(data="weight")
            EdgeDataView([(1, 2, 0.5)])
        """
        import networkx as nx

        from scrmkit._sparse import row_of_each

        graph: nx.Graph[Any] = nx.DiGraph() if self.directed else nx.Graph()
        names = self.ids.tolist()
        graph.add_nodes_from(names)
        rows = row_of_each(self.matrix())
        once = slice(None) if self.directed else rows <= self.indices
        arcs = (part[once].tolist() for part in (rows, self.indices, self.weights))
        graph.add_weighted_edges_from(
            (names[a], names[b], w) for a, b, w in zip(*arcs, strict=True)
        )
        return graph

    def undirected(self) -> SocialGraph:
        """The graph with both directions of each pair summed; itself if it is undirected."""
        from scrmkit._sparse import row_of_each

        if not self.directed:
            return self
        rows = row_of_each(self.matrix())
        return evolve(
            self, **_compress(len(self), rows, self.indices, self.weights, directed=False)
        )

    def reversed(self) -> SocialGraph:
        """The graph with every arc turned round; itself if it is undirected."""
        if not self.directed:
            return self
        turned = self.matrix().T.tocsr()
        indptr = turned.indptr.astype(self.indptr.dtype)
        return evolve(self, indptr=indptr, indices=turned.indices, weights=turned.data)

    def unweighted(self) -> SocialGraph:
        """The graph in which every tie counts 1."""
        from scrmkit._sparse import np

        return evolve(self, weights=np.ones(len(self.weights)), weight=None)

    def matrix(self) -> Matrix:
        """The weights as a SciPy sparse array, rows to columns.

        It shares this graph's memory, save that SciPy copies the indices of more than
        2,147,483,647 arcs to 64-bit integers.
        """
        from scrmkit._sparse import narrowed, sparse

        n = len(self)
        parts = (self.weights, self.indices, narrowed(self.indptr))
        matrix: Matrix = sparse.csr_array(parts, shape=(n, n))
        matrix.has_canonical_format = True
        return matrix

    def position(self, customer: Id) -> int:
        """Where a customer stands in ``ids``; `UnknownCustomer` for one who is not there."""
        from scrmkit._sparse import np

        wanted = str(customer) if isinstance(customer, UUID) else customer
        texts = self.ids.dtype == object
        kind: Any = str if texts else (int, np.integer)
        if len(self) and isinstance(wanted, kind) and not isinstance(wanted, bool):
            place = int(np.searchsorted(self.ids, wanted))
            if place < len(self) and self.ids[place] == wanted:
                return place
        raise UnknownCustomer("this customer is not in the graph", value=customer)

    @property
    def incidence(self) -> Incidence | None:
        """Who was where, for ties made by doing something together; else None.

        Customers and events, two sequences of one length.
        """
        return None if self._incidence is None else self._incidence()

    @property
    def number_of_ties(self) -> int:
        """Arcs of a directed graph; pairs (and loops) of an undirected one."""
        from scrmkit._sparse import np

        if self.directed:
            return len(self.indices)
        loops = int(np.count_nonzero(self.matrix().diagonal()))
        return (len(self.indices) + loops) // 2

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        from scrmkit._sparse import np

        if not isinstance(other, SocialGraph):
            return NotImplemented
        return self.directed == other.directed and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("ids", "indptr", "indices", "weights")
        )

    def __hash__(self) -> int:
        return hash((self.directed, len(self), self.indices.tobytes()))

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        weight = "no weight" if self.weight is None else f"weight {self.weight!r}"
        return f"<SocialGraph: {len(self)} customers, {self.number_of_ties} {kind} ties, {weight}>"


def _compress(
    n: int, a: Codes, b: Codes, ab: Floats, ba: Floats | None = None, *, directed: bool
) -> dict[str, Any]:
    """The three arrays of a graph from arcs, and, if given, the arcs back."""
    from scrmkit._sparse import from_arcs, mirror, np, round_digits

    if ba is not None:
        a, b, ab = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([ab, ba])
    if not directed:
        a, b = np.minimum(a, b), np.maximum(a, b)
    kept = ab != 0
    if not kept.all():
        a, b, ab = a[kept], b[kept], ab[kept]
    matrix = from_arcs(a, b, ab, n)
    matrix.data = round_digits(matrix.data)
    if (matrix.data == 0).any():
        matrix.eliminate_zeros()
    if not directed:
        matrix = mirror(matrix)
    return {
        "indptr": matrix.indptr.astype(np.int64),
        "indices": matrix.indices.astype(np.int32, copy=False),
        "weights": matrix.data,
        "directed": directed,
    }


def _check_sum(*weights: Floats, error: type[ScrmkitError]) -> None:
    """Refuse weights that cannot be added up, each counted at both ends of its tie."""
    from scrmkit._sparse import np

    with np.errstate(over="ignore"):
        total = sum(2 * float(np.abs(part).sum()) for part in weights)
    if not np.isfinite(total):
        raise error("the sum of the weights is not a finite number: divide them all by the same")


def _plain_ids(ids: Iterable[Id]) -> list[Any]:
    return [str(one) if isinstance(one, UUID) else one for one in ids]


def _in_order(ids: set[Any]) -> NDArray[Any]:
    """Distinct ids in order; all texts, or all integers of at most 64 bits."""
    from scrmkit._sparse import np

    types = {type(one) for one in ids}
    if types <= {str}:
        return np.array(sorted(ids), dtype=object)
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in types):
        try:
            return np.array(sorted(ids), dtype=np.int64)
        except OverflowError:
            raise InvalidParameter("integer ids must fit into 64 bits: make them texts") from None
    names = ", ".join(sorted(kind.__name__ for kind in types))
    raise InvalidParameter(
        f"ids are of type {names}: they must be all texts, all integers or all UUIDs "
        f"(networkx.relabel_nodes gives nodes other names)"
    )


def _collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """The rows, in Polars where that is installed."""
    if importlib.util.find_spec("polars") and (
        frame.implementation.is_polars() or importlib.util.find_spec("pyarrow")
    ):
        return frame.collect(backend="polars")
    return frame.collect()


def _numbers(column: nw.Series[Any], name: str) -> Floats:
    from scrmkit._sparse import np

    if not column.dtype.is_numeric():
        raise InvalidTable(
            f"column {name!r} of the ties is {column.dtype}, not a number", value=name
        )
    if column.null_count():
        raise InvalidTable(f"column {name!r} of the ties has nulls: fill or drop them", value=name)
    values = column.to_numpy().astype(np.float64)
    if not np.isfinite(values).all():
        raise InvalidTable(f"column {name!r} of the ties must be finite", value=name)
    return values


def _encode(eager: nw.DataFrame[Any], tied: Flags) -> tuple[NDArray[Any], Codes, Codes]:
    """The ids in order, and where the two ends of the rows that count stand in them."""
    from scrmkit._sparse import np

    for name in ("a", "b"):
        if eager[name].null_count():
            raise InvalidTable(f"column {name!r} of the ties has nulls: a tie has two ends")
    kinds = [eager.schema[name] for name in ("a", "b")]
    if all(kind.is_integer() for kind in kinds):
        a, b = (eager[name].cast(nw.Int64).to_numpy() for name in ("a", "b"))
        ids, places = np.unique(np.concatenate([a, b]), return_inverse=True)
        codes: Codes = places.astype(np.int32)
        return ids, codes[: len(a)][tied], codes[len(a) :][tied]
    if all(isinstance(kind, _WORD_TYPES) for kind in kinds) and eager.implementation.is_polars():
        return _encode_words(eager.to_native(), tied)
    starts, ends = (_plain_ids(eager[name].to_list()) for name in ("a", "b"))
    try:
        ids = _in_order({*starts, *ends})
    except InvalidParameter as error:
        raise InvalidTable(f"in the columns a and b of the ties, {error}") from None
    return ids, _places(ids, starts)[tied], _places(ids, ends)[tied]


def _places(ids: NDArray[Any], wanted: list[Any]) -> Codes:
    from scrmkit._sparse import np

    place = {customer: position for position, customer in enumerate(ids.tolist())}
    return np.fromiter((place[one] for one in wanted), dtype=np.int32, count=len(wanted))


def _encode_words(frame: pl.DataFrame, tied: Flags) -> tuple[NDArray[Any], Codes, Codes]:
    """As `_encode`, by Polars: categories number the words, and sorting them the numbers.

    The words of rows that do not count need no number, only to be known.
    """
    import polars as pl

    from scrmkit._sparse import np

    columns = [frame[name].cast(pl.String).alias("word") for name in ("a", "b")]
    words = pl.concat([column.filter(tied) for column in columns])
    others = pl.concat([column.filter(~tied).unique() for column in columns])
    numbers = words.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
    last = np.full(int(numbers.max()) + 1 if len(numbers) else 0, -1)
    last[numbers] = np.arange(len(numbers))
    used = np.flatnonzero(last >= 0)
    once = pl.concat([words.gather(last[used]), others]).unique(maintain_order=True)
    order = once.arg_sort().to_numpy()
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    place = np.empty(len(last), dtype=np.int32)
    place[used] = rank[: len(used)]
    codes = np.split(place[numbers], 2)
    return np.array(once.gather(order).to_list(), dtype=object), codes[0], codes[1]
