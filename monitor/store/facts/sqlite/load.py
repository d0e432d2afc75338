"""The SQLite facts taken in from portable rows: into a file of their own, which takes its place when whole.

What the writer derives from records is made anew with its own code. Nothing else writes here meanwhile: the
store's lock is held.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monitor.errors import Conflict, Unprocessable
from monitor.rollup import HAS_EVENT
from monitor.store.facts.portable import TABLES, deltas_of
from monitor.store.facts.sqlite.event_entries import ENTRY, Entries, merged
from monitor.store.facts.sqlite.event_runs import add_run
from monitor.store.facts.sqlite.file import LOCK_NAME, WriterLock, create, open_for_writing, translated
from monitor.store.portable import Row, Table

ROWS_A_COMMIT = 10_000
"""So the log of the new file stays short."""
ENTRIES_A_RUN = 500_000
"""Events that make one run of the event index: few runs, in 30 MB of memory."""
DELTAS_A_ROW = 10_000
_ANEW = "take another backup"


@contextmanager
def loading(path: Path, floor_us: int) -> Iterator["SqliteFactsLoad"]:
    """A new facts store under a new id, which stands at `path` once the block has ended without an error.

    floor_us: its floor. Raises Conflict while a process writes the store there, or when it holds anything.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with WriterLock(path.parent / LOCK_NAME):
        require_empty(path)
        with TemporaryDirectory(prefix=".restoring-", dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            create(fresh)
            try:
                with closing(open_for_writing(fresh)) as db:
                    db.execute("PRAGMA synchronous=OFF")  # a file that is not whole is thrown away
                    yield SqliteFactsLoad(db)
                    db.execute("UPDATE meta SET value = ? WHERE key = 'floor_us'", (floor_us,))
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.IntegrityError as exc:
                raise Unprocessable(f"the facts hold a row twice: {exc}", _ANEW) from exc
            except sqlite3.Error as exc:
                raise translated(exc) from exc
            _put(fresh, path)


def require_empty(path: Path) -> None:
    """Raises Conflict when the store at `path` holds anything but heartbeats."""
    if not path.exists() or not path.stat().st_size:
        return
    with closing(sqlite3.connect(path, timeout=5.0)) as db:
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in TABLES:
            if table.name not in there or table.name == "heartbeat":
                continue
            if db.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone():  # noqa: S608  # our own names
                raise Conflict(
                    f"the facts store {path} is not empty", "move it away, or set data_dir to a new directory"
                )


class SqliteFactsLoad:
    """A Load."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def load(self, table: Table, rows: Iterable[Row]) -> int:
        if table.name == "record":
            return self._load_records(table, iter(rows))
        if table.name == "delta":
            return self._load_deltas(iter(rows))
        source, taken = iter(rows), 0
        while some := self._insert(table, islice(source, ROWS_A_COMMIT)):
            taken += some
        return taken

    def _insert(self, table: Table, rows: Iterable[Row]) -> int:
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608
        before = self._db.total_changes
        with _transaction(self._db):
            self._db.executemany(statement, rows)
        return self._db.total_changes - before

    def _load_records(self, table: Table, rows: Iterator[Row]) -> int:
        """With an entry each in the event index, which is not carried."""
        event_hash = table.columns.index("event_hash")
        parts: list[Entries] = []
        taken = waiting = 0
        while some := list(islice(rows, ROWS_A_COMMIT)):
            taken += self._insert(table, some)
            events = [(row[event_hash], row[0]) for row in some if row[event_hash] is not None]
            parts.append(np.array(events, dtype=ENTRY))
            waiting += len(events)
            if waiting >= ENTRIES_A_RUN:
                self._index(parts)
                parts, waiting = [], 0
        self._index(parts)
        return taken

    def _index(self, parts: list[Entries]) -> None:
        if parts:
            with _transaction(self._db):
                add_run(self._db, merged(parts))

    def _load_deltas(self, rows: Iterator[Row]) -> int:
        """Their records are in the event index already."""
        taken = 0
        while some := list(islice(rows, DELTAS_A_ROW)):
            deltas = deltas_of(some)
            deltas["flags"] &= ~HAS_EVENT & 0xFF
            with _transaction(self._db):
                self._db.execute("INSERT INTO delta (items) VALUES (?)", (deltas.tobytes(),))
            taken += len(some)
        return taken


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    yield  # after an error nothing of the file is kept
    db.execute("COMMIT")


def _put(fresh: Path, path: Path) -> None:
    """The whole store in place of an empty one. A log left beside that would be replayed into this."""
    _sync(fresh)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(fresh, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
