"""ack_deadline, wrong_status and retry_storm: what the sender is answered, when, and what it makes of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alerts.model import ErrorCount, Severity, Target, Terms, Verdict, Window
from tests.alerts.rules.judging import found_by
from tests.alerts.world import Times, World, answered, statuses


@pytest.mark.parametrize(
    ("deadline_s", "answered_ms", "verdict"),
    [
        (30, 24_100, Verdict.BREACH),  # practice 1
        (30, 23_900, Verdict.OK),
        (5, 4_100, Verdict.BREACH),  # practice 2
        (5, 3_900, Verdict.OK),
        (10, 8_100, Verdict.BREACH),  # practice 3: its documents
    ],
)
def test_an_answer_is_late_from_80_percent_of_the_sources_own_deadline_on(
    deadline_s: float, answered_ms: float, verdict: Verdict
) -> None:
    world = answered(*[answered_ms] * 50)
    world.agreed = Terms(ack_deadline=timedelta(seconds=deadline_s))
    assert found_by("ack_deadline", world).verdict is verdict


def test_a_source_that_expects_201_is_answered_wrongly_with_200() -> None:
    """practice 3"""
    world = statuses({200: 30, 201: 70})
    world.agreed = Terms(expected_statuses=(201,))
    found = found_by("wrong_status", world)
    assert (found.verdict, found.evidence.top_errors) == (Verdict.BREACH, (ErrorCount("HTTP 200", 30),))


def test_a_2xx_for_one_forgery_is_critical() -> None:
    """practice 5"""
    world = statuses({}, {200: 1}, verification_failures={"bad_signature": 1})
    found = found_by("wrong_status", world)
    assert (found.verdict, found.severity) == (Verdict.BREACH, Severity.CRITICAL)


def test_a_forgery_that_was_believed_is_shown_with_its_reasons_and_no_failures_of_handlers() -> None:
    failures = {"unknown_key": 2, "bad_signature": 2}
    world = statuses(
        {200: 90}, {401: 1, 202: 2, 200: 1}, verification_failures=failures, failure_exemplars=("f1",)
    )
    shown = found_by("wrong_status", world).evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (0.75, 0, "share", 4)
    assert shown.top_errors == (ErrorCount("HTTP 202", 2), ErrorCount("HTTP 200", 1))
    assert shown.exemplars == ()
    assert "(threshold 0; bad_signature, unknown_key)" in shown.summary


def test_a_status_that_was_not_answered_is_no_answer() -> None:
    refused = statuses({500: 99}, {200: 0, 401: 1}, verification_failures={"bad_signature": 1})
    found = found_by("wrong_status", refused)
    assert (found.verdict, found.severity, found.evidence.sample) == (Verdict.BREACH, Severity.ERROR, 99)


def test_wrong_answers_are_counted_by_status_most_frequent_first() -> None:
    shown = found_by("wrong_status", statuses({200: 50, 500: 15, 404: 15, 302: 10})).evidence
    assert shown.top_errors == (
        ErrorCount("HTTP 404", 15),
        ErrorCount("HTTP 500", 15),
        ErrorCount("HTTP 302", 10),
    )


def test_a_redirect_of_a_forgery_is_no_2xx() -> None:
    refused = statuses({200: 99}, {300: 1, 401: 1}, verification_failures={"bad_signature": 2})
    assert found_by("wrong_status", refused).verdict is Verdict.OK


def test_what_was_refused_for_its_form_may_be_answered_2xx() -> None:
    assert found_by("wrong_status", statuses({200: 99}, {200: 1})).verdict is Verdict.OK


def test_repeated_failures_and_duplicates_together_are_a_storm() -> None:
    """practice 15"""
    apart = statuses({200: 60, 500: 40}, duplicates=12)
    together = statuses({200: 60, 500: 40}, duplicates=12, redelivered=12)
    assert [found_by("retry_storm", world).verdict for world in (apart, together)] == [
        Verdict.OK,
        Verdict.BREACH,
    ]


def test_answers_of_a_receiver_that_works_later_are_late_too() -> None:
    """It has deliveries, and no attempt among them."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        times = Times((25_000.0,) * 20)
        return Window(target, start_at, end_at, accepted=20, deliveries=20, ack_ms=times)

    found = found_by("ack_deadline", World(window_of=window))
    assert (found.verdict, found.evidence.sample) == (Verdict.BREACH, 20)
