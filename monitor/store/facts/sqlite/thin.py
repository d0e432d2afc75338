"""Thinning on SQLite: bare rows out of the records, what they counted into `thinned`, in one transaction.

Runs inside the caller's transaction, in bounded steps. What thinning is says `facts/thinning.py`.
"""

import sqlite3
from collections.abc import Sequence

from monitor.model import Grain, Outcome
from monitor.store.facts import thinning
from monitor.store.facts.protocol import Batch
from monitor.store.facts.record_rows import COLUMNS as RECORD
from monitor.store.facts.record_rows import MINUTE_US, first_id_at
from monitor.store.facts.rollup_rows import COLUMNS, Packed
from monitor.store.facts.sqlite.schema import TROUBLE

_BLOBS = ", ".join(COLUMNS)
_PLACE = f"SELECT series, {Grain.MINUTE:d}, start, {_BLOBS} FROM thinned"  # noqa: S608  # names of columns
_REPLACE = (
    f"INSERT OR REPLACE INTO thinned (series, start, {_BLOBS})"  # noqa: S608  # names of columns
    f" VALUES (?, ?, {', '.join('?' * len(COLUMNS))})"
)
_REJECTED = (
    f"SELECT {', '.join(RECORD)} FROM record"  # noqa: S608  # names of columns; by the index record_trouble
    f" WHERE outcome = {Outcome.REJECTED.code} AND {TROUBLE} AND record_id > ? AND record_id < ?"
    " ORDER BY record_id LIMIT ?"
)


def note(db: sqlite3.Connection, batches: Sequence[Batch], now_us: int) -> None:
    """Notes the minutes of the batches' bare rows. A minute that is being thinned begins anew."""
    due = thinning.due_minutes(batches, now_us)
    db.executemany(
        "INSERT INTO bare_minute (minute, due_us, after) VALUES (?, ?, x'')"
        " ON CONFLICT (minute) DO UPDATE SET after = excluded.after",
        due.items(),
    )


def refused(db: sqlite3.Connection, batch: Batch) -> list[int]:
    """Indexes of rejections whose route and minute were thinned, but for those that are stored still."""
    found: list[int] = []
    for (route, minute), indexes in thinning.rejections(batch).items():
        packed = db.execute(f"{_PLACE} WHERE start = ? AND series = ?", (minute, route)).fetchone()
        if packed is not None and thinning.are_thinned(packed):
            found += [index for index in indexes if not _is_stored(db, batch.rows[index][0])]
    return sorted(found)


def step(db: sqlite3.Connection, now_us: int, rows: int) -> bool:
    """Looks at `rows` rejections of a minute that is due and thins the bare ones; True when more is due."""
    due = db.execute(
        "SELECT minute, after FROM bare_minute WHERE due_us <= ? ORDER BY minute LIMIT 1", (now_us,)
    ).fetchone()
    if due is None:
        return False
    minute, after = due
    first = max(after, first_id_at(minute * MINUTE_US))
    seen = db.execute(_REJECTED, (first, first_id_at((minute + 1) * MINUTE_US), rows)).fetchall()
    taken = thinning.bare(seen)
    if taken:
        buckets = thinning.counted(taken)
        places = zip(buckets.series.tolist(), buckets.start.tolist(), strict=True)
        stored = [row for series, start in places for row in _stored(db, series, start)]
        merged = thinning.added(buckets, stored)
        db.executemany(_REPLACE, [(series, start, *blobs) for series, _, start, *blobs in merged])
        db.executemany("DELETE FROM record WHERE record_id = ?", [(row[0],) for row in taken])
    if len(seen) < rows:
        db.execute("DELETE FROM bare_minute WHERE minute = ?", (minute,))
    else:
        db.execute("UPDATE bare_minute SET after = ? WHERE minute = ?", (seen[-1][0], minute))
    return True


def prune(db: sqlite3.Connection, floor_us: int) -> None:
    """Deletes what is below the floor: no record of those minutes is taken any more."""
    for statement in ("DELETE FROM thinned WHERE start < ?", "DELETE FROM bare_minute WHERE minute < ?"):
        db.execute(statement, (floor_us // MINUTE_US,))


def _stored(db: sqlite3.Connection, series: int, start: int) -> list[Packed]:
    return db.execute(f"{_PLACE} WHERE start = ? AND series = ?", (start, series)).fetchall()


def _is_stored(db: sqlite3.Connection, record_id: object) -> bool:
    return db.execute("SELECT 1 FROM record WHERE record_id = ?", (record_id,)).fetchone() is not None
