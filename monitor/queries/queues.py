"""Queues: how deep each is now, and how that went."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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


def thinned(line: QueueLine, start_at: datetime, end_at: datetime, most: int) -> QueueLine:
    """At most `most` of the samples: the deepest of each equal part of [start_at, end_at), and the latest.

    A line that is short enough stays as it is. most: at least 2.
    """
    if len(line.samples) <= most:
        return line
    width = (end_at - start_at) / (most - 1)
    deepest: dict[int, QueueSample] = {}
    for sample in line.samples[:-1]:
        part = min((sample.sampled_at - start_at) // max(width, timedelta(microseconds=1)), most - 2)
        if part not in deepest or sample.depth > deepest[part].depth:
            deepest[part] = sample
    return replace(line, samples=[*deepest.values(), line.latest])


def latest(reader: FactReader, environment: str, not_before_at: datetime) -> Sequence[QueueSample]:
    """The newest sample of each queue since the bound, by source, endpoint and name."""
    found = [
        sample
        for sample in reader.latest_queue_samples(to_us(not_before_at))
        if sample.environment == environment
    ]
    return sorted(found, key=lambda sample: (sample.source, sample.endpoint, sample.queue))
