"""Issues: failures of the same kind as one line: what is new, what came back. Operators end them."""

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.clientside import in_browser
from dashboard.components.filters import choice, state_choice
from dashboard.components.frame import as_of, frame
from dashboard.components.grid import column, number, table
from dashboard.components.panel import notice, panel
from dashboard.components.text import icon
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.rows import issue_row
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import IssuesView
from monitor.errors import HookvitalsError

SHOWN = 200
_STATES = ("open", "new", "regressed", "ongoing", "resolved", "all")
_FILTERS = ("source", "endpoint", "state")
_PLAIN = {"state": _STATES[0]}  # what the address need not say
_COLUMNS = [
    column("state", "State", 108),
    column("error", "Error", 200, flex=320),
    column("where", "Endpoint", 120),
    column("type", "Type", 150),
    number("failures", "Failures", 84),
    number("first", "First seen", 108),
    number("last", "Last seen", 108),
]
_NOTHING = (
    "No issue here. Failures with the same error at the same place become one issue: new for a day, ongoing "
    "after, regressed when it fails again once it was resolved."
)


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "issues",
        "Issues",
        scope,
        [
            html.Div(_filters(scope), className="panel panel-body"),
            html.Div(id="issues-problem"),
            panel(
                "Issues",
                [
                    html.Div(
                        [
                            dmc.Button(
                                "Select issues to resolve",
                                id="issues-resolve",
                                leftSection=icon("check"),
                                size="xs",
                                disabled=True,
                            ),
                            html.Span(
                                "Operators may resolve issues.",
                                id="issues-role",
                                className="muted",
                                hidden=True,
                            ),
                        ],
                        className="actions panel-actions",
                    ),
                    table(
                        "issues-grid",
                        _COLUMNS,
                        selects=True,
                        pagination=True,
                        paginationPageSize=50,
                        paginationPageSizeSelector=False,
                        localeText={"noRowsToShow": _NOTHING},
                    ),
                ],
                side=html.Span(id="issues-count"),
                flush=True,
            ),
            dcc.Store(id="issues-filters", data=[[name, _PLAIN.get(name, "")] for name in _FILTERS]),
        ],
        lead="Failures of the same kind at the same place are one issue.",
    )


def _filters(scope: Scope) -> Component:
    state = state_choice("issues", _STATES, scope)
    return html.Div(
        [choice("issues", "source", "Source", scope), choice("issues", "endpoint", "Endpoint", scope), state],
        className="filters",
    )


def register(app: Dash, screen: Screen) -> None:
    in_browser(
        app,
        "writeFilters",
        Output("url", "search", allow_duplicate=True),
        *[Input(f"issues-{name}", "value") for name in _FILTERS],
        State("issues-filters", "data"),
    )

    @app.callback(
        Output("issues-source", "data"),
        Output("issues-endpoint", "data"),
        Input("issues-scope", "data"),
    )
    def offer(stored: dict[str, object]) -> tuple[list[str], ...]:
        scope = scope_of(stored)
        known = screen.reads.choices(scope.environment)
        return tuple(
            sorted({*names, *([chosen] if (chosen := scope.get(name)) else [])})
            for name, names in (("source", known.sources), ("endpoint", known.endpoints))
        )

    @app.callback(
        Output("issues-grid", "rowData"),
        Output("issues-count", "children"),
        Output("issues-as-of", "children"),
        Input("issues-tick", "n_intervals"),
        State("issues-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.issues(scope, SHOWN, now)
        return [issue_row(issue, scope, now) for issue in view.issues], _counted(view), as_of(now)

    @app.callback(
        Output("issues-resolve", "children"),
        Output("issues-resolve", "disabled"),
        Output("issues-resolve", "display"),
        Output("issues-role", "hidden"),
        Input("issues-grid", "selectedRows"),
    )
    def offer_to_resolve(selected: list[dict[str, object]] | None) -> tuple[str, bool, str, bool]:
        operates, chosen = screen.viewer().operates, len(selected or [])
        said = f"Resolve {fmt.count(chosen)}" if chosen else "Select issues to resolve"
        return said, not chosen, "inline-flex" if operates else "none", operates

    @app.callback(
        Output("issues-problem", "children"),
        Output("issues-grid", "selectedRows"),
        Output("issues-tick", "n_intervals"),
        Input("issues-resolve", "n_clicks"),
        State("issues-grid", "selectedRows"),
        State("issues-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def resolve(
        clicks: int | None, selected: list[dict[str, str]] | None, ticks: int | None
    ) -> tuple[object, ...]:
        if not clicks or ctx.triggered_id != "issues-resolve" or not selected:
            return (no_update,) * 3
        try:
            screen.actions.resolve_issues(screen.viewer(), [row["id"] for row in selected])
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Not resolved.", str(exc)), no_update, no_update
        return [], [], (ticks or 0) + 1


def _counted(view: IssuesView) -> str:
    if len(view.issues) < view.total:
        return f"the last seen {fmt.count(len(view.issues))} of {fmt.count(view.total)}"
    return fmt.count(view.total)


PAGE = Page("issues", "Issues", "/issues", layout, register)
