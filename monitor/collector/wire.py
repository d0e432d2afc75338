"""The wire format of `POST /api/v1/records`, `/queues` and `/probes`: what a client may send, and its bounds.

Types and bounds only; deciding what to do with a record is `accept.py`'s. Unknown fields are ignored.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Text32 = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Text64 = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text128 = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text256 = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
LEAST_US, MOST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999: what can be shown again as a date."""
Time = Annotated[datetime, msgspec.Meta(tz=True)] | Annotated[int, msgspec.Meta(ge=LEAST_US, le=MOST_US)]
"""RFC 3339 with an offset, or integer microseconds since 1970 UTC."""

OutcomeText = Literal[
    "accepted", "succeeded", "failed", "dead_lettered", "rejected", "duplicate", "stale", "unhandled"
]


class CaptureIn(msgspec.Struct, frozen=True):
    """Headers from the client's allow-list, and the body as received, in base64 on the wire."""

    headers: Annotated[dict[str, str], msgspec.Meta(max_length=100)] = {}
    body: bytes | None = None
    content_type: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    redacted: bool = False
    sha256: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """Policy `hash`: digest and length instead of a body."""
    length: Annotated[int, msgspec.Meta(ge=0)] | None = None


class RecordIn(msgspec.Struct, frozen=True, gc=False):
    """One processing record. `event_id` and `event_type` may be missing only when it was rejected."""

    source: Text64
    endpoint: Text128
    received_at: Time
    outcome: OutcomeText
    record_id: str | None = None
    recorded_at: Time | None = None
    event_id: Text256 | None = None
    environment: Text32 = "production"
    event_type: Text256 | None = None
    reason: str | None = None
    attempt: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    ack_ms: Milliseconds | None = None
    latency_ms: Milliseconds | None = None
    verify_ms: Milliseconds | None = None
    queue_ms: Milliseconds | None = None
    process_ms: Milliseconds | None = None
    http_status: Status | None = None
    skew_ms: Annotated[float, msgspec.Meta(ge=-1e11, le=1e11)] | None = None
    secret_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    cause: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    event_created_at: Time | None = None
    resource: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    version: str | int | float | None = None
    error_class: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    error_message: str | None = None
    error_stack: str | None = None
    canary: bool = False
    replay_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    receiver: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    remote_ip: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    user_agent: str | None = None
    trace_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    span_id: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    labels: Annotated[dict[str, str], msgspec.Meta(max_length=16)] | None = None
    capture: CaptureIn | None = None


class TypesIn(msgspec.Struct, frozen=True):
    """Which event types a receiver handles, patterns with `*` among them, and which it expects.

    seen: what verified requests look like, as kind → value → the id of the first event that showed it.
    """

    source: Text64
    endpoint: Text128
    environment: Text32 = "production"
    handled: Annotated[list[Text256], msgspec.Meta(max_length=200)] = []
    expected: Annotated[list[Text256], msgspec.Meta(max_length=200)] = []
    seen: Annotated[
        dict[Text64, Annotated[dict[Text256, Text256], msgspec.Meta(max_length=100)]],
        msgspec.Meta(max_length=8),
    ] = {}


class ClientIn(msgspec.Struct, frozen=True):
    """Who ships: counts are cumulative since `started_at`; the collector keeps the largest per start.

    types: said when they change and once an hour; what was said of an endpoint before stands meanwhile.
    """

    name: Text64
    version: Annotated[str, msgspec.Meta(max_length=32)] = ""
    instance: Text128 = "-"
    started_at: Time | None = None
    sent_at: Time | None = None
    produced: Count = 0
    spooled: Count = 0
    dropped: Annotated[dict[Text64, Count], msgspec.Meta(max_length=32)] = {}
    breakers: Annotated[dict[Text256, Text64], msgspec.Meta(max_length=256)] = {}
    types: Annotated[list[TypesIn], msgspec.Meta(max_length=64)] = []
    inbox_depth: Count | None = None
    inbox_oldest_age_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    memory_bytes: Count | None = None
    cpu_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Envelope(msgspec.Struct, frozen=True):
    """`{"client": {...}, "records": [...]}`, all records well formed: the fast path."""

    records: list[RecordIn]
    client: ClientIn | None = None


class RawEnvelope(msgspec.Struct, frozen=True):
    """The same with each record left undecoded, so that a bad one is refused alone."""

    records: list[msgspec.Raw]


class QueueIn(msgspec.Struct, frozen=True):
    """One sample of one queue."""

    source: Text64
    endpoint: Text128
    queue: Text128
    depth: Count
    sampled_at: Time
    environment: Text32 = "production"
    oldest_age_s: Annotated[float, msgspec.Meta(ge=0, le=1e10)] | None = None


class ProbeIn(msgspec.Struct, frozen=True):
    """One probe's result."""

    source: Text64
    endpoint: Text128
    kind: Literal["http", "tls", "provider", "unsigned", "method", "canary"]
    ok: bool
    checked_at: Time
    environment: Text32 = "production"
    http_status: Status | None = None
    latency_ms: Milliseconds | None = None
    error: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    cert_not_after: Time | None = None
    cert_subject: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    cert_issuer: Annotated[str, msgspec.Meta(max_length=512)] | None = None


class RejectedRecord(msgspec.Struct, frozen=True):
    """Why one record of a batch was refused; `index` counts from 0 in the order sent."""

    index: int
    pointer: str
    code: str
    detail: str


class RejectedPart(msgspec.Struct, frozen=True):
    """Why another part of the body was left out."""

    pointer: str
    code: str
    detail: str


class Answer(msgspec.Struct, frozen=True):
    """The 200 of every ingest route, sent after the accepted ones are on disk.

    client: why the client's counts were left out; absent when they were taken.
    """

    accepted: int
    duplicates: int
    rejected: list[RejectedRecord] = []
    client: RejectedPart | msgspec.UnsetType = msgspec.UNSET
