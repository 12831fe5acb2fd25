"""Whom to ask first: seeds that reach many, or that keep many from a bad story."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from scrmkit import _columns, _samples, _walks
from scrmkit._checks import Id, check_range, to_whole
from scrmkit._coins import CHOOSING, JUDGING, new_key
from scrmkit._compiled import Progress
from scrmkit._contagion import Contagion, Model, places_of, values_of
from scrmkit._cover import Samples, Terms, cover, doublings, lower_bound, upper_bound
from scrmkit._samples import Roots, Sampler
from scrmkit._sparse import Flags, Floats, Ints, Matrix, digest, generator, np, row_sums, spans
from scrmkit._terms import guarantee_of, to_terms
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Numbers, Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

_CONFIDENCE: Final = 0.99
_FIRST: Final = 4_096
_MOST_SAMPLES: Final = 1 << 22
_MOST_MEMBERS: Final = 1 << 28
_WALK: Final = 0.85
_NEAR: Final = 0.97


class Seeds(Result):
    """Whom to ask, in which order: the result of `seeds` and `block`.

    As a table it has a row for each, in the order of choice: ``place`` (from 1), ``customer``,
    ``gain`` (what this one adds to those before), ``reach`` (of all up to this one), and where
    given ``cost`` and ``group``. It can be iterated over and handed to `spread` as seeds.

    Attributes:
        reach: the estimate of what they reach together, in customers or in the value of the
            audience; of `block`, of how many they keep from the story. They were chosen for
            it among a few, so it is a little too high where samples are few; `spread` with
            another sample has no such bias.
        low: a lower bound of it.
        best: an upper bound of what any choice under the same terms reaches.
        certificate: ``low / best``: this choice is at least this good, as a share of the best
            one. With probability .99 both bounds hold. 0 where nothing can be reached.
        method: which of the choices that were compared this is; see `seeds`.
        guarantee: what is known of a greedy choice under these terms before anything is
            sampled, in words.
        samples: how many samples were drawn for choosing, and as many again for judging.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> found = diffusion.seeds(nx.star_graph(5), k=1, model="weighted_cascade")
        >>> list(found), round(found.reach), found.certificate > 0.7
        ([0], 6, True)
    """

    def __init__(
        self, verdict: _Verdict, made: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> None:
        graph = verdict.graph
        ids = graph.ids[verdict.chosen].tolist()
        self.reach = float(verdict.gains.sum())
        self.low = verdict.low
        self.best = verdict.best
        self.certificate = verdict.low / verdict.best if verdict.best > 0 else 0.0
        self.method = verdict.method
        self.guarantee: str = made["guarantee"]
        self.samples = verdict.samples
        self._ids = ids
        notes = [] if verdict.reason is None else [verdict.reason]
        super().__init__(
            columns={
                "place": np.arange(len(ids)) + 1,
                "customer": _columns.names(graph.ids[verdict.chosen], graph.home),
                "gain": verdict.gains,
                "reach": np.cumsum(verdict.gains),
                **{name: column[verdict.chosen] for name, column in extra.items()},
            },
            home=graph.home,
            parameters={
                **made,
                "method": verdict.method,
                "samples": verdict.samples,
                "series": [int(key) for key in verdict.series],
                "certificate": self.certificate,
                "confidence": _CONFIDENCE,
            },
            order="gain",
            notes=tuple(notes),
        )

    def __iter__(self) -> Iterator[Id]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


def seeds(
    graph: Any,
    *,
    k: int | None = None,
    model: Model = "independent_cascade",
    weight: str | None = None,
    at_least: float = 0.7,
    costs: Numbers | None = None,
    budget: float | None = None,
    must: Iterable[Id] = (),
    must_not: Iterable[Id] = (),
    groups: Any = None,
    audience: Iterable[Id] | Numbers | None = None,
    samples: int = _MOST_SAMPLES,
    seconds: float | None = None,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Seeds:
    r"""The customers to ask first so that something reaches many, with a certificate.

    Samples of who would have reached a customer drawn at random are drawn twice: from one
    series customers are chosen, on the other the choice is judged. Both are doubled, and all
    samples kept, until ``low / best`` reaches ``at_least`` (OPIM-C), or samples or time run
    out. Compared on the second series are a greedy choice, and those with the most arcs, with
    the most expected to be told directly, with that less what is told already, and with the
    largest PageRank against the arcs; the best of them is returned. So it is not worse than
    any of them but for chance, and the bound allows for the choice among them.

    ============================ ==========================================================
    terms                        what a greedy choice is known to be worth
    ============================ ==========================================================
    ``k``, ``must_not``          at least 1 - 1/e, 63 %, of the best (Nemhauser, Wolsey,
    ``audience``                 Fisher 1978)
    ``must``                     the same of the best that can be added to them
    ``costs`` and ``budget``     the better of two greedy choices, at least 31 % of the best
                                 (Leskovec et al. 2007)
    ``groups``                   at least half of the best (Fisher, Nemhauser, Wolsey 1978)
    ``costs`` with ``k``         nothing
    ============================ ==========================================================

    All of it is before sampling; the certificate is of this very choice, and usually says
    more. It is about the model: whether things spread like that here is another question.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`; see `spread` for the direction of arcs.
        k: how many to choose at most; 1 or more. Not needed with a budget.
        model: ``"independent_cascade"``, ``"weighted_cascade"`` or ``"linear_threshold"``
            with thresholds drawn from 0 to 1; see `spread`.
        weight: the attribute or column of weights; see `SocialGraph.of`.
        at_least: the certificate to stop at; above 0, below 1. The textbook's guarantee of
            .53 can be worse than asking those with most ties; more than .8 can take long.
        costs: what it costs to ask each customer, above 0; every id.
        budget: what all of them may cost together.
        must: the ids of those who are asked in any case. They come first, in order of id.
        must_not: the ids of those who cannot be asked.
        groups: the group of each customer, such as a result of `communities.detect`. Then
            each group gets its share of ``k`` by size (by largest remainders).
        audience: who counts: ids, which count 1, or a mapping from ids to values of at least
            0. Without it everybody counts 1.
        samples: how many samples of each series are drawn at most.
        seconds: after how long no more are drawn. Then the result depends on the machine;
            without it on nothing but the arguments.
        seed: anything that ``numpy.random.default_rng`` takes.
        progress: called with a few words on the way, such as ``print``.

    Returns:
        The seeds. Where samples, time or memory (2**28 members of samples) ran out before
        the certificate was reached, or more samples could not reach it, a note says so.
        Equal choices are in order of id.

    Raises:
        InvalidParameter: neither ``k`` nor ``budget``, a model without samples, an option out
            of range, or terms that nobody can meet.
        UnknownCustomer: an id that is not in the graph.

    Complexity: for ``at_least`` of .7 on real graphs some 100,000 samples, each as large as
    what reaches a customer; the choice is linear in their size.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> club = nx.karate_club_graph()
        >>> found = diffusion.seeds(club, k=2, model="weighted_cascade")
        >>> list(found), found.certificate > 0.7
        ([33, 0], True)

    References:
        Tang, Tang, Xiao, Yuan (2018), doi:10.1145/3183713.3183749. Guo, Wang, Wei, Chen
        (2020), doi:10.1145/3318464.3389740. Nemhauser, Wolsey, Fisher (1978),
        doi:10.1007/BF01588971. Fisher, Nemhauser, Wolsey (1978), doi:10.1007/BFb0121195.
        Leskovec et al. (2007), doi:10.1145/1281192.1281239. Chen, Wang, Yang (2009),
        doi:10.1145/1557019.1557047.
    """
    effort = _Effort.of(at_least, samples, seconds, progress)
    rng = generator(seed)
    contagion = Contagion.of(graph, model, weight=weight)
    if model not in ("independent_cascade", "weighted_cascade", "linear_threshold"):
        raise InvalidParameter(
            f"there are no samples of model={model!r}: take another", value=model
        )
    social = contagion.graph
    values = values_of(social, audience, name="audience")
    terms, extra = to_terms(social, k, costs, budget, must, must_not, groups)
    roots = Roots.of(values)

    def sampler(series: np.uint64) -> Sampler:
        return contagion.sampler(roots, series)

    verdict = _decide(contagion, terms, sampler, float(values.sum()), effort, rng)
    made = {
        **contagion.parameters,
        "k": k,
        "budget": budget,
        "terms": terms.name,
        "audience": None if audience is None else digest(social.ids, values),
        "at_least": effort.at_least,
        "guarantee": guarantee_of(terms, costs=budget is not None, groups=groups is not None),
    }
    return Seeds(verdict, made, extra)


def block(
    graph: Any,
    story: Iterable[Id],
    *,
    k: int,
    model: Model = "independent_cascade",
    weight: str | None = None,
    at_least: float = 0.7,
    must_not: Iterable[Id] = (),
    audience: Iterable[Id] | Numbers | None = None,
    samples: int = _MOST_SAMPLES,
    seconds: float | None = None,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Seeds:
    """The customers to tell the truth, so that it is first with many whom a bad story reaches.

    Both begin at once and pass along the same arcs (a tie is live for both or for none); who
    hears the truth first, or both in one step, is kept from the story and passes on the truth
    alone. In that model, campaign-oblivious independent cascade, what is kept is submodular,
    and sampled backwards: whoever is no further from a customer than the nearest with the
    story.

    Args:
        graph: as in `seeds`.
        story: the ids of those who spread the story. They are lost, and not asked.
        k: how many to tell the truth at most.
        model: ``"independent_cascade"`` or ``"weighted_cascade"``.
        weight: as in `seeds`.
        at_least: as in `seeds`.
        must_not: the ids of those who cannot be asked.
        audience: who counts, as in `seeds`.
        samples: as in `seeds`.
        seconds: as in `seeds`.
        seed: as in `seeds`.
        progress: as in `seeds`.

    Returns:
        The seeds, of whom ``reach`` says how many they are expected to keep from the story.
        Their guarantee is 1 - 1/e. Where the story reaches nobody, nobody is chosen.

    Raises:
        InvalidParameter: no ids in ``story``, a model without it, an option out of range.
        UnknownCustomer: an id that is not in the graph.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> line = diffusion.probabilities(nx.path_graph(6), method="constant", probability=1)
        >>> found = diffusion.block(line, [0], k=1)
        >>> list(found), found.reach
        ([1], 5.0)

    References:
        Budak, Agrawal, El Abbadi (2011), doi:10.1145/1963405.1963499.
    """
    effort = _Effort.of(at_least, samples, seconds, progress)
    rng = generator(seed)
    contagion = Contagion.of(graph, model, weight=weight)
    if model not in ("independent_cascade", "weighted_cascade"):
        raise InvalidParameter(
            "model must be 'independent_cascade' or 'weighted_cascade'", value=model
        )
    social = contagion.graph
    places = places_of(social, story, name="story")
    if not len(places):
        raise InvalidParameter("story must name at least one customer who spreads it")
    told = np.zeros(len(social), dtype=bool)
    told[places] = True
    barred = social.ids[np.union1d(places, places_of(social, must_not, name="must_not"))].tolist()
    values = np.where(_reachable(contagion.chances, told) & ~told, 1.0, 0.0)
    values *= values_of(social, audience, name="audience")
    terms, _ = to_terms(social, k, None, None, (), barred, None)
    back, roots = contagion.backwards(), Roots.of(values)

    def sampler(series: np.uint64) -> Sampler:
        return _samples.rescue_sampler(back, roots, told, series)

    verdict = _decide(contagion, terms, sampler, float(values.sum()), effort, rng)
    made = {
        **contagion.parameters,
        "story": digest(social.ids[places]),
        "k": k,
        "terms": terms.name,
        "audience": None if audience is None else digest(social.ids, values),
        "at_least": effort.at_least,
        "guarantee": guarantee_of(terms),
    }
    return Seeds(verdict, made, {})


@frozen
class _Effort:
    at_least: float
    samples: int
    until: float | None
    progress: Progress | None

    @classmethod
    def of(
        cls, at_least: float, samples: int, seconds: float | None, progress: Progress | None
    ) -> _Effort:
        check_range(at_least, name="at_least", error=InvalidParameter, low=0, high=1)
        if at_least in (0, 1):
            raise InvalidParameter("at_least must be above 0 and below 1", value=at_least)
        if seconds is not None:
            check_range(seconds, name="seconds", error=InvalidParameter, low=0)
            seconds += monotonic()
        return cls(at_least, to_whole(samples, name="samples", least=1), seconds, progress)

    def reason(self, members: int) -> str | None:
        """Why no more samples may be drawn than with so many members."""
        if self.until is not None and monotonic() >= self.until:
            return "the time was over"
        return "more samples would not fit into memory" if members > _MOST_MEMBERS else None

    def is_over(self, members: int) -> bool:
        """Whether no more samples may be drawn."""
        return self.reason(members) is not None


@frozen(eq=False)
class _Verdict:
    graph: SocialGraph
    chosen: Ints
    gains: Floats
    low: float
    best: float
    method: str
    samples: int
    series: tuple[np.uint64, np.uint64]
    reason: str | None


def _decide(
    contagion: Contagion,
    terms: Terms,
    sampler: Callable[[np.uint64], Sampler],
    total: float,
    effort: _Effort,
    rng: np.random.Generator,
) -> _Verdict:
    """Choose on one series, judge on another, and double both until it is certain enough."""
    n = len(contagion.graph)
    series = new_key(rng, purpose=CHOOSING), new_key(rng, purpose=JUDGING)
    first, second = map(sampler, series)
    if total == 0:
        nobody = np.zeros(0, dtype=np.int64)
        why = "nobody of the audience can be reached"
        none = np.zeros(0)
        return _Verdict(contagion.graph, nobody, none, 0.0, 0.0, "greedy", 0, series, why)
    others = _by_standing(contagion, terms)
    choosing, judging = Samples.none(), Samples.none()
    error, best = 1 - _CONFIDENCE, total
    shortage: str | None = None
    for number, count in enumerate(doublings(_FIRST, effort.samples), start=1):
        if number > 1:
            shortage = shortage or effort.reason(2 * len(choosing.members))
            if shortage is not None:
                break
        choosing = choosing.grown(first, count, effort.is_over)
        judging = judging.grown(second, count, effort.is_over)
        if min(len(choosing), len(judging)) < count:
            shortage = effort.reason(max(len(choosing.members), len(judging.members)))
        now = error / (number * (number + 1) * 2)
        chosen, bound = cover(choosing, n, terms, by_cost=False)
        rivals = {"greedy": chosen, **others}
        if (terms.costs != 1).any():
            rivals["greedy by cost"], other = cover(choosing, n, terms, by_cost=True)
            bound = min(bound, other)
        best = min(best, total * upper_bound(bound, len(choosing), now))
        hits = judging.with_one_of(list(rivals.values()), n)
        most, method = max(zip(hits, rivals, strict=True), key=itemgetter(0))
        low = total * lower_bound(most, len(judging), now / len(rivals))
        if effort.progress is not None:
            effort.progress(f"{count:,} samples: at least {low / best:.3f} of the best")
        if low >= effort.at_least * best:
            shortage = None
            break
        # What the certificate would be with samples without end:
        limit = most * len(choosing) / (bound * len(judging)) if bound else 1.0
        if limit < effort.at_least and low >= _NEAR * limit * best:
            shortage = "more samples would hardly change it, because no tighter bound is known"
    else:
        shortage = f"all {effort.samples:,} samples were drawn"
    if shortage is not None:
        shortage = f"the certificate is {low / best:.3f}, not {effort.at_least:g}: {shortage}"
    return _Verdict(
        graph=contagion.graph,
        chosen=rivals[method],
        gains=total * judging.hit_by(rivals[method], n) / len(judging),
        low=low,
        best=best,
        method=method,
        samples=len(judging),
        series=series,
        reason=shortage,
    )


def _by_standing(contagion: Contagion, terms: Terms) -> dict[str, Ints]:
    """Choices that need no samples."""
    chances = contagion.chances
    told = row_sums(chances)
    n = len(told)
    walk = _walks.restart_walk(chances.T.tocsr(), np.full(n, 1 / n), _WALK, symmetric=False)
    return {
        "degree": terms.by_score(np.diff(chances.indptr).astype(np.float64)),
        "strength": terms.by_score(told),
        "discount": _discounted(chances, told, terms),
        "pagerank": terms.by_score(walk),
    }


def _discounted(chances: Matrix, told: Floats, terms: Terms) -> Ints:
    """Those who tell most others directly, less those who were or may have been told already."""
    back = chances.T.tocsr()
    alone = np.ones(len(told))
    direct = told.copy()

    def following(possible: Flags, _: float) -> int | None:
        one = int(np.argmax(np.where(possible, alone * (1 + direct), -1.0)))
        ahead = slice(chances.indptr[one], chances.indptr[one + 1])
        alone[chances.indices[ahead]] *= 1 - chances.data[ahead]
        behind = slice(back.indptr[one], back.indptr[one + 1])
        direct[back.indices[behind]] -= back.data[behind]
        return one

    return terms.choose(following)


def _reachable(chances: Matrix, begin: Flags) -> Flags:
    """Who can be reached at all."""
    seen, rows = begin.copy(), np.flatnonzero(begin)
    while len(rows):
        _, places = spans(chances.indptr[rows], chances.indptr[rows + 1])
        ends = chances.indices[places[chances.data[places] > 0]]
        rows = np.unique(ends[~seen[ends]])
        seen[rows] = True
    return seen
