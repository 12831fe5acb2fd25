"""Every error that scrmkit raises, in one tree.

::

    ScrmkitError
    ├── InvalidInteraction   (ValueError)    an interaction breaks a rule
    ├── InvalidCustomer      (ValueError)    a customer, handle, role or membership does
    ├── InvalidParameter     (ValueError)    an option has a value it cannot have
    ├── InvalidTable         (ValueError)    a table lacks a column, or a column has the wrong type
    ├── UnreadableFile       (ValueError)    a file cannot be read as a table
    ├── AsOfError            (ValueError)    a sum is asked for an instant before its last part
    ├── ModelMismatch        (ValueError)    numbers made under different models are put together
    ├── UnknownCustomer      (KeyError)      an id that is not in this log, ledger or graph
    ├── UnknownKind          (KeyError)      a word that is not in this vocabulary
    ├── NotConverged         (ArithmeticError)  an iteration ended before its tolerance
    ├── PluginError          (RuntimeError)  a plugin cannot be loaded, or breaks its contract
    └── MissingExtra         (ImportError)   an optional dependency is not installed

Each is also the built-in error that it specialises, so ``except ValueError`` works as
usual. Messages say what is wrong, where, and how to mend it; they never contain personal
values (they end up in logs): where there is one, it is the attribute ``value``.
"""

from __future__ import annotations

from typing import Any


__all__ = [
    "AsOfError",
    "InvalidCustomer",
    "InvalidInteraction",
    "InvalidParameter",
    "InvalidTable",
    "MissingExtra",
    "ModelMismatch",
    "NotConverged",
    "PluginError",
    "ScrmkitError",
    "ScrmkitWarning",
    "UnknownCustomer",
    "UnknownKind",
    "UnreadableFile",
]


class ScrmkitError(Exception):
    """The root of all errors that scrmkit raises.

    Attributes:
        value: the offending value where there is one. It may be personal, so it is
            not part of the message.
    """

    def __init__(self, message: str, *, value: object = None) -> None:
        super().__init__(message)
        self.value = value

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args), self.__dict__


def _rebuild(kind: type[ScrmkitError], args: tuple[object, ...]) -> ScrmkitError:
    """An error as another process raised it, whatever its class asks for."""
    return kind.__new__(kind, *args)


class InvalidInteraction(ScrmkitError, ValueError):
    """An interaction breaks a rule."""


class InvalidCustomer(ScrmkitError, ValueError):
    """A customer, handle, role or membership breaks a rule."""


class InvalidParameter(ScrmkitError, ValueError):
    """An option has a value that it cannot have."""


class InvalidTable(ScrmkitError, ValueError):
    """A table lacks a column, or a column has the wrong type."""


class UnreadableFile(ScrmkitError, ValueError):
    """A file cannot be read as a table."""


class AsOfError(ScrmkitError, ValueError):
    """A sum is asked for an instant before its last interaction.

    A sum forgets its parts, so it cannot be taken apart again: ask the log instead.
    """


class ModelMismatch(ScrmkitError, ValueError):
    """Numbers that were made under different models are put together."""


class UnknownCustomer(ScrmkitError, KeyError):
    """An id that is not in this log, ledger or graph."""


class UnknownKind(ScrmkitError, KeyError):
    """A word that is neither a kind nor an alias in this vocabulary."""


class NotConverged(ScrmkitError, ArithmeticError):
    """An iteration ended before it reached its tolerance."""


class PluginError(ScrmkitError, RuntimeError):
    """A plugin cannot be loaded, speaks a protocol that is not served, or breaks its contract.

    The message names the distribution and the entry point.
    """


class MissingExtra(ScrmkitError, ImportError):
    """An optional dependency is not installed; the message has the pip line."""

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(
            f'This needs {package}, which is not installed: pip install "scrmkit[{extra}]"',
            value=package,
        )


class ScrmkitWarning(UserWarning):
    """Something that is probably not what was meant, although it is not wrong."""
