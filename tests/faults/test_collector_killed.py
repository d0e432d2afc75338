"""SIGKILL under load: whatever was acknowledged is stored, whatever is stored is counted, once."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import requests

from monitor.model import Outcome, SeriesKey
from monitor.store.facts.protocol import RecordFilter, pages
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import TOKEN, CollectorProcess

BATCH = 50
SENDERS = 4
PRODUCTION = SeriesKey("production")
Start = Callable[..., CollectorProcess]

pytestmark = pytest.mark.faults


class Load:
    """Senders that repeat each batch until it is acknowledged, as the SDK does."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/records"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(SENDERS)]
        self.acknowledged: set[bytes] = set()
        self.refusals: list[int] = []
        self.problems: list[str] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, more: int) -> None:
        """Returns once `more` records than now are acknowledged."""
        wanted = len(self.acknowledged) + more
        deadline = time.monotonic() + 30
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {wanted} acknowledged"
            time.sleep(0.01)

    def _send(self, sender: int) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        number = 0
        while not self._stop.is_set():
            records = [record(sender, number + i) for i in range(BATCH)]
            number += BATCH
            self._until_acknowledged(session, records)
        session.close()

    def _until_acknowledged(self, session: requests.Session, records: list[dict[str, object]]) -> None:
        body = msgspec.json.encode(records)
        give_up = float("inf")  # once told to stop, a batch under way has some seconds left
        while time.monotonic() < give_up:
            if self._stop.is_set():
                give_up = min(give_up, time.monotonic() + 10)
            try:
                answer = session.post(self._url, data=body, timeout=30)
            except requests.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                found = answer.json()
                if found["rejected"] or found["accepted"] + found["duplicates"] != len(records):
                    self.problems.append(answer.text)
                self.acknowledged.update(UUID(str(r["record_id"])).bytes for r in records)
                return
            self.refusals.append(answer.status_code)
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                self.problems.append(f"{answer.status_code} {answer.text}")
                return
            time.sleep(0.05)


def record(sender: int, number: int) -> dict[str, object]:
    at_us = time.time_ns() // 1000
    record_id = UUID(int=(at_us // 1000) << 80 | 7 << 76 | 2 << 62 | sender << 40 | number)
    return {
        "record_id": str(record_id),
        "event_id": f"evt-{sender}-{number}",
        "source": "orum",
        "endpoint": "payouts",
        "event_type": f"type-{number % 7}",
        "received_at": at_us,
        "outcome": "failed" if number % 10 == 0 else "succeeded",
        "error_class": "Timeout" if number % 10 == 0 else None,
        "process_ms": number % 100 + 0.5,
    }


def assert_stored_and_counted(directory: Path, acknowledged: set[bytes]) -> int:
    """Every acknowledged record is stored, and the rollups count what is stored. How many that are."""
    reader = SqliteFactReader(directory / "facts.db")
    try:
        now_us = time.time_ns() // 1000
        recount = reader.recount(now_us - 3_600_000_000, now_us + 3_600_000_000)
        recounted = sum(rollup.records() for (key, _), rollup in recount.items() if key == PRODUCTION)
        ever = reader.ever([PRODUCTION])[PRODUCTION]
        stored = {found.record_id.bytes for found in pages(reader, RecordFilter(), 1000)}
        assert acknowledged <= stored
        assert len(stored) == recounted == ever.records()
        assert ever.outcome(Outcome.FAILED) == sum(ever.errors().values())
        return len(stored)
    finally:
        reader.close()


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts collectors, and leaves none of them running."""
    made: list[CollectorProcess] = []

    def start(directory: Path, port: int = 0) -> CollectorProcess:
        made.append(CollectorProcess(directory, port))
        return made[-1]

    yield start
    for each in made:
        each.kill()


def test_killed_writer_comes_back_and_nothing_acknowledged_is_lost(tmp_path: Path, started: Start) -> None:
    collector = started(tmp_path)
    collector.wait_ready(15)
    with Load(collector.port) as load:
        for _ in range(3):
            load.wait_for(1_000)
            killed = collector.writer_pid()
            os.kill(killed, signal.SIGKILL)
            load.wait_for(SENDERS * BATCH + 1)  # more than what was on its way
            assert collector.writer_pid() != killed
    assert collector.stop() == 0

    assert load.problems == []
    assert set(load.refusals) == {503}
    assert assert_stored_and_counted(tmp_path, load.acknowledged) == len(load.acknowledged)


def test_killed_front_worker_is_replaced(tmp_path: Path, started: Start) -> None:
    collector = started(tmp_path)
    collector.wait_ready(15)
    with Load(collector.port) as load:
        load.wait_for(1_000)
        worker = collector.family()[-1]
        os.kill(worker, signal.SIGKILL)
        load.wait_for(2_000)
    assert worker not in collector.family()
    collector.stop()

    assert load.problems == []
    assert assert_stored_and_counted(tmp_path, load.acknowledged) == len(load.acknowledged)


def test_killed_collector_is_ready_again_within_seconds(tmp_path: Path, started: Start) -> None:
    collector = started(tmp_path)
    collector.wait_ready(15)
    with Load(collector.port) as load:
        load.wait_for(2_000)
        for pid in collector.family():
            os.kill(pid, signal.SIGKILL)
        collector.wait()
        at_the_kill = set(load.acknowledged)
        assert_stored_and_counted(tmp_path, at_the_kill)

        again = started(tmp_path, collector.port)
        assert again.wait_ready(15) < 10
        load.wait_for(2_000)
    assert again.stop() == 0

    assert load.problems == []
    assert assert_stored_and_counted(tmp_path, load.acknowledged) == len(load.acknowledged)


def test_nothing_is_left_running_when_only_the_parent_is_killed(tmp_path: Path, started: Start) -> None:
    collector = started(tmp_path)
    collector.wait_ready(15)
    family = collector.family()
    os.kill(collector.pid, signal.SIGKILL)
    collector.wait()

    again = started(tmp_path, collector.port)  # takes port and store over, or fails
    again.wait_ready(15)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again.stop()
