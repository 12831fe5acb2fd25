"""The words of a column: what belongs to each of them, and other words in their place.

By a map where an engine has one, a join where it is better at that, else a chain of
comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import narwhals.stable.v2 as nw

from scrmkit._tables import REPLACERS, build, take


JOINERS: Final = ("polars", "pyspark")
WORD: Final = "__scrmkit_word"
NEW: Final = "__scrmkit_new"


def look_up(
    frame: nw.LazyFrame[Any], column: str, **values: tuple[Mapping[Any, float], float]
) -> nw.LazyFrame[Any]:
    """The table with more columns: what belongs to each word of a column.

    By a map of DuckDB, by a join where the engine is better at that, else as `lookup`.

    Args:
        frame: the table.
        column: its column of words.
        values: for each new column the value of each word, and that of all others.
    """
    if frame.implementation.value == "duckdb":
        found = (
            f"coalesce({_mapped(column, known)}, {_to_sql(default)}) as {_quoted(name)}"
            for name, (known, default) in values.items()
        )
        return _projected(frame, ", ".join(["*", *found]))
    if frame.implementation.value not in JOINERS:
        return frame.with_columns(
            **{
                name: lookup(frame, column, known, default, _type_of(default))
                for name, (known, default) in values.items()
            }
        )
    words = sorted({word for known, _ in values.values() for word in known})
    columns = {
        name: [known.get(word, default) for word in words]
        for name, (known, default) in values.items()
    }
    table = _table_beside(frame, {WORD: words, **columns})
    joined = frame.join(table, left_on=column, right_on=WORD, how="left")
    return joined.with_columns(
        **{name: nw.col(name).fill_null(default) for name, (_, default) in values.items()}
    )


def _table_beside(
    frame: nw.LazyFrame[Any], columns: Mapping[str, Sequence[str | float]]
) -> nw.LazyFrame[Any]:
    """A small table in the engine of another."""
    beside: nw.LazyFrame[Any] = nw.from_native(build(columns, take(frame)[1]))
    return beside


def _projected(frame: nw.LazyFrame[Any], columns: str) -> nw.LazyFrame[Any]:
    projected: nw.LazyFrame[Any] = nw.from_native(frame.to_native().project(columns))
    return projected


def _mapped(column: str, values: Mapping[str, str | float]) -> str:
    """What belongs to each word of a column, null for others, as DuckDB writes it."""
    keys, found = (", ".join(map(_to_sql, part)) for part in (values.keys(), values.values()))
    return f"map([{keys}]::varchar[], [{found}])[{_quoted(column)}::varchar]"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _to_sql(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value!r}::double" if isinstance(value, float) else str(value)


def _type_of(value: float) -> type[nw.dtypes.NumericType]:
    return nw.Int16 if isinstance(value, int) else nw.Float64


def lookup(
    frame: nw.LazyFrame[Any],
    column: str,
    values: Mapping[Any, float],
    default: float,
    dtype: type[nw.dtypes.NumericType] = nw.Float64,
) -> nw.Expr:
    """The value that belongs to each word (or number) of a column.

    A hash table where the engine has one, else a chain of comparisons, one for each
    distinct value.
    """
    if not values:
        return nw.lit(default)
    if frame.implementation.value in REPLACERS:
        return nw.col(column).replace_strict(
            list(values), list(values.values()), default=default, return_dtype=dtype
        )
    words: dict[float, list[Any]] = {}
    for word, value in values.items():
        if value != default:
            words.setdefault(value, []).append(word)
    result = nw.lit(default)
    for value, group in reversed(words.items()):
        result = nw.when(nw.col(column).is_in(group)).then(nw.lit(value)).otherwise(result)
    return result.cast(dtype)


def rename_words(
    frame: nw.LazyFrame[Any], column: str, names: Mapping[str, str]
) -> nw.LazyFrame[Any]:
    """The table in which some words of a column are replaced by others.

    By a map of DuckDB and by a join of Spark. A join of Polars would lose the order of the rows.
    """
    words, engine = nw.col(column).cast(nw.String), frame.implementation.value
    if engine in REPLACERS[1:]:
        new = words.replace_strict(list(names), list(names.values()), default=None)
        return frame.with_columns(nw.coalesce(new, words).alias(column))
    if engine == "duckdb":
        renamed = f"coalesce({_mapped(column, names)}, {_quoted(column)}::varchar)"
        return _projected(frame, f"* replace ({renamed} as {_quoted(column)})")
    if engine in JOINERS[1:]:
        table = _table_beside(frame, {WORD: list(names), NEW: list(names.values())})
        joined = frame.with_columns(words).join(table, left_on=column, right_on=WORD, how="left")
        return joined.with_columns(nw.coalesce(nw.col(NEW), nw.col(column)).alias(column)).drop(NEW)
    result = words
    for old, new_word in names.items():
        result = nw.when(words == old).then(nw.lit(new_word)).otherwise(result)
    known = words.is_in(list(names))
    return frame.with_columns(nw.when(known).then(result).otherwise(words).alias(column))


def rename_ids(
    frame: nw.LazyFrame[Any],
    columns: Sequence[str],
    names: Mapping[Any, Any] | nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:
    """A table in which some ids are replaced by others; the rest keep their name.

    Args:
        frame: the table.
        columns: its columns of ids.
        names: the new name for an id: a mapping, or a table of the same engine with the
            columns ``old`` and ``new``, in which each old id stands once.
    """
    if names and not isinstance(names, nw.LazyFrame) and frame.implementation.is_polars():
        names = _table_beside(frame, {"old": list(names), "new": list(names.values())})
    if isinstance(names, nw.LazyFrame):
        for column in columns:
            ours = names.select(nw.col("old").alias(column), nw.col("new").alias(NEW))
            renamed = nw.coalesce(nw.col(NEW), nw.col(column)).alias(column)
            frame = frame.join(ours, on=column, how="left").with_columns(renamed)
            frame = frame.drop(NEW)
        return frame
    if not names:
        return frame
    exprs = []
    for column in columns:
        result = nw.col(column)
        if frame.implementation.value in REPLACERS:
            old, new = list(names), list(names.values())
            exprs.append(result.replace_strict(old, new, default=result))
            continue
        members: dict[Any, list[Any]] = {}
        for one, party in names.items():
            members.setdefault(party, []).append(one)
        for party, group in members.items():
            known = nw.col(column).is_in(group)
            result = nw.when(known).then(nw.lit(party)).otherwise(result).alias(column)
        exprs.append(result)
    return frame.with_columns(*exprs)
