"""Numbers, spans and units as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.wording import counted, measured, moment, number, percent, seconds, span


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.124, "share", "12.4 %"),
        (0.0004, "share", "0.04 %"),
        (6200, "ms", "6,200 ms"),
        (310, "events", "310 events"),
        (11400, "s", "3 h 10 min"),
        (60, "s", "60 s"),
        (14.4, "x", "14.4 times"),
        (0, "events", "0 events"),
    ],
)
def test_a_value_is_said_in_its_unit(value: float, unit: str, said: str) -> None:
    assert measured(value, unit) == said


@pytest.mark.parametrize(("ms", "said"), [(850, "850 ms"), (4300, "4.3 s"), (30_000, "30 s")])
def test_a_time_of_milliseconds_is_said_in_seconds_from_one_on(ms: float, said: str) -> None:
    assert seconds(ms) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.1, "10 %"),
        (0.124, "12.4 %"),
        (0.00123, "0.12 %"),
        (0.01, "1 %"),
        (0.0015, "0.15 %"),
        (0.00999, "1 %"),
        (0.99, "99 %"),
        (0.9949, "99.49 %"),
        (0.9995, "99.95 %"),
        (0.99999, "99.999 %"),
        (1.2, "120 %"),
    ],
)
def test_a_share_near_nothing_or_near_all_is_not_rounded_away(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 probes"), (1, "1 probe"), (2500, "2,500 probes")])
def test_one_is_not_said_as_many(count: int, said: str) -> None:
    assert counted(count, "probe") == said


@pytest.mark.parametrize(
    ("seconds_long", "said"),
    [
        (90, "90 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (121, "2 min 1 s"),
        (599, "9 min 59 s"),
        (601, "10 min"),
        (3600, "1 h"),
        (3599, "59 min"),
        (7500, "2 h 5 min"),
        (47.5 * 3600, "47 h 30 min"),
        (48 * 3600, "2 d"),
        (49 * 3600, "2 d 1 h"),
        (6 * 86400 + 7200, "6 d 2 h"),
        (7 * 86400 + 3600, "7 d"),
    ],
)
def test_a_length_is_said_in_its_largest_unit_or_two(seconds_long: float, said: str) -> None:
    assert span(timedelta(seconds=seconds_long)) == said


def test_numbers_and_times_are_written_for_reading() -> None:
    assert (number(2500), number(2.5), number(0)) == ("2,500", "2.5", "0")
    assert moment(datetime(2026, 11, 21, 3, 0, tzinfo=UTC)) == "2026-11-21 03:00 UTC"
