"""The waits between tries: doubling, partly random, bounded, and what a service asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.backoff import BRISK, PATIENT, Backoff

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
BACKOFF = Backoff(timedelta(seconds=4), timedelta(seconds=60), timedelta(hours=1))


def wait_s(tries: int, random: float, retry_after_s: float | None = None) -> float:
    at = BACKOFF.next_try_at(tries, T0, T0, lambda: random, retry_after_s)
    assert at is not None
    return (at - T0).total_seconds()


def test_waits_double_up_to_the_longest() -> None:
    assert [wait_s(tries, 1.0) for tries in (1, 2, 3, 4, 5, 6, 500)] == [4, 8, 16, 32, 60, 60, 60]


def test_half_of_each_wait_is_random() -> None:
    assert (wait_s(2, 0.0), wait_s(2, 0.5)) == (4, 6)


@pytest.mark.parametrize(("asked", "waited"), [(30, 30), (1, 4), (0, 4), (-5, 4), (1e9, 3600)])
def test_services_own_wish_is_kept_when_longer_and_sensible(asked: float, waited: float) -> None:
    assert wait_s(1, 1.0, asked) == waited


def test_gives_up_when_the_next_try_would_come_too_late() -> None:
    late = T0 + timedelta(minutes=59, seconds=58)
    assert BACKOFF.next_try_at(1, T0, late, lambda: 1.0) is None
    assert BACKOFF.next_try_at(1, T0, late, lambda: 0.0) == T0 + timedelta(hours=1)


def test_ready_fallback_takes_over_within_minutes_and_lone_channel_is_tried_for_a_day() -> None:
    def tried_for(backoff: Backoff) -> timedelta:
        now, tries = T0, 0
        while (at := backoff.next_try_at(tries := tries + 1, T0, now, lambda: 0.5)) is not None:
            now = at
        return now - T0

    assert timedelta(minutes=2) < tried_for(BRISK) <= timedelta(minutes=5)
    assert timedelta(hours=23) < tried_for(PATIENT) <= timedelta(hours=24)
