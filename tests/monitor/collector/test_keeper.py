"""The keeper on PostgreSQL: what it does by the clock, beside others, and while the database is away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from monitor.clock import to_us
from monitor.collector.counters import cleared
from monitor.collector.keeper import OpenStore, run
from monitor.collector.settings import CollectorSettings
from monitor.model import Grain
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import PAYOUTS, START_US, Made, batch_of

pytestmark = pytest.mark.postgres
HOUR_US = 3_600_000_000


@contextmanager
def kept(folder: Path, open_store: OpenStore, clock: FakeClock, name: str = "a") -> Iterator[None]:
    """A keeper runs while the block does."""
    settings = CollectorSettings(folder, bytes(32), name=name)
    cleared(settings.counters_dir)
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, open_store, clock, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    pause, left = threading.Event(), 1500
    while not true():
        assert (left := left - 1), "it never came to pass"
        pause.wait(0.01)


def asked(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as db:
        return db.execute(question).fetchall()


def test_days_are_prepared_and_the_heart_beats(postgres_url: str, tmp_path: Path) -> None:
    create(postgres_url)
    clock = FakeClock()

    with kept(tmp_path, partial(PostgresFactWriter, postgres_url, clock), clock, "here:8700"):
        until(lambda: bool(asked(postgres_url, "SELECT 1 FROM facts.heartbeat")))

    assert asked(postgres_url, "SELECT * FROM facts.heartbeat") == [("here:8700", to_us(clock.now()))]
    days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'facts.record'::regclass"
    assert asked(postgres_url, days) == [(8,)], "today and the seven days to come"


def test_what_was_stored_is_folded_once_however_many_keepers_run(postgres_url: str, tmp_path: Path) -> None:
    create(postgres_url)
    clock = FakeClock()
    opened = partial(PostgresFactWriter, postgres_url, clock)
    store, reader = opened(), PostgresFactReader(postgres_url)

    with kept(tmp_path / "a", opened, clock), kept(tmp_path / "b", opened, clock, "b"):
        for number in range(20):
            store.append([batch_of(store, [Made(number)])])
    assert asked(postgres_url, "SELECT * FROM facts.delta") == [], "a keeper that ends folds what is left"

    buckets = reader.rollups([PAYOUTS], Grain.HOUR, START_US - HOUR_US, START_US + HOUR_US)[PAYOUTS]
    assert sum(rollup.records() for rollup in buckets.values()) == 20
    store.close()
    reader.close()


def test_database_that_is_not_ready_at_the_start_is_waited_for(
    postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()

    with kept(tmp_path, partial(PostgresFactWriter, postgres_url, clock), clock):
        until(lambda: "not reached" in caplog.text)
        create(postgres_url)
        until(lambda: bool(asked(postgres_url, "SELECT 1 FROM facts.heartbeat")))


def test_keeper_ends_while_it_waits(tmp_path: Path) -> None:
    clock = FakeClock()
    nobody = f"postgresql://postgres@/x?host={tmp_path}"

    with kept(tmp_path, partial(PostgresFactWriter, nobody, clock, 1), clock):
        pass
