"""What an endpoint has shown before production, and what was seen of its sender."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One item of a checklist. seen_at: when its newest evidence is from. by, attested_at, until, note: what
    somebody answered for, even where that has ended or evidence goes before it."""

    id: str
    list: str
    group: str
    asks: str
    verdict: str
    said: str
    seen_at: datetime | None = None
    by: str | None = None
    attested_at: datetime | None = None
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SightingLine:
    """A value that was seen of an endpoint's sender. sample: the id of its first record, or of an event."""

    aspect: str
    value: str
    first_at: datetime
    last_at: datetime
    sample: str


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """sightings: the last seen for the first time come first."""

    items: Sequence[ChecklistLine]
    sightings: Sequence[SightingLine] = ()
