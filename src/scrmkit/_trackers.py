"""Engagement live: counts that grow one interaction at a time, and scores from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import UUID

from scrmkit import _checks
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


FORMAT: Final = 1

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

        What others did keeps its count, without the counterpart. Nothing happens where the
        customer is unknown. Time grows with the size of the tracker.
        """
        self._diaries.pop(customer, None)
        for diary in self._diaries.values():
            found = [act for act in diary.counts if act[0] == customer]
            for act in found:
                diary.counts[None, act[1], act[2]] += diary.counts.pop(act)

    def merge(self, other: Tracker) -> Tracker:
        """A new tracker with the counts of both, which are of disjoint logs.

        Raises:
            ModelMismatch: trackers of different models.
        """
        if self.digest != other.digest:
            raise ModelMismatch(
                f"these trackers have different models ({self._rules.name!r}, {self.digest}, and "
                f"{other._rules.name!r}, {other.digest}): record both logs under one model"
            )
        return self._renamed({}, other)

    def group(self, names: Mapping[Id, Id]) -> Tracker:
        """A new tracker in which some ids are others: the handles of one person made one.

        What these did towards each other counts no more. Keep this tracker to undo it.

        Args:
            names: the new id of each id that changes.
        """
        return self._renamed(names)

    def _renamed(self, names: Mapping[Id, Id], *others: Tracker) -> Tracker:
        result = Tracker(model=self._model, vocabulary=self._vocabulary)
        for tracker in (self, *others):
            for customer, diary in tracker._diaries.items():  # noqa: SLF001 - of this class
                name = names.get(customer, customer)
                counts: Counter[Act] = Counter()
                for (towards, kind, day), count in diary.counts.items():
                    other = None if towards is None else names.get(towards, towards)
                    if other != name:
                        counts[other, kind, day] += count
                if counts:
                    result._write(name, counts, diary.last)
        return result

    def _read(self, interaction: Interaction) -> tuple[Id, Act] | None:
        """Who did what on which day; None where it does not count."""
        source, target = interaction.source, interaction.target
        if interaction.automated or source is None or source == target:
            return None
        kind = self._vocabulary.get(interaction.kind)
        word = interaction.kind if kind is None else kind.name
        return source, (target, word, day_of(interaction.time))

    def _write(self, customer: Id, counts: Mapping[Act, int], last: datetime) -> None:
        diary = self._diaries.get(customer)
        if diary is None:
            diary = self._diaries[customer] = _Diary(last)
        for act, count in counts.items():
            diary.counts[act] += count
        diary.last = max(diary.last, last)

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain values that JSON can hold; see `from_dict`."""
        return {
            "format": FORMAT,
            "model": self._rules.name,
            "version": self._rules.version,
            "digest": self.digest,
            "customers": [
                [
                    _pack(customer),
                    diary.last.isoformat(),
                    [
                        [_pack(towards), kind, day, count]
                        for (towards, kind, day), count in diary.counts.items()
                    ],
                ]
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
        """A tracker from what `to_dict` gave, under the same model and vocabulary.

        Raises:
            ModelMismatch: it was kept under a model with another digest.
            InvalidParameter: it is in a format that this version does not read.
        """
        tracker = cls(model=model, vocabulary=vocabulary)
        if data.get("format") != FORMAT:
            raise InvalidParameter(
                f"this is not a tracker in format {FORMAT}: give what Tracker.to_dict gave",
                value=data.get("format"),
            )
        if data["digest"] != tracker.digest:
            raise ModelMismatch(
                f"these counts were kept under the model {data['model']!r}, {data['digest']}, and "
                f"not under {tracker._rules.name!r}, {tracker.digest}: give model= and "
                f"vocabulary= of then"
            )
        for customer, last, rows in data["customers"]:
            counts = {(_unpack(who), kind, day): count for who, kind, day, count in rows}
            tracker._write(_unpack(customer), counts, datetime.fromisoformat(last))
        return tracker


def _pack(who: Id | None) -> Any:
    return {"uuid": str(who)} if isinstance(who, UUID) else who


def _unpack(who: Any) -> Any:
    return UUID(who["uuid"]) if isinstance(who, dict) else who
