import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from monitor.errors import ConfigError, Unavailable, WrongSchema
from monitor.store.control import Control, upgrade
from monitor.store.control.migrations import head
from monitor.store.control.schema import metadata
from tests.control import control_url


def test_migrations_make_exactly_the_tables_that_the_code_knows(control: Control) -> None:
    with control.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrade_makes_a_store_that_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "made" / "control.db"

    before, after = upgrade(f"sqlite:///{path}")

    assert (before, after) == (None, head())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_upgrade_twice_changes_nothing(url: str) -> None:
    assert upgrade(url) == (head(), head())


def test_an_upgrade_that_breaks_off_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "control.db") as db:
        db.execute("CREATE TABLE replay_item (squatter)")
    db.close()

    with pytest.raises(Unavailable):
        upgrade(control_url(tmp_path))

    with sqlite3.connect(tmp_path / "control.db") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    db.close()
    assert tables == ["replay_item"]


def test_a_missing_store_names_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        Control.open(control_url(tmp_path))


def test_an_empty_store_names_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / "control.db").touch()

    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        Control.open(control_url(tmp_path))


def test_a_newer_store_is_refused_by_opening_and_by_upgrading(url: str, control: Control) -> None:
    with control.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    for attempt in (Control.open, upgrade):
        with pytest.raises(WrongSchema, match="9999"):
            attempt(url)


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+pg8000://x/y"]
)
def test_a_url_that_cannot_hold_control_is_refused_with_the_form_to_write(url: str) -> None:
    with pytest.raises(ConfigError, match="write sqlite:///path"):
        Control.open(url)
