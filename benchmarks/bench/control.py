"""The limit of this machine: raw inserts of the same records with the standard library, durable commits."""

import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID
from zlib import crc32

CONTROL_BATCH = 5_000

COLUMNS = (
    "record_id BLOB PRIMARY KEY, event_id TEXT, source TEXT, environment TEXT, endpoint TEXT,"
    " event_type TEXT, received_at_us INTEGER, outcome TEXT, attempt INTEGER, ack_ms REAL,"
    " latency_ms REAL, verify_ms REAL, queue_ms REAL, process_ms REAL, http_status INTEGER,"
    " secret_id TEXT, receiver TEXT, remote_ip TEXT, error_class TEXT, error_message TEXT,"
    " event_key INTEGER"
)
PRAGMAS = (
    "page_size=16384",
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=4000",
    "cache_size=-131072",
)


def row_of(record: dict[str, object], place: int) -> tuple[object, ...]:
    """The record as the control stores it: every field in its column, and a key that finds its event."""
    event_id = str(record["event_id"])
    values = {**record, "record_id": UUID(str(record["record_id"])).bytes}
    names = [column.split()[0] for column in COLUMNS.split(", ")][:-1]
    sent = {"received_at_us": record["received_at"]}
    key = (place >> 13) << 32 | crc32(event_id.encode())
    return (*((values | sent).get(name) for name in names), key)


def raw_inserts(rows: Sequence[tuple[object, ...]]) -> float:
    """Rows a second of stdlib executemany with durable commits, into a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _raw_inserts(Path(folder) / "control.db", rows)


def _raw_inserts(path: Path, rows: Sequence[tuple[object, ...]]) -> float:
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        db.execute(f"PRAGMA {pragma}").fetchall()
    db.execute(f"CREATE TABLE record ({COLUMNS}) WITHOUT ROWID")
    db.execute("CREATE INDEX record_event ON record (event_key)")
    db.execute("CREATE INDEX record_trouble ON record (outcome, record_id) WHERE outcome <> 'succeeded'")
    insert = f"INSERT OR IGNORE INTO record VALUES ({','.join('?' * len(rows[0]))})"
    began = time.perf_counter()
    for at in range(0, len(rows), CONTROL_BATCH):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(insert, rows[at : at + CONTROL_BATCH])
        db.execute("COMMIT")
    taken_s = time.perf_counter() - began
    db.close()
    return len(rows) / taken_s
