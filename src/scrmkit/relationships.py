"""The sum of interactions between two parties: as a value, as a ledger, as a table of ties.

Everything here is one formula. At an instant ``t``, the strength from ``a`` to ``b`` is the
sum, over the acts of ``a`` towards ``b`` until then, of the weight of the act's kind times
``2 ** (-age / half_life)``; the balance is the same sum, both ways, with each term times the
valence of the act. Sums add up: whoever holds two halves of a log has the whole of it.

`Relationship` is that sum as a value for one pair, `Ledger` for all pairs that a host sees
come in one by one, and `measure` for the pairs of a log, as a table. They give the same
numbers. `together` makes ties of another sort, from having done something together.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Self

from attrs import evolve, field, frozen

from scrmkit import _checks, _sums
from scrmkit._checks import Id
from scrmkit._instants import EPOCH
from scrmkit._sums import (
    AB,
    BA,
    BALANCE,
    COUNTS,
    FAMILIES,
    FIRST,
    HALF_LIFE,
    LAST,
    LEFT_OUT,
    N_AB,
    N_BA,
    NOTHING,
    UNKNOWN,
    Model,
    instant_of,
    is_before,
    model_of,
    to_text,
)
from scrmkit._ties import Ties, graph, measure
from scrmkit._together import SharedTies, together
from scrmkit.errors import (
    AsOfError,
    InvalidInteraction,
    InvalidParameter,
    UnknownCustomer,
)
from scrmkit.interactions import DEFAULT_VOCABULARY, Interaction, Vocabulary


__all__ = [
    "Ledger",
    "Relationship",
    "SharedTies",
    "Ties",
    "graph",
    "measure",
    "together",
]


_EXACT: Final = 2.0**53
_BLANK: Final = array("d", NOTHING)


@frozen(kw_only=True, repr=False)
class Relationship:
    """What the interactions of two customers add up to, at an instant, as a value.

    A value is made by `of`, `empty`, `from_dict`, by adding, or by a `Ledger`; ``a`` is the
    id that comes first in order. Values of one pair and one model form a commutative
    monoid: the order in which they are added does not matter, and `empty` adds nothing.

    A sum does not know its parts. Add each interaction once; one that takes back an
    earlier one cannot be added, and nothing can be asked about an instant before
    ``last_seen``. The log can do both.

    Strengths are right to 1e-9, and so is the balance, relative to the strength. Times
    in the years 1685 to 2255 are kept to the microsecond; ``first_seen`` and ``last_seen`` in
    other years are up to 32 microseconds early.

    Args:
        a: the customer whose id comes first.
        b: the other one.
        as_of: the instant of the strengths, in UTC; None for the empty sum.
        half_life: after which time an interaction counts half; None for no decay.
        vocabulary: what the kinds count for.
        cells: the sums at ``last_seen``, in a form of their own.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Interaction, Relationship
        >>> def say(number, day, source, target):
        ...     return Interaction(id=number, time=datetime(2026, 1, day, tzinfo=UTC),
        ...                        kind="message", source=source, target=target, valence=0.5)
        >>> ties = Relationship.of(say(1, 1, "ana", "ben")) + say(2, 1, "ben", "ana")
        >>> ties.n_ab, ties.n_ba, ties.strength, ties.balance, ties.reciprocity
        (1, 1, 2.0, 1.0, 1.0)
        >>> ties.at(datetime(2026, 4, 1, tzinfo=UTC)).strength
        1.0
    """

    a: Id = field()
    b: Id = field()
    as_of: datetime | None = field()
    half_life: timedelta | None = field()
    vocabulary: Vocabulary = field(eq=attrgetter("digest"))
    _cells: tuple[float, ...] = field()

    @classmethod
    def of(
        cls,
        interaction: Interaction,
        *,
        half_life: timedelta | None = HALF_LIFE,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """The relationship that a single interaction makes, at its time.

        Args:
            interaction: an act of one customer towards another. An automated one adds
                nothing, so it makes the empty relationship of the two.
            half_life: after which time it counts half; None for no decay.
            vocabulary: what its kind counts for.

        Raises:
            InvalidInteraction: it has no source or no target, or they are the same, or it
                takes back an earlier one.
        """
        _sums.check_interaction(interaction)
        if interaction.retracts is not None:
            raise _sums.taken_back()
        source, target = interaction.source, interaction.target
        if source is None or target is None:
            raise InvalidInteraction(
                "this interaction has no source or no target, so it makes no relationship: "
                "keep it in the log"
            )
        if source == target:
            raise InvalidInteraction(
                "this interaction is of a customer with themself, so it makes no relationship: "
                "keep it in the log"
            )
        made = cls.empty(source, target, half_life=half_life, vocabulary=vocabulary)
        if interaction.automated:
            return made
        model = model_of(half_life, vocabulary)
        cells = _sums.cells_of(interaction, model, forth=source == made.a)
        return evolve(made, as_of=interaction.time.astimezone(UTC), cells=tuple(cells))

    @classmethod
    def empty(
        cls,
        one: Id,
        other: Id,
        *,
        half_life: timedelta | None = HALF_LIFE,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """The relationship of two customers without any interactions; adds nothing.

        Raises:
            InvalidParameter: the two are the same, or their ids are of two types.
        """
        _checks.check_half_life(half_life)
        _checks.check_type(vocabulary, Vocabulary, name="vocabulary")
        for customer in (one, other):
            _checks.check_id(customer, name="the id of a customer", error=InvalidParameter)
        if one == other:
            raise InvalidParameter("a customer has no relationship with themself", value=one)
        a, b = (one, other) if is_before(one, other) else (other, one)
        return cls(a=a, b=b, as_of=None, half_life=half_life, vocabulary=vocabulary, cells=NOTHING)

    @property
    def _model(self) -> Model:
        return model_of(self.half_life, self.vocabulary)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the half-life and the weights of the kinds."""
        return self._model.digest

    @property
    def n_ab(self) -> int:
        """How many acts of ``a`` towards ``b`` there are, of every family."""
        return int(self._cells[N_AB])

    @property
    def n_ba(self) -> int:
        """How many acts of ``b`` towards ``a`` there are, of every family."""
        return int(self._cells[N_BA])

    @property
    def counts(self) -> dict[str, int]:
        """How many acts there are of each family, and of kinds that the vocabulary lacks."""
        return dict(zip(FAMILIES, map(int, self._cells[COUNTS:]), strict=True))

    @property
    def first_seen(self) -> datetime | None:
        """The instant of the first interaction, in UTC; None for the empty sum."""
        return instant_of(self._cells[FIRST]) if self.n_ab + self.n_ba else None

    @property
    def last_seen(self) -> datetime | None:
        """The instant of the last interaction, in UTC; None for the empty sum."""
        return instant_of(self._cells[LAST]) if self.n_ab + self.n_ba else None

    @property
    def strength_ab(self) -> float:
        """The decayed weight of what ``a`` did towards ``b``; 0 or more."""
        return self._cells[AB] * self._fade

    @property
    def strength_ba(self) -> float:
        """The decayed weight of what ``b`` did towards ``a``; 0 or more."""
        return self._cells[BA] * self._fade

    @property
    def strength(self) -> float:
        """The decayed weight of what both did: ``strength_ab + strength_ba``."""
        return self.strength_ab + self.strength_ba

    @property
    def balance(self) -> float:
        """The decayed weight times valence; from -strength (all bad) to strength (all good)."""
        strength = self.strength
        return max(-strength, min(strength, self._cells[BALANCE] * self._fade))

    @property
    def reciprocity(self) -> float:
        """The weaker direction over the stronger, 0 to 1; 0 where one of them is 0."""
        weaker, stronger = sorted((self.strength_ab, self.strength_ba))
        return weaker / stronger if weaker else 0.0

    @property
    def _fade(self) -> float:
        if self.as_of is None or not self.n_ab + self.n_ba:
            return 1.0
        age = _sums.micros_of(self.as_of) - self._cells[LAST]
        return float(2.0 ** (-age / _sums.micros_in(self.half_life)))

    def at(self, as_of: datetime) -> Self:
        """The same relationship at another instant: only decay differs.

        Args:
            as_of: a datetime with a time zone.

        Raises:
            AsOfError: an instant before the last interaction.
            InvalidParameter: a time without a zone.
        """
        as_of = _checks.to_utc(as_of, name="as_of")
        if self.last_seen is not None and as_of < self.last_seen:
            raise AsOfError(
                f"as_of {as_of.isoformat()} is before the last interaction of this pair, "
                f"{self.last_seen.isoformat()}, and a sum cannot be taken apart: measure the "
                f"log as of that instant"
            )
        return evolve(self, as_of=as_of)

    def __add__(self, other: Relationship | Interaction) -> Self:
        if isinstance(other, Interaction):
            other = Relationship.of(other, half_life=self.half_life, vocabulary=self.vocabulary)
        if not isinstance(other, Relationship):
            return NotImplemented
        if self.vocabulary is not other.vocabulary or self.half_life != other.half_life:
            _sums.check_same(self._model, other._model)
        if (self.a, self.b) != (other.a, other.b):
            raise InvalidParameter(
                "only relationships of the same two customers add up: keep those of several "
                "pairs in a Ledger"
            )
        cells = list(self._cells)
        _sums.add(cells, other._cells, _sums.micros_in(self.half_life))
        instants = [one.as_of for one in (self, other) if one.as_of is not None]
        return evolve(self, as_of=max(instants, default=None), cells=tuple(cells))

    def __radd__(self, other: object) -> Self:
        return self if other == 0 else NotImplemented

    def __repr__(self) -> str:
        return (
            f"<Relationship n_ab={self.n_ab} n_ba={self.n_ba} strength={self.strength:.6g} "
            f"balance={self.balance:.6g} as_of={to_text(self.as_of)}>"
        )

    def to_dict(self) -> dict[str, Any]:
        """The relationship as what JSON can hold: for a row of the host's own table.

        Strengths and balance are those at ``last_seen``, whatever ``as_of`` is, so nothing
        is lost to decay: `from_dict` gives back a relationship that is equal to this one.
        """
        return {
            **_sums.to_head("relationship", self._model),
            "ids": _sums.type_of(self.a),
            "a": _sums.to_plain(self.a),
            "b": _sums.to_plain(self.b),
            "as_of": to_text(self.as_of),
            **_sums.to_row(self._cells),
        }

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        *,
        half_life: timedelta | None = HALF_LIFE,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A relationship from what `to_dict` wrote.

        Args:
            data: the mapping.
            half_life: the half-life that it was made with.
            vocabulary: the vocabulary that it was made with.

        Raises:
            ModelMismatch: it was made with another half-life or other weights.
            InvalidParameter: it is not what `to_dict` writes.
        """
        model = model_of(half_life, vocabulary)
        _sums.check_head(data, "relationship", model)
        a, b = (_sums.from_plain(data.get(name), data.get("ids"), where=name) for name in "ab")
        made = cls.empty(a, b, half_life=half_life, vocabulary=vocabulary)
        if made.a != a:
            raise InvalidParameter("a must come before b in the order of ids")
        text, cells = data.get("as_of"), _sums.from_row(data, model)
        as_of = None if text is None else _sums.from_text(text, where="as_of")
        if cells is not NOTHING and (as_of is None or as_of < instant_of(cells[LAST])):
            raise InvalidParameter("as_of must be an instant, and not before last_seen")
        return evolve(made, as_of=as_of, cells=cells)


class Ledger(Mapping[tuple[Id, Id], Relationship]):
    """The relationships of all pairs that a host sees, kept live, one interaction at a time.

    A ledger is a read-only mapping from pairs ``(a, b)`` to relationships, which changes by
    `record`, `merge` and `forget`. Recording takes constant time and about 300 bytes for a
    pair, whatever the number of interactions; late arrivals count as if they had come in
    time.

    A ledger does not remember interactions: feed it each one once (logs and stores look for
    repeats), and measure a pair anew from the log when something is taken back.

    A ledger believes the times that it is given. One act with a time that is years ahead
    makes ``between`` as of today an error for its pair, and where ``as_of`` is None it ages
    everything else. Refuse times of the future at your own door, and always pass ``as_of``.

    It is not safe to change a ledger in one thread while another uses it: hold a lock, or
    keep one for each thread and merge them. Relationships are values, and safe everywhere.

    Args:
        half_life: after which time an interaction counts half; None for no decay.
        vocabulary: what the kinds count for.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> from scrmkit import Interaction, Ledger
        >>> ledger = Ledger(half_life=timedelta(days=30))
        >>> for number, day in enumerate([1, 31, 15]):
        ...     ledger.record(Interaction(id=number, time=datetime(2026, 1, day, tzinfo=UTC),
        ...                               kind="message", source="ana", target="ben"))
        >>> ledger.between("ben", "ana").n_ab
        3
        >>> ledger.between("ana", "ben", as_of=datetime(2026, 3, 2, tzinfo=UTC)).strength > 1
        True
        >>> ledger.between("ana", "cem").strength
        0.0
    """

    def __init__(
        self,
        *,
        half_life: timedelta | None = HALF_LIFE,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> None:
        self._half_life = half_life
        self._vocabulary = vocabulary
        self._model = model_of(half_life, vocabulary)
        self._half = self._model.half_life
        self._weights = self._model.weights
        self._pairs: _sums.Pairs = {}
        self._left_out = dict.fromkeys(LEFT_OUT, 0)
        self._ids: str | None = None
        self._type: type[Id] | None = None
        self._last = -math.inf

    @property
    def half_life(self) -> timedelta | None:
        """After which time an interaction counts half; None for no decay."""
        return self._half_life

    @property
    def vocabulary(self) -> Vocabulary:
        """What the kinds count for."""
        return self._vocabulary

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the half-life and the weights of the kinds."""
        return self._model.digest

    @property
    def as_of(self) -> datetime | None:
        """The instant of the last interaction in the ledger, in UTC; None while it is empty."""
        return instant_of(self._last) if self._pairs else None

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many acts made no tie: automated ones, those with nobody, those with oneself.

        An act that is of several sorts counts as the first of them.
        """
        return MappingProxyType(self._left_out)

    def record(self, interaction: Interaction) -> None:
        """Add an interaction to the relationship of its two customers.

        Raises:
            InvalidInteraction: it takes back an earlier one.
            InvalidParameter: its ids are not of the type of the other ids.
        """
        if not isinstance(interaction, Interaction):
            _sums.check_interaction(interaction)
        if interaction.retracts is not None:
            raise _sums.taken_back()
        source: Any = interaction.source
        target: Any = interaction.target
        if interaction.automated or source is None or target is None or source == target:
            self._leave_out(interaction)
            return
        try:
            forth = source < target
        except TypeError:
            raise _sums.no_order(source, target) from None
        key = (source, target) if forth else (target, source)
        weight, family = self._weights.get(interaction.kind, UNKNOWN)
        since = interaction.time - EPOCH
        time = (since.days * 86400 + since.seconds) * 1e6 + since.microseconds
        if not -_EXACT <= time <= _EXACT:
            time = _sums.micros_of(interaction.time)
        cells = self._pairs.get(key)
        if cells is None:
            cells = self._open(key)
            cells[FIRST] = cells[LAST] = last = time
        else:
            last = cells[LAST]
        if time > last:
            fade = 2.0 ** ((last - time) / self._half)
            cells[AB] *= fade
            cells[BA] *= fade
            cells[BALANCE] *= fade
            cells[LAST] = time
        elif time < last:
            weight *= 2.0 ** ((time - last) / self._half)
            if time < cells[FIRST]:  # noqa: PLR1730 - max() and min() take three times as long
                cells[FIRST] = time
        if time > self._last:  # noqa: PLR1730
            self._last = time
        cells[family] += 1.0
        cells[N_AB if forth else N_BA] += 1.0
        if weight:
            cells[AB if forth else BA] += weight
            valence = interaction.valence
            if valence:
                cells[BALANCE] += weight * valence

    def _leave_out(self, interaction: Interaction) -> None:
        sort = "self"
        if interaction.automated:
            sort = "automated"
        elif interaction.source is None or interaction.target is None:
            sort = "nobody"
        self._left_out[sort] += 1

    def _open(self, key: tuple[Id, Id]) -> array[float]:
        for customer in key:
            if type(customer) is not self._type:
                self._check_type(customer)
        cells = self._pairs[key] = _BLANK[:]
        return cells

    def _check_type(self, customer: Id) -> None:
        ids = _sums.type_of(customer)
        if self._ids is None:
            self._ids, self._type = ids, type(customer)
        elif self._ids != ids:
            raise InvalidParameter(
                f"the ids of this ledger are of type {self._ids}, and this one is of type "
                f"{type(customer).__name__}: ids of one ledger have one type",
                value=customer,
            )

    def between(self, one: Id, other: Id, *, as_of: datetime | None = None) -> Relationship:
        """The relationship of two customers, in either order.

        Args:
            one: a customer.
            other: another one.
            as_of: the instant; None for that of the last interaction in the ledger.

        Returns:
            The relationship; the empty one where the two have none.

        Raises:
            AsOfError: an instant before the last interaction of the two.
            InvalidParameter: the two are the same.
        """
        made = Relationship.empty(one, other, half_life=self.half_life, vocabulary=self.vocabulary)
        cells = self._pairs.get((made.a, made.b))
        made = evolve(made, as_of=self.as_of, cells=NOTHING if cells is None else tuple(cells))
        return made if as_of is None else made.at(as_of)

    def __getitem__(self, pair: tuple[Id, Id]) -> Relationship:
        if not isinstance(pair, tuple) or pair not in self._pairs:
            raise UnknownCustomer(
                "this pair is not in the ledger: keys are pairs (a, b) in order of id; "
                "between() takes them in either order",
                value=pair,
            )
        return self.between(*pair)

    def __iter__(self) -> Iterator[tuple[Id, Id]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"<Ledger of {len(self):,} relationships as_of={to_text(self.as_of)}>"

    def merge(self, other: Ledger) -> None:
        """Add all of another ledger to this one: the sum of the two.

        The two must have been fed different interactions: sums cannot tell.

        Raises:
            ModelMismatch: the other one has another half-life or other weights.
            InvalidParameter: its ids are of another type.
        """
        _checks.check_type(other, Ledger, name="other")
        _sums.check_same(self._model, other._model)
        for key, cells in list(other._pairs.items()):
            _sums.add(self._pairs.get(key) or self._open(key), cells, self._half)
        for sort, count in other._left_out.items():
            self._left_out[sort] += count
        self._last = max(self._last, other._last)

    def group(self, names: Mapping[Id, Id] | Callable[[Id], Id]) -> Ledger:
        """The same sums under other names, as a new ledger: agents become their company.

        Args:
            names: the new name of a customer, as a mapping (others keep their name) or a
                function. Those with one name become one party, and what they did among
                themselves is left out, counted as ``self``.

        Raises:
            InvalidParameter: the new ids are not all of one type.
        """
        made = Ledger(half_life=self.half_life, vocabulary=self.vocabulary)
        made._left_out.update(self._left_out)
        rename = _checks.to_renaming(names)
        for (a, b), cells in self._pairs.items():
            one, other = rename(a), rename(b)
            if one == other:
                made._left_out["self"] += int(cells[N_AB] + cells[N_BA])
                continue
            forth = is_before(one, other)
            key = (one, other) if forth else (other, one)
            mine = made._pairs.get(key) or made._open(key)
            _sums.add(mine, cells if forth else _sums.turned(cells), self._half)
            made._last = max(made._last, cells[LAST])
        return made

    def forget(self, customer: Id) -> int:
        """Erase all relationships of a customer, as if they had never been here.

        The counts in ``left_out`` name nobody, and stay.

        Returns:
            How many relationships there were. It takes time in proportion to all of them.
        """
        gone = [pair for pair in self._pairs if customer in pair]
        for pair in gone:
            del self._pairs[pair]
        if gone:
            lasts = (cells[LAST] for cells in self._pairs.values())
            self._last = max(lasts, default=-math.inf)
        if not self._pairs:
            self._ids = self._type = None
        return len(gone)

    def to_dict(self) -> dict[str, Any]:
        """The ledger as what JSON can hold: a head, and a row for each pair.

        The strengths and the balance of a row are those at its ``last_seen``. `from_dict`
        gives back an equal ledger, to the bit.
        """
        return {
            **_sums.to_head("ledger", self._model),
            "ids": self._ids,
            "left_out": dict(self._left_out),
            **_sums.to_rows(self._pairs),
        }

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        *,
        half_life: timedelta | None = HALF_LIFE,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A ledger from what `to_dict` wrote.

        Args:
            data: the mapping.
            half_life: the half-life that it was made with.
            vocabulary: the vocabulary that it was made with.

        Raises:
            ModelMismatch: it was made with another half-life or other weights.
            InvalidParameter: it is not what `to_dict` writes, or not all of it.
        """
        made = cls(half_life=half_life, vocabulary=vocabulary)
        _sums.check_head(data, "ledger", made._model)
        made._left_out = _sums.from_left_out(data.get("left_out"))
        for pair, cells in _sums.from_rows(data, made._model):
            made._open(pair)[:] = array("d", cells)
            made._last = max(made._last, cells[LAST])
        return made
