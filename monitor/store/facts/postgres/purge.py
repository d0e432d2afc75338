"""Deleting what is past its time from the facts in PostgreSQL, inside the caller's transaction.

Days wholly below the floor go as partitions (partitions.py). Rollups of days and `ever` are never deleted, so
counters never fall.
"""

from uuid import UUID

from psycopg import sql

from monitor.model import Grain
from monitor.store.facts.postgres import thin
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.record_rows import first_id_at

DAY_US = 86_400_000_000
FEED_DAYS = 14
HOURS_DAYS = 400
HEARTBEAT_DAYS = 35
"""Rules tried on the past must know when nobody could see."""


def raise_floor(db: Connection, floor_us: int) -> int:
    """Raises the floor to `floor_us`, unless it is there or above; where it stands then.

    Waits for every append that is under way: what they store is below no floor they have not seen.
    """
    query = "SELECT value::bigint FROM facts.meta WHERE key = 'floor_us'"
    found = int(str((db.execute(query).fetchone() or (0,))[0]))
    if floor_us <= found:
        return found
    take(db, Lock.RECORDS)
    raised = db.execute(
        "UPDATE facts.meta SET value = greatest(value::bigint, %s)::text WHERE key = 'floor_us'"
        " RETURNING value::bigint",
        (floor_us,),
    ).fetchone()
    return int(str((raised or (floor_us,))[0]))


def delete_below(db: Connection, floor_us: int, rows: int) -> bool:
    """Deletes at most `rows` records and `rows` captures older than the floor; True while more remain."""
    bound = UUID(bytes=first_id_at(floor_us))
    remain = [_delete_oldest(db, table, bound, rows) for table in ("record", "capture")]
    return any(remain)


def prune(db: Connection, floor_us: int, now_us: int) -> None:
    """Deletes feed rows of 14 days ago, samples and minutes below the floor, hours after 400 days."""
    db.execute("DELETE FROM facts.feed WHERE fed_at_us < %s", (now_us - FEED_DAYS * DAY_US,))
    thin.prune(db, floor_us)
    db.execute("DELETE FROM facts.queue_sample WHERE sampled_at_us < %s", (floor_us,))
    db.execute("DELETE FROM facts.probe_result WHERE checked_at_us < %s", (floor_us,))
    db.execute("DELETE FROM facts.heartbeat WHERE beat_at_us < %s", (now_us - HEARTBEAT_DAYS * DAY_US,))
    for grain, before_us in (
        (Grain.MINUTE, floor_us),
        (Grain.HOUR, min(floor_us, now_us - HOURS_DAYS * DAY_US)),
    ):
        db.execute(
            "DELETE FROM facts.rollup r USING facts.series s"  # the primary key, a range a series
            " WHERE r.series = s.code AND r.grain = %s AND r.start < %s",
            (int(grain), before_us // 60_000_000),
        )


def _delete_oldest(db: Connection, table: str, bound: UUID, rows: int) -> bool:
    """Deletes at most `rows` rows with an id below `bound`; whether it met that many.

    Looks up the last of them first: a range of ids names the partitions it lies in, a list of ids does not.
    """
    name = sql.Identifier("facts", table)
    last = db.execute(
        sql.SQL("SELECT record_id FROM {} WHERE record_id < %b ORDER BY record_id LIMIT 1 OFFSET %s").format(
            name
        ),
        (bound, rows - 1),
    ).fetchone()
    if last is None:
        db.execute(sql.SQL("DELETE FROM {} WHERE record_id < %b").format(name), (bound,))
        return False
    db.execute(sql.SQL("DELETE FROM {} WHERE record_id <= %b").format(name), last)
    return True
