"""The events screen: pages of records through filters, and the timeline of one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from monitor.clock import to_us
from monitor.model import ATTEMPTS, Outcome, Record
from monitor.store.facts.protocol import FactReader, RecordFilter, RecordPage

READS_A_PAGE = 6
"""How often one call looks further when the store's bound was met before a match was found."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which records to show; an empty part matches all. Times are record times, until_at exclusive."""

    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None
    outcomes: Sequence[Outcome] = ()
    error_class: str | None = None
    since_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One record in a timeline. after: since the event was first received, by the receiver's clock."""

    record: Record
    after: timedelta

    @property
    def is_delivery(self) -> bool:
        """The sender saw an answer."""
        return self.record.http_status is not None

    @property
    def is_attempt(self) -> bool:
        """The handler ran."""
        return self.record.outcome in ATTEMPTS


@dataclass(frozen=True, slots=True)
class Timeline:
    """One event at one endpoint, its steps by record time. outcome: that of the last step."""

    environment: str
    source: str
    endpoint: str
    event_id: str
    event_type: str
    first_received_at: datetime
    outcome: Outcome
    steps: Sequence[Step]

    @property
    def deliveries(self) -> int:
        return sum(step.is_delivery for step in self.steps)

    @property
    def attempts(self) -> int:
        return sum(step.is_attempt for step in self.steps)


def find(reader: FactReader, search: Search, limit: int, before: UUID | None = None) -> RecordPage:
    """Matching records, newest first, from below `before` on.

    An empty page with a next_before means: nothing so far, and more to look through.
    """
    wanted = RecordFilter(
        search.environment,
        search.source,
        search.endpoint,
        search.event_type,
        search.outcomes,
        search.error_class,
        None if search.since_at is None else to_us(search.since_at),
        None if search.until_at is None else to_us(search.until_at),
    )
    found: list[Record] = []
    for _ in range(READS_A_PAGE):
        page = reader.page(wanted, limit - len(found), before)
        found += page.records
        before = page.next_before
        if before is None or len(found) >= limit:
            break
    return RecordPage(found, before)


def record(reader: FactReader, record_id: UUID) -> Record | None:
    return reader.get(record_id)


def timelines(reader: FactReader, environment: str | None, source: str, event_id: str) -> list[Timeline]:
    """What became of one event, one timeline for each endpoint that saw it; none when it is unknown.

    environment None looks in all.
    """
    by_place: dict[tuple[str, str], list[Record]] = {}
    for seen in reader.event(environment, source, event_id):
        by_place.setdefault((seen.environment, seen.endpoint), []).append(seen)
    return [_timeline(records) for _, records in sorted(by_place.items())]


def _timeline(records: Sequence[Record]) -> Timeline:
    last = records[-1]
    first_at = min(seen.received_at for seen in records)
    return Timeline(
        last.environment,
        last.source,
        last.endpoint,
        last.event_id or "",
        last.event_type,
        first_at,
        last.outcome,
        [Step(seen, seen.recorded_at - first_at) for seen in records],
    )
