"""What a caller says of customers: a mapping, a ranking, or a table with a row for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _checks, _tables
from scrmkit._ids import to_ids as to_plain
from scrmkit._ids import to_plain_ids
from scrmkit._sparse import Floats, Ints, NDArray, np
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter, InvalidTable
from scrmkit.results import Lookup


CUSTOMER: Final = "customer"


@frozen(eq=False)
class Entries:
    """What is said of customers, each of them once, in order of id.

    Attributes:
        ids: 64-bit integers, or texts (objects).
        columns: a list for each column that was asked for, and for each further one there is.
        home: where the table came from; None for a mapping.
    """

    ids: NDArray[Any]
    columns: Mapping[str, list[Any]]
    home: Home | None = None

    def __len__(self) -> int:
        return len(self.ids)


def read(
    given: Any, column: str, *, name: str, further: Sequence[str] = (), of_ids: bool = False
) -> Entries:
    """What is said of customers, from a mapping, a ranking or a table.

    Args:
        given: a mapping from customers, or a table with the columns ``customer`` and those.
        column: the column of a table, or what the values of a mapping are called.
        name: what it is, in the words of an error.
        further: columns that a table may have besides.
        of_ids: whether the values are ids, too.

    Raises:
        InvalidParameter: it is neither, or an id is none.
        InvalidTable: a column is missing, or a customer is null or there twice.
    """
    if is_mapping(given, column):
        customers, values = list(given.keys()), list(given.values())
        ids = to_ids(customers, name=name)
        order = np.argsort(ids, kind="stable")
        _check_once(ids[order], name)
        return Entries(ids[order], {column: [values[place] for place in order.tolist()]})
    frame, home = to_rows(given, [column], name=name, further=further)
    if of_ids:
        frame = _whole(frame, [column])
    return collect(frame, name=name, home=home)


def is_mapping(given: Any, column: str) -> bool:
    """Whether values are looked up by customer, rather than read from a table's column."""
    if isinstance(given, Lookup):
        native = getattr(given, "frame", None)
        return native is None or column not in _tables.take(native)[0].collect_schema().names()
    return isinstance(given, Mapping)


def to_rows(
    given: Any, columns: Sequence[str], *, name: str, further: Sequence[str] = ()
) -> tuple[nw.LazyFrame[Any], Home]:
    """The rows of a table, with ids that are texts or integers; not yet each customer once."""
    try:
        frame, home = _tables.take(given)
    except InvalidTable:
        raise InvalidParameter(
            f"{name} is of type {type(given).__name__}: give a mapping from customers, or a "
            f"table with the columns {CUSTOMER}, {', '.join(columns)}"
        ) from None
    if home.lazy and home.engine in _tables.ENGINES and home.engine != "polars":
        home = Home(home.engine, lazy=False)  # these are lazy in the hands of Narwhals alone
    names = frame.collect_schema().names()
    _tables.check_columns(names, [CUSTOMER, *columns], where=f"the table of {name}")
    kept = [one for one in further if one in names]
    frame = frame.select(CUSTOMER, *columns, *kept)
    return _whole(frame, [CUSTOMER]), home


def _whole(frame: nw.LazyFrame[Any], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """The table with ids that pandas keeps as floats, because some are null, as integers."""
    schema = frame.collect_schema()
    floats = [name for name in columns if schema[name].is_float()]
    if not floats:
        return to_plain_ids(frame, *columns)
    rows = frame.collect()
    made = [to_plain(rows[name]) for name in floats]
    return to_plain_ids(rows.with_columns(*made).lazy(), *columns)


def collect(frame: nw.LazyFrame[Any], *, name: str, home: Home) -> Entries:
    """The rows of a table that has each customer once."""
    rows = _tables.collect(frame)
    if rows[CUSTOMER].null_count():
        raise InvalidTable(
            f"the table of {name} has rows whose customer is null: drop them, or say who it is"
        )
    ids = to_ids(rows[CUSTOMER].to_list(), name=name)
    order = np.argsort(ids, kind="stable")
    _check_once(ids[order], name)
    columns = {}
    for column in rows.columns:
        if column != CUSTOMER:
            values = rows[column].to_list()
            columns[column] = [values[place] for place in order.tolist()]
    return Entries(ids[order], columns, home)


def to_ids(customers: Iterable[Any], *, name: str) -> NDArray[Any]:
    """Ids as an array of 64-bit integers, or of texts (objects); UUIDs are their text."""
    plain = [str(one) if isinstance(one, UUID | str) else one for one in customers]  # numpy's, too
    kinds = {type(one) for one in plain}
    if kinds <= {str}:
        return np.array(plain, dtype=object)
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        try:
            return np.array(plain, dtype=np.int64)
        except OverflowError:
            raise InvalidParameter(
                f"integer ids of {name} must fit into 64 bits: make them texts"
            ) from None
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InvalidParameter(
        f"ids of {name} are of type {found}: they must be all texts, all integers or all UUIDs"
    )


def _check_once(ids: NDArray[Any], name: str) -> None:
    repeated = ids[1:] == ids[:-1]
    if repeated.any():
        raise InvalidTable(
            f"{np.count_nonzero(repeated)} rows of the table of {name} repeat a customer: give "
            f"each customer one row",
            value=ids[1:][repeated].tolist(),
        )


def check_same_type(ids: NDArray[Any], others: NDArray[Any], *, name: str, of: str) -> None:
    """Refuse ids that can never be equal, because some are texts and some integers."""
    if len(ids) and len(others) and ids.dtype != others.dtype:
        kinds = ["texts" if one.dtype == object else "integers" for one in (ids, others)]
        raise InvalidParameter(
            f"the ids of {name} are {kinds[0]} and those of {of} are {kinds[1]}: make one of the "
            f"two like the other"
        )


def union(*parts: NDArray[Any]) -> NDArray[Any]:
    """All ids of some arrays of one type, each once, in order."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return np.array([], dtype=object)
    if filled[0].dtype != object:
        return np.unique(np.concatenate(filled))
    return np.array(sorted({one for part in filled for one in part}), dtype=object)


def places(ids: NDArray[Any], wanted: NDArray[Any]) -> Ints:
    """Where ids stand among ids in order; -1 for those that are not there."""
    if not len(ids) or not len(wanted):
        return np.full(len(wanted), -1)
    if ids.dtype == object:
        place = {one: position for position, one in enumerate(ids.tolist())}
        found = (place.get(one, -1) for one in wanted.tolist())
        return np.fromiter(found, dtype=np.int64, count=len(wanted))
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[at] == wanted, at, -1)


def to_int64(values: Iterable[Any], *, name: str) -> Ints:
    """Whole numbers as an array."""
    try:
        return np.array(list(values), dtype=np.int64)
    except OverflowError:
        raise InvalidParameter(f"the whole numbers of {name} must fit into 64 bits") from None


def to_numbers(values: Sequence[Any], *, name: str) -> Floats:
    """Finite numbers as an array."""
    missing = sum(_checks.is_missing(one) for one in values)
    if missing:
        raise InvalidParameter(f"{missing} values of {name} are missing: leave those customers out")
    if any(isinstance(one, str | bytes | np.ndarray) for one in values):  # float takes some
        raise InvalidParameter(f"the values of {name} must be numbers")
    try:
        array = np.array([float(one) for one in values], dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidParameter(f"the values of {name} must be numbers") from None
    except OverflowError:
        raise InvalidParameter(f"the values of {name} must be finite") from None
    if not np.isfinite(array).all():
        raise InvalidParameter(f"the values of {name} must be finite")
    return array
