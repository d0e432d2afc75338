"""A report as HTML for a mail, as plain text, as CSV for a spreadsheet, as JSON for a program.

Numbers are computed elsewhere; here they only become text. HTML carries its own style and loads nothing.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from monitor.figures import Rate
from monitor.reports.sla import SlaLine, SlaReport

NO_DATA = "no data"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""


def render(report: SlaReport, form: str) -> str:
    """The report in one of FORMS: html, text, csv or json. Raises KeyError for another."""
    return FORMS[form](report)


def to_html(report: SlaReport) -> str:
    """A page of tables with its style inline, fit for a mail."""
    return _TEMPLATES.get_template("sla.html").render(report=report)


def to_text(report: SlaReport) -> str:
    return _TEMPLATES.get_template("sla.txt").render(report=report)


def to_csv(report: SlaReport) -> str:
    """A header and one row a line; shares are 0..1, an empty cell is no data. No cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["week", "zone", "environment", "as_of", *_COLUMNS])
    about = (report.week.name, report.week.zone, report.week.environment, report.as_of.isoformat())
    for line in report.lines:
        writer.writerow([_cell(value) for value in (*about, *_values(line).values())])
    return out.getvalue()


def to_json(report: SlaReport) -> str:
    """One object; shares are 0..1 and null where there is no data."""
    return json.dumps(
        {
            "week": report.week.name,
            "zone": report.week.zone,
            "environment": report.week.environment,
            "start_at": report.week.start_at.isoformat(),
            "end_at": report.week.end_at.isoformat(),
            "as_of": report.as_of.isoformat(),
            "complete": report.is_over,
            "no_data": report.is_empty,
            "lines": [_values(line) for line in report.lines],
        },
        indent=2,
        ensure_ascii=False,
    )


FORMS: Mapping[str, Callable[[SlaReport], str]] = {
    "html": to_html,
    "text": to_text,
    "csv": to_csv,
    "json": to_json,
}

_COLUMNS = (
    "source",
    "endpoint",
    "deliveries",
    "ack_success",
    "acks",
    "event_success",
    "events",
    "objective",
    "objective_met",
    "error_rate",
    "attempts",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "dead_letters",
    "recovered_by_replay",
    "verification_failures",
    "uptime",
    "probes",
    "downtime_s",
)


def _values(line: SlaLine) -> dict[str, object]:
    """The line under the names of _COLUMNS; counts stand beside the shares they are the whole of."""
    found = (
        line.source,
        line.endpoint,
        line.deliveries,
        line.ack_success.share,
        line.ack_success.whole,
        line.event_success.share,
        line.event_success.whole,
        line.objective,
        line.met,
        line.error_rate.share,
        line.error_rate.whole,
        line.p50_ms,
        line.p95_ms,
        line.p99_ms,
        line.dead_letters,
        line.recovered,
        line.verification_failures,
        line.uptime.share,
        line.uptime.whole,
        None if line.downtime is None else line.downtime.total_seconds(),
    )
    return dict(zip(_COLUMNS, found, strict=True))


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def percent(rate: Rate, places: int = 2) -> str:
    """`99.95 %`; never rounded up to 100 nor down to 0."""
    share = rate.share
    if share is None:
        return NO_DATA
    shown = f"{share * 100:.{places}f}"
    step = 10**-places
    if rate.part < rate.whole and float(shown) >= 100:
        shown = f"{100 - step:.{places}f}"
    elif rate.part and float(shown) <= 0:
        shown = f"{step:.{places}f}"
    return f"{shown} %"


def milliseconds(ms: float | None) -> str:
    if ms is None:
        return NO_DATA
    return f"{ms / 1000:,.2f} s" if ms >= 1000 else f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def span(length: timedelta | None) -> str:
    """`2 h 05 min`, `40 s`, `none`."""
    if length is None:
        return NO_DATA
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s" if seconds else "none"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


_TEMPLATES = Environment(
    loader=PackageLoader("monitor.reports", "templates"),
    autoescape=select_autoescape(("html",), default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(percent=percent, milliseconds=milliseconds, span=span, local=local)
