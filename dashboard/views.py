"""What each screen is given, as frozen values: no formatting, no store. `dashboard.data` fills them.

Rates are 0..1 and None when there was nothing to judge; durations are milliseconds; times are aware UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from monitor.model import Grain, Outcome, Reason, Record

BLIND_AFTER = timedelta(seconds=60)
"""A collector that was silent for longer leaves the monitor blind."""


class Role(IntEnum):
    """What a user may do; each role may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking."""

    name: str
    role: Role

    @property
    def operates(self) -> bool:
        """Acknowledges, replays, silences, and may reveal payloads."""
        return self.role >= Role.OPERATOR


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
class IssueLine:
    """One issue: failures of the same kind."""

    id: str
    source: str
    endpoint: str
    event_type: str
    error_class: str
    message: str
    state: str
    failures: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True)
class IssuesView:
    """total: of all that match, shown or not."""

    issues: Sequence[IssueLine]
    total: int


@dataclass(frozen=True, slots=True)
class IssueView:
    """records: the latest failures that are still kept, the last first."""

    issue: IssueLine
    records: Sequence[Record]


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
    issues: IssuesView = IssuesView((), 0)
    strips: Mapping[str, Sequence[ProbedCell]] = field(default_factory=dict)
    outages: Sequence[Outage] = ()


@dataclass(frozen=True, slots=True)
class EventPage:
    """Records, newest first. next_before continues the page; None at the end."""

    records: Sequence[Record]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters of a page offer, sorted."""

    sources: Sequence[str]
    endpoints: Sequence[str]
    types: Sequence[str]
    errors: Sequence[str]


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert in the list. quiet: why nobody was told of its latest firing; None when someone was.

    muted_by: what keeps it quiet now, whoever was told before. ack_until: when the acknowledgement runs out;
    None for the end of the firing. ticket: it is told once, and its end is not.
    """

    id: str
    rule: str
    kind: str
    severity: str
    state: str
    labels: Mapping[str, str]
    summary: str
    since: datetime
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    told: Sequence[str] = ()
    quiet: str | None = None
    acked_by: str | None = None
    acked_at: datetime | None = None
    ack_note: str = ""
    resolved_at: datetime | None = None
    runbook: str = ""
    sample: int = 0
    top_errors: Sequence[tuple[str, int]] = ()
    exemplars: Sequence[str] = ()
    muted_by: str | None = None
    flapping_since: datetime | None = None
    ack_until: datetime | None = None
    ticket: bool = False


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule. target: (source, endpoint, event type) patterns. state: what it would say now, in a word;
    judged and without_data: of how many targets; said: the sentence of one that is over its limit."""

    name: str
    kind: str
    about: str
    severity: str
    target: tuple[str, str, str]
    threshold: float
    unit: str
    window: timedelta
    held_for: timedelta
    interval: timedelta
    state: str
    judged: int = 0
    without_data: int = 0
    over: int = 0
    said: str = ""
    firing: int = 0
    pending: int = 0
    runbook: str = ""
    on_monitor: bool = False


@dataclass(frozen=True, slots=True)
class RulesView:
    """round_at: when the worker last completed a round. blind: no collector is heard."""

    rules: Sequence[RuleLine]
    round_at: datetime | None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One item of a checklist. seen_at: when its newest evidence is from. by, attested_at, until, note: what
    somebody answered for, even where that has ended or evidence goes before it."""

    id: str
    list: str
    group: str
    asks: str
    verdict: str
    said: str
    seen_at: datetime | None = None
    by: str | None = None
    attested_at: datetime | None = None
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SightingLine:
    """A value that was seen of an endpoint's sender. sample: the id of its first record, or of an event."""

    aspect: str
    value: str
    first_at: datetime
    last_at: datetime
    sample: str


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """sightings: the last seen for the first time come first."""

    items: Sequence[ChecklistLine]
    sightings: Sequence[SightingLine] = ()


@dataclass(frozen=True, slots=True)
class TransitionLine:
    at: datetime
    from_state: str
    to_state: str
    severity: str
    reason: str
    summary: str


@dataclass(frozen=True, slots=True)
class NotificationLine:
    """One message to one channel. state: due, delivered, given_up …, in the store's word. receipt: the
    service's own id for it."""

    created_at: datetime
    channel: str
    reason: str
    state: str
    attempts: int
    delivered_at: datetime | None
    error: str
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class AlertView:
    alert: AlertLine
    transitions: Sequence[TransitionLine]
    notifications: Sequence[NotificationLine]
    exemplars: Sequence[Record]


@dataclass(frozen=True, slots=True)
class SilenceLine:
    """One silence. state: in force, between its hours, coming, ended. hours: empty for all day long.

    hid: how many firings it has kept quiet; by_file: a maintenance window, which no page ends.
    """

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    state: str
    created_by: str
    comment: str
    hours: str = ""
    hid: int = 0
    by_file: bool = False


@dataclass(frozen=True, slots=True)
class HiddenLine:
    """One firing that a silence kept quiet."""

    at: datetime
    rule: str
    severity: str
    alert_id: str
    summary: str


@dataclass(frozen=True, slots=True)
class SilencesView:
    """hidden: what the chosen one has hidden, the latest first."""

    silences: Sequence[SilenceLine]
    hidden: Sequence[HiddenLine] = ()


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One dead letter. replayable: None, or why it cannot be replayed."""

    id: str
    source: str
    endpoint: str
    event_id: str
    event_type: str
    state: str
    error_class: str
    error_message: str
    attempts: int
    replays: int
    died_at: datetime
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class LettersView:
    letters: Sequence[LetterLine]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What a replay would do, before it starts. refusals: (why, how many) of the letters left out."""

    letters: int
    to_send: int
    body_bytes: int
    rate_per_s: float | None
    refusals: Sequence[tuple[str, int]]
    already_succeeded: int
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """One replay and how far it is; counts per item state."""

    id: str
    state: str
    reason: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    stopped_because: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Payload:
    """A captured body with its secrets masked, and how it came to be so."""

    headers: Mapping[str, str]
    body: str
    content_type: str
    masked: int
    redacted: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One scheduled job of the worker. late: its last success is further back than it should be."""

    name: str
    every_s: float | None
    last_success_at: datetime | None
    late: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """One SDK instance as it last reported itself."""

    name: str
    version: str
    instance: str
    seen_at: datetime
    skew_s: float | None
    produced: int
    dropped: Mapping[str, int]
    inbox_depth: int | None = None


@dataclass(frozen=True, slots=True)
class StatusView:
    heartbeat_at: datetime | None
    jobs: Sequence[Job]
    clients: Sequence[Client]
    facts_bytes: int | None
    facts_budget_bytes: int | None
    oldest_kept_at: datetime | None
    channels: Sequence[str]
    leader: str | None = None
    version: str = ""
    queues: Sequence[tuple[str, str, str, int, float | None, datetime]] = ()


@dataclass(frozen=True, slots=True)
class ShellView:
    """What the frame around every page shows. paste: the lines to paste when nothing was ever received.

    new_issues: new and regressed ones.
    """

    environments: Sequence[str]
    heartbeat_at: datetime | None
    channels: Sequence[str]
    late_jobs: Sequence[Job]
    firing: int
    open_letters: int
    ever_received: bool
    paste: str = ""
    new_issues: int = 0
