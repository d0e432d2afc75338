"""The management API over real stores, mounted as the dashboard mounts it, with callers made for the test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient

from monitor.api.access import Caller
from monitor.api.app import create_api, mounted
from monitor.api.services import Services
from monitor.errors import Unauthorized
from monitor.queries.sla import week_before
from monitor.reports.sla import SlaReport
from monitor.reports.weekly import weekly_report
from monitor.store.control import Control, upgrade
from monitor.store.facts.sqlite_file import create
from monitor.store.facts.sqlite_reader import SqliteFactReader
from monitor.store.facts.sqlite_writer import SqliteFactWriter
from tests.facts import NOON, Filled
from tests.monitor.clocks import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
LEVELS = ("read", "operate", "admin")


@dataclass(frozen=True)
class Person:
    """A caller who may do everything up to a level."""

    name: str

    def may(self, need: str) -> bool:
        return LEVELS.index(need) <= LEVELS.index(self.name)


def by_word(request: Request) -> Caller | None:
    """`Authorization: Bearer read` is somebody who may read."""
    word = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not word:
        return None
    if word not in LEVELS:
        raise Unauthorized("This key is not known.", "make one with `hookvitals key create`")
    return Person(word)


def bearer(word: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {word}"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def filled(tmp_path: Path, clock: FakeClock) -> Iterator[Filled]:
    """A writer with a hand for records."""
    create(tmp_path / "facts.db")
    writer = SqliteFactWriter(tmp_path / "facts.db", clock)
    yield Filled(writer)
    writer.close()


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    upgrade(url)
    opened = Control.open(url, clock)
    yield opened
    opened.close()


@pytest.fixture
def api(tmp_path: Path, filled: Filled, control: Control, clock: FakeClock) -> Iterator[Flask]:
    """The API over the stores that `filled` and `control` write."""
    reader = SqliteFactReader(tmp_path / "facts.db")

    def report(week: str | None, environment: str) -> SlaReport:
        named = week or week_before(clock.now(), BERLIN)
        return weekly_report(reader, named, BERLIN, clock.now(), environment=environment)

    yield create_api(Services(reader, control, clock, report), by_word, "1.2.3")
    reader.close()


@pytest.fixture
def client(api: Flask) -> FlaskClient:
    """A stranger's client; pass `headers=bearer("read")` to be somebody."""
    outer = Flask("outer", static_folder=None)
    outer.register_blueprint(mounted(api))
    return outer.test_client()
