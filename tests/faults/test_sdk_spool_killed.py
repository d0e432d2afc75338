"""SIGKILL of a process that records durably, again and again: the next one ships what it left, once.

FAULTS_SPOOL_KILLS of them, 30 unless told otherwise; `make faults-long` has 1000. The seed is printed when a
test fails; FAULTS_SEED repeats its moments. The collector refuses every other post, so that spools pile up,
are adopted, and are adopted again from adopters that are killed. practice 37, practice 40.
"""

import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Shipper
from tests.sdk.collector import KEY, Collector, Post, Reply, collecting

KILLS = int(os.environ.get("FAULTS_SPOOL_KILLS", "30"))
SEED = int(os.environ.get("FAULTS_SEED") or time.time_ns() % 1_000_000)
LONGEST_S = 0.25

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60 + 3 * KILLS)]

WRITER = """
import os, sys, threading
from hookvitals import Recorder, Shipper
url, key, directory, own = sys.argv[1:]
shipper = Shipper(url, key, spool_dir=directory, batch_size=20, batch_delay_s=0.01,
                  instance=f"writer-{own}", uniform=lambda low, high: 0.005)
recorder = Recorder("acme", "orders", shipper, durable=True)
def work(thread):
    for number in range(100_000):
        event_id = f"{own}-{thread}-{number}"
        recorder.record("succeeded", 1, {"event_id": event_id, "event_type": "t"})
        os.write(1, event_id.encode() + b"\\n")
for thread in range(3):
    threading.Thread(target=work, args=(thread,)).start()
"""


def kill_one(url: str, directory: Path, output: Path, own: int, after_s: float) -> None:
    """A writer that is killed so long after its first record."""
    with output.open("ab") as file:
        began = file.tell()
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), url, KEY, str(directory), str(own)], stdout=file
        )
        try:
            deadline = time.monotonic() + 30
            while os.fstat(file.fileno()).st_size == began:
                assert process.poll() is None, "it ended by itself"
                assert time.monotonic() < deadline, "it recorded nothing"
                time.sleep(0.002)
            time.sleep(after_s)
        finally:
            process.kill()
            process.wait()


def every_other(collector: Collector) -> Any:
    """Refuses every second post; what it says then is not heard."""

    def answer(post: Post) -> Reply:
        return Reply(503, {"Retry-After": "0"}) if len(collector.posts) % 2 else Reply()

    return answer


def test_no_kill_loses_a_durable_record_or_stores_one_twice(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    spool, output = tmp_path / "spool", tmp_path / "returned"
    with collecting() as (collector, url):
        collector.answer = every_other(collector)
        for own in range(KILLS):
            kill_one(url, spool, output, own, dice.uniform(0, LONGEST_S))
        collector.answer = lambda post: Reply()

        last = Shipper(url, KEY, spool_dir=str(spool), instance="last")
        last.flush(0.0)
        deadline = time.monotonic() + 60
        while [path for path in spool.glob("*.lock") if f"-{os.getpid()}-" not in path.name]:
            assert time.monotonic() < deadline, f"seed {SEED}: {list(spool.iterdir())}"
            time.sleep(0.02)
        assert last.close()

    returned = output.read_text().split()
    stored = [record["event_id"] for record in collector.records]
    assert list(spool.iterdir()) == [], f"seed {SEED}"
    lost = set(returned) - set(stored)
    assert not lost, f"seed {SEED}: {len(lost)} of {len(returned)}, {sorted(lost)[:5]}"
    assert len(stored) == len(set(stored)), f"seed {SEED}: one record under two ids"
    assert len(returned) > 5 * KILLS
    assert_balanced(collector)


def assert_balanced(collector: Collector) -> None:
    """Of each killed writer: produced = stored + dropped; what was dropped was not yet written whole."""
    said: dict[str, dict[str, Any]] = {}
    for post in collector.posts:
        said[post.document["client"]["instance"]] = post.document["client"]
    stored: dict[str, int] = {}
    for record in collector.records:
        writer = f"writer-{record['event_id'].partition('-')[0]}"
        stored[writer] = stored.get(writer, 0) + 1
    assert len(stored) == KILLS
    for writer, number in stored.items():
        client = said[writer]
        assert client["spooled"] == 0, (SEED, client)
        assert client["produced"] == number + sum(client["dropped"].values()), (SEED, number, client)
        assert sum(client["dropped"].values()) <= 3, (SEED, client)  # one a thread
        assert set(client["dropped"]) <= {"spool_damaged", "killed"}, (SEED, client)
