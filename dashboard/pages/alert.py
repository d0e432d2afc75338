"""One alert: its evidence, the events that show it, every move it made, and every message about it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.acknowledge import acknowledge_dialog, dialog_outputs
from dashboard.components.alert import (
    acknowledge_button,
    is_web,
    lasts,
    measured,
    place,
    runbook_button,
    severity_pill,
    silence_button,
    taken_until,
    title,
    told,
)
from dashboard.components.alert_course import alert_course, reach
from dashboard.components.frame import as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import panel
from dashboard.components.text import Children, empty, facts, lasting, mono, pill, when
from dashboard.links import endpoint_link, event_link, link
from dashboard.pages.page import Page
from dashboard.palette import OUTCOME_TONES, Tone
from dashboard.scheme import asked_palette
from dashboard.scope import RANGE_WORDS, RANGES, Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import AlertLine, AlertView, Viewer
from monitor.model import Record

_STATES = {"firing": Tone.CRITICAL, "pending": Tone.WARNING, "resolved": Tone.OK}
_DELIVERIES = {"delivered": Tone.OK, "due": Tone.INFO, "given_up": Tone.CRITICAL, "dropped": Tone.NEUTRAL}
_BECAUSE = {
    "flapping": "it flaps, told once",
    "severity_raised": "it got worse",
    "repeat": "it still fires",
    "escalated": "nobody took it on",
    "fallback": "another channel gave up",
    "firing": "it fires",
    "resolved": "it is over",
}
_WHY = {
    "breach_started": "the limit was passed",
    "breach_held": "the limit stayed passed",
    "breach_ended": "back within the limit before it fired",
    "severity_raised": "it got worse",
    "severity_lowered": "it got better",
    "recovered": "back within the limit",
    "no_data": "nothing left to judge",
    "target_gone": "what it watched is gone",
    "rule_removed": "its rule was removed",
}


def layout(alert_id: str = "", **query: object) -> Component:
    return frame(
        "alert",
        "Alert",
        scope_of(query),
        [html.Div(id="alert-body", className="stack"), acknowledge_dialog("alert")],
        lead=html.Span(id="alert-place"),
        side=html.Div(id="alert-side", className="actions"),
        stored={"alert_id": unquote(alert_id)},
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("alert-title", "children"),
        Output("alert-place", "children"),
        Output("alert-side", "children"),
        Output("alert-body", "children"),
        Output("alert-as-of", "children"),
        Input("alert-tick", "n_intervals"),
        State("alert-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, str]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.alert(stored["alert_id"])
        if view is None:
            gone = [panel("Alert", empty("No such alert", "Its rule may have been removed long ago."))]
            return "Alert", "", None, gone, as_of(now)
        alert = view.alert
        return (
            title(alert),
            place(alert),
            _side(alert, scope, screen.viewer()),
            body(view, scope, now, _course(screen, alert, scope, now)),
            as_of(now),
        )

    dialog_outputs(app, screen, "alert")


def _course(screen: Screen, alert: AlertLine, scope: Scope, now: datetime) -> list[Component]:
    back = reach(alert, now)
    if back is None:
        return []
    of_then = Scope(alert.labels.get("environment", scope.environment), back)
    view = screen.reads.endpoint(of_then, alert.labels["source"], alert.labels["endpoint"], now)
    return [] if view is None else [alert_course(alert, view, back, asked_palette())]


def body(view: AlertView, scope: Scope, now: datetime, course: Sequence[Component] = ()) -> list[Component]:
    """The panels of one alert. course: what it measures, over time."""
    alert = view.alert
    shown: Component = panel("Events that show it", _exemplars(view, scope, now), flush=True)
    if alert.top_errors:
        rows: list[list[Children]] = [[name, fmt.count(n)] for name, n in alert.top_errors]
        errors = panel("Most frequent errors", lines(["Error or reason", ">Count"], rows), flush=True)
        shown = html.Div([shown, errors], className="columns-2-1")
    panels: list[Component] = [
        panel("Evidence", [html.P(alert.summary, className="summary"), facts(_facts(view, scope, now))]),
        *course,
        shown,
    ]
    moves: list[list[Children]] = [
        [
            when(move.at, now),
            pill(move.to_state, _STATES.get(move.to_state, Tone.NEUTRAL)),
            severity_pill(move.severity),
            _WHY.get(move.reason, fmt.words(move.reason)),
            move.summary,
        ]
        for move in view.transitions
    ]
    panels.append(panel("History", lines(["When", "Became", "Severity", "Why", "Said"], moves), flush=True))
    messages: list[list[Children]] = [
        [
            when(message.created_at, now),
            message.channel,
            _BECAUSE.get(message.reason, fmt.words(message.reason)),
            pill(fmt.words(message.state), _DELIVERIES.get(message.state, Tone.NEUTRAL)),
            fmt.count(message.attempts),
            message.error or fmt.NONE,
            mono(message.receipt) if message.receipt else fmt.NONE,
        ]
        for message in view.notifications
    ]
    heads = ["When", "Channel", "Why", "State", ">Tries", "Error", "Receipt"]
    panels.append(
        panel(
            "Messages",
            lines(heads, messages) if messages else empty("No message was sent", told(alert, scope)),
            flush=True,
        )
    )
    return panels


def _side(alert: AlertLine, scope: Scope, viewer: Viewer) -> list[Component | None]:
    return [
        pill(alert.state, _STATES.get(alert.state, Tone.NEUTRAL)),
        severity_pill(alert.severity, alert.state),
        runbook_button(alert),
        silence_button(alert, scope, viewer),
        acknowledge_button(alert, viewer),
    ]


def _facts(view: AlertView, scope: Scope, now: datetime) -> list[tuple[str, Children]]:
    alert = view.alert
    source, endpoint = alert.labels.get("source"), alert.labels.get("endpoint")
    found: list[tuple[str, Children | None]] = [
        ("Measured", _measured(alert)),
        ("Limit", measured(alert.threshold, alert.unit) if alert.threshold is not None else None),
        ("Judged from", f"{fmt.count(alert.sample)} observations" if alert.sample else None),
        ("State", lasts(alert, now)),
        ("Who knows", told(alert, scope)),
        ("Acknowledged", _acked(alert, now)),
        ("Escalated to", _escalated(view, now)),
        (
            "Flapping",
            ["for ", lasting(alert.flapping_since, now), "; told once until it is calm"]
            if alert.flapping_since
            else None,
        ),
        ("Ticket", "told once; its end is not told" if alert.ticket else None),
        (
            "Endpoint",
            dmc.Anchor(f"{source} / {endpoint}", href=endpoint_link(source, endpoint, scope.bare()))
            if source and endpoint
            else None,
        ),
        ("Environment", alert.labels.get("environment")),
        ("Rule", alert.rule if alert.rule == alert.kind else f"{alert.rule} ({fmt.words(alert.kind)})"),
        ("Runbook", _runbook(alert.runbook)),
        ("Its records", _records(alert, scope, now)),
    ]
    return [(name, value) for name, value in found if value]


def _acked(alert: AlertLine, now: datetime) -> Children | None:
    if not alert.acked_by:
        return None
    note = f": {alert.ack_note}" if alert.ack_note else ""
    return [f"{alert.acked_by}, ", when(alert.acked_at, now), *taken_until(alert, now), note]


def _escalated(view: AlertView, now: datetime) -> Children | None:
    """Who else was told of this firing, as nobody took it on."""
    above = [
        message
        for message in reversed(view.notifications)
        if message.reason == "escalated" and message.created_at >= view.alert.since
    ]
    told: list[Component | str] = []
    for message in above:
        told += [f"{', ' if told else ''}{message.channel} ", when(message.created_at, now)]
    return told or None


def _measured(alert: AlertLine) -> Children | None:
    return html.B(measured(alert.value, alert.unit)) if alert.value is not None else None


def _records(alert: AlertLine, scope: Scope, now: datetime) -> dmc.Anchor | None:
    """Leads to the records of its place, by the shortest range that reaches back to its start."""
    back = next((name for name, length in RANGES.items() if now - alert.since < length), None)
    if back is None:
        return None
    place = {name: alert.labels.get(name) for name in ("source", "endpoint")}
    of_then = replace(scope.bare(), range=back).with_filters(**place, type=alert.labels.get("event_type"))
    return dmc.Anchor(f"of the last {RANGE_WORDS[back]}", href=link("events", of_then))


def _runbook(text: str) -> Children | None:
    """A link only where it leads to the web: what a file says is text otherwise."""
    if is_web(text):
        return html.A(text, href=text, rel="noopener noreferrer", target="_blank")
    return text or None


def _exemplars(view: AlertView, scope: Scope, now: datetime) -> Component:
    if not view.exemplars:
        return empty("No event stands for it", "It is not about single events, or they are no longer kept.")
    rows: list[list[Children]] = [
        [
            when(record.recorded_at, now),
            _event(record, scope),
            record.event_type,
            pill(fmt.words(record.outcome.value), OUTCOME_TONES[record.outcome]),
            record.error_class or fmt.words(record.reason or fmt.NONE),
        ]
        for record in view.exemplars
    ]
    return lines(["When", "Event", "Type", "Outcome", "Error or reason"], rows)


def _event(record: Record, scope: Scope) -> Children:
    if not record.event_id:
        return fmt.NONE
    href = event_link(record.environment, record.source, record.event_id, scope.bare())
    return html.Span(dmc.Anchor(record.event_id, href=href, className="mono"))


PAGE = Page("alert", "Alert", "/alerts/one", layout, register, template="/alerts/<alert_id>")
