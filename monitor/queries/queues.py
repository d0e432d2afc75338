"""Queues: how deep each is now, and how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.clock import to_us
from monitor.model import QueueSample
from monitor.store.facts.protocol import FactReader


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue's samples in a stretch of time, oldest first; at least one."""

    environment: str
    source: str
    endpoint: str
    queue: str
    samples: Sequence[QueueSample]

    @property
    def latest(self) -> QueueSample:
        return self.samples[-1]


def lines(
    reader: FactReader,
    environment: str,
    start_at: datetime,
    end_at: datetime,
    *,
    source: str | None = None,
    endpoint: str | None = None,
) -> Sequence[QueueLine]:
    """Every queue sampled in [start_at, end_at), by source, endpoint and name."""
    by_queue: dict[tuple[str, str, str], list[QueueSample]] = {}
    for sample in reader.queue_samples(to_us(start_at), to_us(end_at)):
        if (
            sample.environment == environment
            and source in (None, sample.source)
            and endpoint in (None, sample.endpoint)
        ):
            by_queue.setdefault((sample.source, sample.endpoint, sample.queue), []).append(sample)
    return [QueueLine(environment, *place, samples) for place, samples in sorted(by_queue.items())]


def latest(reader: FactReader, environment: str, not_before_at: datetime) -> Sequence[QueueSample]:
    """The newest sample of each queue since the bound, by source, endpoint and name."""
    found = [
        sample
        for sample in reader.latest_queue_samples(to_us(not_before_at))
        if sample.environment == environment
    ]
    return sorted(found, key=lambda sample: (sample.source, sample.endpoint, sample.queue))
