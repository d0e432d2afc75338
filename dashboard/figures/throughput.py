"""Records per bucket, stacked by outcome. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import plotly.graph_objects as go

from dashboard.figures.base import chart, nothing, plain, spanning
from dashboard.format import words
from dashboard.palette import Palette, outcome_colour
from monitor.model import OUTCOMES, Outcome


def throughput(
    starts: Sequence[datetime],
    outcomes: Sequence[Mapping[Outcome, int]],
    until: datetime,
    palette: Palette,
    key: str = "",
) -> go.Figure:
    """Stacked bars; starts and outcomes run in parallel, oldest first, one item a bucket of equal width."""
    present = [outcome for outcome in OUTCOMES if any(found.get(outcome) for found in outcomes)]
    if not present:
        return nothing(palette)
    x = [plain(at) for at in starts]
    step_ms = (until - starts[0]).total_seconds() * 1000 / len(starts)
    bars = [
        go.Bar(
            x=x,
            y=[found.get(outcome, 0) for found in outcomes],
            name=words(outcome.value),
            width=step_ms * 0.84,  # a bar stands in its bucket, not around its start
            offset=step_ms * 0.08,
            marker={"color": outcome_colour(palette, outcome), "line": {"width": 0}},
            hovertemplate="%{y:,}<extra>" + words(outcome.value) + "</extra>",
        )
        for outcome in present
    ]
    figure = chart(bars, palette, key=key)
    figure.update_layout(barmode="stack")
    return spanning(figure, starts[0], until)
