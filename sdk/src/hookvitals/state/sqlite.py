"""State in one SQLite file, shared by every thread and process of a host, and the inbox beside it.

Each change is one short transaction with synchronous=FULL: what was answered survives a power cut. The
rollback journal is used on purpose: several processes write, and older libraries can damage a WAL so shared.
"""

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import Iterator, Optional

from hookvitals.state.base import Claim

_TABLES = """
CREATE TABLE IF NOT EXISTS claim (
    key TEXT PRIMARY KEY, done INTEGER NOT NULL, until_us INTEGER NOT NULL, attempts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_until ON claim (until_us);
CREATE TABLE IF NOT EXISTS version (
    resource TEXT PRIMARY KEY, version REAL NOT NULL, seen_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, work TEXT NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL, received_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_due ON inbox (due_us);
"""
_PURGE_EVERY = 1000
_KEEP_UNDONE_US = 7 * 86_400 * 1_000_000


class SqliteState:
    """A State in the file `path`, made with mode 0600 when it is not there."""

    def __init__(self, path: str) -> None:
        self.path = os.fspath(path)
        self._lock = threading.RLock()
        self._changes = 0
        self._pid = 0
        self._db = self._opened()

    def _opened(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_TABLES)
        self._pid = os.getpid()
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction; rolled back when the body raises."""
        with self._lock:
            if self._pid != os.getpid():
                self._db = self._opened()  # a connection must not cross a fork
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

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

    def done(self, key: str, until_us: int) -> None:
        with self.transaction() as db:
            self.done_in(db, key, until_us)

    def done_in(self, db: sqlite3.Connection, key: str, until_us: int) -> None:
        """The same inside a transaction of the caller's."""
        db.execute("UPDATE claim SET done = 1, until_us = ? WHERE key = ?", (until_us, key))

    def release(self, key: str, now_us: int) -> None:
        with self.transaction() as db:
            self.release_in(db, key, now_us)

    def release_in(self, db: sqlite3.Connection, key: str, now_us: int) -> None:
        """The same inside a transaction of the caller's."""
        db.execute("UPDATE claim SET done = 0, until_us = ? WHERE key = ?", (now_us, key))

    def attempts(self, key: str) -> int:
        row = self._one("SELECT attempts FROM claim WHERE key = ?", key)
        return 0 if row is None else int(row[0])

    def version(self, resource: str) -> Optional[float]:
        row = self._one("SELECT version FROM version WHERE resource = ?", resource)
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

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _one(self, query: str, key: str) -> Optional["tuple[float]"]:
        with self._lock:
            if self._pid != os.getpid():
                self._db = self._opened()
            row: Optional["tuple[float]"] = self._db.execute(query, (key,)).fetchone()
            return row

    def _purge(self, db: sqlite3.Connection, now_us: int) -> None:
        """Now and then, what has expired; an unfinished claim stays a week, for its count of attempts."""
        self._changes += 1
        if self._changes % _PURGE_EVERY == 0:
            db.execute(
                "DELETE FROM claim WHERE until_us < ? AND (done = 1 OR until_us < ?)",
                (now_us, now_us - _KEEP_UNDONE_US),
            )
            db.execute("DELETE FROM version WHERE seen_us < ?", (now_us - 4 * _KEEP_UNDONE_US,))
