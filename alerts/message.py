"""What a notification says, before any channel gives it its own shape. It holds no payload, and no markup.

Every text is made harmless and short here: one line, without control characters and without marks that turn
the reading direction or hide letters. Channels only escape what their own markup knows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from alerts.grouping import Group
from alerts.model import OPENING, Alert, ErrorCount, Notification, Severity, State, Why
from alerts.permits import Act, Permit, Permits
from alerts.recipients import split_name
from alerts.wording import measured, moment, span

TOP_ERRORS = 5
EXEMPLARS = 5
GROUP_LINES = 10
LABELS = 32
TITLE_CHARS = 200
SUMMARY_CHARS = 1000
NAME_CHARS = 200
URL_CHARS = 2000

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
HIDDEN = re.compile(
    r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
LINK_LIFE = timedelta(days=3)
"""How long a link to acknowledge or silence works: over a weekend, and no longer."""


def plain(text: str, limit: int) -> str:
    """The text on one line, at most `limit` characters long, without what a screen would obey or hide."""
    flat = CONTROLS.sub(" ", HIDDEN.sub("", text[: 4 * limit])).strip()
    return flat if len(flat) <= limit and len(text) <= 4 * limit else flat[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of dashboard pages. public_url: as people reach the dashboard, with or without a final
    slash. permits: signs the links that act; without it messages carry none."""

    public_url: str
    permits: Permits | None = None

    def alert(self, fingerprint: str) -> str:
        return f"{self._root}/alerts/{quote(fingerprint, safe='')}"

    def alerts(self) -> str:
        return f"{self._root}/alerts"

    def record(self, record_id: str) -> str:
        return f"{self._root}/records/{quote(record_id, safe='')}"

    def act(self, act: Act, notification: Notification) -> str:
        """Where the notification's reader does it without a login; empty where nothing may sign. The same
        notification makes the same link, at every try."""
        if self.permits is None:
            return ""
        alert = notification.alert
        ends_at = notification.created_at + LINK_LIFE
        channel, _ = split_name(notification.channel)
        permit = Permit(act, alert.fingerprint, alert.episode, channel, ends_at)
        return f"{self._root}/act/{self.permits.token(permit)}"

    @property
    def _root(self) -> str:
        return self.public_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A record that shows the trouble, and where to look at it."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """What to say. facts: (label, text) in reading order. key: the idempotency key. thread: the same for all
    messages of one episode of one alert; opens_thread on the first of them. earlier: the service's own id of
    that first one, where it gave one. alerts: all that it speaks of, `alert` among them; labels: the ones
    they share. acknowledge_url, silence_url: links that act, or empty."""

    key: str
    thread: str
    opens_thread: bool
    earlier: str
    reason: Why
    severity: Severity
    resolved: bool
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    top_errors: tuple[ErrorCount, ...]
    exemplars: tuple[Exemplar, ...]
    labels: Mapping[str, str]
    url: str
    acknowledge_url: str
    silence_url: str
    runbook: str
    alert: Alert
    alerts: tuple[Alert, ...]
    created_at: datetime

    @property
    def runbook_url(self) -> str:
        """The runbook where it is a web address, else empty: nothing else becomes a link."""
        return self.runbook if self.runbook.startswith(("https://", "http://")) else ""

    @property
    def is_exercise(self) -> bool:
        """Whether nothing is wrong: a test or a drill, which must leave nothing open behind it."""
        return self.reason in EXERCISES


EXERCISES = frozenset({Why.TEST, Why.DRILL})
OPENS = frozenset({Why.FIRING, Why.FLAPPING, Why.ESCALATED, Why.FALLBACK, Why.REMINDER}) | EXERCISES
ACTS_ON = OPENING
"""Reasons after which somebody may want to acknowledge or silence."""


def compose(notification: Notification, links: Links, earlier: str = "") -> Message:
    """The message of a notification. earlier: the reference of the receipt that opened its thread."""
    alert, reason = notification.alert, notification.reason
    evidence = alert.evidence
    resolved = reason is Why.RESOLVED
    acts = reason in OPENING
    return Message(
        key=notification.key,
        thread=f"{alert.fingerprint}.{alert.episode}",
        opens_thread=reason in OPENS and not earlier,
        earlier=earlier,
        reason=reason,
        severity=alert.severity,
        resolved=resolved,
        title=_title(notification),
        summary=plain(evidence.summary, SUMMARY_CHARS),
        facts=_facts(alert, resolved=resolved),
        top_errors=() if resolved else _top_errors(alert),
        exemplars=() if resolved else _exemplars(alert, links),
        labels=_labels(alert),
        url=links.alerts() if reason is Why.REMINDER else links.alert(alert.fingerprint),
        acknowledge_url=links.act(Act.ACKNOWLEDGE, notification) if acts else "",
        silence_url=links.act(Act.SILENCE, notification) if acts else "",
        runbook=plain(alert.runbook, URL_CHARS),
        alert=alert,
        alerts=(alert,),
        created_at=notification.created_at,
    )


def compose_group(group: Group, links: Links, earlier: str = "") -> Message:
    """One message for all notifications of a group (not empty); for a single one, that one's own message.
    earlier: as in `compose`, where one message told of them all.

    It speaks for the severest and oldest of them, lists the places, and links to the list of alerts. It
    carries no link that acts: nobody could tell on which of them.
    """
    if len(group) == 1:
        return compose(group[0], links, earlier)
    first = min(
        group, key=lambda item: (-item.alert.severity.rank, item.alert.firing_since or item.created_at)
    )
    shown = [plain(item.alert.evidence.summary, NAME_CHARS) for item in group[:GROUP_LINES]]
    more = len(group) - GROUP_LINES
    keys = "\0".join(sorted(item.key for item in group))
    digest = hashlib.sha256(keys.encode()).hexdigest()[:32]
    own = compose(first, links, earlier)
    labels = [_labels(item.alert) for item in group]
    return replace(
        own,
        key=digest,
        thread=digest,
        opens_thread=not earlier,
        title=plain(f"{_head(first)}: {first.alert.rule} at {len(group)} places", TITLE_CHARS),
        summary="\n".join(shown + ([f"and {more} more"] if more > 0 else [])),
        top_errors=(),
        exemplars=(),
        labels={
            name: value
            for name, value in own.labels.items()
            if all(each.get(name) == value for each in labels)
        },
        url=links.alerts(),
        acknowledge_url="",
        silence_url="",
        alerts=tuple(item.alert for item in group),
    )


def place_of(alert: Alert) -> str:
    """Where it is, for a title: `stripe/payments`, with the queue or event type if there is one."""
    labels = alert.labels
    where = "/".join(labels[part] for part in ("source", "endpoint") if part in labels)
    rest = [labels[part] for part in ("event_type", "queue", "broken_rule") if part in labels]
    return " ".join([where, *rest]).strip() or "the monitor"


def _title(notification: Notification) -> str:
    if notification.reason in EXERCISES:
        mark = "[DRILL] Weekly drill" if notification.reason is Why.DRILL else "Test"
        return plain(f"{mark} of the channel {notification.channel}: nothing is wrong", TITLE_CHARS)
    head, alert = _head(notification), notification.alert
    return plain(f"{head}: {plain(alert.rule, 80)} at {plain(place_of(alert), TITLE_CHARS)}", TITLE_CHARS)


def _head(notification: Notification) -> str:
    alert = notification.alert
    return {
        Why.RESOLVED: "Resolved",
        Why.SEVERITY_RAISED: f"Now {alert.severity}",
        Why.REPEAT: f"Still {alert.severity}",
        Why.FLAPPING: f"Flapping, {alert.severity}",
        Why.ESCALATED: f"Nobody took it on, {alert.severity}",
        Why.ACKNOWLEDGED: "Acknowledged",
        Why.REMINDER: "Reminder",
    }.get(notification.reason, alert.severity.value.capitalize())


def _facts(alert: Alert, *, resolved: bool) -> tuple[tuple[str, str], ...]:
    evidence = alert.evidence
    facts = [("Since", moment(alert.firing_since or alert.since))]
    if alert.flapping_since is not None and alert.fired_at:
        times = f"fired {len(alert.fired_at)} times since {moment(alert.fired_at[0])}"
        facts.append(("Flapping", f"{times}; held until it has been calm"))
    if resolved and alert.resolved_at is not None:
        lasted = max(alert.resolved_at - (alert.firing_since or alert.resolved_at), timedelta(0))
        facts.append(("Resolved", f"{moment(alert.resolved_at)}, after {span(lasted)}"))
    if evidence.value is not None and evidence.threshold is not None:
        now_or_then = "Now" if alert.state is State.RESOLVED else "Value"
        facts.append((now_or_then, measured(evidence.value, evidence.unit)))
        facts.append(("Threshold", measured(evidence.threshold, evidence.unit)))
    facts.append(("Severity", alert.severity.value))
    if alert.ack is not None and not resolved:
        note = f": {alert.ack.note}" if alert.ack.note else ""
        facts.append(("Acknowledged", f"{alert.ack.by}, {moment(alert.ack.at)}{note}"))
    if environment := alert.labels.get("environment"):
        facts.append(("Environment", environment))
    return tuple((label, plain(text, NAME_CHARS)) for label, text in facts)


def _top_errors(alert: Alert) -> tuple[ErrorCount, ...]:
    counted = alert.evidence.top_errors[:TOP_ERRORS]
    return tuple(ErrorCount(plain(item.name, NAME_CHARS), item.count) for item in counted)


def _exemplars(alert: Alert, links: Links) -> tuple[Exemplar, ...]:
    shown = [plain(item, NAME_CHARS) for item in alert.evidence.exemplars[:EXEMPLARS]]
    return tuple(Exemplar(item, links.record(item)) for item in shown)


def _labels(alert: Alert) -> dict[str, str]:
    some = list(alert.labels.items())[:LABELS]
    return {plain(name, NAME_CHARS): plain(value, NAME_CHARS) for name, value in some}
