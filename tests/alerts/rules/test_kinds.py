"""What is particular to single kinds: their sentences, steps and sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import ErrorCount, ProbeKind, ProbeResult, QueueSample, Severity, Target, Verdict
from alerts.rules import KINDS, make
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    attempts,
    certificate,
    deliveries,
    down,
    probed,
    processing,
    queue,
    silent_for,
)

DAY = timedelta(days=1)


def summary(kind: str, world: World) -> str:
    [found] = KINDS[kind].evaluate(KINDS[kind].defaults, PAYMENTS, world, NOW)
    return found.evidence.summary


@pytest.mark.parametrize(
    ("kind", "world", "said"),
    [
        (
            "error_rate",
            attempts(succeeded=2190, failed=300, dead_lettered=10),
            "12.4 % of stripe/payments failed in 15 min (threshold 5 %), 310 of 2,500 attempts",
        ),
        (
            "failure_count",
            attempts(failed=11, dead_lettered=1),
            "12 failures of stripe/payments in 5 min (threshold 10), 1 of them for good; "
            "100 % of 12 attempts",
        ),
        (
            "slow_processing",
            processing(*[10.0] * 90, *[6200.0] * 10),
            "p95 processing time of stripe/payments was 6,200 ms in 15 min (threshold 5,000 ms); "
            "10 % of 100 attempts took longer than that",
        ),
        (
            "queue_depth",
            queue(4200, oldest_age_s=600),
            "4,200 events wait in queue inbox of stripe/payments (threshold 1,000); "
            "the oldest has waited 10 min",
        ),
        (
            "queue_depth",
            queue(3, oldest_age_s=3600),
            "The oldest event in queue inbox of stripe/payments has waited 1 h (threshold 15 min); "
            "3 events wait",
        ),
        (
            "certificate_expiry",
            certificate(6 * DAY),
            "The certificate of stripe/payments expires in 6 d, on 2026-11-27 (error from 7 days)",
        ),
        (
            "certificate_expiry",
            certificate(-2 * DAY),
            "The certificate of stripe/payments expired 2 d ago, on 2026-11-19",
        ),
        (
            "endpoint_down",
            down(4),
            "stripe/payments does not answer: 4 probes in a row failed (threshold 3), "
            "the last with connection refused",
        ),
        ("endpoint_down", down(0), "stripe/payments answers in 12 ms"),
        (
            "verification_failures",
            deliveries(50, bad_signature=9, unknown_key=1),
            "20 % of deliveries to stripe/payments did not verify in 15 min (threshold 5 %), 10 of 50, "
            "mostly bad_signature",
        ),
        (
            "dead_letters",
            attempts(dead_lettered=1),
            "1 event of stripe/payments given up in 15 min (threshold 0); they wait to be replayed",
        ),
        (
            "monitor_blind",
            silent_for(timedelta(minutes=3)),
            "The monitor is blind: no collector heartbeat for 3 min (threshold 60 s), "
            "the last at 2026-11-21 02:57 UTC. Nothing is judged until one returns",
        ),
    ],
)
def test_sentence(kind: str, world: World, said: str) -> None:
    assert summary(kind, world) == said


@pytest.mark.parametrize(
    ("left", "severity"),
    [
        (30 * DAY, Severity.INFO),
        (14 * DAY + timedelta(seconds=1), Severity.INFO),
        (14 * DAY, Severity.WARNING),
        (7 * DAY, Severity.ERROR),
        (DAY, Severity.CRITICAL),
        (-DAY, Severity.CRITICAL),
    ],
)
def test_certificate_grows_severer_step_by_step(left: timedelta, severity: Severity) -> None:
    rule = KINDS["certificate_expiry"].defaults
    [found] = KINDS["certificate_expiry"].evaluate(rule, PAYMENTS, certificate(left), NOW)
    assert (found.verdict, found.severity) == (Verdict.BREACH, severity)


def test_certificate_is_read_from_the_latest_probe_that_saw_one() -> None:
    failed = ProbeResult(ProbeKind.TLS, ok=False, checked_at=NOW, error="timeout", consecutive_failures=1)
    seen = ProbeResult(ProbeKind.TLS, ok=True, checked_at=NOW - timedelta(hours=1), cert_not_after=NOW + DAY)
    kind = KINDS["certificate_expiry"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, probed(failed, seen), NOW)
    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize("kind", ["certificate_expiry", "endpoint_down", "queue_depth"])
def test_endpoint_that_is_not_probed_or_sampled_is_not_judged(kind: str) -> None:
    assert KINDS[kind].evaluate(KINDS[kind].defaults, PAYMENTS, World(), NOW) == []


def test_downtime_evidence_tells_since_when_and_with_which_errors() -> None:
    [found] = KINDS["endpoint_down"].evaluate(KINDS["endpoint_down"].defaults, PAYMENTS, down(4), NOW)
    assert found.evidence.window_start_at == NOW - timedelta(minutes=3)
    assert found.evidence.top_errors == (ErrorCount("connection refused", 4),)


def test_each_queue_is_judged_apart_by_its_latest_sample() -> None:
    world = World(
        samples=[
            QueueSample("inbox", 5000, None, NOW - timedelta(minutes=2)),
            QueueSample("inbox", 10, None, NOW - timedelta(minutes=1)),
            QueueSample("mail", 2000, None, NOW),
            QueueSample("mail", 1, None, NOW - timedelta(minutes=1)),
        ]
    )
    found = KINDS["queue_depth"].evaluate(KINDS["queue_depth"].defaults, PAYMENTS, world, NOW)
    assert {item.labels["queue"]: item.verdict for item in found} == {
        "inbox": Verdict.OK,
        "mail": Verdict.BREACH,
    }
    assert len({item.fingerprint for item in found}) == 2


def test_age_of_the_oldest_event_is_not_judged_when_switched_off() -> None:
    rule = make("queue_depth", params={"max_age_s": 0})
    [found] = KINDS["queue_depth"].evaluate(rule, PAYMENTS, queue(3, oldest_age_s=1e6), NOW)
    assert found.verdict is Verdict.OK


def test_verification_evidence_counts_the_reasons_most_frequent_first() -> None:
    kind = KINDS["verification_failures"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, deliveries(50, unknown_key=2, bad_signature=9), NOW)
    assert found.evidence.top_errors == (ErrorCount("bad_signature", 9), ErrorCount("unknown_key", 2))


def test_rejections_reported_without_a_status_never_exceed_the_whole() -> None:
    kind = KINDS["verification_failures"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, deliveries(0, bad_signature=30), NOW)
    assert found.evidence.value == 1.0


def test_event_type_is_named_where_the_rule_narrows_it() -> None:
    target = replace(PAYMENTS, event_type="invoice.paid")
    [found] = KINDS["error_rate"].evaluate(KINDS["error_rate"].defaults, target, attempts(failed=50), NOW)
    assert "stripe/payments invoice.paid" in found.evidence.summary
    assert found.labels["event_type"] == "invoice.paid"


def test_window_judged_is_the_rules_own_and_ends_now() -> None:
    rule = make("error_rate", window=timedelta(minutes=2))
    [found] = KINDS["error_rate"].evaluate(rule, Target("production", "a", "b"), attempts(failed=50), NOW)
    assert (found.evidence.window_start_at, found.evidence.window_end_at) == (NOW - timedelta(minutes=2), NOW)
