"""Compiling inner loops where numba is installed, and running them on all cores.

Rooms with loops import numba at their top and are entered only where `enabled` says so. The
compiled code is kept in the user's cache directory, or where ``NUMBA_CACHE_DIR`` says.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, TypeVar


Function = TypeVar("Function", bound=Callable[..., Any])
Made = TypeVar("Made")
Progress = Callable[[str], object]

_LOGGER: Final = logging.getLogger("scrmkit")
_IMPORTING: Final = threading.Lock()
_switched_off = False


def enabled() -> bool:
    """Whether loops are compiled: whether numba is installed and not switched off."""
    return not _switched_off and _is_installed()


@cache
def _is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "platformdirs"))


def loops(room: str) -> Any:
    """The module of compiled loops of this name; only one thread at a time may import numba."""
    with _IMPORTING:
        return importlib.import_module(f"scrmkit.{room}")


@contextmanager
def switched_off() -> Iterator[None]:
    """The forms without numba, for the time of a block."""
    global _switched_off  # noqa: PLW0603
    before, _switched_off = _switched_off, True
    try:
        yield
    finally:
        _switched_off = before


def compiled(function: Function) -> Function:
    """A function that numba compiles at its first call, or loads from the cache."""
    numba: Any = importlib.import_module("numba")
    _announce_once()
    before = numba.config.CACHE_DIR
    folder = before or _cache_folder()
    numba.config.CACHE_DIR = folder
    try:
        made: Function = numba.njit(nogil=True, cache=_can_be_written(folder))(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


@cache
def _can_be_written(folder: str) -> bool:
    """Whether a folder is there, or can be made, and takes files.

    Where it does not, numba would keep its files beside the source.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cache_folder() -> str:
    from platformdirs import user_cache_dir

    folder: str = user_cache_dir("scrmkit", appauthor=False)
    return folder


@cache
def _announce_once() -> None:
    """Have the first compilation of a process say that it compiles."""
    event: Any = importlib.import_module("numba.core.event")

    class Announcer(event.Listener):  # type: ignore[misc]
        said = False

        def on_start(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            if not self.said and function.__module__.startswith("scrmkit."):
                self.said = True
                _LOGGER.warning(
                    "scrmkit compiles its inner loops, which takes some seconds, once on this "
                    "machine"
                )

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", Announcer())


def in_parallel(make: Callable[[int], Made], count: int) -> Iterator[Made]:
    """What ``make`` makes of 0, 1 and so on, in this order, on all cores.

    What is not begun when the caller stops, or is interrupted, is never begun.
    """
    workers = min(_cores(), count)
    if workers <= 1:
        yield from map(make, range(count))
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(make, number) for number in range(min(2 * workers, count))]
        try:
            for number in range(count):
                yield waiting[number].result()
                if len(waiting) < count:
                    waiting.append(pool.submit(make, len(waiting)))
                waiting[number] = None  # type: ignore[call-overload]
        finally:
            pool.shutdown(cancel_futures=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
