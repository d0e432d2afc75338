"""What the system gives the SDK, taken away in turn: threads, files, room, names, and a log that works.

Each fault is made in a process of its own, by the system's means where it has some. The handlers see the same
events and the senders hear the same answers as without it.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookvitals import BreakerPolicy
from tests.sdk.collector import collecting
from tests.sdk.world import World, deliver

PROGRAM = """
import json, os, re, resource, signal, sys, threading
fault, mode, url, key, directory = sys.argv[1:]
from hookvitals import Receiver
from hookvitals.testing import signed_request

def no_thread(self):
    raise RuntimeError("can't start new thread")

def most(limit, number):
    resource.setrlimit(limit, (number, resource.getrlimit(limit)[1]))

spooled = {"spool_dir": directory + "/spool", "durable": True} if mode == "durable" else {}
if fault == "names":
    url = "http://collector.invalid:8700"
if fault == "threads":
    threading.Thread.start = no_thread
receiver = Receiver("standard", endpoint="orders", secrets=[key], collector=url, key="hv_test_key", **spooled)
handled = []

@receiver.on("invoice.*")
def handle(event):
    handled.append(event.id)
    if event.id == "evt_fails":
        raise LookupError("no such invoice")

if fault == "files":
    most(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) - 1)
if fault == "room":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    most(resource.RLIMIT_FSIZE, 0)
told = []
for name in ("1", "1", "fails", "2"):
    kind = "user.new" if name == "2" else "invoice.paid"
    headers, body = signed_request("standard", key, "evt_" + name, kind)
    told.append(receiver.handle("POST", "http://h/orders", headers, body, "192.0.2.1"))
told.append(receiver.handle("POST", "http://h/orders", headers, b"forged", "192.0.2.1"))
answers = [(status, pairs, re.sub("[0-9a-f-]{36}", "", body.decode())) for status, pairs, body in told]
os.write(1, json.dumps([answers, handled]).encode())
receiver.close()
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def outcome(fault: str, mode: str, url: str, directory: Path) -> object:
    """What was answered and handled; the process ended well and in time."""
    directory.mkdir()
    command = [sys.executable, "-c", PROGRAM, fault, mode, url, SECRET, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("mode", ["memory", "durable"])
@pytest.mark.parametrize("fault", ["threads", "files", "room", "names"])
def test_what_the_system_refuses_changes_no_answer_and_no_work(tmp_path: Path, fault: str, mode: str) -> None:
    with collecting() as (_, url):
        healthy = outcome("none", mode, url, tmp_path / "healthy")
        broken = outcome(fault, mode, url, tmp_path / "broken")

    assert [answer[0] for answer in healthy[0]] == [200, 200, 500, 200, 401]  # type: ignore[index]
    assert broken == healthy


class Broken(logging.Handler):
    """Raises for whatever it is given, which no handler should."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the disk of the log is full")


@pytest.fixture
def broken_log() -> Iterator[None]:
    logger, handler = logging.getLogger("hookvitals"), Broken()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.usefixtures("broken_log")
def test_a_log_that_breaks_changes_no_answer(world: World) -> None:
    """The first request is the one that tells of the rate limit, the fifth failure opens the breaker."""
    receiver = world.receiver(breaker=BreakerPolicy(failures=2))
    assert deliver(receiver, "evt_1").status == 200

    def fail(event: object) -> None:
        raise LookupError("no such invoice")

    world.behave = fail
    statuses = [deliver(receiver, f"evt_fails_{number}").status for number in range(3)]

    assert statuses == [500, 500, 503]
    assert world.outcomes() == ["succeeded", "failed", "failed", "failed"]


@pytest.mark.usefixtures("broken_log")
def test_a_log_that_breaks_ends_no_thread_of_the_inbox(world: World) -> None:
    receiver = world.inbox()
    assert receiver.inbox is not None
    for number in range(3):
        assert deliver(receiver, f"evt_{number}").status == 200

    world.until(lambda: len(world.handled) == 3)


def test_an_event_that_no_thread_can_be_started_for_is_accepted_and_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on disk: the answer is the truth, and whoever can start a thread works it."""
    receiver = world.inbox()

    def refuse(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr("threading.Thread.start", refuse)
        assert deliver(receiver).status == 200
    assert world.handled == []
    receiver.start()

    world.until(lambda: len(world.handled) == 1)
    world.until(lambda: world.outcomes() == ["accepted", "succeeded"])
