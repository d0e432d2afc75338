"""The figures of a stretch of time, of all endpoints and of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.views.issues import NO_ISSUES, IssuesView
from monitor.model import Grain, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one stretch of time, as monitor.figures defines them."""

    records: int = 0
    deliveries: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    event_success: float | None = None
    error_rate: float | None = None
    ack_success: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The figures of [start_at, start_at + the series' step)."""

    start_at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """One endpoint in the overview's table. healthy: the latest HTTP probe; None when nothing probes it."""

    source: str
    endpoint: str
    figures: Figures
    queue_depth: int | None = None
    oldest_age_s: float | None = None
    healthy: bool | None = None
    probe_error: str | None = None
    cert_not_after: datetime | None = None
    dead_letters: int = 0
    firing: int = 0
    last_record_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OverviewView:
    """now and before are equally long and adjoin; buckets cover `now`, oldest first, empty ones included.

    rounded_to: HOUR or DAY where tiles or buckets are coarser than the range, as finer counts are purged.
    """

    start_at: datetime
    end_at: datetime
    now: Figures
    before: Figures
    buckets: Sequence[Bucket]
    endpoints: Sequence[EndpointLine]
    queue_depth: int | None
    queue_depths: Sequence[float | None]
    open_letters: int
    firing: int
    error_threshold: float | None = None
    rounded_to: Grain | None = None


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """One event type. records: without replays and canaries; failed: for now or for good."""

    records: int
    succeeded: int
    failed: int
    avg_ms: float | None
    min_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class ProbedCell:
    """The HTTP probes of [start_at, start_at + the strip's step)."""

    start_at: datetime
    ok: int
    all: int


@dataclass(frozen=True, slots=True)
class Outage:
    """ended_at: None while it lasts. alert_id: what was told of it."""

    began_at: datetime
    ended_at: datetime | None
    alert_id: str


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint over the scope's range. rounded_to: as in OverviewView.

    uptime: (span, share of its HTTP probes that were ok, how many there were), until now. strips: of some
    of the spans, by half hours or days. outages: the latest first. issues: the open ones, the last seen
    first.
    """

    start_at: datetime
    end_at: datetime
    line: EndpointLine
    before: Figures
    buckets: Sequence[Bucket]
    types: Sequence[tuple[str, TypeFigures]]
    errors: Sequence[tuple[str, int]]
    reasons: Sequence[tuple[Reason, int]]
    statuses: Sequence[tuple[int, int]]
    queues: Mapping[str, Sequence[tuple[datetime, int]]]
    rounded_to: Grain | None = None
    uptime: Sequence[tuple[str, float | None, int]] = ()
    issues: IssuesView = NO_ISSUES
    strips: Mapping[str, Sequence[ProbedCell]] = field(default_factory=dict)
    outages: Sequence[Outage] = ()
