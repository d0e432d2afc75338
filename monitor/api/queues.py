"""Queues: how deep each is now, with the samples of a range. Reads only."""

from datetime import datetime

from flask import Response

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Range, Shape, answer
from monitor.queries.queues import lines

queues = noun("queues", "Depth and age of the queues that receivers drain.")


class SampleShape(Shape):
    """oldest_age_s is null when the queue was empty or its age unknown."""

    sampled_at: datetime
    depth: int
    oldest_age_s: float | None


class QueueShape(Shape):
    """One queue, its samples oldest first."""

    environment: str
    source: str
    endpoint: str
    queue: str
    latest: SampleShape
    samples: list[SampleShape]


class QueuesShape(Shape):
    queues: list[QueueShape]


@queues.get("/queues", responses={200: QueuesShape})
@needs(Need.READ)
def sampled(query: Range) -> Response:
    """Every queue that was sampled in the range"""
    start_at, end_at = query.bounds(services().clock)
    found = lines(
        services().facts,
        query.environment,
        start_at,
        end_at,
        source=query.source,
        endpoint=query.endpoint,
    )
    return answer(QueuesShape(queues=[QueueShape.model_validate(line) for line in found]))
