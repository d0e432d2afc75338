"""Lanes of records out of a SQLite store: one index walked downwards, never sorted."""

import json
import sqlite3

from monitor.store.facts.reading.pages import Lane
from monitor.store.facts.record_rows import COLUMNS, Row
from monitor.store.facts.sqlite.schema import TROUBLE

_LIST = ", ".join(COLUMNS)


class SqliteLanes:
    """LaneTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def shown(self, lane: Lane, limit: int, scanned: int) -> list[Row]:
        # Codes go as one JSON value a column: a filter may stand for more than a statement may have marks.
        tests = [f"{column} IN (SELECT value FROM json_each(?))" for column, _ in lane.tests]  # noqa: S608
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        values = [json.dumps(list(codes)) for _, codes in lane.tests]
        return self._db.execute(
            f"SELECT {_LIST} FROM (SELECT {_LIST} {_walk(lane)} LIMIT ?){where} LIMIT ?",  # noqa: S608
            (lane.before, lane.first, scanned, *values, limit),
        ).fetchall()

    def last_walked(self, lane: Lane, scanned: int) -> bytes | None:
        row = self._db.execute(
            f"SELECT record_id {_walk(lane)} LIMIT 1 OFFSET ?",
            (lane.before, lane.first, scanned - 1),
        ).fetchone()
        return None if row is None else row[0]


def _walk(lane: Lane) -> str:
    walk = "FROM record NOT INDEXED WHERE record_id < ? AND record_id >= ?"
    if lane.outcome is not None:
        walk = (
            f"FROM record INDEXED BY record_trouble WHERE outcome = {lane.outcome.code}"
            f" AND {TROUBLE} AND record_id < ? AND record_id >= ?"
        )
    return walk + " ORDER BY record_id DESC"
