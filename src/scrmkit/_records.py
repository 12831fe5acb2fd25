"""Interactions and mappings as columns, one list for each field that occurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import attrs

from scrmkit._checks import is_missing
from scrmkit.errors import InvalidTable
from scrmkit.interactions import Interaction


_NAMES: Final = tuple(
    field.name for field in attrs.fields(Interaction) if field.name != "attributes"
)


def to_table(records: Iterable[Interaction | Mapping[str, Any]]) -> dict[str, list[Any]]:
    """One list for each field that occurs in a record, None where a record lacks it."""
    if not isinstance(records, Iterable):
        raise InvalidTable(
            f"records are of type {type(records).__name__}: give interactions or mappings"
        )
    table: dict[str, list[Any]] = {}
    count = 0
    for count, record in enumerate(records, start=1):
        for name, value in _items(record, count - 1):
            column = table.setdefault(name, [])
            column.extend([None] * (count - 1 - len(column)))
            column.append(value)
    for column in table.values():
        column.extend([None] * (count - len(column)))
    return {name: to_one_type(column, name) for name, column in table.items()}


def _items(record: Interaction | Mapping[str, Any], row: int) -> Iterator[tuple[str, Any]]:
    if isinstance(record, Interaction):
        for name in _NAMES:
            value = getattr(record, name)
            if value is not None and value is not False:
                yield name, _plain(value)
        for name, value in record.attributes.items():
            if name not in _NAMES:
                yield name, _plain(value)
    elif isinstance(record, Mapping):
        for name, value in record.items():
            yield str(name), _plain(value)
    else:
        raise InvalidTable(
            f"record {row} is of type {type(record).__name__}: give interactions or mappings"
        )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def to_one_type(column: list[Any], name: str) -> list[Any]:
    """Values that a column can hold: instants in UTC, or as texts where some are no instants.

    Raises:
        InvalidTable: values of several types, or such as no column can hold.
    """
    column = [None if is_missing(value) else value for value in column]
    types = {type(value): row for row, value in reversed([*enumerate(column)]) if value is not None}
    if any(issubclass(kind, datetime) for kind in types):
        return _to_times(column)
    if len(types) > 1 and not (set(types) <= {int, float} or set(types) <= {int, Decimal}):
        places = ", ".join(
            f"{kind.__name__} in record {row}"
            for kind, row in sorted(types.items(), key=lambda item: item[1])
        )
        raise InvalidTable(f"field {name!r} has values of several types ({places}): use one type")
    if float in types:
        return [None if value is None else float(value) for value in column]
    for row, value in enumerate(column):
        if not _can_be_held(value):
            raise InvalidTable(
                f"field {name!r} of record {row} has a value that no table can hold: an integer "
                f"beyond 64 bits, a Decimal that is no number, or text that is not Unicode",
                value=value,
            )
    return column


def _to_times(column: list[Any]) -> list[Any]:
    known = [value for value in column if value is not None]
    times = [value for value in known if isinstance(value, datetime)]
    naive = {value.tzinfo is None or value.utcoffset() is None for value in times}
    if len(times) < len(known) or len(naive) > 1:
        return [_as_text(value) for value in column]
    if True in naive:
        return column
    return [None if value is None else value.astimezone(UTC) for value in column]


def _can_be_held(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    return True


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
