"""Queues: how deep each is now, and the samples of a range. Reads only."""

from datetime import datetime, timedelta
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Range, Scope, Shape, Window, answer, length_of
from monitor.queries.queues import latest, lines, thinned

queues = noun("queues", "Depth and age of the queues that receivers drain.")

LONGEST = timedelta(days=31)
"""Samples are not rolled up: a longer range would read too many."""


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
    """Queues by source, endpoint and name; thinned: some samples of the range were left out."""

    since: datetime
    until: datetime
    thinned: bool
    queues: list[QueueShape]


class QueueQuery(Range):
    samples: Annotated[
        int, Field(ge=2, le=5000, description="At most so many a queue; of more, the deepest of each step.")
    ] = 500


class LatestShape(SampleShape):
    """The newest sample of one queue."""

    environment: str
    source: str
    endpoint: str
    queue: str


class LatestQueuesShape(Shape):
    queues: list[LatestShape]


class LatestQuery(Scope):
    window: Annotated[
        Window, Field(description="Leave out what was last sampled longer ago, such as 90s, 15m, 24h or 7d.")
    ] = "1h"


@queues.get("/queues", responses={200: QueuesShape})
@needs(Need.READ)
def sampled(query: QueueQuery) -> Response:
    """Every queue that was sampled in the range, at most 31 days"""
    start_at, end_at = query.bounds(services().clock, LONGEST)
    found = lines(
        services().facts,
        query.environment,
        start_at,
        end_at,
        source=query.source,
        endpoint=query.endpoint,
    )
    shown = [thinned(line, start_at, end_at, query.samples) for line in found]
    return answer(
        QueuesShape(
            since=start_at,
            until=end_at,
            thinned=any(len(line.samples) > query.samples for line in found),
            queues=[QueueShape.model_validate(line) for line in shown],
        )
    )


@queues.get("/queues/latest", responses={200: LatestQueuesShape})
@needs(Need.READ)
def newest(query: LatestQuery) -> Response:
    """The newest sample of every queue"""
    back_to = services().clock.now() - min(length_of(query.window), LONGEST)
    found = [
        LatestShape.model_validate(sample)
        for sample in latest(services().facts, query.environment, back_to)
        if query.source in (None, sample.source) and query.endpoint in (None, sample.endpoint)
    ]
    return answer(LatestQueuesShape(queues=found))
