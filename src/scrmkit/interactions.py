"""What people do: interactions, their channels, and the kinds that a host knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from attrs import Attribute, field, fields, frozen

from scrmkit import _checks
from scrmkit._checks import Id
from scrmkit._vocabularies import DEFAULT_VOCABULARY, Family, Kind, Vocabulary
from scrmkit.errors import InvalidInteraction, InvalidParameter


__all__ = ["DEFAULT_VOCABULARY", "Channel", "Family", "Interaction", "Kind", "Vocabulary"]

Scalar = str | int | float | bool | Decimal | datetime | None


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


FIELDS: Final = frozenset(attribute.name for attribute in fields(Interaction))


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
        if name in FIELDS:
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
