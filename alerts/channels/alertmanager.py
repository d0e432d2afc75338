"""A Prometheus Alertmanager, by its API v2: alerts are put there with an end, and put again before it comes.

Alertmanager keeps no alert that is not repeated to it, so `refresh` is called while an alert fires; should
the monitor itself be away for longer than HOLDS_FOR, Alertmanager takes the alert for over. What it groups,
silences and routes is its own affair.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.channels.channel import Receipt
from alerts.channels.posting import TIMEOUT_S, Now, Poster, encoded, utc_now
from alerts.http import Client
from alerts.message import Message, plain
from alerts.model import Alert, Severity, Why

HOLDS_FOR = timedelta(minutes=15)
AT_ONCE = 200
VALUE_CHARS = 500
NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


class Alertmanager:
    """One Alertmanager. url: its address without /api; authorization: the whole header's value, a secret."""

    def __init__(
        self,
        name: str,
        url: str,
        client: Client,
        *,
        authorization: str = "",
        now: Now = utc_now,
        timeout_s: float = TIMEOUT_S,
        holds_for: timedelta = HOLDS_FOR,
    ) -> None:
        self.name = name
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._headers = {"Authorization": authorization} if authorization else {}
        self._now = now
        self._holds_for = holds_for
        self._poster = Poster(name, client, now=now, timeout_s=timeout_s)

    def send(self, message: Message) -> Receipt:
        """Puts the message's alerts, or ends them. Raises ChannelError."""
        if message.reason is Why.REMINDER:
            return Receipt(warning="not sent: a reminder is no alert")
        now = self._now()
        alerts = [put(message, alert, self._end(message, alert, now)) for alert in message.alerts]
        if message.reason is Why.SEVERITY_RAISED:  # the severity is a label: the lower one is another alert
            alerts += [
                put(message, alert, now, severity)
                for alert in message.alerts
                for severity in Severity
                if severity.rank < alert.severity.rank
            ]
        self._post(alerts)
        return Receipt(reference=" ".join(alert.fingerprint for alert in message.alerts))

    def refresh(self, messages: Sequence[Message]) -> None:
        """Puts again what still fires. Raises ChannelError."""
        until = self._now() + self._holds_for
        alerts = [put(message, alert, until) for message in messages for alert in message.alerts]
        for at in range(0, len(alerts), AT_ONCE):
            self._post(alerts[at : at + AT_ONCE])

    def _end(self, message: Message, alert: Alert, now: datetime) -> datetime:
        if message.resolved:
            return alert.resolved_at or now
        return now + (timedelta(minutes=1) if message.is_exercise else self._holds_for)

    def _post(self, alerts: list[dict[str, Any]]) -> None:
        self._poster.post(self._url, encoded(alerts), self._headers)


def put(
    message: Message, alert: Alert, ends_at: datetime, severity: Severity | None = None
) -> dict[str, Any]:
    """One alert of the API's `postableAlerts`. It begins where its episode began, and ends no earlier."""
    starts_at = alert.firing_since or alert.since
    alone = len(message.alerts) == 1
    annotations = {
        "title": message.title if alone else "",
        "summary": plain(alert.evidence.summary, VALUE_CHARS),
        "runbook_url": message.runbook_url,
        "top_errors": ", ".join(f"{item.name}: {item.count}" for item in message.top_errors),
        "records": " ".join(item.url for item in message.exemplars),
    }
    return {
        "labels": labels_of(alert, severity or alert.severity),
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": starts_at.isoformat(),
        "endsAt": max(ends_at, starts_at).isoformat(),
        "generatorURL": message.url,
    }


def labels_of(alert: Alert, severity: Severity) -> dict[str, str]:
    """The labels by which Alertmanager tells alerts apart: names it takes, no empty value."""
    named = {_name(name): plain(value, VALUE_CHARS) for name, value in alert.labels.items()}
    own = {"alertname": plain(alert.rule, VALUE_CHARS), "severity": severity.value, "monitor": "hookvitals"}
    return {name: value for name, value in {**named, **own}.items() if value}


def _name(text: str) -> str:
    name = NOT_IN_A_NAME.sub("_", text)[:100]
    return f"_{name}" if not name or name[0].isdigit() else name
