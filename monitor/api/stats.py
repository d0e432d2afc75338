"""Stats: how many, how they went, how long they took; by type, endpoint, source, error class or outcome; as
JSON or CSV. Reads only."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import ConfigDict, Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Range, Rounding, Shape, answer, rounding
from monitor.model import Outcome
from monitor.queries.stats import By, Stats, Table, table

stats = noun(
    "stats", "Totals by type, endpoint, source, error class or outcome, 24 hours unless told otherwise."
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Wide forms too: some spreadsheets take them for the narrow ones."""
LABELS = {
    By.EVENT_TYPE: ("source", "event_type"),
    By.ENDPOINT: ("source", "endpoint"),
    By.SOURCE: ("source",),
    By.ERROR_CLASS: ("source", "error_class"),
    By.OUTCOME: ("outcome",),
}
"""What names a line of each table."""


class LineShape(Shape):
    """One line, named by source and whatever `by` says. failed: for now or for good; times are of attempts.

    dead_lettered is null by error class, times are by error class and by outcome: they are not kept apart.
    """

    source: str | None
    endpoint: str | None
    event_type: str | None
    error_class: str | None
    outcome: Outcome | None
    total: int
    succeeded: int
    failed: int
    dead_lettered: int | None
    avg_ms: float | None
    min_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


FIGURES = [
    name for name in LineShape.model_fields if name not in {part for by in LABELS.values() for part in by}
]


class StatsShape(Shape):
    """The lines of [since, until), the most frequent first, then by name."""

    model_config = ConfigDict(openapi_extra={"content": {"text/csv": {"schema": {"type": "string"}}}})  # type: ignore[typeddict-unknown-key]  # flask-openapi3's own

    environment: str
    by: By
    since: datetime
    until: datetime
    rounded_to: Rounding
    lines: list[LineShape]


class StatsQuery(Range):
    by: Annotated[By, Field(description="What a line stands for.")] = By.EVENT_TYPE
    format: Annotated[Literal["json", "csv"], Field(description="Form of the answer.")] = "json"


@stats.get("/stats", responses={200: StatsShape})
@needs(Need.READ)
def totals(query: StatsQuery) -> Response:
    """Totals by type, endpoint, source, error class or outcome, the most frequent first"""
    start_at, end_at = query.bounds(services().clock)
    found = table(
        services().facts,
        query.environment,
        start_at,
        end_at,
        query.by,
        source=query.source,
        endpoint=query.endpoint,
        now=services().clock.now(),
    )
    lines = [_shape(line) for line in found.lines]
    if query.format == "csv":
        return Response(as_csv(found.by, lines), mimetype="text/csv", headers=_csv_headers(found))
    return answer(
        StatsShape(
            environment=query.environment,
            by=found.by,
            since=found.stretch.start_at,
            until=found.stretch.end_at,
            rounded_to=rounding(found.stretch.rounded_to),
            lines=lines,
        )
    )


def _shape(line: Stats) -> LineShape:
    given = {name: getattr(line, name) for name in LineShape.model_fields}
    return LineShape.model_validate({name: None if value == "" else value for name, value in given.items()})


def _csv_headers(found: Table) -> dict[str, str]:
    """A file name that says what was counted, from when to when: the table itself has no room for it."""
    start, end = (f"{at:%Y%m%dT%H%MZ}" for at in (found.stretch.start_at, found.stretch.end_at))
    name = f"hookvitals-stats-{found.by}-{start}-{end}.csv"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def as_csv(by: By, lines: Sequence[LineShape]) -> str:
    """A header and a line each. What a spreadsheet would run as a formula gets an apostrophe before it."""
    text = io.StringIO()
    columns = [*LABELS[by], *FIGURES]
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: _cell(getattr(line, name)) for name in columns})
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
