"""How something passes along the ties of a graph: models, and where probabilities come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, get_args

from attrs import evolve, frozen

from scrmkit import _samples, _simulations
from scrmkit._arcs import Arcs
from scrmkit._checks import Id, check_range
from scrmkit._samples import Roots, Sampler
from scrmkit._simulations import Outcome, Worlds
from scrmkit._sparse import (
    Floats,
    Ints,
    Matrix,
    check_not_negative,
    digest,
    generator,
    inverse,
    np,
    round_digits,
    without_loops,
)
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Lookup, Numbers


Model = Literal[
    "independent_cascade",
    "weighted_cascade",
    "linear_threshold",
    "complex_contagion",
    "signed_cascade",
]
Method = Literal["saturation", "share", "constant", "trivalency"]

PROBABILITY: Final = "probability"
_CASCADES: Final = ("independent_cascade", "weighted_cascade", "signed_cascade")
_TRIVALENT: Final = (0.1, 0.01, 0.001)


def probabilities(
    graph: Any,
    *,
    method: Method = "saturation",
    rate: float | None = None,
    probability: float | None = None,
    weight: str | None = None,
    seed: Any = 0,
) -> SocialGraph:
    """A graph whose weights are probabilities that something passes along a tie.

    ============== =======================================================================
    method         probability of the arc from u to v with weight w
    ============== =======================================================================
    ``saturation`` ``1 - exp(-rate * w)``: each unit of strength is ``rate`` chances, of
                   which one is enough
    ``share``      w over the sum of what comes into v; 1 / indegree where all weigh alike
                   (the weighted cascade of Kempe, Kleinberg and Tardos)
    ``constant``   ``probability``
    ``trivalency`` .1, .01 or .001, by chance (Chen, Wang, Wang 2010)
    ============== =======================================================================

    None of them is true of itself. Where there is a log of what spread before,
    `learn_probabilities` estimates them, and says how well.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Weights must not be negative.
        method: one of the above.
        rate: for ``saturation``, chances per unit of weight; above 0.
        probability: for ``constant``; from 0 to 1.
        weight: the attribute or column of weights; see `SocialGraph.of`.
        seed: of ``trivalency``; anything that ``numpy.random.default_rng`` takes.

    Returns:
        A directed graph, with both arcs of what was undirected, whose weight is
        ``"probability"``. Arcs of probability 0, and ties with oneself, are not in it.

    Raises:
        InvalidParameter: an unknown method, an option that is missing, out of range or of
            another method, or a negative weight.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import diffusion
        >>> passing = diffusion.probabilities(nx.star_graph(2), method="share")
        >>> passing, passing.weights.tolist()
        (<SocialGraph: 3 customers, 4 directed ties, weight 'probability'>, [1.0, 1.0, 0.5, 0.5])

    References:
        Kempe, Kleinberg, Tardos (2003), doi:10.1145/956750.956769. Chen, Wang, Wang
        (2010), doi:10.1145/1835804.1835934.
    """
    if method not in get_args(Method):
        raise InvalidParameter(f"method must be one of {', '.join(get_args(Method))}", value=method)
    for name, given, owner in (
        ("rate", rate, "saturation"),
        ("probability", probability, "constant"),
    ):
        if (given is not None) != (method == owner):
            raise InvalidParameter(f"{name} goes with method={owner!r}, and with no other")
    social = _positive(SocialGraph.of(graph, weight=weight))
    matrix = without_loops(social.matrix())
    if rate is not None:
        rate = check_range(rate, name="rate", error=InvalidParameter, low=0)
        if rate == 0:
            raise InvalidParameter("rate must be above 0", value=rate)
        with np.errstate(over="ignore"):
            chances = -np.expm1(-rate * matrix.data)
    elif probability is not None:
        probability = check_range(
            probability, name="probability", error=InvalidParameter, low=0, high=1
        )
        chances = np.full(matrix.nnz, probability)
    elif method == "share":
        chances = _shares(matrix).data
    else:
        chances = generator(seed).choice(_TRIVALENT, size=matrix.nnz)
    kept = chances > 0
    made = {"method": method, "rate": rate, "probability": probability, "weight": social.weight}
    if method == "trivalency":
        made["drawn"] = digest(social.ids, chances)
    parameters: Any = {**social.parameters, "probabilities": made}
    indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return evolve(
        social,
        indptr=indptr,
        indices=matrix.indices[kept],
        weights=np.minimum(round_digits(chances[kept]), 1.0),
        directed=True,
        weight=PROBABILITY,
        parameters=parameters,
        incidence=None,
    )


@frozen(eq=False)
class Contagion:
    """A model on a graph, ready to run.

    Attributes:
        graph: the graph.
        model: the name of the model.
        chances: from row to column: probabilities, shares, or pushes of 1.
        limits: what it takes to join; None where that is drawn, or arcs have probabilities.
        quality: how likely a good opinion stays good.
    """

    graph: SocialGraph
    model: Model
    chances: Matrix
    limits: Floats | None
    quality: float

    @classmethod
    def of(
        cls,
        graph: Any,
        model: Model,
        *,
        weight: str | None = None,
        threshold: float | Numbers | None = None,
        quality: float = 1.0,
    ) -> Contagion:
        """A model on whatever graph functions take; refuse what the model cannot use."""
        if model not in get_args(Model):
            raise InvalidParameter(
                f"model must be one of {', '.join(get_args(Model))}", value=model
            )
        check_range(quality, name="quality", error=InvalidParameter, low=0, high=1)
        if quality != 1 and model != "signed_cascade":
            raise InvalidParameter("quality goes with model='signed_cascade', and with no other")
        if threshold is not None and model in _CASCADES:
            raise InvalidParameter(
                "threshold goes with model='linear_threshold' and 'complex_contagion'"
            )
        social = SocialGraph.of(graph, weight=weight)
        if model != "signed_cascade":
            _positive(social)
        chances, limits = without_loops(social.matrix()), None
        if model in ("weighted_cascade", "linear_threshold"):
            chances = _shares(chances)
        if model in ("independent_cascade", "signed_cascade"):
            _check_probabilities(social)
        if model == "complex_contagion":
            chances = chances.copy()
            chances.data = np.ones(chances.nnz)
            limits = _limits(social, 2 if threshold is None else threshold, high=len(social))
        elif threshold is not None:
            limits = _limits(social, threshold, high=1)
        return cls(social, model, chances, limits, quality)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the numbers depend on."""
        made: dict[str, Any] = {"model": self.model, "weight": self.graph.weight}
        if self.limits is not None:
            alike = len(set(self.limits.tolist())) == 1
            made["threshold"] = (
                float(self.limits[0]) if alike else digest(self.graph.ids, self.limits)
            )
        if self.model == "signed_cascade":
            made["quality"] = self.quality
        made |= {"customers": len(self.graph), "ties": self.graph.number_of_ties}
        return made | ({"graph": dict(self.graph.parameters)} if self.graph.parameters else {})

    @property
    def is_certain(self) -> bool:
        """Whether nothing is left to chance."""
        if not self.is_cascade:
            return self.limits is not None
        sure = ((self.chances.data == 0) | (self.chances.data == 1)).all()
        return bool(sure) and self.model != "signed_cascade"

    @property
    def is_cascade(self) -> bool:
        """Whether arcs pass on with a probability of their own."""
        return self.model in _CASCADES

    def run(self, seeds: Ints, values: Floats, worlds: Worlds) -> Outcome:
        """What comes of it in some worlds; ``values`` is empty where all count alike."""
        if not self.is_cascade:
            return _simulations.run_threshold(self.chances, self.limits, seeds, values, worlds)
        if self.model != "signed_cascade":
            return _simulations.run_cascade(Arcs.of(self.chances), seeds, values, worlds)
        size = self.chances.copy()
        size.data = np.abs(size.data)
        arcs = Arcs.of(size)
        signs = np.sign(self.chances.data[arcs.places]).astype(np.int64)
        return _simulations.run_rumour(arcs, signs, self.quality, seeds, values, worlds)

    def sampler(self, roots: Roots, series: np.uint64) -> Sampler:
        """Samples of who would reach a customer drawn at random."""
        if self.is_cascade:
            return _samples.cascade_sampler(self.backwards(), roots, series)
        return _samples.walk_sampler(self.chances.T.tocsr(), roots, series)

    def backwards(self) -> Arcs:
        """The arcs turned round."""
        return Arcs.of(self.chances.T.tocsr())


def places_of(graph: SocialGraph, customers: Iterable[Id], *, name: str) -> Ints:
    """The positions of some customers, in order, each once."""
    table = hasattr(customers, "columns")
    if isinstance(customers, str) or table or not isinstance(customers, Iterable):
        raise InvalidParameter(
            f"{name} is of type {type(customers).__name__}: give a list of ids"
            + (", such as the column of this table that holds them" if table else ""),
            value=customers,
        )
    found = {graph.position(customer) for customer in customers}
    return np.array(sorted(found), dtype=np.int64)


def values_of(graph: SocialGraph, audience: Iterable[Id] | Numbers | None, *, name: str) -> Floats:
    """What each customer counts: 1, or 1 for the ids given, or by a mapping."""
    if audience is None:
        return np.ones(len(graph))
    values = np.zeros(len(graph))
    if isinstance(audience, Mapping | Lookup):
        for customer, value in audience.items():
            check_range(value, name=name, error=InvalidParameter, low=0)
            values[graph.position(customer)] = value
    else:
        values[places_of(graph, audience, name=name)] = 1.0
    if not values.any():
        raise InvalidParameter(f"{name} must give some customer more than 0")
    with np.errstate(over="ignore"):
        total = float(values.sum())
    if not total < float("inf"):
        raise InvalidParameter(f"the sum of {name} is no finite number: divide by the same")
    return values


def _positive(graph: SocialGraph) -> SocialGraph:
    check_not_negative(
        graph.weights,
        "only model='signed_cascade' takes such ties",
    )
    return graph


def _check_probabilities(graph: SocialGraph) -> None:
    beyond = np.count_nonzero(np.abs(graph.weights) > 1)
    if beyond:
        raise InvalidParameter(
            f"{beyond} weights are above 1, so they are no probabilities: make such of them by "
            f"diffusion.probabilities(graph, ...), learn them, or take model='weighted_cascade'"
        )


def _shares(matrix: Matrix) -> Matrix:
    """Each weight over the sum of what comes into its column."""
    weights = np.bincount(matrix.indices, weights=matrix.data, minlength=matrix.shape[0])
    total: Floats = weights.astype(np.float64)
    shares = matrix.copy()
    shares.data = np.minimum(matrix.data * inverse(total)[matrix.indices], 1.0)
    return shares


def _limits(graph: SocialGraph, threshold: float | Numbers, *, high: float) -> Floats:
    if not isinstance(threshold, Mapping | Lookup):
        return np.full(len(graph), float(_limit(threshold, high)))
    limits = np.zeros(len(graph))
    for customer, value in threshold.items():
        limits[graph.position(customer)] = _limit(value, high)
    if (limits == 0).any():
        raise InvalidParameter(
            f"threshold lacks {np.count_nonzero(limits == 0)} of {len(graph)} customers"
        )
    return limits


def _limit(value: float, high: float) -> float:
    check_range(value, name="threshold", error=InvalidParameter, low=0, high=max(high, 1))
    if value == 0:
        raise InvalidParameter("threshold must be above 0: with 0 everybody would join alone")
    return value
