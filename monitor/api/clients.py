"""Clients: the SDK instances that send records, and what became of all that they made. Reads only."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, Window, answer, length_of
from monitor.errors import Unprocessable
from monitor.queries.health import Client
from monitor.queries.health import clients as heard_of

clients = noun("clients", "The SDK instances that send records, and what became of all they made.")

LONGEST = timedelta(days=31)


class Lately(Asked):
    """How far back an instance may have been heard of last."""

    window: Annotated[Window, Field(description="Heard of within so long, such as 90s, 15m, 24h or 7d.")] = (
        "24h"
    )


class ClientShape(Shape):
    """One instance since its start. missing = produced - accepted - spooled - the sum of dropped, as of its
    last report; skew_s is the collector's clock less its own."""

    name: str
    version: str
    instance: str
    started_at: datetime
    seen_at: datetime
    skew_s: float | None
    produced: int
    accepted: int
    duplicates: int
    spooled: int
    dropped: Mapping[str, int]
    missing: int

    @classmethod
    def of(cls, one: Client) -> "ClientShape":
        return cls(
            name=one.name,
            version=one.version,
            instance=one.instance,
            started_at=one.started_at,
            seen_at=one.seen_at,
            skew_s=None if one.skew is None else one.skew.total_seconds(),
            produced=one.produced,
            accepted=one.accepted,
            duplicates=one.duplicates,
            spooled=one.spooled,
            dropped=one.dropped,
            missing=one.missing,
        )


class ClientsShape(Shape):
    clients: list[ClientShape]


@clients.get("/clients", responses={200: ClientsShape})
@needs(Need.READ)
def heard(query: Lately) -> Response:
    """Every client heard of lately, with what became of its records"""
    back = length_of(query.window)
    if not timedelta(0) < back <= LONGEST:
        raise Unprocessable("the window is empty or too long", f"ask for at most {LONGEST.days} days")
    found = heard_of(services().facts, services().clock.now(), back)
    return answer(ClientsShape(clients=[ClientShape.of(one) for one in found]))
