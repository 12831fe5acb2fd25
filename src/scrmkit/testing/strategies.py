"""Hypothesis strategies for everything that scrmkit takes: ids, customers, logs, ties, graphs.

Logs look like real ones: a few people act most, acts come in bursts and in threads, some have
no source or no target, some are automated, some are of a kind that nobody knows, and on
request some answer others, are repeated, learnt late or taken back.

    from hypothesis import given
    from scrmkit.testing import strategies

    @given(strategies.logs(min_size=1))
    def test_my_sum(log): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import networkx as nx
from attrs import evolve

from scrmkit._checks import Id
from scrmkit.customers import Customer, Handle, Membership, Role
from scrmkit.errors import MissingExtra
from scrmkit.interactions import (
    DEFAULT_VOCABULARY,
    Channel,
    Family,
    Interaction,
    Kind,
    Vocabulary,
)


try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError:
    raise MissingExtra("hypothesis", extra="testing") from None

if TYPE_CHECKING:
    from scrmkit.graph import SocialGraph
    from scrmkit.log import InteractionLog
    from scrmkit.relationships import Ties

__all__ = [
    "channels",
    "customers",
    "graphs",
    "half_lives",
    "handles",
    "instants",
    "interaction_logs",
    "interactions",
    "kinds",
    "logs",
    "memberships",
    "people",
    "roles",
    "social_graphs",
    "splits",
    "texts",
    "ties",
    "vocabularies",
    "weights",
]

ZONES = (UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8)))
CHANNELS = (None, "app", "email", "shop counter")
VALENCES = (-1.0, -0.5, 0.0, 0.3, 1.0)
SPANS = (timedelta(seconds=90), timedelta(days=2), timedelta(days=400))
SHARES = 9_999  # an act is so many parts of a span after the beginning of its burst
MOODS = st.floats(-1, 1)
CENTS = st.integers(-(10**6), 10**6)
DELAYS = st.integers(-40 * 86400, 40 * 86400)  # seconds until the host learns of it; below 0: none
UNTIED = (Family.ATTENTION, Family.TRANSACTION)
SENTENCES = (
    "",
    "Thanks, that solved it!",
    "This is terrible. I want my money back.",
    "where do i find the invoice",
    "ありがとう 🙂",
    "!!! 7 <b>x</b> \n\n",
)

texts = st.text(min_size=1, max_size=12).filter(lambda word: bool(word.strip()))
"""Short texts that are not blank."""


def instants(
    start: datetime = datetime(2001, 1, 1),  # noqa: DTZ001 - Hypothesis attaches the zone
    end: datetime = datetime(2031, 1, 1),  # noqa: DTZ001
) -> SearchStrategy[datetime]:
    """Instants of three decades, to the microsecond, written in one of three zones."""
    return st.datetimes(start, end, timezones=st.sampled_from(ZONES))


def half_lives() -> SearchStrategy[timedelta | None]:
    """From an hour to ten years, and none."""
    return st.none() | st.timedeltas(timedelta(hours=1), timedelta(days=3650))


@st.composite
def people(draw: DrawFn, *, min_size: int = 2, max_size: int = 8) -> list[Id]:
    """Distinct ids of one type: text, integers or UUIDs."""
    one: SearchStrategy[Id] = draw(
        st.sampled_from(
            [
                st.sampled_from(
                    ["ana", "ben", "cem", "dora", "élise", "феодор", "国", "o'neil", "<b>", "z9"]
                ),
                st.integers(-(2**53), 2**53),
                st.uuids(),
            ]
        )
    )
    return draw(st.lists(one, min_size=min_size, max_size=max_size, unique=True))


def channels() -> SearchStrategy[Channel]:
    """Channels, online and offline."""
    truths = st.booleans()
    return st.builds(Channel, name=texts, online=truths, public=st.none() | truths)


def handles(customer: Id | None = None) -> SearchStrategy[Handle]:
    """Handles of a customer, or of nobody known."""
    return st.builds(
        Handle,
        channel=st.sampled_from(["email", "phone", "forum"]),
        address=texts,
        customer=st.just(customer),
    )


@st.composite
def _periods(draw: DrawFn) -> dict[str, datetime | None]:
    start = draw(st.none() | instants())
    length = draw(st.none() | st.timedeltas(timedelta(hours=1), timedelta(days=900)))
    return {"start": start, "end": None if start is None or length is None else start + length}


def roles() -> SearchStrategy[Role]:
    """Roles, with and without dates."""
    names = st.sampled_from(["customer", "prospect", "employee", "partner", "influencer"])
    return st.builds(lambda name, dates: Role(name=name, **dates), names, _periods())


def memberships(
    member: Id, organisations: SearchStrategy[Id] | None = None
) -> SearchStrategy[Membership]:
    """Memberships of somebody in organisations."""
    return st.builds(
        lambda organisation, role, dates: Membership(
            member=member, organisation=organisation, role=role, **dates
        ),
        st.sampled_from(["acme", "guild"]) if organisations is None else organisations,
        st.none() | texts,
        _periods(),
    )


@st.composite
def customers(draw: DrawFn, *, id: SearchStrategy[Id] | None = None) -> Customer:  # noqa: A002
    """Customers with handles, roles and memberships."""
    who = draw(texts if id is None else id)
    return Customer(
        id=who,
        name=draw(st.none() | texts),
        organisation=draw(st.booleans()),
        handles=tuple(
            draw(st.lists(handles(who), max_size=3, unique_by=lambda h: (h.channel, h.address)))
        ),
        roles=tuple(draw(st.lists(roles(), max_size=2))),
        memberships=tuple(draw(st.lists(memberships(who), max_size=2))),
    )


def weights() -> SearchStrategy[float]:
    """Weights of kinds: mostly small, zero among them."""
    return st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0]) | st.floats(0, 100)


@st.composite
def kinds(draw: DrawFn, *, name: str | None = None) -> Kind:
    """A kind with weights that its family allows."""
    family = draw(st.sampled_from(Family))
    return Kind(
        name=draw(texts) if name is None else name,
        family=family,
        tie_weight=0 if family in UNTIED else draw(weights()),
        engagement_weight=draw(weights()),
        reason=draw(st.just("") | texts),
    )


@st.composite
def vocabularies(draw: DrawFn, *, min_size: int = 1, max_size: int = 6) -> Vocabulary:
    """A vocabulary of a few kinds, some of them with an alias."""
    words = draw(st.lists(texts, min_size=min_size, max_size=max_size, unique=True))
    made = [draw(kinds(name=word)) for word in words]
    spare = draw(st.lists(texts, max_size=len(made), unique=True))
    aliases = [word for word in spare if word not in words]
    made = [
        evolve(kind, aliases=(aliases[index],)) if index < len(aliases) else kind
        for index, kind in enumerate(made)
    ]
    return Vocabulary(name=draw(texts), version=draw(texts), kinds=tuple(made))


@cache
def digits(*sizes: int) -> SearchStrategy[list[int]]:
    """A whole number below each size, all from one draw, which is what drawing costs."""

    def split(number: int) -> list[int]:
        found = []
        for size in sizes:
            number, digit = divmod(number, size)
            found.append(digit)
        return found

    return st.integers(0, prod(sizes) - 1).map(split)


@st.composite
def interactions(
    draw: DrawFn,
    *,
    who: Sequence[Id] = ("ana", "ben", "cem"),
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    id: SearchStrategy[Id] = texts,  # noqa: A002 - the name of the field
    time: SearchStrategy[datetime] | None = None,
    unknown: bool = True,
    nobody: bool = True,
    automated: bool = True,
) -> Interaction:
    """One interaction between some of these people.

    Args:
        draw: Hypothesis gives it.
        who: who can act; those at the front do so more often.
        vocabulary: where the words of kinds come from, aliases among them.
        id: where ids come from.
        time: where times come from.
        unknown: whether the kind may be a word that is not in the vocabulary.
        nobody: whether the source or the target may be absent.
        automated: whether a system may have done it.
    """
    words = [*vocabulary.words, *(["thing nobody knows"] if unknown else [])]
    when = draw(instants() if time is None else time)
    return _draw_act(draw, draw(id), when, who, words, nobody=nobody, automated=automated)


def _draw_act(
    draw: DrawFn,
    name: Id,
    time: datetime,
    who: Sequence[Id],
    words: Sequence[str],
    *,
    nobody: bool,
    automated: bool,
) -> Interaction:
    """An interaction of this id and time; few draws, as each costs a tenth of a millisecond."""
    crowd = [person for rank, person in enumerate(who) for _ in range(max(1, 4 >> rank))]
    source, target, kind = draw(digits(len(crowd), len(who), len(words)))
    channel, thread, about, mood, gap, pay, robot = draw(digits(4, 4, 4, 15, 12, 10, 10))
    paid = pay == 9
    return Interaction(
        id=name,
        time=time,
        kind=words[kind],
        source=None if nobody and gap == 11 else crowd[source],
        target=None if nobody and gap == 10 else who[target],
        channel=CHANNELS[channel],
        valence=draw(MOODS) if mood > 9 else (*[None] * 5, *VALENCES)[mood],
        value=Decimal(draw(CENTS)) / 100 if paid else None,
        currency="EUR" if paid else None,
        thread=(None, None, "t1", "t2")[thread],
        about=(None, None, "product", "case")[about],
        automated=automated and robot == 9,
    )


@st.composite
def logs(
    draw: DrawFn,
    *,
    min_size: int = 0,
    max_size: int = 30,
    who: Sequence[Id] | None = None,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    unknown: bool = True,
    nobody: bool = True,
    automated: bool = True,
    said: bool = False,
    replies: bool = False,
    repeats: bool = False,
    late: bool = False,
    retractions: bool = False,
) -> list[Interaction]:
    """Interactions with distinct keys, in no order, with skew and bursts.

    Args:
        draw: Hypothesis gives it.
        min_size: the least number of interactions, repeats not counted.
        max_size: the largest number of them.
        who: the people; drawn where not given.
        vocabulary: where the words of kinds come from.
        unknown: whether some kinds are not in the vocabulary.
        nobody: whether some have no source or no target.
        automated: whether some are automated.
        said: whether most have a text.
        replies: whether some answer an earlier one, in its thread.
        repeats: whether some come twice, equal in every field.
        late: whether the host learnt of some later than they took place.
        retractions: whether some take back an earlier one.
    """
    who = draw(people()) if who is None else who
    bursts = draw(st.lists(instants(), min_size=1, max_size=4))
    time = digits(len(bursts), len(SPANS), SHARES + 1).map(
        lambda chosen: bursts[chosen[0]] + SPANS[chosen[1]] * (chosen[2] / SHARES)
    )
    words = [*vocabulary.words, *(["thing nobody knows"] if unknown else [])]
    size = draw(st.integers(min_size, max_size))
    log: list[Interaction] = []
    for number in range(size):
        act = _draw_act(
            draw, f"m{number}", draw(time), who, words, nobody=nobody, automated=automated
        )
        delay = draw(DELAYS) if late else -1
        if delay >= 0:
            act = evolve(act, received_at=act.time + timedelta(seconds=delay))
        if said:
            act = evolve(act, text=draw(st.none() | st.sampled_from(SENTENCES) | st.text()))
        earlier = draw(st.integers(-size, number - 1)) if replies and number else -1
        if earlier >= 0:
            act = evolve(act, in_reply_to=log[earlier].id, thread=log[earlier].thread or "t3")
        log.append(act)
    if retractions and log:
        for number, back in enumerate(
            draw(st.lists(st.sampled_from(log), max_size=4, unique=True))
        ):
            when = back.time + timedelta(seconds=draw(st.integers(0, 90 * 86400)))
            taken = evolve(back, id=f"r{number}", retracts=back.id, time=when, received_at=None)
            log.append(taken)
    if repeats and log:
        log += draw(st.lists(st.sampled_from(log), max_size=5))
    return draw(st.permutations(log)) if len(log) <= 12 else log


def interaction_logs(**options: Any) -> SearchStrategy[InteractionLog]:
    """A log as a table of Polars; the options are those of `logs`."""
    from scrmkit.log import InteractionLog

    vocabulary = options.get("vocabulary", DEFAULT_VOCABULARY)
    return logs(**options).map(lambda log: InteractionLog.from_records(log, vocabulary=vocabulary))


def ties(**options: Any) -> SearchStrategy[Ties]:
    """The ties of a log at its last act, without decay; the options are those of `logs`."""
    from scrmkit import relationships
    from scrmkit.log import InteractionLog

    vocabulary = options.get("vocabulary", DEFAULT_VOCABULARY)

    def measure(log: list[Interaction]) -> Ties:
        return relationships.measure(
            InteractionLog.from_records(log, vocabulary=vocabulary),
            as_of=max(act.time for act in log),
            half_life=None,
        )

    return logs(**{"min_size": 1, **options}).map(measure)


@st.composite
def splits(draw: DrawFn, log: Sequence[Interaction]) -> tuple[list[Interaction], list[Interaction]]:
    """A log dealt out into two."""
    left = draw(st.lists(st.booleans(), min_size=len(log), max_size=len(log)))
    return (
        [act for act, first in zip(log, left, strict=True) if first],
        [act for act, first in zip(log, left, strict=True) if not first],
    )


@st.composite
def graphs(
    draw: DrawFn,
    *,
    directed: bool | None = None,
    min_nodes: int = 0,
    max_nodes: int = 9,
    weighted: bool = True,
    loops: bool = False,
) -> nx.Graph[Any]:
    """A small networkx graph with nodes 0, 1, ... and, where wanted, positive weights."""
    directed = draw(st.booleans()) if directed is None else directed
    graph: nx.Graph[Any] = nx.DiGraph() if directed else nx.Graph()
    nodes = draw(st.integers(min_nodes, max_nodes))
    graph.add_nodes_from(range(nodes))
    pairs = [
        (a, b)
        for a in range(nodes)
        for b in range(nodes)
        if (directed or a <= b) and (loops or a != b)
    ]
    if pairs:
        for a, b in draw(st.lists(st.sampled_from(pairs), unique=True)):
            if weighted:
                graph.add_edge(a, b, weight=draw(st.sampled_from([0.5, 1.0, 2.0, 7.25])))
            else:
                graph.add_edge(a, b)
    return graph


def social_graphs(**options: Any) -> SearchStrategy[SocialGraph]:
    """A small graph in compressed rows; the options are those of `graphs`."""
    from scrmkit.graph import SocialGraph

    return graphs(**options).map(SocialGraph.of)
