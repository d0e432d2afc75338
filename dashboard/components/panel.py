"""Boxes: a titled panel, a tile with one number, a notice across the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import attributes
from dashboard.components.text import Children, hint, icon
from dashboard.figures.sparkline import sparkline
from dashboard.palette import Tone


def panel(
    title: str,
    children: Children,
    *,
    about: str = "",
    side: Children | None = None,
    class_name: str = "",
    flush: bool = False,
) -> html.Section:
    """A titled box. about: what its figures mean; side: what stands right of the title; flush: no padding."""
    heading: list[Component | str] = [html.H2(title)]
    if about:
        heading.append(hint(about, title.lower()))
    return html.Section(
        [
            html.Div(
                [
                    html.Div(heading, className="panel-name"),
                    html.Div(side, className="panel-side") if side is not None else None,
                ],
                className="panel-head",
            ),
            html.Div(children, className="panel-body panel-flush" if flush else "panel-body"),
        ],
        className=f"panel {class_name}".strip(),
    )


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. trend: against the past; better: whether that is good (None: neither); href: its page.

    low: where the scale of the sparkline starts.
    """

    label: str
    value: str
    definition: str
    href: str
    trend: str = ""
    better: bool | None = None
    values: Sequence[float | None] = ()
    low: float = 0.0
    tone: Tone = Tone.NEUTRAL


def tile(shown: Tile) -> html.Div:
    """A tile; the whole of it is a link."""
    mask = sparkline(shown.values, shown.low)
    direction = "" if shown.better is None else " trend-better" if shown.better else " trend-worse"
    absent = " tile-absent" if shown.value == "no data" else ""
    return html.Div(
        [
            html.Div(
                [html.Span(shown.label), hint(shown.definition, shown.label)],
                className="tile-label",
            ),
            dmc.Anchor(
                shown.value,
                href=shown.href,
                className=f"tile-value tile-{shown.tone.value}{absent}",
                underline="never",
                **{"aria-label": f"{shown.label}: {shown.value}"},
            ),
            html.Div(shown.trend or " ", className=f"tile-trend{direction}"),
            html.Div(
                className="tile-spark",
                style={"maskImage": f'url("{mask}")', "WebkitMaskImage": f'url("{mask}")'} if mask else {},
                hidden=mask is None,
                **attributes(aria_hidden="true"),
            ),
        ],
        className="tile",
    )


def notice(tone: Tone, title: str, children: Children = "", action: Component | None = None) -> html.Div:
    """A line across the page that a person must not miss."""
    return html.Div(
        [
            icon({Tone.INFO: "info", Tone.OK: "check"}.get(tone, "warning")),
            html.Div(
                [html.Strong(title), html.Div(children, className="notice-text")], className="notice-body"
            ),
            action,
        ],
        className=f"notice notice-{tone.value}",
        role="alert" if tone in (Tone.CRITICAL, Tone.ERROR) else "status",
    )
