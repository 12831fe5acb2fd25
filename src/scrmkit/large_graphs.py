"""Graphs that do not fit one machine: who is central and who belongs together, by joins.

`pagerank`, `connected_components` and `label_propagation` never hold a graph. They are
joins and sums of tables, done by the engine that holds the ties: Spark on its cluster,
DuckDB and Polars on one machine. What they bring here is one row of counts in each round.

For a graph that fits into memory `scrmkit.influence` and `scrmkit.communities` answer more
questions and are many times as fast.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit._checks import check_range, to_whole
from scrmkit._shelf import Frame, Shelf
from scrmkit._tables import aggregate
from scrmkit._tie_tables import take_ties, to_both_ways, to_people, to_shares, totals
from scrmkit.errors import InvalidParameter, NotConverged
from scrmkit.results import Result


__all__ = ["connected_components", "label_propagation", "pagerank"]

_SMALLEST_TOLERANCE: Final = 1e-12
_NEAR: Final = 1e-9
_AT_ONCE: Final = 20


def pagerank(
    ties: Any,
    *,
    weight: str = "strength",
    damping: float = 0.85,
    tolerance: float = 1e-10,
    max_iterations: int = 1_000,
) -> Result:
    r"""The share of a walk's time that is spent at each customer, by joins.

    The walk follows ties by their weight, and starts anew at any customer with probability
    ``1 - damping`` and wherever no tie leads on. With ``W`` the weights out of each customer
    over their sum, the values are proportional to the solution of ``z = 1 + damping W' z``.
    This is the number of `scrmkit.influence.rank`, from the same weights (parallel ties
    summed, nine significant digits), and the two agree to 1e-9.

    Each round is one join of the ties with the values so far. An undirected graph converges
    faster by Chebyshev's recurrence (Golub and Varga 1961).

    Args:
        ties: a result, or any table with the columns ``a`` and ``b`` (text or integers) and
            the weights.
        weight: the column of weights, finite and not negative. Where the table has
            ``{weight}_ab`` and ``{weight}_ba`` the graph is directed; see
            `SocialGraph.from_ties`.
        damping: how likely the walk goes on; from 0 to below 1.
        tolerance: what the errors of all values add up to at most; from 1e-12 to 1. With a
            damping of 0.85, 1e-10 takes about 140 rounds and 1e-6 about 80; ties without
            direction a third of that.
        max_iterations: how many rounds to wait for that; 1 or more.

    Returns:
        A result with the columns ``customer`` and ``value``; values sum to 1. Everybody who
        occurs in the ties has a row, also with ties that all weigh 0. Its table is of the
        kind that came in; one in memory is in order of id, a lazy one in no order. No ties
        give no rows. ``parameters["rounds"]`` says how many rounds it took.

    Raises:
        InvalidTable: a column is missing, of the wrong type, null or not finite somewhere.
        InvalidParameter: a weight is negative, or an option out of range.
        NotConverged: ``max_iterations`` rounds did not do.

    Complexity: each round is a join and a sum over the ties, at most two rows for each.

    Example:
        >>> import polars as pl
        >>> ties = pl.DataFrame({"a": [1, 1, 1], "b": [2, 3, 4], "strength": [1.0, 1.0, 2.0]})
        >>> pagerank(ties).top(2)["customer"].to_list()
        [1, 4]

    References:
        Page, Brin, Motwani, Winograd (1999), The PageRank citation ranking, Stanford. Golub
        and Varga (1961), doi:10.1007/BF01386013.
    """
    check_range(damping, name="damping", error=InvalidParameter, low=0, high=1)
    if damping == 1:
        raise InvalidParameter("damping must be below 1: at 1 the walk never starts anew")
    check_range(
        tolerance, name="tolerance", error=InvalidParameter, low=_SMALLEST_TOLERANCE, high=1
    )
    most = to_whole(max_iterations, name="max_iterations", least=1)
    with Shelf() as shelf:
        rows, home, directed = take_ties(ties, weight, shelf)
        arcs = to_shares(rows, damping, shelf, directed=directed)
        ones = [nw.lit(1.0).alias(name) for name in ("next", "now", "before")]
        state, rounds, ahead = shelf.keep(to_people(rows).with_columns(*ones)), 0, 1.0
        shelf.drop(rows)
        while True:
            rounds += 1
            old, state = state, shelf.keep(_walk_on(arcs, state, ahead))
            shelf.drop(old)
            off = (nw.col("next") - nw.col("now")).abs().alias("off")
            seen = totals(state.select(off, "next"), "off", "next")
            if 2 * damping * seen["off"] <= tolerance * (1 - damping) * seen["next"]:
                break
            if rounds == most:
                raise NotConverged(
                    f"PageRank with damping {damping:g} did not reach {tolerance:g} in {most} "
                    f"rounds: allow more, or take a larger tolerance or a smaller damping"
                )
            if not directed and rounds > 1:
                ahead = 1 / (1 - damping**2 * ahead / (4 if rounds > 2 else 2))
        value = (nw.col("next") / (seen["next"] or 1.0)).alias("value")
        frame = shelf.give(state.select("customer", value), home)
    made = {"damping": damping, "tolerance": tolerance, "rounds": rounds}
    return _result(frame, "value", ties, {"method": "pagerank", "weight": weight, **made}, seen)


def _walk_on(arcs: Frame, state: Frame, ahead: float) -> Frame:
    """One round: the values ``now``, what they lead to (``next``), and those ``before``."""
    change = nw.col("next") - nw.col("before")
    walk = state.select(
        "customer",
        (nw.col("before") + change * ahead).alias("now"),
        nw.col("now").alias("before"),
    )
    arrived = arcs.join(walk, left_on="start", right_on="customer", how="inner").select(
        nw.col("end").alias("customer"),
        (nw.col("share") * nw.col("now")).alias("next"),
        nw.lit(0.0).alias("now"),
        nw.lit(0.0).alias("before"),
    )
    started = walk.select("customer", nw.lit(1.0).alias("next"), "now", "before")
    return aggregate(
        nw.concat([arrived, started]),
        ["customer"],
        next=("next", "sum"),
        now=("now", "sum"),
        before=("before", "sum"),
    )


def connected_components(ties: Any, *, weight: str = "strength") -> Result:
    """Who can be reached from whom, whichever way ties point, by joins.

    Stars are made larger and smaller in turn (Kiveris et al. 2014): everybody with larger
    ids on the other end ties these to the smallest id known here, then everybody with
    smaller ids ties these. That ends with each component a star around its smallest id. A
    path of n customers takes about log2(n) rounds, other graphs few.

    Args:
        ties: a result, or any table with the columns ``a`` and ``b`` (text or integers) and
            the weights.
        weight: the column of weights, finite and not negative; a tie is where it is above 0
            (``{weight}_ab`` or ``{weight}_ba``, where the table has both).

    Returns:
        A result with the columns ``customer`` and ``component``, the smallest id that
        belongs to it. Who has no ties is a component alone. Its table is of the kind that
        came in; one in memory is in order of id, a lazy one in no order. No ties give no
        rows. ``parameters["rounds"]`` says how many rounds it took.

    Raises:
        InvalidTable: a column is missing, of the wrong type, null or not finite somewhere.
        InvalidParameter: a weight is negative.

    Complexity: each round is two joins and two sums over the ties that are left, which
    become fewer; rounds grow with the logarithm of the longest way, at most its square.

    Example:
        >>> import polars as pl
        >>> ties = pl.DataFrame({"a": [1, 2, 5], "b": [2, 3, 6], "strength": [1.0, 2.0, 1.0]})
        >>> connected_components(ties).frame["component"].to_list()
        [1, 1, 1, 5, 5]

    References:
        Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii (2014),
        doi:10.1145/2670979.2670997.
    """
    with Shelf() as shelf:
        rows, home, _ = take_ties(ties, weight, shelf)
        tied = rows.filter((nw.col("out") > 0) | (nw.col("back") > 0)).select("a", "b")
        found, rounds = _components(tied, to_people(rows), shelf)
        seen = totals(found)
        frame = shelf.give(found, home)
    made = {"method": "connected components", "weight": weight, "rounds": rounds}
    return _result(frame, "component", ties, made, seen)


def _components(pairs: Frame, people: Frame, shelf: Shelf) -> tuple[Frame, int]:
    """The ``component`` of each of the people, who occur in pairs ``a``, ``b``; and the rounds."""
    a, b = nw.col("a"), nw.col("b")
    far = nw.when(a < b).then(b).otherwise(a).alias("far")
    near = nw.when(a < b).then(a).otherwise(b).alias("near")
    edges = shelf.keep(pairs.filter(a != b).select(far, near).unique())
    rounds, moved = 0, 1
    while moved:
        rounds += 1
        for step in (_enlarge_stars, _shrink_stars):
            old, edges = edges, shelf.keep(step(edges))
            shelf.drop(old)
        moved = int(totals(edges, "moved")["moved"])
    alone = people.select("customer", nw.col("customer").alias("component"))
    tied = edges.select(nw.col("far").alias("customer"), nw.col("near").alias("component"))
    found = aggregate(nw.concat([alone, tied]), ["customer"], component=("component", "min"))
    components = shelf.keep(found)
    shelf.drop(edges)
    return components, rounds


def _enlarge_stars(edges: Frame) -> Frame:
    """Tie all larger neighbours of each to the smallest of its neighbours and itself."""
    own = edges.select(nw.col("near").alias("far"), "near")
    known = nw.concat([edges.select("far", "near"), own])
    centres = aggregate(known, ["far"], centre=("near", "min"))
    star = edges.select("far", "near").join(centres, left_on="near", right_on="far", how="inner")
    moved = (nw.col("near") != nw.col("centre")).cast(nw.Int64).alias("moved")
    return _once(star.select("far", nw.col("centre").alias("near"), moved))


def _shrink_stars(edges: Frame) -> Frame:
    """Tie each and all its smaller neighbours to the smallest of these."""
    centres = aggregate(edges, ["far"], centre=("near", "min"))
    star = edges.join(centres, on="far", how="inner")
    stay = star.select("far", nw.col("centre").alias("near"), "moved")
    go = star.filter(nw.col("near") != nw.col("centre")).select(
        nw.col("near").alias("far"), nw.col("centre").alias("near"), nw.lit(1).alias("moved")
    )
    return _once(nw.concat([stay, go.with_columns(nw.col("moved").cast(nw.Int64))]))


def _once(edges: Frame) -> Frame:
    return aggregate(edges, ["far", "near"], moved=("moved", "max"))


def label_propagation(ties: Any, *, weight: str = "strength", max_iterations: int = 100) -> Result:
    """Communities of customers who hold the label that most of their ties hold, by joins.

    Everybody begins with a label of their own. In each round all look at once at the labels
    of those they are tied with, each with the weight of the tie (both directions summed;
    ties with oneself do not count), and take the one with the largest sum:

    - Sums that agree to 1e-9 of the largest are equal. Who holds one of the largest keeps
      it; else the smallest of these labels, in order of id, is taken.
    - In the first round and every other one, labels only become smaller: who would take a
      larger one waits. Where all move at once, customers can swap labels for ever (two
      sides of a bipartite graph do); here the smaller label stays and the larger one yields
      (Sahu 2024).
    - After 20 rounds those who are still about to move take turns: of two who are tied, the
      smaller id moves and the other waits. Every such round adds to the weight of the ties
      inside labels, so no circle of moves is endless.
    - It ends when everybody holds one of the labels with the largest sum, which is where
      the original ends, one customer at a time in random order (Raghavan et al. 2007). It
      also ends after ``max_iterations`` rounds; then ``parameters["unsettled"]`` counts
      those who do not, and a note says so.

    As in the original, those who hold one label without being connected through others
    that hold it are communities apart. Nothing is drawn at random.

    Args:
        ties: a result, or any table with the columns ``a`` and ``b`` (text or integers) and
            the weights.
        weight: the column of weights, finite and not negative; see `SocialGraph.from_ties`.
        max_iterations: how many rounds at most; 1 or more.

    Returns:
        A result with the columns ``customer`` and ``community``, the smallest id that
        belongs to it. Who has no ties is a community alone. Its table is of the kind that
        came in; one in memory is in order of id, a lazy one in no order. No ties give no
        rows. ``parameters["rounds"]`` says how many rounds it took.

    Raises:
        InvalidTable: a column is missing, of the wrong type, null or not finite somewhere.
        InvalidParameter: a weight is negative, or ``max_iterations`` below 1.

    Complexity: each round is two joins, two sums and a window over the ties, at most two
    rows for each. Where weights differ, 10 to 30 rounds are usual. A path along which ids
    grow and all ties weigh the same moves by one tie in each round.

    Example:
        >>> import polars as pl
        >>> ties = pl.DataFrame(
        ...     {"a": [1, 1, 2, 3, 4, 4, 5], "b": [2, 3, 3, 4, 5, 6, 6], "strength": [1.0] * 7}
        ... )
        >>> label_propagation(ties).frame["community"].to_list()
        [1, 1, 1, 4, 4, 4]

    References:
        Raghavan, Albert, Kumara (2007), doi:10.1103/PhysRevE.76.036106. Sahu (2024),
        arXiv:2411.11468.
    """
    most = to_whole(max_iterations, name="max_iterations", least=1)
    with Shelf() as shelf:
        rows, home, directed = take_ties(ties, weight, shelf)
        arcs = shelf.keep(to_both_ways(rows, directed=directed))
        people = shelf.keep(to_people(rows))
        shelf.drop(rows)
        own = arcs.select(nw.col("start").alias("customer"), nw.col("start").alias("label"))
        labels, rounds, unsettled = shelf.keep(own.unique()), 0, 1
        while unsettled and rounds < most:
            rounds += 1
            votes = shelf.keep(_vote(arcs, labels))
            shelf.drop(labels)
            unsettled = int(totals(votes, "moves")["moves"])
            if rounds > _AT_ONCE:
                choice = _take_turns(arcs, votes)
            else:
                choice = _only_down(votes) if rounds % 2 else votes
            labels = shelf.keep(_follow(choice))
            shelf.drop(votes)
        together = _inside(arcs, labels)
        found, _ = _components(together, people, shelf)
        everybody = totals(found)
        frame = shelf.give(found.rename({"component": "community"}), home)
    made = {"method": "label propagation", "weight": weight, "rounds": rounds}
    made |= {"max_iterations": most, "unsettled": unsettled}
    note = (
        f"{unsettled} customers were still about to change their label when it ended after "
        f"{rounds} rounds: a larger max_iterations lets them"
    )
    notes = (note,) if unsettled else ()
    return _result(frame, "community", ties, made, everybody, notes)


def _vote(arcs: Frame, labels: Frame) -> Frame:
    """The ``label`` of each, the one that is ``wanted``, and whether the label ``moves`` (1, 0)."""
    heard = arcs.join(labels, left_on="start", right_on="customer", how="inner")
    votes = aggregate(heard, ["end", "label"], weight=("weight", "sum"))
    most = nw.col("weight").max().over("end").alias("most")
    largest = votes.with_columns(most).filter(nw.col("weight") >= nw.col("most") * (1 - _NEAR))
    wanted = largest.select(nw.col("end").alias("customer"), nw.col("label").alias("wanted"))
    moves = (nw.col("wanted") != nw.col("label")).cast(nw.Int64).alias("moves")
    return aggregate(
        labels.join(wanted, on="customer", how="inner").with_columns(moves),
        ["customer"],
        label=("label", "min"),
        wanted=("wanted", "min"),
        moves=("moves", "min"),
    )


def _only_down(votes: Frame) -> Frame:
    """The same where nobody moves to a larger label."""
    smaller = (nw.col("wanted") < nw.col("label")).cast(nw.Int64)
    return votes.with_columns((nw.col("moves") * smaller).alias("moves"))


def _take_turns(arcs: Frame, votes: Frame) -> Frame:
    """The same where nobody moves who is tied to a smaller id that would move."""
    movers = votes.filter(nw.col("moves") == 1).select("customer")
    blocked = (
        arcs.filter(nw.col("start") < nw.col("end"))
        .join(movers, left_on="start", right_on="customer", how="inner")
        .join(movers, left_on="end", right_on="customer", how="inner")
        .select(nw.col("end").alias("customer"), nw.lit(1).cast(nw.Int64).alias("waits"))
    )
    free = votes.select("customer", nw.lit(0).cast(nw.Int64).alias("waits"))
    waits = aggregate(nw.concat([free, blocked]), ["customer"], waits=("waits", "max"))
    moves = (nw.col("moves") * (1 - nw.col("waits"))).alias("moves")
    return votes.join(waits, on="customer", how="inner").with_columns(moves)


def _follow(votes: Frame) -> Frame:
    """The labels after those who move have moved."""
    moved = nw.when(nw.col("moves") == 1).then(nw.col("wanted")).otherwise(nw.col("label"))
    return votes.select("customer", moved.alias("label"))


def _inside(arcs: Frame, labels: Frame) -> Frame:
    """The ties ``a``, ``b`` between customers of one label."""
    ties = arcs.filter(nw.col("start") < nw.col("end")).select(
        nw.col("start").alias("a"), nw.col("end").alias("b")
    )
    for end in ("a", "b"):
        ours = labels.select(nw.col("customer").alias(end), nw.col("label").alias(f"label_{end}"))
        ties = ties.join(ours, on=end, how="inner")
    return ties.filter(nw.col("label_a") == nw.col("label_b")).select("a", "b")


def _result(
    frame: Any,
    order: str,
    ties: Any,
    made: dict[str, Any],
    seen: dict[str, float],
    notes: tuple[str, ...] = (),
) -> Result:
    parameters = {**made, "customers": int(seen["rows"])}
    if hasattr(ties, "parameters"):
        parameters["graph"] = ties.parameters
    return Result(frame, parameters=parameters, order=order, notes=notes)
