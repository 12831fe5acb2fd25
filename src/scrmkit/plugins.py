"""What others add to scrmkit: the protocols, what is installed, and help to write one.

A plugin is an object or a function that a caller names, or hands over; nothing that is
installed acts by being installed. Each group of entry points has a protocol:

================ ============== ==========================================================
group            protocol       where the caller names it
================ ============== ==========================================================
``vocabularies`` ``Vocabulary`` ``Vocabulary.load("scrmkit", "forum")``
``readers``      `Reader`       ``InteractionLog.read(path, reader=...)``
``writers``      `Writer`       ``log.write(path, writer=...)``, ``result.write(...)``
``enrichers``    `Enricher`     ``log.annotate(...)``, then ``log.with_annotations(...)``
``models``       ``Model``      ``engagement.score(log, model=...)``, ``Tracker(model=...)``
``measures``     `Measure`      ``influence.rank(graph, method=...)``
``detectors``    `Detector`     ``communities.detect(graph, method=...)``
================ ============== ==========================================================

A name is that of the entry point, or ``"distribution:name"`` where several distributions have
one of that name; names of scrmkit's own always mean its own. The environment variable
``SCRMKIT_PLUGINS`` set to ``off`` refuses all plugins by name, and a list of distributions
separated by commas allows those alone.

A plugin may say with an attribute ``protocol`` which version of its protocol it speaks; it
is 1 where it does not. `scrmkit.testing` has a check for each protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Final, Protocol

from attrs import frozen

from scrmkit import _annotations, _plugins
from scrmkit._models import take_model
from scrmkit._plugins import Entry, Plugin
from scrmkit._protocols import Enricher, Number, Reader, Word, Writer
from scrmkit._vocabularies import check_vocabulary
from scrmkit.errors import InvalidParameter, PluginError, ScrmkitError
from scrmkit.interactions import FIELDS, Interaction, Scalar


if TYPE_CHECKING:
    from scrmkit.graph import SocialGraph

__all__ = [
    "Detector",
    "Enricher",
    "Entry",
    "Measure",
    "Number",
    "Reader",
    "State",
    "Word",
    "Writer",
    "inspect",
    "installed",
    "lift",
]


class Measure(Protocol):
    """A measure of standing in a graph; a function will do.

    Protocol version 1, group ``scrmkit.measures``. Called by `influence.rank` with ``method=``.
    What it owes, and `scrmkit.testing.check_measure` tries:

    - one finite number for each customer, in order of ``graph.ids``, also for graphs without
      ties and without customers; or three arrays, low, value and high, with
      ``low <= value <= high``;
    - numbers that belong to the customer and the ties: other ids, and so another order, give
      the same numbers to the same customers, to 1e-9 of the largest;
    - the same numbers for the same graph and seed, whatever the time is.

    An attribute ``parameters``, a mapping of what the numbers depend on besides, is in the
    parameters of the ranking, with its digest.

    Example:
        >>> import networkx as nx
        >>> import numpy as np
        >>> from scrmkit import influence
        >>> def share_of_ties(graph, rng):
        ...     return np.diff(graph.indptr) / max(len(graph.indices), 1)
        >>> influence.rank(nx.star_graph(4), method=share_of_ties)[0]
        0.5
    """

    def __call__(self, graph: SocialGraph, rng: Any, /) -> Any:
        """The numbers.

        Args:
            graph: the customers and their ties; no weight is negative.
            rng: a generator of numpy made of the caller's seed, the one source of chance.
        """


class Detector(Protocol):
    """Divides the customers of a graph into communities; a function will do.

    Protocol version 1, group ``scrmkit.detectors``. Called by `communities.detect` with
    ``method=``, which numbers the communities by size, measures their modularity and tests
    whether the graph is more divided than chance. What it owes, and
    `scrmkit.testing.check_detector` tries:

    - one whole number for each customer, in order of ``graph.ids``, equal for those who
      belong together, also for graphs without ties;
    - the same communities for the same graph and seed, whatever the time is.

    Example:
        >>> import networkx as nx
        >>> from scipy.sparse.csgraph import connected_components
        >>> from scrmkit import communities
        >>> def components(graph, rng):
        ...     return connected_components(graph.matrix(), directed=False)[1]
        >>> network = nx.disjoint_union(nx.path_graph(3), nx.path_graph(2))
        >>> dict(communities.detect(network, method=components))
        {0: 0, 1: 0, 2: 0, 3: 1, 4: 1}
    """

    def __call__(self, graph: SocialGraph, rng: Any, /) -> Any:
        """The communities.

        Args:
            graph: the customers and their ties; no weight is negative.
            rng: a generator of numpy made of the caller's seed, the one source of chance.
        """


@frozen
class State:
    """How it stands with an installed plugin.

    Attributes:
        protocol: the version of the protocol that it speaks; None where it cannot be loaded.
        problem: what is wrong with it; None where it is ready.

    Example:
        >>> from scrmkit.plugins import State
        >>> State(protocol=1, problem=None).problem is None
        True
    """

    protocol: int | None
    problem: str | None


def installed(group: str | None = None) -> tuple[Entry, ...]:
    """The plugins that are installed; none of them is imported.

    Args:
        group: such as ``"readers"``; None for all groups.

    Returns:
        Entries with ``group``, ``name``, ``distribution``, ``version`` and ``label``, in
        order of group, name and distribution.

    Raises:
        InvalidParameter: there is no such group.
        PluginError: ``SCRMKIT_PLUGINS`` is ``off``.

    Example:
        >>> from scrmkit import plugins
        >>> [entry.label for entry in plugins.installed("detectors")]
        []
    """
    if group is not None and group not in _plugins.SERVED:
        raise InvalidParameter(
            f"there is no group {group!r}: take one of {', '.join(_plugins.SERVED)}", value=group
        )
    return _plugins.entries(group)


def inspect(entry: Entry) -> State:
    """Import one installed plugin, and look whether it has the shape that it must have.

    What the plugin does is tried by `scrmkit.testing`, not here.

    Args:
        entry: one of `installed`.

    Returns:
        Its protocol version, and what is wrong with it, if anything. Whatever the plugin
        does is a problem that is told, not an error.

    Example:
        >>> from scrmkit import plugins
        >>> broken = [entry for entry in plugins.installed("detectors")
        ...           if plugins.inspect(entry).problem]
        >>> broken
        []
    """
    try:
        made = _plugins.bring(entry)
    except PluginError as error:
        return State(None, str(error))
    protocol = None
    try:
        spoken = _plugins.protocol_of(made)
        protocol = spoken if isinstance(spoken, int) else None
        _plugins.check_protocol(made, entry)
        _SHAPES[entry.group](Plugin(made, entry.label, entry.version))
    except ScrmkitError as error:
        return State(protocol, str(error))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        return State(protocol, f"raises {type(error).__name__}")
    return State(protocol, None)


def _check_enricher(plugin: Plugin) -> None:
    _plugins.check_function(plugin)
    _annotations.Enrichment.of(plugin)


_SHAPES: Final[Mapping[str, Callable[[Plugin], object]]] = {
    "vocabularies": lambda plugin: check_vocabulary(plugin.made, plugin.label),
    "readers": _plugins.check_function,
    "writers": _plugins.check_function,
    "enrichers": _check_enricher,
    "models": lambda plugin: take_model(plugin.made),
    "measures": _plugins.check_function,
    "detectors": _plugins.check_function,
}


def lift(
    *, version: str, needs: Sequence[str], fields: Mapping[str, Number | Word]
) -> Callable[[Callable[[Interaction], Mapping[str, Any] | None]], Enricher]:
    """Make an enricher of a function of one interaction.

    An enricher that works on whole tables is faster; this one is called once for each row,
    and not for rows in which one of ``needs`` is null.

    Args:
        version: changes whenever what it finds changes.
        needs: the fields of an interaction that it reads, such as ``["text"]``.
        fields: what it writes.

    Returns:
        A decorator. The function takes an `Interaction` and gives a mapping with some of the
        fields, or None where nothing can be said. Columns that are no fields of an
        interaction are its attributes where they hold text, numbers, truth values or instants.

    Raises:
        InvalidParameter: ``needs`` is one text instead of several.

    Example:
        >>> from scrmkit.plugins import Word, lift
        >>> @lift(version="1", needs=["text"], fields={"topic": Word()})
        ... def topic(interaction):
        ...     return {"topic": "price"} if "price" in interaction.text else None
        >>> topic.fields
        {'topic': Word(choices=None)}
    """
    if isinstance(needs, str):
        raise InvalidParameter(f"needs is text: give a list, such as [{needs!r}]", value=needs)
    wanted = tuple(dict.fromkeys(("id", "time", "kind", *needs)))

    def decorate(function: Callable[[Interaction], Mapping[str, Any] | None]) -> Enricher:
        return Lifted(function, version, wanted, dict(fields))

    return decorate


class Lifted:
    """A function of one interaction as an enricher."""

    def __init__(
        self,
        function: Callable[[Interaction], Mapping[str, Any] | None],
        version: str,
        needs: tuple[str, ...],
        fields: Mapping[str, Number | Word],
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self.version, self.needs, self.fields = version, needs, fields

    def __call__(self, rows: Any, /) -> Any:
        """What the function says of each row."""
        import polars as pl

        found: dict[str, list[Any]] = {name: [] for name in self.fields}
        for row in rows.iter_rows(named=True):
            said = self._of(row)
            if strange := set(said) - set(self.fields):
                raise PluginError(f"these are no fields of it: {', '.join(sorted(strange))}")
            for name, values in found.items():
                values.append(said.get(name))
        return pl.DataFrame(
            {
                name: pl.Series(
                    name, values, pl.String if isinstance(self.fields[name], Word) else pl.Float64
                )
                for name, values in found.items()
            }
        )

    def __reduce__(self) -> str:
        name: str = self._function.__qualname__
        return name

    def _of(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        known = {name: value for name, value in row.items() if value not in (None, "")}
        if any(name not in known for name in self.needs):
            return {}
        if "value" not in known or "currency" not in known:
            known = {name: one for name, one in known.items() if name not in ("value", "currency")}
        return self._function(_to_interaction(known)) or {}


def _to_interaction(known: Mapping[str, Any]) -> Interaction:
    """A row as an interaction; columns that are no fields are attributes, if they are flat."""
    return Interaction(
        **{name: value for name, value in known.items() if name in FIELDS},
        attributes={
            name: value
            for name, value in known.items()
            if name not in FIELDS and isinstance(value, Scalar)
        },
    )
