"""The sign of life: after an evaluation, once a minute at most, and nobody is the worse for its failure."""

import logging

import pytest

from alerts.http import Client
from monitor.errors import Unavailable
from monitor.worker.heartbeat import EVERY_S, Heartbeat
from tests.alerts.support import Service, loopback_egress, serving
from tests.ports import free_port

PATH = "/ping/0SECRET0"


class Pulse:
    """A heartbeat, an evaluation, and time."""

    def __init__(self, url: str) -> None:
        self.elapsed_s = 0.0
        self.works = True
        self.beat = Heartbeat(lambda: url, lambda: Client(loopback_egress()), lambda: self.elapsed_s)
        self.evaluation = self.beat.after(self._evaluate)

    def _evaluate(self, epoch: int) -> str:
        if not self.works:
            raise ValueError("broken")
        return f"evaluated under {epoch}"


def test_url_is_asked_once_a_minute_at_most_while_evaluations_complete() -> None:
    with serving(Service()) as service:
        pulse = Pulse(service.url + PATH)
        for _ in range(300):
            assert pulse.evaluation(7) == "evaluated under 7"
            pulse.beat.run(7)
            pulse.elapsed_s += 1.0
    assert [(seen.method, seen.path) for seen in service.seen] == [("GET", PATH)] * int(300 / EVERY_S)


def test_nothing_is_asked_before_an_evaluation_or_after_one_that_failed() -> None:
    with serving(Service()) as service:
        pulse = Pulse(service.url)
        pulse.beat.run(1)
        pulse.works = False
        with pytest.raises(ValueError, match="broken"):
            pulse.evaluation(1)
        pulse.beat.run(1)
        assert service.seen == []
        pulse.works = True
        pulse.evaluation(1)
        pulse.beat.run(1)
        pulse.elapsed_s += 2 * EVERY_S
        pulse.beat.run(1)  # no evaluation since
    assert len(service.seen) == 1


def test_failure_is_told_without_the_url_and_the_evaluation_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(Service(status=404)) as service:
        pulse = Pulse(service.url + PATH)
        pulse.evaluation(1)
        with pytest.raises(Unavailable, match="HTTP 404") as failed:
            pulse.beat.run(1)
    assert pulse.evaluation(2) == "evaluated under 2"
    assert "SECRET" not in str(failed.value) + caplog.text


def test_url_that_cannot_be_reached_is_asked_again_a_minute_later() -> None:
    port = free_port()
    pulse = Pulse(f"http://127.0.0.1:{port}{PATH}")
    pulse.evaluation(1)
    with pytest.raises(Unavailable) as failed:
        pulse.beat.run(1)
    assert "SECRET" not in str(failed.value)
    pulse.evaluation(1)
    assert pulse.beat.run(1) == ""
    pulse.elapsed_s += EVERY_S
    with pytest.raises(Unavailable):
        pulse.beat.run(1)


def test_without_a_url_nothing_is_asked() -> None:
    pulse = Pulse("")
    pulse.evaluation(1)
    assert pulse.beat.run(1) == ""
