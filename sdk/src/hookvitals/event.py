"""One verified event as a handler sees it, and the paths that find its parts in a body."""

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping, Optional, Sequence, Tuple


@dataclass(frozen=True)
class Event:
    """What was received. `data` is the parsed JSON body, `body` the bytes as received.

    attempt counts from 1. replay_id is set when an operator replays a dead letter.
    """

    id: str
    type: str
    data: Any
    body: bytes
    headers: Sequence[Tuple[str, str]]
    received_at_us: int
    attempt: int = 1
    replay_id: Optional[str] = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def received_at(self) -> datetime:
        """Aware UTC."""
        return datetime.fromtimestamp(self.received_at_us / 1e6, tz=timezone.utc)


def found_at(path: Optional[str], data: Any, headers: Sequence[Tuple[str, str]]) -> Any:
    """The value at a dotted path of the body, or of `header:<name>`; None when it is not there."""
    if not path:
        return None
    if path.startswith("header:"):
        name = path[len("header:") :].lower()
        return next((value for found, value in headers if found == name), None)
    for part in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(part)
    return data


def instant_us(value: Any) -> Optional[int]:
    """Microseconds since 1970 of an ISO 8601 text or a number of seconds or milliseconds; None otherwise."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        seconds = value / 1000 if abs(value) > 1e11 else value
        return int(seconds * 1e6) if abs(seconds) < 1e11 else None
    try:
        text = str(value).strip()
        at = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        return int(at.timestamp() * 1e6)
    except (ValueError, OverflowError):
        return None


def rank(version: Any) -> Optional[float]:
    """A number that orders versions of one resource: a counter, or an instant. None when it is neither."""
    if isinstance(version, (int, float)) and not isinstance(version, bool):
        return float(version)
    if isinstance(version, str):
        try:
            return float(version)
        except ValueError:
            at_us = instant_us(version)
            return None if at_us is None else float(at_us)
    return None
