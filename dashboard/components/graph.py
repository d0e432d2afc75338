"""The only place that makes a dcc.Graph: nothing leaves the browser, no logo, few buttons."""

from typing import Any, cast

from dash import dcc

CONFIG: dict[str, Any] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "scrollZoom": False,
}


def graph(id: str, height_px: int = 240) -> dcc.Graph:
    """An empty chart of that height; a callback gives it its figure."""
    return dcc.Graph(
        id=id,
        config=cast(Any, CONFIG),
        responsive=True,
        className="graph",
        style={"height": f"{height_px}px"},
        figure={
            "data": [],
            "layout": {
                "paper_bgcolor": "rgba(0,0,0,0)",
                "plot_bgcolor": "rgba(0,0,0,0)",
                "xaxis": {"visible": False},
                "yaxis": {"visible": False},
            },
        },
    )
