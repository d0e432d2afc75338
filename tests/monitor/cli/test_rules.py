"""`hookvitals rules`: listed, tried on the past, tested with made-up traffic."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock, to_us
from monitor.model import Outcome
from monitor.store.facts.sqlite.file import create
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import Filled, RecordFactory
from tests.monitor.cli.running import error_of, run

MINUTE = timedelta(minutes=1)
CONFIG = """
[[channels]]
kind = "webhook"
name = "oncall"
url = "https://hooks.example.com/oncall"
secret = { env = "ONCALL" }

[[channels]]
kind = "webhook"
name = "team"
url = "https://hooks.example.com/team"
secret = { env = "TEAM" }

[[routes]]
channels = ["oncall"]
min_severity = "critical"

[[routes]]
channels = ["team"]
min_severity = "warning"
"""
STORY = """
[[cases]]
name = "an outage of ten minutes"
length = "40m"

[[cases.traffic]]
source = "stripe"
endpoint = "payments"
per_minute = { succeeded = 100 }

[[cases.traffic]]
source = "stripe"
endpoint = "payments"
from = "10m"
to = "20m"
per_minute = { failed = 30 }
"""
SILENCED = """
[[cases.silences]]
matchers = { source = "stripe" }
to = "40m"
"""
DOWN = """
[[cases.probes]]
source = "stripe"
endpoint = "payments"
from = "5m"
up = false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hookvitals.toml").write_text(CONFIG)
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    return tmp_path


def judged(folder: Path, story: str) -> tuple[int, str]:
    """(exit status, output) of the story's test."""
    config, cases = folder / "hookvitals.toml", folder / "cases.toml"
    cases.write_text(story)
    result = run("--config", str(config), "rules", "test", str(cases), data_dir=folder)
    return result.exit_code, result.output


def expecting(at: str, rule: str, state: str, more: str = "") -> str:
    return f'\n[[cases.expect]]\nat = "{at}"\nrule = "{rule}"\nstate = "{state}"\n{more}\n'


def test_the_rules_in_force_are_listed(folder: Path) -> None:
    said = run("rules", "list", data_dir=folder).output

    assert "failure_count" in said
    assert "burn_rate" in said


def test_a_story_that_goes_as_expected_passes(folder: Path) -> None:
    told = 'severity = "critical"\nlabels = { endpoint = "payments" }\ntold = ["team", "oncall"]'

    status, said = judged(
        folder,
        STORY
        + expecting("9m", "*", "inactive")
        + expecting("12m", "failure_count", "firing", told)
        + expecting("40m", "failure_count", "resolved"),
    )

    assert (status, said.splitlines()) == (0, ["ok      an outage of ten minutes", "1 passed"])


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (expecting("9m", "failure_count", "firing"), "but there is no such alert"),
        (expecting("15m", "*", "inactive"), "failure_count at stripe/payments is firing"),
        (
            expecting("15m", "failure_count", "firing", 'severity = "error"'),
            "firing and error, but failure_count at stripe/payments is firing (critical)",
        ),
        (
            expecting("15m", "failure_count", "firing", 'told = ["team"]'),
            "told to team, but it was told to oncall, team",
        ),
    ],
)
def test_a_story_that_goes_otherwise_fails_and_says_how(folder: Path, expected: str, said: str) -> None:
    status, output = judged(folder, STORY + expected)

    assert status == 1
    assert "FAILED  an outage of ten minutes" in output
    assert said in output


def test_a_case_about_a_rule_that_is_not_there_never_passes(folder: Path) -> None:
    status, output = judged(folder, STORY + expecting("15m", "dead_leters", "inactive"))

    assert status == 1
    assert 'there is no rule "dead_leters" (did you mean dead_letters?)' in output


def test_a_silence_and_a_cause_hide_what_they_cover(folder: Path) -> None:
    hidden = expecting("15m", "failure_count", "firing", "told = []")
    told = expecting("15m", "endpoint_down", "firing", 'told = ["oncall", "team"]')

    assert judged(folder, STORY + SILENCED + hidden)[0] == 0
    assert judged(folder, STORY + DOWN + hidden + told)[0] == 0
    assert judged(folder, STORY + hidden)[0] == 1


ANY = expecting("1m", "*", "firing")


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (STORY.replace("failed = 30", "faild = 30") + ANY, "did you mean failed?"),
        (STORY, "expect"),
        (STORY.replace("10m", "ten") + ANY, "expected a duration"),
        (STORY.replace("failed = 30", "refused = { tired = 3 }") + ANY, "expected a reason"),
        (STORY + expecting("41m", "*", "inactive"), "* is expected at 41m, but the case ends at 40m"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(folder: Path, story: str, said: str) -> None:
    status, output = judged(folder, story)

    assert status == 1
    assert "cases.toml" in output
    assert said in output


def test_the_past_is_retold_and_compared_with_what_happened(folder: Path) -> None:
    now = SystemClock().now().replace(second=0, microsecond=0)
    if not (folder / "facts.db").exists():
        create(folder / "facts.db")
    writer = SqliteFactWriter(folder / "facts.db", SystemClock())
    make, filled = RecordFactory(), Filled(writer, now)
    for minute in range(30):
        outcome = Outcome.FAILED if 10 <= minute < 14 else Outcome.SUCCEEDED
        filled.add([make(outcome, now - (30 - minute) * MINUTE) for _ in range(12)])
    writer.heartbeat("c", to_us(now))
    writer.close()

    said = run(
        "rules", "backtest", "--from", "1h", "--rule", "failure_count", "--live", data_dir=folder
    ).output

    assert said.count("inactive → firing") == 2  # as a move, and as one that did not happen then
    assert "only now: " in said
    assert "failure_count at stripe/payments" in said
    assert "messages would have been sent" in said


def test_a_rule_that_is_not_there_and_a_time_that_is_none_are_refused(folder: Path) -> None:
    unknown = run("rules", "backtest", "--rule", "nothing", data_dir=folder)
    backwards = run("rules", "backtest", "--from", "2h", "--to", "3h", data_dir=folder)

    assert 'there is no rule "nothing"' in error_of(unknown)
    assert "--from must lie before --to" in error_of(backwards)
