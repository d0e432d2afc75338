"""What of a request is kept for the operator: bytes and a few headers, never a signature or a credential."""

import base64
import hashlib
from typing import Any, Dict, Iterable, Sequence, Tuple

POLICIES = ("off", "dead_letters", "failures", "all", "hash")
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


def wanted(policy: str, outcome: str) -> bool:
    """Whether this policy keeps the request behind a record of this outcome."""
    if policy in ("off", "") or outcome == "rejected":
        return False
    if policy in ("all", "hash"):
        return True
    if policy == "failures":
        return outcome in ("failed", "dead_lettered")
    return outcome == "dead_lettered"


def kept_headers(headers: Sequence[Tuple[str, str]], also: Iterable[str] = ()) -> Dict[str, str]:
    """The headers on the list, never one that could carry a signature or a credential."""
    allowed = ALLOWED_HEADERS | {name.lower() for name in also}
    return {
        name: value[:1024]
        for name, value in headers
        if name in allowed and not any(word in name for word in _NEVER)
    }


def capture(policy: str, headers: Dict[str, str], body: bytes) -> Dict[str, Any]:
    """The `capture` field of a record; with policy `hash` a digest and a length instead of the bytes."""
    kept: Dict[str, Any] = {"headers": headers, "content_type": headers.get("content-type", "")[:256]}
    if policy == "hash" or len(body) > MAX_BODY_BYTES:
        kept["sha256"] = hashlib.sha256(body).hexdigest()
        kept["length"] = len(body)
    else:
        kept["body"] = base64.b64encode(body).decode()
    return kept
