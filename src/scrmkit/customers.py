"""Who people are to the host: customers, their handles, roles and memberships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from attrs import Attribute, field, frozen

from scrmkit import _checks
from scrmkit._checks import Id
from scrmkit.errors import InvalidCustomer


__all__ = ["Customer", "Handle", "Membership", "Role"]


def _check_name(instance: object, attribute: Attribute[str], value: object) -> None:
    _checks.check_text(
        value, name=f"{type(instance).__name__}.{attribute.name}", error=InvalidCustomer
    )


def _check_id(instance: object, attribute: Attribute[Id], value: object) -> None:
    _checks.check_id(
        value, name=f"{type(instance).__name__}.{attribute.name}", error=InvalidCustomer
    )


def _check_optional_id(instance: object, attribute: Attribute[Id | None], value: object) -> None:
    if value is not None:
        _checks.check_id(
            value, name=f"{type(instance).__name__}.{attribute.name}", error=InvalidCustomer
        )


def _check_flag(instance: object, attribute: Attribute[bool], value: object) -> None:
    _checks.check_flag(
        value, name=f"{type(instance).__name__}.{attribute.name}", error=InvalidCustomer
    )


def _check_period(instance: Role | Membership) -> None:
    name = type(instance).__name__
    for end in ("start", "end"):
        value = getattr(instance, end)
        if value is not None:
            _checks.check_time(value, name=f"{name}.{end}", error=InvalidCustomer)
    if instance.start is None or instance.end is None:
        return
    if instance.end.astimezone(UTC) <= instance.start.astimezone(UTC):
        raise InvalidCustomer(f"{name}.end must be later than {name}.start")


def _holds(period: Role | Membership, at: datetime) -> bool:
    instant = _checks.to_utc(at, name="at")
    return (period.start is None or period.start <= instant) and (
        period.end is None or instant < period.end
    )


@frozen(kw_only=True)
class Role:
    """What somebody is to the host for a time; people have several at once.

    Args:
        name: ``"customer"``, ``"prospect"``, ``"employee"``, ``"partner"``,
            ``"supplier"``, ``"influencer"``, or a word of the host's own.
        start: from when on, included; None for ever since.
        end: until when, excluded; None for open.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Role
        >>> Role(name="customer", start=datetime(2026, 1, 1, tzinfo=UTC)).holds(
        ...     datetime(2025, 12, 31, tzinfo=UTC)
        ... )
        False
    """

    name: str = field(validator=_check_name)
    start: datetime | None = None
    end: datetime | None = None

    def __attrs_post_init__(self) -> None:
        _check_period(self)

    def holds(self, at: datetime) -> bool:
        """Whether somebody has this role at an instant."""
        return _holds(self, at)


@frozen(kw_only=True)
class Membership:
    """A person in an organisation or a group, with a role there and dates.

    Args:
        member: the id of the person.
        organisation: the id of the organisation or group.
        role: what the person is there, in the host's words.
        start: from when on, included; None for ever since.
        end: until when, excluded; None for open.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Membership
        >>> job = Membership(
        ...     member="ana", organisation="acme", role="buyer",
        ...     start=datetime(2026, 1, 1, tzinfo=UTC),
        ... )
        >>> job.holds(datetime(2026, 6, 1, tzinfo=UTC))
        True
    """

    member: Id = field(validator=_check_id, repr=False)
    organisation: Id = field(validator=_check_id)
    role: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if self.member == self.organisation:
            raise InvalidCustomer("Membership.member is its own organisation")
        if self.role is not None:
            _checks.check_text(self.role, name="Membership.role", error=InvalidCustomer)
        _check_period(self)

    def holds(self, at: datetime) -> bool:
        """Whether the person is a member at an instant."""
        return _holds(self, at)


@frozen(kw_only=True)
class Handle:
    """An address on a channel, which belongs to a customer or to the company itself.

    Args:
        channel: the channel, such as ``"email"``.
        address: the address there, kept as it was given.
        customer: whose it is; None while nobody knows.
        company: True where it is the company's own.
        owner: who answers for a handle of the company.
        department: the department that uses it.

    Example:
        >>> from scrmkit import Handle
        >>> Handle(channel="email", address="ana@example.org", customer="ana").channel
        'email'
    """

    channel: str = field(validator=_check_name)
    address: str = field(validator=_check_name, repr=False)
    customer: Id | None = field(default=None, validator=_check_optional_id, repr=False)
    company: bool = field(default=False, validator=_check_flag)
    owner: Id | None = field(default=None, validator=_check_optional_id, repr=False)
    department: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.company and self.customer is not None:
            raise InvalidCustomer(
                "a Handle belongs to a customer or to the company: give customer or company=True"
            )
        if self.department is not None:
            _checks.check_text(self.department, name="Handle.department", error=InvalidCustomer)
        if not self.company and (self.owner is not None or self.department is not None):
            raise InvalidCustomer(
                "owner and department are those of the company's own handles: add company=True"
            )


def _freeze(attributes: Mapping[str, object] | None) -> Mapping[str, object]:
    return _checks.freeze(attributes, name="Customer.attributes", error=InvalidCustomer)


def _to_handles(handles: Iterable[Handle]) -> tuple[Handle, ...]:
    return _checks.to_tuple(handles, name="Customer.handles", of=Handle, error=InvalidCustomer)


def _to_roles(roles: Iterable[Role]) -> tuple[Role, ...]:
    return _checks.to_tuple(roles, name="Customer.roles", of=Role, error=InvalidCustomer)


def _to_memberships(memberships: Iterable[Membership]) -> tuple[Membership, ...]:
    return _checks.to_tuple(
        memberships, name="Customer.memberships", of=Membership, error=InvalidCustomer
    )


@frozen(kw_only=True)
class Customer:
    """A person or organisation that the host knows.

    An employee or a partner is no other type: what somebody is to the host is a matter of
    roles, which have dates and of which one may have several.

    Args:
        id: the host's id; text, integer or UUID.
        name: a name to show, where there is one.
        organisation: True for a company, a club, a public body.
        handles: where this customer can be found.
        roles: what this customer is to the host, and when.
        memberships: the organisations and groups this customer belongs to.
        attributes: anything else that the host keeps.

    Raises:
        InvalidCustomer: with the field, the rule and the remedy.

    Example:
        >>> from datetime import UTC, datetime
        >>> from scrmkit import Customer, Handle, Role
        >>> ana = Customer(
        ...     id="ana", handles=[Handle(channel="email", address="ana@example.org")],
        ...     roles=[Role(name="customer"), Role(name="employee")],
        ... )
        >>> ana.roles_at(datetime(2026, 1, 1, tzinfo=UTC))
        ('customer', 'employee')
    """

    id: Id = field(validator=_check_id, repr=False)
    name: str | None = field(default=None, repr=False)
    organisation: bool = field(default=False, validator=_check_flag)
    handles: tuple[Handle, ...] = field(default=(), converter=_to_handles, repr=False)
    roles: tuple[Role, ...] = field(default=(), converter=_to_roles)
    memberships: tuple[Membership, ...] = field(default=(), converter=_to_memberships, repr=False)
    attributes: Mapping[str, object] = field(
        factory=dict, converter=_freeze, repr=False, hash=False
    )

    def __attrs_post_init__(self) -> None:
        if self.name is not None:
            _checks.check_text(self.name, name="Customer.name", error=InvalidCustomer)
        for number, handle in enumerate(self.handles):
            if handle.company or handle.customer not in (None, self.id):
                raise InvalidCustomer(
                    f"Customer.handles[{number}] belongs to somebody else: leave its customer "
                    f"out, or give it to its owner"
                )
        for number, membership in enumerate(self.memberships):
            if membership.member != self.id:
                raise InvalidCustomer(
                    f"Customer.memberships[{number}] is of somebody else: its member must be "
                    f"this customer's id"
                )

    def roles_at(self, at: datetime) -> tuple[str, ...]:
        """The names of the roles that this customer has at an instant, sorted."""
        return tuple(sorted({role.name for role in self.roles if role.holds(at)}))
