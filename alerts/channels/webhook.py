"""A receiver of one's own: a JSON message, signed after Standard Webhooks (v1, HMAC-SHA256).

The body's shape is part of the product's interface: fields are added, never renamed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Any

from alerts.channels.channel import Receipt
from alerts.channels.posting import TIMEOUT_S, Now, Poster, encoded, utc_now
from alerts.errors import SettingInvalid
from alerts.http import Client
from alerts.message import NAME_CHARS, Message, plain


class Webhook:
    """One receiver. secret: `whsec_` and base64, as Standard Webhooks writes it."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        client: Client,
        *,
        now: Now = utc_now,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = name
        self._url = url
        self._key = _key_of(name, secret)
        self._now = now
        self._poster = Poster(name, client, now=now, timeout_s=timeout_s)

    def send(self, message: Message) -> Receipt:
        """Posts the message; `webhook-id` is its idempotency key, the same at every try. Raises
        ChannelError."""
        body = encoded(rendered(message))
        self._poster.post(self._url, body, signed(self._key, message.key, self._now(), body))
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
            "episode": alert.episode,
            "alerts": [each.fingerprint for each in message.alerts],
            "rule": plain(alert.rule, NAME_CHARS),
            "kind": plain(alert.kind, NAME_CHARS),
            "severity": alert.severity.value,
            "state": alert.state.value,
            "labels": dict(message.labels),
            "title": message.title,
            "summary": message.summary,
            "firing_since": _text(alert.firing_since),
            "resolved_at": _text(alert.resolved_at),
            "value": evidence.value,
            "threshold": evidence.threshold,
            "unit": plain(evidence.unit, NAME_CHARS),
            "top_errors": [{"name": item.name, "count": item.count} for item in message.top_errors],
            "records": [item.id for item in message.exemplars],
            "url": message.url,
            "acknowledge_url": message.acknowledge_url,
            "silence_url": message.silence_url,
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
            key="secret",
        )
    return key
