"""What every room checks at its door: ids, times, texts, numbers, and digests of parameters."""

from __future__ import annotations

import hashlib
import json
import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from scrmkit.errors import InvalidParameter, ScrmkitError


Id = str | int | UUID

Failure = Callable[..., ScrmkitError]

_LARGEST = sys.float_info.max
_FIRST_YEAR, _LAST_YEAR = 2, 9998

Item = TypeVar("Item")


class Frozen(Mapping[str, Item]):
    """A mapping that cannot be changed; it can be copied and pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> Item:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


def to_path(path: str | PathLike[str]) -> Path:
    """A path of this machine; addresses such as ``s3://...`` are refused."""
    if "://" in str(path):
        raise InvalidParameter(
            "an address is no path of this machine: open it with the library of your tables and "
            "give what that returns to from_frame; write what is in a result's frame with it",
            value=str(path),
        )
    return Path(path)


def is_missing(value: object) -> bool:
    """Whether a value stands for nothing: None, NaN, and the NaT and NA of pandas."""
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def check_id(value: object, *, name: str, error: Failure) -> None:
    """Refuse what is not a non-empty text, an integer or a UUID."""
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise error(
            f"{name} is of type {type(value).__name__}: an id is a text, an integer or a UUID",
            value=value,
        )
    if value == "":
        raise error(f"{name} is empty: give an id, or None where there is nobody")


def check_text(value: object, *, name: str, error: Failure) -> None:
    """Refuse what is not a non-empty text."""
    if not isinstance(value, str):
        raise error(f"{name} is of type {type(value).__name__}, not text", value=value)
    if not value.strip():
        raise error(f"{name} is empty")


def check_flag(value: object, *, name: str, error: Failure) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise error(f"{name} is of type {type(value).__name__}: give True or False", value=value)


def freeze(value: Mapping[str, Item] | None, *, name: str, error: Failure) -> Frozen[Item]:
    """A mapping that cannot be changed; refuse what is no mapping from texts."""
    if value is not None and not isinstance(value, Mapping):
        raise error(
            f"{name} is of type {type(value).__name__}: give a mapping from names to values",
            value=value,
        )
    for key in value or {}:
        check_text(key, name=f"a name in {name}", error=error)
    return Frozen(value or {})


def to_tuple(
    value: Iterable[Item], *, name: str, of: type[Item], error: Failure
) -> tuple[Item, ...]:
    """A tuple of values of one type; refuse anything else."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise error(f"{name} is of type {type(value).__name__}: give a list of {of.__name__}")
    items = tuple(value)
    for item in items:
        if not isinstance(item, of):
            raise error(
                f"{name} holds a value of type {type(item).__name__}: give a list of {of.__name__}",
                value=item,
            )
    return items


def check_time(value: object, *, name: str, error: Failure) -> None:
    """Refuse what is not an instant: a datetime with a time zone, of years 0002 to 9998."""
    if is_missing(value):
        raise error(f"{name} is missing: give a datetime with a time zone", value=value)
    if not isinstance(value, datetime):
        raise error(
            f"{name} is of type {type(value).__name__}, not a datetime with a time zone",
            value=value,
        )
    if value.tzinfo is None or value.utcoffset() is None:
        raise error(
            f"{name} has no time zone, so it names no instant: attach the zone it was "
            f"written in, e.g. value.replace(tzinfo=ZoneInfo('Europe/London'))",
            value=value,
        )
    if not _is_within_years(value):
        raise error(
            f"{name} is not within the years {_FIRST_YEAR:04} to {_LAST_YEAR} in UTC: where it "
            f"stands for 'always' or 'never', leave it out",
            value=value,
        )


def _is_within_years(instant: datetime) -> bool:
    if _FIRST_YEAR < instant.year < _LAST_YEAR:
        return True
    try:
        return _FIRST_YEAR <= instant.astimezone(UTC).year <= _LAST_YEAR
    except OverflowError:
        return False


def check_range(
    value: object, *, name: str, error: Failure, low: float = -math.inf, high: float = math.inf
) -> float:
    """A number of any type as a float; refuse what is not finite or not from low to high."""
    if isinstance(value, bool) or not isinstance(value, Real):  # numpy's are Real, its bools not
        raise error(f"{name} is of type {type(value).__name__}, not a number", value=value)
    number = to_float(value)
    if not -_LARGEST <= number <= _LARGEST or not low <= number <= high:
        bounds = f" from {low:g} to {high:g}" if high < math.inf else f" of at least {low:g}"
        raise error(
            f"{name} must be a finite number{bounds if low > -math.inf else ''}", value=value
        )
    return float(number)


def to_whole(value: Any, *, name: str, least: int) -> int:
    """A whole number, of whatever type of integer; refuse what is none or below the least."""
    kind = type(value)
    if kind.__name__ not in ("bool", "bool_") and hasattr(kind, "__index__"):  # numpy's, too
        try:
            whole = operator.index(value)
        except TypeError:  # an array of several
            whole = least - 1
        if whole >= least:
            return whole
    raise InvalidParameter(f"{name} must be a whole number of at least {least}", value=value)


def check_type(value: object, of: type, *, name: str, error: Failure = InvalidParameter) -> None:
    """Refuse what is not a value of one of our types."""
    if not isinstance(value, of):
        raise error(
            f"{name} is of type {type(value).__name__}: give a value of type {of.__name__}",
            value=value,
        )


def check_count(value: object, *, name: str) -> None:
    """Refuse what is not a whole number from 0 to 2**53, which every table can hold."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise InvalidParameter(f"{name} must be a whole number of at least 0", value=value)


def to_float(value: Any) -> Any:
    """A number as a float, and -0.0 as 0.0; anything else as it is, for others to refuse."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    try:
        return float(value) + 0.0
    except OverflowError:
        return value


def to_renaming(names: Mapping[Id, Id] | Callable[[Id], Id]) -> Callable[[Id], Id]:
    """A function that gives an id its new name, or an error where that is no id."""
    if not callable(names) and not isinstance(names, Mapping):
        raise InvalidParameter(
            f"names is of type {type(names).__name__}: give a mapping from ids to new ids, or a "
            f"function",
            value=names,
        )

    def rename(customer: Id) -> Id:
        name = names(customer) if callable(names) else names.get(customer, customer)
        check_id(name, name="the name of a group", error=InvalidParameter)
        return name

    return rename


def to_utc(value: datetime, *, name: str) -> datetime:
    """The same instant in UTC, as a plain datetime; an error for a time without a zone."""
    check_time(value, name=name, error=InvalidParameter)
    instant = value.astimezone(UTC)
    return datetime.combine(instant.date(), instant.time(), UTC)


def check_half_life(value: timedelta | None) -> None:
    """Refuse a half-life that is not a positive timedelta, or None for no decay."""
    if value is None:
        return
    if not isinstance(value, timedelta):
        raise InvalidParameter(
            f"half_life is of type {type(value).__name__}: give a timedelta, e.g. "
            f"timedelta(days=90), or None for no decay",
            value=value,
        )
    if value <= timedelta(0):
        raise InvalidParameter("half_life must be longer than zero, or None for no decay")


def digest(parameters: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that name these parameters: SHA-256 of their JSON form.

    Instants, durations, UUIDs and decimals stand as their text, and numbers of numpy as Python's.

    Raises:
        InvalidParameter: a value that has no form in JSON, so that no digest could name it.
    """
    try:
        text = json.dumps(
            parameters, sort_keys=True, separators=(",", ":"), default=_to_json, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError):
        raise InvalidParameter(
            "these parameters have no digest, because JSON cannot hold all of them: give text, "
            "finite numbers, truth values, and lists and mappings of these",
            value=parameters,
        ) from None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _to_json(value: object) -> str | int | float:
    if isinstance(value, datetime | timedelta | UUID | Decimal):
        return str(value)
    if isinstance(value, Integral):  # of numpy
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError
