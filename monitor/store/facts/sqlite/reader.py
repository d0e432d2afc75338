"""Reading the facts from SQLite: any number of threads and processes, none of which waits for the writer.

Each call is one snapshot. Nothing here writes; counting is `monitor.rollup`'s, paging `pages`'.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from monitor.model import Grain, ProbeKind, ProbeResult, QueueSample, Record, SeriesKey
from monitor.rollup import STUCK_ACCEPTED, STUCK_FINAL, Buckets, Rollup, rollups
from monitor.store.facts.protocol import WHOLE, ClientCounts, FeedRow, Parts, RecordFilter, RecordPage
from monitor.store.facts.record_rows import MINUTE_US
from monitor.store.facts.spans import spans
from monitor.store.facts.sqlite.events import read_event
from monitor.store.facts.sqlite.names import Names
from monitor.store.facts.sqlite.pages import bounds_of, read_page
from monitor.store.facts.sqlite.records import read_capture, read_feed, read_row, records_of, recount
from monitor.store.facts.sqlite.rollups import (
    read_buckets,
    read_ever,
    read_last_minutes,
    read_total,
)
from monitor.store.facts.sqlite.samples import clients_since, latest_samples, results_between, samples_between
from monitor.store.facts.sqlite.snapshot import Snapshots


class SqliteFactReader:
    """FactReader of one SQLite file. Opening happens at the first read of each thread."""

    def __init__(self, path: Path) -> None:
        self._snapshots = Snapshots(path)
        self._names = Names()

    def store_id(self) -> str:
        with self._snapshots.read() as db:
            return str(_meta(db, "store_id"))

    def floor_us(self) -> int:
        with self._snapshots.read() as db:
            return int(_meta(db, "floor_us"))

    def series(self, environment: str | None = None) -> Mapping[int, SeriesKey]:
        with self._snapshots.read() as db:
            keys = self._names.series(db).keys
        return {code: key for code, key in keys.items() if environment in (None, key.environment)}

    def error_names(self, codes: Sequence[int]) -> Mapping[int, str]:
        with self._snapshots.read() as db:
            return self._names.errors(db, codes)

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
        with self._snapshots.read() as db:
            series = self._names.series(db)
            wanted = series.coded(keys)
            found = read_buckets(db, series, wanted, span, every, parts)
        by_key: dict[SeriesKey, dict[int, Rollup]] = {}
        for (code, start), rollup in _asked(found).items():
            by_key.setdefault(wanted[code], {})[start * MINUTE_US] = rollup
        return by_key

    def total(
        self, keys: Sequence[SeriesKey], start_us: int, end_us: int, parts: Parts = WHOLE
    ) -> Mapping[SeriesKey, Rollup]:
        stretch = spans(-(-start_us // MINUTE_US), -(-end_us // MINUTE_US))
        with self._snapshots.read() as db:
            series = self._names.series(db)
            wanted = series.coded(keys)
            found = read_total(db, series, wanted, stretch, parts)
        return {wanted[code]: rollup for (code, _), rollup in _asked(found).items()}

    def ever(self, keys: Sequence[SeriesKey], parts: Parts = WHOLE) -> Mapping[SeriesKey, Rollup]:
        with self._snapshots.read() as db:
            series = self._names.series(db)
            wanted = series.coded(keys)
            found = read_ever(db, series, wanted, parts)
        return {wanted[code]: rollup for (code, _), rollup in _asked(found).items()}

    def last_seen(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        with self._snapshots.read() as db:
            series = self._names.series(db)
            wanted = series.coded(keys)
            found = read_last_minutes(db, series, wanted)
        return {wanted[code]: minute * MINUTE_US for code, minute in found.items()}

    def recount(self, start_us: int, end_us: int) -> Mapping[tuple[SeriesKey, int], Rollup]:
        with self._snapshots.read() as db:
            return recount(db, self._names.series(db), start_us, end_us)

    def page(self, wanted: RecordFilter, limit: int, before: UUID | None = None) -> RecordPage:
        with self._snapshots.read() as db:
            series = self._names.series(db)
            bounds = bounds_of(db, series, wanted, before)
            if bounds is None:
                return RecordPage((), None)
            rows, reached = read_page(db, bounds, limit)
            records = records_of(db, self._names, rows)
        return RecordPage(records, None if reached is None else UUID(bytes=reached))

    def get(self, record_id: UUID) -> Record | None:
        with self._snapshots.read() as db:
            row = read_row(db, record_id.bytes)
            return None if row is None else records_of(db, self._names, [row])[0]

    def event(self, environment: str | None, source: str, event_id: str) -> Sequence[Record]:
        with self._snapshots.read() as db:
            series = self._names.series(db)
            routes = frozenset(series.routes(environment, source))
            rows = [row for row in read_event(db, event_id) if row[1] in routes]
            return records_of(db, self._names, rows)

    def capture(
        self, environment: str, source: str, endpoint: str, event_id: str
    ) -> tuple[bytes, bool] | None:
        with self._snapshots.read() as db:
            code = self._names.series(db).codes.get(SeriesKey(environment, source, endpoint))
            return None if code is None else read_capture(db, code, event_id)

    def feed(self, xid: int, seq: int, limit: int) -> Sequence[FeedRow]:
        with self._snapshots.read() as db:
            return read_feed(db, self._names, seq, limit)

    def queue_samples(self, start_us: int, end_us: int) -> Sequence[QueueSample]:
        with self._snapshots.read() as db:
            return samples_between(db, self._names.series(db), start_us, end_us)

    def latest_queue_samples(self, not_before_us: int) -> Sequence[QueueSample]:
        with self._snapshots.read() as db:
            return latest_samples(db, self._names.series(db), not_before_us)

    def probe_results(self, kind: ProbeKind, start_us: int, end_us: int) -> Sequence[ProbeResult]:
        with self._snapshots.read() as db:
            return results_between(db, self._names.series(db), kind, start_us, end_us)

    def heartbeat_us(self) -> int | None:
        with self._snapshots.read() as db:
            beat: int | None = db.execute("SELECT max(beat_at_us) FROM heartbeat").fetchone()[0]
            return beat

    def clients(self, not_before_us: int) -> Sequence[ClientCounts]:
        with self._snapshots.read() as db:
            return clients_since(db, not_before_us)

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
        with self._snapshots.read() as db:
            pages, free, width = (
                int(db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * width

    def close(self) -> None:
        self._snapshots.close()


def _asked(buckets: Buckets | None) -> Mapping[tuple[int, int], Rollup]:
    return {} if buckets is None else rollups(buckets)


def _meta(db: sqlite3.Connection, key: str) -> str | int:
    value: str | int = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
    return value
