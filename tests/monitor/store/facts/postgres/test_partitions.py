import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from monitor.clock import to_us
from monitor.store.facts.postgres.partitions import (
    LOCK_TIMEOUT_MS,
    Day,
    State,
    day_of,
    days,
    ensure_days,
    retire_days,
    table_of,
)
from monitor.store.facts.postgres.server import Server
from monitor.store.facts.postgres.writer import DAYS_AHEAD, PostgresFactWriter
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.postgres.stored import DAY_US, await_waiting, count, rows, some
from tests.postgres import Postgres, pooler

pytestmark = pytest.mark.postgres

TODAY = START_US // DAY_US


@pytest.fixture
def server(facts_url: str) -> Iterator[Server]:
    opened = Server(facts_url)
    yield opened
    opened.close()


def states(url: str) -> dict[int, State]:
    with psycopg.connect(url) as db:
        return {day.number: day.state for day in days(db)}


def attached(*numbers: int) -> dict[int, State]:
    return dict.fromkeys(numbers, State.ATTACHED)


def test_a_day_bears_its_date() -> None:
    assert table_of(TODAY) == "record_20261118"
    assert day_of("record_20261118") == TODAY
    assert [day_of(name) for name in ("record", "record_2026", "capture", "record_20261118_pkey")] == [
        None
    ] * 4


def test_days_are_made_ahead_and_made_again_without_harm(facts_url: str, server: Server) -> None:
    ensure_days(server, START_US, START_US + 2 * DAY_US)
    ensure_days(server, START_US - DAY_US, START_US + 2 * DAY_US)

    assert states(facts_url) == attached(*range(TODAY - 1, TODAY + 3))


def test_many_who_make_the_same_days_at_once_all_succeed(facts_url: str, server: Server) -> None:
    together = threading.Barrier(4)

    def make(first: int) -> None:
        together.wait(10)
        ensure_days(server, START_US + first * DAY_US, START_US + (first + 6) * DAY_US)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))
    assert states(facts_url) == attached(*range(TODAY, TODAY + 10))


def test_a_day_below_the_floor_is_not_made(
    facts_url: str, server: Server, writer: PostgresFactWriter
) -> None:
    writer.raise_floor((TODAY + 1) * DAY_US, 10)
    ensure_days(server, START_US - 3 * DAY_US, START_US + DAY_US)

    assert TODAY not in states(facts_url)
    assert TODAY + 1 in states(facts_url)


def test_making_a_day_waits_for_nobody_who_stores_or_reads(facts_url: str, server: Server) -> None:
    ensure_days(server, START_US, START_US)
    with psycopg.connect(facts_url) as other:
        other.execute("INSERT INTO facts.record SELECT gen_random_uuid(), 1, 1, 1, 1, 1, 0, 1, '' LIMIT 0")
        other.execute("SELECT count(*) FROM facts.record")
        ensure_days(server, START_US, START_US + DAY_US)

        assert states(facts_url) == attached(TODAY, TODAY + 1)


def test_a_lock_on_the_records_is_waited_for_more_than_once(facts_url: str, server: Server) -> None:
    with psycopg.connect(facts_url) as other:
        other.execute("LOCK TABLE facts.record IN SHARE UPDATE EXCLUSIVE MODE")
        holding = threading.Timer(LOCK_TIMEOUT_MS / 1000 * 1.2, other.rollback)
        holding.start()
        ensure_days(server, START_US, START_US)
        holding.join()
        assert states(facts_url) == attached(TODAY)


def test_a_writer_makes_a_week_ahead_at_its_start_and_when_told(facts_url: str) -> None:
    clock = FakeClock()
    today = to_us(clock.now()) // DAY_US
    writer = PostgresFactWriter(facts_url, clock)
    assert states(facts_url) == attached(*range(today, today + DAYS_AHEAD + 1))

    clock.move(timedelta(days=1))
    writer.prepare_days(to_us(clock.now()))
    writer.close()
    assert states(facts_url) == attached(*range(today, today + DAYS_AHEAD + 2))


def test_records_of_days_past_and_to_come_have_a_place(facts_url: str, writer: PostgresFactWriter) -> None:
    late = [Made(n, START_US - n * DAY_US) for n in (400, 3, 30)]
    soon = Made(9, START_US + 4 * DAY_US)

    assert writer.append([batch_of(writer, [*late, soon])])[0].accepted == 4
    found = states(facts_url)
    assert {TODAY - 400, TODAY - 30, TODAY - 3, TODAY + 4} <= set(found)
    assert set(found.values()) == {State.ATTACHED}


def test_a_day_that_somebody_dropped_is_made_again(facts_url: str, writer: PostgresFactWriter) -> None:
    writer.append([batch_of(writer, some(1))])
    with psycopg.connect(facts_url) as db:
        db.execute(f"DROP TABLE facts.{table_of(TODAY)}".encode())

    assert writer.append([batch_of(writer, some(1, first=1))])[0].accepted == 1


def test_whole_days_below_the_floor_go_and_the_rest_stays(
    facts_url: str, server: Server, writer: PostgresFactWriter
) -> None:
    records = [Made(n, START_US - n * DAY_US) for n in range(4)]
    writer.append([batch_of(writer, records)])

    assert not writer.raise_floor((TODAY - 1) * DAY_US, 1)  # two days went, not a row of them by itself

    assert min(states(facts_url)) == TODAY - 1
    assert count(facts_url, "record") == 2
    assert rows(facts_url, "SELECT relname FROM pg_class WHERE relname = 'record_20261115'") == []


def test_what_is_stored_meanwhile_waits_for_no_retiring(facts_url: str, writer: PostgresFactWriter) -> None:
    """A long query holds the day that is to go: nobody else waits, and it goes at a later call."""
    writer.append([batch_of(writer, [Made(1, START_US - 2 * DAY_US), Made(2)])])
    with psycopg.connect(facts_url) as reading:
        reading.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reading.execute("SELECT count(*) FROM facts.record").fetchone() == (2,)
        with ThreadPoolExecutor(1) as thread:
            retiring = thread.submit(writer.raise_floor, START_US - DAY_US, 100)
            await_waiting(facts_url)
            assert writer.append([batch_of(writer, some(3, first=10))])[0].accepted == 3
            assert not retiring.done()
            assert retiring.result() is False
        assert reading.execute("SELECT count(*) FROM facts.record").fetchone() == (2,)  # its snapshot stands
    assert states(facts_url)[TODAY - 2] is State.PENDING

    writer.raise_floor(0, 100)
    assert TODAY - 2 not in states(facts_url)
    assert count(facts_url, "record") == 4


def test_days_go_behind_a_pooler_too_and_a_long_query_stops_them_there(
    postgres: Postgres, facts_url: str, server: Server
) -> None:
    """The limit on waiting is no setting of a session: a pooler would give that to others."""
    ensure_days(server, START_US - 3 * DAY_US, START_US)
    with pooler(postgres) as through, psycopg.connect(facts_url) as reading:
        pooled = Server(through(reading.info.dbname))
        reading.execute("SELECT count(*) FROM facts.record")
        retire_days(pooled, START_US - DAY_US)
        assert states(facts_url)[TODAY - 3] is State.PENDING
        assert states(facts_url)[TODAY - 2] is State.ATTACHED

        reading.rollback()
        retire_days(pooled, START_US - DAY_US)
        pooled.close()
    assert min(states(facts_url)) == TODAY - 1


@pytest.mark.parametrize("state", [State.PENDING, State.DETACHED])
def test_an_interrupted_retiring_is_finished(
    facts_url: str, server: Server, writer: PostgresFactWriter, state: State
) -> None:
    writer.append([batch_of(writer, [Made(1, START_US - 2 * DAY_US), Made(2, START_US - 3 * DAY_US)])])
    interrupt(facts_url, TODAY - 2, state)
    assert states(facts_url)[TODAY - 2] is state

    retire_days(server, START_US - DAY_US)

    assert not {TODAY - 2, TODAY - 3} & set(states(facts_url))


def interrupt(url: str, day: int, state: State) -> None:
    """Leaves the day as a crash would: a detach is cancelled while it waits, or ends without a drop."""
    detach = f"ALTER TABLE facts.record DETACH PARTITION facts.{table_of(day)} CONCURRENTLY"
    with psycopg.connect(url, autocommit=True) as db:
        if state is State.DETACHED:
            db.execute(detach.encode())
            return
        with psycopg.connect(url) as reading:
            reading.execute("SELECT count(*) FROM facts.record")
            db.execute("SET lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                db.execute(detach.encode())


def test_collectors_that_retire_at_once_all_succeed(
    facts_url: str, server: Server, writer: PostgresFactWriter
) -> None:
    ensure_days(server, START_US - 12 * DAY_US, START_US)
    together = threading.Barrier(3)

    def retire(_: int) -> None:
        together.wait(10)
        for _ in range(3):
            retire_days(server, START_US - 2 * DAY_US)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(retire, range(3)))
    retire_days(server, START_US - 2 * DAY_US)
    assert min(states(facts_url)) == TODAY - 2


def test_days_in_order_of_time(server: Server) -> None:
    ensure_days(server, START_US, START_US + DAY_US)
    with server.read() as db:
        assert days(db) == [Day(TODAY, State.ATTACHED), Day(TODAY + 1, State.ATTACHED)]
