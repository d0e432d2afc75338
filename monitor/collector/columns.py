"""Records turned on their side: a tuple per field, so that the rest of the way works a column at a time.

Measured with benchmarks/ingest.py: reading fields record by record was the largest cost of the front.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from monitor.collector.wire import CaptureIn, RecordIn

Text = tuple[str | None, ...]
Number = tuple[float | None, ...]


class Columns(NamedTuple):
    """The fields of RecordIn, in its order; all tuples run in parallel."""

    source: tuple[str, ...]
    endpoint: tuple[str, ...]
    received_at: tuple[datetime | int, ...]
    outcome: tuple[str, ...]
    record_id: Text
    recorded_at: tuple[datetime | int | None, ...]
    event_id: Text
    environment: tuple[str, ...]
    event_type: Text
    reason: Text
    attempt: tuple[int | None, ...]
    ack_ms: Number
    latency_ms: Number
    verify_ms: Number
    queue_ms: Number
    process_ms: Number
    http_status: tuple[int | None, ...]
    skew_ms: Number
    secret_id: Text
    cause: Text
    event_created_at: tuple[datetime | int | None, ...]
    resource: Text
    version: tuple[str | int | float | None, ...]
    error_class: Text
    error_message: Text
    error_stack: Text
    canary: tuple[bool, ...]
    replay_id: Text
    receiver: Text
    remote_ip: Text
    user_agent: Text
    trace_id: Text
    span_id: Text
    labels: tuple[dict[str, str] | None, ...]
    capture: tuple[CaptureIn | None, ...]


def columns_of(records: Sequence[RecordIn]) -> Columns:
    """The columns of these records."""
    if not records:
        return Columns(*[()] * len(Columns._fields))
    return Columns(*zip(*map(msgspec.structs.astuple, records), strict=True))


def taken(columns: Columns, places: Sequence[int]) -> Columns:
    """The columns with only the records at these places."""
    parts: list[Any] = [tuple(column[place] for place in places) for column in columns]
    return Columns(*parts)


def is_blank(column: tuple[Any, ...]) -> bool:
    """Whether the column holds None alone."""
    return column.count(None) == len(column)
