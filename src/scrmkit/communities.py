"""Who belongs together, and is that more than chance.

`detect` finds communities by the Leiden algorithm, describes each, and says whether a graph
of the same degrees without communities would look as divided. Leiden finds a partition of
everything, also of noise; `Communities.significant` is what keeps one from believing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from scrmkit import _nulls, _plugins, _sparse, _tables
from scrmkit._checks import Id, check_range, to_whole
from scrmkit._nulls import Attendance, Topology, Verdict
from scrmkit._partitions import Leiden, by_size, modularity
from scrmkit._plugins import Plugin
from scrmkit._sparse import Floats, Ints, Matrix, np
from scrmkit.errors import InvalidParameter, InvalidTable, PluginError
from scrmkit.graph import SocialGraph
from scrmkit.plugins import Detector
from scrmkit.results import Lookup, Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

__all__ = ["Communities", "detect"]

_SMALL: Final = 2_000
_MANY_NULLS: Final = 5_000
_LARGE: Final = 20_000
_OURS: Final = "leiden"


class Communities(Result, Lookup[int]):
    """Which community each customer belongs to, and how much that means.

    The result of `detect`: a table with the columns ``customer`` and ``community``, in order
    of customer, which is also read as a dictionary is: ``found[customer]``, ``in``,
    ``len``, ``get``, ``keys``, ``values``, ``items``, and ``dict(found)``. Communities are
    numbered from 0, the largest first; equally large ones in order of their first customer.

    Attributes:
        modularity: Newman's modularity of this partition, with weights and resolution: the
            share of the weight of ties that is inside communities, less what would be there
            by chance if these communities had been given. They have been looked for, so
            random graphs reach well above 0 too: `expected` says how far. 0 where there are
            no ties.
        significant: whether the graph is more divided than chance, at level .05; None where
            that was not or cannot be tested.
        p_value: the share of random graphs that are at least as divided, the graph itself
            counted among them; None where not tested.
        observed: what the test compares: the modularity that one run of two iterations finds
            in this graph, without weights (with those of events, where the table of who was
            where is given); None where not tested. It is not `modularity`.
        expected: the median of what such a run finds in the random graphs; None where not
            tested. The graph is as divided as chance where `observed` is about this large.
        null: which random graphs it was compared with, in words; None where not tested.
        reason: why there is no answer; None where there is one.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import communities
        >>> found = communities.detect(nx.karate_club_graph())
        >>> len(found), found[0] == found[1], round(found.modularity, 4), found.significant
        (34, True, 0.4449, True)
    """

    def __init__(
        self,
        graph: SocialGraph,
        labels: Ints,
        *,
        modularity: float,
        test: Verdict,
        parameters: Mapping[str, Any],
    ) -> None:
        names = graph.ids if len(graph) else np.array([], dtype=str)
        super().__init__(
            columns={
                "customer": names.tolist() if names.dtype == object else names,
                "community": labels,
            },
            home=graph.home,
            parameters=parameters,
            order="size",
            notes=() if test.reason is None else (test.reason,),
        )
        self._graph = graph
        self._labels = labels
        self.modularity = modularity
        self.significant = test.significant
        self.p_value = test.p_value
        self.observed = test.observed
        self.expected = test.expected
        self.null = test.null
        self.reason = test.reason

    @cached_property
    def communities(self) -> Any:
        """A table with one row for each community, the largest first.

        Columns: ``community``; ``size`` (customers); ``ties`` (pairs tied inside);
        ``density`` (of all pairs inside, the share that is tied; null for a community of
        one); ``strength`` (weight of the ties inside); ``outside`` (weight of the ties that
        leave it); ``conductance`` (outside over the weight at the ends of its own ties, or
        of everybody else's if that is less; 0 where nothing leaves it).
        """
        matrix = _simple(self._graph)
        size = np.bincount(self._labels)
        rows = _sparse.row_of_each(matrix)
        inside = self._labels[rows] == self._labels[matrix.indices]
        owner = self._labels[rows]
        count = len(size)

        def total(which: Any, values: Any) -> Floats:
            return np.bincount(owner[which], weights=values, minlength=count).astype(np.float64)

        ties = total(inside, np.ones(np.count_nonzero(inside))) / 2
        strength = total(inside, matrix.data[inside]) / 2
        outside = total(~inside, matrix.data[~inside])
        volume = 2 * strength + outside
        smaller = np.minimum(volume, volume.sum() - volume)
        pairs = size * (size - 1) / 2
        density = [
            None if possible == 0 else tied / possible
            for tied, possible in zip(ties.tolist(), pairs.tolist(), strict=True)
        ]
        return _tables.build(
            {
                "community": np.arange(count),
                "size": size,
                "ties": ties.astype(np.int64),
                "density": density,
                "strength": strength,
                "outside": outside,
                "conductance": np.where(outside > 0, outside * _sparse.inverse(smaller), 0.0),
            },
            self._home,
        )

    def members(self, community: int) -> tuple[Id, ...]:
        """The customers of one community, in order of id.

        Raises:
            InvalidParameter: there is no community of that number.
        """
        count = int(self._labels.max(initial=-1)) + 1
        if isinstance(community, bool) or community not in range(count):
            raise InvalidParameter(
                f"communities are numbered from 0 to {count - 1}", value=community
            )
        return tuple(self._graph.ids[self._labels == community].tolist())

    def top(self, k: int = 10, *, by: str | None = None) -> Any:
        """The ``k`` largest communities, or those with the largest values of another column.

        Args:
            k: how many; 1 or more.
            by: a column of `communities`.
        """
        table = Result(self.communities, parameters={}, order=self._order)
        return table.top(k, by=by)

    def __getitem__(self, customer: Id) -> int:
        return int(self._labels[self._graph.position(customer)])

    def __iter__(self) -> Iterator[Id]:
        return iter(self._graph.ids.tolist())

    def __len__(self) -> int:
        return len(self._graph)


def detect(
    graph: Any,
    *,
    method: str | Detector = _OURS,
    weight: str | None = None,
    resolution: float = 1.0,
    trials: int | None = None,
    seed: Seed = 0,
    significance: bool | None = None,
    events: Any = None,
) -> Communities:
    r"""Find communities by modularity, and say whether they are more than chance.

    Maximises ``sum_c (inside_c / m - resolution * (volume_c / 2 m) ** 2)``, where m is the
    weight of all ties, inside_c that of the ties inside community c, and volume_c that at
    its customers' ends, by the Leiden algorithm. Effort goes by size: the best of 20 trials
    of 10 iterations up to 2,000 ties, of 4 trials of 5 up to 20,000, and one of 2 above.

    The test asks a question about the graph, not about the partition: is the modularity
    that one run of two iterations finds larger than what such a run finds in random graphs
    of the same degrees? The graph gets as little effort as its rivals, because more would
    make noise look divided. Weights are left out: rewiring cannot keep them and everybody's
    strength. For ties made by doing something together, the table of who was where is
    rewired instead, because the ties of one event are a community by construction.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Both directions are summed; ties with oneself do not count;
            weights must not be negative.
        method: ``"leiden"``, the name of a plugin, such as ``"acme-crm:walktrap"``, or a
            function; see `plugins.Detector`. Then ``resolution`` is that of the modularity
            alone, ``trials`` means nothing, and the test is the same, for it asks about the
            graph.
        weight: the attribute or column of weights; see `SocialGraph.of`.
        resolution: above 0; more than 1 gives smaller communities.
        trials: how many runs to take the best of, instead of the number above.
        seed: of Leiden and of the random graphs; anything that
            ``numpy.random.default_rng`` takes. The same graph and seed give the same
            communities whatever order its rows were in.
        significance: whether to test. Without it up to 20,000 ties (99 random graphs up to
            5,000 ties, 39 up to 20,000); asked for above, it takes 19.
        events: for ties made by doing something together: who took part in what, a table
            with the columns ``customer`` and ``event`` or two sequences of one length.
            Ties made by ``relationships.together`` bring it along.

    Returns:
        The communities. Who has no ties is a community alone. A graph without ties, one too
        sparse (below 2.5 ends of ties for each customer with ties), and one in which hardly
        any tie can be swapped (nearly everybody tied to everybody, or a star) is not
        tested, and ``reason`` says so.

    Raises:
        InvalidParameter: a negative weight, an option out of range, or no plugin of that name.
        PluginError: a plugin cannot be loaded, or breaks its contract.
        InvalidTable: ``events`` lacks a column, or its columns differ in length, or one has
            ids of several types.

    Complexity: nearly linear in ties for each trial; the test runs two such iterations for
    each random graph.

    Example:
        >>> import networkx as nx
        >>> found = detect(nx.karate_club_graph(), weight="weight")
        >>> found.communities["size"].to_list()
        [12, 11, 6, 5]
        >>> found.members(3)
        (4, 5, 6, 10, 16)

    References:
        Traag, Waltman, van Eck (2019), doi:10.1038/s41598-019-41695-z. Newman (2004),
        doi:10.1103/PhysRevE.69.026113 and, for weights 1 / (size - 1), (2001),
        doi:10.1103/PhysRevE.64.016132. Rewiring: Maslov and Sneppen (2002),
        doi:10.1126/science.1065103. p-value: Davison and Hinkley (1997),
        doi:10.1017/CBO9780511802843.
    """
    resolution = check_range(resolution, name="resolution", error=InvalidParameter, low=0)
    if resolution == 0:
        raise InvalidParameter("resolution must be above 0", value=resolution)
    if trials is not None:
        trials = to_whole(trials, name="trials", least=1)
    rng = _sparse.generator(seed)
    named = _sparse.name_seed(seed, rng)
    plugin = None
    if not isinstance(method, str) or method != _OURS:
        plugin = _plugins.choose_function("detectors", method, ours=(_OURS,))
    social = SocialGraph.of(graph, weight=weight)
    _sparse.check_not_negative(
        social.weights,
        "communities need weights of at least 0, such as the strength of ties",
    )
    matrix = _simple(social)
    n_ties = matrix.nnz // 2
    if plugin is not None:
        labels = by_size(_labels(social, plugin, rng))
        made: dict[str, Any] = {
            "method": plugin.label,
            "method_version": plugin.version,
            "method_parameters": plugin.parameters(),
        }
    else:
        usual, iterations = _effort(n_ties)
        effort = Leiden(trials or usual, iterations, resolution)
        labels = by_size(effort.partition(matrix, rng))
        made = {"method": _OURS, "trials": effort.trials, "iterations": iterations}
    test = _test(social, matrix, events, wanted=significance, resolution=resolution, rng=rng)
    parameters: dict[str, Any] = {
        **made,
        "weight": social.weight,
        "resolution": resolution,
        "seed": named,
        "null": test.null,
        "random_graphs": test.count,
        "customers": len(social),
        "ties": n_ties,
    }
    if social.parameters:
        parameters["graph"] = dict(social.parameters)
    return Communities(
        social,
        labels,
        modularity=modularity(matrix, labels, resolution),
        test=test,
        parameters=parameters,
    )


def _labels(graph: SocialGraph, plugin: Plugin, rng: np.random.Generator) -> Ints:
    """What a plugin divides a graph into."""
    with _plugins.blame(plugin.label):
        labels = np.asarray(plugin.made(graph, rng))
    if labels.shape != (len(graph),) or (len(graph) and labels.dtype.kind not in "iu"):
        raise PluginError(
            f"{plugin.label} must give one whole number for each of the {len(graph):,} customers"
        )
    return labels.astype(np.int64)


def _simple(graph: SocialGraph) -> Matrix:
    """Both directions summed, without ties of customers with themselves."""
    return _sparse.without_loops(graph.undirected().matrix())


def _effort(n_ties: int) -> tuple[int, int]:
    """Trials, and iterations of each, for a graph of this size."""
    return (20, 10) if n_ties <= _SMALL else (4, 5) if n_ties <= _LARGE else (1, 2)


def _test(
    graph: SocialGraph,
    matrix: Matrix,
    events: Any,
    *,
    wanted: bool | None,
    resolution: float,
    rng: np.random.Generator,
) -> Verdict:
    n_ties = matrix.nnz // 2
    if wanted is False:
        return Verdict(reason="whether the communities are more than chance was not tested")
    if wanted is None and n_ties > _LARGE:
        return Verdict(
            reason=f"above {_LARGE:,} ties, whether the communities are more than chance is "
            f"tested on request: significance=True"
        )
    if not n_ties:
        return Verdict(reason="there are no ties, so there is nothing to test")
    attendance = _attendance(graph.incidence if events is None else events)
    count = 99 if n_ties <= _MANY_NULLS else 39 if n_ties <= _LARGE else 19
    source = Topology(matrix) if attendance is None else attendance
    return _nulls.compare(source, resolution=resolution, count=count, rng=rng)


def _attendance(events: Any) -> Attendance | None:
    """Who was where, from a table or two sequences."""
    if events is None:
        return None
    if isinstance(events, tuple):
        try:
            customers, places = (list(side) for side in events)
        except (TypeError, ValueError):
            raise InvalidTable(
                "events must be a table with the columns customer and event, or two sequences "
                "of one length: the customers, and where each was"
            ) from None
    else:
        frame, _ = _tables.take(events)
        names = frame.collect_schema().names()
        _tables.check_columns(names, ["customer", "event"], where="the table of events")
        rows = frame.select("customer", "event").collect()
        customers, places = rows["customer"].to_list(), rows["event"].to_list()
    if len(customers) != len(places):
        raise InvalidTable("customers and events must be of one length")
    if None in customers or None in places:
        raise InvalidTable("the table of events has nulls: every row is a customer at an event")
    return Attendance(_codes(customers, "customers"), _codes(places, "events"))


def _codes(ids: Sequence[Any], what: str) -> Ints:
    """Each id as its place in their order, so that the order of rows does not matter."""
    try:
        place = {one: number for number, one in enumerate(sorted(set(ids)))}
    except TypeError:
        types = ", ".join(sorted({type(one).__name__ for one in ids}))
        raise InvalidTable(
            f"the {what} in the table of events are of type {types}: they must be all texts, "
            f"all integers or all UUIDs"
        ) from None
    return np.fromiter((place[one] for one in ids), dtype=np.int64, count=len(ids))
