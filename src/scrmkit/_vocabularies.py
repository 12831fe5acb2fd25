"""The words a host uses: kinds of interactions, what each counts for, and their families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from typing import Final

from attrs import Attribute, evolve, field, frozen

from scrmkit import _checks, _plugins
from scrmkit.errors import InvalidParameter, PluginError, UnknownKind


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

    @classmethod
    def load(cls, *names: str) -> Vocabulary:
        """The vocabularies of these names as one; where two define a kind, the later one does.

        A word that is the name of a kind in one and an alias in another is the name.

        Args:
            names: ``"scrmkit"`` for the default one, and names of plugins, such as
                ``"forum"`` or ``"scrmkit-forum:forum"``.

        Raises:
            InvalidParameter: no name, no such vocabulary, or words that mean two kinds.
            PluginError: a plugin cannot be loaded, or is no vocabulary.

        Example:
            >>> from scrmkit import DEFAULT_VOCABULARY, Vocabulary
            >>> Vocabulary.load("scrmkit") == DEFAULT_VOCABULARY
            True
        """
        if not names:
            raise InvalidParameter("give at least one name, such as 'scrmkit'")
        found = [_load(name) for name in names]
        if len(found) == 1:
            return found[0]
        return Vocabulary(
            name=" + ".join(each.name for each in found),
            version=" + ".join(each.version for each in found),
            kinds=_put_together(kind for each in found for kind in each.kinds),
        )

    def get(self, word: str) -> Kind | None:
        """The kind that this name or alias means, or None."""
        return self.words.get(word)

    def extend(self, *kinds: Kind, name: str, version: str = "1") -> Vocabulary:
        """A new vocabulary with these kinds too; a kind of the same name is replaced.

        A word that was an alias and is the name of one of these kinds is the name from now on.
        """
        return Vocabulary(name=name, version=version, kinds=_put_together((*self.kinds, *kinds)))

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


def _put_together(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """One kind of each name, the last; a name that is an alias elsewhere is the name."""
    named = {kind.name: kind for kind in kinds}
    return tuple(
        evolve(kind, aliases=tuple(word for word in kind.aliases if word not in named))
        for kind in named.values()
    )


def _load(name: str) -> Vocabulary:
    if name == OURS:
        return DEFAULT_VOCABULARY
    plugin = _plugins.choose("vocabularies", name, ours=(OURS,))
    return check_vocabulary(plugin.made, plugin.label)


def check_vocabulary(made: object, label: str) -> Vocabulary:
    """Refuse a plugin that is no vocabulary."""
    if not isinstance(made, Vocabulary):
        raise PluginError(f"{label} is of type {type(made).__name__}: give a Vocabulary")
    return made


OURS: Final = "scrmkit"


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
