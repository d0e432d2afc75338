"""Record rows as they lie on disk, and what they stand for: a Record to show, a delta to count again.

Every SQL store keeps these nine columns. Nothing here reads a store or opens a capture.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from monitor.clock import from_us
from monitor.model import OUTCOMES, REASONS, Duration, Record, SeriesKey
from monitor.rollup import ABSENT, AGAIN, CANARY, DELTA, HAS_EVENT, REPLAY, SKEW_US, SKEWED, Deltas
from monitor.store.facts.detail import Detail, decode

COLUMNS = (
    "record_id",
    "route",
    "outcome",
    "received_at_us",
    "http_status",
    "process_us",
    "error",
    "event_hash",
    "detail",
)
"""The columns of a row, in the order of everything below."""

Row = Sequence[Any]

MINUTE_US = 60_000_000


def recorded_at_us(record_id: bytes) -> int:
    """The record's time: the millisecond stamp inside its id, in microseconds."""
    return int.from_bytes(record_id[:6], "big") * 1000


def first_id_at(us: int) -> bytes:
    """The smallest record id whose time is not before `us`: a range of times is a range of ids."""
    return max(0, -(-us // 1000)).to_bytes(6, "big") + bytes(10)


def event_id_of(row: Row) -> str | None:
    return decode(row[8]).event_id


def record_of(row: Row, key: SeriesKey, error_name: str | None) -> Record:
    """The Record of a row; key: the series of its route; error_name: of its error code."""
    record_id, _, outcome, received_at_us, http_status, process_us, _, _, packed = row
    detail: Detail = decode(packed)
    created = detail.event_created_at_us
    return Record(
        record_id=UUID(bytes=record_id),
        recorded_at=from_us(recorded_at_us(record_id)),
        environment=key.environment,
        source=key.source or "",
        endpoint=key.endpoint or "",
        event_type=detail.named_type or key.event_type or "",
        event_id=detail.event_id,
        outcome=OUTCOMES[outcome],
        received_at=from_us(received_at_us),
        reason=None if detail.reason is None else REASONS[detail.reason],
        attempt=detail.attempt,
        http_status=http_status,
        ack_ms=_ms(detail.ack_us),
        queue_ms=_ms(detail.queue_us),
        process_ms=_ms(process_us),
        verify_ms=_ms(detail.verify_us),
        latency_ms=_ms(detail.latency_us),
        skew_ms=_ms(detail.skew_us),
        secret_id=detail.secret_id,
        cause=detail.cause,
        event_created_at=None if created is None else from_us(created),
        resource=detail.resource,
        version=detail.version,
        error_class=detail.named_error or error_name,
        error_message=detail.error_message,
        error_stack=detail.error_stack,
        canary=detail.canary,
        replay_id=detail.replay_id,
        receiver=detail.receiver,
        remote_ip=detail.remote_ip,
        user_agent=detail.user_agent,
        trace_id=detail.trace_id,
        span_id=detail.span_id,
        labels=detail.labels or {},
        has_capture=detail.has_capture,
    )


def deltas_of(rows: Sequence[Row]) -> Deltas:
    """What the fold was given when these rows were inserted, computed again from what is stored."""
    found = np.zeros(len(rows), dtype=DELTA)
    if not rows:
        return found
    ids, route, outcome, received, status, process, error, hashes, packed = zip(*rows, strict=True)
    details = [decode(blob) for blob in packed]
    found["record_id"] = np.frombuffer(b"".join(ids), dtype="V16")
    found["route"] = route
    found["minute"] = [recorded_at_us(record_id) // MINUTE_US for record_id in ids]
    found["received_minute"] = np.array(received, dtype=np.int64) // MINUTE_US
    durations = found["durations"]
    durations[:, Duration.PROCESS] = [_or_absent(taken) for taken in process]
    durations[:, Duration.ACK] = [_or_absent(detail.ack_us) for detail in details]
    durations[:, Duration.QUEUE] = [_or_absent(detail.queue_us) for detail in details]
    durations[:, Duration.VERIFY] = [_or_absent(detail.verify_us) for detail in details]
    durations[:, Duration.LATENCY] = [_or_absent(detail.latency_us) for detail in details]
    found["error"] = error
    found["status"] = [value or 0 for value in status]
    found["outcome"] = outcome
    found["reason"] = [0 if detail.reason is None else detail.reason + 1 for detail in details]
    found["flags"] = [
        (REPLAY if detail.replay_id is not None else 0)
        | (CANARY if detail.canary else 0)
        | (HAS_EVENT if event_hash is not None else 0)
        | (AGAIN if (detail.attempt or 1) > 1 else 0)
        | (SKEWED if abs(detail.skew_us or 0) > SKEW_US else 0)
        for detail, event_hash in zip(details, hashes, strict=True)
    ]
    found["event_hash"] = [event_hash or 0 for event_hash in hashes]
    return found


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _or_absent(us: int | None) -> int:
    return ABSENT if us is None else us
