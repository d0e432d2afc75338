"""Rows of series and error classes out of a SQLite store."""

import json
import sqlite3
from collections.abc import Iterable, Sequence


class SqliteNames:
    """NameTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def series_above(self, code: int) -> Iterable[tuple[int, int, str, str, str, str, int]]:
        return self._db.execute(
            "SELECT code, parent, environment, source, endpoint, event_type, first_seen_us FROM series"
            " WHERE code > ?",  # the primary key
            (code,),
        )

    def error_names(self, codes: Sequence[int]) -> Iterable[tuple[int, str]]:
        return self._db.execute(
            "SELECT code, name FROM error_class WHERE code IN (SELECT value FROM json_each(?))",
            (json.dumps(codes),),
        )

    def error_codes(self, name: str) -> list[int]:
        # walks the table: 200 rows an endpoint at most
        return [code for (code,) in self._db.execute("SELECT code FROM error_class WHERE name = ?", (name,))]
