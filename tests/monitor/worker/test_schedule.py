"""Jobs run by the clock, under the lease, and one that fails stops no other."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from monitor.clock import SystemClock
from monitor.errors import Unavailable
from monitor.worker.schedule import NOTE_EVERY_S, Job, Runner, schedule
from tests.monitor.clocks import FakeClock


class Rows:
    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def succeeded(self, name: str, at: datetime, took_s: float, epoch: int) -> None:
        self.notes.append((name, "succeeded"))

    def failed(self, name: str, at: datetime, error: str, epoch: int) -> None:
        self.notes.append((name, error))


EACH_SECOND = IntervalTrigger(seconds=1, timezone=UTC)


def job(name: str = "tidy", error: Exception | None = None, ran: list[int] | None = None) -> Job:
    def run(epoch: int) -> str:
        if ran is not None:
            ran.append(epoch)
        if error is not None:
            raise error
        return "tidied"

    return Job(name, EACH_SECOND, run)


def test_job_runs_under_the_epoch_of_the_leader() -> None:
    rows, ran = Rows(), list[int]()
    assert Runner(lambda: 7, rows, FakeClock()).run(job(ran=ran))
    assert (ran, rows.notes) == ([7], [("tidy", "succeeded")])


def test_follower_runs_nothing_and_notes_nothing() -> None:
    rows, ran = Rows(), list[int]()
    assert not Runner(lambda: None, rows, FakeClock()).run(job(ran=ran))
    assert (ran, rows.notes) == ([], [])


def test_failure_is_noted_with_its_error(caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows()
    assert not Runner(lambda: 1, rows, FakeClock()).run(job(error=ValueError("no")))
    assert rows.notes == [("tidy", "ValueError: no")]
    assert "tidy failed: no" in caplog.text


def test_expected_error_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    Runner(lambda: 1, Rows(), FakeClock()).run(job(error=Unavailable("control is locked", "wait")))
    [line] = caplog.records
    assert (line.levelno, line.exc_info) == (logging.ERROR, None)


def test_success_is_noted_now_and_then_but_at_once_after_a_failure() -> None:
    rows, clock = Rows(), FakeClock()
    runner = Runner(lambda: 1, rows, clock)
    for _ in range(int(NOTE_EVERY_S) + 1):
        runner.run(job())
        clock.move(timedelta(seconds=1))
    assert rows.notes == [("tidy", "succeeded")] * 2
    runner.run(job(error=ValueError("no")))
    runner.run(job())
    assert rows.notes[2:] == [("tidy", "ValueError: no"), ("tidy", "succeeded")]


def test_job_that_hangs_delays_no_other() -> None:
    release, reached = threading.Event(), threading.Event()

    def hang(epoch: int) -> str:
        release.wait(20)
        return ""

    def go(epoch: int) -> str:
        reached.set()
        return ""

    now = datetime.now(UTC)
    soon = IntervalTrigger(seconds=0.05, start_date=now, timezone=UTC)
    jobs = [Job("hang", soon, hang), Job("go", soon, go)]
    scheduler = schedule(jobs, Runner(lambda: 1, Rows(), SystemClock()), now)
    scheduler.start()
    try:
        assert reached.wait(10)
    finally:
        release.set()
        scheduler.shutdown()


def test_job_that_waits_for_an_hour_runs_once_at_the_start() -> None:
    reached, now = threading.Event(), datetime.now(UTC)

    def run(epoch: int) -> str:
        reached.set()
        return ""

    hourly = Job("hourly", IntervalTrigger(hours=1, timezone=UTC), run)
    scheduler = schedule([hourly], Runner(lambda: 1, Rows(), SystemClock()), now)
    scheduler.start()
    try:
        assert reached.wait(10)
    finally:
        scheduler.shutdown()
