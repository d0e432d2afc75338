"""What the rules look at: alerts' Observations over the facts, as of one moment.

One object serves one evaluation and keeps what it has read, so all rules see the same. It judges nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from alerts.model import (
    ErrorCount,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Rule,
    Target,
    Window,
)
from alerts.patterns import matches
from monitor import figures, model
from monitor.clock import EPOCH, from_us, to_us
from monitor.model import Duration, Outcome, SeriesKey
from monitor.queries.summary import top_errors
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader

MINUTE = timedelta(minutes=1)
QUEUES_BACK = timedelta(hours=1)
PROBES_BACK = {ProbeKind.HTTP: timedelta(hours=1), ProbeKind.TLS: timedelta(days=3)}
"""How far back the latest samples and results are looked for; how old is too old is the rule's decision."""


class StoredObservations:
    """Observations as of `now`. registered: endpoints that count as known even when no record names them."""

    def __init__(self, reader: FactReader, now: datetime, registered: Iterable[SeriesKey] = ()) -> None:
        self._reader = reader
        self._now = now
        self._series = {*reader.series().values(), *registered}
        self._totals: dict[tuple[datetime, datetime], dict[SeriesKey, Rollup]] = {}
        self._samples: Sequence[model.QueueSample] | None = None
        self._results: dict[ProbeKind, dict[SeriesKey, list[ProbeResult]]] = {}

    def last_heartbeat_at(self) -> datetime | None:
        beat = self._reader.heartbeat_us()
        return None if beat is None else from_us(beat)

    def targets(self, rule: Rule) -> Sequence[Target]:
        typed = rule.event_type != "*"
        found = [
            Target(key.environment, key.source, key.endpoint, key.event_type)
            for key in self._series
            if key.endpoint is not None
            and (key.event_type is not None) is typed
            and matches(rule.environment, key.environment)
            and matches(rule.source, key.source or "")
            and matches(rule.endpoint, key.endpoint)
            and (not typed or matches(rule.event_type, key.event_type or ""))
        ]
        return sorted(found, key=lambda target: tuple(target.labels().items()))

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        """Counts are kept by the minute, and the minutes of both ends are in it: a window never looks back
        less than it says, or one of a minute would be empty whenever a minute begins."""
        rollup = self._total(target, start_at, end_at)
        return Window(
            target,
            start_at,
            end_at,
            rollup.outcome(Outcome.SUCCEEDED),
            rollup.outcome(Outcome.FAILED),
            rollup.outcome(Outcome.DEAD_LETTERED),
            figures.deliveries(rollup),
            {reason.value: n for reason, n in figures.verification_reasons(rollup).items()},
            figures.status_classes(rollup),
            rollup.distribution(Duration.PROCESS),
            rollup.distribution(Duration.ACK),
            [ErrorCount(name, n) for name, n in top_errors(self._reader, rollup)],
            _texts(sorted(rollup.exemplars.failures.values(), reverse=True)),
            _texts([rollup.exemplars.slowest[1]] if rollup.exemplars.slowest else []),
        )

    def queues(self, target: Target) -> Sequence[QueueSample]:
        if self._samples is None:
            self._samples = self._reader.latest_queue_samples(to_us(self._now - QUEUES_BACK))
        return [
            QueueSample(sample.queue, sample.depth, sample.oldest_age_s, sample.sampled_at)
            for sample in self._samples
            if sample.environment == target.environment
            and target.source in (None, sample.source)
            and target.endpoint in (None, sample.endpoint)
        ]

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        if kind not in self._results:
            self._results[kind] = self._read_probes(kind)
        key = SeriesKey(target.environment, target.source, target.endpoint)
        return self._results[kind].get(key, [])

    def _total(self, target: Target, start_at: datetime, end_at: datetime) -> Rollup:
        """All endpoints of a window are read at once: rules ask for each in turn."""
        start_at -= (start_at - EPOCH) % MINUTE
        key = SeriesKey(target.environment, target.source, target.endpoint, target.event_type)
        typed = key.event_type is not None
        read = self._totals.setdefault((start_at, end_at), {})
        if key not in read:
            alike = [k for k in self._series if k.endpoint and (k.event_type is not None) is typed]
            found = self._reader.total([key, *alike], to_us(start_at), to_us(end_at))
            read.update({one: found.get(one, Rollup()) for one in (key, *alike)})
        return read[key]

    def _read_probes(self, kind: ProbeKind) -> dict[SeriesKey, list[ProbeResult]]:
        """Newest first, each with the failures in a row up to it."""
        start_us = to_us(self._now - PROBES_BACK[kind])
        found: dict[SeriesKey, list[ProbeResult]] = {}
        for result in self._reader.probe_results(model.ProbeKind(kind), start_us, to_us(self._now) + 1):
            key = SeriesKey(result.environment, result.source, result.endpoint)
            earlier = found.setdefault(key, [])
            failing = 0 if result.ok else 1 + (earlier[-1].consecutive_failures if earlier else 0)
            earlier.append(
                ProbeResult(
                    kind,
                    result.ok,
                    result.checked_at,
                    result.http_status,
                    result.latency_ms,
                    result.error or "",
                    result.cert_not_after,
                    failing,
                )
            )
        return {key: results[::-1] for key, results in found.items()}


def _texts(record_ids: Sequence[bytes]) -> list[str]:
    return [str(UUID(bytes=record_id)) for record_id in record_ids]
