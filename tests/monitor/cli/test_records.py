"""`hookvitals records`, `stats` and `facts verify` over a real store."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock, to_us
from monitor.model import Outcome
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import Filled, RecordFactory
from tests.monitor.cli.running import error_of, run

NOW = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    sqlite_file.create(tmp_path / "facts.db")
    return tmp_path


@pytest.fixture
def filled(data_dir: Path) -> Iterator[Filled]:
    writer = SqliteFactWriter(data_dir / "facts.db", SystemClock())
    yield Filled(writer, NOW)
    writer.close()


def test_tail_prints_the_latest_records_oldest_first(data_dir: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW + timedelta(seconds=n), event_id=f"evt_{n}") for n in range(30)])
    result = run("records", "tail", "-n", "3", data_dir=data_dir)
    assert result.exit_code == 0, result.stderr
    assert [line.split()[4] for line in result.stdout.splitlines()] == ["EVENT", "evt_27", "evt_28", "evt_29"]


def test_tail_of_an_empty_store_says_so(data_dir: Path) -> None:
    assert run("records", "tail", data_dir=data_dir).stdout == "no records yet\n"


def test_tail_shows_no_character_that_a_terminal_obeys(data_dir: Path, filled: Filled) -> None:
    filled.add([RecordFactory()(Outcome.SUCCEEDED, NOW, event_id="evt\x1b[2J")])
    assert "\x1b" not in run("records", "tail", data_dir=data_dir).stdout


def test_record_is_shown_whole(data_dir: Path, filled: Filled) -> None:
    made = RecordFactory()(Outcome.FAILED, NOW)
    filled.add([made])
    shown = json.loads(run("records", "show", str(made.record_id), data_dir=data_dir).stdout)
    assert (shown["event_id"], shown["error_class"]) == (made.event_id, "TimeoutError")


def test_record_that_is_not_there_is_an_error(data_dir: Path) -> None:
    result = run("records", "show", "0193f000-0000-7000-8000-000000000001", data_dir=data_dir)
    assert error_of(result).startswith("error: there is no record 0193f000-")


def test_missing_store_is_one_line_with_the_command_to_run(tmp_path: Path) -> None:
    result = run("records", "tail", data_dir=tmp_path)
    assert "hookvitals db upgrade" in error_of(result)


def test_stats_count_by_type(data_dir: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW, process_ms=10.0) for _ in range(3)])
    filled.add([make(Outcome.FAILED, NOW, process_ms=30.0, event_type="invoice.void")])
    rows = json.loads(run("stats", "--format", "json", data_dir=data_dir).stdout)
    assert [(row["type"], row["total"], row["succeeded"], row["failed"]) for row in rows] == [
        ("invoice.paid", 3, 3, 0),
        ("invoice.void", 1, 0, 1),
    ]
    assert rows[0]["max_ms"] == 10.0


def test_stats_count_by_what_is_asked_for(data_dir: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW), make(Outcome.FAILED, NOW, endpoint="refunds")])

    def lines(*words: str) -> list[list[str]]:
        return [line.split()[:4] for line in run("stats", *words, data_dir=data_dir).stdout.splitlines()]

    assert lines("--by", "endpoint") == [
        ["SOURCE", "ENDPOINT", "TOTAL", "SUCCEEDED"],
        ["stripe", "payments", "1", "1"],
        ["stripe", "refunds", "1", "0"],
    ]
    assert lines("--by", "error_class", "--endpoint", "refunds")[1:] == [["stripe", "TimeoutError", "1", "0"]]
    assert [line[0] for line in lines("--by", "outcome")] == ["OUTCOME", "failed", "succeeded"]


def test_stats_of_a_window_that_was_widened_say_from_when_on(data_dir: Path, filled: Filled) -> None:
    filled.add([RecordFactory()(Outcome.SUCCEEDED, NOW - timedelta(hours=5))])
    filled.writer.fold()
    filled.writer.raise_floor(to_us(NOW), 500)
    filled.writer.prune()
    ends = datetime.now(UTC).replace(minute=0)
    over = datetime.now(UTC) - ends + timedelta(hours=6, minutes=7)
    result = run("stats", "--over", f"{over.total_seconds():.0f}s", data_dir=data_dir)
    assert f"from {ends - timedelta(hours=7):%Y-%m-%d %H:%M}Z on" in result.stdout


def test_stats_of_an_empty_window_are_no_data(data_dir: Path) -> None:
    assert run("stats", "--over", "90m", data_dir=data_dir).stdout == "no data in the last 90m\n"


def test_senseless_window_is_refused_with_the_form(data_dir: Path) -> None:
    assert "expected a duration such as" in error_of(run("stats", "--over", "soon", data_dir=data_dir))


def test_rollups_that_agree_with_the_records_are_said_to(data_dir: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW) for _ in range(5)])
    filled.writer.fold()
    filled.add([make(Outcome.FAILED, NOW)])
    result = run("facts", "verify", data_dir=data_dir)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("6 records counted again: all ")


def test_record_that_vanished_from_the_store_is_found(data_dir: Path, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOW) for _ in range(5)])
    filled.writer.fold()
    with sqlite3.connect(data_dir / "facts.db") as db:
        db.execute("DELETE FROM record WHERE record_id = (SELECT min(record_id) FROM record)")
    db.close()
    result = run("facts", "verify", data_dir=data_dir)
    assert "rollups differ from the records" in error_of(result)
    assert "production/stripe/payments" in result.stdout
