"""What is usual at this hour of the week: by whose clocks, from how much, and what a bad week teaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.hours import weeks_before
from alerts.model import Evaluation, Rule, Target, Verdict, Window
from alerts.rules import KINDS, make
from tests.alerts.world import NOW, PAYMENTS, Times, World, attempts, processing

WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)
BERLIN = "Europe/Berlin"
GOOD: dict[str, Any] = {"succeeded": 9970, "failed": 30}
OUT: dict[str, Any] = {"succeeded": 4000, "failed": 6000}
FAST: dict[str, Any] = {"process_ms": Times((200.0,) * 500)}
HUNG: dict[str, Any] = {"process_ms": Times((30_000.0,) * 500)}


def judged(kind: str, world: World, now: datetime = NOW, rule: Rule | None = None) -> Evaluation:
    [found] = KINDS[kind].evaluate(rule or KINDS[kind].defaults, PAYMENTS, world, now)
    return found


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
    found = judged("error_rate", with_weeks(attempts(succeeded=970, failed=30), *weeks))
    assert (found.verdict, found.evidence.threshold) == (Verdict.BREACH, 0.015)
    assert "normally 0.3 %" in found.evidence.summary


@pytest.mark.parametrize("weeks", [(HUNG, FAST, FAST, FAST), (FAST, HUNG, HUNG, FAST), (HUNG, FAST)])
def test_a_week_in_which_handlers_hung_does_not_teach_that_slow_is_normal(
    weeks: tuple[dict[str, Any], ...],
) -> None:
    found = judged("slow_processing", with_weeks(processing(*[1600.0] * 100), *weeks))
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
    found = judged(kind, with_weeks(world, bad, bad, bad, bad))
    assert (found.verdict, found.evidence.threshold) == (Verdict.BREACH, KINDS[kind].defaults.threshold)


@pytest.mark.parametrize(("kind", "good"), [("error_rate", GOOD), ("slow_processing", FAST)])
def test_one_past_week_alone_is_not_called_normal(kind: str, good: dict[str, Any]) -> None:
    world = attempts(failed=60, succeeded=940) if kind == "error_rate" else processing(*[6000.0] * 100)
    found = judged(kind, with_weeks(world, good))
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
    assert judged(kind, with_a_batch_at_nine(world), at, there).verdict is Verdict.OK
    assert judged(kind, with_a_batch_at_nine(world), at + 3 * HOUR, there).verdict is Verdict.BREACH


def test_the_first_quiet_hour_after_clocks_went_back_is_no_silence() -> None:
    """Senders begin at eight in Berlin. By UTC the past weeks were busy an hour before that."""
    at = datetime(2026, 10, 26, 6, 59, tzinfo=UTC)  # 07:59 in Berlin, the first Monday of winter time
    asked = []

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append(end_at.astimezone(ZoneInfo(BERLIN)).hour)
        return Window(target, start_at, end_at, succeeded=500 if asked[-1] >= 8 else 0)

    world = World(last_at=at - 14 * HOUR, past_of=past)
    assert judged("no_events", world, at, make("no_events", timezone=BERLIN)).verdict is Verdict.OK
    assert judged("no_events", world, at + HOUR, make("no_events", timezone=BERLIN)).verdict is Verdict.BREACH
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
