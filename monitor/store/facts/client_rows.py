"""What SDK instances say of themselves, as rows: cumulative counts keep the largest seen per start."""

import sqlite3

import msgspec

from monitor.store.facts.protocol import ClientCounts

_encode = msgspec.msgpack.Encoder().encode
_decode_counts = msgspec.msgpack.Decoder(dict[str, int]).decode


def upsert_client(db: sqlite3.Connection, client: ClientCounts) -> None:
    """Stores the counts inside the caller's transaction. A late batch never makes a count fall."""
    key = (client.name, client.instance, client.started_at_us)
    found = db.execute(
        "SELECT dropped, seen_at_us FROM client WHERE name = ? AND instance = ? AND started_at_us = ?", key
    ).fetchone()
    dropped = dict(client.dropped)
    if found:
        for reason, n in _decode_counts(found[0]).items():
            dropped[reason] = max(dropped.get(reason, 0), n)
    db.execute(
        "INSERT INTO client (name, instance, started_at_us, version, seen_at_us, skew_us, produced, spooled,"
        " dropped, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name, instance, started_at_us) DO UPDATE SET"
        " produced = max(produced, excluded.produced), spooled = max(spooled, excluded.spooled),"
        " dropped = excluded.dropped,"
        " version = CASE WHEN excluded.seen_at_us >= seen_at_us THEN excluded.version ELSE version END,"
        " skew_us = CASE WHEN excluded.seen_at_us >= seen_at_us THEN excluded.skew_us ELSE skew_us END,"
        " state = CASE WHEN excluded.seen_at_us >= seen_at_us THEN excluded.state ELSE state END,"
        " seen_at_us = max(seen_at_us, excluded.seen_at_us)",
        (
            *key,
            client.version,
            client.seen_at_us,
            client.skew_us,
            client.produced,
            client.spooled,
            _encode(dropped),
            _encode(dict(client.state)),
        ),
    )
