"""The count of all records anew finds each wrong rollup at its grain, and nothing where all is well."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from monitor.clock import from_us, to_us
from monitor.maintain.verify import Verified, verify
from monitor.model import Grain, Outcome, SeriesKey
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.protocol import FactReader
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import NOON, Filled, RecordFactory, mixed, sqlite_facts
from tests.monitor.clocks import FakeClock
from tests.postgres_facts import postgres_facts

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAYMENTS = SeriesKey("production", "stripe", "payments")
MINUTES = {Grain.MINUTE: 1, Grain.HOUR: 60, Grain.DAY: 1440}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Filled, SqliteFactReader]]:
    with sqlite_facts(tmp_path) as both:
        yield both


@pytest.fixture
def fill(opened: tuple[Filled, SqliteFactReader]) -> Filled:
    return opened[0]


@pytest.fixture
def reader(opened: tuple[Filled, SqliteFactReader]) -> SqliteFactReader:
    return opened[1]


def all_of(reader: FactReader) -> Verified:
    return verify(reader, NOON - 400 * DAY, NOON + 40 * DAY)


def tamper(folder: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(folder / "facts.db") as db:
        assert db.execute(statement, values).rowcount == 1
    db.close()


def copy_rollup(folder: Path, key: SeriesKey, grain: Grain, start: int, other: int) -> None:
    """Puts the rollup of another bucket of the same series in the place of one."""
    code = _code(folder, key)
    tamper(
        folder,
        "UPDATE rollup SET counts = (SELECT counts FROM rollup WHERE series = ? AND grain = ? AND start = ?)"
        " WHERE series = ? AND grain = ? AND start = ?",
        *(code, int(grain), other),
        *(code, int(grain), start),
    )


def _code(folder: Path, key: SeriesKey) -> int:
    reader = SqliteFactReader(folder / "facts.db")
    codes = {found: code for code, found in reader.series().items()}
    reader.close()
    return codes[key]


@pytest.mark.parametrize("folded", [0, 1, 2])
def test_rollups_of_every_grain_agree_with_the_records(
    fill: Filled, reader: SqliteFactReader, folded: int
) -> None:
    for seed in range(3):
        fill.add(mixed(300, seed=seed + 1, start=NOON + seed * DAY, over=30 * HOUR))
        if folded > (seed == 2):
            fill.writer.fold()

    found = all_of(reader)

    assert (found.differing, found.differences, found.moved) == (0, [], 0)
    assert found.records == 900
    assert found.places > 900


def test_an_empty_store_has_nothing_to_differ(reader: SqliteFactReader) -> None:
    assert all_of(reader) == Verified()


@pytest.mark.parametrize("grain", [Grain.MINUTE, Grain.HOUR, Grain.DAY])
def test_a_wrong_rollup_is_named_at_its_grain(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path, grain: Grain
) -> None:
    make = RecordFactory()
    fill.add([make(at=NOON) for _ in range(3)])
    fill.add([make(at=NOON + 49 * HOUR) for _ in range(5)])
    fill.writer.fold()
    width = MINUTES[grain]
    first, second = (to_us(at) // 60_000_000 // width * width for at in (NOON, NOON + 49 * HOUR))
    copy_rollup(tmp_path, PAYMENTS, grain, first, second)

    found = all_of(reader)

    named = {(one.grain, one.start_at): one for one in found.differences if one.series == PAYMENTS}
    one = named[grain, from_us(first * 60_000_000)]
    assert (one.what, one.counted, one.stored) == ("records", 3, 5)
    wider = [each for each in named if each != (grain, one.start_at)]
    assert {each[0] for each in wider} <= {Grain(grain + 1)}  # what it was summed into differs from it too
    assert {each.series for each in found.differences} == {PAYMENTS}


def test_a_wrong_sum_of_all_there_ever_was_is_found(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path
) -> None:
    make = RecordFactory()
    fill.add([make(at=NOON), make(at=NOON, endpoint="refunds"), make(at=NOON, endpoint="refunds")])
    fill.writer.fold()
    refunds = _code(tmp_path, SeriesKey("production", "stripe", "refunds"))
    tamper(
        tmp_path,
        "UPDATE rollup SET counts = (SELECT counts FROM rollup WHERE series = ? AND grain = 3)"
        " WHERE series = ? AND grain = 3",
        refunds,
        _code(tmp_path, PAYMENTS),
    )

    (one,) = all_of(reader).differences

    assert (one.series, one.grain, one.what, one.counted, one.stored) == (
        PAYMENTS,
        Grain.EVER,
        "records",
        1,
        2,
    )


@pytest.mark.parametrize(
    ("column", "what"),
    [("process", "counts"), ("lows", "lowest"), ("highs", "highest"), ("exemplars", "examples")],
)
def test_a_difference_that_leaves_the_number_of_records_is_found_too(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path, column: str, what: str
) -> None:
    make = RecordFactory()
    fill.add([make(Outcome.FAILED, NOON, process_ms=10.0), make(at=NOON + 3 * MINUTE, process_ms=500.0)])
    fill.writer.fold()
    code, start = _code(tmp_path, PAYMENTS), to_us(NOON) // 60_000_000
    tamper(
        tmp_path,
        f"UPDATE rollup SET {column} ="
        f" (SELECT {column} FROM rollup WHERE series = ? AND grain = 0 AND start = ?)"
        " WHERE series = ? AND grain = 0 AND start = ?",
        *(code, start + 3),
        *(code, start),
    )

    found = {(one.grain, one.what) for one in all_of(reader).differences}

    assert (Grain.MINUTE, what) in found


def test_a_record_that_vanished_is_missed_at_every_level(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path
) -> None:
    make = RecordFactory()
    lost = make(at=NOON + 2 * MINUTE)
    fill.add([make(at=NOON), lost])
    fill.writer.fold()
    tamper(tmp_path, "DELETE FROM record WHERE record_id = ?", lost.record_id.bytes)

    found = all_of(reader)

    minutes = [one for one in found.differences if one.what == "records"]
    assert {(one.grain, one.start_at, one.counted, one.stored) for one in minutes} == {
        (Grain.MINUTE, NOON + 2 * MINUTE, 0, 1)
    }
    assert len({one.series for one in minutes}) == 4
    assert found.records == 1


@pytest.mark.parametrize("lost", [0, 1])
def test_a_receipt_whose_record_lies_hours_later_is_counted_and_missed(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path, lost: int
) -> None:
    make = RecordFactory()
    accepted = make.delivery(Outcome.ACCEPTED, NOON, event_id="evt_1")
    ended = make(at=NOON + 26 * HOUR, event_id="evt_1", received_at=accepted.received_at)
    fill.add([accepted])
    fill.add([ended])
    fill.writer.fold()
    assert all_of(reader).differences == []

    gone = (accepted, ended)[lost]
    tamper(tmp_path, "DELETE FROM record WHERE record_id = ?", gone.record_id.bytes)

    found = {(one.start_at, one.what, one.counted, one.stored) for one in all_of(reader).differences}
    minute = accepted.received_at.replace(second=0, microsecond=0)
    assert (minute, ("accepted by receipt", "ended by receipt")[lost], 0, 1) in found


def test_a_receipt_counted_too_often_is_found_though_its_hour_was_even(
    fill: Filled, reader: SqliteFactReader, tmp_path: Path
) -> None:
    make = RecordFactory()
    fill.add([make(at=NOON + MINUTE)])
    fill.writer.fold()
    with sqlite3.connect(tmp_path / "facts.db") as db:
        rollups = db.execute("SELECT * FROM rollup").fetchall()
    fill.add([make(at=NOON + 5 * HOUR, received_at=NOON + MINUTE - timedelta(milliseconds=100))])
    fill.writer.fold()
    minute = to_us(NOON) // 60_000_000
    with sqlite3.connect(tmp_path / "facts.db") as db:  # the receipt's minute as it was before the second
        for row in rollups:
            if row[1] == 0 and row[2] == minute:
                db.execute(
                    "DELETE FROM rollup WHERE series = ? AND grain = 0 AND start = ?", (row[0], minute)
                )
                db.execute(f"INSERT INTO rollup VALUES ({','.join('?' * len(row))})", row)
    db.close()

    found = {
        (one.grain, one.start_at, one.what, one.counted, one.stored) for one in all_of(reader).differences
    }

    assert (Grain.MINUTE, NOON, "ended by receipt", 2, 1) in found


def test_what_is_purged_is_left_out_and_the_rest_still_agrees(fill: Filled, reader: SqliteFactReader) -> None:
    records = mixed(900, over=60 * HOUR)
    fill.add(records)
    fill.writer.fold()
    for floor_at in (NOON + 20 * HOUR, NOON + 41 * HOUR + timedelta(minutes=12, seconds=7)):
        while fill.writer.raise_floor(to_us(floor_at), 500):
            pass
        for pruned in (False, True):
            if pruned:
                fill.writer.prune()
            found = all_of(reader)
            whole_from = floor_at + (-(floor_at - NOON)) % MINUTE
            assert (found.differences, found.moved) == ([], 0)
            assert found.records == sum(record.recorded_at >= whole_from for record in records)


def test_a_range_is_widened_to_whole_hours_and_nothing_else_is_read(
    fill: Filled, reader: SqliteFactReader
) -> None:
    records = mixed(600, over=30 * HOUR)
    fill.add(records)

    found = verify(reader, NOON + 5 * HOUR + MINUTE, NOON + 8 * HOUR - MINUTE)

    assert found.differences == []
    assert found.records == sum(5 * HOUR <= r.recorded_at - NOON < 8 * HOUR for r in records)


def test_hours_past_their_time_leave_days_to_be_held_against_ever(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, _):
        fill.add(mixed(300, over=5 * DAY))
    now = NOON + 402 * DAY
    writer, reader = (
        SqliteFactWriter(tmp_path / "facts.db", FakeClock(now)),
        SqliteFactReader(tmp_path / "facts.db"),
    )
    writer.fold()
    while writer.raise_floor(to_us(NOON + 10 * DAY), 500):
        pass
    writer.prune()

    found = verify(reader, NOON - DAY, now)

    assert (found.records, found.differences) == (0, [])
    assert found.places > 0
    tamper(
        tmp_path,
        "DELETE FROM rollup WHERE grain = 2 AND start = ? AND series = ?",
        to_us(NOON + DAY) // 60_000_000 // 1440 * 1440,
        _code(tmp_path, PAYMENTS),
    )
    assert {one.grain for one in verify(reader, NOON - DAY, now).differences} == {Grain.EVER}
    reader.close()
    writer.close()


class Busy:
    """Reads as the store does, and stores, folds and purges a little before each reading."""

    def __init__(self, fill: Filled, reader: FactReader) -> None:
        self._fill, self._reader, self._turn = fill, reader, 0

    def __getattr__(self, name: str) -> object:
        self._turn += 1
        seed = self._turn + 100
        self._fill.add(mixed(3, seed=seed, start=NOON + self._turn % 7 * HOUR, over=HOUR))
        if self._turn % 5 == 0:
            self._fill.writer.fold()
        if self._turn % 11 == 0:
            self._fill.writer.raise_floor(to_us(NOON + self._turn // 22 * 20 * MINUTE), 500)
            self._fill.writer.prune()
        return getattr(self._reader, name)


def test_ingest_and_purging_meanwhile_are_no_differences(fill: Filled, reader: SqliteFactReader) -> None:
    fill.add(mixed(400, over=7 * HOUR))
    busy: FactReader = Busy(fill, reader)  # type: ignore[assignment]  # every method is the reader's own

    found = verify(busy, NOON - DAY, NOON + DAY)

    assert found.differences == []
    assert found.moved > 0
    assert verify(reader, NOON - DAY, NOON + DAY).differences == []


def test_hours_are_ticked_off(fill: Filled, reader: SqliteFactReader) -> None:
    fill.add(mixed(50, over=3 * HOUR))
    ticks: list[tuple[int, int]] = []

    verify(reader, NOON, NOON + 3 * HOUR, ticks=lambda done, more: ticks.append((done, more)))

    assert (sum(done for done, _ in ticks), sum(more for _, more in ticks)) == (3, 3)


@pytest.mark.postgres
def test_postgresql_is_counted_again_alike(postgres_url: str) -> None:
    records = mixed(600, over=30 * HOUR)
    create(postgres_url)
    with postgres_facts(postgres_url) as (fill, reader):
        fill.add(records[:400])
        fill.writer.fold()
        fill.add(records[400:])
        whole = all_of(reader)
        with psycopg.connect(postgres_url) as db:
            db.execute("DELETE FROM facts.record WHERE record_id = %s", (records[7].record_id,))
        cut = all_of(reader)

    assert (whole.records, whole.differences, whole.moved) == (600, [], 0)
    assert cut.records == 599
    minute = records[7].recorded_at.replace(second=0, microsecond=0)
    assert {(one.grain, one.start_at) for one in cut.differences if one.what == "records"} == {
        (Grain.MINUTE, minute)
    }
