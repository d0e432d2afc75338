"""What is particular to reading SQLite: bounded scans, its indexes, its errors, its threads."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from monitor.clock import to_us
from monitor.errors import Unavailable, WrongSchema
from monitor.model import TROUBLED, Outcome, Record, SeriesKey
from monitor.store.facts.protocol import RecordFilter
from monitor.store.facts.reading.pages import Bounds, read_page
from monitor.store.facts.record_rows import first_id_at
from monitor.store.facts.sqlite.file import create
from monitor.store.facts.sqlite.pages import SqliteLanes
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.schema import TROUBLE
from tests.facts import NOON, Filled, RecordFactory, mixed, sqlite_facts

HOUR = timedelta(hours=1)
EVERYTHING = SeriesKey("production")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Filled, SqliteFactReader]]:
    with sqlite_facts(tmp_path) as both:
        yield both


@pytest.fixture
def db(opened: tuple[Filled, SqliteFactReader], tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection to the store's file."""
    found = sqlite3.connect(tmp_path / "facts.db")
    yield found
    found.close()


@pytest.mark.parametrize("outcomes", [(), (Outcome.FAILED, Outcome.DEAD_LETTERED), (Outcome.SUCCEEDED,)])
@pytest.mark.parametrize("scanned", [1, 7, 64])
def test_a_small_bound_on_the_scan_loses_nothing(
    opened: tuple[Filled, SqliteFactReader],
    db: sqlite3.Connection,
    outcomes: tuple[Outcome, ...],
    scanned: int,
) -> None:
    records = mixed(200, over=HOUR)
    opened[0].add(records)
    route = next(c for c, k in opened[1].series().items() if k.event_type == "invoice.paid")

    found: list[bytes] = []
    before: bytes | None = b"\xff" * 16
    while before is not None:
        bounds = Bounds(bytes(16), before, [route], outcomes)
        rows, before = read_page(SqliteLanes(db), bounds, 5, scanned)
        assert len(rows) <= 5
        found += [row[0] for row in rows]

    assert found == wanted_ids(records, opened[1].series()[route], outcomes)


def wanted_ids(records: list[Record], key: SeriesKey, outcomes: tuple[Outcome, ...]) -> list[bytes]:
    inside = [
        record.record_id.bytes
        for record in records
        if SeriesKey(record.environment, record.source, record.endpoint, record.event_type) == key
        and (not outcomes or record.outcome in outcomes)
    ]
    return sorted(inside, reverse=True)


def test_a_page_that_met_its_bound_says_where_to_go_on(
    opened: tuple[Filled, SqliteFactReader], db: sqlite3.Connection
) -> None:
    make = RecordFactory()
    opened[0].add([make(at=NOON - HOUR, source="orum"), *(make() for _ in range(10))])
    (route,) = (c for c, k in opened[1].series().items() if k.source == "orum" and k.event_type)

    rows, before = read_page(SqliteLanes(db), Bounds(bytes(16), b"\xff" * 16, [route]), 5, 10)
    assert (rows, before) == ([], first_of(opened[1]).bytes)
    rows, before = read_page(SqliteLanes(db), Bounds(bytes(16), before or b"", [route]), 5, 10)
    assert (len(rows), before) == (1, None)


def first_of(reader: SqliteFactReader) -> UUID:
    """The id of the oldest record of stripe."""
    return reader.page(RecordFilter(source="stripe"), 100).records[-1].record_id


def test_a_filter_may_stand_for_any_number_of_routes(
    opened: tuple[Filled, SqliteFactReader], db: sqlite3.Connection
) -> None:
    opened[0].add(mixed(50, over=HOUR))

    rows, _ = read_page(
        SqliteLanes(db), Bounds(bytes(16), b"\xff" * 16, range(100_000), errors=range(100_000)), 100
    )

    assert len(rows) == 50


def test_an_id_bound_takes_the_whole_millisecond() -> None:
    assert first_id_at(5_000) == (5).to_bytes(6, "big") + bytes(10)
    assert first_id_at(5_001) == (6).to_bytes(6, "big") + bytes(10)


def test_no_question_of_a_screen_walks_a_table(
    opened: tuple[Filled, SqliteFactReader], db: sqlite3.Connection
) -> None:
    """SQLite's plan for each statement of the page and event queries names an index or the primary key."""
    opened[0].add(mixed(50, over=HOUR))
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    for outcomes in ((), (Outcome.FAILED,)):
        read_page(SqliteLanes(db), Bounds(bytes(16), b"\xff" * 16, None, outcomes), 5)
    db.set_trace_callback(None)

    plans = [
        row[3]
        for text in statements
        for row in db.execute(f"EXPLAIN QUERY PLAN {text}")
        if "record" in row[3]
    ]
    assert plans
    assert all(plan.startswith("SEARCH") for plan in plans)
    assert any("record_trouble" in plan for plan in plans)


def test_a_store_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    reader = SqliteFactReader(tmp_path / "none.db")

    with pytest.raises(Unavailable, match=r"no facts store at .*none\.db .*hookvitals db upgrade"):
        reader.store_id()
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    path.write_bytes(b"not a database, but long enough to look at" * 100)

    with pytest.raises(Unavailable, match="cannot be read"):
        SqliteFactReader(path).store_id()


def test_another_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    create(path)
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = 99 WHERE key = 'schema_version'")
    db.commit()
    db.close()

    with pytest.raises(WrongSchema, match="99"):
        SqliteFactReader(path).floor_us()


def test_a_closed_reader_says_so(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (_, reader):
        reader.close()

        with pytest.raises(Unavailable, match="closed"):
            reader.floor_us()


def test_a_reader_cannot_write(opened: tuple[Filled, SqliteFactReader]) -> None:
    with (
        pytest.raises(Unavailable, match="readonly"),
        opened[1]._snapshots.read() as db,
    ):
        db.execute("DELETE FROM record")


def test_a_store_is_read_without_its_writer(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, _):
        fill.add(mixed(20, over=HOUR))
    reader = SqliteFactReader(tmp_path / "facts.db")

    assert reader.ever([EVERYTHING])[EVERYTHING].records() == 20
    reader.close()


def test_threads_share_a_reader_and_learn_new_names(opened: tuple[Filled, SqliteFactReader]) -> None:
    fill, reader = opened
    make = RecordFactory()
    counts: list[int] = []

    def count() -> None:
        counts.append(sum(r.records() for r in reader.ever(list(reader.series().values())).values()))

    for n in range(3):
        fill.add([make(source=f"source{n}")])
        one = threading.Thread(target=count)
        one.start()
        one.join()

    assert counts == [4, 8, 12]  # environment, source, endpoint, type: each record counts in four series


def test_one_read_is_one_snapshot(opened: tuple[Filled, SqliteFactReader]) -> None:
    fill, reader = opened
    make = RecordFactory()
    fill.add([make()])
    with reader._snapshots.read() as db:
        before = db.execute("SELECT count(*) FROM record").fetchone()
        fill.add([make()])
        fill.writer.fold()
        assert db.execute("SELECT count(*) FROM record").fetchone() == before
    assert reader.ever([EVERYTHING])[EVERYTHING].records() == 2


def test_a_record_over_a_cap_is_shown_by_its_own_text(opened: tuple[Filled, SqliteFactReader]) -> None:
    fill, reader = opened
    make = RecordFactory()
    fill.add([make(Outcome.FAILED, error_class=f"Error{n}") for n in range(201)])

    names = set(reader.error_names(list(reader.ever([EVERYTHING])[EVERYTHING].errors())).values())

    assert len(names) == 201
    assert "__other__" in names
    page = reader.page(RecordFilter(error_class="__other__", until_us=to_us(NOON + HOUR)), 10)
    assert [record.error_class for record in page.records] == ["Error200"]


def test_the_index_of_trouble_holds_the_troubled_outcomes_and_no_other(db: sqlite3.Connection) -> None:
    found = [
        outcome
        for outcome in Outcome
        if db.execute(f"SELECT {TROUBLE} FROM (SELECT ? AS outcome)", (outcome.code,)).fetchone()[0]
    ]

    assert set(found) == set(TROUBLED)
