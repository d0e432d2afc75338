"""Lanes of records out of PostgreSQL: one index of each day walked downwards, day after day, never sorted.

The server has no word to name an index, and of a day that was never analyzed it would rather sort all rows
than walk (measured: 100,000 rows sorted on disk for a page of 50). So sorting is made dear for the snapshot.
"""

from uuid import UUID

from monitor.model import TROUBLED
from monitor.store.facts.postgres.rows import RECORD, rows
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.reading.pages import Lane
from monitor.store.facts.record_rows import Row

_TROUBLED_CODES = ", ".join(str(outcome.code) for outcome in TROUBLED)


class PostgresLanes:
    """LaneTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._set = False

    def shown(self, lane: Lane, limit: int, scanned: int) -> list[Row]:
        tests = [f"{column} = ANY(%s::integer[])" for column, _ in lane.tests]
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        return self._rows(
            f"SELECT {RECORD} FROM (SELECT * {_walk(lane)} LIMIT %s) AS record{where}"  # noqa: S608
            " ORDER BY record.record_id DESC LIMIT %s",
            *_ids(lane),
            scanned,
            *(list(codes) for _, codes in lane.tests),
            limit,
        )

    def last_walked(self, lane: Lane, scanned: int) -> bytes | None:
        found = self._rows(
            f"SELECT uuid_send(record_id) {_walk(lane)} LIMIT 1 OFFSET %s",
            *_ids(lane),
            scanned - 1,
        )
        return found[0][0] if found else None

    def _rows(self, statement: str, *values: object) -> list[Row]:
        if not self._set:
            self._db.execute("SET LOCAL enable_sort = off")
            self._set = True
        return list(rows(self._db, statement, *values))


def _walk(lane: Lane) -> str:
    walk = "FROM facts.record WHERE record_id < %s AND record_id >= %s"
    if lane.outcome is not None:
        walk += f" AND outcome = {lane.outcome.code} AND outcome IN ({_TROUBLED_CODES})"
    return walk + " ORDER BY record_id DESC"


def _ids(lane: Lane) -> tuple[UUID, UUID]:
    return UUID(bytes=lane.before), UUID(bytes=lane.first)
