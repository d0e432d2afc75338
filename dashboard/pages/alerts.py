"""Alerts: what fires, what is about to, what has resolved; why somebody was told, or nobody; take one on."""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.acknowledge import acknowledge_dialog, dialog_outputs
from dashboard.components.alert import alert_card, worst_first
from dashboard.components.frame import as_of, frame
from dashboard.components.panel import notice, panel
from dashboard.components.text import empty
from dashboard.links import link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import AlertLine, Viewer

_RESOLVED_SHOWN = 50


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "alerts",
        "Alerts",
        scope,
        [html.Div(id="alerts-lists", className="stack"), acknowledge_dialog("alerts")],
        lead=f"In {scope.environment}: what fires, the worst first; what may fire soon; what is over",
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("alerts-lists", "children"),
        Output("alerts-as-of", "children"),
        Input("alerts-tick", "n_intervals"),
        State("alerts-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[list[Component], str]:
        scope, now = scope_of(stored), screen.clock.now()
        return lists(screen.reads.alerts(scope.environment), scope, screen.viewer(), now), as_of(now)

    dialog_outputs(app, screen, "alerts")


def lists(alerts: Sequence[AlertLine], scope: Scope, viewer: Viewer, now: datetime) -> list[Component]:
    """Three lists, the worst and newest first; of one rule where the address names one."""
    shown: list[Component] = []
    if rule := scope.get("q"):
        alerts = [one for one in alerts if one.rule == rule]
        whole = dmc.Anchor("Show all", href=link("alerts", scope.bare()))
        shown.append(notice(Tone.INFO, f"Only of the rule {fmt.words(rule)}.", whole))
    for state, title, absent in (
        ("firing", "Firing", "Nothing fires. "),
        ("pending", "Pending", ""),
        ("resolved", "Resolved", ""),
    ):
        chosen = sorted((a for a in alerts if a.state == state), key=worst_first)
        cards = [alert_card(alert, scope, viewer, now) for alert in chosen[:_RESOLVED_SHOWN]]
        if cards or absent:
            body = cards or [
                empty("Nothing fires", "Every rule that could be judged is within its limits.", "check")
            ]
            shown.append(panel(title, body, side=fmt.count(len(chosen)) if chosen else None, flush=True))
    return shown


PAGE = Page("alerts", "Alerts", "/alerts", layout, register)
