"""The first screen: is it well, since when, and where is it worst. Everything links to what explains it."""

from collections.abc import Sequence
from datetime import datetime

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.alert import firing_list
from dashboard.components.frame import as_of, frame
from dashboard.components.graph import graph
from dashboard.components.grid import column, number, table
from dashboard.components.panel import Tile, panel, tile
from dashboard.components.rounded import rounded
from dashboard.definitions import ERROR_RATE, FIRING, LETTERS, OUTCOMES, P95, QUEUE
from dashboard.figures.course import course
from dashboard.links import link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.rows import endpoint_row
from dashboard.scheme import asked_palette
from dashboard.scope import RANGE_WORDS, Scope, scope_of
from dashboard.screen import Screen
from dashboard.tiles import figure_tiles
from dashboard.views import AlertLine, EndpointLine, OverviewView

_COLUMNS = [
    column("endpoint", "Endpoint", 150),
    column("status", "Status", 124),
    number("error_rate", "Errors", 84),
    number("success", "Success", 86),
    number("deliveries", "Deliveries", 92),
    number("p95", "p95", 76),
    number("ack", "Ack success", 100),
    number("queue", "Queue", 72),
    number("letters", "Dead letters", 100),
    column("probe", "Probe", 88),
    number("certificate", "Certificate", 92),
    number("last", "Last record", 104),
]
_FIRING_SHOWN = 4


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "overview",
        "Overview",
        scope,
        [
            html.Div(id="overview-firing", className="await"),
            html.Div(id="overview-tiles", className="tiles"),
            panel("Throughput by outcome", graph("overview-throughput", 240), about=OUTCOMES),
            html.Div(
                [
                    panel("Attempt error rate", graph("overview-errors", 220), about=ERROR_RATE),
                    panel("Processing time", graph("overview-latency", 220), about=P95),
                ],
                className="columns-2",
            ),
            panel("Endpoints", table("overview-endpoints", _COLUMNS), side="worst first", flush=True),
        ],
        lead=f"The last {RANGE_WORDS[scope.range]} in {scope.environment}",
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("overview-firing", "children"),
        Output("overview-tiles", "children"),
        Output("overview-throughput", "figure"),
        Output("overview-errors", "figure"),
        Output("overview-latency", "figure"),
        Output("overview-endpoints", "rowData"),
        Output("overview-as-of", "children"),
        Input("overview-tick", "n_intervals"),
        State("overview-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.overview(scope, now)
        return (
            firing(screen.reads.alerts(scope.environment) if view.firing else (), scope, now),
            [*rounded(view.rounded_to, view.start_at), *(tile(shown) for shown in tiles(view, scope))],
            *course(
                view.buckets,
                view.end_at,
                asked_palette(),
                f"{scope.environment} {scope.range}",
                view.error_threshold,
            ),
            rows(view, scope, now),
            as_of(now),
        )


def firing(alerts: Sequence[AlertLine], scope: Scope, now: datetime) -> Component:
    """What fires, above all else; an empty box when nothing does."""
    found = firing_list(alerts, scope, now, _FIRING_SHOWN)
    return html.Div(found, className="panel firing", hidden=not found)


def tiles(view: OverviewView, scope: Scope) -> list[Tile]:
    """The eight numbers, in the order a tired person asks for them."""
    return [
        *figure_tiles(
            view.now,
            view.before,
            view.buckets,
            records=link("events", scope.bare()),
            failures=link("events", scope.bare().with_filters(outcome="failed,dead_lettered")),
            threshold=view.error_threshold,
        ),
        Tile(
            "Queue depth",
            fmt.compact(view.queue_depth),
            QUEUE,
            link("status", scope.bare()),
            values=view.queue_depths,
        ),
        Tile(
            "Dead letters open",
            fmt.compact(view.open_letters),
            LETTERS,
            link("dead-letters", scope.bare()),
            "wait for a replay" if view.open_letters else "",
            tone=Tone.WARNING if view.open_letters else Tone.NEUTRAL,
        ),
        Tile(
            "Firing alerts",
            fmt.compact(view.firing),
            FIRING,
            link("alerts", scope.bare()),
            "need somebody" if view.firing else "",
            tone=Tone.CRITICAL if view.firing else Tone.NEUTRAL,
        ),
    ]


def rows(view: OverviewView, scope: Scope, now: datetime) -> list[dict[str, object]]:
    """The endpoints as rows, worst first: firing, down, then by error rate, dead letters and traffic."""
    worst = sorted(view.endpoints, key=_worst_first)
    return [endpoint_row(line, scope, now, view.error_threshold) for line in worst]


def _worst_first(line: EndpointLine) -> tuple[float, ...]:
    figures = line.figures
    failing = figures.error_rate or 0.0
    return -line.firing, line.healthy is not False, -failing, -line.dead_letters, -figures.deliveries


PAGE = Page("overview", "Overview", "/", layout, register)
