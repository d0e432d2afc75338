"""One group of batches into PostgreSQL in the caller's transaction: records, then all that goes with them.

Every collector writes in one order, of tables and of keys in each, so that no two deadlock. COPY takes rows
nearly twice as fast as INSERT … ON CONFLICT does (binary_copy.py), but it stops at the first row that is
there already: the caller then undoes it all and asks for a careful run, which looks first.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

import numpy as np

from monitor.store.facts.batches import heard, taken
from monitor.store.facts.postgres import thin
from monitor.store.facts.postgres.binary_copy import RECORD_COPY, packed
from monitor.store.facts.postgres.clients import put_clients
from monitor.store.facts.postgres.locks import Lock, share
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.protocol import Appended, Batch
from monitor.store.facts.record_rows import Row, first_id_at

# LIMIT makes it one look into the primary key an id, whatever the planner believes of a day that was never
# analyzed; a list of ids instead would be planned one by one against every day. The range names the days
_KNOWN = """SELECT uuid_send(given.id) FROM unnest(%b::uuid[]) AS given (id), LATERAL (
    SELECT FROM facts.record WHERE record_id = given.id AND record_id BETWEEN %b AND %b LIMIT 1) AS found"""
_PUT_CAPTURE = """INSERT INTO facts.capture (endpoint, event_id, record_id, redacted, sealed)
    VALUES (%s, %s, %s, %s, %b) ON CONFLICT DO NOTHING"""
_PUT_FEED = """
    INSERT INTO facts.feed (record_id, records, fed_at_us)
    SELECT *, %s FROM unnest(%b::uuid[], %b::integer[])"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a group: one answer a batch, and the floor it met."""

    answers: Sequence[Appended]
    floor_us: int


def store(db: Connection, batches: Sequence[Batch], now_us: int, careful: bool) -> Stored:
    """Stores every record that is neither below the floor nor known, the first copy of each.

    careful: looks for known records first. Otherwise raises UniqueViolation when there is one, and in either
    case when another collector stores one meanwhile.
    """
    floor_us = floor_of(db)
    too_old = [_refused(db, batch, floor_us) for batch in batches]
    kept = [without(batch, old) for batch, old in zip(batches, too_old, strict=True)]
    known = _known(db, [record_id for batch in kept for record_id in ids_of(batch)]) if careful else set()
    fresh = unknown(kept, known)
    _put_records(db, [row for batch in fresh for row in batch.rows])
    _put_beside(db, kept, fresh, now_us)
    answers = [
        Appended(len(new.rows), len(batch.rows) - len(new.rows), old)
        for batch, new, old in zip(kept, fresh, too_old, strict=True)
    ]
    return Stored(answers, floor_us)


def _refused(db: Connection, batch: Batch, floor_us: int) -> list[int]:
    """Indexes of records that are not taken any more: below the floor, or thinned away with their minute."""
    closed = thin.closed(db, batch)
    if not closed:
        return below(batch, floor_us)
    ids = ids_of(batch)
    stored = _known(db, [ids[index] for index in closed])
    return sorted({*below(batch, floor_us), *(index for index in closed if ids[index] not in stored)})


def floor_of(db: Connection) -> int:
    """The floor, which stays where it is until the caller's transaction ends."""
    share(db, Lock.RECORDS)
    row = db.execute("SELECT value FROM facts.meta WHERE key = 'floor_us'").fetchone()
    return int(str(row[0])) if row else 0


def ids_of(batch: Batch) -> list[bytes]:
    """The ids of its records, in their order."""
    return [row[0] for row in batch.rows]  # type: ignore[misc]  # what else stands there raises TypeError


def below(batch: Batch, floor_us: int) -> list[int]:
    """Indexes of the records below the floor."""
    ids, first = ids_of(batch), first_id_at(floor_us)
    if not floor_us or not ids or min(ids) >= first:
        return []
    return [index for index, record_id in enumerate(ids) if record_id < first]


def without(batch: Batch, indexes: Sequence[int]) -> Batch:
    """The batch without the records at `indexes`."""
    if not indexes:
        return batch
    left_out = set(indexes)
    return taken(batch, [index for index in range(len(batch.rows)) if index not in left_out])


def unknown(batches: Sequence[Batch], known: Set[bytes]) -> list[Batch]:
    """The batches with only the first copy of each record that is not known."""
    seen, found = set(known), []
    for batch in batches:
        indexes = []
        for index, record_id in enumerate(ids_of(batch)):
            if record_id not in seen:
                seen.add(record_id)
                indexes.append(index)
        found.append(batch if len(indexes) == len(batch.rows) else taken(batch, indexes))
    return found


def _known(db: Connection, ids: Sequence[bytes]) -> Set[bytes]:
    given = [UUID(bytes=record_id) for record_id in ids]
    if not given:
        return set()
    found = db.cursor(binary=True).execute(_KNOWN, (given, min(given), max(given)))
    return {bytes(record_id) for (record_id,) in found}  # type: ignore[call-overload]


def _put_records(db: Connection, rows: Sequence[Row]) -> None:
    if not rows:
        return
    with db.cursor().copy(RECORD_COPY) as copy:
        copy.write(packed(sorted(rows, key=itemgetter(0))))


def _put_beside(db: Connection, given: Sequence[Batch], batches: Sequence[Batch], now_us: int) -> None:
    """What goes with inserted records: their delta, feed rows, captures and the clients' counts.

    given: the batches with the records that were known already.
    """
    deltas = [batch.deltas for batch in batches if len(batch.deltas)]
    if sum(map(len, deltas)) != sum(len(batch.rows) for batch in batches):
        raise ValueError("a batch needs one delta a record")
    if deltas:
        items = (deltas[0] if len(deltas) == 1 else np.concatenate(deltas)).tobytes()
        db.execute("INSERT INTO facts.delta (items) VALUES (%b)", (items,))
    thin.note(db, batches, now_us)
    fed = [(_uuid(batch, group[-1]), len(group)) for batch in batches for group in batch.fed]
    if fed:
        ids, records = zip(*fed, strict=True)
        db.execute(_PUT_FEED, (now_us, list(ids), list(records)))
    captures = [
        (c.endpoint, c.event_id, _uuid(batch, c.index), c.redacted, c.sealed)
        for batch in batches
        for c in batch.captures
    ]
    if captures:
        with db.cursor() as cursor:
            cursor.executemany(_PUT_CAPTURE, sorted(captures, key=itemgetter(0, 1)))
    put_clients(db, heard(given, batches))


def _uuid(batch: Batch, index: int) -> UUID:
    return UUID(bytes=batch.rows[index][0])  # type: ignore[arg-type]
