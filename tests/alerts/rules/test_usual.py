"""What is usual at this hour of the week: by whose clocks, from how much, and what a bad week teaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.hours import weeks_before
from alerts.model import (
    Rule,
    Severity,
    Target,
    Verdict,
    Window,
)
from alerts.rules import KINDS, make
from tests.alerts.rules.judging import found_by, summary
from tests.alerts.world import (
    NOW,
    Times,
    World,
    attempts,
    processing,
    usually,
)

WEEK, DAY, HOUR = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1)
BERLIN = "Europe/Berlin"
GOOD: dict[str, Any] = {"succeeded": 9970, "failed": 30}
OUT: dict[str, Any] = {"succeeded": 4000, "failed": 6000}
FAST: dict[str, Any] = {"process_ms": Times((200.0,) * 500)}
HUNG: dict[str, Any] = {"process_ms": Times((30_000.0,) * 500)}


def with_weeks(world: World, *weeks: dict[str, Any] | None) -> World:
    """The world with such past weeks, the latest first; None: without a record."""

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        n = (NOW - end_at) // WEEK - 1
        known = weeks[n] if n < len(weeks) else None
        return replace(Window(target, start_at, end_at), **(known or {}))

    world.past_of = past
    return world


@pytest.mark.parametrize(
    "weeks",
    [
        (OUT, GOOD, GOOD, GOOD),
        (GOOD, OUT, OUT, GOOD),  # as many bad ones as good ones
        (OUT, GOOD),
        (None, OUT, GOOD, None),  # nothing at all came in two of them
    ],
)
def test_a_week_with_an_outage_does_not_teach_that_failing_is_normal(
    weeks: tuple[dict[str, Any], ...],
) -> None:
    found = found_by("error_rate", with_weeks(attempts(succeeded=970, failed=30), *weeks))
    assert (found.verdict, found.evidence.threshold) == (Verdict.BREACH, 0.015)
    assert "normally 0.3 %" in found.evidence.summary


@pytest.mark.parametrize("weeks", [(HUNG, FAST, FAST, FAST), (FAST, HUNG, HUNG, FAST), (HUNG, FAST)])
def test_a_week_in_which_handlers_hung_does_not_teach_that_slow_is_normal(
    weeks: tuple[dict[str, Any], ...],
) -> None:
    found = found_by("slow_processing", with_weeks(processing(*[1600.0] * 100), *weeks))
    assert (found.verdict, found.evidence.threshold) == (Verdict.BREACH, 1000)
    assert "normally 200 ms" in found.evidence.summary


@pytest.mark.parametrize(
    ("kind", "world", "bad"),
    [
        ("error_rate", attempts(failed=600, succeeded=400), OUT),
        ("slow_processing", processing(*[31_000.0] * 99), HUNG),
    ],
)
def test_only_bad_weeks_leave_the_threshold_as_it_is(kind: str, world: World, bad: dict[str, Any]) -> None:
    found = found_by(kind, with_weeks(world, bad, bad, bad, bad))
    assert (found.verdict, found.evidence.threshold) == (Verdict.BREACH, KINDS[kind].defaults.threshold)


@pytest.mark.parametrize(("kind", "good"), [("error_rate", GOOD), ("slow_processing", FAST)])
def test_one_past_week_alone_is_not_called_normal(kind: str, good: dict[str, Any]) -> None:
    world = attempts(failed=60, succeeded=940) if kind == "error_rate" else processing(*[6000.0] * 100)
    found = found_by(kind, with_weeks(world, good))
    assert found.verdict is Verdict.BREACH
    assert "normally" not in found.evidence.summary


BATCH: dict[str, Any] = {"succeeded": 980, "failed": 20, "process_ms": Times((2000.0,) * 500)}
USUALLY: dict[str, Any] = {"succeeded": 9990, "failed": 10, "process_ms": Times((200.0,) * 500)}


def with_a_batch_at_nine(world: World) -> World:
    """Each day from nine to ten in Berlin a batch runs: 2 % fail and all is slow, as ever."""

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        is_batch = end_at.astimezone(ZoneInfo(BERLIN)).hour == 9
        return replace(Window(target, start_at, end_at), **(BATCH if is_batch else USUALLY))

    world.past_of = past
    return world


@pytest.mark.parametrize("day", ["2026-10-26", "2026-11-02", "2026-03-30", "2026-04-13"])
@pytest.mark.parametrize(
    ("kind", "world"),
    [("error_rate", attempts(succeeded=970, failed=30)), ("slow_processing", processing(*[2500.0] * 100))],
)
def test_the_same_hour_is_the_same_by_the_clocks_of_the_place(kind: str, world: World, day: str) -> None:
    """Clocks went back on 2026-10-25 and forward on 2026-03-29: what is usual at half past nine stays so."""
    at = datetime.fromisoformat(f"{day} 09:30").replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
    there = make(kind, timezone=BERLIN)
    assert found_by(kind, with_a_batch_at_nine(world), there, at).verdict is Verdict.OK
    assert found_by(kind, with_a_batch_at_nine(world), there, at + 3 * HOUR).verdict is Verdict.BREACH


def test_the_first_quiet_hour_after_clocks_went_back_is_no_silence() -> None:
    """Senders begin at eight in Berlin. By UTC the past weeks were busy an hour before that."""
    at = datetime(2026, 10, 26, 6, 59, tzinfo=UTC)  # 07:59 in Berlin, the first Monday of winter time
    asked = []

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append(end_at.astimezone(ZoneInfo(BERLIN)).hour)
        return Window(target, start_at, end_at, succeeded=500 if asked[-1] >= 8 else 0)

    world, there = World(last_at=at - 14 * HOUR, past_of=past), make("no_events", timezone=BERLIN)
    assert found_by("no_events", world, there, at).verdict is Verdict.OK
    assert found_by("no_events", world, there, at + HOUR).verdict is Verdict.BREACH
    assert asked == [7] * 3 + [8] * 3


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("2026-10-26T07:30", "2026-10-19T06:30"),  # both 08:30 in Berlin
        ("2026-03-30T06:30", "2026-03-23T07:30"),
        ("2026-07-13T06:30", "2026-07-06T06:30"),
        ("2026-04-05T00:30", "2026-03-29T01:30"),  # 02:30, which clocks skipped that day: 03:30
    ],
)
def test_a_week_before_is_by_the_clocks_of_the_zone(at: str, before: str) -> None:
    now, earlier = (datetime.fromisoformat(f"{text}+00:00") for text in (at, before))
    assert weeks_before(now, 1, BERLIN) == earlier
    assert weeks_before(now, 2, "UTC") == now - 2 * WEEK


def test_an_error_rate_is_said_beside_what_is_normal_at_this_hour() -> None:
    world = usually(attempts(succeeded=2190, failed=310), succeeded=9970, failed=30)
    assert summary("error_rate", world) == (
        "12.4 % of stripe/payments failed in 15 min, normally 0.3 % (threshold 5 %), 310 of 2,500 attempts"
    )


@pytest.mark.parametrize(
    ("failed", "of", "verdict"),
    [
        (30, 1000, Verdict.BREACH),  # 3 %, normally 0.3 %
        (70, 5000, Verdict.OK),  # 1.4 %: not five times as much
        (2, 40, Verdict.OK),  # 5 % of 40, which may be chance
    ],
)
def test_an_error_rate_far_above_the_usual_fires_once_it_is_more_than_chance(
    failed: int, of: int, verdict: Verdict
) -> None:
    world = usually(attempts(succeeded=of - failed, failed=failed), succeeded=9970, failed=30)
    found = found_by("error_rate", world)
    assert (found.verdict, found.severity) == (verdict, Severity.ERROR)


@pytest.mark.parametrize(
    ("rule", "week"),
    [
        (make("error_rate", params={"usual_factor": 0}), {"succeeded": 9970, "failed": 30}),
        (make("error_rate"), {"succeeded": 99}),  # too little to call it usual
        (make("error_rate", params={"usual_weeks": 1}), {"succeeded": 9970}),
    ],
)
def test_without_enough_of_a_past_the_threshold_alone_counts(rule: Rule, week: dict[str, int]) -> None:
    world = usually(attempts(succeeded=970, failed=30), **week)
    assert found_by("error_rate", world, rule).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("rule", "week"),
    [
        (make("error_rate"), {"succeeded": 100}),  # just enough
        (make("error_rate", params={"usual_weeks": 2}), {"succeeded": 9970}),
    ],
)
def test_two_past_weeks_with_enough_say_what_is_usual(rule: Rule, week: dict[str, int]) -> None:
    world = usually(attempts(succeeded=970, failed=30), **week)
    assert found_by("error_rate", world, rule).verdict is Verdict.BREACH


def test_what_is_usual_is_asked_of_the_rules_own_window() -> None:
    world, asked = attempts(succeeded=970, failed=30), []

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append((NOW - start_at, NOW - end_at))
        return Window(target, start_at, end_at, succeeded=1000)

    world.past_of = past
    found_by("error_rate", world, make("error_rate", params={"usual_weeks": 1}))
    assert asked == [(7 * DAY + timedelta(minutes=15), 7 * DAY)]


def test_processing_is_slow_when_it_takes_far_longer_than_usual() -> None:
    slower = processing(*[1600.0] * 100)
    assert found_by("slow_processing", slower).verdict is Verdict.OK
    usually(slower, succeeded=500, process_ms=Times((200.0,) * 500))
    found = found_by("slow_processing", slower)
    assert found.verdict is Verdict.BREACH
    assert "was 1.6 s in 15 min, normally 200 ms (threshold 1 s)" in found.evidence.summary
