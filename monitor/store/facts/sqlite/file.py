"""The facts file on SQLite: making it, bringing it to this version, opening it for the one writer, its lock.

Readers have their own way in (reader.py). Nothing here reads or writes a fact.
"""

import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from monitor.errors import ConfigError, Conflict, StoreFull, Unavailable, WrongSchema
from monitor.store.facts.sqlite.schema import PRAGMAS_BEFORE_TABLES, TABLES, VERSION

LOCK_NAME = "facts.lock"
UPGRADE_HINT = "run `hookvitals db upgrade`"

MIGRATIONS: Mapping[int, Sequence[str]] = {}
"""Statements that take a store from the version of the key to the next one."""

_WRITER_PRAGMAS = (
    # Readers in other processes never checkpoint, so WAL is safe here on every library version.
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an answer means: on disk
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=268435456",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA busy_timeout=5000",
    "PRAGMA secure_delete=FAST",
)


def create(path: Path, store_id: str | None = None) -> None:
    """Makes the facts store at `path`, or brings the one there to this version; mode 0600.

    store_id: names this store to control; a new one when None. Raises WrongSchema for a store made by a
    later version, Conflict when it must change one that is being written, ConfigError when the directory
    cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as exc:
        raise ConfigError(
            f"cannot write the facts store {path}: {exc.strerror}", "check the owner and mode of data_dir"
        ) from exc
    db = connect(path)
    try:
        if version_of(db) == VERSION:
            return  # without the lock: a collector may be writing it already
        with WriterLock(path.parent / LOCK_NAME):
            found = version_of(db)
            if found == 0:
                _make(db, store_id or uuid4().hex)
            else:
                _migrate(db, found)
    except sqlite3.Error as exc:
        raise translated(exc) from exc
    finally:
        db.close()


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The writer's connection, in autocommit mode. Raises WrongSchema when the version is another one."""
    if not path.exists():
        raise WrongSchema(f"there is no facts store at {path}", UPGRADE_HINT)
    db = connect(path)
    try:
        require_version(db, path)
        for pragma in _WRITER_PRAGMAS:
            db.execute(pragma).fetchall()
    except sqlite3.Error as exc:
        db.close()
        raise translated(exc) from exc
    except BaseException:
        db.close()
        raise
    return db


def require_version(db: sqlite3.Connection, path: Path) -> None:
    """Raises WrongSchema, naming the command to run, unless the store is of this version."""
    found = version_of(db)
    if found < VERSION:
        raise WrongSchema(
            f"the facts store {path} has schema {found}, this version needs {VERSION}", UPGRADE_HINT
        )
    if found > VERSION:
        raise WrongSchema(
            f"the facts store {path} has schema {found}, this version knows only {VERSION}",
            "run the hookvitals version that wrote it, or a later one",
        )


def version_of(db: sqlite3.Connection) -> int:
    """The schema version of an open store; 0 for an empty file."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return 0
    row = db.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    return int(row[0]) if row else 0


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=5.0, isolation_level=None, cached_statements=64)


class WriterLock:
    """The right to write these facts: an exclusive lock on a file that holds the pid of the holder."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            pid = os.pread(self._file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Conflict(
                f"the facts store is written by process {pid} ({path})",
                "stop it first: a SQLite store has one writer; many collectors need PostgreSQL",
            ) from exc
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class OwnFile:
    """The file that a connection was opened on. SQLite would go on writing one that is moved or deleted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was = self._now()

    def require(self) -> None:
        """Raises Unavailable once something else, or nothing, is where the file was."""
        if self._now() != self._was:
            raise Unavailable(
                f"{self._path} was moved or deleted while it was written",
                "put it back, with its -wal file, and restart the collector",
                retry_after_s=5,
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def translated(error: sqlite3.Error) -> Unavailable:
    """What the store's users hear: StoreFull for a full disk, otherwise Unavailable."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Unavailable(
            f"the facts store is damaged: {error}",
            "stop hookvitals, move facts.db and its -wal and -shm away, and put a backup in their place with"
            " `hookvitals restore`",
            retry_after_s=60,
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return Unavailable(
            f"the facts store cannot be written: {error}",
            "see whether the disk of data_dir is healthy, mounted and writable, then restart the collector",
            retry_after_s=10,
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(
            "no room left on the disk of the facts store",
            "free space, or lower the retention or the byte budget of the facts",
            retry_after_s=30,
        )
    return Unavailable(
        f"the facts store does not answer: {error}", "see the collector's log", retry_after_s=2
    )


def _make(db: sqlite3.Connection, store_id: str) -> None:
    for pragma in PRAGMAS_BEFORE_TABLES:
        db.execute(pragma)
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        db.execute(table)
    values = {"store_id": store_id, "schema_version": VERSION, "floor_us": 0}
    db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", values.items())
    db.execute("COMMIT")


def _migrate(db: sqlite3.Connection, found: int) -> None:
    if found > VERSION:
        raise WrongSchema(
            f"the facts store has schema {found}, this version knows only {VERSION}",
            "run the hookvitals version that wrote it, or a later one",
        )
    for version in range(found, VERSION):
        db.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[version]:
            db.execute(statement)
        db.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version + 1,))
        db.execute("COMMIT")
