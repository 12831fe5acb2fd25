"""A table of anybody's as the columns of a log: rename, convert, judge each row, find repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _records, _repeats, _tables, _texts, _types, _words
from scrmkit._checks import is_missing
from scrmkit._ids import to_ids, to_int64
from scrmkit._options import FIELDS, IDS, INSTANTS, PARTIES, TRUTHS, Options
from scrmkit._repeats import COPIES
from scrmkit._tables import Home
from scrmkit.errors import InvalidTable, MissingExtra


KEY: Final = ("scope", "id", "target")

PREFIX: Final = "__scrmkit_"
ROW: Final = f"{PREFIX}row"
FIRST: Final = f"{PREFIX}first"
VERDICT: Final = ("row", "line", "rule", "record")
CONFLICT: Final = "the same id with other content"

Rule = tuple[nw.Expr, str | nw.Expr]


@frozen
class Intake:
    """What became of a table.

    Args:
        accepted: the rows of the log, without the constants.
        rejected: the rows that could not be used, as they came, with their ``rule`` and,
            where the input has an order, their ``row`` (0 is the first).
        read: how many rows came.
    """

    accepted: nw.LazyFrame[Any]
    rejected: nw.LazyFrame[Any]
    read: int


@frozen
class LazyIntake:
    """What becomes of a lazy table; what it rejects is worked out when it is asked for.

    Args:
        accepted: the rows of the log, without the constants.
        read: the rows that came.
        options: how they are taken.
    """

    accepted: nw.LazyFrame[Any]
    read: nw.LazyFrame[Any]
    options: Options

    @cached_property
    def rejected(self) -> nw.LazyFrame[Any]:
        """The rows that could not be used, as they came, with their ``rule``."""
        return _reject_lazily(self.read, self.options)


def take_in(frame: nw.LazyFrame[Any], home: Home, options: Options) -> Intake | LazyIntake:
    """Turn a table into the columns of a log; every row is accepted, repeated or rejected."""
    frame = _rename(frame, options)
    if home.lazy:
        return _take_lazily(frame, options)
    return _take_eagerly(nw.maybe_reset_index(frame.collect()), options)


def _rename(frame: nw.LazyFrame[Any], options: Options) -> nw.LazyFrame[Any]:
    names = frame.collect_schema().names()
    for name in names:
        if not isinstance(name, str):
            raise InvalidTable(f"the table has a column called {name!r}: give it a name of text")
        if name == "*" or name.startswith(PREFIX) or (name[:1] == "^" and name[-1:] == "$"):
            raise InvalidTable(
                f"the table has a column called {name!r}, a name that stands for something else "
                f"here or in an engine: rename it"
            )
    used = set(options.columns.values())
    _tables.check_columns(names, used, where="the table")
    clash = next((name for name in names if name in options.constants and name not in used), None)
    if clash is not None:
        raise InvalidTable(f"{clash!r} is a constant and a column of the table: drop one of them")
    kept = {
        name: name
        for name in names
        if name not in options.columns
        and name not in options.constants
        and (name in FIELDS or name not in used)
    }
    kept.update(options.columns)
    present = {*kept, *options.constants}
    for name in ("time", "kind"):
        if name not in present:
            hint = ' or constants={"kind": "message"}' if name == "kind" else ""
            raise InvalidTable(
                f"no column is the {name}: name it with columns={{{name!r}: ...}}{hint}. "
                f"The table has: {', '.join(map(repr, names))}.{_index_of(frame)}"
            )
    if not {*PARTIES} & present:
        raise InvalidTable(
            'no column says who acted: name it with columns={"source": ..., "target": ...}. '
            f"The table has: {', '.join(map(repr, names))}.{_index_of(frame)}"
        )
    if "retracts" in present and "id" not in present:
        raise InvalidTable("retracts names ids, and the table has no column id")
    _check_case(frame, present)
    return frame.select(*(nw.col(theirs).alias(our) for our, theirs in kept.items()))


def _index_of(frame: nw.LazyFrame[Any]) -> str:
    """What to do where pandas has the columns that are missed in the index."""
    levels = getattr(getattr(frame.to_native(), "index", None), "names", ())
    named = [repr(level) for level in levels if level is not None]
    return f" In the index are {', '.join(named)}: give table.reset_index()" if named else ""


def _check_case(frame: nw.LazyFrame[Any], names: Iterable[str]) -> None:
    """Refuse names that are one name for an engine that speaks SQL."""
    engine = frame.implementation.value
    if engine in (*_tables.REPLACERS, "dask"):
        return
    seen: dict[str, str] = {}
    for name in sorted(names):
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InvalidTable(
                f"the log would have the columns {other!r} and {name!r}, which are one name for "
                f"{engine}: rename a column of the table, or drop it"
            )


def _take_eagerly(raw: nw.DataFrame[Any], options: Options) -> Intake:
    table, rules = _convert(raw, options)
    table = table.with_columns(*_types.to_types(table.lazy(), options))
    kinds = _kind_names(options, _present_words(table, options))
    rules = [*rules, *_rules(table.lazy(), options, kinds)]
    bad = table.select(_any_of(rules).alias(ROW)).get_column(ROW)
    table = _renamed(table.lazy(), kinds).collect()
    content = [name for name in table.columns if not name.startswith(PREFIX)]
    if not bad.any() and _is_unique(table):
        nothing = (
            _as_given(raw.head(0)).with_row_index("row").with_columns(rule=nw.lit("", nw.String))
        )
        return Intake(table.select(content).lazy(), _in_front(nothing.lazy()), len(raw))
    numbered = table.with_row_index(ROW)
    refused = numbered.filter(bad).with_columns(rule=_first_of(rules))
    good, conflicts = _settle(numbered.filter(~bad), content)
    verdicts = nw.concat(
        [refused.select(ROW, "rule"), conflicts.select(ROW, nw.lit(CONFLICT).alias("rule"))]
    )
    rejected = (
        _as_given(raw)
        .with_row_index("row")
        .join(verdicts.rename({ROW: "row"}), on="row", how="inner")
    )
    return Intake(good.select(content).lazy(), _in_front(rejected.sort("row").lazy()), len(raw))


def _take_lazily(frame: nw.LazyFrame[Any], options: Options) -> LazyIntake:
    table = _with(frame, _types.to_types(frame, options))
    names = table.collect_schema().names()
    kinds = _kind_names(options, None)
    accepted = _renamed(table.filter(~_any_of(_rules(table, options, kinds))), kinds)
    if "id" in names:
        for name, dtype in table.collect_schema().items():
            if dtype.is_nested() and frame.implementation.is_dask():
                raise _incomparable(name)
        accepted = _repeats.settle(accepted, [name for name in KEY if name in names], names)
    return LazyIntake(accepted, frame, options)


def _reject_lazily(frame: nw.LazyFrame[Any], options: Options) -> nw.LazyFrame[Any]:
    """The rows that `_take_lazily` does not accept: what came, beside the columns made of it."""
    names = frame.collect_schema().names()
    given = {name: f"{PREFIX}given_{name}" for name in names}
    table = frame.with_columns(**{kept: nw.col(name) for name, kept in given.items()})
    table = _with(table, _types.to_types(frame, options))

    def as_given(rows: nw.LazyFrame[Any], rule: str | nw.Expr) -> nw.LazyFrame[Any]:
        said = nw.lit(rule) if isinstance(rule, str) else rule
        raw = rows.with_columns(said.alias(ROW)).select(*given.values(), ROW)
        back = raw.rename({kept: name for name, kept in given.items()})
        told: nw.LazyFrame[Any] = _as_given(back).rename({ROW: "rule"})
        return told

    kinds = _kind_names(options, None)
    rules = _rules(table, options, kinds)
    bad = _any_of(rules)
    rejected = as_given(table.filter(bad), _first_of(rules))
    if "id" in names:
        key = [name for name in KEY if name in names]
        conflicts = _repeats.conflicts(_renamed(table.filter(~bad), kinds), key, names)
        rejected = nw.concat([rejected, as_given(conflicts, CONFLICT)])
    return _in_front(rejected)


def _as_given(table: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> Any:
    """The table with other names for columns that are called like our verdict on a row."""
    names = table.collect_schema().names()
    return table.rename({name: f"{name}_given" for name in names if name in VERDICT})


def _in_front(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    names = frame.collect_schema().names()
    first = [name for name in VERDICT if name in names]
    return frame.select(*first, *(name for name in names if name not in first))


def _is_unique(table: nw.DataFrame[Any]) -> bool:
    key = [name for name in KEY if name in table.columns]
    if "id" not in key:
        return True
    if _all_differ(table.get_column("id")):
        return True
    return len(table.select(key).unique()) == len(table)


def _all_differ(ids: nw.Series[Any]) -> bool:
    if ids.implementation.is_polars():
        # Where no hash occurs twice, no id does; that is five times faster to see.
        return int(ids.to_native().hash().n_unique()) == len(ids)
    return ids.n_unique() == len(ids)


def _settle(
    table: nw.DataFrame[Any], content: list[str]
) -> tuple[nw.DataFrame[Any], nw.DataFrame[Any]]:
    """Keep one row of each key, unless rows of one key differ: then nobody knows which is right."""
    if _is_unique(table):
        return table, table.head(0)
    key = [name for name in KEY if name in content]
    table = table.with_columns(nw.len().over(*key).alias(COPIES))
    several = table.filter(nw.col(COPIES) > 1)
    compared = several.with_columns(*(_to_codes(several.get_column(name)) for name in content))
    first = compared.with_columns(nw.col(ROW).min().over(*content).alias(FIRST)).get_column(FIRST)
    several = several.with_columns(first)
    several = several.filter(nw.col(ROW) == nw.col(FIRST))
    several = several.with_columns(nw.len().over(*key).alias(COPIES)).drop(FIRST)
    accepted = nw.concat([table.filter(nw.col(COPIES) == 1), several.filter(nw.col(COPIES) == 1)])
    return accepted.sort(ROW), several.filter(nw.col(COPIES) > 1)


def _to_codes(column: nw.Series[Any]) -> nw.Series[Any]:
    """A number for each different value, where an engine cannot compare such values."""
    hard = column.dtype in (nw.Object, nw.Unknown) or column.dtype.is_nested()
    if not hard or (column.implementation.is_polars() and column.dtype != nw.Object):
        return column
    seen: dict[Any, int] = {}
    try:
        codes = [seen.setdefault(_frozen(value), len(seen)) for value in column.to_list()]
    except TypeError:
        raise _incomparable(column.name) from None
    return nw.new_series(column.name, codes, nw.Int64, backend=column.implementation)


def _incomparable(name: str) -> InvalidTable:
    return InvalidTable(
        f"column {name!r} holds values that cannot be compared, so that repeats cannot be told "
        f"from conflicts: drop it, or make it text"
    )


def _frozen(value: Any) -> Any:
    """A value that is equal where another is, and can be a key."""
    if is_missing(value):
        return None
    if isinstance(value, Mapping):
        return frozenset((name, _frozen(one)) for name, one in value.items())
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _present_words(table: nw.DataFrame[Any], options: Options) -> frozenset[str]:
    if "kind" in options.constants:
        return frozenset()
    return frozenset(table.get_column("kind").unique().drop_nulls().cast(nw.String).to_list())


def _with(frame: nw.LazyFrame[Any], exprs: list[nw.Expr]) -> nw.LazyFrame[Any]:
    return frame.with_columns(*exprs) if exprs else frame


def _renamed(frame: nw.LazyFrame[Any], kinds: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """The table with its kinds under the names that the vocabulary has for them."""
    if not kinds or "kind" not in frame.collect_schema().names():
        return frame
    return _words.rename_words(frame, "kind", kinds)


def _kind_names(options: Options, words: frozenset[str] | None) -> dict[str, str]:
    """The words for kinds that have to be rewritten, of those that occur."""
    known = options.vocabulary.words
    names = {word: kind.name for word, kind in known.items() if word != kind.name}
    names.update(
        {theirs: known[our].name if our in known else our for theirs, our in options.kinds.items()}
    )
    return {old: new for old, new in names.items() if words is None or old in words}


def _rules(frame: nw.LazyFrame[Any], options: Options, kinds: Mapping[str, str]) -> list[Rule]:
    """What makes a row unusable, in the order in which it is said; kinds are not yet renamed."""
    schema = frame.collect_schema()
    column = nw.col
    rules: list[Rule] = [(column("time").is_null(), "time is missing")]
    for name in INSTANTS:
        if name in schema:
            far = (column(name) <= _types.FIRST_TIME) | (column(name) >= _types.LAST_TIME)
            rules.append((far.fill_null(value=False), f"{name} is out of range"))
    if "kind" in schema:
        rules.append((column("kind").is_null(), "kind is missing"))
        if "" not in kinds:
            rules.append((_is("kind", ""), "kind is missing"))
        empty = [word for word, name in kinds.items() if not name]
        rules.extend((_is("kind", word), "kind is missing") for word in empty)
    parties = [name for name in PARTIES if name in schema]
    rules.extend(
        (_is(name, ""), f"{name} is empty") for name in parties if schema[name] == nw.String
    )
    if parties and not {*PARTIES} & set(options.constants):
        nobody = nw.all_horizontal(
            *(column(name).is_null() for name in parties), ignore_nulls=False
        )
        if "retracts" in schema:
            nobody = nobody & column("retracts").is_null()
        rules.append((nobody, "source and target are missing"))
    if "id" in schema:
        rules.append((column("id").is_null(), "id is missing"))
        if schema["id"] == nw.String:
            rules.append((_is("id", ""), "id is missing"))
    if "valence" in schema:
        outside = (column("valence") < -1) | (column("valence") > 1)
        rules.append((outside.fill_null(value=False), "valence is out of range"))
    if "value" in schema and "currency" in schema:
        alone = column("value").is_null() != column("currency").is_null()
        rules.append((alone, "value and currency are not both there"))
    if "currency" in schema:
        code = column("currency").str.contains("^[A-Z]{3}$")
        wrong = ~column("currency").is_null() & ~code.fill_null(value=True)
        rules.append((wrong, "currency is no ISO 4217 code"))
    return rules


def _is(name: str, word: str) -> nw.Expr:
    return (nw.col(name) == word).fill_null(value=False)


def _any_of(rules: Iterable[Rule]) -> nw.Expr:
    return nw.any_horizontal(*(condition for condition, _ in rules), ignore_nulls=False)


def _first_of(rules: Iterable[Rule]) -> nw.Expr:
    result = nw.lit(None, nw.String)
    for condition, text in reversed(list(rules)):
        said = nw.lit(text) if isinstance(text, str) else text
        result = nw.when(condition).then(said).otherwise(result)
    return result


def _convert(table: nw.DataFrame[Any], options: Options) -> tuple[nw.DataFrame[Any], list[Rule]]:
    """Read texts, numbers and local times as what they stand for; mark what cannot be read."""
    rules: list[Rule] = []
    for name, dtype in table.schema.items():
        if name not in FIELDS:
            continue
        column = table.get_column(name)
        if (dtype in _UNTYPED or name in PARTIES) and column.null_count() == len(column):
            table = table.with_columns(_nothing(table, name, options))
        elif name in INSTANTS and not (isinstance(dtype, nw.Datetime) and dtype.time_zone):
            instants, why = _parse_times(column, options)
            table = table.with_columns(_like(table, name, instants))
            if why.null_count() < len(why):
                mark = f"{PREFIX}{name}"
                table = table.with_columns(_like(table, mark, why))
                rules.append((~nw.col(mark).is_null(), nw.col(mark)))
        elif name in IDS and (dtype.is_float() or dtype == nw.Object):
            table = table.with_columns(to_ids(column))
        elif name in IDS and dtype in _types.WIDE:
            table = table.with_columns(to_int64(column))
        elif name == "value" and dtype == nw.Object:
            _check_money(column)
        elif name in (*TRUTHS, "valence", "value") and dtype == nw.String:
            values, unread = _READERS[name](_to_polars(column))
            table = table.with_columns(_like(table, name, values))
            if unread.any():
                mark = f"{PREFIX}{name}"
                table = table.with_columns(_like(table, mark, unread))
                rules.append((nw.col(mark), f"{name} cannot be read"))
        elif name in TRUTHS and (dtype.is_numeric() or dtype == nw.Object):
            table = table.with_columns(_to_truths(column))
    return table, rules


_UNTYPED: Final = (nw.Unknown, nw.Object, nw.Float64, nw.String)
_READERS: Final = {
    "public": _texts.parse_truths,
    "automated": _texts.parse_truths,
    "valence": _texts.parse_numbers,
    "value": _texts.parse_money,
}


def _nothing(table: nw.DataFrame[Any], name: str, options: Options) -> nw.Series[Any]:
    """A column in which there is nothing, of its type."""
    dtype = _types.type_of_nothing(name, table.schema, options)
    # pandas has integers and truth values that may be null only by way of floats
    by_floats = dtype in (nw.Int64, nw.Boolean) and not table.implementation.is_polars()
    made = nw.lit(None, nw.Float64() if by_floats else dtype)
    column = table.with_columns(made.alias(name)).get_column(name)
    if not by_floats:
        return column
    return to_ids(column) if dtype == nw.Int64 else _to_truths(to_ids(column))


def _parse_times(column: nw.Series[Any], options: Options) -> tuple[Any, Any]:
    if column.dtype == nw.Unknown and "period" in str(column.to_native().dtype):
        raise InvalidTable(
            f"column {column.name!r} holds periods: make times of them with .dt.to_timestamp()"
        )
    texts = _to_polars(column)
    from scrmkit._times import parse_times

    return parse_times(texts, timezone=options.timezone, name=column.name)


def _to_polars(column: nw.Series[Any]) -> Any:
    try:
        if column.dtype == nw.Object:
            import polars as pl

            return pl.Series(column.name, _records.to_one_type(column.to_list(), column.name))
        return column.to_polars()
    except ImportError as error:
        raise MissingExtra("polars", extra="tables") from error


def _like(table: nw.DataFrame[Any], name: str, values: Any) -> nw.Series[Any]:
    """A Polars series as a column for a table of another engine."""
    series: nw.Series[Any] = nw.from_native(values.alias(name), series_only=True)
    if table.implementation.is_polars():
        return series
    if series.dtype == nw.Boolean and series.null_count():
        untyped: nw.Series[Any] = nw.new_series(
            name, series.to_list(), backend=table.implementation
        )
        return nw.maybe_convert_dtypes(untyped)
    return nw.new_series(name, series.to_list(), series.dtype, backend=table.implementation)


def _to_truths(column: nw.Series[Any]) -> nw.Series[Any]:
    """Truth values kept as numbers or objects, which is how pandas keeps them beside nulls."""
    typed = column if column.dtype.is_integer() else nw.maybe_convert_dtypes(column)
    return typed != 0 if typed.dtype.is_integer() else typed


def _check_money(column: nw.Series[Any]) -> None:
    for value in column.to_list():
        if not (is_missing(value) or isinstance(value, int | Decimal)):
            raise _types.misfit(column.dtype, "value", "money", "make each a Decimal or an integer")
