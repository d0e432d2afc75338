"""Queues asked at their interval, and their samples told together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.errors import Failure, RequestFailed
from monitor.errors import Unavailable
from monitor.model import QueueSample
from monitor.probes.queues.target import QueueKind, QueueTarget
from monitor.worker.sampling import Sampling, SamplingPlan
from tests.monitor.clocks import FakeClock

INBOX = QueueTarget(
    "production", "stripe", "payments", "inbox", QueueKind.REDIS_LIST, "redis://a.example", "jobs"
)
MAIL = replace(INBOX, name="mail", queue="mail")


class Outside:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.plan = SamplingPlan([INBOX, MAIL], timedelta(seconds=30), timedelta(seconds=5))
        self.reported: list[QueueSample] = []
        self.away: set[str] = set()
        self.collector_away = False
        self.job = Sampling(lambda: self.plan, self.sample, self.report, self.clock)

    def sample(self, target: QueueTarget, timeout_s: float) -> QueueSample:
        if target.name in self.away:
            raise RequestFailed(Failure.CONNECT, "could not connect to a.example:6379", retryable=True)
        place = target.environment, target.source, target.endpoint
        return QueueSample(*place, target.name, 3, None, self.clock.now())

    def report(self, samples: Sequence[QueueSample]) -> None:
        if self.collector_away:
            raise Unavailable("the collector is away")
        self.reported += samples

    def run_for(self, length: timedelta) -> None:
        for _ in range(length // timedelta(seconds=5)):
            self.job.run(1)
            self.clock.move(timedelta(seconds=5))


def test_each_queue_is_asked_at_its_interval() -> None:
    outside = Outside()
    outside.run_for(timedelta(minutes=5))
    assert len(outside.reported) == 20


def test_a_broker_that_is_away_is_named_and_holds_up_no_other_queue() -> None:
    outside = Outside()
    outside.away.add("mail")
    assert outside.job.run(1) == (
        "1 of 2 queues not asked: stripe/payments mail: could not connect to a.example:6379"
    )
    assert [sample.queue for sample in outside.reported] == ["inbox"]


def test_samples_that_could_not_be_told_are_taken_anew() -> None:
    outside = Outside()
    outside.collector_away = True
    with pytest.raises(Unavailable):
        outside.job.run(1)
    outside.collector_away = False
    outside.clock.move(timedelta(seconds=5))
    outside.job.run(1)
    assert len(outside.reported) == 2


def test_without_queues_there_is_nothing_to_do() -> None:
    outside = Outside()
    outside.plan = replace(outside.plan, queues=[])
    assert outside.job.run(1) == ""
