"""Control stores for tests, on either database: brought to the head once a run, empty for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from monitor.clock import Clock
from monitor.store.control import Control, upgrade
from monitor.store.control.engine import read
from monitor.store.control.leases import WORKER
from monitor.store.control.migrations import head
from monitor.store.control.schema import metadata
from tests.postgres import Postgres

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
"""Parameters of a fixture whose tests shall hold on either."""


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hookvitals-control-")) / "control.db"
    upgrade(f"sqlite:///{path}")
    return path


@cache
def _database_in(postgres: Postgres) -> str:
    url = postgres.url(postgres.create())
    upgrade(url)
    return url


def _emptied(url: str) -> str:
    """The same store without a row; to make another database takes thirty times as long."""
    with psycopg.connect(url) as db:
        db.execute("SET session_replication_role = replica")  # neither foreign keys nor the audit's guard
        for table in metadata.tables:
            db.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        db.execute("UPDATE alembic_version SET version_num = %s", (head(),))
    return url


def control_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'control.db'}"


def new_control(folder: Path, clock: Clock) -> Control:
    """A new, empty control store in the folder."""
    shutil.copy(_template(), folder / "control.db")
    return Control.open(control_url(folder), clock)


@contextmanager
def new_control_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of a new, empty control store, of the kind that the fixture's parameter (KINDS) names."""
    if request.param == "sqlite":
        shutil.copy(_template(), folder / "control.db")
        yield control_url(folder)
        return
    yield _emptied(_database_in(request.getfixturevalue("postgres")))


def everything_in(control: Control) -> bytes:
    """All that the store holds: the bytes of its file, or every row of every table."""
    if control.engine.dialect.name == "sqlite":
        return Path(str(control.engine.url.database)).read_bytes()
    with read(control.engine) as tx:
        return b"".join(
            str(row).encode() for table in metadata.tables.values() for row in tx.execute(table.select())
        )


def lead(control: Control, owner: str = "worker-1") -> int:
    """The epoch of a new leader, whoever led before."""
    epoch = control.leases.take(WORKER, owner, control.leases.read(WORKER))
    assert epoch is not None
    return epoch
