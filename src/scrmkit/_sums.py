"""The decayed sum of one pair: what it depends on, how two add up, its form in rows.

A sum is fourteen numbers, its cells, in the order of `COLUMNS`; instants are microseconds
since 1970, exact in the years 1685 to 2255. Strengths and balance are those at the last
instant, so moving a sum to a later instant loses nothing.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from scrmkit import _checks
from scrmkit._checks import Id
from scrmkit._instants import EPOCH
from scrmkit.errors import InvalidInteraction, InvalidParameter, ModelMismatch
from scrmkit.interactions import Family, Interaction, Vocabulary


HALF_LIFE: Final = timedelta(days=90)

FAMILIES: Final = (*(family.value for family in Family), "unknown")
SUMS: Final = ("strength_ab", "strength_ba", "balance")
SEEN: Final = ("first_seen", "last_seen")
COLUMNS: Final = ("n_ab", "n_ba", *SUMS, *SEEN, *FAMILIES)
N_AB, N_BA, AB, BA, BALANCE, FIRST, LAST, COUNTS = range(8)
COUNTERS: Final = (N_AB, N_BA, *range(COUNTS, len(COLUMNS)))
UNKNOWN: Final = (0.0, len(COLUMNS) - 1)
NOTHING: Final = (0.0,) * len(COLUMNS)
LEFT_OUT: Final = ("automated", "nobody", "self")

Cells = MutableSequence[float]
Pairs = dict[tuple[Id, Id], "array[float]"]

_FORMAT: Final = 1
_MICROSECOND: Final = timedelta(microseconds=1)


@frozen
class Model:
    """What the sums of a pair depend on beside the interactions.

    Args:
        half_life: microseconds after which half is left; infinite where nothing decays.
        weights: for each word the weight of its kind and the cell that counts its family.
        heaviest: the most that one act can add to a strength.
        described: the digest and what it stands for, for rows and parameters.
    """

    half_life: float
    weights: Mapping[str, tuple[float, int]]
    heaviest: float
    described: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the half-life and the weights of the kinds."""
        return str(self.described["digest"])


def model_of(half_life: timedelta | None, vocabulary: Vocabulary) -> Model:
    """The model that a half-life and a vocabulary make."""
    _checks.check_half_life(half_life)
    _checks.check_type(vocabulary, Vocabulary, name="vocabulary")
    return _make_model(half_life, vocabulary)


@lru_cache(maxsize=64)
def _make_model(half_life: timedelta | None, vocabulary: Vocabulary) -> Model:
    days = None if half_life is None else half_life / timedelta(days=1)
    weights = {
        word: (kind.tie_weight, COUNTS + FAMILIES.index(kind.family))
        for word, kind in vocabulary.words.items()
    }
    return Model(
        half_life=micros_in(half_life),
        weights=weights,
        heaviest=max((weight for weight, _ in weights.values()), default=0.0),
        described={
            "name": "decayed sum",
            "digest": _checks.digest({"sum": 1, "half_life_days": days, "weights": weights}),
            "half_life_days": days,
            "vocabulary": vocabulary.name,
            "vocabulary_version": vocabulary.version,
        },
    )


def micros_in(half_life: timedelta | None) -> float:
    """A half-life in microseconds; infinite where nothing decays."""
    return math.inf if half_life is None else half_life / _MICROSECOND


def check_same(mine: Model, other: Model) -> None:
    """Refuse to put numbers of two models together."""
    if mine.digest != other.digest:
        raise ModelMismatch(
            "numbers made with another half-life or other weights do not add up: measure both "
            "from their logs with one half_life and one vocabulary"
        )


def is_before(one: Any, other: Any) -> bool:
    """Whether an id comes first in a pair; an error where the two have no common order."""
    try:
        return bool(one < other)
    except TypeError:
        raise no_order(one, other) from None


def no_order(one: object, other: object) -> InvalidParameter:
    """The error for ids of which nobody can say which comes first."""
    return InvalidParameter(
        f"ids of types {type(one).__name__} and {type(other).__name__} have no common order: "
        f"give all ids as text, all as integers or all as UUIDs"
    )


def type_of(one: Id) -> str:
    """The name of the type of an id."""
    return "str" if isinstance(one, str) else "uuid" if isinstance(one, UUID) else "int"


def micros_of(instant: datetime) -> float:
    """An instant as microseconds since 1970; the next one before where a float is too coarse."""
    micros = (instant - EPOCH) // _MICROSECOND
    found = float(micros)
    return found if found <= micros else math.nextafter(found, -math.inf)


def instant_of(micros: float) -> datetime:
    """Microseconds since 1970 as an instant."""
    return EPOCH + timedelta(microseconds=micros)


def taken_back() -> InvalidInteraction:
    """The error for an interaction that takes back another one."""
    return InvalidInteraction(
        "this interaction takes back an earlier one, and a sum cannot be taken apart: add it "
        "to the log, and measure the pair from there again"
    )


def check_interaction(value: object) -> None:
    """Refuse what is not an interaction, such as the fields of one."""
    if not isinstance(value, Interaction):
        raise InvalidInteraction(
            f"an interaction is wanted, not a value of type {type(value).__name__}: make one with "
            f"Interaction(id=..., time=..., kind=..., source=..., target=...)",
            value=value,
        )


def cells_of(interaction: Interaction, model: Model, *, forth: bool) -> list[float]:
    """The sum of a single interaction, of a towards b (``forth``) or of b towards a."""
    weight, family = model.weights.get(interaction.kind, UNKNOWN)
    cells = list(NOTHING)
    cells[N_AB] = cells[family] = 1.0
    cells[AB] = weight
    cells[BALANCE] = weight * (interaction.valence or 0.0)
    cells[FIRST] = cells[LAST] = micros_of(interaction.time)
    return cells if forth else turned(cells)


def turned(cells: Sequence[float]) -> list[float]:
    """The same sum with the two parties exchanged."""
    n_ab, n_ba, ab, ba, *rest = cells
    return [n_ba, n_ab, ba, ab, *rest]


def add(cells: Cells, other: Sequence[float], half_life: float) -> None:
    """Add one sum to another, both moved to the later of their last instants first."""
    if not other[N_AB] + other[N_BA]:
        return
    if not cells[N_AB] + cells[N_BA]:
        cells[FIRST], cells[LAST] = other[FIRST], other[LAST]
    last, others_last = cells[LAST], other[LAST]
    fade, others_fade = 1.0, 2.0 ** (-abs(last - others_last) / half_life)
    if last < others_last:
        fade, others_fade = others_fade, fade
    for cell in (AB, BA, BALANCE):
        cells[cell] = cells[cell] * fade + other[cell] * others_fade
    cells[FIRST] = min(cells[FIRST], other[FIRST])
    cells[LAST] = max(last, others_last)
    for cell in COUNTERS:
        cells[cell] += other[cell]


def to_head(what: str, model: Model) -> dict[str, Any]:
    """What every mapping of ours begins with."""
    return {"format": f"scrmkit.{what}", "version": _FORMAT, "model": dict(model.described)}


def check_head(data: Mapping[str, Any], what: str, model: Model) -> None:
    """Refuse a mapping of another sort, another version or another model."""
    if not isinstance(data, Mapping) or data.get("format") != f"scrmkit.{what}":
        raise InvalidParameter(f"this is not what to_dict() of a {what} writes")
    version = data.get("version")
    if type(version) is not int or version != _FORMAT:
        raise InvalidParameter(
            f"this {what} is of another version of the format than {_FORMAT}: it was written "
            f"by another version of scrmkit"
        )
    theirs, ours = data.get("model"), model.described
    if not isinstance(theirs, Mapping) or not isinstance(theirs.get("digest"), str):
        raise InvalidParameter("model must say with which model the numbers were made")
    if theirs["digest"] != model.digest:
        raise ModelMismatch(
            f"this {what} was made with {_in_words(theirs)}, not with {_in_words(ours)}: pass "
            f"the half_life and the vocabulary it was made with, or measure it from the log again"
        )


def _in_words(model: Mapping[str, Any]) -> str:
    days = model.get("half_life_days")
    decay = "no half-life" if days is None else f"a half-life of {days} days"
    name, version = model.get("vocabulary"), model.get("vocabulary_version")
    return f"{decay} and the vocabulary {name!r} {version} (model {model.get('digest')})"


def to_plain(one: Id) -> str | int:
    """An id as JSON can hold it."""
    return str(one) if isinstance(one, UUID) else one


def from_plain(value: Any, ids: Any, *, where: str) -> Id:
    """An id that `to_plain` wrote, of the type named by `type_of`."""
    if ids not in ("str", "int", "uuid"):
        raise InvalidParameter("ids must be one of str, int and uuid")
    wrong = InvalidParameter(f"{where} must be an id of type {ids}", value=value)
    if isinstance(value, bool) or not isinstance(value, int if ids == "int" else str):
        raise wrong
    if ids != "uuid":
        _checks.check_id(value, name=where, error=InvalidParameter)
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise wrong from None


def to_text(instant: datetime | None) -> str | None:
    """An instant as JSON can hold it."""
    return None if instant is None else instant.isoformat()


def from_text(value: Any, *, where: str) -> datetime:
    """An instant that `to_text` wrote."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidParameter(f"{where} must be an instant in ISO 8601", value=value) from None
    return _checks.to_utc(instant, name=where)


def to_row(cells: Sequence[float]) -> dict[str, Any]:
    """A sum as what JSON can hold."""
    row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    some = bool(cells[N_AB] + cells[N_BA])
    row.update({name: to_text(instant_of(row[name])) if some else None for name in SEEN})
    row.update({COLUMNS[cell]: int(cells[cell]) for cell in COUNTERS})
    return row


def from_row(row: Mapping[str, Any], model: Model, *, where: str = "") -> tuple[float, ...]:
    """A sum that `to_row` wrote under this model, checked."""
    if row.get("n_ab") == row.get("n_ba") == 0:
        if to_row(NOTHING).items() <= row.items():
            return NOTHING
        raise InvalidParameter(f"{where}n_ab and n_ba are 0, and something else is not")
    cells = []
    for name in COLUMNS:
        value, path = row.get(name), f"{where}{name}"
        if name in SEEN:
            cells.append(micros_of(from_text(value, where=path)))
        elif name in SUMS:
            low = -math.inf if name == "balance" else 0.0
            _checks.check_range(value, name=path, error=InvalidParameter, low=low)
            cells.append(float(row[name]))
        else:
            cells.append(_from_count(value, where=path))
    if sum(cells[COUNTS:]) != cells[N_AB] + cells[N_BA]:
        raise InvalidParameter(f"{where}n_ab + n_ba must be the sum of the counts by family")
    for count, strength in ((N_AB, AB), (N_BA, BA)):
        if cells[strength] > cells[count] * model.heaviest * (1 + 1e-9):
            raise InvalidParameter(
                f"{where}{COLUMNS[strength]} must not be beyond {COLUMNS[count]} acts of the "
                f"heaviest kind, which weighs {model.heaviest:g}"
            )
    if abs(cells[BALANCE]) > (cells[AB] + cells[BA]) * (1 + 1e-9):
        raise InvalidParameter(f"{where}balance must not be beyond the strength")
    if cells[FIRST] > cells[LAST]:
        raise InvalidParameter(f"{where}first_seen must not be after last_seen")
    return tuple(cells)


def _from_count(value: Any, *, where: str) -> float:
    _checks.check_count(value, name=where)
    return float(value)


def to_rows(pairs: Pairs) -> dict[str, Any]:
    """The sums of many pairs as what JSON can hold."""
    rows = [[to_plain(a), to_plain(b), *to_row(cells).values()] for (a, b), cells in pairs.items()]
    return {"columns": ["a", "b", *COLUMNS], "size": len(rows), "rows": rows}


def from_rows(
    data: Mapping[str, Any], model: Model
) -> Iterable[tuple[tuple[Id, Id], tuple[float, ...]]]:
    """The sums that `to_rows` wrote under this model, checked one by one."""
    columns, rows = data.get("columns"), data.get("rows")
    if columns != ["a", "b", *COLUMNS]:
        raise InvalidParameter(f"columns must be a, b, {', '.join(COLUMNS)}")
    if not isinstance(rows, list) or not _is_count(data.get("size"), len(rows)):
        raise InvalidParameter("size is not the number of rows: a part is missing")
    seen = set()
    for number, row in enumerate(rows):
        where = f"rows[{number}]"
        if not isinstance(row, list) or len(row) != len(columns):
            raise InvalidParameter(f"{where} must have {len(columns)} values")
        a, b = (from_plain(row[i], data.get("ids"), where=f"{where}.{'ab'[i]}") for i in (0, 1))
        if not is_before(a, b) or (a, b) in seen:
            raise InvalidParameter(f"{where} must be the only one of its pair, with a before b")
        seen.add((a, b))
        cells = from_row(dict(zip(columns, row, strict=True)), model, where=f"{where}.")
        if cells is NOTHING:
            raise InvalidParameter(f"{where} must have at least one interaction")
        yield (a, b), cells


def _is_count(value: Any, count: int) -> bool:
    return type(value) is int and value == count


def from_left_out(data: Any) -> dict[str, int]:
    """The counts of acts that made no tie, checked."""
    if not isinstance(data, Mapping) or set(data) != set(LEFT_OUT):
        raise InvalidParameter(f"left_out must count {', '.join(LEFT_OUT)}")
    return {sort: int(_from_count(data[sort], where=f"left_out.{sort}")) for sort in LEFT_OUT}
