"""The gate of a front process: bounded work, a bounded queue, and a quick no for the rest."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.collector.gate import STALLED_S, Gate
from monitor.errors import BadRequest, HookvitalsError, TooManyRequests, Unavailable
from tests.monitor.clocks import FakeClock
from tests.monitor.collector.fronts import stand


def gate(clock: FakeClock | None = None, **given: float) -> Gate:
    stated = {"requests": 2, "waiting": 1, "wait_s": 30.0, "inflight_bytes": 1000} | given
    return Gate(**stated, monotonic=(clock or FakeClock()).monotonic)  # type: ignore[arg-type]


def work(at: Gate, size: int = 1, *, then: Callable[[], None] = lambda: None, grow_to: int = 0) -> None:
    """A request of `size` bytes that does `then`."""
    with at.admitted(size) as admission:
        if grow_to:
            admission.resize(grow_to)
        then()


def refusal(at: Gate, size: int = 1) -> str:
    """Why a request is turned away now."""
    with pytest.raises(Unavailable) as caught:
        work(at, size)
    assert caught.value.retry_after_s
    return caught.value.message


def stall(at: Gate, clock: FakeClock, before: Callable[[], None] = lambda: None) -> None:
    """A request that waits for the store in vain."""

    def fail() -> None:
        before()
        clock.move(timedelta(seconds=STALLED_S))
        raise Unavailable("no answer")

    with pytest.raises(Unavailable, match="no answer"):
        work(at, then=fail)


class Waiting:
    """A request that waits at the gate in a thread of its own."""

    def __init__(self, at: Gate) -> None:
        self._ended = ""
        self._thread = threading.Thread(target=self._run, args=(at,))
        self._thread.start()
        while not at.waiting and not self._ended:
            self._thread.join(0.001)

    def outcome(self) -> str:
        self._thread.join(10)
        return self._ended

    def _run(self, at: Gate) -> None:
        try:
            work(at)
            self._ended = "admitted"
        except Unavailable as exc:
            self._ended = exc.message


def test_one_more_than_may_wait_is_told_to_come_again() -> None:
    at = gate()
    with at.admitted(1), at.admitted(1):
        waiting = Waiting(at)
        assert "more comes in" in refusal(at)
        assert at.waiting == 1
    assert waiting.outcome() == "admitted"


def test_nobody_waits_longer_than_the_bound() -> None:
    at = gate(requests=1, wait_s=0.01)
    with at.admitted(1):
        assert "more comes in" in refusal(at)
    assert at.waiting == 0


def test_bytes_are_bounded_but_one_body_alone_may_be_larger() -> None:
    at = gate(requests=9, waiting=0)
    with at.admitted(5_000):
        refusal(at)
    with at.admitted(600), at.admitted(400):
        assert at.bytes == 1000
        refusal(at)
    assert at.bytes == 0


def test_body_that_grew_beyond_the_bound_gives_way_to_the_others() -> None:
    at = gate(requests=9, waiting=0)
    with at.admitted(100) as alone:
        alone.resize(4_000)
        alone.resize(100)
        with pytest.raises(Unavailable, match="more comes in"):
            work(at, 100, grow_to=901)
        work(at, 100, grow_to=900)
        assert at.bytes == 100
    assert at.bytes == 0


def test_stalled_store_is_tried_by_one_request_at_a_time() -> None:
    clock = FakeClock()
    at = gate(clock, requests=5)
    stall(at, clock)

    with at.admitted(1):  # the one that finds out
        assert "does not answer" in refusal(at)
    with at.admitted(1), at.admitted(1), at.admitted(1):
        pass  # it answered: as before


def test_who_waits_learns_at_once_that_the_store_stalls() -> None:
    clock = FakeClock()
    at = gate(clock)
    waiting: list[Waiting] = []
    with at.admitted(1):
        stall(at, clock, before=lambda: waiting.append(Waiting(at)))
        assert "does not answer" in waiting[0].outcome()


@pytest.mark.parametrize("error", [BadRequest("x"), TooManyRequests("x"), Unavailable("refused at once")])
def test_other_errors_say_nothing_of_the_store(error: HookvitalsError) -> None:
    def fail() -> None:
        raise error

    at = gate()
    with pytest.raises(type(error)):
        work(at, then=fail)

    with at.admitted(1), at.admitted(1):
        pass


def test_refused_probe_leaves_the_store_stalled() -> None:
    clock = FakeClock()
    at = gate(clock)
    stall(at, clock)

    def fail() -> None:
        raise BadRequest("x")

    with pytest.raises(BadRequest):
        work(at, then=fail)
    with at.admitted(1):
        refusal(at)


def test_request_too_many_is_a_503_that_says_when_to_come_again(tmp_path: Path) -> None:
    collector = stand(tmp_path, threads=1, waiting=0)
    with collector.front.gate.admitted(1):
        response = collector.post([collector.record()])
    assert (response.status_code, response.get_json()["code"]) == (503, "overloaded")
    assert int(response.headers["Retry-After"]) >= 1
    metrics = collector.client.get("/metrics").text
    assert "hookvitals_collector_turned_away_total 1.0" in metrics
    assert 'requests_total{route="records",status="503"} 1.0' in metrics

    assert collector.send(collector.record())["accepted"] == 1
    collector.store.close()
