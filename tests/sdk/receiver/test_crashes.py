"""A receiver killed with SIGKILL: whatever was answered 2xx is processed by the next one."""

import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sdk.world import SECRET, request

PROGRAM = """
import sys, threading, time
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from hookvitals import Receiver, RetryPolicy
from hookvitals.integrations.wsgi import application

directory, behave = Path(sys.argv[1]), sys.argv[2]
receiver = Receiver("acme", endpoint="orders", system="standard", secrets=[sys.argv[3]],
                    state_path=str(directory / "state.db"), inbox=True,
                    profile={"rate_per_minute": None}, retry=RetryPolicy(uniform=lambda low, high: 0.0))

@receiver.on("*")
def handle(event):
    with open(directory / "started", "a") as file:
        file.write(f"{event.id} {event.attempt}\\n")
    if behave == "hang" or (behave == "slow" and time.sleep(0.02)):
        time.sleep(3600)
    with open(directory / "handled", "a") as file:
        file.write(event.id + "\\n")

class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

server = make_server("127.0.0.1", 0, application(receiver), Server, Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Process:
    """One receiver in a process of its own, on a port of the system's choice."""

    def __init__(self, directory: Path, behave: str) -> None:
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(directory), behave, SECRET]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/hook"

    def send(self, event_id: str) -> int:
        """The status it answers; 0 when nothing came back."""
        headers, body = request(event_id, at=time.time())
        posted = urllib.request.Request(self.url, body, dict(headers), method="POST")
        try:
            with urllib.request.urlopen(posted, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code
        except OSError:
            return 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.faults
def test_every_event_that_was_answered_2xx_is_processed_after_a_kill(tmp_path: Path) -> None:
    acknowledged = []
    for life in range(3):
        process = Process(tmp_path, "slow")
        for number in range(15):  # faster than the worker, so the kill finds some waiting
            event_id = f"evt_{life}_{number}"
            if process.send(event_id) == 200:
                acknowledged.append(event_id)
        process.kill()
    assert len(acknowledged) == 45
    before = len(set(lines(tmp_path / "handled")))
    assert before < 45, "the kills came too late to show anything"

    last = Process(tmp_path, "work")
    until(lambda: set(lines(tmp_path / "handled")) >= set(acknowledged))
    last.kill()

    handled = Counter(lines(tmp_path / "handled"))
    assert set(handled) == set(acknowledged)
    assert sum(handled.values()) <= 45 + 3, "at most the event in hand at each kill runs again"


@pytest.mark.faults
def test_an_event_whose_handler_was_killed_runs_again_as_the_next_attempt(tmp_path: Path) -> None:
    process = Process(tmp_path, "hang")
    assert process.send("evt_1") == 200
    until(lambda: lines(tmp_path / "started") == ["evt_1 1"])
    process.kill()

    again = Process(tmp_path, "work")
    until(lambda: lines(tmp_path / "handled") == ["evt_1"])
    assert again.send("evt_1") == 200  # a copy now is a duplicate
    again.kill()

    assert lines(tmp_path / "started") == ["evt_1 1", "evt_1 2"]
    assert lines(tmp_path / "handled") == ["evt_1"]


@pytest.mark.faults
def test_an_event_that_kills_its_process_each_time_is_given_up_after_three(tmp_path: Path) -> None:
    for life in range(1, 4):
        process = Process(tmp_path, "hang")
        if life == 1:
            assert process.send("evt_1") == 200
        until(lambda life=life: len(lines(tmp_path / "started")) == life)  # type: ignore[misc]
        process.kill()

    last = Process(tmp_path, "hang")
    assert last.send("evt_2") == 200
    until(lambda: lines(tmp_path / "started")[-1] == "evt_2 1")  # the queue is not blocked
    last.kill()

    assert lines(tmp_path / "started") == ["evt_1 1", "evt_1 2", "evt_1 3", "evt_2 1"]
