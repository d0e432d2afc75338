"""Ten times more requests than can be served, or a store that stalls: a quick 503, and bounded memory."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
import requests

from monitor.collector.link import WAIT_S
from monitor.collector.settings import CollectorSettings
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, TOKEN, CollectorProcess, make_stores
from tests.faults.conftest import Start
from tests.faults.load import new_id, record
from tests.faults.stored import assert_exact

pytestmark = pytest.mark.faults

SETTINGS = CollectorSettings(Path(), bytes(32))
CLIENTS = 10 * SETTINGS.workers * SETTINGS.threads
BATCH = 500
MOST_MIB = 250
"""What the front's workers and the writer together take beside what they take idle, resident: about 150 were
measured."""
BOUND_S = WAIT_S + SETTINGS.wait_s + 4
"""A request waits for its turn and for the writer, and shares two cores with 160 clients."""


class Crowd:
    """Clients that send what they have without a pause, and come again when told so."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        self.sent = [new_id(n, number) for n in range(CLIENTS) for number in range(BATCH)]
        self.acknowledged: set[int] = set()
        self.answers: list[tuple[int, float, bool]] = []
        """Status, seconds, whether it said when to come again."""
        self.problems: list[str] = []

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, client: int) -> None:
        ids = self.sent[client * BATCH : (client + 1) * BATCH]
        padding = {"error_message": "m" * 300}
        body = msgspec.json.encode([record(one) | padding for one in ids])
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        while not self._stop.is_set():
            connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
            began_s = time.monotonic()
            try:
                connection.request("POST", "/api/v1/records", body, headers)
                answer = connection.getresponse()
                answer.read()
                told = (answer.status, time.monotonic() - began_s, bool(answer.getheader("Retry-After")))
                self.answers.append(told)
                if answer.status == 200:
                    self.acknowledged.add(client)
            except OSError as exc:
                self.problems.append(repr(exc))
            finally:
                connection.close()
            self._stop.wait(0.2)


def resident_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


@contextmanager
def stalled(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def together_mib(collector: CollectorProcess) -> int:
    """What the front's workers and the writer have in memory."""
    return sum(map(resident_mib, [*collector.worker_pids(), collector.writer_pid()]))


def watch(collector: CollectorProcess, seconds: float) -> int:
    """The most memory that they had together meanwhile."""
    most = 0
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        most = max(most, together_mib(collector))
        time.sleep(0.1)
    return most


def test_stalled_writer_is_a_quick_503_within_bounded_memory_and_passes(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    idle_mib, crowd = together_mib(collector), Crowd(collector.port)
    with ExitStack() as ends:
        with stalled(collector.writer_pid()):
            ends.enter_context(crowd)
            most_mib = watch(collector, WAIT_S + 3)
            began_s = time.monotonic()
            ready = requests.get(f"{collector.url}/readyz", timeout=10)
            ready_s = time.monotonic() - began_s
        during = list(crowd.answers)
        collector.wait_until(lambda: len(crowd.acknowledged) == CLIENTS, 20, "recovered")
    assert collector.stop() == 0

    assert crowd.problems == []
    assert {(status, told) for status, _, told in during} == {(503, True)}
    assert len(during) > CLIENTS  # turned away at once, not one after the other
    assert max(taken_s for _, taken_s, _ in during) < BOUND_S
    assert (ready.status_code, ready_s < 5) == (503, True)
    assert most_mib - idle_mib <= MOST_MIB
    sent = set(crowd.sent)
    reader = SqliteFactReader(tmp_path / FACTS)
    assert assert_exact(reader, sent, sent) == len(sent)
    reader.close()


def test_rate_of_a_key_holds_over_all_workers(tmp_path: Path, start: Start) -> None:
    rate, batch, seconds = 100, 20, 4.0  # five requests a second are too many: a busy machine sends them
    collector = start(make_stores(tmp_path), key_records_per_s=str(rate)).wait_ready()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    stored, refused, number = 0, 0, 0
    began_s = time.monotonic()
    while time.monotonic() - began_s < seconds:
        number += batch
        body = msgspec.json.encode([record(new_id(1, number + n)) for n in range(batch)])
        answer = requests.post(f"{collector.url}/api/v1/records", body, headers=headers, timeout=10)
        stored += batch if answer.status_code == 200 else 0
        refused += answer.status_code == 429 and "Retry-After" in answer.headers
    taken_s = time.monotonic() - began_s
    assert collector.stop() == 0

    assert refused
    assert rate * (seconds - 1) < stored <= rate * (taken_s + 1) + batch


def test_more_than_can_be_served_is_served_in_part(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    idle_mib = together_mib(collector)
    with Crowd(collector.port) as crowd:
        most_mib = watch(collector, 5)
        collector.wait_until(lambda: len(crowd.acknowledged) == CLIENTS, 30, "serving everybody in the end")
    assert collector.stop() == 0

    assert crowd.problems == []
    assert {(status, told) for status, _, told in crowd.answers} <= {(503, True), (200, False)}
    assert max(taken_s for _, taken_s, _ in crowd.answers) < BOUND_S
    assert most_mib - idle_mib <= MOST_MIB
