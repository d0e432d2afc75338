"""The event index's runs: merged in steps, cut short anywhere, read meanwhile: each event is found once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import StoreFull
from monitor.store.facts.sqlite import event_runs
from monitor.store.facts.sqlite.event_runs import (
    LARGEST,
    SMALLEST_TIER,
    STEP_ENTRIES,
    Run,
    State,
    runs_to_merge,
)
from monitor.store.facts.sqlite.events import read_event
from monitor.store.facts.sqlite.file import create, open_for_writing
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.sqlite.event_index import (
    HOUR_US,
    Oracle,
    entries,
    put,
    settle,
    states,
    stepped,
)


def settled(writer: SqliteFactWriter) -> None:
    """Steps through the writer until there is nothing left to do."""
    while writer.merge_events():
        pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "facts.db")
    return tmp_path / "facts.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_for_writing(path)) as opened:
        yield opened


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """A reader's connection."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as opened:
        yield opened


def test_every_event_is_found_once_before_during_and_after_a_merge(
    db: sqlite3.Connection, other: sqlite3.Connection
) -> None:
    runs = [entries(20_000, run, hot=300) for run in range(8)]
    put(db, *runs)
    oracle, merge, again, steps = Oracle(*runs), None, True, 0
    other.execute("BEGIN")
    oracle.assert_found(other)
    with closing(sqlite3.connect(other.execute("PRAGMA database_list").fetchone()[2])) as early:
        early.execute("BEGIN")
        oracle.assert_found(early)  # a snapshot that stays
        other.execute("ROLLBACK")
        while again:
            db.execute("BEGIN IMMEDIATE")
            merge, again = event_runs.step(db, merge, 0)
            oracle.assert_found(other)  # not yet committed
            db.execute("COMMIT")
            oracle.assert_found(other)
            oracle.assert_found(early)
            steps += 1

    assert steps > 160_000 // STEP_ENTRIES
    assert states(db) == [State.LIVE]
    assert db.execute("SELECT entries, first_us, last_us FROM event_run").fetchall() == [
        (160_000, START_US, START_US + 7 * HOUR_US + 19_999 * HOUR_US // 20_000)
    ]
    assert db.execute("SELECT count(DISTINCT run), count(*) <= 830 FROM event_block").fetchone() == (1, 1)


def test_a_merge_cut_short_at_any_step_begins_again(db: sqlite3.Connection) -> None:
    runs = [entries(10_000, run) for run in range(8)]
    put(db, *runs)
    oracle = Oracle(*runs)
    for cut in range(4):
        merge, _ = stepped(db, None)
        for _ in range(cut):
            merge, _ = stepped(db, merge)
        assert merge is not None
        assert states(db).count(State.BUILDING) == 1
        oracle.assert_found(db)  # and now the process is killed: nobody knows of the merge

    settle(db)

    oracle.assert_found(db)
    assert states(db) == [State.LIVE]
    assert db.execute("SELECT count(DISTINCT run) FROM event_block").fetchone() == (1,)


def test_an_event_of_very_many_records_is_merged_in_steps_as_small(db: sqlite3.Connection) -> None:
    runs = [entries(30_000, run, hot=25_000) for run in range(8)]
    put(db, *runs)
    merge, again = stepped(db, None)
    most = 0
    while again:
        before = db.total_changes
        merge, again = stepped(db, merge)
        most = max(most, db.total_changes - before)

    assert most < 700  # rows: blocks written or deleted
    Oracle(*runs).assert_found(db)


def test_a_step_that_fails_ends_its_merge_and_the_next_one_succeeds(path: Path) -> None:
    writer = SqliteFactWriter(path, FakeClock())
    runs = [entries(20_000, run) for run in range(8)]
    put(writer._db, *runs)
    assert writer.merge_events()
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count={pages + 60}").fetchall()
    with pytest.raises(StoreFull):
        settled(writer)
    Oracle(*runs).assert_found(writer._db)
    writer._db.execute("PRAGMA max_page_count=1000000").fetchall()
    settled(writer)

    Oracle(*runs).assert_found(writer._db)
    assert states(writer._db) == [State.LIVE]
    writer.close()


def test_a_run_goes_once_all_its_records_are_below_the_floor(path: Path) -> None:
    writer = SqliteFactWriter(path, FakeClock())
    runs = [entries(5_000, run) for run in range(3)]
    put(writer._db, *runs)
    writer.raise_floor(START_US + HOUR_US, 100)
    assert states(writer._db) == [State.DEAD, State.LIVE, State.LIVE]
    settled(writer)

    assert states(writer._db) == [State.LIVE, State.LIVE]
    Oracle(*runs[1:]).assert_found(writer._db)
    writer.close()


def test_a_run_that_is_half_below_the_floor_is_written_anew_without_that_half(db: sqlite3.Connection) -> None:
    run = entries(10_000, 0)
    put(db, run)
    floor_us = START_US + HOUR_US * 6 // 10
    settle(db, floor_us)

    stamps = np.frombuffer(run["record_id"].tobytes(), dtype=">u8")[::2] >> 16
    Oracle(run[stamps >= floor_us // 1000]).assert_found(db)
    assert [kept.entries for kept in event_runs.live_runs(db)] == [4_000]
    assert settle(db, floor_us) == 1  # once


def test_records_purged_or_of_another_event_are_not_shown(path: Path) -> None:
    writer = SqliteFactWriter(path, FakeClock())
    records = [Made(n, START_US + n * 1000, event_id=f"evt_{n % 7}") for n in range(70)]
    for at in range(0, 70, 5):
        writer.append([batch_of(writer, records[at : at + 5])])
        writer.fold()
    settled(writer)
    late = Made(99, START_US + HOUR_US, event_id="evt_3")
    writer.append([batch_of(writer, [late])])

    while writer.raise_floor(START_US + 35_000, 10):
        pass

    assert ids_of(writer._db, "evt_3") == [*(made.record_id for made in records[38::7]), late.record_id]
    assert ids_of(writer._db, "evt_9") == []
    writer.close()


def ids_of(db: sqlite3.Connection, event_id: str) -> list[bytes]:
    return [row[0] for row in read_event(db, event_id)]


def test_eight_runs_of_one_tier_are_merged_the_oldest_first_up_to_the_largest_size() -> None:
    def runs(*sizes: int) -> list[Run]:
        return [Run(number, size, START_US, START_US) for number, size in enumerate(sizes)]

    assert runs_to_merge(runs(*[100] * 7), 0) == ()
    assert [run.run for run in runs_to_merge(runs(5_000, *[100] * 9), 0)] == list(range(1, 9))
    assert len(runs_to_merge(runs(1, 4_000, *[900] * 6), 0)) == 8
    assert len(runs_to_merge(runs(*[900_000] * 8), 0)) == LARGEST // 900_000
    assert runs_to_merge(runs(*[3_000_000] * 20), 0) == ()


@pytest.mark.parametrize("size", [1, 37, 5_000, 150_000])
def test_the_number_of_runs_stays_small_however_large_the_store(size: int) -> None:
    live: list[Run] = []
    merges = moved = 0
    for number in range(2_000):
        live.append(Run(number, size, START_US, START_US))
        while chosen := runs_to_merge(live, 0):
            whole = sum(run.entries for run in chosen)
            merges, moved = merges + 1, moved + whole
            live = [run for run in live if run not in chosen]
            live.append(Run(chosen[-1].run, whole, START_US, START_US))
            live.sort(key=lambda run: run.run)

    assert len(live) <= 7 * 4 + 2_000 * size / (LARGEST / 2)
    assert moved <= 4 * 2_000 * size + merges * SMALLEST_TIER
