"""A receiver of one's own: a JSON message, signed after Standard Webhooks (v1, HMAC-SHA256).

The body's shape is part of the product's interface: fields are added, never renamed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from alerts.channels.answers import accepted, unreachable
from alerts.channels.channel import Receipt
from alerts.errors import RequestFailed, SettingInvalid
from alerts.http import Client
from alerts.message import Message


class Webhook:
    """One receiver. secret: `whsec_` and base64, as Standard Webhooks writes it."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        client: Client,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_s: float = 10.0,
    ) -> None:
        self.name = name
        self._url = url
        self._key = _key_of(name, secret)
        self._client = client
        self._now = now
        self._timeout_s = timeout_s

    def send(self, message: Message) -> Receipt:
        """Posts the message; `webhook-id` is its idempotency key, the same at every try. Raises
        ChannelError."""
        body = json.dumps(rendered(message), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"} | signed(self._key, message.key, self._now(), body)
        try:
            answer = self._client.request("POST", self._url, headers, body, self._timeout_s)
        except RequestFailed as failed:
            raise unreachable(self.name, failed) from None
        accepted(self.name, answer, self._now)
        return Receipt(reference=message.key)


def signed(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three Standard Webhooks headers for the body."""
    seconds = str(int(at.timestamp()))
    digest = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def rendered(message: Message) -> dict[str, Any]:
    """The JSON body."""
    alert, evidence = message.alert, message.alert.evidence
    return {
        "type": f"alert.{message.reason.value}",
        "timestamp": message.created_at.isoformat(),
        "data": {
            "fingerprint": alert.fingerprint,
            "rule": alert.rule,
            "kind": alert.kind,
            "severity": alert.severity.value,
            "state": alert.state.value,
            "labels": dict(alert.labels),
            "title": message.title,
            "summary": message.summary,
            "firing_since": _text(alert.firing_since),
            "resolved_at": _text(alert.resolved_at),
            "value": evidence.value,
            "threshold": evidence.threshold,
            "unit": evidence.unit,
            "top_errors": [{"name": item.name, "count": item.count} for item in message.top_errors],
            "records": list(message.exemplars),
            "url": message.url,
            "runbook": message.runbook,
        },
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _key_of(name: str, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise SettingInvalid(
            f"channel {name}: the secret is not 24 to 64 bytes in base64",
            hint="make one with: echo whsec_$(openssl rand -base64 32)",
        )
    return key
