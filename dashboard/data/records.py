"""Single records on the screens: pages of them, one event, one record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dashboard.data.traffic import bounds
from dashboard.scope import Scope
from dashboard.views import EventPage
from monitor.model import Outcome, Record
from monitor.queries import events
from monitor.queries.events import Search
from monitor.store.facts.protocol import FactReader


def page(reader: FactReader, scope: Scope, limit: int, before: str | None, now: datetime) -> EventPage:
    """Matching records of the scope's range, newest first, from below `before` on."""
    start_at, _ = bounds(scope, now)
    found = events.find(reader, _search(scope, start_at), limit, UUID(before) if before else None)
    return EventPage(found.records, None if found.next_before is None else str(found.next_before))


def of_event(reader: FactReader, environment: str, source: str, event_id: str) -> list[Record]:
    """Every record of one event at any endpoint, oldest first."""
    found = events.timelines(reader, environment, source, event_id)
    records = [step.record for timeline in found for step in timeline.steps]
    return sorted(records, key=lambda record: record.record_id.bytes)


def places(reader: FactReader, environment: str, event_id: str) -> list[tuple[str, str]]:
    """(source, endpoint) pairs that saw an event of this id."""
    sources = sorted({key.source for key in reader.series(environment).values() if key.source})
    return [
        (timeline.source, timeline.endpoint)
        for source in sources
        for timeline in events.timelines(reader, environment, source, event_id)
    ]


def one(reader: FactReader, record_id: str) -> Record | None:
    """The record of that id; None for an unknown one, or for text that is no id."""
    try:
        wanted = UUID(record_id)
    except ValueError:
        return None
    return events.record(reader, wanted)


def several(reader: FactReader, record_ids: Sequence[str]) -> list[Record]:
    """The records that are still kept, in the given order."""
    return [record for record_id in record_ids if (record := one(reader, record_id)) is not None]


def _search(scope: Scope, since_at: datetime) -> Search:
    return Search(
        scope.environment,
        scope.get("source"),
        scope.get("endpoint"),
        scope.get("type"),
        _outcomes(scope.get("outcome")),
        scope.get("error"),
        since_at,
    )


def _outcomes(text: str | None) -> list[Outcome]:
    """The outcomes a filter names, separated by commas; what is none is left out."""
    known = {outcome.value for outcome in Outcome}
    return [Outcome(name) for name in (text or "").split(",") if name in known]
