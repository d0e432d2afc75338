"""Stats: per event type how many, how they went, how long they took; as JSON or CSV. Reads only."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Range, Shape, answer
from monitor.queries.stats import by_type

stats = noun("stats", "Totals per event type over a range, 24 hours unless told otherwise.")

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class TypeShape(Shape):
    """One event type of one source. failed: attempts that failed, for now or for good."""

    source: str
    event_type: str
    total: int
    succeeded: int
    failed: int
    dead_lettered: int
    avg_ms: float | None
    min_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class StatsShape(Shape):
    types: list[TypeShape]


class StatsQuery(Range):
    format: Annotated[Literal["json", "csv"], Field(description="Form of the answer.")] = "json"


@stats.get("/stats", responses={200: StatsShape})
@needs(Need.READ)
def per_type(query: StatsQuery) -> Response:
    """Totals per event type, the most frequent first"""
    start_at, end_at = query.bounds(services().clock)
    found = by_type(
        services().facts,
        query.environment,
        end_at,
        over=end_at - start_at,
        source=query.source,
        endpoint=query.endpoint,
    )
    types = [TypeShape.model_validate(each) for each in found]
    if query.format == "csv":
        return Response(as_csv(types), mimetype="text/csv", headers={"Content-Disposition": _ATTACHMENT})
    return answer(StatsShape(types=types))


_ATTACHMENT = 'attachment; filename="hookvitals-stats.csv"'


def as_csv(types: Sequence[TypeShape]) -> str:
    """A header and a line a type. What a spreadsheet would run as a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(TypeShape.model_fields), lineterminator="\r\n")
    writer.writeheader()
    for each in types:
        writer.writerow({name: _cell(value) for name, value in each.model_dump().items()})
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
