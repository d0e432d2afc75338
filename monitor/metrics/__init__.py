"""The facts as Prometheus metrics, read from the store: the same from any process, never falling.

Counters come from `ever`, which neither a restart nor a purge lowers. Labels are names that the store has
capped; no id, address or error text becomes a label. Besides ours there are the four names of a common
webhook guide. A process's own counts are not here.
"""

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from monitor.metrics.control import ControlCounts, control_metrics
from monitor.metrics.facts import FactMetrics

__all__ = ["ControlCounts", "FactMetrics", "control_metrics", "exposition"]


def exposition(accept: str, *collectors: Collector) -> tuple[bytes, str]:
    """(body, content type) of a scrape; accept: the request's Accept header, which picks the format."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
