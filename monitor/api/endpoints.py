"""Endpoints: what receives, where from, and who declared it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer
from monitor.model import SeriesKey
from monitor.operations import endpoints as operations
from monitor.operations.endpoints import EndpointChange
from monitor.queries import probes
from monitor.store.control.catalog import Conditions, Endpoint, ManagedBy, ProbeSettings

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


class ProbeBody(Asked):
    """How to look at it. url: in place of the endpoint's own; statuses: empty takes any below 500 as up.

    The body must contain a text, match a pattern, hold values at dotted paths of its JSON; headers must be
    equal. exposure: it is asked without a signature too, and must refuse that itself. canary: signed requests
    must leave their record.
    """

    enabled: bool = True
    url: str | None = None
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    statuses: list[Annotated[int, Field(ge=100, le=599)]] = Field(default_factory=list)
    contains: Annotated[str, Field(max_length=1024)] = ""
    matches: Annotated[str, Field(max_length=1024)] = ""
    json_values: Annotated[dict[str, str | int | float | bool], Field(max_length=32)] = Field(
        default_factory=dict
    )
    headers: Annotated[dict[str, str], Field(max_length=32)] = Field(default_factory=dict)
    exposure: bool = False
    canary: bool = False


class EndpointBody(Asked):
    """The endpoint as it shall be. replay_secret: left out keeps the stored one, "" removes it."""

    url: str | None = None
    insecure: Annotated[bool, Field(description="http:// is meant.")] = False
    probe: ProbeBody = ProbeBody()
    replay_secret: Annotated[str | None, Field(repr=False)] = None
    ack_deadline_ms: Annotated[int | None, Field(ge=1)] = None


class EndpointPath(Asked):
    environment: str
    source: str
    name: str


class UptimeShape(Shape):
    """share is null when nothing was probed in the span."""

    span: str
    share: float | None
    ok: int
    probes: int


class UptimesShape(Shape):
    """The share of HTTP probes that were ok; those in maintenance windows are not made."""

    uptime: list[UptimeShape]


@endpoints.get("/endpoints/<environment>/<source>/<name>/uptime", responses={200: UptimesShape})
@needs(Need.READ)
def uptime(path: EndpointPath) -> Response:
    """How much of the last 24 hours, 7 days and 30 days an endpoint was up"""
    key = SeriesKey(path.environment, path.source, path.name)
    found = probes.uptime(services().facts, key, services().desk.clock.now())
    lines = [
        UptimeShape(span=span, share=rate.share, ok=rate.part, probes=rate.whole)
        for span, rate in found.items()
    ]
    return answer(UptimesShape(uptime=lines))


@endpoints.put("/endpoints/<environment>/<source>/<name>", responses={200: EndpointShape})
@needs(Need.ADMIN)
def put(path: EndpointPath, body: EndpointBody) -> Response:
    """Register an endpoint, or change it"""
    deadline = body.ack_deadline_ms
    change = EndpointChange(
        path.environment,
        path.source,
        path.name,
        body.url,
        body.insecure,
        _settings(body.probe),
        body.replay_secret,
        None if deadline is None else timedelta(milliseconds=deadline),
    )
    return answer(shape_of(operations.put(services().desk, current_actor(), change)))


def _settings(probe: ProbeBody) -> ProbeSettings:
    wanted = Conditions(
        probe.contains, probe.matches, tuple(probe.json_values.items()), tuple(probe.headers.items())
    )
    statuses = tuple(probe.statuses)
    return ProbeSettings(
        probe.enabled, probe.url, probe.method, statuses, wanted, probe.exposure, probe.canary
    )


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
