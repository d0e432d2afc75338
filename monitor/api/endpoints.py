"""Endpoints: what receives, where from, and who declared it."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer
from monitor.store.control.catalog import Endpoint, ManagedBy

endpoints = noun("endpoints", "What receives webhooks; seen in a verified record, or declared.")


class EndpointShape(Shape):
    """One endpoint. managed_by `file`: it stands in hookvitals.toml and is changed there."""

    environment: str
    source: str
    name: str
    managed_by: ManagedBy
    first_seen_at: datetime
    url: str | None
    insecure: bool
    probed: bool
    has_replay_secret: bool


class EndpointsShape(Shape):
    endpoints: list[EndpointShape]


class EndpointQuery(Asked):
    environment: Annotated[str | None, Field(max_length=32)] = None


@endpoints.get("/endpoints", responses={200: EndpointsShape})
@needs(Need.READ)
def listed(query: EndpointQuery) -> Response:
    """Every endpoint that is known"""
    found = services().control.catalog.endpoints(query.environment)
    return answer(EndpointsShape(endpoints=[shape_of(one) for one in found]))


def shape_of(one: Endpoint) -> EndpointShape:
    return EndpointShape(
        environment=one.environment,
        source=one.source,
        name=one.name,
        managed_by=one.managed_by,
        first_seen_at=one.first_seen_at,
        url=one.url,
        insecure=one.insecure,
        probed=one.probe.enabled and one.url is not None,
        has_replay_secret=one.replay_secret is not None,
    )
