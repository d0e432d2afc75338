"""Deleting what is past its time from the SQLite facts, in bounded steps, inside the caller's transaction.

Rollups of days and `ever` are never deleted, so counters never fall.
"""

import sqlite3

from monitor.model import Grain
from monitor.store.facts.sqlite import event_runs, thin

DAY_US = 86_400_000_000
FEED_DAYS = 14
HOURS_DAYS = 400
HEARTBEAT_DAYS = 35
"""Rules tried on the past must know when nobody could see."""
_MARK = "feed_mark:"


def delete_below(db: sqlite3.Connection, floor_us: int, rows: int) -> bool:
    """Deletes at most `rows` records and `rows` captures older than the floor; True while more remain."""
    bound = (-(-floor_us // 1000)).to_bytes(6, "big") + bytes(10)
    deleted = db.execute(
        "DELETE FROM record WHERE record_id IN"
        " (SELECT record_id FROM record WHERE record_id < ? ORDER BY record_id LIMIT ?)",
        (bound, rows),
    ).rowcount
    captures = db.execute(
        "DELETE FROM capture WHERE (endpoint, event_id) IN"
        " (SELECT endpoint, event_id FROM capture WHERE record_id < ? ORDER BY record_id LIMIT ?)",
        (bound, rows),
    ).rowcount
    event_runs.drop_below(db, floor_us)
    return deleted == rows or captures == rows


def prune(db: sqlite3.Connection, floor_us: int, now_us: int) -> None:
    """Deletes feed rows of 14 days ago, samples and minutes below the floor, hours after 400 days."""
    _prune_feed(db, now_us // DAY_US)
    thin.prune(db, floor_us)
    db.execute("DELETE FROM queue_sample WHERE sampled_at_us < ?", (floor_us,))
    db.execute("DELETE FROM probe_result WHERE checked_at_us < ?", (floor_us,))
    db.execute("DELETE FROM heartbeat WHERE beat_at_us < ?", (now_us - HEARTBEAT_DAYS * DAY_US,))
    for grain, before_us in (
        (Grain.MINUTE, floor_us),
        (Grain.HOUR, min(floor_us, now_us - HOURS_DAYS * DAY_US)),
    ):
        db.execute(
            "DELETE FROM rollup WHERE grain = ? AND start < ? AND series IN (SELECT code FROM series)",
            (int(grain), before_us // 60_000_000),
        )


def _prune_feed(db: sqlite3.Connection, day: int) -> None:
    """By the day a row was written, not by its record's time: late records must reach control too."""
    newest = db.execute("SELECT max(seq) FROM feed").fetchone()[0] or 0
    db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (f"{_MARK}{day:06}", newest))
    expired = (_MARK, f"{_MARK}{day - FEED_DAYS:06}")
    mark = db.execute("SELECT max(value) FROM meta WHERE key > ? AND key <= ?", expired).fetchone()[0]
    if mark is not None:
        db.execute("DELETE FROM feed WHERE seq <= ?", (mark,))
        db.execute("DELETE FROM meta WHERE key > ? AND key <= ?", expired)
