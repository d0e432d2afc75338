"""The nouns of the facts: outcomes, reasons, records, samples. Values only: no store, no network, no clock.

Codes (the integers behind outcomes, reasons and durations) are on disk: append, never renumber.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What became of one piece of work."""

    ACCEPTED = "accepted"  # acknowledged, processing to come
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # will be tried again
    DEAD_LETTERED = "dead_lettered"  # given up
    REJECTED = "rejected"  # refused before any work
    DUPLICATE = "duplicate"
    STALE = "stale"  # out of order, ignored on purpose
    UNHANDLED = "unhandled"  # no handler for its type

    @property
    def code(self) -> int:
        return OUTCOME_CODES[self]


OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)
OUTCOME_CODES: dict[str, int] = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}
ATTEMPTS = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.DEAD_LETTERED})
"""The handler ran."""
TROUBLED = (Outcome.FAILED, Outcome.DEAD_LETTERED, Outcome.REJECTED, Outcome.STALE, Outcome.UNHANDLED)
"""What the partial index of the facts covers."""


class Reason(StrEnum):
    """Why a delivery was rejected."""

    MISSING_SIGNATURE = "missing_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    IP_NOT_ALLOWED = "ip_not_allowed"
    RATE_LIMITED = "rate_limited"
    MALFORMED_BODY = "malformed_body"
    INVALID_PAYLOAD = "invalid_payload"
    TOO_LARGE = "too_large"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    OTHER = "other"

    @property
    def code(self) -> int:
        return REASON_CODES[self]


REASONS: tuple[Reason, ...] = tuple(Reason)
REASON_CODES: dict[str, int] = {reason.value: code for code, reason in enumerate(REASONS)}
VERIFICATION_FAILURES: tuple[Reason, ...] = REASONS[:7]


class Duration(IntEnum):
    """The five durations of a record; the value is the code on disk."""

    ACK = 0  # received → answered
    QUEUE = 1  # received → processing started
    PROCESS = 2  # the handler
    VERIFY = 3  # the signature check
    LATENCY = 4  # received → outcome known


class Grain(IntEnum):
    """Width of a rollup bucket; the value is the code on disk. EVER has one bucket, starting at 0."""

    MINUTE = 0
    HOUR = 1
    DAY = 2
    EVER = 3

    @property
    def minutes(self) -> int:
        """Minutes a bucket spans; 0 for EVER."""
        return (1, 60, 1440, 0)[self]


UNVERIFIED = "__unverified__"
"""Event type of everything that was rejected: nothing unverified becomes a name."""
OTHER = "__other__"
"""Event type or error class of whatever came after a cap was reached."""
CANARY_TYPE = "canary"
"""Event type that the SDK gives to canaries: no event of the source's."""
DEFAULT_ENVIRONMENT = "production"


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What a rollup is of: an environment, and one step deeper each time a part is given."""

    environment: str
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None

    @property
    def parent(self) -> "SeriesKey | None":
        if self.event_type is not None:
            return SeriesKey(self.environment, self.source, self.endpoint)
        if self.endpoint is not None:
            return SeriesKey(self.environment, self.source)
        if self.source is not None:
            return SeriesKey(self.environment)
        return None


@dataclass(frozen=True, slots=True)
class Record:
    """One processing record as read back. Durations are milliseconds, None where not reported."""

    record_id: UUID
    recorded_at: datetime  # the stamp inside record_id: the record's time
    environment: str
    source: str
    endpoint: str
    event_type: str
    event_id: str | None
    outcome: Outcome
    received_at: datetime
    reason: Reason | None = None
    attempt: int | None = None
    http_status: int | None = None
    ack_ms: float | None = None
    queue_ms: float | None = None
    process_ms: float | None = None
    verify_ms: float | None = None
    latency_ms: float | None = None
    skew_ms: float | None = None
    secret_id: str | None = None
    cause: str | None = None
    event_created_at: datetime | None = None
    resource: str | None = None
    version: str | None = None
    error_class: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    canary: bool = False
    replay_id: str | None = None
    receiver: str | None = None
    remote_ip: str | None = None
    user_agent: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    has_capture: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """What was received, as the receiver chose to report it. `redacted` ones are shown, never replayed."""

    headers: Mapping[str, str]
    body: bytes
    content_type: str | None
    redacted: bool


@dataclass(frozen=True, slots=True)
class QueueSample:
    """Depth of one queue at one moment; `oldest_age_s` is None when unknown or empty."""

    environment: str
    source: str
    endpoint: str
    queue: str
    depth: int
    oldest_age_s: float | None
    sampled_at: datetime


class ProbeKind(StrEnum):
    HTTP = "http"  # does it answer as it should
    TLS = "tls"  # its certificate
    PROVIDER = "provider"  # the certificate of the source's own API
    UNSIGNED = "unsigned"  # a POST without a signature: who refuses it
    METHOD = "method"  # a GET: refused with 405
    CANARY = "canary"  # a signed request, and its record


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One look at one endpoint from outside. `cert_not_after` is known even for a certificate that fails."""

    environment: str
    source: str
    endpoint: str
    kind: ProbeKind
    ok: bool
    checked_at: datetime
    http_status: int | None = None
    latency_ms: float | None = None
    error: str | None = None
    cert_not_after: datetime | None = None
    cert_subject: str | None = None
    cert_issuer: str | None = None
