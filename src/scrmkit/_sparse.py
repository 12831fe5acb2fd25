"""Sparse matrices: their types, how they are built, and sums over them.

Everything here works on plain arrays and on square matrices in compressed sparse rows; who
the rows are is the business of `scrmkit.graph`, what the numbers mean that of the rooms above.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, TypeAlias

from scrmkit import _checks
from scrmkit.errors import InvalidParameter, MissingExtra


try:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
except ImportError:
    raise MissingExtra("numpy or scipy", extra="graphs") from None


__all__ = ["NDArray", "np", "sparse"]  # for the rooms above, where one of them may be missing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int32]
Flags: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"

DIGITS = 9
STATE = 4_000_000  # how many numbers a computation in portions holds at once
_LARGEST_POWER = 300
_POWERS = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])


def generator(seed: Any) -> np.random.Generator:
    """The source of random draws for a seed; refuse what is no seed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidParameter(
            "seed must be a whole number of at least 0, a list of such, a generator of "
            "numpy.random, or None",
            value=seed,
        ) from None


def name_seed(seed: Any, rng: np.random.Generator) -> int | list[int] | str | None:
    """What names the draws of a seed in parameters; ask before the generator has drawn.

    Whole numbers and lists of them are themselves, None is None (nothing names those draws), and
    generators and the like are 16 hexadecimal digits of the state that they were given in.
    """
    if seed is None or isinstance(seed, int):
        return seed
    if isinstance(seed, np.integer):
        return int(seed)
    if isinstance(seed, list | tuple | np.ndarray):
        return [int(one) for one in np.ravel(np.asarray(seed))]
    return _checks.digest({"state": _to_lists(rng.bit_generator.state)})


def _to_lists(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {name: _to_lists(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def digest(ids: NDArray[Any], *columns: NDArray[Any]) -> str:
    """Sixteen hexadecimal digits that name ids in order and arrays of numbers.

    Floats count to nine digits, so that sums taken in another order have the same name.
    """
    made = hashlib.sha256(_checks.digest({"ids": ids.tolist()}).encode())
    for column in columns:
        if column.dtype.kind == "f":
            plain = (round_digits(column.astype(np.float64)) + 0.0).astype("<f8")  # no -0.0
        else:
            plain = column.astype("<i8")
        made.update(len(plain).to_bytes(8, "little") + plain.tobytes())
    return made.hexdigest()[:16]


def round_digits(values: Floats) -> Floats:
    """Round to nine significant decimal digits; 0 for what is closer to zero than 1e-300."""
    size = np.abs(values)
    size[size == 0] = 1.0
    shift = DIGITS - 1 - np.floor(np.log10(size)).astype(np.int64)
    up = _POWERS[np.clip(shift, 0, _LARGEST_POWER)]
    down = _POWERS[np.clip(-shift, 0, _LARGEST_POWER)]
    rounded: Floats = np.round(values * up / down) / up * down
    return rounded


def narrowed(positions: Ints) -> NDArray[np.int32] | Ints:
    """Where the rows of a matrix begin, as integers of 32 bits unless they need more.

    SciPy takes the positions and the columns in one type, so with the narrow one columns of
    32 bits are not copied.
    """
    return positions if positions[-1] > np.iinfo(np.int32).max else positions.astype(np.int32)


def from_arcs(rows: NDArray[np.int32], columns: NDArray[np.int32], data: Floats, n: int) -> Matrix:
    """Compressed sparse rows of n by n from arcs in any order; parallel arcs are summed."""
    turned = sparse.coo_array((data, (columns, rows)), shape=(n, n)).tocsr()
    # Turning a matrix sorts its columns by counting, which is cheaper than sorting each row.
    matrix = turned.T.tocsr()
    matrix.has_sorted_indices = True
    matrix.sum_duplicates()
    return matrix


def mirror(upper: Matrix) -> Matrix:
    """The symmetric matrix whose upper triangle, diagonal included, is given.

    Each row is what is below the diagonal, then what is above: two sorted pieces.
    """
    n = upper.shape[0]
    above = np.diff(upper.indptr)
    lower = upper.T.tocsr()
    strict = row_of_each(lower) > lower.indices
    below = np.bincount(row_of_each(lower)[strict], minlength=n)
    indptr = narrowed(np.concatenate([[0], np.cumsum(above + below)]))
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1])
    first = np.repeat(indptr[:-1] - (np.cumsum(below) - below), below)
    second = np.repeat(indptr[1:] - np.cumsum(above), above)
    for start, source in (
        (first, (lower.indices[strict], lower.data[strict])),
        (second, (upper.indices, upper.data)),
    ):
        place = start + np.arange(len(start))
        indices[place], data[place] = source
    matrix: Matrix = sparse.csr_array((data, indices, indptr), shape=(n, n))
    matrix.has_canonical_format = True
    return matrix


def without_loops(matrix: Matrix) -> Matrix:
    """The matrix without its diagonal; the matrix itself where that is empty."""
    rows = row_of_each(matrix)
    kept = rows != matrix.indices
    if kept.all():
        return matrix
    n = matrix.shape[0]
    return from_arcs(rows[kept], matrix.indices[kept], matrix.data[kept], n)


def with_arcs(matrix: Matrix) -> Ints:
    """The rows that have an arc, out or in."""
    busy = np.diff(matrix.indptr) > 0
    busy[matrix.indices] = True
    return np.flatnonzero(busy)


def only(matrix: Matrix, rows: Ints) -> Matrix:
    """The matrix of these rows, in order, where the others have no arcs out or in."""
    n = matrix.shape[0]
    if len(rows) == n:
        return matrix
    place = np.zeros(n, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    indptr = np.append(matrix.indptr[rows], matrix.indptr[-1])
    size = (len(rows), len(rows))
    made: Matrix = sparse.csr_array((matrix.data, place[matrix.indices], indptr), shape=size)
    made.has_canonical_format = matrix.has_canonical_format
    return made


def row_of_each(matrix: Matrix) -> NDArray[np.int32]:
    """The row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))


def row_sums(matrix: Matrix) -> Floats:
    """The sum of each row; each is a fixed order of additions."""
    return np.asarray(matrix @ np.ones(matrix.shape[1]), dtype=np.float64)


def inverse(values: Floats) -> Floats:
    """One over each value, 0 where it is 0."""
    result: Floats = np.divide(1.0, values, out=np.zeros_like(values), where=values != 0)
    return result


def check_not_negative(weights: Floats, remedy: str) -> None:
    """Refuse negative weights; the remedy says what to do instead."""
    negative = int(np.count_nonzero(weights < 0))
    if negative:
        raise InvalidParameter(f"{negative} weights are negative: {remedy}")


def spans(low: Ints | Codes, high: Ints | Codes) -> tuple[Ints, Ints]:
    """All whole numbers from each low to below its high, and of which span each is."""
    count = high - low
    owner = np.repeat(np.arange(len(low)), count)
    return owner, (low - (np.cumsum(count) - count))[owner] + np.arange(len(owner))


def arcs_of(matrix: Matrix, rows: Ints) -> tuple[Ints, Ints]:
    """The positions of the arcs of some rows, and how many each row has."""
    counts = (matrix.indptr[rows + 1] - matrix.indptr[rows]).astype(np.int64)
    first = matrix.indptr[rows] - (np.cumsum(counts) - counts)
    return np.repeat(first, counts) + np.arange(counts.sum()), counts


def to_read(values: Any, dtype: Any) -> NDArray[Any]:
    """The values as compiled loops take them that only read: in one type, so compiled once."""
    view: NDArray[Any] = np.asarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view
