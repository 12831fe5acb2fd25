"""The interactions of a log that count at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import narwhals.stable.v2 as nw
from attrs import frozen

from scrmkit import _checks, _tables
from scrmkit._instants import Instant
from scrmkit._tables import Home
from scrmkit.errors import InvalidParameter


UNTIL: Final = "__scrmkit_until"
_SCOPE: Final = "__scrmkit_scope"
_TAKEN_BACK: Final = "__scrmkit_taken_back"


@frozen
class Acts:
    """The interactions of a log that count at an instant.

    Attributes:
        frame: the rows; where the log has acts that take others back, the column `UNTIL`
            says when a row is taken back later on.
        constants: the columns that hold one value in every row; they are in ``frame`` too.
        instant: when they count: known, or the last instant of a lazy table.
        home: where results go back to.

    Example:
        >>> import polars as pl
        >>> from scrmkit import InteractionLog
        >>> table = pl.DataFrame({"time": [0, 60], "source": ["ana", "ben"]})
        >>> log = InteractionLog.from_frame(table, constants={"kind": "post"})
        >>> log.acts().as_of.isoformat()
        '1970-01-01T00:01:00+00:00'
    """

    frame: nw.LazyFrame[Any]
    constants: Mapping[str, Any]
    instant: Instant
    home: Home

    @property
    def as_of(self) -> datetime:
        """The instant, in UTC; the last one of a lazy table is read when it is first asked for.

        Raises:
            InvalidParameter: there is none, because the log is empty.
        """
        as_of = self.instant.read()
        if as_of is None:
            raise InvalidParameter(
                "an empty log has no last instant: give as_of (print(log.summary()) says what "
                "became of its rows)"
            )
        return as_of

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns of ``frame``."""
        return frozenset(self.frame.collect_schema().names())


def without_retracted(
    rows: nw.LazyFrame[Any], names: list[str], first: datetime | None
) -> nw.LazyFrame[Any]:
    """Drop the rows that take back, and those that were taken back at or before an instant.

    Without an instant, those that were ever taken back.
    """
    scope = nw.col("scope").cast(nw.String).fill_null("") if "scope" in names else nw.lit("")
    rows = rows.with_columns(scope.alias(_SCOPE))
    earliest: dict[str, tuple[str, _tables.How]] = {UNTIL: ("time", "min")}
    taken_back = _tables.aggregate(
        rows.filter(~nw.col("retracts").is_null()).select(
            _SCOPE, "time", nw.col("retracts").alias(_TAKEN_BACK)
        ),
        [_SCOPE, _TAKEN_BACK],
        **earliest,
    )
    joined = rows.filter(nw.col("retracts").is_null()).join(
        taken_back, how="left", left_on=[_SCOPE, "id"], right_on=[_SCOPE, _TAKEN_BACK]
    )
    still = nw.col(UNTIL).is_null()
    if first is not None:
        still = still | (nw.col(UNTIL) > nw.lit(_checks.to_utc(first, name="earliest")))
    kept = [name for name in names if name != "retracts"]
    return joined.filter(still).select(*kept, UNTIL)
