"""One endpoint: its figures, its course, its issues, how it looks from outside, its types, errors, queue."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.alert import firing_list
from dashboard.components.frame import as_of, frame
from dashboard.components.graph import graph
from dashboard.components.lines import lines
from dashboard.components.panel import Tile, panel, tile
from dashboard.components.rounded import rounded
from dashboard.components.strip import strip
from dashboard.components.text import Children, empty, facts, pill, when
from dashboard.definitions import ERROR_RATE, OUTCOMES, P95, QUEUE
from dashboard.figures.base import nothing
from dashboard.figures.course import course
from dashboard.figures.lines import depth
from dashboard.links import alert_link, checklist_link, issue_link, link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.rows import ISSUE_TONES, endpoint_status, issue_message
from dashboard.scheme import asked_palette
from dashboard.scope import RANGE_WORDS, Scope, scope_of
from dashboard.screen import Screen
from dashboard.tiles import figure_tiles
from dashboard.views import AlertLine, EndpointLine, EndpointView, IssueLine, Outage

_FIRING_SHOWN = 4


def layout(source: str = "", endpoint: str = "", **query: object) -> Component:
    scope = scope_of(query)
    names = unquote(source), unquote(endpoint)
    return frame(
        "endpoint",
        f"{names[0]} / {names[1]}" if names[1] else "Endpoint",
        scope,
        [
            html.Div(id="endpoint-firing", className="await"),
            html.Div(id="endpoint-tiles", className="tiles tiles-6"),
            html.Div(id="endpoint-troubles", className="troubles"),
            panel("Throughput by outcome", graph("endpoint-throughput", 220), about=OUTCOMES),
            html.Div(
                [
                    panel("Attempt error rate", graph("endpoint-errors", 210), about=ERROR_RATE),
                    panel("Processing time", graph("endpoint-latency", 210), about=P95),
                ],
                className="columns-2",
            ),
            panel("Queue depth", graph("endpoint-queue", 170), about=QUEUE),
            html.Div(id="endpoint-tables", className="stack"),
        ],
        lead=f"The last {RANGE_WORDS[scope.range]} in {scope.environment}",
        side=html.Div(id="endpoint-side", className="actions"),
        stored={"on_source": names[0], "on_endpoint": names[1]},
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("endpoint-firing", "children"),
        Output("endpoint-tiles", "children"),
        Output("endpoint-troubles", "children"),
        *[Output(f"endpoint-{name}", "figure") for name in ("throughput", "errors", "latency", "queue")],
        Output("endpoint-tables", "children"),
        Output("endpoint-side", "children"),
        Output("endpoint-as-of", "children"),
        Input("endpoint-tick", "n_intervals"),
        State("endpoint-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, str]) -> tuple[object, ...]:
        scope, now, palette = scope_of(stored), screen.clock.now(), asked_palette()
        view = screen.reads.endpoint(scope, stored["on_source"], stored["on_endpoint"], now)
        if view is None:
            gone = panel(
                "Endpoint", empty("No such endpoint", f"Nothing of it was recorded in {scope.environment}.")
            )
            return gone, [], [], *[nothing(palette)] * 4, [], [], as_of(now)
        key = f"{view.line.source} {view.line.endpoint} {scope.environment} {scope.range}"
        return (
            _firing(screen.reads.alerts(scope.environment) if view.line.firing else (), view, scope, now),
            [*rounded(view.rounded_to, view.start_at), *(tile(shown) for shown in tiles(view, scope))],
            _troubles(view, scope, now),
            *course(view.buckets, view.end_at, palette, key),
            depth(view.queues, view.start_at, view.end_at, palette, key),
            tables(view),
            _side(view, scope),
            as_of(now),
        )


def _firing(alerts: Sequence[AlertLine], view: EndpointView, scope: Scope, now: datetime) -> Component:
    here = (view.line.source, view.line.endpoint)
    of_it = [one for one in alerts if (one.labels.get("source"), one.labels.get("endpoint")) == here]
    found = firing_list(of_it, scope, now, _FIRING_SHOWN)
    return html.Div(found, className="panel firing", hidden=not found)


def tiles(view: EndpointView, scope: Scope) -> list[Tile]:
    """The endpoint's own six numbers."""
    oldest = view.line.oldest_age_s
    of_it = scope.bare().with_filters(source=view.line.source, endpoint=view.line.endpoint)
    return [
        *figure_tiles(
            view.line.figures,
            view.before,
            view.buckets,
            records=link("events", of_it),
            failures=link("events", of_it.with_filters(outcome="failed,dead_lettered")),
            threshold=None,
        ),
        Tile(
            "Queue depth",
            fmt.compact(view.line.queue_depth),
            QUEUE,
            link("status", scope.bare()),
            f"oldest waits {fmt.seconds(oldest)}" if oldest else "",
        ),
    ]


def tables(view: EndpointView) -> list[Component]:
    """Types, and what went wrong."""
    types: list[list[Children]] = [
        [
            name,
            fmt.count(one.records),
            fmt.count(one.succeeded),
            fmt.count(one.failed),
            *(
                fmt.millis(ms)
                for ms in (one.avg_ms, one.min_ms, one.max_ms, one.p50_ms, one.p95_ms, one.p99_ms)
            ),
        ]
        for name, one in view.types
    ]
    heads = [
        "Event type",
        ">Records",
        ">Succeeded",
        ">Failed",
        ">Avg",
        ">Min",
        ">Max",
        ">p50",
        ">p95",
        ">p99",
    ]
    wrong = [
        ("Errors", "Error class", [(name, n) for name, n in view.errors]),
        ("Rejections", "Reason", [(fmt.words(reason.value), n) for reason, n in view.reasons]),
        ("Answers to the sender", "Status", [(str(status), n) for status, n in view.statuses]),
    ]
    return [
        panel("Event types", lines(heads, types) if types else empty("no data"), flush=True),
        html.Div(
            [
                panel(
                    title,
                    lines([head, ">Count"], [[name, fmt.count(n)] for name, n in found])
                    if found
                    else empty("none"),
                    flush=True,
                )
                for title, head, found in wrong
            ],
            className="columns-3",
        ),
    ]


def _troubles(view: EndpointView, scope: Scope, now: datetime) -> Component:
    """What fails in it, and how it looks from outside."""
    of_it = scope.bare().with_filters(source=view.line.source, endpoint=view.line.endpoint)
    rows: list[list[Children]] = [
        [
            pill(issue.state, ISSUE_TONES.get(issue.state, Tone.NEUTRAL)),
            _failed(issue, scope),
            issue.event_type,
            fmt.count(issue.failures),
            when(issue.last_seen_at, now),
        ]
        for issue in view.issues.issues
    ]
    heads = ["State", "Error", "Type", ">Failures", "Last seen"]
    return html.Div(
        [
            panel(
                "Open issues",
                lines(heads, rows) if rows else empty("No open issue", "Nothing of it fails now.", "check"),
                side=dmc.Anchor(f"all {fmt.count(view.issues.total)}", href=link("issues", of_it))
                if rows
                else None,
                flush=True,
            ),
            panel("Seen from outside", _outside(view, scope, now)),
        ],
        className="columns-2",
    )


def _failed(issue: IssueLine, scope: Scope) -> Children:
    name = issue.error_class or "no error class"
    return html.Span(dmc.Anchor(name, href=issue_link(issue.id, scope.bare())), title=issue_message(issue))


def _outside(view: EndpointView, scope: Scope, now: datetime) -> Component:
    line = view.line
    if line.healthy is None and not any(probes for _, _, probes in view.uptime):
        return empty("Not probed", "With a url in hookvitals.toml it is asked once in a while.")
    uptime = [(span, f"Up, last {span}", _up(share, probes)) for span, share, probes in view.uptime]
    shown = [
        facts(
            [
                ("Now", _now(line)),
                ("Certificate ends", _certificate(line, now)),
                *((name, up) for span, name, up in uptime if span not in view.strips),
            ]
        ),
        *(strip(name, up, view.strips[span]) for span, name, up in uptime if span in view.strips),
    ]
    if view.outages:
        shown.append(html.Div(_outages(view.outages, scope, now), className="outages"))
    return html.Div(shown, className="outside")


def _outages(outages: Sequence[Outage], scope: Scope, now: datetime) -> list[Component]:
    found: list[Component] = [html.Span("Down", className="muted")]
    for one in outages:
        lasted = f"for {fmt.span((one.ended_at or now) - one.began_at)}"
        still = "" if one.ended_at else ", still"
        href = alert_link(one.alert_id, scope.bare())
        found.append(
            html.Span(
                [dmc.Anchor(when(one.began_at, now), href=href), f" {lasted}{still}"], className="outage"
            )
        )
    return found


def _certificate(line: EndpointLine, now: datetime) -> Children:
    if line.cert_not_after is None:
        return html.Span(fmt.NO_DATA, className="muted")
    day = html.Span(f", {fmt.day(line.cert_not_after)}", className="muted")
    return [when(line.cert_not_after, now), day]


def _now(line: EndpointLine) -> Children:
    if line.healthy is None:
        return fmt.NO_DATA
    if line.healthy:
        return pill("up", Tone.OK)
    return [pill("down", Tone.CRITICAL), f" {line.probe_error or ''}"]


def _up(share: float | None, probes: int) -> Children:
    if share is None:
        return html.Span(fmt.NO_DATA, className="muted")
    return [fmt.percent(share), html.Span(f" of {fmt.count(probes)} probes", className="muted")]


def _side(view: EndpointView, scope: Scope) -> list[Component]:
    status, tone = endpoint_status(view.line, None)
    return [
        pill(status, tone),
        dmc.Anchor(
            "Checklist",
            href=checklist_link(view.line.source, view.line.endpoint, scope.bare()),
            className="beside",
            underline="never",
        ),
        dmc.Anchor("Records", href=_records(view, scope), className="beside", underline="never"),
    ]


def _records(view: EndpointView, scope: Scope) -> str:
    return link("events", scope.bare().with_filters(source=view.line.source, endpoint=view.line.endpoint))


PAGE = Page(
    "endpoint", "Endpoint", "/endpoints/one", layout, register, template="/endpoints/<source>/<endpoint>"
)
