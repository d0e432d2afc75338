"""Queue samples and probe results into rows of the store, within the bounds of the key. Knows no HTTP."""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.clock import to_us
from monitor.collector.accept import FUTURE_US
from monitor.collector.decode import BodyDecoder
from monitor.collector.keys import Key
from monitor.collector.link import Writer
from monitor.collector.names import Names
from monitor.collector.wire import LEAST_US, MOST_US, Answer, ProbeIn, QueueIn, RejectedRecord
from monitor.errors import TooLarge

Row = tuple[object, ...]
Fault = tuple[str, str, str]
"""(pointer, code, detail)"""


class Samples:
    """The way of samples through one front process; used by many threads."""

    def __init__(self, writer: Writer, now_us: Callable[[], int], most: int) -> None:
        """most: samples a request may hold."""
        self._writer = writer
        self._names = Names(writer)
        self._now_us = now_us
        self._most = most
        self._queues = BodyDecoder(QueueIn)
        self._probes = BodyDecoder(ProbeIn)

    def take_queues(self, body: bytes, media_type: str, key: Key) -> Answer:
        """Stores the queue samples of a body; returns once they are on disk. Raises as Ingest.take does."""
        decoded = self._queues.decode(body, media_type, self._most)
        rows, rejected = self._rows(decoded.items, decoded.indexes, key, _queue_row)
        new = self._writer.append_queues(rows) if rows else 0  # type: ignore[arg-type]  # as _queue_row makes them
        return Answer(new, len(rows) - new, _sorted([*decoded.rejected, *rejected]))

    def take_probes(self, body: bytes, media_type: str, key: Key) -> Answer:
        """Stores the probe results of a body; returns once they are on disk. Raises as Ingest.take does."""
        decoded = self._probes.decode(body, media_type, self._most)
        rows, rejected = self._rows(decoded.items, decoded.indexes, key, _probe_row)
        new = self._writer.append_probes(rows) if rows else 0
        return Answer(new, len(rows) - new, _sorted([*decoded.rejected, *rejected]))

    def _rows(
        self,
        items: Sequence[QueueIn | ProbeIn],
        indexes: Sequence[int],
        key: Key,
        row_of: Callable[..., Row],
    ) -> tuple[list[Row], list[RejectedRecord]]:
        rows, rejected = [], []
        now_us = self._now_us()
        for item, index in zip(items, indexes, strict=True):
            fault = _fault(item, key, now_us)
            if fault is None:
                try:
                    rows.append(
                        row_of(self._names.endpoint(item.environment, item.source, item.endpoint), item)
                    )
                    continue
                except TooLarge as exc:
                    fault = ("/endpoint", "name_cap", exc.message)
            rejected.append(RejectedRecord(index, *fault))
        return rows, rejected


def _fault(item: QueueIn | ProbeIn, key: Key, now_us: int) -> Fault | None:
    if key.sources and item.source not in key.sources:
        return ("/source", "foreign_source", f"this key may not write for source {item.source}")
    if key.environment is not None and item.environment != key.environment:
        return ("/environment", "foreign_environment", f"this key writes to {key.environment} only")
    pointer, time = (
        ("/sampled_at", item.sampled_at) if isinstance(item, QueueIn) else ("/checked_at", item.checked_at)
    )
    at_us = _us(time)
    if at_us is None or not 0 <= at_us <= now_us + FUTURE_US:
        return (pointer, "in_future", "the time is ahead of the collector's clock, or before 1970")
    return None


def _queue_row(endpoint: int, item: QueueIn) -> Row:
    age_us = None if item.oldest_age_s is None else round(item.oldest_age_s * 1e6)
    return (endpoint, item.queue, _us(item.sampled_at), item.depth, age_us)


def _probe_row(endpoint: int, item: ProbeIn) -> Row:
    return (
        endpoint,
        item.kind,
        _us(item.checked_at),
        int(item.ok),
        item.http_status,
        None if item.latency_ms is None else round(item.latency_ms * 1000),
        item.error,
        _us(item.cert_not_after),
        item.cert_subject,
        item.cert_issuer,
    )


def _us(time: datetime | int | None) -> int | None:
    return min(max(to_us(time), LEAST_US), MOST_US) if isinstance(time, datetime) else time


def _sorted(rejected: list[RejectedRecord]) -> list[RejectedRecord]:
    return sorted(rejected, key=lambda entry: entry.index)
