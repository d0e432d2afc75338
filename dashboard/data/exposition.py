"""The business metrics that only control knows, as a Prometheus collector beside that of the facts."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from alerts.model import Delivery, State
from monitor.dead_letters import LetterState
from monitor.errors import Unavailable
from monitor.metrics import ControlCounts, control_metrics
from monitor.model import SeriesKey
from monitor.store.control import Control


class ControlMetrics(Collector):
    """Counts open letters, firing alerts and waiting notifications at each scrape; yields nothing without a
    store that answers."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            counts = self._counts()
        except Unavailable:
            return
        yield from control_metrics(counts)

    def _counts(self) -> ControlCounts:
        environments = sorted({one.environment for one in self._control.catalog.endpoints()})
        letters = {
            SeriesKey(environment, source, name): n
            for environment in environments
            for (source, name), n in self._control.letters.by_endpoint(
                environment, (LetterState.OPEN, LetterState.PERMANENT)
            ).items()
        }
        firing: dict[str, int] = {}
        for alert in self._control.alerts.active():
            if alert.state is State.FIRING:
                firing[alert.severity.value] = firing.get(alert.severity.value, 0) + 1
        return ControlCounts(letters, firing, self._control.notifications.counts().get(Delivery.DUE, 0))
