"""Traffic on the screens: the overview, one endpoint, what the filters offer; from rollups and samples."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from dashboard.data.catalog import Catalog
from dashboard.scope import Scope
from dashboard.views import (
    Bucket,
    Choices,
    EndpointLine,
    EndpointView,
    Figures,
    OverviewView,
    ProbedCell,
    TypeFigures,
)
from monitor.model import Grain, ProbeResult, QueueSample, SeriesKey
from monitor.queries import overview as overview_query
from monitor.queries import probes, queues, stats, summary
from monitor.queries.probes import Standing
from monitor.queries.stretch import counted
from monitor.queries.summary import Summary
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader

POINTS = 60
STRIPS = {"24h": (timedelta(minutes=30), 48), "30d": (timedelta(days=1), 30)}
"""How the probes are shown: the length of a cell, and how many."""
_MINUTE = timedelta(minutes=1)
_QUEUE_FRESH = timedelta(minutes=15)
_COURSE_MAX = timedelta(hours=24)  # queue samples are not rolled up: longer courses would read too many
_PROBES_BACK = timedelta(minutes=150)  # certificates are looked at hourly, as a rule


def overview(
    reader: FactReader,
    catalog: Catalog,
    scope: Scope,
    now: datetime,
    firing: Mapping[SeriesKey, int],
    letters: Mapping[SeriesKey, int],
) -> OverviewView:
    """The overview. firing, letters: how many alerts fire at, and letters are open at, each endpoint.

    Counts alerts of no endpoint under a SeriesKey of the environment alone.
    """
    start_at, end_at = bounds(scope, now)
    found = overview_query.overview(
        reader,
        scope.environment,
        start_at,
        end_at,
        registered=catalog.registered(scope.environment),
        expected=catalog.expected(),
        most_points=POINTS,
    )
    latest = queues.latest(reader, scope.environment, now - _QUEUE_FRESH)
    standing = probes.standings(reader, scope.environment, now - _PROBES_BACK, now + _MINUTE)
    buckets = [Bucket(at, figures_of(point)) for at, point in found.chart.points]
    total = figures_of(found.now, ack=found.ack_success.share)
    return OverviewView(
        found.start_at,
        found.end_at,
        total,
        figures_of(found.before),
        buckets,
        [
            _line(row.key, row.now, row.last_record_at, latest, standing.get(row.key), firing, letters)
            for row in found.endpoints
        ],
        sum(sample.depth for sample in latest) if latest else None,
        _depth_course(reader, scope, start_at, end_at, buckets, found.chart.step),
        sum(letters.values()),
        sum(firing.values()),
        catalog.error_threshold(scope.environment),
        _coarser(found.rounded_to, found.chart.rounded_to),
    )


def endpoint(
    reader: FactReader,
    catalog: Catalog,
    scope: Scope,
    source: str,
    name: str,
    now: datetime,
    firing: Mapping[SeriesKey, int],
    letters: Mapping[SeriesKey, int],
) -> EndpointView | None:
    """One endpoint; None when neither a record nor the configuration knows it."""
    key = SeriesKey(scope.environment, source, name)
    if key not in overview_query.endpoint_keys(
        reader, scope.environment, catalog.registered(scope.environment)
    ):
        return None
    start_at, end_at = bounds(scope, now)
    good = catalog.expected().get(source, ())
    stretch, totals = counted(
        reader, start_at, end_at, now, lambda start_us, end_us: reader.total([key], start_us, end_us)
    )
    _, earlier = counted(
        reader,
        stretch.start_at - scope.length,
        stretch.start_at,
        now,
        lambda start_us, end_us: reader.total([key], start_us, end_us),
    )
    total = totals.get(key, Rollup())
    course = summary.chart(reader, key, start_at, end_at, POINTS, good)
    latest = queues.latest(reader, scope.environment, now - _QUEUE_FRESH)
    standing = probes.standings(reader, scope.environment, now - _PROBES_BACK, now + _MINUTE).get(key)
    shown = Summary(total, good)
    return EndpointView(
        stretch.start_at,
        stretch.end_at,
        _line(key, shown, None, latest, standing, firing, letters),
        figures_of(Summary(earlier.get(key, Rollup()), good)),
        [Bucket(at, figures_of(point)) for at, point in course.points],
        _types(reader, scope, source, name, end_at),
        summary.top_errors(reader, total),
        sorted(total.reasons().items(), key=lambda pair: (-pair[1], pair[0])),
        sorted(total.statuses().items()),
        {
            line.queue: [(sample.sampled_at, sample.depth) for sample in line.samples]
            for line in _queue_lines(reader, scope, start_at, end_at, source, name)
        },
        _coarser(stretch.rounded_to, course.rounded_to),
        [(span, rate.share, rate.whole) for span, rate in probes.uptime(reader, key, now).items()],
        strips={
            name: [
                ProbedCell(at, rate.part, rate.whole)
                for at, rate in probes.course(reader, key, now, step, steps)
            ]
            for name, (step, steps) in STRIPS.items()
        },
    )


def choices(reader: FactReader, environment: str) -> Choices:
    """Every name the filters offer, sorted."""
    keys = reader.series(environment).values()
    whole = SeriesKey(environment)
    ever = reader.ever([whole]).get(whole, Rollup())
    return Choices(
        sorted({key.source for key in keys if key.source}),
        sorted({key.endpoint for key in keys if key.endpoint}),
        sorted({key.event_type for key in keys if key.event_type}),
        sorted({name for name, _ in summary.top_errors(reader, ever, most=1000)}),
    )


def _coarser(one: Grain | None, other: Grain | None) -> Grain | None:
    return max((grain for grain in (one, other) if grain is not None), default=None)


def bounds(scope: Scope, now: datetime) -> tuple[datetime, datetime]:
    """The range that ends with the minute that is running: what has just happened is on the screen."""
    end_at = now.replace(second=0, microsecond=0) + _MINUTE
    return end_at - scope.length, end_at


def figures_of(found: Summary, ack: float | None = None) -> Figures:
    """The screen's figures. ack: the ack success where sources with answers of their own are summed."""
    p50_ms, p95_ms, p99_ms = found.process_ms.quantiles(0.5, 0.95, 0.99)
    return Figures(
        found.records,
        found.deliveries,
        found.outcomes,
        found.event_success.share,
        found.error_rate.share,
        found.ack_success.share if ack is None else ack,
        p50_ms,
        p95_ms,
        p99_ms,
    )


def _line(
    key: SeriesKey,
    found: Summary,
    last_record_at: datetime | None,
    latest: Sequence[QueueSample],
    standing: Standing | None,
    firing: Mapping[SeriesKey, int],
    letters: Mapping[SeriesKey, int],
) -> EndpointLine:
    own = [sample for sample in latest if (sample.source, sample.endpoint) == (key.source, key.endpoint)]
    ages = [sample.oldest_age_s for sample in own if sample.oldest_age_s is not None]
    probe: ProbeResult | None = standing.http[-1] if standing and standing.http else None
    return EndpointLine(
        key.source or "",
        key.endpoint or "",
        figures_of(found),
        sum(sample.depth for sample in own) if own else None,
        max(ages, default=None),
        None if probe is None else probe.ok,
        probe.error if probe else None,
        standing.cert_not_after if standing else None,
        letters.get(key, 0),
        firing.get(key, 0),
        last_record_at,
    )


def _types(
    reader: FactReader, scope: Scope, source: str, name: str, end_at: datetime
) -> list[tuple[str, TypeFigures]]:
    found = stats.by_type(reader, scope.environment, end_at, over=scope.length, source=source, endpoint=name)
    return [
        (
            one.event_type,
            TypeFigures(
                one.total,
                one.succeeded,
                one.failed,
                one.avg_ms,
                one.min_ms,
                one.max_ms,
                one.p50_ms,
                one.p95_ms,
                one.p99_ms,
            ),
        )
        for one in found
    ]


def _queue_lines(
    reader: FactReader,
    scope: Scope,
    start_at: datetime,
    end_at: datetime,
    source: str | None = None,
    name: str | None = None,
) -> Sequence[queues.QueueLine]:
    since = max(start_at, end_at - _COURSE_MAX)
    return queues.lines(reader, scope.environment, since, end_at, source=source, endpoint=name)


def _depth_course(
    reader: FactReader,
    scope: Scope,
    start_at: datetime,
    end_at: datetime,
    buckets: Sequence[Bucket],
    step: timedelta,
) -> list[float | None]:
    """The summed depth of all queues at the end of each bucket; None before the first sample of any."""
    if scope.length > _COURSE_MAX:
        return []
    lines = _queue_lines(reader, scope, start_at, end_at)
    return [depth_at(lines, bucket.start_at + step) for bucket in buckets]


def depth_at(lines: Sequence[queues.QueueLine], at: datetime) -> float | None:
    """What all queues held together just before `at`, by the last sample of each; None without any."""
    held = []
    for line in lines:
        before = [sample.depth for sample in line.samples if sample.sampled_at < at]
        if before:
            held.append(before[-1])
    return float(sum(held)) if held else None
