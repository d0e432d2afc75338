"""The tables of names on SQLite, for whoever makes names: inside the writer's transaction."""

import sqlite3
from collections.abc import Sequence

from monitor.store.facts.names import ErrorRow, SeriesRow


class SqliteNameTables:
    """NameTables of one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def newer_series(self, code: int) -> Sequence[SeriesRow]:
        found = self._db.execute(
            "SELECT code, parent, environment, source, endpoint, event_type FROM series"
            " WHERE code > ? ORDER BY code",  # the primary key
            (code,),
        )
        return [SeriesRow(*row) for row in found]

    def newer_errors(self, code: int) -> Sequence[ErrorRow]:
        found = self._db.execute(
            "SELECT code, endpoint, name FROM error_class WHERE code > ? ORDER BY code",  # the primary key
            (code,),
        )
        return [ErrorRow(*row) for row in found]

    def add_series(self, rows: Sequence[SeriesRow], now_us: int) -> None:
        self._db.executemany(
            "INSERT INTO series (code, parent, environment, source, endpoint, event_type, first_seen_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*row, now_us) for row in rows],
        )

    def add_errors(self, rows: Sequence[ErrorRow]) -> None:
        self._db.executemany("INSERT INTO error_class (code, endpoint, name) VALUES (?, ?, ?)", rows)
