"""Control stores for tests, on either database: brought to the head once a run, copied for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.store.control import Control, upgrade
from monitor.store.control.leases import WORKER
from tests.postgres import Postgres, database

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
"""Parameters of a fixture whose tests shall hold on either."""


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hookvitals-control-")) / "control.db"
    upgrade(f"sqlite:///{path}")
    return path


@cache
def _template_in(postgres: Postgres) -> str:
    name = postgres.create()
    upgrade(postgres.url(name))
    return name


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
    postgres: Postgres = request.getfixturevalue("postgres")
    with database(postgres, _template_in(postgres)) as url:
        yield url


def lead(control: Control, owner: str = "worker-1") -> int:
    """The epoch of a new leader, whoever led before."""
    epoch = control.leases.take(WORKER, owner, control.leases.read(WORKER))
    assert epoch is not None
    return epoch
