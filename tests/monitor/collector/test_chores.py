"""What the writer does by the clock, with a clock that stands still."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import to_us
from monitor.collector.chores import Chores
from monitor.collector.counters import Counters, cleared
from monitor.collector.settings import CollectorSettings
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import START, FakeClock
from tests.monitor.store.facts.making import Made, batch_of

DAY_US = 86_400_000_000
SECOND = timedelta(seconds=1)


class Yard:
    """A store, its chores, and the clock that both look at."""

    def __init__(self, folder: Path, **given: int) -> None:
        self.settings = CollectorSettings(folder, bytes(32), **given)  # type: ignore[arg-type]
        self.clock = FakeClock()
        create(self.settings.facts_path)
        self.store = SqliteFactWriter(self.settings.facts_path, self.clock)
        counters = Counters(cleared(self.settings.counters_dir))
        self.chores = Chores(self.store, self.settings, counters, self.clock)

    def count(self, table: str) -> int:
        db = sqlite3.connect(self.settings.facts_path)
        try:
            found: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            return found
        finally:
            db.close()

    def put(self, *records: Made) -> None:
        self.store.append([batch_of(self.store, records)])

    def let_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.move(SECOND)
            self.chores.run_due()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path, retention_s=86_400)
    yield made
    made.store.close()


def test_deltas_are_folded_within_a_second(yard: Yard) -> None:
    yard.chores.run_due()
    yard.put(Made(1, to_us(START)))
    assert yard.count("delta") == 1
    assert yard.chores.wait_s() <= 1
    yard.let_pass(1)
    assert yard.count("delta") == 0


def test_the_event_index_is_kept_to_few_runs(yard: Yard) -> None:
    yard.chores.run_due()
    for number in range(20):
        yard.put(Made(number, to_us(START), event_id=f"evt_{number}"))
        yard.let_pass(1)
    yard.let_pass(3)
    assert yard.count("event_run WHERE state = 1") < 8
    assert yard.count("event_run WHERE state <> 1") == 0


def test_heartbeat_every_ten_seconds(yard: Yard) -> None:
    yard.chores.run_due()
    yard.let_pass(30)
    assert yard.count("heartbeat") == 4


def test_no_heartbeat_while_the_store_cannot_commit(yard: Yard) -> None:
    yard.chores.run_due()
    other = sqlite3.connect(yard.settings.facts_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yard.store._db.execute("PRAGMA busy_timeout=0").fetchall()
    yard.let_pass(30)
    other.execute("ROLLBACK")
    other.close()
    assert yard.count("heartbeat") == 1
    yard.let_pass(2)
    assert yard.count("heartbeat") == 2


def test_damaged_rollup_stops_the_fold_but_neither_ingest_nor_heartbeat(yard: Yard) -> None:
    yard.put(Made(1, to_us(START)))
    yard.chores.run_due()
    kept = yard.store._db.execute("SELECT counts FROM rollup WHERE grain = 3 AND series = 1").fetchone()
    yard.store._db.execute("UPDATE rollup SET counts = x'ff' WHERE grain = 3 AND series = 1")
    yard.put(Made(2, to_us(START)))
    yard.let_pass(20)
    assert (yard.count("delta"), yard.count("record"), yard.count("heartbeat")) == (1, 2, 3)

    yard.store._db.execute("UPDATE rollup SET counts = ? WHERE grain = 3 AND series = 1", kept)
    yard.let_pass(1)
    assert yard.count("delta") == 0


def test_records_go_when_their_time_is_over_and_never_come_back(yard: Yard) -> None:
    now_us = to_us(START)
    old, young = Made(1, now_us - DAY_US + 3_700_000_000), Made(2, now_us)
    yard.put(old, young)
    yard.let_pass(3_601)
    assert yard.count("record") == 2
    yard.let_pass(3_601)
    assert yard.count("record") == 1
    yard.put(old)
    assert yard.count("record") == 1


def test_budget_takes_the_oldest_first_and_ends(tmp_path: Path) -> None:
    yard = Yard(tmp_path, budget_bytes=1_000_000)
    start_us = to_us(START) - 10_000_000_000
    for part in range(10):
        yard.put(
            *(
                Made(part * 1000 + i, start_us + (part * 1000 + i) * 1000, event_id="x" * 120)
                for i in range(1000)
            )
        )
    yard.let_pass(60)
    left = yard.count("record")
    assert 0 < left < 10_000
    assert yard.store.used_bytes() <= 1_000_000
    oldest = yard.store.oldest_us(0)
    assert oldest is not None
    assert oldest >= yard.store.floor_us > start_us
    yard.let_pass(60)
    assert yard.count("record") == left
    yard.store.close()
