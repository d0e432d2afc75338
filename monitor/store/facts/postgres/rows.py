"""Rows out of PostgreSQL in the driver's binary form, which is the cheaper one to read."""

from typing import Any

from monitor.store.facts.postgres.server import Connection

RECORD = (
    "uuid_send(record.record_id), record.route, record.outcome, record.received_at_us, record.http_status,"
    " record.process_us, record.error, record.event_hash, record.detail"
)
"""A record row as record_rows has it: its id as 16 bytes."""


def rows(db: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of the answer."""
    return db.cursor(binary=True).execute(statement, values).fetchall()


def walk_indexes(db: Connection) -> None:
    """Makes sorting dear until the snapshot ends.

    A server has no word to name an index, and of a table that was never analyzed it would rather sort all
    rows than walk one (measured: 100,000 rows sorted on disk for a page of 50).
    """
    db.execute("SET LOCAL enable_sort = off")


def is_text(value: str) -> bool:
    """Whether PostgreSQL can hold `value` at all; what it cannot hold, it need not be asked for."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
