"""Herds: what people would have said alone, and how often a crowd follows itself astray.

`private_opinion` takes votes in their order, with who could see whom, and discounts what
each voter saw. `information_cascade` is the textbook case in closed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _codes, _columns, _leanings, _sights, _sparse, _tables
from scrmkit._bounds import Estimate
from scrmkit._checks import check_range, to_float, to_tuple, to_whole
from scrmkit._compiled import Progress
from scrmkit._ids import to_ids, to_plain_ids
from scrmkit._sparse import Floats, Ints, np
from scrmkit._ties import automated_in
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.graph import SocialGraph
from scrmkit.log import InteractionLog
from scrmkit.results import Result


__all__ = ["InformationCascade", "PrivateOpinion", "information_cascade", "private_opinion"]

_CATEGORIES: Final = (nw.Categorical, nw.Enum)
_FOREVER: Final = 1_000  # pairs: a quarter to the power of that is 0 in floating point


@frozen
class InformationCascade:
    """How likely a crowd that watches itself is right, wrong, or still undecided.

    Attributes:
        precision: how likely one person's private signal is right.
        people: how many have decided; None for infinitely many.
        right: how likely everybody from now on does what is right, whatever their signals.
        wrong: how likely everybody from now on does what is wrong.
        undecided: how likely people still go by their own signals.

    Example:
        >>> from scrmkit.diffusion import information_cascade
        >>> round(information_cascade(0.6).wrong, 4)
        0.3684
    """

    precision: float
    people: int | None
    right: float
    wrong: float
    undecided: float


def information_cascade(precision: float, *, people: int | None = None) -> InformationCascade:
    r"""How likely people who decide one after the other end in a herd, and in the wrong one.

    Each person has a private signal, which is right with probability p, sees what all before
    did (not why), and does what is more likely to be right; where both are as likely, a fair
    coin decides. As soon as two more have done one thing than the other, the next ignores
    their own signal, and so do all after them: a cascade. After an even number n of people,
    with ``q = (p - p**2) ** (n / 2)``::

        right     = p (1 + p)       (1 - q) / (2 (1 - p + p**2))
        wrong     = (1 - p) (2 - p) (1 - q) / (2 (1 - p + p**2))
        undecided = q

    After an odd number they are those of one person less.

    Args:
        precision: how likely a signal is right: p, from .5 to 1.
        people: how many have decided, n; None for infinitely many.

    Returns:
        The three probabilities, which add up to 1.

    Raises:
        InvalidParameter: a precision below .5 or above 1, or a negative number of people.

    Example:
        >>> from scrmkit.diffusion import information_cascade
        >>> found = information_cascade(0.7, people=10)
        >>> round(found.right, 4), round(found.wrong, 4), round(found.undecided, 4)
        (0.7529, 0.2467, 0.0004)

    References:
        Bikhchandani, Hirshleifer and Welch (1992), A theory of fads, fashion, custom, and
        cultural change as informational cascades, doi:10.1086/261849.
    """
    p = to_float(precision)
    check_range(p, name="precision", error=InvalidParameter, low=0.5, high=1)
    undecided = 0.0
    if people is not None:
        people = to_whole(people, name="people", least=0)
        undecided = (p - p * p) ** min(people // 2, _FOREVER)
    share = (1 - undecided) / (2 * (1 - p + p * p))
    return InformationCascade(
        precision=p,
        people=people,
        right=p * (1 + p) * share,
        wrong=(1 - p) * (2 - p) * share,
        undecided=undecided,
    )


class PrivateOpinion(Result):
    """What each item's voters would have said alone, and how strong the herd is.

    The result of `private_opinion`: a table with the columns ``item`` (where the votes have
    items), ``votes``; ``raw``, the share of votes that are up, with ``raw_low, raw_high``
    (Wilson's interval, which takes votes for independent); ``private``, the share of people
    who would vote up after seeing nothing, with ``low, high``; and ``saw``, the share of
    voters who saw an earlier vote. All intervals are for confidence .95.

    Attributes:
        herd: by how many logits the vote of somebody who sees only up differs from that of
            somebody who sees only down, with its likelihood-ratio interval (the prior of the
            herd included): 0 is no herd, below 0 are people who go against it, 2 turns odds
            of 1 : 2.7 into 2.7 : 1. Its value is None where nobody saw an earlier vote.

    Example:
        >>> import polars as pl
        >>> from scrmkit.diffusion import private_opinion
        >>> votes = pl.DataFrame({"time": [1, 2, 3, 4], "vote": [1, 0, 1, 1]})
        >>> private_opinion(votes).frame.select("votes", "raw").rows()
        [(4, 0.75)]
    """

    def __init__(self, columns: Mapping[str, Any], *, herd: Estimate, **made: Any) -> None:
        super().__init__(columns=columns, order="private", **made)
        self.herd = herd


def private_opinion(
    votes: Any,
    *,
    sees: Any = None,
    up: Iterable[str] = (),
    down: Iterable[str] = (),
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    progress: Progress | None = None,
) -> PrivateOpinion:
    r"""Discount the herd: what would people have voted who had seen no other vote?

    A vote is up with probability ``1 / (1 + exp(-(o + h * x)))``. Here ``o`` is the item's
    private opinion in logits, ``h`` the strength of the herd, one for all items, and
    ``x = (ups + 1) / (seen + 2) - 1 / 2`` sums up what the voter saw: 0 for nothing, near
    1/2 for many votes that are all up (Laplace's rule of succession). Opinions of items are
    normally distributed around a mean that is estimated too, so an item with few votes
    borrows from the others. Where there is no herd, votes of an item are independent; where
    there is one, later votes repeat in part what was said before. Ratings become votes
    by a limit, such as ``grade >= 4``. Of reposts one must know who saw and did not repost:
    those are the votes down, and without them there is nothing to go by.

    Args:
        votes: a table with the columns ``time`` (anything with an order), ``vote`` (True or
            1 is up, False or 0 is down), ``item`` (text or integers; without it all votes are
            about one) and ``customer`` (needed for ``sees``); or an `InteractionLog`, in
            which ``about`` is the item and ``source`` the customer.
        sees: who sees whom: a networkx graph, ties (a result or a table with ``a``, ``b``),
            or a `SocialGraph`. An arc from a to b says that a sees b, and so the earlier
            votes of b on the same item; an undirected tie is seen both ways, and so is a tie
            of a table without ``strength_ab`` and ``strength_ba``; weights do not count, and
            a table needs none; one's own votes are not seen. A customer who is not in the
            graph sees nobody. Without it everybody sees all earlier votes on the item.
        up: the kinds of a log that are votes up, such as ``("like", "recommendation")``.
            Any word will do that the log's vocabulary takes for the kind.
        down: the kinds that are votes down. Where neither is given, an act with a valence
            above 0 is up, one below 0 is down, and others are no votes. A note names a kind
            that no act in the log is of.
        as_of: for a log: nothing later counts; None for all of it. An empty log needs one.
        known_at: for a log: nothing that the host learnt later counts; None for all of it.
        progress: called with a few words on the way, such as ``print``.

    Returns:
        A `PrivateOpinion` in order of item, and the herd. Votes at one instant do not see
        each other. Of the votes of a customer on one item the first counts, and of several
        at one instant one that is down. These, votes of a log without an item and automated
        ones are left out, and a note counts them. No votes give an empty table.

        ``private``, ``low`` and ``high`` are the median and the ends of the posterior
        interval, under priors that say little: the herd Cauchy with scale 10, the mean opinion
        normal with deviation 1.5, the deviation between items half-normal with scale 1. With
        20 items or more it is taken as normal in logits. With fewer the herd is summed over a
        grid of strengths, because so few items do not tell it well, and the intervals of
        items are as wide as that makes them. Where votes come about as above, the interval
        covers the truth about as often as it says: in simulations with opinions of deviation
        1, one to 60 items and herds from 0 to 8 it did so .92 to .98 of the time, and the
        herd's own .91 to .99. Misses come together, because one strength of the herd is used for
        all items. It does not cover other ways to follow, such as copying what most did with
        a fixed chance, nor that an algorithm decides what is seen first. Where all voters
        saw everything and went the same way, opinion and herd cannot be told apart: then the
        interval is wide, and with a single item no method could do better.

    Raises:
        InvalidTable: a column is missing, has nulls or NaN, or is of a type that cannot be
            used.
        InvalidParameter: ``up``, ``down``, ``as_of`` or ``known_at`` with a table, a kind
            that is both up and down, ids of another type than those of ``sees``, or an empty
            log without ``as_of``.

    Complexity: some hundreds of passes over the votes (a million on 50,000 items took 40
    seconds of one core), and about three times as many with fewer than 20 items; with
    ``sees`` besides, the ties of all voters.

    Example:
        >>> import polars as pl
        >>> from scrmkit.diffusion import private_opinion
        >>> votes = pl.DataFrame(
        ...     {
        ...         "item": ["a"] * 6 + ["b"] * 6,
        ...         "time": [1, 2, 3, 4, 5, 6] * 2,
        ...         "vote": [1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0],
        ...     }
        ... )
        >>> found = private_opinion(votes)
        >>> found.frame.select("item", pl.col("raw", "private").round(2)).rows()
        [('a', 0.83, 0.66), ('b', 0.17, 0.34)]

    References:
        Muchnik, Aral and Taylor (2013), Social influence bias: a randomized experiment,
        doi:10.1126/science.1240466. Lorenz, Rauhut, Schweitzer and Helbing (2011), How social
        influence can undermine the wisdom of crowd effect, doi:10.1073/pnas.1008636108.
        Gelman, Jakulin, Pittau and Su (2008), doi:10.1214/08-AOAS191, for Cauchy priors. Kass
        and Steffey (1989), doi:10.1080/01621459.1989.10478825. Wilson (1927),
        doi:10.1080/01621459.1927.10502953.
    """
    made: dict[str, Any] = {"model": "private opinion", "confidence": _leanings.CONFIDENCE}
    notes: tuple[str, ...] = ()
    from_log = isinstance(votes, InteractionLog)
    if isinstance(votes, InteractionLog):
        frame, home, options, notes = _from_log(votes, up, down, as_of, known_at)
        made |= options
    elif any(option is not None and option != () for option in (up, down, as_of, known_at)):
        raise InvalidParameter(
            "up, down, as_of and known_at go with a log: filter the table itself"
        )
    else:
        frame, home = _tables.take(votes)
    graph = None if sees is None else _sights.who_sees_whom(sees)
    if graph is not None:
        made["sees"] = {
            "customers": len(graph),
            "ties": graph.number_of_ties,
            "digest": _sights.digest_of(graph),
        }
        made["sees"] |= {"graph": dict(graph.parameters)} if graph.parameters else {}
    else:
        made["sees"] = "all earlier votes"
    found, items, left = _read(frame, graph, from_log=from_log)
    if progress is not None:
        progress(f"read {len(found.item):,} votes")
    seen, ups = _seen_by_all(found) if graph is None else _seen_by_some(found, graph)
    size = min(1, len(found.item)) if items is None else len(items)
    x = (ups + 1) / (seen + 2) - 0.5
    fitted = _leanings.fit(found.item, x, found.up, size, progress=progress)
    count = np.bincount(found.item, minlength=size)
    raised = np.bincount(found.item, weights=found.up, minlength=size).astype(np.float64)
    low, high = _wilson(raised, count)
    columns: dict[str, Any] = {
        "votes": count,
        "raw": raised / count,
        "raw_low": low,
        "raw_high": high,
        "private": fitted.value,
        "low": fitted.low,
        "high": fitted.high,
        "saw": np.bincount(found.item, weights=seen > 0, minlength=size) / count,
    }
    if items is not None:
        columns = {"item": _columns.names(items, home), **columns}
    return PrivateOpinion(
        columns,
        herd=fitted.herd,
        home=home,
        parameters=made | {"votes": len(found.item), "items": size},
        notes=(*notes, *left, *_cautions(found, seen)),
    )


@frozen(eq=False)
class _Votes:
    """Votes that count, in order of item, time and customer, as codes in order."""

    item: Ints
    time: Ints
    customer: Ints
    up: Floats


def _from_log(
    log: InteractionLog,
    up: Iterable[str],
    down: Iterable[str],
    as_of: datetime | None,
    known_at: datetime | None,
) -> tuple[nw.LazyFrame[Any], Any, dict[str, Any], tuple[str, ...]]:
    """The votes of a log as a table, where they go back to, how they were chosen, and notes."""
    named = {
        name: to_tuple(kinds, name=name, of=str, error=InvalidParameter)
        for name, kinds in (("up", up), ("down", down))
    }
    words = {
        kind: _codes.words_of((kind,), log.vocabulary) or ()
        for kinds in named.values()
        for kind in kinds
    }
    ups, downs = (
        tuple(sorted({word for kind in kinds for word in words[kind]})) for kinds in named.values()
    )
    if both := set(ups) & set(downs):
        raise InvalidParameter("a kind cannot be up and down at once", value=sorted(both))
    acts = log.acts(as_of=as_of, known_at=known_at)
    by_kind = bool(ups or downs)
    _tables.check_columns(
        acts.columns, ["about", "source", "kind" if by_kind else "valence"], where="the log"
    )
    if by_kind:
        is_up, is_down = _codes.passes_in(ups), _codes.passes_in(downs)
    else:
        is_up, is_down = nw.col("valence") > 0, nw.col("valence") < 0
    raised = nw.when(is_up).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    frame = acts.frame.filter(is_up | is_down).select(
        nw.col("about").alias("item"),
        nw.col("source").alias("customer"),
        "time",
        raised.alias("vote"),
        automated_in(acts.frame).alias("automated"),
    )
    made = {"as_of": acts.instant, "known_at": known_at, "up": list(ups), "down": list(downs)}
    notes: tuple[str, ...] = ()
    if by_kind:
        kinds = acts.frame.select(nw.col("kind").cast(nw.String)).unique()
        there = set(_tables.collect(kinds)["kind"].to_list())
        missing = [kind for kind in words if not there.intersection(words[kind])]
        notes = tuple(f"no act in the log is of the kind {kind!r}" for kind in missing)
    return frame, acts.home, {**made, **log.parameters}, notes


def _read(
    frame: nw.LazyFrame[Any], graph: SocialGraph | None, *, from_log: bool = False
) -> tuple[_Votes, Any, tuple[str, ...]]:
    """The votes that count, the items in order (None where there is but one), and notes."""
    names = frame.collect_schema().names()
    wanted = ["time", "vote", *(["customer"] if graph is not None else [])]
    _tables.check_columns(names, wanted, where="the table of votes")
    ids = [name for name in ("item", "customer") if name in names]
    kept = ["time", "vote", *ids, *(["automated"] if from_log else [])]
    rows = _tables.collect(to_plain_ids(frame.select(kept), *ids))
    left = {"by a system": 0, "without an item": 0}
    if from_log:
        machine, nowhere = rows["automated"], rows["item"].is_null()
        left["by a system"] = int(machine.sum() or 0)
        left["without an item"] = int((nowhere & ~machine).sum() or 0)
        rows = rows.filter(~machine & ~nowhere)
    up = _truths(rows)
    codes, values = {}, {}
    for name in ("time", *ids):
        codes[name], values[name] = _encode(rows[name], name)
    none = np.zeros(len(up), dtype=np.int64)
    item, time = codes.get("item", none), codes["time"]
    customer, strangers = codes.get("customer", none - 1), 0
    if graph is not None:
        places = _places(graph, values["customer"])
        strangers = int((places < 0).sum())
    order = np.lexsort((up, customer, time, item))
    by_person = np.lexsort((up, time, customer, item))
    again = np.zeros(len(up), dtype=bool)
    first, second = by_person[:-1], by_person[1:]
    same = (item[first] == item[second]) & (customer[first] == customer[second])
    again[second] = same & (customer[second] >= 0)
    left["again by the same customer"] = int(again.sum())
    order = order[~again[order]]
    if graph is not None:
        customer = np.where(customer >= 0, np.append(places, -1)[customer], -1)
    notes = [f"votes left out, {what}: {number:,}" for what, number in left.items() if number]
    if strangers:
        notes.append(f"voters not in the graph of who sees whom, so seeing nobody: {strangers:,}")
    votes = _Votes(item=item[order], time=time[order], customer=customer[order], up=up[order])
    return votes, values.get("item"), tuple(notes)


def _truths(rows: nw.DataFrame[Any]) -> Floats:
    """The votes as 1 and 0."""
    column = rows["vote"]
    if not (column.dtype == nw.Boolean or column.dtype.is_numeric()) or column.null_count():
        raise InvalidTable("column 'vote' must hold True and False, or 1 and 0, and no nulls")
    numbers = column.cast(nw.Float64).to_numpy()
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise InvalidTable(
            "column 'vote' must hold 1 for up and 0 for down: of grades make them first, such as "
            "grade >= 4"
        )
    return np.asarray(numbers, dtype=np.float64)


def _encode(column: nw.Series[Any], name: str) -> tuple[Ints, Any]:
    """The place of each value among the distinct ones in order, and these; -1 for null."""
    if name != "customer" and column.null_count():
        raise InvalidTable(f"column {name!r} of the votes has nulls: fill them or drop the rows")
    if column.dtype.is_float():
        if column.drop_nulls().is_nan().any():
            raise InvalidTable(f"column {name!r} of the votes has NaN: fill it or drop the rows")
        column = column if name == "time" else to_ids(column)
    if column.dtype in _CATEGORIES:
        column = column.cast(nw.String)
    known = column.drop_nulls().unique().sort()
    if not len(known):
        none = np.zeros(0, dtype=np.int64 if column.dtype.is_integer() else object)
        return np.full(len(column), -1), none
    values = known.to_list() if known.dtype in (nw.String, nw.Object) else known.to_numpy()
    codes = np.full(len(column), -1)
    there = ~column.is_null().to_numpy().astype(bool)
    plain = column.filter(there.tolist()) if not there.all() else column
    if isinstance(values, list):
        place = {value: number for number, value in enumerate(values)}
        codes[there] = np.fromiter((place[value] for value in plain.to_list()), np.int64)
        values = np.array(values, dtype=object)
    else:
        codes[there] = np.searchsorted(values, plain.to_numpy())
    return codes, values


def _places(graph: SocialGraph, customers: Any) -> Ints:
    """Where customers stand in a graph; -1 for those who are not in it."""
    names = np.asarray(customers)
    if not len(graph) or not len(names):
        return np.full(len(names), -1)
    if (names.dtype == object) != (graph.ids.dtype == object):
        raise InvalidParameter(
            "the ids of the votes and those of the graph of who sees whom are of different "
            "types: make both texts or both integers"
        )
    places = np.minimum(np.searchsorted(graph.ids, names), len(graph) - 1)
    return np.where(graph.ids[places] == names, places, -1)


def _seen_by_all(votes: _Votes) -> tuple[Floats, Floats]:
    """How many earlier votes on the item there are at each vote, and how many are up."""
    n = len(votes.item)
    place = np.arange(n)
    new_item = np.append(True, votes.item[1:] != votes.item[:-1])[:n]
    new_time = new_item | np.append(True, votes.time[1:] != votes.time[:-1])[:n]
    begin = np.maximum.accumulate(np.where(new_item, place, 0))
    now = np.maximum.accumulate(np.where(new_time, place, 0))
    before = np.concatenate([[0.0], np.cumsum(votes.up)])
    return (now - begin).astype(np.float64), before[now] - before[begin]


def _seen_by_some(votes: _Votes, graph: SocialGraph) -> tuple[Floats, Floats]:
    """As `_seen_by_all`, of the votes of those whom the voter sees."""
    n, matrix = len(graph), _sparse.without_loops(graph.matrix())
    seen, ups = np.zeros(len(votes.item)), np.zeros(len(votes.item))
    voters = np.flatnonzero(votes.customer >= 0)
    keys = votes.item[voters] * n + votes.customer[voters]
    order = np.argsort(keys, kind="stable")
    keys, owner = keys[order], voters[order]
    arcs = np.cumsum(np.diff(matrix.indptr)[votes.customer[voters]])
    begin = 0
    while begin < len(voters):
        done = arcs[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(arcs, done + _sparse.STATE, side="right")))
        some = voters[begin:end]
        places, counts = _sparse.arcs_of(matrix, votes.customer[some])
        voter = np.repeat(some, counts)
        wanted = votes.item[voter] * n + matrix.indices[places]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        other = owner[at]
        there = (keys[at] == wanted) & (votes.time[other] < votes.time[voter])
        np.add.at(seen, voter[there], 1.0)
        np.add.at(ups, voter[there], votes.up[other[there]])
        begin = end
    return seen, ups


def _wilson(ups: Floats, count: Ints) -> tuple[Floats, Floats]:
    """Wilson's interval of a share of independent votes."""
    z = _leanings.Z
    middle = (ups + z * z / 2) / (count + z * z)
    half = z * np.sqrt(ups * (count - ups) / count + z * z / 4) / (count + z * z)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def _cautions(votes: _Votes, seen: Floats) -> list[str]:
    """What one should know before believing the numbers."""
    if not len(votes.up):
        return ["there are no votes"]
    if not seen.any():
        return ["nobody saw an earlier vote: there is no herd to discount"]
    if votes.up.min() == votes.up.max():
        return ["all votes are alike: opinion and herd cannot be told apart"]
    return []
