from datetime import UTC, datetime, timedelta

import pytest

from dashboard import format as fmt

NOW = datetime(2026, 11, 21, 3, 59, 12, 345_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "no data"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.0421, "4.21 %"),
        (0.999_99, "> 99.99 %"),
        (0.000_01, "< 0.01 %"),
    ],
)
def test_only_exactly_all_and_nothing_are_written_as_100_and_0_percent(rate: float | None, text: str) -> None:
    assert fmt.percent(rate) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "no data"),
        (0, "0"),
        (9_999, "9,999"),
        (17_283, "17.3 k"),
        (1_234_567, "1.23 M"),
        (7.1e9, "7.10 G"),
    ],
)
def test_large_counts_keep_three_digits(value: float | None, text: str) -> None:
    assert fmt.compact(value) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "no data"),
        (0.42, "0.42 ms"),
        (87.4, "87 ms"),
        (1240.0, "1.24 s"),
        (59_900.0, "59.9 s"),
        (125_000.0, "2 min 5 s"),
        (7_200_000.0, "2 h"),
    ],
)
def test_durations_take_the_unit_a_person_would(ms: float | None, text: str) -> None:
    assert fmt.millis(ms) == text


def test_an_age_is_told_in_its_two_largest_units() -> None:
    assert fmt.ago(NOW - timedelta(hours=3, minutes=10), NOW) == "3 h 10 min ago"
    assert fmt.ago(NOW + timedelta(days=12), NOW) == "in 12 d"
    assert fmt.ago(NOW, NOW) == "just now"
    assert fmt.ago(None, NOW) == "never"


def test_a_time_known_to_its_minute_is_told_in_whole_minutes() -> None:
    assert fmt.minute_ago(NOW.replace(second=0, microsecond=0), NOW) == "this minute"
    assert fmt.minute_ago(NOW.replace(minute=56, second=0, microsecond=0), NOW) == "3 min ago"
    assert fmt.minute_ago(None, NOW) == "never"


def test_a_change_says_its_direction_and_nothing_when_there_is_none() -> None:
    assert fmt.points(0.0042) == "+0.42 pt"
    assert fmt.points(-0.01) == "−1.00 pt"
    assert fmt.points(0.000_01) == ""
    assert fmt.points(None) == ""
    assert fmt.relative(112, 100) == "+12 %"
    assert fmt.relative(310, 100) == "×3.1"
    assert fmt.relative(5, 0) == ""
    assert fmt.relative(None, 5) == ""


def test_times_are_shown_in_utc_whatever_zone_they_came_in() -> None:
    from zoneinfo import ZoneInfo

    there = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    assert fmt.moment(there) == "2026-11-21 03:59:12"
    assert fmt.precise(there) == "2026-11-21 03:59:12.345 UTC"
    assert fmt.clock(there) == "03:59:12.345"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "no data"), (512, "512 B"), (1536, "1.50 KiB"), (2**31, "2.00 GiB")],
)
def test_sizes_are_binary(value: int | None, text: str) -> None:
    assert fmt.size(value) == text
