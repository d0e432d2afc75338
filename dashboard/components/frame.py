"""What every page has: its heading, its scope, the tick that refreshes it, and how old its data is."""

from collections.abc import Sequence
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import attributes
from dashboard.components.text import Children
from dashboard.scope import Scope, to_store

TICK_MS = 10_000
SLOW_TICK_MS = 20_000
"""For pages that ask much; what is older than 25 s is called stale."""


def frame(
    page: str,
    title: str,
    scope: Scope,
    children: Sequence[Component],
    *,
    side: Children | None = None,
    lead: Children = "",
    stored: dict[str, object] | None = None,
    every_ms: int = TICK_MS,
) -> html.Div:
    """A page. Its ids: `<page>-scope` (Store), `<page>-tick` (Interval), `<page>-as-of` (age of its data).

    lead: a line under the title; side: what stands right of it; stored: what the Store holds besides;
    every_ms: how often it is refreshed.
    """
    return html.Div(
        [
            dcc.Store(id=f"{page}-scope", data={**to_store(scope), **(stored or {})}),
            dcc.Interval(id=f"{page}-tick", interval=every_ms),
            html.Span(id=f"{page}-as-of", hidden=True, className="as-of"),
            html.Div(
                [
                    html.Div([html.H1(title, id=f"{page}-title"), html.Div(lead, className="lead")]),
                    html.Div(side, className="page-side") if side is not None else None,
                ],
                className="page-head",
            ),
            *children,
        ],
        className="page",
        **attributes(data_page=page),
    )


def as_of(at: datetime) -> str:
    """What a page's callback gives `<page>-as-of`."""
    return at.isoformat()
