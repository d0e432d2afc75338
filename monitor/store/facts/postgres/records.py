"""Rows of single records, events, captures and the feed out of PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from uuid import UUID
from zlib import crc32

from monitor.store.facts.postgres.rows import RECORD, is_text, rows, walk_indexes
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.reading.records import CaptureKey
from monitor.store.facts.record_rows import Row, event_id_of, first_id_at
from monitor.store.facts.rollup_rows import COLUMNS as BLOBS
from monitor.store.facts.rollup_rows import Packed

_ROWS_AT_ONCE = 20_000

# The primary key of the feed in its order. No transaction still open has an xid below the snapshot's xmin,
# so nothing can appear before a row that is shown.
_MARKS = """
    SELECT xid::text AS told, seq, records, record_id FROM facts.feed
    WHERE (xid, seq) > (%s::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY feed.xid, feed.seq LIMIT %s"""

# One step down the key a record: LIMIT keeps the planner from walking all between the bounds instead, and
# the bounds leave it only the days between them to plan.
_GIVEN = f"""
    SELECT {RECORD} FROM unnest(%s::uuid[]) AS given (id) CROSS JOIN LATERAL (
        SELECT * FROM facts.record WHERE record_id = given.id AND record_id BETWEEN %s AND %s LIMIT 1
    ) AS record"""  # noqa: S608

_CAPTURES = """
    SELECT endpoint, event_id, sealed, redacted
    FROM unnest(%s::integer[], %s::text[]) AS wanted (endpoint, event_id)
    JOIN facts.capture USING (endpoint, event_id)"""


class PostgresRecords:
    """RecordTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def row(self, record_id: bytes) -> Row | None:
        found = rows(
            self._db,
            f"SELECT {RECORD} FROM facts.record WHERE record_id = %s",  # noqa: S608
            UUID(bytes=record_id),
        )
        return found[0] if found else None

    def of_event(self, event_id: str) -> list[Row]:
        """By the index of hashes of each day. Two ids may share a hash, so each row is checked by the id."""
        found = rows(
            self._db,
            f"SELECT {RECORD} FROM facts.record WHERE event_hash = %s",  # noqa: S608
            crc32(event_id.encode()),
        )
        return sorted((row for row in found if event_id_of(row) == event_id), key=itemgetter(0))

    def captures(self, keys: Sequence[CaptureKey]) -> Mapping[CaptureKey, tuple[bytes, bool]]:
        held = [key for key in keys if is_text(key[1])]
        if not held:
            return {}
        found = rows(self._db, _CAPTURES, [code for code, _ in held], [event_id for _, event_id in held])
        return {(code, event_id): (sealed, redacted) for code, event_id, sealed, redacted in found}

    def fed(self, xid: int, seq: int, limit: int) -> list[tuple[int, int, int, Row]]:
        walk_indexes(self._db)
        found: list[tuple[int, int, int, Row]] = []
        while marks := rows(self._db, _MARKS, str(xid), seq, limit):
            given = [mark[-1] for mark in marks]
            stored = {row[0]: row for row in rows(self._db, _GIVEN, given, min(given), max(given))}
            found += [
                (int(xid_text), number, stands_for, stored[record_id.bytes])
                for xid_text, number, stands_for, record_id in marks
                if record_id.bytes in stored
            ]
            if len(found) >= limit or len(marks) < limit:
                break
            xid, seq = int(marks[-1][0]), marks[-1][1]  # some were purged
        return found[:limit]

    def within(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        with self._db.cursor("within", binary=True) as cursor:  # of the server: it holds the rows, not we
            cursor.execute(
                f"SELECT {RECORD} FROM facts.record WHERE (record_id >= %s AND record_id < %s)"  # noqa: S608
                " OR (received_at_us >= %s AND received_at_us < %s)",
                (
                    UUID(bytes=first_id_at(start_us)),
                    UUID(bytes=first_id_at(end_us)),
                    start_us,
                    end_us,
                ),
            )
            while found := cursor.fetchmany(_ROWS_AT_ONCE):
                yield found

    def recorded(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        """By the primary key of the days in the range."""
        with self._db.cursor("recorded", binary=True) as cursor:
            cursor.execute(
                f"SELECT {RECORD} FROM facts.record WHERE record_id >= %s AND record_id < %s",  # noqa: S608
                (UUID(bytes=first_id_at(start_us)), UUID(bytes=first_id_at(end_us))),
            )
            while found := cursor.fetchmany(_ROWS_AT_ONCE):
                yield found

    def thinned(self, start: int, end: int) -> Sequence[Packed]:
        """By the primary key (start, series)."""
        return rows(
            self._db,
            f"SELECT series, 0, start, {', '.join(BLOBS)} FROM facts.thinned"  # noqa: S608
            " WHERE start >= %s AND start < %s",
            start,
            end,
        )
