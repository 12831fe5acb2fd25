"""The contracts of measures and detectors, as rules that are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scrmkit._plugins import Plugin, choose_function
from scrmkit.plugins import Detector, Measure
from scrmkit.testing import strategies
from scrmkit.testing._contracts import (
    Rule,
    check_rules,
    draw,
    for_all,
    lacks_digest,
    reads_the_clock,
)


if TYPE_CHECKING:
    from scrmkit.graph import SocialGraph

_CLOSE = 1e-9


def check_measure(measure: str | Measure) -> None:
    """Try the contract of a measure of standing; see `plugins.Measure`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``shape``      one number for each customer, or three of them: low, value and high; also
                   for graphs without ties and without customers
    ``finite``     all of them are finite
    ``bounds``     low <= value <= high
    ``seed``       the same graph and seed give the same numbers
    ``names``      other ids, and so another order, give everybody the same number; a measure
                   that draws by chance is not tried
    ``parameters`` ``parameters`` can be named by a digest
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    Args:
        measure: a measure, or the name of a plugin.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name.

    Example:
        >>> import numpy as np
        >>> from scrmkit.testing import check_measure
        >>> check_measure(lambda graph, rng: np.diff(graph.indptr))
    """
    plugin = choose_function("measures", measure)
    graphs = _graphs()
    check_rules(
        plugin.label,
        [_rule("shape", plugin, graphs, _misshapen)],
        [
            _rule("finite", plugin, graphs, _infinite),
            _rule("bounds", plugin, graphs, _out_of_bounds),
            *_shared(plugin, graphs),
        ],
        [_rule("names", plugin, graphs, _by_name)],
    )


def check_detector(detector: str | Detector) -> None:
    """Try the contract of a detector of communities; see `plugins.Detector`.

    ============== =======================================================================
    rule           what is tried
    ============== =======================================================================
    ``shape``      one whole number for each customer, also for graphs without ties and
                   without customers
    ``seed``       the same graph and seed give the same communities
    ``parameters`` ``parameters`` can be named by a digest
    ``clock``      nothing in its package asks what time it is
    ============== =======================================================================

    Args:
        detector: a detector, or the name of a plugin.

    Raises:
        ContractBroken: which rules are broken, and how.
        InvalidParameter: there is no plugin of that name.

    Example:
        >>> from scipy.sparse.csgraph import connected_components
        >>> from scrmkit.testing import check_detector
        >>> def components(graph, rng):
        ...     return connected_components(graph.matrix(), directed=False)[1]
        >>> check_detector(components)
    """
    plugin = choose_function("detectors", detector)
    graphs = _graphs()
    check_rules(
        plugin.label,
        [_rule("shape", plugin, graphs, _no_labels)],
        list(_shared(plugin, graphs)),
    )


def _graphs() -> list[SocialGraph]:
    return draw(strategies.social_graphs(max_nodes=7))


def _rule(
    name: str,
    plugin: Plugin,
    graphs: list[SocialGraph],
    test: Callable[[Plugin, SocialGraph], str | None],
) -> Rule:
    return name, lambda: for_all(graphs, lambda graph: test(plugin, graph))


def _shared(plugin: Plugin, graphs: list[SocialGraph]) -> tuple[Rule, ...]:
    return (
        _rule("seed", plugin, graphs, _unseeded),
        ("parameters", lambda: lacks_digest(plugin)),
        _rule("clock", plugin, graphs, _hurried),
    )


def _hurried(plugin: Plugin, graph: SocialGraph) -> str | None:
    return reads_the_clock(plugin.made, lambda: _call(plugin, graph))


def _call(plugin: Plugin, graph: SocialGraph, seed: int = 0) -> tuple[Any, ...]:
    import numpy as np

    found = plugin.made(graph, np.random.default_rng(seed))
    parts = found if isinstance(found, tuple) else (found,)
    return tuple(np.asarray(part) for part in parts)


def _misshapen(plugin: Plugin, graph: SocialGraph) -> str | None:
    parts = _call(plugin, graph)
    if len(parts) not in (1, 3):
        return f"must give one array, or three, and gives {len(parts)}"
    for part in parts:
        if part.shape != (len(graph),) or (len(graph) and part.dtype.kind not in "iufb"):
            return f"must give one number for each of {len(graph)} customers"
    return None


def _infinite(plugin: Plugin, graph: SocialGraph) -> str | None:
    import numpy as np

    finite = all(np.isfinite(part).all() for part in _call(plugin, graph))
    return None if finite else "must give finite numbers"


def _out_of_bounds(plugin: Plugin, graph: SocialGraph) -> str | None:
    import numpy as np

    parts = _call(plugin, graph)
    if len(parts) == 1 or not all(np.isfinite(part).all() for part in parts):
        return None
    low, value, high = parts
    near = _CLOSE * np.abs(value).max(initial=1.0)
    fine = ((low <= value + near) & (value <= high + near)).all()
    return None if fine else "must give low <= value <= high"


def _unseeded(plugin: Plugin, graph: SocialGraph) -> str | None:
    import numpy as np

    pairs = zip(_call(plugin, graph), _call(plugin, graph), strict=True)
    same = all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)
    return None if same else "gives something else for the same seed"


def _by_name(plugin: Plugin, graph: SocialGraph) -> str | None:
    import numpy as np

    once = _call(plugin, graph)
    if any(not np.array_equal(a, b) for a, b in zip(once, _call(plugin, graph, 1), strict=True)):
        return None
    n = len(graph)
    for order in (np.arange(n)[::-1], np.random.default_rng(n).permutation(n)):
        again = _call(plugin, _renamed(graph, order))
        for part, other in zip(once, again, strict=True):
            near = _CLOSE * np.abs(part).max(initial=1)
            if not np.allclose(part, other[order], rtol=0, atol=near):
                return "gives a customer another number where the customers have other ids"
    return None


def _renamed(graph: SocialGraph, order: Any) -> SocialGraph:
    """The same graph, where who was at a place is at another; ids are texts."""
    import numpy as np

    from scrmkit.graph import SocialGraph

    names = np.array([f"n{place}" for place in range(len(graph))], dtype=object)[order]
    rows = np.repeat(np.arange(len(graph)), np.diff(graph.indptr))
    kept = np.ones(len(rows), bool) if graph.directed else rows <= graph.indices
    return SocialGraph.from_edges(
        names[rows[kept]].tolist(),
        names[graph.indices[kept]].tolist(),
        graph.weights[kept].tolist(),
        directed=graph.directed,
        customers=names.tolist(),
    )


def _no_labels(plugin: Plugin, graph: SocialGraph) -> str | None:
    (labels, *more) = _call(plugin, graph)
    if more or labels.shape != (len(graph),) or (len(graph) and labels.dtype.kind not in "iu"):
        return f"must give one whole number for each of {len(graph)} customers"
    return None
