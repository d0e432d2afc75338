"""What of a request is kept for the operator: bytes and a few headers, never a signature or a credential."""

import base64
import hashlib
from typing import Any, Dict, Iterable, Optional, Sequence, Tuple

from hookvitals.redact import Redact, hidden_body

POLICIES = ("off", "dead_letters", "failures", "sampled", "all", "hash")
DEFAULT_RATE = 0.01
ALLOWED_HEADERS = frozenset(
    {
        "accept",
        "content-type",
        "user-agent",
        "ce-id",
        "ce-source",
        "ce-type",
        "traceparent",
        "webhook-id",
        "webhook-timestamp",
        "svix-id",
        "svix-timestamp",
        "x-event-type",
        "x-request-id",
    }
)
_NEVER = ("signature", "authorization", "cookie", "token", "secret", "api-key")
MAX_BODY_BYTES = 1 << 20


def wanted(policy: str, outcome: str, event_id: str = "", rate: float = DEFAULT_RATE) -> bool:
    """Whether this policy keeps the request behind a record of this outcome.

    rate: the share of events, 0..1, that `sampled` keeps besides the dead letters.
    """
    if policy in ("off", "") or outcome == "rejected":
        return False
    if policy in ("all", "hash") or outcome == "dead_lettered":
        return True
    if policy == "failures":
        return outcome == "failed"
    return policy == "sampled" and in_sample(event_id, rate)


def in_sample(event_id: str, rate: float) -> bool:
    """Whether the event is one of this share: the same for each of its copies, in every process."""
    digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64


def kept_headers(headers: Sequence[Tuple[str, str]], also: Iterable[str] = ()) -> Dict[str, str]:
    """The headers on the list, never one that could carry a signature or a credential."""
    allowed = ALLOWED_HEADERS | {name.lower() for name in also}
    return {
        name: value[:1024]
        for name, value in headers
        if name in allowed and not any(word in name for word in _NEVER)
    }


def capture(
    policy: str, headers: Dict[str, str], body: bytes, redact: Optional[Redact] = None
) -> Dict[str, Any]:
    """The `capture` field of a record; with policy `hash` a digest and a length instead of the bytes.

    redact: hides parts of the body; where it hid any, the capture says so and is never replayed.
    """
    kept: Dict[str, Any] = {"headers": headers, "content_type": headers.get("content-type", "")[:256]}
    if policy == "hash" or len(body) > MAX_BODY_BYTES:
        kept["sha256"] = hashlib.sha256(body).hexdigest()
        kept["length"] = len(body)
        return kept
    shown = body if redact is None else hidden_body(redact, body)
    if shown is None or shown != body:
        kept["redacted"] = True
    if shown is not None:
        kept["body"] = base64.b64encode(shown).decode()
    return kept
