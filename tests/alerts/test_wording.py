"""Numbers, spans and units as a person reads them."""

from __future__ import annotations

import pytest

from alerts.wording import measured, seconds


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
    ],
)
def test_a_value_is_said_in_its_unit(value: float, unit: str, said: str) -> None:
    assert measured(value, unit) == said


@pytest.mark.parametrize(("ms", "said"), [(850, "850 ms"), (4300, "4.3 s"), (30_000, "30 s")])
def test_a_time_of_milliseconds_is_said_in_seconds_from_one_on(ms: float, said: str) -> None:
    assert seconds(ms) == said
