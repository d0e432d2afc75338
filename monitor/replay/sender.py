"""The request of a replay: the event as it was captured, signed with the endpoint's replay secret.

It goes to the endpoint's registered URL and nowhere else, is never redirected, and says what became of the
request, not of the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from alerts.errors import Failure, RequestFailed
from alerts.http import Response
from hookvitals.replay import replay_headers
from monitor.model import Capture

REASON_CHARS = 300
MAYBE_RECEIVED = frozenset({Failure.TIMEOUT, Failure.BROKEN_RESPONSE})
"""The request may have arrived although no answer came back."""
NEVER_SENT = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "hookvitals-replay",
        "hookvitals-signature",
        "hookvitals-timestamp",
    }
)
"""Headers that belong to the original connection or prove an identity, whatever the capture holds."""


class Requests(Protocol):
    """What is asked of `alerts.http.Client`."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response: ...


class Arrival(StrEnum):
    """What became of the request."""

    ANSWERED = "answered"  # with a 2xx
    REFUSED = "refused"  # by an answer, or it could not be sent
    UNKNOWN = "unknown"  # it may have arrived


@dataclass(frozen=True, slots=True)
class Sent:
    """reason: in words, without a URL's path and without a secret."""

    arrival: Arrival
    http_status: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to send again."""

    item_id: str
    url: str
    capture: Capture = field(repr=False)
    secret: str = field(repr=False)


def send(outgoing: Outgoing, requests: Requests, now_s: float, timeout_s: float) -> Sent:
    """Sends it once. now_s: Unix time. Raises nothing for what the network or the receiver does."""
    try:
        answer = requests.request(
            "POST", outgoing.url, headers_of(outgoing, now_s), outgoing.capture.body, timeout_s
        )
    except RequestFailed as exc:
        arrival = Arrival.UNKNOWN if exc.reason in MAYBE_RECEIVED else Arrival.REFUSED
        return Sent(arrival, None, str(exc)[:REASON_CHARS])
    except ValueError:  # nothing was sent: the request could not be signed
        return Sent(Arrival.REFUSED, None, "the endpoint's replay_secret is not `whsec_` and base64")
    if 200 <= answer.status < 300:
        return Sent(Arrival.ANSWERED, answer.status)
    return Sent(Arrival.REFUSED, answer.status, f"the receiver answered {answer.status}")


def headers_of(outgoing: Outgoing, now_s: float) -> dict[str, str]:
    """The captured headers that may go out again, and those that make it a replay.

    Raises ValueError for a secret that is not in the form of Standard Webhooks.
    """
    kept: Mapping[str, str] = outgoing.capture.headers
    headers = {
        name: value
        for name, value in kept.items()
        if name.lower() not in NEVER_SENT and "signature" not in name.lower()
    }
    if outgoing.capture.content_type:
        headers["Content-Type"] = outgoing.capture.content_type
    headers.update(replay_headers(outgoing.item_id, outgoing.capture.body, outgoing.secret, now_s))
    return headers
