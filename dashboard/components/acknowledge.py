"""The dialog that takes an alert on: a note, a button, and the refusal if there is one."""

from datetime import timedelta

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.components.panel import notice
from dashboard.palette import Tone
from dashboard.screen import Screen
from monitor.errors import HookvitalsError

UNTIL_OVER = "until it is over"
LENGTHS = {
    UNTIL_OVER: None,
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
    "1 week": timedelta(days=7),
}
"""For how long somebody may take an alert on, in the words of the dialog."""


def acknowledge_dialog(page: str) -> Component:
    """Opened by any button whose id is {"kind": "acknowledge", "alert": …}; page begins the other ids."""
    return html.Div(
        [
            dcc.Store(id=f"{page}-acking"),
            dmc.Modal(
                [
                    html.P(
                        "It is neither repeated nor escalated meanwhile. Others see that you have it.",
                        className="muted",
                    ),
                    dmc.Textarea(
                        id=f"{page}-ack-note",
                        label="Note",
                        placeholder="what you know, what you do about it",
                        autosize=True,
                        minRows=2,
                        my="sm",
                    ),
                    dmc.Select(
                        id=f"{page}-ack-for",
                        label="For",
                        value=UNTIL_OVER,
                        data=list(LENGTHS),
                        allowDeselect=False,
                        comboboxProps={"withinPortal": True},
                    ),
                    html.Div(id=f"{page}-ack-problem"),
                    dmc.Group(
                        [dmc.Button("Acknowledge", id=f"{page}-ack-send")], justify="flex-end", mt="sm"
                    ),
                ],
                id=f"{page}-ack-dialog",
                title="Take this alert on",
                opened=False,
                centered=True,
                closeButtonProps={"aria-label": "Close"},
            ),
        ]
    )


def dialog_outputs(app: Dash, screen: Screen, page: str) -> None:
    """Opens the dialog, sends what it says, and refreshes the page."""

    @app.callback(
        Output(f"{page}-ack-dialog", "opened"),
        Output(f"{page}-acking", "data"),
        Output(f"{page}-ack-problem", "children"),
        Output(f"{page}-ack-note", "value"),
        Output(f"{page}-tick", "n_intervals"),
        Input({"kind": "acknowledge", "alert": ALL}, "n_clicks"),
        Input(f"{page}-ack-send", "n_clicks"),
        State(f"{page}-acking", "data"),
        State(f"{page}-ack-note", "value"),
        State(f"{page}-ack-for", "value"),
        State(f"{page}-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def step(
        opened: list[int | None],
        _: int | None,
        alert_id: str | None,
        note: str | None,
        length: str | None,
        ticks: int | None,
    ) -> tuple[object, ...]:
        asked = ctx.triggered_id
        if isinstance(asked, dict):
            if not any(opened):  # the buttons were only drawn
                return (no_update,) * 5
            return True, asked["alert"], [], "", no_update
        if not alert_id:
            return (no_update,) * 5
        try:
            lasts = LENGTHS.get(length or UNTIL_OVER)
            screen.actions.acknowledge(screen.viewer(), alert_id, (note or "").strip(), lasts)
        except HookvitalsError as exc:
            return (
                no_update,
                no_update,
                notice(Tone.ERROR, "Not acknowledged.", str(exc)),
                no_update,
                no_update,
            )
        return False, None, [], "", (ticks or 0) + 1
