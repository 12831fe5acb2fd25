"""Engagement live: counts that grow one interaction at a time, and scores from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self

from scrmkit import _checks, _sums
from scrmkit._checks import Id
from scrmkit._models import Model
from scrmkit._scoring import Rules, Score, assess
from scrmkit._tables import day_of
from scrmkit.errors import (
    AsOfError,
    InvalidInteraction,
    InvalidParameter,
    ModelMismatch,
    UnknownCustomer,
)
from scrmkit.interactions import DEFAULT_VOCABULARY, Interaction, Vocabulary


FORMAT: Final = "scrmkit.tracker"
VERSION: Final = 1

Act = tuple[Id | None, str, int]


class _Diary:
    """What one customer did: a count by counterpart, kind and day, and the last instant."""

    __slots__ = ("counts", "last")

    def __init__(self, last: datetime) -> None:
        self.counts: Counter[Act] = Counter()
        self.last = last


class Tracker:
    """Engagement live: record interactions one at a time, ask for scores at any time.

    A tracker holds a count for each (customer, counterpart or none, kind, UTC day) and,
    for each customer, the instant of the last act. The counts are a sum: their order does
    not matter, and trackers of two disjoint logs merge into that of both. Scores are those
    of `score` for the log of what was recorded. Each interaction is recorded once: a
    tracker does not remember ids, so repeats are the business of the log or store.

    Args:
        model: what counts for how much; None for `EngagementModel` with the weights of
            the vocabulary.
        vocabulary: what the words of kinds mean.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Interaction, Tracker
        >>> tracker = Tracker()
        >>> for day in (1, 9, 20):
        ...     tracker.record(Interaction(
        ...         id=f"m{day}", time=datetime(2026, 3, day, tzinfo=UTC), kind="answer",
        ...         source="ana", target="ben",
        ...     ))
        >>> tracker.score("ana", datetime(2026, 4, 1, tzinfo=UTC)).level
        'occasional'
    """

    def __init__(
        self, *, model: Model | None = None, vocabulary: Vocabulary = DEFAULT_VOCABULARY
    ) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._rules = Rules.of(model, vocabulary)
        self._diaries: dict[Id, _Diary] = {}
        self._ids: str | None = None

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the model with all its parameters."""
        return self._rules.digest

    def __len__(self) -> int:
        return sum(1 for diary in self._diaries.values() if diary.counts)

    def __contains__(self, customer: Id) -> bool:
        diary = self._diaries.get(customer)
        return diary is not None and bool(diary.counts)

    def __repr__(self) -> str:
        return f"<Tracker of {len(self)} customers, model {self._rules.name!r}>"

    def record(self, interaction: Interaction) -> None:
        """Count an interaction, once; late ones are as good as any.

        What is automated, what has no source, and what somebody does towards themself
        changes nothing.

        Raises:
            InvalidParameter: its ids are not of the type of the other ids.
            InvalidInteraction: one that takes another back: use `retract`.
        """
        if interaction.retracts is not None:
            raise InvalidInteraction(
                "this interaction takes another back, and a tracker does not remember ids: "
                "call retract(original, at=interaction.time)"
            )
        found = self._read(interaction)
        if found is not None:
            customer, act = found
            self._write(customer, {act: 1}, interaction.time.astimezone(UTC))

    def retract(self, interaction: Interaction, *, at: datetime) -> None:
        """Take back an interaction that was recorded here, from an instant on.

        Args:
            interaction: the one that was recorded.
            at: when it was taken back.

        Raises:
            InvalidInteraction: one that was not recorded here.
        """
        at = _checks.to_utc(at, name="at")
        if at < interaction.time:
            raise InvalidParameter("at is before the interaction that is taken back")
        found = self._read(interaction)
        if found is None:
            return
        customer, act = found
        diary = self._diaries.get(customer)
        if diary is None or not diary.counts[act]:
            raise InvalidInteraction("an interaction that was not recorded cannot be retracted")
        diary.counts[act] -= 1
        diary.counts += Counter()
        diary.last = max(diary.last, at)

    def score(self, customer: Id, as_of: datetime | None = None) -> Score:
        """The score of one customer.

        Args:
            customer: whose score.
            as_of: an instant that is not before the customer's last act here; None for
                that of the last act.

        Raises:
            UnknownCustomer: nothing of this customer was recorded.
            AsOfError: an instant before the customer's last act: the counts cannot be
                taken apart again, so ask the log with `score` or `explain`.
        """
        diary = self._diaries.get(customer)
        if diary is None or not diary.counts:
            raise UnknownCustomer("nothing of this customer was recorded", value=customer)
        as_of = diary.last if as_of is None else _checks.to_utc(as_of, name="as_of")
        if as_of < diary.last:
            raise AsOfError(
                f"as_of is before the customer's last act here, "
                f"{diary.last.isoformat()}: ask the log with engagement.score(log, as_of=...)",
                value=as_of,
            )
        counts: defaultdict[tuple[str, int], int] = defaultdict(int)
        for (_, kind, day), count in diary.counts.items():
            counts[kind, day] += count
        towards = {who for who, kind, _ in diary.counts if kind in self._rules.weights}
        return assess(
            self._rules,
            counts,
            customer=customer,
            as_of=as_of,
            today=day_of(as_of),
            counterparts=len(towards - {None}),
        )

    def forget(self, customer: Id) -> None:
        """Remove a customer: their counts go; in those of others they become nobody.

        What others did keeps its count, without the counterpart, so each of them acted
        towards one person fewer; where a level asks for a number of counterparts, theirs
        can fall. Nothing happens where the customer is unknown. Time grows with the size of
        the tracker.
        """
        self._diaries.pop(customer, None)
        for diary in self._diaries.values():
            found = [act for act in diary.counts if act[0] == customer]
            for act in found:
                diary.counts[None, act[1], act[2]] += diary.counts.pop(act)

    def merge(self, other: Tracker) -> None:
        """Add all of another tracker to this one: the two together.

        The two must have been fed different interactions: counts cannot tell.

        Raises:
            ModelMismatch: the other one has another model.
            InvalidParameter: its ids are of another type.
        """
        if self.digest != other.digest:
            raise ModelMismatch(
                f"these trackers have different models ({self._rules.name!r}, {self.digest}, and "
                f"{other._rules.name!r}, {other.digest}): record both logs under one model"
            )
        for customer, diary in list(other._diaries.items()):
            self._write(customer, dict(diary.counts), diary.last)

    def group(self, names: Mapping[Id, Id] | Callable[[Id], Id]) -> Tracker:
        """The same counts under other names, as a new tracker: handles become their person.

        What those with one name did towards each other counts no more. Keep this tracker:
        it is the way back.

        Args:
            names: the new name of an id, as a mapping (others keep their name) or a
                function.
        """
        made = Tracker(model=self._model, vocabulary=self._vocabulary)
        rename = names if callable(names) else lambda one: names.get(one, one)
        for customer, diary in self._diaries.items():
            name = rename(customer)
            counts: Counter[Act] = Counter()
            for (towards, kind, day), count in diary.counts.items():
                other = None if towards is None else rename(towards)
                if other != name:
                    counts[other, kind, day] += count
            if counts:
                made._write(name, counts, diary.last)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The tracker as what JSON can hold; `from_dict` gives back an equal one."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": {
                "name": self._rules.name,
                "version": self._rules.version,
                "digest": self.digest,
            },
            "ids": self._ids,
            "customers": [
                {
                    "customer": _sums.to_plain(customer),
                    "last": _sums.to_text(diary.last),
                    "acts": [
                        [None if towards is None else _sums.to_plain(towards), kind, day, count]
                        for (towards, kind, day), count in diary.counts.items()
                    ],
                }
                for customer, diary in self._diaries.items()
            ],
        }

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        *,
        model: Model | None = None,
        vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    ) -> Self:
        """A tracker from what `to_dict` wrote.

        Args:
            data: the mapping.
            model: the model that it was made with.
            vocabulary: the vocabulary that it was made with.

        Raises:
            ModelMismatch: it was made with another model.
            InvalidParameter: it is not what `to_dict` writes.
        """
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise InvalidParameter("this is not what to_dict() of a tracker writes")
        if data.get("version") != VERSION:
            raise InvalidParameter(
                f"this tracker is of another version of the format than {VERSION}: it was "
                f"written by another version of scrmkit"
            )
        tracker = cls(model=model, vocabulary=vocabulary)
        theirs = data.get("model")
        if not isinstance(theirs, Mapping) or not isinstance(theirs.get("digest"), str):
            raise InvalidParameter("model must say with which model the tracker was made")
        if theirs["digest"] != tracker.digest:
            raise ModelMismatch(
                f"this tracker was made with the model {theirs.get('name')!r}, "
                f"{theirs['digest']}, not with {tracker._rules.name!r}, {tracker.digest}: pass "
                f"the model and the vocabulary it was made with"
            )
        ids = data.get("ids")
        for number, row in enumerate(_as_list(data.get("customers"), where="customers")):
            where = f"customers[{number}]"
            if not isinstance(row, Mapping):
                raise InvalidParameter(f"{where} must be a mapping")
            counts: Counter[Act] = Counter()
            for act in _as_list(row.get("acts"), where=f"{where}.acts"):
                towards, kind, day, count = _check_act(act, where=f"{where}.acts")
                if towards is not None:
                    towards = _sums.from_plain(towards, ids, where=f"{where}.acts")
                counts[towards, kind, day] += count
            customer = _sums.from_plain(row.get("customer"), ids, where=f"{where}.customer")
            tracker._write(customer, counts, _sums.from_text(row.get("last"), where=where))
        return tracker

    def _read(self, interaction: Interaction) -> tuple[Id, Act] | None:
        """Who did what on which day; None where it does not count."""
        source, target = interaction.source, interaction.target
        if interaction.automated or source is None or source == target:
            return None
        kind = self._vocabulary.get(interaction.kind)
        word = interaction.kind if kind is None else kind.name
        return source, (target, word, day_of(interaction.time))

    def _write(self, customer: Id, counts: Mapping[Act, int], last: datetime) -> None:
        for one in (customer, *(act[0] for act in counts)):
            if one is None:
                continue
            if self._ids is None:
                self._ids = _sums.type_of(one)
            elif _sums.type_of(one) != self._ids:
                raise InvalidParameter(
                    f"an id of type {type(one).__name__} where the others are of type "
                    f"{self._ids}: give all ids as text, all as integers or all as UUIDs",
                    value=one,
                )
        diary = self._diaries.get(customer)
        if diary is None:
            diary = self._diaries[customer] = _Diary(last)
        for act, count in counts.items():
            diary.counts[act] += count
        diary.last = max(diary.last, last)


def _as_list(value: Any, *, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidParameter(f"{where} must be a list")
    return list(value)


def _check_act(row: Any, *, where: str) -> tuple[Any, str, int, int]:
    """A counterpart or none, a kind, a day and a count."""
    match row:
        case [towards, str(kind), int(day), int(count)] if kind and count > 0:
            return towards, kind, day, count
    raise InvalidParameter(
        f"{where} must hold rows of counterpart or None, kind, day and count", value=row
    )
