"""Trees as parents: the depth, size, width and shape of each tree of a forest.

A forest is an array with the parent of each node, -1 for roots. Everything is by pointer
jumping: the ancestors 1, 2, 4, ... steps up, so a tree as deep as it has nodes costs a
logarithm more than a flat one (Hillis and Steele 1986, doi:10.1145/7902.7903).
"""

from __future__ import annotations

from collections.abc import Iterator

from scrmkit._sparse import Floats, Ints, np


def cut_circles(parent: Ints) -> tuple[Ints, Ints]:
    """A forest, and the nodes that were on a circle of parents; each of these is now a root."""
    n = len(parent)
    above = parent
    for _ in range(max(n, 1).bit_length()):  # then everybody is at the top, or on a circle
        if not (above >= 0).any():
            return parent, np.zeros(0, dtype=np.int64)
        above = _further(above)
    circle = np.unique(above[above >= 0])
    forest = parent.copy()
    forest[circle] = -1
    return forest, circle


def _further(above: Ints) -> Ints:
    """Twice as many steps up."""
    return np.where(above >= 0, above[above], -1)


def _ancestors(parent: Ints) -> Iterator[tuple[int, Ints]]:
    """How many steps up, and who is there (-1 for nobody); 1, 2, 4, ... steps."""
    above, steps = parent, 1
    while (above >= 0).any():
        yield steps, above
        above, steps = _further(above), 2 * steps


def climb(parent: Ints) -> tuple[Ints, Ints]:
    """The root of each node, and how many steps it is below it."""
    root, depth = np.arange(len(parent)), np.zeros(len(parent), dtype=np.int64)
    for steps, above in _ancestors(parent):
        low = np.flatnonzero(above >= 0)
        high = above[low]
        depth[low], root[low] = depth[high] + steps, root[high]
    return root, depth


def sizes(parent: Ints) -> Ints:
    """How many nodes there are at and below each node."""
    size = np.ones(len(parent), dtype=np.int64)
    for _, above in _ancestors(parent):
        low = np.flatnonzero(above >= 0)
        size += _added(above[low], size[low], len(parent))
    return size


def _added(places: Ints, values: Ints, n: int) -> Ints:
    return np.bincount(places, weights=values, minlength=n).astype(np.int64)


def widths(root: Ints, depth: Ints) -> Ints:
    """The largest number of nodes of one depth, for each root; 0 for other nodes."""
    level, count = np.unique(root * (depth.max(initial=0) + 1) + depth, return_counts=True)
    widest = np.zeros(len(root), dtype=np.int64)
    np.maximum.at(widest, level // (depth.max(initial=0) + 1), count)
    return widest


def virality(root: Ints, size: Ints) -> Floats:
    """The mean distance of two nodes of the tree of each root; NaN where there are no two.

    The tie above a node is on the way between those below it and all the others, so the
    sum of distances is that of ``size * (n - size)`` over nodes (Wiener 1947).
    """
    n = size[root].astype(np.float64)
    total = np.bincount(root, weights=size * (n - size), minlength=len(root))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = 2 * total / (size * (size - 1.0))
    return mean
