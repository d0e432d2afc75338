"""A copy that follows a PostgreSQL of the tests by its log, and answers reads: a hot standby."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgres import WITHIN_S, Postgres


@contextmanager
def replica(primary: Postgres) -> Iterator[Postgres]:
    """The copy, answering; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hv-pr-", dir="/tmp") as name:
        made = Postgres(Path(name))
        made.copy(primary)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def catch_up(copy: Postgres, primary: Postgres) -> None:
    """Returns once the copy shows all that the primary has committed by now."""
    with psycopg.connect(primary.url("postgres")) as db:
        row = db.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert row is not None
    with psycopg.connect(copy.url("postgres"), autocommit=True) as db:
        _until(db, f"SELECT pg_last_wal_replay_lsn() >= '{row[0]}'")


@contextmanager
def held_back(copy: Postgres) -> Iterator[None]:
    """The copy stays as it is while the block runs, whatever its primary does."""
    with psycopg.connect(copy.url("postgres"), autocommit=True) as db:
        db.execute("SELECT pg_wal_replay_pause()")
        try:
            _until(db, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
            yield
        finally:
            db.execute("SELECT pg_wal_replay_resume()")


def _until(db: psycopg.Connection[tuple[object, ...]], question: str) -> None:
    end_s = time.monotonic() + WITHIN_S
    while db.execute(question).fetchone() != (True,):
        assert time.monotonic() < end_s, question
        time.sleep(0.01)
