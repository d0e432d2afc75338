"""`hookvitals report sla` over a real store."""

import csv
import io
import json
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.model import Outcome
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import Filled, RecordFactory
from tests.monitor.cli.running import error_of, run


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A store with 3 successes and a dead letter on the Wednesday of 2026-W47."""
    sqlite_file.create(tmp_path / "facts.db")
    writer, make = SqliteFactWriter(tmp_path / "facts.db", SystemClock()), RecordFactory()
    Filled(writer).add([*(make() for _ in range(3)), make(Outcome.DEAD_LETTERED)])
    writer.close()
    return tmp_path


def test_week_as_json_has_the_figures_of_the_store(data_dir: Path) -> None:
    made = json.loads(
        run("report", "sla", "--week", "2026-W47", "--format", "json", data_dir=data_dir).stdout
    )
    assert made["week"] == "2026-W47"
    assert [line["event_success"] for line in made["lines"]] == [0.75, 0.75]


def test_week_as_csv_and_html(data_dir: Path, tmp_path: Path) -> None:
    text = run("report", "sla", "--week", "2026-W47", "--format", "csv", data_dir=data_dir).stdout
    assert [row["source"] for row in csv.DictReader(io.StringIO(text))] == ["stripe", "stripe"]
    page = tmp_path / "report.html"
    result = run(
        "report", "sla", "--week", "2026-W47", "--format", "html", "-o", str(page), data_dir=data_dir
    )
    assert result.stdout == f"wrote the report of 2026-W47 to {page}\n"
    assert "75.000 %" in page.read_text().replace("\N{NO-BREAK SPACE}", " ")


def test_empty_week_is_no_data(data_dir: Path) -> None:
    made = json.loads(
        run("report", "sla", "--week", "2026-W40", "--format", "json", data_dir=data_dir).stdout
    )
    assert (made["no_data"], made["lines"]) == (True, [])


def test_objective_of_the_file_is_in_the_report(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[[slos]]\nname = "all"\nobjective = 0.99\n')
    made = json.loads(
        run("report", "sla", "--week", "2026-W47", "--format", "json", data_dir=data_dir, config=file).stdout
    )
    assert [(line["objective"], line["objective_met"]) for line in made["lines"]] == [(0.99, False)] * 2


def test_senseless_week_is_one_line_with_the_form(data_dir: Path) -> None:
    assert "write an ISO week" in error_of(run("report", "sla", "--week", "47", data_dir=data_dir))
