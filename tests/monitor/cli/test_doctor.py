"""`hookvitals doctor`: what it sees, and what it makes of it."""

import socket
from pathlib import Path

import pytest

from tests.alerts.support import Service, serving
from tests.monitor.cli.running import error_of, run


def lines(output: str) -> dict[str, str]:
    return {line[6:].partition(": ")[0]: line[:4].strip() for line in output.splitlines()}


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def config(tmp_path: Path, collector: int, dashboard: int, more: str = "") -> Path:
    file = tmp_path / "hookvitals.toml"
    process = f"[process]\ncollector_port = {collector}\ndashboard_port = {dashboard}\n"
    file.write_text(f'{process}data_dir = "{tmp_path / "data"}"\n{more}')
    return file


def test_running_installation_is_ready(tmp_path: Path) -> None:
    with serving(Service()) as collector, serving(Service()) as dashboard:
        result = run("doctor", "--ready", config=config(tmp_path, collector.port, dashboard.port))
        assert [seen.path for seen in collector.seen] == ["/readyz"]
    assert (result.exit_code, lines(result.stdout)) == (0, {"collector": "ok", "dashboard": "ok"})


def test_process_that_is_not_ready_is_bad_and_its_reason_is_shown(tmp_path: Path, closed_port: int) -> None:
    unready = Service(status=503, body=b'{"reasons": ["no worker leads"]}')
    with serving(unready) as dashboard:
        result = run("doctor", "--ready", config=config(tmp_path, closed_port, dashboard.port))
    assert lines(result.stdout) == {"collector": "BAD", "dashboard": "BAD"}
    assert "no worker leads" in result.stdout
    assert error_of(result) == "error: 2 of 2 findings must be mended"


def test_missing_secret_and_missing_audience_are_named(tmp_path: Path, closed_port: int) -> None:
    channel = '[[channels]]\nkind = "slack"\nname = "team"\nurl = { env = "NOT_SET_ANYWHERE" }\n'
    result = run("doctor", config=config(tmp_path, closed_port, closed_port, channel))
    assert lines(result.stdout)["channel team"] == "BAD"
    quiet = run("doctor", config=config(tmp_path, closed_port, closed_port))
    assert lines(quiet.stdout)["alerts"] == "note"


def test_data_directory_that_is_not_there_yet_is_bad(tmp_path: Path, closed_port: int) -> None:
    result = run("doctor", config=config(tmp_path, closed_port, closed_port))
    assert lines(result.stdout)["data directory"] == "BAD"


def test_open_data_directory_is_worth_knowing(tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    result = run("doctor", config=config(tmp_path, closed_port, closed_port))
    assert lines(result.stdout)["data directory"] == "note"


@pytest.mark.postgres
def test_server_of_both_stores_is_looked_at_without_its_password(postgres_url: str, tmp_path: Path) -> None:
    store = f'[process]\nstore_url = "{postgres_url}&password=hunter2"\ndata_dir = "{tmp_path}"\n'
    (tmp_path / "hookvitals.toml").write_text(store)

    result = run("doctor", config=tmp_path / "hookvitals.toml")

    assert "hunter2" not in result.output
    found = lines(result.stdout)
    assert "SQLite" not in found
    assert found["PostgreSQL"] == found["PostgreSQL, connections"] == "ok"
    assert found["PostgreSQL, durability"] == "BAD", "the server of the tests does not wait for its disk"
    assert "fsync = off" in result.stdout
    assert found["partitions of the facts"] == "note"


@pytest.mark.postgres
def test_replica_that_is_none_and_a_server_that_is_away_are_told_of(
    postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / "hookvitals.toml").write_text(
        f'[process]\nfacts_url = "postgresql://ada:hunter2@/x?host={tmp_path}"\n'
        f'facts_replica_url = "{postgres_url}"\ndata_dir = "{tmp_path}"\n'
    )

    result = run("doctor", config=tmp_path / "hookvitals.toml")

    assert "hunter2" not in result.output
    assert lines(result.stdout)["PostgreSQL of the facts"] == "BAD"
    assert "note  replica of the facts: is no replica" in result.stdout
