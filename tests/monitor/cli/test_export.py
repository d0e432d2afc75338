"""`hookvitals export` over a real store."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.model import Outcome
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import Filled, RecordFactory, mixed
from tests.monitor.cli.running import error_of, run

NOW = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    sqlite_file.create(tmp_path / "facts.db")
    writer = SqliteFactWriter(tmp_path / "facts.db", SystemClock())
    yield Filled(writer, NOW)
    writer.close()


def test_records_go_to_standard_output_as_json(tmp_path: Path, filled: Filled) -> None:
    filled.add([RecordFactory()(Outcome.FAILED, NOW)])
    result = run("export", data_dir=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["outcome"] == "failed"
    assert result.stderr == ""


def test_file_is_this_users_alone_and_whole(tmp_path: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW), make(Outcome.FAILED, NOW)])
    file = tmp_path / "out.csv"
    result = run("export", "--format", "csv", "--outcome", "failed", "-o", str(file), data_dir=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(newline="") as text:
        assert [row["outcome"] for row in csv.DictReader(text)] == ["failed"]
    assert result.stderr == f"records written to {file}: 1\n"
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_times_are_written_in_three_ways(tmp_path: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW - timedelta(minutes=60)), make(Outcome.SUCCEEDED, NOW)])

    def records(*words: str) -> int:
        return len(run("export", *words, data_dir=tmp_path).stdout.splitlines())

    assert records("--since", "90m") == 2
    assert records("--since", "90m", "--until", "30m") == 1
    assert records("--since", (NOW - timedelta(minutes=1)).isoformat()) == 1
    assert records("--until", (NOW - timedelta(days=400)).date().isoformat()) == 0


def test_senseless_time_is_refused_with_the_form(tmp_path: Path) -> None:
    assert "write 2026-11-20" in error_of(run("export", "--since", "yesterday", data_dir=tmp_path))


def test_place_that_cannot_be_written_is_one_line(tmp_path: Path, filled: Filled) -> None:
    result = run("export", "-o", str(tmp_path / "no" / "out"), data_dir=tmp_path)
    assert error_of(result).startswith(f"error: {tmp_path}/no/out cannot be written: No such file")


def test_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path, filled: Filled) -> None:
    filled.add(mixed(5000, start=NOW - timedelta(hours=1), over=timedelta(hours=1)))
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "export"],
        env={**os.environ, "HOOKVITALS_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(60)
    assert process.stderr.read() == b""
    process.stderr.close()
