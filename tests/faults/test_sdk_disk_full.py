"""The SDK's spool on a real disk that fills up: no answer changes, nothing is lost that memory can hold.

Needs the right to mount a file system in memory.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hookvitals import Receiver, Recorder, Shipper
from tests.sdk.collector import KEY, Collector, Reply, collecting
from tests.sdk.world import NOW, SECRET, deliver

pytestmark = pytest.mark.faults

DISK_BYTES = 4 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a small disk of its own."""
    at = tmp_path / "disk"
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield at
    subprocess.run(["umount", "--lazy", str(at)], check=True)


@pytest.fixture
def collector_and_url() -> Iterator[tuple[Collector, str]]:
    with collecting() as made:
        yield made


def fill(disk: Path) -> Path:
    """A file that leaves nothing free."""
    at = disk / "somebody-elses.data"
    with at.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return at


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def shipper_to(url: str, disk: Path, max_waiting: int = 50_000) -> Shipper:
    return Shipper(
        url,
        KEY,
        spool_dir=str(disk / "spool"),
        batch_delay_s=60.0,
        max_waiting=max_waiting,
        uniform=lambda low, high: 0.01,
    )


def test_a_full_disk_changes_no_answer_and_what_memory_cannot_hold_is_counted(
    disk: Path, collector_and_url: tuple[Collector, str]
) -> None:
    collector, url = collector_and_url
    collector.answer = lambda post: Reply(503, {"Retry-After": "0"})
    shipper = shipper_to(url, disk, max_waiting=500)
    receiver = Receiver(
        "acme", endpoint="orders", secrets=[SECRET], system="standard", shipper=shipper, durable=True,
        now=lambda: NOW, profile={"rate_per_minute": None},
    )  # fmt: skip
    receiver.on("*")(lambda event: None)
    first = deliver(receiver, "evt_before")
    until(lambda: shipper.counts()["on_disk"] == 1)

    filler = fill(disk)
    full = [deliver(receiver, f"evt_full_{number}") for number in range(1000)]
    filler.unlink()
    after = [deliver(receiver, f"evt_after_{number}") for number in range(50)]

    assert {(one.status, one.body) for one in (first, *full, *after)} == {(first.status, first.body)}
    collector.answer = lambda post: Reply()
    assert shipper.flush(20.0), shipper.counts()
    counts = shipper.counts()
    assert counts["produced"] == 1051 == counts["accepted"] + sum(counts["dropped"].values())
    assert set(counts["dropped"]) == {"memory_full"}
    assert len(collector.stored) == counts["accepted"] >= 500
    stored = {record["event_id"] for record in collector.records}
    assert {"evt_before", *(f"evt_after_{number}" for number in range(50))} <= stored
    assert shipper.close()


def test_a_disk_that_is_full_now_and_then_loses_nothing_that_memory_can_hold(
    disk: Path, collector_and_url: tuple[Collector, str]
) -> None:
    collector, url = collector_and_url
    collector.answer = lambda post: Reply(503, {"Retry-After": "0"})
    shipper = shipper_to(url, disk)
    recorder = Recorder("acme", "orders", shipper)
    stop = threading.Event()

    def fill_and_free() -> None:
        while not stop.wait(0.02):
            fill(disk).unlink()

    filling = threading.Thread(target=fill_and_free)
    filling.start()
    for number in range(5000):
        recorder.record("succeeded", 1, {"event_id": f"evt_{number}", "event_type": "t"})
        if number % 500 == 0:
            time.sleep(0.05)
    stop.set()
    filling.join()
    until(lambda: shipper.counts()["on_disk"] > 0)

    collector.answer = lambda post: Reply()
    assert shipper.flush(20.0), shipper.counts()

    assert len(collector.stored) == 5000
    assert shipper.counts()["dropped"] == {}
    assert shipper.close()
    assert os.listdir(disk / "spool") == []
