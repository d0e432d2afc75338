"""Small notes in a SQLite file of their own, which costs no sync: they change at every request.

A write-ahead log that nobody syncs survives the death of any process. A power cut may damage the file, and so
may an older library that shares the log: nothing in it was promised, so a damaged one is made anew.
"""

import os
import sqlite3

from hookvitals.state.base import Change
from hookvitals.state.schema import Schema
from hookvitals.state.shared_file import SharedFile

_SCHEMA = Schema(
    1,
    (
        "CREATE TABLE IF NOT EXISTS note"
        " (name TEXT PRIMARY KEY, value BLOB NOT NULL, until_us INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS note_until ON note (until_us)",
    ),
)


class NoteFile(SharedFile):
    """Notes by name, each with a time until which it is kept.

    The caller sees to it that no other process opens the same file meanwhile.
    """

    PRAGMAS = ("journal_mode=WAL", "synchronous=OFF")

    def __init__(self, path: str) -> None:
        _remove_if_damaged(path)
        super().__init__(path, _SCHEMA)

    def change(self, note: str, change: Change, now_us: int, until_us: int) -> bytes:
        """The note's next value; its present one is None when it has expired."""
        with self.transaction() as db:
            held = db.execute(
                "SELECT value FROM note WHERE name = ? AND until_us > ?", (note, now_us)
            ).fetchone()
            value = change(None if held is None else bytes(held[0]))
            db.execute(
                "INSERT OR REPLACE INTO note (name, value, until_us) VALUES (?, ?, ?)",
                (note, value, until_us),
            )
            return value

    def drop_expired(self, now_us: int) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM note WHERE until_us <= ?", (now_us,))


def _remove_if_damaged(path: str) -> None:
    if not os.path.exists(path):
        return
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        sound = db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        return  # locked or not ours to read: opening it will say so
    except sqlite3.DatabaseError:
        sound = False
    finally:
        db.close()
    if not sound:
        for name in (path, f"{path}-wal", f"{path}-shm"):
            if os.path.exists(name):
                os.remove(name)
