"""The facts of one PostgreSQL as portable rows, and taken in by another."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta

import psycopg
import pytest

from monitor.clock import to_us
from monitor.errors import Conflict, Unprocessable, WrongSchema
from monitor.maintain.verify import verify
from monitor.store.facts.portable import FLOOR, STORE_ID, TABLES
from monitor.store.facts.postgres.dump import dumping
from monitor.store.facts.postgres.load import loading, require_empty
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create
from tests.conformance.store import DAY
from tests.facts import NOON, mixed
from tests.postgres import Postgres, database
from tests.postgres_facts import postgres_facts, postgres_writer

pytestmark = pytest.mark.postgres
NOW_US = to_us(NOON)


@pytest.fixture
def urls(postgres: Postgres) -> Iterator[tuple[str, str]]:
    """Of facts with some records, and of an empty database."""
    with ExitStack() as stack:
        filled, empty = (stack.enter_context(database(postgres)) for _ in range(2))
        create(filled)
        with postgres_facts(filled) as (fill, _):
            fill.add(mixed(300, over=timedelta(hours=30)))
            fill.writer.fold()
            fill.add(mixed(40, seed=2, over=timedelta(hours=30)))
        yield filled, empty


def carry(source: str, target: str, again: str = "") -> None:
    """again: a table that is taken in a second time."""
    with dumping(source) as dump, loading(target, int(dump.about[FLOOR]), NOW_US) as load:
        for table in (*dump.tables, *(one for one in dump.tables if one.name == again)):
            load.load(table, dump.rows(table))


def test_rows_are_taken_in_and_make_a_store_of_its_own(urls: tuple[str, str]) -> None:
    source, target = urls
    carry(source, target)

    with closing(PostgresFactReader(source)) as one, closing(PostgresFactReader(target)) as two:
        found = verify(two, NOON - DAY, NOON + 3 * DAY)
        assert (found.records, found.differences) == (340, [])
        assert two.series() == one.series()
        assert two.store_id() != one.store_id()
    with dumping(source) as before, dumping(target) as after:
        assert before.about[STORE_ID] != after.about[STORE_ID]
        for table in TABLES:
            assert sorted(map(repr, after.rows(table))) == sorted(map(repr, before.rows(table)))


def test_snapshot_is_of_one_moment(urls: tuple[str, str]) -> None:
    source, _ = urls
    record = next(table for table in TABLES if table.name == "record")
    writer = postgres_writer(source)
    with closing(writer.writer), dumping(source) as dump:
        dump.estimate()
        writer.add(mixed(25, seed=3, over=timedelta(hours=1)))
        assert sum(1 for _ in dump.rows(record)) == 340


def test_feed_that_was_taken_in_comes_before_what_is_fed_later(urls: tuple[str, str]) -> None:
    source, target = urls
    carry(source, target)
    with closing(PostgresFactReader(target)) as reader:
        restored = reader.feed(0, 0, 10_000)
        assert restored != []
        assert {row.xid for row in restored} == {0}
        writer = postgres_writer(target)
        with closing(writer.writer):
            writer.add(mixed(60, seed=4, over=timedelta(hours=1)))
        later = reader.feed(0, restored[-1].seq, 10_000)
        assert later != []
        assert all(row.xid > 0 for row in later)


def test_facts_that_are_there_are_refused_and_left_alone(urls: tuple[str, str]) -> None:
    source, target = urls
    require_empty(target)
    with pytest.raises(Conflict, match="not empty"):
        require_empty(source)
    with dumping(source) as dump, pytest.raises(Conflict, match="not empty"), loading(source, 0, NOW_US):
        pytest.fail("begun all the same")
    assert dump.kind == "postgresql"


def test_load_that_fails_leaves_nothing(urls: tuple[str, str]) -> None:
    source, target = urls
    with pytest.raises(Unprocessable):
        carry(source, target, again="record")
    require_empty(target)
    carry(source, target)


def test_table_that_a_dump_would_leave_out_refuses_it(urls: tuple[str, str]) -> None:
    source, _ = urls
    with psycopg.connect(source) as db:
        db.execute("CREATE TABLE facts.added_later (value integer)")
        db.execute("ALTER TABLE facts.client ADD COLUMN mood text")
    with pytest.raises(WrongSchema, match=r"added_later.*client\.mood|client\.mood"), dumping(source):
        pytest.fail("opened all the same")
