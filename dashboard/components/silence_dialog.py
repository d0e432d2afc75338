"""The dialog that makes a silence: what, how long and why; by wish from when on, and at which hours."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from alerts.hours import DAYS
from alerts.silences import LABELS
from dashboard import drafts
from dashboard.components.attributes import attributes
from dashboard.components.panel import notice
from dashboard.palette import Tone
from dashboard.scope import scope_of
from dashboard.screen import Screen
from monitor.errors import HookvitalsError

_FIELDS = ("matchers", "length", "start", "span", "days", "zone", "comment")


def silence_dialog() -> dmc.Modal:
    """Opened by `silences-new`, or filled in where the address names an alert."""
    return dmc.Modal(
        [
            dmc.Textarea(
                id="silences-matchers",
                label="Matchers",
                description="One a line: label=pattern. All of them must match an alert; * stands "
                f"for any text. Labels: {', '.join(LABELS)}.",
                placeholder="source=stripe\nrule=error_*",
                autosize=True,
                minRows=3,
                maxRows=12,
                spellCheck=False,
                required=True,
            ),
            dmc.Select(
                id="silences-length",
                label="For",
                value=drafts.USUAL,
                data=list(drafts.LENGTHS),
                allowDeselect=False,
                my="sm",
                comboboxProps={"withinPortal": True},
            ),
            dmc.Textarea(
                id="silences-comment",
                label="Comment",
                description="Why, for whoever wonders later.",
                autosize=True,
                minRows=2,
                required=True,
                mb="sm",
            ),
            html.Details(
                [html.Summary("Start later, or only at certain hours"), *_recurring()],
                className="more",
            ),
            html.Div(id="silences-preview", className="preview", **attributes(aria_live="polite")),
            html.Div(id="silences-refused"),
            dmc.Group([dmc.Button("Silence", id="silences-send")], justify="flex-end", mt="sm"),
        ],
        id="silences-dialog",
        title="Silence alerts",
        opened=False,
        size="lg",
        centered=True,
        closeButtonProps={"aria-label": "Close"},
    )


def _recurring() -> list[Component]:
    return [
        html.Div(
            [
                dmc.TextInput(
                    id="silences-start",
                    label="Starts",
                    description="Empty: now.",
                    attributes={"input": {"type": "datetime-local"}},
                ),
                dmc.Select(
                    id="silences-zone",
                    label="Time zone",
                    description="Of the start and the hours.",
                    value="UTC",
                    data=sorted(available_timezones()),
                    searchable=True,
                    allowDeselect=False,
                    limit=60,
                    comboboxProps={"withinPortal": True},
                ),
                dmc.TextInput(
                    id="silences-span",
                    label="Only from – to",
                    description="Empty: all day long.",
                    placeholder="22:00-07:00",
                ),
            ],
            className="more-fields",
        ),
        html.Div(
            [
                html.Div("On", className="more-label", id="silences-days-label"),
                html.Div(
                    dmc.ChipGroup(
                        [
                            dmc.Chip(day.capitalize(), value=day, size="xs", icon=html.Span("✓"))
                            for day in DAYS
                        ],
                        id="silences-days",
                        multiple=True,
                        value=[],
                    ),
                    className="chips",
                    role="group",
                    **attributes(aria_labelledby="silences-days-label"),
                ),
                html.Div("None chosen: every day.", className="muted"),
            ],
        ),
    ]


def register(app: Dash, screen: Screen) -> None:
    """Opens the dialog, fills it in, says what it means, and makes the silence."""
    states = [State(f"silences-{name}", "value") for name in _FIELDS]

    @app.callback(
        Output("silences-dialog", "opened"),
        Output("silences-matchers", "value"),
        Input("silences-scope", "data"),
    )
    def fill_in(stored: dict[str, object]) -> tuple[object, object]:
        asked = scope_of(stored).get("alert")
        found = screen.reads.alert(asked) if asked and screen.viewer().operates else None
        if found is None:
            return no_update, no_update
        return True, drafts.matchers_text({"rule": found.alert.rule, **found.alert.labels})

    @app.callback(
        Output("silences-preview", "children"),
        *[Input(f"silences-{name}", "value") for name in _FIELDS if name != "comment"],
        State("silences-scope", "data"),
        prevent_initial_call=True,
    )
    def foresee(*given: Any) -> Component | str:
        *texts, stored = given
        form, now = _form([*texts, ""]), screen.clock.now()
        if not form.matchers.strip():
            return ""
        try:
            said = drafts.preview(
                drafts.draft_of(form, now), screen.reads.alerts(scope_of(stored).environment), now
            )
        except HookvitalsError as exc:
            return html.Span(str(exc), className="worse")
        return said

    @app.callback(
        Output("silences-dialog", "opened", allow_duplicate=True),
        Output("silences-matchers", "value", allow_duplicate=True),
        Output("silences-refused", "children"),
        Output("silences-comment", "value"),
        Output("silences-start", "value"),
        Output("silences-span", "value"),
        Output("silences-days", "value"),
        Output("silences-tick", "n_intervals"),
        Input("silences-new", "n_clicks"),
        Input("silences-send", "n_clicks"),
        *states,
        State("silences-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def step(opening: int | None, sending: int | None, *given: object) -> tuple[object, ...]:
        *texts, ticks = given
        if ctx.triggered_id == "silences-new" and opening:
            return True, "", [], "", "", "", [], no_update
        if ctx.triggered_id != "silences-send" or not sending:
            return (no_update,) * 8
        try:
            screen.actions.silence(screen.viewer(), drafts.draft_of(_form(texts), screen.clock.now()))
        except HookvitalsError as exc:
            refused = notice(Tone.ERROR, "Not silenced.", str(exc))
            return True, no_update, refused, *[no_update] * 5
        return False, no_update, [], no_update, "", "", [], (ticks if isinstance(ticks, int) else 0) + 1


def _form(values: Sequence[object]) -> drafts.Form:
    matchers, length, start, span, days, zone, comment = values
    return drafts.Form(
        str(matchers or ""),
        str(length or drafts.USUAL),
        str(start or ""),
        str(span or ""),
        [str(day) for day in days] if isinstance(days, list) else (),
        str(zone or "UTC"),
        str(comment or ""),
    )
