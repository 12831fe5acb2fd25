"""Do people act because their neighbours did, or are neighbours alike: the shuffle test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, field, frozen

from scrmkit import _checks, _entries, _sparse
from scrmkit._compiled import Progress
from scrmkit._first_acts import first_acts, to_periods
from scrmkit._sparse import Floats, Ints, np
from scrmkit.graph import SocialGraph


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

_LEVEL: Final = 0.05
_NEAR: Final = 1e-9
_STEPS: Final = 200
_HALVINGS: Final = 40
_REPORTS: Final = 10
_TOLERANCE: Final = 1e-10

CANNOT_EXCLUDE: Final = (
    "homophily that changes with time: people who become alike while it spreads",
    "traits that neighbours share and that decide when they act: the early know each other",
    "a common cause that reaches neighbours at about the same time: news, a campaign, a place",
    "ties that were made while it spread, or because of it",
    "any other cause that was not observed",
)


def _frozen(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return _checks.Frozen(parameters)


@frozen(kw_only=True, repr=False)
class ShuffleTest:
    """Whether the order in which neighbours acted is more than homophily explains.

    The result of `shuffle_test`. ``print(test)`` says what was found and, always with it,
    what cannot be excluded; `to_dict` is for a row of the host's own table.

    Attributes:
        alpha: how much likelier people act the more of their neighbours have acted before;
            None where there is no answer. It measures correlation, whatever makes it.
        expected: the mean alpha if the order were chance.
        low: below it are 2.5 % of the alphas of shuffled times.
        high: above it are 2.5 % of them. The two say what chance does, not how sure alpha is.
        p_value: the share of shuffles whose alpha is at least as large, the observed order
            counted among them.
        significant: whether that is at most .05; None where there is no answer.
        acted: how many customers of the graph acted.
        conclusion: what follows, in words.
        cannot_exclude: what the test cannot tell from people who act because others did.
        parameters: everything that the numbers depend on.
        notes: what was left out, in words.
    """

    alpha: float | None
    expected: float | None
    low: float | None
    high: float | None
    p_value: float | None
    significant: bool | None
    acted: int
    conclusion: str
    cannot_exclude: tuple[str, ...] = CANNOT_EXCLUDE
    parameters: Mapping[str, Any] = field(factory=dict, converter=_frozen)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold; durations and instants stand as their text."""
        made: dict[str, Any] = _plain(asdict(self, recurse=False))
        return made

    def __str__(self) -> str:
        lines = [self.conclusion]
        if self.alpha is not None:
            lines.append(
                f"alpha {self.alpha:.4g}; by chance {self.expected:.4g}, between {self.low:.4g} "
                f"and {self.high:.4g}; p {self.p_value:.4g}"
            )
        lines += ["It cannot exclude:", *(f"- {one}" for one in self.cannot_exclude), *self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<ShuffleTest: {self.conclusion}>"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def shuffle_test(
    graph: Any,
    times: Any,
    *,
    weight: str | None = None,
    period: timedelta | None = None,
    shuffles: int = 199,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ShuffleTest:
    r"""Influence or alike: does it matter in which order neighbours acted?

    Neighbours often do the same because they are alike. If being alike decides who acts, but
    not when, then dealing out the same times anew among those who acted changes nothing. If
    people act because their neighbours did, it does.

    Time is cut into periods. A customer who has not acted yet and of whose neighbours ``a``
    acted in an earlier period acts in this period with probability

        ``p(a) = 1 / (1 + exp(-(alpha * ln(a + 1) + beta)))``

    Alpha is fitted by logistic regression to all customers and periods until the last act,
    with Firth's correction, which keeps it finite where few people acted. The test compares
    it with the alphas of the same graph with the times permuted at random among those who
    acted. Its p-value is right if, apart from the acts of neighbours, their times could be
    exchanged.

    Never does it say that one customer moved another, and what remains besides is listed in
    ``cannot_exclude``: in data that were only observed, homophily and contagion are in
    general confounded (Shalizi and Thomas 2011). An experiment can tell them apart.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. It should be as it was before anybody acted. A tie from u to v says
            that v may notice u; weights must not be negative, and count only as being there.
        times: when each customer acted first: a mapping, or a table with the columns
            ``customer`` and ``time``, where the first of several rows counts, so that the
            acts of a log can be given as they are. Instants with a time zone, or whole
            numbers (rounds). Who is not there, or has no time, has not acted.
        weight: the attribute or column of weights, where 0 is no tie; see `SocialGraph.of`.
        period: how long a period is, counted from the first act. Without it every instant
            at which somebody acts is a period, so that only the order counts. Acts in one
            period do not count as before each other.
        shuffles: how many permutations; 19 or more.
        seed: of the permutations; anything that ``numpy.random.default_rng`` takes.
        progress: called with a few words on the way, such as ``print``.

    Returns:
        A `ShuffleTest`. There is no answer, and ``conclusion`` says why, where nobody could
        have noticed anybody: an empty graph, fewer than two who acted, one period, or no
        ties from those who acted to others who had not.

    Raises:
        InvalidParameter: an option out of range, a negative weight, an instant without a
            zone, or ids of another type than those of the graph.
        InvalidTable: the table lacks a column, or its times are none.

    Complexity: for each shuffle, the ties of those who acted times a logarithm.

    Example:
        >>> import networkx as nx
        >>> ring = nx.cycle_graph(60)
        >>> found = shuffle_test(ring, {one: min(one, 60 - one) for one in range(60)})
        >>> found.p_value, found.significant
        (0.005, True)
        >>> found.conclusion
        'the order of the acts is evidence against homophily that does not change with time'
        >>> found.cannot_exclude[-1]
        'any other cause that was not observed'

    References:
        Anagnostopoulos, Kumar, Mahdian (2008), doi:10.1145/1401890.1401897. Shalizi and
        Thomas (2011), doi:10.1177/0049124111404820. Firth (1993),
        doi:10.1093/biomet/80.1.27.
    """
    shuffles = _checks.to_whole(shuffles, name="shuffles", least=19)
    rng = _sparse.generator(seed)
    seed_name = _sparse.name_seed(seed, rng)
    social = SocialGraph.of(graph, weight=weight)
    _sparse.check_not_negative(
        social.weights,
        "leave out the ties of those who would not follow",
    )
    who, instants, notes = first_acts(times, rounds=period is None)
    _entries.check_same_type(who, social.ids, name="times", of="the graph")
    places = _entries.places(social.ids, who)
    inside = places >= 0
    if not inside.all():
        outside = np.count_nonzero(~inside)
        notes += (f"{outside} customers who acted are not in the graph and do not count",)
    spell = _Spell(social, places[inside], to_periods(instants[inside], period))
    parameters: dict[str, Any] = {
        "measure": "shuffle test",
        "weight": social.weight,
        "directed": social.directed,
        "period": period,
        "periods": spell.last,
        "shuffles": shuffles,
        "seed": seed_name,
        "times": _checks.digest({"times": [who.tolist(), instants.tolist()]}),
        "customers": len(social),
        "ties": social.number_of_ties,
        "digest": _sparse.digest(social.ids, social.indptr, social.indices, social.weights),
    }
    if social.parameters:
        parameters["graph"] = dict(social.parameters)
    orders = _shuffled(spell.periods, shuffles, rng, progress)
    return _test(spell, shuffles, orders, parameters, notes)


class _Spell:
    """Who waited how long with how many neighbours that had acted, and who acted then.

    Args:
        graph: the graph.
        acted: the positions of those who acted.
        periods: the period of each, from 0.
    """

    def __init__(self, graph: SocialGraph, acted: Ints, periods: Ints) -> None:
        self.acted, self.periods = acted, periods
        self.last = int(periods.max(initial=-1)) + 1
        n = len(graph)
        has_acted = np.zeros(n, dtype=bool)
        has_acted[acted] = True
        noticed = _sparse.without_loops(graph.matrix()).T.tocsr()
        rows, columns = _sparse.row_of_each(noticed), noticed.indices
        kept = has_acted[columns]
        self._to, self._by = rows[kept].astype(np.int64), columns[kept]
        count = np.bincount(self._to, minlength=n)
        first = np.cumsum(count) - count
        self._rank = np.arange(len(self._to)) - first[self._to] + 1
        self._n = n

    def counts(self, periods: Ints) -> tuple[Floats, Floats]:
        """How many acted, and in how many periods somebody waited or acted, by neighbours.

        Args:
            periods: when each of those who acted did.
        """
        when = np.full(self._n, self.last, dtype=np.int64)
        when[self.acted] = periods
        left = np.minimum(when, self.last - 1)  # the last period in which one can still act
        mine, theirs = when[self._to], when[self._by]
        base = self._to * (self.last + 1)
        moments = np.sort(base + theirs) - base
        size = int(self._rank.max(initial=0)) + 2
        waited = np.maximum(np.minimum(mine, self.last - 1) - moments, 0).astype(np.float64)
        at_least = np.bincount(self._rank, weights=waited, minlength=size).astype(np.float64)
        at_least[0] = (left + 1).sum()
        seen = np.bincount(self._to[theirs < mine], minlength=self._n)
        acted = np.bincount(seen[self.acted], minlength=size).astype(np.float64)
        return acted[: size - 1], at_least[:-1] - at_least[1:]

    def alphas(self, orders: Iterable[Ints]) -> Floats:
        """The slope of the regression for each of some orders; NaN where it has none."""
        found = [self.counts(periods) for periods in orders]
        return fit(*(np.stack(part) for part in zip(*found, strict=True)))


def fit(acted: Floats, tried: Floats) -> Floats:
    """The slopes of acting on ``ln(a + 1)``, by logistic regression with Firth's correction.

    Each maximises the likelihood times the root of the determinant of Fisher's information,
    by scoring with steps that are halved until they are no worse.

    Args:
        acted: how many acted with a = 0, 1, ... neighbours, in each row.
        tried: in how many periods somebody could have, those included.

    Returns:
        The slope of each row; NaN where only one number of neighbours occurs.
    """
    good = ((tried > 0).sum(axis=1) > 1) & acted.any(axis=1)
    slopes = np.full(len(acted), np.nan)
    y, n = acted[good], tried[good]
    x = np.log1p(np.arange(acted.shape[1]))
    rate = (y.sum(axis=1) + 0.5) / (n.sum(axis=1) + 1)
    beta = np.stack([np.log(rate / (1 - rate)), np.zeros_like(rate)], axis=1)
    for _ in range(_STEPS):
        value, step = _scored(beta, x, y, n)
        step *= np.minimum(1.0, 4.0 / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        for _ in range(_HALVINGS):
            worse = _penalised(beta + step, x, y, n)[0] < value - 1e-12 * np.abs(value)
            if not worse.any():
                break
            step[worse] /= 2
        beta += step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    slopes[good] = beta[:, 1]
    return slopes


def _penalised(
    beta: Floats, x: Floats, y: Floats, n: Floats
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats]]:
    """The penalised logarithm, the probabilities; sum, mean and squares of the information."""
    eta = beta[:, :1] + beta[:, 1:] * x
    p = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
    w = n * p * (1 - p)
    total = np.maximum(w.sum(axis=1), 1e-300)
    mean = (w * x).sum(axis=1) / total
    squares = np.maximum((w * (x - mean[:, None]) ** 2).sum(axis=1), 1e-300)
    plain = (y * eta - n * np.logaddexp(0, eta)).sum(axis=1)
    return plain + 0.5 * (np.log(total) + np.log(squares)), p, (total, mean, squares)


def _scored(beta: Floats, x: Floats, y: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The penalised logarithm, and the step of Fisher's scoring."""
    value, p, (total, mean, squares) = _penalised(beta, x, y, n)
    gap = x - mean[:, None]
    leverage = n * p * (1 - p) * (1 / total[:, None] + gap**2 / squares[:, None])
    rest = y - n * p + leverage * (0.5 - p)
    slope = (rest * gap).sum(axis=1) / squares
    return value, np.stack([rest.sum(axis=1) / total - slope * mean, slope], axis=1)


def _test(
    spell: _Spell,
    shuffles: int,
    orders: Iterable[Ints],
    parameters: Mapping[str, Any],
    notes: tuple[str, ...],
) -> ShuffleTest:
    acted = len(spell.acted)
    alpha = float(spell.alphas([spell.periods])[0])
    if np.isnan(alpha):
        return ShuffleTest(
            alpha=None,
            expected=None,
            low=None,
            high=None,
            p_value=None,
            significant=None,
            acted=acted,
            conclusion=_reason(spell),
            parameters=parameters,
            notes=notes,
        )
    found = spell.alphas(orders)
    known = found[~np.isnan(found)]
    if len(known) < shuffles:
        notes += (f"{shuffles - len(known)} shuffles have no alpha and count as no smaller",)
    reached = shuffles - int((known < alpha - _NEAR).sum())
    p_value = (1 + reached) / (1 + shuffles)
    significant = p_value <= _LEVEL
    verdict = "is evidence" if significant else "is no evidence"
    chance: list[float | None] = [None, None, None]
    if len(known):
        quantiles = np.quantile(known, [_LEVEL / 2, 1 - _LEVEL / 2])
        chance = [float(known.mean()), *quantiles.tolist()]
    return ShuffleTest(
        alpha=alpha,
        expected=chance[0],
        low=chance[1],
        high=chance[2],
        p_value=p_value,
        significant=significant,
        acted=acted,
        conclusion=f"the order of the acts {verdict} against homophily that does not change "
        f"with time",
        parameters=parameters,
        notes=notes,
    )


def _shuffled(
    periods: Ints, shuffles: int, rng: np.random.Generator, progress: Progress | None
) -> Iterator[Ints]:
    """The periods dealt out anew, time and again."""
    step = max(shuffles // _REPORTS, 1)
    for done in range(shuffles):
        yield rng.permutation(periods)
        if progress is not None and (done + 1) % step == 0:
            progress(f"counted {done + 1:,} of {shuffles:,} shuffles")


def _reason(spell: _Spell) -> str:
    """Why there is no answer."""
    if len(spell.acted) < 2:
        return "fewer than two customers of the graph acted, so there is no order to test"
    if spell.last < 2:
        return "all acted in the same period, so there is no order to test"
    return "nobody had neighbours who acted before, so there is nothing to test"
