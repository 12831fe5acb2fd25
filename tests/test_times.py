"""Columns of times to instants: every representation, both sides of clock changes, no guesses."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit._dates import read_date
from scrmkit._times import localize, parse_times
from scrmkit.errors import InvalidParameter, InvalidTable


# zoneinfo and the engine have the same rules in these years.
FIRST, LAST = datetime(1975, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001
ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
)

local_times = st.datetimes(FIRST, LAST)
instants = local_times.map(lambda value: value.replace(tzinfo=UTC))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def parse(
    values: list[object] | pl.Series, zone: str | None = None
) -> tuple[list[datetime | None], list[str | None]]:
    """The instants and rules of a column called time."""
    column = values if isinstance(values, pl.Series) else pl.Series("ts", values)
    found, rules = parse_times(column, timezone=zone, name="time")
    assert found.dtype == pl.Datetime("us", "UTC")
    assert rules.dtype == pl.String
    assert len(found) == len(rules) == len(column)
    return found.to_list(), rules.to_list()


def read(values: list[object] | pl.Series, zone: str | None = None) -> list[datetime | None]:
    """The instants of a column in which every value can be used."""
    found, rules = parse(values, zone)
    assert rules == [None] * len(rules)
    return found


def rule(values: list[object], zone: str | None = None) -> list[str | None]:
    """The rules of a column."""
    return parse(values, zone)[1]


# every representation

ISO = {
    "isoformat": lambda t: t.isoformat(),
    "a space": lambda t: t.isoformat(sep=" "),
    "Z": lambda t: t.isoformat().replace("+00:00", "Z"),
    "UTC": lambda t: f"{t:%Y-%m-%d %H:%M:%S.%f} UTC",
    "offset without colon": lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f%z}",
    "slashes": lambda t: f"{t:%Y/%m/%d %H:%M:%S.%f}Z",
    "spaces around": lambda t: f"  {t.isoformat()} ",
}


@pytest.mark.parametrize("form", ISO.values(), ids=ISO)
@given(st.lists(instants, min_size=1, max_size=5))
def test_iso_texts_round_trip(form, times: list[datetime]) -> None:
    """An instant written in ISO 8601 is read as itself."""
    assert read([form(value) for value in times]) == times


@given(st.lists(st.tuples(instants, offsets), min_size=1, max_size=5))
def test_offsets_are_respected(times: list[tuple[datetime, timezone]]) -> None:
    """An instant written in any zone is read as the same instant."""
    texts = [value.astimezone(zone).isoformat() for value, zone in times]
    assert read(texts) == [value for value, _ in times]


@given(st.lists(instants, min_size=1, max_size=5))
def test_dates_of_e_mails(times: list[datetime]) -> None:
    """The dates of RFC 5322, to the second, are read as themselves."""
    whole = [value.replace(microsecond=0) for value in times]
    assert read([format_datetime(value) for value in whole]) == whole


@given(st.lists(local_times, min_size=1, max_size=5), st.sampled_from(["/", ".", "-"]))
def test_day_first_and_month_first_round_trip(times: list[datetime], mark: str) -> None:
    """Where one date shows the order of day and month, all dates are read in it."""
    proof = datetime(2021, 12, 25, 1, 2, 3)  # noqa: DTZ001
    whole = [value.replace(microsecond=0) for value in (*times, proof)]
    for form in ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"):
        texts = [value.strftime(form.replace("/", mark)) for value in whole]
        if any(value.day > 12 for value in whole):
            assert read(texts, "UTC") == [value.replace(tzinfo=UTC) for value in whole]


UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@pytest.mark.parametrize("unit", UNITS)
@given(st.lists(instants, min_size=1, max_size=5))
def test_numbers_round_trip(unit: str, times: list[datetime]) -> None:
    """Seconds to nanoseconds since 1970, as integers and as texts, are told by magnitude."""
    whole = [value.replace(microsecond=0) for value in times]
    numbers = [int(value.timestamp()) * UNITS[unit] for value in whole]
    assert read(numbers) == whole
    assert read([str(number) for number in numbers]) == whole


@given(st.lists(instants, min_size=1, max_size=5))
def test_fractions_of_seconds_round_trip(times: list[datetime]) -> None:
    """Seconds with a fraction, as floats and as texts, are read to the microsecond."""
    seconds = [value.timestamp() for value in times]
    assert read(seconds) == times
    assert read([f"{value:.6f}" for value in seconds]) == times


@given(st.lists(st.none() | instants, max_size=5))
def test_timestamps_with_a_zone_keep_their_instant(times: list[datetime | None]) -> None:
    """A timestamp with a zone is the same instant in UTC, whatever its zone."""
    column = pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    for zone in ("Asia/Kolkata", "UTC"):
        assert read(column.dt.convert_time_zone(zone)) == times


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_units_of_timestamps(unit) -> None:
    """Timestamps in every unit come back in microseconds."""
    value = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert read(pl.Series([value, None]).dt.cast_time_unit(unit)) == [value, None]


def test_dates_are_midnight() -> None:
    """A date is midnight in the zone that was named, as a date and as a text."""
    midnight = datetime(2021, 6, 4, 0, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    for value in (date(2021, 6, 4), "2021-06-04", "4 June 2021", "20210604", 20210604):
        assert read([value], "Europe/London") == [midnight]


@pytest.mark.parametrize(
    "text",
    [
        "2021-01-04T10:00",
        "2021-01-04 10:00:00",
        "Jan 4, 2021 10:00 AM",
        "Monday, January 4th 2021 at 10:00",
        "04-Jan-2021 10:00",
        "20210104T100000",
        "202101041000",
        "20210104100000",
        "2021-01-04 10:00:00,000",
    ],
)
def test_one_time_in_many_ways(text: str) -> None:
    """Whatever python-dateutil reads in one way only is read, in words, too."""
    assert read([text], "UTC") == [datetime(2021, 1, 4, 10, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("Mon, 4 Jan 2021 10:00:00 EST", 15),
        ("Mon, 4 Jan 2021 10:00:00 GMT", 10),
        ("Mon Jan 04 2021 10:00:00 GMT+0100 (Central European Standard Time)", 9),
        ("2021-01-04 10:00 UTC+3", 7),
        ("2021-01-04 10:00 -03:30", 13.5),
    ],
)
def test_zones_in_texts(text: str, hour: float) -> None:
    """Offsets have the sign of ISO 8601 after UTC and GMT, too; e-mails have named zones."""
    assert read([text]) == [datetime(2021, 1, 4, tzinfo=UTC) + timedelta(hours=hour)]


def test_a_leap_second_is_the_next_second() -> None:
    """A second of 60 is read in every form as the second after it."""
    expected = [datetime(2017, 1, 1, tzinfo=UTC)]
    for text in ("2016-12-31 23:59:60", "2016-12-31T23:59:60Z", "31 Dec 2016 23:59:60 +0000"):
        assert read([text], "UTC") == expected


# the fast way and the slow way


@given(
    st.lists(
        st.tuples(
            local_times,
            st.sampled_from(["T", " "]),
            st.sampled_from(["%H:%M:%S", "%H:%M:%S.%f", "%H:%M"]),
            st.sampled_from(["", "Z", "+01:00", "-0330", " UTC"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_vectorised_formats_agree_with_dateutil(parts) -> None:
    """What the vectorised formats read is what python-dateutil reads in the same text."""
    texts = [f"{day:%Y-%m-%d}{mark}{day.strftime(hour)}{zone}" for day, mark, hour, zone in parts]
    expected = [read_date(text, day_first=None)[0] for text in texts]
    assert None not in expected
    known = [value if value.tzinfo else value.replace(tzinfo=UTC) for value in expected]
    assert read(texts, "UTC") == known


fragments = st.sampled_from(
    [
        *("2021", "21", "03", "04", "12", "25", "31", "99", "1609459200", "0", "-1", "1e9"),
        *("-", "/", ".", ":", " ", "T", "Z", "+01:00", "+0100", "GMT", "EST", "am", "PM", ","),
        *("Jan", "May", "Mon", "10:00", "10:00:60", "2021-03-04", "03/04/2021", "nan", "\x00"),
    ]
)
odd_texts = st.text(max_size=12) | st.lists(fragments, max_size=6).map("".join)
columns = st.lists(st.none() | odd_texts | instants.map(datetime.isoformat), max_size=8)


@settings(max_examples=100)
@given(columns, st.sampled_from([None, "UTC", "Europe/London"]))
def test_every_value_is_an_instant_or_has_a_rule(values, zone: str | None) -> None:
    """A value is read or rejected with a rule, never both; null is neither."""
    try:
        found, rules = parse(pl.Series(values, dtype=pl.String), zone)
    except InvalidParameter:
        assert zone is None
        return
    for value, instant, why in zip(values, found, rules, strict=True):
        assert (instant is not None) + (why is not None) == (value is not None)


@given(columns, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(values, shuffle: random.Random) -> None:
    """A value is read in the same way wherever it stands in its column."""
    shuffled = shuffle.sample(values, len(values))

    def outcome(texts):
        pairs = parse(pl.Series(texts, dtype=pl.String), "UTC")
        return sorted(map(repr, zip(texts, *pairs, strict=True)))

    assert outcome(values) == outcome(shuffled)


def test_long_columns_are_sampled_throughout() -> None:
    """A format that only the end of a long column has is found as well."""
    texts = ["2021-03-04T05:06:07Z"] * 5000 + ["2021-03-04 05:06Z"] * 10
    assert set(read(texts)) == {
        datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC),
        datetime(2021, 3, 4, 5, 6, tzinfo=UTC),
    }


# what is refused


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "time cannot be read"),
        ("", "time is empty"),
        ("2021-02-30T00:00Z", "time cannot be read"),
        ("2021-13-01T00:00Z", "time cannot be read"),
        ("2021-03-04T25:00Z", "time cannot be read"),
        ("12345678901", "time cannot be read"),
        ("9" * 200, "time cannot be read"),
        ("10:30", "time lacks a day, a month or a year"),
        ("May 2021", "time lacks a day, a month or a year"),
        ("Sat May 2021", "time lacks a day, a month or a year"),
        ("Monday", "time lacks a day, a month or a year"),
        ("4 May", "time lacks a day, a month or a year"),
        ("03/04/2021", "time can be read with day and month either way"),
        ("03/04/05", "time can be read with day, month and year in more than one order"),
        ("2021-01-02-03:00", "time can be read with day, month and year in more than one order"),
        ("2021-03-04 10:00 BST", "time has an unknown time zone"),
        ("2021-03-04 10:00 EST", "time has an unknown time zone"),
        ("0000-01-01T00:00:00Z", "time is out of range"),
        ("9999-12-31T23:59:59-05:00", "time is out of range"),
        ("2021-03-04T10:00", "time has no time zone"),
    ],
)
def test_texts_that_are_refused(text: str, why: str) -> None:
    """A text that is no time, or more than one, is rejected with the reason."""
    aware = ["2021-03-04T05:06Z"] * 2
    assert rule([*aware, text]) == [None, None, why]


def test_nothing_is_taken_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the zone of the machine nor its year decides what a text means."""
    texts = ["2021-03-04 10:00 AEST", "4 March", "25 Dec 75", "25 Dec 60"]
    before = parse([*texts], "UTC")
    monkeypatch.setenv("TZ", "AEST-10")
    time.tzset()
    try:
        assert parse([*texts], "UTC") == before
    finally:
        monkeypatch.undo()
        time.tzset()
    assert before[0] == [
        None,
        None,
        datetime(1975, 12, 25, tzinfo=UTC),
        datetime(2060, 12, 25, tzinfo=UTC),
    ]


def test_two_digit_years_count_where_nothing_else_can_be_the_year() -> None:
    """A two-digit year is 1969 to 2068, and refused where it could be the day."""
    assert read(["25 Jan 99", "1/25/99"], "UTC") == [datetime(1999, 1, 25, tzinfo=UTC)] * 2
    assert "more than one order" in str(rule(["4 Jan 21"], "UTC")[0])


def test_order_of_day_and_month_is_decided_for_the_column() -> None:
    """One date that can only be read one way decides; contradictions leave only clear dates."""
    third = datetime(2021, 4, 3, tzinfo=UTC)
    assert read(["03/04/2021", "25.12.2021 10:00 PM"], "UTC")[0] == third
    assert read(["Sat 03/04/2021", "25/12/2021"], "UTC")[0] == third
    assert read(["03/04/2021", "12/25/2021"], "UTC")[0] == datetime(2021, 3, 4, tzinfo=UTC)
    found, rules = parse(["03/04/2021", "25/12/2021", "12/25/2021", "03/03/2021"], "UTC")
    assert [value is None for value in found] == [True, False, False, False]
    assert rules[0] == "time can be read with day and month either way"


def test_dates_that_start_with_the_year_have_one_order() -> None:
    """Day first in other values of the column does not turn 2021-03-04 around."""
    texts = ["25/12/2021", "2021-03-04 3:15 PM", "2021/03/04 3:15 PM"]
    assert read(texts, "UTC")[1:] == [datetime(2021, 3, 4, 15, 15, tzinfo=UTC)] * 2


# numbers


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (99_999_999_999_999, datetime(5138, 11, 16, 9, 46, 39, 999_000, tzinfo=UTC)),
        (100_000_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (100_000_000_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_limits_of_units(number: int, expected: datetime) -> None:
    """Seconds end at 1e11, milliseconds at 1e14, microseconds at 1e17."""
    assert read([number]) == [expected]


def test_numbers_in_another_unit_than_the_rest() -> None:
    """The median decides the unit, and a number of another magnitude is rejected."""
    milliseconds = 1_609_459_200_000
    for values in (
        [milliseconds, milliseconds, 1_609_459_200, 0, milliseconds * 1000],
        [str(milliseconds)] * 3 + ["0", "1609459200"],
    ):
        found, rules = parse(values)
        assert [value is not None for value in found].count(True) == len(values) - rules.count(
            "time is in another unit than the rest of the column"
        )
        assert found[0] == datetime(2021, 1, 1, tzinfo=UTC)


def test_numbers_out_of_range() -> None:
    """Not a number, infinity and years outside 1 to 9999 are rejected."""
    why = "time is out of range"
    assert rule([1.5e9, float("nan"), float("inf"), None]) == [None, why, why, None]
    assert rule([-99_999_999_999]) == [why]
    assert rule([float("nan")]) == [why]
    assert parse(pl.Series([2**64 - 1, 0, 1], dtype=pl.UInt64))[1][0] is not None


def test_compact_dates_need_every_number_to_be_one() -> None:
    """Numbers like 20210304 are dates only where all of them are."""
    assert read([20210304, 20210305], "UTC")[0] == datetime(2021, 3, 4, tzinfo=UTC)
    assert read([20210304, 20219999], "UTC")[0] == (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=20210304)
    )


def test_numbers_are_told_from_texts_by_the_whole_column() -> None:
    """A number among texts is no time; a text among numbers is read as what it says."""
    second = datetime(2021, 1, 1, tzinfo=UTC)
    assert read(["1609459200", "1609459200", "2021-01-01T00:00Z"]) == [second] * 3
    assert rule(["2021-01-01T00:00Z"] * 2 + ["1609459200"])[2] == "time cannot be read"


def test_milliseconds_far_out_of_range_do_not_wrap() -> None:
    """A timestamp in milliseconds beyond the year 9999 is rejected, not wrapped around."""
    column = pl.Series([2**62, 0], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    assert parse(column) == (
        [None, datetime(1970, 1, 1, tzinfo=UTC)],
        ["time is out of range", None],
    )


# local times


def test_local_times_need_a_zone() -> None:
    """A column of local times without timezone= is an error that names column and remedy."""
    for values in ([datetime(2021, 1, 1)], ["2021-01-01"], [date(2021, 1, 1)], [20210101]):  # noqa: DTZ001
        with pytest.raises(InvalidParameter, match=r"'time' have no time zone.*timezone="):
            parse(values)


def test_a_column_of_nulls_needs_no_zone() -> None:
    """Nulls are neither instants nor rejected, of whatever type."""
    for dtype in (pl.Null, pl.String, pl.Datetime("us"), pl.Int64, pl.Float64, pl.Date):
        assert parse(pl.Series([None, None], dtype=dtype)) == ([None, None], [None, None])
        assert parse(pl.Series([], dtype=dtype)) == ([], [])


@pytest.mark.parametrize(
    ("zone", "hint"), [("Europe/Londn", "Europe/London"), ("+02:00", "IANA"), ("", "IANA")]
)
def test_unknown_zones(zone: str, hint: str) -> None:
    """A zone that is not in the IANA database is an error with a hint."""
    with pytest.raises(InvalidParameter, match=hint):
        parse(["2021-01-01"], zone)


def test_other_types_are_refused() -> None:
    """A column that cannot hold times is an error that names its type."""
    with pytest.raises(InvalidTable, match="'time' is of type Boolean"):
        parse([True])


def test_categories_are_texts() -> None:
    """Categorical columns are read as their texts."""
    column = pl.Series(["2021-01-01T00:00Z"], dtype=pl.Categorical)
    assert read(column) == [datetime(2021, 1, 1, tzinfo=UTC)]


def expected_instant(local: datetime, zone: str) -> tuple[datetime | None, str | None]:
    """What zoneinfo says of a local time: one instant, or none, or two."""
    early, late = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    back = [
        t.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for t in (early, late)
    ]
    if local not in back:
        return None, "is skipped by a clock change"
    if early.utcoffset() != late.utcoffset():
        return None, "is repeated by a clock change"
    return early.astimezone(UTC), None


CHANGES = [
    ("Europe/London", datetime(2021, 3, 28, 1)),  # noqa: DTZ001
    ("Europe/London", datetime(2021, 10, 31, 1)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2021, 10, 3, 2)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2021, 4, 4, 1, 30)),  # noqa: DTZ001
    ("Africa/Casablanca", datetime(2021, 4, 11, 2)),  # noqa: DTZ001
    ("Africa/Casablanca", datetime(2021, 5, 16, 2)),  # noqa: DTZ001
    ("Pacific/Apia", datetime(2011, 12, 30)),  # noqa: DTZ001
    ("America/St_Johns", datetime(2006, 10, 29, 0, 1)),  # noqa: DTZ001
]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_both_sides_of_clock_changes(zone: str, change: datetime) -> None:
    """Every minute for two days around a clock change is what zoneinfo says it is."""
    times = [change + timedelta(minutes=minute) for minute in range(-1441, 1500)]
    found, rules = localize(pl.Series(times), zone)
    expected = [expected_instant(value, zone) for value in times]
    assert list(zip(found.to_list(), rules.to_list(), strict=True)) == expected
    assert rules.null_count() < len(rules)


@given(st.lists(local_times, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_local_times_are_those_of_zoneinfo(times: list[datetime], zone: str) -> None:
    """A local time is the one instant that zoneinfo gives, or rejected."""
    found, rules = localize(pl.Series(times), zone)
    expected = [expected_instant(value, zone) for value in times]
    assert list(zip(found.to_list(), rules.to_list(), strict=True)) == expected


def test_rules_of_local_times_name_the_column() -> None:
    """Skipped and repeated times are rejected rows of a column of texts, too."""
    texts = ["2021-03-28 01:30", "2021-10-31 01:30", "2021-06-01 01:30"]
    assert parse(texts, "Europe/London") == (
        [None, None, datetime(2021, 6, 1, 0, 30, tzinfo=UTC)],
        ["time is skipped by a clock change", "time is repeated by a clock change", None],
    )
