"""One store under test, and what the suite does with it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import to_us
from monitor.model import DEFAULT_ENVIRONMENT, Grain, Record, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, FactWriter, FeedRow
from tests.facts import NOON, Filled

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERYTHING = SeriesKey(DEFAULT_ENVIRONMENT)
PAYMENTS = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "payments")


@dataclass(slots=True)
class Store:
    """One empty store, opened for writing and for reading."""

    reader: FactReader
    fill: Filled
    others: Callable[[], Filled] | None = None
    """Opens one more writer, which goes with the store; None where a store has but one."""
    open_record: Callable[[Record], AbstractContextManager[None]] | None = None
    """A transaction that has stored the record and its feed row, and commits at the end of the block; None
    where a transaction that is open lets no other begin."""

    @property
    def writer(self) -> FactWriter:
        return self.fill.writer

    def writers(self, wanted: int) -> list[Filled]:
        """As many hands as the store lets write at once, at most `wanted`, its own first."""
        others = [self.others() for _ in range(wanted - 1)] if self.others else []
        return [self.fill, *others]

    @contextmanager
    def committing_late(self, record: Record) -> Iterator[None]:
        """Begins to store the record and is done at the end of the block, as far as the store can."""
        if self.open_record is None:
            yield
            self.fill.add([record])
        else:
            with self.open_record(record):
                yield


NewStore = Callable[[], AbstractContextManager[Store]]
"""Makes an empty store that lasts as long as the block."""


def at_once(*actions: Callable[[], object]) -> None:
    """Does all of them at the same time, the first in the caller's thread; raises what one of them raised."""
    begin = threading.Barrier(len(actions))
    failures: list[BaseException] = []

    def act(action: Callable[[], object]) -> None:
        try:
            begin.wait(30)
            action()
        except BaseException as exc:  # carried to the test's own thread
            failures.append(exc)

    threads = [threading.Thread(target=act, args=(action,)) for action in actions[1:]]
    for thread in threads:
        thread.start()
    act(actions[0])
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Does the action over and over, in a thread of its own, while the block runs, once at least."""
    failures: list[BaseException] = []
    end, once = threading.Event(), threading.Event()

    def repeat() -> None:
        try:
            while not (end.is_set() and once.is_set()):
                action()
                once.set()
        except BaseException as exc:  # carried to the test's own thread
            failures.append(exc)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
    if failures:
        raise failures[0]


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


def read_feed(store: Store, limit: int, mark: tuple[int, int] = (0, 0)) -> list[Record]:
    """All records the feed tells of after `mark`, `limit` a read."""
    return [row.record for row in read_marks(store, limit, mark)]


def read_marks(store: Store, limit: int, mark: tuple[int, int] = (0, 0)) -> list[FeedRow]:
    found: list[FeedRow] = []
    while rows := store.reader.feed(*mark, limit):
        assert len(rows) <= limit
        found += rows
        mark = (rows[-1].xid, rows[-1].seq)
    return found


def endpoint_codes(store: Store, *endpoints: str) -> list[int]:
    keys = [SeriesKey(DEFAULT_ENVIRONMENT, "stripe", endpoint) for endpoint in endpoints]
    codes = store.writer.intern_series(keys, to_us(NOON))
    return [codes[key] for key in keys]


def us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
