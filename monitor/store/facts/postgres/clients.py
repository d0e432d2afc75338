"""What SDK instances say of themselves on PostgreSQL, inside the transaction of an append."""

from collections.abc import Sequence
from typing import Any

from monitor.store.facts.client_rows import KEY, VALUES, Stored, key_of, merged
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.protocol import ClientCounts

_STORED = (
    f"SELECT {', '.join(VALUES)} FROM facts.client"  # noqa: S608  # column names
    " WHERE name = %s AND instance = %s AND started_at_us = %s FOR UPDATE"  # the primary key
)
_ADD = (
    f"INSERT INTO facts.client ({', '.join((*KEY, *VALUES))})"  # noqa: S608  # column names
    f" VALUES ({', '.join(['%s'] * len((*KEY, *VALUES)))}) ON CONFLICT DO NOTHING"
)
_PUT = (
    f"UPDATE facts.client SET {', '.join(f'{name} = %s' for name in VALUES)}"  # noqa: S608  # column names
    " WHERE name = %s AND instance = %s AND started_at_us = %s"
)


def put_clients(db: Connection, clients: Sequence[ClientCounts]) -> None:
    """Stores the counts beside those already heard, in the order of their keys: nobody deadlocks."""
    for client in sorted(clients, key=key_of):
        key = key_of(client)
        stored: Stored | None = _stored(db, key)
        if stored is None:
            if db.execute(_ADD, (*key, *merged(None, client))).rowcount:
                continue
            stored = _stored(db, key)  # another collector was first
        db.execute(_PUT, (*merged(stored, client), *key))


def _stored(db: Connection, key: tuple[str, str, int]) -> tuple[Any, ...] | None:
    return db.cursor(binary=True).execute(_STORED, key).fetchone()
