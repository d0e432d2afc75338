"""A receiver killed with SIGKILL between its answers and the end of its handlers, again and again.

FAULTS_RECEIVER_KILLS, 30 unless told otherwise; `make faults-long` has 500. Whatever was answered 2xx is
processed in the end, or a dead letter that the collector knows. The seed is printed when a test fails.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hookvitals import SqliteState
from hookvitals.inbox import Inbox
from tests.sdk.collector import KEY, Collector, collecting
from tests.sdk.world import SECRET, request

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULTS_RECEIVER_KILLS", "30"))
EVENTS_A_LIFE = 20
SCOPE = "\x1f".join(("production", "acme", "orders"))

PROGRAM = """
import os, sys, threading, time
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from hookvitals import Receiver, RetryPolicy
from hookvitals.integrations.wsgi import application

directory, collector, key, secret = sys.argv[1:]
receiver = Receiver("acme", endpoint="orders", system="standard", secrets=[secret], workers=2,
                    collector=collector, key=key, spool_dir=f"{directory}/spool", durable=True,
                    state_path=f"{directory}/state.db", inbox=True, profile={"rate_per_minute": None},
                    retry=RetryPolicy(uniform=lambda low, high: 0.0))
handled = os.open(f"{directory}/handled", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

@receiver.on("*")
def handle(event):
    time.sleep(0.02)
    os.write(handled, (event.id + "\\n").encode())

class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

server = make_server("127.0.0.1", 0, application(receiver), Server, Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
receiver.start()
print(server.server_port, flush=True)
sys.stdin.read()
receiver.close()
"""


@contextmanager
def running(directory: Path, collector: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(process, its address). It ends in order when its standard input does."""
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(directory), collector, KEY, SECRET]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


def answered_2xx(url: str, event_id: str) -> bool:
    headers, body = request(event_id, at=time.time())
    posted = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with urllib.request.urlopen(posted, timeout=10) as answer:
            return bool(200 <= answer.status < 300)
    except (urllib.error.URLError, OSError):
        return False


def one_life(directory: Path, collector: str, life: int, chance: random.Random) -> set[str]:
    """What was answered 2xx before the kill."""
    acknowledged: set[str] = set()
    first = threading.Event()

    def send(own: int) -> None:
        for number in range(own, EVENTS_A_LIFE, 4):
            event_id = f"evt_{life}_{number}"
            if not answered_2xx(url, event_id):
                return
            acknowledged.add(event_id)
            first.set()

    with running(directory, collector) as (process, url):
        senders = [threading.Thread(target=send, args=(own,)) for own in range(4)]
        for sender in senders:
            sender.start()
        first.wait(10)
        time.sleep(chance.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        for sender in senders:
            sender.join(20)
    return acknowledged


def last_life(directory: Path, collector: str) -> None:
    """Works what is left and ships what is to be told."""
    inbox = Inbox(SqliteState(str(directory / "state.db")), SCOPE, lambda: int(time.time() * 1e6))
    with running(directory, collector) as (process, _):
        waiting, since_s = inbox.depth(), time.monotonic()
        while waiting > 0:
            assert time.monotonic() < since_s + 30, f"{waiting} events wait still"
            time.sleep(0.05)
            if inbox.depth() < waiting:
                waiting, since_s = inbox.depth(), time.monotonic()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def letters(collector: Collector) -> set[str]:
    return {one["event_id"] for one in collector.records if one["outcome"] == "dead_lettered"}


@pytest.mark.timeout(60 + 4 * KILLS)
def test_whatever_was_answered_2xx_is_processed_or_a_dead_letter(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    with collecting() as (collector, url):
        for life in range(KILLS):
            acknowledged |= one_life(tmp_path, url, life, chance)
        before = set((tmp_path / "handled").read_text().split())
        last_life(tmp_path, url)

    times = Counter((tmp_path / "handled").read_text().split())
    handled = set(times)
    print(
        f"seed {seed}: {KILLS} kills, {len(acknowledged)} acknowledged, {len(acknowledged - before)} in"
        f" the last life; {sum(number > 1 for number in times.values())} handled more than once,"
        f" {max(times.values())} times at most; {len(letters(collector))} dead letters"
    )
    lost = acknowledged - handled - letters(collector)
    assert not lost, f"seed {seed}: {len(lost)} of {len(acknowledged)} are nowhere"
    assert len(acknowledged) >= KILLS, "hardly anything was acknowledged"
    assert acknowledged - before, "the kills came too late to show anything"
