"""The words of alerting as frozen values: rule, evaluation, alert, transition, silence, route, notification.

Nothing here decides, fetches or sends. Every type but the Protocols converts to plain JSON types and back by
`msgspec.to_builtins` and `msgspec.convert`, so a store needs no codec of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from alerts.hours import Hours
from alerts.house import House
from alerts.issues import Issue
from alerts.observed import (
    Distribution,
    EmptyDistribution,
    ErrorCount,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Refusal,
    Repeats,
    Stuck,
    Target,
    Terms,
    Window,
)
from alerts.sightings import Declared, Sighting

__all__ = [
    "OPENING",
    "Ack",
    "Alert",
    "Change",
    "Delivery",
    "Distribution",
    "EmptyDistribution",
    "ErrorCount",
    "Evaluation",
    "Evidence",
    "Inhibition",
    "NoData",
    "Notification",
    "Observations",
    "ProbeKind",
    "ProbeResult",
    "QueueSample",
    "Refusal",
    "Repeats",
    "Route",
    "Rule",
    "Severity",
    "Silence",
    "State",
    "Steady",
    "Step",
    "Stuck",
    "Target",
    "Telling",
    "Terms",
    "Transition",
    "Verdict",
    "Why",
    "Window",
    "fingerprint_of",
]

ZERO = timedelta(0)
REPEAT_CRITICAL = timedelta(hours=1)


class Severity(StrEnum):
    """How much it matters. Only critical pages."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 3 for critical. (Comparing the members themselves would compare text.)"""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class State(StrEnum):
    """Where an alert stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Verdict(StrEnum):
    """What one evaluation found. no_data: nothing, or too little, to judge. unknown: the monitor could not
    see."""

    BREACH = "breach"
    OK = "ok"
    NO_DATA = "no_data"
    UNKNOWN = "unknown"


class NoData(StrEnum):
    """What a rule takes no data for: all is well, a breach of its own, or nothing new."""

    OK = "ok"
    BREACH = "breach"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition to watch. `alerts.rules.make` builds checked ones from a kind's defaults.

    source, endpoint, event_type, environment: `*` matches any run of characters. threshold's unit is the
    kind's (a share 0..1, milliseconds, days, a count). clear_threshold: a firing alert ends only once the
    value is back on the good side of it; None means the threshold itself. labels become part of the alert's
    identity. quiet_hours: when silence is expected, as `22:00-07:00` or `00:00-00:00 sat,sun`, by the clocks
    of `timezone`.
    """

    name: str
    kind: str
    severity: Severity = Severity.ERROR
    environment: str = "production"
    source: str = "*"
    endpoint: str = "*"
    event_type: str = "*"
    threshold: float = 0.0
    clear_threshold: float | None = None
    window: timedelta = timedelta(minutes=15)
    for_: timedelta = ZERO
    keep_firing_for: timedelta = ZERO
    interval: timedelta = timedelta(seconds=60)
    min_sample: int = 0
    no_data: NoData = NoData.OK
    runbook: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, float] = field(default_factory=dict)
    quiet_hours: tuple[str, ...] = ()
    timezone: str = "UTC"
    enabled: bool = True


class Observations(Protocol):
    """What the rules ask of the stored facts. The monitor's query layer implements it; it reads rollups,
    latest samples and probe results, never history."""

    def last_heartbeat_at(self) -> datetime | None:
        """When a collector last wrote its heartbeat; None when none ever did."""
        ...

    def targets(self, rule: Rule) -> Sequence[Target]:
        """The targets the rule's environment and patterns select, one per endpoint; per (endpoint, event
        type) when the rule narrows event_type. Known endpoints count even when they are silent."""
        ...

    def types(self, target: Target) -> Sequence[Target]:
        """The event types that are known at the target's endpoint, each as a target."""
        ...

    def terms(self, target: Target) -> Terms:
        """What the target's sender expects."""
        ...

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        """What the target did in [start_at, end_at)."""
        ...

    def past(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        """What the target did in the whole hours around [start_at, end_at), which are long past; empty
        without a record."""
        ...

    def last_event_at(self, target: Target) -> datetime | None:
        """When something that verified was last recorded of it, to the minute; None when nothing ever was."""
        ...

    def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
        """What was acknowledged longer than `older_than` ago and never ended, as far back as `back`."""
        ...

    def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
        """The latest stored rejections in [start_at, end_at), newest first: a bounded sample of a flood."""
        ...

    def repeats(self, target: Target, start_at: datetime, end_at: datetime) -> Repeats:
        """What a bounded look at the events that succeeded in [start_at, end_at) finds done twice."""
        ...

    def issues(self, target: Target, since: datetime) -> Sequence[Issue]:
        """The target's open issues that appeared, or came back, since then."""
        ...

    def sightings(self, target: Target) -> Sequence[Sighting]:
        """What was seen at the target's endpoint so far, in no order."""
        ...

    def declared(self, target: Target) -> Declared:
        """Which types its receiver says that it handles and expects."""
        ...

    def house(self) -> House:
        """The monitor itself."""
        ...

    def queues(self, target: Target) -> Sequence[QueueSample]:
        """The latest sample of each queue of the target's environment, source and endpoint."""
        ...

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        """The latest results of one kind for the target, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a verdict came out as it did, for a person. value and threshold are in `unit`
    ("share", "ms", "events", "days", "s", "failures", "x"); sample is the number of observations judged."""

    summary: str
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    window_start_at: datetime | None = None
    window_end_at: datetime | None = None
    sample: int = 0
    top_errors: tuple[ErrorCount, ...] = ()
    exemplars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule's finding about one target. cleared is False while the value lies between clear_threshold and
    threshold: no reason to fire, and none to resolve."""

    rule: str
    labels: Mapping[str, str]
    verdict: Verdict
    severity: Severity
    evidence: Evidence
    cleared: bool = True

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.rule, self.labels)


def fingerprint_of(rule: str, labels: Mapping[str, str]) -> str:
    """The alert's identity: 32 hex digits over the rule's name and the labels, whatever their order."""
    canonical = json.dumps([rule, sorted(labels.items())], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody took the alert on. It ends with the alert's current firing, or at `until` if that is
    sooner."""

    by: str
    at: datetime
    note: str = ""
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Steady:
    """What a clock that nobody sets said. Its seconds count from a start of the machine, which `boot` names:
    the readings of two starts cannot be compared."""

    boot: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Alert:
    """All there is to know to continue an alert after a restart; nothing about it lives in memory alone.

    revision counts the transitions, episode the firings. last_breach_at, pending_since, fired_at (the last
    firings) and flapping_since are timers, moved when time passed that must not count; firing_since is the
    wall time people are shown. jumped: by how much the wall clock has run ahead of the time that passed, over
    all that is known of the alert; steady: what the steady clock said at last_evaluated_at. muted_by
    names the silence or the alert that keeps this one quiet, or the quiet hours.
    """

    fingerprint: str
    rule: str
    kind: str
    severity: Severity
    labels: Mapping[str, str]
    state: State
    since: datetime
    last_evaluated_at: datetime
    evidence: Evidence
    pending_since: datetime | None = None
    firing_since: datetime | None = None
    resolved_at: datetime | None = None
    last_breach_at: datetime | None = None
    revision: int = 0
    episode: int = 0
    runbook: str = ""
    ack: Ack | None = None
    muted_by: str | None = None
    fired_at: tuple[datetime, ...] = ()
    flapping_since: datetime | None = None
    jumped: timedelta = ZERO
    steady: Steady | None = None


class Change(StrEnum):
    """Why an alert moved."""

    BREACH_STARTED = "breach_started"
    BREACH_HELD = "breach_held"
    BREACH_ENDED = "breach_ended"
    SEVERITY_RAISED = "severity_raised"
    SEVERITY_LOWERED = "severity_lowered"
    RECOVERED = "recovered"
    NO_DATA = "no_data"
    TARGET_GONE = "target_gone"
    RULE_REMOVED = "rule_removed"


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of one alert: a row, never changed. revision is the alert's after the move."""

    fingerprint: str
    revision: int
    from_state: State
    to_state: State
    severity: Severity
    at: datetime
    reason: Change
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts whose labels match every matcher (label → pattern with `*`) are not told of in [starts_at,
    ends_at), or within that only in its hours. `rule`, `kind` and `severity` count as labels."""

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""
    hours: Hours | None = None

    def holds(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at and (self.hours is None or self.hours.cover(now))


@dataclass(frozen=True, slots=True)
class Inhibition:
    """A firing alert that matches `source` keeps those that match `target` quiet, where both have the labels
    `equal` alike. Matchers: as a silence's."""

    source: Mapping[str, str]
    target: Mapping[str, str]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Who else is told of an alert that nobody took on within `after` of its first message."""

    after: timedelta
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Which alerts go to which channels. Every route that matches adds its channels.

    matchers: as a silence's. repeat: how often to tell again of an alert of that severity that fires and that
    nobody took on; of one that is not named never. fallback: the channel that takes over when one of these
    gave up. quiet_hours: what is not critical waits for their end.
    """

    channels: tuple[str, ...]
    min_severity: Severity = Severity.INFO
    matchers: Mapping[str, str] = field(default_factory=dict)
    repeat: Mapping[Severity, timedelta] = field(default_factory=lambda: {Severity.CRITICAL: REPEAT_CRITICAL})
    fallback: str | None = None
    steps: tuple[Step, ...] = ()
    quiet_hours: Hours | None = None


class Why(StrEnum):
    """Why a channel is told, or is not."""

    FIRING = "firing"
    FLAPPING = "flapping"
    SEVERITY_RAISED = "severity_raised"
    REPEAT = "repeat"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    FALLBACK = "fallback"
    REMINDER = "reminder"
    TEST = "test"
    DRILL = "drill"
    NOT_FIRING = "not_firing"
    ALREADY_TOLD = "already_told"
    NEVER_TOLD = "never_told"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    QUIET_HOURS = "quiet_hours"
    NO_ROUTE = "no_route"
    TICKET = "ticket"


OPENING = frozenset({Why.FIRING, Why.FLAPPING, Why.SEVERITY_RAISED, Why.REPEAT, Why.ESCALATED, Why.FALLBACK})
"""Reasons that tell a channel of a firing alert; each of them calls for a closing message."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one channel about one alert as it stood. key is unique per (alert, transition, channel,
    reason): storing it twice must be a no-op."""

    key: str
    channel: str
    reason: Why
    alert: Alert
    created_at: datetime
    fallback: str | None = None


class Delivery(StrEnum):
    """Where a notification stands in the outbox. dropped: no longer worth sending."""

    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Telling:
    """What the outbox remembers of a notification: enough to decide what is due next, and in which order.

    jumped: the alert's when it was told. times: for how many it stands that are alike in all but time; the
    time is that of the latest. Only repeats are more than one.
    """

    fingerprint: str
    episode: int
    channel: str
    reason: Why
    severity: Severity
    created_at: datetime
    delivery: Delivery = Delivery.DUE
    jumped: timedelta = ZERO
    times: int = 1
