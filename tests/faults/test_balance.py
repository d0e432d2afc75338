"""A real shipper through outages: all that it produced is stored, spooled or dropped for a reason."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hookvitals import Recorder, Shipper
from monitor.queries.health import Client, clients
from monitor.store.facts.protocol import RecordFilter, pages
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, TOKEN, kill, make_stores
from tests.faults.conftest import Start

pytestmark = pytest.mark.faults


def note(shipper: Shipper, size: int, **fields: object) -> int:
    """Records of so many attempts; how many."""
    recorder = Recorder("acme", "orders", shipper)
    for number in range(size):
        event_id = f"evt_{number}_{len(fields)}"
        recorder.record(
            "failed",
            time.time_ns() // 1000,
            {"event_id": event_id, "event_type": "t", "error_class": "E", **fields},
        )
    return size


def told(directory: Path) -> tuple[Client, int]:
    """The one client, and how many records are stored."""
    reader = SqliteFactReader(directory / FACTS)
    (client,) = clients(reader, datetime.now(UTC))
    stored = sum(1 for _ in pages(reader, RecordFilter(), 1000))
    reader.close()
    return client, stored


def test_balance_of_a_shipper_closes_through_outages_poison_and_overflow(
    tmp_path: Path, start: Start
) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    shipper = Shipper(
        collector.url,
        TOKEN,
        batch_size=50,
        batch_delay_s=60.0,
        max_waiting=2_000,
        uniform=lambda low, high: 0.01,
    )
    produced = note(shipper, 500)
    assert shipper.flush(10)
    assert told(tmp_path)[0].missing == 0

    collector.stop()  # away, for longer than the memory lasts
    produced += note(shipper, 5_000)
    assert not shipper.flush(0.2)

    again = start(tmp_path, collector.port).wait_ready()
    produced += note(shipper, 40, skew_ms=1e12) + note(shipper, 30, outcome="exploded")
    produced += note(shipper, 20, labels={"a": object()}) + note(shipper, 700)
    shipper.flush(0.3)
    kill(again.writer_pid())  # mid-way: answers are lost, batches sent again
    produced += note(shipper, 300)
    shipper.flush(0.5)
    for worker in again.worker_pids():
        os.kill(worker, signal.SIGKILL)
    again.wait_until(lambda: shipper.flush(0.5), 30, "taking all that waited")
    produced += note(shipper, 1)  # its report tells what was dropped of the batches before
    again.wait_until(lambda: shipper.flush(0.5), 10, "taking the last one")
    assert again.stop() == 0

    client, stored = told(tmp_path)
    counts = shipper.counts()
    assert (client.produced, client.spooled, client.missing) == (produced, 0, 0)
    assert client.accepted == stored == counts["accepted"]
    assert dict(client.dropped) == counts["dropped"]
    assert client.dropped.keys() == {
        "memory_full",
        "unencodable",
        "rejected_invalid",
        "rejected_unknown_outcome",
    }
    assert client.dropped["memory_full"] >= 3_000
    assert produced == stored + sum(client.dropped.values())


def test_balance_closes_over_processes_that_ended_and_left_a_spool(tmp_path: Path, start: Start) -> None:
    """One ends and leaves 5,000 records, one is killed, and one that lives ships for both."""
    collector = start(make_stores(tmp_path)).wait_ready()
    spool = tmp_path / "spool"
    ran(LEAVE, collector.url, spool, "first", 0)
    collector.stop()
    ran(LEAVE, collector.url, spool, "second", 5_000)
    ran(KILLED, collector.url, spool, "third", 700, code=-signal.SIGKILL)
    (file,) = (each for each in spool.glob("*.spool") if b"second_17" in each.read_bytes())
    data = bytearray(file.read_bytes())
    data[data.index(b'"second_17"') + 3] ^= 1
    file.write_bytes(bytes(data))

    again = start(tmp_path, collector.port).wait_ready()
    shipper = Shipper(again.url, TOKEN, spool_dir=str(spool), batch_delay_s=0.05, instance="fourth")
    produced = note(shipper, 100)

    def is_left() -> bool:
        return any(f"-{os.getpid()}-" not in path.name for path in spool.glob("*.lock"))

    again.wait_until(lambda: not is_left(), 30, "having all that was left")
    assert shipper.close()
    assert again.stop() == 0

    reader = SqliteFactReader(tmp_path / FACTS)
    found = {one.instance: one for one in clients(reader, datetime.now(UTC))}
    reader.close()
    assert {one.missing for one in found.values()} == {0}
    assert {one.spooled for one in found.values()} == {0}
    assert {name: (one.produced, one.accepted) for name, one in found.items()} == {
        "first": (50, 50),
        "second": (5_050, 5_049),
        "third": (700, 700),
        "fourth": (produced, produced),
    }
    assert dict(found["second"].dropped) == {"spool_damaged": 1}
    assert list(spool.iterdir()) == []


LEAVE = """
note(50)
shipper.flush(5.0)
for some in range(number // 500):
    note(500)
    shipper.flush(0.0)
"""
KILLED = """
recorder = Recorder("acme", "orders", shipper, durable=True)
note(number)
os.kill(os.getpid(), 9)
"""


def ran(program: str, url: str, spool: Path, instance: str, number: int, code: int = 0) -> None:
    """A receiver's process, from its start to its end."""
    begin = f"""
import os, time
from hookvitals import Recorder, Shipper
number, made = {number}, 0
shipper = Shipper({url!r}, {TOKEN!r}, spool_dir={str(spool)!r}, batch_delay_s=60.0, instance={instance!r})
recorder = Recorder("acme", "orders", shipper)
def note(many):
    global made
    for _ in range(many):
        fields = {{"event_id": f"{instance}_{{made}}", "event_type": "t"}}
        recorder.record("succeeded", time.time_ns() // 1000, fields)
        made += 1
"""
    done = subprocess.run(
        [sys.executable, "-c", begin + program], timeout=60, check=False, capture_output=True
    )
    assert done.returncode == code, done.stderr.decode()
