"""Brokerage roles: between which groups each customer passes things on."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from scrmkit import _checks, _columns, _entries, _sparse, _tables
from scrmkit._neighbourhoods import triangles
from scrmkit._sparse import Flags, Floats, Ints, Matrix, NDArray, np, sparse
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Result


ROLES: Final = ("coordinator", "consultant", "gatekeeper", "representative", "liaison")


class Roles(Result):
    """How often each customer stands between two others, by the groups of the three.

    The result of `roles`.

    Example:
        >>> import networkx as nx
        >>> found = roles(nx.path_graph(3), {0: "north", 1: "south", 2: "north"})
        >>> found.frame["consultant"].to_list(), found.expected["consultant"].to_list()
        ([0, 2, 0], [0.0, 2.0, 0.0])
    """

    def __init__(
        self,
        ids: NDArray[Any],
        groups: NDArray[Any],
        counts: Ints,
        *,
        home: Home | None,
        **made: Any,
    ) -> None:
        total = counts.sum(axis=1)
        columns = {
            "customer": _columns.names(ids, home),
            "group": groups.tolist() if len(groups) else np.array([], dtype=str),
            **{role: counts[:, place] for place, role in enumerate(ROLES)},
            "total": total,
        }
        super().__init__(columns=columns, home=home, order="total", **made)
        self._groups, self._total = groups, total

    @cached_property
    def expected(self) -> Any:
        """The mean count of each role if the groups of all others were dealt out anew.

        A table with the columns of the result, the counts being expected ones: the
        customer's own group stays, those of all others are permuted at random, and the graph
        stays as it is. The means are exact. There is no interval: the triads of a broker
        share people, so their roles are not independent.
        """
        shares = _shares(self._groups)
        columns = {
            **(self._columns or {}),
            **{role: shares[:, place] * self._total for place, role in enumerate(ROLES)},
        }
        return _tables.build(columns, self._home)


def roles(graph: Any, groups: Any, *, weight: str | None = None) -> Roles:
    r"""Which customers stand between which groups: Gould and Fernandez's five roles.

    Customer ``v`` brokers from ``a`` to ``b`` where there is a tie from a to v and one from v
    to b, and none from a to b. By the groups of the three this is one of five roles:

    ================== ===================================================================
    role               groups of a, v, b
    ================== ===================================================================
    ``coordinator``    all three are of one group
    ``consultant``     a and b are of one group and v is not (the itinerant broker)
    ``gatekeeper``     v and b are of one group and a is not: lets others in
    ``representative`` a and v are of one group and b is not: speaks for the own
    ``liaison``        three groups
    ================== ===================================================================

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Only whether there is a tie counts; weights must not be negative,
            and ties with oneself do not count. An undirected tie goes both ways, so each
            triad of an undirected graph counts twice, once from either end, and
            representative equals gatekeeper.
        groups: the group of each customer, which is a text, an integer or a UUID: a mapping,
            the communities that `communities.detect` found, or a table with the columns
            ``customer`` and ``group``. Every customer of the graph needs one.
        weight: the attribute or column of weights, where 0 is no tie; see `SocialGraph.of`.

    Returns:
        A result with the columns ``customer``, ``group``, the counts ``coordinator``,
        ``consultant``, ``gatekeeper``, ``representative``, ``liaison``, and ``total``, their
        sum, in order of customer; ``top`` orders by total. Its attribute ``expected`` has the
        mean counts if groups meant nothing. A graph without customers gives no rows.

    Raises:
        InvalidParameter: a weight is negative, a customer of the graph has no group, or the
            ids are of another type than those of the graph.
        InvalidTable: the table of groups lacks a column or has a customer twice.

    Complexity: linear in ties, and the triangles of the graph.

    Example:
        >>> import networkx as nx
        >>> mail = nx.DiGraph([("ann", "bob"), ("bob", "cy"), ("cy", "dee")])
        >>> teams = {"ann": "sales", "bob": "sales", "cy": "support", "dee": "support"}
        >>> found = roles(mail, teams).frame
        >>> found.select("customer", "representative", "gatekeeper").rows()[1:3]
        [('bob', 1, 0), ('cy', 0, 1)]

    References:
        Gould and Fernandez (1989), doi:10.2307/270949.
    """
    social = SocialGraph.of(graph, weight=weight)
    _sparse.check_not_negative(
        social.weights,
        "a tie of dislike passes nothing on, so leave such ties out",
    )
    labels, notes = groups_of(social, groups)
    codes: Ints = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    matrix = _sparse.without_loops(social.matrix())
    counts = _two_paths(matrix, codes) - _closed(matrix, codes)
    parameters: dict[str, Any] = {
        "measure": "brokerage roles",
        "weight": social.weight,
        "directed": social.directed,
        "groups": int(codes.max(initial=-1)) + 1,
        "grouping": _digest(social.ids, labels),
        "customers": len(social),
        "ties": social.number_of_ties,
        "digest": _sparse.digest(social.ids, social.indptr, social.indices, social.weights),
    }
    if social.parameters:
        parameters["graph"] = dict(social.parameters)
    return Roles(social.ids, labels, counts, home=social.home, parameters=parameters, notes=notes)


def groups_of(graph: SocialGraph, groups: Any) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The group of each customer of a graph, and what was not used."""
    said = _entries.read(groups, "group", name="groups")
    _entries.check_same_type(said.ids, graph.ids, name="groups", of="the graph")
    places = _entries.places(said.ids, graph.ids)
    values = said.columns["group"]
    chosen = [None if place < 0 else values[place] for place in places.tolist()]
    alone = [_checks.is_missing(one) for one in chosen]
    if any(alone):
        raise InvalidParameter(
            f"{sum(alone)} of the {len(graph)} customers of the graph have no group: give each "
            f"one, such as a group of its own for those that nobody knows",
            value=graph.ids[np.array(alone)].tolist(),
        )
    labels = _entries.to_ids(chosen, name="the groups themselves")
    unused = len(said) - len(graph)
    return labels, (f"{unused} customers with a group are not in the graph",) if unused else ()


def _digest(ids: NDArray[Any], labels: NDArray[Any]) -> str:
    return _checks.digest({"groups": [ids.tolist(), labels.tolist()]})


def _arcs(matrix: Matrix) -> Matrix:
    """The matrix with 1 for every arc."""
    made: Matrix = sparse.csr_array(
        (np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    return made


def _two_paths(matrix: Matrix, codes: Ints) -> Ints:
    """How many pairs (a, b) each v is between, by role, whether a is tied to b or not.

    Counted by groups: of v's arcs in and out, how many are with the own group and with each
    other one. Who is at both ends, ``a == b``, is taken off.
    """
    n = matrix.shape[0]
    rows, columns = _sparse.row_of_each(matrix), matrix.indices
    own = codes[rows] == codes[columns]

    def count(ends: Any, which: Flags | None = None) -> Ints:
        return np.bincount(ends if which is None else ends[which], minlength=n)

    into, out = count(columns), count(rows)
    into_own, out_own = count(columns, own), count(rows, own)
    arcs = _arcs(matrix)
    member: Any = sparse.csr_array(
        (np.ones(n), codes, np.arange(n + 1)),
        shape=(n, int(codes.max(initial=0)) + 1),
    )
    reverse: Matrix = arcs.T.tocsr()
    sent: Matrix = arcs @ member
    received: Matrix = reverse @ member
    shared: Matrix = sent.multiply(received).tocsr()
    alike = _sparse.row_sums(shared).astype(np.int64)
    mutual: Matrix = arcs.multiply(reverse).tocsr()
    both = _sparse.row_of_each(mutual)
    back = count(both)
    back_own = count(both, codes[both] == codes[mutual.indices])
    inside = into_own * out_own
    return np.stack(
        [
            inside - back_own,
            alike - inside - (back - back_own),
            (into - into_own) * out_own,
            into_own * (out - out_own),
            (into - into_own) * (out - out_own) - (alike - inside),
        ],
        axis=1,
    )


def _closed(matrix: Matrix, codes: Ints) -> Ints:
    """How many of these pairs have a tie from a to b, by role."""
    n = matrix.shape[0]
    arcs = _arcs(matrix)
    either = (arcs + 2 * arcs.T).tocsr()
    either.sort_indices()
    there = either.data != 2
    rows, columns = _sparse.row_of_each(either), either.indices
    found = np.zeros(len(ROLES) * n, dtype=np.int64)
    for ab, ba, ac, ca, bc, cb in triangles(either):
        for arrival, departure, short_cut in (
            (ba, ac, bc),
            (ca, ab, cb),
            (ab, bc, ac),
            (cb, ba, ca),
            (ac, cb, ab),
            (bc, ca, ba),
        ):
            closed = there[arrival] & there[departure] & there[short_cut]
            first, last = rows[arrival[closed]], columns[departure[closed]]
            middle = columns[arrival[closed]].astype(np.int64)
            role = _role(codes[first], codes[middle], codes[last])
            found += np.bincount(middle * len(ROLES) + role, minlength=len(found))
    return found.reshape(n, len(ROLES))


def _role(a: Ints, v: Ints, b: Ints) -> Ints:
    """Which of the roles v has between a and b, from the groups of the three."""
    conditions = [(a == v) & (v == b), a == b, v == b, a == v]
    return np.select(conditions, [0, 1, 2, 3], default=4)


def _shares(groups: NDArray[Any]) -> Floats:
    """How likely each role is for each customer if the groups of the others are dealt out."""
    n = len(groups)
    codes = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(codes).astype(np.float64)
    own = sizes[codes]
    pairs = max((n - 1) * (n - 2), 1)
    alike = (sizes * (sizes - 1)).sum() - own * (own - 1)
    inside = (own - 1) * (own - 2)
    across = (n - own) * (own - 1)
    apart = (n - own) ** 2 - (sizes**2).sum() + own**2
    return np.stack([inside, alike, across, across, apart], axis=1) / pairs
