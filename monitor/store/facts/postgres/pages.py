"""Lanes of records out of PostgreSQL: one index of each day walked downwards, day after day, never sorted."""

from dataclasses import replace
from functools import cached_property
from uuid import UUID

from monitor.model import TROUBLED
from monitor.store.facts.postgres.partitions import DAY_US, day_of
from monitor.store.facts.postgres.rows import RECORD, rows, walk_indexes
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.reading.pages import LAST_ID, Lane
from monitor.store.facts.record_rows import Row, first_id_at, recorded_at_us

NEAR_DAYS = 12
"""Seven of them are still to come: they are made ahead."""

_NEAR_ROWS = 20
"""How many rows to look at there for each that is wanted: a filter that few rows pass needs a real walk."""

_LAST_DAY = """
    SELECT max(relname)::text FROM pg_class
    WHERE relnamespace = 'facts'::regnamespace AND relkind = 'r' AND relname ~ '^record_[0-9]{8}$'"""
_TROUBLED_CODES = ", ".join(str(outcome.code) for outcome in TROUBLED)


class PostgresLanes:
    """LaneTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._set = False

    def shown(self, lane: Lane, limit: int, scanned: int) -> list[Row]:
        near = self._near(lane)
        found = self._shown(near, limit, min(scanned, limit * _NEAR_ROWS)) if near else []
        return found if len(found) == limit else self._shown(lane, limit, scanned)

    def _shown(self, lane: Lane, limit: int, scanned: int) -> list[Row]:
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

    def _near(self, lane: Lane) -> Lane | None:
        """The newest days of the lane, which fill most pages: a query takes longer to plan the more days it
        may read (measured: 84 ms with 400 days, 4 ms with two). None when there are no others."""
        end = self._end if lane.before == LAST_ID else lane.before
        first = first_id_at(recorded_at_us(end) - NEAR_DAYS * DAY_US)
        return replace(lane, first=first) if first > lane.first else None

    @cached_property
    def _end(self) -> bytes:
        """The first id after the newest day that there is."""
        ((table,),) = rows(self._db, _LAST_DAY)
        return first_id_at(((day_of(table or "") or 0) + 1) * DAY_US)

    def _rows(self, statement: str, *values: object) -> list[Row]:
        if not self._set:
            walk_indexes(self._db)
            self._set = True
        return list(rows(self._db, statement, *values))


def _walk(lane: Lane) -> str:
    walk = "FROM facts.record WHERE record_id < %s AND record_id >= %s"
    if lane.outcome is not None:
        walk += f" AND outcome = {lane.outcome.code} AND outcome IN ({_TROUBLED_CODES})"
    return walk + " ORDER BY record_id DESC"


def _ids(lane: Lane) -> tuple[UUID, UUID]:
    return UUID(bytes=lane.before), UUID(bytes=lane.first)
