"""The facts written to SQLite: one process, one connection, one transaction for all batches there are.

Nothing is answered before it is on disk; what a transaction inserts and its delta for the rollups commit
together. Knows no HTTP and no keys, and reads only what writing needs: reader.py is for the rest.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from monitor.clock import Clock, to_us
from monitor.model import Outcome, SeriesKey
from monitor.store.facts.batches import heard, taken
from monitor.store.facts.expunging import Expunge, Expunged
from monitor.store.facts.names import Names, NameTables
from monitor.store.facts.protocol import Appended, Batch
from monitor.store.facts.record_rows import MINUTE_US
from monitor.store.facts.sqlite import event_runs
from monitor.store.facts.sqlite import expunge as erasing
from monitor.store.facts.sqlite import fold as folding
from monitor.store.facts.sqlite import purge as purging
from monitor.store.facts.sqlite import thin as thinning
from monitor.store.facts.sqlite.clients import put_client
from monitor.store.facts.sqlite.file import (
    LOCK_NAME,
    OwnFile,
    WriterLock,
    create,
    open_for_writing,
    translated,
)
from monitor.store.facts.sqlite.name_tables import SqliteNameTables

__all__ = ["SqliteFactWriter", "create"]

ROWS_A_STATEMENT = 100
FOLD_ITEMS = 50_000
"""Delta items that one fold takes at most, for which requests wait 60 ms; more are left for the next."""

_COLUMNS = "record_id, route, outcome, received_at_us, http_status, process_us, error, event_hash, detail"
_MARKS = "(?,?,?,?,?,?,?,?,?)"
_BLOBS = (slice(0, None, 9), slice(8, None, 9))
"""Where record_id and detail stand in the values of many rows."""
_DATA_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    OverflowError,
    UnicodeError,
    ValueError,
    TypeError,
)
"""What a value that cannot be stored raises; the fault of the record, not of the store."""


class SqliteFactWriter:
    """A FactWriter. Holds the store's lock until closed; used by one thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Opens the store at `path`. Raises Conflict while another process writes it, WrongSchema, or
        Unavailable when it is damaged."""
        self._clock = clock
        self._lock = WriterLock(path.parent / LOCK_NAME)
        try:
            self._file = OwnFile(path)
            self._db = open_for_writing(path)
            self._names = Names(self._making_names)
            self._floor_us = int(
                self._db.execute("SELECT value FROM meta WHERE key = 'floor_us'").fetchone()[0]
            )
        except sqlite3.Error as exc:
            self._lock.release()
            raise translated(exc) from exc
        except BaseException:
            self._lock.release()
            raise
        self._merge: event_runs.Merge | None = None

    @property
    def floor_us(self) -> int:
        """The record time below which nothing is stored or accepted."""
        return self._floor_us

    def intern_series(self, keys: Sequence[SeriesKey], now_us: int) -> Mapping[SeriesKey, int]:
        return self._names.intern_series(keys, now_us)

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        return self._names.intern_errors(names)

    def append(self, batches: Sequence[Batch]) -> Sequence[Appended]:
        """All batches in one transaction, on disk when this returns; one answer a batch.

        A group that the store refuses for its data is tried again batch by batch, then record by record.
        Raises StoreFull when the disk is full, Unavailable when the store cannot take it now; the batches
        may then be sent again, whatever part of them was stored.
        """
        try:
            return self._append(batches)
        except _DATA_ERRORS:
            if len(batches) > 1:
                return [self.append([batch])[0] for batch in batches]
            return [self._append_singly(batch) for batch in batches]

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int:
        return self._insert_or_ignore(
            "INSERT OR IGNORE INTO queue_sample (endpoint, queue, sampled_at_us, depth, oldest_age_us)"
            " VALUES (?, ?, ?, ?, ?)",
            samples,
        )

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int:
        return self._insert_or_ignore(
            "INSERT OR IGNORE INTO probe_result (endpoint, kind, checked_at_us, ok, http_status, latency_us,"
            " error, cert_not_after_us, cert_subject, cert_issuer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            results,
        )

    def heartbeat(self, collector: str, now_us: int) -> None:
        self._insert_or_ignore(
            "INSERT OR IGNORE INTO heartbeat (collector, beat_at_us) VALUES (?, ?)", [(collector, now_us)]
        )

    def fold(self) -> int:
        """Takes the deltas there are into the rollups, in one transaction; returns how many items."""
        if self._db.execute("SELECT 1 FROM delta LIMIT 1").fetchone() is None:
            return 0
        with self._transaction():
            return folding.fold(self._db, self._names.parents, FOLD_ITEMS)

    def merge_events(self) -> bool:
        """One bounded step of keeping the event index to few runs; True while another should follow."""
        merge, self._merge = self._merge, None  # a step that fails ends its merge
        with self._transaction():
            merge, again = event_runs.step(self._db, merge, self._floor_us)
        self._merge = merge
        return again

    def thin(self, now_us: int, rows: int) -> bool:
        with self._transaction():
            return thinning.step(self._db, now_us, rows)

    def expunge(self, wanted: Expunge) -> Expunged:
        """Removes the sealed captures of an event so that none of their bytes stay in the store's files."""
        with erasing.zeroing(self._db), self._transaction():
            captures, records = erasing.expunge(self._db, wanted)
        return Expunged(captures, records, erasing.empty_log(self._db))

    def raise_floor(self, floor_us: int, rows: int) -> bool:
        """Raises the floor and deletes at most `rows` records below it; True while more remain.

        A floor below the present one changes nothing but goes on deleting. At the end of it, freed pages go
        back to the file system.
        """
        floor_us = max(floor_us, self._floor_us)
        with self._transaction():
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'floor_us'", (floor_us,))
            remain = purging.delete_below(self._db, floor_us, rows)
        self._floor_us = floor_us
        if not remain:
            self._db.execute("PRAGMA incremental_vacuum(2000)").fetchall()
        return remain

    def prune(self) -> None:
        """Deletes feed rows, samples, heartbeats and narrow rollups that are past their time."""
        with self._transaction():
            purging.prune(self._db, self._floor_us, to_us(self._clock.now()))

    def oldest_us(self, skip: int) -> int | None:
        """The time of the oldest record but `skip`; None when there are not so many."""
        row = self._db.execute(
            "SELECT record_id FROM record ORDER BY record_id LIMIT 1 OFFSET ?", (skip,)
        ).fetchone()
        return int.from_bytes(row[0][:6], "big") * 1000 if row else None

    def used_bytes(self) -> int:
        pages, free, size = (
            int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def close(self) -> None:
        """Closes the store and lets its lock go. Does nothing the second time."""
        self._db.close()
        self._lock.release()

    def _append(self, batches: Sequence[Batch]) -> list[Appended]:
        too_old = self._refused(batches)
        kept = [
            taken(batch, sorted(set(range(len(batch.rows))).difference(below))) if below else batch
            for batch, below in zip(batches, too_old, strict=True)
        ]
        if self._store_all(kept):
            return [Appended(len(batch.rows), 0, below) for batch, below in zip(kept, too_old, strict=True)]
        fresh = self._store_fresh(kept)
        return [
            Appended(n, len(batch.rows) - n, below)
            for batch, n, below in zip(kept, fresh, too_old, strict=True)
        ]

    def _append_singly(self, batch: Batch) -> Appended:
        """The same record by record: those that cannot be stored are left out and named."""
        accepted = duplicates = 0
        too_old, unstorable = [], []
        for index in range(len(batch.rows)):
            try:
                done = self._append([taken(batch, [index])])[0]
            except _DATA_ERRORS:
                unstorable.append(index)
                continue
            accepted += done.accepted
            duplicates += done.duplicates
            too_old.extend([index] * len(done.too_old))
        return Appended(accepted, duplicates, too_old, unstorable)

    def _store_all(self, batches: Sequence[Batch]) -> bool:
        """Stores every record, or nothing when one of them is known already; whether it did."""
        rows = batches[0].rows if len(batches) == 1 else [row for batch in batches for row in batch.rows]
        with self._transaction() as transaction:
            before = self._db.total_changes
            self._insert(rows, "OR IGNORE ")
            if self._db.total_changes - before != len(rows):
                transaction.undo = True
                return False
            self._store_beside(batches, batches)
        return True

    def _store_fresh(self, batches: Sequence[Batch]) -> list[int]:
        """Stores each record that is not known yet, the first copy of it; how many of each batch."""
        with self._transaction():
            known = self._known([row[0] for batch in batches for row in batch.rows])
            fresh = []
            for batch in batches:
                indexes = []
                for index, row in enumerate(batch.rows):
                    if row[0] not in known:
                        known.add(row[0])
                        indexes.append(index)
                fresh.append(batch if len(indexes) == len(batch.rows) else taken(batch, indexes))
            self._insert([row for batch in fresh for row in batch.rows], "")
            self._store_beside(batches, fresh)
        return [len(batch.rows) for batch in fresh]

    def _insert(self, rows: Sequence[tuple[object, ...]], clause: str) -> None:
        """Inserts rows a hundred a statement: fewer calls, and fewer changes of the running thread."""
        execute = self._db.execute
        for at in range(0, len(rows), ROWS_A_STATEMENT):
            some = rows[at : at + ROWS_A_STATEMENT]
            values: list[Any] = list(chain.from_iterable(some))
            for blobs in _BLOBS:  # sqlite3 looks for an adapter of each bytes, 0.15 µs, and of no bytearray
                values[blobs] = map(bytearray, values[blobs])
            execute(_insert_statement(clause, len(some)), values)

    def _store_beside(self, given: Sequence[Batch], batches: Sequence[Batch]) -> None:
        """What goes with inserted records: their delta, feed rows, captures and the clients' counts.

        given: the batches with the records that were known already.
        """
        deltas = [batch.deltas for batch in batches if len(batch.deltas)]
        if sum(map(len, deltas)) != sum(len(batch.rows) for batch in batches):
            raise ValueError("a batch needs one delta a record")
        if deltas:
            items = b"".join(map(np.ndarray.tobytes, deltas))
            self._db.execute("INSERT INTO delta (items) VALUES (?)", (items,))
        if any(batch.bare for batch in batches):
            thinning.note(self._db, batches, to_us(self._clock.now()))
        for batch in batches:
            if batch.fed:
                self._db.executemany(
                    "INSERT INTO feed (record_id, records) VALUES (?, ?)",
                    [(batch.rows[group[-1]][0], len(group)) for group in batch.fed],
                )
            if batch.captures:
                self._db.executemany(
                    "INSERT OR IGNORE INTO capture (endpoint, event_id, record_id, redacted, sealed)"
                    " VALUES (?, ?, ?, ?, ?)",
                    [
                        (c.endpoint, c.event_id, batch.rows[c.index][0], int(c.redacted), c.sealed)
                        for c in batch.captures
                    ],
                )
        for client in heard(given, batches):
            put_client(self._db, client)

    def _known(self, record_ids: Sequence[object]) -> set[object]:
        found: set[object] = set()
        for at in range(0, len(record_ids), 500):
            some = record_ids[at : at + 500]
            marks = ",".join("?" * len(some))
            query = f"SELECT record_id FROM record WHERE record_id IN ({marks})"  # noqa: S608  # marks only
            found.update(row[0] for row in self._db.execute(query, some))
        return found

    def _refused(self, batches: Sequence[Batch]) -> list[list[int]]:
        """Per batch the indexes of the records that are not taken any more: below the floor, or thinned."""
        minutes, outcomes = (
            np.concatenate([batch.deltas[name] for batch in batches]) for name in ("minute", "outcome")
        )
        is_below = self._floor_us and minutes.size and minutes.min() <= self._floor_us // MINUTE_US
        if not is_below and Outcome.REJECTED.code not in outcomes:
            return [[] for _ in batches]  # mostly so: one look at all of them is enough
        return [sorted({*self._below_floor(batch), *thinning.refused(self._db, batch)}) for batch in batches]

    def _below_floor(self, batch: Batch) -> list[int]:
        floor_ms = -(-self._floor_us // 1000)
        return [i for i, row in enumerate(batch.rows) if _stamp_ms(row[0]) < floor_ms]

    def _insert_or_ignore(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        with self._transaction():
            before = self._db.total_changes
            self._db.executemany(statement, rows)
            return self._db.total_changes - before

    @contextmanager
    def _making_names(self) -> Iterator[NameTables]:
        with self._transaction():
            yield SqliteNameTables(self._db)

    @contextmanager
    def _transaction(self) -> Iterator["_Transaction"]:
        """BEGIN IMMEDIATE … COMMIT, or ROLLBACK on an error or when the body asks to undo it."""
        state = _Transaction()
        self._file.require()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield state
            self._db.execute("ROLLBACK" if state.undo else "COMMIT")
        except sqlite3.OperationalError as exc:
            raise translated(exc) from exc
        except sqlite3.DatabaseError as exc:
            if isinstance(exc, _DATA_ERRORS):
                raise
            raise translated(exc) from exc
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


class _Transaction:
    undo = False


@cache
def _insert_statement(clause: str, rows: int) -> str:
    return f"INSERT {clause}INTO record ({_COLUMNS}) VALUES {','.join([_MARKS] * rows)}"  # noqa: S608  # no data


def _stamp_ms(record_id: object) -> int:
    return int.from_bytes(bytes(record_id)[:6], "big")  # type: ignore[call-overload]
