"""The only place that makes a dcc.Graph: nothing leaves the browser, no logo, few buttons."""

from typing import Any, cast

import plotly.graph_objects as go
from dash import dcc, html

CONFIG: dict[str, Any] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "scrollZoom": False,
}


def graph(id: str, height_px: int = 240, figure: go.Figure | None = None) -> html.Div:
    """A chart of that height, which it has before it is drawn; empty until a callback gives it its figure."""
    chart = dcc.Graph(
        id=id,
        config=cast(Any, CONFIG),
        responsive=True,
        className="graph",
        style={"height": f"{height_px}px"},
        figure=figure
        or {
            "data": [],
            "layout": {
                "paper_bgcolor": "rgba(0,0,0,0)",
                "plot_bgcolor": "rgba(0,0,0,0)",
                "xaxis": {"visible": False},
                "yaxis": {"visible": False},
            },
        },
    )
    return html.Div(chart, style={"minHeight": f"{height_px}px"})
