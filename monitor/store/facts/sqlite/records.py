"""Rows of single records, captures and the feed out of a SQLite store."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from monitor.store.facts.reading.records import CaptureKey
from monitor.store.facts.record_rows import COLUMNS, Row, first_id_at
from monitor.store.facts.rollup_rows import COLUMNS as BLOBS
from monitor.store.facts.rollup_rows import Packed
from monitor.store.facts.sqlite.events import read_event

_LIST = ", ".join(COLUMNS)
_FED = ", ".join(f"record.{name}" for name in COLUMNS)
_ROWS_AT_ONCE = 20_000


class SqliteRecords:
    """RecordTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def row(self, record_id: bytes) -> Row | None:
        row: Row | None = self._db.execute(
            f"SELECT {_LIST} FROM record WHERE record_id = ?",  # noqa: S608
            (record_id,),
        ).fetchone()
        return row

    def of_event(self, event_id: str) -> list[Row]:
        return read_event(self._db, event_id)

    def captures(self, keys: Sequence[CaptureKey]) -> Mapping[CaptureKey, tuple[bytes, bool]]:
        found = {}
        for key in keys:
            row = self._db.execute(
                "SELECT sealed, redacted FROM capture WHERE endpoint = ? AND event_id = ?",  # the primary key
                key,
            ).fetchone()
            if row is not None:
                found[key] = (row[0], bool(row[1]))
        return found

    def fed(self, xid: int, seq: int, limit: int) -> list[tuple[int, int, int, Row]]:
        """One writer, so seq alone is commit order, and nothing open can precede what is seen."""
        rows = self._db.execute(
            f"SELECT feed.xid, feed.seq, feed.records, {_FED} FROM feed CROSS JOIN record"  # noqa: S608
            " ON record.record_id = feed.record_id WHERE feed.seq > ? ORDER BY feed.seq LIMIT ?",
            (seq, limit),
        )
        return [(*row[:3], row[3:]) for row in rows]

    def within(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        cursor = self._db.execute(
            f"SELECT {_LIST} FROM record WHERE (record_id >= ? AND record_id < ?)"  # noqa: S608
            " OR (received_at_us >= ? AND received_at_us < ?)",
            (first_id_at(start_us), first_id_at(end_us), start_us, end_us),
        )
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows

    def recorded(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        cursor = self._db.execute(
            f"SELECT {_LIST} FROM record WHERE record_id >= ? AND record_id < ?",  # noqa: S608  # primary key
            (first_id_at(start_us), first_id_at(end_us)),
        )
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows

    def thinned(self, start: int, end: int) -> list[Packed]:
        """By the primary key (start, series)."""
        return self._db.execute(
            f"SELECT series, 0, start, {', '.join(BLOBS)} FROM thinned WHERE start >= ? AND start < ?",  # noqa: S608
            (start, end),
        ).fetchall()
