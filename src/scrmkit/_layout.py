"""Where things stand in a picture of a graph, and where their labels fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from scrmkit._labels import ems


Points = NDArray[np.float64]
Box = tuple[float, float, float, float]

_SEED: Final = 1
_ROUNDS: Final = 200
_GAP: Final = 2.0
_EVEN: Final = 0.6


def positions(
    edges: Sequence[tuple[int, int, float]], radii: Points, *, width: float, height: float
) -> Points:
    """A place for each node so that strong ties are short and no two nodes overlap.

    A spring layout, drawn towards even spacing so that crowds come apart.

    Args:
        edges: ties between nodes 0 to n - 1, with their weight.
        radii: the radius of each node, in the unit of width and height.
        width: of the picture.
        height: of the picture.
    """
    n = len(radii)
    if n == 1:
        return np.array([[width / 2, height / 2]])
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n))
    largest = max((weight for *_, weight in edges), default=1.0)
    graph.add_weighted_edges_from((a, b, weight / largest) for a, b, weight in edges)
    start = nx.circular_layout(graph)
    found = nx.spring_layout(
        graph, pos=start, weight="weight", seed=_SEED, iterations=_ROUNDS, k=1.8 / np.sqrt(n)
    )
    places = np.array([found[node] for node in range(n)], dtype=np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    near = (places - low) / np.where(high > low, high - low, 1.0)
    even = places.argsort(axis=0, kind="stable").argsort(axis=0) / (n - 1)
    inside = np.array([width, height]) - 2 * radii.max()
    places = ((1 - _EVEN) * near + _EVEN * even) * inside + radii.max()
    return _apart(places, radii, width, height)


def _apart(places: Points, radii: Points, width: float, height: float) -> Points:
    """Push overlapping nodes apart, within the picture."""
    least = radii[:, None] + radii[None, :] + _GAP
    limits = np.array([width, height])
    for _ in range(_ROUNDS):
        offsets = places[:, None, :] - places[None, :, :]
        distance = np.hypot(offsets[..., 0], offsets[..., 1])
        np.fill_diagonal(distance, np.inf)
        overlap = np.clip(least - distance, 0.0, None)
        if not overlap.any():
            break
        same = distance < 1e-9
        offsets[same] = [1.0, 0.5]
        unit = offsets / np.where(same, 1.0, distance)[..., None]
        places = places + 0.5 * (unit * overlap[..., None]).sum(axis=1)
        places = np.clip(places, radii[:, None], limits - radii[:, None])
    return places


def place_labels(
    places: Points,
    radii: Points,
    texts: Sequence[str],
    order: Sequence[int],
    *,
    size: float,
    width: float,
    height: float,
) -> dict[int, tuple[float, float]]:
    """Where the middle of each label goes; labels that fit nowhere are left out.

    Args:
        places: the middle of each node.
        radii: of each node.
        texts: the label of each node.
        order: the nodes, those whose labels matter most first.
        size: the height of the font, in the unit of the picture.
        width: of the picture.
        height: of the picture.
    """
    nodes = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii, strict=True)]
    taken: list[Box] = []
    fits: dict[int, tuple[float, float]] = {}
    for node in order:
        wide, high = ems(texts[node]) * size / 2, 0.62 * size
        if wide > width / 2:
            continue
        others = [*nodes[:node], *nodes[node + 1 :], *taken]
        (x, y), r = places[node], radii[node]
        for dx, dy in _around(r, wide, high):
            middle_x = min(max(x + dx, wide), width - wide)
            middle_y = min(max(y + dy, high), height - high)
            box = (middle_x - wide, middle_y - high, middle_x + wide, middle_y + high)
            if not any(_meet(box, one) for one in (nodes[node], *others)):
                taken.append(box)
                fits[node] = (float(middle_x), float(middle_y))
                break
    return fits


def _around(r: float, wide: float, high: float) -> list[tuple[float, float]]:
    """Where the middle of a label may be, seen from its node; the best place first."""
    side, over = r + wide + 2, r + high + 1
    beside = [(side, 0.0), (-side, 0.0)]
    above = [(dx, dy) for dx in (0.0, wide, -wide) for dy in (-over, over)]
    askew = [(dx, dy) for dx in (side, -side) for dy in (-over / 2, over / 2)]
    return [*above[:2], *beside, *askew, *above[2:]]


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
