"""What lies in the facts of a PostgreSQL, read with plain SQL: the schema `facts` needs no name."""

import time
from collections.abc import Iterable
from typing import Any

import psycopg

from tests.monitor.store.facts.making import START_US, Made
from tests.monitor.store.facts.recounting import comparable, figures_in, recount

DAY_US = 86_400_000_000


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """All rows of the query."""
    with psycopg.connect(url, options="-c search_path=facts") as db:
        return db.execute(query.encode()).fetchall()


def count(url: str, table: str) -> int:
    ((found,),) = rows(url, f"SELECT count(*) FROM {table}")
    return int(found)


def assert_counted(url: str, records: Iterable[Made]) -> None:
    """Rollups plus deltas are a recount of `records`, and of nothing else, in one snapshot."""
    with psycopg.connect(url, options="-c search_path=facts") as db:
        db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = figures_in(lambda query: db.execute(query.encode()).fetchall())
    assert found == {place: comparable(figures) for place, figures in recount(records).items()}


def some(count: int, first: int = 0, at_us: int = START_US) -> list[Made]:
    """Records of one millisecond each; the same numbers and times give the same ids."""
    return [Made(first + i, at_us + 1000 * i, event_id=f"evt_{first + i}") for i in range(count)]


def await_waiting(url: str, who: str = "wait_event_type = 'Lock'", *, wanted: int = 1) -> None:
    """Returns once `wanted` sessions of the database are as `who` says: by default, wait for a lock."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {who}"
    end_s = time.monotonic() + 10
    while rows(url, query) != [(wanted,)]:
        assert time.monotonic() < end_s, query
        time.sleep(0.01)
