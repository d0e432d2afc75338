"""Alerts: each with what became of it, and whom it was told to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Record


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
