"""All shipped rules over made-up traffic: a healthy week tells nobody anything, and each trouble is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from alerts.lifecycle import advance
from alerts.model import Alert, Severity, State, Target
from alerts.rules import default_rules
from alerts.rules.evaluate import evaluate
from tests.alerts.rules.week import (
    DAY,
    MINUTE,
    MONDAY,
    PAYMENTS,
    RARE,
    TRANSFERS,
    WEEK,
    Change,
    Counts,
    Week,
    changed,
)

HOUR = timedelta(hours=1)
DEAD = "dead_letters"
WEDNESDAY_11 = MONDAY + 2 * DAY + 11 * HOUR


def lived(world: Week, moments: Iterator[datetime]) -> Sequence[Alert]:
    """Every alert as it was when it fired."""
    alerts: dict[str, Alert] = {}
    last_run: dict[str, datetime] = {}
    fired = []
    for now in moments:
        world.now = now
        found = evaluate(default_rules(), world, now, last_run)
        last_run = dict(found.last_run)
        assert not found.frozen, "a rule could not be evaluated"
        for move in advance(alerts, found):
            alerts[move.after.fingerprint] = move.after
            if move.transition is not None and move.after.state is State.FIRING:
                fired.append(move.after)
    return fired


def minutes(start_at: datetime, end_at: datetime) -> Iterator[datetime]:
    """Each minute of the office hours; by night and at weekends, when little changes, each tenth."""
    now = start_at
    while now < end_at:
        yield now
        calm = not 8 <= now.hour < 18 or now.weekday() > 4
        now += 10 * MINUTE if calm else MINUTE


def test_a_week_of_healthy_traffic_pages_nobody() -> None:
    fired = lived(Week(), minutes(MONDAY, MONDAY + WEEK))

    told = {(alert.rule, alert.severity) for alert in fired}
    # one event in fifty thousand is given up, on this healthy installation too: a ticket, and no page
    assert told <= {(DEAD, Severity.ERROR)}


def failing(counts: Counts, when: slice) -> None:
    counts["failed"][when] += counts["succeeded"][when] // 2
    counts["wrong"][when] += counts["succeeded"][when] // 2
    counts["succeeded"][when] -= counts["succeeded"][when] // 2


def failing_more_than_usual(counts: Counts, when: slice) -> None:
    counts["failed"][when] += counts["succeeded"][when] // 30


def slow(counts: Counts, when: slice) -> None:
    counts["process"][when] *= 60


def slower_than_usual(counts: Counts, when: slice) -> None:
    counts["process"][when] *= 10


def late(counts: Counts, when: slice) -> None:
    counts["ack"][when] *= 45


def redirected(counts: Counts, when: slice) -> None:
    counts["wrong"][when] += counts["succeeded"][when] // 10


def forgeries_believed(counts: Counts, when: slice) -> None:
    counts["forged"][when] += 1
    counts["believed"][when] += 1


def secret_rotated(counts: Counts, when: slice) -> None:
    counts["forged"][when] += counts["succeeded"][when]
    for name in ("succeeded", "failed", "answered", "accepted", "process", "ack"):
        counts[name][when] = 0


def sent_twice(counts: Counts, when: slice) -> None:
    counts["duplicates"][when] += counts["succeeded"][when]
    counts["answered"][when] += counts["succeeded"][when]


def worker_hangs(counts: Counts, when: slice) -> None:
    counts["stuck"][when] += counts["succeeded"][when]
    counts["succeeded"][when] = 0


def silent(counts: Counts, when: slice) -> None:
    for count in counts.values():
        count[when] = 0


def dying(counts: Counts, when: slice) -> None:
    counts["dead_lettered"][when] += counts["succeeded"][when] // 20
    counts["succeeded"][when] -= counts["succeeded"][when] // 20


@pytest.mark.parametrize(
    ("trouble", "target", "lasting", "named", "severity", "within"),
    [
        (failing, PAYMENTS, 20 * MINUTE, "failure_count", Severity.CRITICAL, MINUTE),
        (failing, PAYMENTS, 20 * MINUTE, "error_rate", Severity.ERROR, 4 * MINUTE),
        (failing, TRANSFERS, 20 * MINUTE, "failure_count", Severity.CRITICAL, 3 * MINUTE),
        (failing_more_than_usual, PAYMENTS, HOUR, "error_rate", Severity.ERROR, 12 * MINUTE),
        (slow, PAYMENTS, 20 * MINUTE, "slow_processing", Severity.WARNING, 10 * MINUTE),
        (slower_than_usual, PAYMENTS, HOUR, "slow_processing", Severity.WARNING, 15 * MINUTE),
        (late, PAYMENTS, 20 * MINUTE, "ack_deadline", Severity.ERROR, 10 * MINUTE),
        (redirected, PAYMENTS, HOUR, "wrong_status", Severity.ERROR, 15 * MINUTE),
        (forgeries_believed, PAYMENTS, 9 * MINUTE, "wrong_status", Severity.CRITICAL, 3 * MINUTE),
        (secret_rotated, PAYMENTS, 20 * MINUTE, "verification_failures", Severity.ERROR, 4 * MINUTE),
        (sent_twice, PAYMENTS, 20 * MINUTE, "retry_storm", Severity.ERROR, 8 * MINUTE),
        (worker_hangs, TRANSFERS, 20 * MINUTE, "stuck_events", Severity.ERROR, 18 * MINUTE),
        (silent, PAYMENTS, 2 * HOUR, "no_events", Severity.ERROR, 62 * MINUTE),
        (dying, PAYMENTS, 40 * MINUTE, "burn_rate", Severity.CRITICAL, 25 * MINUTE),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_trouble_is_named_in_time(
    trouble: Change,
    target: Target,
    lasting: timedelta,
    named: str,
    severity: Severity,
    within: timedelta,
) -> None:
    world = changed(trouble, target, WEDNESDAY_11, lasting)

    fired = lived(world, minutes(WEDNESDAY_11 - 30 * MINUTE, WEDNESDAY_11 + lasting + 30 * MINUTE))

    firings = [alert for alert in fired if alert.rule == named]
    assert [(one.severity, one.labels["endpoint"]) for one in firings] == [(severity, target.endpoint)]
    assert WEDNESDAY_11 < firings[0].since <= WEDNESDAY_11 + within
    elsewhere = {alert.rule for alert in fired if alert.labels.get("endpoint") != target.endpoint}
    assert elsewhere <= {DEAD}


def test_an_endpoint_that_is_rarely_used_is_not_missed() -> None:
    world = changed(silent, RARE, MONDAY, WEEK)
    fired = lived(world, minutes(MONDAY, MONDAY + DAY))
    assert [alert for alert in fired if alert.rule == "no_events"] == []
