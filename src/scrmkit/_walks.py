"""Where walks end on a sparse matrix: PageRank with restarts, and hubs."""

from __future__ import annotations

from collections.abc import Callable

from scipy.sparse.linalg import LinearOperator, eigsh

from scrmkit._sparse import Floats, Matrix, inverse, np, only, row_sums, with_arcs
from scrmkit.errors import NotConverged


def restart_walk(matrix: Matrix, restart: Floats, damping: float, *, symmetric: bool) -> Floats:
    """Where a walk is that follows arcs by weight and restarts with ``1 - damping``.

    Who has no arcs restarts always. With P the arcs over their row's sum, the answer is
    proportional to the solution of ``z = restart + damping * P' z``, which is the restart
    itself for those whom no arcs touch.
    """
    walk = restart.copy()
    tied = with_arcs(matrix)
    if restart[tied].any():
        walk[tied] = _walk_among(only(matrix, tied), restart[tied], damping, symmetric=symmetric)
    return np.asarray(walk / walk.sum())


def _walk_among(matrix: Matrix, restart: Floats, damping: float, *, symmetric: bool) -> Floats:
    """The ``z`` of `restart_walk`.

    A solver comes close; steps of the equation itself end it, because their residual bounds
    the error: at most 1e-10 in sum, and 1e-7 of each value wherever it may restart.
    """
    share = inverse(row_sums(matrix)) * damping
    back = matrix if symmetric else matrix.T.tocsr()
    limit = np.where(restart > 0, restart * 1e-7, np.inf)

    def missing(walk: Floats) -> Floats:
        return np.asarray(restart + back @ (walk * share) - walk)

    def is_small(residual: Floats, total: float) -> bool:
        size = np.abs(residual)
        return bool(size.sum() <= total and (size <= limit).all())

    walk = _solve(missing, restart, lambda residual: is_small(residual, 5e-11))
    for _ in range(_MOST_STEPS):
        residual = missing(walk)
        walk = walk + residual
        if is_small(residual, 1e-10 * (1 - damping) * float(walk.sum())):
            return np.maximum(walk, 0.0)
    raise NotConverged(
        f"PageRank with damping {damping:g} did not reach 1e-10 in {_MOST_STEPS} steps: "
        f"take a smaller damping"
    )


def _solve(
    missing: Callable[[Floats], Floats], start: Floats, is_small: Callable[[Floats], bool]
) -> Floats:
    """Nearly the vector of which nothing is missing; the start where that is not found.

    BiCGSTAB (van der Vorst 1992, doi:10.1137/0913035), for ``missing`` that is a constant
    less a linear function. Products of vectors are plain sums: those of a linear algebra
    library differ with the number of its threads.
    """
    constant = missing(np.zeros_like(start))
    found, residual = start, missing(start)
    shadow = direction = residual
    fit = float((shadow * residual).sum())
    for _ in range(_MOST_SOLVED):
        if is_small(residual):
            return found
        image = constant - missing(direction)
        across = float((shadow * image).sum())
        if fit == 0 or across == 0:
            return start
        step = fit / across
        half = residual - step * image
        smoothed = constant - missing(half)
        size = float((smoothed * smoothed).sum())
        turn = float((smoothed * half).sum()) / size if size else 0.0
        found = found + step * direction + turn * half
        residual = half - turn * smoothed
        fit, before = float((shadow * residual).sum()), fit
        if turn == 0:
            return found if is_small(residual) else start
        direction = residual + fit / before * step / turn * (direction - turn * image)
    return start


_MOST_STEPS = 20_000
_MOST_SOLVED = 100


def hub_scores(matrix: Matrix) -> Floats:
    """Hubs: the limit of ``h <- A A' h`` from equal scores, summing to 1; 0 without arcs.

    Where several centres are equally strong, each gets what it would get in the limit.
    """
    n = matrix.shape[0]
    if not matrix.nnz:
        return np.zeros(n)
    scaled = matrix / matrix.data.max()
    turned = scaled.T.tocsr()
    if n <= _DENSE:
        values, vectors = np.linalg.eigh((scaled @ turned).toarray())
        strongest = vectors[:, values >= values[-1] * (1 - 1e-9)]
        scores = strongest @ (strongest.T @ np.ones(n))
    else:
        twice = LinearOperator((n, n), matvec=lambda x: scaled @ (turned @ x), dtype=np.float64)
        start = scaled @ (turned @ np.ones(n))
        scores = eigsh(twice, k=1, v0=start, tol=1e-13)[1][:, 0]
    scores = np.abs(scores)
    scores[scores < 1e-14 * scores.max()] = 0.0
    return np.asarray(scores / scores.sum())


_DENSE = 200
