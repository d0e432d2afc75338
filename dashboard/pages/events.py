"""Every record, newest first, as far back as they are kept: filters in the address, pages by keyset.

A block of the table asks for what lies before the last row of the block above it, so the millionth row costs
what the first did.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, NoUpdate, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.clientside import in_browser
from dashboard.components.filters import choice
from dashboard.components.frame import as_of, frame
from dashboard.components.grid import column, endless, number
from dashboard.components.panel import notice, panel
from dashboard.components.text import icon
from dashboard.links import event_link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.rows import record_row
from dashboard.scope import Scope, scope_of
from dashboard.screen import Reads, Screen
from dashboard.views import EventPage
from monitor.model import OUTCOMES, Record

BLOCK = 100  # rows a request of the table asks for
_SCANS = 25  # store pages one block may take when a filter matches little

_COLUMNS = [
    column("at", "Time (UTC)", 164),
    column("outcome", "Outcome", 126),
    column("event", "Event", 186),
    column("type", "Type", 140),
    column("where", "Endpoint", 116),
    number("attempt", "Attempt", 76),
    number("status", "Answer", 74),
    number("process", "Processing", 92),
    column("error", "Error or reason", 150),
]
_FILTERS = ("source", "endpoint", "type", "outcome", "error")


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "events",
        "Events",
        scope,
        [
            html.Div(_filters(scope), className="panel panel-body"),
            html.Div(id="events-found"),
            panel(
                "Records",
                endless("events-grid", _COLUMNS, "max(420px, calc(100vh - 320px))"),
                side=[
                    html.Span(id="events-count"),
                    dmc.Button(
                        "Show new records",
                        id="events-newer",
                        size="compact-xs",
                        variant="light",
                        display="none",
                    ),
                ],
                flush=True,
            ),
            dcc.Store(id="events-cursors", data={}),
            dcc.Store(id="events-top"),
            dcc.Store(id="events-filters", data=[[name, ""] for name in _FILTERS]),
        ],
        lead="Newest first: one line a processing record. The filters stand in the address.",
        side=_lookup(),
    )


def _lookup() -> Component:
    """A field that the browser alone keeps, so that fast typing is never reordered by a render; on Enter
    hookvitals.js puts its text into the Store."""
    return html.Div(
        [
            icon("search"),
            html.Label("Look an event up by its id", htmlFor="lookup", className="unseen"),
            html.Textarea(
                id="lookup",
                placeholder="Event id, then Enter",
                rows=1,
                maxLength=256,
                spellCheck="false",
            ),
            dcc.Store(id="lookup-asked"),
        ],
        className="lookup",
    )


def _filters(scope: Scope) -> list[Component]:
    outcomes = dmc.MultiSelect(
        id="events-outcome",
        label="Outcome",
        value=(scope.get("outcome") or "").split(",") if scope.get("outcome") else [],
        data=[{"value": outcome.value, "label": fmt.words(outcome.value)} for outcome in OUTCOMES],
        placeholder="" if scope.get("outcome") else "any",
        clearable=True,
        size="sm",
    )
    return [
        html.Div(
            [
                choice("events", "source", "Source", scope),
                choice("events", "endpoint", "Endpoint", scope),
                choice("events", "type", "Type", scope),
                outcomes,
                choice("events", "error", "Error class", scope),
            ],
            className="filters",
        )
    ]


def register(app: Dash, screen: Screen) -> None:
    in_browser(
        app,
        "writeFilters",
        Output("url", "search", allow_duplicate=True),
        *[Input(f"events-{name}", "value") for name in _FILTERS],
        State("events-filters", "data"),
    )
    in_browser(
        app,
        "showNewest",
        Output("events-newer", "display", allow_duplicate=True),
        Input("events-newer", "n_clicks"),
    )

    @app.callback(
        *[Output(f"events-{name}", "data") for name in ("source", "endpoint", "type", "error")],
        Input("events-scope", "data"),
    )
    def offer(stored: dict[str, object]) -> tuple[list[str], ...]:
        scope = scope_of(stored)
        known = screen.reads.choices(scope.environment)
        return (
            _with(known.sources, scope.get("source")),
            _with(known.endpoints, scope.get("endpoint")),
            _with(known.types, scope.get("type")),
            _with(known.errors, scope.get("error")),
        )

    @app.callback(
        Output("events-grid", "getRowsResponse"),
        Output("events-cursors", "data"),
        Output("events-count", "children"),
        Output("events-top", "data"),
        Input("events-grid", "getRowsRequest"),
        State("events-scope", "data"),
        State("events-cursors", "data"),
        State("events-top", "data"),
        prevent_initial_call=True,
    )
    def block(
        asked: dict[str, Any] | None, stored: dict[str, object], cursors: dict[str, str], top: str | None
    ) -> tuple[object, ...]:
        if not asked:
            return no_update, no_update, no_update, no_update
        scope, now = scope_of(stored), screen.clock.now()
        start = int(asked["startRow"])
        if start and str(start) not in cursors:  # the table asks out of order only after a purge
            return {"rowData": [], "rowCount": start}, no_update, no_update, no_update
        page = filled(screen.reads, scope, BLOCK, cursors.get(str(start)), now)
        end = start + len(page.records)
        last = page.next_before is None or len(page.records) < BLOCK
        shown = [record_row(record, scope) for record in page.records]
        newest = shown[0]["id"] if start == 0 and shown else top
        counted = f"{fmt.count(end)} shown" + (_why_stopped(page) if last else ", more below")
        if page.next_before is not None:
            cursors = {**cursors, str(end): page.next_before}
        return {"rowData": shown, "rowCount": end if last else None}, cursors, counted, newest

    @app.callback(
        Output("events-newer", "display"),
        Output("events-as-of", "children"),
        Input("events-tick", "n_intervals"),
        State("events-scope", "data"),
        State("events-top", "data"),
    )
    def look_for_newer(
        _: int | None, stored: dict[str, object], top: str | None
    ) -> tuple[str | NoUpdate, str]:
        now = screen.clock.now()
        page = screen.reads.records(scope_of(stored), 1, None, now)
        newest = str(page.records[0].record_id) if page.records else None
        return ("inline-flex" if top and newest and newest != top else "none"), as_of(now)

    @app.callback(
        Output("url", "href"),
        Output("events-found", "children"),
        Input("lookup-asked", "data"),
        State("events-scope", "data"),
        prevent_initial_call=True,
    )
    def look_up(asked: dict[str, object] | None, stored: dict[str, object]) -> tuple[object, object]:
        wanted = str((asked or {}).get("text", "")).strip()
        if not wanted:
            return no_update, []
        scope = scope_of(stored)
        places = screen.reads.find_event(scope.environment, wanted)
        sources = sorted({source for source, _ in places})
        if len(sources) == 1:
            return event_link(scope.environment, sources[0], wanted, scope.bare()), []
        return no_update, _several(scope, wanted, sources)


def filled(reads: Reads, scope: Scope, limit: int, before: str | None, now: datetime) -> EventPage:
    """A page of `limit` records unless there are no more: the store gives fewer when little matches."""
    records: list[Record] = []
    for _ in range(_SCANS):
        page = reads.records(scope, limit - len(records), before, now)
        records += page.records
        before = page.next_before
        if before is None or len(records) >= limit:
            break
    return EventPage(records, before)


def _why_stopped(page: EventPage) -> str:
    if page.next_before is None:
        return ", no more in this range"
    return "; few records match, narrow the filter or the range to search further back"


def _several(scope: Scope, event_id: str, sources: Sequence[str]) -> Component:
    if not sources:
        return notice(
            Tone.INFO, "No such event.", f"No source sent an event “{event_id}” in {scope.environment}."
        )
    links: list[Component | str] = ["It was sent by: "]
    for source in sources:
        links += [dmc.Anchor(source, href=event_link(scope.environment, source, event_id, scope.bare())), " "]
    return notice(Tone.INFO, "Several sources use this id.", links)


def _with(known: Sequence[str], chosen: str | None) -> list[str]:
    return sorted({*known, chosen}) if chosen else list(known)


PAGE = Page("events", "Events", "/events", layout, register)
