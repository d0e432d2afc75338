"""queue_depth: which sample counts, and the age of the oldest event."""

from __future__ import annotations

from datetime import timedelta

from alerts.model import (
    QueueSample,
    Verdict,
)
from alerts.rules import KINDS, make
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    queue,
)


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
