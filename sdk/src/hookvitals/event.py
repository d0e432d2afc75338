"""One verified event as a handler sees it, and the paths that find its parts in a body."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping, Optional, Sequence, Tuple

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d\d:?\d\d)?\Z", re.ASCII
)


@dataclass(frozen=True)
class Event:
    """What was received. `data` is the parsed JSON body, `body` the bytes as received.

    headers: those on the allow-list, names in lower case. attempt counts from 1. replay_id is set when an
    operator replays a dead letter. fields: resource, version and event_created_at where the source has them.
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


AND = "+"
"""Stands between paths that make one name together."""


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
    if isinstance(value, str):
        return _parsed_us(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not -1e14 < value < 1e14:  # also what is no number, and what no float can hold
        return None
    seconds = value / 1000 if abs(value) > 1e11 else value
    return int(seconds * 1_000_000)


def _parsed_us(text: str) -> Optional[int]:
    """Any number of fractional digits and an offset with or without colon: Python 3.9 reads neither."""
    match = _ISO.match(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    zone = (
        "+00:00" if offset in (None, "Z", "z") else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    )
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{zone}")
        return int(whole.timestamp()) * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None
