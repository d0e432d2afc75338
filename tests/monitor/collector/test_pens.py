"""Many request threads before one PostgreSQL: grouped, bounded, and each told of its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from monitor.clock import to_us
from monitor.collector.app import create_app
from monitor.collector.counters import Counters, cleared, totals
from monitor.collector.front import front
from monitor.collector.pens import PING_S, Pens
from monitor.collector.settings import CollectorSettings
from monitor.errors import Unavailable
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import Batch
from tests.monitor.clocks import FakeClock
from tests.monitor.collector.fronts import TOKEN, key
from tests.monitor.store.facts.making import Made, batch_of
from tests.postgres import database, server

pytestmark = pytest.mark.postgres
PENS = 2


@dataclass
class Desk:
    """Pens over a store of its own; `ask` sends a batch of one record from a thread of its own."""

    url: str
    store: PostgresFactWriter
    pens: Pens
    clock: FakeClock
    counters: Path
    threads: ThreadPoolExecutor

    def batch(self, number: int) -> Batch:
        return batch_of(self.store, [Made(number)])

    def append(self, batch: Batch) -> tuple[int, int]:
        """(accepted, duplicates)"""
        answer = self.pens.append(batch)
        return answer.accepted, answer.duplicates

    def ask(self, number: int) -> Future[tuple[int, int]]:
        return self.threads.submit(self.append, self.batch(number))

    def stored(self) -> int:
        with psycopg.connect(self.url) as db:
            row = db.execute("SELECT count(*) FROM facts.record").fetchone()
        assert row is not None
        return int(row[0])

    def transactions(self) -> int:
        return totals(self.counters)["commits", ""]

    @contextmanager
    def held_up(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """Nothing is stored while the block runs, and each pen has a request that waits for its end."""
        with psycopg.connect(self.url) as db:
            db.execute("LOCK TABLE facts.record IN SHARE ROW EXCLUSIVE MODE")
            for number in range(1, PENS + 1):
                self.ask(number)
            self.until(lambda: len(waiting_backends(db)) == PENS)
            yield db

    def wait_for_waiting(self, requests: int) -> None:
        self.until(lambda: len(self.pens._waiting) == requests)

    def until(self, true: Callable[[], bool]) -> None:
        pause, left = threading.Event(), 1000
        while not true():
            assert (left := left - 1), "it never came to pass"
            pause.wait(0.01)


def waiting_backends(db: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    found = db.execute(
        "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return [pid for (pid,) in found]


@contextmanager
def desk_at(url: str, folder: Path, **bounds: float) -> Iterator[Desk]:
    clock = FakeClock()
    create(url)
    counters = cleared(folder / "counters")
    with closing(PostgresFactWriter(url, clock, PENS + 1)) as store, ThreadPoolExecutor(16) as threads:
        pens = Pens(lambda: store, Counters(counters), clock, "tests", pens=PENS, **bounds)  # type: ignore[arg-type]
        yield Desk(url, store, pens, clock, counters, threads)


@pytest.fixture
def desk(postgres_url: str, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(postgres_url, tmp_path) as made:
        yield made


def test_answer_comes_when_the_records_are_stored(desk: Desk) -> None:
    assert desk.append(desk.batch(1)) == (1, 0)
    assert desk.stored() == 1

    assert desk.append(desk.batch(1)) == (0, 1)
    assert desk.stored() == 1


def test_all_that_waited_for_a_pen_is_stored_in_one_transaction(desk: Desk) -> None:
    with desk.held_up():
        asked = [desk.ask(number) for number in range(10, 18)]
        desk.wait_for_waiting(8)

    assert [one.result(10) for one in asked] == [(1, 0)] * 8
    desk.until(lambda: desk.stored() == PENS + 8)
    desk.until(lambda: desk.transactions() == PENS + 1)


def test_each_of_a_group_hears_of_its_own_records(desk: Desk) -> None:
    asked = []
    with desk.held_up():
        for waiting, number in enumerate((10, 10, 11), start=1):
            asked.append(desk.ask(number))
            desk.wait_for_waiting(waiting)

    assert [one.result(10) for one in asked] == [(1, 0), (0, 1), (1, 0)]


def test_more_than_may_wait_is_refused_at_once_with_when_to_come_back(
    postgres_url: str, tmp_path: Path
) -> None:
    with desk_at(postgres_url, tmp_path, waiting_requests=1) as desk, desk.held_up():
        waits = desk.ask(10)
        desk.wait_for_waiting(1)

        with pytest.raises(Unavailable, match="wait for the store") as refused:
            desk.pens.append(desk.batch(11))
        assert refused.value.retry_after_s
        assert not waits.done()


def test_rows_that_wait_are_bounded_as_well(postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, tmp_path, waiting_rows=1) as desk, desk.held_up():
        desk.ask(10)
        desk.wait_for_waiting(1)

        with pytest.raises(Unavailable, match="wait for the store"):
            desk.pens.append(desk.batch(11))


def test_who_waited_too_long_is_told_and_never_stored(postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, tmp_path, wait_s=0.05) as desk:
        with desk.held_up(), pytest.raises(Unavailable, match="keep up"):
            desk.pens.append(desk.batch(10))
        desk.until(lambda: desk.transactions() == PENS)

        assert desk.stored() == PENS


def test_an_error_of_the_store_reaches_its_own_group_alone(desk: Desk) -> None:
    with desk.held_up() as holder:
        asked = [desk.ask(number) for number in range(10, 14)]
        desk.wait_for_waiting(4)
        with psycopg.connect(desk.url, autocommit=True) as administrator:
            (victim, *_) = waiting_backends(holder)
            administrator.execute("SELECT pg_terminate_backend(%s)", (victim,))
        # its pen went on to those that waited, and they wait for the lock now
        desk.wait_for_waiting(0)
        desk.until(lambda: len(waiting_backends(holder)) == PENS)

    assert [one.result(10) for one in asked] == [(1, 0)] * 4
    desk.until(lambda: desk.stored() == PENS - 1 + 4)


def test_ping_tells_of_a_server_that_is_away_and_of_its_return(tmp_path: Path) -> None:
    with server() as own, database(own) as url, desk_at(url, tmp_path) as desk:
        assert desk.pens.ping()["used_bytes"] > 0
        batch = desk.batch(1)
        own.stop()
        assert desk.pens.ping()["failing"] == 0, "the answer of the last second"
        desk.clock.move(timedelta(seconds=PING_S))
        with pytest.raises(Unavailable, match="does not answer"):
            desk.pens.ping()
        with pytest.raises(Unavailable):
            desk.pens.append(batch)

        own.start()
        desk.clock.move(timedelta(seconds=PING_S))

        desk.until(lambda: answers(desk.pens))
        assert desk.append(batch) == (1, 0)


def answers(pens: Pens) -> bool:
    try:
        return pens.ping()["failing"] == 0
    except Unavailable:
        return False


def test_store_that_cannot_be_opened_yet_is_tried_again(postgres_url: str, tmp_path: Path) -> None:
    clock, opened = FakeClock(), []

    def open_store() -> PostgresFactWriter:
        opened.append(1)
        return PostgresFactWriter(postgres_url, clock)

    pens = Pens(open_store, Counters(cleared(tmp_path / "counters")), clock, "tests")
    for _ in range(2):
        with pytest.raises(Unavailable, match="db upgrade"):
            pens.ping()
    assert len(opened) == 1, "one look a second, whoever asks"

    create(postgres_url)
    clock.move(timedelta(seconds=PING_S))

    assert pens.ping()["floor_us"] == 0
    pens.close()


def test_readyz_and_ingest_say_that_the_database_is_away(tmp_path: Path) -> None:
    clock, settings = FakeClock(), CollectorSettings(tmp_path, bytes(32))
    counters = Counters(cleared(settings.counters_dir))
    nobody = f"postgresql://postgres:hunter2@/x?host={tmp_path}"
    pens = Pens(partial(PostgresFactWriter, nobody, clock, 1), counters, clock, "tests")
    client = create_app(front(settings, lambda: [key()], pens, counters, clock)).test_client()
    record = {
        "source": "orum",
        "endpoint": "payouts",
        "event_type": "transfer.updated",
        "event_id": "evt_1",
        "received_at": to_us(clock.now()),
        "outcome": "succeeded",
    }

    ready = client.get("/readyz")
    sent = client.post("/api/v1/records", json=[record], headers={"Authorization": f"Bearer {TOKEN}"})

    assert (ready.status_code, sent.status_code) == (503, 503)
    (reason,) = ready.get_json()["reasons"]
    assert "the facts store is not reached" in reason
    assert int(sent.headers["Retry-After"]) > 0
    assert "hunter2" not in ready.text + sent.text
    assert client.get("/healthz").status_code == 200
    pens.close()
