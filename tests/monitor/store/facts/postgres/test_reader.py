"""What is particular to reading PostgreSQL: its refusals, its replica, its plans."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from monitor.errors import Unavailable, WrongSchema
from monitor.model import OUTCOMES, Outcome, SeriesKey
from monitor.store.facts.postgres.pages import PostgresLanes
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.rows import rows
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.reading.pages import LAST_ID, Bounds, read_page
from tests.facts import RecordFactory, mixed, route_of
from tests.postgres import Postgres, database
from tests.postgres_facts import postgres_facts

pytestmark = pytest.mark.postgres


@pytest.fixture
def reader(postgres_url: str) -> Iterator[PostgresFactReader]:
    """A reader of a database; the tests say what is in it."""
    opened = PostgresFactReader(postgres_url)
    yield opened
    opened.close()


def test_a_database_without_facts_says_what_to_run(reader: PostgresFactReader) -> None:
    with pytest.raises(WrongSchema, match=r"no facts in this PostgreSQL .*hookvitals db upgrade"):
        reader.store_id()


def test_another_schema_is_refused_with_what_to_do(postgres_url: str, reader: PostgresFactReader) -> None:
    create(postgres_url)
    with psycopg.connect(postgres_url) as db:
        db.execute("UPDATE facts.meta SET value = '99' WHERE key = 'schema_version'")

    for _ in range(2):  # a refusal is not forgotten
        with pytest.raises(WrongSchema, match=r"schema 99.*a later one"):
            reader.floor_us()


def test_a_reader_goes_on_once_the_facts_are_made(postgres_url: str, reader: PostgresFactReader) -> None:
    with pytest.raises(WrongSchema):
        reader.store_id()
    create(postgres_url, "made later")

    assert reader.store_id() == "made later"


def test_a_closed_reader_says_so(postgres_url: str, reader: PostgresFactReader) -> None:
    create(postgres_url)
    reader.close()

    with pytest.raises(Unavailable, match="closed"):
        reader.floor_us()


def test_a_reader_cannot_write(postgres_url: str, reader: PostgresFactReader) -> None:
    create(postgres_url)

    with pytest.raises(Unavailable, match="read-only"), reader._primary.read() as db:
        rows(db, "DELETE FROM facts.record RETURNING 1")


def test_the_primary_is_asked_for_what_control_acts_on(postgres: Postgres, postgres_url: str) -> None:
    """Two stores stand for a primary and a copy that lags behind it."""
    with database(postgres) as replica_url:
        create(postgres_url, "primary")
        create(replica_url, "replica")
        with psycopg.connect(replica_url) as db:
            db.execute("INSERT INTO facts.series VALUES (1, 0, 'production', '', '', '', 0)")
            db.execute("UPDATE facts.meta SET value = '5' WHERE key = 'floor_us'")
        reader = PostgresFactReader(postgres_url, replica_url)

        assert (reader.store_id(), reader.floor_us()) == ("primary", 0)
        assert reader.series() == {1: SeriesKey("production")}
        reader.close()


def test_one_read_is_one_snapshot(postgres_url: str) -> None:
    create(postgres_url)
    make = RecordFactory()
    with postgres_facts(postgres_url) as (fill, reader):
        fill.add([make()])
        with reader._primary.read() as db:
            before = rows(
                db, "SELECT (SELECT count(*) FROM facts.record), (SELECT count(*) FROM facts.delta)"
            )
            fill.add([make()])
            fill.writer.fold()
            assert before == [(1, 1)]
            assert before == rows(
                db, "SELECT (SELECT count(*) FROM facts.record), (SELECT count(*) FROM facts.delta)"
            )
        assert reader.ever([SeriesKey("production")])[SeriesKey("production")].records() == 2


def test_more_threads_than_connections_share_a_reader(postgres_url: str) -> None:
    create(postgres_url)
    make = RecordFactory()
    keys = [SeriesKey("production", f"source{number}") for number in range(12)]
    with postgres_facts(postgres_url) as (fill, reader):
        fill.add([make(source=key.source) for key in keys])
        with ThreadPoolExecutor(12) as threads:
            found = list(threads.map(lambda key: reader.ever([key])[key].records(), keys * 5))
    assert found == [1] * 60


@pytest.mark.parametrize("outcomes", [(), (Outcome.FAILED, Outcome.DEAD_LETTERED), (Outcome.SUCCEEDED,)])
def test_a_small_bound_on_the_scan_loses_nothing(postgres_url: str, outcomes: tuple[Outcome, ...]) -> None:
    create(postgres_url)
    records = mixed(200, over=timedelta(days=2))
    with postgres_facts(postgres_url) as (fill, reader):
        fill.add(records)
        route, key = next((c, k) for c, k in reader.series().items() if k.event_type == "invoice.paid")
        own = [record for record in records if route_of(record) == key]
        wanted = [record.record_id.bytes for record in own if record.outcome in (outcomes or OUTCOMES)]
        for scanned in (1, 7, 64):
            found: list[bytes] = []
            before: bytes | None = LAST_ID
            while before is not None:
                with reader._primary.read() as db:
                    bounds = Bounds(bytes(16), before, [route], outcomes)
                    page, before = read_page(PostgresLanes(db), bounds, 5, scanned)
                assert len(page) <= 5
                found += [row[0] for row in page]

            assert found == sorted(wanted, reverse=True)


def test_the_feed_counts_transactions_as_numbers(postgres_url: str) -> None:
    """9 is before 10, whatever their letters say; and a restored feed, which is 0, before both."""
    create(postgres_url)
    make = RecordFactory()
    dead = [make(Outcome.DEAD_LETTERED) for _ in range(4)]
    with postgres_facts(postgres_url) as (fill, reader):
        for record in dead:
            fill.add([record])
        with psycopg.connect(postgres_url) as db:
            for record, xid in zip(dead, ("100", "9", "0", "10"), strict=True):
                db.execute(
                    "UPDATE facts.feed SET xid = %s::xid8 WHERE record_id = %s", (xid, record.record_id)
                )

        told, mark = [], (0, 0)
        while found := reader.feed(*mark, 1):
            told.append((found[0].xid, found[0].record))
            mark = (found[0].xid, found[0].seq)

    assert told == [(0, dead[2]), (9, dead[1]), (10, dead[3]), (100, dead[0])]
