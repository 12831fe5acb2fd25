"""Formal against social authority, and customers with a tie to somebody who has contact with us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from scrmkit import _checks, _columns, _entries, _sparse
from scrmkit._columns import middle_ranks
from scrmkit._entries import Entries
from scrmkit._sparse import Flags, Ints, NDArray, np
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Result


_TOP: Final = -1


def hidden_leaders(standing: Any, chart: Any) -> Result:
    r"""Who stands higher among people than in the org chart, and who lower.

    Formal authority is how many people report to somebody, at any depth. Social authority is
    whatever standing is given, such as a ranking of the ties among colleagues. Both are
    ranked among those who have both, 1 for the most, equal ones at the mean of their ranks,
    and ``gap = (formal_rank - social_rank) / (n - 1)``: near 1 for a hidden leader, to whom
    people turn and nobody reports; near -1 for a hollow one; around 0 where the two agree.

    Args:
        standing: a ranking of `rank`, a mapping from customers to numbers, or a table with the
            columns ``customer`` and ``value``.
        chart: the manager of each: a mapping, or a table with the columns ``customer`` and
            ``manager``. Who has no manager (None, or is only named as one) is at the top;
            there may be several.

    Returns:
        A result with the columns ``customer``; ``level`` (managers above, 0 at the top);
        ``reports`` (people below, at any depth); ``formal_rank``; ``social`` (the standing);
        ``social_rank``; ``gap``. Rows are in order of gap, the most hidden leader first and the
        most hollow last, equal gaps in order of id; then those who are in only one of the
        two, with nulls, in order of id. The gap compares ranks, so it has no interval: where
        the standing was sampled or people are much alike, small gaps mean nothing.

    Raises:
        InvalidParameter: the chart goes round in a circle, a standing is no finite number, or
            the ids of the two are of different types.
        InvalidTable: a table lacks a column, or has a customer twice.

    Complexity: people times the logarithm of the longest line of command.

    Example:
        >>> import networkx as nx
        >>> from scrmkit import influence
        >>> asks = nx.DiGraph([("ben", "eva"), ("cem", "eva"), ("dee", "eva"), ("eva", "dee")])
        >>> chart = {"ana": None, "ben": "ana", "cem": "ana", "dee": "ben", "eva": "ben"}
        >>> found = hidden_leaders(influence.rank(asks), chart)
        >>> found.frame.select("customer", "reports", "formal_rank", "social_rank").row(0)
        ('eva', 0, 3.0, 1.0)

    References:
        Krackhardt and Hanson (1993), Informal networks: the company behind the chart,
        Harvard Business Review 71 (4), 104-111.
    """
    stood = _entries.read(standing, "value", name="standing")
    values = _entries.to_numbers(stood.columns["value"], name="standing")
    people, level, reports, said = _charted(chart)
    _entries.check_same_type(people, stood.ids, name="chart", of="standing")
    ids = _entries.union(people, stood.ids)
    home = stood.home or said.home
    placed, ranked = (_entries.places(part, ids) for part in (people, stood.ids))
    charted, known = placed >= 0, ranked >= 0
    both = charted & known
    social = np.zeros(len(ids))
    social[known] = values[ranked[known]]
    below = np.zeros(len(ids), dtype=np.int64)
    below[charted] = reports[placed[charted]]
    depth = np.zeros(len(ids), dtype=np.int64)
    depth[charted] = level[placed[charted]]
    formal_rank, social_rank = np.zeros(len(ids)), np.zeros(len(ids))
    formal_rank[both] = middle_ranks(-below[both].astype(np.float64))
    social_rank[both] = middle_ranks(-social[both])
    ahead = formal_rank - social_rank
    order = np.lexsort((np.arange(len(ids)), -ahead, ~both))
    shown = both[order]
    gap = ahead / max(int(both.sum()) - 1, 1)

    def column(numbers: Any, where: Flags) -> Any:
        return _columns.numbers(numbers[order], home, where=where)

    return Result(
        columns={
            "customer": _columns.names(ids[order], home),
            "level": _columns.wholes(depth[order], home, where=charted[order]),
            "reports": _columns.wholes(below[order], home, where=charted[order]),
            "formal_rank": column(formal_rank, shown),
            "social": column(social, known[order]),
            "social_rank": column(social_rank, shown),
            "gap": column(gap, shown),
        },
        home=home,
        parameters={
            "measure": "formal against social authority",
            "values": _checks.digest({"values": [stood.ids.tolist(), values.tolist()]}),
            "chart": _checks.digest({"chart": [said.ids.tolist(), said.columns["manager"]]}),
            "compared": int(both.sum()),
            **({"standing": dict(standing.parameters)} if hasattr(standing, "parameters") else {}),
        },
        order="gap",
        notes=_left_over(int((~known).sum()), int((~charted).sum())),
    )


def _left_over(without_standing: int, without_place: int) -> tuple[str, ...]:
    notes = []
    if without_standing:
        notes.append(f"{without_standing} people of the chart have no standing, so no gap")
    if without_place:
        notes.append(f"{without_place} people with a standing are not in the chart, so no gap")
    return tuple(notes)


def _charted(chart: Any) -> tuple[NDArray[Any], Ints, Ints, Entries]:
    """Everybody in a chart in order of id, their levels and reports, and what was given."""
    said = _entries.read(chart, "manager", name="chart", of_ids=True)
    named = [None if _checks.is_missing(one) else one for one in said.columns["manager"]]
    there = np.array([one is not None for one in named], dtype=bool)
    managers = _entries.to_ids([one for one in named if one is not None], name="the managers")
    _entries.check_same_type(managers, said.ids, name="the managers", of="the chart")
    people = _entries.union(said.ids, managers)
    above = np.full(len(people), _TOP)
    above[_entries.places(people, said.ids[there])] = _entries.places(people, managers)
    level = _levels(people, above)
    reports = np.zeros(len(people), dtype=np.int64)
    by_level = np.argsort(-level, kind="stable")
    ends = np.flatnonzero(np.diff(level[by_level])) + 1
    for group in np.split(by_level, ends):
        led = group[above[group] != _TOP]
        np.add.at(reports, above[led], reports[led] + 1)
    known = iter(managers.tolist())
    plain = [next(known) if one is not None else None for one in named]
    return people, level, reports, Entries(said.ids, {"manager": plain}, said.home)


def _levels(people: NDArray[Any], above: Ints) -> Ints:
    """How many managers everybody has above, by doubling the steps upwards."""
    level: Ints = (above != _TOP).astype(np.int64)
    up: Ints = above.copy()
    for _ in range(max(len(people), 1).bit_length() + 1):
        going = np.flatnonzero(up != _TOP)
        if not len(going):
            return level
        level[going] += level[up[going]]
        up[going] = up[up[going]]
    one = int(up[up != _TOP][0])  # after so many steps everybody left is on a circle
    circle = [one]
    while above[circle[-1]] != one:
        circle.append(int(above[circle[-1]]))
    raise InvalidParameter(
        f"the chart goes round in a circle of {len(circle)}: give the one at the top None as "
        f"manager (the error's value has their ids)",
        value=people[circle].tolist(),
    )


def mediated(graph: Any, ours: Iterable[Any], *, weight: str | None = None) -> Result:
    r"""Customers without a tie to us who have one to somebody with a tie to us.

    They have no tie with any of ours, and a tie with at least one peer who has. Whether
    anything passes along those two ties is not known. A way to us is as strong as the weaker of
    its two ties, ``min(customer to peer, peer to all of ours)``; the best peer is the one on the
    strongest way.

    Args:
        graph: a networkx graph, ties (a result or a table with ``a``, ``b``), or a
            `SocialGraph`. Weights must not be negative; directions are summed; ties with
            oneself do not count.
        ours: the ids of the company's own: its handles, its employees.
        weight: the attribute or column of weights; see `SocialGraph.of`.

    Returns:
        A result with the columns ``customer``; ``through`` (how many peers have contact with
        us); ``peer`` (the best; of equally good ones the first in order of id); ``strength``
        (of the way through that peer); ``share`` (of the weight of the customer's ties, what
        goes to peers who have contact with us). Rows are in order of customer; ``top``
        orders by strength. Nobody is in it who has contact, or no peer who has.

    Raises:
        InvalidParameter: a weight is negative, or the ids of ours are of another type than
            those of the graph.

    Complexity: linear in ties.

    Example:
        >>> import networkx as nx
        >>> talks = nx.Graph()
        >>> talks.add_weighted_edges_from(
        ...     [("desk", "ana", 5.0), ("ana", "ben", 2.0), ("ben", "cem", 1.0)]
        ... )
        >>> mediated(talks, ["desk"]).frame.row(0)
        ('ben', 1, 'ana', 2.0, 0.6666666666666666)
    """
    social = SocialGraph.of(graph, weight=weight)
    _sparse.check_not_negative(
        social.weights,
        "a tie of dislike is no contact, so leave such ties out",
    )
    if isinstance(ours, str) or not isinstance(ours, Iterable):
        raise InvalidParameter(f"ours is of type {type(ours).__name__}: give a list of ids")
    own = _entries.union(_entries.to_ids(ours, name="ours"))
    _entries.check_same_type(own, social.ids, name="ours", of="the graph")
    place = _entries.places(social.ids, own)
    matrix = _sparse.without_loops(social.undirected().matrix())
    ourselves = np.zeros(len(social))
    ourselves[place[place >= 0]] = 1.0
    contact = np.asarray(matrix @ ourselves, dtype=np.float64)
    outside = (ourselves == 0) & (contact == 0)
    rows, columns = _sparse.row_of_each(matrix), matrix.indices
    arcs = np.flatnonzero(outside[rows] & (ourselves[columns] == 0) & (contact[columns] > 0))
    who, peer = rows[arcs], columns[arcs]
    way = _sparse.round_digits(np.minimum(matrix.data[arcs], contact[peer]))
    order = np.lexsort((peer, -way, who))
    through = np.bincount(who, minlength=len(social))
    found = np.flatnonzero(through)
    best = order[(np.cumsum(through) - through)[found]]
    with_peers = np.bincount(who, weights=matrix.data[arcs], minlength=len(social))
    absent = int((place < 0).sum())
    parameters: dict[str, Any] = {
        "measure": "mediated",
        "weight": social.weight,
        "ours": _checks.digest({"ours": own.tolist()}),
        "customers": len(social),
        "ties": social.number_of_ties,
        "digest": _sparse.digest(social.ids, social.indptr, social.indices, social.weights),
    }
    if social.parameters:
        parameters["graph"] = dict(social.parameters)
    return Result(
        columns={
            "customer": _columns.names(social.ids[found], social.home),
            "through": through[found],
            "peer": _columns.names(social.ids[peer[best]], social.home),
            "strength": way[best],
            "share": with_peers[found] / _sparse.row_sums(matrix)[found],
        },
        home=social.home,
        parameters=parameters,
        order="strength",
        notes=(f"{absent} of ours are not in the graph",) if absent else (),
    )
