"""Records for the tests of the facts stores: plain values, and the batches a front would make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from monitor.model import OUTCOME_CODES, REASON_CODES, Duration, SeriesKey
from monitor.rollup import ABSENT, CANARY, DELTA, HAS_EVENT, REPLAY
from monitor.store.facts.detail import Detail, encode
from monitor.store.facts.protocol import Batch, CaptureRow, ClientCounts, FactWriter

START_US = 1_795_000_000_000_000  # 2026-11-18T11:06:40Z
PAYOUTS = SeriesKey("production", "orum", "payouts", "transfer.updated")


@dataclass(frozen=True, slots=True)
class Made:
    """One record as a test thinks of it; durations in microseconds, None where not reported."""

    number: int  # makes the id
    at_us: int = START_US
    key: SeriesKey = PAYOUTS
    outcome: str = "succeeded"
    received_us: int | None = None
    event_id: str | None = None
    reason: str | None = None
    status: int | None = None
    durations: tuple[int | None, int | None, int | None, int | None, int | None] = (None,) * 5
    error: str | None = None
    replay_id: str | None = None
    canary: bool = False

    @property
    def record_id(self) -> bytes:
        head = (self.at_us // 1000).to_bytes(6, "big")
        tail = self.number.to_bytes(8, "big")
        return head + b"\x70\x00" + b"\x80" + tail[1:]

    @property
    def received_at_us(self) -> int:
        return self.at_us if self.received_us is None else self.received_us

    @property
    def minute(self) -> int:
        return self.at_us // 1000 // 60_000


def batch_of(
    writer: FactWriter,
    records: Sequence[Made],
    *,
    fed: Sequence[tuple[int, ...]] = (),
    captures: Mapping[int, bytes] | None = None,
    client: ClientCounts | None = None,
) -> Batch:
    """The records coded and packed as the collector's front does it; captures: index → sealed bytes."""
    series = writer.intern_series([record.key for record in records], START_US)
    named = [(series[_endpoint(r.key)], r.error) for r in records if r.error]
    errors = writer.intern_errors(named)
    deltas = np.zeros(len(records), dtype=DELTA)
    rows: list[tuple[object, ...]] = []
    for i, record in enumerate(records):
        endpoint = series[_endpoint(record.key)]
        error = errors[endpoint, record.error] if record.error else 0
        event_hash = crc32(record.event_id.encode()) if record.event_id else None
        rows.append(
            (
                record.record_id,
                series[record.key],
                OUTCOME_CODES[record.outcome],
                record.received_at_us,
                record.status,
                record.durations[Duration.PROCESS],
                error,
                event_hash,
                _detail(record, bool(captures and i in captures)),
            )
        )
        item = deltas[i]
        item["record_id"] = np.void(record.record_id)
        item["route"] = series[record.key]
        item["minute"] = record.minute
        item["received_minute"] = record.received_at_us // 60_000_000
        item["durations"] = [ABSENT if v is None else v for v in record.durations]
        item["error"] = error
        item["status"] = record.status or 0
        item["outcome"] = OUTCOME_CODES[record.outcome]
        item["reason"] = REASON_CODES[record.reason] + 1 if record.reason else 0
        item["flags"] = (REPLAY if record.replay_id else 0) | (CANARY if record.canary else 0)
        if event_hash is not None:
            item["event_hash"] = event_hash
            item["flags"] |= HAS_EVENT
    sealed = [
        CaptureRow(i, series[_endpoint(records[i].key)], records[i].event_id or "", False, blob)
        for i, blob in (captures or {}).items()
    ]
    return Batch(rows, deltas, sealed, fed, client)


def _detail(record: Made, has_capture: bool) -> bytes:
    ack, queue, _, verify, latency = record.durations
    return encode(
        Detail(
            event_id=record.event_id,
            ack_us=ack,
            queue_us=queue,
            verify_us=verify,
            latency_us=latency,
            reason=REASON_CODES[record.reason] if record.reason else None,
            canary=record.canary,
            replay_id=record.replay_id,
            has_capture=has_capture,
        )
    )


def _endpoint(key: SeriesKey) -> SeriesKey:
    return SeriesKey(key.environment, key.source, key.endpoint)
