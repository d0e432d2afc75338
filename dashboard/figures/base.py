"""The look all charts share: transparent ground, quiet axes in UTC, one hover, "no data" in words. Pure."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from dashboard.format import NO_DATA
from dashboard.palette import Palette

FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def chart(
    traces: Sequence[go.Figure | object], palette: Palette, *, unit: str = "", key: str = ""
) -> go.Figure:
    """A figure over time. unit: suffix of the y ticks; key: while it stays, zoom survives a refresh."""
    figure = go.Figure(list(traces))
    figure.update_layout(
        template="none",
        margin={"l": 8, "r": 8, "t": 4, "b": 4},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": palette.muted},
        hovermode="x unified",
        hoverlabel={
            "bgcolor": palette.surface,
            "bordercolor": palette.line_strong,
            "font": {"family": FONT, "size": 12, "color": palette.text},
        },
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12, "color": palette.muted},
            "itemsizing": "constant",
            "traceorder": "normal",
            "itemwidth": 30,
        },
        showlegend=len(figure.data) > 1,
        dragmode="zoom",
        uirevision=key or "same",
        bargap=0.18,
    )
    figure.update_xaxes(
        type="date",
        gridcolor="rgba(0,0,0,0)",
        linecolor=palette.line,
        tickcolor=palette.line,
        ticks="outside",
        ticklen=4,
        zeroline=False,
        nticks=8,
        automargin=True,
        hoverformat="%Y-%m-%d %H:%M UTC",
        tickformatstops=[
            {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
            {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%b %-d"},
            {"dtickrange": [86_400_000, None], "value": "%b %-d"},
        ],
    )
    figure.update_yaxes(
        gridcolor=palette.line,
        zeroline=False,
        rangemode="tozero",
        ticksuffix=unit,
        nticks=5,
        automargin=True,
    )
    return figure


def spanning(figure: go.Figure, start_at: datetime, end_at: datetime) -> go.Figure:
    """The figure with its x axis over the whole range, so that a gap is seen as one."""
    figure.update_xaxes(range=[plain(start_at), plain(end_at)])
    return figure


def nothing(palette: Palette, words: str = NO_DATA) -> go.Figure:
    """A figure that says there is nothing to show."""
    figure = chart([], palette)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=words,
        showarrow=False,
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        font={"size": 13, "color": palette.muted},
    )
    return figure


def plain(at: datetime) -> str:
    """The time as the axis reads it: UTC without an offset, so that no browser shifts it."""
    return at.replace(tzinfo=None).isoformat()
