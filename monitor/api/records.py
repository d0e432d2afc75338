"""Records: a page through filters, and one by its id. Reads only."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Response
from pydantic import AwareDatetime, Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_of, key_of
from monitor.api.shapes import Asked, Shape, answer
from monitor.errors import NotFound, Unprocessable
from monitor.model import Outcome, Reason
from monitor.queries import events

records = noun("records", "Processing records as they were reported, newest first.")


class RecordShape(Shape):
    """One processing record."""

    record_id: UUID
    recorded_at: datetime
    environment: str
    source: str
    endpoint: str
    event_type: str
    event_id: str | None
    outcome: Outcome
    received_at: datetime
    reason: Reason | None
    attempt: int | None
    http_status: int | None
    ack_ms: float | None
    queue_ms: float | None
    process_ms: float | None
    verify_ms: float | None
    latency_ms: float | None
    skew_ms: float | None
    secret_id: str | None
    cause: str | None
    event_created_at: datetime | None
    resource: str | None
    version: str | None
    error_class: str | None
    error_message: str | None
    error_stack: str | None
    canary: bool
    replay_id: str | None
    receiver: str | None
    remote_ip: str | None
    user_agent: str | None
    trace_id: str | None
    span_id: str | None
    labels: dict[str, str]
    has_capture: bool


class RecordPage(Shape):
    """An empty page with a next_cursor means: nothing so far, and more to look through."""

    records: list[RecordShape]
    next_cursor: str | None


class RecordSearch(Paged, Asked):
    """Filters; one left out matches all."""

    environment: Annotated[str | None, Field(max_length=32)] = None
    source: Annotated[str | None, Field(max_length=64)] = None
    endpoint: Annotated[str | None, Field(max_length=128)] = None
    event_type: Annotated[str | None, Field(max_length=256)] = None
    outcome: list[Outcome] = Field(default_factory=list, description="May be given several times.")
    error_class: Annotated[str | None, Field(max_length=256)] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class RecordPath(Asked):
    record_id: UUID


@records.get("/records", responses={200: RecordPage})
@needs(Need.READ)
def page(query: RecordSearch) -> Response:
    """A page of records, newest first"""
    search = events.Search(
        query.environment,
        query.source,
        query.endpoint,
        query.event_type,
        query.outcome,
        query.error_class,
        query.since,
        query.until,
    )
    before = None if query.cursor is None else _record_id(key_of(query.cursor))
    found = events.find(services().facts, search, query.limit, before)
    more = None if found.next_before is None else cursor_of(str(found.next_before))
    shapes = [RecordShape.model_validate(record) for record in found.records]
    return answer(RecordPage(records=shapes, next_cursor=more))


@records.get("/records/<record_id>", responses={200: RecordShape})
@needs(Need.READ)
def one(path: RecordPath) -> Response:
    """One record"""
    found = events.record(services().facts, path.record_id)
    if found is None:
        raise NotFound(f"There is no record {path.record_id}.", "it may have been purged")
    return answer(RecordShape.model_validate(found))


def _record_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise Unprocessable("This cursor is not one of ours.", "start again without a cursor") from exc
