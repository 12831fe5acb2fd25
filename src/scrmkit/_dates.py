"""One text that stands for a time, however it was written: the slow way, with python-dateutil.

python-dateutil fills what a text lacks from a default date, takes two-digit years from the
current century, guesses which number is the day and looks unknown zones up on the machine.
None of that may decide an instant: each text is read with two defaults and in each order of
day, month and year, and counts only where it has one reading.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from dateutil import parser


UNREAD: Final = "cannot be read"
INCOMPLETE: Final = "lacks a day, a month or a year"
AMBIGUOUS: Final = "can be read with day, month and year in more than one order"
UNKNOWN_ZONE: Final = "has an unknown time zone"
OUT_OF_RANGE: Final = "is out of range"

LONGEST: Final = 100
PIVOT: Final = 69

# A weekday without a day is counted from the default, so the days are further apart than a week.
DEFAULTS: Final = (datetime(1904, 2, 1), datetime(2096, 5, 28))  # noqa: DTZ001
ORDERS: Final = ((False, False), (True, False), (False, True))

ZERO: Final = frozenset({"UTC", "GMT", "UT", "Z"})
EMAIL_ZONES: Final = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}

_COMMENT: Final = re.compile(r"\s*\([^()]*\)\s*$")
_ZERO_BEFORE_OFFSET: Final = re.compile(r"\b(?:UTC|GMT)\s*(?=[+-]\d)")
_LEAP_SECOND: Final = re.compile(r"(?<=\d:\d\d):60(?!\d)")
_EMAIL: Final = re.compile(
    r"(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{2,4}\s+\d\d:\d\d(?::\d\d)?\s+[A-Z]{3}"
)
_YEAR_FIRST: Final = re.compile(
    r"(?<![\d.])(?:\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{8}|\d{12}|\d{14})(?!\d)"
)
_YEAR_LAST: Final = re.compile(r"(?<!\d)\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}(?!\d)")
_DATE_AND_OFFSET: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\s*[+-]\s*\d{1,2}:?(?:\d{2})?")
_DIGITS: Final = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?")
_COMPACT: Final = (8, 12, 14)

# What python-dateutil raises for texts that are no times.
_FAILURES: Final = (ValueError, ArithmeticError, TypeError, LookupError, AttributeError)


class _UnknownZone(Exception):
    """A text names a zone that has no fixed meaning."""


class _Words(parser.parserinfo):
    """The words of python-dateutil, with two-digit years as POSIX has them: 1969 to 2068."""

    def convertyear(self, year: int, century_specified: bool = False) -> int:  # noqa: FBT001, FBT002
        """The year with its century."""
        if year >= 100 or century_specified:
            return year
        return year + (1900 if year >= PIVOT else 2000)


@lru_cache(maxsize=1)
def _parser() -> parser.parser:
    return parser.parser(_Words())


def read_date(text: str, *, day_first: bool | None) -> tuple[datetime | None, str | None]:
    """The time that a text stands for, or the rule that it breaks.

    Args:
        text: what was written.
        day_first: whether 03/04/2021 is the third of April; None where that is not known.

    Returns:
        An instant in UTC where the text has a time zone, else a local time without one; or
        None and what is wrong. Zones are offsets, UTC, GMT, UT, Z and, in dates as e-mails
        have them, the eight names of RFC 5322. A date alone is midnight. A second of 60
        (a leap second) is the next second.

    Example:
        >>> read_date("Mon, 4 Jan 2021 10:00:00 -0500", day_first=None)
        (datetime.datetime(2021, 1, 4, 15, 0, tzinfo=datetime.timezone.utc), None)
        >>> read_date("03/04/2021", day_first=None)
        (None, 'can be read with day, month and year in more than one order')
        >>> read_date("03/04/2021", day_first=True)
        (datetime.datetime(2021, 4, 3, 0, 0), None)
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None, UNREAD
    if _DIGITS.fullmatch(text) and not (text.isdigit() and len(text) in _COMPACT):
        return None, UNREAD
    if _DATE_AND_OFFSET.fullmatch(text):
        return None, AMBIGUOUS
    text = _ZERO_BEFORE_OFFSET.sub("", _COMMENT.sub("", text))
    text, leap = _LEAP_SECOND.subn(":59", text)
    try:
        time, rule = _read(text, day_first)
    except _UnknownZone:
        return None, UNKNOWN_ZONE
    if time is None:
        return None, rule
    try:
        time += timedelta(seconds=leap)
        return (time.astimezone(UTC) if time.tzinfo is not None else time), None
    except OverflowError:
        return None, OUT_OF_RANGE


def _read(text: str, day_first: bool | None) -> tuple[datetime | None, str | None]:  # noqa: FBT001
    if _YEAR_FIRST.search(text):
        orders: tuple[tuple[bool, bool], ...] = ((False, False),)
    elif day_first is not None and _YEAR_LAST.search(text):
        orders = ((day_first, False),)
    else:
        orders = ORDERS
    readings: set[tuple[datetime, datetime]] = set()
    for order in orders:
        try:
            early, late = (_parse(text, default, order) for default in DEFAULTS)
        except _FAILURES:
            continue
        readings.add((early, late))
    if not readings:
        return None, UNREAD
    if any(early != late for early, late in readings):
        return None, INCOMPLETE
    if len(readings) > 1:
        return None, AMBIGUOUS
    return readings.pop()[0], None


def _parse(text: str, default: datetime, order: tuple[bool, bool]) -> datetime:
    is_email = _EMAIL.fullmatch(text) is not None

    def zone(name: str | None, offset: int | None) -> tzinfo | None:
        if name is None:
            return None if offset is None else timezone(timedelta(seconds=offset))
        if name.upper() in ZERO and not offset:
            return UTC
        if is_email and name in EMAIL_ZONES:
            return timezone(timedelta(hours=EMAIL_ZONES[name]))
        raise _UnknownZone

    time = _parser().parse(
        text, default=default, dayfirst=order[0], yearfirst=order[1], tzinfos=zone
    )
    if not isinstance(time, datetime):
        raise TypeError
    return time
