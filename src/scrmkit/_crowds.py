"""A crowd that looks around: everybody does what most of those do whom they see.

A state says who stands: people in rows, runs in columns. The runs have nothing to do with
each other and are computed side by side.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from scrmkit import _sparse
from scrmkit._sparse import Flags, Floats, Ints, Matrix, np


_CLOSE: Final = 1e-9


@frozen(eq=False)
class Crowd:
    """Who sees whom, and how many standing people make one stand or let one sit."""

    sees: Matrix
    seen_by: Matrix
    conformity: Floats
    to_stand: Ints
    to_sit: Ints

    def review(self, standing: Flags, seen: Floats, who: Any = slice(None)) -> Flags:
        """Who stands after seeing this many; both arrays are for ``who``, people in rows."""
        shape = (-1, *(1,) * (seen.ndim - 1))
        up = seen >= self.to_stand[who].reshape(shape)
        stay = seen > self.to_sit[who].reshape(shape)
        result: Flags = up | (standing & stay)
        return result

    def step(self, standing: Flags) -> Flags:
        """The next period where all review at once."""
        return self.review(standing, self.sees @ standing.astype(np.float64))


def crowd_of(sees: Matrix, conformity: Floats) -> Crowd:
    """Who sees whom, each arc of weight 1 and none with oneself, and when one stands."""
    wanted = conformity * np.diff(sees.indptr)
    return Crowd(
        sees=sees,
        seen_by=sees.T.tocsr(),
        conformity=conformity,
        to_stand=np.floor(wanted + _CLOSE).astype(np.int64) + 1,
        to_sit=np.ceil(wanted - _CLOSE).astype(np.int64) - 1,
    )


def _tally(standing: Flags, judged: Flags) -> Floats:
    """Of each run: who judged good, who stands, and who stands and sits against it."""
    against = standing != judged
    parts = (judged, standing, against & standing, against & judged)
    return np.array([part.sum(axis=0) for part in parts], dtype=np.float64)


def all_at_once(crowd: Crowd, judged: Flags, most: int) -> tuple[Floats, Ints, Ints]:
    """Tallies, periods and cycles of each run; a cycle of 0 where there is no end.

    A cycle closes where a state returns that was kept at a power of two (Brent).
    """
    runs = judged.shape[1]
    tallies = np.zeros((4, runs))
    periods, cycles = np.full(runs, -1), np.zeros(runs, dtype=np.int64)
    left, first, state, kept = np.arange(runs), judged, judged, judged
    total = np.zeros((4, runs))
    since, span = 0, 1
    for period in range(most + 1):
        after = crowd.step(state)
        tally = _tally(state, first)
        total += tally
        since += 1
        resting = (after == state).all(axis=0)
        turning = (after == kept).all(axis=0) & ~resting
        periods[left[resting]] = period
        cycles[left[resting]] = 1
        cycles[left[turning]] = since
        tallies[:, left] = np.where(turning, total / since, tally)
        on = ~(resting | turning)
        if not on.any():
            break
        left, first, kept, total = left[on], first[:, on], kept[:, on], total[:, on]
        state = after[:, on]
        if since == span:
            kept, total, since, span = state, np.zeros_like(total), 0, 2 * span
    for length in np.unique(cycles[cycles > 1]).tolist():
        which = np.flatnonzero(cycles == length)
        periods[which] = _until_cycle(crowd, judged[:, which], length)
    return tallies, periods, cycles


def _until_cycle(crowd: Crowd, judged: Flags, length: int) -> Ints:
    """In which period each run enters its cycle of this length."""
    behind = ahead = judged
    for _ in range(length):
        ahead = crowd.step(ahead)
    periods = np.zeros(judged.shape[1], dtype=np.int64)
    while not (met := (behind == ahead).all(axis=0)).all():
        periods += ~met
        behind, ahead = crowd.step(behind), crowd.step(ahead)
    return periods


def in_turn(
    crowd: Crowd,
    judged: Flags,
    most: int,
    sources: list[np.random.Generator],
    *,
    by_incentive: bool,
) -> tuple[Floats, Ints, Ints]:
    """As `all_at_once`, where people review one after the other; there are no cycles."""
    ends, state = judged.copy(), judged
    left = np.arange(judged.shape[1])
    periods = np.full(judged.shape[1], -1)
    for period in range(most + 1):
        seen = crowd.sees @ state.astype(np.float64)
        restless = crowd.review(state, seen) != state
        on = restless.any(axis=0)
        periods[left[~on]] = period
        ends[:, left] = state
        left, state, seen, restless = left[on], state[:, on], seen[:, on], restless[:, on]
        if not len(left) or period == most:
            break
        order = np.stack([sources[run].permutation(len(state)) for run in left], axis=1)
        if by_incentive:
            incentive = np.take_along_axis(_incentive(crowd, state, seen), order, axis=0)
            by_size = np.argsort(-incentive, axis=0, kind="stable")
            order = np.take_along_axis(order, by_size, axis=0)
        turn = np.argsort(order, axis=0, kind="stable")
        state = _one_by_one(crowd, state, seen, restless, turn)
    return _tally(ends, judged), periods, (periods >= 0).astype(np.int64)


def _one_by_one(crowd: Crowd, state: Flags, seen: Floats, restless: Flags, turn: Ints) -> Flags:
    """The state after a period in which people review in order of their turn.

    What somebody sees is the new state of those who were before, and the old one of the
    others. So who comes first is right at once; who comes later is looked at again whenever
    somebody before turns out to have changed, until nothing is left to look at.
    """
    after, seen, width = state.copy(), seen.copy(), state.shape[1]
    who, run = np.nonzero(restless)
    while len(who):
        after[who, run] ^= True
        arcs, counts = _sparse.arcs_of(crowd.seen_by, who)
        around, where = crowd.seen_by.indices[arcs].astype(np.int64), np.repeat(run, counts)
        later = turn[around, where] > np.repeat(turn[who, run], counts)
        around, where = around[later], where[later]
        change = np.repeat(np.where(after[who, run], 1.0, -1.0), counts)[later]
        np.add.at(seen, (around, where), change)
        who, run = np.divmod(np.unique(around * width + where), width)
        moved = crowd.review(state[who, run], seen[who, run], who) != after[who, run]
        who, run = who[moved], run[moved]
    return after


def _incentive(crowd: Crowd, standing: Flags, seen: Floats) -> Floats:
    """How much of what one sees is at odds with one's posture; least who sees nobody."""
    number = np.diff(crowd.sees.indptr)[:, None]
    excess = seen / np.maximum(number, 1) - crowd.conformity[:, None]
    excess = np.where(standing, -excess, excess)
    incentive: Floats = np.where(number > 0, np.round(excess, _sparse.DIGITS), -np.inf)
    return incentive
