"""The examples of hookvitals.toml, one a provider, are whole, good, and do what their cases say."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import Severity
from hookvitals.profiles import PROFILES
from monitor.config.load import load
from monitor.config.toml_file import read_toml
from monitor.wiring.channels import UnusableChannel, channels_of
from tests.monitor.cli.running import run
from tests.repo.sources import ROOT

FOLDER = ROOT / "examples" / "config"
FILES = sorted(path for path in FOLDER.glob("*.toml") if not path.name.endswith(".cases.toml"))
SECRETS = {
    "ORUM_REPLAY_SECRET": "whsec_" + "QUJD" * 11,
    "HOPNOW_REPLAY_SECRET": "whsec_" + "QUJD" * 11,
    "SCALEKIT_REPLAY_SECRET": "whsec_" + "QUJD" * 11,
    "STANDARD_REPLAY_SECRET": "whsec_" + "QUJD" * 11,
    "GENERIC_REPLAY_SECRET": "whsec_" + "QUJD" * 11,
    "CALLS_SECRET": "whsec_" + "QUJD" * 11,
    "PAGERDUTY_ROUTING_KEY": "e93facc04764012d7bfb002500d5d1a6",
    "SLACK_TEAM_URL": "https://hooks.slack.com/services/T0/B0/x",
    "SLACK_BOT_TOKEN": "xoxb-1-2-3",
    "MAIL_PASSWORD": "hunter2",
    "ALERTMANAGER_AUTHORIZATION": "Basic eDp5",
}


def named(path: Path) -> str:
    return path.stem


def judged(config: Path, cases: Path) -> tuple[int, str]:
    result = run("--config", str(config), "rules", "test", str(cases))
    return result.exit_code, result.output


def test_each_seed_provider_has_its_file_and_its_cases() -> None:
    assert [path.stem for path in FILES] == ["hopnow", "orum", "scalekit", "standard"]
    assert {path.name for path in FOLDER.iterdir()} == {
        name for path in FILES for name in (path.name, f"{path.stem}.cases.toml")
    }


@pytest.mark.parametrize("path", FILES, ids=named)
def test_an_example_is_good_and_lacks_nothing(path: Path) -> None:
    result = run("config", "check", "--strict", "--offline", str(path))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""


@pytest.mark.parametrize("path", FILES, ids=named)
def test_an_example_does_what_its_cases_say(path: Path) -> None:
    status, said = judged(path, path.with_suffix(".cases.toml"))
    assert status == 0, said
    assert said.count("ok  ") >= 5


@pytest.mark.parametrize(
    ("name", "number", "other"),
    [
        ("orum", 'deadline = "30s"', 'deadline = "20s"'),
        ("orum", 'threshold = "1h"', 'threshold = "20h"'),
        ("orum", 'quiet_hours = ["20:00-08:00", ', "quiet_hours = ["),
        ("orum", 'after = "15m"', 'after = "40m"'),
        ("hopnow", 'deadline = "5s"', 'deadline = "6s"'),
        ("hopnow", 'threshold = "5 %"\nwindow', 'threshold = "7 %"\nwindow'),
        ("hopnow", 'quiet_hours = "21:00-08:00"', 'quiet_hours = "02:00-03:00"'),
        ("scalekit", "expected_statuses = [201]", "expected_statuses = [200, 201]"),
        ("scalekit", 'threshold = "10 failures"', 'threshold = "9 failures"'),
        ("scalekit", 'threshold = "10 failures"', 'threshold = "11 failures"'),
        ("scalekit", 'hours = "01:00-02:00"', 'hours = "02:00-03:00"'),
        ("standard", "warning_days = 14", "warning_days = 9"),
        ("standard", 'days = "sun"', 'days = "sat"'),
    ],
)
def test_the_cases_hold_the_providers_numbers(tmp_path: Path, name: str, number: str, other: str) -> None:
    text = (FOLDER / f"{name}.toml").read_text()
    changed = tmp_path / "changed.toml"
    changed.write_text(text.replace(number, other))
    assert text.count(number) == 1
    assert judged(changed, FOLDER / f"{name}.cases.toml")[0] == 1


@pytest.mark.parametrize("path", FILES, ids=named)
def test_an_example_says_all_that_a_provider_needs(path: Path) -> None:
    document = load(path, {}).document
    for source in document.sources:
        assert source.deadline == timedelta(seconds=PROFILES[source.name].ack_deadline_s)
        assert {"expected_statuses", "retry_horizon"} <= source.model_fields_set
        assert [endpoint for endpoint in document.endpoints if endpoint.source == source.name]
    assert all((rule.runbook or "").startswith("https://") for rule in document.rules)
    assert document.slos
    assert document.maintenance_windows
    critical = [route for route in document.routes if route.min_severity is Severity.CRITICAL]
    assert critical
    assert all(route.quiet_hours is None and route.fallback for route in critical)
    assert any(route.quiet_hours for route in document.routes)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_channel_can_be_made_once_its_variables_are_set(path: Path) -> None:
    document = load(path, {}).document
    channels = channels_of(document, SECRETS)
    assert [one.problem for one in channels.values() if isinstance(one, UnusableChannel)] == []
    assert document.secret_variables() <= set(SECRETS)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_secret_stands_in_an_example(path: Path) -> None:
    raw, text = read_toml(path)
    assert raw
    assert not [word for word in ("whsec_", "xoxb-", "hooks.slack.com/services") if word in text]
