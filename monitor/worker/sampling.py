"""Asking brokers how many messages wait, each queue at its interval, and telling the collector.

Samples go in like any other client's. A queue that cannot be asked has no sample, and the rule says so.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from alerts.errors import RequestFailed
from monitor.clock import Clock
from monitor.model import QueueSample
from monitor.probes.queues.target import QueueTarget

THREADS = 8
SLACK_S = 0.5


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Which queues, and how often."""

    queues: Sequence[QueueTarget]
    interval: timedelta
    timeout: timedelta


class Sample(Protocol):
    """Asks after one queue. Raises RequestFailed."""

    def __call__(self, target: QueueTarget, timeout_s: float) -> QueueSample: ...


@dataclass(slots=True)
class Sampling:
    """The job."""

    plan: Callable[[], SamplingPlan]
    sample: Sample
    report: Callable[[Sequence[QueueSample]], None]
    clock: Clock
    _last_s: dict[QueueTarget, float] = field(default_factory=dict)

    def run(self, epoch: int) -> str:
        """Takes the samples that are due and reports them; says which queues could not be asked."""
        plan, now_s = self.plan(), self.clock.monotonic()
        every_s, timeout_s = plan.interval.total_seconds() - SLACK_S, plan.timeout.total_seconds()
        due = [one for one in plan.queues if now_s - self._last_s.get(one, now_s - every_s) >= every_s]
        if not due:
            return ""
        with ThreadPoolExecutor(min(THREADS, len(due))) as pool:
            found = list(pool.map(lambda one: self._one(one, timeout_s), due))
        samples = [one for one in found if isinstance(one, QueueSample)]
        if samples:
            self.report(samples)
        self._last_s = {one: at for one, at in self._last_s.items() if one in plan.queues}
        self._last_s.update(dict.fromkeys(due, now_s))
        unasked = [one for one in found if isinstance(one, str)]
        return f"{len(unasked)} of {len(due)} queues not asked: {'; '.join(unasked)}" if unasked else ""

    def _one(self, target: QueueTarget, timeout_s: float) -> QueueSample | str:
        try:
            return self.sample(target, timeout_s)
        except RequestFailed as exc:
            return f"{target.source}/{target.endpoint} {target.name}: {exc}"
