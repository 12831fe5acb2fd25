"""Whom to believe, from signed and graded ties: reputation, and what one would think of another.

`ratings` makes of a log how customers rated each other. `eigentrust` and `fairness_goodness`
say what everybody together thinks of each; `predict` what one customer would think of another,
and `evaluate` how far off such predictions are, beside plain means, which are hard to beat.
Each takes ratings (a result, or any table with ``source``, ``target`` and ``rating``, one row
for each pair) or a directed graph whose weights are ratings, all from -1 to 1.

Trust is a forecast and not a fact about a person: it says what raters like these would say,
also where they are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scrmkit import _columns, _predictions, _sparse, _walks
from scrmkit._checks import Id, check_id, check_range, digest
from scrmkit._evaluation import evaluate
from scrmkit._judgements import Judgements, Pairs, to_plain
from scrmkit._predictions import HORIZON, REASONS, THRESHOLD, Method
from scrmkit._ratings import Ratings, ratings
from scrmkit._reputation import PRECISION, FairnessGoodness
from scrmkit._sparse import Floats, np
from scrmkit.errors import InvalidParameter, UnknownCustomer
from scrmkit.results import Lookup, Numbers, Ranking, Result


__all__ = [
    "Method",
    "Ratings",
    "eigentrust",
    "evaluate",
    "fairness_goodness",
    "predict",
    "ratings",
]


def eigentrust(
    ratings: Any,
    *,
    trusted: Numbers | Iterable[Id] | None = None,
    damping: float = 0.85,
) -> Ranking:
    r"""Rank customers by the trust that flows to them from those who are trusted: EigenTrust.

    With ``s(i, j)`` the rating that i gave j and ``p`` the trust given beforehand::

        c(i, j)  = max(s(i, j), 0) / sum_k max(s(i, k), 0), or p(j) where that sum is 0
        trust(j) = damping * sum_i c(i, j) trust(i) + (1 - damping) * p(j)

    **Distrust does not count.** A negative rating is worth as little as none, and the notes of
    the result say how many there were. `fairness_goodness` uses them.

    Args:
        ratings: a result or a table with ``source``, ``target``, ``rating``, or a directed
            networkx graph or `SocialGraph` (see `fairness_goodness`).
        trusted: who is trusted beforehand: ids, or a mapping from ids to weights, which are
            brought to the sum 1; None for everybody alike. Only with some that deserve it do
            those who rate each other well in a closed group gain little by it: they get
            nothing that is not passed to them from outside or given here.
        damping: how much of the trust is passed on by ratings; from 0 to below 1. The paper
            calls ``1 - damping`` a.

    Returns:
        A ranking, largest value first, with the columns ``customer``, ``value`` and ``rank``
        (1 is the largest; values that agree to 1e-9 of the largest share a rank and are in
        order of id). Values are at least 0 and sum to 1, exact to 1e-10 in sum. No customers
        give an empty ranking.

    Raises:
        InvalidParameter: ratings out of range or that come twice, an option out of range.
        UnknownCustomer: ``trusted`` names an id that is not among the ratings.
        InvalidTable: a column is missing, null somewhere, or of the wrong type.
        NotConverged: a damping so near 1 that 20,000 steps do not do.

    Complexity: linear in ratings for each step, of which there are tens.

    Example:
        >>> import polars as pl
        >>> from scrmkit import trust
        >>> table = pl.DataFrame(
        ...     [("ana", "ben", 1.0), ("ben", "cem", 0.5), ("ben", "dot", -0.5)],
        ...     schema=["source", "target", "rating"], orient="row",
        ... )
        >>> found = trust.eigentrust(table, trusted=["ana"])
        >>> {who: round(value, 3) for who, value in found.items()}
        {'ana': 0.389, 'ben': 0.33, 'cem': 0.281, 'dot': 0.0}
        >>> found.notes
        ('1 of 3 ratings are negative and count as none',)

    References:
        Kamvar, Schlosser, Garcia-Molina (2003), doi:10.1145/775152.775242.
    """
    damping = check_range(damping, name="damping", error=InvalidParameter, low=0, high=1)
    if damping == 1:
        raise InvalidParameter("damping must be below 1: at 1 nobody is trusted beforehand")
    known = Judgements.of(ratings)
    n = len(known.ids)
    values = np.zeros(0)
    start = np.full(n, 1 / max(n, 1)) if trusted is None else _beforehand(known, trusted)
    if n:
        good = known.rating > 0
        rows, columns = (part[good].astype(np.int32) for part in (known.source, known.target))
        matrix = _sparse.from_arcs(rows, columns, known.rating[good], n)
        values = _walks.restart_walk(matrix, start, damping, symmetric=False)
    order, ranks = _columns.ranks(values)
    negative = int(np.count_nonzero(known.rating < 0))
    clipped = f"{negative:,} of {len(known):,} ratings are negative and count as none"
    return Ranking(
        {
            "customer": _columns.names(known.ids[order], known.home),
            "value": values[order],
            "rank": ranks,
        },
        value="value",
        home=known.home,
        parameters={
            "method": "eigentrust",
            "damping": damping,
            "trusted": None if trusted is None else _digest(known, start),
            "tolerance": 1e-10,
            **known.origin(),
        },
        notes=(*((clipped,) if negative else ()), *known.notes()),
    )


def fairness_goodness(ratings: Any) -> Result:
    r"""How good each customer is by the ratings received, and how fair a rater by those given.

    Each is defined by the other, over those who rated v and those whom u rated::

        goodness(v) = mean over u of fairness(u) * rating(u, v)
        fairness(u) = 1 - mean over v of |rating(u, v) - goodness(v)| / 2

    The equations have one solution, which is found to 1e-10.

    Args:
        ratings: a result or a table with ``source``, ``target`` and ``rating`` (-1 to 1), one
            row for each pair, or a directed networkx graph or `SocialGraph` whose weights are
            ratings. In networkx the attribute is ``weight``, and an edge without one is a
            rating of 1. A `SocialGraph` has no ratings of 0 and has added up parallel ones, so
            prefer a table. Ratings of oneself are left out, with a note. Each pair counts
            once, whatever it rests on.

    Returns:
        A result with the columns ``customer``, ``goodness`` (-1 to 1), ``fairness`` (0 to 1),
        ``n_received`` and ``n_given`` (how many ratings each is the mean of: the fewer, the
        less it says), the largest goodness first, equal ones (to 1e-9 of the largest) in order
        of id. The goodness of who received no rating and the fairness of who gave none are null:
        the definition says nothing of them. Customers without a goodness come last. No
        customers give an empty table.

    Raises:
        InvalidParameter: ratings out of range or not finite, a pair that comes twice, or an
            undirected graph.
        InvalidTable: a column is missing, null somewhere, or of the wrong type.

    Complexity: linear in ratings for each step, of which there are at most 35.

    Example:
        >>> import polars as pl
        >>> from scrmkit import trust
        >>> table = pl.DataFrame(
        ...     [("ana", "cem", 1.0), ("ben", "cem", 1.0), ("troll", "cem", -1.0)],
        ...     schema=["source", "target", "rating"], orient="row",
        ... )
        >>> found = trust.fairness_goodness(table).frame
        >>> found.select(pl.col("customer"), pl.col("goodness", "fairness").round(2)).rows()
        [('cem', 0.33, None), ('ana', None, 0.67), ('ben', None, 0.67), ('troll', None, 0.33)]

    References:
        Kumar, Spezzano, Subrahmanian, Faloutsos (2016), doi:10.1109/ICDM.2016.0033.
    """
    known = Judgements.of(ratings)
    solved = FairnessGoodness.of(known.matrix())
    unrated, silent = solved.received == 0, solved.given == 0
    order = _columns.ranks(np.where(unrated, -2.0, solved.goodness))[0]
    return Result(
        columns={
            "customer": _columns.names(known.ids[order], known.home),
            "goodness": _columns.numbers(solved.goodness[order], known.home, where=~unrated[order]),
            "fairness": _columns.numbers(solved.fairness[order], known.home, where=~silent[order]),
            "n_received": solved.received[order],
            "n_given": solved.given[order],
        },
        home=known.home,
        parameters={"method": "fairness_goodness", "tolerance": PRECISION, **known.origin()},
        order="goodness",
        notes=known.notes(),
    )


def predict(
    ratings: Any,
    pairs: Any,
    *,
    method: str = "mean_both",
    horizon: int = HORIZON,
    threshold: float = THRESHOLD,
) -> Result:
    r"""How a customer would rate another.

    The source's own rating of the target is never used, if there is one: what is predicted is
    what the others know. So methods can be compared on pairs whose ratings are known.

    ===================== ================================================================
    method                rating of a target by a source
    ===================== ================================================================
    ``mean``              the mean of all ratings
    ``mean_received``     the mean of what the target received
    ``mean_given``        the mean of what the source gave
    ``mean_both``         the mean of all, plus how far the target, and then the source, is
                          off it in ratings of its own; both are shrunk as if there were
                          five more ratings without such a difference (after Koren 2010)
    ``fairness_goodness`` the source's fairness times the target's goodness
    ``tidaltrust``        what is heard along the shortest paths of ratings above 0 to those
                          who rated the target, and of these along the strongest (a path is
                          as strong as its smallest rating): the mean of what those say
                          whom one rates, weighed by that, and of these likewise (Golbeck
                          2005)
    ``moletrust``         going outwards from the source, the trust in a customer is the mean
                          of the ratings received from those one step nearer who are trusted
                          by ``threshold`` at least, weighed by this trust (Massa and Avesani
                          2007)
    ===================== ================================================================

    Both papers on trust that is passed along know ratings of at least 0. Here the last rating of
    a path, which is what is asked for, may be negative, and the others pass nothing on unless they
    are above 0 (TidalTrust) or make the trust reach the threshold (MoleTrust). In MoleTrust steps
    are counted along those who do: nobody comes nearer by the word of who is not trusted.

    Args:
        ratings: what there is; see `fairness_goodness`.
        pairs: whom to ask about: a table with ``source`` and ``target``, or a list of pairs.
            They may be unknown among the ratings.
        method: one of the above.
        horizon: for ``tidaltrust`` and ``moletrust``, how many ratings a path may have,
            the last included.
        threshold: for ``moletrust``, from how much trust on one is listened to; above 0. The
            default is that of the paper, whose ratings are 0 or 1: where most of yours are .1,
            few pass it.

    Returns:
        A result with the columns ``source``, ``target``, ``rating`` (-1 to 1), ``n`` (how many
        ratings the answer is the last mean of: of the target by those who were listened to; for
        ``mean_given`` those of the source, for ``mean_both`` of either) and ``reason``, one row
        for each pair, in the order given. Where nothing can be said the rating is null, n is 0
        and the reason says why; else the reason is null. There is no interval: `evaluate` says
        how far off a method is.

    Raises:
        InvalidParameter: an unknown method, an option or a rating out of range, pairs that
            are none, or an id that is no id.
        InvalidTable: a column is missing, null somewhere, or of the wrong type.

    Complexity: the ratings are read anew by each call, so ask for many pairs at once. For
    ``tidaltrust`` and ``moletrust``, the ratings within the horizon, once for each
    source and once for each pair that has a rating of its own; for ``fairness_goodness``,
    linear in ratings for each step, once, and anew for each pair that has one.

    Example:
        >>> import polars as pl
        >>> from scrmkit import trust
        >>> table = pl.DataFrame(
        ...     [("ana", "ben", 0.75), ("ana", "cem", 0.25), ("ben", "eve", 1.0),
        ...      ("cem", "eve", -1.0)],
        ...     schema=["source", "target", "rating"], orient="row",
        ... )
        >>> pairs = [("ana", "eve"), ("eve", "ana")]
        >>> for method in ("tidaltrust", "moletrust"):
        ...     print(trust.predict(table, pairs, method=method, threshold=0.2).frame.rows())
        [('ana', 'eve', 1.0, 1, None), ('eve', 'ana', None, 0, 'the source rated nobody else')]
        [('ana', 'eve', 0.5, 2, None), ('eve', 'ana', None, 0, 'the source rated nobody else')]

    References:
        Golbeck (2005), Computing and applying trust in web-based social networks, University of
        Maryland; Golbeck, Hendler (2006), doi:10.1145/1183463.1183470. Massa, Avesani (2007),
        doi:10.4018/jswis.2007010103. Kumar et al. (2016), doi:10.1109/ICDM.2016.0033. Koren
        (2010), doi:10.1145/1644873.1644874.
    """
    _predictions.check_method(method)
    horizon, threshold = _predictions.check_limits(horizon, threshold)
    known = Judgements.of(ratings)
    asked = Pairs.of(pairs, known)
    found = _predictions.predict(
        known,
        asked.source,
        asked.target,
        same=asked.same,
        method=method,
        horizon=horizon,
        threshold=threshold,
    )
    missing = found.reason >= 0
    home = asked.home or known.home
    silent = int(np.count_nonzero(missing))
    note = f"nothing can be said of {silent:,} of {len(missing):,} pairs; see the reasons"
    return Result(
        columns={
            "source": asked.sources,
            "target": asked.targets,
            "rating": _columns.numbers(found.rating, home, where=~missing),
            "n": found.n,
            "reason": _columns.words(
                [REASONS[why] if why >= 0 else None for why in found.reason.tolist()], home
            ),
        },
        home=home,
        parameters={
            "method": method,
            **_options(method, horizon, threshold),
            "pairs": asked.digest(),
            **known.origin(),
        },
        order="rating",
        notes=(*((note,) if silent else ()), *known.notes()),
    )


def _beforehand(known: Judgements, wanted: Numbers | Iterable[Id]) -> Floats:
    """The trust given beforehand, as shares that add up to 1."""
    weighed = isinstance(wanted, Mapping | Lookup)
    is_table = not weighed and hasattr(wanted, "columns")  # iterating it would give its columns
    if is_table or isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise InvalidParameter(
            f"trusted is of type {type(wanted).__name__}: give a list of ids, or a mapping of "
            f"ids to weights",
            value=wanted,
        )
    shares: list[tuple[Any, Any]]
    if isinstance(wanted, Mapping | Lookup):
        shares = list(wanted.items())
    else:
        shares = [(customer, 1.0) for customer in wanted]
    shares = [(to_plain(customer), value) for customer, value in shares]
    for customer, _ in shares:
        check_id(customer, name="an id in trusted", error=InvalidParameter)
    places = known.positions(customer for customer, _ in shares)
    start = np.zeros(len(known.ids))
    for (customer, value), place in zip(shares, places.tolist(), strict=True):
        number = check_range(value, name="a weight in trusted", error=InvalidParameter, low=0)
        if place < 0:
            raise UnknownCustomer("a trusted customer is not among the ratings", value=customer)
        start[place] = number
    if not start.any():
        raise InvalidParameter("trusted must give some customer more than 0")
    start /= start.max()
    start /= start.sum()
    return start


def _digest(known: Judgements, start: Floats) -> str:
    """Sixteen digits that name who is trusted beforehand and how much."""
    some = np.flatnonzero(start)
    return digest({"customers": known.ids[some].tolist(), "shares": start[some].tolist()})


def _options(method: str, horizon: int, threshold: float) -> dict[str, Any]:
    """The options that a method of prediction depends on."""
    made: dict[str, Any] = {}
    if method in _predictions.PROPAGATED:
        made["horizon"] = horizon
    if method == "moletrust":
        made["threshold"] = threshold
    if method == "mean_both":
        made["shrinkage"] = _predictions.SHRINKAGE
    if method == "fairness_goodness":
        made["tolerance"] = PRECISION
    return made
