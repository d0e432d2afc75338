"""Thinning on PostgreSQL: bare rows out of the records, their sums into `thinned`, in one transaction.

Runs inside the caller's transaction, in bounded steps. A step takes alone the lock that appends share: no
copy of a row can come in between the row and its sum. What thinning is says `facts/thinning.py`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from monitor.model import Grain, Outcome
from monitor.store.facts import thinning
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.rows import RECORD, rows
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.protocol import Batch
from monitor.store.facts.record_rows import MINUTE_US, Row, first_id_at
from monitor.store.facts.rollup_rows import COLUMNS, Packed

_BLOBS = ", ".join(COLUMNS)
_NOTE = """INSERT INTO facts.bare_minute (minute, due_us, after) VALUES (%s, %s, %s)
    ON CONFLICT DO NOTHING"""  # leaves the row unlocked, unlike DO UPDATE: every collector comes here
_BEGIN_ANEW = "UPDATE facts.bare_minute SET after = %s WHERE minute = %s AND after > %s"
_DUE = "SELECT minute, uuid_send(after) FROM facts.bare_minute WHERE due_us <= %s ORDER BY minute LIMIT 1"
_PLACES = (
    f"SELECT t.series, {Grain.MINUTE:d}, t.start, {_BLOBS}"  # noqa: S608  # names of columns
    " FROM unnest(%b::int[], %b::int[]) AS place (series, start)"
    " JOIN facts.thinned t ON t.series = place.series AND t.start = place.start"  # the primary key
)
_PUT = (
    f"INSERT INTO facts.thinned (series, start, {_BLOBS})"  # noqa: S608  # names of columns
    f" VALUES (%s, %s{', %b' * len(COLUMNS)}) ON CONFLICT (start, series) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
)
_REJECTED = (
    f"SELECT {RECORD} FROM facts.record"  # noqa: S608  # names of columns; by the index record_trouble
    f" WHERE outcome = {Outcome.REJECTED.code} AND record_id > %b AND record_id < %b"
    " ORDER BY record_id LIMIT %s"
)
_NIL = UUID(int=0)


def note(db: Connection, batches: Sequence[Batch], now_us: int) -> None:
    """Notes the minutes of the batches' bare rows. A minute that is being thinned begins anew."""
    for minute, due_us in sorted(thinning.due_minutes(batches, now_us).items()):
        if not db.execute(_NOTE, (minute, due_us, _NIL)).rowcount:
            db.execute(_BEGIN_ANEW, (_NIL, minute, _NIL))


def closed(db: Connection, batch: Batch) -> list[int]:
    """Indexes of the rejections whose route and minute were thinned: stored still, or refused."""
    places = thinning.rejections(batch)
    if not places:
        return []
    found = _stored(db, list(places))
    return [index for row in found if thinning.are_thinned(row) for index in places[int(row[0]), int(row[2])]]


def step(db: Connection, now_us: int, most: int) -> bool:
    """Looks at `most` rejections of a minute that is due and thins the bare ones; True when more is due."""
    if not rows(db, _DUE, now_us):
        return False
    take(db, Lock.RECORDS)
    due = rows(db, _DUE, now_us)  # another collector may have been before us
    if not due:
        return False
    ((minute, after),) = due
    first = max(bytes(after), first_id_at(minute * MINUTE_US))
    seen = rows(db, _REJECTED, UUID(bytes=first), UUID(bytes=first_id_at((minute + 1) * MINUTE_US)), most)
    _thin(db, thinning.bare(seen))
    if len(seen) < most:
        db.execute("DELETE FROM facts.bare_minute WHERE minute = %s", (minute,))
    else:
        last = UUID(bytes=bytes(seen[-1][0]))
        db.execute("UPDATE facts.bare_minute SET after = %s WHERE minute = %s", (last, minute))
    return True


def prune(db: Connection, floor_us: int) -> None:
    """Deletes what is below the floor: no record of those minutes is taken any more."""
    db.execute("DELETE FROM facts.thinned WHERE start < %s", (floor_us // MINUTE_US,))
    db.execute("DELETE FROM facts.bare_minute WHERE minute < %s", (floor_us // MINUTE_US,))


def _thin(db: Connection, taken: Sequence[Row]) -> None:
    if not taken:
        return
    buckets = thinning.counted(taken)
    stored = _stored(db, list(zip(buckets.series.tolist(), buckets.start.tolist(), strict=True)))
    merged = thinning.added(buckets, stored)
    ids = [UUID(bytes=bytes(row[0])) for row in taken]
    with db.cursor() as cursor:
        cursor.executemany(_PUT, [(series, start, *blobs) for series, _, start, *blobs in merged])
        # the range names the partition
        cursor.execute(
            "DELETE FROM facts.record WHERE record_id BETWEEN %b AND %b AND record_id = ANY(%b)",
            (ids[0], ids[-1], ids),
        )


def _stored(db: Connection, places: Sequence[tuple[int, int]]) -> list[tuple[Any, ...]]:
    series, starts = zip(*places, strict=True)
    found: list[Packed] = rows(db, _PLACES, list(series), list(starts))
    return found
