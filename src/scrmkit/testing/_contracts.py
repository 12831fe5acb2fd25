"""What all checks of contracts share: rules, what breaks them, and a watch on the clock."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from scrmkit._plugins import Plugin
from scrmkit.errors import PluginError


Example = TypeVar("Example")
Rule = tuple[str, Callable[[], str | None]]

_CLOCKS: Final = frozenset(
    {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
)
_TODAY: Final = frozenset({"now", "utcnow", "today"})


class ContractBroken(AssertionError):
    """A plugin breaks its contract; pytest shows it as a failed test.

    Attributes:
        rules: the names of the rules that are broken.
    """

    def __init__(self, label: str, broken: dict[str, str]) -> None:
        super().__init__(
            f"{label} breaks its contract:\n"
            + "\n".join(f"- {rule}: it {wrong}" for rule, wrong in broken.items())
        )
        self.rules = tuple(broken)


def check_rules(label: str, *stages: Sequence[Rule]) -> None:
    """Try rules, and say which are broken.

    Args:
        label: the name of the plugin.
        stages: rules by name; each gives what is wrong in words, or None. Where one of a
            stage is broken, the later stages make no sense and are not tried.

    Raises:
        ContractBroken: some rule is broken.
    """
    for stage in stages:
        if broken := _tried(stage):
            raise ContractBroken(label, broken)


def _tried(rules: Iterable[Rule]) -> dict[str, str]:
    found = ((name, _outcome(test)) for name, test in rules)
    return {name: wrong for name, wrong in found if wrong}


def _outcome(test: Callable[[], str | None]) -> str | None:
    try:
        return test()
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises breaks the rule
        return f"raises {type(error).__name__}: {error}"


def draw(strategy: SearchStrategy[Example], *, count: int = 40) -> list[Example]:
    """Some examples, the same every time."""
    drawn: list[Example] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Example) -> None:
        drawn.append(example)

    collect()
    return drawn


def for_all(
    examples: Iterable[Example], test: Callable[[Example], str | None], *, shown: bool = True
) -> str | None:
    """What is wrong for the first example for which something is; it is shown unless it is real."""
    for example in examples:
        if wrong := _outcome(lambda one=example: test(one)):  # type: ignore[misc]
            return f"{wrong} (for {example!r})" if shown else wrong
    return None


def lacks_digest(plugin: Plugin) -> str | None:
    """What is wrong where the parameters of a plugin cannot be named by a digest."""
    try:
        plugin.parameters()
    except PluginError as error:
        return f"has parameters without a digest: {error}"
    return None


def package_of(made: Any) -> str:
    """The package in which a plugin was written."""
    module = getattr(made, "__module__", None) or type(made).__module__
    return str(module).partition(".")[0]


def reads_the_clock(made: Any, act: Callable[[], object]) -> str | None:
    """What is wrong where the code of a plugin's package asks what time it is.

    Seen are the functions of `time` that take no argument, and ``now``, ``utcnow`` and
    ``today``; a clock that another library reads is not.
    """
    with _watching(package_of(made)) as seen:
        act()
    return f"reads the clock ({', '.join(sorted(seen))})" if seen else None


@contextmanager
def _watching(package: str) -> Iterator[set[str]]:
    seen: set[str] = set()

    def watch(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and _is_clock(called):
            caller = frame.f_globals.get("__name__", "")
            if caller.partition(".")[0] == package:
                seen.add(called.__qualname__)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def _is_clock(called: Any) -> bool:
    name = getattr(called, "__name__", "")
    if name in _CLOCKS:
        return getattr(called, "__module__", None) == "time"
    owner = getattr(called, "__self__", None)
    return name in _TODAY and isinstance(owner, type) and issubclass(owner, date)
