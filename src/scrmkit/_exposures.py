"""Who could have been moved by whose acts, and who was: the trials that probabilities come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _codes
from scrmkit._codes import NOBODY
from scrmkit._sparse import STATE, Flags, Ints, np


@frozen
class Arcs:
    """Pairs of customers: the second can be moved by the first.

    Args:
        ids: the customers, in order.
        u: who moves, as a place in ids.
        v: who is moved.
    """

    ids: Any
    u: Ints
    v: Ints


@frozen
class Matches:
    """Acts of one customer after acts of another.

    Args:
        pair: the pair, as a place in the arcs.
        rank: when the first of them acted, as a place in the times.
        event: the number of the later act; several pairs may share one.
    """

    pair: Ints
    rank: Ints
    event: Ints

    def take(self, which: Flags) -> Matches:
        """Some of them."""
        return Matches(self.pair[which], self.rank[which], self.event[which])


@frozen
class Exposures:
    """The trials of a log: acts of the first of a pair, after which the second may act.

    Args:
        arcs: the pairs, in order, each once.
        known: the rank of the time at which each pair was known; only later acts are trials.
        times: the distinct times, in microseconds and in order.
        acts: who acted when, as ``place * len(times) + rank``, in order.
        won: the trials that were followed.
        void: acts that are no trials, because the second of the pair had acted before.
        unmatched: how many acts followed none.
    """

    arcs: Arcs
    known: Ints
    times: Ints
    acts: Ints
    won: Matches
    void: Matches
    unmatched: int

    def trials(self, after: int | None, until: int) -> Ints:
        """How many trials each pair has whose act is after an instant and not after another."""
        low, high = self._ranks(after, until)
        width, u = max(len(self.times), 1), self.arcs.u
        first = np.searchsorted(self.acts, u * width + np.maximum(low, self.known + 1))
        count = np.maximum(np.searchsorted(self.acts, u * width + high) - first, 0)
        void = self.void.pair[(self.void.rank >= low) & (self.void.rank < high)]
        trials: Ints = count - np.bincount(void, minlength=len(u))
        return trials

    def wins(self, after: int | None, until: int) -> Matches:
        """The trials among them that were followed."""
        low, high = self._ranks(after, until)
        return self.won.take((self.won.rank >= low) & (self.won.rank < high))

    def _ranks(self, after: int | None, until: int) -> tuple[int, int]:
        low = 0 if after is None else int(np.searchsorted(self.times, after, side="right"))
        return low, int(np.searchsorted(self.times, until, side="right"))


@frozen
class _Log:
    """A log as numbers."""

    ids: Any
    source: Ints
    target: Ints
    times: Ints
    rank: Ints
    passes: Flags

    @property
    def width(self) -> int:
        return max(len(self.times), 1)


@frozen
class _Followed:
    """Acts that can be followed, and acts that followed one of them.

    Args:
        owner: who did each act that can be followed.
        rank: when.
        act: for each act that followed one, which.
        u: who had done that.
        v: who followed.
        when: when they followed.
        unmatched: how many acts followed none.
    """

    owner: Ints
    rank: Ints
    act: Ints
    u: Ints
    v: Ints
    when: Ints
    unmatched: int


def find_exposures(rows: nw.DataFrame[Any], *, on: str, limit: int, arcs: Arcs | None) -> Exposures:
    """The trials of acts that have a source.

    Args:
        rows: the acts.
        on: ``in_reply_to``, ``target``, or a column that says what an act is about.
        limit: how long after an act it can be followed, in microseconds.
        arcs: who can be moved by whom; None for those who have acted towards the other.
    """
    columns = [rows["source"], *([rows["target"]] if "target" in rows.columns else [])]
    ids, (source, *targets) = _codes.encode(columns)
    target = targets[0] if targets else np.full(len(rows), NOBODY)
    if arcs is not None:
        ids, own, theirs = _codes.merge(ids, arcs.ids)
        own = np.append(own, NOBODY)  # so that the place NOBODY stays what it is
        source, target = own[source], own[target]
        arcs = _ordered(ids, theirs[arcs.u], theirs[arcs.v])
    times, rank = np.unique(_codes.microseconds(rows["time"]), return_inverse=True)
    log = _Log(ids, source, target, times, rank, rows["passes"].to_numpy().astype(bool))
    if on in ("target", "in_reply_to"):
        followed = _by_target(log, limit) if on == "target" else _by_reply(log, rows, limit)
        arcs, known = _known(log, followed) if arcs is None else (arcs, _always(arcs))
        return _between_two(log, followed, arcs, known)
    arcs, known = _known(log) if arcs is None else (arcs, _always(arcs))
    return _about(log, _codes.encode([rows[on]])[1][0], arcs, known, limit)


def _ordered(ids: Any, u: Ints, v: Ints) -> Arcs:
    """Arcs in order, each once, without those from somebody to himself."""
    keys = _codes.distinct((u * len(ids) + v)[u != v])
    return Arcs(ids, keys // max(len(ids), 1), keys % max(len(ids), 1))


def _always(arcs: Arcs) -> Ints:
    return np.full(len(arcs.u), -1)


def _known(log: _Log, followed: _Followed | None = None) -> tuple[Arcs, Ints]:
    """Who acted towards whom, so can be moved by them, and the rank of the first time."""
    said = np.flatnonzero((log.target != NOBODY) & (log.target != log.source))
    u, v, rank = log.target[said], log.source[said], log.rank[said]
    if followed is not None:
        u, v = np.concatenate([u, followed.u]), np.concatenate([v, followed.v])
        rank = np.concatenate([rank, followed.when])
    width = max(len(log.ids), 1)
    keys = u * width + v
    order = np.lexsort((rank, keys))
    head = order[_codes.first_of_each(keys[order])]
    return Arcs(log.ids, u[head], v[head]), rank[head]


def _by_target(log: _Log, limit: int) -> _Followed:
    """Acts that point at a customer follow the latest act of that customer."""
    acts = _codes.distinct(log.source * log.width + log.rank)
    says = np.flatnonzero(log.passes & (log.target != NOBODY) & (log.target != log.source))
    u, v, when = log.target[says], log.source[says], log.rank[says]
    act = np.searchsorted(acts, u * log.width + when) - 1
    good = (act >= 0) & (acts[act] // log.width == u)
    good &= log.times[when] - log.times[acts[act] % log.width] <= limit
    act, u, v, when = (part[good] for part in (act, u, v, when))
    return _Followed(
        acts // log.width, acts % log.width, act, u, v, when, unmatched=int((~good).sum())
    )


def _by_reply(log: _Log, rows: nw.DataFrame[Any], limit: int) -> _Followed:
    """Acts follow the one that they answer."""
    names, (act, answered) = _codes.encode([rows["id"], rows["in_reply_to"]])
    width, scope = max(len(names), 1), np.zeros(len(rows), dtype=np.int64)
    if "scope" in rows.columns:
        scope = _codes.encode([rows["scope"]])[1][0] + 1
    keys = scope * width + act
    order = np.lexsort((log.source, log.rank, keys))
    head = order[_codes.first_of_each(keys[order])]
    acts, owner, rank = keys[head], log.source[head], log.rank[head]
    says = np.flatnonzero(log.passes & (answered != NOBODY))
    wanted = scope[says] * width + answered[says]
    place = np.minimum(np.searchsorted(acts, wanted), max(len(acts) - 1, 0))
    v, when = log.source[says], log.rank[says]
    good = (acts[place] == wanted) & (owner[place] != v)
    good &= log.times[when] - log.times[rank[place]] <= limit
    place, v, when = place[good], v[good], when[good]
    return _Followed(owner, rank, place, owner[place], v, when, unmatched=int((~good).sum()))


def _between_two(log: _Log, followed: _Followed, arcs: Arcs, known: Ints) -> Exposures:
    """The trials of acts that each follow one act, so one pair."""
    n = max(len(arcs.ids), 1)
    pair, there = _find(arcs.u * n + arcs.v, followed.u * n + followed.v)
    rank = followed.rank[followed.act]
    there[there] = rank[there] > known[pair[there]]
    acts = max(len(followed.owner), 1)
    once = _codes.distinct(pair[there] * acts + followed.act[there])
    won = Matches(once // acts, followed.rank[once % acts], np.arange(len(once)))
    none = np.zeros(0, dtype=np.int64)
    unmatched = followed.unmatched + int((~there).sum())
    keys = np.sort(followed.owner * log.width + followed.rank)
    return Exposures(arcs, known, log.times, keys, won, Matches(none, none, none), unmatched)


def _find(keys: Ints, wanted: Ints) -> tuple[Ints, Flags]:
    """Where keys are among others that are in order, and whether they are there."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def _about(log: _Log, item: Ints, arcs: Arcs, known: Ints, limit: int) -> Exposures:
    """The trials of customers who act about the same things: the first act of each counts."""
    width = int(item.max(initial=0)) + 1
    about = item != NOBODY
    acts, first = _firsts(log, item, about, width)
    events, since = _firsts(log, item, about & log.passes, width)
    found: list[tuple[Ints, Ints, Ints]] = [(np.zeros(0, dtype=np.int64),) * 3]
    void = list(found)
    for act, pair, event in _meetings(acts, events, arcs, width):
        late = first[act] > known[pair]
        rank, then = first[act], since[event]
        earlier = late & (then <= rank)
        soon = late & ~earlier & (log.times[then] - log.times[rank] <= limit)
        found.append((pair[soon], rank[soon], event[soon]))
        void.append((pair[earlier], rank[earlier], event[earlier]))
    won, lost = (
        Matches(*(np.concatenate(parts) for parts in zip(*some, strict=True)))
        for some in (found, void)
    )
    unmatched = len(events) - len(_codes.distinct(won.event))
    keys = np.sort(acts // width * log.width + first)
    return Exposures(arcs, known, log.times, keys, won, lost, unmatched)


def _firsts(log: _Log, item: Ints, which: Flags, width: int) -> tuple[Ints, Ints]:
    """Who acted about what, as ``source * width + item`` in order, and when first."""
    keys, rank = (log.source * width + item)[which], log.rank[which]
    order = np.lexsort((rank, keys))
    head = order[_codes.first_of_each(keys[order])]
    return keys[head], rank[head]


def _meetings(
    acts: Ints, events: Ints, arcs: Arcs, width: int
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Each act with the events about the same thing of those who can be moved, and the pair.

    For each act either those whom its customer moves are looked up among the events, or the
    customers of the events among those, whichever are fewer.
    """
    n = max(len(arcs.ids), 1)
    waiting = np.zeros(n, dtype=bool)
    waiting[events // width] = True
    pairs = np.flatnonzero(waiting[arcs.v])
    by_item = np.argsort(events % width, kind="stable")
    items = events[by_item] % width
    who, item = acts // width, acts % width
    moved, met = _ranges(arcs.u[pairs], who), _ranges(items, item)
    few = moved[1] <= met[1]
    for act, place in _expand(np.flatnonzero(few), *moved):
        pair = pairs[place]
        event, there = _find(events, arcs.v[pair] * width + item[act])
        yield act[there], pair[there], event[there]
    keys = arcs.u * n + arcs.v
    for act, place in _expand(np.flatnonzero(~few), *met):
        event = by_item[place]
        pair, there = _find(keys, who[act] * n + events[event] // width)
        yield act[there], pair[there], event[there]


def _ranges(keys: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Where each wanted key begins among keys in order, and how often it is there."""
    first = np.searchsorted(keys, wanted)
    return first, np.searchsorted(keys, wanted, side="right") - first


def _expand(rows: Ints, first: Ints, count: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Each of some rows with each place of its range, in portions."""
    steps = np.concatenate([[0], np.cumsum(count[rows])])
    begin = 0
    while begin < len(rows):
        last = max(begin + 1, int(np.searchsorted(steps, steps[begin] + STATE, side="right")) - 1)
        some = rows[begin:last]
        offset = first[some] - (steps[begin:last] - steps[begin])
        place = np.repeat(offset, count[some])
        yield np.repeat(some, count[some]), place + np.arange(len(place))
        begin = last
