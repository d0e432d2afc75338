"""All shipped rules over made-up traffic: each trouble is named in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from alerts.inhibition import inhibiting
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
    VOIDED,
    WEEK,
    Change,
    Counts,
    Week,
    changed,
    minutes,
)

HOUR = timedelta(hours=1)
DEAD = "dead_letters"
WEDNESDAY_11 = MONDAY + 2 * DAY + 11 * HOUR


def lived(world: Week, moments: Iterator[datetime]) -> Sequence[Alert]:
    """Every alert as it was when it fired, but those that another one explains."""
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
        firing = [alert for alert in alerts.values() if alert.state is State.FIRING]
        fired += [alert for alert in firing if alert.firing_since == now and not inhibiting(alert, firing)]
    return fired


def failing(counts: Counts, when: slice) -> None:
    counts["failed"][when] += counts["succeeded"][when] // 2
    counts["wrong"][when] += counts["succeeded"][when] // 2
    counts["succeeded"][when] -= counts["succeeded"][when] // 2


def failing_more_than_usual(counts: Counts, when: slice) -> None:
    counts["failed"][when] += counts["succeeded"][when] // 30


def out(counts: Counts, when: slice) -> None:
    counts["failed"][when] += counts["succeeded"][when]
    counts["succeeded"][when] = 0


def clock_wrong(counts: Counts, when: slice) -> None:
    counts["off_time"][when] += counts["answered"][when]


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
    each_third = slice(when.start, when.stop, 3)
    counts["dead_lettered"][each_third] += 1
    counts["succeeded"][each_third] -= 1


@pytest.mark.parametrize(
    ("trouble", "target", "lasting", "told"),
    [
        (failing, PAYMENTS, 20, {"failure_count": 2}),
        (failing, TRANSFERS, 20, {"failure_count": 3}),
        (failing_more_than_usual, PAYMENTS, 60, {"failure_count": 6}),
        (out, VOIDED, 60, {"error_rate": 15, "failure_count": 25}),
        (clock_wrong, PAYMENTS, 30, {"verification_failures": 10}),
        (slow, PAYMENTS, 20, {"slow_processing": 5}),
        (slower_than_usual, PAYMENTS, 60, {"slow_processing": 15}),
        (late, PAYMENTS, 20, {"ack_deadline": 10}),
        (redirected, PAYMENTS, 60, {"wrong_status": 15}),
        (forgeries_believed, PAYMENTS, 9, {"wrong_status": 3}),
        (secret_rotated, PAYMENTS, 20, {"verification_failures": 4}),
        (secret_rotated, PAYMENTS, 120, {"verification_failures": 4}),  # and not that it is silent
        (sent_twice, PAYMENTS, 20, {"retry_storm": 8}),
        (worker_hangs, TRANSFERS, 20, {"stuck_events": 18}),
        (silent, PAYMENTS, 120, {"no_events": 62}),
        (dying, PAYMENTS, 90, {DEAD: 2, "burn_rate": 60}),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_trouble_is_named_in_time_and_pages_once(
    trouble: Change, target: Target, lasting: int, told: dict[str, int]
) -> None:
    """told: each rule that tells of it, and after how many minutes at the latest; in order."""
    length = lasting * MINUTE
    world = changed(trouble, target, WEDNESDAY_11, length)

    fired = lived(world, minutes(WEDNESDAY_11 - 30 * MINUTE, WEDNESDAY_11 + length + 30 * MINUTE))

    here = [alert for alert in fired if alert.labels.get("endpoint") == target.endpoint]
    assert [alert.rule for alert in here] == list(told)
    for alert, within in zip(here, told.values(), strict=True):
        assert WEDNESDAY_11 < alert.since <= WEDNESDAY_11 + within * MINUTE, alert.evidence.summary
    pages = [alert.severity.rank for alert in here if alert.severity.rank >= Severity.ERROR.rank]
    assert pages == sorted(set(pages)), "a page that is no worse than the one before"
    assert {alert.rule for alert in fired if alert not in here} <= {DEAD}


def test_an_endpoint_that_is_rarely_used_is_not_missed() -> None:
    world = changed(silent, RARE, MONDAY, WEEK)
    fired = lived(world, minutes(MONDAY, MONDAY + DAY))
    assert [alert for alert in fired if alert.rule == "no_events"] == []
