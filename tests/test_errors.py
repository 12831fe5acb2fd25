"""The tree of errors: each is ours and a built-in one, and none tells personal values."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from scrmkit import errors
from scrmkit.errors import MissingExtra, ScrmkitError, ScrmkitWarning


pytestmark = pytest.mark.core

TREE = {
    "AsOfError": ValueError,
    "InvalidCustomer": ValueError,
    "InvalidInteraction": ValueError,
    "InvalidParameter": ValueError,
    "InvalidTable": ValueError,
    "MissingExtra": ImportError,
    "ModelMismatch": ValueError,
    "NotConverged": ArithmeticError,
    "PluginError": RuntimeError,
    "UnknownCustomer": KeyError,
    "UnknownKind": KeyError,
    "UnreadableFile": ValueError,
}


def make(name: str) -> ScrmkitError:
    """One error of this class, with a value."""
    if name == "MissingExtra":
        return MissingExtra("polars", extra="tables")
    error: ScrmkitError = getattr(errors, name)("the thing is wrong: mend it", value="secret")
    return error


def test_the_tree_is_complete() -> None:
    """Every error of the module is in the tree, and the tree has no other."""
    assert {*TREE, "ScrmkitError", "ScrmkitWarning"} == set(errors.__all__)


@pytest.mark.parametrize("name", TREE)
def test_each_error_is_also_a_built_in_one(name: str) -> None:
    """`except ValueError` works as usual, and `except ScrmkitError` catches all of ours."""
    with pytest.raises(TREE[name]):
        raise make(name)
    assert isinstance(make(name), ScrmkitError)


@pytest.mark.parametrize("name", TREE)
def test_the_tree_is_drawn_in_the_docstring(name: str) -> None:
    """The picture in the module shows the error and the built-in one that it is."""
    lines = [line for line in (errors.__doc__ or "").splitlines() if f" {name} " in line]
    assert len(lines) == 1
    assert f"({TREE[name].__name__})" in lines[0]


@pytest.mark.parametrize("name", sorted(set(TREE) - {"MissingExtra"}))
def test_the_value_is_no_part_of_the_message(name: str) -> None:
    """Messages end up in logs, values must not."""
    error = make(name)
    assert str(error) == "the thing is wrong: mend it"
    assert "secret" not in repr(error)
    assert error.value == "secret"


def test_a_missing_extra_gives_the_pip_line() -> None:
    """What to install can be copied from the message."""
    assert 'pip install "scrmkit[tables]"' in str(make("MissingExtra"))
    assert make("MissingExtra").value == "polars"


@pytest.mark.parametrize("name", TREE)
def test_errors_reach_another_process(name: str) -> None:
    """An error raised in a worker arrives whole, with its value."""
    error = make(name)
    other: Any = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(other), str(other), other.value) == (type(error), str(error), error.value)


def test_the_warning_is_one_of_the_user() -> None:
    """Our warnings can be filtered on their own, and are shown by default."""
    assert issubclass(ScrmkitWarning, UserWarning)
    assert not issubclass(ScrmkitWarning, ScrmkitError)
