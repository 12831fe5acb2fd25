"""Standing ovations: who stands because the others do.

Each person judges alone first, and then does what most of those do whom they see. The result
says how many stand in the end, how many of them against their own judgement, and how often
the crowd ends where its members' own judgements pointed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from scipy.special import bdtr

from scrmkit import _columns, _crowds, _sights, _sparse
from scrmkit._bounds import Estimate, mean_interval
from scrmkit._checks import Id, check_range, digest, to_float, to_whole
from scrmkit._sparse import Floats, Ints, np
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Lookup, Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None

__all__ = ["Ovation", "ovation", "theatre"]

Updating = Literal["synchronous", "random", "incentive_first"]
View = Literal["five", "cone"]

_CONFIDENCE: Final = 0.95
_QUALITY: Final = 0.5
_NOISE: Final = 0.25


class Ovation(Result):
    """What became of the applause, run by run.

    The result of `ovation`: a table with one row for each run and the columns ``run``;
    ``judged_good`` (share of people whose own judgement says stand); ``standing`` (share
    standing in the end); ``standing_against_own`` and ``sitting_against_own`` (shares of all
    people who do the opposite of their own judgement); ``efficient`` (whether the majority
    in the end does what the majority judged; null where one of them is exactly half);
    ``right`` (whether the majority in the end stands where the quality is above the
    threshold of most, and sits where it is below; null where neither holds of more people
    than the other, where the end is exactly half, and with given signals); ``periods``
    (until nothing changed any more, or the cycle began) and ``cycle`` (its length; 1 where
    it came to rest), both null where neither came within ``max_periods``. In a cycle the
    shares are means over it.

    Each attribute is an `Estimate` with an interval for confidence .95. Those of shares are
    Chernoff-Hoeffding bounds of the mean over runs, which hold for every distribution of
    numbers from 0 to 1; that of ``periods`` are order statistics, which hold for the median
    of every distribution. Where nothing is drawn there is one run, and both ends are the
    value.

    Attributes:
        standing: the mean of the column.
        standing_against_own: the mean of the column.
        sitting_against_own: the mean of the column.
        informational_efficiency: the share of runs that are ``efficient``, of those that
            have an answer. In a small crowd many have none, because exactly half stand or
            judged good; a note counts them.
        right: the share of runs that are ``right``, of those that have an answer; a note
            counts the others, where any has one.
        cycling: the share of runs that end in a cycle of 2 or more periods.
        periods: the median of the column; null counts as longer than all others.

    Example:
        >>> from scrmkit.diffusion import ovation, theatre
        >>> found = ovation(theatre(10, 10), quality=0.6, seed=1)
        >>> round(found.standing.value, 2), round(found.standing_against_own.value, 2)
        (0.75, 0.25)
    """

    def __init__(
        self,
        columns: Mapping[str, list[Any]],
        *,
        drawn: bool,
        parameters: Mapping[str, Any],
        notes: tuple[str, ...],
        home: Any,
    ) -> None:
        super().__init__(
            columns=_typed(columns, home),
            home=home,
            parameters=parameters,
            order="standing",
            notes=notes,
        )
        self.standing = _mean(columns["standing"], drawn=drawn)
        self.standing_against_own = _mean(columns["standing_against_own"], drawn=drawn)
        self.sitting_against_own = _mean(columns["sitting_against_own"], drawn=drawn)
        self.informational_efficiency = _mean(columns["efficient"], drawn=drawn)
        self.right = _mean(columns["right"], drawn=drawn)
        turns = [None if length is None else length > 1 for length in columns["cycle"]]
        self.cycling = _mean(turns, drawn=drawn)
        self.periods = _median(columns["periods"], drawn=drawn)


def theatre(rows: int, columns: int, *, view: View = "five") -> SocialGraph:
    """Who sees whom in a theatre: a seat has an arc to each seat that its guest sees.

    Row 0 is in front. In both views one sees the seats on the left and on the right. With
    ``"five"`` one sees besides the three nearest seats of the row ahead; with ``"cone"``
    three seats of the row ahead, five of the one before it, seven of the next, and so on to
    the front. At the sides and in front there are fewer.

    Args:
        rows: how many rows; 1 or more.
        columns: how many seats in a row; 1 or more.
        view: ``"five"`` or ``"cone"``.

    Returns:
        A directed graph of ``rows * columns`` seats, in which an arc from a to b says that a
        sees b. A seat's id is ``row * columns + column``.

    Raises:
        InvalidParameter: fewer than one row or column, or another view.

    Complexity: linear in arcs: at most five for each seat, or with cones the number of seats
    ahead.

    Example:
        >>> from scrmkit.diffusion import theatre
        >>> seats = theatre(3, 5)
        >>> seats.to_networkx().adj[7]
        AtlasView({1: {'weight': 1.0}, 2: {'weight': 1.0}, 3: {'weight': 1.0},
         6: {'weight': 1.0}, 8: {'weight': 1.0}})

    References:
        Miller and Page (2004), The standing ovation problem, Complexity 9(5), 8-16,
        doi:10.1002/cplx.20033.
    """
    rows = to_whole(rows, name="rows", least=1)
    columns = to_whole(columns, name="columns", least=1)
    if view not in get_args(View):
        raise InvalidParameter('view must be "five" or "cone"', value=view)
    seat = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    steps = [(0, -1), (0, 1)]
    for ahead in range(1, rows if view == "cone" else min(rows, 2)):
        widest = min(ahead, columns - 1)
        steps += [(ahead, aside) for aside in range(-widest, widest + 1)]
    starts, ends = [], []
    for ahead, aside in steps:
        left, right = max(0, -aside), columns - max(0, aside)
        starts.append(seat[ahead:, left:right].ravel())
        ends.append(seat[: rows - ahead, left + aside : right + aside].ravel())
    a, b = np.concatenate(starts), np.concatenate(ends)
    matrix = _sparse.from_arcs(a, b, np.ones(len(a)), rows * columns)
    made: Any = {"graph": "theatre", "rows": rows, "columns": columns, "view": view}
    return SocialGraph(
        np.arange(rows * columns),
        matrix.indptr.astype(np.int64),
        matrix.indices,
        matrix.data,
        directed=True,
        weight=None,
        parameters=made,
    )


def ovation(
    sees: Any,
    *,
    quality: float = _QUALITY,
    noise: float = _NOISE,
    threshold: float | Mapping[Id, float] = 0.5,
    signals: Mapping[Id, float] | None = None,
    conformity: float | Mapping[Id, float] = 0.5,
    updating: Updating = "synchronous",
    runs: int = 100,
    max_periods: int = 1_000,
    seed: Seed = 0,
) -> Ovation:
    r"""Let an audience judge alone, then look around, until nobody changes any more.

    Everybody gets a signal, ``quality + noise * (a standard normal number)``, and stands
    where it is above their threshold: that is their own judgement. Then, period by period,
    everybody reviews: one stands where the share of those whom one sees that are standing is
    above ``conformity``, sits where it is below, and stays as one is where it is equal
    (within 1e-9) or where one sees nobody. The own judgement counts for nothing any more.

    =================== ================================================================
    updating            who reviews when, in each period
    =================== ================================================================
    ``synchronous``     all at once, by what was seen at the end of the period before
    ``random``          one after the other, in an order that is drawn anew
    ``incentive_first`` one after the other; first those whom, when the period begins, most
                        is at odds with: who sits by (share standing - conformity), who
                        stands by the opposite; equal ones in an order that is drawn
    =================== ================================================================

    Args:
        sees: who sees whom: a networkx graph, ties (a result or a table with ``a``, ``b``),
            or a `SocialGraph`, such as `theatre`. An arc from a to b says that a sees b; an
            undirected tie is seen both ways, and so is a tie of a table without
            ``strength_ab`` and ``strength_ba``. Weights do not count, and a table needs none;
            nobody sees himself.
        quality: how good the performance is, on the scale of the thresholds.
        noise: the standard deviation of the signals around the quality; 0 or more.
        threshold: the signal above which one stands; one number, or one for each id.
        signals: the signal of each id, instead of ``quality`` and ``noise``; the same in all
            runs.
        conformity: the share of standing people above which one stands, from 0 to 1; one
            number, or one for each id. At .5 one follows the majority.
        updating: one of the above.
        runs: how often the applause is played; 1 or more. One is enough, and played, where
            nothing is drawn: a synchronous one with given signals or without noise.
        max_periods: when to give up waiting for rest or for a cycle; 1 or more. A cycle is
            found within three times the periods until it first closes.
        seed: for the draws; anything that ``numpy.random.default_rng`` takes. The first runs
            are the same however many follow. The parameters of the result name a generator
            by a digest of what it drew for the runs.

    Returns:
        An `Ovation`: one row for each run, and estimates over them. Runs that neither came
        to rest nor into a cycle have the shares of the last period, and a note counts them.
        Runs that are a tie have no ``efficient`` or ``right``: the estimates leave them out,
        and a note counts them. Without people all shares are null.

        With the same seed a higher quality never lowers the share standing in a run that
        ends within ``max_periods``, where updating is ``synchronous`` or ``random``, because
        then each review keeps every person standing who stood with the lower quality.

    Raises:
        InvalidParameter: an option out of range, another updating, ``signals`` together with
            ``quality`` or ``noise``, or a mapping that leaves an id out.
        UnknownCustomer: a mapping names an id that is not in the graph.

    Complexity: a synchronous period is linear in arcs times runs; in the others a period is
    linear in arcs times runs where it settles soon: somebody is looked at again for
    each change among those before that was not foreseen.

    Example:
        >>> from scrmkit.diffusion import ovation, theatre
        >>> for view in ("five", "cone"):
        ...     found = ovation(theatre(20, 20, view=view), seed=7)
        ...     print(view, round(found.informational_efficiency.value, 2))
        five 0.57
        cone 0.59

    References:
        Miller and Page (2004), The standing ovation problem, Complexity 9(5), 8-16,
        doi:10.1002/cplx.20033; there signals are uniform from 0 to 1 and thresholds .5,
        which is as here without quality (``quality=.5``): everybody stands with probability
        one half. Izquierdo, Izquierdo, Galan and Santos (2009), Techniques to understand
        computer simulations: Markov chain analysis, JASSS 12(1) 6, toss a coin where as many
        stand as sit; then only standing or sitting all together is at rest. Brent (1980),
        doi:10.1007/BF01933190, for the search of cycles.
    """
    if updating not in get_args(Updating):
        ways = ", ".join(get_args(Updating))
        raise InvalidParameter(f"updating must be one of {ways}", value=updating)
    quality, noise = to_float(quality), to_float(noise)
    check_range(quality, name="quality", error=InvalidParameter)
    check_range(noise, name="noise", error=InvalidParameter, low=0)
    if signals is not None and (quality, noise) != (_QUALITY, _NOISE):
        raise InvalidParameter("signals stand instead of quality and noise: give one or the other")
    runs = to_whole(runs, name="runs", least=1)
    max_periods = to_whole(max_periods, name="max_periods", least=1)
    rng = _sparse.generator(seed)
    graph = _sights.who_sees_whom(sees)
    limits = _each(graph, threshold, name="threshold")
    given = None if signals is None else _each(graph, signals, name="signals")
    sways = _each(graph, conformity, name="conformity", low=0, high=1)
    crowd = _crowds.crowd_of(_sights.arcs_seen(graph), sways)
    drawn = updating != "synchronous" or (given is None and noise > 0)
    runs = runs if drawn else 1
    width = max(1, _sparse.STATE // (1 + len(graph) + crowd.sees.nnz))
    keys = rng.integers(2**63, size=runs)
    ends = []
    for start in range(0, runs, width):
        sources = [np.random.default_rng(key) for key in keys[start : start + width]]
        if given is None:
            judged = np.stack(
                [quality + noise * one.standard_normal(len(graph)) > limits for one in sources],
                axis=1,
            )
        else:
            judged = np.repeat((given > limits)[:, None], len(sources), axis=1)
        if updating == "synchronous":
            ends.append(_crowds.all_at_once(crowd, judged, max_periods))
        else:
            by_incentive = updating == "incentive_first"
            ends.append(
                _crowds.in_turn(crowd, judged, max_periods, sources, by_incentive=by_incentive)
            )
    tallies, periods, cycles = (np.concatenate(parts, axis=-1) for parts in zip(*ends, strict=True))
    above, below = ((part * (quality - limits) > 0).sum() for part in (1, -1))
    truth = None if given is not None or above == below else bool(above > below)
    columns = _outcomes(tallies, periods, cycles, n=len(graph), truth=truth)
    return Ovation(
        columns,
        drawn=drawn,
        home=graph.home,
        parameters={
            "model": "standing ovation",
            "updating": updating,
            **(
                {"quality": quality, "noise": noise}
                if given is None
                else {"signals": _named(signals, given)}
            ),
            "threshold": _named(threshold, limits),
            "conformity": _named(conformity, sways),
            "runs": runs,
            "max_periods": max_periods,
            "seed": _name_of_seed(seed, keys),
            "confidence": _CONFIDENCE,
            "customers": len(graph),
            "ties": graph.number_of_ties,
            "sees": _sights.digest_of(graph),
            **({"graph": dict(graph.parameters)} if graph.parameters else {}),
        },
        notes=_notes(columns, max_periods),
    )


def _notes(columns: Mapping[str, list[Any]], max_periods: int) -> tuple[str, ...]:
    """How many runs found no end, and how many are left out of an estimate."""
    runs, notes = len(columns["run"]), []
    if left := columns["cycle"].count(None):
        notes.append(
            f"{left:,} of {runs:,} runs had not come to rest after {max_periods:,} periods"
        )
    for column, estimate in (("efficient", "informational_efficiency"), ("right", "right")):
        ties = columns[column].count(None)
        if ties and (ties < runs or column == "efficient"):
            notes.append(
                f"{estimate} leaves out {ties:,} of {runs:,} runs, in which {column!r} is null "
                f"because it is a tie"
            )
    return tuple(notes)


def _name_of_seed(seed: Any, keys: Ints) -> Any:
    """A seed that is a number or None as it is, and any other by what it drew for the runs."""
    if seed is None:
        return None
    if hasattr(type(seed), "__index__") and not isinstance(seed, np.ndarray):
        return int(seed)
    return f"digest {digest({'keys': keys.tolist()})}"


def _each(
    graph: SocialGraph,
    value: float | Mapping[Id, float],
    *,
    name: str,
    low: float = -np.inf,
    high: float = np.inf,
) -> Floats:
    """A number for each person: the one given, or that of the mapping."""
    if not isinstance(value, Mapping | Lookup):
        number = to_float(value)
        check_range(number, name=name, error=InvalidParameter, low=low, high=high)
        return np.full(len(graph), number)
    numbers = np.full(len(graph), np.nan)
    for customer, given in value.items():
        number = to_float(given)
        check_range(number, name=name, error=InvalidParameter, low=low, high=high)
        numbers[graph.position(customer)] = number
    if left := int(np.isnan(numbers).sum()):
        raise InvalidParameter(f"{name} leaves out {left:,} of the {len(graph):,} in the graph")
    return numbers


def _named(value: Any, numbers: Floats) -> float | str:
    """A number as it is, and a mapping by a digest, as ids have no place in parameters."""
    if not isinstance(value, Mapping | Lookup):
        return float(to_float(value))
    return f"digest {digest({'numbers': numbers.tolist()})}"


def _side(number: float, of: int) -> bool | None:
    """Whether the majority does it; None where exactly half do."""
    return None if abs(2 * number - of) <= 1e-9 * of else 2 * number > of


def _outcomes(
    tallies: Floats, periods: Ints, cycles: Ints, *, n: int, truth: bool | None
) -> dict[str, list[Any]]:
    """What became of each run, null where there is no answer."""
    names = ("judged_good", "standing", "standing_against_own", "sitting_against_own")
    columns: dict[str, list[Any]] = {"run": list(range(len(cycles)))}
    for name, part in zip(names, tallies, strict=True):
        columns[name] = (part / n).tolist() if n else [None] * len(cycles)
    judged, ended = ([_side(number, n) for number in part.tolist()] for part in tallies[:2])
    columns["efficient"] = [
        None if None in (one, other) else one == other
        for one, other in zip(judged, ended, strict=True)
    ]
    columns["right"] = [None if None in (truth, end) else end == truth for end in ended]
    over = cycles == 0
    for name, part in (("periods", periods), ("cycle", cycles)):
        columns[name] = [
            None if no else value for value, no in zip(part.tolist(), over, strict=True)
        ]
    return columns


def _typed(columns: Mapping[str, list[Any]], home: Any) -> dict[str, Any]:
    """The columns of the result, each of one type whatever is in it."""
    made: dict[str, Any] = {}
    for name, values in columns.items():
        there = np.array([value is not None for value in values], dtype=bool)
        filled = [0 if value is None else value for value in values]
        if name in ("efficient", "right"):
            made[name] = _columns.truths(values, home)
        elif name in ("run", "periods", "cycle"):
            made[name] = _columns.wholes(np.array(filled, dtype=np.int64), home, where=there)
        else:
            numbers = np.array(filled, dtype=np.float64)
            made[name] = _columns.numbers(numbers, home, where=there)
    return made


def _mean(values: list[Any], *, drawn: bool) -> Estimate:
    """The mean of those that are there, with where that of all possible runs lies."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return Estimate(None, None, None)
    mean = float(np.mean(known))
    if not drawn:
        return Estimate(mean, mean, mean)
    low, high = mean_interval(np.array([mean]), len(known), 1 - _CONFIDENCE)
    return Estimate(mean, float(low[0]), float(high[0]))


def _median(values: list[int | None], *, drawn: bool) -> Estimate:
    """The lower median, with the order statistics between which that of all runs lies."""
    ordered = sorted(np.inf if value is None else float(value) for value in values)
    count = len(ordered)
    chances = bdtr(np.arange(count // 2), count, 0.5)
    outside = int(np.searchsorted(chances, (1 - _CONFIDENCE) / 2, side="right"))
    middle = ordered[(count - 1) // 2]
    if not drawn:
        ends = (middle, middle)
    elif outside:
        ends = (ordered[outside - 1], ordered[count - outside])
    else:
        ends = (np.inf, np.inf)
    value, low, high = (None if part == np.inf else part for part in (middle, *ends))
    return Estimate(value, low, high)
