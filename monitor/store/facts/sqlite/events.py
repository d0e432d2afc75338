"""Every record of one event out of a SQLite store, by the segmented event key.

The key is (segment << 32) | crc32(event_id): an insert touches the newest segment alone, a lookup probes each
live one. Two ids may share a hash, so each row is checked by the id itself.
"""

import sqlite3
from zlib import crc32

from monitor.store.facts.record_rows import COLUMNS, Row, event_id_of

_LIST = ", ".join(COLUMNS)
_PROBE = f"""
    WITH RECURSIVE segment (number) AS (
        SELECT (SELECT min(event_key) >> 32 FROM record WHERE event_key IS NOT NULL)
        UNION ALL
        SELECT number + 1 FROM segment
        WHERE number < (SELECT max(event_key) >> 32 FROM record WHERE event_key IS NOT NULL)
    )
    SELECT {_LIST} FROM segment CROSS JOIN record INDEXED BY record_event
    WHERE event_key = (segment.number << 32) | ? AND event_key IS NOT NULL
    ORDER BY record_id"""  # noqa: S608


def read_event(db: sqlite3.Connection, event_id: str) -> list[Row]:
    """Rows of every record with this event id, oldest first, whatever its source."""
    rows = db.execute(_PROBE, (crc32(event_id.encode()),)).fetchall()
    return [row for row in rows if event_id_of(row) == event_id]
