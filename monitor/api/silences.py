"""Silences: which alerts nobody is told of, from when to when."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from alerts.hours import Hours, hours_of
from alerts.model import Severity, Silence
from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, Window, answer, length_of
from monitor.errors import NotFound, Unprocessable
from monitor.operations import silences as operations

silences = noun("silences", "Alerts that nobody is told of for a while.")


class HoursShape(Shape):
    """[start, end) by the clocks of the time zone, over midnight where end is not after start; days: 0 is
    Monday, none for each day."""

    start: time
    end: time
    timezone: str
    days: list[int]


class SilenceShape(Shape):
    """matchers: label → pattern; `*` matches any run of characters. [starts_at, ends_at), or within that only
    in its hours. hid: how many firings it has kept quiet."""

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    hours: HoursShape | None
    hid: int = 0


class SilencesShape(Shape):
    silences: list[SilenceShape]


class HiddenShape(Shape):
    """One firing that the silence kept quiet, from when on."""

    fingerprint: str
    episode: int
    rule: str
    severity: Severity
    summary: str
    at: datetime


class SilenceDetail(SilenceShape):
    """hidden: the latest 200, newest first."""

    hidden: list[HiddenShape]


class SilenceQuery(Asked):
    ended: Annotated[bool, Field(description="The last 100, ended ones included.")] = False


@silences.get("/silences", responses={200: SilencesShape})
@needs(Need.READ)
def listed(query: SilenceQuery) -> Response:
    """Current and coming silences"""
    kept, now = services().control.silences, services().clock.now()
    found = kept.history() if query.ended else kept.current(now)
    hid = kept.hid(one.id for one in found)
    return answer(SilencesShape(silences=[_shape(one, hid.get(one.id, 0)) for one in found]))


class HoursBody(Asked):
    """Only in these hours of the day."""

    span: Annotated[str, Field(max_length=32, description="Such as 22:00-07:00.")]
    timezone: Annotated[str, Field(max_length=64, description="Whose clocks, such as Europe/Berlin.")] = "UTC"
    days: Annotated[str, Field(max_length=64, description="Such as mon-fri or sat,sun; else each day.")] = ""

    @model_validator(mode="after")
    def _can_be_read(self) -> "HoursBody":
        self.hours()
        return self

    def hours(self) -> Hours:
        return hours_of(self.span, self.timezone, self.days)


class SilenceBody(Asked):
    """starts_at: now when left out. Either ends_at or for."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    matchers: Annotated[dict[str, str], Field(description="Label → pattern, such as source → stripe*.")]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    lasts: Annotated[Window | None, Field(alias="for", description="How long, such as 20m or 7d.")] = None
    comment: Annotated[str, Field(description="Why, for whoever wonders later.")]
    hours: HoursBody | None = None

    def end(self, starts_at: datetime) -> datetime:
        if (self.ends_at is None) == (self.lasts is None):
            raise Unprocessable("a silence needs one end", "give ends_at, or for such as 20m")
        return self.ends_at or starts_at + length_of(self.lasts or "")


class SilencePath(Asked):
    silence_id: Annotated[str, Field(max_length=64)]


@silences.post("/silences", responses={201: SilenceShape})
@needs(Need.OPERATE)
def create(body: SilenceBody) -> Response:
    """Tell nobody of matching alerts for a while"""
    desk = services().desk
    starts_at = body.starts_at or desk.clock.now()
    hours = None if body.hours is None else body.hours.hours()
    made = operations.create(
        desk, current_actor(), body.matchers, starts_at, body.end(starts_at), body.comment, hours
    )
    return answer(_shape(made, 0), 201)


@silences.get("/silences/<silence_id>", responses={200: SilenceDetail})
@needs(Need.READ)
def one(path: SilencePath) -> Response:
    """One silence and what it hid"""
    kept = services().control.silences
    found = kept.get(path.silence_id)
    if found is None:
        raise NotFound(f"There is no silence {path.silence_id}.", "list them with GET /api/v1/silences")
    hid = kept.hid([found.id]).get(found.id, 0)
    hidden = [HiddenShape.model_validate(each) for each in kept.hidden(found.id)]
    return answer(SilenceDetail(**_shape(found, hid).model_dump(), hidden=hidden))


@silences.delete("/silences/<silence_id>", responses={204: None})
@needs(Need.OPERATE)
def expire(path: SilencePath) -> Response:
    """End a silence now"""
    operations.expire(services().desk, current_actor(), path.silence_id)
    return Response(status=204)


def _shape(one: Silence, hid: int) -> SilenceShape:
    return SilenceShape.model_validate(one).model_copy(update={"hid": hid})
