"""The cascades that happened: who followed whom, as trees, and who started and carried them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _codes, _columns, _shrinkage, _tables, _trees
from scrmkit._checks import Frozen
from scrmkit._codes import NOBODY
from scrmkit._forests import Forest, by_reply, by_target
from scrmkit._sparse import Flags, Floats, Ints, np
from scrmkit._tables import Home
from scrmkit._ties import automated_in, check_log
from scrmkit.errors import InvalidParameter
from scrmkit.results import Result


if TYPE_CHECKING:
    from scrmkit.log import InteractionLog

On = Literal["in_reply_to", "target"]

_SECOND: Final = 1e6
_INFERRED: Final = (
    "which act was followed is inferred: the latest act of the customer it points at; of those "
    "that an act points at, the one who acted last"
)
_TWICE: Final = 5  # who acted twice: with fewer the dispersion is hardly known
_SELDOM: Final = (
    "{} customers acted twice or more: with fewer than {}, or where nobody followed any of them, "
    "nobody can say how much the acts of one customer differ, so low and high are null"
)
_UNSEEN: Final = (
    "{:,} of the {:,} cascades begin with an act that is not in the log: it counts as an act of "
    "its cascade, which starts when it was first followed"
)


class Cascades(Result):
    """Cascades, one row for each, and who started and carried them.

    Attributes:
        links: how many acts followed another (``followed``), and of these how many followed
            one that is not in the log (``unseen``), an act of the same customer (``own``), an
            act that is later than they are (``early``), and how many pointed at several
            (``several``). ``circular`` acts answer each other in a circle, so nobody can say
            which was first: their links do not count.
        left_out: acts that are ``automated``; others that have ``nobody`` as their source
            (only where links are inferred); and others that stand ``alone``: they follow
            none, and none follows them.

    Example:
        >>> from scrmkit import InteractionLog
        >>> from scrmkit.diffusion import cascades
        >>> log = InteractionLog.from_records(
        ...     [
        ...         {"id": 1, "time": "2026-03-01T09:00Z", "source": "ana"},
        ...         {"id": 2, "time": "2026-03-01T09:05Z", "source": "ben", "in_reply_to": 1},
        ...         {"id": 3, "time": "2026-03-01T09:09Z", "source": "ana", "in_reply_to": 2},
        ...     ],
        ...     constants={"kind": "message"},
        ... )
        >>> found = cascades(log)
        >>> found.links["followed"], found.left_out["alone"]
        (2, 0)
        >>> found.carriers.frame.select("customer", "acts", "started", "carried").rows()
        [('ana', 2, 1, 0), ('ben', 1, 0, 1)]
    """

    def __init__(self, forest: Forest, shape: _Shape, home: Home, **made: Any) -> None:
        roots = np.flatnonzero((shape.root == np.arange(len(shape.root))) & (shape.size > 1))
        unseen = int((roots >= forest.acts).sum())
        notes = made.pop("notes")
        if unseen:
            notes = (*notes, _UNSEEN.format(unseen, len(roots)))
        super().__init__(
            columns=_rows(forest, shape, roots, home), home=home, order="size", notes=notes, **made
        )
        self._forest = forest
        self._shape = shape
        self.links: Mapping[str, int] = Frozen(forest.links)
        alone = int((shape.size[shape.root[: forest.acts]] == 1).sum())
        self.left_out: Mapping[str, int] = Frozen({**forest.left_out, "alone": alone})

    @cached_property
    def carriers(self) -> Result:
        """Who started and carried: one row for each customer who acted.

        *Amplification* is the number of acts of others that directly follow an act of this
        customer. Most have few acts, so it is drawn towards that of all: with
        the strength ``s`` to ``(s m + followed_by) / (s + acts)``, where ``m`` is the mean
        rate of the customers. The acts of one customer differ more than Poisson
        counts: with the rate ``r`` their variance is ``r + dispersion * r ** 2`` (negative
        binomial), and rates differ as a beta prime distribution does, which has a heavy tail
        (a gamma distribution if the dispersion is 0). The dispersion is estimated by moments.
        What ``s`` and ``m`` are nobody knows for sure, so amplification
        is averaged over what they may be, by how likely the counts are then.

        Returns:
            The columns ``customer``; ``acts`` (in the log); ``started`` (cascades whose root
            is theirs); ``carried`` (their acts inside a cascade that others followed on);
            ``followed_by`` (acts of others that directly follow one of theirs); ``downstream``
            (acts anywhere below theirs; one below two of theirs counts twice);
            ``amplification``, ``low`` and ``high``, a 95 % interval. In order of ``followed_by``,
            largest first, then of id.

            Amplification is null for who has no act in the log: nobody knows after how
            many acts that followed. What followed an act that is not in the log is in
            ``followed_by`` and not in ``amplification``. Acts just before ``as_of`` have had
            little time to be followed.

            The interval holds on average over customers. Simulated with rates of a gamma
            distribution of shape 2 it holds with 94 to 97 % of 2,000 customers of one to five
            acts where the dispersion is 0 or 1, with 95 to 99.9 % where it is 5 or 20 (it is
            rather too wide there), and with 92 to 95 % of ten customers. It says what to
            expect of such acts, not what would follow if somebody were asked to act. It is
            null, and a note says so, where fewer
            than five customers acted twice or nobody who was followed did, so that the
            dispersion is unknown.

        Example:
            >>> from scrmkit import InteractionLog
            >>> from scrmkit.diffusion import cascades
            >>> told = [(1, "ana", None), (2, "ben", 1), (3, "cem", 1), (4, "dora", 3)]
            >>> log = InteractionLog.from_records(
            ...     {"id": act, "time": f"2026-03-01T09:0{act}Z", "kind": "referral",
            ...      "source": who, "in_reply_to": after}
            ...     for act, who, after in told
            ... )
            >>> carriers = cascades(log).carriers.frame
            >>> carriers.select("customer", "acts", "followed_by", "downstream").rows()
            [('ana', 1, 2, 3), ('cem', 1, 1, 1), ('ben', 1, 0, 0), ('dora', 1, 0, 0)]
            >>> carriers["amplification"].round(2).to_list(), carriers["low"].null_count()
            ([1.3, 0.92, 0.55, 0.55], 4)
        """
        return _carriers(self._forest, self._shape, self._home, self.parameters)


def cascades(
    log: InteractionLog,
    *,
    on: On = "in_reply_to",
    kinds: Iterable[str] | None = None,
    within: timedelta | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Cascades:
    r"""The cascades that happened: trees of acts that followed one another.

    ``on="in_reply_to"`` takes what the log says: an act follows the one whose id it has in
    ``in_reply_to``, in its scope. An act is one ``id``, whatever the number of its targets.
    The id of an act that is not in the log (or is automated, or was taken back) is a root of
    its own, without a customer, so that those who followed it stay together.

    ``on="target"`` is for logs without such ids and infers: an act that points at a customer
    follows that customer's latest act before it, not longer than ``within`` ago. What one
    customer does at one instant is one act. Where there is no such act there must have been
    one that the log does not have, so it becomes a root of that customer; acts that point at
    the same customer share such a root until more than ``within`` passes from one to the next.

    Args:
        log: the interactions.
        on: how an act says what it follows.
        kinds: the kinds of acts that can follow another, such as ``["repost"]``; None for
            all. Acts of other kinds can be followed.
        within: with ``on="target"``, how long after an act it can be followed; None for ever.
        as_of: nothing later counts; None for the last instant of the log.
        known_at: nothing that the host learnt later counts; None for all of it.

    Returns:
        A result with one row for each cascade of two acts or more:

        =================== ==================================================================
        column              meaning
        =================== ==================================================================
        ``cascade``         the id of the act at the root; with ``on="target"`` a number,
                            0 for the earliest, equal ones in order of the customer
        ``scope``           of the root, where the log has one
        ``root``            the customer who started it; null where nobody knows
        ``observed``        whether the act at the root is in the log
        ``start``           when that act took place; if not observed, when first followed
        ``size``            acts in it, the root included
        ``customers``       distinct customers who acted in it
        ``depth``           the most steps from the root to an act
        ``breadth``         the most acts that are equally many steps from the root
        ``virality``        structural virality: the mean distance, in steps, between two acts
                            of the tree; 2 for a large star, about ``size / 3`` for a chain
        ``seconds_to_half`` seconds from the start until half of the acts had taken place
        ``seconds``         seconds from the start until the last act
        =================== ==================================================================

        Rows are in order of size, largest first, then of start, then of ``cascade``. An act
        that says it is earlier than its root counts as of the root's time. ``links`` and
        ``left_out`` count what is odd. A log without links gives an empty result.

    Raises:
        InvalidTable: the log lacks ``source`` and ``id``, ``in_reply_to`` or ``target``.
        InvalidParameter: another ``on``, ``within`` with ``on="in_reply_to"`` or not longer
            than zero, no list of kinds, a time without a zone, an empty log without ``as_of``.

    Complexity: sorting the acts, and linear in acts times the logarithm of the depth. A lazy
    log is read.

    Example:
        >>> from scrmkit import InteractionLog
        >>> from scrmkit.diffusion import cascades
        >>> log = InteractionLog.from_records(
        ...     {"time": f"2026-03-01T09:0{minute}Z", "kind": "share", "source": who, "target": of}
        ...     for minute, who, of in [(1, "ben", "ana"), (2, "cem", "ana"), (5, "dora", "ben")]
        ... )
        >>> found = cascades(log, on="target").frame
        >>> found.select("root", "observed", "size", "depth", "breadth", "virality").rows()
        [('ana', False, 4, 2, 2, 1.6666666666666667)]

    References:
        Goel, Anderson, Hofman, Watts (2016), The structural virality of online diffusion,
        doi:10.1287/mnsc.2015.2158. Wiener (1947), doi:10.1021/ja01193a005.
    """
    if on not in ("in_reply_to", "target"):
        raise InvalidParameter('on must be "in_reply_to" or "target"', value=on)
    if within is not None and on == "in_reply_to":
        raise InvalidParameter(
            'within goes with on="target": what in_reply_to says needs no limit of time'
        )
    limit = None if within is None else _codes.micros_in(within, name="within")
    check_log(log)
    words = _codes.words_of(kinds, log.vocabulary)
    acts = log.acts(as_of=as_of, known_at=known_at)
    needed = ["source", *(["id", "in_reply_to"] if on == "in_reply_to" else ["target"])]
    _tables.check_columns(acts.columns, needed, where="the log")
    if on == "in_reply_to" and "scope" in acts.columns:
        needed.append("scope")
    rows = _codes.collect(
        acts.frame.select(
            *needed,
            "time",
            automated_in(acts.frame).alias("automated"),
            _codes.passes_in(words).alias("passes"),
        )
    )
    people = rows.filter(~nw.col("automated"))
    forest = by_reply(people) if on == "in_reply_to" else by_target(people, limit)
    forest.left_out["automated"] = len(rows) - len(people)
    notes = () if on == "in_reply_to" else (_INFERRED,)
    notes = (*notes, *_codes.unused_kinds(people, words))
    return Cascades(
        forest,
        _Shape.of(forest),
        acts.home,
        notes=notes,
        parameters={
            "method": "cascades",
            "on": on,
            "kinds": None if words is None else list(words),
            "within": within,
            "as_of": acts.instant,
            "known_at": known_at,
            **log.parameters,
        },
    )


@frozen
class _Shape:
    """Where each act is in its tree."""

    root: Ints
    depth: Ints
    size: Ints

    @classmethod
    def of(cls, forest: Forest) -> _Shape:
        return cls(*_trees.climb(forest.parent), _trees.sizes(forest.parent))


def _rows(forest: Forest, shape: _Shape, roots: Ints, home: Home | None) -> dict[str, Any]:
    """The columns of the cascades with these roots, largest first."""
    n = len(forest.parent)
    root, size = shape.root, shape.size
    order = np.lexsort((forest.source[roots], forest.time[roots]))
    number = np.empty(len(roots), dtype=np.int64)
    number[order] = np.arange(len(roots))
    if forest.names:
        number = np.arange(len(roots))  # acts are in order of id
    chosen = np.lexsort((number, forest.time[roots], -size[roots]))
    roots, number = roots[chosen], number[chosen]
    names = {
        name: _codes.names_of(ids, of[roots], home) for name, (ids, of) in forest.names.items()
    }
    half, last = _delays(forest, shape, roots)
    deepest = np.zeros(n, dtype=np.int64)
    np.maximum.at(deepest, root, shape.depth)
    return {
        **(names or {"cascade": number}),
        "root": _codes.names_of(forest.customers, forest.source[roots], home),
        "observed": roots < forest.acts,
        "start": _codes.instants(forest.time[roots], home),
        "size": size[roots],
        "customers": _people(forest, root)[roots],
        "depth": deepest[roots],
        "breadth": _trees.widths(root, shape.depth)[roots],
        "virality": _trees.virality(root, size)[roots],
        "seconds_to_half": half,
        "seconds": last,
    }


def _people(forest: Forest, root: Ints) -> Ints:
    """How many customers acted in the tree of each root."""
    known = forest.source != NOBODY
    width = max(len(forest.customers), 1)
    pairs = _codes.distinct(root[known] * width + forest.source[known])
    return np.bincount(pairs // width, minlength=len(root))


def _delays(forest: Forest, shape: _Shape, roots: Ints) -> tuple[Floats, Floats]:
    """Seconds from each root until half of the acts of its tree, and until the last."""
    time = np.maximum(forest.time, forest.time[shape.root])
    order = np.lexsort((time, shape.root))
    first = np.searchsorted(shape.root[order], roots)
    size = shape.size[roots]
    half, last = time[order[first + (size + 1) // 2 - 1]], time[order[first + size - 1]]
    start = forest.time[roots]
    return (half - start) / _SECOND, (last - start) / _SECOND


def _carriers(
    forest: Forest, shape: _Shape, home: Home | None, parameters: Mapping[str, Any]
) -> Result:
    n, people = len(forest.parent), len(forest.customers)
    source, parent, here = forest.source, forest.parent, np.arange(n) < forest.acts
    low = np.flatnonzero(parent >= 0)
    followed = np.bincount(parent[low], minlength=n) > 0
    others = low[(source[low] != source[parent[low]])]
    followers = np.bincount(parent[others], minlength=n)

    def total(which: Flags, weights: Ints | None = None) -> Ints:
        which = which & (source != NOBODY)
        part = None if weights is None else weights[which]
        return np.bincount(source[which], weights=part, minlength=people).astype(np.int64)

    acts = total(here)
    started = total((parent < 0) & followed)
    seen = total(here, followers)
    rate = seen.astype(np.float64), acts.astype(np.float64)
    known = here & (source != NOBODY)
    dispersion = _shrinkage.dispersion_of(followers[known].astype(np.float64), source[known])
    estimated = _shrinkage.estimate_rates(*rate, dispersion or 0.0)
    columns = {
        "acts": acts,
        "started": started,
        "carried": total((parent >= 0) & followed),
        "followed_by": total(np.ones(n, dtype=bool), followers),
        "downstream": total(np.ones(n, dtype=bool), shape.size - 1),
    }
    rows = np.flatnonzero((acts > 0) | (started > 0))
    rows = rows[np.argsort(-columns["followed_by"][rows], kind="stable")]
    twice = int((acts > 1).sum())
    acted = acts[rows] > 0
    bounded = acted & (dispersion is not None and twice >= _TWICE)
    estimates = {
        "amplification": (estimated.expected, acted),
        "low": (estimated.low, bounded),
        "high": (estimated.high, bounded),
    }
    return Result(
        columns={
            "customer": _codes.names_of(forest.customers, rows, home),
            **{name: column[rows] for name, column in columns.items()},
            **{
                name: _columns.numbers(values[rows], home, where=known)
                for name, (values, known) in estimates.items()
            },
        },
        home=home,
        parameters={
            **parameters,
            "mean": estimated.mean,
            "prior_strength": estimated.strength,
            "dispersion": dispersion,
            "confidence": 1 - 2 * _shrinkage.TAIL,
        },
        order="followed_by",
        notes=() if bounded.any() or not acted.any() else (_SELDOM.format(twice, _TWICE),),
    )
