"""Links that act without a login: signed by the monitor, for one act on one episode of one alert, for a time.

Whoever holds the link may do what it says and nothing else. It reads no clock and keeps no state; that an act
done twice is done once is for the one who does it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from alerts.errors import AlertsError

LONGEST_TOKEN = 1000
KEY_BYTES = 32


class Act(StrEnum):
    """What a link does."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Permit:
    """What a link lets its holder do. channel: the one whose message carried it. expires_at: whole seconds
    count."""

    act: Act
    fingerprint: str
    episode: int
    channel: str
    expires_at: datetime


class PermitRefused(AlertsError):
    """The link is not one of ours, or is no longer good."""

    code = "link_refused"


class Permits:
    """Makes and reads the tokens of links. key: 32 secret bytes, used for nothing else."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key for links has {KEY_BYTES} bytes")
        self._key = key

    def token(self, permit: Permit) -> str:
        """The permit as the last part of a URL; the same permit makes the same token."""
        content = [
            permit.act.value,
            permit.fingerprint,
            permit.episode,
            permit.channel,
            int(permit.expires_at.timestamp()),
        ]
        text = _text(json.dumps(content, separators=(",", ":")).encode())
        return f"{text}.{_text(self._mac(text))}"

    def read(self, token: str, now: datetime) -> Permit:
        """The permit. Raises PermitRefused for a token that is forged, changed, cut short or expired."""
        text, _, mac = token[: LONGEST_TOKEN + 1].partition(".")
        if len(token) > LONGEST_TOKEN or not hmac.compare_digest(
            mac.encode(errors="replace"), _text(self._mac(text)).encode()
        ):
            raise PermitRefused("this link is not whole, or not of this monitor", hint="copy all of it")
        act, fingerprint, episode, channel, expires_s = json.loads(_bytes(text))
        permit = Permit(Act(act), fingerprint, episode, channel, datetime.fromtimestamp(expires_s, UTC))
        if now >= permit.expires_at:
            raise PermitRefused("this link has expired", hint="open the alert in the dashboard")
        return permit

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(errors="replace"), hashlib.sha256)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
