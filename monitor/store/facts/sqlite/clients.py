"""What SDK instances say of themselves on SQLite, inside the writer's transaction."""

import sqlite3

from monitor.store.facts.client_rows import KEY, VALUES, key_of, merged
from monitor.store.facts.protocol import ClientCounts

_COLUMNS = ", ".join((*KEY, *VALUES))
_STORED = f"SELECT {', '.join(VALUES)} FROM client WHERE name = ? AND instance = ? AND started_at_us = ?"  # noqa: S608  # column names
_PUT = f"INSERT OR REPLACE INTO client ({_COLUMNS}) VALUES ({', '.join('?' * len((*KEY, *VALUES)))})"  # noqa: S608  # column names


def put_client(db: sqlite3.Connection, client: ClientCounts) -> None:
    """Stores the counts beside those already heard."""
    key = key_of(client)
    stored = db.execute(_STORED, key).fetchone()  # the primary key
    db.execute(_PUT, (*key, *merged(stored, client)))
