"""What became of the rows of a log, counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _instants, _tables
from scrmkit._checks import Frozen
from scrmkit._intake import Intake, LazyIntake
from scrmkit.interactions import Vocabulary


_KINDS_NAMED: Final = 100
_UNKNOWN: Final = "__scrmkit_unknown"


@frozen
class Summary:
    """What became of the rows that were read: read = accepted + repeated + rejected.

    Attributes:
        read: how many rows came.
        accepted: how many are in the log.
        repeated: how many were there already: the same key with the same content.
        rejected: how many could not be used.
        rules: how many broke each rule.
        unknown: how many accepted rows have a kind that the vocabulary lacks.
        unknown_kinds: how many of them have which kind: the 100 most frequent ones, most
            frequent first; equally frequent ones in order of the word.
        first: the first instant in the log; None where it is empty.
        last: the last instant in the log; None where it is empty.

    Example:
        >>> import polars as pl
        >>> from scrmkit import InteractionLog
        >>> table = pl.DataFrame({"time": [0, 60], "source": ["ana", ""], "target": ["ben", "ben"]})
        >>> summary = InteractionLog.from_frame(table, constants={"kind": "message"}).summary()
        >>> summary.read, summary.accepted, dict(summary.rules)
        (2, 1, {'source is empty': 1})
    """

    read: int
    accepted: int
    repeated: int
    rejected: int
    rules: Mapping[str, int]
    unknown: int
    unknown_kinds: Mapping[str, int]
    first: datetime | None
    last: datetime | None

    def __str__(self) -> str:
        counts = (
            f"{self.read:,} read = {self.accepted:,} accepted + {self.repeated:,} repeated "
            f"+ {self.rejected:,} rejected"
        )
        lines = [counts]
        if self.first is not None and self.last is not None:
            lines.append(f"from {self.first.isoformat()} to {self.last.isoformat()}")
        lines.extend(f"rejected, {rule}: {count:,}" for rule, count in self.rules.items())
        lines.extend(
            f"unknown kind, weighs nothing, {kind}: {count:,}"
            for kind, count in self.unknown_kinds.items()
        )
        others = self.unknown - sum(self.unknown_kinds.values())
        if others:
            lines.append(f"other unknown kinds, weigh nothing: {others:,}")
        return "\n".join(lines)


def summarize(
    rows: nw.LazyFrame[Any], intake: Intake | LazyIntake, vocabulary: Vocabulary
) -> Summary:
    """Count what was read: the accepted rows, those of the intake, kinds by a vocabulary."""
    known = nw.col("kind").cast(nw.String).is_in(list(vocabulary.words))
    rows = rows.with_columns((~known).cast(nw.Int64).alias(_UNKNOWN))
    counted = rows.select(
        nw.len().alias("n"),
        nw.col(_UNKNOWN).sum(),
        nw.col("time").min().alias("first"),
        nw.col("time").max().alias("last"),
    ).collect()
    rules = dict(sorted(_count(_by(intake.rejected, "rule")).items()))
    accepted, rejected = int(counted["n"][0]), sum(rules.values())
    read = intake.read
    if isinstance(read, nw.LazyFrame):
        read = int(read.select(nw.len().alias("n")).collect()["n"][0])
    unknown = int(counted[_UNKNOWN][0] or 0)
    strange = _by(rows.filter(nw.col(_UNKNOWN) == 1), "kind")
    frequent = strange.sort("n", "kind", descending=[True, False]).head(_KINDS_NAMED)
    return Summary(
        read=read,
        accepted=accepted,
        repeated=read - accepted - rejected,
        rejected=rejected,
        rules=Frozen(rules),
        unknown=unknown,
        unknown_kinds=Frozen(_count(frequent) if unknown else {}),
        first=_instants.to_instant(counted["first"]),
        last=_instants.to_instant(counted["last"]),
    )


def _by(frame: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
    return _tables.aggregate(frame, [column], n=(column, "len"))


def _count(counts: nw.LazyFrame[Any]) -> dict[str, int]:
    words, numbers = counts.collect().iter_columns()
    return {word: int(n) for word, n in zip(words.to_list(), numbers.to_list(), strict=True)}
