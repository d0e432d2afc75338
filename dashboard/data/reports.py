"""The weekly report on the screen: which weeks there are, and one of them as a document."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.data.catalog import Catalog
from monitor.errors import NotFound
from monitor.queries.sla import week_before
from monitor.reports.render import FORMS, render
from monitor.reports.weekly import weekly_report
from monitor.store.facts.protocol import FactReader

WEEKS = 26
_TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}


def weeks(zone: ZoneInfo, now: datetime) -> list[str]:
    """The week that is running, then those that are over, newest first, as `2026-W47`."""
    return [week_before(now + timedelta(days=7 * (1 - back)), zone) for back in range(WEEKS)]


def document(
    reader: FactReader, catalog: Catalog, environment: str, week: str, form: str, now: datetime
) -> tuple[str, bytes]:
    """(content type, document). Raises Unprocessable for what is no week, NotFound for an unknown form."""
    if form not in _TYPES or form not in FORMS:
        raise NotFound(f"there is no report as {form!r}", "ask for html, csv or json")
    report = weekly_report(
        reader,
        week,
        ZoneInfo(catalog.document.report.timezone),
        now,
        environment=environment,
        objectives=catalog.objectives(),
        expected=catalog.expected(),
    )
    return _TYPES[form], render(report, form).encode()
