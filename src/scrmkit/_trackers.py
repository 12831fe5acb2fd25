"""Engagement live: counts that grow one interaction at a time, and scores from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self

from scrmkit import _checks, _sums
from scrmkit._checks import Id
from scrmkit._instants import day_of
from scrmkit._models import Model, take_model
from scrmkit._scoring import Rules, Score, assess
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
FIRST_DAY: Final = day_of(datetime(1, 12, 31, tzinfo=UTC))
MOST: Final = 2**53

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

    Iterating gives the customers with acts of their own, in the order in which they came.
    A tracker can be copied and pickled. It is not safe to change it in one thread while
    another uses it: hold a lock, or keep one for each thread and merge them.

    A tracker believes the times that it is given. One act with a time that is years ahead
    makes every earlier ``as_of`` an error for its customer, and ages all that this
    customer did where ``as_of`` is None. Refuse times of the future at your own door, and
    always pass ``as_of``.

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
        >>> tracker.score("ana", as_of=datetime(2026, 4, 1, tzinfo=UTC)).level
        'occasional'
        >>> list(tracker)
        ['ana']
    """

    def __init__(
        self, *, model: str | Model | None = None, vocabulary: Vocabulary = DEFAULT_VOCABULARY
    ) -> None:
        self._model = take_model(model)
        self._vocabulary = vocabulary
        self._rules = Rules.of(self._model, vocabulary)
        self._diaries: dict[Id, _Diary] = {}
        self._ids: str | None = None

    @property
    def model(self) -> Model:
        """What counts for how much."""
        return self._model

    @property
    def vocabulary(self) -> Vocabulary:
        """What the words of kinds mean."""
        return self._vocabulary

    @property
    def as_of(self) -> datetime | None:
        """The last instant at which something changed, in UTC; None while it is empty.

        Takes time in proportion to the number of customers.
        """
        return max((diary.last for diary in self._diaries.values()), default=None)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the model with all its parameters."""
        return self._rules.digest

    def __len__(self) -> int:
        return len(self._diaries)

    def __iter__(self) -> Iterator[Id]:
        return iter(self._diaries)

    def __contains__(self, customer: object) -> bool:
        return customer in self._diaries

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
        _sums.check_interaction(interaction)
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

        A customer of whom no act is left is unknown here, as if nothing had been recorded.

        Args:
            interaction: the one that was recorded; one whose counterpart was forgotten
                since, without its target: ``attrs.evolve(interaction, target=None)``.
            at: when it was taken back.

        Raises:
            InvalidInteraction: one that was not recorded here.
        """
        _sums.check_interaction(interaction)
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
        diary.last = max(diary.last, at)
        if not diary.counts[act]:
            del diary.counts[act]
        if not diary.counts:
            self._remove(customer)

    def score(self, customer: Id, *, as_of: datetime | None = None) -> Score:
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
        if diary is None:
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

    def forget(self, customer: Id) -> int:
        """Remove a customer: their counts go; in those of others they become nobody.

        What others did keeps its count, without the counterpart, so each of them acted
        towards one person fewer; where a level asks for a number of counterparts, theirs
        can fall.

        Returns:
            How many acts named the customer: their own, and those of others towards them.
            0 where the customer is unknown. Time grows with the size of the tracker.
        """
        named = self._remove(customer)
        for diary in self._diaries.values():
            found = [act for act in diary.counts if act[0] == customer]
            for act in found:
                count = diary.counts.pop(act)
                diary.counts[None, act[1], act[2]] += count
                named += count
        return named

    def _remove(self, customer: Id) -> int:
        """Remove what a customer did; how many acts it was."""
        diary = self._diaries.pop(customer, None)
        if not self._diaries:
            self._ids = None
        return 0 if diary is None else diary.counts.total()

    def merge(self, other: Tracker) -> None:
        """Add all of another tracker to this one: the two together.

        The two must have been fed different interactions: counts cannot tell.

        Raises:
            ModelMismatch: the other one has another model.
            InvalidParameter: its ids are of another type.
        """
        _checks.check_type(other, Tracker, name="other")
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

        Raises:
            InvalidParameter: a new name that is no id, or of another type than the others.
        """
        made = Tracker(model=self._model, vocabulary=self._vocabulary)
        rename = _checks.to_renaming(names)
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
            "size": len(self),
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
        model: str | Model | None = None,
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
        version = data.get("version")
        if type(version) is not int or version != VERSION:
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
        rows = data.get("customers")
        size = data.get("size")
        if not isinstance(rows, list) or type(size) is not int or size != len(rows):
            raise InvalidParameter("size is not the number of customers: a part is missing")
        for number, row in enumerate(rows):
            tracker._read_row(row, data.get("ids"), where=f"customers[{number}]")
        return tracker

    def _read_row(self, row: Any, ids: Any, *, where: str) -> None:
        """Take in what `to_dict` wrote of one customer, checked."""
        if not isinstance(row, Mapping):
            raise InvalidParameter(f"{where} must be a mapping")
        customer = _sums.from_plain(row.get("customer"), ids, where=f"{where}.customer")
        if customer in self:
            raise InvalidParameter(f"{where}.customer is there twice", value=customer)
        last = _sums.from_text(row.get("last"), where=f"{where}.last")
        acts = row.get("acts")
        if not isinstance(acts, list) or not acts:
            raise InvalidParameter(f"{where}.acts must be a list of at least one act")
        counts: Counter[Act] = Counter()
        for number, act in enumerate(acts):
            place = f"{where}.acts[{number}]"
            towards, kind, day, count = _check_act(act, day_of(last), where=place)
            if towards is not None:
                towards = _sums.from_plain(towards, ids, where=f"{place}[0]")
            if towards == customer:
                raise InvalidParameter(f"{place} is of a customer towards themself")
            known = self._vocabulary.get(kind)
            if known is not None and known.name != kind:
                raise InvalidParameter(
                    f"{place} is of kind {kind!r}, which is another word for {known.name!r}"
                )
            counts[towards, kind, day] += count
        self._write(customer, counts, last)

    def _read(self, interaction: Interaction) -> tuple[Id, Act] | None:
        """Who did what on which day; None where it does not count."""
        source, target = interaction.source, interaction.target
        if interaction.automated or source is None or source == target:
            return None
        kind = self._vocabulary.get(interaction.kind)
        word = interaction.kind if kind is None else kind.name
        return source, (target, word, day_of(interaction.time))

    def _write(self, customer: Id, counts: Mapping[Act, int], last: datetime) -> None:
        named = [customer, *(act[0] for act in counts if act[0] is not None)]
        ids = self._ids or _sums.type_of(customer)
        for one in named:
            if _sums.type_of(one) != ids:
                raise InvalidParameter(
                    f"an id of type {type(one).__name__} where the others are of type "
                    f"{ids}: give all ids as text, all as integers or all as UUIDs",
                    value=one,
                )
        self._ids = ids
        diary = self._diaries.get(customer)
        if diary is None:
            diary = self._diaries[customer] = _Diary(last)
        for act, count in counts.items():
            diary.counts[act] += count
        diary.last = max(diary.last, last)


def _check_act(row: Any, last: int, *, where: str) -> tuple[Any, str, int, int]:
    """A counterpart or none, a kind, a day and a count."""
    match row:
        case [towards, str(kind), day, count] if (
            kind.strip()
            and type(day) is int
            and FIRST_DAY <= day <= last
            and type(count) is int
            and 0 < count < MOST
        ):
            return towards, kind, day, count
    raise InvalidParameter(
        f"{where} must be a counterpart or None, a kind, a day since 1970 that is not after the "
        f"last instant, and a count",
        value=row,
    )
