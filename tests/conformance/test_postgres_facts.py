"""PostgreSQL keeps facts as every facts store must: met directly, and through a pooler."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from uuid import UUID

import psycopg
import pytest

from monitor.model import Record
from monitor.store.facts.postgres.setup import create
from tests.conformance.store import NewStore, Store
from tests.conformance.suite import FactsSuite
from tests.facts import Filled
from tests.postgres import Postgres, database
from tests.postgres_facts import postgres_facts, postgres_writer

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def direct_url(postgres: Postgres) -> Iterator[str]:
    with database(postgres) as url:
        create(url)
        yield url


@pytest.fixture(scope="module")
def pooled_url(postgres: Postgres, pooled: Callable[[str], str]) -> Iterator[str]:
    name = postgres.create()
    create(pooled(name))
    yield pooled(name)
    postgres.drop(name)


class TestPostgresFacts(FactsSuite):
    @pytest.fixture
    def new_store(self, direct_url: str) -> NewStore:
        return partial(postgres_store, direct_url)


class TestPooledPostgresFacts(FactsSuite):
    """Through pgbouncer in transaction mode: two transactions in a row may be of two sessions."""

    @pytest.fixture
    def new_store(self, pooled_url: str) -> NewStore:
        return partial(postgres_store, pooled_url)


@contextmanager
def postgres_store(url: str) -> Iterator[Store]:
    with ExitStack() as stack, postgres_facts(url) as (fill, reader):

        def another() -> Filled:
            opened = postgres_writer(url)
            stack.enter_context(closing(opened.writer))
            return opened

        yield Store(reader, fill, another, partial(open_record, url, fill))


@contextmanager
def open_record(url: str, fill: Filled, record: Record) -> Iterator[None]:
    """A transaction like that of an append, which has come as far as its commit."""
    batch = fill.batch([record])
    record_id, *rest = batch.rows[0]
    key = UUID(bytes=record_id)  # type: ignore[arg-type]
    with psycopg.connect(url, prepare_threshold=None) as db:
        db.execute(f"INSERT INTO facts.record VALUES ({', '.join(['%s'] * 9)})", (key, *rest))
        db.execute("INSERT INTO facts.feed (record_id, records, fed_at_us) VALUES (%s, 1, 0)", (key,))
        db.execute("INSERT INTO facts.delta (items) VALUES (%s)", (batch.deltas.tobytes(),))
        yield
