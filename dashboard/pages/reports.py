"""The weekly SLA report: pick a week, read it here, take it away as a table or as data."""

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from flask import Flask, Response, request

from dashboard.clientside import in_browser
from dashboard.components.attributes import attributes
from dashboard.components.frame import as_of, frame
from dashboard.components.panel import panel
from dashboard.components.text import empty, icon
from dashboard.links import link
from dashboard.pages.page import Page
from dashboard.scope import scope_of
from dashboard.screen import Screen
from monitor.errors import HookvitalsError

ROUTE = "/reports/sla"
_FORMS = ("html", "csv", "json")
_FRAMED = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "reports",
        "Weekly report",
        scope,
        [
            panel("Service level of the week", html.Div(id="reports-document")),
            dcc.Store(id="reports-filters", data=[["week", ""]]),
        ],
        lead=f"What {scope.environment} promised and kept, between two local midnights on a Monday",
        side=[
            dmc.Select(
                id="reports-week",
                data=[],
                value=scope.get("week"),
                allowDeselect=False,
                size="sm",
                w=150,
                **attributes(aria_label="Week"),
            ),
            html.Div(id="reports-files", className="actions"),
        ],
    )


def register(app: Dash, screen: Screen) -> None:
    in_browser(
        app,
        "writeFilters",
        Output("url", "search", allow_duplicate=True),
        Input("reports-week", "value"),
        State("reports-filters", "data"),
    )
    _add_route(app.server, screen)

    @app.callback(
        Output("reports-week", "data"),
        Output("reports-week", "value"),
        Output("reports-filters", "data"),
        Output("reports-document", "children"),
        Output("reports-files", "children"),
        Output("reports-as-of", "children"),
        Input("reports-scope", "data"),
    )
    def show(stored: dict[str, object]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        weeks = list(screen.reads.report_weeks(now))
        if not weeks:
            return (
                [],
                None,
                [["week", ""]],
                empty("No week to report yet", "The first report covers the first whole week."),
                [],
                as_of(now),
            )
        week = scope.get("week") or weeks[0]
        address = f"{link('reports/sla')}?environment={scope.environment}&week={week}"
        document = html.Iframe(
            src=f"{address}&form=html",
            className="report-frame",
            sandbox="allow-same-origin",
            title=f"Report of {week}",
        )
        files = [
            html.A(
                [icon("download"), form.upper()],
                href=f"{address}&form={form}",
                download="",
                className="file",
            )
            for form in ("csv", "json")
        ]
        return sorted({*weeks, week}, reverse=True), week, [["week", weeks[0]]], document, files, as_of(now)


def _add_route(server: Flask, screen: Screen) -> None:
    @server.get(ROUTE)
    def report() -> Response:
        form = request.args.get("form", "html")
        scope = scope_of(request.args)
        week = scope.get("week") or ""
        if form not in _FORMS:
            return Response("form is html, csv or json\n", 400, mimetype="text/plain")
        try:
            content_type, document = screen.reads.report(scope.environment, week, form, screen.clock.now())
        except HookvitalsError as exc:
            return Response(f"{exc}\n", exc.status, mimetype="text/plain")
        answer = Response(document, content_type=content_type)
        if form == "html":
            answer.headers["Content-Security-Policy"] = _FRAMED
            answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        else:
            name = f"sla-{scope.environment}-{week}.{form}"
            answer.headers.set("Content-Disposition", "attachment", filename=name)
        return answer


PAGE = Page("reports", "Reports", "/reports", layout, register)
