import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.errors import ConfigError, Conflict, StoreFull, WrongSchema
from monitor.model import SeriesKey
from monitor.store.facts.protocol import Batch, ClientCounts
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.recounting import comparable, recount, stored_figures

DAY_US = 86_400_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    created = tmp_path / "facts.db"
    create(created, "store-1")
    return created


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteFactWriter]:
    opened = SqliteFactWriter(path, FakeClock())
    yield opened
    opened.close()


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def some(count: int, first: int = 0) -> list[Made]:
    return [Made(first + i, START_US + 1000 * i, event_id=f"evt_{first + i}") for i in range(count)]


def assert_counted(path: Path, records: list[Made]) -> None:
    assert stored_figures(path) == {place: comparable(f) for place, f in recount(records).items()}


def test_records_are_on_disk_and_counted_when_append_returns(path: Path, writer: SqliteFactWriter) -> None:
    done = writer.append([batch_of(writer, some(250))])

    assert (done[0].accepted, done[0].duplicates) == (250, 0)
    assert rows(path, "SELECT count(*) FROM record") == [(250,)]
    assert_counted(path, some(250))


def test_duplicates_within_a_batch_and_across_the_group_change_nothing(
    path: Path, writer: SqliteFactWriter
) -> None:
    first, second = some(10), some(10, first=5)
    done = writer.append([batch_of(writer, [*first, first[3]]), batch_of(writer, second)])

    assert [(a.accepted, a.duplicates) for a in done] == [(10, 1), (10, 0)]  # other times, so other ids
    again = writer.append([batch_of(writer, first), batch_of(writer, [*second, Made(99)])])
    assert [(a.accepted, a.duplicates) for a in again] == [(0, 10), (1, 10)]
    assert_counted(path, [*first, *second, Made(99)])


def test_first_copy_of_a_record_wins(path: Path, writer: SqliteFactWriter) -> None:
    one = Made(1, outcome="failed")
    writer.append([batch_of(writer, [one, replace(one, outcome="succeeded")])])
    writer.append([batch_of(writer, [replace(one, outcome="accepted")])])

    assert rows(path, "SELECT outcome FROM record") == [(2,)]
    assert_counted(path, [one])


def test_fold_moves_counts_and_changes_no_sum(path: Path, writer: SqliteFactWriter) -> None:
    records = [Made(i, START_US + i * 61_000_000, durations=(None, 5, i, 7, 9)) for i in range(200)]
    writer.append([batch_of(writer, records[:100])])
    assert writer.fold() == 100
    writer.append([batch_of(writer, records[100:])])
    assert_counted(path, records)
    assert writer.fold() == 100
    assert writer.fold() == 0

    assert rows(path, "SELECT count(*) FROM delta") == [(0,)]
    assert_counted(path, records)


def test_a_fold_is_bounded_and_leaves_the_rest_to_the_next(path: Path, writer: SqliteFactWriter) -> None:
    batch = batch_of(writer, some(1))
    many = np.repeat(batch.deltas, 60_000)
    for _ in range(3):
        writer._db.execute("INSERT INTO delta (items) VALUES (?)", (many.tobytes(),))

    assert [writer.fold() for _ in range(4)] == [60_000, 60_000, 60_000, 0]


def test_store_reopens_with_its_names_and_floor(path: Path) -> None:
    first = SqliteFactWriter(path, FakeClock())
    first.append([batch_of(first, some(3))])
    first.raise_floor(START_US - DAY_US, 100)
    codes = first.intern_series([Made(0).key], 0)
    first.close()

    second = SqliteFactWriter(path, FakeClock())
    assert second.intern_series([Made(0).key], 1) == codes
    assert second.floor_us == START_US - DAY_US
    second.append([batch_of(second, some(3, first=9))])
    second.close()
    assert rows(path, "SELECT count(*) FROM record") == [(6,)]


def test_record_below_the_floor_is_refused_alone_and_never_counted_again(
    path: Path, writer: SqliteFactWriter
) -> None:
    old, new = Made(1, START_US - DAY_US), Made(2, START_US + DAY_US)
    writer.append([batch_of(writer, [old, new])])
    writer.fold()
    before = rows(path, "SELECT counts FROM rollup WHERE grain = 3")

    while writer.raise_floor(START_US, 1):
        pass
    writer.prune()
    done = writer.append([batch_of(writer, [old, new, Made(3, START_US + DAY_US)])])

    assert (done[0].accepted, done[0].duplicates, list(done[0].too_old)) == (1, 1, [0])
    assert rows(path, "SELECT count(*) FROM record") == [(2,)]
    assert rows(path, "SELECT count(*) FROM rollup WHERE grain = 0 AND start < 29916666") == [(0,)]
    assert rows(path, "SELECT counts FROM rollup WHERE grain = 3") == before


def test_purging_takes_bounded_steps(path: Path, writer: SqliteFactWriter) -> None:
    records = some(25)
    writer.append([batch_of(writer, records, captures={3: b"sealed"})])

    left = []
    while writer.raise_floor(START_US + DAY_US, 10):
        left.append(rows(path, "SELECT count(*) FROM record")[0][0])
    assert left == [15, 5]
    assert rows(path, "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM capture)") == [(0,)]


def test_a_record_that_cannot_be_stored_takes_no_neighbour_with_it(
    path: Path, writer: SqliteFactWriter
) -> None:
    good, other = batch_of(writer, some(3)), batch_of(writer, some(3, first=10))
    poisoned = Batch([good.rows[0], (*good.rows[1][:3], 2**70, *good.rows[1][4:]), good.rows[2]], good.deltas)
    hollow = Batch(
        [other.rows[0], (*other.rows[1][:1], None, *other.rows[1][2:]), other.rows[2]], other.deltas
    )

    done = writer.append([poisoned, hollow])

    assert [(a.accepted, a.duplicates, list(a.unstorable)) for a in done] == [(2, 0, [1]), (2, 0, [1])]
    assert_counted(path, [some(3)[0], some(3)[2], some(3, first=10)[0], some(3, first=10)[2]])


def test_full_disk_refuses_the_batch_and_keeps_what_was_stored(path: Path, writer: SqliteFactWriter) -> None:
    writer.append([batch_of(writer, some(10))])
    full = batch_of(writer, [replace(r, event_id="x" * 200) for r in some(5000, first=100)])
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count={pages}").fetchall()

    with pytest.raises(StoreFull, match="disk"):
        writer.append([full])

    assert_counted(path, some(10))
    writer._db.execute("PRAGMA max_page_count=1000000").fetchall()
    assert writer.append([full])[0].accepted == 5000


def test_only_inserted_records_feed_control_and_the_first_capture_stays(
    path: Path, writer: SqliteFactWriter
) -> None:
    letter = Made(1, outcome="dead_lettered", event_id="evt_1")
    retry = Made(2, START_US + 5_000, outcome="dead_lettered", event_id="evt_1")
    writer.append([batch_of(writer, [letter], fed=[(0,)], captures={0: b"first"})])
    writer.append([batch_of(writer, [letter, retry], fed=[(0,), (1,)], captures={0: b"other", 1: b"second"})])

    assert rows(path, "SELECT record_id FROM feed ORDER BY seq") == [(letter.record_id,), (retry.record_id,)]
    assert rows(path, "SELECT sealed FROM capture") == [(b"first",)]


def test_feed_rows_are_kept_fourteen_days_by_when_they_were_written(path: Path) -> None:
    clock = FakeClock()
    writer = SqliteFactWriter(path, clock)
    ancient = Made(1, START_US - 90 * DAY_US, outcome="dead_lettered")
    writer.append([batch_of(writer, [ancient], fed=[(0,)])])
    kept = []
    for _ in range(17):
        writer.prune()
        clock.move(timedelta(days=1))
        kept.append(rows(path, "SELECT count(*) FROM feed")[0][0])
    writer.close()

    assert kept == [1] * 14 + [0] * 3


def test_counts_of_a_client_never_fall(path: Path, writer: SqliteFactWriter) -> None:
    late = ClientCounts("app", "1.0", "host-1", 5, 100, 3, 10, 1, {"full": 4}, {"inbox": 1})
    early = replace(late, seen_at_us=50, produced=7, dropped={"full": 2, "encoding": 1}, state={})
    for client in (late, early):
        writer.append([batch_of(writer, [], client=client)])

    (found,) = rows(path, "SELECT produced, seen_at_us, dropped, state FROM client")
    assert found[:2] == (10, 100)
    assert msgspec.msgpack.decode(found[2]) == {"full": 4, "encoding": 1}
    assert msgspec.msgpack.decode(found[3]) == {"inbox": 1, "dropped_at_us": 100}


def test_samples_probes_and_heartbeats_are_stored_once(path: Path, writer: SqliteFactWriter) -> None:
    code = writer.intern_series([SeriesKey("production", "orum", "payouts")], 0)[
        SeriesKey("production", "orum", "payouts")
    ]
    sample = (code, "inbox", START_US, 12, None)
    probe = (code, "http", START_US, 1, 200, 1500, None, None, None, None)

    assert (writer.append_queues([sample, sample]), writer.append_queues([sample])) == (1, 0)
    assert (writer.append_probes([probe]), writer.append_probes([probe])) == (1, 0)
    writer.heartbeat("a", START_US)
    writer.heartbeat("a", START_US)
    assert rows(path, "SELECT * FROM heartbeat") == [("a", START_US)]


def test_second_writer_is_refused_and_hears_who_holds_the_store(path: Path, writer: SqliteFactWriter) -> None:
    with pytest.raises(Conflict, match=f"process {os.getpid()}"):
        SqliteFactWriter(path, FakeClock())


def test_store_of_another_version_names_the_command_to_run(path: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        SqliteFactWriter(tmp_path / "absent.db", FakeClock())
    for version, words in ((0, "hookvitals db upgrade"), (2, "later")):
        db = sqlite3.connect(path)
        db.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version,))
        db.commit()
        db.close()
        with pytest.raises(WrongSchema, match=words):
            SqliteFactWriter(path, FakeClock())


def test_made_again_while_it_is_written_a_store_keeps_its_id(path: Path, writer: SqliteFactWriter) -> None:
    create(path, "store-2")

    assert rows(path, "SELECT value FROM meta WHERE key = 'store_id'") == [("store-1",)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_directory_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(ConfigError, match="data_dir"):
        create(tmp_path / "file" / "facts.db")
