"""What a notification says, before any channel gives it its own shape. It holds no payload, and no markup."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from alerts.grouping import Group
from alerts.model import Alert, ErrorCount, Notification, Severity, State, Why
from alerts.wording import measured, moment, span

TOP_ERRORS = 5
EXEMPLARS = 5
GROUP_LINES = 10


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of dashboard pages. public_url: as people reach the dashboard, with or without a final
    slash."""

    public_url: str

    def alert(self, fingerprint: str) -> str:
        return f"{self.public_url.rstrip('/')}/alerts/{quote(fingerprint, safe='')}"

    def alerts(self) -> str:
        return f"{self.public_url.rstrip('/')}/alerts"


@dataclass(frozen=True, slots=True)
class Message:
    """What to say. facts: (label, text) in reading order. key: the idempotency key. thread: the same for all
    messages of one episode of one alert; opens_thread on the first of them. exemplars: record ids; the
    alert's page links to them."""

    key: str
    thread: str
    opens_thread: bool
    reason: Why
    severity: Severity
    resolved: bool
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    top_errors: tuple[ErrorCount, ...]
    exemplars: tuple[str, ...]
    url: str
    runbook: str
    alert: Alert
    created_at: datetime


def compose(notification: Notification, links: Links) -> Message:
    """The message of a notification."""
    alert = notification.alert
    evidence = alert.evidence
    resolved = notification.reason is Why.RESOLVED
    return Message(
        key=notification.key,
        thread=f"{alert.fingerprint}.{alert.episode}",
        opens_thread=notification.reason in (Why.FIRING, Why.FALLBACK, Why.TEST),
        reason=notification.reason,
        severity=alert.severity,
        resolved=resolved,
        title=_title(notification),
        summary=evidence.summary,
        facts=_facts(alert, resolved=resolved),
        top_errors=() if resolved else evidence.top_errors[:TOP_ERRORS],
        exemplars=() if resolved else evidence.exemplars[:EXEMPLARS],
        url=links.alert(alert.fingerprint),
        runbook=alert.runbook,
        alert=alert,
        created_at=notification.created_at,
    )


def compose_group(group: Group, links: Links) -> Message:
    """One message for all notifications of a group (not empty); for a single one, that one's own message.

    It speaks for the severest and oldest of them, lists the places, and links to the list of alerts.
    """
    if len(group) == 1:
        return compose(group[0], links)
    first = min(
        group, key=lambda item: (-item.alert.severity.rank, item.alert.firing_since or item.created_at)
    )
    lines = [item.alert.evidence.summary for item in group]
    more = len(lines) - GROUP_LINES
    summary = "\n".join(lines[:GROUP_LINES] + ([f"and {more} more"] if more > 0 else []))
    keys = "\0".join(sorted(item.key for item in group))
    digest = hashlib.sha256(keys.encode()).hexdigest()[:32]
    return replace(
        compose(first, links),
        key=digest,
        thread=digest,
        opens_thread=True,
        title=f"{_head(first)}: {first.alert.rule} at {len(group)} places",
        summary=summary,
        top_errors=(),
        exemplars=(),
        url=links.alerts(),
    )


def place_of(alert: Alert) -> str:
    """Where it is, for a title: `stripe/payments`, with the queue or event type if there is one."""
    labels = alert.labels
    where = "/".join(labels[part] for part in ("source", "endpoint") if part in labels)
    rest = [labels[part] for part in ("event_type", "queue", "broken_rule") if part in labels]
    return " ".join([where, *rest]).strip() or "the monitor"


def _title(notification: Notification) -> str:
    return f"{_head(notification)}: {notification.alert.rule} at {place_of(notification.alert)}"


def _head(notification: Notification) -> str:
    alert = notification.alert
    return {
        Why.RESOLVED: "Resolved",
        Why.SEVERITY_RAISED: f"Now {alert.severity}",
        Why.REPEAT: f"Still {alert.severity}",
        Why.TEST: "Test",
    }.get(notification.reason, alert.severity.value.capitalize())


def _facts(alert: Alert, *, resolved: bool) -> tuple[tuple[str, str], ...]:
    evidence = alert.evidence
    facts = [("Since", moment(alert.firing_since or alert.since))]
    if resolved and alert.resolved_at is not None:
        lasted = max(alert.resolved_at - (alert.firing_since or alert.resolved_at), timedelta(0))
        facts.append(("Resolved", f"{moment(alert.resolved_at)}, after {span(lasted)}"))
    if evidence.value is not None and evidence.threshold is not None:
        now_or_then = "Now" if alert.state is State.RESOLVED else "Value"
        facts.append((now_or_then, measured(evidence.value, evidence.unit)))
        facts.append(("Threshold", measured(evidence.threshold, evidence.unit)))
    facts.append(("Severity", alert.severity.value))
    facts.append(("Environment", alert.labels.get("environment", "")))
    return tuple(facts)
