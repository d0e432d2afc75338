"""Every record of one event out of a SQLite store: by the event index, in the caller's snapshot.

What no fold has taken stands in the deltas, the rest in the live runs: one probe of each. The index knows a
hash and a record id; two event ids may share a hash, and a record may be purged, so the record decides.
"""

import sqlite3
from zlib import crc32

import numpy as np

from monitor.rollup import DELTA
from monitor.store.facts.record_rows import COLUMNS, Row, event_id_of
from monitor.store.facts.sqlite.event_entries import first_hash, ids_in, pending_ids
from monitor.store.facts.sqlite.event_runs import State

_LIST = ", ".join(COLUMNS)
_IDS_A_QUERY = 500
# both by the primary key, backwards from the last block that may hold the hash
_PROBE = """
    SELECT run, (SELECT entries FROM event_block WHERE run = event_run.run AND first_hash <= ?
                 ORDER BY first_hash DESC, block DESC LIMIT 1)
    FROM event_run WHERE state = ?"""
_BLOCKS = """
    SELECT first_hash, entries FROM event_block WHERE run = ? AND first_hash <= ?
    ORDER BY first_hash DESC, block DESC"""


def read_event(db: sqlite3.Connection, event_id: str) -> list[Row]:
    """Rows of every record with this event id, oldest first, whatever its source."""
    ids = sorted(ids_of_hash(db, crc32(event_id.encode())))
    rows: list[Row] = []
    for at in range(0, len(ids), _IDS_A_QUERY):
        some = ids[at : at + _IDS_A_QUERY]
        marks = ",".join("?" * len(some))
        query = f"SELECT {_LIST} FROM record WHERE record_id IN ({marks}) ORDER BY record_id"  # noqa: S608
        rows += [row for row in db.execute(query, some) if event_id_of(row) == event_id]
    return rows


def ids_of_hash(db: sqlite3.Connection, event_hash: int) -> list[bytes]:
    """Ids of all records whose event id has this hash, purged ones among them; each once, in no order."""
    pending = b"".join(items for (items,) in db.execute("SELECT items FROM delta"))
    found = pending_ids(np.frombuffer(pending, dtype=DELTA), event_hash)
    for run, block in db.execute(_PROBE, (event_hash, State.LIVE)).fetchall():
        if block is None:
            continue
        if first_hash(block) < event_hash:
            found += ids_in(block, event_hash)
        else:  # entries of this hash may begin in a block before
            found += _ids_in_run(db, run, event_hash)
    return found


def _ids_in_run(db: sqlite3.Connection, run: int, event_hash: int) -> list[bytes]:
    found: list[bytes] = []
    for first, block in db.execute(_BLOCKS, (run, event_hash)):
        found += ids_in(block, event_hash)
        if first < event_hash:
            break
    return found
