"""How a customer would rate another, from the ratings there are but their own of that pair."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, Literal, get_args

from attrs import frozen

from scrmkit._checks import check_range, to_whole
from scrmkit._judgements import Judgements
from scrmkit._propagation import NOTHING, Answer, Network, moletrust, tidaltrust
from scrmkit._reputation import FairnessGoodness, Means
from scrmkit._sparse import Flags, Floats, Ints, np
from scrmkit.errors import InvalidParameter


Method = Literal[
    "mean",
    "mean_received",
    "mean_given",
    "mean_both",
    "fairness_goodness",
    "tidaltrust",
    "moletrust",
]
METHODS: Final[tuple[str, ...]] = get_args(Method)
PROPAGATED: Final = ("tidaltrust", "moletrust")
SHRINKAGE: Final = 5.0
HORIZON: Final = 3
THRESHOLD: Final = 0.6
REASONS: Final = (
    "source and target are one",
    "the source rated nobody else",
    "nobody else rated the target",
    "no trusted path",
    "there are no other ratings",
)
_SAME, _SILENT, _UNRATED, _NO_PATH, _EMPTY = range(len(REASONS))


@frozen(eq=False)
class Predictions:
    """What is predicted for pairs.

    Attributes:
        rating: from -1 to 1; NaN where nothing can be said.
        n: how many ratings it rests on.
        reason: why nothing can be said, as a place in REASONS; -1 where something is.
    """

    rating: Floats
    n: Ints
    reason: Ints


def check_method(method: str) -> None:
    """Refuse what is no method of prediction."""
    if not isinstance(method, str) or method not in METHODS:
        raise InvalidParameter(
            f"method must be one of {', '.join(map(repr, METHODS))}", value=method
        )


def check_limits(horizon: Any, threshold: Any) -> tuple[int, float]:
    """Horizon and threshold as numbers of Python; refuse limits that cannot be."""
    threshold = check_range(threshold, name="threshold", error=InvalidParameter, low=0, high=1)
    if threshold == 0:
        raise InvalidParameter("threshold must be above 0: trust of 0 weighs nothing in a mean")
    return to_whole(horizon, name="horizon", least=1), threshold


def predict(
    known: Judgements,
    source: Ints,
    target: Ints,
    *,
    same: Flags,
    method: str,
    horizon: int,
    threshold: float,
) -> Predictions:
    """Predict ratings of pairs of positions, -1 for customers who are not among the ratings.

    Positions do not say where two unknown customers are one, so ``same`` does.
    """
    place = known.find(source, target)
    has = place >= 0
    own = np.zeros(len(source))
    own[has] = known.rating[place[has]]
    n = len(known.ids) + 1  # the last is everybody unknown, whom -1 points to
    one = has.astype(np.int64)
    means = Means(known.source, known.target, known.rating, n)
    by_giver, by_taker = means.given(source, own, one), means.received(target, own, one)
    reason = np.full(len(source), -1)
    if method in ("mean_received", "fairness_goodness", *PROPAGATED):
        reason[by_taker[1] == 0] = _UNRATED
    if method in ("mean_given", "fairness_goodness", *PROPAGATED):
        reason[by_giver[1] == 0] = _SILENT
    if method in ("mean", "mean_both"):
        reason[len(known) - one == 0] = _EMPTY
    reason[same] = _SAME
    if method == "fairness_goodness":
        rating = _by_fairness(known, source, target, own, has, reason < 0)
        count = by_taker[1]
    elif method in PROPAGATED:
        rating, count = _along_paths(
            known, source, target, has, reason < 0, method, horizon, threshold
        )
        reason[(reason < 0) & np.isnan(rating)] = _NO_PATH
    elif method == "mean":
        rating, count = means.of_all(own, one)
    elif method == "mean_both":
        rating, count = means.both(source, target, own, one, SHRINKAGE)
    else:
        rating, count = by_taker if method == "mean_received" else by_giver
    said = reason < 0
    return Predictions(np.where(said, rating, np.nan), np.where(said, count, 0), reason)


def _by_fairness(
    known: Judgements, source: Ints, target: Ints, own: Floats, has: Flags, wanted: Flags
) -> Floats:
    """The source's fairness times the target's goodness, anew without each pair's own rating."""
    found = np.full(len(source), np.nan)
    if not wanted.any():
        return found
    solved = FairnessGoodness.of(known.matrix())
    fresh = wanted & ~has
    found[fresh] = solved.fairness[source[fresh]] * solved.goodness[target[fresh]]
    rated = wanted & has
    fairness, goodness = solved.without(source[rated], target[rated], own[rated])
    found[rated] = fairness * goodness
    return found


def _along_paths(
    known: Judgements,
    source: Ints,
    target: Ints,
    has: Flags,
    wanted: Flags,
    method: str,
    horizon: int,
    threshold: float,
) -> tuple[Floats, Ints]:
    """One walk from each source for those whom it did not rate, and one for each other pair."""
    found, count = np.full(len(source), NOTHING[0]), np.zeros(len(source), dtype=np.int64)
    matrix = known.matrix()
    network = Network(matrix, matrix.T.tocsr())
    pairs = np.flatnonzero(wanted)
    pairs = pairs[np.lexsort((target[pairs], has[pairs], source[pairs]))]
    for start, end in pairwise(_starts(source[pairs], has[pairs])):
        chosen = pairs[start:end]
        giver, ignored = int(source[chosen[0]]), bool(has[chosen[0]])
        takers, whose = np.unique(target[chosen], return_inverse=True)
        answers: list[Answer] = []
        for targets in [[one] for one in takers.tolist()] if ignored else [takers.tolist()]:
            if method == "moletrust":
                answers += moletrust(
                    network,
                    giver,
                    targets,
                    horizon=horizon,
                    threshold=threshold,
                    ignored=ignored,
                )
            else:
                answers += tidaltrust(network, giver, targets, horizon=horizon, ignored=ignored)
        found[chosen] = np.array([rating for rating, _ in answers])[whose]
        count[chosen] = np.array([number for _, number in answers])[whose]
    return found, count


def _starts(source: Ints, has: Flags) -> list[int]:
    """Where the pairs of each source begin, those that it rated apart, and where all end."""
    new = np.ones(len(source), dtype=bool)
    new[1:] = (np.diff(source) != 0) | (has[1:] != has[:-1])
    return [*np.flatnonzero(new).tolist(), len(source)]
