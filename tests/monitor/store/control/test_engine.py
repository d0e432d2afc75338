import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.errors import Unavailable
from monitor.store.control import Control
from monitor.store.control.engine import BUSY_TIMEOUT_S, open_engine, read, write
from monitor.store.control.marks import FeedMark
from monitor.store.control.schema import mark
from tests.control import control_url, new_control
from tests.monitor.clocks import FakeClock


def test_sqlite_waits_for_locks_syncs_fully_and_checks_foreign_keys(file_control: Control) -> None:
    with read(file_control.engine) as tx:
        found = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("busy_timeout", "synchronous", "foreign_keys")
        }

    assert found == {"busy_timeout": BUSY_TIMEOUT_S * 1000, "synchronous": 2, "foreign_keys": 1}


def test_the_write_ahead_log_is_used_only_where_the_library_is_safe(file_control: Control) -> None:
    with read(file_control.engine) as tx:
        mode = tx.exec_driver_sql("PRAGMA journal_mode").scalar()

    assert mode == ("wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "delete")


def test_a_write_holds_the_lock_from_its_first_moment(file_control: Control, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "control.db", timeout=0, isolation_level=None)

    with write(file_control.engine), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_write_that_raises_leaves_nothing_behind(control: Control) -> None:
    def fail() -> None:
        with write(control.engine) as tx:
            control.marks.put_feed(tx, FeedMark("store", 0, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert control.marks.feed() is None


def test_a_held_lock_is_told_of_as_unavailable_with_a_retry(tmp_path: Path) -> None:
    new_control(tmp_path, FakeClock()).close()
    holder = sqlite3.connect(tmp_path / "control.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    engine = open_engine(f"{control_url(tmp_path)}?timeout=0")

    with pytest.raises(Unavailable, match="busy") as refusal, read(engine) as tx:
        tx.execute(select(mark)).all()

    assert refusal.value.retry_after_s
    holder.close()
    engine.dispose()


def test_a_read_only_store_is_told_of_plainly(file_control: Control) -> None:
    with read(file_control.engine) as tx:  # the pool hands the same connection out again
        tx.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(Unavailable, match="read-only"), write(file_control.engine) as tx:
        file_control.marks.put_feed(tx, FeedMark("store", 0, 1))
