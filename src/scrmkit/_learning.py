"""Probabilities learned from past cascades: how often one customer acts after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _codes, _columns, _shrinkage, _sparse, _tables
from scrmkit._checks import Frozen
from scrmkit._exposures import Arcs, Exposures, find_exposures
from scrmkit._shrinkage import Estimates
from scrmkit._sparse import Floats, Ints, np
from scrmkit._tables import Home
from scrmkit._ties import automated_in, check_log
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph
from scrmkit.results import Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    from scrmkit._acts import Acts
    from scrmkit.log import InteractionLog

    Seed = int | SeedSequence | BitGenerator | Generator | None

After = Literal["in_reply_to", "target", "about", "thread"]

_DRAWS: Final = 1_000
_CONFIDENCE: Final = 1 - 2 * _shrinkage.TAIL
_LEAST: Final = 1e-6  # what no probability is nearer to 0 or 1 in a likelihood
_RULES: Final = ("learned", "constant", "1/degree", "scaled 1/degree")
_OWNERS: Final = 5  # who acted first: with fewer there is no bootstrap over them
_FEW: Final = (
    "the trials follow acts of {} customers: with fewer than {} nobody can say how much the gains "
    "vary from one to another, so their bounds are null"
)
_WHAT_IT_IS: Final = "who acted after whom; that is not who acted because of whom"
_NOTHING: Final = (
    "the log has no trial after the instant to which the probabilities were learned: give a log "
    "that goes on after it for longer than within"
)


@frozen
class _Options:
    """How acts follow one another."""

    on: str
    limit: int
    words: tuple[str, ...] | None


@frozen
class _Learned:
    """What was learned of the pairs of a log: trials, successes and probabilities."""

    arcs: Arcs
    trials: Floats
    successes: Floats
    estimates: Estimates


class Probabilities(Result):
    """How likely one customer acts after another, for every pair that can; and a check of it.

    Attributes:
        left_out: acts that are ``automated``; others that have ``nobody`` as their source;
            and acts that are ``unmatched``: they could have been a success and followed no
            act of anybody in time, or one of somebody by whom the customer could not be
            moved, or not yet.

    Example:
        >>> from datetime import timedelta
        >>> from scrmkit import InteractionLog
        >>> from scrmkit.diffusion import learn_probabilities
        >>> log = InteractionLog.from_records(
        ...     [{"time": f"2026-03-01T{hour:02d}:00Z", "source": who, "target": whom}
        ...      for hour, who, whom in [(1, "ben", "ana"), (2, "ana", "cem"), (3, "ben", "ana"),
        ...                              (4, "ana", "cem"), (7, "cem", "ana"), (9, "ana", "cem")]],
        ...     constants={"kind": "message"},
        ... )
        >>> learned = learn_probabilities(log, on="target", within=timedelta(hours=2))
        >>> learned.frame.select("a", "b", "trials_ab", "successes_ab").rows()
        [('ana', 'ben', 2, 1.0), ('ana', 'cem', 0, 0.0)]
        >>> SocialGraph.of(learned, weight="probability")
        <SocialGraph: 3 customers, 3 directed ties, weight 'probability'>
    """

    def __init__(self, learned: _Learned, options: _Options, **made: Any) -> None:
        self.left_out: Mapping[str, int] = Frozen(made.pop("left_out"))
        super().__init__(columns=_rows(learned, made["home"]), order="probability_ab", **made)
        self._learned = learned
        self._options = options

    def check(
        self,
        log: InteractionLog,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        seed: Seed = 0,
    ) -> Result:
        """How well the probabilities foretell what happened after they were learned.

        The trials are those after the ``as_of`` of the probabilities, of the same pairs and
        by the same rules. Each rule says how likely each of them succeeds:

        =================== ==================================================================
        rule                probability
        =================== ==================================================================
        ``learned``         these
        ``constant``        that of all trials together that were learned from
        ``1/degree``        one over the number of customers by whom somebody can be moved
        ``scaled 1/degree`` the same, times what makes it right on average for the trials that
                            were learned from
        =================== ==================================================================

        Args:
            log: the log, gone on; or another one with the same customers.
            as_of: nothing later counts; None for the last instant of the log. A trial counts
                where ``within`` is over by then.
            known_at: nothing that the host learnt later counts; None for all of it.
            seed: for the intervals; anything that ``numpy.random.default_rng`` takes.

        Returns:
            One row for each rule, with the columns ``rule``, ``trials``, ``successes``,
            ``expected`` (successes, by the rule), ``log_likelihood`` (per trial; higher is
            better), ``brier`` (mean squared error; lower is better), and how much better
            ``learned`` is than this rule: ``gain`` in log-likelihood with ``gain_low``,
            ``gain_high``, and ``brier_gain`` with ``brier_gain_low``, ``brier_gain_high``;
            above 0 it is better, null for itself. Intervals are of 95 %, by bootstrap over
            those who acted first (1,000 draws), since all that follows one of their acts
            hangs together. With fewer than five of them the bounds are null, and a note says
            so; with few more than that they are too narrow.

            An act that followed several is one success, whose probability is one less the
            product of ``1 - probability``. Then trials are no longer told apart one by one,
            so Brier scores are null. No probability is nearer to 0 or 1 than 1e-6 in a
            likelihood.

        Raises:
            InvalidParameter: the log has no trial after that instant.

        References:
            Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
        """
        rng = _sparse.generator(seed)
        named = _sparse.name_seed(seed, rng)
        options, learned = self._options, self._learned
        acts = _acts(log, options.on, as_of, known_at)
        rows, _ = _collect(acts, options)
        split, end = self.parameters["as_of"], acts.instant.read()
        if split is None or end is None or not len(learned.arcs.u):
            raise InvalidParameter(_NOTHING)
        span = _codes.microsecond_of(split), _codes.microsecond_of(end) - options.limit
        found = find_exposures(rows, on=options.on, limit=options.limit, arcs=learned.arcs)
        trials = found.trials(*span)
        if not trials.any():
            raise InvalidParameter(_NOTHING)
        owners = len(np.unique(found.arcs.u[trials > 0]))
        draws = rng if owners >= _OWNERS else None
        return Result(
            columns=_compare(learned, found, span, draws, acts.home),
            home=acts.home,
            notes=() if draws else (_FEW.format(owners, _OWNERS),),
            parameters={
                "method": "check_probabilities",
                "as_of": acts.instant,
                "known_at": known_at,
                "draws": _DRAWS,
                "confidence": _CONFIDENCE,
                "seed": named,
                "learned": dict(self.parameters),
            },
            order="log_likelihood",
        )


def learn_probabilities(
    log: InteractionLog,
    *,
    within: timedelta,
    on: After = "in_reply_to",
    graph: Any = None,
    kinds: Iterable[str] | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Probabilities:
    r"""Learn from what happened how likely one customer acts after another.

    An act of ``u`` is a *trial* for every ``v`` that can be moved by ``u``, and a *success*
    where ``v`` follows it within a given time:

    ================= ====================================================================
    on                ``v`` follows an act of ``u``
    ================= ====================================================================
    ``"in_reply_to"`` by an act that has its id in ``in_reply_to``
    ``"target"``      by an act that points at ``u``, and that is the latest act of ``u``
                      before it (for logs without ids: an inference)
    ``"about"``,      by acting about the same thing, or in the same thread, for the first
    ``"thread"``      time; the first act of each customer counts, and is no trial for those
                      who had acted before
    ================= ====================================================================

    Where ``v`` acts about a thing after ``k`` of those by whom it can be moved, each of them
    has ``1 / k`` of the success (the partial credits of Goyal et al. 2010).

    Most pairs have few trials, so the share of successes is drawn towards that of all pairs,
    ``(s m + successes) / (s + trials)`` (a beta-binomial model). The strength ``s`` is how
    many trials weigh as much as what is known of all pairs: large where these differ little.
    ``m`` is the mean of the shares of the pairs, weighted by how sure each is: that of all
    trials together where ``s`` is large, plus half a success and half a failure. Neither is
    known for sure, so a probability is averaged over what ``s`` and ``m`` may be, by how
    likely the counts are then; beforehand every ``s / (s + trials)`` of a pair with the usual
    number of trials is equally likely (Daniels 1999).

    This is what happened after what, and no proof that it happened because of it: people who
    are alike, or who heard the same news, act after one another too (Shalizi and Thomas 2011).

    Args:
        log: the interactions.
        within: how long after an act it can be followed. A trial counts once this is over.
        on: how one knows what an act follows.
        graph: who can be moved by whom: an arc from ``u`` to ``v`` where ``v`` sees what ``u``
            does (a networkx graph, ties or a `SocialGraph`; undirected ties count both ways).
            Without it those who have acted towards ``u``, from then on: what made a pair
            known is no success of it, so successes are not counted for being successes.
        kinds: the kinds of acts that can be a success, such as ``["repost"]``; None for all.
            Acts of any kind can be a trial.
        as_of: nothing later counts; None for the last instant of the log.
        known_at: nothing that the host learnt later counts; None for all of it.

    Returns:
        A result with one row for each pair ``a < b`` that can be moved one way or both, in
        order: ``probability_ab`` (that ``b`` follows an act of ``a``) and ``probability_ba``,
        ``low_ab``, ``high_ab``, ``low_ba``, ``high_ba``, ``trials_ab``, ``trials_ba``,
        ``successes_ab``, ``successes_ba``. ``SocialGraph.of(result, weight="probability")`` is
        the graph to hand on. A direction in which nobody can be moved has the probability 0,
        so that it is no arc, and null bounds. A pair without a trial has the mean of all pairs, and
        an interval of where pairs are. The intervals are quantiles of what is left for each
        pair, how unsure ``s`` and ``m`` are included; where pairs differ as the model says
        they hold with 95 % on average over pairs, and with 92 to 95 % for ten pairs or
        fewer (simulated). With hardly a success they say little: 88 % hold where one trial
        in 500 of 1,000 succeeds. Without any trial at all there are no rows. The parameters
        ``prior_mean`` and ``prior_strength`` are the means of ``m`` and (of its logarithm) ``s``.

    Raises:
        InvalidTable: the log lacks ``source`` or a column that ``on`` needs; or, without a
            graph, ``target``.
        InvalidParameter: another ``on``, ``within`` not longer than zero, no list of kinds, a
            time without a zone, an empty log without ``as_of``, ids of the graph of another
            type than those of the log.

    Complexity: sorting acts and pairs; for ``about`` and ``thread`` besides each act times
    those who can be moved by who did it, in portions. A lazy log is read.

    Example:
        >>> from datetime import timedelta
        >>> from scrmkit import InteractionLog, SocialGraph
        >>> from scrmkit.diffusion import learn_probabilities
        >>> told = [(1, "ana", "tea"), (2, "ben", "tea"), (3, "ana", "jam"), (9, "ana", "ink")]
        >>> log = InteractionLog.from_records(
        ...     [{"time": f"2026-03-01T{hour:02d}:00Z", "source": who, "about": what}
        ...      for hour, who, what in told],
        ...     constants={"kind": "post"},
        ... )
        >>> sees = SocialGraph.from_edges(["ana"], ["ben"], directed=True)
        >>> learned = learn_probabilities(log, on="about", graph=sees, within=timedelta(hours=2))
        >>> learned.frame.select("a", "b", "trials_ab", "successes_ab", "probability_ba").rows()
        [('ana', 'ben', 2, 1.0, 0.0)]

    References:
        Goyal, Bonchi, Lakshmanan (2010), Learning influence probabilities in social networks,
        doi:10.1145/1718487.1718518. Shalizi and Thomas (2011), doi:10.1177/0049124111404820.
        Daniels (1999), A prior for the variance in hierarchical models, doi:10.2307/3316122.
    """
    if on not in get_args(After):
        raise InvalidParameter('on must be "in_reply_to", "target", "about" or "thread"', value=on)
    limit = _codes.micros_in(within, name="within")
    social = None if graph is None else SocialGraph.of(graph)
    acts = _acts(log, on, as_of, known_at)
    words = _codes.words_of(kinds, log.vocabulary)
    if on in ("about", "thread") and social is None and "target" not in acts.columns:
        raise InvalidTable(
            "the log has no column 'target', so it does not say who acted towards whom: give "
            "graph, which says who can be moved by whom"
        )
    options = _Options(on, limit, words)
    rows, left_out = _collect(acts, options)
    arcs = None if social is None else _arcs(social)
    found = find_exposures(rows, on=on, limit=limit, arcs=arcs)
    end = acts.instant.read()
    until = 0 if end is None else _codes.microsecond_of(end) - limit
    learned = _learn(found, until)
    return Probabilities(
        learned,
        options,
        left_out={**left_out, "unmatched": found.unmatched},
        home=acts.home,
        notes=(_WHAT_IT_IS, *_codes.unused_kinds(rows, words)),
        parameters={
            "method": "learn_probabilities",
            "on": on,
            "within": within,
            "kinds": None if words is None else list(words),
            "credit": "shared",
            "graph": None if social is None else dict(social.parameters),
            "as_of": acts.instant,
            "known_at": known_at,
            "pairs": len(learned.arcs.u),
            "trials": int(learned.trials.sum()),
            "successes": float(learned.successes.sum()),
            "prior_mean": learned.estimates.mean,
            "prior_strength": learned.estimates.strength,
            "confidence": _CONFIDENCE,
            **log.parameters,
        },
    )


def _acts(log: InteractionLog, on: str, as_of: datetime | None, known_at: datetime | None) -> Acts:
    check_log(log)
    acts = log.acts(as_of=as_of, known_at=known_at)
    needed = ["source", on, *(["id"] if on == "in_reply_to" else [])]
    _tables.check_columns(acts.columns, needed, where="the log")
    return acts


def _collect(acts: Acts, options: _Options) -> tuple[nw.DataFrame[Any], dict[str, int]]:
    """The acts that have a source and are not automated, and how many are left out."""
    wanted = ["source", "target"]
    wanted += ["id", "in_reply_to", "scope"] if options.on == "in_reply_to" else [options.on]
    rows = _codes.collect(
        acts.frame.select(
            *(name for name in dict.fromkeys(wanted) if name in acts.columns),
            "time",
            automated_in(acts.frame).alias("automated"),
            _codes.passes_in(options.words).alias("passes"),
        )
    )
    people = rows.filter(~nw.col("automated"))
    somebody = people.filter(~nw.col("source").is_null())
    return somebody, {
        "automated": len(rows) - len(people),
        "nobody": len(people) - len(somebody),
    }


def _arcs(graph: SocialGraph) -> Arcs:
    start = _sparse.row_of_each(graph.matrix()).astype(np.int64)
    return Arcs(graph.ids, start, graph.indices.astype(np.int64))


def _learn(found: Exposures, until: int) -> _Learned:
    """Probabilities from the trials whose act is not after an instant."""
    arcs = found.arcs
    trials = found.trials(None, until).astype(np.float64)
    if not trials.any():
        none = np.zeros(0, dtype=np.int64)
        arcs, trials = Arcs(arcs.ids, none, none), np.zeros(0)
    won = found.wins(None, until)
    share = 1 / np.bincount(found.won.event)[won.event] if len(won.event) else np.zeros(0)
    successes = _sum_by(won.pair, share, len(arcs.u))
    return _Learned(arcs, trials, successes, _shrinkage.estimate_probabilities(successes, trials))


def _rows(learned: _Learned, home: Home | None) -> dict[str, Any]:
    """One row for each pair: what was learned from the first to the second, and back."""
    arcs, n = learned.arcs, max(len(learned.arcs.ids), 1)
    forth = arcs.u < arcs.v
    keys = np.minimum(arcs.u, arcs.v) * n + np.maximum(arcs.u, arcs.v)
    pairs, place = np.unique(keys, return_inverse=True)
    numbers = {
        "probability": learned.estimates.expected,
        "low": learned.estimates.low,
        "high": learned.estimates.high,
        "trials": learned.trials.astype(np.int64),
        "successes": learned.successes,
    }
    columns: dict[str, Any] = {}
    for name, values in numbers.items():
        for end, way in (("ab", forth), ("ba", ~forth)):
            column = np.zeros(len(pairs), dtype=values.dtype)
            column[place[way]] = values[way]
            columns[f"{name}_{end}"] = column
    for end, way in (("ab", forth), ("ba", ~forth)):
        there = np.zeros(len(pairs), dtype=bool)
        there[place[way]] = True
        for name in ("low", "high"):
            column = columns[f"{name}_{end}"]
            columns[f"{name}_{end}"] = _columns.numbers(column, home, where=there)
    order = ["probability_ab", "probability_ba", "low_ab", "high_ab", "low_ba", "high_ba"]
    order += ["trials_ab", "trials_ba", "successes_ab", "successes_ba"]
    return {
        "a": _codes.names_of(arcs.ids, pairs // n, home),
        "b": _codes.names_of(arcs.ids, pairs % n, home),
        **{name: columns[name] for name in order},
    }


def _rivals(learned: _Learned) -> list[Floats]:
    """What each rule says of each pair."""
    arcs, total = learned.arcs, float(learned.successes.sum())
    degree = np.bincount(arcs.v, minlength=len(arcs.ids))[arcs.v]
    inverse = 1 / degree
    scale = total / float((learned.trials * inverse).sum())
    constant = total / float(learned.trials.sum())
    return [
        learned.estimates.expected,
        np.full(len(arcs.u), constant),
        inverse,
        np.minimum(scale * inverse, 1.0),
    ]


def _compare(
    learned: _Learned,
    found: Exposures,
    span: tuple[int, int],
    rng: np.random.Generator | None,
    home: Home | None,
) -> dict[str, Any]:
    """How well each rule foretells the trials of a time; without a generator no bounds."""
    trials, won = found.trials(*span), found.wins(*span)
    events, event, shared = np.unique(won.event, return_inverse=True, return_counts=True)
    single = bool((shared == 1).all())
    failed = trials - np.bincount(won.pair, minlength=len(trials))
    owners, owner = np.unique(found.arcs.u, return_inverse=True)

    def sums(pairs: Floats, wins: Floats) -> Floats:
        """What each customer who acted first adds: over failed trials, and over successes."""
        of_wins = _sum_by(owner[won.pair], wins[event] / shared[event], len(owners))
        return _sum_by(owner, failed * pairs, len(owners)) + of_wins

    fits, errors, expected = [], [], []
    for rule in _rivals(learned):
        p = np.clip(rule, _LEAST, 1 - _LEAST)
        missed = _sum_by(event, np.log1p(-p)[won.pair], len(events))
        fits.append(sums(np.log1p(-p), np.log(-np.expm1(missed))))
        some = _sum_by(event, rule[won.pair], len(events))
        errors.append(-sums(rule**2, (1 - some) ** 2))
        expected.append(float(trials @ rule))
    weight = _sum_by(owner, trials.astype(np.float64), len(owners))
    fit, gain = _gains(fits, weight, rng)
    error, brier_gain = _gains(errors, weight, rng)
    columns: dict[str, Any] = {
        "rule": list(_RULES),
        "trials": np.full(len(_RULES), int(trials.sum())),
        "successes": np.full(len(_RULES), len(events)),
        "expected": np.array(expected),
        "log_likelihood": fit,
        "brier": _columns.numbers(-error, home, where=np.full(len(_RULES), single)),
    }
    for name, values in (("gain", gain), ("brier_gain", brier_gain)):
        for part, end in zip(values, ("", "_low", "_high"), strict=True):
            there = (name == "gain" or single) and (rng is not None or end == "")
            where = np.arange(len(_RULES)) > (0 if there else len(_RULES))
            columns[name + end] = _columns.numbers(np.append(0.0, part), home, where=where)
    return columns


def _sum_by(places: Ints, values: Floats, n: int) -> Floats:
    return np.bincount(places, weights=values, minlength=n).astype(np.float64)


def _gains(
    scores: list[Floats], weight: Floats, rng: np.random.Generator | None
) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """The mean score of each rule, and how much better the first is, with an interval."""
    table = np.stack(scores)
    some = np.flatnonzero(weight)
    table, weight = table[:, some], weight[some]
    ahead = table[0] - table[1:]
    gain = ahead.sum(axis=1) / weight.sum()
    if rng is None:
        return table.sum(axis=1) / weight.sum(), (gain, gain, gain)
    drawn = np.empty((_DRAWS, len(ahead)))
    for draw in range(_DRAWS):
        times = np.bincount(rng.integers(len(some), size=len(some)), minlength=len(some))
        drawn[draw] = ahead @ times / (weight @ times)
    tails = [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]
    low, high = np.quantile(drawn, tails, axis=0)
    return table.sum(axis=1) / weight.sum(), (gain, low, high)
