"""Probes made at their intervals and reported together."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.errors import Unavailable
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget
from monitor.worker.probing import Plan, Probing
from tests.monitor.clocks import FakeClock

SECURE = ProbeTarget("production", "stripe", "payments", "https://a.example/")
PLAIN = ProbeTarget("dev", "stripe", "payments", "http://b.example/")
MINUTE = timedelta(minutes=1)


class Outside:
    def __init__(self, *targets: ProbeTarget) -> None:
        self.clock = FakeClock()
        self.plan = Plan(targets, MINUTE, timedelta(hours=1), timedelta(seconds=3))
        self.looked: list[tuple[str, str, float]] = []
        self.reported: list[ProbeResult] = []
        self.down = False
        self.collector_away = False
        self.job = Probing(lambda: self.plan, self.look, self.report, self.clock)

    def look(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        self.looked.append((target.url, kind.value, timeout_s))
        error = "refused" if self.down else None
        at = self.clock.now()
        return ProbeResult(
            target.environment, target.source, target.endpoint, kind, not self.down, at, error=error
        )

    def report(self, results: Sequence[ProbeResult]) -> None:
        if self.collector_away:
            raise Unavailable("the collector is away")
        self.reported += results

    def run_for(self, length: timedelta, step: timedelta = timedelta(seconds=5)) -> None:
        for _ in range(length // step):
            self.job.run(1)
            self.clock.move(step)


def test_plain_endpoint_is_asked_over_http_alone_and_a_secure_one_both_ways() -> None:
    outside = Outside(SECURE, PLAIN)
    outside.job.run(1)
    assert sorted(outside.looked) == [
        ("http://b.example/", "http", 3.0),
        ("https://a.example/", "http", 3.0),
        ("https://a.example/", "tls", 3.0),
    ]
    assert len(outside.reported) == 3


def test_each_kind_keeps_its_own_interval() -> None:
    outside = Outside(SECURE)
    outside.run_for(timedelta(hours=3))
    kinds = [kind for _, kind, _ in outside.looked]
    assert (kinds.count("http"), kinds.count("tls")) == (180, 3)


def test_failures_are_said() -> None:
    outside = Outside(PLAIN)
    outside.down = True
    assert outside.job.run(1) == "1 of 1 failed: stripe/payments http: refused"


def test_results_that_could_not_be_reported_are_made_again_at_once() -> None:
    outside = Outside(PLAIN)
    outside.collector_away = True
    with pytest.raises(Unavailable):
        outside.job.run(1)
    outside.collector_away = False
    outside.job.run(1)
    assert (len(outside.looked), len(outside.reported)) == (2, 1)


def test_nothing_registered_is_nothing_to_do() -> None:
    assert Outside().job.run(1) == ""
