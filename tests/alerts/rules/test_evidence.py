"""What every kind shows of what it judged, and what it says where nothing is wrong, or nothing is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.model import Evaluation, Repeats, Stuck, Target, Verdict
from alerts.rules import KINDS
from alerts.sightings import Aspect
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    RECORD_ID,
    World,
    answered,
    asked_unsigned,
    attempts,
    broken,
    canaries_lost,
    certificate,
    clock_off,
    deliveries,
    down,
    housed,
    lost,
    processing,
    promised,
    queue,
    sighted,
    silent_for,
    silent_since,
    statuses,
    unended,
    usually,
    waiting_for,
)

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
GIB = 1024**3


def found_in(kind: str, world: World) -> Evaluation:
    target = Target("production") if KINDS[kind].on_monitor else PAYMENTS
    [found] = KINDS[kind].evaluate(KINDS[kind].defaults, target, world, NOW)
    return found


BREACHES = [
    ("error_rate", attempts(900, 60, 40), 0.1, 1000, 15 * MINUTE, 1),
    ("failure_count", attempts(5, 10, 2), 12, 17, 5 * MINUTE, 1),
    ("burn_rate", promised(0.999, 99_400, 600), 6, 100_000, 3 * DAY, 1),
    ("slow_processing", processing(*[6200.0] * 50), 6200, 50, 15 * MINUTE, 1),
    ("ack_deadline", answered(*[25_000.0] * 50), 1, 50, 15 * MINUTE, 1),
    ("wrong_status", statuses({200: 60, 500: 40}, {401: 9}), 0.4, 100, 15 * MINUTE, 0),
    ("verification_failures", deliveries(50, bad_signature=10), 0.2, 50, 15 * MINUTE, 0),
    ("retry_storm", statuses({200: 100}, {401: 9}, duplicates=30), 0.3, 100, 15 * MINUTE, 0),
    ("processed_twice", World(done_twice=Repeats(50, 2, (RECORD_ID,))), 2, 50, 5 * MINUTE, 1),
    ("stuck_events", unended(7, of=1200), 7, 1200, 3 * HOUR, 1),
    ("dead_letters", attempts(5, 10, 2), 2, 17, 15 * MINUTE, 1),
    ("new_issue", broken(40), 40, 40, DAY, 1),
    ("repeated_status", statuses({200: 60, 404: 40}, {429: 0}), 40, 100, HOUR, 0),
    ("drift", sighted((Aspect.TYPE, "voided", HOUR, HOUR)), 1, 1, DAY, 1),
    ("secret_rotation", sighted((Aspect.SECRET, "a1b2", 91 * DAY, HOUR)), 91, 1, 91 * DAY, 0),
    ("no_events", silent_since(2 * HOUR), 7200, 1, 2 * HOUR, 0),
    ("queue_depth", queue(4200, sampled_before=MINUTE), 4200, 1, MINUTE, 0),
    ("endpoint_down", down(4), 4, 5, 3 * MINUTE, 0),
    ("canary_lost", canaries_lost(3), 3, 4, 10 * MINUTE, 0),
    ("endpoint_exposure", asked_unsigned(200, "let in", HOUR), 1, 1, HOUR, 0),
    ("certificate_expiry", certificate(6 * DAY, HOUR), 6, 1, HOUR, 0),
    ("clock_skew", clock_off(-45 * SECOND), 45, 1, 15 * MINUTE, 0),
    ("client_drops", lost(7, missing=5), 12, 1, 15 * MINUTE, 0),
    ("monitor_blind", silent_for(3 * MINUTE), 180, 1, 3 * MINUTE, 0),
    ("evaluator_late", housed(evaluated_at=NOW - 3 * MINUTE), 180, 1, 3 * MINUTE, 0),
    ("outbox_stuck", waiting_for(HOUR), 3600, 2, HOUR, 0),
    ("store_near_budget", housed(used_bytes=95, budget_bytes=100), 0.95, 1, 0 * HOUR, 0),
]


@pytest.mark.parametrize(("kind", "world", "value", "sample", "back", "exemplars"), BREACHES)
def test_evidence_is_the_value_its_sample_and_its_window_in_the_unit_of_the_kind(
    kind: str, world: World, value: float, sample: int, back: timedelta, exemplars: int
) -> None:
    found = found_in(kind, world)
    shown = found.evidence
    assert found.verdict is Verdict.BREACH
    assert shown.value == pytest.approx(value)
    assert (shown.unit, shown.sample, len(shown.exemplars)) == (KINDS[kind].unit, sample, exemplars)
    assert (shown.window_start_at, shown.window_end_at) == (NOW - back, NOW)


def test_every_kind_shows_its_evidence_here() -> None:
    assert {case[0] for case in BREACHES} == set(KINDS)


FINE = [
    (
        "burn_rate",
        promised(0.999, 99_990, 10),
        "stripe/payments uses its error budget 0.1 times as fast as it "
        "lasts over 3 d: 10 of 100,000 events were lost",
    ),
    ("dead_letters", attempts(9), "No event of stripe/payments was given up in 15 min"),
    ("no_events", silent_since(5 * MINUTE), "The last event of stripe/payments is 5 min old"),
    (
        "no_events",
        silent_since(2 * HOUR, usual=0),
        "No event of stripe/payments for 2 h, which is usual at this time",
    ),
    ("endpoint_down", down(0), "stripe/payments answers in 12 ms"),
    ("canary_lost", canaries_lost(0), "Canaries come through stripe/payments"),
    ("endpoint_exposure", asked_unsigned(401), "stripe/payments refuses an unsigned POST with 401"),
    (
        "certificate_expiry",
        certificate(60 * DAY),
        "The certificate of stripe/payments expires in 60 d, on 2027-01-20 (info from 30 days)",
    ),
    (
        "stuck_events",
        unended(0, of=9),
        "0 of 9 acknowledged events of stripe/payments have not ended within 15 min (threshold 0)",
    ),
    ("repeated_status", statuses({200: 9}), "No delivery to stripe/payments was answered 4xx in 1 h"),
    ("drift", sighted(), "Nothing new at stripe/payments in 24 h"),
    ("clock_skew", clock_off(SECOND), "The monitor's clock and those of 1 receiver are within 30 s"),
    ("client_drops", lost(0), "The monitor has every record of 1 process that reported"),
    ("monitor_blind", silent_for(4 * SECOND), "Collectors report; the last heartbeat is 4 s old"),
    (
        "evaluator_late",
        housed(evaluated_at=NOW - 9 * SECOND),
        "Rules are judged; the last round was completed 9 s ago, at 2026-11-21 02:59 UTC",
    ),
    (
        "store_near_budget",
        housed(used_bytes=GIB, budget_bytes=4 * GIB),
        "The monitor's facts use 25 % of their "
        "budget, 1 GiB of 4 GiB; beyond it the oldest records are deleted (threshold 90 %)",
    ),
    (
        "store_near_budget",
        housed(disk_bytes=8 * GIB, disk_free_bytes=2 * GIB),
        "The monitor's disk is 75 % full, 2 GiB are free; once full nothing is stored (threshold 90 %)",
    ),
    (
        "evaluator_late",
        housed(evaluated_at=NOW - 2 * MINUTE),
        "Rules are judged; the last round was completed 2 min ago, at 2026-11-21 02:58 UTC",
    ),
]


@pytest.mark.parametrize(("kind", "world", "said"), FINE)
def test_what_is_said_where_all_is_well(kind: str, world: World, said: str) -> None:
    found = found_in(kind, world)
    assert (found.verdict, found.cleared, found.evidence.summary) == (Verdict.OK, True, said)
    assert not found.evidence.top_errors


UNKNOWN = [
    ("error_rate", attempts(15, 3, 1), "19 attempts at stripe/payments in 15 min, too few to judge", 19),
    ("failure_count", attempts(), "0 attempts at stripe/payments in 5 min", 0),
    ("burn_rate", promised(0.999, 10, 9), "19 events of stripe/payments ended in 3 d, too few to judge", 19),
    (
        "slow_processing",
        processing(*[9.0] * 19),
        "19 attempts at stripe/payments in 15 min, too few timed",
        19,
    ),
    ("ack_deadline", answered(*[9.0] * 19), "19 deliveries to stripe/payments in 15 min, too few timed", 19),
    (
        "wrong_status",
        statuses({200: 19}, {401: 5}),
        "19 answers at stripe/payments in 15 min, too few to judge",
        19,
    ),
    (
        "verification_failures",
        deliveries(19),
        "19 deliveries to stripe/payments in 15 min, too few to judge",
        19,
    ),
    (
        "retry_storm",
        statuses({200: 49}, {401: 5}),
        "49 deliveries to stripe/payments in 15 min, too few to judge",
        49,
    ),
    ("processed_twice", World(), "0 events of stripe/payments succeeded in 5 min", 0),
    ("stuck_events", World(never_ended=Stuck()), "0 events of stripe/payments acknowledged in 24 h", 0),
    ("dead_letters", attempts(), "0 attempts at stripe/payments in 15 min", 0),
    ("no_events", silent_since(None), "Nothing was ever received at stripe/payments", 0),
    ("endpoint_down", down(3, checked_before=6 * MINUTE), "No probe of stripe/payments for 6 min", 0),
    ("canary_lost", canaries_lost(3, 31 * MINUTE), "No canary was sent to stripe/payments for 31 min", 0),
    (
        "endpoint_exposure",
        asked_unsigned(200, "let in", 7 * HOUR),
        "stripe/payments was not asked with an unsigned POST for 7 h",
        0,
    ),
    (
        "certificate_expiry",
        certificate(DAY, 3 * DAY),
        "The certificate of stripe/payments was not seen within 2 d",
        0,
    ),
    (
        "queue_depth",
        queue(9, sampled_before=6 * MINUTE),
        "No sample of queue inbox of stripe/payments for 6 min",
        0,
    ),
    ("new_issue", World(), "No new issue at stripe/payments in 24 h", 0),
    ("repeated_status", statuses({}), "No delivery to stripe/payments was answered in 1 h", 0),
    ("drift", World(), "What is usual at stripe/payments is still being learnt", 0),
    ("secret_rotation", World(), "No secret of stripe/payments has verified anything yet", 0),
    ("clock_skew", World(), "The monitor heard the time of no receiver in 15 min", 0),
    ("client_drops", World(), "The monitor heard of no receiver in 15 min", 0),
    ("evaluator_late", World(), "The monitor has completed no round over its rules yet", 0),
    ("outbox_stuck", World(), "The monitor has nothing to tell that waits", 0),
    (
        "store_near_budget",
        World(),
        "The monitor's store has no budget, and its disk is not this machine's",
        0,
    ),
]


@pytest.mark.parametrize(("kind", "world", "said", "sample"), UNKNOWN)
def test_what_is_said_where_too_little_is_known(kind: str, world: World, said: str, sample: int) -> None:
    found = found_in(kind, world)
    assert (found.verdict, found.evidence.summary) == (Verdict.NO_DATA, said)
    assert found.evidence.sample == sample


@pytest.mark.parametrize(("failed", "shown"), [(400, 0), (401, 1), (500, 1), (501, 1)])
def test_examples_are_shown_from_where_an_alert_would_go_on(failed: int, shown: int) -> None:
    """Where all is well none is read: each costs a look into the store."""
    evidence = found_in("error_rate", attempts(10_000 - failed, failed)).evidence
    assert (len(evidence.exemplars), len(evidence.top_errors)) == (shown, shown)


def test_examples_are_shown_where_far_more_than_usual_failed() -> None:
    """Although an alert would end above it."""
    world = usually(attempts(970, 30), succeeded=9970, failed=30)
    evidence = found_in("error_rate", world).evidence
    assert (evidence.threshold, len(evidence.exemplars), len(evidence.top_errors)) == (0.015, 1, 1)
