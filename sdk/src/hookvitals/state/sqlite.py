"""State in one SQLite file, shared by every thread and process of a host, and the inbox beside it.

Each change is one short transaction that is synced: what was answered survives a power cut. Notes stand in a
second file, `<path>-notes`, whose changes cost no sync.
"""

import json
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from hookvitals.state.base import (
    HANDED_OVER,
    HANDLED,
    KEEP_UNDONE_US,
    KEEP_VERSION_US,
    UNDONE,
    Change,
    Claim,
    StateUnavailable,
)
from hookvitals.state.note_file import NoteFile
from hookvitals.state.schema import Schema
from hookvitals.state.shared_file import SharedFile

_TABLES = (
    "CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, done INTEGER NOT NULL,"
    " until_us INTEGER NOT NULL, attempts INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS claim_until ON claim (until_us)",
    "CREATE TABLE IF NOT EXISTS version (resource TEXT PRIMARY KEY, version REAL NOT NULL,"
    " seen_us INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS version_seen ON version (seen_us)",
    "CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL,"
    " key TEXT NOT NULL UNIQUE, work TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " due_us INTEGER NOT NULL, received_us INTEGER NOT NULL, resource TEXT NOT NULL DEFAULT '',"
    " together TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '', in_line INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX IF NOT EXISTS inbox_due ON inbox (scope, due_us)",
    "CREATE INDEX IF NOT EXISTS inbox_age ON inbox (scope, received_us)",
    "CREATE INDEX IF NOT EXISTS inbox_together ON inbox (scope, together, due_us) WHERE together <> ''",
    "CREATE INDEX IF NOT EXISTS inbox_owned ON inbox (scope, owner, resource) WHERE owner <> ''",
    "CREATE INDEX IF NOT EXISTS inbox_tried ON inbox (scope, resource) WHERE attempts > 0",
)
_PURGE_EVERY = 1000


def _migrate(db: sqlite3.Connection) -> None:
    """What waits in an inbox from before there were versions keeps its place, and gets the columns of now."""
    found = {row[1] for row in db.execute("PRAGMA table_info(inbox)")}
    if not found:
        return
    for name in ("resource", "together", "owner"):
        if name not in found:
            db.execute(f"ALTER TABLE inbox ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    if "in_line" not in found:
        db.execute("ALTER TABLE inbox ADD COLUMN in_line INTEGER NOT NULL DEFAULT 0")
    if "resource" not in found:
        for number, work in db.execute("SELECT id, work FROM inbox").fetchall():
            resource = json.loads(work)["fields"].get("resource")
            if resource is not None:
                db.execute("UPDATE inbox SET resource = ? WHERE id = ?", (str(resource), number))


_SCHEMA = Schema(1, _TABLES, _migrate)


class SqliteState:
    """A State in the file `path`, made with mode 0600 when it is not there. now: seconds since 1970.

    Raises ValueError when the file cannot be used.
    """

    def __init__(self, path: str, now: Callable[[], float] = time.time) -> None:
        self.path = os.fspath(path)
        self._now = now
        self._claims = 0
        self._changes = 0
        self._file = SharedFile(self.path, _SCHEMA)
        try:
            with self._file.transaction():  # so that of several processes one makes the notes' file
                self._notes = NoteFile(f"{self.path}-notes")
        except StateUnavailable as exc:
            raise ValueError(f"state cannot be kept in {exc}") from exc

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction; rolled back when the body raises. Raises StateUnavailable."""
        with self._file.transaction() as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one statement that changes nothing. Raises StateUnavailable."""
        with self._file.reading() as db:
            yield db

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        with self.transaction() as db:
            return self.claim_in(db, key, now_us, lease_us)

    def claim_in(self, db: sqlite3.Connection, key: str, now_us: int, lease_us: int) -> Claim:
        """The same inside a transaction of the caller's."""
        self._purge(db, now_us)
        taken = db.execute(
            "INSERT INTO claim (key, done, until_us, attempts) VALUES (?, 0, ?, 1)"
            " ON CONFLICT (key) DO UPDATE SET done = 0, until_us = excluded.until_us, attempts = attempts + 1"
            " WHERE until_us <= ?",
            (key, now_us + lease_us, now_us),
        ).rowcount
        if taken:
            return Claim.NEW
        done = db.execute("SELECT done FROM claim WHERE key = ?", (key,)).fetchone()[0]
        return Claim.DONE if done else Claim.BUSY

    def done(self, key: str, until_us: int, *, handed_over: bool = False) -> None:
        with self.transaction() as db:
            self.done_in(db, key, until_us, handed_over=handed_over)

    def done_in(self, db: sqlite3.Connection, key: str, until_us: int, *, handed_over: bool = False) -> None:
        """The same inside a transaction of the caller's."""
        db.execute(
            "INSERT INTO claim (key, done, until_us, attempts) VALUES (?, ?, ?, 0)"
            " ON CONFLICT (key) DO UPDATE SET done = excluded.done, until_us = excluded.until_us",
            (key, HANDED_OVER if handed_over else HANDLED, until_us),
        )

    def release(self, key: str, lease_until_us: int, now_us: int) -> None:
        with self.transaction() as db:
            db.execute(
                "UPDATE claim SET until_us = ? WHERE key = ? AND done = ? AND until_us = ?",
                (now_us, key, UNDONE, lease_until_us),
            )

    def reopen(self, key: str, now_us: int) -> None:
        with self.transaction() as db:
            self.reopen_in(db, key, now_us)

    def reopen_in(self, db: sqlite3.Connection, key: str, now_us: int) -> None:
        """The same inside a transaction of the caller's."""
        db.execute(
            "UPDATE claim SET done = ?, until_us = ? WHERE key = ? AND done = ?",
            (UNDONE, now_us, key, HANDED_OVER),
        )

    def undo_in(self, db: sqlite3.Connection, key: str, now_us: int) -> None:
        """Of an event that was done as soon as it was stored, and came to nothing: it may be had again."""
        db.execute("UPDATE claim SET done = ?, until_us = ? WHERE key = ?", (UNDONE, now_us, key))

    def attempts(self, key: str) -> int:
        with self.reading() as db:
            row = db.execute("SELECT attempts FROM claim WHERE key = ?", (key,)).fetchone()
        return 0 if row is None else int(row[0])

    def version(self, resource: str) -> Optional[float]:
        with self.reading() as db:
            return self.version_in(db, resource)

    def version_in(self, db: sqlite3.Connection, resource: str) -> Optional[float]:
        """The same inside a transaction of the caller's."""
        row = db.execute("SELECT version FROM version WHERE resource = ?", (resource,)).fetchone()
        return None if row is None else float(row[0])

    def advance(self, resource: str, version: float, now_us: int) -> None:
        with self.transaction() as db:
            self.advance_in(db, resource, version, now_us)

    def advance_in(self, db: sqlite3.Connection, resource: str, version: float, now_us: int) -> None:
        """The same inside a transaction of the caller's."""
        db.execute(
            "INSERT INTO version (resource, version, seen_us) VALUES (?, ?, ?)"
            " ON CONFLICT (resource) DO UPDATE SET version = excluded.version, seen_us = excluded.seen_us"
            " WHERE version.version < excluded.version",
            (resource, version, now_us),
        )

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        now_us = int(self._now() * 1e6)
        self._changes += 1
        if self._changes % _PURGE_EVERY == 0:
            self._notes.drop_expired(now_us)
        return self._notes.change(note, change, now_us, until_us)

    def close(self) -> None:
        self._notes.close()
        self._file.close()

    def _purge(self, db: sqlite3.Connection, now_us: int) -> None:
        """Now and then, what has expired; an unfinished claim stays a week, for its count of attempts."""
        self._claims += 1
        if self._claims % _PURGE_EVERY == 0:
            db.execute(
                "DELETE FROM claim WHERE until_us <= ? AND (done <> 0 OR until_us <= ?)",
                (now_us, now_us - KEEP_UNDONE_US),
            )
            db.execute("DELETE FROM version WHERE seen_us <= ?", (now_us - KEEP_VERSION_US,))
