"""What a rule may read of the world: one target's window, queue samples, probe results.

The monitor's query layer fills these from rollups and latest samples. They hold no payload, and they never
fetch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """One thing a rule looks at. None means "not narrowed to one"; the monitor itself is a Target with a
    source and an endpoint of None."""

    environment: str
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None

    def labels(self) -> dict[str, str]:
        """The identity as alert labels, without the parts that are None."""
        parts = {
            "environment": self.environment,
            "source": self.source,
            "endpoint": self.endpoint,
            "event_type": self.event_type,
        }
        return {name: value for name, value in parts.items() if value is not None}

    def place(self) -> str:
        """The target as a person says it: `stripe/payments`, or `stripe/payments invoice.paid`."""
        where = "/".join(part for part in (self.source, self.endpoint) if part) or "the monitor"
        return f"{where} {self.event_type}" if self.event_type else where


@dataclass(frozen=True, slots=True)
class Terms:
    """What the sender of a target expects, as configured. Rules measure against it; they never ask a
    provider.

    ack_deadline: how soon it wants its answer. expected_statuses: what it takes for "received".
    retry_horizon: how long it sends again what was not. objective: the share of events that must succeed, of
    the strictest SLO that covers the target; None without one. remove_after: by the id of a secret, the last
    day, by UTC, on which it may be used.
    """

    ack_deadline: timedelta = timedelta(seconds=30)
    expected_statuses: tuple[int, ...] = (200, 201, 202, 204)
    retry_horizon: timedelta = timedelta(hours=24)
    objective: float | None = None
    remove_after: Mapping[str, date] = field(default_factory=dict)


class Distribution(Protocol):
    """A distribution of milliseconds. The monitor's histogram implements it (relative error at most 2.2
    %)."""

    @property
    def count(self) -> int: ...

    def quantile(self, q: float) -> float | None:
        """Milliseconds below which the share q (0..1) lies; None when empty."""
        ...

    def share_above(self, ms: float) -> float:
        """Share 0..1 of observations above ms; 0.0 when empty."""
        ...


@dataclass(frozen=True, slots=True)
class EmptyDistribution:
    """The distribution of nothing."""

    count: int = 0

    def quantile(self, q: float) -> float | None:
        return None

    def share_above(self, ms: float) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How often one error class, or one rejection reason, was seen."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Window:
    """What one target did in [start_at, end_at). Replays and canaries are excluded.

    deliveries: requests that were answered. answers: of those that were not rejected, per HTTP status;
    refusals: of the rejected ones. redelivered: deliveries of an event that had been tried before. off_time:
    those that verified although they were signed more than 30 s before or after their receipt.
    verification_failures: deliveries refused by verification, per reason. top_errors: most frequent first.
    failure_exemplars, slow_exemplars: record ids as text.
    """

    target: Target
    start_at: datetime
    end_at: datetime
    succeeded: int = 0
    failed: int = 0
    dead_lettered: int = 0
    accepted: int = 0
    duplicates: int = 0
    stale: int = 0
    unhandled: int = 0
    rejected: int = 0
    deliveries: int = 0
    redelivered: int = 0
    off_time: int = 0
    answers: Mapping[int, int] = field(default_factory=dict)
    refusals: Mapping[int, int] = field(default_factory=dict)
    verification_failures: Mapping[str, int] = field(default_factory=dict)
    process_ms: Distribution = field(default_factory=EmptyDistribution)
    ack_ms: Distribution = field(default_factory=EmptyDistribution)
    top_errors: Sequence[ErrorCount] = ()
    failure_exemplars: Sequence[str] = ()
    slow_exemplars: Sequence[str] = ()

    @property
    def failures(self) -> int:
        """Attempts that failed, for now or for good."""
        return self.failed + self.dead_lettered

    @property
    def attempts(self) -> int:
        """The denominator of the attempt error rate."""
        return self.succeeded + self.failures

    @property
    def ended(self) -> int:
        """Events that came to an end, well or dead: what an SLO counts."""
        return self.succeeded + self.dead_lettered

    @property
    def unverified(self) -> int:
        """Deliveries refused because their signature, time or address did not verify."""
        return sum(self.verification_failures.values())

    @property
    def verified(self) -> int:
        """Records of anything that was truly sent: all but the rejections."""
        return self.accepted + self.attempts + self.duplicates + self.stale + self.unhandled


@dataclass(frozen=True, slots=True)
class Stuck:
    """Of the deliveries that were acknowledged to be worked on later, those that never ended.

    oldest_at: when the oldest was received, to the minute. exemplars: some of their record ids.
    """

    acknowledged: int = 0
    count: int = 0
    oldest_at: datetime | None = None
    exemplars: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One stored rejection. address: who sent it, "" when the receiver did not say."""

    record_id: str
    reason: str
    address: str


@dataclass(frozen=True, slots=True)
class Repeats:
    """Of some recent events of a target that were looked at, those processed to the end more than once.

    exemplars: record ids of their later successes.
    """

    looked_at: int = 0
    twice: int = 0
    exemplars: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class QueueSample:
    """One reading of a queue. oldest_age_s: age of the oldest waiting event, None when unknown or empty."""

    queue: str
    depth: int
    oldest_age_s: float | None
    sampled_at: datetime


class ProbeKind(StrEnum):
    """What a probe looked at."""

    HTTP = "http"
    TLS = "tls"
    PROVIDER = "provider"
    UNSIGNED = "unsigned"
    METHOD = "method"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe of one endpoint. consecutive_failures counts this one too; 0 when ok.

    A tls or provider result carries cert_not_after even when the certificate is expired or not trusted.
    """

    kind: ProbeKind
    ok: bool
    checked_at: datetime
    status: int | None = None
    latency_ms: float | None = None
    error: str = ""
    cert_not_after: datetime | None = None
    consecutive_failures: int = 0
