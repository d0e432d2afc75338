"""What an alert measures, over time: the chart of its endpoint that shows it, with the moment it began."""

from datetime import datetime, timedelta

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.components.graph import graph
from dashboard.components.panel import panel
from dashboard.figures.base import plain
from dashboard.figures.course import course
from dashboard.figures.lines import depth
from dashboard.palette import Palette
from dashboard.scope import RANGE_WORDS, RANGES
from dashboard.views import AlertLine, EndpointView

_SHOWN_BY = {
    "error_rate": "Attempt error rate",
    "burn_rate": "Attempt error rate",
    "failure_count": "Throughput by outcome",
    "dead_letters": "Throughput by outcome",
    "no_events": "Throughput by outcome",
    "stuck_events": "Throughput by outcome",
    "retry_storm": "Throughput by outcome",
    "verification_failures": "Throughput by outcome",
    "wrong_status": "Throughput by outcome",
    "slow_processing": "Processing time",
    "queue_depth": "Queue depth",
}
"""Which chart shows what a kind of rule looks at; the other kinds have none."""
_LEAST = timedelta(hours=1)


def reach(alert: AlertLine, now: datetime) -> str | None:
    """The shortest range, of an hour at least, that shows how the alert began; None when it has no chart, or
    began too long ago."""
    if alert.kind not in _SHOWN_BY or not (alert.labels.get("source") and alert.labels.get("endpoint")):
        return None
    back = (now - alert.since) * 5 / 4
    return next((name for name, length in RANGES.items() if max(back, _LEAST) <= length), None)


def alert_course(alert: AlertLine, view: EndpointView, back: str, palette: Palette) -> Component:
    """The chart. view: the alert's endpoint over the range `back`."""
    title = _SHOWN_BY[alert.kind]
    key = f"{alert.id} {back}"
    limit = alert.threshold if alert.kind == "error_rate" else None
    throughput, errors, latency = course(view.buckets, view.end_at, palette, key, limit)
    figures: dict[str, go.Figure] = {
        "Throughput by outcome": throughput,
        "Attempt error rate": errors,
        "Processing time": latency,
        "Queue depth": depth(view.queues, view.start_at, view.end_at, palette, key),
    }
    drawn = figures[title]
    drawn.add_vline(x=plain(alert.since), line={"color": palette.critical, "width": 1, "dash": "dot"})
    side = f"the last {RANGE_WORDS[back]}; dotted: when it began"
    return panel(title, graph("alert-course", 200, drawn), side=side)
