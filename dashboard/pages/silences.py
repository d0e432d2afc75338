"""Silences: what nobody is told of, until when, who said so and why, and what each has kept quiet so far."""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components import silence_dialog
from dashboard.components.alert import severity_pill
from dashboard.components.attributes import attributes
from dashboard.components.frame import as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import notice, panel
from dashboard.components.text import Children, empty, icon, mono, pill, when
from dashboard.links import alert_link, link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import HiddenLine, SilenceLine, SilencesView, Viewer
from monitor.errors import HookvitalsError

_TONES = {"in force": Tone.WARNING, "between its hours": Tone.INFO, "coming": Tone.INFO}
_FOR_EVER = 9999  # the year in which what the file says ends


def layout(**query: object) -> Component:
    return frame(
        "silences",
        "Silences",
        scope_of(query),
        [
            html.Div(id="silences-problem"),
            html.Div(id="silences-lists", className="stack"),
            silence_dialog.silence_dialog(),
        ],
        lead="Alerts that nobody is told of for a while. They still show, and what a silence hid is listed.",
        side=dmc.Button(
            "New silence", id="silences-new", leftSection=icon("silences"), size="xs", display="none"
        ),
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("silences-lists", "children"),
        Output("silences-new", "display"),
        Output("silences-as-of", "children"),
        Input("silences-tick", "n_intervals"),
        State("silences-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[object, ...]:
        scope, now, viewer = scope_of(stored), screen.clock.now(), screen.viewer()
        view = screen.reads.silences(scope.get("q"), now)
        return lists(view, scope, viewer, now), "inline-flex" if viewer.operates else "none", as_of(now)

    silence_dialog.register(app, screen)

    @app.callback(
        Output("silences-problem", "children"),
        Output("silences-tick", "n_intervals", allow_duplicate=True),
        Input({"kind": "end-silence", "silence": ALL}, "n_clicks"),
        State("silences-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def end(clicks: list[int | None], ticks: int | None) -> tuple[object, object]:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(clicks):  # the buttons were only drawn
            return no_update, no_update
        try:
            screen.actions.end_silence(screen.viewer(), asked["silence"])
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Not ended.", str(exc)), no_update
        return [], (ticks or 0) + 1


def lists(view: SilencesView, scope: Scope, viewer: Viewer, now: datetime) -> list[Component]:
    """Those in force, those to come, those that ended."""
    shown: list[Component] = []
    for title, states in (
        ("In force", ("in force", "between its hours")),
        ("Coming", ("coming",)),
        ("Ended", ("ended",)),
    ):
        chosen = [one for one in view.silences if one.state in states]
        cards = [
            card(one, view.hidden if one.id == scope.get("q") else None, scope, viewer, now) for one in chosen
        ]
        if cards:
            shown.append(panel(title, cards, side=fmt.count(len(cards)), flush=True))
        elif title == "In force":
            told = "Every alert that fires is told. An alert's page has a button that silences its like."
            shown.append(panel(title, empty("Nothing is silenced", told, "alerts"), flush=True))
    return shown


def card(
    one: SilenceLine, hidden: Sequence[HiddenLine] | None, scope: Scope, viewer: Viewer, now: datetime
) -> Component:
    """One silence. hidden: what it has hidden, where that was asked for."""
    ends = viewer.operates and one.state != "ended" and not one.by_file
    said = [f"{label}={pattern}" for label, pattern in one.matchers.items()]
    button = dmc.Button(
        "End now",
        id={"kind": "end-silence", "silence": one.id},
        size="xs",
        variant="default",
        **attributes(aria_label=f"End now: {' '.join(said)}"),
    )
    return html.Div(
        [
            html.Div(
                [
                    pill(one.state, _TONES.get(one.state, Tone.NEUTRAL)),
                    *map(mono, said),
                ],
                className="alert-name",
            ),
            html.Div(button if ends else None, className="alert-side"),
            html.Div(one.comment, className="alert-summary"),
            html.Div([html.Span(line) for line in _meta(one, scope, now)], className="alert-meta"),
            html.Div(_hidden(hidden, scope, now), className="alert-summary alert-hidden")
            if hidden is not None
            else None,
        ],
        className=f"alert-card alert-{'warning' if one.state == 'in force' else 'resolved'}",
    )


def _meta(one: SilenceLine, scope: Scope, now: datetime) -> list[list[Component | str]]:
    said: list[list[Component | str]] = []
    if one.state == "coming":
        said.append(["starts ", when(one.starts_at, now)])
    if one.ends_at.year < _FOR_EVER:
        said.append(["ended " if one.state == "ended" else "ends ", when(one.ends_at, now)])
    if one.hours:
        said.append([f"only {one.hours}"])
    said.append(["by the configuration file"] if one.by_file else ["by ", html.B(one.created_by)])
    if one.hid:
        n = f"hid {fmt.count(one.hid)} {'alert' if one.hid == 1 else 'alerts'}"
        said.append([dmc.Anchor(n, href=link("silences", scope.bare().with_filters(q=one.id)))])
    else:
        said.append(["hid nothing"] if one.state == "ended" else ["has hidden nothing yet"])
    return said


def _hidden(hidden: Sequence[HiddenLine], scope: Scope, now: datetime) -> Component:
    if not hidden:
        return html.Span("It has hidden nothing that is still kept.", className="muted")
    rows: list[list[Children]] = [
        [
            when(one.at, now),
            severity_pill(one.severity),
            html.Span(dmc.Anchor(fmt.words(one.rule), href=alert_link(one.alert_id, scope.bare()))),
            one.summary,
        ]
        for one in hidden
    ]
    return lines(["Hidden", "Severity", "Alert", "Said"], rows)


PAGE = Page("silences", "Silences", "/silences", layout, register)
