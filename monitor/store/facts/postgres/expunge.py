"""Removing an event's sealed capture from PostgreSQL, inside the caller's transaction.

No reader sees it from then on. The server overwrites deleted rows in its own time, and its log, replicas and
base backups have a life of their own.
"""

from monitor.store.facts.expunging import Expunge, blanked
from monitor.store.facts.postgres.records import PostgresRecords
from monitor.store.facts.postgres.rows import is_text, rows
from monitor.store.facts.postgres.server import Connection

_ENDPOINTS = """
    SELECT code FROM facts.series WHERE source = %s AND endpoint != '' AND event_type = ''
    AND (%s::text IS NULL OR environment = %s) AND (%s::text IS NULL OR endpoint = %s)"""


def expunge(db: Connection, wanted: Expunge) -> tuple[int, int]:
    """Captures removed and records changed."""
    if not is_text(wanted.source) or not is_text(wanted.event_id):
        return 0, 0
    asked = (wanted.environment, wanted.environment, wanted.endpoint, wanted.endpoint)
    endpoints = [code for (code,) in rows(db, _ENDPOINTS, wanted.source, *asked)]
    captures = db.execute(
        "DELETE FROM facts.capture WHERE endpoint = ANY(%s) AND event_id = %s", (endpoints, wanted.event_id)
    ).rowcount
    routes = {code for (code,) in rows(db, "SELECT code FROM facts.series WHERE parent = ANY(%s)", endpoints)}
    records = 0
    for row in PostgresRecords(db).of_event(wanted.event_id):
        packed = blanked(row[8], wanted.details) if row[1] in routes else None
        if packed is not None:
            db.execute(
                "UPDATE facts.record SET detail = %s WHERE record_id = encode(%s, 'hex')::uuid",
                (packed, bytes(row[0])),
            )
            records += 1
    return captures, records
