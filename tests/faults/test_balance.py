"""A real shipper through outages: all that it produced is stored, spooled or dropped for a reason."""

import os
import signal
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
