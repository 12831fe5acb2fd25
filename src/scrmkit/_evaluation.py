"""How far off predictions of ratings are, on ratings that are held out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scrmkit import _columns, _predictions, _sparse, _trials
from scrmkit._checks import check_range, to_tuple
from scrmkit._compiled import Progress
from scrmkit._judgements import Judgements
from scrmkit._predictions import HORIZON, METHODS, THRESHOLD
from scrmkit._reputation import PRECISION
from scrmkit._sparse import Flags, np
from scrmkit.errors import InvalidParameter
from scrmkit.results import Result


if TYPE_CHECKING:
    from numpy.random import BitGenerator, Generator, SeedSequence

    Seed = int | SeedSequence | BitGenerator | Generator | None


def evaluate(
    ratings: Any,
    *,
    methods: Iterable[str] = METHODS,
    share: float = 0.2,
    time: str | None = None,
    horizon: int = HORIZON,
    threshold: float = THRESHOLD,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Result:
    r"""How far off predictions are: on ratings that are held out, all methods on the same pairs.

    A share of the ratings is put aside, at random or the newest, and predicted from the others.
    Errors are measured where all the methods have an answer; ``coverage`` says how often each
    has one. A method that answers seldom makes the others be judged by easy pairs only, so ask
    for fewer methods to see more pairs.

    Args:
        ratings: what there is; see `fairness_goodness`.
        methods: which of `predict`.
        share: how much is put aside; above 0 and below 1.
        time: a column of times, dates or numbers, such as ``"last_seen"``: the newest ratings
            are put aside, as one would meet them. None for a draw at random, which is kinder:
            it lets the future speak of the past.
        horizon: as in `predict`.
        threshold: as in `predict`.
        seed: for that draw and for the intervals; anything that ``numpy.random.default_rng``
            takes.
        progress: called with a few words on the way, such as ``print``.

    Returns:
        A result with one row for each method, the smallest error first: ``method``,
        ``coverage`` (share of all pairs put aside), ``n`` (pairs that all answer), ``rmse``
        (root of the mean squared error), ``mae`` (mean absolute error), ``pearson``
        (correlation of prediction and rating; null where either is constant) and ``behind``
        (rmse less that of the best), each with ``_low`` and ``_high``. Where ``behind_low`` is
        above 0, the method is worse than the best by more than chance; where it is not, or is
        null, the two are not told apart. Numbers are null where no pair is answered by all.

        Intervals are null, with a note, where these pairs are of fewer than 10 raters or fewer
        than 10 rated (so also where they are fewer than 10): of so few, drawn again and again,
        nothing can be said about others. The best is chosen on the same pairs and stays the best
        in every draw, so its lead, ``behind``, is a little optimistic where several are as good.

        The intervals hold .95 of 1,000 draws of the pigeonhole bootstrap (Owen 2007), which
        draws sources and targets anew, independently, and so counts with the ratings of one
        customer being alike; it errs on the wide side. They are about other raters and rated
        like these, not about other times.

    Raises:
        InvalidParameter: an unknown method, a share or a rating out of range, fewer than two
            ratings, or a time for a graph.
        InvalidTable: a column is missing, null somewhere, or of the wrong type.

    Complexity: the methods' own on the pairs put aside, and a thousand times these pairs.

    Example:
        >>> import polars as pl
        >>> from scrmkit import trust
        >>> marks = {"good": 0.9, "fair": 0.3, "poor": -0.6}
        >>> table = pl.DataFrame(
        ...     [(rater, who, mark) for rater in "abcdefghijklmn" for who, mark in marks.items()],
        ...     schema=["source", "target", "rating"], orient="row",
        ... )
        >>> found = trust.evaluate(table, methods=["mean", "mean_received"]).frame
        >>> found.select("method", "coverage", pl.col("rmse").round(2)).rows()
        [('mean_received', 1.0, 0.0), ('mean', 1.0, 0.54)]

    References:
        Owen (2007), doi:10.1214/07-AOAS122.
    """
    if isinstance(methods, str):
        raise InvalidParameter("methods is a single text: give a list of methods", value=methods)
    given = to_tuple(methods, name="methods", of=str, error=InvalidParameter)
    chosen = list(dict.fromkeys(given))
    for method in chosen:
        _predictions.check_method(method)
    if not chosen:
        raise InvalidParameter("methods is empty: give at least one method")
    share = check_range(share, name="share", error=InvalidParameter, low=0, high=1)
    horizon, threshold = _predictions.check_limits(horizon, threshold)
    rng = _sparse.generator(seed)
    seed_name = _sparse.name_seed(seed, rng)
    known = Judgements.of(ratings, time=time)
    aside = _put_aside(known, share, rng)
    rest = known.without(aside)
    source, target, truth = known.source[aside], known.target[aside], known.rating[aside]
    found = np.zeros((len(chosen), len(truth)))
    for place, method in enumerate(chosen):
        found[place] = _predictions.predict(
            rest,
            source,
            target,
            same=source == target,
            method=method,
            horizon=horizon,
            threshold=threshold,
        ).rating
        if progress is not None:
            progress(f"predicted {len(truth):,} ratings by {method}")
    answered = ~np.isnan(found)
    shared = answered.all(axis=0)
    raters, rated = source[shared], target[shared]
    trials = _trials.measure(found[:, shared], truth[shared], raters, rated, rng, progress=progress)
    errors = np.nan_to_num(trials["rmse"].value, nan=np.inf)
    order = np.lexsort((np.array(chosen), errors))
    columns: dict[str, Any] = {
        "method": [chosen[place] for place in order],
        "coverage": answered.mean(axis=1)[order],
        "n": np.full(len(chosen), int(shared.sum())),
    }
    for name, trial in trials.items():
        for column, values in (
            (name, trial.value),
            (f"{name}_low", trial.low),
            (f"{name}_high", trial.high),
        ):
            columns[column] = _columns.numbers(
                values[order], known.home, where=~np.isnan(values[order])
            )
    notes = [
        f"compared on the {int(shared.sum()):,} of {len(truth):,} pairs that all methods answer"
    ]
    if not _trials.are_enough(raters, rated):
        notes.append(
            f"no intervals: these pairs are of {len(np.unique(raters)):,} raters and "
            f"{len(np.unique(rated)):,} rated, and fewer than {_trials.FEWEST} are too few"
        )
    return Result(
        columns=columns,
        home=known.home,
        parameters={
            "methods": chosen,
            "share": share,
            "time": time,
            "seed": seed_name,
            "horizon": horizon,
            "threshold": threshold,
            "shrinkage": _predictions.SHRINKAGE,
            "confidence": _trials.CONFIDENCE,
            "draws": _trials.DRAWS,
            "fewest": _trials.FEWEST,
            "tolerance": PRECISION,
            **known.origin(),
        },
        order="coverage",
        notes=(*notes, *known.notes()),
    )


def _put_aside(known: Judgements, share: float, rng: np.random.Generator) -> Flags:
    """Which ratings are held out: the newest where there are times, else some at random."""
    if not 0 < share < 1 or len(known) < 2:
        raise InvalidParameter(
            "share must be above 0 and below 1, and there must be at least two ratings: some are "
            "put aside and predicted from the others"
        )
    size = min(max(round(share * len(known)), 1), len(known) - 1)
    aside = np.zeros(len(known), dtype=bool)
    if known.time is None:
        aside[rng.choice(len(known), size, replace=False)] = True
    else:
        aside[np.argsort(known.time, kind="stable")[-size:]] = True
    return aside
