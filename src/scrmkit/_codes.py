"""Columns of a log as whole numbers: who and what by place in order of id, when in microseconds."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import narwhals.stable.v2 as nw

from scrmkit import _columns, _tables
from scrmkit._checks import to_tuple
from scrmkit._instants import EPOCH
from scrmkit._sparse import Ints, np
from scrmkit._tables import Home
from scrmkit._vocabularies import Vocabulary
from scrmkit.errors import InvalidParameter, InvalidTable


NOBODY = -1
_WORDS = (nw.String, nw.Categorical, nw.Enum)
_MICROSECOND = timedelta(microseconds=1)


def collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """The rows of a table, in Polars where that is installed."""
    if frame.implementation.is_polars() or not _has_polars():
        return _tables.collect(frame)
    return frame.collect(backend="polars")


def _has_polars() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("polars", "pyarrow"))


def microseconds(column: nw.Series[Any]) -> Ints:
    """Instants as microseconds since 1970-01-01."""
    return np.asarray(column.dt.timestamp("us").to_numpy(), dtype=np.int64)


def microsecond_of(instant: datetime) -> int:
    """An instant as microseconds since 1970-01-01."""
    return (instant - EPOCH) // _MICROSECOND


def instants(micros: Ints, home: Home | None) -> Any:
    """Microseconds since 1970-01-01 as a column of instants in UTC."""
    made = [EPOCH + timedelta(microseconds=one) for one in micros.tolist()]
    return _columns.instants(made, home)


def encode(columns: Sequence[nw.Series[Any]]) -> tuple[Any, list[Ints]]:
    """The distinct ids of several columns in order, and the place of each row's id in them.

    A row without an id has the place `NOBODY`. Ids are an array of 64-bit integers, or of
    texts (objects), also where there is none.

    Raises:
        InvalidTable: some columns hold texts and others integers.
    """
    known = [column for column in columns if column.null_count() < len(column)]
    ids: Any
    found: list[Ints] = []
    if not known and any(isinstance(column.dtype, _WORDS) for column in columns):
        ids = np.array([], dtype=object)
    elif all(column.dtype.is_integer() for column in known):
        ids, found = _encode_integers(known)
    elif all(isinstance(column.dtype, _WORDS) for column in known):
        ids, found = _encode_words(known)
    else:
        names = ", ".join(repr(column.name) for column in known)
        raise InvalidTable(
            f"the columns {names} hold texts and integers: make them all texts, so that the ids "
            f"in them can be compared"
        )
    places = iter(found)
    return ids, [
        next(places)
        if column.null_count() < len(column)
        else np.full(len(column), NOBODY, dtype=np.int64)
        for column in columns
    ]


def _encode_integers(columns: Sequence[nw.Series[Any]]) -> tuple[Any, list[Ints]]:
    given = [~column.is_null().to_numpy() for column in columns]
    values = [column.drop_nulls().cast(nw.Int64).to_numpy() for column in columns]
    ids = distinct(np.concatenate([np.zeros(0, dtype=np.int64), *values]))
    return ids, [
        _spread(np.searchsorted(ids, some), where)
        for some, where in zip(values, given, strict=True)
    ]


def _encode_words(columns: Sequence[nw.Series[Any]]) -> tuple[Any, list[Ints]]:
    if columns[0].implementation.is_polars():
        return _encode_by_polars([column.to_native() for column in columns])
    given = [~column.is_null().to_numpy() for column in columns]
    values = [column.drop_nulls().to_list() for column in columns]
    ids = sorted({word for some in values for word in some})
    place = {word: number for number, word in enumerate(ids)}
    return np.array(ids, dtype=object), [
        _spread(np.fromiter((place[word] for word in some), np.int64, len(some)), where)
        for some, where in zip(values, given, strict=True)
    ]


def _encode_by_polars(columns: Sequence[Any]) -> tuple[Any, list[Ints]]:
    """As `_encode_words`: a type whose words are the ids in order numbers them so."""
    import polars as pl

    words = [column.cast(pl.String).alias("word") for column in columns]
    ids = pl.concat(words).drop_nulls().unique().sort()
    numbered = pl.Enum(ids)
    return np.array(ids.to_list(), dtype=object), [
        column.cast(numbered).to_physical().cast(pl.Int64).fill_null(NOBODY).to_numpy()
        for column in words
    ]


def _spread(places: Ints, where: Any) -> Ints:
    """Places for the rows that have an id, `NOBODY` for the others."""
    result = np.full(len(where), NOBODY, dtype=np.int64)
    result[where] = places
    return result


def names_of(ids: Any, places: Ints, home: Home | None) -> Any:
    """The ids at some places as a column of the type of the ids, null for `NOBODY`."""
    if ids.dtype == object:
        named: list[str | None] = [*ids.tolist(), None]
        return _columns.words([named[place] for place in places.tolist()], home)
    return _columns.wholes(np.append(ids, 0)[places], home, where=places != NOBODY)


def distinct(keys: Ints) -> Ints:
    """The distinct ones of whole numbers, in order; by sorting, which beats hashing here."""
    ordered = np.sort(keys)
    return ordered[first_of_each(ordered)]


def first_of_each(*keys: Ints) -> Ints:
    """The positions of the first row of each group, for rows in an order that has it together."""
    new = np.zeros(len(keys[0]), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def words_of(kinds: Iterable[str] | None, vocabulary: Vocabulary) -> tuple[str, ...] | None:
    """All words that mean one of these kinds, in order; None for every kind.

    Raises:
        InvalidParameter: no list of texts, or an empty one.
    """
    if kinds is None:
        return None
    named = to_tuple(kinds, name="kinds", of=str, error=InvalidParameter)
    if not named:
        raise InvalidParameter("kinds is empty: name the kinds, or give None for all")
    means = {word: kind.name for word, kind in vocabulary.words.items()}
    wanted = {means.get(word, word) for word in named}
    return tuple(sorted({*wanted, *(word for word, kind in means.items() if kind in wanted)}))


def passes_in(words: tuple[str, ...] | None) -> nw.Expr:
    """Whether an act is of one of the kinds that pass something on."""
    if words is None:
        return nw.lit(True)
    return nw.col("kind").cast(nw.String).is_in(list(words))


def unused_kinds(rows: nw.DataFrame[Any], words: tuple[str, ...] | None) -> tuple[str, ...]:
    """A note where no row is of one of the kinds."""
    if words is None or rows["passes"].any():
        return ()
    return ("no act in the log is of one of the kinds",)


def micros_in(within: timedelta, *, name: str) -> int:
    """A duration in microseconds; refuse one that is not positive."""
    if not isinstance(within, timedelta) or within <= timedelta(0):
        raise InvalidParameter(
            f"{name} must be a timedelta longer than zero, such as timedelta(hours=6)",
            value=within,
        )
    return within // _MICROSECOND


def merge(ids: Any, others: Any) -> tuple[Any, Ints, Ints]:
    """The ids of two arrays in order, and the places of the ids of each in them.

    Raises:
        InvalidParameter: one has texts and the other integers.
    """
    if len(ids) and len(others) and (ids.dtype == object) != (others.dtype == object):
        raise InvalidParameter(
            "the ids of the graph and those of the log are of different types: make them all "
            "texts or all integers"
        )
    if object not in (ids.dtype, others.dtype):
        merged = np.union1d(ids, others)
        return merged, np.searchsorted(merged, ids), np.searchsorted(merged, others)
    words = sorted({*ids.tolist(), *others.tolist()})
    place = {word: number for number, word in enumerate(words)}
    first, second = (
        np.fromiter((place[word] for word in some.tolist()), np.int64, len(some))
        for some in (ids, others)
    )
    return np.array(words, dtype=object), first, second
