"""A FactReader over the tables of any SQL database: any number of threads, each call one snapshot.

Nothing here writes or knows a statement; counting is `monitor.rollup`'s, paging `pages`'.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from monitor.model import Grain, ProbeKind, ProbeResult, QueueSample, Record, SeriesKey
from monitor.rollup import STUCK_ACCEPTED, STUCK_FINAL, Buckets, Rollup, rollups
from monitor.store.facts.protocol import WHOLE, ClientCounts, FeedRow, Parts, RecordFilter, RecordPage
from monitor.store.facts.reading.pages import LaneTable, bounds_of, read_page
from monitor.store.facts.reading.records import RecordTable, feed_of, recorded, records_of, recount
from monitor.store.facts.reading.rollups import (
    RollupTable,
    read_buckets,
    read_ever,
    read_last_minutes,
    read_total,
)
from monitor.store.facts.reading.samples import SampleTable, clients_of, results_of, samples_of
from monitor.store.facts.reading.series import KnownNames, NameTable
from monitor.store.facts.record_rows import MINUTE_US
from monitor.store.facts.spans import spans

END_OF_TIME_US = (1 << 63) - 1


class StoreTable(Protocol):
    """What a store says of itself."""

    def meta(self, key: str) -> str: ...

    def used_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables, in one snapshot."""

    store: StoreTable
    names: NameTable
    rollups: RollupTable
    lanes: LaneTable
    records: RecordTable
    samples: SampleTable


Snapshot = Callable[[], AbstractContextManager[Tables]]


class SqlFactReader:
    """FactReader, but for `close`."""

    def __init__(self, snapshot: Snapshot, newest: Snapshot | None = None) -> None:
        """newest: a snapshot that no copy lags behind, for what control acts on."""
        self._snapshot = snapshot
        self._newest = newest or snapshot
        self._known = KnownNames()

    def store_id(self) -> str:
        with self._newest() as tables:
            return tables.store.meta("store_id")

    def floor_us(self) -> int:
        with self._newest() as tables:
            return int(tables.store.meta("floor_us"))

    def series(self, environment: str | None = None) -> Mapping[int, SeriesKey]:
        with self._snapshot() as tables:
            keys = self._known.series(tables.names).keys
        return {code: key for code, key in keys.items() if environment in (None, key.environment)}

    def error_names(self, codes: Sequence[int]) -> Mapping[int, str]:
        with self._snapshot() as tables:
            return self._known.errors(tables.names, codes)

    def rollups(
        self,
        keys: Sequence[SeriesKey],
        grain: Grain,
        start_us: int,
        end_us: int,
        every: int = 1,
        parts: Parts = WHOLE,
    ) -> Mapping[SeriesKey, Mapping[int, Rollup]]:
        span = (grain, -(-start_us // MINUTE_US), -(-end_us // MINUTE_US))
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            wanted = series.coded(keys)
            found = read_buckets(tables.rollups, series, wanted, span, every, parts)
        by_key: dict[SeriesKey, dict[int, Rollup]] = {}
        for (code, start), rollup in _asked(found).items():
            by_key.setdefault(wanted[code], {})[start * MINUTE_US] = rollup
        return by_key

    def total(
        self, keys: Sequence[SeriesKey], start_us: int, end_us: int, parts: Parts = WHOLE
    ) -> Mapping[SeriesKey, Rollup]:
        stretch = spans(-(-start_us // MINUTE_US), -(-end_us // MINUTE_US))
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            wanted = series.coded(keys)
            found = read_total(tables.rollups, series, wanted, stretch, parts)
        return {wanted[code]: rollup for (code, _), rollup in _asked(found).items()}

    def ever(self, keys: Sequence[SeriesKey], parts: Parts = WHOLE) -> Mapping[SeriesKey, Rollup]:
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            wanted = series.coded(keys)
            found = read_ever(tables.rollups, series, wanted, parts)
        return {wanted[code]: rollup for (code, _), rollup in _asked(found).items()}

    def first_seen(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
        return {key: series.first_seen[code] for code, key in series.coded(keys).items()}

    def last_seen(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            wanted = series.coded(keys)
            found = read_last_minutes(tables.rollups, series, wanted)
        return {wanted[code]: minute * MINUTE_US for code, minute in found.items()}

    def recount(self, start_us: int, end_us: int) -> Mapping[tuple[SeriesKey, int], Rollup]:
        with self._snapshot() as tables:
            return recount(tables.records, self._known.series(tables.names), start_us, end_us)

    def recorded(self, start_us: int, end_us: int) -> Mapping[tuple[SeriesKey, int], Rollup]:
        with self._snapshot() as tables:
            return recorded(tables.records, self._known.series(tables.names), start_us, end_us)

    def page(self, wanted: RecordFilter, limit: int, before: UUID | None = None) -> RecordPage:
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            bounds = bounds_of(tables.names, series, wanted, before)
            if bounds is None:
                return RecordPage((), None)
            rows, reached = read_page(tables.lanes, bounds, limit)
            records = records_of(tables.names, self._known, rows)
        return RecordPage(records, None if reached is None else UUID(bytes=reached))

    def get(self, record_id: UUID) -> Record | None:
        with self._snapshot() as tables:
            row = tables.records.row(record_id.bytes)
            return None if row is None else records_of(tables.names, self._known, [row])[0]

    def event(self, environment: str | None, source: str, event_id: str) -> Sequence[Record]:
        with self._snapshot() as tables:
            series = self._known.series(tables.names)
            routes = frozenset(series.routes(environment, source))
            rows = [row for row in tables.records.of_event(event_id) if row[1] in routes]
            return records_of(tables.names, self._known, rows)

    def capture(
        self, environment: str, source: str, endpoint: str, event_id: str
    ) -> tuple[bytes, bool] | None:
        with self._snapshot() as tables:
            code = self._known.series(tables.names).codes.get(SeriesKey(environment, source, endpoint))
            if code is None:
                return None
            return tables.records.captures([(code, event_id)]).get((code, event_id))

    def feed(self, xid: int, seq: int, limit: int) -> Sequence[FeedRow]:
        with self._newest() as tables:
            return feed_of(tables.records, tables.names, self._known, (xid, seq), limit)

    def queue_samples(self, start_us: int, end_us: int) -> Sequence[QueueSample]:
        with self._snapshot() as tables:
            rows = tables.samples.queue_samples(start_us, end_us)
            found = samples_of(self._known.series(tables.names), rows)
        return sorted(found, key=lambda sample: sample.sampled_at)

    def latest_queue_samples(self, not_before_us: int) -> Sequence[QueueSample]:
        with self._snapshot() as tables:
            rows = tables.samples.latest_queue_samples(not_before_us)
            return samples_of(self._known.series(tables.names), rows)

    def probe_results(self, kind: ProbeKind, start_us: int, end_us: int) -> Sequence[ProbeResult]:
        with self._snapshot() as tables:
            rows = tables.samples.probe_results(kind.value, start_us, end_us)
            found = results_of(self._known.series(tables.names), kind, rows)
        return sorted(found, key=lambda result: result.checked_at)

    def probe_counts(self, key: SeriesKey, kind: ProbeKind, start_us: int, end_us: int) -> tuple[int, int]:
        with self._snapshot() as tables:
            code = self._known.series(tables.names).codes.get(key)
            return (0, 0) if code is None else tables.samples.probe_counts(code, kind.value, start_us, end_us)

    def heartbeat_us(self, before_us: int | None = None) -> int | None:
        with self._snapshot() as tables:
            return tables.samples.heartbeat_us(END_OF_TIME_US if before_us is None else before_us)

    def clients(self, not_before_us: int) -> Sequence[ClientCounts]:
        with self._snapshot() as tables:
            return clients_of(tables.samples.clients(not_before_us))

    def stuck(self, environment: str, before_us: int, since_us: int) -> Mapping[SeriesKey, int]:
        endpoints = [
            key for key in self.series(environment).values() if key.endpoint and key.event_type is None
        ]
        found = {}
        for key, minutes in self.rollups(endpoints, Grain.MINUTE, since_us, before_us).items():
            open_ones = sum(
                max(0, minute.counts.get(STUCK_ACCEPTED, 0) - minute.counts.get(STUCK_FINAL, 0))
                for minute in minutes.values()
            )
            if open_ones:
                found[key] = open_ones
        return found

    def used_bytes(self) -> int:
        with self._snapshot() as tables:
            return tables.store.used_bytes()


def _asked(buckets: Buckets | None) -> Mapping[tuple[int, int], Rollup]:
    return {} if buckets is None else rollups(buckets)
