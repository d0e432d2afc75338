"""The advisory locks of the facts: each named once, held by a transaction and gone with it.

Never one of a session: a pooler would hand it to a stranger. The first number keeps them apart from the
locks of other programs in the same database.
"""

from enum import IntEnum

from monitor.store.facts.postgres.server import Connection

_FACTS = 0x686F6F6B
"""`hook` in ASCII."""


class Lock(IntEnum):
    """What only one transaction does at a time, or many share and one does alone."""

    SETUP = 1
    NAMES = 2
    DAYS = 3
    RECORDS = 4  # shared by whoever stores records, alone for whoever closes a time to them
    FOLD = 5
    PURGE = 6


def take(db: Connection, lock: Lock) -> None:
    """Waits for the lock: the caller's transaction holds it until it ends."""
    db.execute(f"SELECT pg_advisory_xact_lock({_FACTS}, {lock:d})")


def share(db: Connection, lock: Lock) -> None:
    """The same with others that share it; waits for one that took it."""
    db.execute(f"SELECT pg_advisory_xact_lock_shared({_FACTS}, {lock:d})")


def is_taken(db: Connection, lock: Lock) -> bool:
    """Takes the lock if it is free, without waiting; whether it was."""
    row = db.execute(f"SELECT pg_try_advisory_xact_lock({_FACTS}, {lock:d})").fetchone()
    return row == (True,)
