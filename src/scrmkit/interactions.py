"""What people do: interactions, their kinds, their channels, and the words a host uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from attrs import Attribute, evolve, field, fields, frozen

from scrmkit import _checks
from scrmkit._checks import Id
from scrmkit.errors import InvalidInteraction, InvalidParameter, UnknownKind


__all__ = ["DEFAULT_VOCABULARY", "Channel", "Family", "Interaction", "Kind", "Vocabulary"]

Scalar = str | int | float | bool | Decimal | datetime | None


class Family(StrEnum):
    """What an interaction is good for. The set is closed.

    Attention (likes, views) and transactions (purchases) never make a tie; the other
    four do, by the weight of their kind.

    Example:
        >>> from scrmkit import DEFAULT_VOCABULARY, Family
        >>> [kind.name for kind in DEFAULT_VOCABULARY if kind.family is Family.ADVOCACY]
        ['recommendation', 'referral', 'thanks']
    """

    ATTENTION = "attention"
    CONVERSATION = "conversation"
    CONTRIBUTION = "contribution"
    ADVOCACY = "advocacy"
    TRANSACTION = "transaction"
    SERVICE = "service"


UNTIED: Final = frozenset({Family.ATTENTION, Family.TRANSACTION})


@frozen(kw_only=True)
class Channel:
    """Where interactions take place.

    Args:
        name: as it stands in the log, such as ``"email"`` or ``"shop counter"``.
        online: False for a counter, a meeting room, a letter.
        public: True where everybody can read along; None where it depends.

    Raises:
        InvalidParameter: with what is wrong.

    Example:
        >>> from scrmkit import Channel
        >>> Channel(name="shop counter", online=False, public=False)
        Channel(name='shop counter', online=False, public=False)
    """

    name: str = field()
    online: bool = True
    public: bool | None = None

    @name.validator
    def _check_name(self, _: Attribute[str], value: object) -> None:
        _checks.check_text(value, name="Channel.name", error=InvalidParameter)

    def __attrs_post_init__(self) -> None:
        _checks.check_flag(self.online, name="Channel.online", error=InvalidParameter)
        if self.public is not None:
            _checks.check_flag(self.public, name="Channel.public", error=InvalidParameter)


def _to_family(value: str) -> Family:
    try:
        return Family(value)
    except ValueError:
        raise InvalidParameter(
            f"{value!r} is not a family of kinds: choose one of {', '.join(Family)}", value=value
        ) from None


def _to_words(words: Iterable[str]) -> tuple[str, ...]:
    if isinstance(words, str):
        return (words,)
    return _checks.to_tuple(words, name="Kind.aliases", of=str, error=InvalidParameter)


@frozen(kw_only=True)
class Kind:
    """One kind of interaction and what it counts for.

    Args:
        name: the one name of this kind, such as ``"message"``.
        family: what it is good for.
        tie_weight: what one such act adds to the strength of a tie; finite, 0 or more,
            and 0 for attention and transactions.
        engagement_weight: what one such act adds to the engagement of who did it;
            finite, 0 or more. Badness is no weight: it is the valence of the act.
        reason: why these weights, for people who ask.
        aliases: other names that mean the same.

    Raises:
        InvalidParameter: with what is wrong.

    Example:
        >>> from scrmkit import Kind
        >>> Kind(name="demo", family="service", tie_weight=3, engagement_weight=2).tie_weight
        3.0
    """

    name: str = field()
    family: Family = field(converter=_to_family)
    tie_weight: float = field(converter=_checks.to_float)
    engagement_weight: float = field(converter=_checks.to_float)
    reason: str = ""
    aliases: tuple[str, ...] = field(default=(), converter=_to_words)

    @name.validator
    def _check_name(self, _: Attribute[str], value: object) -> None:
        _checks.check_text(value, name="Kind.name", error=InvalidParameter)

    @tie_weight.validator
    def _check_tie_weight(self, _: Attribute[float], value: float) -> None:
        _checks.check_range(
            value, name=f"tie_weight of {self.name!r}", error=InvalidParameter, low=0
        )
        if value and self.family in UNTIED:
            raise InvalidParameter(
                f"tie_weight of {self.name!r} must be 0: {self.family} does not make a tie. "
                f"Choose another family if this act does."
            )

    @engagement_weight.validator
    def _check_engagement_weight(self, _: Attribute[float], value: float) -> None:
        _checks.check_range(
            value, name=f"engagement_weight of {self.name!r}", error=InvalidParameter, low=0
        )

    @aliases.validator
    def _check_aliases(self, _: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
        for alias in value:
            _checks.check_text(alias, name=f"an alias of {self.name!r}", error=InvalidParameter)


def _to_kinds(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    return _checks.to_tuple(kinds, name="Vocabulary.kinds", of=Kind, error=InvalidParameter)


@frozen(kw_only=True)
class Vocabulary:
    """The kinds that a host knows, what each counts for, and a digest that names them.

    A vocabulary is a value: nothing about it is global, two of them with the same kinds
    have the same digest, and every result says which one it was made with. A kind that
    is not in it is kept, counted as unknown, and weighs nothing.

    Args:
        name: the name of the vocabulary.
        version: its version.
        kinds: the kinds, of which no two share a name or an alias.

    Example:
        >>> from scrmkit import DEFAULT_VOCABULARY, Kind
        >>> DEFAULT_VOCABULARY["message"].tie_weight
        1.0
        >>> DEFAULT_VOCABULARY["retweet"].name
        'repost'
        >>> house = DEFAULT_VOCABULARY.extend(
        ...     Kind(name="demo", family="service", tie_weight=3, engagement_weight=2),
        ...     name="house",
        ... )
        >>> house["demo"].tie_weight
        3.0
    """

    name: str = field()
    version: str = field(default="1")
    kinds: tuple[Kind, ...] = field(converter=_to_kinds)

    @name.validator
    def _check_name(self, _: Attribute[str], value: object) -> None:
        _checks.check_text(value, name="Vocabulary.name", error=InvalidParameter)

    @version.validator
    def _check_version(self, _: Attribute[str], value: object) -> None:
        _checks.check_text(value, name="Vocabulary.version", error=InvalidParameter)

    @kinds.validator
    def _check_kinds(self, _: Attribute[tuple[Kind, ...]], value: tuple[Kind, ...]) -> None:
        seen: dict[str, str] = {}
        for kind in value:
            for word in (kind.name, *kind.aliases):
                if word in seen:
                    raise InvalidParameter(
                        f"{word!r} stands for both {seen[word]!r} and {kind.name!r} in the "
                        f"vocabulary {self.name!r}: one word means one kind, so rename one or "
                        f"drop the alias",
                        value=word,
                    )
                seen[word] = kind.name

    @cached_property
    def words(self) -> Mapping[str, Kind]:
        """Each name and each alias, with the kind that it means."""
        return _checks.Frozen(
            {word: kind for kind in self.kinds for word in (kind.name, *kind.aliases)}
        )

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the weights, families and aliases.

        The reasons are prose and do not count; nor does the order of the kinds.
        """
        return _checks.digest(
            {
                kind.name: [
                    kind.family,
                    kind.tie_weight,
                    kind.engagement_weight,
                    sorted(kind.aliases),
                ]
                for kind in self.kinds
            }
        )

    def __getitem__(self, word: str) -> Kind:
        kind = self.words.get(word)
        if kind is None:
            raise UnknownKind(self._complain(word), value=word)
        return kind

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)

    def _complain(self, word: str) -> str:
        near = get_close_matches(str(word), self.words, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{word!r} is not a kind in the vocabulary {self.name!r}.{hint}"

    def get(self, word: str) -> Kind | None:
        """The kind that this name or alias means, or None."""
        return self.words.get(word)

    def extend(self, *kinds: Kind, name: str, version: str = "1") -> Vocabulary:
        """A new vocabulary with these kinds too; a kind of the same name is replaced."""
        replaced = {kind.name for kind in kinds}
        kept = (kind for kind in self.kinds if kind.name not in replaced)
        return Vocabulary(name=name, version=version, kinds=(*kept, *kinds))

    def reweigh(
        self,
        *,
        tie: Mapping[str, float] | None = None,
        engagement: Mapping[str, float] | None = None,
        name: str,
        version: str = "1",
    ) -> Vocabulary:
        """A new vocabulary with other weights for some kinds.

        Args:
            tie: weight for ties by name of kind.
            engagement: weight for engagement by name of kind.
            name: the name of the new vocabulary.
            version: its version.

        Raises:
            InvalidParameter: a name that is not in this vocabulary.
        """
        tie, engagement = dict(tie or {}), dict(engagement or {})
        for word in (*tie, *engagement):
            kind = self.words.get(word)
            if kind is None:
                raise InvalidParameter(self._complain(word), value=word)
            if kind.name != word:
                raise InvalidParameter(
                    f"{word!r} is an alias of {kind.name!r} in the vocabulary {self.name!r}: "
                    f"weights go by the name of the kind",
                    value=word,
                )
        return Vocabulary(
            name=name,
            version=version,
            kinds=tuple(
                evolve(
                    kind,
                    tie_weight=tie.get(kind.name, kind.tie_weight),
                    engagement_weight=engagement.get(kind.name, kind.engagement_weight),
                )
                for kind in self.kinds
            ),
        )


def _freeze(attributes: Mapping[str, Scalar] | None) -> Mapping[str, Scalar]:
    return _checks.freeze(attributes, name="attributes", error=InvalidInteraction)


def _to_money(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


@frozen(kw_only=True)
class Interaction:
    """One act of somebody towards somebody, at an instant, on a channel.

    The key of an interaction is (scope, id, target): one e-mail to three people is three
    interactions with one id.

    Args:
        id: the name of the act in its scope; text, integer or UUID.
        time: when it took place; a datetime with a time zone.
        kind: a word of the host's vocabulary; an unknown one is kept and weighs nothing.
        source: who did it; None for an anonymous act.
        target: to whom; None for an act towards everybody.
        channel: where; online or offline.
        valence: how good (1) or bad (-1) it was; None where nobody knows, which adds
            nothing to a balance.
        value: money that went with it, as a Decimal or an integer, never a float.
        currency: its ISO 4217 code, such as ``"EUR"``.
        thread: the conversation that it belongs to.
        in_reply_to: the id of the act that it answers.
        about: what it is about: a product, a case, an event.
        public: whether others could see it.
        text: what was said.
        automated: done by a system (newsletters, auto-replies): kept, and adds nothing.
        received_at: when the host learnt of it; a datetime with a time zone.
        retracts: the id of an act that is taken back from this one's time on (an
            un-like, a deleted post). Such an interaction counts for nothing else.
        scope: the tenant, where a host has several.
        attributes: anything else, flat, under names that no field has: text, numbers,
            truth values, instants.

    Raises:
        InvalidInteraction: with the field, the rule and the remedy.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Interaction
        >>> Interaction(
        ...     id="m1", time=datetime(2026, 3, 1, 9, tzinfo=UTC), kind="message",
        ...     source="ana", target="ben", channel="email", valence=0.5,
        ... ).key
        (None, 'm1', 'ben')
    """

    id: Id = field(repr=False)
    time: datetime = field()
    kind: str = field()
    source: Id | None = field(default=None, repr=False)
    target: Id | None = field(default=None, repr=False)
    channel: str | None = field(default=None)
    valence: float | None = field(default=None)
    value: Decimal | None = field(default=None, converter=_to_money, repr=False)
    currency: str | None = field(default=None, repr=False)
    thread: Id | None = field(default=None, repr=False)
    in_reply_to: Id | None = field(default=None, repr=False)
    about: Id | None = field(default=None, repr=False)
    public: bool | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    automated: bool = field(default=False, repr=False)
    received_at: datetime | None = field(default=None, repr=False)
    retracts: Id | None = field(default=None, repr=False)
    scope: Id | None = field(default=None, repr=False)
    attributes: Mapping[str, Scalar] = field(
        factory=dict, converter=_freeze, repr=False, hash=False
    )

    def __attrs_post_init__(self) -> None:
        error = InvalidInteraction
        _checks.check_id(self.id, name="id", error=error)
        _checks.check_time(self.time, name="time", error=error)
        _checks.check_text(self.kind, name="kind", error=error)
        for name in ("source", "target", "thread", "in_reply_to", "about", "retracts", "scope"):
            value = getattr(self, name)
            if value is not None:
                _checks.check_id(value, name=name, error=error)
        if self.source is None and self.target is None and self.retracts is None:
            raise error(
                "source and target are both missing: say at least who acted or towards whom"
            )
        if self.channel is not None:
            _checks.check_text(self.channel, name="channel", error=error)
        if self.valence is not None:
            _checks.check_range(self.valence, name="valence", error=error, low=-1, high=1)
        if self.received_at is not None:
            _checks.check_time(self.received_at, name="received_at", error=error)
        if self.text is not None and not isinstance(self.text, str):
            raise error(f"text is of type {type(self.text).__name__}, not text", value=self.text)
        _checks.check_flag(self.automated, name="automated", error=error)
        if self.public is not None:
            _checks.check_flag(self.public, name="public", error=error)
        _check_money(self.value, self.currency)
        _check_attributes(self.attributes)

    @property
    def key(self) -> tuple[Id | None, Id, Id | None]:
        """What makes this interaction the same one when it is seen again."""
        return (self.scope, self.id, self.target)


_FIELDS: Final = frozenset(attribute.name for attribute in fields(Interaction))


def _check_money(value: object, currency: object) -> None:
    if value is None:
        if currency is not None:
            raise InvalidInteraction("currency has no value: give both or neither")
        return
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidInteraction(
            "value must be a finite Decimal or an integer (a float cannot hold money): "
            "Decimal('9.90')",
            value=value,
        )
    if not (
        isinstance(currency, str)
        and len(currency) == 3
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    ):
        raise InvalidInteraction(
            "currency must be an ISO 4217 code of three capital letters, such as 'EUR'",
            value=currency,
        )


def _check_attributes(attributes: Mapping[str, object]) -> None:
    for name, value in attributes.items():
        if name in _FIELDS:
            raise InvalidInteraction(
                f"attribute {name!r} has the name of a field: give it as that field, or under "
                f"another name"
            )
        if isinstance(value, datetime):
            _checks.check_time(value, name=f"attribute {name!r}", error=InvalidInteraction)
        if value is not None and not isinstance(value, str | int | float | Decimal | datetime):
            raise InvalidInteraction(
                f"attribute {name!r} is of type {type(value).__name__}: attributes are flat, "
                f"so give text, a number, a truth value or an instant",
                value=value,
            )


def _kinds(family: Family, rows: Iterable[tuple[str, float, float, str, str]]) -> Iterator[Kind]:
    for name, tie, engagement, aliases, reason in rows:
        yield Kind(
            name=name,
            family=family,
            tie_weight=tie,
            engagement_weight=engagement,
            aliases=tuple(aliases.split()),
            reason=reason,
        )


DEFAULT_VOCABULARY: Final = Vocabulary(
    name="default",
    version="1",
    kinds=(
        *_kinds(
            Family.ATTENTION,
            [
                ("view", 0, 0, "open impression", "Looking costs nothing and tells nobody."),
                ("like", 0, 0, "favourite favorite heart", "One click, often out of habit."),
                ("follow", 0, 0, "subscribe", "Says where one looks, not what one does."),
                (
                    "repost",
                    0,
                    0,
                    "retweet share reshare",
                    "Passes on; not addressed to its author.",
                ),
            ],
        ),
        *_kinds(
            Family.CONVERSATION,
            [
                (
                    "message",
                    1,
                    1,
                    "email mail sms dm chat letter",
                    "The unit: one person writes to another.",
                ),
                ("reply", 1, 1, "response", "A message that answers one."),
                ("comment", 1, 1, "", "Said to somebody where others can read along."),
                ("mention", 0.5, 0.5, "tag", "Names somebody without waiting for an answer."),
                ("question", 1, 1, "ask", "Asks for help: as much talk as a message."),
                ("call", 3, 2, "phone video_call", "Minutes of both at the same time."),
                ("meeting", 5, 4, "appointment", "An hour of both in the same room."),
            ],
        ),
        *_kinds(
            Family.CONTRIBUTION,
            [
                ("post", 1, 2, "tweet topic article", "Something made for others to use."),
                ("answer", 2, 3, "solution", "Solves somebody's problem with one's own time."),
                ("review", 1, 3, "", "Experience written down for those who come after."),
                ("rating", 1, 1, "score", "A judgement of somebody, without the words."),
                ("idea", 1, 3, "suggestion", "A proposal that somebody thought through."),
                ("vote", 0.25, 0.5, "upvote", "One click, but an opinion: less than a sentence."),
                ("attendance", 1, 2, "attend event checkin", "Time spent where others are."),
            ],
        ),
        *_kinds(
            Family.ADVOCACY,
            [
                (
                    "recommendation",
                    2,
                    4,
                    "recommend endorsement",
                    "Puts one's own name behind another.",
                ),
                (
                    "referral",
                    2,
                    5,
                    "refer introduction",
                    "Brings somebody along: the strongest word.",
                ),
                ("thanks", 2, 1, "thank kudos accept", "Closes the loop: the help arrived."),
            ],
        ),
        *_kinds(
            Family.TRANSACTION,
            [
                ("purchase", 0, 1, "buy order", "Business is not a relationship; it is activity."),
                ("renewal", 0, 1, "", "A decision to stay, often made by a system."),
                ("refund", 0, 0, "return", "Money back; what was said of it is a complaint."),
            ],
        ),
        *_kinds(
            Family.SERVICE,
            [
                ("request", 1, 1, "ticket case support_request", "Asks the company for help."),
                ("complaint", 1, 1, "", "Still talk, and silence is worse."),
                ("resolution", 2, 0, "resolve fix", "Help that arrived; the helper's act."),
                ("feedback", 1, 2, "survey_answer", "An opinion given when asked."),
            ],
        ),
    ),
)
"""The vocabulary that is used where no other is given: 28 kinds in six families."""
