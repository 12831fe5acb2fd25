"""Who is central, who bridges, who is right, and what of it is more than likeness.

`rank` measures standing in one of ten ways or in that of a plugin, `brokers` measures who
connects people that are not connected otherwise, `roles` between which groups. They take a
networkx graph, ties (a result or a table) or a `SocialGraph`. `reach_and_accuracy` puts how
much people are seen beside how often they are right, `hidden_leaders` how they stand beside
the org chart, and `mediated` finds who is tied to us through others. A central place is not a
cause: none of these numbers says that anybody moves anybody. `shuffle_test` asks whether
neighbours act alike in an order that likeness does not explain, and says what else may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from scrmkit import _columns, _neighbourhoods, _paths, _plugins, _sparse, _walks
from scrmkit._authority import hidden_leaders, mediated
from scrmkit._bounds import mean_interval
from scrmkit._checks import Id, check_range, to_whole
from scrmkit._plugins import Plugin
from scrmkit._reach import ReachAndAccuracy, reach_and_accuracy
from scrmkit._roles import Roles, roles
from scrmkit._shuffles import ShuffleTest, shuffle_test
from scrmkit._sparse import Floats, Ints, Matrix, np
from scrmkit.errors import InvalidParameter, PluginError
from scrmkit.graph import SocialGraph
from scrmkit.plugins import Measure
from scrmkit.results import Lookup, Ranking, Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

__all__ = [
    "Method",
    "ReachAndAccuracy",
    "Roles",
    "ShuffleTest",
    "brokers",
    "hidden_leaders",
    "mediated",
    "rank",
    "reach_and_accuracy",
    "roles",
    "shuffle_test",
]

Method = Literal[
    "pagerank",
    "personalized_pagerank",
    "hubs",
    "authorities",
    "strength",
    "strength_in",
    "strength_out",
    "core",
    "betweenness",
    "closeness",
]

_EXACT_BELOW: Final = 2_000
_SOURCES: Final = 256
_CONFIDENCE: Final = 0.95
_BY_DISTANCE: Final = ("betweenness", "closeness")


def rank(
    graph: Any,
    *,
    method: str | Measure = "pagerank",
    weight: str | None = None,
    damping: float = 0.85,
    personalization: Mapping[Id, float] | Iterable[Id] | None = None,
    sources: int | None = None,
    seed: Seed = 0,
) -> Ranking:
    r"""Rank the customers of a graph by one measure of standing.

    ========================= ============================================================
    method                    value
    ========================= ============================================================
    ``pagerank``              the share of a walk's time that is spent here, where the walk
                              follows ties by their weight and starts anew anywhere with
                              probability ``1 - damping``; sums to 1 (Page et al. 1999)
    ``personalized_pagerank`` the same with new starts by ``personalization``
    ``hubs``                  points to those who are pointed to; sums to 1 (Kleinberg 1999)
    ``authorities``           is pointed to by those who point well; sums to 1
    ``strength``              sum of the weights of all ties, both ways; an undirected tie
                              with oneself counts once (networkx counts it twice)
    ``strength_in``           sum of the weights of the ties that come in
    ``strength_out``          sum of the weights of the ties that go out
    ``core``                  the largest k so that one is in a group where everybody has k
                              neighbours in the group (Seidman 1983)
    ``betweenness``           share of the shortest paths between two others that pass here,
                              ``sum_st paths_st(v) / paths_st / ((n - 1) (n - 2))``
                              (Freeman 1977; computed as Brandes 2001)
    ``closeness``             ``(r - 1) / (n - 1) * (r - 1) / sum of distances`` from the
                              ``r - 1`` who reach this customer (Wasserman and Faust 1994)
    ========================= ============================================================

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Weights must not be negative.
        method: one of the above, the name of a plugin, such as
            ``"scrmkit-forum:helpfulness"``, or a function; see `plugins.Measure`. A name
            without a distribution means one of the above wherever there is one.
        weight: the attribute or column of weights; see `SocialGraph.of`. Betweenness and
            closeness are without weights (every tie is one step) unless a weight is named;
            then a tie is ``1 / weight`` long, so strong ties are short.
        damping: for PageRank, how likely the walk goes on; from 0 to below 1.
        personalization: for ``personalized_pagerank``, where the walk starts anew: ids, or
            a mapping from ids to weights, which are brought to the sum 1.
        sources: for betweenness and closeness, from how many customers, drawn at random
            without repetition, shortest paths are followed. Without it all of them up to
            2,000 customers, and 256 above.
        seed: for that draw; anything that ``numpy.random.default_rng`` takes.

    Returns:
        A ranking, largest value first, with the columns ``customer``, ``value`` and
        ``rank`` (1 is the largest; values that agree to 1e-9 of the largest share a rank
        and are in order of id). Betweenness and closeness have besides ``low`` and
        ``high``: with probability .95, for each customer by itself, the exact value lies
        between them. They equal the value where all sources were used. The interval is
        the Chernoff-Hoeffding bound (Hoeffding 1963, theorem 1 and section 6), so it holds
        for every graph and is wide where few sources say little.

        PageRank is exact to 1e-10 in sum. A customer without ties out of it passes its
        share on to where walks start. In ``core`` a pair counts once, whichever way and
        how often it is tied, and a tie with oneself does not count. Scores of hubs and
        authorities are all 0 in a graph without ties. A graph without customers gives an
        empty ranking.

    Raises:
        InvalidParameter: an unknown method or plugin, a negative weight, an option out of range, or
            ``personalization`` with another method or without an id of the graph.
        UnknownCustomer: ``personalization`` names an id that is not in the graph.
        PluginError: a plugin cannot be loaded, or breaks its contract.
        NotConverged: PageRank with a damping so near 1 that 20,000 steps do not do.

    Complexity: each step of PageRank and HITS is linear in ties, and so is ``core``;
    betweenness and closeness are linear in ties times sources, with weights a logarithm
    more. With the extra ``fast``, the loops of ``core``, and of betweenness and closeness
    without weights, are compiled; paths are followed on all cores, and how many these are
    changes nothing. An interrupt ends it between two portions of the sources.

    Example:
        >>> import networkx as nx
        >>> ranking = rank(nx.karate_club_graph(), method="betweenness")
        >>> list(ranking)[:3]
        [0, 33, 32]
        >>> round(ranking[0], 4)
        0.4376

    References:
        Page, Brin, Motwani, Winograd (1999), The PageRank citation ranking, Stanford.
        Kleinberg (1999), doi:10.1145/324133.324140. Seidman (1983),
        doi:10.1016/0378-8733(83)90028-X. Freeman (1977), doi:10.2307/3033543. Brandes
        (2001), doi:10.1080/0022250X.2001.9990249. Wasserman and Faust (1994),
        doi:10.1017/CBO9780511815478. Hoeffding (1963),
        doi:10.1080/01621459.1963.10500830.
    """
    if (personalization is not None) != (method == "personalized_pagerank"):
        raise InvalidParameter(
            "personalization (ids, or a mapping of ids to weights) goes with "
            "method='personalized_pagerank', and with no other"
        )
    damping = check_range(damping, name="damping", error=InvalidParameter, low=0, high=1)
    if damping == 1:
        raise InvalidParameter("damping must be below 1: at 1 the walk never starts anew")
    if sources is not None:
        sources = to_whole(sources, name="sources", least=1)
    rng = _sparse.generator(seed)
    named = _sparse.name_seed(seed, rng)
    ours = get_args(Method)
    if not isinstance(method, str) or method not in ours:
        plugin = _plugins.choose_function("measures", method, ours=ours)
        social = _positive(SocialGraph.of(graph, weight=weight))
        return _rank_by_plugin(social, plugin, rng, named)
    social = _positive(SocialGraph.of(graph, weight=weight))
    made: dict[str, Any] = {"method": method, "weight": social.weight}
    columns: dict[str, Floats] = {}
    if method in _BY_DISTANCE:
        made["weight"] = social.weight if weight is not None else None
        drawn = _draw(len(social), sources, rng)
        made |= {"sources": len(drawn), "exact": len(drawn) == len(social)}
        if not made["exact"]:
            made |= {"confidence": _CONFIDENCE, "seed": named}
        measure = _betweenness if method == "betweenness" else _closeness
        low, values, high = measure(social, drawn, weighted=weight is not None)
        columns = {"low": low, "high": high}
    elif method in ("pagerank", "personalized_pagerank"):
        made |= {"damping": damping, "tolerance": 1e-10}
        values = _pagerank(social, damping, personalization)
    else:
        values = _SIMPLE[method](social)
    return _ranking(social, values, columns, made)


def _rank_by_plugin(
    graph: SocialGraph, plugin: Plugin, rng: np.random.Generator, named: Any
) -> Ranking:
    with _plugins.blame(plugin.label):
        found = plugin.made(graph, rng)
    names = ("low", "value", "high") if isinstance(found, tuple) else ("value",)
    parts = found if isinstance(found, tuple) else (found,)
    if len(parts) != len(names):
        raise PluginError(f"{plugin.label} must give one array, or three: low, value and high")
    columns = {
        name: _numbers(part, len(graph), f"{name} of {plugin.label}")
        for name, part in zip(names, parts, strict=True)
    }
    values = columns.pop("value")
    near = 1e-9 * np.abs(values).max(initial=1.0)
    if (
        columns
        and not ((columns["low"] <= values + near) & (values <= columns["high"] + near)).all()
    ):
        raise PluginError(f"{plugin.label} must give low <= value <= high for every customer")
    made = {
        "method": plugin.label,
        "method_version": plugin.version,
        "method_parameters": plugin.parameters(),
        "weight": graph.weight,
        "seed": named,
    }
    return _ranking(graph, values, columns, made)


def _numbers(values: Any, n: int, what: str) -> Floats:
    """What a plugin gave as finite floats, one for each customer."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise PluginError(f"{what} must be numbers") from None
    if array.size and array.dtype.kind not in "iufb":
        raise PluginError(f"{what} must be numbers, not {array.dtype}")
    array = array.astype(np.float64)
    if array.shape != (n,):
        raise PluginError(f"{what} must have one number for each of the {n:,} customers")
    if not np.isfinite(array).all():
        raise PluginError(f"{what} must be finite")
    return array


def brokers(graph: Any, *, weight: str | None = None) -> Result:
    r"""Who connects people that are not connected otherwise: Burt's structural holes.

    With ``m(i, j)`` the weight of both directions between two customers and ``p(i, j)`` its
    share in the sum over all of i's neighbours, the *constraint* is
    ``sum_j (p(i, j) + sum_q p(i, q) p(q, j)) ** 2`` over i's neighbours j: high where all
    contacts lead to the same few. The *effective size* is the number of neighbours less
    their redundancy, ``sum_j (1 - sum_q p(i, q) m(j, q) / max_k m(j, k))``.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Weights must not be negative; directions are summed; ties with
            oneself do not count.
        weight: the attribute or column of weights; see `SocialGraph.of`.

    Returns:
        A result with the columns ``customer``, ``constraint``, ``effective_size``,
        ``efficiency`` (effective size over number of neighbours) and ``rank`` (1 is the
        least constrained; values that agree to 1e-9 share a rank), in order of rank, then
        id. Constraint, sizes and rank of who has no ties are null: there is nothing to
        broker between, and nothing that constrains. ``top`` orders by effective size.

    Raises:
        InvalidParameter: a weight is negative.

    Complexity: for each tie, those neighbours of one end that have more neighbours, so at
    most the ties times the square root of twice their number. With the extra ``fast`` the
    loops are compiled.

    Example:
        >>> import networkx as nx
        >>> star = brokers(nx.star_graph(3)).frame
        >>> star["customer"].to_list(), star["constraint"].round(4).to_list()
        ([0, 1, 2, 3], [0.3333, 1.0, 1.0, 1.0])

    References:
        Burt (1992), Structural holes, Harvard University Press. Burt (2004),
        doi:10.1086/421787.
    """
    social = _positive(SocialGraph.of(graph, weight=weight))
    mutual = _sparse.without_loops(social.undirected().matrix())
    constraint, size = _neighbourhoods.broker_numbers(mutual)
    neighbours = np.diff(mutual.indptr)
    order, ranks = _columns.ranks(np.where(neighbours > 0, -constraint, -np.inf))
    tied = neighbours[order] > 0
    columns = {
        "customer": _columns.names(social.ids[order], social.home),
        "constraint": _columns.numbers(constraint[order], social.home, where=tied),
        "effective_size": _columns.numbers(size[order], social.home, where=tied),
        "efficiency": _columns.numbers(
            size[order] / np.maximum(neighbours[order], 1), social.home, where=tied
        ),
        "rank": _columns.wholes(ranks, social.home, where=tied),
    }
    return Result(
        columns=columns,
        home=social.home,
        parameters={"measure": "structural holes", "weight": social.weight, **_origin(social)},
        order="effective_size",
    )


def _positive(graph: SocialGraph) -> SocialGraph:
    _sparse.check_not_negative(
        graph.weights,
        "rankings need weights of at least 0, such as the strength of ties",
    )
    return graph


def _origin(graph: SocialGraph) -> dict[str, Any]:
    made: dict[str, Any] = {"customers": len(graph), "ties": graph.number_of_ties}
    return made | ({"graph": dict(graph.parameters)} if graph.parameters else {})


def _ranking(
    graph: SocialGraph, values: Floats, columns: Mapping[str, Floats], made: Mapping[str, Any]
) -> Ranking:
    order, ranks = _columns.ranks(values)
    return Ranking(
        {
            "customer": _columns.names(graph.ids[order], graph.home),
            "value": values[order],
            "rank": ranks,
            **{name: column[order] for name, column in columns.items()},
        },
        value="value",
        home=graph.home,
        parameters={**made, **_origin(graph)},
    )


def _pagerank(
    graph: SocialGraph,
    damping: float,
    personalization: Mapping[Id, float] | Iterable[Id] | None,
) -> Floats:
    n = len(graph)
    if n == 0:
        return np.zeros(0)
    restart = np.full(n, 1 / n) if personalization is None else _starts(graph, personalization)
    return _walks.restart_walk(graph.matrix(), restart, damping, symmetric=not graph.directed)


def _starts(graph: SocialGraph, wanted: Mapping[Id, float] | Iterable[Id]) -> Floats:
    """Where walks start anew, as shares that add up to 1."""
    if isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise InvalidParameter(
            f"personalization is of type {type(wanted).__name__}: give a list of ids, or a "
            f"mapping of ids to weights",
            value=wanted,
        )
    pairs: Iterable[tuple[Id, float]] = ((one, 1.0) for one in wanted)
    if isinstance(wanted, Mapping | Lookup):
        pairs = wanted.items()
    starts = np.zeros(len(graph))
    for customer, value in pairs:
        check_range(value, name="personalization", error=InvalidParameter, low=0)
        starts[graph.position(customer)] = value
    if not starts.any():
        raise InvalidParameter("personalization must give some customer more than 0")
    starts /= starts.max()
    starts /= starts.sum()
    return starts


def _hubs(graph: SocialGraph) -> Floats:
    return _walks.hub_scores(graph.matrix())


def _authorities(graph: SocialGraph) -> Floats:
    return _walks.hub_scores(graph.matrix().T.tocsr())


def _strength_out(graph: SocialGraph) -> Floats:
    return _sparse.row_sums(graph.matrix())


def _strength_in(graph: SocialGraph) -> Floats:
    return _sparse.row_sums(graph.matrix().T.tocsr())


def _strength(graph: SocialGraph) -> Floats:
    both = _strength_out(graph)
    return both + _strength_in(graph) if graph.directed else both


def _core(graph: SocialGraph) -> Floats:
    simple = _sparse.without_loops(graph.undirected().matrix())
    return _neighbourhoods.core_numbers(simple).astype(np.float64)


_SIMPLE: Final[Mapping[str, Callable[[SocialGraph], Floats]]] = {
    "hubs": _hubs,
    "authorities": _authorities,
    "strength": _strength,
    "strength_in": _strength_in,
    "strength_out": _strength_out,
    "core": _core,
}


def _draw(n: int, sources: int | None, rng: np.random.Generator) -> Ints:
    """The sources of shortest paths: all, or some at random."""
    wanted = (n if n <= _EXACT_BELOW else _SOURCES) if sources is None else sources
    if wanted >= n:
        return np.arange(n)
    return np.sort(rng.choice(n, wanted, replace=False))


def _lengths(graph: SocialGraph) -> Matrix:
    matrix = _sparse.without_loops(graph.matrix()).copy()
    matrix.data = 1 / matrix.data
    return matrix


def _betweenness(
    graph: SocialGraph, drawn: Ints, *, weighted: bool
) -> tuple[Floats, Floats, Floats]:
    n = len(graph)
    if n < 3:
        return np.zeros(n), np.zeros(n), np.zeros(n)
    if weighted:
        total = _paths.link_dependencies(_lengths(graph), drawn)
    else:
        total = _paths.hop_dependencies(_sparse.without_loops(graph.matrix()), drawn)
    mean = total / (len(drawn) * (n - 2))
    scale = n / (n - 1)
    if len(drawn) == n:
        return mean * scale, mean * scale, mean * scale
    low, high = mean_interval(mean, len(drawn), 1 - _CONFIDENCE)
    return low * scale, mean * scale, np.minimum(high * scale, 1.0)


def _closeness(graph: SocialGraph, drawn: Ints, *, weighted: bool) -> tuple[Floats, Floats, Floats]:
    n, k = len(graph), len(drawn)
    lengths = _lengths(graph)
    if not weighted:
        lengths.data = np.ones(lengths.nnz)
    walk = _paths.link_distances if weighted else _paths.hop_distances
    reached, distance = _paths.distance_sums(lengths, drawn, walk)
    reached[drawn] -= 1  # the distance to oneself does not count
    scale = n / (n - 1) if n > 1 else 0.0
    reach, far = reached / max(k, 1), distance / max(k, 1)
    value = scale * reach**2 * _sparse.inverse(far)
    if k == n:
        return value, value, value
    return _closeness_bounds(lengths, walk, k, reach, far, directed=graph.directed)


def _closeness_bounds(
    lengths: Matrix, walk: Any, k: int, reach: Floats, far: Floats, *, directed: bool
) -> tuple[Floats, Floats, Floats]:
    """Bounds of closeness from bounds of its two means: of who arrives, and of how far."""
    n = len(reach)
    size, longest = _paths.reaches(lengths, walk)
    nearest = _paths.shortest_in(lengths)
    error = 1 - _CONFIDENCE
    if directed:
        error /= 2
        low, high = mean_interval(reach, k, error)
        neighbours = np.bincount(lengths.indices, minlength=n)
        low, high = np.maximum(low, neighbours / n), np.minimum(high, (size - 1) / n)
    else:
        low = high = (size - 1) / n
    mean = np.where(longest > 0, far / np.where(longest > 0, longest, 1.0), 0.0)
    near_mean, far_mean = (bound * longest for bound in mean_interval(mean, k, error))
    scale = n / (n - 1)
    farthest = np.minimum(far_mean, high * longest)
    closest = np.maximum(near_mean, low * nearest)
    bottom = scale * low**2 * _sparse.inverse(farthest)
    top = scale * np.minimum(high**2 * _sparse.inverse(closest), high * _sparse.inverse(nearest))
    shown = (low if not directed else reach) ** 2 * _sparse.inverse(far) * scale
    return bottom, np.clip(shown, bottom, top), top
