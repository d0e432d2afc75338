"""What the sender is told: a status for each outcome and refusal, in one table a source, and for refusals a
problem document that gives nothing away.

A refusal names a stable code and an error id that finds the record; never the expected signature, a secret
or a stack.
"""

import json
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Tuple

Headers = List[Tuple[str, str]]
BUSY_RETRY_S = 5
"""When to come again where something is at work, or away for a moment."""


class Refused(Exception):
    """Ends a request with a refusal. reason: a key of STATUS_OF. detail: for the record, never the answer."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        retry_after_s: Optional[int] = None,
        allow: Optional[str] = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.allow = allow


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Headers
    body: bytes


TAKEN = ("accepted", "succeeded", "duplicate", "stale", "unhandled")
"""Outcomes that the sender need not come back for: answered with the source's own 2xx."""

GIVEN_UP = "dead_lettered"
"""Work that failed for good without an inbox. Not a 2xx unless a source's table says so: until its record is
stored the sender's copy is the only one that survives this process."""

STATUS_OF: Mapping[str, int] = {
    "method_not_allowed": 405,
    "too_large": 413,
    "ip_not_allowed": 403,
    "missing_signature": 401,
    "malformed_signature": 401,
    "bad_signature": 401,
    "unknown_key": 401,
    "timestamp_too_old": 401,
    "timestamp_in_future": 401,
    "rate_limited": 429,
    "malformed_body": 400,
    "invalid_payload": 400,
    "busy": 503,
    "out_of_turn": 503,
    "circuit_open": 503,
    "unavailable": 503,
    "failed": 500,
    "dead_lettered": 422,
}
_TITLES: Mapping[str, str] = {
    "method_not_allowed": "Webhooks are sent with POST",
    "too_large": "The body is too large",
    "ip_not_allowed": "This address may not send here",
    "missing_signature": "There is no signature",
    "malformed_signature": "The signature cannot be read",
    "bad_signature": "The signature does not match",
    "unknown_key": "The signing key is not known",
    "timestamp_too_old": "It was signed too long ago",
    "timestamp_in_future": "It was signed in the future",
    "rate_limited": "Too many requests",
    "malformed_body": "The body cannot be read",
    "invalid_payload": "The body is not an event of the form agreed upon",
    "busy": "Another copy of this event is being processed",
    "out_of_turn": "Another event of the same resource is being processed",
    "circuit_open": "Most of the work fails at present; it is left alone for a while",
    "unavailable": "Whether this event was processed before cannot be known at present",
    "failed": "Processing failed",
    "dead_lettered": "Processing failed, and would fail again",
}


def table(ack_status: int, other: Mapping[str, int]) -> Mapping[str, int]:
    """Outcome or refusal → the status a source is answered. other: where it differs from all others' table.

    Raises ValueError for an outcome that is none, a refusal that would say 2xx, work taken that would not.
    """
    for name, status in other.items():
        allowed = range(200, 300) if name in TAKEN else range(400, 600) if name in STATUS_OF else ()
        if type(status) is not int or not (status in allowed or (name == GIVEN_UP and 200 <= status < 300)):
            raise ValueError(
                f"statuses has {name!r}: {status!r}; known are {', '.join(TAKEN)} with a status from 200 "
                f"to 299, and {', '.join(STATUS_OF)} with one from 400 to 599; {GIVEN_UP} may be either"
            )
    return {**dict.fromkeys(TAKEN, ack_status), **STATUS_OF, **other}


def taken(status: int, text: str = "") -> Answer:
    """The answer for work that was accepted, done, or needs no doing. text: what the source wants to read."""
    if text and status != 204:
        return Answer(status, [("Content-Type", "text/plain; charset=utf-8")], text.encode())
    return Answer(status, [("Content-Type", "application/json")], b'{"ok":true}' if status != 204 else b"")


def asked(body: Mapping[str, Any]) -> Answer:
    """The answer to a provider's question about the endpoint."""
    return Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode())


def refusal(
    code: str,
    status: int,
    error_id: str,
    *,
    retry_after_s: Optional[int] = None,
    allow: Optional[str] = None,
) -> Answer:
    """An RFC 9457 problem document for this code. error_id: the id of the record that knows more."""
    headers: Headers = [("Content-Type", "application/problem+json")]
    if retry_after_s is not None:
        headers.append(("Retry-After", str(retry_after_s)))
    if allow is not None:
        headers.append(("Allow", allow))
    document = {
        "type": f"urn:hookvitals:problem:{code}",
        "title": _TITLES.get(code, "The request was refused"),
        "status": status,
        "code": code,
        "instance": f"urn:uuid:{error_id}",
        "error_id": error_id,
    }
    return Answer(status, headers, json.dumps(document).encode())
