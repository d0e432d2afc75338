"""Single records, captures and the feed out of a SQLite store, and the count of all records anew."""

import sqlite3
from collections.abc import Mapping, Sequence

from monitor.model import Record, SeriesKey
from monitor.rollup import Buckets, Rollup, combined, fold, rollups
from monitor.store.facts.protocol import FeedRow
from monitor.store.facts.record_rows import (
    COLUMNS,
    MINUTE_US,
    Row,
    deltas_of,
    event_id_of,
    first_id_at,
    record_of,
)
from monitor.store.facts.sqlite.names import Names, Series
from monitor.store.facts.sqlite.rollups import levels

_LIST = ", ".join(COLUMNS)
_ROWS_A_FOLD = 20_000


def records_of(db: sqlite3.Connection, names: Names, rows: Sequence[Row]) -> list[Record]:
    """The Records of rows, in their order."""
    series = names.series(db)
    errors = names.errors(db, {row[6] for row in rows if row[6]})
    return [record_of(row, series.keys[row[1]], errors.get(row[6])) for row in rows]


def read_row(db: sqlite3.Connection, record_id: bytes) -> Row | None:
    row: Row | None = db.execute(
        f"SELECT {_LIST} FROM record WHERE record_id = ?",  # noqa: S608
        (record_id,),
    ).fetchone()
    return row


def read_capture(db: sqlite3.Connection, endpoint: int, event_id: str) -> tuple[bytes, bool] | None:
    row = db.execute(
        "SELECT sealed, redacted FROM capture WHERE endpoint = ? AND event_id = ?",  # the primary key
        (endpoint, event_id),
    ).fetchone()
    return None if row is None else (row[0], bool(row[1]))


def read_feed(db: sqlite3.Connection, names: Names, seq: int, limit: int) -> list[FeedRow]:
    """At most `limit` feed rows after `seq`, in order; those whose record was purged are passed over."""
    parents = names.series(db).parents
    found: list[FeedRow] = []
    marks = db.execute("SELECT xid, seq, record_id FROM feed WHERE seq > ? ORDER BY seq", (seq,))
    for row_xid, row_seq, record_id in marks:  # by the primary key
        if len(found) == limit:
            break
        row = read_row(db, record_id)
        if row is None:
            continue
        event_id = event_id_of(row)
        kept = None if event_id is None else read_capture(db, parents[row[1]], event_id)
        record = records_of(db, names, [row])[0]
        found.append(FeedRow(row_xid, row_seq, record, kept and kept[0], bool(kept and kept[1])))
    return found


def recount(
    db: sqlite3.Connection, series: Series, start_us: int, end_us: int
) -> Mapping[tuple[SeriesKey, int], Rollup]:
    """Minute rollups of every series in the range, from the records themselves.

    A record counts by its own minute and by its minute of receipt, and no index sorts the second: every row
    is looked at, those in the range are decoded.
    """
    first, end = -(-start_us // MINUTE_US), -(-end_us // MINUTE_US)
    first_us, end_us = first * MINUTE_US, end * MINUTE_US
    cursor = db.execute(
        f"SELECT {_LIST} FROM record WHERE (record_id >= ? AND record_id < ?)"  # noqa: S608
        " OR (received_at_us >= ? AND received_at_us < ?)",
        (first_id_at(first_us), first_id_at(end_us), first_us, end_us),
    )
    folded: list[Buckets] = []
    while rows := cursor.fetchmany(_ROWS_A_FOLD):
        folded.append(fold(deltas_of(rows)))
    if not folded:
        return {}
    whole = combined(levels(combined(folded), series))
    return {
        (series.keys[code], start * MINUTE_US): rollup
        for (code, start), rollup in rollups(whole).items()
        if first <= start < end
    }
