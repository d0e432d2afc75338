"""Where the facts of a benchmark are: a SQLite file, or a PostgreSQL of its own; opened and counted alike."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

import psycopg

from monitor.clock import SystemClock
from monitor.store.facts.postgres import setup as postgres_setup
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import FactReader, FactWriter
from monitor.store.facts.record_rows import first_id_at
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.postgres import database, server


class Place(Protocol):
    """One store that a benchmark may fill and ask. It goes to other processes as a value."""

    def is_made(self) -> bool: ...

    def make(self) -> None: ...

    def writer(self) -> FactWriter: ...

    def reader(self) -> FactReader: ...

    def counting(self, start_us: int, end_us: int) -> Callable[[], int]:
        """Counts the records of a range, row by row: the least that any answer from raw records must do."""

    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    path: Path

    def is_made(self) -> bool:
        return self.path.exists()

    def make(self) -> None:
        sqlite_file.create(self.path)

    def writer(self) -> FactWriter:
        return SqliteFactWriter(self.path, SystemClock())

    def reader(self) -> FactReader:
        return SqliteFactReader(self.path)

    def counting(self, start_us: int, end_us: int) -> Callable[[], int]:
        db = sqlite3.connect(self.path)
        ids = (first_id_at(start_us), first_id_at(end_us))
        asked = "SELECT count(*) FROM record WHERE record_id >= ? AND record_id < ?"
        return lambda: int(db.execute(asked, ids).fetchone()[0])

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    url: str

    def is_made(self) -> bool:
        with psycopg.connect(self.url) as db:
            found = db.execute("SELECT to_regclass('facts.record')").fetchone()
        return found is not None and found[0] is not None

    def make(self) -> None:
        postgres_setup.create(self.url)

    def writer(self) -> FactWriter:
        return PostgresFactWriter(self.url, SystemClock())

    def reader(self) -> FactReader:
        return PostgresFactReader(self.url)

    def counting(self, start_us: int, end_us: int) -> Callable[[], int]:
        db = psycopg.connect(self.url, autocommit=True)
        ids = (UUID(bytes=first_id_at(start_us)), UUID(bytes=first_id_at(end_us)))
        asked = "SELECT count(*) FROM facts.record WHERE record_id >= %s AND record_id < %s"

        def count() -> int:
            found = db.execute(asked, ids).fetchone()
            assert found is not None
            return int(found[0])

        return count

    def version(self) -> str:
        with psycopg.connect(self.url) as db:
            return f"PostgreSQL {db.info.server_version // 10_000}"


@contextmanager
def place(kind: str, folder: Path, url: str | None) -> Iterator[Place]:
    """The store: in `folder`, or at `url`, or in a PostgreSQL that lasts as long as the block."""
    if kind == "sqlite":
        yield SqlitePlace(folder / "facts.db")
    elif url is not None:
        yield PostgresPlace(url)
    else:
        with server(durable=True, shared_buffers="1GB") as started, database(started) as own:
            yield PostgresPlace(own)
