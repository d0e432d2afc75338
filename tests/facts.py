"""Facts for tests: records by the handful, packed by hand and stored through a FactWriter.

The packing here is a second, slow writing-down of what the collector's front does, so that the store's tests
do not lean on the front's code.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zlib import crc32

import numpy as np

from monitor.clock import to_us
from monitor.model import ATTEMPTS, OTHER, UNVERIFIED, Outcome, Reason, Record, SeriesKey
from monitor.rollup import ABSENT, AGAIN, CANARY, DELTA, HAS_EVENT, REPLAY, SKEWED, Deltas
from monitor.store.facts.detail import Detail, encode
from monitor.store.facts.protocol import Appended, Batch, CaptureRow, ClientCounts, FactWriter
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import FakeClock

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday in week 2026-W47."""
MINUTE_US = 60_000_000


def uuid7(at: datetime, number: int) -> UUID:
    """The `number`-th UUIDv7 of the millisecond of `at`: later numbers sort later."""
    ms = to_us(at) // 1000
    return UUID(int=(ms << 80) | (7 << 76) | (2 << 62) | number)


@dataclass(slots=True)
class RecordFactory:
    """Makes records that differ in id and event; every field can be given."""

    made: int = 0

    def __call__(self, outcome: Outcome = Outcome.SUCCEEDED, at: datetime = NOON, **given: object) -> Record:
        """A record of `stripe/payments invoice.paid` known at `at`, received 100 ms before."""
        self.made += 1
        rejected = outcome is Outcome.REJECTED
        attempt = outcome in ATTEMPTS
        failed = outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED)
        made = Record(
            record_id=uuid7(at, self.made),
            recorded_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
            environment="production",
            source="stripe",
            endpoint="payments",
            event_type=UNVERIFIED if rejected else "invoice.paid",
            event_id=None if rejected else f"evt_{self.made}",
            outcome=outcome,
            received_at=at - timedelta(milliseconds=100),
            reason=Reason.BAD_SIGNATURE if rejected else None,
            attempt=1 if attempt else None,
            process_ms=40.0 if attempt else None,
            queue_ms=5.0 if attempt else None,
            latency_ms=100.0,
            error_class="TimeoutError" if failed else None,
            error_message="no answer from the ledger" if failed else None,
        )
        return replace(made, **given)  # type: ignore[arg-type]  # names of fields, checked by replace itself

    def delivery(self, outcome: Outcome = Outcome.SUCCEEDED, at: datetime = NOON, **given: object) -> Record:
        """A record that is a delivery too: answered after 30 ms."""
        status = 401 if outcome is Outcome.REJECTED else 200
        return self(outcome, at, **{"http_status": status, "ack_ms": 30.0, "verify_ms": 0.4, **given})


@dataclass(slots=True)
class Captured:
    """What to store beside one record."""

    sealed: bytes
    redacted: bool = False


@dataclass(slots=True)
class Filled:
    """A writer with a hand for records: packs them, appends them, folds when told."""

    writer: FactWriter
    now: datetime = NOON
    captures: dict[UUID, Captured] = field(default_factory=dict)

    def add(
        self, records: Iterable[Record], *, client: ClientCounts | None = None, bare: Sequence[Record] = ()
    ) -> Appended:
        """Stores the records as one batch, unfolded; bare: those of them that are stored bare."""
        return self.writer.append([self.batch(list(records), client, bare)])[0]

    def batch(
        self, records: Sequence[Record], client: ClientCounts | None = None, bare: Sequence[Record] = ()
    ) -> Batch:
        stripped = {record.record_id for record in bare}
        keys = {record.record_id: route_of(record) for record in records}
        codes = self.writer.intern_series(list(keys.values()), to_us(self.now))
        endpoints = {record.record_id: codes[_endpoint(keys[record.record_id])] for record in records}
        errors = self.writer.intern_errors(
            [(endpoints[r.record_id], r.error_class) for r in records if r.error_class is not None]
        )
        routes = [codes[keys[record.record_id]] for record in records]
        coded = [errors.get((endpoints[r.record_id], r.error_class or ""), 0) for r in records]
        others = [errors.get((endpoints[r.record_id], OTHER)) for r in records]
        over_cap = [code != 0 and code == other for code, other in zip(coded, others, strict=True)]
        return Batch(
            rows=[
                _row(*parts, bare=parts[0].record_id in stripped)
                for parts in zip(records, routes, coded, over_cap, strict=True)
            ],
            deltas=_deltas(records, routes, coded),
            captures=[
                CaptureRow(i, endpoints[r.record_id], r.event_id or "", kept.redacted, kept.sealed)
                for i, r in enumerate(records)
                if (kept := self.captures.get(r.record_id)) is not None
            ],
            fed=_fed(records, routes, coded),
            client=client,
            bare=[i for i, record in enumerate(records) if record.record_id in stripped],
        )


def route_of(record: Record) -> SeriesKey:
    return SeriesKey(record.environment, record.source, record.endpoint, record.event_type)


def _endpoint(key: SeriesKey) -> SeriesKey:
    return SeriesKey(key.environment, key.source, key.endpoint)


def _fed(records: Sequence[Record], routes: Sequence[int], errors: Sequence[int]) -> list[tuple[int, ...]]:
    """Dead letters and replays alone, failed attempts with those of their type and class."""
    alone, together = [], defaultdict[tuple[int, int], list[int]](list)
    for place, record in enumerate(records):
        if record.outcome is Outcome.DEAD_LETTERED or record.replay_id is not None:
            alone.append((place,))
        elif record.outcome is Outcome.FAILED and not record.canary:
            together[routes[place], errors[place]].append(place)
    return alone + [tuple(places) for places in together.values()]


def _row(record: Record, route: int, error: int, over_cap: bool, *, bare: bool) -> tuple[object, ...]:
    detail = Detail(
        event_id=record.event_id,
        ack_us=_us(record.ack_ms),
        queue_us=_us(record.queue_ms),
        verify_us=_us(record.verify_ms),
        latency_us=_us(record.latency_ms),
        attempt=record.attempt,
        receiver=record.receiver,
        secret_id=record.secret_id,
        reason=None if record.reason is None else record.reason.code,
        error_message=record.error_message,
        error_stack=record.error_stack,
        canary=record.canary,
        replay_id=record.replay_id,
        skew_us=_us(record.skew_ms),
        cause=record.cause,
        event_created_at_us=None if record.event_created_at is None else to_us(record.event_created_at),
        resource=record.resource,
        version=record.version,
        remote_ip=record.remote_ip,
        user_agent=record.user_agent,
        trace_id=record.trace_id,
        span_id=record.span_id,
        labels=dict(record.labels) or None,
        named_error=record.error_class if over_cap else None,
        has_capture=record.has_capture,
        bare=bare,
    )
    return (
        record.record_id.bytes,
        route,
        record.outcome.code,
        to_us(record.received_at),
        record.http_status,
        _us(record.process_ms),
        error,
        None if record.event_id is None else crc32(record.event_id.encode()),
        encode(detail),
    )


def _deltas(records: Sequence[Record], routes: Sequence[int], errors: Sequence[int]) -> Deltas:
    found = np.zeros(len(records), dtype=DELTA)
    for item, record, route, error in zip(found, records, routes, errors, strict=True):
        durations = (record.ack_ms, record.queue_ms, record.process_ms, record.verify_ms, record.latency_ms)
        item["record_id"] = record.record_id.bytes
        item["route"] = route
        item["minute"] = to_us(record.recorded_at) // MINUTE_US
        item["received_minute"] = to_us(record.received_at) // MINUTE_US
        item["durations"] = [ABSENT if ms is None else round(ms * 1000) for ms in durations]
        item["error"] = error
        item["status"] = record.http_status or 0
        item["outcome"] = record.outcome.code
        item["reason"] = 0 if record.reason is None else record.reason.code + 1
        item["flags"] = (REPLAY if record.replay_id is not None else 0) | (CANARY if record.canary else 0)
        item["flags"] |= AGAIN if (record.attempt or 1) > 1 else 0
        item["flags"] |= SKEWED if abs(record.skew_ms or 0) > 30_000 else 0
        if record.event_id is not None:
            item["event_hash"] = crc32(record.event_id.encode())
            item["flags"] |= HAS_EVENT
    return found


def _us(ms: float | None) -> int | None:
    return None if ms is None else round(ms * 1000)


def mixed(count: int, seed: int = 1, *, start: datetime = NOON, over: timedelta) -> list[Record]:
    """`count` records of every kind, spread over [start, start + over), the same for the same seed."""
    dice = random.Random(seed)
    make = RecordFactory(made=seed * 1_000_000)
    found = []
    for _ in range(count):
        at = start + over * dice.random()
        source, endpoint = dice.choice([("stripe", "payments"), ("stripe", "refunds"), ("orum", "transfers")])
        given: dict[str, object] = {"source": source, "endpoint": endpoint}
        outcome = dice.choice(list(Outcome))
        if outcome is not Outcome.REJECTED:
            given["event_type"] = dice.choice(["invoice.paid", "invoice.voided"])
            given["event_id"] = f"evt_{dice.randrange(count)}"
        if outcome in ATTEMPTS:
            given["process_ms"] = round(dice.lognormvariate(3, 1), 3)
        if outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED):
            given["error_class"] = dice.choice(["TimeoutError", "KeyError", "LedgerError"])
        if dice.random() < 0.1:
            given["replay_id"] = f"rep_{dice.randrange(9)}"
        if dice.random() < 0.1:
            given["canary"] = True
        made = make.delivery if dice.random() < 0.5 else make
        given["received_at"] = at - timedelta(milliseconds=dice.randrange(200_000))
        found.append(made(outcome, at, **given))
    return found


@contextmanager
def sqlite_facts(folder: Path, now: datetime = NOON) -> Iterator[tuple[Filled, SqliteFactReader]]:
    """A new, empty SQLite store in `folder`: a hand for writing it and a reader."""
    path = folder / "facts.db"
    create(path)
    writer, reader = SqliteFactWriter(path, FakeClock(now)), SqliteFactReader(path)
    try:
        yield Filled(writer, now), reader
    finally:
        reader.close()
        writer.close()
