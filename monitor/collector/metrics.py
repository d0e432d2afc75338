"""The collector's own /metrics: what its processes counted, and the state of its store.

Business figures (success rates, backlogs) are not here: they are read from the store, by another process.
"""

import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from monitor.collector.counters import REJECTION_CODES, ROUTES, SECONDS, STATUSES, totals
from monitor.collector.front import Front
from monitor.errors import Unavailable

_PREFIX = "hookvitals_collector_"
_PLAIN = {
    "body_bytes": ("body_bytes", "Bytes of bodies taken, after decompression.", 1),
    "unknown_fields": ("unknown_fields", "Unknown fields in the first record of a request.", 1),
    "bare_rejections": ("bare_rejections", "Rejections over their bound a minute, stored without texts.", 1),
    "commits": ("commits", "Transactions that stored records.", 1),
    "commit_us": ("commit_seconds", "Time spent storing records.", 1e6),
    "folded_records": ("folded_records", "Records taken into the rollups.", 1),
    "fold_us": ("fold_seconds", "Time spent folding.", 1e6),
    "store_errors": ("store_errors", "Writes that the facts store refused.", 1),
    "turned_away": ("turned_away", "Requests told to come again, as more came in than can be stored.", 1),
}
"""Name of a count → name, help and divisor of its metric."""


def routes(front: Front) -> Blueprint:
    """/metrics over this front."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(OwnMetrics(front))

    @blueprint.get("/metrics")
    def metrics() -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), 200, content_type=content_type)

    return blueprint


class OwnMetrics(Collector):
    """All processes of this collector, summed."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        counts = totals(self._front.settings.counters_dir)
        requests = CounterMetricFamily(
            f"{_PREFIX}requests", "Ingest requests by route and status.", labels=["route", "status"]
        )
        for route in ROUTES:
            for status in STATUSES:
                requests.add_metric([route, str(status)], counts["requests", f"{route} {status}"])
        yield requests
        yield _labelled(
            counts, "records", "result", ("accepted", "duplicate", "rejected"), "Records by result."
        )
        yield _labelled(counts, "rejected", "code", REJECTION_CODES, "Records rejected, by code.")
        yield _labelled(
            counts,
            "capped_names",
            "kind",
            ("event_type", "error_class"),
            "Names over their cap, as they came.",
        )
        yield _durations(counts)
        for name, (metric, words, divisor) in _PLAIN.items():
            yield CounterMetricFamily(_PREFIX + metric, words, value=counts[name, ""] / divisor)
        yield from self._state()

    def _state(self) -> Iterator[Metric]:
        try:
            pong = self._front.writer.ping()
        except Unavailable:
            pong = {}
        up = bool(pong) and not pong["failing"]
        yield GaugeMetricFamily(f"{_PREFIX}writer_up", "1 when the facts store takes records.", value=int(up))
        if pong:
            used = pong["used_bytes"]
            yield GaugeMetricFamily(
                f"{_PREFIX}store_used_bytes", "Used pages of the facts store.", value=used
            )
            floor_s = pong["floor_us"] / 1e6
            yield GaugeMetricFamily(
                f"{_PREFIX}store_floor_timestamp_seconds", "Records before this are purged.", value=floor_s
            )
        free = shutil.disk_usage(self._front.settings.data_dir).free
        yield GaugeMetricFamily(f"{_PREFIX}disk_free_bytes", "Free on the disk of the data.", value=free)
        info = GaugeMetricFamily(f"{_PREFIX}build_info", "The version that runs.", labels=["version"])
        info.add_metric([version("hookvitals-server")], 1)
        yield info


def _labelled(
    counts: dict[tuple[str, str], int], name: str, label: str, values: Iterable[str], words: str
) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, words, labels=[label])
    for value in values:
        family.add_metric([value], counts[name, value])
    return family


def _durations(counts: dict[tuple[str, str], int]) -> Metric:
    family = HistogramMetricFamily(f"{_PREFIX}request_duration_seconds", "Ingest requests, start to answer.")
    seen = 0
    buckets = []
    for bound in (*map(str, SECONDS), "+Inf"):
        seen += counts["request_bucket", bound]
        buckets.append((bound, float(seen)))
    family.add_metric([], buckets, counts["request_us", ""] / 1e6)
    return family
