"""Rollups as metric families: counters and histograms per endpoint, source and type. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from monitor import figures
from monitor.histogram import OFFSET, Distribution
from monitor.model import Duration, Outcome, SeriesKey
from monitor.rollup import Rollup

POWERS = range(-10, 8)
"""Histograms' upper bounds are 2**power s, 1 ms to 128 s: every sixteenth bin, so each count is exact."""

PLACE = ("environment", "source", "endpoint")
TYPE = ("environment", "source", "event_type")


def known(keys: Sequence[SeriesKey], ever: Mapping[SeriesKey, Rollup]) -> list[tuple[SeriesKey, Rollup]]:
    """Those that have a rollup, in the order of their names."""
    known = [(key, ever[key]) for key in keys if key in ever]
    return sorted(known, key=lambda pair: (*place_of(pair[0]), pair[0].event_type or ""))


def common_names(
    types: Sequence[tuple[SeriesKey, Rollup]], sources: Sequence[tuple[SeriesKey, Rollup]]
) -> Iterator[Metric]:
    counts: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for key, rollup in types:
        labels = (key.environment, key.source or "", key.event_type or "")
        received, processed, failed = counts.get(labels, (0, 0, 0))
        counts[labels] = (
            received + figures.deliveries(rollup),
            processed + rollup.outcome(Outcome.SUCCEEDED),
            failed + figures.failures(rollup),
        )
    for place, (name, told) in enumerate(
        (
            ("webhooks_received", "Deliveries that were answered, whatever the answer."),
            ("webhooks_processed", "Attempts that succeeded."),
            ("webhooks_failed", "Attempts that failed, for now or for good."),
        )
    ):
        family = CounterMetricFamily(name, told, labels=TYPE)
        for labels, numbers in counts.items():
            family.add_metric(labels, numbers[place])
        yield family
    took = HistogramMetricFamily(
        "webhook_processing_seconds", "How long attempts took.", labels=("environment", "source")
    )
    for key, rollup in sources:
        _add(took, (key.environment, key.source or ""), rollup.distribution(Duration.PROCESS))
    yield took


def endpoint_counters(endpoints: Sequence[tuple[SeriesKey, Rollup]]) -> Iterator[Metric]:
    records = CounterMetricFamily(
        "hookvitals_records", "Records by outcome, replays and canaries apart.", labels=(*PLACE, "outcome")
    )
    replayed = CounterMetricFamily(
        "hookvitals_replayed_records", "Records of replays by outcome.", labels=(*PLACE, "outcome")
    )
    deliveries = CounterMetricFamily(
        "hookvitals_deliveries",
        "Answered requests by class of answer, replays and canaries apart.",
        labels=(*PLACE, "status_class"),
    )
    rejections = CounterMetricFamily(
        "hookvitals_rejections", "Refused requests by reason.", labels=(*PLACE, "reason")
    )
    for key, rollup in endpoints:
        at = place_of(key)
        for outcome in Outcome:  # zeros too: a counter that appears with its first event hides that event
            records.add_metric((*at, outcome.value), rollup.outcome(outcome))
        for outcome, n in figures.outcomes(rollup, figures.REPLAYS).items():
            replayed.add_metric((*at, outcome.value), n)
        for name, n in figures.status_classes(rollup).items():
            deliveries.add_metric((*at, name), n)
        for reason, n in rollup.reasons().items():
            rejections.add_metric((*at, reason.value), n)
    yield from (records, replayed, deliveries, rejections)


def endpoint_durations(endpoints: Sequence[tuple[SeriesKey, Rollup]]) -> Iterator[Metric]:
    for name, told, kind in (
        ("hookvitals_processing_seconds", "How long attempts took.", Duration.PROCESS),
        ("hookvitals_ack_seconds", "From receipt to answer.", Duration.ACK),
    ):
        family = HistogramMetricFamily(name, told, labels=PLACE)
        for key, rollup in endpoints:
            _add(family, place_of(key), rollup.distribution(kind))
        yield family


def _add(family: HistogramMetricFamily, labels: Sequence[str], found: Distribution) -> None:
    buckets = [
        (repr(2.0**power), sum(n for number, n in found.bins.items() if number <= OFFSET + 16 * power))
        for power in POWERS
    ]
    family.add_metric(labels, [*buckets, ("+Inf", found.count)], found.sum_us / 1e6)


def place_of(key: SeriesKey) -> tuple[str, str, str]:
    return key.environment, key.source or "", key.endpoint or ""
