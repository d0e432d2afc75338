"""Probes made at their intervals and reported together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock

import pytest

from alerts.hours import hours_of
from alerts.model import Silence
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
        self.fails_next = 0
        self.at: dict[str, float] = {}
        self.collector_away = False
        self.job = Probing(lambda: self.plan, self.look, self.report, self.clock)

    def look(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        self.looked.append((target.url, kind.value, timeout_s))
        self.at.setdefault(target.endpoint, self.clock.monotonic())
        fails = self.down or self.fails_next > 0
        self.fails_next -= 1
        error, at = "refused" if fails else None, self.clock.now()
        return ProbeResult(
            target.environment, target.source, target.endpoint, kind, not fails, at, error=error
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


def test_what_fails_is_looked_at_once_more_before_it_counts_as_down() -> None:
    outside = Outside(PLAIN)
    outside.fails_next = 1
    assert outside.job.run(1) == ""
    assert (len(outside.looked), [result.ok for result in outside.reported]) == (2, [True])

    outside.fails_next = 2
    outside.clock.move(MINUTE)
    assert outside.job.run(1) == "1 of 1 failed: stripe/payments http: refused"
    assert [result.ok for result in outside.reported] == [True, False]


def test_an_unsigned_post_that_was_accepted_is_not_sent_again() -> None:
    outside = Outside(replace(PLAIN, kinds=(ProbeKind.UNSIGNED,)))
    outside.down = True
    outside.run_for(timedelta(hours=2))
    assert len(outside.looked) == 2


def test_a_thousand_probes_a_minute_do_not_start_together() -> None:
    outside = Outside(*(replace(PLAIN, endpoint=f"e{n}") for n in range(1000)))
    started: Counter[float] = Counter()
    for _ in range(36):  # three minutes of ticks
        before = len(outside.looked)
        outside.job.run(1)
        started[outside.clock.monotonic()] += len(outside.looked) - before
        outside.clock.move(timedelta(seconds=5))
    assert sum(started.values()) in range(2950, 3001)
    assert max(started.values()) < 200  # of 1,000; evenly spread there are 83 a tick


def test_each_endpoint_keeps_its_own_place_in_the_minute_after_a_restart_too() -> None:
    one, other = (Outside(*(replace(PLAIN, endpoint=f"e{n}") for n in range(100))) for _ in range(2))
    one.run_for(timedelta(minutes=1))
    other.run_for(timedelta(minutes=1))
    assert sorted(one.at) == sorted(other.at)
    assert len(set(one.at.values())) > 1


def test_after_a_long_pause_each_probe_is_made_once() -> None:
    outside = Outside(PLAIN)
    outside.job.run(1)
    outside.clock.move(timedelta(hours=5, seconds=7))
    outside.run_for(MINUTE / 2)
    assert len(outside.looked) == 2


def window(**matchers: str) -> Silence:
    hours = hours_of("02:00-03:00", "UTC", "")
    ever = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    return Silence("deploys", matchers, *ever, "hookvitals.toml", "deploys", hours)


@pytest.mark.parametrize(
    ("matchers", "looks"),
    [
        ({"source": "stripe"}, 120),
        ({"endpoint": "pay*", "rule": "endpoint_down"}, 120),
        ({"rule": "error_rate"}, 180),
        ({"source": "orum"}, 180),
    ],
)
def test_in_a_maintenance_window_nothing_counts_as_down(matchers: dict[str, str], looks: int) -> None:
    outside = Outside(PLAIN)
    outside.clock.move(timedelta(hours=1))
    outside.plan = replace(outside.plan, windows=[window(**matchers)])
    outside.run_for(timedelta(hours=1))
    outside.down = looks == 120
    outside.run_for(timedelta(hours=1))
    outside.down = False
    outside.run_for(timedelta(hours=1))
    assert len(outside.reported) == looks
    assert all(result.ok for result in outside.reported)


def test_a_hundred_endpoints_that_do_not_answer_hold_up_none_that_do() -> None:
    outside = Outside(*(replace(PLAIN, endpoint=f"e{n}") for n in range(101)))
    outside.plan = replace(outside.plan, interval=timedelta(milliseconds=1))  # all are due at once
    answering, answered = Barrier(101), Lock()

    def look(target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        answering.wait(10)  # only all of them together go on
        with answered:
            return outside.look(target, kind, timeout_s)

    outside.job.look = look
    outside.job.run(1)
    assert len(outside.reported) == 101


def test_the_certificate_of_an_endpoint_that_does_not_answer_is_looked_at_next() -> None:
    outside = Outside(SECURE)
    outside.run_for(2 * MINUTE)
    outside.looked.clear()
    outside.fails_next = 2  # once, and once more
    outside.run_for(MINUTE)
    assert [kind for _, kind, _ in outside.looked] == ["http", "http", "tls"]


def test_a_bad_certificate_is_looked_at_each_minute_until_it_is_good() -> None:
    outside = Outside(replace(SECURE, kinds=(ProbeKind.TLS,)))
    outside.down = True
    outside.run_for(10 * MINUTE)
    assert len([one for one in outside.reported if not one.ok]) == 10
    outside.down = False
    outside.run_for(10 * MINUTE)
    assert len([one for one in outside.reported if one.ok]) == 1
