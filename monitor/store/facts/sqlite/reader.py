"""Reading the facts from SQLite: any number of threads and processes, none of which waits for the writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.store.facts.reading.reader import SqlFactReader, Tables
from monitor.store.facts.sqlite.pages import SqliteLanes
from monitor.store.facts.sqlite.records import SqliteRecords
from monitor.store.facts.sqlite.rollups import SqliteRollups
from monitor.store.facts.sqlite.samples import SqliteSamples
from monitor.store.facts.sqlite.series import SqliteNames
from monitor.store.facts.sqlite.snapshot import Snapshots


class SqliteFactReader(SqlFactReader):
    """FactReader of one SQLite file. Opening happens at the first read of each thread."""

    def __init__(self, path: Path) -> None:
        self._snapshots = Snapshots(path)
        super().__init__(self._tables)

    @contextmanager
    def _tables(self) -> Iterator[Tables]:
        with self._snapshots.read() as db:
            yield Tables(
                SqliteStore(db),
                SqliteNames(db),
                SqliteRollups(db),
                SqliteLanes(db),
                SqliteRecords(db),
                SqliteSamples(db),
            )

    def close(self) -> None:
        self._snapshots.close()


class SqliteStore:
    """StoreTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def meta(self, key: str) -> str:
        return str(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    def used_bytes(self) -> int:
        pages, free, width = (
            int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * width
