"""Canaries sent at their interval, under the epoch, and their records awaited."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import LeaseLost, Unavailable
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget
from monitor.worker.canaries import Canaries, CanaryPlan
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.test_probing import window

TARGET = ProbeTarget("production", "stripe", "payments", "https://a.example/", kinds=(ProbeKind.CANARY,))
TICK, MINUTE = timedelta(seconds=5), timedelta(minutes=1)


class Outside:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.plan = CanaryPlan([TARGET], 5 * MINUTE, MINUTE, TICK)
        self.sent: list[str] = []
        self.stored: set[str] = set()
        self.reported: list[ProbeResult] = []
        self.status, self.leads, self.collector_away = 200, True, False
        self.job = Canaries(
            lambda: self.plan,
            self.send,
            lambda target, name: name in self.stored,
            self.report,
            self.must_lead,
            lambda: f"can_{len(self.sent)}",
            self.clock,
        )

    def send(self, target: ProbeTarget, canary_id: str, timeout_s: float) -> ProbeResult:
        self.sent.append(canary_id)
        place, ok = (target.environment, target.source, target.endpoint), self.status == 200
        error = None if ok else "refused"
        return ProbeResult(*place, ProbeKind.CANARY, ok, self.clock.now(), self.status, error=error)

    def report(self, results: Sequence[ProbeResult]) -> None:
        if self.collector_away:
            raise Unavailable("the collector is away")
        self.reported += results

    def must_lead(self, epoch: int) -> None:
        if not self.leads:
            raise LeaseLost("another worker leads now")

    def run_for(self, length: timedelta) -> list[str]:
        said = []
        for _ in range(length // TICK):
            said.append(self.job.run(1))
            self.clock.move(TICK)
        return [line for line in said if line]


def test_a_canary_whose_record_is_there_is_ok_as_of_when_it_was_sent() -> None:
    outside = Outside()
    began = outside.clock.now()
    outside.job.run(1)
    assert outside.reported == []
    outside.stored.add("can_0")
    outside.clock.move(TICK)
    assert outside.job.run(1) == ""
    assert [(result.ok, result.checked_at) for result in outside.reported] == [(True, began)]


def test_a_canary_without_a_record_in_time_says_that_the_way_is_broken() -> None:
    outside = Outside()
    [said] = outside.run_for(2 * MINUTE)
    assert "1 of 1 canaries failed: stripe/payments: a canary was answered 200, but left no record" in said
    assert [result.ok for result in outside.reported] == [False]


def test_a_refused_canary_fails_at_once() -> None:
    outside = Outside()
    outside.status = 401
    assert outside.job.run(1) == "1 of 1 canaries failed: stripe/payments: refused"


def test_each_endpoint_is_asked_at_its_interval() -> None:
    outside = Outside()
    outside.run_for(timedelta(hours=1))
    assert len(outside.sent) == 12


def test_a_worker_that_leads_no_longer_sends_none() -> None:
    outside = Outside()
    outside.leads = False
    with pytest.raises(LeaseLost):
        outside.job.run(1)
    assert outside.sent == []


def test_a_result_that_could_not_be_reported_is_reported_later() -> None:
    outside = Outside()
    outside.status, outside.collector_away = 401, True
    with pytest.raises(Unavailable):
        outside.job.run(1)
    outside.collector_away = False
    outside.clock.move(TICK)
    outside.job.run(1)
    assert (len(outside.sent), len(outside.reported)) == (1, 1)


def test_none_is_sent_in_a_maintenance_window() -> None:
    outside = Outside()
    outside.clock.move(timedelta(hours=2))
    outside.plan = replace(outside.plan, windows=[window(source="stripe")])
    outside.run_for(timedelta(hours=1))
    assert outside.sent == []
