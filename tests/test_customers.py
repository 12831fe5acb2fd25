"""Customer, Handle, Role, Membership: what they take, what they refuse, what they say."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import Customer, Handle, InvalidCustomer, InvalidParameter, Membership, Role
from scrmkit.testing.strategies import instants


pytestmark = pytest.mark.core

START = datetime(2026, 1, 1, tzinfo=UTC)
MAIL = "ana@example.org"

ANA = Customer(
    id="ana",
    name="Ana Example",
    handles=[Handle(channel="email", address=MAIL)],
    roles=[Role(name="customer"), Role(name="employee", start=START)],
    memberships=[Membership(member="ana", organisation="acme", role="buyer")],
    attributes={"note": MAIL},
)


@pytest.mark.parametrize(
    ("make", "fields", "says"),
    [
        (Customer, {"id": None}, "Customer.id is of type NoneType: an id is a text, an integer"),
        (Customer, {"id": True}, "Customer.id is of type bool"),
        (Customer, {"id": ""}, "Customer.id is empty"),
        (Customer, {"id": 1, "name": ""}, "Customer.name is empty"),
        (Customer, {"id": 1, "name": 3}, "Customer.name is of type int, not text"),
        (Customer, {"id": 1, "organisation": "yes"}, "Customer.organisation is of type str: give"),
        (Customer, {"id": 1, "handles": MAIL}, "Customer.handles is of type str: give a list of H"),
        (Customer, {"id": 1, "handles": [MAIL]}, "Customer.handles holds a value of type str"),
        (Customer, {"id": 1, "handles": None}, "Customer.handles is of type NoneType"),
        (Customer, {"id": 1, "roles": Role(name="x")}, "Customer.roles is of type Role: give a li"),
        (Customer, {"id": 1, "roles": ["customer"]}, "Customer.roles holds a value of type str"),
        (Customer, {"id": 1, "memberships": [1]}, "Customer.memberships holds a value of type int"),
        (Customer, {"id": 1, "attributes": [1]}, "Customer.attributes is of type list: give a map"),
        (Customer, {"id": 1, "attributes": {1: 1}}, "a name in Customer.attributes is of type int"),
        (
            Customer,
            {"id": 1, "handles": [Handle(channel="app", address="x", customer=2)]},
            r"Customer.handles\[0\] belongs to somebody else: leave its customer out",
        ),
        (
            Customer,
            {"id": 1, "handles": [Handle(channel="app", address="x", company=True)]},
            r"Customer.handles\[0\] belongs to somebody else",
        ),
        (
            Customer,
            {"id": 1, "memberships": [Membership(member=2, organisation=3)]},
            r"Customer.memberships\[0\] is of somebody else: its member must be",
        ),
        (Handle, {"channel": "", "address": "x"}, "Handle.channel is empty"),
        (Handle, {"channel": "app", "address": " "}, "Handle.address is empty"),
        (Handle, {"channel": "app", "address": 3}, "Handle.address is of type int, not text"),
        (
            Handle,
            {"channel": "app", "address": "x", "customer": ""},
            "Handle.customer is empty.*or None where there is nobody",
        ),
        (
            Handle,
            {"channel": "app", "address": "x", "company": "no"},
            "Handle.company is of type str: give True or False",
        ),
        (
            Handle,
            {"channel": "app", "address": "x", "customer": 1, "company": True},
            "a Handle belongs to a customer or to the company",
        ),
        (
            Handle,
            {"channel": "app", "address": "x", "owner": "ben"},
            "owner and department are those of the company's own handles: add company=True",
        ),
        (
            Handle,
            {"channel": "app", "address": "x", "department": "sales"},
            "owner and department are those of the company's own handles",
        ),
        (
            Handle,
            {"channel": "app", "address": "x", "company": True, "department": ""},
            "Handle.department is empty",
        ),
        (Role, {"name": ""}, "Role.name is empty"),
        (Role, {"name": "x", "start": datetime(2026, 1, 1)}, "Role.start has no time zone"),  # noqa: DTZ001
        (Role, {"name": "x", "end": "2026"}, "Role.end is of type str, not a datetime"),
        (Role, {"name": "x", "start": START, "end": START}, "Role.end must be later than Role.st"),
        (Membership, {"member": "", "organisation": 1}, "Membership.member is empty"),
        (Membership, {"member": 1, "organisation": None}, "Membership.organisation is of type N"),
        (Membership, {"member": 1, "organisation": 1}, "Membership.member is its own organisation"),
        (Membership, {"member": 1, "organisation": 2, "role": ""}, "Membership.role is empty"),
        (
            Membership,
            {"member": 1, "organisation": 2, "start": START, "end": START - timedelta(1)},
            "Membership.end must be later than Membership.start",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_field(
    make: Any, fields: dict[str, Any], says: str
) -> None:
    """The error says which field of which class is wrong, and what it may be."""
    with pytest.raises(InvalidCustomer, match=says):
        make(**fields)


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (Customer, {"id": [MAIL]}),
        (Customer, {"id": 1, "name": [MAIL]}),
        (Customer, {"id": 1, "handles": [MAIL]}),
        (Handle, {"channel": "email", "address": [MAIL]}),
        (Role, {"name": "x", "start": MAIL}),
    ],
)
def test_errors_do_not_tell_personal_values(make: Any, fields: dict[str, Any]) -> None:
    """What was given is an attribute of the error and no part of its text."""
    with pytest.raises(InvalidCustomer) as caught:
        make(**fields)
    assert MAIL not in str(caught.value)
    assert MAIL in str(caught.value.value)


def test_reprs_do_not_tell_personal_values() -> None:
    """A log line shows what somebody is and not who."""
    shown = repr((ANA, *ANA.handles, *ANA.memberships))
    assert MAIL not in shown
    assert "ana" not in shown.lower()
    assert "employee" in shown


@pytest.mark.parametrize("one", [ANA, *ANA.handles, *ANA.roles, *ANA.memberships])
def test_they_are_values(one: Any) -> None:
    """Equal content is equal and hashes the same, survives a copy, and cannot be changed."""
    for same in (evolve(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301
        assert same == one
        assert hash(same) == hash(one)
    with pytest.raises(FrozenInstanceError):
        one.name = "other"


@pytest.mark.parametrize("one_id", ["ana", 7, UUID(int=7)])
def test_ids_are_kept_as_given(one_id: Any) -> None:
    """Text, integers and UUIDs come back with their type."""
    assert Customer(id=one_id).id is one_id
    assert Handle(channel="app", address="x", customer=one_id).customer is one_id


def test_a_company_handle_has_an_owner_and_a_department() -> None:
    """The company's own addresses say who answers for them."""
    ours = Handle(
        channel="email", address=MAIL, company=True, owner="ben", department="support"
    )  # fmt: skip
    assert (ours.owner, ours.department, ours.customer) == ("ben", "support", None)


def test_lists_become_tuples() -> None:
    """What was given as a list cannot be changed from outside."""
    roles = [Role(name="customer")]
    one = Customer(id=1, roles=roles)
    roles.clear()
    assert one.roles == (Role(name="customer"),)


@given(
    start=st.none() | instants(),
    days=st.none() | st.integers(1, 3000),
    at=instants(),
    make=st.sampled_from(["role", "membership"]),
)
def test_a_period_holds_its_start_and_not_its_end(
    start: datetime | None, days: int | None, at: datetime, make: str
) -> None:
    """An open end reaches as far as time does; a given one is excluded."""
    end = None if days is None else (start or START) + timedelta(days=days)
    period = (
        Role(name="customer", start=start, end=end)
        if make == "role"
        else Membership(member=1, organisation=2, start=start, end=end)
    )
    assert period.holds(at) is ((start is None or start <= at) and (end is None or at < end))
    if start is not None:
        assert period.holds(start)
        assert not period.holds(start - timedelta(microseconds=1))
    if end is not None:
        assert not period.holds(end)


def test_periods_are_compared_as_instants() -> None:
    """In the hour that a clock change repeats, the later of two equal wall times is later."""
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    again = datetime(2026, 10, 25, 2, 15, tzinfo=berlin, fold=1)
    assert Role(name="guest", start=first, end=again).holds(first)
    with pytest.raises(InvalidCustomer, match="must be later"):
        Role(name="guest", start=again, end=first)


def test_roles_at_an_instant_are_sorted_and_said_once() -> None:
    """Somebody may be a customer twice over; the answer is a set of names in order."""
    many = Customer(
        id=1,
        roles=[
            Role(name="partner"),
            Role(name="customer", end=START),
            Role(name="customer", start=START),
            Role(name="customer"),
            Role(name="prospect", end=START),
        ],
    )
    assert many.roles_at(START) == ("customer", "partner")
    assert Customer(id=1).roles_at(START) == ()


def test_asking_without_a_zone_is_refused() -> None:
    """An instant has a zone; a wall time does not say when."""
    with pytest.raises(InvalidParameter, match="at has no time zone"):
        ANA.roles_at(datetime(2026, 1, 1))  # noqa: DTZ001
