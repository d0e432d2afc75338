"""Settings of a process: where they come from, what they refuse, what they never show."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.environment import settings_from
from monitor.config.settings import Settings, settings_table
from monitor.errors import ConfigError


def refusal(environ: dict[str, str], process: dict[str, object] | None = None, text: str = "") -> str:
    with pytest.raises(ConfigError) as refused:
        settings_from(environ, process, file=Path("hookvitals.toml"), text=text)
    return str(refused.value)


def test_nothing_stated_gives_the_defaults_on_loopback() -> None:
    settings = settings_from({})
    assert (settings.collector_host, settings.collector_port) == ("127.0.0.1", 8700)
    assert (settings.dashboard_host, settings.dashboard_port) == ("127.0.0.1", 8701)
    assert settings.retention == timedelta(days=30)


def test_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    settings = settings_from(
        {"HOOKVITALS_COLLECTOR_PORT": "9000"}, {"collector_port": 9100, "dashboard_port": 9101}
    )
    assert (settings.collector_port, settings.dashboard_port) == (9000, 9101)


def test_list_is_read_from_text_with_commas() -> None:
    settings = settings_from({"HOOKVITALS_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.1.7"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.168.1.7/32")


def test_misspelt_variable_names_the_one_that_was_meant() -> None:
    assert refusal({"HOOKVITALS_COLECTOR_PORT": "1"}) == (
        "HOOKVITALS_COLECTOR_PORT: unknown setting (did you mean HOOKVITALS_COLLECTOR_PORT?)"
    )


def test_misspelt_key_of_the_file_names_file_and_line() -> None:
    text = "[process]\n\ncolector_port = 1\n"
    assert refusal({}, {"colector_port": 1}, text) == (
        "hookvitals.toml, line 3: process.colector_port: unknown setting (did you mean collector_port?)"
    )


@pytest.mark.parametrize(
    ("variable", "value", "form"),
    [
        ("HOOKVITALS_COLLECTOR_PORT", "http", "a number from 0 to 65535"),
        ("HOOKVITALS_COLLECTOR_PORT", "70000", "a number from 0 to 65535"),
        ("HOOKVITALS_RETENTION", "soon", "a duration such as 30d"),
        ("HOOKVITALS_TRUSTED_PROXIES", "10.0.0.0/99", "address ranges such as 10.0.0.0/8"),
        ("HOOKVITALS_LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("HOOKVITALS_BASE_PATH", "hooks", "a path that starts and ends with /"),
        ("HOOKVITALS_COLLECTOR_WORKERS", "0", "a number from 1 to 64"),
        ("HOOKVITALS_DATABASE_CONNECTIONS", "3", "a number from 4 to 1000"),
    ],
)
def test_malformed_value_names_the_variable_the_value_and_the_form(
    variable: str, value: str, form: str
) -> None:
    said = refusal({variable: value})
    assert said.startswith(f'{variable}: "{value}": ')
    assert form in said


def test_malformed_value_of_the_file_names_its_line() -> None:
    said = refusal({}, {"retention": "soon"}, '# first\n[process]\nretention = "soon"\n')
    assert said.startswith('hookvitals.toml, line 3: process.retention: "soon": ')


def test_secret_is_read_from_a_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("ab" * 32 + "\n")
    settings = settings_from({"HOOKVITALS_SECRET_KEY_FILE": str(file)})
    assert settings.secret_key.get_secret_value() == "ab" * 32
    assert "abab" not in repr(settings) + str(settings)


def test_secret_file_that_is_missing_is_named() -> None:
    said = refusal({"HOOKVITALS_SECRET_KEY_FILE": "/nowhere/key"})
    assert "HOOKVITALS_SECRET_KEY_FILE: /nowhere/key cannot be read" in said


def test_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environ = {"HOOKVITALS_SECRET_KEY": "a", "HOOKVITALS_SECRET_KEY_FILE": str(tmp_path / "b")}
    (tmp_path / "b").write_text("b")
    assert "both set" in refusal(environ)


def test_secret_of_the_wrong_form_is_refused_without_being_repeated() -> None:
    said = refusal({"HOOKVITALS_SECRET_KEY": "hunter2"})
    assert "hunter2" not in said
    assert "64 hexadecimal digits" in said


@pytest.mark.parametrize("name", ["STORE_URL", "CONTROL_URL", "FACTS_URL", "FACTS_REPLICA_URL"])
@pytest.mark.parametrize("url", ["mysql://ada:hunter2@host/db", "sqlite://hunter2", "hunter2"])
def test_store_of_another_kind_is_refused_without_being_repeated(name: str, url: str) -> None:
    said = refusal({f"HOOKVITALS_{name}": url})
    assert said.startswith(f"HOOKVITALS_{name}: expected a URL that begins with postgresql://")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:hunter2@db.example:5432/hookvitals?sslmode=verify-full",
        "postgres://ada:p@:/hunter2@[::1],db2.example/hookvitals",
        "postgresql://db.example/hookvitals?user=ada&password=hunter2&application_name=x",
        "postgresql://db.example/hookvitals?sslpassword=hunter2",
    ],
)
def test_password_of_a_store_is_shown_nowhere(url: str) -> None:
    settings = settings_from({"HOOKVITALS_STORE_URL": url})
    shown = [repr(settings), str(settings.store_url), settings.model_dump_json()]
    assert all("hunter2" not in text and "db" in text for text in shown)
    assert settings.store_url.get_secret_value() == url


def test_store_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://db.example/hookvitals\n")
    settings = settings_from({"HOOKVITALS_STORE_URL_FILE": str(tmp_path / "url")})
    assert settings.store_url.get_secret_value() == "postgresql://db.example/hookvitals"


def test_variables_of_others_are_left_alone() -> None:
    """Of the shell that a receiver was started from, too: its documents name these."""
    receivers = {"HOOKVITALS_KEY": "hv_x_y", "HOOKVITALS_URL": "http://h:1", "HOOKVITALS_SEND_SECRET": "s"}
    environ = {"HOME": "/", **receivers, "HOOKVITALS_SLACK": "url"}
    assert settings_from(environ, known=frozenset({"HOOKVITALS_SLACK"})) == settings_from({})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings_from({}).collector_port = 1


def test_table_tells_of_every_setting_in_a_sentence_with_its_variable_and_form() -> None:
    rows = settings_table()
    assert [row.name for row in rows] == list(Settings.model_fields)
    assert all(row.sentence.endswith(".") and row.type for row in rows)
    assert {row.name: row.variable for row in rows}["secret_key"] == (
        "HOOKVITALS_SECRET_KEY or HOOKVITALS_SECRET_KEY_FILE"
    )
    assert {row.name: row.default for row in rows}["retention"] == "30d"
