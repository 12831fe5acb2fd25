"""How far something spreads from some customers: the expected reach, and whom it reaches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve
from scipy.special import stdtrit

from scrmkit import _columns, _tables
from scrmkit._bounds import mean_interval, share_interval
from scrmkit._checks import Id, to_whole
from scrmkit._coins import SPREADING, new_key
from scrmkit._compiled import Progress
from scrmkit._contagion import Contagion, Model, places_of, values_of
from scrmkit._simulations import Worlds
from scrmkit._sparse import Floats, Ints, digest, generator, np
from scrmkit.errors import InvalidParameter
from scrmkit.results import Numbers, Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

_CONFIDENCE: Final = 0.95
_FEW: Final = 30


class Spread(Result):
    """How far something spreads: the result of `spread`.

    As a table it has a row for each customer, in order of id: ``customer``, ``likelihood``
    (the share of runs in which the customer is reached) with ``low`` and ``high`` (Wilson's
    interval at .95), and ``step`` (the mean number of steps after which, over the runs in
    which it happens; null where it never does; 0 for the seeds). Of a signed cascade it has
    ``good`` and ``bad`` (the shares of runs that end with either opinion) instead of
    ``step``. The table is worked out when it is first asked for, by running the same worlds
    again.

    Attributes:
        reach: the mean value of those reached, the seeds among them; of a signed cascade of
            those with a good opinion.
        low: the lower end of its interval; see `spread`.
        high: the upper end.
        against: the same as reach of those who end with a bad opinion; None for other models,
            as are the two bounds of its interval.
        against_low: the lower end.
        against_high: the upper end.
        by_run: the value reached in each run, an array. Two spreads with the same graph,
            model, runs and seed ran in the same worlds, so their difference may be taken run
            by run.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> found = diffusion.spread(nx.path_graph(3), [0], runs=10)
        >>> found.reach, found.frame.rows()[2]
        (3.0, (2, 1.0, 1.0, 1.0, 2.0))
    """

    def __init__(self, contagion: Contagion, seeds: Ints, values: Floats, worlds: Worlds) -> None:
        graph = contagion.graph
        whole = np.zeros(0) if (values == 1).all() else values
        outcome = contagion.run(seeds, whole, worlds)
        by_run = np.atleast_2d(outcome.reach)
        super().__init__(
            home=graph.home,
            parameters={
                **contagion.parameters,
                "seeds": digest(graph.ids[seeds]),
                "audience": digest(graph.ids, values) if len(whole) else None,
                "runs": worlds.runs,
                "series": int(worlds.series),
                "confidence": _CONFIDENCE,
            },
            order="likelihood",
        )
        self.by_run: Floats = by_run[0]
        self.reach = float(self.by_run.mean())
        signed = len(by_run) == 2
        least = 0.0 if signed else float(values[seeds].sum())
        bounds = least, float(values.sum())
        self.low, self.high = self.reach, self.reach
        if not contagion.is_certain:
            self.low, self.high = _mean_interval(self.by_run, *bounds)
        self.against = self.against_low = self.against_high = None
        if signed:
            self.against = float(by_run[1].mean())
            self.against_low, self.against_high = _mean_interval(by_run[1], *bounds)
        self._again = contagion, seeds, evolve(worlds, counted=True, progress=None)

    @cached_property
    def frame(self) -> Any:
        """The table, of the kind that came in."""
        contagion, seeds, worlds = self._again
        graph = contagion.graph
        one, other = contagion.run(seeds, np.zeros(0), worlds).counts
        reached = one if self.against is None else one + other
        low = high = reached / worlds.runs
        if not contagion.is_certain:
            low, high = share_interval(reached, worlds.runs)
        columns: dict[str, Any] = {
            "customer": _columns.names(graph.ids, graph.home),
            "likelihood": reached / worlds.runs,
            "low": low,
            "high": high,
        }
        if self.against is None:
            steps = other / np.maximum(one, 1)
            columns["step"] = _columns.numbers(steps, graph.home, where=one > 0)
        else:
            columns |= {"good": one / worlds.runs, "bad": other / worlds.runs}
        return _tables.build(columns, graph.home)


def spread(
    graph: Any,
    seeds: Iterable[Id],
    *,
    model: Model = "independent_cascade",
    weight: str | None = None,
    threshold: float | Numbers | None = None,
    quality: float = 1.0,
    audience: Iterable[Id] | Numbers | None = None,
    runs: int = 1_000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Spread:
    r"""How many something reaches that begins with some customers, by simulation.

    Arcs go from who tells to who is told. Time goes in steps, and who is reached stays so.

    ======================= ==============================================================
    model                   who is reached in a step
    ======================= ==============================================================
    ``independent_cascade`` each customer reached in the step before tells each other along
                            an arc once, with the weight of the arc as probability (Kempe,
                            Kleinberg, Tardos 2003); see `probabilities`
    ``weighted_cascade``    the same with the share of an arc's weight in the weight of all
                            that come in as probability: 1 / indegree where all weigh alike
    ``linear_threshold``    who hears from customers with at least their threshold of the
                            weight that comes in; thresholds are drawn from 0 to 1 in each
                            run (Granovetter 1978; Kempe et al. 2003), or given (Watts 2002)
    ``complex_contagion``   who hears from at least ``threshold`` customers, 2 unless given;
                            nothing is left to chance (Centola and Macy 2007)
    ``signed_cascade``      as ``independent_cascade``, with an opinion: whoever is first to
                            tell passes on theirs (chance decides among those of one step),
                            turned round by an arc of negative weight; a good opinion turns
                            bad with probability ``1 - quality`` in each who forms it (Chen
                            et al. 2011)
    ======================= ==============================================================

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. An undirected tie tells both ways. Parallel arcs are one, whose
            weight is their sum: put probabilities together before. Where acts point at whom
            they learn from, as reposts do, turn the graph round: ``graph.reversed()``.
        seeds: the ids of those with whom it begins; a result of `seeds` will do.
        model: one of the above.
        weight: the attribute or column of weights; see `SocialGraph.of`.
        threshold: for ``linear_threshold`` a share above 0 and up to 1, for
            ``complex_contagion`` a number of customers above 0: one for all, or a mapping
            from every id to theirs.
        quality: for ``signed_cascade``, how likely a good opinion stays good; 0 to 1.
        audience: who counts: ids, which count 1, or a mapping from ids to values of at
            least 0. Without it everybody counts 1.
        runs: how many worlds are simulated; 2 or more.
        seed: anything that ``numpy.random.default_rng`` takes. The worlds of a seed are the
            same for all sets of seeds, whatever the number of threads and whether or not loops
            are compiled; so, but for a signed cascade, more seeds never reach less.
        progress: called with a few words on the way, such as ``print``.

    Returns:
        The spread: ``reach`` with ``low`` and ``high``, and a table of who. The interval is
        Student's t over the runs, at .95, within what is possible. Where fewer than 30 runs
        differ from the commonest value, it allows besides for everything that so rare a run
        may reach. It is the uncertainty of simulating, and knows nothing of that of the model
        and its probabilities. Where nothing is left to chance it is the value itself.
        Probabilities count in steps of 2**-31. No seeds reach nobody; ties with oneself do
        not count.

    Raises:
        InvalidParameter: an option out of range or of another model, weights that are no
            probabilities or negative where the model cannot use them.
        UnknownCustomer: a seed, or an id of the audience or thresholds, is not in the graph.

    Complexity: for each run, the arcs of those reached. With the extra ``fast`` loops are
    compiled and run on all cores; the first call says that it compiles.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> club = nx.karate_club_graph()
        >>> found = diffusion.spread(club, [0, 33], model="weighted_cascade", runs=2_000)
        >>> round(found.reach), found.low < found.reach < found.high
        (17, True)

    References:
        Granovetter (1978), doi:10.1086/226707. Watts (2002), doi:10.1073/pnas.082090499.
        Kempe, Kleinberg, Tardos (2003), doi:10.1145/956750.956769. Centola and Macy (2007),
        doi:10.1086/521848. Chen et al. (2011), doi:10.1137/1.9781611972818.33.
    """
    runs = to_whole(runs, name="runs", least=2)
    series = new_key(generator(seed), purpose=SPREADING)
    contagion = Contagion.of(graph, model, weight=weight, threshold=threshold, quality=quality)
    places = places_of(contagion.graph, seeds, name="seeds")
    if not len(contagion.graph):
        raise InvalidParameter("the graph has no customers, so nothing can spread in it")
    values = values_of(contagion.graph, audience, name="audience")
    return Spread(contagion, places, values, Worlds(series, runs, progress=progress))


def _mean_interval(values: Floats, least: float, most: float) -> tuple[float, float]:
    """Student's t interval of a mean, within bounds, and wider where hardly any run differs."""
    mean = float(values.mean())
    half = stdtrit(len(values) - 1, (1 + _CONFIDENCE) / 2) * values.std(ddof=1)
    half = float(half) / len(values) ** 0.5
    low, high = mean - half, mean + half
    common, counts = np.unique(values, return_counts=True)
    others = len(values) - int(counts.max())
    if others < _FEW:
        usual = float(common[counts.argmax()])
        share = np.array([others / len(values)])
        likely = float(mean_interval(share, len(values), 1 - _CONFIDENCE)[1][0])
        low = min(low, usual + likely * (least - usual))
        high = max(high, usual + likely * (most - usual))
    return max(low, least), min(high, most)
