"""The facts as a Prometheus collector: scrapes close together share one read of the store."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.clock import Clock, to_us
from monitor.errors import Unavailable
from monitor.metrics.families import (
    PLACE,
    common_names,
    endpoint_counters,
    endpoint_durations,
    known,
    place_of,
)
from monitor.model import Duration, ProbeKind, ProbeResult, SeriesKey
from monitor.store.facts.protocol import FactReader, Parts

KEPT_S = 10.0
"""A scrape within this of the last one is answered from memory."""

SAMPLES_BACK = timedelta(hours=1)
CERTIFICATES_BACK = timedelta(days=3)

_TIMED = Parts((Duration.ACK, Duration.PROCESS), exemplars=False)


class FactMetrics(Collector):
    """A Prometheus collector over the facts. Where the store cannot be read it says just that."""

    def __init__(self, reader: FactReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._read_at: float | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        with self._lock:  # a slower, older read must not replace a newer one: counters would fall
            now = self._clock.monotonic()
            if self._read_at is None or now - self._read_at >= KEPT_S:
                try:
                    self._kept = list(self._read())
                except Unavailable:
                    self._kept = [_up(False)]
                self._read_at = now
            kept = self._kept
        yield from kept

    def _read(self) -> Iterator[Metric]:
        series = self._reader.series().values()
        types = [key for key in series if key.event_type is not None]
        endpoints = [key for key in series if key.endpoint is not None and key.event_type is None]
        sources = [key for key in series if key.source is not None and key.endpoint is None]
        ever = self._reader.ever([*types, *endpoints, *sources], _TIMED)
        yield _up(True)
        yield from common_names(known(types, ever), known(sources, ever))
        yield from endpoint_counters(known(endpoints, ever))
        yield from endpoint_durations(known(endpoints, ever))
        yield from self._samples()
        yield from self._probes()
        yield from self._store(endpoints)

    def _samples(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "hookvitals_queue_depth", "Events waiting, by the latest sample.", labels=(*PLACE, "queue")
        )
        age = GaugeMetricFamily(
            "hookvitals_queue_oldest_age_seconds",
            "Age of the oldest waiting event, by the latest sample.",
            labels=(*PLACE, "queue"),
        )
        back_to = to_us(self._clock.now() - SAMPLES_BACK)
        for sample in self._reader.latest_queue_samples(back_to):
            labels = (sample.environment, sample.source, sample.endpoint, sample.queue)
            depth.add_metric(labels, sample.depth)
            if sample.oldest_age_s is not None:
                age.add_metric(labels, sample.oldest_age_s)
        yield from (depth, age)

    def _probes(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "hookvitals_probe_up", "1 when the latest probe was ok.", labels=(*PLACE, "kind")
        )
        took = GaugeMetricFamily(
            "hookvitals_probe_duration_seconds", "How long the latest HTTP probe took.", labels=PLACE
        )
        expiry = GaugeMetricFamily(
            "hookvitals_certificate_expiry_timestamp_seconds",
            "When the endpoint's TLS certificate ends.",
            labels=PLACE,
        )
        for result in self._latest(ProbeKind.HTTP, SAMPLES_BACK):
            up.add_metric((*_probed(result), "http"), result.ok)
            if result.latency_ms is not None:
                took.add_metric(_probed(result), result.latency_ms / 1000)
        for result in self._latest(ProbeKind.TLS, CERTIFICATES_BACK):
            up.add_metric((*_probed(result), "tls"), result.ok)
            if result.cert_not_after is not None:
                expiry.add_metric(_probed(result), result.cert_not_after.timestamp())
        yield from (up, took, expiry)

    def _latest(self, kind: ProbeKind, back: timedelta) -> Iterable[ProbeResult]:
        now = self._clock.now()
        found: dict[tuple[str, str, str], ProbeResult] = {}
        for result in self._reader.probe_results(kind, to_us(now - back), to_us(now) + 1):
            found[_probed(result)] = result  # oldest first, so the newest stays
        return found.values()

    def _store(self, endpoints: Sequence[SeriesKey]) -> Iterator[Metric]:
        seen = GaugeMetricFamily(
            "hookvitals_last_record_timestamp_seconds",
            "The minute of the endpoint's newest record.",
            labels=PLACE,
        )
        for key, at_us in sorted(
            self._reader.last_seen(endpoints).items(), key=lambda pair: place_of(pair[0])
        ):
            seen.add_metric(place_of(key), at_us / 1e6)
        yield seen
        beat_us = self._reader.heartbeat_us()
        beat = GaugeMetricFamily(
            "hookvitals_collector_heartbeat_timestamp_seconds", "When a collector last stored a heartbeat."
        )
        if beat_us is not None:
            beat.add_metric((), beat_us / 1e6)
        yield beat
        yield GaugeMetricFamily(
            "hookvitals_facts_used_bytes", "Bytes in use by the facts store.", self._reader.used_bytes()
        )


def _up(readable: bool) -> Metric:
    return GaugeMetricFamily("hookvitals_facts_up", "1 when the facts store can be read.", int(readable))


def _probed(result: ProbeResult) -> tuple[str, str, str]:
    return result.environment, result.source, result.endpoint
