"""Replays: what was sent again, by whom and why, and how far it is; pause, resume, cancel."""

from collections.abc import Mapping
from datetime import datetime

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.frame import as_of, frame
from dashboard.components.panel import notice, panel
from dashboard.components.text import empty, mono, pill, when
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import scope_of
from dashboard.screen import Screen
from dashboard.views import ReplayLine, Viewer
from monitor.errors import HookvitalsError

_SHOWN = 50
_STATES = {
    "planned": Tone.NEUTRAL,
    "running": Tone.INFO,
    "paused": Tone.WARNING,
    "completed": Tone.OK,
    "stopped": Tone.CRITICAL,
    "cancelled": Tone.NEUTRAL,
}
_ITEMS = {  # item state → variable of its colour; what is over comes first
    "succeeded": "--hv-blue",
    "skipped": "--hv-grey",
    "failed": "--hv-vermilion",
    "unconfirmed": "--hv-purple",
    "sent": "--hv-sky",
    "sending": "--hv-sky",
    "planned": "--hv-grey-light",
}
_MOVES: Mapping[str, tuple[str, ...]] = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}


def layout(**query: object) -> Component:
    return frame(
        "replays",
        "Replays",
        scope_of(query),
        [
            html.Div(id="replays-problem"),
            panel("Replays", html.Div(id="replays-list"), side="newest first", flush=True),
        ],
        lead="Dead letters sent again. A letter is resolved only when its record comes back.",
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("replays-list", "children"),
        Output("replays-as-of", "children"),
        Input("replays-tick", "n_intervals"),
        State("replays-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[object, str]:
        now = screen.clock.now()
        found = screen.reads.replays(_SHOWN)
        marked = scope_of(stored).get("q")
        viewer = screen.viewer()
        cards = [_card(replay, viewer, now, marked=replay.id == marked) for replay in found]
        return cards or empty("No replay yet", "Select dead letters and plan one.", "replay"), as_of(now)

    @app.callback(
        Output("replays-problem", "children"),
        Output("replays-tick", "n_intervals"),
        Input({"kind": "steer", "replay": ALL, "move": ALL}, "n_clicks"),
        State("replays-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def steer(clicks: list[int | None], ticks: int | None) -> tuple[object, object]:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(clicks):
            return no_update, no_update
        try:
            screen.actions.steer_replay(screen.viewer(), str(asked["replay"]), str(asked["move"]))
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Refused.", str(exc)), no_update
        return [], (ticks or 0) + 1


def _card(replay: ReplayLine, viewer: Viewer, now: datetime, *, marked: bool) -> Component:
    return html.Div(
        [
            html.Div(
                [
                    pill(replay.state, _STATES.get(replay.state, Tone.NEUTRAL)),
                    html.Span(replay.reason or "no reason given"),
                    mono(replay.id),
                ],
                className="alert-name",
            ),
            html.Div(_buttons(replay, viewer), className="alert-side"),
            html.Div(
                [_bar(replay), html.Div(_legend(replay), className="alert-meta")], className="alert-summary"
            ),
            html.Div(
                [
                    html.Span(["by ", html.B(replay.created_by), " ", when(replay.created_at, now)]),
                    html.Span(["ended ", when(replay.finished_at, now)]) if replay.finished_at else None,
                    html.Span(replay.stopped_because) if replay.stopped_because else None,
                ],
                className="alert-meta",
            ),
        ],
        className="alert-card replay-marked" if marked else "alert-card",
    )


def _bar(replay: ReplayLine) -> Component:
    total = replay.total or 1
    parts = [
        html.Span(
            style={"width": f"{100 * replay.counts[state] / total:.3f}%", "background": f"var({colour})"}
        )
        for state, colour in _ITEMS.items()
        if replay.counts.get(state)
    ]
    return html.Div(parts, className="bar", role="img", **attributes(aria_label=_said(replay)))


def _legend(replay: ReplayLine) -> list[Component]:
    return [
        html.Span(
            [html.Span(className="swatch", style={"background": f"var({colour})"}), f"{fmt.count(n)} {state}"]
        )
        for state, colour in _ITEMS.items()
        if (n := replay.counts.get(state))
    ]


def _said(replay: ReplayLine) -> str:
    return ", ".join(f"{n} {state}" for state, n in replay.counts.items() if n) or "nothing to send"


def _buttons(replay: ReplayLine, viewer: Viewer) -> list[Component]:
    if not viewer.operates:
        return []
    return [
        dmc.Button(
            move.capitalize(),
            id={"kind": "steer", "replay": replay.id, "move": move},
            size="xs",
            variant="default",
        )
        for move in _MOVES.get(replay.state, ())
    ]


PAGE = Page("replays", "Replays", "/replays", layout, register)
