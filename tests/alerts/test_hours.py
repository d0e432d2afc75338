"""Hours by the clocks of a place, over the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.hours import Hours, hours_of

BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "inside", "start", "end"),
    [
        (hours_of("02:00-04:00"), "2026-06-01 03:00", "2026-06-01 02:00", "2026-06-01 04:00"),
        (hours_of("22:00-07:00"), "2026-06-01 23:00", "2026-06-01 22:00", "2026-06-02 07:00"),
        (hours_of("22:00-07:00"), "2026-06-02 06:59", "2026-06-01 22:00", "2026-06-02 07:00"),
        (hours_of("09:00-17:00", KOLKATA), "2026-06-01 04:00", "2026-06-01 03:30", "2026-06-01 11:30"),
        # clocks forward, 29 March 2026: 02:00 becomes 03:00
        (hours_of("22:00-07:00", BERLIN), "2026-03-29 00:00", "2026-03-28 21:00", "2026-03-29 05:00"),
        (hours_of("02:30-03:30", BERLIN), "2026-03-29 01:10", "2026-03-29 01:00", "2026-03-29 01:30"),
        (hours_of("01:00-02:30", BERLIN), "2026-03-29 00:30", "2026-03-29 00:00", "2026-03-29 01:00"),
        # clocks back, 25 October 2026: 03:00 becomes 02:00
        (hours_of("22:00-07:00", BERLIN), "2026-10-25 00:00", "2026-10-24 20:00", "2026-10-25 06:00"),
        (hours_of("02:30-03:30", BERLIN), "2026-10-25 01:10", "2026-10-25 00:30", "2026-10-25 02:30"),
        (hours_of("02:00-02:30", BERLIN), "2026-10-25 00:50", "2026-10-25 00:00", "2026-10-25 01:30"),
        # clocks forward, 8 March 2026, and back, 1 November 2026
        (hours_of("02:30-04:00", NEW_YORK), "2026-03-08 07:30", "2026-03-08 07:00", "2026-03-08 08:00"),
        (hours_of("01:30-03:00", NEW_YORK), "2026-11-01 06:10", "2026-11-01 05:30", "2026-11-01 08:00"),
    ],
)
def test_window_begins_and_ends_by_the_clocks_of_the_place(
    hours: Hours, inside: str, start: str, end: str
) -> None:
    assert hours.window(utc(inside)) == (utc(start), utc(end))
    assert not hours.cover(utc(start) - timedelta(seconds=1))
    assert hours.cover(utc(start))
    assert hours.cover(utc(end) - timedelta(seconds=1))
    assert not hours.cover(utc(end))


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        (BERLIN, "2026-03-29", "2026-10-25"),
        (NEW_YORK, "2026-03-08", "2026-11-01"),
        (KOLKATA, None, None),
    ],
)
def test_every_night_of_a_year_is_quiet_by_its_own_length(
    zone: str, short: str | None, long: str | None
) -> None:
    hours, nights = hours_of("22:00-07:00", zone), {}
    for day in range(365):
        midnight = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=day)
        window = hours.window(midnight.astimezone(UTC))
        assert window is not None
        nights[f"{midnight:%Y-%m-%d}"] = window[1] - window[0]
    odd = {day: length for day, length in nights.items() if length != 9 * HOUR}
    assert odd == ({} if short is None else {short: 8 * HOUR, long: 10 * HOUR})


moments = st.integers(0, 365 * 24 * 60 - 1).map(lambda minute: utc("2026-01-01") + timedelta(minutes=minute))
clocks = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@settings(deadline=None, max_examples=500)
@given(moments, clocks, clocks, st.sampled_from([BERLIN, NEW_YORK, KOLKATA, "Australia/Lord_Howe", "UTC"]))
def test_whenever_the_clock_shows_a_time_between_it_is_inside(
    now: datetime, start: time, end: time, zone: str
) -> None:
    hours, shown = Hours(start, end, zone), now.astimezone(ZoneInfo(zone)).time()
    between = start <= shown < end if start < end else shown >= start or shown < end
    if between:
        assert hours.cover(now)
    elif hours.cover(now):  # only around a change of the clocks may more be inside
        local = now.astimezone(ZoneInfo(zone))
        around = {(local + timedelta(hours=shift)).utcoffset() for shift in range(-24, 25)}
        assert len(around) > 1


def test_days_are_those_on_which_a_window_begins() -> None:
    weekend = hours_of("22:00-06:00", days="fri-sat")
    assert weekend.cover(utc("2026-11-21 05:00"))  # a Saturday, of Friday's night
    assert weekend.cover(utc("2026-11-22 05:00"))
    assert not weekend.cover(utc("2026-11-23 05:00"))
    assert not weekend.cover(utc("2026-11-20 05:00"))


@pytest.mark.parametrize(
    ("days", "expected"),
    [("", ()), ("mon-fri", (0, 1, 2, 3, 4)), ("sat,sun", (5, 6)), ("fri-mon", (0, 4, 5, 6)), ("Wed", (2,))],
)
def test_days_are_written_as_ranges_and_lists(days: str, expected: tuple[int, ...]) -> None:
    assert hours_of("1:00-2:00", days=days).days == expected


@pytest.mark.parametrize(
    ("span", "zone", "days", "said"),
    [
        ("22-07", "UTC", "", "expected hours such as 22:00-07:00"),
        ("25:00-07:00", "UTC", "", "expected hours such as 22:00-07:00"),
        ("22:00-07:00", "Europe/Berln", "", '"Europe/Berln" is not a time zone'),
        ("22:00-07:00", "UTC", "monday", "expected days such as mon-fri"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_expected_form(
    span: str, zone: str, days: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        hours_of(span, zone, days)


def test_hours_go_to_json_and_back_and_read_well() -> None:
    hours = hours_of("22:00-07:00", BERLIN, "mon-fri")
    assert msgspec.convert(msgspec.to_builtins(hours), Hours) == hours
    assert str(hours) == "22:00-07:00 on mon,tue,wed,thu,fri (Europe/Berlin)"
