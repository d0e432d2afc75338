"""Series: the figures of an environment, a source, an endpoint or a type over time. Reads only."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Range, Rounding, Shape, Share, Spread, answer, rounding
from monitor.errors import Unprocessable
from monitor.model import Outcome, SeriesKey
from monitor.queries.summary import SHOWN, Summary, chart

series = noun("series", "Figures over time, from rollups.")


class PointShape(Shape):
    """The figures of one step that starts at `at`; rates exclude replays and canaries."""

    at: datetime
    records: int
    outcomes: dict[Outcome, int]
    attempts: int
    failures: int
    deliveries: int
    attempt_error_rate: Share
    event_success: Share
    ack_success: Share
    verification_failure_rate: Share
    process_ms: Spread
    ack_ms: Spread


class SeriesShape(Shape):
    """Adjoining whole steps of [since, until), oldest first; a step without a record is there too."""

    environment: str
    source: str | None
    endpoint: str | None
    event_type: str | None
    since: datetime
    until: datetime
    rounded_to: Rounding
    step_s: float
    points: list[PointShape]


class SeriesQuery(Range):
    """What to follow: each narrower part needs the wider one."""

    event_type: Annotated[str | None, Field(max_length=256, description="Needs an endpoint.")] = None
    points: Annotated[int, Field(ge=1, le=1000, description="At most this many steps.")] = 120


@series.get("/series", responses={200: SeriesShape})
@needs(Need.READ)
def follow(query: SeriesQuery) -> Response:
    """The course of one series"""
    if (query.endpoint and not query.source) or (query.event_type and not query.endpoint):
        raise Unprocessable("A series narrows step by step.", "give source, then endpoint, then event_type")
    start_at, end_at = query.bounds(services().clock)
    key = SeriesKey(query.environment, query.source, query.endpoint, query.event_type)
    now = services().clock.now()
    found = chart(services().facts, key, start_at, end_at, query.points, parts=SHOWN, now=now)
    return answer(
        SeriesShape(
            environment=key.environment,
            source=key.source,
            endpoint=key.endpoint,
            event_type=key.event_type,
            since=found.points[0][0],
            until=found.points[-1][0] + found.step,
            rounded_to=rounding(found.rounded_to),
            step_s=found.step.total_seconds(),
            points=[_point(at, summary) for at, summary in found.points],
        )
    )


def _point(at: datetime, summary: Summary) -> PointShape:
    return PointShape(
        at=at,
        records=summary.records,
        outcomes=dict(summary.outcomes),
        attempts=summary.attempts,
        failures=summary.failures,
        deliveries=summary.deliveries,
        attempt_error_rate=Share.of(summary.error_rate),
        event_success=Share.of(summary.event_success),
        ack_success=Share.of(summary.ack_success),
        verification_failure_rate=Share.of(summary.verification),
        process_ms=Spread.of(summary.process_ms),
        ack_ms=Spread.of(summary.ack_ms),
    )
