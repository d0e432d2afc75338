"""One SQLite file that the threads, processes and forks of a host share: short transactions, one at a time.

Each commit is synced: what was answered survives a power cut. The rollback journal is used on purpose:
several processes write, and older libraries can damage a WAL so shared.
"""

import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import Iterator, List, Optional

from hookvitals.state.base import StateUnavailable
from hookvitals.state.schema import Newer, Schema


class SharedFile:
    """The file `path`, made with mode 0600 when it is not there, and brought to this schema.

    Raises ValueError when the file cannot be used; later StateUnavailable when it is locked, full or away, or
    was brought to a newer schema meanwhile.
    """

    # With FULL a truncated journal is synced, the deletion of one is not.
    PRAGMAS = ("journal_mode=TRUNCATE", "synchronous=FULL")

    def __init__(self, path: str, schema: Schema) -> None:
        self.path = path
        self._schema = schema
        self._lock = threading.RLock()
        self._closed = False
        self._pid = 0
        self._db: Optional[sqlite3.Connection] = None
        try:
            self._db = self._opened()
        except (OSError, sqlite3.Error) as exc:
            raise ValueError(
                f"state cannot be kept in {path}: {exc}; name a file that this process may write"
            ) from exc
        except Newer as exc:
            raise ValueError(f"state cannot be kept in {path}: {exc}") from exc
        _LIVE.add(self)

    def _opened(self) -> sqlite3.Connection:
        try:  # never a file that is there: closing it would end the locks that this process has on it
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            pass
        db = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            self._schema.written(db)  # before anything of a newer file is changed
            for pragma in self.PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            self._schema.bring(db)
        except BaseException:
            db.close()
            raise
        self._pid = os.getpid()
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction; rolled back when the body raises."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # a full disk may have ended it already
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one statement that changes nothing; no lock of the file outlasts it."""
        with self._lock:
            try:
                yield self._connection()
            except sqlite3.OperationalError as exc:
                raise StateUnavailable(f"{self.path}: {exc}") from exc

    def _connection(self) -> sqlite3.Connection:
        if self._pid != os.getpid() and self._db is not None:
            _INHERITED.append(self._db)  # by a fork that ran no hooks: never to be used, nor closed
            self._db = None
        if self._db is None:
            try:
                self._db = self._opened()
            except (OSError, Newer) as exc:
                raise StateUnavailable(f"{self.path}: {exc}") from exc
        return self._db

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._db is not None and self._pid == os.getpid():
                self._db.close()

    def hold(self) -> None:
        """Waits for the transaction in hand, closes the connection and lets nobody open it until `let_go`."""
        self._lock.acquire()
        if not self._closed and self._db is not None and self._pid == os.getpid():
            self._db.close()
            self._db = None

    def let_go(self) -> None:
        """Ends what `hold` began."""
        self._lock.release()


_LIVE: "weakref.WeakSet[SharedFile]" = weakref.WeakSet()
_INHERITED: List[sqlite3.Connection] = []
_forking = threading.Lock()
_held: List[SharedFile] = []


def _hold_all() -> None:
    """Before a fork: no other thread is inside a transaction, and no connection crosses into the child, where
    SQLite would take the parent's locks for its own."""
    _forking.acquire()  # one fork after the other: they share _held
    _held[:] = list(_LIVE)
    for file in _held:
        file.hold()


def _let_go() -> None:
    for file in _held:
        file.let_go()
    _held.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_let_go, after_in_child=_let_go)
