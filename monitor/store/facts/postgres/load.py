"""The facts in PostgreSQL taken in from portable rows: in one transaction, so whole or not at all.

Only the partitions are made beside it, as the days come. Collectors that were started all the same wait for
its locks.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from monitor.errors import Conflict, Unprocessable
from monitor.store.facts.portable import TABLES, deltas_of
from monitor.store.facts.postgres.binary_copy import RECORD_COPY, packed
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.partitions import ensure_days
from monitor.store.facts.postgres.server import DATA_ERRORS, WAIT_S, Connection, Server, translated
from monitor.store.facts.postgres.setup import create, version_of
from monitor.store.facts.record_rows import recorded_at_us
from monitor.store.portable import Row, Table

RECORDS_A_COPY = 10_000
DELTAS_A_ROW = 10_000
_CODES = "LOCK TABLE facts.series IN EXCLUSIVE MODE"
"""Nobody makes a name meanwhile."""


@contextmanager
def loading(url: str, floor_us: int, now_us: int) -> Iterator["PostgresFactsLoad"]:
    """New facts under a new id at `url`, committed once the block has ended without an error.

    floor_us: their floor. now_us: when their feed counts as written. Raises Conflict when there are any.
    """
    create(url)
    try:
        with closing(Server(url, connections=1)) as server, _connected(url) as db, db.transaction():
            take(db, Lock.RECORDS)  # whoever stores records shares it
            db.execute(_CODES)
            _require_empty(db)
            yield PostgresFactsLoad(db, server, now_us)
            for key, value in (("store_id", uuid4().hex), ("floor_us", str(floor_us))):
                db.execute("UPDATE facts.meta SET value = %s WHERE key = %s", (value, key))
    except DATA_ERRORS as exc:
        raise Unprocessable(f"PostgreSQL cannot hold the facts: {exc}", "take another backup") from exc
    except psycopg.Error as exc:
        raise translated(exc) from exc


def require_empty(url: str) -> None:
    """Raises Conflict when the facts at `url` hold anything but heartbeats."""
    try:
        with _connected(url) as db:
            if version_of(db):
                _require_empty(db)
    except psycopg.Error as exc:
        raise translated(exc) from exc


class PostgresFactsLoad:
    """A Load."""

    def __init__(self, db: Connection, server: Server, now_us: int) -> None:
        """server: where partitions are made, each in a transaction of its own."""
        self._db = db
        self._server = server
        self._now_us = now_us

    def load(self, table: Table, rows: Iterable[Row]) -> int:
        if table.name == "record":
            return self._load_records(iter(rows))
        if table.name == "delta":
            return self._load_deltas(iter(rows))
        if table.name == "feed":
            # before every transaction: whoever reads the feed from its start reads these first
            fed = (("0", UUID(bytes=row[0]), row[1], self._now_us) for row in rows)
            return self._copy("feed", ("xid", "record_id", "records", "fed_at_us"), fed)
        return self._copy(table.name, table.columns, (_stored(table, row) for row in rows))

    def _copy(self, table: str, columns: Iterable[str], rows: Iterable[Row]) -> int:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier("facts", table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        taken = 0
        with self._db.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
                taken += 1
        return taken

    def _load_records(self, rows: Iterator[Row]) -> int:
        taken = 0
        while some := list(islice(rows, RECORDS_A_COPY)):
            times = [recorded_at_us(row[0]) for row in some]
            ensure_days(self._server, min(times), max(times))
            with self._db.cursor() as cursor, cursor.copy(RECORD_COPY) as copy:
                copy.write(packed(some))
            taken += len(some)
        return taken

    def _load_deltas(self, rows: Iterator[Row]) -> int:
        taken = 0
        while some := list(islice(rows, DELTAS_A_ROW)):
            self._copy("delta", ("items",), [(deltas_of(some).tobytes(),)])
            taken += len(some)
        return taken


def _stored(table: Table, row: Row) -> Row:
    """The row as its columns have it."""
    return [_cell(column, value) for column, value in zip(table.columns, row, strict=True)]


def _cell(column: str, value: object) -> object:
    if column in ("record_id", "after") and isinstance(value, bytes):
        return UUID(bytes=value or bytes(16))
    return bool(value) if column == "redacted" else value


def _require_empty(db: Connection) -> None:
    for table in TABLES:
        if table.name == "heartbeat":
            continue
        asked = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier("facts", table.name))
        if db.execute(asked).fetchone():
            raise Conflict(
                f"the facts in PostgreSQL are not empty (there are rows in facts.{table.name})",
                "restore into a new database",
            )


def _connected(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=int(WAIT_S))
