"""What is particular to single kinds: their sentences, steps and sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.model import (
    ErrorCount,
    Evaluation,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Refusal,
    Repeats,
    Rule,
    Severity,
    Target,
    Terms,
    Verdict,
    Window,
)
from alerts.rules import KINDS, make
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    Times,
    World,
    answered,
    attempts,
    canaries_lost,
    certificate,
    deliveries,
    down,
    probed,
    processing,
    promised,
    queue,
    silent_for,
    silent_since,
    statuses,
    unended,
)

DAY = timedelta(days=1)


def found_by(kind: str, world: World, rule: Rule | None = None, now: datetime = NOW) -> Evaluation:
    """The one finding of a rule, the kind's default unless given."""
    [found] = KINDS[kind].evaluate(rule or KINDS[kind].defaults, PAYMENTS, world, now)
    return found


def summary(kind: str, world: World) -> str:
    return found_by(kind, world).evidence.summary


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
            "35 % of deliveries to stripe/payments in 15 min had been sent before (threshold 20 %): "
            "300 of events that were done, 50 of events that had failed, of 1,000",
        ),
        (
            "processed_twice",
            World(done_twice=Repeats(57, 2, ("0193f000-0000-7000-8000-000000000005",))),
            "stripe/payments processed 2 events to the end twice in 5 min (threshold 0): "
            "57 of its 57 successes were looked at",
        ),
        (
            "processed_twice",
            World(window_of=attempts(succeeded=4200).window_of, done_twice=Repeats(57, 1)),
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


def test_a_certificate_that_senders_refuse_is_as_bad_as_one_that_ended() -> None:
    error = "it is self-signed: no sender trusts it; get one from a public authority"
    result = ProbeResult(ProbeKind.TLS, False, NOW, error=error, cert_not_after=NOW + 80 * DAY)
    kind = KINDS["certificate_expiry"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, probed(result), NOW)
    assert (found.verdict, found.severity) == (Verdict.BREACH, Severity.CRITICAL)
    assert found.evidence.summary == (
        f"The certificate of stripe/payments is refused by careful senders: {error}"
    )


def test_the_providers_own_certificate_is_held_to_the_same_days_as_an_alert_of_its_own() -> None:
    """Practice 7."""
    own = ProbeResult(ProbeKind.TLS, True, NOW, cert_not_after=NOW + 80 * DAY)
    theirs = ProbeResult(ProbeKind.PROVIDER, True, NOW, cert_not_after=NOW + 6 * DAY)
    kind = KINDS["certificate_expiry"]
    fine, found = kind.evaluate(kind.defaults, PAYMENTS, probed(own, theirs), NOW)
    assert (fine.verdict, found.verdict, found.severity) == (Verdict.OK, Verdict.BREACH, Severity.ERROR)
    assert found.labels["certificate"] == "provider"
    assert fine.fingerprint != found.fingerprint
    assert found.evidence.summary.startswith("The certificate of the API of stripe expires in 6 d")


def test_certificate_is_read_from_the_latest_probe_that_saw_one() -> None:
    failed = ProbeResult(ProbeKind.TLS, ok=False, checked_at=NOW, error="timeout", consecutive_failures=1)
    seen = ProbeResult(ProbeKind.TLS, ok=True, checked_at=NOW - timedelta(hours=1), cert_not_after=NOW + DAY)
    kind = KINDS["certificate_expiry"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, probed(failed, seen), NOW)
    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("kind", "status", "error", "severity"),
    [
        (ProbeKind.UNSIGNED, 202, "an unsigned POST was accepted with 202", Severity.CRITICAL),
        (ProbeKind.UNSIGNED, 403, "an unsigned POST was refused by Cloudflare", Severity.WARNING),
        (ProbeKind.METHOD, 200, "a GET was answered 200, not 405", Severity.INFO),
    ],
)
def test_a_stranger_that_is_let_in_is_critical_and_one_that_is_sent_away_wrongly_is_not(
    kind: ProbeKind, status: int, error: str, severity: Severity
) -> None:
    """Practices 9 and 10."""
    away = ProbeResult(kind, False, NOW, error="connection refused", consecutive_failures=2)
    result = ProbeResult(kind, False, NOW, status, error=error, consecutive_failures=1)
    rule = KINDS["endpoint_exposure"]
    [found] = rule.evaluate(rule.defaults, PAYMENTS, probed(away, result), NOW)
    assert (found.verdict, found.severity, found.labels["probe"]) == (Verdict.BREACH, severity, kind.value)
    assert found.evidence.summary == f"stripe/payments: {error} (since 2026-11-21 03:00 UTC)"
    assert rule.evaluate(rule.defaults, PAYMENTS, probed(away), NOW) == []


@pytest.mark.parametrize("kind", ["certificate_expiry", "endpoint_down", "endpoint_exposure", "queue_depth"])
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


def usually(world: World, **week: Any) -> World:
    """The world with such past hours."""
    world.past_of = lambda target, start_at, end_at: Window(target, start_at, end_at, **week)
    return world


def test_an_error_rate_is_said_beside_what_is_normal_at_this_hour() -> None:
    world = usually(attempts(succeeded=2190, failed=310), succeeded=9970, failed=30)
    assert summary("error_rate", world) == (
        "12.4 % of stripe/payments failed in 15 min, normally 0.3 % (threshold 5 %), 310 of 2,500 attempts"
    )


def test_an_error_rate_says_when_the_budget_will_be_gone() -> None:
    lost = usually(promised(0.999, 97_900, 2_100), succeeded=9970, failed=30)
    now, month = lost.window_of, promised(0.999, 9_999_000, 100).window_of
    lost.window_of = lambda target, start_at, end_at: (month if end_at - start_at > 9 * DAY else now)(
        target, start_at, end_at
    )
    rule = make("error_rate", threshold=0.02)
    assert found_by("error_rate", lost, rule).evidence.summary == (
        "2.1 % of stripe/payments failed in 15 min, normally 0.3 % (threshold 2 %), "
        "2,100 of 100,000 attempts; budget gone in 34 h at this rate"
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


def test_failures_of_a_busy_endpoint_count_only_where_their_share_says_so_too() -> None:
    assert found_by("failure_count", attempts(succeeded=980, failed=19)).verdict is Verdict.OK
    assert found_by("failure_count", attempts(succeeded=979, failed=20)).verdict is Verdict.BREACH


@pytest.mark.parametrize(("failed", "cleared"), [(19, False), (10, False), (9, True)])
def test_failures_are_over_when_half_the_share_is_left(failed: int, cleared: bool) -> None:
    found = found_by("failure_count", attempts(succeeded=1000 - failed, failed=failed))
    assert (found.verdict, found.cleared) == (Verdict.OK, cleared)


def test_many_failures_from_one_address_are_a_burst_however_small_their_share() -> None:
    world = deliveries(10_000, bad_signature=101)
    assert found_by("verification_failures", world).verdict is Verdict.OK
    world.refusals = [
        Refusal(f"r{n}", "bad_signature", "203.0.113.9" if n % 4 else "198.51.100.1") for n in range(100)
    ]
    found = found_by("verification_failures", world)
    assert found.verdict is Verdict.BREACH
    assert found.evidence.summary == (
        "101 deliveries to stripe/payments did not verify in 15 min (threshold 100 from one address), "
        "75 % of a sample from 203.0.113.9, mostly bad_signature; they are 1 % of all"
    )
    assert found.evidence.exemplars[:2] == ("r0", "r1")


@pytest.mark.parametrize(
    ("count", "of_one", "burst", "verdict"),
    [
        (101, 50, 100, Verdict.BREACH),  # just half of them are of one address
        (101, 49, 100, Verdict.OK),
        (100, 50, 100, Verdict.OK),  # not more than the limit
        (101, 50, 0, Verdict.OK),  # switched off
    ],
)
def test_a_burst_is_more_than_its_limit_and_half_of_one_address(
    count: int, of_one: int, burst: float, verdict: Verdict
) -> None:
    world = deliveries(10_000, bad_signature=count)
    world.refusals = [
        Refusal(f"r{n}", "bad_signature", "203.0.113.9" if n < of_one else f"198.51.100.{n}")
        for n in range(100)
    ]
    rule = make("verification_failures", params={"burst": burst})
    assert found_by("verification_failures", world, rule).verdict is verdict


def test_failures_from_many_addresses_are_no_burst() -> None:
    world = deliveries(10_000, bad_signature=300)
    world.refusals = [Refusal(f"r{n}", "bad_signature", f"203.0.113.{n}") for n in range(100)]
    assert found_by("verification_failures", world).verdict is Verdict.OK


def test_a_rate_limit_is_no_forgery_in_the_sample() -> None:
    world = deliveries(10_000, bad_signature=300)
    world.refusals = [Refusal(f"r{n}", "rate_limited", "203.0.113.9") for n in range(100)]
    assert found_by("verification_failures", world).verdict is Verdict.OK


@pytest.mark.parametrize(("off", "verdict"), [(50, Verdict.OK), (51, Verdict.BREACH)])
def test_clocks_that_drift_apart_are_a_warning_before_anything_is_refused(off: int, verdict: Verdict) -> None:
    """practice 20"""
    found = found_by("verification_failures", statuses({200: 100}, off_time=off))
    assert found.verdict is verdict
    if verdict is Verdict.BREACH:
        assert found.severity is Severity.WARNING
        assert found.evidence.summary.startswith(
            "51 % of what verified at stripe/payments was signed more than 30 s before or after it came"
        )


@pytest.mark.parametrize(
    ("verified", "share", "verdict"),
    [(20, 0.5, Verdict.BREACH), (19, 0.5, Verdict.OK), (20, 0, Verdict.OK)],
)
def test_a_drift_needs_a_sample_and_can_be_switched_off(
    verified: int, share: float, verdict: Verdict
) -> None:
    rule = make("verification_failures", params={"off_time_share": share})
    world = statuses({200: verified}, {429: 5}, off_time=verified)
    assert found_by("verification_failures", world, rule).verdict is verdict


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
    assert found_by("no_events", world, rule, at).verdict is verdict


def test_silence_that_is_usual_at_this_hour_is_fine() -> None:
    found = found_by("no_events", silent_since(timedelta(hours=9), usual=19))
    assert (found.verdict, found.cleared) == (Verdict.OK, True)


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


def typed(succeeded: int, failed: int, **failures_of: tuple[int, int]) -> World:
    """A world whose endpoint had these attempts, and of them each type so many that succeeded and failed."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        good, bad = failures_of[target.event_type] if target.event_type else (succeeded, failed)
        return Window(target, start_at, end_at, succeeded=good, failed=bad)

    return World(window_of=window, event_types=tuple(failures_of))


def test_a_type_that_is_out_alone_is_named_although_the_endpoint_looks_fine() -> None:
    world = typed(970, 30, paid=(968, 1), voided=(2, 29))
    found = found_by("error_rate", world)
    assert (found.verdict, found.labels.get("event_type")) == (Verdict.BREACH, None)
    assert found.evidence.summary == (
        "93.5 % of stripe/payments voided failed in 15 min (threshold 50 % of one type), 29 of 31 attempts"
    )
    of_any_type = make("error_rate", params={"type_share": 0})
    assert found_by("error_rate", world, of_any_type).verdict is Verdict.OK


@pytest.mark.parametrize(
    "world",
    [
        typed(970, 9, voided=(0, 9)),  # too few to be looked at
        typed(970, 30, paid=(960, 12), voided=(1, 18)),  # 19 of the type: too few to judge
        typed(970, 30, paid=(940, 1), voided=(30, 29)),  # half of them went well
    ],
)
def test_a_type_with_little_or_some_success_is_not_out(world: World) -> None:
    assert found_by("error_rate", world).verdict is Verdict.OK


@pytest.mark.parametrize("kind", ["error_rate", "failure_count"])
def test_the_type_that_fails_is_named(kind: str) -> None:
    assert summary(kind, typed(900, 100, paid=(800, 2), voided=(100, 98))).endswith(", 98 % of them voided")


@pytest.mark.parametrize("kind", ["error_rate", "failure_count"])
def test_no_type_is_named_where_all_fail_alike(kind: str) -> None:
    said = summary(kind, typed(900, 100, paid=(800, 90), voided=(100, 10)))
    assert said.endswith("attempts")
