"""A real disk that fills up: 503 until there is room, no restart, nothing acknowledged is lost.

Needs the right to mount a file system in memory.
"""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, CollectorProcess, make_stores
from tests.faults.conftest import Start
from tests.faults.load import Load
from tests.faults.stored import assert_exact

pytestmark = pytest.mark.faults

DISK_MIB = 96
"""More than the 64 MiB that readiness wants free, and a database beside it."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a small disk of its own."""
    at = tmp_path / "disk"
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield at
    subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """A file that leaves so many bytes free; others may write meanwhile."""
    at = disk / "somebody-elses.data"
    with at.open("wb", buffering=0) as file, suppress(OSError):
        while (room := os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - leave) > 0:
            file.write(bytes(min(room, 1 << 20)))
    return at


def reasons(collector: CollectorProcess) -> list[str]:
    """Why it is not ready; empty when it is."""
    answer = requests.get(f"{collector.url}/readyz", timeout=10)
    found: list[str] = answer.json().get("reasons", [])
    assert answer.status_code == (503 if found else 200)
    return found


def test_full_disk_is_a_503_until_there_is_room_and_costs_nothing(
    tmp_path: Path, disk: Path, start: Start
) -> None:
    collector = start(make_stores(disk), log=tmp_path / "collector.log").wait_ready()
    family = collector.family()
    with Load(collector.port) as load:
        load.wait_for(2_000)
        filler = fill(disk, leave=300_000)
        collector.wait_until(lambda: load.refusals.count(503) > 50, 30, "full")
        said = reasons(collector)
        acknowledged = len(load.acknowledged)

        for _ in range(3):  # full, room, full, room …
            filler.unlink()
            collector.wait_until(lambda: not reasons(collector), 20, "ready again")
            load.wait_for(500)
            before = load.refusals.count(503)
            filler = fill(disk, leave=0)
            collector.wait_until(lambda n=before: load.refusals.count(503) > n + 20, 30, "full again")  # type: ignore[misc]
        filler.unlink()
        load.wait_for(500)
    assert collector.family() == family, "somebody was started again"
    assert collector.stop() == 0

    assert any("bytes are free" in one for one in said)
    assert any("refuses to write" in one for one in said)
    assert load.problems == []
    assert set(load.refusals) == {503}
    assert len(load.acknowledged) > acknowledged
    reader = SqliteFactReader(disk / FACTS)
    assert_exact(reader, load.acknowledged, load.sent)
    reader.close()
    with sqlite3.connect(disk / FACTS) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_collector_does_not_start_on_a_full_disk_and_says_so_in_a_line(
    tmp_path: Path, disk: Path, start: Start
) -> None:
    log = tmp_path / "collector.log"
    assert start(make_stores(disk), log=log).wait_ready().stop() == 0
    filler = fill(disk, leave=0)
    refused = start(disk, log=log)
    assert refused.wait() == 1
    assert refused.said().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in refused.said()

    filler.unlink()
    collector = start(disk, log=log).wait_ready()
    with Load(collector.port) as load:
        load.wait_for(500)
    assert collector.stop() == 0
    assert load.problems == []
