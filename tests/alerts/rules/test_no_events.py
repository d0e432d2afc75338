"""no_events: which silence is expected."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.model import (
    Target,
    Verdict,
    Window,
)
from alerts.rules import make
from tests.alerts.rules.judging import found_by
from tests.alerts.world import (
    World,
    silent_since,
)

FIXED = make("no_events", threshold="1h", params={"usual_weeks": 0})


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ("2026-11-20 23:30", Verdict.NO_DATA),  # Friday 18:30 in New York
        ("2026-11-20 22:30", Verdict.BREACH),
        ("2026-11-23 12:30", Verdict.NO_DATA),  # Monday 07:30: the night is not an hour away
        ("2026-11-23 13:05", Verdict.BREACH),
        ("2026-11-21 18:00", Verdict.NO_DATA),  # Saturday
    ],
)
def test_silence_is_expected_in_the_quiet_hours_of_the_rules_time_zone(now: str, verdict: Verdict) -> None:
    rule = replace(FIXED, quiet_hours=("18:00-07:00", "00:00-00:00 sat,sun"), timezone="America/New_York")
    at = datetime.fromisoformat(f"{now}+00:00")
    world = World(last_at=at - timedelta(hours=2))
    found = found_by("no_events", world, rule, at)
    assert found.verdict is verdict
    if verdict is Verdict.NO_DATA:
        assert found.evidence.summary == "It is, or was within 1 h, a quiet hour of stripe/payments"


def test_silence_that_is_usual_at_this_hour_is_fine() -> None:
    found = found_by("no_events", silent_since(timedelta(hours=9), usual=19))
    assert (found.verdict, found.cleared, found.evidence.value) == (Verdict.OK, True, 0)


def test_an_hour_is_busy_by_whatever_verified() -> None:
    world = silent_since(timedelta(hours=2))
    world.past_of = lambda target, start_at, end_at: Window(
        target, start_at, end_at, accepted=8, duplicates=4, stale=4, unhandled=4, rejected=99
    )
    assert found_by("no_events", world).verdict is Verdict.BREACH
    assert found_by("no_events", world, make("no_events", params={"usual_events": 21})).verdict is Verdict.OK


def test_an_event_of_the_future_is_no_silence() -> None:
    found = found_by("no_events", silent_since(timedelta(hours=-2)))
    assert (found.verdict, found.evidence.value) == (Verdict.OK, 0)


@pytest.mark.parametrize(("fewest", "verdict"), [(20, Verdict.BREACH), (19, Verdict.OK)])
def test_an_hour_is_busy_that_was_busy_in_each_past_week(fewest: int, verdict: Verdict) -> None:
    world = silent_since(timedelta(hours=2))
    asked = []

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append(end_at - start_at)
        return Window(target, start_at, end_at, succeeded=fewest if len(asked) == 2 else 500)

    world.past_of = past
    assert found_by("no_events", world).verdict is verdict
    assert asked == [timedelta(hours=1)] * 3


def test_a_fixed_interval_asks_nothing_of_the_past() -> None:
    assert found_by("no_events", silent_since(timedelta(hours=9), usual=0), FIXED).verdict is Verdict.BREACH
