"""The checklists of one endpoint: what is shown, what fails, who answers for the rest; and what was seen."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import unquote
from uuid import UUID

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.frame import SLOW_TICK_MS, as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import notice, panel
from dashboard.components.text import Children, empty, mono, pill, when
from dashboard.links import endpoint_link, event_link, link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import Scope, scope_of, segment
from dashboard.screen import Screen
from dashboard.views import ChecklistLine, ChecklistView, SightingLine, Viewer
from monitor.errors import HookvitalsError

_LISTS = {"orum": "Orum's checklist", "hopnow": "HopNow's checklist"}
_TONES = {"pass": Tone.OK, "fail": Tone.CRITICAL, "attested": Tone.INFO, "no evidence yet": Tone.WARNING}
LENGTHS = {
    "30 days": timedelta(days=30),
    "90 days": timedelta(days=90),
    "180 days": timedelta(days=180),
    "a year": timedelta(days=365),
}
_USUAL = "180 days"


def layout(source: str = "", endpoint: str = "", **query: object) -> Component:
    scope = scope_of(query)
    names = unquote(source), unquote(endpoint)
    return frame(
        "checklist",
        f"Checklist of {names[0]} / {names[1]}" if names[1] else "Checklist",
        scope,
        [
            html.Div(id="checklist-problem"),
            html.Div(id="checklist-body", className="stack"),
            dcc.Store(id="checklist-item"),
            _dialog(),
        ],
        every_ms=SLOW_TICK_MS,
        lead=f"What to have before production, judged by what it really did in {scope.environment}",
        side=dmc.Anchor(
            "Endpoint", href=endpoint_link(*names, scope.bare()), className="beside", underline="never"
        )
        if names[1]
        else None,
        stored={"on_source": names[0], "on_endpoint": names[1]},
    )


def _dialog() -> dmc.Modal:
    return dmc.Modal(
        [
            html.P(id="checklist-asks", className="summary"),
            dmc.Textarea(
                id="checklist-note",
                label="Note",
                description="What was done, and where it can be seen.",
                autosize=True,
                minRows=2,
                required=True,
            ),
            dmc.Select(
                id="checklist-for",
                label="For",
                value=_USUAL,
                data=list(LENGTHS),
                allowDeselect=False,
                my="sm",
                comboboxProps={"withinPortal": True},
            ),
            html.Div(id="checklist-refused"),
            dmc.Group([dmc.Button("Attest", id="checklist-send")], justify="flex-end", mt="sm"),
        ],
        id="checklist-dialog",
        title="Answer for this item",
        opened=False,
        centered=True,
        closeButtonProps={"aria-label": "Close"},
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("checklist-body", "children"),
        Output("checklist-as-of", "children"),
        Input("checklist-tick", "n_intervals"),
        State("checklist-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, str]) -> tuple[list[Component], str]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.checklist(scope.environment, stored["on_source"], stored["on_endpoint"])
        if view is None:
            absent = f"No endpoint of this name is registered in {scope.environment}."
            return [panel("Checklist", empty("No such endpoint", absent))], as_of(now)
        return body(view, stored["on_source"], scope, screen.viewer(), now), as_of(now)

    @app.callback(
        Output("checklist-dialog", "opened"),
        Output("checklist-item", "data"),
        Output("checklist-asks", "children"),
        Output("checklist-note", "value"),
        Output("checklist-refused", "children"),
        Output("checklist-tick", "n_intervals"),
        Input({"kind": "attest", "item": ALL, "asks": ALL}, "n_clicks"),
        Input("checklist-send", "n_clicks"),
        State("checklist-item", "data"),
        State("checklist-note", "value"),
        State("checklist-for", "value"),
        State("checklist-scope", "data"),
        State("checklist-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def attest(
        opened: list[int | None],
        _: int | None,
        item: str | None,
        note: str | None,
        length: str | None,
        stored: dict[str, str],
        ticks: int | None,
    ) -> tuple[object, ...]:
        asked = ctx.triggered_id
        if isinstance(asked, dict):
            if not any(opened):  # the buttons were only drawn
                return (no_update,) * 6
            return True, asked["item"], asked["asks"], "", [], no_update
        if not item:
            return (no_update,) * 6
        place = scope_of(stored).environment, stored["on_source"], stored["on_endpoint"]
        try:
            lasts = LENGTHS.get(length or _USUAL, LENGTHS[_USUAL])
            screen.actions.attest(screen.viewer(), place, item, (note or "").strip(), lasts)
        except HookvitalsError as exc:
            return *[no_update] * 4, notice(Tone.ERROR, "Not attested.", str(exc)), no_update
        return False, None, "", "", [], (ticks or 0) + 1

    @app.callback(
        Output("checklist-problem", "children"),
        Output("checklist-tick", "n_intervals", allow_duplicate=True),
        Input({"kind": "withdraw", "item": ALL}, "n_clicks"),
        State("checklist-scope", "data"),
        State("checklist-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def withdraw(
        clicks: list[int | None], stored: dict[str, str], ticks: int | None
    ) -> tuple[object, object]:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(clicks):  # the buttons were only drawn
            return no_update, no_update
        place = scope_of(stored).environment, stored["on_source"], stored["on_endpoint"]
        try:
            screen.actions.withdraw(screen.viewer(), place, asked["item"])
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Not withdrawn.", str(exc)), no_update
        return [], (ticks or 0) + 1


def body(view: ChecklistView, source: str, scope: Scope, viewer: Viewer, now: datetime) -> list[Component]:
    """Each list, and what was seen of the sender."""
    panels: list[Component] = []
    for name, items in groupby(view.items, key=lambda one: one.list):
        own = list(items)
        shown = lines(_heads(viewer), [_row(one, viewer, now) for one in own])
        panels.append(panel(_LISTS.get(name, name), shown, side=tally(own), flush=True))
    seen = [_seen(one, source, scope, now) for one in view.sightings]
    heads = ["What", "Value", "First seen", "Last seen", "Sample"]
    absent = empty("Nothing was seen yet", "Types, addresses, secrets and the shape of requests show here.")
    newest = "the newest first"
    panels.append(
        panel("Seen of the sender", lines(heads, seen) if seen else absent, side=newest, flush=True)
    )
    return panels


def tally(items: Sequence[ChecklistLine]) -> list[Component]:
    """`12 pass`, `1 fail` …, as pills; what there is none of is left out."""
    counts = Counter(one.verdict for one in items)
    return [pill(f"{counts[word]} {word}", tone) for word, tone in _TONES.items() if counts[word]]


def _heads(viewer: Viewer) -> list[str]:
    return ["Item", "Verdict", "As of", "Evidence", *([""] if viewer.operates else [])]


def _row(one: ChecklistLine, viewer: Viewer, now: datetime) -> list[Children]:
    group = html.Div(one.group, className="cell-under") if one.group != "summary" else None
    row: list[Children] = [
        html.Div([html.B(one.asks), group], className="item-asks"),
        pill(one.verdict, _TONES.get(one.verdict, Tone.NEUTRAL)),
        when(one.attested_at if one.verdict == "attested" else one.seen_at, now),
        html.Div(one.said, className="item-said"),
    ]
    if viewer.operates:
        row.append(_button(one) or "")
    return row


def _button(one: ChecklistLine) -> dmc.Button | None:
    """Evidence goes before what anybody says: there is nothing to answer for where it speaks."""
    if one.verdict == "attested":
        named = attributes(aria_label=f"Withdraw: {one.asks}")
        id = {"kind": "withdraw", "item": one.id}
        return dmc.Button("Withdraw", id=id, size="compact-xs", variant="default", **named)
    if one.verdict == "no evidence yet":
        named = attributes(aria_label=f"Attest: {one.asks}")
        id = {"kind": "attest", "item": one.id, "asks": one.asks}
        return dmc.Button("Attest…", id=id, size="compact-xs", variant="default", **named)
    return None


def _seen(one: SightingLine, source: str, scope: Scope, now: datetime) -> list[Children]:
    return [
        fmt.words(one.aspect),
        mono(one.value),
        when(one.first_at, now),
        when(one.last_at, now),
        _sample(one.sample, source, scope),
    ]


def _sample(sample: str, source: str, scope: Scope) -> Children:
    """Leads to the first record, or to the event where that is what is known."""
    if not sample:
        return html.Span(fmt.NONE, className="muted")
    try:
        UUID(sample)
    except ValueError:
        href = event_link(scope.environment, source, sample, scope.bare())
        return html.Span(dmc.Anchor(sample, href=href, className="mono"))
    return html.A("record", href=link(f"records/{segment(sample)}"))  # a redirect of the server's


PAGE = Page(
    "checklist", "Checklist", "/checklists/one", layout, register, template="/checklists/<source>/<endpoint>"
)
