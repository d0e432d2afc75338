"""Events: the timeline of one, at every endpoint that saw it; what was captured of it, removed for good."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.records import RecordShape
from monitor.api.shapes import Asked, Shape, answer
from monitor.errors import NotFound
from monitor.model import Outcome
from monitor.operations.expunge import expunge
from monitor.queries.events import Timeline, timelines
from monitor.store.facts.expunging import Expunge

events = noun("events", "What became of one event of a provider.")


class StepShape(Shape):
    """One record of the event. after_ms: since it was first received."""

    after_ms: float
    is_delivery: bool
    is_attempt: bool
    record: RecordShape


class TimelineShape(Shape):
    """The event at one endpoint, its steps by record time. outcome: that of the last step."""

    environment: str
    source: str
    endpoint: str
    event_id: str
    event_type: str
    first_received_at: datetime
    outcome: Outcome
    deliveries: int
    attempts: int
    steps: list[StepShape]


class EventShape(Shape):
    timelines: list[TimelineShape]


class EventPath(Asked):
    source: str
    event_id: str


class EventQuery(Asked):
    environment: Annotated[str | None, Field(description="Left out: every environment.")] = None


@events.get("/events/<source>/<path:event_id>", responses={200: EventShape})
@needs(Need.READ)
def timeline(path: EventPath, query: EventQuery) -> Response:
    """The timeline of one event"""
    found = timelines(services().facts, query.environment, path.source, path.event_id)
    if not found:
        raise NotFound(
            f"No record of event {path.event_id} from {path.source}.", "it may be older than the retention"
        )
    return answer(EventShape(timelines=[_shape(line) for line in found]))


class CapturePath(Asked):
    source: str
    event_id: str


class CaptureQuery(Asked):
    reason: Annotated[str, Field(description="Why, for the audit.")]
    environment: Annotated[str | None, Field(description="Left out: every environment.")] = None
    endpoint: Annotated[str | None, Field(description="Left out: every endpoint.")] = None
    details: Annotated[
        bool, Field(description="Blank error texts, labels, address and user agent of its records too.")
    ] = False


class ExpungedShape(Shape):
    """How much was removed. is_settled: false when a reader keeps the bytes in a file; ask again."""

    captures: int
    letters: int
    records: int
    is_settled: bool


@events.delete("/events/<source>/<path:event_id>/capture", responses={200: ExpungedShape})
@needs(Need.ADMIN)
def remove_capture(path: CapturePath, query: CaptureQuery) -> Response:
    """Remove the captured payload of one event for good"""
    wanted = Expunge(path.source, path.event_id, query.environment, query.endpoint, query.details)
    with services().eraser() as eraser:
        done = expunge(services().desk, current_actor(), eraser, wanted, query.reason)
    return answer(ExpungedShape.model_validate(done))


def _shape(line: Timeline) -> TimelineShape:
    steps = [
        StepShape(
            after_ms=step.after.total_seconds() * 1000,
            is_delivery=step.is_delivery,
            is_attempt=step.is_attempt,
            record=RecordShape.model_validate(step.record),
        )
        for step in line.steps
    ]
    return TimelineShape(
        environment=line.environment,
        source=line.source,
        endpoint=line.endpoint,
        event_id=line.event_id,
        event_type=line.event_type,
        first_received_at=line.first_received_at,
        outcome=line.outcome,
        deliveries=line.deliveries,
        attempts=line.attempts,
        steps=steps,
    )
