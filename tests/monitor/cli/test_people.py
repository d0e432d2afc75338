"""`hookvitals key`, `user` and `endpoint` over a real store."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from monitor.clock import SystemClock
from monitor.store.control import Control
from monitor.store.control.catalog import Conditions, ProbeSettings
from tests.monitor.cli.running import error_of, run


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    assert run("db", "upgrade", data_dir=tmp_path).exit_code == 0
    return tmp_path


def good(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_upgrade_says_what_it_made_and_is_safe_to_repeat(tmp_path: Path) -> None:
    assert "control: from nothing to schema" in good(run("db", "upgrade", data_dir=tmp_path))
    assert "control: already at schema" in good(run("db", "upgrade", data_dir=tmp_path))


def test_key_is_shown_once_and_its_secret_never_again(data_dir: Path) -> None:
    made = good(run("key", "create", "billing", "--source", "stripe", data_dir=data_dir))
    token = made.splitlines()[-1]
    assert token.startswith("hv_")
    listed = good(run("key", "list", data_dir=data_dir))
    assert "billing" in listed
    assert token.rpartition("_")[2] not in listed


def test_revoked_key_is_listed_as_such_and_cannot_be_revoked_again(data_dir: Path) -> None:
    token = good(run("key", "create", "billing", data_dir=data_dir)).splitlines()[-1]
    key_id = token.split("_")[1]
    assert good(run("key", "revoke", key_id, data_dir=data_dir)) == f"revoked key {key_id}\n"
    assert "there is no live key" in error_of(run("key", "revoke", key_id, data_dir=data_dir))


def test_unknown_scope_is_a_usage_error(data_dir: Path) -> None:
    assert "'root' is not one of" in error_of(run("key", "create", "x", "--scope", "root", data_dir=data_dir))


def test_user_is_made_with_a_password_and_listed_without(data_dir: Path) -> None:
    made = good(run("user", "create", "ann", "--role", "operator", data_dir=data_dir))
    password = made.splitlines()[-1].split()[1]
    assert len(password) >= 12
    listed = good(run("user", "list", data_dir=data_dir))
    assert "ann" in listed
    assert "operator" in listed
    assert password not in listed


def test_taken_name_is_refused(data_dir: Path) -> None:
    run("user", "create", "ann", data_dir=data_dir)
    assert "there is a user ann already" in error_of(run("user", "create", "ann", data_dir=data_dir))


def test_last_admin_cannot_be_shut_out(data_dir: Path) -> None:
    run("user", "create", "ann", "--role", "admin", data_dir=data_dir)
    assert "ann is the last admin" in error_of(run("user", "disable", "ann", data_dir=data_dir))


def test_new_password_replaces_the_old_one(data_dir: Path) -> None:
    run("user", "create", "ann", data_dir=data_dir)
    assert "ann has a new password" in good(run("user", "password", "ann", data_dir=data_dir))
    assert "no open account bob" in error_of(run("user", "password", "bob", data_dir=data_dir))


def test_endpoint_is_registered_and_keeps_its_url_when_only_the_secret_changes(
    data_dir: Path, tmp_path: Path
) -> None:
    url = "https://hooks.example.com/stripe"
    good(run("endpoint", "put", "stripe", "payments", "--url", url, data_dir=data_dir))
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + "QUJD" * 11 + "\n")
    good(run("endpoint", "put", "stripe", "payments", "--replay-secret-file", str(secret), data_dir=data_dir))
    listed = good(run("endpoint", "list", data_dir=data_dir))
    assert url in listed
    assert " set " in listed


def test_how_an_endpoint_is_looked_at_stays_when_only_its_url_changes(data_dir: Path) -> None:
    conditions = Conditions("ok", "ok|ready", (("checks.0.ok", True),), (("X-Build", "42"),))
    probe = ProbeSettings(True, None, "HEAD", (200,), conditions, exposure=True, canary=True)
    key, url = ("production", "stripe", "payments"), "https://hooks.example.com/stripe"
    good(run("endpoint", "put", *key[1:], "--url", "https://old.example.com/", data_dir=data_dir))
    control = Control.open(f"sqlite:///{data_dir / 'control.db'}", SystemClock())
    known = control.catalog.endpoint(*key)
    assert known is not None
    with control.write() as tx:
        control.catalog.put_endpoint(tx, replace(known, probe=probe), known.first_seen_at)

    good(run("endpoint", "put", *key[1:], "--url", url, "--no-probe", data_dir=data_dir))

    found = control.catalog.endpoint(*key)
    control.close()
    assert found is not None
    assert (found.url, found.probe) == (url, replace(probe, enabled=False))


def test_plain_http_is_refused_with_the_way_out(data_dir: Path) -> None:
    result = run("endpoint", "put", "a", "b", "--url", "http://a.example/", data_dir=data_dir)
    assert "insecure = true" in error_of(result)


def test_acts_are_audited_under_the_name_of_whoever_typed(data_dir: Path) -> None:
    run("key", "create", "billing", data_dir=data_dir)
    assert good(run("audit", "verify", data_dir=data_dir)) == "1 audit rows, all as they were written\n"


def test_store_that_is_missing_is_one_line_with_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("ab" * 32)
    assert "hookvitals db upgrade" in error_of(run("key", "list", data_dir=tmp_path))
