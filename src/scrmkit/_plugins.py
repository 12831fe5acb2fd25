"""Plugins as installed distributions announce them: find one, load one, and name who failed.

A plugin is an entry point of a group of ours, called by its name or, where several
distributions have one of that name, by ``"distribution:name"``. Nothing is imported before a
caller names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from attrs import field, frozen

from scrmkit import _checks
from scrmkit.errors import InvalidParameter, PluginError, ScrmkitError


SERVED: Final[Mapping[str, range]] = _checks.Frozen(
    dict.fromkeys(
        ("vocabularies", "readers", "writers", "enrichers", "models", "measures", "detectors"),
        range(1, 2),
    )
)
"""The groups, each with the versions of its protocol that are served."""

SWITCH: Final = "SCRMKIT_PLUGINS"


@frozen
class Entry:
    """A plugin that is installed, not imported.

    Args:
        group: what it adds to, such as ``"readers"``.
        name: its name in its distribution.
        distribution: who brings it.
        version: the version of the distribution.
        point: where it is.

    Example:
        >>> from scrmkit import plugins
        >>> [(entry.label, entry.version) for entry in plugins.installed("detectors")]
        []
    """

    group: str
    name: str
    distribution: str
    version: str
    point: EntryPoint = field(repr=False)

    @property
    def label(self) -> str:
        """The name that is one plugin's alone in its group."""
        return f"{self.distribution}:{self.name}"


@frozen
class Plugin:
    """A plugin that a caller chose.

    Args:
        made: the object.
        label: what results and errors call it.
        version: the version of the distribution, or what the object says itself.
    """

    made: Any
    label: str
    version: str | None

    def parameters(self) -> dict[str, Any]:
        """What the object says that its numbers depend on, with a digest."""
        with blame(self.label):
            given = getattr(self.made, "parameters", {})
        if not isinstance(given, Mapping):
            raise PluginError(f"{self.label}: parameters is no mapping")
        given = dict(given)
        try:
            digest = _checks.digest({"parameters": given})
        except InvalidParameter as error:
            raise PluginError(f"{self.label}: {error}") from error
        return {**given, "digest": digest} if given else {}


def entries(group: str | None = None) -> tuple[Entry, ...]:
    """The plugins of a group, or all, in order of group, name and distribution.

    Raises:
        PluginError: the environment says that there are to be none.
    """
    allowed = _allowed()
    found = [
        Entry(name, point.name, *_origin(point), point)
        for name in ([group] if group else SERVED)
        for point in entry_points(group=f"scrmkit.{name}")
    ]
    if allowed is not None:
        found = [entry for entry in found if _plain(entry.distribution) in allowed]
    return tuple(sorted(found, key=lambda entry: (entry.group, entry.name, entry.distribution)))


def _allowed() -> frozenset[str] | None:
    """The distributions that may bring plugins; None for all of them."""
    text = os.environ.get(SWITCH, "")
    words = text.replace(",", " ").split()
    if [word.casefold() for word in words] == ["off"]:
        raise PluginError(
            f"plugins are off: the environment variable {SWITCH} is 'off' (unset it, or list the "
            f"distributions that may bring plugins)"
        )
    if text and not words:
        raise PluginError(
            f"the environment variable {SWITCH} names no distribution: write 'off', or names "
            f"separated by commas, or unset it"
        )
    return frozenset(map(_plain, words)) if words else None


def _plain(distribution: str) -> str:
    return re.sub("[-_.]+", "-", distribution).lower()


def _origin(point: EntryPoint) -> tuple[str, str]:
    """The distribution and its version, where its metadata say so."""
    if point.dist is None:
        return "unknown", "unknown"
    try:
        metadata: Any = point.dist.metadata
    except FileNotFoundError:  # newer forms of importlib.metadata insist
        return "unknown", "unknown"
    return metadata.get("Name") or "unknown", metadata.get("Version") or "unknown"


def find(group: str, name: str, *, ours: tuple[str, ...] = ()) -> Entry:
    """The one plugin of a group that a name means.

    Args:
        group: such as ``"readers"``.
        name: its name, or ``"distribution:name"``.
        ours: the names that mean something of scrmkit's own, for the message.

    Raises:
        InvalidParameter: there is none, or there are several.
        PluginError: plugins are off.
    """
    try:
        there = entries(group)
    except PluginError as error:
        if not ours:
            raise
        raise PluginError(f"{name!r} is none of {', '.join(ours)}, and {error}") from error
    found = [entry for entry in there if _is_named(entry, name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidParameter(
            f"several distributions have {name!r} among their {group}: say which one, "
            f"{' or '.join(repr(entry.label) for entry in found)}",
            value=name,
        )
    names = [*ours, *(entry.label for entry in there)]
    near = get_close_matches(name, [*names, *(entry.name for entry in there)], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    allowed = os.environ.get(SWITCH, "").strip()
    limit = f" ({SWITCH} allows {allowed} alone)" if allowed else ""
    raise InvalidParameter(
        f"there is no {name!r} among the {group}.{hint} There are: {', '.join(names) or 'none'}"
        f"{limit}",
        value=name,
    )


def _is_named(entry: Entry, name: str) -> bool:
    if entry.name == name:
        return True
    distribution, sign, own = name.partition(":")
    return bool(sign) and entry.name == own and _plain(entry.distribution) == _plain(distribution)


def load(entry: Entry) -> Any:
    """Import a plugin whose version of the protocol is served.

    Raises:
        PluginError: it cannot be imported, or its version is not served.
    """
    made = bring(entry)
    check_protocol(made, entry)
    return made


def bring(entry: Entry) -> Any:
    """Import a plugin.

    Raises:
        PluginError: that fails.
    """
    try:
        return entry.point.load()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{entry.label} of scrmkit.{entry.group} cannot be loaded from "
            f"{entry.point.value!r}: {type(error).__name__}: {error}"
        ) from error


def protocol_of(made: Any) -> Any:
    """The version of the protocol that a plugin speaks: 1 where it does not say."""
    return getattr(made, "protocol", 1)


def check_protocol(made: Any, entry: Entry) -> None:
    """Refuse a plugin whose version of the protocol is not served."""
    with blame(entry.label):
        wanted, served = protocol_of(made), SERVED[entry.group]
    if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted in served:
        return
    versions = " and ".join(map(str, served))
    raise PluginError(
        f"{entry.label} {entry.version} speaks version {wanted!r} of the protocol of "
        f"{entry.group}, and this scrmkit serves version {versions}: install another version of "
        f"{entry.distribution} or of scrmkit"
    )


def choose(group: str, wanted: Any, *, ours: tuple[str, ...] = ()) -> Plugin:
    """What a caller named, or gave as an object, as a plugin."""
    if isinstance(wanted, str):
        entry = find(group, wanted, ours=ours)
        return Plugin(load(entry), entry.label, entry.version)
    kind = wanted if hasattr(wanted, "__qualname__") else type(wanted)
    label = f"{getattr(kind, '__module__', None) or 'builtins'}.{kind.__qualname__}"
    with blame(label):
        version = getattr(wanted, "version", None)
    return Plugin(wanted, label, version)


def choose_function(group: str, wanted: Any, *, ours: tuple[str, ...] = ()) -> Plugin:
    """The same for a plugin that is called."""
    plugin = choose(group, wanted, ours=ours)
    check_function(plugin)
    return plugin


def check_function(plugin: Plugin) -> None:
    """Refuse a plugin that cannot be called."""
    if not callable(plugin.made) or isinstance(plugin.made, type):
        raise PluginError(
            f"{plugin.label} is {_what(plugin.made)}: a function, or an object that can be "
            f"called, is needed"
        )


def _what(made: Any) -> str:
    if isinstance(made, type):
        return f"the class {made.__name__}"
    return f"of type {type(made).__name__}"


@contextmanager
def blame(label: str) -> Iterator[None]:
    """Say which plugin failed; errors of ours stay what they are, with a note."""
    try:
        yield
    except PluginError as error:
        raise PluginError(f"{label}: {error}") from error
    except ScrmkitError as error:
        error.add_note(f"It comes from the plugin {label}.")
        raise
    except Exception as error:
        raise PluginError(f"{label} raised {type(error).__name__}") from error
