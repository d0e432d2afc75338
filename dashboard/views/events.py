"""Records, what their filters offer, and a captured body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.model import Record


@dataclass(frozen=True, slots=True)
class EventPage:
    """Records, newest first. next_before continues the page; None at the end."""

    records: Sequence[Record]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters of a page offer, sorted."""

    sources: Sequence[str]
    endpoints: Sequence[str]
    types: Sequence[str]
    errors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Payload:
    """A captured body with its secrets masked, and how it came to be so."""

    headers: Mapping[str, str]
    body: str
    content_type: str
    masked: int
    redacted: bool
