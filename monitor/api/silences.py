"""Silences: which alerts nobody is told of, from when to when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer

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
