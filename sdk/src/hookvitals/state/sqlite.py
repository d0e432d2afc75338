"""State in one SQLite file, shared by every thread and process of a host, and the inbox beside it.

Each change is one short transaction with synchronous=FULL: what was answered survives a power cut. The
rollback journal is used on purpose: several processes write, and older libraries can damage a WAL so shared.
"""

import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import Iterator, List, Optional

from hookvitals.state.base import Change, Claim

_TABLES = """
CREATE TABLE IF NOT EXISTS claim (
    key TEXT PRIMARY KEY, done INTEGER NOT NULL, until_us INTEGER NOT NULL, attempts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_until ON claim (until_us);
CREATE TABLE IF NOT EXISTS version (
    resource TEXT PRIMARY KEY, version REAL NOT NULL, seen_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (
    name TEXT PRIMARY KEY, value BLOB NOT NULL, until_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, key TEXT NOT NULL UNIQUE, work TEXT NOT NULL,
    body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_due ON inbox (scope, due_us);
CREATE INDEX IF NOT EXISTS inbox_age ON inbox (scope, received_us);
"""
_PURGE_EVERY = 1000
_KEEP_UNDONE_US = 7 * 86_400 * 1_000_000


class SqliteState:
    """A State in the file `path`, made with mode 0600 when it is not there.

    Raises ValueError when the file cannot be used.
    """

    def __init__(self, path: str) -> None:
        self.path = os.fspath(path)
        self._lock = threading.RLock()
        self._changes = 0
        self._pid = 0
        try:
            self._db = self._opened()
        except (OSError, sqlite3.Error) as exc:
            raise ValueError(
                f"state cannot be kept in {self.path}: {exc}; name a file that this process may write"
            ) from exc
        _LIVE.add(self)

    def _opened(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        # With FULL a truncated journal is synced, the deletion of one is not.
        db.execute("PRAGMA journal_mode=TRUNCATE")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_TABLES)
        self._pid = os.getpid()
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction; rolled back when the body raises."""
        with self.reading():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one statement that changes nothing; no lock of the file outlasts it."""
        with self._lock:
            if self._pid != os.getpid():
                _INHERITED.append(self._db)  # a connection must not cross a fork, nor be closed there
                self._db = self._opened()
            yield self._db

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
        with self.transaction() as db:
            row = db.execute("SELECT value FROM note WHERE name = ?", (note,)).fetchone()
            value = change(None if row is None else bytes(row[0]))
            db.execute(
                "INSERT OR REPLACE INTO note (name, value, until_us) VALUES (?, ?, ?)",
                (note, value, until_us),
            )
            return value

    def close(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                self._db.close()

    def hold(self) -> None:
        """Waits for the transaction in hand and lets no other begin until `let_go`."""
        self._lock.acquire()

    def let_go(self) -> None:
        """Ends what `hold` began."""
        self._lock.release()

    def _purge(self, db: sqlite3.Connection, now_us: int) -> None:
        """Now and then, what has expired; an unfinished claim stays a week, for its count of attempts."""
        self._changes += 1
        if self._changes % _PURGE_EVERY == 0:
            db.execute(
                "DELETE FROM claim WHERE until_us < ? AND (done = 1 OR until_us < ?)",
                (now_us, now_us - _KEEP_UNDONE_US),
            )
            db.execute("DELETE FROM note WHERE until_us < ?", (now_us,))
            db.execute("DELETE FROM version WHERE seen_us < ?", (now_us - 4 * _KEEP_UNDONE_US,))


_LIVE: "weakref.WeakSet[SqliteState]" = weakref.WeakSet()
_INHERITED: List[sqlite3.Connection] = []
_forking = threading.Lock()
_held: List[SqliteState] = []


def _hold_all() -> None:
    """Before a fork: no other thread is inside a transaction, so that no lock stays held in the child."""
    _forking.acquire()  # one fork after the other: they share _held
    _held[:] = list(_LIVE)
    for state in _held:
        state.hold()


def _let_go() -> None:
    for state in _held:
        state.let_go()
    _held.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_let_go, after_in_child=_let_go)
