"""One store under test, and what the suite does with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import to_us
from monitor.model import DEFAULT_ENVIRONMENT, Grain, Record, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, FactWriter
from tests.facts import NOON, Filled

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERYTHING = SeriesKey(DEFAULT_ENVIRONMENT)
PAYMENTS = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "payments")


@dataclass(slots=True)
class Store:
    """One empty store, opened for writing and for reading."""

    writer: FactWriter
    reader: FactReader
    fill: Filled


def newest_first(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.record_id, reverse=True)


def fill_in_parts(store: Store, records: Sequence[Record], folded: int) -> None:
    """Stores the records in three batches; folded: 0 none, 1 all but the last, 2 all."""
    third = len(records) // 3
    for part in (records[:third], records[third : 2 * third], records[2 * third :]):
        if folded == 1:
            fold(store)
        store.fill.add(part)
    if folded == 2:
        fold(store)


def fold(store: Store) -> None:
    while store.writer.fold():
        pass


def purge(store: Store, floor: datetime, rows: int = 1000) -> None:
    while store.writer.raise_floor(to_us(floor), rows):
        pass


def ever(store: Store) -> Rollup:
    return store.reader.ever([EVERYTHING])[EVERYTHING]


def series(
    store: Store, key: SeriesKey, grain: Grain, start: datetime, end: datetime
) -> dict[datetime, Rollup]:
    found = store.reader.rollups([key], grain, to_us(start), to_us(end))[key]
    return {start + timedelta(microseconds=at_us - to_us(start)): rollup for at_us, rollup in found.items()}


def read_feed(store: Store, limit: int) -> list[Record]:
    """All records the feed tells of, `limit` a read, from the beginning."""
    found: list[Record] = []
    mark = (0, 0)
    while rows := store.reader.feed(*mark, limit):
        assert len(rows) <= limit
        found += [row.record for row in rows]
        mark = (rows[-1].xid, rows[-1].seq)
    return found


def endpoint_codes(store: Store, *endpoints: str) -> list[int]:
    keys = [SeriesKey(DEFAULT_ENVIRONMENT, "stripe", endpoint) for endpoint in endpoints]
    codes = store.writer.intern_series(keys, to_us(NOON))
    return [codes[key] for key in keys]


def us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
