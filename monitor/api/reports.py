"""Reports: the SLA report of a week as the facts stand now, and those that were sent. Reads only."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, answer
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.reports.render import render

reports = noun("reports", "The weekly SLA report.")

MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "html": "text/html", "text": "text/plain"}


class SentShape(Shape):
    """A report that was made on its day; its figures stay as they were."""

    id: str
    kind: str
    period: str
    timezone: str
    environment: str
    as_of: datetime
    sent_at: datetime | None


class SentReports(Shape):
    reports: list[SentShape]


class WeekQuery(Asked):
    week: Annotated[
        str | None, Field(description="ISO week such as 2026-W47; default the last whole one.")
    ] = None
    environment: Annotated[str, Field(max_length=32)] = DEFAULT_ENVIRONMENT
    format: Literal["json", "csv", "html", "text"] = "json"


@reports.get("/reports", responses={200: SentReports})
@needs(Need.READ)
def sent() -> Response:
    """The reports that were kept, newest first"""
    found = services().control.reports.latest()
    return answer(SentReports(reports=[SentShape.model_validate(one) for one in found]))


@reports.get("/reports/sla")
@needs(Need.READ)
def sla(query: WeekQuery) -> Response:
    """The SLA report of a week, as the facts stand now"""
    made = services().report(query.week, query.environment)
    return Response(render(made, query.format), mimetype=MEDIA_TYPES[query.format])
