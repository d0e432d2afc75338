"""Lines over time: error rate, quantiles, queue depth. A bucket without data is a gap, never a zero. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import plotly.graph_objects as go

from dashboard.figures.base import chart, nothing, plain, spanning
from dashboard.format import millis, percent
from dashboard.palette import Palette


def error_rate(
    starts: Sequence[datetime],
    rates: Sequence[float | None],
    until: datetime,
    palette: Palette,
    *,
    threshold: float | None = None,
    key: str = "",
) -> go.Figure:
    """The attempt error rate per bucket, in percent; threshold: where the rule fires, as a dashed line."""
    if not any(rate is not None for rate in rates):
        return nothing(palette)
    line = go.Scatter(
        x=[plain(at) for at in starts],
        y=[None if rate is None else rate * 100 for rate in rates],
        customdata=[percent(rate) for rate in rates],
        name="error rate",
        mode="lines+markers",
        line={"color": palette.vermilion, "width": 2},
        marker={"size": 4},
        fill="tozeroy",
        fillcolor=faint(palette.vermilion),
        hovertemplate="%{customdata}<extra>error rate</extra>",
    )
    figure = chart([line], palette, unit=" %", key=key)
    if threshold is not None:
        figure.add_hline(y=threshold * 100, line={"color": palette.muted, "width": 1, "dash": "dash"})
    return spanning(figure, starts[0], until)


def quantiles(
    starts: Sequence[datetime],
    named: Mapping[str, Sequence[float | None]],
    until: datetime,
    palette: Palette,
    key: str = "",
) -> go.Figure:
    """One line a name (p50, p95, p99), in milliseconds, from the calmest colour to the loudest."""
    if not any(value is not None for values in named.values() for value in values):
        return nothing(palette)
    colours = (palette.sky, palette.blue, palette.purple)
    lines = [
        go.Scatter(
            x=[plain(at) for at in starts],
            y=list(values),
            customdata=[millis(value) for value in values],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 4},
            hovertemplate="%{customdata}<extra>" + name + "</extra>",
        )
        for (name, values), colour in zip(named.items(), colours, strict=False)
    ]
    return spanning(chart(lines, palette, unit=" ms", key=key), starts[0], until)


def depth(
    lines: Mapping[str, Sequence[tuple[datetime, int]]],
    since: datetime,
    until: datetime,
    palette: Palette,
    key: str = "",
) -> go.Figure:
    """Queue depth, a stepped line a queue; samples oldest first."""
    if not any(lines.values()):
        return nothing(palette)
    colours = (palette.blue, palette.orange, palette.green, palette.purple, palette.sky, palette.grey)
    steps = [
        go.Scatter(
            x=[plain(at) for at, _ in samples],
            y=[value for _, value in samples],
            name=name,
            mode="lines",
            line={"color": colours[i % len(colours)], "width": 2, "shape": "hv"},
            hovertemplate="%{y:,}<extra>%{fullData.name}</extra>",
        )
        for i, (name, samples) in enumerate(lines.items())
    ]
    return spanning(chart(steps, palette, key=key), since, until)


def faint(colour: str) -> str:
    """A hex colour at an eighth of its strength, for the area under a line."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.13)"
