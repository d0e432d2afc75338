"""What only the control store knows, as gauges: dead letters, alerts, notifications that wait."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, Metric

from monitor.metrics.families import PLACE, place_of
from monitor.model import SeriesKey


@dataclass(frozen=True, slots=True)
class ControlCounts:
    """What only the control store knows: open dead letters per endpoint, firing alerts per severity, and
    notifications that wait."""

    open_letters: Mapping[SeriesKey, int] = field(default_factory=dict)
    firing: Mapping[str, int] = field(default_factory=dict)
    notifications_due: int = 0


def control_metrics(counts: ControlCounts) -> Iterator[Metric]:
    """Gauges of what control holds; whoever has a control store yields them from a collector of its own."""
    letters = GaugeMetricFamily(
        "hookvitals_dead_letters_open", "Dead letters that nobody resolved.", labels=PLACE
    )
    for key, n in sorted(counts.open_letters.items(), key=lambda pair: place_of(pair[0])):
        letters.add_metric(place_of(key), n)
    firing = GaugeMetricFamily("hookvitals_alerts_firing", "Alerts firing now.", labels=("severity",))
    for severity, n in sorted(counts.firing.items()):
        firing.add_metric((severity,), n)
    yield from (letters, firing)
    yield GaugeMetricFamily(
        "hookvitals_notifications_due", "Notifications not delivered yet.", counts.notifications_due
    )
