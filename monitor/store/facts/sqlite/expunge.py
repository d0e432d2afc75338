"""Removing an event's sealed capture from the SQLite file so that none of its bytes stay, inside the writer.

The store deletes with secure_delete=FAST, which leaves what lay in freed pages; here those are zeroed too.
The write-ahead log still holds the pages as they were: it is emptied afterwards, which waits for readers.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.store.facts.expunging import Expunge, blanked
from monitor.store.facts.sqlite.events import read_event

LOG_WAIT_MS = 500
"""How long readers of an older snapshot may keep the writer, and ingest with it, from emptying the log."""


@contextmanager
def zeroing(db: sqlite3.Connection) -> Iterator[None]:
    """Every byte that is deleted within the block is overwritten."""
    (before,) = db.execute("PRAGMA secure_delete").fetchone()
    db.execute("PRAGMA secure_delete=ON").fetchall()
    try:
        yield
    finally:
        db.execute(f"PRAGMA secure_delete={('OFF', 'ON', 'FAST')[before]}").fetchall()


def expunge(db: sqlite3.Connection, wanted: Expunge) -> tuple[int, int]:
    """Captures removed and records changed, inside the caller's transaction."""
    endpoints = _endpoints(db, wanted)
    captures = sum(
        db.execute(
            "DELETE FROM capture WHERE endpoint = ? AND event_id = ?", (endpoint, wanted.event_id)
        ).rowcount
        for endpoint in endpoints
    )
    parents = dict(db.execute("SELECT code, parent FROM series").fetchall())
    records = 0
    for row in read_event(db, wanted.event_id):
        packed = blanked(row[8], wanted.details) if parents[row[1]] in endpoints else None
        if packed is not None:
            db.execute("UPDATE record SET detail = ? WHERE record_id = ?", (packed, row[0]))
            records += 1
    return captures, records


def empty_log(db: sqlite3.Connection) -> bool:
    """Moves the log into the file and empties it; False while a reader needs it."""
    db.execute(f"PRAGMA busy_timeout={LOG_WAIT_MS}").fetchall()
    try:
        (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute("PRAGMA busy_timeout=5000").fetchall()
    return not busy


def _endpoints(db: sqlite3.Connection, wanted: Expunge) -> set[int]:
    found = db.execute(
        "SELECT code FROM series WHERE source = ?1 AND endpoint != '' AND event_type = ''"
        " AND (?2 IS NULL OR environment = ?2) AND (?3 IS NULL OR endpoint = ?3)",
        (wanted.source, wanted.environment, wanted.endpoint),
    )
    return {code for (code,) in found}
