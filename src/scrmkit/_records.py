"""Interactions and mappings as columns, one list for each field that occurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import attrs

from scrmkit.errors import InvalidTable
from scrmkit.interactions import Interaction


_NAMES: Final = tuple(
    field.name for field in attrs.fields(Interaction) if field.name != "attributes"
)


def to_table(records: Iterable[Interaction | Mapping[str, Any]]) -> dict[str, list[Any]]:
    """One list for each field that occurs in a record, None where a record lacks it."""
    table: dict[str, list[Any]] = {}
    count = 0
    for count, record in enumerate(records, start=1):
        for name, value in _items(record, count - 1):
            column = table.setdefault(name, [])
            column.extend([None] * (count - 1 - len(column)))
            column.append(value)
    for column in table.values():
        column.extend([None] * (count - len(column)))
    return {name: _one_type(column, name) for name, column in table.items()}


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
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def _one_type(column: list[Any], name: str) -> list[Any]:
    """A list that a column can hold: instants among texts or numbers as ISO 8601 texts."""
    types = {type(value) for value in column if value is not None}
    if len(types) < 2 or types <= {int, float} or types <= {int, Decimal}:
        return column
    if datetime in types and types <= {datetime, str, int, float}:
        return [_as_text(value) for value in column]
    words = ", ".join(sorted(kind.__name__ for kind in types))
    raise InvalidTable(f"field {name!r} holds values of several types: {words}")


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
