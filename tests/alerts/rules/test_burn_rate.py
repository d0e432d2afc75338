"""burn_rate: over which windows it looks, and how much it must see in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.model import (
    Severity,
    Target,
    Terms,
    Verdict,
    Window,
)
from alerts.rules import KINDS, make
from alerts.rules.budget import burn_rate, time_left
from tests.alerts.rules.judging import found_by, summary
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    attempts,
    promised,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def lost_within(length: timedelta, lost: int, ended: int, objective: float = 0.999) -> World:
    """A world in which all that was lost was lost within so long a time; before, all was well."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        dead = lost if end_at - start_at >= length else 0
        total = ended if end_at - start_at <= HOUR else 1_000_000
        return Window(target, start_at, end_at, succeeded=total - dead, dead_lettered=dead)

    return World(window_of=window, agreed=Terms(objective=objective))


def test_each_pair_of_windows_is_of_the_lengths_of_the_workbook() -> None:
    """Each is asked while the long one burns and the short one no more does: the trouble is over."""
    asked = []

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        length = end_at - start_at
        asked.append(length)
        is_long = len(asked) in (1, 2, 4, 6)
        return Window(target, start_at, end_at, succeeded=9_000, dead_lettered=1_000 if is_long else 0)

    world = World(window_of=window, agreed=Terms(objective=0.999))
    assert found_by("burn_rate", world).verdict is Verdict.OK
    assert asked == [3 * DAY, HOUR, 5 * MINUTE, 6 * HOUR, 30 * MINUTE, 3 * DAY, 6 * HOUR]


def test_a_handful_of_an_hour_is_no_page_though_the_three_days_have_plenty() -> None:
    assert found_by("burn_rate", lost_within(MINUTE, lost=19, ended=19)).verdict is Verdict.OK
    page = found_by("burn_rate", lost_within(MINUTE, lost=20, ended=20))
    assert (page.verdict, page.severity, page.evidence.sample) == (Verdict.BREACH, Severity.CRITICAL, 20)


def test_an_objective_so_low_that_no_rate_can_exceed_its_factor_never_pages() -> None:
    assert found_by("burn_rate", lost_within(MINUTE, lost=50, ended=50, objective=0.9)).verdict is Verdict.OK


def burning(short: float, long: float, slow: float) -> World:
    """A world with these burn rates over 1 h and less, over 6 h and over 3 d, at an objective of 99.9 %."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        length = end_at - start_at
        rate = short if length <= timedelta(hours=1) else long if length < timedelta(hours=8) else slow
        lost = round(rate * 100)
        return Window(target, start_at, end_at, succeeded=100_000 - lost, dead_lettered=lost)

    return World(window_of=window, agreed=Terms(objective=0.999))


@pytest.mark.parametrize(
    ("rates", "verdict", "severity", "threshold"),
    [
        ((14.5, 2.4, 0.9), Verdict.BREACH, Severity.CRITICAL, 14.4),
        ((14.3, 6.1, 0.9), Verdict.BREACH, Severity.CRITICAL, 6),
        ((5.9, 5.9, 1.5), Verdict.BREACH, Severity.WARNING, 1),
        ((5.9, 5.9, 1.1), Verdict.OK, Severity.CRITICAL, 1),
        ((0.5, 6.5, 1.2), Verdict.OK, Severity.CRITICAL, 1),  # it is over
        ((5.9, 5.9, 0.9), Verdict.OK, Severity.CRITICAL, 1),
    ],
)
def test_a_budget_burns_over_two_windows_at_once(
    rates: tuple[float, float, float], verdict: Verdict, severity: Severity, threshold: float
) -> None:
    found = found_by("burn_rate", burning(*rates))
    assert (found.verdict, found.severity, found.evidence.threshold) == (verdict, severity, threshold)


def test_long_windows_begin_with_a_whole_hour() -> None:
    world, asked = promised(0.999, 99_000, 1_000), set()
    window_of = world.window_of

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.add(start_at)
        return window_of(target, start_at, end_at)

    world.window_of = window
    now = NOW + timedelta(minutes=20)
    found_by("burn_rate", world, make("burn_rate", params={"fast_factor": 14.4, "medium_factor": 11}), now)
    hours = (72, 6, 720)
    assert {start_at for start_at in asked if now - start_at > timedelta(hours=2)} == {
        NOW - timedelta(hours=n) for n in hours
    }


def test_a_burning_budget_says_when_it_will_be_gone() -> None:
    assert summary("burn_rate", burning(20, 5, 0.4)).endswith("budget gone in 22 h at this rate")


@pytest.mark.parametrize(("lost", "verdict"), [(1, Verdict.OK), (5, Verdict.BREACH)])
def test_one_lost_event_of_few_pages_nobody(lost: int, verdict: Verdict) -> None:
    assert found_by("burn_rate", promised(0.999, 60 - lost, lost)).verdict is verdict


def test_a_target_without_an_slo_burns_nothing() -> None:
    kind = KINDS["burn_rate"]
    assert kind.evaluate(kind.defaults, PAYMENTS, attempts(dead_lettered=50), NOW) == []


def test_tries_that_failed_for_now_are_no_ended_events() -> None:
    world = attempts(succeeded=10, failed=50, dead_lettered=9)
    world.agreed = Terms(objective=0.9)
    few = found_by("burn_rate", world)
    assert (few.verdict, few.evidence.sample) == (Verdict.NO_DATA, 19)
    assert few.evidence.summary.startswith("19 events of stripe/payments ended")
    world = attempts(succeeded=1000, failed=50, dead_lettered=9)
    world.agreed = Terms(objective=0.9)
    calm = found_by("burn_rate", world)
    assert (calm.verdict, calm.evidence.sample) == (Verdict.OK, 1009)
    assert calm.evidence.summary.endswith("9 of 1,009 events were lost")


@pytest.mark.parametrize(
    ("spent", "rate", "said"),
    [
        (0.5, 2, "budget gone in 7 d at this rate"),
        (0.5, 30, "budget gone in 12 h at this rate"),
        (0.5, 35, "budget gone in 10 h at this rate"),  # 10 h 17 min
        (0.5, 50, "budget gone in 7 h 12 min at this rate"),
        (1, 2, "the error budget of 30 d is gone"),
        (1.5, 2, "the error budget of 30 d is gone"),
    ],
)
def test_what_is_left_of_a_budget_lasts_so_long(spent: float, rate: float, said: str) -> None:
    lost = round(spent * 5_000)
    assert time_left(promised(0.5, 10_000 - lost, lost), PAYMENTS, NOW, rate) == said


def test_a_rate_is_of_what_ended_and_of_nothing_it_is_none() -> None:
    window = Window(PAYMENTS, NOW - HOUR, NOW, succeeded=90, failed=50, dead_lettered=10)
    assert burn_rate(window, 0.5) == 0.2
    assert burn_rate(replace(window, succeeded=0, dead_lettered=0), 0.5) == 0


def test_a_budget_of_a_week_is_measured_over_a_week() -> None:
    world = lost_within(8 * DAY, lost=500_000, ended=0, objective=0.5)
    assert time_left(world, PAYMENTS, NOW, 24, 7 * DAY) == "budget gone in 7 h at this rate"
    assert time_left(world, PAYMENTS, NOW, 24) == "the error budget of 30 d is gone"
