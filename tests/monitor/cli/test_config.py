"""`hookvitals config`."""

import json
from pathlib import Path

import pytest

from tests.monitor.cli.running import error_of, run


def test_good_file_is_said_to_be_good(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text('[[rules]]\nkind = "error_rate"\nname = "mine"\n')
    result = run("config", "check", str(file))
    assert result.exit_code == 0
    assert "is good: " in result.stdout


def test_every_mistake_is_listed_and_the_status_says_so(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text('[[rules]]\nkind = "error_rate"\nwindw = "5m"\nthreshold = "much"\n')
    result = run("config", "check", str(file))
    assert error_of(result) == f"error: {file} has 2 mistakes"
    assert f"{file}, line 3: rules[0].windw: unknown key (did you mean window?)" in result.stderr


def test_misspelt_setting_of_the_process_is_a_mistake_too(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text("[process]\ncollector_prot = 1\n")
    result = run("config", "check", str(file))
    assert f"{file}, line 2: process.collector_prot: unknown setting" in result.stderr
    assert error_of(result) == f"error: {file} has 1 mistake"


def test_every_mistake_of_the_process_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text('[process]\ncollector_port = 70000\nretension = "30d"\nretention = "a month"\n')
    said = run("config", "check", str(file)).stderr.splitlines()
    assert [line.split(": ")[1] for line in said if line.startswith(str(file))] == [
        "process.retension",
        "process.collector_port",
        "process.retention",
    ]
    assert said[-1] == f"error: {file} has 3 mistakes"


def test_a_mistake_of_the_process_and_one_of_a_table_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text('[process]\ncollector_port = "x"\n[[rules]]\nkind = "error_rate"\nthreshold = 5\n')
    result = run("config", "check", str(file))
    assert error_of(result) == f"error: {file} has 2 mistakes"
    assert f"{file}, line 2: process.collector_port: " in result.stderr
    assert f"{file}, line 5: rules[0].threshold: " in result.stderr


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    result = run("config", "check", str(tmp_path / "none.toml"))
    assert error_of(result).startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_settings_are_shown_without_their_passwords_even_while_the_store_is_away(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(f'[process]\nstore_url = "postgresql://ada:hunter2@/x?host={tmp_path}"\n')

    result = run("config", "show", config=file)

    assert result.exit_code == 0, result.output
    assert f'"store_url": "postgresql://ada:***@/x?host={tmp_path}"' in result.stdout
    assert "this is what the file says" in result.stderr
    assert "hunter2" not in result.output + result.stderr


def test_channel_that_could_not_send_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(
        '[[channels]]\nkind = "alertmanager"\nname = "am"\nurl = "http://127.0.0.1:9093"\n\n'
        '[[channels]]\nkind = "pagerduty"\nname = "pager"\nrouting_key = { env = "NOT_SET_ANYWHERE" }\n'
    )
    result = run("config", "check", str(file))
    assert error_of(result) == f"error: {file} has 2 mistakes"
    assert f"{file}, line 4: channels[0].url: 127.0.0.1 is not a public address" in result.stderr
    assert f"{file}, line 9: channels[1].routing_key: environment variable NOT_SET_ANYWHERE" in result.stderr
    assert run("config", "check", "--offline", str(file)).exit_code == 0


def test_warnings_are_listed_and_fail_where_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(
        '[egress]\nallow = ["127.0.0.0/8"]\n[[channels]]\nkind = "alertmanager"\nname = "am"\n'
        'url = "http://127.0.0.1:9093"\n[[endpoints]]\nsource = "acme"\nname = "orders"\n'
        'url = "https://192.168.7.1/hooks/acme"\n[[queues]]\nsource = "acme"\nendpoint = "orders"\n'
        'kind = "rq"\nurl = "redis://10.1.2.3:6379"\nqueue = "default"\n'
    )
    lenient, strict = run("config", "check", str(file)), run("config", "check", "--strict", str(file))
    assert lenient.exit_code == 0
    assert lenient.stdout.endswith("1 channel, 1 endpoint, 3 warnings\n")
    at = f"warning: {file}, line 10: endpoints[0].url: "
    assert f"{at}its path can be guessed" in lenient.stderr
    assert f"{at}it is not dialled: 192.168.7.1 is not a public address" in lenient.stderr
    assert f"{file}, line 15: queues[0].url: it is not dialled: 10.1.2.3 is not" in lenient.stderr
    assert 'add "192.168.7.1/32" or its range to egress.allow' in lenient.stderr
    assert error_of(strict) == f"error: {file} has 3 warnings"


def test_a_window_longer_than_the_retention_here_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(
        '[process]\nretention = "2d"\n[[rules]]\nkind = "error_rate"\nwindow = "3d"\nrunbook = "x"\n'
    )
    result = run("config", "check", "--offline", str(file))
    assert result.exit_code == 0
    assert f'{file}, line 5: rules[0].window: "error_rate" looks back 3 d, and minutes are' in result.stderr
    monkeypatch.setenv("HOOKVITALS_RETENTION", "3d")
    assert "looks back" not in run("config", "check", "--offline", str(file)).stderr


def test_a_secret_that_apply_would_miss_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(
        '[[endpoints]]\nsource = "acme"\nname = "orders"\nurl = "https://192.0.2.1/"\n'
        'replay_secret = { env = "NOT_SET_ANYWHERE" }\n'
        '[[queues]]\nsource = "acme"\nendpoint = "orders"\nkind = "rq"\nurl = "redis://192.0.2.2:6379"\n'
        'queue = "default"\npassword = { file = "/nowhere" }\n'
    )
    result = run("config", "check", str(file))
    assert error_of(result) == f"error: {file} has 2 mistakes"
    assert (
        f"{file}, line 5: endpoints[0].replay_secret: environment variable NOT_SET_ANYWHERE" in result.stderr
    )
    assert f"{file}, line 12: queues[0].password: file /nowhere" in result.stderr
    assert run("config", "check", "--offline", str(file)).exit_code == 0


def test_a_name_that_does_not_resolve_from_here_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text('[[channels]]\nkind = "alertmanager"\nname = "am"\nurl = "http://am.invalid:9093"\n')
    result = run("config", "check", str(file))
    assert result.exit_code == 0
    assert f"warning: {file}, line 4: channels[0].url: am.invalid does not resolve" in result.stderr
    assert run("config", "check", "--offline", "--strict", str(file)).exit_code == 0


def test_versions_are_listed_with_what_each_changed_and_can_be_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    for threshold in (0.1, 0.2):
        file.write_text(f'[[rules]]\nkind = "error_rate"\nthreshold = {threshold}\n')
        applied = run("config", "apply", str(file), data_dir=tmp_path)
    assert applied.stdout.splitlines() == [
        "~ rules.error_rate.threshold: 0.1 → 0.2",
        "version 2 is in force, 1 change",
    ]

    said = run("config", "history", data_dir=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["2", "~", "1", "+"]
    assert said[1] == "    ~ rules.error_rate.threshold: 0.1 → 0.2"
    assert said[0].endswith(str(file))

    shown = json.loads(run("config", "show", "1", data_dir=tmp_path).stdout)
    assert (shown["version"], shown["rules"][0]["threshold"]) == (1, 0.1)
    assert "there is no version 7" in error_of(run("config", "show", "7", data_dir=tmp_path))


def test_apply_says_what_check_would_warn_of_and_refuses_nothing_for_it(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[[channels]]\nkind = "alertmanager"\nname = "am"\nurl = "http://127.0.0.1:9093"\n'
        '[[endpoints]]\nsource = "acme"\nname = "orders"\nurl = "https://192.168.7.1/hooks/acme"\n'
    )
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    checked = run("config", "check", str(file)).stderr.splitlines()
    tried = run("config", "apply", "--dry-run", str(file), data_dir=tmp_path)
    applied = run("config", "apply", str(file), data_dir=tmp_path)

    mistakes = [f"warning: {line}" for line in checked if line.startswith(f"{file}, line 4: ")]
    warnings = [line for line in checked if line.startswith("warning: ")]
    assert (len(mistakes), len(warnings)) == (1, 2)
    said = [*mistakes, *warnings, "3 warnings; nothing is refused for them"]
    assert tried.stderr.splitlines() == applied.stderr.splitlines() == said
    assert applied.stdout.endswith("version 1 is in force, 2 changes\n")

    quiet = run("config", "apply", "--offline", str(file), data_dir=tmp_path)
    assert quiet.stderr.splitlines() == [warnings[0], "1 warning; nothing is refused for it"]


def test_title_with_a_misspelt_word_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(
        '[[channels]]\nkind = "slack"\nname = "team"\nurl = { env = "X" }\ntitle = "{severty} at {place}"\n'
    )
    result = run("config", "check", "--offline", str(file))
    assert f"{file}, line 5: channels[0].title: " in result.stderr
    assert "the title names {severty}" in result.stderr
    assert "did you mean {severity}?" in result.stderr
