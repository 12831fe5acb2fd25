"""The only room that knows sparse matrices: build them, and put graphs into a fixed form.

Everything here works on plain arrays and matrices in compressed sparse rows; who the rows
are is the business of `scrmkit.graph`.
"""

from __future__ import annotations

from typing import TypeAlias

from scrmkit.errors import MissingExtra


try:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
except ImportError:
    raise MissingExtra("numpy or scipy", extra="graphs") from None


__all__ = [
    "Flags",
    "Floats",
    "Ints",
    "Matrix",
    "from_arcs",
    "mirror",
    "np",
    "round_digits",
    "row_of_each",
    "row_sums",
    "sparse",
    "without_loops",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"

DIGITS = 9
_LARGEST_POWER = 300
_POWERS = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])


def round_digits(values: Floats) -> Floats:
    """Round to nine significant decimal digits; 0 for what is closer to zero than 1e-300."""
    size = np.abs(values)
    size[size == 0] = 1.0
    shift = DIGITS - 1 - np.floor(np.log10(size)).astype(np.int64)
    up = _POWERS[np.clip(shift, 0, _LARGEST_POWER)]
    down = _POWERS[np.clip(-shift, 0, _LARGEST_POWER)]
    rounded: Floats = np.round(values * up / down) / up * down
    return rounded


def from_arcs(rows: NDArray[np.int32], columns: NDArray[np.int32], data: Floats, n: int) -> Matrix:
    """Compressed sparse rows of n by n from arcs in any order; parallel arcs are summed."""
    turned = sparse.coo_array((data, (columns, rows)), shape=(n, n)).tocsr()
    # Turning a matrix sorts its columns by counting, which is cheaper than sorting each row.
    matrix = turned.T.tocsr()
    matrix.has_sorted_indices = True
    matrix.sum_duplicates()
    return matrix


def mirror(upper: Matrix) -> Matrix:
    """The symmetric matrix whose upper triangle, diagonal included, is given."""
    both = (upper + upper.T).tocsr()
    loops = upper.diagonal()
    if loops.any():
        both = (both - sparse.diags_array(loops)).tocsr()
        both.eliminate_zeros()
    both.sort_indices()
    return both


def without_loops(matrix: Matrix) -> Matrix:
    """The matrix without its diagonal; the matrix itself where that is empty."""
    rows = row_of_each(matrix)
    kept = rows != matrix.indices
    if kept.all():
        return matrix
    n = matrix.shape[0]
    return from_arcs(rows[kept], matrix.indices[kept], matrix.data[kept], n)


def row_of_each(matrix: Matrix) -> NDArray[np.int32]:
    """The row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))


def row_sums(matrix: Matrix) -> Floats:
    """The sum of each row; each is a fixed order of additions."""
    return np.asarray(matrix @ np.ones(matrix.shape[1]), dtype=np.float64)
