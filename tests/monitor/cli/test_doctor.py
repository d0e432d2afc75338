"""`hookvitals doctor`: what it sees, and what it makes of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.model import Outcome, SeriesKey
from monitor.store.control import Control
from tests.alerts.support import Service, serving
from tests.control import control_url, new_control
from tests.facts import RecordFactory, sqlite_facts
from tests.monitor.cli.running import error_of, run
from tests.ports import free_port


def lines(output: str) -> dict[str, str]:
    return {line[6:].partition(": ")[0]: line[:4].strip() for line in output.splitlines()}


@pytest.fixture
def closed_port() -> int:
    return free_port()


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


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A data directory with stores and one endpoint that was used."""
    with sqlite_facts(tmp_path) as (fill, _):
        make = RecordFactory()
        now = datetime.now(UTC)
        fill.add([make.delivery(at=now - timedelta(minutes=5)) for _ in range(30)])
        fill.add([make.delivery(Outcome.DUPLICATE, now - timedelta(minutes=5))])
    control = new_control(tmp_path, SystemClock())
    control.catalog.register([("production", "stripe", "payments")], now)
    control.close()
    return tmp_path


def items(output: str) -> dict[str, tuple[str, str]]:
    found = [line.split(None) for line in output.splitlines() if line.startswith("  ")]
    verdicts = {"no": "no evidence yet"}
    return {
        word: (verdicts.get(line[0], line[0]), " ".join(line))
        for line in found
        for word in line
        if word.startswith(("orum.", "hopnow."))
    }


def test_an_endpoint_is_judged_by_both_checklists_with_the_figure_behind_each_item(watched: Path) -> None:
    """practice 45"""
    result = run("doctor", "--endpoint", "payments", data_dir=watched)
    found = items(result.stdout)
    assert len(found) == 26
    assert found["orum.idempotent"][0] == "pass"
    assert "1 duplicate recognised in 30 d" in found["orum.idempotent"][1]
    assert found["hopnow.order"][0] == "no evidence yet"
    assert error_of(result) == (  # nobody is told of alerts
        "error: 2 of 26 items are not as they must be: orum.monitoring, hopnow.monitoring"
    )


def test_who_answers_for_an_item_and_when_is_said_and_audited(watched: Path) -> None:
    words = ("doctor", "attest", "orum.database", "--endpoint", "payments")
    done = run(*words, "--note", "pool of 20, see the runbook", data_dir=watched)
    assert done.exit_code == 0, done.output
    found = items(run("doctor", "--endpoint", "payments", data_dir=watched).stdout)
    assert found["orum.database"][0] == "attested"
    assert "pool of 20, see the runbook" in found["orum.database"][1]
    back = run("doctor", "withdraw", "orum.database", "--endpoint", "payments", data_dir=watched)
    assert "nobody answers for orum.database of stripe/payments" in back.stdout
    control = Control.open(control_url(watched))
    assert [row.action for row in control.audit.page()] == ["checklist.withdraw", "checklist.attest"]
    assert control.attestations.of(SeriesKey("production", "stripe", "payments")) == {}
    control.close()


def test_how_long_a_word_holds_is_chosen_and_bounded(watched: Path) -> None:
    words = ("doctor", "attest", "orum.database", "--endpoint", "payments", "--note", "pool of 20")
    assert run(*words, "--for", "90d", data_dir=watched).exit_code == 0
    control = Control.open(control_url(watched))
    [word] = control.attestations.of(SeriesKey("production", "stripe", "payments")).values()
    control.close()
    assert word.until - word.at == timedelta(days=90)
    assert "at most 400 days" in error_of(run(*words, "--for", "500d", data_dir=watched))


@pytest.fixture
def audible(watched: Path) -> Path:
    """The configuration of that directory, with a channel that took a test."""
    control = Control.open(control_url(watched))
    with control.write() as tx:
        control.audit.append(tx, SystemClock().now(), "ada", "admin", "cli", "channel.test", "team", {})
    control.close()
    file = watched / "own.toml"
    channel = '[[channels]]\nkind = "slack"\nname = "team"\nurl = { env = "TEAM_URL" }\n'
    file.write_text(f'[process]\ndata_dir = "{watched}"\n{channel}')
    return file


@pytest.mark.parametrize(
    ("require", "short"),
    [
        ([], []),
        (["orum.idempotent"], []),
        (["orum.database"], ["orum.database"]),
        (["orum.database", "hopnow.order"], ["orum.database", "hopnow.order"]),
        (["orum.load"], []),
        (["pass", "orum.load"], ["orum.load"]),
    ],
    ids=lambda names: " ".join(names) or "nothing",
)
def test_what_is_required_decides_how_the_command_ends(
    audible: Path, require: list[str], short: list[str]
) -> None:
    words = ("orum.load", "--endpoint", "payments", "--note", "see PR 7")
    assert run("doctor", "attest", *words, config=audible).exit_code == 0
    options = [word for name in require for word in ("--require", name)]
    result = run("doctor", "--endpoint", "payments", *options, config=audible)
    if short:
        named = error_of(result).partition(" must be: ")[2].split(", ")
        assert set(short) <= set(named) if "pass" in require else short == named
    else:
        assert result.exit_code == 0, result.output


def test_all_of_a_list_or_of_both_may_be_required(audible: Path) -> None:
    def named(require: str) -> set[str]:
        said = error_of(run("doctor", "--endpoint", "payments", "--require", require, config=audible))
        return set(said.partition(" must be: ")[2].split(", "))

    assert {name.partition(".")[0] for name in named("hopnow")} == {"hopnow"}
    assert named("hopnow") < named("attested") == named("pass")


def test_what_cannot_be_required_is_said(audible: Path) -> None:
    unknown = run("doctor", "--endpoint", "payments", "--require", "orum.x", config=audible)
    assert unknown.exit_code == 2
    assert "'orum.x' is not one of 'pass', 'attested', 'orum', 'hopnow', 'orum.signatures'" in unknown.stderr
    assert "name it with --endpoint" in error_of(run("doctor", "--require", "pass", config=audible))


def test_unknown_items_and_endpoints_are_refused_with_what_to_do(watched: Path) -> None:
    nothing = run("doctor", "--endpoint", "nowhere", data_dir=watched)
    assert "there is no endpoint nowhere in production (`hookvitals endpoint list`" in error_of(nothing)
    made_up = run("doctor", "attest", "orum.x", "--endpoint", "payments", "--note", "x", data_dir=watched)
    assert "no checklist has an item orum.x" in error_of(made_up)
    empty = run("doctor", "attest", "orum.load", "--endpoint", "payments", "--note", " ", data_dir=watched)
    assert "an attestation needs a note" in error_of(empty)
    nobody = run("doctor", "withdraw", "orum.load", "--endpoint", "payments", data_dir=watched)
    assert "nobody answers for orum.load of production/stripe/payments" in error_of(nobody)


def test_without_an_endpoint_each_has_a_line_of_its_own(watched: Path) -> None:
    result = run("doctor", data_dir=watched)
    assert "checklists of stripe/payments" in result.stdout
