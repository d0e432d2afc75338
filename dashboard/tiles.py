"""Figures as tiles: the five that every stretch of traffic has, each against the stretch before it. Pure."""

from collections.abc import Callable, Sequence

from dashboard import format as fmt
from dashboard.components.panel import Tile
from dashboard.definitions import ACK_SUCCESS, DELIVERIES, ERROR_RATE, EVENT_SUCCESS, P95
from dashboard.palette import Tone
from dashboard.views import Bucket, Figures


def figure_tiles(
    now: Figures,
    before: Figures,
    buckets: Sequence[Bucket],
    *,
    records: str,
    failures: str,
    threshold: float | None,
) -> list[Tile]:
    """Deliveries, event success, error rate, ack success, p95. records, failures: where the tiles lead.

    threshold: the error rate above which the rule fires, 0..1; None when there is no such rule.
    """
    burning = threshold is not None and (now.error_rate or 0) > threshold
    return [
        Tile(
            "Deliveries",
            fmt.compact(now.deliveries),
            DELIVERIES,
            records,
            fmt.relative(now.deliveries, before.deliveries),
            values=_course(buckets, lambda f: f.deliveries),
        ),
        _rate(
            "Event success",
            (now.event_success, before.event_success),
            EVENT_SUCCESS,
            failures,
            _course(buckets, lambda f: f.event_success),
        ),
        _rate(
            "Attempt error rate",
            (now.error_rate, before.error_rate),
            ERROR_RATE,
            failures,
            _course(buckets, lambda f: f.error_rate),
            less_is_better=True,
            tone=Tone.ERROR if burning else Tone.NEUTRAL,
        ),
        _rate(
            "Ack success",
            (now.ack_success, before.ack_success),
            ACK_SUCCESS,
            records,
            _course(buckets, lambda f: f.ack_success),
        ),
        _latency(now.p95_ms, before.p95_ms, records, _course(buckets, lambda f: f.p95_ms)),
    ]


def _course(buckets: Sequence[Bucket], figure: Callable[[Figures], float | None]) -> list[float | None]:
    return [figure(bucket.figures) for bucket in buckets]


def _rate(
    label: str,
    now_and_before: tuple[float | None, float | None],
    definition: str,
    href: str,
    values: Sequence[float | None],
    *,
    less_is_better: bool = False,
    tone: Tone = Tone.NEUTRAL,
) -> Tile:
    now, before = now_and_before
    change = None if now is None or before is None else now - before
    trend = fmt.points(change)
    better = (change < 0) is less_is_better if trend and change is not None else None
    low = 0.0 if less_is_better else 0.9  # a success rate lives near 1
    return Tile(label, fmt.percent(now), definition, href, trend, better, values, low, tone)


def _latency(now: float | None, before: float | None, href: str, values: Sequence[float | None]) -> Tile:
    trend = fmt.relative(now, before)
    better = now < before if trend and now is not None and before is not None else None
    return Tile("p95 processing", fmt.millis(now), P95, href, trend, better, values)
