"""Small words on the page: icons, pills, hints, times, lists of facts. Text is always text, never markup."""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.palette import Tone

Children = Component | str | Sequence[Component | str]


def icon(name: str) -> html.Span:
    """A line icon of assets/icons, in the colour of the text around it."""
    return html.Span(className=f"icon icon-{name}", **attributes(aria_hidden="true"))


def pill(text: str, tone: Tone = Tone.NEUTRAL) -> html.Span:
    """A status in words, with its colour."""
    return html.Span([html.Span(className="pill-dot"), text], className=f"pill pill-{tone.value}")


def hint(text: str, about: str) -> dmc.Tooltip:
    """A question mark that explains `about` on hover, focus or touch."""
    return dmc.Tooltip(
        html.Button(
            icon("hint"), className="hint", type="button", **attributes(aria_label=f"What is {about}?")
        ),
        label=text,
        multiline=True,
        w=280,
        withArrow=True,
        events={"hover": True, "focus": True, "touch": True},
    )


def when(at: datetime | None, now: datetime) -> html.Time | html.Span:
    """`3 min ago`, with the exact time in UTC on hover."""
    if at is None:
        return html.Span(fmt.NONE, className="muted")
    return html.Time(fmt.ago(at, now), title=fmt.precise(at), dateTime=at.isoformat())


def lasting(since: datetime, now: datetime) -> html.Time:
    """`12 min`: how long it has gone on, with the time it began in UTC on hover."""
    began = fmt.precise(since)
    return html.Time(fmt.span(now - since), title=f"since {began}", dateTime=since.isoformat())


def mono(text: str) -> html.Span:
    """An identifier."""
    return html.Span(text, className="mono")


def facts(pairs: Sequence[tuple[str, Children]]) -> html.Dl:
    """Names and values, as a list that folds into one column on a phone."""
    items: list[Component] = []
    for name, value in pairs:
        items.append(html.Div([html.Dt(name), html.Dd(value)]))
    return html.Dl(items, className="facts")


def empty(title: str, text: Children = "", name: str = "empty") -> html.Div:
    """What stands where nothing is to be shown."""
    return html.Div(
        [
            icon(name),
            html.P(title, className="empty-title"),
            html.P(text, className="muted") if text else None,
        ],
        className="empty",
    )
