"""`hookvitals expunge`, with a collector and without one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.collector.settings import CollectorSettings
from monitor.model import Outcome
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import Captured, Filled, RecordFactory
from tests.monitor.cli.running import error_of, run
from tests.monitor.collector.test_writer import running

WORDS = ("expunge", "stripe", "evt_1", "--reason", "erasure request", "--yes")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a captured event."""
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    with written(tmp_path) as filled:
        now = datetime.now(UTC)
        record = RecordFactory()(Outcome.DEAD_LETTERED, now, event_id="evt_1", has_capture=True)
        filled.captures[record.record_id] = Captured(os.urandom(64))
        filled.add([record])
    return tmp_path


@contextmanager
def written(data: Path) -> Iterator[Filled]:
    writer = SqliteFactWriter(data / "facts.db", SystemClock())
    try:
        yield Filled(writer, datetime.now(UTC))
    finally:
        writer.close()


def has_capture(data: Path) -> bool:
    reader = SqliteFactReader(data / "facts.db")
    try:
        return reader.capture("production", "stripe", "payments", "evt_1") is not None
    finally:
        reader.close()


def test_collector_that_runs_is_asked_over_its_socket(data: Path) -> None:
    settings = CollectorSettings(data, bytes(32), retention_s=10 * 365 * 86_400)
    settings.counters_dir.mkdir()
    with running(settings):
        result = run(*WORDS, data_dir=data)
    assert result.exit_code == 0, result.stderr
    said = "captures removed: 1, copies in dead letters: 0, records changed: 1"
    assert result.stdout.startswith(f"stripe/evt_1: {said}\n")
    assert not has_capture(data)


def test_store_that_nobody_writes_is_changed_directly(data: Path) -> None:
    result = run(*WORDS, data_dir=data)
    assert result.exit_code == 0, result.stderr
    assert "backups made before still hold it" in result.stdout
    assert not has_capture(data)


def test_store_that_something_else_writes_is_left_alone(data: Path) -> None:
    with written(data):
        assert "is written by process" in error_of(run(*WORDS, data_dir=data))
    assert has_capture(data)


def test_nothing_happens_without_a_yes(data: Path) -> None:
    result = run(*WORDS[:-1], data_dir=data)
    assert result.exit_code == 1
    assert has_capture(data)


def test_reason_must_be_given(data: Path) -> None:
    assert "--reason" in error_of(run(*WORDS[:3], "--yes", data_dir=data))


def test_unknown_event_is_one_line(data: Path) -> None:
    said = error_of(run("expunge", "stripe", "evt_2", "--reason", "x", "--yes", data_dir=data))
    assert said.startswith("error: there is no event evt_2 of stripe")
