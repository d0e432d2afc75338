"""The tables of names on PostgreSQL, for whoever makes names: in a short transaction under one lock.

The lock makes codes gapless and caps exact with any number of collectors: each sees all that was made before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from monitor.store.facts.names import ErrorRow, Making, NameTables, SeriesRow
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.server import Connection, Server


def making(server: Server) -> Making:
    """The way to make names on this server, for Names."""
    return partial(_making, server)


@contextmanager
def _making(server: Server) -> Iterator[NameTables]:
    with server.write() as db:
        take(db, Lock.NAMES)
        yield PostgresNameTables(db)


class PostgresNameTables:
    """NameTables of one transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def newer_series(self, code: int) -> Sequence[SeriesRow]:
        found: list[tuple[Any, ...]] = self._db.execute(
            "SELECT code, parent, environment, source, endpoint, event_type FROM facts.series"
            " WHERE code > %s ORDER BY code",  # the primary key
            (code,),
        ).fetchall()
        return [SeriesRow(*row) for row in found]

    def newer_errors(self, code: int) -> Sequence[ErrorRow]:
        found: list[tuple[Any, ...]] = self._db.execute(
            "SELECT code, endpoint, name FROM facts.error_class WHERE code > %s ORDER BY code",  # primary key
            (code,),
        ).fetchall()
        return [ErrorRow(*row) for row in found]

    def add_series(self, rows: Sequence[SeriesRow], now_us: int) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO facts.series"
                " (code, parent, environment, source, endpoint, event_type, first_seen_us)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [(*row, now_us) for row in rows],
            )

    def add_errors(self, rows: Sequence[ErrorRow]) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO facts.error_class (code, endpoint, name) VALUES (%s, %s, %s)", rows
            )
