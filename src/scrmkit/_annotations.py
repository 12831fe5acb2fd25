"""What enrichers find, beside the log; and the columns of a log that are filled from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _checks, _foreign, _plugins, _tables
from scrmkit._options import FIELDS
from scrmkit._plugins import Plugin
from scrmkit._protocols import Number, Word
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter, InvalidTable, PluginError
from scrmkit.results import Result


if TYPE_CHECKING:
    import polars as pl

KEYS: Final = ("scope", "id", "target")
COLUMNS: Final = ("enricher", "version", "field", "value", "word")
OF_NUMBERS: Final = ("valence",)
OF_WORDS: Final = ("channel", "thread", "about")
_KEY: Final = "__scrmkit_key_"
_FOUND: Final = "__scrmkit_found"


@frozen
class Enrichment:
    """An enricher whose attributes are as they must be."""

    plugin: Plugin
    version: str
    needs: tuple[str, ...]
    fields: Mapping[str, Number | Word]

    @classmethod
    def of(cls, plugin: Plugin) -> Enrichment:
        """Refuse an enricher that lacks what one needs."""
        made = plugin.made
        lacks = [name for name in ("version", "needs", "fields") if not hasattr(made, name)]
        if lacks:
            raise PluginError(f"{plugin.label} is no enricher, for it lacks {', '.join(lacks)}")
        if not isinstance(made.version, str) or not made.version.strip():
            raise PluginError(f"{plugin.label}: version must be text")
        if isinstance(made.needs, str) or not all(isinstance(name, str) for name in made.needs):
            raise PluginError(f"{plugin.label}: needs must be the names of columns")
        fields = made.fields
        if not isinstance(fields, Mapping) or not fields:
            raise PluginError(f"{plugin.label}: fields must be a mapping of names to fields")
        if not all(isinstance(each, Number | Word) for each in fields.values()):
            raise PluginError(f"{plugin.label}: each of fields must be a Number or a Word")
        digest = plugin.parameters().get("digest")
        version = made.version if digest is None else f"{made.version}+{digest}"
        return cls(plugin, version, tuple(made.needs), dict(fields))

    def of_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What it finds, checked: one row for each, numbers as floats, words as text.

        Raises:
            PluginError: it breaks a rule of its contract.
        """
        label = self.plugin.label
        with _plugins.blame(label):
            found = self.plugin.made(rows)
        for _, wrong in self.broken(found, rows):
            raise PluginError(f"{label} {wrong}")
        columns = (_cast(found[name], field) for name, field in self.fields.items())
        made: pl.DataFrame = found.select(columns)
        return made

    def broken(self, found: Any, rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
        """The rules that what it found breaks: the name of each, and what is wrong."""
        import polars as pl

        if not isinstance(found, pl.DataFrame):
            yield "shape", f"must give a table of Polars, not {type(found).__name__}"
            return
        if found.height != rows.height:
            went = f"{rows.height:,} came, {found.height:,} went"
            yield "rows", f"must give one row for each: {went}"
        if set(found.columns) != set(self.fields):
            given = ", ".join(found.columns) or "none"
            yield "fields", f"must give the columns {', '.join(self.fields)}: it gives {given}"
        for name, field in self.fields.items():
            if name in found.columns and (wrong := _wrong(found[name], field)):
                yield wrong[0], f"gives a field {name!r} that {wrong[1]}"


def _wrong(column: pl.Series, field: Number | Word) -> tuple[str, str] | None:
    """The rule that a column breaks, and what is wrong."""
    import polars as pl

    if column.dtype == pl.Null:
        return None
    if isinstance(field, Word):
        if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
            return "types", f"must hold words, not {column.dtype}"
        words = column.cast(pl.String).drop_nulls()
        if field.choices is not None and not words.is_in(list(field.choices)).all():
            return "range", f"must be one of: {', '.join(field.choices)}"
        return None
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        return "types", f"must hold numbers, not {column.dtype}"
    numbers = column.cast(pl.Float64).drop_nulls()
    if not numbers.is_finite().all():
        return "range", "must be finite, or null where it cannot be said"
    if field.low is not None and (numbers < field.low).any():
        return "range", f"must be at least {field.low:g}"
    if field.high is not None and (numbers > field.high).any():
        return "range", f"must be at most {field.high:g}"
    return None


def _cast(column: pl.Series, field: Number | Word) -> pl.Series:
    import polars as pl

    return column.cast(pl.Float64 if isinstance(field, Number) else pl.String)


def find(rows: nw.LazyFrame[Any], enricher: Any, home: Home, made: Mapping[str, Any]) -> Result:
    """What an enricher finds in the rows of a log, as a table of annotations."""
    import polars as pl

    enrichment = Enrichment.of(_plugins.choose_function("enrichers", enricher))
    label = enrichment.plugin.label
    names = rows.collect_schema().names()
    _check_ids(names)
    _tables.check_columns(names, enrichment.needs, where=f"{label} reads a column, and the log")
    if rows.implementation.is_spark_like():
        raise InvalidTable(
            "an enricher runs on this machine, and the log is on Spark: filter what is wanted and "
            "collect it first, or call the enricher on the workers (DataFrame.mapInArrow)"
        )
    keys = [name for name in KEYS if name in names]
    parts = []
    for batch in _foreign.portions(rows):
        found = enrichment.of_rows(batch)
        parts += [_lengthen(batch.select(keys), found[name], enrichment) for name in found.columns]
    notes = pl.concat(parts)
    return Result(
        _tables.build(notes.to_dict(), home),
        home=home,
        parameters={"enricher": label, "enricher_version": enrichment.version, **made},
        order="value",
        notes=("where an enricher cannot say, there is no row",),
    )


def _check_ids(names: list[str]) -> None:
    if "id" not in names:
        raise InvalidTable(
            "the log has no column 'id', and annotations go by it: number the rows and name that "
            "column as id before the log is made"
        )


def _lengthen(keys: pl.DataFrame, column: pl.Series, enrichment: Enrichment) -> pl.DataFrame:
    import polars as pl

    is_word = column.dtype == pl.String
    text, number = pl.lit(None, pl.String), pl.lit(None, pl.Float64)
    return keys.with_columns(
        pl.lit(enrichment.plugin.label).alias("enricher"),
        pl.lit(enrichment.version).alias("version"),
        pl.lit(column.name).alias("field"),
        (number if is_word else column).alias("value"),
        (column if is_word else text).alias("word"),
    ).filter(column.is_not_null())


def fill(
    rows: nw.LazyFrame[Any], home: Home, notes: Any, columns: Mapping[str, str]
) -> tuple[nw.LazyFrame[Any], dict[str, str]]:
    """The rows with columns filled from annotations, and what they were filled with.

    What stands in the log stays: an annotation goes only where nothing is.
    """
    names = rows.collect_schema().names()
    _check_ids(names)
    taken, _ = _tables.take(notes)
    _tables.check_columns(
        taken.collect_schema().names(),
        [*(name for name in KEYS if name in names), *COLUMNS],
        where="the table of annotations",
    )
    known = _tables.collect(taken)
    filled: dict[str, str] = {}
    for column, wanted in columns.items():
        _check_target(column)
        some = known.filter(nw.col("field") == wanted)
        filled[column] = f"{_origin(known, some, wanted)} {wanted}"
        rows = _join(rows, some, column, home)
    return rows, filled


def _check_target(column: str) -> None:
    if column in FIELDS and column not in (*OF_NUMBERS, *OF_WORDS):
        raise InvalidParameter(
            f"annotations cannot fill {column!r}: they fill "
            f"{', '.join((*OF_NUMBERS, *OF_WORDS))}, or a column that is no field of an interaction"
        )
    _checks.check_text(column, name="a column to fill", error=InvalidParameter)


def _origin(known: nw.DataFrame[Any], some: nw.DataFrame[Any], wanted: str) -> str:
    """The one enricher and version that wrote a field."""
    origins = sorted({*some.select("enricher", "version").iter_rows()})
    if not origins:
        there = ", ".join(sorted(set(known["field"].to_list()))) or "none"
        raise InvalidParameter(f"there are no annotations of {wanted!r}; there are: {there}")
    if len(origins) > 1:
        several = " and ".join(f"{enricher} {version}" for enricher, version in origins)
        raise InvalidTable(
            f"several enrichers or versions wrote {wanted!r} ({several}): filter the annotations "
            f"by 'enricher' and 'version'"
        )
    return " ".join(origins[0])


def _join(
    rows: nw.LazyFrame[Any], some: nw.DataFrame[Any], column: str, home: Home
) -> nw.LazyFrame[Any]:
    names = rows.collect_schema().names()
    keys: list[str] = [name for name in KEYS if name in names]
    if len(some.unique(keys)) < len(some):
        raise InvalidTable(f"an interaction has several annotations for {column!r}: keep one")
    of_words = some["value"].is_null().all()
    if column in OF_NUMBERS and of_words:
        raise InvalidTable(f"{column!r} takes numbers, and these annotations are words")
    if column in OF_WORDS and not of_words:
        raise InvalidTable(f"{column!r} takes words, and these annotations are numbers")
    if column == "valence" and not some["value"].is_between(-1, 1).all():
        raise InvalidTable("a valence is from -1 to 1, and some of these annotations are beyond")
    table = some.select(*keys, nw.col("word" if of_words else "value").alias(_FOUND))
    found = nw.from_native(_like(table, rows, home)).lazy()
    joined = rows.with_columns(*map(_key, keys)).join(
        found.select(*map(_key, keys), _FOUND), how="left", on=[_KEY + name for name in keys]
    )
    value = nw.col(_FOUND)
    if column in names:
        value = nw.coalesce(nw.col(column), value)
    wanted = names if column in names else [*names, column]
    return joined.with_columns(value.alias(column)).select(*wanted)


def _like(table: nw.DataFrame[Any], rows: nw.LazyFrame[Any], home: Home) -> Any:
    """A table for the engine of the rows."""
    if rows.implementation.is_polars():
        return table.to_polars()
    return _tables.build({name: table[name].to_list() for name in table.columns}, home)


def _key(name: str) -> nw.Expr:
    """A key that can be joined by where it is null; no id is empty text."""
    text = nw.col(name).cast(nw.String)
    return (text if name == "id" else text.fill_null("")).alias(_KEY + name)
