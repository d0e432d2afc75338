"""The control store's engine and its two kinds of transaction: `read` and `write`.

A write waits for the writer before it, so that it never fails halfway for a lock and may decide by what it
reads: on SQLite it opens with BEGIN IMMEDIATE, on PostgreSQL with a lock of ours. No transaction may span I/O
or a yielded page. Database trouble leaves here as Unavailable, StoreFull or WrongSchema, never as a driver's
error.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.errors import ConfigError, HookvitalsError, StoreFull, Unavailable, WrongSchema
from monitor.store.control.postgresql import begin_with, postgresql_engine, trouble

Tx = Connection
"""An open transaction, as `read` and `write` hand it out. Only the store puts SQL into it."""
BUSY_TIMEOUT_S = 5.0
CONNECTIONS = 4
"""To PostgreSQL, where nobody says otherwise."""
WAL_SAFE = (3, 51, 3)
"""Older libraries can corrupt a write-ahead log that two connections write and checkpoint."""


def open_engine(url: str, connections: int = CONNECTIONS) -> Engine:
    """An engine on `sqlite:///path` or `postgresql://…`. A SQLite file must exist already (`make_file`).

    connections: how many to PostgreSQL at once.
    """
    path = sqlite_path(url)
    if path is None:
        engine = postgresql_engine(url, connections)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    if not path.exists():
        raise WrongSchema(f"there is no control store at {path}", "run `hookvitals db upgrade`")
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, None for PostgreSQL. Raises ConfigError for anything else."""
    if url.startswith(("postgresql://", "postgres://")):
        return None  # libpq reads it: several hosts and all
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ConfigError(
            "the control store's URL cannot be read", "write sqlite:///path or postgresql://host/name"
        ) from exc
    if parsed.drivername != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigError(
            f"the control store cannot live in {parsed.render_as_string(hide_password=True)}",
            "write sqlite:///path or postgresql://host/name",
        )
    return Path(parsed.database)


def make_file(url: str) -> None:
    """An empty SQLite file that only its owner may read, when there is none; nothing for PostgreSQL."""
    path = sqlite_path(url)
    if path is None or path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise Unavailable(
            f"cannot make the control store {path}: {exc.strerror}",
            "give the data directory to the user that runs hookvitals, or choose another",
        ) from exc


@contextmanager
def read(engine: Engine) -> Iterator[Tx]:
    """A transaction that only reads: one snapshot. Fetch everything, then leave."""
    with _told_plainly(engine), engine.connect() as tx, tx.begin():
        yield tx


@contextmanager
def write(engine: Engine) -> Iterator[Tx]:
    """A transaction that writes: committed when the block ends, undone when it raises."""
    with (
        _told_plainly(engine),
        engine.connect().execution_options(hookvitals_write=True) as tx,
        tx.begin(),
    ):
        yield tx


def insert_missing(tx: Tx, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether the row was new; an existing key leaves the stored row as it is."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    stored = insert(table).values(**row).on_conflict_do_nothing()
    return tx.execute(stored.returning(literal(1))).first() is not None


def upsert(tx: Tx, table: Table, row: Mapping[str, Any]) -> None:
    """Stores the row whole, in place of the one with its primary key if there is one."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    statement = insert(table).values(**row)
    changes = {name: statement.excluded[name] for name in row if name not in keys}
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))


def tally(tx: Tx, counted: Select[Any]) -> list[tuple[str, int]]:
    """Rows of a statement that selects one text and its count."""
    return [(str(row[0]), int(row[1])) for row in tx.execute(counted).all()]


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    mode = "WAL" if sqlite3.sqlite_version_info >= WAL_SAFE else "DELETE"
    for pragma in (f"journal_mode = {mode}", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(tx: Tx) -> None:
    tx.exec_driver_sql("BEGIN IMMEDIATE" if _writes(tx) else "BEGIN")


def _begin_postgresql(tx: Tx) -> None:
    tx.exec_driver_sql(begin_with(_writes(tx)))


def _writes(tx: Tx) -> bool:
    return bool(tx.get_execution_options().get("hookvitals_write", False))


@contextmanager
def _told_plainly(engine: Engine) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as exc:
        raise Unavailable("the control store is busy", "try again in a moment", retry_after_s=2) from exc
    except DBAPIError as exc:
        told = trouble(exc) if engine.dialect.name == "postgresql" else _sqlite_trouble(exc)
        if told is None:
            raise
        raise told from exc


def _sqlite_trouble(exc: DBAPIError) -> HookvitalsError | None:
    if not isinstance(exc, OperationalError) and not exc.connection_invalidated:
        return None
    said = str(exc.orig).lower()
    if "full" in said or "no space" in said:
        return StoreFull("no room for the control store", "free space on its disk", retry_after_s=30)
    if "locked" in said or "busy" in said:
        return Unavailable("the control store is busy", "try again in a moment", retry_after_s=2)
    if "readonly" in said:
        return Unavailable("the control store is read-only", "give its directory to the user of hookvitals")
    return Unavailable(f"the control store does not answer: {exc.orig}", "look at its disk")
