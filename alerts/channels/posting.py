"""The one way a channel posts JSON: what goes wrong comes back as the channel's error, without the URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from alerts.channels.answers import accepted, unreachable
from alerts.errors import RequestFailed
from alerts.http import Client, Response

TIMEOUT_S = 10.0
Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Poster:
    """Posts for one channel. It holds no URL and no secret: they come with each call."""

    def __init__(
        self, channel: str, client: Client, *, now: Now = utc_now, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._channel = channel
        self._client = client
        self._now = now
        self._timeout_s = timeout_s

    def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """The answer, a 2xx. Raises ChannelError for any other, and for none."""
        sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        try:
            answer = self._client.request("POST", url, sent, body, self._timeout_s)
        except RequestFailed as failed:
            raise unreachable(self._channel, failed) from None
        accepted(self._channel, answer, self._now)
        return answer


def encoded(body: Any) -> bytes:
    """The body as compact JSON in ASCII."""
    return json.dumps(body, separators=(",", ":")).encode()
