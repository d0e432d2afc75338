"""`hookvitals alerts`, `silence`, `dead-letters`, `replay`, `channel`, `config apply` over a real store."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from alerts.issues import Kin
from alerts.model import (
    Alert,
    Change,
    Evidence,
    Notification,
    Severity,
    State,
    Transition,
    Why,
    fingerprint_of,
)
from monitor.clock import SystemClock
from monitor.dead_letters import LetterKey, LetterRecord, LetterState, Standing
from monitor.model import Outcome
from monitor.store.control import Control
from monitor.store.control.issues import Failure
from monitor.store.control.notifications import enqueue
from tests.alerts.support import Service, serving
from tests.control import control_url
from tests.monitor.cli.running import error_of, run

NOW = SystemClock().now()
LABELS = {"environment": "production", "source": "stripe", "endpoint": "payments"}
FIRING = Alert(
    fingerprint_of("error_rate", LABELS),
    "error_rate",
    "error_rate",
    Severity.ERROR,
    LABELS,
    State.FIRING,
    NOW,
    NOW,
    Evidence("12 % of stripe/payments failed"),
    firing_since=NOW,
    revision=1,
    episode=1,
)
LETTER = LetterKey("production", "stripe", "payments", "evt_1")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    return tmp_path


@pytest.fixture
def control(data_dir: Path) -> Iterator[Control]:
    opened = Control.open(f"sqlite:///{data_dir / 'control.db'}")
    yield opened
    opened.close()


@pytest.fixture
def letter(control: Control) -> str:
    record = LetterRecord("0193f000-0000-7000-8000-000000000001", NOW, Outcome.DEAD_LETTERED, "invoice.paid")
    with control.write() as tx:
        control.letters.hear(tx, LETTER, record)
        control.letters.put(
            tx, LETTER.id, Standing(LetterState.OPEN, "invoice.paid", NOW, error_class="Timeout")
        )
    return LETTER.id


def good(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_firing_alert_is_listed_and_taken_on_by_the_start_of_its_id(data_dir: Path, control: Control) -> None:
    with control.write() as tx:
        control.alerts.put(tx, FIRING, [])
    assert "12 % of stripe/payments failed" in good(run("alerts", "list", data_dir=data_dir))
    said = good(run("alerts", "ack", FIRING.fingerprint[:8], "--note", "looking", data_dir=data_dir))
    assert said.endswith("took on error_rate at stripe/payments\n")
    found = control.alerts.get(FIRING.fingerprint)
    assert found is not None
    assert found.ack is not None
    assert found.ack.note == "looking"


def test_alert_that_is_not_there_cannot_be_taken_on(data_dir: Path) -> None:
    assert "there is no alert abc" in error_of(run("alerts", "ack", "abc", data_dir=data_dir))


def test_silence_is_made_listed_and_ended(data_dir: Path) -> None:
    words = ("silence", "create", "source=stripe", "--for", "30m", "--comment", "maintenance")
    made = good(run(*words, data_dir=data_dir))
    silence_id = made.split()[1]
    assert "source=stripe" in good(run("silence", "list", data_dir=data_dir))
    good(run("silence", "expire", silence_id, data_dir=data_dir))
    assert good(run("silence", "list", data_dir=data_dir)) == "no silences\n"


@pytest.mark.parametrize("matcher", ["stripe", "=stripe", "source="])
def test_matcher_without_label_or_pattern_is_refused_with_the_form(data_dir: Path, matcher: str) -> None:
    result = run("silence", "create", matcher, "--comment", "x", data_dir=data_dir)
    assert "label=pattern" in error_of(result)


def test_dead_letters_are_listed_and_shown(data_dir: Path, letter: str) -> None:
    assert "Timeout" in good(run("dead-letters", "list", data_dir=data_dir))
    assert good(run("dead-letters", "list", "--ids", data_dir=data_dir)) == f"{letter}\n"
    shown = json.loads(good(run("dead-letters", "show", letter, data_dir=data_dir)))
    assert (shown["event_id"], shown["state"], shown["body"]) == ("evt_1", "open", "missing")
    assert [record["outcome"] for record in shown["records"]] == ["dead_lettered"]


def test_plan_says_what_is_left_out_and_why(data_dir: Path, letter: str) -> None:
    said = good(run("replay", "plan", "--all", data_dir=data_dir))
    assert said.splitlines()[0].startswith("0 of 1 letters would be sent")
    assert "capture_missing" in said


def test_replay_that_can_send_nothing_is_not_started(data_dir: Path, letter: str) -> None:
    result = run("replay", "start", letter, "--reason", "try again", data_dir=data_dir)
    assert "none of these letters can be replayed" in error_of(result)
    assert good(run("replay", "status", data_dir=data_dir)) == "no replays yet\n"


def test_replay_needs_letters(data_dir: Path) -> None:
    assert "by id, or choose --all" in error_of(run("replay", "plan", data_dir=data_dir))
    assert "there is no replay" in error_of(run("replay", "status", "rp_x", data_dir=data_dir))
    assert (
        good(run("replay", "plan", "--all", data_dir=data_dir)) == "no open dead letters: nothing to replay\n"
    )


def test_channel_test_arrives(tmp_path: Path) -> None:
    file, url = tmp_path / "hookvitals.toml", tmp_path / "url"
    file.write_text(
        '[egress]\nallow = ["127.0.0.0/8"]\n'
        f'[[channels]]\nkind = "slack"\nname = "team"\nurl = {{ file = "{url}" }}\n'
    )
    with serving(Service()) as slack:
        url.write_text(f"{slack.url}/services/x")
        assert good(run("channel", "test", "team", config=file)) == "team took the message\n"
        assert b"test" in slack.seen[0].body
        slack.status = 500
        assert "HTTP 500" in error_of(run("channel", "test", "team", config=file))
    assert "there are: team" in error_of(run("channel", "test", "taem", config=file))


def test_a_channel_that_took_a_test_is_noted_with_its_time(data_dir: Path, tmp_path: Path) -> None:
    file, url = tmp_path / "own.toml", tmp_path / "url"
    file.write_text(
        f'[process]\ndata_dir = "{data_dir}"\n[egress]\nallow = ["127.0.0.0/8"]\n'
        f'[[channels]]\nkind = "slack"\nname = "team"\nurl = {{ file = "{url}" }}\n'
    )
    with serving(Service()) as slack:
        url.write_text(f"{slack.url}/services/x")
        good(run("channel", "test", "team", config=file))
        slack.status = 500
        error_of(run("channel", "test", "team", config=file))
    control = Control.open(control_url(data_dir))
    assert [(row.action, row.subject) for row in control.audit.page()] == [("channel.test", "team")]
    control.close()


def test_config_is_applied_once_and_shown(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[[rules]]\nkind = "error_rate"\nthreshold = 0.1\n')
    assert "1 change, none applied" in good(run("config", "apply", str(file), "--dry-run", data_dir=data_dir))
    assert "version 1 is in force" in good(run("config", "apply", str(file), data_dir=data_dir))
    assert "version 1 stays in force" in good(run("config", "apply", str(file), data_dir=data_dir))
    shown = json.loads(good(run("config", "show", "--defaults", data_dir=data_dir)))
    assert shown["version"] == 1
    assert shown["effective_rules"]["error_rate"]["threshold"] == 0.1
    assert shown["process"]["secret_key"] in ("", "**********")


def test_silence_has_an_end(data_dir: Path) -> None:
    words = ("silence", "create", "source=stripe", "--for", "400d", "--comment", "forever")
    assert "within 90 days" in error_of(run(*words, data_dir=data_dir))


def test_issues_are_listed_and_resolved_by_the_head_of_their_id(data_dir: Path, control: Control) -> None:
    kin = Kin("production", "stripe", "payments", "invoice.paid", "Timeout", "no answer within <number> s")
    with control.write() as tx:
        control.issues.count(tx, Failure(kin, "0193f000-0000-7000-8000-000000000001", NOW, 4), NOW)

    listed = run("issues", "list", "--source", "stripe", data_dir=data_dir).output
    resolved = run("issues", "resolve", kin.id[:8], data_dir=data_dir)

    for said in (kin.id[:12], "new", "stripe/payments", "invoice.paid", "Timeout", kin.message, "4"):
        assert said in listed
    assert resolved.exit_code == 0
    assert "resolved Timeout of invoice.paid at stripe/payments" in resolved.output
    assert "no open issues" in run("issues", "list", data_dir=data_dir).output
    assert "resolved" in run("issues", "list", "--all", data_dir=data_dir).output
    missing = run("issues", "resolve", "ffffffff", data_dir=data_dir)
    assert missing.exit_code != 0
    assert "there is no issue ffffffff" in error_of(missing)


def test_alert_is_taken_on_for_a_time(data_dir: Path, control: Control) -> None:
    with control.write() as tx:
        control.alerts.put(tx, FIRING, [])
    said = good(run("alerts", "ack", FIRING.fingerprint[:8], "--for", "2h", data_dir=data_dir))
    found = control.alerts.get(FIRING.fingerprint)
    assert found is not None
    assert found.ack is not None
    assert found.ack.until == found.ack.at + timedelta(hours=2)
    assert f"until {found.ack.until:%Y-%m-%d %H:%M}Z" in said
    result = run("alerts", "ack", FIRING.fingerprint[:8], "--for", "400d", data_dir=data_dir)
    assert "up to 30 days" in error_of(result)


def test_silence_of_certain_hours_shows_them_and_what_it_hid(data_dir: Path, control: Control) -> None:
    words = ("silence", "create", "source=stripe", "--for", "30d", "--comment", "nightly load")
    hours = ("--hours", "02:00-04:00", "--days", "mon-fri", "--timezone", "Europe/Berlin")
    made = good(run(*words, *hours, data_dir=data_dir))
    assert "02:00-04:00 on mon,tue,wed,thu,fri (Europe/Berlin)" in made
    silence_id = made.split()[1]
    assert "hidden nothing" in good(run("silence", "show", silence_id, data_dir=data_dir))
    with control.write() as tx:
        control.alerts.put(tx, replace(FIRING, muted_by=f"silence:{silence_id}"), [])
    assert "12 % of stripe/payments failed" in good(run("silence", "show", silence_id, data_dir=data_dir))
    assert " (Europe/Berlin)  1  " in good(run("silence", "list", data_dir=data_dir))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--hours", "2-4"), "expected hours such as 22:00-07:00"),
        (("--hours", "02:00-04:00", "--timezone", "Berlin"), "is not a time zone"),
        (("--hours", "02:00-04:00", "--days", "daily"), "expected days such as mon-fri"),
    ],
)
def test_hours_that_cannot_be_read_are_refused_with_the_form(
    data_dir: Path, words: tuple[str, ...], said: str
) -> None:
    result = run("silence", "create", "source=stripe", "--comment", "x", *words, data_dir=data_dir)
    assert said in error_of(result)


@pytest.mark.parametrize(
    ("matcher", "said"),
    [
        ("sorce=stripe", "did you mean source?"),
        ("severity=critcal", "write one of info, warning, error, critical"),
        ("a label=x", "is no label"),
    ],
)
def test_matcher_that_cannot_be_meant_is_refused(data_dir: Path, matcher: str, said: str) -> None:
    assert said in error_of(run("silence", "create", matcher, "--comment", "x", data_dir=data_dir))


def test_history_is_printed_and_exported(data_dir: Path, control: Control) -> None:
    moved = Transition(
        FIRING.fingerprint,
        1,
        State.INACTIVE,
        State.FIRING,
        Severity.ERROR,
        NOW,
        Change.BREACH_STARTED,
        "=12 %",
    )
    with control.write() as tx:
        control.alerts.put(tx, FIRING, [moved])
        enqueue(tx, [Notification("k1", "team", Why.FIRING, FIRING, NOW)])
    shown = good(run("alerts", "history", data_dir=data_dir))
    assert "inactive → firing" in shown
    assert "team: firing, due" in shown
    exported = good(run("alerts", "history", "--format", "ndjson", data_dir=data_dir))
    assert [json.loads(line)["entry"] for line in exported.splitlines()] == ["notification", "transition"]
    table = good(run("alerts", "history", "--format", "csv", "--only", "transition", data_dir=data_dir))
    [row] = csv.DictReader(table.splitlines())
    assert (row["to_state"], row["summary"]) == ("firing", "'=12 %")
    assert good(run("alerts", "history", "--rule", "other", data_dir=data_dir)) == "nothing\n"


def test_maintenance_windows_of_the_file_are_listed_with_the_silences(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[[maintenance_windows]]\nname = "nightly load"\nmatchers = { source = "orum" }\n'
        'hours = "02:00-03:30"\ntimezone = "America/New_York"\n'
    )
    good(run("config", "apply", str(file), data_dir=data_dir))
    assert "nightly load  source=orum  " in (listed := good(run("silence", "list", data_dir=data_dir)))
    assert "  -      02:00-03:30 (America/New_York)  0    hookvitals.toml" in listed


def test_alert_whose_acknowledgement_ran_out_is_nobodys_in_the_list(data_dir: Path, control: Control) -> None:
    with control.write() as tx:
        control.alerts.put(tx, FIRING, [])
    good(run("alerts", "ack", FIRING.fingerprint[:8], "--for", "1m", data_dir=data_dir))
    later = replace(FIRING, last_evaluated_at=SystemClock().now() + timedelta(minutes=2))
    assert actor_in(good(run("alerts", "list", data_dir=data_dir))) != "-"
    with control.write() as tx:
        control.alerts.put(tx, later, [])
    assert actor_in(good(run("alerts", "list", data_dir=data_dir))) == "-"


def actor_in(table: str) -> str:
    """Who has the only alert of the list."""
    headers, row = table.splitlines()
    at = headers.index("TAKEN BY")
    return row[at:].split()[0]
