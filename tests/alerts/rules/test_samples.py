"""How little is enough: minimum samples, a single observation, and what is not worth a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.model import Repeats, Stuck, Target, Verdict, Window
from alerts.rules import KINDS, make
from tests.alerts.rules.judging import found_by
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    Times,
    World,
    answered,
    attempts,
    deliveries,
    processing,
    promised,
    statuses,
    unended,
)


@pytest.mark.parametrize(
    ("kind", "world"),
    [
        ("error_rate", attempts(failed=1)),
        ("slow_processing", processing(6000.0)),
        ("ack_deadline", answered(25_000.0)),
        ("wrong_status", statuses({500: 1})),
        ("verification_failures", deliveries(1, bad_signature=1)),
        ("retry_storm", statuses({200: 1}, duplicates=1)),
        ("dead_letters", attempts(dead_lettered=1)),
        ("burn_rate", promised(0.999, 0, 1)),
        ("processed_twice", World(done_twice=Repeats(1, 1))),
        ("stuck_events", unended(1, of=1)),
    ],
)
def test_one_is_enough_where_no_minimum_is_asked(kind: str, world: World) -> None:
    assert found_by(kind, world, make(kind, min_sample=0)).verdict is Verdict.BREACH


@pytest.mark.parametrize("kind", ["failure_count", "dead_letters"])
def test_a_minimum_that_is_asked_for_counts_attempts_of_every_outcome(kind: str) -> None:
    world = attempts(5, 10, 4)
    rule = make(kind, min_sample=19, threshold=0)
    assert found_by(rule.kind, world, rule).verdict is Verdict.BREACH
    too_few = found_by(kind, world, replace(rule, min_sample=20))
    assert (too_few.verdict, too_few.evidence.sample) == (Verdict.NO_DATA, 19)
    assert too_few.evidence.summary.startswith("19 attempts at stripe/payments in ")


@pytest.mark.parametrize("kind", ["slow_processing", "ack_deadline"])
def test_what_was_not_timed_is_no_sample(kind: str) -> None:
    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        times = Times((60_000.0,) * 19)
        return Window(
            target, start_at, end_at, succeeded=40, failed=9, deliveries=50, process_ms=times, ack_ms=times
        )

    found = found_by(kind, World(window_of=window))
    assert found.verdict is Verdict.NO_DATA
    assert found.evidence.sample == (49 if kind == "slow_processing" else 50)


@pytest.mark.parametrize(
    ("kind", "world"),
    [("error_rate", attempts(succeeded=1000, failed=10)), ("slow_processing", processing(*[900.0] * 50))],
)
def test_what_is_below_the_floor_asks_nothing_of_past_weeks(kind: str, world: World) -> None:
    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        raise AssertionError("a past week was read")

    world.past_of = past
    assert found_by(kind, world).verdict is Verdict.OK


def test_as_many_acknowledged_events_as_are_asked_for_are_judged() -> None:
    rule = make("stuck_events", min_sample=5)
    assert found_by("stuck_events", unended(1, of=5), rule).verdict is Verdict.BREACH
    assert found_by("stuck_events", unended(1, of=4), rule).verdict is Verdict.NO_DATA


@pytest.mark.parametrize("kind", ["slow_processing", "ack_deadline"])
def test_of_too_few_no_distribution_is_read(kind: str) -> None:
    class Unread:
        count = 19

        def quantile(self, q: float) -> float | None:
            raise AssertionError("a distribution was read")

        def share_above(self, ms: float) -> float:
            raise AssertionError("a distribution was read")

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        times = Unread()
        return Window(target, start_at, end_at, failed=19, deliveries=19, process_ms=times, ack_ms=times)

    assert found_by(kind, World(window_of=window)).verdict is Verdict.NO_DATA


def test_what_was_done_twice_and_what_is_stuck_is_asked_of_the_rules_own_time() -> None:
    asked: list[tuple[object, ...]] = []

    class Asked(World):
        def repeats(self, target: Target, start_at: datetime, end_at: datetime) -> Repeats:
            asked.append((NOW - start_at, NOW - end_at))
            return Repeats()

        def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
            asked.append((older_than, back))
            return Stuck()

    found_by("processed_twice", Asked(), make("processed_twice", window=timedelta(minutes=7)))
    stuck = make("stuck_events", window=timedelta(hours=7), params={"older_than_s": 60})
    found_by("stuck_events", Asked(), stuck)
    assert asked == [
        (timedelta(minutes=7), timedelta(0)),
        (timedelta(minutes=1), timedelta(hours=7)),
    ]


def test_an_slo_of_which_nothing_was_lost_is_one_read() -> None:
    asked = []
    calm = promised(0.999, 10_000, 0).window_of

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append(end_at - start_at)
        return calm(target, start_at, end_at)

    world = promised(0.999, 10_000, 0)
    world.window_of = window
    assert found_by("burn_rate", world).verdict is Verdict.OK
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["certificate_expiry", "endpoint_down", "endpoint_exposure", "queue_depth"])
def test_endpoint_that_is_not_probed_or_sampled_is_not_judged(kind: str) -> None:
    assert KINDS[kind].evaluate(KINDS[kind].defaults, PAYMENTS, World(), NOW) == []


def test_window_judged_is_the_rules_own_and_ends_now() -> None:
    rule = make("error_rate", window=timedelta(minutes=2))
    [found] = KINDS["error_rate"].evaluate(rule, Target("production", "a", "b"), attempts(failed=50), NOW)
    assert (found.evidence.window_start_at, found.evidence.window_end_at) == (NOW - timedelta(minutes=2), NOW)
