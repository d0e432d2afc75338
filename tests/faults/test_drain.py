"""SIGTERM under load: requests under way are answered, nothing answered is lost, the exit code is 0."""

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, TOKEN, is_running, make_stores
from tests.faults.conftest import Start
from tests.faults.load import CLIENTS, Load, new_id, record
from tests.faults.stored import assert_exact

UNDER_WAY = 6
WITHIN_S = 20.0
"""For the end of it: granian gives its workers 10 s, the parent gives each of its processes 15."""
BORN_WITHIN_S = 60.0
KILLED_S = 10.0
"""After so long granian kills a worker that has not ended."""

pytestmark = pytest.mark.faults


def test_requests_under_way_are_answered_before_the_end(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    with Load(collector.port, patience_s=0.5) as load:
        load.wait_for(300)
        ids = [[new_id(CLIENTS + n, i) for i in range(200)] for n in range(UNDER_WAY)]
        load.sent.update(one for some in ids for one in some)
        asking = [Asking(collector.port, msgspec.json.encode([record(one) for one in some])) for some in ids]
        for each in asking:
            each.wait_until_read()
        os.kill(collector.pid, signal.SIGTERM)
        started_s = time.monotonic()
        collector.wait_until(lambda: not accepts(collector.port), WITHIN_S, "closed to newcomers")
        answers = [each.finish() for each in asking]
        code = collector.wait(WITHIN_S)
        took_s = time.monotonic() - started_s
    print(f"ended {took_s:.2f} s after SIGTERM")

    assert answers == [(200, len(some)) for some in ids]
    assert code == 0
    assert took_s < WITHIN_S
    assert load.problems == []
    reader = SqliteFactReader(tmp_path / FACTS)
    assert_exact(reader, load.acknowledged | {one for some in ids for one in some}, load.sent)
    reader.close()


def test_a_stop_while_the_front_still_loads_takes_no_longer(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path))
    collector.wait_until(lambda: bool(collector.worker_pids()), BORN_WITHIN_S, "starting its workers")
    started_s = time.monotonic()

    assert collector.stop() == 0
    assert time.monotonic() - started_s < KILLED_S, "a worker missed the signal and was killed"


def test_a_worker_told_to_end_the_moment_it_is_born_ends(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path))
    started_s = time.monotonic()
    while not (born := collector.worker_pids()):
        assert time.monotonic() - started_s < BORN_WITHIN_S

    os.kill(born[0], signal.SIGTERM)
    collector.wait_until(lambda: not is_running(born[0]), KILLED_S / 2, "rid of its worker")
    collector.wait_ready()


def test_a_worker_told_to_end_again_and_again_still_answers(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path), collector_workers="1").wait_ready()
    [worker] = collector.worker_pids()
    asking = Asking(collector.port, msgspec.json.encode([record(new_id(CLIENTS, 0))]))
    asking.wait_until_read()

    tell_again_and_again([worker])
    assert asking.finish() == (200, 1)
    collector.wait_until(lambda: not is_running(worker), KILLED_S / 2, "rid of its worker")


def test_all_processes_told_to_end_again_and_again_end(tmp_path: Path, start: Start) -> None:
    """As a service manager tells them that knows all of them."""
    collector = start(make_stores(tmp_path)).wait_ready()
    asking = Asking(collector.port, msgspec.json.encode([record(new_id(CLIENTS, 0))]))
    asking.wait_until_read()
    family = collector.family()
    started_s = time.monotonic()

    tell_again_and_again(family)
    assert asking.finish()[0] in (200, 503)
    assert collector.wait(WITHIN_S) == 0
    assert time.monotonic() - started_s < KILLED_S, "a process stood still and was killed"
    collector.wait_until(lambda: not any(map(is_running, family)), KILLED_S / 2, "rid of its processes")


def tell_again_and_again(pids: Iterable[int]) -> None:
    for _ in range(10):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.02)  # else the next would only fill the place of the last


class Asking:
    """A request that has been sent but for its last byte."""

    def __init__(self, port: int, body: bytes) -> None:
        self._peer = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        head = (
            f"POST /api/v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        self._peer.sendall(head.encode())
        self._body = body

    def wait_until_read(self) -> None:
        """Returns once the collector has asked for the body, and sends nearly all of it."""
        found = self._peer.recv(1024)
        assert found.startswith(b"HTTP/1.1 100"), found
        self._peer.sendall(self._body[:-1])

    def finish(self) -> tuple[int, int]:
        """The answer to the whole request: its status, and how many records are new; (0, 0) for none."""
        self._peer.sendall(self._body[-1:])
        answer = b""
        while data := self._peer.recv(1 << 16):
            answer += data
        self._peer.close()
        if not answer:
            return 0, 0  # closed without a word
        status = int(answer.split(b" ", 2)[1])
        accepted = re.search(rb'"accepted":\s*(\d+)', answer)
        return status, int(accepted[1]) if accepted else 0


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
