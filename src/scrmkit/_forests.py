"""Who followed whom, as a forest of acts: by what acts say, or inferred from whom they point at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _codes, _trees
from scrmkit._codes import NOBODY
from scrmkit._sparse import Ints, np


@frozen
class Forest:
    """Acts and what each of them follows.

    Args:
        customers: their ids, in order.
        names: the columns that name a root, from the places of acts; None where acts have no
            id.
        parent: the act that each follows, -1 for none. Acts that are not in the log come
            after those that are.
        source: who acted, as a place in customers.
        time: when, in microseconds.
        acts: how many of them are in the log.
        links: counts of links.
        left_out: counts of acts.
    """

    customers: Any
    names: Mapping[str, tuple[Any, Ints]]
    parent: Ints
    source: Ints
    time: Ints
    acts: int
    links: dict[str, int]
    left_out: dict[str, int]


def by_reply(rows: nw.DataFrame[Any]) -> Forest:
    """The forest of acts that say which act they answer."""
    names, (act, answered) = _codes.encode([rows["id"], rows["in_reply_to"]])
    customers, (who,) = _codes.encode([rows["source"]])
    scopes, scope = np.array([None]), np.zeros(len(rows), dtype=np.int64)
    if "scope" in rows.columns:
        scopes, (scope,) = _codes.encode([rows["scope"]])
    when = _codes.microseconds(rows["time"])
    width = max(len(names), 1)
    key = (scope + 1) * width + act
    order = np.lexsort((who, when, key))
    head = order[_codes.first_of_each(key[order])]
    acts = key[head]
    says = rows["passes"].to_numpy().astype(bool) & (answered != NOBODY)
    child, parent, several = _first_answers(key[says], ((scope + 1) * width + answered)[says])
    place = np.minimum(np.searchsorted(acts, parent), max(len(acts) - 1, 0))
    there = acts[place] == parent
    unseen = _codes.distinct(parent[~there])
    above = np.where(there, place, len(acts) + np.searchsorted(unseen, parent))
    tree = np.full(len(acts) + len(unseen), -1, dtype=np.int64)
    tree[np.searchsorted(acts, child)] = above
    tree, circle = _trees.cut_circles(tree)
    time = np.concatenate([when[head], np.full(len(unseen), np.iinfo(np.int64).max)])
    linked = np.flatnonzero(tree >= 0)
    late = linked[tree[linked] >= len(acts)]
    np.minimum.at(time, tree[late], time[late])
    source = np.concatenate([who[head], np.full(len(unseen), NOBODY)])
    keys = np.concatenate([acts, unseen])
    named = {"cascade": (names, keys % width)}
    if "scope" in rows.columns:
        named["scope"] = (scopes, keys // width - 1)
    return Forest(
        customers, named, tree, source, time, len(acts),
        links=_count(tree, source, time, len(acts), circular=len(circle), several=several),
        left_out={"nobody": 0},
    )  # fmt: skip


def _first_answers(child: Ints, parent: Ints) -> tuple[Ints, Ints, int]:
    """For each act the first that it answers, and how many answer several."""
    order = np.lexsort((parent, child))
    child, parent = child[order], parent[order]
    pairs = _codes.first_of_each(child, parent)
    child, parent = child[pairs], parent[pairs]
    first = _codes.first_of_each(child)
    several = np.diff(np.append(first, len(child))) > 1
    return child[first], parent[first], int(several.sum())


def by_target(rows: nw.DataFrame[Any], limit: int | None) -> Forest:
    """The forest of acts that follow the latest act of whom they point at.

    Args:
        rows: the acts.
        limit: how long after an act it can be followed, in microseconds; None for ever.
    """
    somebody = rows.filter(~nw.col("source").is_null())
    customers, (who, whom) = _codes.encode([somebody["source"], somebody["target"]])
    times, when = np.unique(_codes.microseconds(somebody["time"]), return_inverse=True)
    width = max(len(times), 1)
    acts, act = np.unique(who * width + when, return_inverse=True)
    says = somebody["passes"].to_numpy().astype(bool) & (whom != NOBODY)
    child, points = act[says], whom[says]
    # the last act of whom it points at that took place before
    place = np.searchsorted(acts, points * width + when[says]) - 1
    before = (place >= 0) & (acts[place] // width == points)
    if limit is not None:
        before &= times[when[says]] - times[acts[place] % width] <= limit
    latest = np.where(before, acts[place] % width, -1)
    order = np.lexsort((points, -latest, child))
    head = order[_codes.first_of_each(child[order])]
    tree = np.full(len(acts), -1, dtype=np.int64)
    tree[child[head]] = np.where(before[head], place[head], -1)
    lost = head[~before[head]]
    lost = lost[np.lexsort((when[says][lost], points[lost]))]
    new = _codes.first_of_each(points[lost])
    moment = times[when[says][lost]]
    if limit is not None:
        apart = np.flatnonzero(np.diff(moment, prepend=moment[:1]) > limit)
        new = np.union1d(new, apart)
    tree[child[lost]] = len(acts) + np.searchsorted(new, np.arange(len(lost)), side="right") - 1
    tree = np.concatenate([tree, np.full(len(new), -1)])
    time = np.concatenate([times[acts % width], moment[new]])
    source = np.concatenate([acts // width, points[lost[new]]])
    pairs = _codes.distinct(child * max(len(customers), 1) + points) // max(len(customers), 1)
    several = np.diff(np.append(_codes.first_of_each(pairs), len(pairs))) > 1
    return Forest(
        customers,
        {},
        tree,
        source,
        time,
        len(acts),
        links=_count(tree, source, time, len(acts), circular=0, several=int(several.sum())),
        left_out={"nobody": len(rows) - len(somebody)},
    )


def _count(tree: Ints, source: Ints, time: Ints, acts: int, **found: int) -> dict[str, int]:
    """How many links there are, and how many of them are odd."""
    low = np.flatnonzero(tree >= 0)
    high = tree[low]
    seen = high < acts
    same = (source[low] == source[high]) & (source[low] != NOBODY)
    return {
        "followed": len(low),
        "unseen": int((~seen).sum()),
        "own": int(same.sum()),
        "early": int((time[low] < time[high]).sum()),
        **found,
    }
