"""Read-only connections to a SQLite store, one a thread, and one snapshot a read. Never writes, never waits
for the writer."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from monitor.errors import Unavailable
from monitor.store.facts.sqlite.file import UPGRADE_HINT, require_version

BUSY_TIMEOUT_S = 5.0  # readers meet a lock only while a WAL is being recovered
CACHE_KIB = 32_768


class Snapshots:
    """Snapshots of one database file; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one read transaction.

        Raises Unavailable when the file cannot be read, WrongSchema when another version made it.
        """
        try:
            db = self._connection()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")
        except sqlite3.Error as exc:
            raise Unavailable(f"the facts store {self._path} cannot be read: {exc}", retry_after_s=5) from exc

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for _, db in self._opened:
                db.close()
            self._opened.clear()

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._open()
        return db

    def _open(self) -> sqlite3.Connection:
        if not self._path.is_file():
            raise Unavailable(f"there is no facts store at {self._path}", UPGRADE_HINT)
        with self._lock:
            if self._closed:
                raise Unavailable("this reader of the facts store is closed")
            self._drop_ended()
            db = sqlite3.connect(
                f"file:{quote(str(self._path.absolute()))}?mode=ro",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,  # close() comes from another thread
            )
            self._opened.append((threading.current_thread(), db))
        require_version(db, self._path)
        db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return db

    def _drop_ended(self) -> None:
        """Closes what threads that have ended left open."""
        alive = []
        for thread, db in self._opened:
            if thread.is_alive():
                alive.append((thread, db))
            else:
                db.close()
        self._opened = alive
