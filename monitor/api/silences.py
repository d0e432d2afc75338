"""Silences: which alerts nobody is told of, from when to when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer
from monitor.operations import silences as operations

silences = noun("silences", "Alerts that nobody is told of for a while.")


class SilenceShape(Shape):
    """matchers: label → pattern; `*` matches any run of characters. [starts_at, ends_at)."""

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


class SilencesShape(Shape):
    silences: list[SilenceShape]


class SilenceQuery(Asked):
    ended: Annotated[bool, Field(description="The last 100, ended ones included.")] = False


@silences.get("/silences", responses={200: SilencesShape})
@needs(Need.READ)
def listed(query: SilenceQuery) -> Response:
    """Current and coming silences"""
    kept, now = services().control.silences, services().clock.now()
    found = kept.history() if query.ended else kept.current(now)
    return answer(SilencesShape(silences=[SilenceShape.model_validate(one) for one in found]))


class SilenceBody(Asked):
    """starts_at: now when left out."""

    matchers: Annotated[dict[str, str], Field(description="Label → pattern, such as source → stripe*.")]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime
    comment: Annotated[str, Field(description="Why, for whoever wonders later.")]


class SilencePath(Asked):
    silence_id: Annotated[str, Field(max_length=64)]


@silences.post("/silences", responses={201: SilenceShape})
@needs(Need.OPERATE)
def create(body: SilenceBody) -> Response:
    """Tell nobody of matching alerts for a while"""
    desk = services().desk
    starts_at = body.starts_at or desk.clock.now()
    made = operations.create(desk, current_actor(), body.matchers, starts_at, body.ends_at, body.comment)
    return answer(SilenceShape.model_validate(made), 201)


@silences.delete("/silences/<silence_id>", responses={204: None})
@needs(Need.OPERATE)
def expire(path: SilencePath) -> Response:
    """End a silence now"""
    operations.expire(services().desk, current_actor(), path.silence_id)
    return Response(status=204)
