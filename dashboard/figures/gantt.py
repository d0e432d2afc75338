"""One event's records as bars along the time since it was first received. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.figures.base import chart, nothing
from dashboard.format import millis
from dashboard.palette import Palette

PHASES = ("verify", "acknowledge", "wait", "process", "other")


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of one record: `row` names its line, times are milliseconds from the start."""

    row: str
    phase: str
    start_ms: float
    length_ms: float


def gantt(bars: Sequence[Bar], rows: Sequence[str], palette: Palette) -> go.Figure:
    """Bars by phase, one line a row, first row on top."""
    if not bars:
        return nothing(palette, "no durations were reported")
    colours = dict(
        zip(
            PHASES,
            (palette.purple, palette.green, palette.grey_light, palette.blue, palette.grey),
            strict=True,
        )
    )
    traces = []
    for phase in PHASES:
        chosen = [bar for bar in bars if bar.phase == phase]
        if chosen:
            traces.append(
                go.Bar(
                    y=[bar.row for bar in chosen],
                    x=[bar.length_ms for bar in chosen],
                    base=[bar.start_ms for bar in chosen],
                    customdata=[[millis(bar.length_ms), millis(bar.start_ms)] for bar in chosen],
                    orientation="h",
                    name=phase,
                    marker={"color": colours[phase], "line": {"width": 0}},
                    hovertemplate="%{customdata[0]}, from %{customdata[1]}<extra>" + phase + "</extra>",
                )
            )
    figure = chart(traces, palette)
    figure.update_layout(barmode="overlay", hovermode="closest", bargap=0.45, showlegend=True)
    figure.update_xaxes(
        type="linear",
        ticksuffix=" ms",
        gridcolor=palette.line,
        rangemode="tozero",
        tickformatstops=[],
        tickformat=",",
        nticks=5,
        tickangle=0,
    )
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(reversed(rows)),
        gridcolor="rgba(0,0,0,0)",
        ticksuffix="  ",
        nticks=len(rows) + 1,
    )
    return figure
