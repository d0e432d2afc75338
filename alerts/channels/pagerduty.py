"""PagerDuty through its Events API v2: an alert triggers, is acknowledged and resolves one incident.

The incident's key is the alert's episode, so a second copy of a message changes nothing there. A test or a
drill triggers an incident and resolves it at once. What wakes nobody (a ticket, a reminder) is not sent.
"""

from __future__ import annotations

from typing import Any

from alerts.channels.channel import Receipt
from alerts.channels.posting import TIMEOUT_S, Now, Poster, encoded, utc_now
from alerts.errors import SettingInvalid
from alerts.http import Client
from alerts.message import Message, place_of, plain
from alerts.model import Alert, Severity, Why
from alerts.rules import TICKETS

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_CHARS = 1024
PART_CHARS = 255

SEVERITIES = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
    Severity.CRITICAL: "critical",
}
ACTIONS = {
    Why.RESOLVED: ("resolve",),
    Why.ACKNOWLEDGED: ("acknowledge",),
    Why.TEST: ("trigger", "resolve"),
    Why.DRILL: ("trigger", "resolve"),
}
"""What becomes of the incident; every other reason triggers it, which is no news to one that is open."""


class PagerDuty:
    """One integration of a service. routing_key is a secret; events_url: another one for the EU region."""

    acknowledges = True

    def __init__(
        self,
        name: str,
        routing_key: str,
        client: Client,
        *,
        events_url: str = EVENTS_URL,
        now: Now = utc_now,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not (routing_key.isascii() and routing_key.isalnum()):
            raise SettingInvalid(
                f"channel {name}: that is no routing key",
                hint="copy the integration key of an Events API v2 integration, 32 letters and digits",
                key="routing_key",
            )
        self.name = name
        self._routing_key = routing_key
        self._events_url = events_url
        self._poster = Poster(name, client, now=now, timeout_s=timeout_s)

    def send(self, message: Message) -> Receipt:
        """Posts one event for each alert of the message. Raises ChannelError; after one, sending the whole
        message again does no harm."""
        if message.reason is Why.REMINDER or message.alert.kind in TICKETS:
            return Receipt(warning="not sent: tickets and reminders page nobody")
        keys = [dedup_key(alert) for alert in message.alerts]
        for alert in message.alerts:
            for action in ACTIONS.get(message.reason, ("trigger",)):
                event = {"routing_key": self._routing_key, **rendered(message, alert, action)}
                self._poster.post(self._events_url, encoded(event))
        return Receipt(reference=" ".join(keys))


def dedup_key(alert: Alert) -> str:
    """The incident's key: the alert and its episode."""
    return f"{alert.fingerprint}.{alert.episode}"


def rendered(message: Message, alert: Alert, action: str) -> dict[str, Any]:
    """The event without its routing key."""
    event: dict[str, Any] = {"event_action": action, "dedup_key": dedup_key(alert)}
    if action != "trigger":
        return event
    alone = len(message.alerts) == 1
    title = message.title if alone else f"{alert.rule} at {place_of(alert)}"
    links = [{"href": message.url, "text": "Open the alert"}]
    links += [{"href": item.url, "text": f"Record {item.id}"} for item in message.exemplars]
    if message.runbook_url:
        links.append({"href": message.runbook_url, "text": "Runbook"})
    return {
        **event,
        "client": "Hookvitals",
        "client_url": message.url,
        "links": links,
        "payload": {
            "summary": plain(f"{title}: {alert.evidence.summary}", SUMMARY_CHARS),
            "source": plain(place_of(alert), PART_CHARS) or "unknown",
            "severity": SEVERITIES[alert.severity],
            "timestamp": (alert.firing_since or alert.since).isoformat(),
            "component": plain(alert.labels.get("endpoint", ""), PART_CHARS),
            "group": plain(alert.labels.get("source", ""), PART_CHARS),
            "class": plain(alert.rule, PART_CHARS),
            "custom_details": {
                **dict(message.facts),
                "labels": dict(message.labels),
                "top errors": {item.name: item.count for item in message.top_errors},
                "runbook": message.runbook,
            },
        },
    }
