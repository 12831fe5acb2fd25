"""What enrichers find, beside the log; and the columns of a log that are filled from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _checks, _foreign, _plugins, _tables
from scrmkit._options import FIELDS
from scrmkit._plugins import Plugin
from scrmkit._protocols import Number, Word
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter, InvalidTable, PluginError, ScrmkitWarning
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
        with _plugins.blame(plugin.label):
            version, needs, fields = made.version, made.needs, made.fields
        if not isinstance(version, str) or not version.strip():
            raise PluginError(f"{plugin.label}: version must be text")
        if isinstance(needs, str) or not isinstance(needs, Iterable):
            raise PluginError(f"{plugin.label}: needs must be the names of columns")
        if not isinstance(fields, Mapping) or not fields:
            raise PluginError(f"{plugin.label}: fields must be a mapping of names to fields")
        for name, each in fields.items():
            if not isinstance(name, str) or not isinstance(each, Number | Word):
                raise PluginError(f"{plugin.label}: each of fields must be a Number or a Word")
        digest = plugin.parameters().get("digest")
        whole = version if digest is None else f"{version}+{digest}"
        return cls(plugin, whole, tuple(map(str, needs)), dict(fields))

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
    notes = nw.from_native(pl.concat(parts)).lazy()
    if home.lazy and home.engine != "polars":
        table = _tables.build(notes.collect().to_dict(as_series=False), home)
    else:
        table = _tables.give(notes, home)
    return Result(
        table,
        home=home,
        parameters={
            "enricher": label,
            "enricher_version": enrichment.version,
            "fields": tuple(enrichment.fields),
            **made,
        },
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
    if not isinstance(columns, Mapping):
        raise InvalidParameter(
            f"columns is of type {type(columns).__name__}: give a mapping such as "
            f'{{"valence": "polarity"}}'
        )
    names = rows.collect_schema().names()
    _check_ids(names)
    known = _known(notes, [name for name in KEYS if name in names])
    made = getattr(notes, "parameters", {})
    filled: dict[str, str] = {}
    for column, wanted in columns.items():
        _check_target(column)
        some = known.filter(field=wanted)
        filled[column] = f"{_origin(known, some, wanted, made)} {wanted}"
        rows = _join(rows, some, column, home)
    return rows, filled


def _known(notes: Any, keys: list[str]) -> pl.DataFrame:
    """Annotations as a table of Polars, whose keys are text: nobody has an empty id."""
    import polars as pl

    taken, _ = _tables.take(notes)
    names = taken.collect_schema().names()
    _tables.check_columns(names, [*keys, *COLUMNS], where="the table of annotations")
    known: pl.DataFrame = _tables.collect(taken).to_polars()
    whole = pl.selectors.by_name(keys) & pl.selectors.float()  # integers beside nulls in pandas
    texts = pl.col(*keys, "enricher", "version", "field", "word")
    return known.with_columns(whole.cast(pl.Int64)).with_columns(
        texts.cast(pl.String), pl.col("value").cast(pl.Float64).fill_nan(None)
    ).with_columns(pl.col(keys).fill_null(""))  # fmt: skip


def _check_target(column: str) -> None:
    if column in FIELDS and column not in (*OF_NUMBERS, *OF_WORDS):
        raise InvalidParameter(
            f"annotations cannot fill {column!r}: they fill "
            f"{', '.join((*OF_NUMBERS, *OF_WORDS))}, or a column that is no field of an interaction"
        )
    _checks.check_text(column, name="a column to fill", error=InvalidParameter)


def _origin(known: pl.DataFrame, some: pl.DataFrame, wanted: str, made: Mapping[str, Any]) -> str:
    """The one enricher and version that wrote a field, or looked and had nothing to say."""
    origins = sorted(set(some.select("enricher", "version").rows()))
    if not origins and wanted in made.get("fields", ()):
        origins = [(made["enricher"], made["enricher_version"])]
    if not origins:
        there = ", ".join(sorted(set(known["field"].drop_nulls()))) or "none"
        raise InvalidParameter(f"there are no annotations of {wanted!r}; there are: {there}")
    if len(origins) > 1:
        several = " and ".join(f"{enricher} {version}" for enricher, version in origins)
        raise InvalidTable(
            f"several enrichers or versions wrote {wanted!r} ({several}): filter the annotations "
            f"by 'enricher' and 'version'"
        )
    return " ".join(origins[0])


def _join(
    rows: nw.LazyFrame[Any], some: pl.DataFrame, column: str, home: Home
) -> nw.LazyFrame[Any]:
    schema = rows.collect_schema()
    names = schema.names()
    keys: list[str] = [name for name in KEYS if name in names]
    if some.select(keys).is_duplicated().any():
        raise InvalidTable(f"an interaction has several annotations for {column!r}: keep one")
    of_words = _are_words(some, column, schema)
    found = some.select(
        *(some[name].alias(_KEY + name) for name in keys),
        some["word" if of_words else "value"].alias(_FOUND),
    )
    on = [_KEY + name for name in keys]
    keyed = rows.with_columns(*map(_key, keys))
    if rows.implementation.is_polars():
        joined = nw.from_native(
            keyed.to_native().join(
                found.lazy(), on=on, how="left", maintain_order=None if home.lazy else "left"
            )
        )
    else:
        table = _tables.build(found.to_dict(as_series=False), home)
        joined = keyed.join(nw.from_native(table).lazy(), how="left", on=on)
    if not home.lazy and len(some):
        _warn_if_none_belongs(joined, column)
    value = nw.col(_FOUND)
    if column in names:
        value = nw.coalesce(nw.col(column), value)
    wanted = names if column in names else [*names, column]
    filled: nw.LazyFrame[Any] = joined.with_columns(value.alias(column)).select(*wanted)
    return filled


def _are_words(some: pl.DataFrame, column: str, schema: Any) -> bool:
    """Whether annotations are words; refuse those that do not fit the column."""
    of_words = bool(some["value"].is_null().all()) and bool(some["word"].is_not_null().any())
    there = schema.get(column)
    wants_numbers = column in OF_NUMBERS or (there is not None and there.is_numeric())
    wants_words = column in OF_WORDS or (there is not None and not there.is_numeric())
    if not len(some):
        return column not in OF_NUMBERS and wants_words
    if wants_numbers and of_words:
        raise InvalidTable(f"{column!r} takes numbers, and these annotations are words")
    if wants_words and not wants_numbers and not of_words:
        raise InvalidTable(f"{column!r} takes words, and these annotations are numbers")
    if column == "valence" and not some["value"].is_between(-1, 1).all():
        raise InvalidTable("a valence is from -1 to 1, and some of these annotations are beyond")
    return of_words


def _warn_if_none_belongs(joined: nw.LazyFrame[Any], column: str) -> None:
    matched = joined.select(n=nw.col(_FOUND).count()).collect()["n"][0]
    if not matched:
        warnings.warn(
            f"none of the annotations for {column!r} is of an interaction of this log: are their "
            f"ids, scopes and targets those of the log?",
            ScrmkitWarning,
            stacklevel=5,
        )


def _key(name: str) -> nw.Expr:
    """A key that can be joined by where it is null; no id is empty text."""
    text = nw.col(name).cast(nw.String)
    return (text if name == "id" else text.fill_null("")).alias(_KEY + name)
