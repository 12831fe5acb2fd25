"""Reach against accuracy: how much a customer is seen, and how often they are right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import atanh, sqrt, tanh
from numbers import Number
from statistics import NormalDist
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen
from scipy.special import gammaincinv

from scrmkit import _checks, _columns, _entries, _tables
from scrmkit._columns import middle_ranks
from scrmkit._entries import CUSTOMER, Entries
from scrmkit._sparse import Flags, Floats, Ints, np
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.results import Result


_CONFIDENCE: Final = 0.95
_Z: Final = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
_FEWEST: Final = 10


class ReachAndAccuracy(Result):
    """Two numbers for each customer that are never made one, and how they go together.

    The result of `reach_and_accuracy`.

    Attributes:
        correlation: Spearman's, of reach and accuracy; None where fewer than two customers
            have both, or all have the same of one.
        low: the lower end of its interval of 95 %; None below 10 customers.
        high: the upper end.
        compared: how many customers have both.
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        correlation: float | None,
        low: float | None,
        high: float | None,
        compared: int,
        **made: Any,
    ) -> None:
        super().__init__(columns=columns, order="reach", **made)
        self.correlation = correlation
        self.low = low
        self.high = high
        self.compared = compared


def reach_and_accuracy(reach: Any, record: Any, *, counts: bool = False) -> ReachAndAccuracy:
    r"""How much each customer is seen, and how often each is right: two numbers, side by side.

    Being seen is not being right. There is no score of both on purpose: one number would let
    the loud pass for the reliable. What joins the two is the correlation over all customers.

    Accuracy is the share of judged claims (predictions, answers, reviews) that were right,
    with Wilson's interval, which holds for claims that are right or wrong independently of
    each other. The interval of a reach that is a count is Garwood's exact one for a Poisson
    mean, which holds where one view has nothing to do with the next; views that come in
    bursts make it too narrow. The correlation is Spearman's, with equal values at their mean
    rank, and its interval that of Bonett and Wright,
    ``tanh(atanh(r) +- 1.96 * sqrt((1 + r ** 2 / 2) / (n - 3)))``.

    Args:
        reach: a ranking of `rank`, such as that by ``strength_in``, a mapping from customers
            to numbers, or a table with the columns ``customer``, ``value`` and, if there is
            an interval already, ``low`` and ``high``.
        record: what became of the claims: a table with one row for each, with the columns
            ``customer`` and ``right`` (truth values, or 1 and 0; null where nobody has
            judged), or a mapping from customers to lists of these.
        counts: whether reach counts views, followers and the like, so that it has an interval.

    Returns:
        A result with the columns ``customer``; ``reach``, ``reach_low``, ``reach_high``;
        ``right`` and ``n``, how many claims were right and judged; ``accuracy``,
        ``accuracy_low``, ``accuracy_high``. All intervals are of 95 %. Rows are in order of
        customer, with everybody of either; what is not known is null, so accuracy is where
        ``n`` is 0. ``top`` orders by reach, and by accuracy where it is asked to. The
        attributes ``correlation``, ``low`` and ``high`` are of those ``compared`` who have
        both. They are of accuracy as measured: where customers have few claims each, chance
        hides some of the correlation with how accurate they are.

    Raises:
        InvalidParameter: a reach that is no finite number, counts that are no whole numbers
            of at least 0, a verdict that is neither true nor false, or ids of two types.
        InvalidTable: a table lacks a column, or that of reach has a customer twice.

    Example:
        >>> followers = {"ana": 900, "ben": 40, "cem": 0}
        >>> found = reach_and_accuracy(
        ...     followers, {"ana": [True, False, False, True], "ben": [True] * 9}, counts=True
        ... )
        >>> found.frame.select("customer", "reach", "n", "accuracy").rows()
        [('ana', 900.0, 4, 0.5), ('ben', 40.0, 9, 1.0), ('cem', 0.0, 0, None)]
        >>> [round(found.frame[name][1], 3) for name in ("accuracy_low", "accuracy_high")]
        [0.701, 1.0]
        >>> found.correlation, found.low, found.notes
        (-1.0, None, ('below 10 customers with both, the correlation has no interval',))

    References:
        Wilson (1927), doi:10.1080/01621459.1927.10502953. Garwood (1936),
        doi:10.1093/biomet/28.3-4.437. Bonett and Wright (2000), doi:10.1007/BF02294183.
    """
    _checks.check_flag(counts, name="counts", error=InvalidParameter)
    seen = _entries.read(reach, "value", name="reach", further=("low", "high"))
    low, values, high = _reach(seen, counts=counts)
    judged, left_out = _judged(record)
    _entries.check_same_type(judged.ids, seen.ids, name="record", of="reach")
    ids = _entries.union(seen.ids, judged.ids)
    home = judged.home or seen.home
    right, n = (judged.of(ids, part) for part in (judged.right, judged.n))
    place = _entries.places(seen.ids, ids)
    known, some = place >= 0, n > 0
    share = right / np.maximum(n, 1)
    share_low, share_high = wilson(right, n)

    def column(numbers: Floats, where: Flags) -> Any:
        return _columns.numbers(numbers, home, where=where)

    def reached(part: Floats | None) -> Any:
        picked = np.zeros(len(ids))
        if part is not None:
            picked[known] = part[place[known]]
        return column(picked, known & (part is not None))

    both = known & some
    r = spearman(values[place[both]], share[both])
    bounds = _bounds(r, int(both.sum()))
    return ReachAndAccuracy(
        {
            "customer": _columns.names(ids, home),
            "reach": reached(values),
            "reach_low": reached(low),
            "reach_high": reached(high),
            "right": right,
            "n": n,
            "accuracy": column(share, some),
            "accuracy_low": column(share_low, some),
            "accuracy_high": column(share_high, some),
        },
        correlation=r,
        low=bounds[0],
        high=bounds[1],
        compared=int(both.sum()),
        home=home,
        parameters={
            "measure": "reach and accuracy",
            "counts": counts,
            "confidence": _CONFIDENCE,
            "correlation": "spearman",
            "values": _digest(seen.ids, low, values, high),
            "record": _digest(judged.ids, judged.right, judged.n),
            "customers": len(ids),
            "claims": int(n.sum()),
            **({"reach": dict(reach.parameters)} if hasattr(reach, "parameters") else {}),
        },
        notes=(*left_out, *_notes(r, bounds, int(both.sum()), interval=low is not None)),
    )


def _digest(ids: Any, *columns: Any) -> str:
    return _checks.digest(
        {"given": [ids.tolist(), *(None if one is None else one.tolist() for one in columns)]}
    )


@frozen(eq=False)
class _Judged:
    """How many claims of each customer were right, and judged."""

    ids: Any
    right: Ints
    n: Ints
    home: Home | None

    def of(self, ids: Any, part: Ints) -> Ints:
        """One of the two for other ids, 0 for those who have no claims."""
        place = _entries.places(self.ids, ids)
        found = np.zeros(len(ids), dtype=np.int64)
        found[place >= 0] = part[place[place >= 0]]
        return found


def wilson(right: Ints, n: Ints) -> tuple[Floats, Floats]:
    """Wilson's interval of a share; from 0 to 1 where n is 0."""
    size = np.maximum(n, 1)
    share = right / size
    middle = share + _Z**2 / (2 * size)
    half = _Z * np.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    scale = 1 + _Z**2 / size
    low = np.where(right == 0, 0.0, (middle - half) / scale)
    high = np.where(right == n, 1.0, (middle + half) / scale)
    return low, high


def garwood(counts: Floats) -> tuple[Floats, Floats]:
    """Garwood's exact interval of a Poisson mean."""
    tail = (1 - _CONFIDENCE) / 2
    low = np.where(counts == 0, 0.0, gammaincinv(np.maximum(counts, 1.0), tail))
    high: Floats = np.asarray(gammaincinv(counts + 1, 1 - tail), dtype=np.float64)
    return low, high


def spearman(x: Floats, y: Floats) -> float | None:
    """The correlation of the ranks; None where one of the two does not vary."""
    ranks = [middle_ranks(values) for values in (x, y)]
    a, b = (each - (len(each) + 1) / 2 for each in ranks)
    scale = sqrt(float(a @ a) * float(b @ b))
    return max(-1.0, min(1.0, float(a @ b) / scale)) if scale else None


def _bounds(r: float | None, n: int) -> tuple[float | None, float | None]:
    if r is None or n < _FEWEST or abs(r) == 1:
        return None, None
    half = _Z * sqrt((1 + r**2 / 2) / (n - 3))
    return tanh(atanh(r) - half), tanh(atanh(r) + half)


def _notes(
    r: float | None, bounds: tuple[float | None, float | None], n: int, *, interval: bool
) -> Iterable[str]:
    """What one should know before believing the numbers."""
    if not interval:
        yield "reach has no interval: counts=True gives counts one, and a table may bring its own"
    if r is None:
        yield f"no correlation: {n} customers have both, or all have the same of one"
    elif n < _FEWEST:
        yield f"below {_FEWEST} customers with both, the correlation has no interval"
    elif bounds[0] is None:
        yield "reach and accuracy are in one order throughout: the correlation has no interval"


def _reach(seen: Entries, *, counts: bool) -> tuple[Floats | None, Floats, Floats | None]:
    """The lower ends, the values and the upper ends of reach; no ends where there are none."""
    values = _entries.to_numbers(seen.columns["value"], name="reach")
    if {"low", "high"} <= set(seen.columns):
        if counts:
            raise InvalidParameter(
                "reach has an interval of its own, low and high: leave out counts=True"
            )
        low, high = (
            _entries.to_numbers(seen.columns[name], name=f"the {name} end of reach")
            for name in ("low", "high")
        )
        if not ((low <= values) & (values <= high)).all():
            raise InvalidParameter("reach must have low <= value <= high for every customer")
        return low, values, high
    if not counts:
        return None, values, None
    if (values < 0).any() or (values % 1 != 0).any():
        raise InvalidParameter(
            "reach has values that are no counts, with counts=True: give whole numbers of at "
            "least 0, or leave it out"
        )
    low, high = garwood(values)
    return low, values, high


def _judged(record: Any) -> tuple[_Judged, tuple[str, ...]]:
    """The claims of each customer, added up, and what was left out."""
    if isinstance(record, Mapping):
        return _judged_lists(record)
    frame, home = _entries.to_rows(record, ["right"], name="record")
    frame = _as_numbers(frame)
    sums = _tables.aggregate(
        frame.filter(~nw.col(CUSTOMER).is_null()),
        [CUSTOMER],
        right=("right", "sum"),
        n=("right", "count"),
        rows=("right", "len"),
    )
    nobody = len(_tables.collect(frame.filter(nw.col(CUSTOMER).is_null()).select("right")))
    said = _entries.collect(sums, name="record", home=home)
    right, n, rows = (
        np.array([int(one or 0) for one in said.columns[name]], dtype=np.int64)
        for name in ("right", "n", "rows")
    )
    return _Judged(said.ids, right, n, home), _unused(int((rows - n).sum()), nobody)


def _judged_lists(record: Mapping[Any, Any]) -> tuple[_Judged, tuple[str, ...]]:
    said = _entries.read(record, "right", name="record")
    found = np.zeros((len(said), 3), dtype=np.int64)
    for place, claims in enumerate(said.columns["right"]):
        if isinstance(claims, str) or not isinstance(claims, Iterable):
            raise InvalidParameter(
                f"record has a value of type {type(claims).__name__}: give each customer a list "
                f"of truth values"
            )
        verdicts = [_verdict(one) for one in claims]
        found[place] = (verdicts.count(True), verdicts.count(False), verdicts.count(None))
    right, wrong, unjudged = found.T
    return _Judged(said.ids, right, right + wrong, None), _unused(int(unjudged.sum()), 0)


def _as_numbers(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The table with verdicts as 1, 0 and null."""
    dtype = frame.collect_schema()["right"]
    if dtype == nw.Object:  # pandas keeps truth values beside nulls so
        rows = frame.collect()
        verdicts = [_verdict(one) for one in rows["right"].to_list()]
        numbers = [None if one is None else float(one) for one in verdicts]
        made = nw.new_series("right", numbers, nw.Float64, backend=rows.implementation)
        return rows.with_columns(made).lazy()
    if dtype.is_numeric():
        other = ~nw.col("right").is_null() & (nw.col("right") != 0) & (nw.col("right") != 1)
        if len(_tables.collect(frame.filter(other).select("right").head(1))):
            raise InvalidTable(
                "column 'right' of the record has numbers other than 0 and 1: a claim was right "
                "or not",
                value="right",
            )
    elif dtype != nw.Boolean:
        raise InvalidTable(
            f"column 'right' of the record is of type {dtype}: give truth values, or 1 and 0",
            value="right",
        )
    return frame.with_columns(nw.col("right").cast(nw.Float64))


def _verdict(value: Any) -> bool | None:
    if _checks.is_missing(value):
        return None
    if isinstance(value, Number | np.bool_) and value in (0, 1):
        return bool(value)
    raise InvalidParameter("a claim was right or not: give True, False, or None", value=value)


def _unused(unjudged: int, nobody: int) -> tuple[str, ...]:
    notes = []
    if unjudged:
        notes.append(f"{unjudged} claims that nobody has judged do not count")
    if nobody:
        notes.append(f"{nobody} claims of nobody (customer is null) do not count")
    return tuple(notes)
