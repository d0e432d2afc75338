"""The numbers that the guides for receivers name are the ones the product ships with."""

import inspect
from datetime import timedelta

import pytest

from alerts.model import Severity
from alerts.rules import KINDS
from hookvitals import PROFILES, RetryPolicy, Shipper

MINUTES = {n: timedelta(minutes=n) for n in (5, 15)}


def test_error_rate_fires_above_5_percent_over_15_minutes() -> None:
    rule = KINDS["error_rate"].defaults

    assert (rule.threshold, rule.window) == (0.05, MINUTES[15])
    assert rule.min_sample > 1, "one failure of one attempt is no rate"


def test_more_than_10_failures_in_5_minutes_are_critical_and_looked_at_each_minute() -> None:
    rule = KINDS["failure_count"].defaults

    assert (rule.threshold, rule.window) == (10, MINUTES[5])
    assert (rule.severity, rule.interval) == (Severity.CRITICAL, timedelta(seconds=60))


def test_processing_above_5000_ms_is_a_warning() -> None:
    rule = KINDS["slow_processing"].defaults

    assert (rule.threshold, rule.severity) == (5000, Severity.WARNING)


def test_certificates_are_told_of_at_30_14_7_and_1_days() -> None:
    rule = KINDS["certificate_expiry"].defaults

    assert (rule.threshold, rule.severity) == (30, Severity.INFO)
    assert rule.params == {"warning_days": 14, "error_days": 7, "critical_days": 1}


@pytest.mark.parametrize(("source", "seconds"), [("orum", 30), ("hopnow", 5), ("scalekit", 10)])
def test_each_provider_is_answered_within_its_own_deadline(source: str, seconds: float) -> None:
    assert PROFILES[source].ack_deadline_s == seconds


def test_clocks_may_differ_by_300_seconds_and_100_requests_a_minute_are_taken() -> None:
    own = {"linear": 60.0, "sns": 3900.0, "paypal": 259_500.0}  # a provider's advice, or need, goes before
    for profile in PROFILES.values():
        assert profile.rate_per_minute == 100, profile.name
        assert profile.tolerance_s == own.get(profile.name, 300.0), profile.name


def test_an_event_is_tried_three_times_before_it_is_a_dead_letter() -> None:
    policy = RetryPolicy()

    assert [policy.exhausted(attempt) for attempt in (1, 2, 3)] == [False, False, True]


def test_waits_before_the_next_attempt_are_bounded_by_1_and_2_seconds_and_at_last_by_60() -> None:
    bound = RetryPolicy(uniform=lambda low, high: high).wait_s

    assert [bound(attempt) for attempt in (1, 2, 6, 7, 5000)] == [1, 2, 32, 60, 60]


def test_a_spool_takes_500_mb_for_7_days_and_a_batch_100_records_or_5_seconds() -> None:
    defaults = {name: each.default for name, each in inspect.signature(Shipper).parameters.items()}

    assert (defaults["max_spool_bytes"], defaults["max_spool_age_s"]) == (500_000_000, 7 * 86_400)
    assert (defaults["batch_size"], defaults["batch_delay_s"]) == (100, 5.0)
