"""State files of other versions: an older one is brought to now with all it holds, a newer one is refused."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from hookvitals import Event, Receiver, SqliteState
from hookvitals.inbox import Inbox, Put
from hookvitals.state import StateUnavailable
from hookvitals.state.schema import Schema
from hookvitals.state.shared_file import SharedFile
from tests.sdk.world import NOW, SECRET, World, deliver

SCOPE = "\x1f".join(("production", "acme", "orders"))
BEFORE_VERSIONS = """
CREATE TABLE IF NOT EXISTS claim (
    key TEXT PRIMARY KEY, done INTEGER NOT NULL, until_us INTEGER NOT NULL, attempts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_until ON claim (until_us);
CREATE TABLE IF NOT EXISTS version (
    resource TEXT PRIMARY KEY, version REAL NOT NULL, seen_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, key TEXT NOT NULL UNIQUE, work TEXT NOT NULL,
    body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_due ON inbox (scope, due_us);
CREATE INDEX IF NOT EXISTS inbox_age ON inbox (scope, received_us);
"""
"""As the first state files were made, before inboxes knew resources, batches and owners."""


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A file in which two events of one resource wait, the first after one attempt, and one was handled."""
    path, now_us = str(tmp_path / "state.db"), int(NOW * 1e6)
    db = sqlite3.connect(path)
    db.executescript(BEFORE_VERSIONS)
    for number in (1, 2):
        key, body = (
            f"{SCOPE}\x1fevt_{number}",
            json.dumps({"type": "invoice.paid", "data": {"id": 7}}).encode(),
        )
        work = {
            "id": f"evt_{number}", "type": "invoice.paid", "headers": [["webhook-id", f"evt_{number}"]],
            "received_at_us": now_us, "replay_id": None, "fields": {"resource": "in_7"},
        }  # fmt: skip
        db.execute(
            "INSERT INTO inbox (scope, key, work, body, attempts, due_us, received_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (SCOPE, key, json.dumps(work), body, 2 - number, now_us, now_us),
        )
        db.execute("INSERT INTO claim VALUES (?, 1, ?, 1)", (key, now_us + 10**12))
    db.execute("INSERT INTO claim VALUES (?, 1, ?, 1)", (f"{SCOPE}\x1fevt_0", now_us + 10**12))
    db.commit()
    db.close()
    return path


def version_of(path: str) -> int:
    db = sqlite3.connect(path)
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    db.close()
    return version


def set_version(path: str, version: int) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def test_what_an_older_version_left_is_worked_and_what_it_handled_is_known(world: World, old: str) -> None:
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    assert receiver.state.attempts(f"{SCOPE}\x1fevt_0") == 1

    assert deliver(receiver, "evt_0").status == 200
    receiver.start()
    world.until(lambda: inbox.depth() == 0)

    assert [(event.id, event.attempt) for event in world.handled] == [("evt_1", 2), ("evt_2", 1)]
    assert sorted(world.outcomes()) == ["duplicate", "succeeded", "succeeded"]
    assert version_of(old) == 1


def test_the_resources_of_waiting_events_are_known_after_the_migration(old: str) -> None:
    """practice 14: two events of one resource are never worked at once."""
    state = SqliteState(old)
    inbox = Inbox(state, SCOPE, lambda: int(NOW * 1e6))

    assert inbox.take("0.0") is not None
    assert inbox.take("0.1") is None
    event = Event("evt_3", "t", {}, b"{}", [], int(NOW * 1e6), fields={"resource": "in_8"})
    assert inbox.put("k", event, keep_us=10**9) is Put.STORED
    taken = inbox.take("0.1")
    assert taken is not None
    assert taken.event.id == "evt_3"
    state.close()


def test_of_many_who_find_an_old_file_at_once_one_brings_it_to_now(old: str) -> None:
    opened: list[SqliteState] = []
    together = threading.Barrier(6)

    def begin() -> None:
        together.wait()
        opened.append(SqliteState(old))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 6
    assert Inbox(opened[0], SCOPE, lambda: int(NOW * 1e6)).depth() == 2
    for state in opened:
        state.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(old: str) -> None:
    db = sqlite3.connect(old)
    db.execute("UPDATE inbox SET work = '{' WHERE key LIKE '%evt_2'")
    db.commit()
    before = list(db.iterdump())

    with pytest.raises(ValueError, match="line 1"):
        SqliteState(old)

    assert list(db.iterdump()) == before
    db.close()
    assert version_of(old) == 0


@pytest.mark.parametrize("suffix", ["", "-notes"])
def test_a_file_from_a_newer_version_is_refused_at_the_start_and_left_alone(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / "state.db"
    SqliteState(str(path)).close()
    set_version(f"{path}{suffix}", 99)
    before = Path(f"{path}{suffix}").read_bytes()

    with pytest.raises(
        ValueError, match=rf"state\.db{suffix}: a newer hookvitals wrote it .*version 99"
    ) as told:
        Receiver("acme", endpoint="orders", secrets=[SECRET], system="standard", state_path=str(path))

    assert "\n" not in str(told.value)
    assert Path(f"{path}{suffix}").read_bytes() == before


def test_a_file_that_becomes_newer_meanwhile_cannot_be_asked_any_more(tmp_path: Path) -> None:
    """A newer version was installed and another process has begun with it; then this one forks."""
    path = str(tmp_path / "state.db")
    file = SharedFile(path, Schema(1, ()))
    set_version(path, 2)
    file.hold()
    file.let_go()

    with pytest.raises(StateUnavailable, match="a newer hookvitals wrote it"), file.reading():
        pass
