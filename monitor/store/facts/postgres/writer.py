"""The facts written to PostgreSQL: any number of collectors at once, each from any number of threads.

Nothing is answered before its commit; what a transaction inserts and its delta for the rollups commit
together. Knows no HTTP and no keys, and reads only what writing needs: reader.py is for the rest.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter

from psycopg import errors

from monitor.clock import Clock, to_us
from monitor.errors import Unavailable
from monitor.model import SeriesKey
from monitor.store.facts.batches import taken
from monitor.store.facts.expunging import Expunge, Expunged
from monitor.store.facts.names import Names
from monitor.store.facts.postgres import expunge as erasing
from monitor.store.facts.postgres import fold as folding
from monitor.store.facts.postgres import purge as purging
from monitor.store.facts.postgres import thin as thinning
from monitor.store.facts.postgres.append import below, floor_of, ids_of, store, without
from monitor.store.facts.postgres.locks import Lock, is_taken, take
from monitor.store.facts.postgres.names import making
from monitor.store.facts.postgres.partitions import DAY_US, LOCK_TIMEOUT_MS, ensure_days, retire_days
from monitor.store.facts.postgres.server import DATA_ERRORS, Contended, Server
from monitor.store.facts.postgres.setup import require_server, require_version
from monitor.store.facts.postgres.size import used_bytes
from monitor.store.facts.protocol import Appended, Batch
from monitor.store.facts.record_rows import recorded_at_us

FOLD_ITEMS = 200_000
"""Delta items that one fold takes at most; more are left for the next."""
DAYS_AHEAD = 7
"""Days that are made before they come; a record later than these has no place."""

_TRIES = 10
_TRIES_ALONE = 5
"""How many of these, the last, wait until nobody else stores records: then none can come between."""
_CAREFUL_GROUPS = 100
"""Groups after one with a known record that are taken carefully: such records seldom come alone."""


class PostgresFactWriter:
    """A FactWriter; safe to share between threads."""

    def __init__(self, url: str, clock: Clock, connections: int = 4) -> None:
        """Opens the facts in the database at `url`, with at most `connections` connections.

        Raises ConfigError for a server that cannot keep facts safe, WrongSchema for facts of another
        version, Unavailable when none answers.
        """
        self._clock = clock
        self._server = Server(url, connections)
        self._days: set[int] = set()
        self._parents: dict[int, int] = {}
        self._careful = 0
        try:
            with self._server.write() as db:
                require_server(db)
                require_version(db)
                self._floor_us = floor_of(db)
            self._names = Names(making(self._server))
            self.prepare_days(to_us(clock.now()))
        except BaseException:
            self._server.close()
            raise

    @property
    def floor_us(self) -> int:
        """The record time below which nothing is stored or accepted, as this process last met it."""
        return self._floor_us

    def intern_series(self, keys: Sequence[SeriesKey], now_us: int) -> Mapping[SeriesKey, int]:
        return self._names.intern_series(keys, now_us)

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        return self._names.intern_errors(names)

    def append(self, batches: Sequence[Batch]) -> Sequence[Appended]:
        """All batches in one transaction, on disk when this returns; one answer a batch.

        A group that the store refuses for its data is tried again batch by batch, then in ever smaller parts
        of a batch. Raises StoreFull when the disk is full, Unavailable when the store cannot take it now;
        the batches may then be sent again, whatever part of them was stored.
        """
        try:
            return self._append(batches)
        except DATA_ERRORS:
            if len(batches) > 1:
                return [self.append([batch])[0] for batch in batches]
            return [self._append_parts(batch, range(len(batch.rows))) for batch in batches]

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int:
        return self._insert_or_ignore(
            "INSERT INTO facts.queue_sample (endpoint, queue, sampled_at_us, depth, oldest_age_us)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            sorted(samples, key=itemgetter(0, 1, 2)),
        )

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int:
        return self._insert_or_ignore(
            "INSERT INTO facts.probe_result (endpoint, kind, checked_at_us, ok, http_status, latency_us,"
            " error, cert_not_after_us, cert_subject, cert_issuer)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            sorted(results, key=itemgetter(0, 1, 2)),
        )

    def heartbeat(self, collector: str, now_us: int) -> None:
        self._insert_or_ignore(
            "INSERT INTO facts.heartbeat (collector, beat_at_us) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [(collector, now_us)],
        )

    def fold(self) -> int:
        """Takes the deltas there are into the rollups, in one transaction; returns how many items.

        0 while another collector folds.
        """
        with self._server.write() as db:
            return folding.fold(db, self._parents, FOLD_ITEMS) if is_taken(db, Lock.FOLD) else 0

    def merge_events(self) -> bool:
        """Nothing: each day of records has an index of its events."""
        return False

    def thin(self, now_us: int, rows: int) -> bool:
        with self._server.write(LOCK_TIMEOUT_MS) as db:
            return thinning.step(db, now_us, rows)

    def expunge(self, wanted: Expunge) -> Expunged:
        """Removes the sealed captures of an event, and its records' texts when asked; counts stay."""
        with self._server.write() as db:
            captures, records = erasing.expunge(db, wanted)
        return Expunged(captures, records, is_settled=True)

    def raise_floor(self, floor_us: int, rows: int) -> bool:
        """Raises the floor and deletes at most `rows` records below it; True while more remain.

        A floor below the present one changes nothing but goes on deleting. Whole days go at once, unless a
        long query holds them: then at a later call. What another collector is deleting is left to it.
        """
        with self._server.write(LOCK_TIMEOUT_MS) as db:
            self._floor_us = purging.raise_floor(db, floor_us)
        retire_days(self._server, self._floor_us)
        with self._server.write() as db:
            return is_taken(db, Lock.PURGE) and purging.delete_below(db, self._floor_us, rows)

    def prune(self) -> None:
        """Deletes feed rows, samples, heartbeats and narrow rollups that are past their time."""
        with self._server.write() as db:
            take(db, Lock.FOLD)  # it changes rollups in an order of its own
            purging.prune(db, self._floor_us, to_us(self._clock.now()))

    def oldest_us(self, skip: int) -> int | None:
        """The time of the oldest record but `skip`; None when there are not so many."""
        with self._server.read() as db:
            row = db.execute(
                "SELECT uuid_send(record_id) FROM facts.record ORDER BY record_id LIMIT 1 OFFSET %s", (skip,)
            ).fetchone()
        return recorded_at_us(bytes(row[0])) if row else None  # type: ignore[call-overload]

    def used_bytes(self) -> int:
        with self._server.read() as db:
            return used_bytes(db)

    def prepare_days(self, now_us: int) -> None:
        """Makes the partitions of today and of the days to come, where they lack."""
        ensure_days(self._server, now_us, now_us + DAYS_AHEAD * DAY_US)

    def close(self) -> None:
        """Closes the connections. Does nothing the second time."""
        self._server.close()

    def _insert_or_ignore(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        with self._server.write() as db, db.cursor() as cursor:
            cursor.executemany(statement, rows)
            return cursor.rowcount

    def _append(self, batches: Sequence[Batch]) -> Sequence[Appended]:
        """Again for as long as other transactions stand in the way: each time one of them has ended."""
        careful, renewed = self._careful > 0, False
        self._careful = max(0, self._careful - 1)
        for left in reversed(range(_TRIES)):
            try:
                self._make_days(batches)
                with self._server.write() as db:
                    if left < _TRIES_ALONE:
                        take(db, Lock.RECORDS)
                    stored = store(db, batches, to_us(self._clock.now()), careful)
                self._floor_us = max(self._floor_us, stored.floor_us)
                return stored.answers
            except errors.UniqueViolation:
                careful, self._careful = True, _CAREFUL_GROUPS
            except errors.CheckViolation:
                if renewed:  # a record has no day, and not because one that was there is gone
                    raise
                renewed = True
                self._days.clear()
            except Contended:
                if not left:
                    raise
        raise Unavailable("other collectors store the same records", "send them again", retry_after_s=2)

    def _append_parts(self, batch: Batch, indexes: Sequence[int]) -> Appended:
        """The records at `indexes` in halves of halves; those that cannot be stored are named."""
        try:
            done = self._append([taken(batch, indexes)])[0]
        except DATA_ERRORS:
            if len(indexes) < 2:
                return Appended(0, 0, [], indexes)
        else:
            return Appended(done.accepted, done.duplicates, [indexes[index] for index in done.too_old])
        middle = len(indexes) // 2
        one, other = (self._append_parts(batch, part) for part in (indexes[:middle], indexes[middle:]))
        return Appended(
            one.accepted + other.accepted,
            one.duplicates + other.duplicates,
            [*one.too_old, *other.too_old],
            [*one.unstorable, *other.unstorable],
        )

    def _make_days(self, batches: Sequence[Batch]) -> None:
        """Makes the partitions that these records fall into and lack, up to the last that is made ahead."""
        kept = [without(batch, below(batch, self._floor_us)) for batch in batches]
        ids = [record_id for batch in kept for record_id in ids_of(batch)]
        if not ids:
            return
        first, last = _day(min(ids)), _day(max(ids))
        days = {first} if first == last else {_day(record_id) for record_id in ids}
        latest = to_us(self._clock.now()) // DAY_US + DAYS_AHEAD
        for day in sorted(day for day in days - self._days if day <= latest):
            ensure_days(self._server, day * DAY_US, day * DAY_US)
            self._days.add(day)


def _day(record_id: bytes) -> int:
    return recorded_at_us(record_id) // DAY_US
