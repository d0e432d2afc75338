"""Who waits for whom, one meeting at a time: each test stops one transaction where it would do harm."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace

import msgspec
import psycopg
import pytest

from monitor.errors import Unavailable
from monitor.model import REASON_CODES, SeriesKey
from monitor.store.facts.detail import Detail, encode
from monitor.store.facts.postgres import purge, thin
from monitor.store.facts.postgres.append import floor_of, store
from monitor.store.facts.postgres.clients import put_clients
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.server import Connection, Server
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import Appended, Batch, ClientCounts
from tests.monitor.store.facts.making import START_US, batch_of
from tests.monitor.store.facts.postgres.stored import assert_counted, await_waiting, count, rows, some

pytestmark = pytest.mark.postgres


@pytest.fixture
def other(facts_url: str) -> Iterator[Server]:
    """Another collector's way to the server, for half of what it does."""
    opened = Server(facts_url)
    yield opened
    opened.close()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as started:
        yield started


def test_the_floor_waits_for_an_append_that_has_not_met_it(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    batch = batch_of(writer, some(5))
    with other.write() as db:
        floor_of(db)
        raising = thread.submit(writer.raise_floor, START_US + 1_000_000, 100)
        await_waiting(facts_url)
        store(db, [batch], 0, careful=False)
        assert rows(facts_url, "SELECT value FROM meta WHERE key = 'floor_us'") == [("0",)]

    assert raising.result(10) is False
    assert count(facts_url, "record") == 0


def test_an_append_meets_a_floor_that_was_rising_when_it_came(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    batch = batch_of(writer, some(5))
    with other.write() as db:
        purge.raise_floor(db, START_US + 3_000)
        appending = thread.submit(writer.append, [batch])
        await_waiting(facts_url)

    assert appending.result(10) == [Appended(2, 0, [0, 1, 2])]
    assert writer.floor_us == START_US + 3_000


def test_a_floor_that_cannot_rise_says_so_and_stops_nobody_for_long(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    with other.write() as db:
        floor_of(db)
        raising = thread.submit(writer.raise_floor, START_US + 1_000_000, 100)
        await_waiting(facts_url)
        assert writer.append([batch_of(writer, some(5))])[0].accepted == 5  # behind it in the queue
        with pytest.raises(Unavailable):
            raising.result(10)


def test_two_who_store_the_same_record_at_once_count_it_once(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    batch = batch_of(writer, some(5))
    with other.write() as db:
        store(db, [batch], 0, careful=False)
        appending = thread.submit(writer.append, [batch_of(writer, [*some(5), *some(2, first=9)])])
        await_waiting(facts_url)

    assert appending.result(10) == [Appended(2, 5, [])]
    assert_counted(facts_url, [*some(5), *some(2, first=9)])


def test_what_another_undoes_is_stored(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    batch = batch_of(writer, some(5))
    with suppress(ZeroDivisionError), other.write() as db:
        store(db, [batch], 0, careful=False)
        appending = thread.submit(writer.append, [batch])
        await_waiting(facts_url)
        raise ZeroDivisionError

    assert appending.result(10) == [Appended(5, 0, [])]
    assert_counted(facts_url, some(5))


@pytest.mark.parametrize("known", [False, True])
def test_counts_of_a_client_heard_by_two_at_once_never_fall(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor, known: bool
) -> None:
    def heard(produced: int, dropped: int) -> ClientCounts:
        return ClientCounts("app", "1", "host", 5, produced, 0, produced, 0, {"full": dropped}, {})

    if known:
        writer.append([batch_of(writer, [], client=heard(1, 0))])
    with other.write() as db:
        put_clients(db, [heard(produced=7, dropped=9)])
        appending = thread.submit(writer.append, [batch_of(writer, [], client=heard(8, 2))])
        await_waiting(facts_url)

    appending.result(10)
    ((produced, dropped),) = rows(facts_url, "SELECT produced, dropped FROM client")
    assert (produced, msgspec.msgpack.decode(dropped)) == (8, {"full": 9})


def test_one_folds_at_a_time_and_the_other_does_not_wait(
    facts_url: str, writer: PostgresFactWriter, other: Server
) -> None:
    writer.append([batch_of(writer, some(5))])
    with other.write() as db:
        take(db, Lock.FOLD)
        assert writer.fold() == 0

    assert writer.fold() == 5
    assert_counted(facts_url, some(5))


def test_one_deletes_at_a_time(facts_url: str, writer: PostgresFactWriter, other: Server) -> None:
    writer.append([batch_of(writer, some(5))])
    with other.write() as db:
        take(db, Lock.PURGE)
        assert writer.raise_floor(START_US + 1_000_000, 2) is False
        assert count(facts_url, "record") == 5

    assert writer.raise_floor(0, 2) is True


def test_names_are_made_by_one_at_a_time(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    """Its codes go on from those that were being made when it came, even if these were undone."""

    def add(db: Connection) -> None:
        take(db, Lock.NAMES)
        db.execute("INSERT INTO facts.series VALUES (1, 0, 'production', '', '', '', 0)")

    key = some(1)[0].key
    with other.write() as db:
        add(db)
        making = thread.submit(writer.intern_series, [key], 0)
        await_waiting(facts_url)

    assert sorted(making.result(10).values()) == [1, 2, 3, 4]
    assert rows(facts_url, "SELECT environment FROM series WHERE code = 1") == [("production",)]


def test_a_lock_that_died_with_its_owner_is_free(facts_url: str, writer: PostgresFactWriter) -> None:
    with closing(psycopg.connect(facts_url)) as db:
        floor_of(db)
        db.execute("INSERT INTO facts.delta (items) VALUES ('')")

    writer.raise_floor(START_US, 10)
    assert count(facts_url, "delta") == 0


def in_any_order(writer: PostgresFactWriter, what: str, names: Sequence[int]) -> list[Batch]:
    """A group with one record, capture or client a name, in this order of names; the rest is its own."""
    if what == "record":
        return [batch_of(writer, [some(1, first=name)[0] for name in names])]
    if what == "client":
        clients = [ClientCounts(f"app-{name}", "1", "", 5, 1, 0, 1, 0, {}, {}) for name in names]
        return [batch_of(writer, [], client=client) for client in clients]
    first = writer.intern_series([SeriesKey(f"{names}")], 0)[SeriesKey(f"{names}")] * 100
    letters = [
        replace(one, event_id=f"evt_{name}")
        for one, name in zip(some(len(names), first=first), names, strict=True)
    ]
    return [batch_of(writer, letters, captures=dict.fromkeys(range(len(names)), b"sealed"))]


@pytest.mark.parametrize("what", ["record", "capture", "client"])
def test_who_comes_with_the_same_in_another_order_waits_and_holds_nothing(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor, what: str
) -> None:
    """The other has stored the first and goes on to the second, for which it would wait in vain."""
    first, second, both = (in_any_order(writer, what, names) for names in ([1], [2], [2, 1]))
    with other.write() as db:
        db.execute("SET LOCAL deadlock_timeout = 10")  # whoever looks first is the one that fails
        store(db, first, 0, careful=False)
        appending = thread.submit(writer.append, both)
        await_waiting(facts_url)
        store(db, second, 0, careful=False)

    appending.result(10)
    assert count(facts_url, what) == 2


def test_a_copy_that_comes_while_its_minute_is_thinned_is_refused(
    facts_url: str, writer: PostgresFactWriter, other: Server, thread: ThreadPoolExecutor
) -> None:
    """Between the deletion of a bare row and its sum, a copy of it would be a new record."""
    flood = [replace(one, outcome="rejected", reason="bad_signature", event_id=None) for one in some(5)]
    batch = batch_of(writer, flood)
    bare = [(*row[:8], encode(Detail(reason=REASON_CODES["bad_signature"], bare=True))) for row in batch.rows]
    batch = replace(batch, rows=bare, bare=range(5))
    writer.append([batch])
    with other.write() as db:
        assert thin.step(db, START_US * 2, 100)
        appending = thread.submit(writer.append, [batch])
        await_waiting(facts_url)

    assert appending.result(10) == [Appended(0, 0, [0, 1, 2, 3, 4])]
    assert count(facts_url, "record") == 0
    assert count(facts_url, "thinned") == 1
