"""Facts in PostgreSQL for tests: one database, emptied for each, because that takes a tenth of making one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.facts import NOON, Filled
from tests.monitor.clocks import FakeClock

_TABLES = """
    SELECT format('facts.%I', relname) FROM pg_class
    WHERE relnamespace = 'facts'::regnamespace AND relkind = 'r' AND relname <> 'meta'"""


def empty_facts(url: str) -> None:
    """Takes everything out of the facts at `url`: nothing is stored, named or below a floor."""
    with psycopg.connect(url, prepare_threshold=None) as db:
        tables = [str(name) for (name,) in db.execute(_TABLES)]
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
        filled = [str(name) for (name,) in db.execute(asked)]
        if filled:  # to empty one that is empty costs as much
            db.execute(f"TRUNCATE {', '.join(filled)}")
        db.execute("UPDATE facts.meta SET value = '0' WHERE key = 'floor_us'")


def postgres_writer(url: str, now: datetime = NOON) -> Filled:
    """A hand for writing the facts at `url`; the caller closes its writer."""
    return Filled(PostgresFactWriter(url, FakeClock(now)), now)


@contextmanager
def postgres_facts(url: str, now: datetime = NOON) -> Iterator[tuple[Filled, PostgresFactReader]]:
    """The facts at `url`, emptied: a hand for writing them and a reader."""
    empty_facts(url)
    fill, reader = postgres_writer(url, now), PostgresFactReader(url)
    try:
        yield fill, reader
    finally:
        reader.close()
        fill.writer.close()
