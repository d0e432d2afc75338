"""An answer means: on disk. Judged by the system calls of the writer process, under strace.

The same judgement fails on a writer whose connection does not wait for the disk, so it would notice.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from monitor.clock import SystemClock
from monitor.collector.app import create_app
from monitor.collector.counters import Counters, cleared
from monitor.collector.front import front
from monitor.collector.keys import Key
from monitor.collector.link import Link
from monitor.store.facts.sqlite.file import LOCK_NAME, create
from tests.faults import syscalls
from tests.faults.collector_process import FACTS, TOKEN
from tests.faults.load import new_id, record
from tests.faults.writer_process import settings_of

THREADS, REQUESTS = 4, 25
WITHIN_S = 30.0

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


def traced(directory: Path, *synchronous: str) -> syscalls.Judged:
    """The judgement over a traced writer that many requests at once were sent to through a front."""
    create(directory / FACTS)
    output = directory / "calls"
    program = [sys.executable, "-m", "tests.faults.writer_process", str(directory), *synchronous]
    process = subprocess.Popen([*syscalls.command(output), *program], start_new_session=True)
    try:
        send_to(directory)
        # strace passes no signal on; it ends with the writer
        writer = int((directory / LOCK_NAME).read_text())
        os.kill(writer, signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
    finally:
        process.kill()
        process.wait()
    return syscalls.judged(output, writer)


def send_to(directory: Path) -> None:
    """Requests to the writer in `directory`, as many at once as a front has threads; all must be accepted."""
    settings = settings_of(directory)
    link = Link(settings.socket_path)
    until = time.monotonic() + WITHIN_S
    while not settings.socket_path.exists():
        assert time.monotonic() < until, "the writer does not listen"
        time.sleep(0.02)
    key = Key("k1", hashlib.sha256(b"secret").hexdigest(), frozenset({"ingest"}))
    counters = Counters(cleared(directory / "front-counters"))
    app = create_app(front(settings, lambda: [key], link, counters, SystemClock()))
    refused: list[str] = []

    def send(sender: int) -> None:
        client = app.test_client()
        for number in range(REQUESTS):
            ids = [new_id(sender, 100 * number + i) for i in range(1 + number % 40)]
            answer = client.post(
                "/api/v1/records",
                data=msgspec.json.encode([record(each) for each in ids]),
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
            if answer.status_code != 200 or answer.get_json()["accepted"] != len(ids):
                refused.append(answer.text)
        link.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN_S)
    assert refused == []


def test_every_answer_leaves_after_its_rows_are_on_disk(tmp_path: Path) -> None:
    found = traced(tmp_path)

    assert found.too_early == []
    assert found.accepted == THREADS * REQUESTS
    assert found.syncs >= found.accepted / THREADS  # at most a request a thread shares a commit


def test_the_same_judgement_notices_a_store_that_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    found = traced(tmp_path, "NORMAL")

    assert found.accepted == THREADS * REQUESTS
    assert len(found.too_early) > found.accepted / 2
