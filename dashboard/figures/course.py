"""The three charts of a stretch of traffic, drawn over the same time. Pure."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from dashboard.figures.lines import error_rate, quantiles
from dashboard.figures.throughput import throughput
from dashboard.palette import Palette
from dashboard.views import Bucket


def course(
    buckets: Sequence[Bucket], end_at: datetime, palette: Palette, key: str, threshold: float | None = None
) -> tuple[go.Figure, go.Figure, go.Figure]:
    """Throughput, error rate, processing time; buckets oldest first, empty ones included.

    key: while it stays the same, a zoom survives a refresh. threshold: where the error rate's rule fires.
    """
    starts = [bucket.start_at for bucket in buckets]
    figures = [bucket.figures for bucket in buckets]
    named = {
        "p50": [f.p50_ms for f in figures],
        "p95": [f.p95_ms for f in figures],
        "p99": [f.p99_ms for f in figures],
    }
    return (
        throughput(starts, [f.outcomes for f in figures], end_at, palette, key),
        error_rate(starts, [f.error_rate for f in figures], end_at, palette, threshold=threshold, key=key),
        quantiles(starts, named, end_at, palette, key),
    )
