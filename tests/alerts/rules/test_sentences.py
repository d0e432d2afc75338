"""The sentence of each kind when it fires: what, where, how bad against what, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import (
    Repeats,
)
from alerts.rules import KINDS
from tests.alerts.rules.judging import summary
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    answered,
    attempts,
    canaries_lost,
    certificate,
    deliveries,
    down,
    processing,
    promised,
    queue,
    silent_for,
    silent_since,
    statuses,
    unended,
)

DAY = timedelta(days=1)


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
            "p95 processing time of stripe/payments was 6.2 s in 15 min (threshold 5 s); "
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
            "The oldest event in queue inbox of stripe/payments has waited 1 h (threshold 10 min); "
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
            "stripe/payments does not answer since 2026-11-21 02:57 UTC: 4 probes in a row failed "
            "(threshold 3), the last with connection refused",
        ),
        (
            "endpoint_down",
            down(1, error=""),
            "stripe/payments does not answer since 2026-11-21 03:00 UTC: 1 probe in a row failed "
            "(threshold 3), the last with no answer",
        ),
        (
            "canary_lost",
            canaries_lost(3),
            "No canary comes through stripe/payments since 2026-11-21 02:50 UTC: 3 failures in a row "
            "(threshold 2), the last: a canary was answered 200, but left no record within 60 s",
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
            "1 event of stripe/payments given up in 15 min (threshold 0), 100 % of those that ended; "
            "it waits to be replayed",
        ),
        (
            "dead_letters",
            attempts(succeeded=988, failed=50, dead_lettered=12),
            "12 events of stripe/payments given up in 15 min (threshold 0), 1.2 % of those that ended; "
            "they wait to be replayed",
        ),
        (
            "ack_deadline",
            answered(*[10.0] * 88, *[25_000.0] * 9, *[31_000.0] * 3),
            "12 % of deliveries to stripe/payments were answered later than 24 s in 15 min (threshold 5 %); "
            "the sender waits 30 s, which 3 % missed; p95 is 25 s",
        ),
        (
            "wrong_status",
            statuses({200: 220, 500: 28, 302: 2}),
            "12 % of answers at stripe/payments were not what its sender expects (200, 201, 202, 204) "
            "in 15 min (threshold 5 %), 30 of 250, mostly 500",
        ),
        (
            "wrong_status",
            statuses({200: 220}, {200: 3, 401: 1}, verification_failures={"bad_signature": 4}),
            "stripe/payments answered 2xx to 3 of 4 deliveries that it rejected in 15 min "
            "(threshold 0; bad_signature): whoever sent them takes them for received",
        ),
        (
            "retry_storm",
            statuses({200: 950, 500: 50}, duplicates=300, redelivered=50),
            "35 % of deliveries to stripe/payments in 15 min had been sent before (threshold 20 %), "
            "350 of 1,000: 300 of events that were done, 50 of events that had failed",
        ),
        (
            "processed_twice",
            World(done_twice=Repeats(57, 2, ("0193f000-0000-7000-8000-000000000005",))),
            "stripe/payments processed 2 events to the end twice in 5 min (threshold 0): "
            "57 of its 57 successes were looked at",
        ),
        (
            "processed_twice",
            World(window_of=attempts(succeeded=4200, failed=9).window_of, done_twice=Repeats(57, 1)),
            "stripe/payments processed 1 event to the end twice in 5 min (threshold 0): "
            "57 of its 4,200 successes were looked at",
        ),
        (
            "stuck_events",
            unended(7, of=1200),
            "7 of 1,200 acknowledged events of stripe/payments have not ended within 15 min (threshold 0), "
            "the oldest since 2026-11-21 00:00 UTC",
        ),
        (
            "no_events",
            silent_since(timedelta(hours=3, minutes=10), usual=240),
            "No event of stripe/payments for 3 h 10 min (threshold 1 h), the last at 2026-11-20 23:50 UTC; "
            "at least 240 came at this hour of each past week",
        ),
        (
            "burn_rate",
            promised(0.999, 99_400, 600),
            "0.6 % of the events of stripe/payments were lost in 3 d, 6 times what 99.9 % allows "
            "(threshold 1); the error budget of 30 d is gone",
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


def test_event_type_is_named_where_the_rule_narrows_it() -> None:
    target = replace(PAYMENTS, event_type="invoice.paid")
    [found] = KINDS["error_rate"].evaluate(KINDS["error_rate"].defaults, target, attempts(failed=50), NOW)
    assert "stripe/payments invoice.paid" in found.evidence.summary
    assert found.labels["event_type"] == "invoice.paid"
