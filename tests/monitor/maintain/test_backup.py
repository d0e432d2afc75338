"""Both stores into a directory and out of it again, while others write."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import to_us
from monitor.maintain.backup_files import Manifest, read_manifest
from monitor.maintain.verify import verify
from monitor.model import Grain, Record, SeriesKey
from monitor.store.facts.protocol import FactReader, RecordFilter, pages
from monitor.store.facts.sqlite.file import create
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.control import new_control
from tests.facts import NOON, Filled, mixed
from tests.monitor.cli.running import error_of, run
from tests.monitor.clocks import FakeClock

LONG_AGO, LATER = NOON - timedelta(days=2), NOON + timedelta(days=2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with two stores."""
    folder = tmp_path / "data"
    folder.mkdir()
    create(folder / "facts.db")
    new_control(folder, FakeClock()).close()
    return folder


@pytest.fixture
def filled(data: Path) -> Iterator[Filled]:
    writer = SqliteFactWriter(data / "facts.db", FakeClock(NOON))
    yield Filled(writer)
    writer.close()


def backed_up(data: Path, to: Path, *words: str) -> Manifest:
    done = run("backup", str(to), *words, data_dir=data)
    assert done.exit_code == 0, done.stderr or done.exception
    return read_manifest(to)


def restored(backup: Path, into: Path) -> SqliteFactReader:
    done = run("restore", str(backup), data_dir=into)
    assert done.exit_code == 0, done.stderr or done.exception
    return SqliteFactReader(into / "facts.db")


def rows_of(manifest: Manifest) -> dict[str, int]:
    return {file.table: file.rows for file in manifest.facts.files}


def everything(reader: FactReader) -> list[Record]:
    return list(pages(reader, RecordFilter(), 1_000))


def test_facts_come_back_record_by_record(data: Path, filled: Filled, tmp_path: Path) -> None:
    filled.add(mixed(1_500, seed=1, over=timedelta(hours=30)))
    filled.writer.fold()
    filled.add(mixed(500, seed=2, over=timedelta(hours=30)))
    before = SqliteFactReader(data / "facts.db")
    backed_up(data, tmp_path / "backup")

    after = restored(tmp_path / "backup", tmp_path / "new")

    assert everything(after) == everything(before)
    keys = list(before.series().values())
    for grain in Grain:
        span = (grain, to_us(LONG_AGO), to_us(LATER))
        assert after.rollups(keys, *span) == before.rollups(keys, *span)
    assert after.ever(keys) == before.ever(keys)
    assert after.store_id() != before.store_id()
    events = {(one.source, one.event_id) for one in everything(before) if one.event_id}
    for source, event_id in events:
        assert after.event(None, source, event_id) == before.event(None, source, event_id)


def test_rollups_and_deltas_are_the_records(data: Path, filled: Filled, tmp_path: Path) -> None:
    filled.add(mixed(800, seed=1, over=timedelta(hours=3)))
    filled.writer.fold()
    filled.add(mixed(200, seed=2, over=timedelta(hours=3)))
    manifest = backed_up(data, tmp_path / "backup")
    after = restored(tmp_path / "backup", tmp_path / "new")

    assert rows_of(manifest)["delta"] == 200
    assert verify(after, LONG_AGO, LATER).differences == []

    writer = SqliteFactWriter(tmp_path / "new" / "facts.db", FakeClock(NOON))
    while writer.fold():
        pass
    writer.close()
    found = verify(after, LONG_AGO, LATER)
    assert (found.records, found.differences) == (1_000, [])
    one = next(record for record in everything(after) if record.event_id)
    assert one.event_id is not None
    again = [each.record_id for each in after.event(None, one.source, one.event_id)]
    assert len(again) == len(set(again))


def test_floor_comes_with_the_facts(data: Path, filled: Filled, tmp_path: Path) -> None:
    filled.add(mixed(100, over=timedelta(hours=3)))
    filled.writer.raise_floor(to_us(NOON + timedelta(hours=1)), 10_000)
    backed_up(data, tmp_path / "backup")

    after = restored(tmp_path / "backup", tmp_path / "new")

    assert after.floor_us() == to_us(NOON + timedelta(hours=1))


def test_ingest_at_full_speed_goes_on_and_the_snapshot_is_one_moment(data: Path, tmp_path: Path) -> None:
    ingest = Ingest(data / "facts.db")
    ingest.start()
    try:
        _until(lambda: ingest.batches > 20)
        least = _records(data / "facts.db")
        manifest = backed_up(data, tmp_path / "backup")
        most, during = _records(data / "facts.db"), ingest.batches
        _until(lambda: ingest.batches > during)
    finally:
        ingest.stopping.set()
        ingest.join(30)

    after = restored(tmp_path / "backup", tmp_path / "new")
    found = verify(after, LONG_AGO, LATER)
    assert found.differences == []
    assert found.records == rows_of(manifest)["record"] == len(everything(after))
    assert least <= found.records <= most
    assert found.records % BATCH == 0, "a transaction is in it whole or not at all"


BATCH = 200


class Ingest(threading.Thread):
    """A writer at full speed, in a thread of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.stopping, self.batches = path, threading.Event(), 0

    def run(self) -> None:
        writer = SqliteFactWriter(self.path, FakeClock(NOON))
        while not self.stopping.is_set():
            Filled(writer).add(mixed(BATCH, seed=self.batches + 1, over=timedelta(hours=3)))
            self.batches += 1
            if self.batches % 5 == 0:
                writer.fold()
        writer.close()


def test_backup_is_this_users_alone(data: Path, tmp_path: Path) -> None:
    backed_up(data, tmp_path / "backup")

    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "backup").iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]


def test_empty_directory_will_do_and_a_full_one_is_left_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o755)
    backed_up(data, tmp_path / "empty")
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o700

    before = sorted((tmp_path / "empty").iterdir())
    assert "is not empty" in error_of(run("backup", str(tmp_path / "empty"), data_dir=data))
    assert sorted((tmp_path / "empty").iterdir()) == before


def test_missing_store_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    result = run("backup", str(tmp_path / "backup"), data_dir=tmp_path / "nowhere")
    assert "hookvitals db upgrade" in error_of(result)
    assert list(tmp_path.iterdir()) == []


def test_table_that_a_backup_would_leave_out_refuses_it(data: Path, tmp_path: Path) -> None:
    with sqlite3.connect(data / "facts.db") as db:
        db.execute("CREATE TABLE added_later (value)")
    db.close()
    assert "added_later" in error_of(run("backup", str(tmp_path / "backup"), data_dir=data))
    assert not (tmp_path / "backup").exists()


def test_table_of_control_that_a_backup_would_leave_out_refuses_it(data: Path, tmp_path: Path) -> None:
    with sqlite3.connect(data / "control.db") as db:
        db.execute("CREATE TABLE added_later (value)")
    db.close()
    assert "added_later" in error_of(run("backup", str(tmp_path / "backup"), data_dir=data))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_backup_that_is_ended_midway_never_has_its_name(
    data: Path, tmp_path: Path, how: signal.Signals
) -> None:
    with locked(data / "control.db"):  # it waits for control, and has begun
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "backup", str(tmp_path / "backup")],
            env={**os.environ, "HOOKVITALS_DATA_DIR": str(data)},
            stderr=subprocess.PIPE,
        )
        _until(lambda: any(tmp_path.glob(".backup.unfinished-*/*")))
        process.send_signal(how)
    _, said = process.communicate(timeout=60)

    assert process.returncode != 0
    assert not (tmp_path / "backup").exists()
    if how is signal.SIGTERM:
        assert said.decode().strip() == "Aborted!"
        assert [path.name for path in tmp_path.iterdir()] == ["data"]
    backed_up(data, tmp_path / "backup")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        db.close()


def _records(path: Path) -> int:
    reader = SqliteFactReader(path)
    try:
        return sum(rollup.records() for rollup in reader.ever([SeriesKey("production")]).values())
    finally:
        reader.close()


def _until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)
