"""Judged records into the rows, details and deltas that the store appends: column by column, for speed.

Pure but for the randomness of sealing. What a column holds is said in monitor.store.facts.schema.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec
import numpy as np

from monitor.clock import to_us
from monitor.collector.accept import Judged
from monitor.collector.names import Coded
from monitor.collector.wire import CaptureIn, ClientIn, RecordIn
from monitor.model import OUTCOME_CODES, REASON_CODES, Capture
from monitor.rollup import ABSENT, CANARY, DELTA, REPLAY, Deltas
from monitor.seal import Sealer, capture_context, sealed_capture
from monitor.sparse import Ints
from monitor.store.facts.protocol import Batch, CaptureRow, ClientCounts

_encode = msgspec.msgpack.Encoder().encode
_FORBIDDEN_HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")
_Columns = list[list[int | None]]


def packed(
    judged: Judged,
    coded: Coded,
    sealer: Sealer,
    endpoint: Callable[[str, str, str], int],
    bare: frozenset[int] = frozenset(),
) -> Batch:
    """The batch of these records. endpoint: code of (environment, source, endpoint).

    bare: places of rejections that are counted and stored without their texts.
    """
    records = judged.records
    durations = _durations_us(records)
    columns: _Columns = [[None if us < 0 else us for us in column] for column in durations.T.tolist()]
    outcomes = [OUTCOME_CODES[record.outcome] for record in records]
    ids = [judged.ids[at : at + 16] for at in range(0, len(judged.ids), 16)]
    rows = list(
        zip(
            ids,
            coded.routes,
            outcomes,
            judged.received_us,
            [record.http_status for record in records],
            columns[2],
            coded.errors,
            [crc32(record.event_id.encode()) if record.event_id else None for record in records],
            _details(records, columns, coded, bare),
            strict=True,
        )
    )
    return Batch(
        rows,
        _deltas(judged, coded, durations, outcomes),
        [
            _sealed(place, record, record.capture, sealer, endpoint)
            for place, record in enumerate(records)
            if record.capture is not None and record.event_id
        ],
        [place for place, r in enumerate(records) if r.replay_id or r.outcome == "dead_lettered"],
    )


def client_counts(client: ClientIn | None, now_us: int) -> ClientCounts | None:
    """What the shipping client says of itself, with the skew of its clock (ours minus its own)."""
    if client is None:
        return None
    state = {
        "breakers": client.breakers,
        "inbox_depth": client.inbox_depth,
        "inbox_oldest_age_s": client.inbox_oldest_age_s,
        "memory_bytes": client.memory_bytes,
        "cpu_seconds": client.cpu_seconds,
    }
    sent_us = _us(client.sent_at)
    return ClientCounts(
        client.name,
        client.version,
        client.instance,
        _us(client.started_at) or 0,
        now_us,
        None if sent_us is None else now_us - sent_us,
        client.produced,
        client.spooled,
        client.dropped,
        {name: value for name, value in state.items() if value not in (None, {})},
    )


def _durations_us(records: Sequence[RecordIn]) -> Ints:
    """One row a record, in the order of Duration: microseconds, ABSENT where not reported."""
    given = [(r.ack_ms, r.queue_ms, r.process_ms, r.verify_ms, r.latency_ms) for r in records]
    milliseconds = np.array(given, dtype=np.float64).reshape(-1, 5)  # None becomes NaN
    return np.where(np.isnan(milliseconds), ABSENT, np.rint(milliseconds * 1000)).astype(np.int64)


def _deltas(judged: Judged, coded: Coded, durations: Ints, outcomes: Sequence[int]) -> Deltas:
    records = judged.records
    deltas = np.empty(len(records), dtype=DELTA)
    deltas["record_id"] = np.frombuffer(judged.ids, dtype="V16")
    deltas["route"] = coded.routes
    deltas["minute"] = judged.stamp_ms // 60_000
    deltas["received_minute"] = np.array(judged.received_us, dtype=np.int64) // 60_000_000
    deltas["durations"] = durations
    deltas["error"] = coded.errors
    deltas["status"] = [record.http_status or 0 for record in records]
    deltas["outcome"] = outcomes
    deltas["reason"] = [REASON_CODES[r.reason] + 1 if r.reason else 0 for r in records]
    deltas["flags"] = [(REPLAY if r.replay_id else 0) | (CANARY if r.canary else 0) for r in records]
    return deltas


def _details(
    records: Sequence[RecordIn], columns: _Columns, coded: Coded, bare: frozenset[int]
) -> list[bytes]:
    """Arrays in the order of detail.Detail, cut where nothing but defaults would follow."""
    ack, queue, _, verify, latency = columns
    return [
        _encode((r.event_id, *times, r.attempt, r.receiver, r.secret_id, *_rest(place, r, coded, bare)))
        for place, (r, *times) in enumerate(zip(records, ack, queue, verify, latency, strict=True))
    ]


def _rest(place: int, r: RecordIn, coded: Coded, bare: frozenset[int]) -> tuple[Any, ...]:
    """The less usual parts of a detail."""
    if place in bare:
        return (REASON_CODES[r.reason] if r.reason else None, None, None, r.canary, r.replay_id)
    parts = (
        REASON_CODES[r.reason] if r.reason else None,
        r.error_message,
        r.error_stack,
        r.canary,
        r.replay_id,
        None if r.skew_ms is None else round(r.skew_ms * 1000),
        r.cause,
        _us(r.event_created_at),
        r.resource,
        None if r.version is None else str(r.version)[:64],
        r.remote_ip,
        r.user_agent,
        r.trace_id,
        r.span_id,
        r.labels,
        coded.capped_types.get(place),
        coded.capped_errors.get(place),
        r.capture is not None,
    )
    size = len(parts)
    while size and not parts[size - 1]:
        size -= 1
    return parts[:size]


def _us(time: Any) -> int | None:
    return time if time is None or isinstance(time, int) else to_us(time)


def _sealed(
    place: int,
    record: RecordIn,
    capture: CaptureIn,
    sealer: Sealer,
    endpoint: Callable[[str, str, str], int],
) -> CaptureRow:
    named = (record.environment, record.source, record.endpoint)
    event_id = record.event_id or ""
    # a digest in place of a body can be shown, but nothing can be sent from it
    redacted = capture.redacted or capture.sha256 is not None
    body = capture.body if capture.body is not None else _digest(capture)
    kept = Capture(_allowed(capture.headers), body, capture.content_type, redacted)
    sealed = sealed_capture(sealer, kept, capture_context(*named, event_id))
    return CaptureRow(place, endpoint(*named), event_id, redacted, sealed)


def _digest(capture: CaptureIn) -> bytes:
    if capture.sha256 is None:
        return b""
    return f"sha256:{capture.sha256} length:{capture.length}".encode()


def _allowed(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without what could be used again: signatures and credentials, whatever the client allows."""
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in _FORBIDDEN_HEADERS and "signature" not in name.lower()
    }
