"""The power goes while records come in: what was acknowledged is stored, and both files are sound.

Not collected where no disk can be mounted: conftest.py says why, power.py what is done.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, kill, make_stores, starting
from tests.faults.load import CLIENTS, LARGEST, Load
from tests.faults.power import disk
from tests.faults.stored import assert_exact
from tests.faults.test_durability_traced import REQUESTS, THREADS, send_to

SENT = THREADS * sum(1 + number % 40 for number in range(REQUESTS))

pytestmark = pytest.mark.faults


def assert_sound(file: Path) -> None:
    db = sqlite3.connect(file)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        db.close()


def test_nothing_acknowledged_is_lost_when_the_power_goes(tmp_path: Path) -> None:
    with disk(tmp_path) as drive, starting() as start:
        data = make_stores(drive.directory / "data")
        drive.sync()
        collector = start(data, log=tmp_path / "log").wait_ready()
        key = (data / "secret.key").read_text()
        with Load(collector.port) as load:
            for _ in range(2):
                load.wait_for(1_000)
                before = set(load.acknowledged)
                drive.cut()
                for pid in collector.family():
                    kill(pid)
                collector.wait()
                # a real cut ends the processes, too: nobody would have heard an answer that left after it
                late = load.acknowledged - before
                load.acknowledged -= late
                drive.unmount()
                drive.mount()

                with closing(SqliteFactReader(data / FACTS)) as reader:
                    assert_exact(reader, before, load.sent)
                for name in (FACTS, "control.db"):
                    assert_sound(data / name)
                assert (data / "secret.key").read_text() == key, "captures sealed with it cannot be opened"
                collector = start(data, collector.port, log=tmp_path / "log").wait_ready()
            load.wait_for(CLIENTS * LARGEST + 1)
        assert collector.stop() == 0

        assert load.problems == []
        with closing(SqliteFactReader(data / FACTS)) as reader:
            assert_exact(reader, load.acknowledged, load.sent)


@pytest.mark.parametrize("synchronous", [None, "NORMAL"])
def test_a_power_cut_shows_whether_a_commit_waits_for_the_disk(
    tmp_path: Path, synchronous: str | None
) -> None:
    with disk(tmp_path) as drive:
        data = make_stores(drive.directory / "data")
        drive.sync()
        program = [sys.executable, "-m", "tests.faults.writer_process", str(data)]
        writer = subprocess.Popen([*program, synchronous] if synchronous else program)
        try:
            send_to(data)
            drive.cut()
        finally:
            writer.kill()
            writer.wait()
        drive.unmount()
        drive.mount()

        db = sqlite3.connect(data / FACTS)
        (stored,) = db.execute("SELECT count(*) FROM record").fetchone()
        db.close()
        assert (stored == SENT) is (synchronous is None), f"{stored} of {SENT} acknowledged"
