"""The management API over real stores, mounted as the dashboard mounts it, with callers made for the test."""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient

from monitor.api.app import create_api, mounted
from monitor.api.services import Services
from monitor.checklist import Judged
from monitor.config import Document
from monitor.model import SeriesKey
from monitor.operations import Actor, Desk, Passwords
from monitor.operations.expunge import Eraser
from monitor.queries.sla import week_before
from monitor.reports.sla import SlaReport
from monitor.reports.weekly import weekly_report
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.control.accounts import Role
from monitor.store.control.keys import ApiKey
from monitor.store.facts.sqlite.file import create
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from monitor.wiring.checklist import checklist
from tests.facts import NOON, Filled
from tests.monitor.clocks import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
LEVELS = {"read": Role.VIEWER, "operate": Role.OPERATOR, "admin": Role.ADMIN}
TOKENS = {level: f"hv_{level}_{level * 8}" for level in LEVELS}


def bearer(level: str) -> dict[str, str]:
    """The header of a key that may do everything up to a level."""
    return {"Authorization": f"Bearer {TOKENS.get(level, level)}"}


def by_cookie(request: Request) -> Actor | None:
    """A session as a dashboard would find it: the cookie `session` holds the level."""
    level = request.cookies.get("session")
    return None if level is None else Actor("ann", LEVELS[level], "ui")


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
    with opened.write() as tx:
        for level, token in TOKENS.items():
            digest = hashlib.sha256(token.split("_", 2)[2].encode()).hexdigest()
            key = ApiKey(level, digest, "test", frozenset({level}), frozenset(), None, "test", clock.now())
            opened.keys.add(tx, key)
    yield opened
    opened.close()


@pytest.fixture
def desk(tmp_path: Path, filled: Filled, control: Control, clock: FakeClock) -> Iterator[Desk]:
    """A desk over the stores that `filled` and `control` write, with quick hashing and counted ids."""
    reader = SqliteFactReader(tmp_path / "facts.db")
    numbers = itertools.count(1)
    yield Desk(
        control,
        reader,
        clock,
        Sealer(bytes(32)),
        lambda size: f"{next(numbers):0{2 * size}x}",
        Passwords("scrypt:1024:8:1"),
    )
    reader.close()


@pytest.fixture
def api(desk: Desk, filled: Filled, clock: FakeClock) -> Flask:
    def report(week: str | None, environment: str) -> SlaReport:
        named = week or week_before(clock.now(), BERLIN)
        return weekly_report(desk.facts, named, BERLIN, clock.now(), environment=environment)

    @contextmanager
    def eraser() -> Iterator[Eraser]:
        yield filled.writer

    def judge(place: SeriesKey) -> list[Judged]:
        return checklist(desk.facts, desk.control, Document(), place, clock.now())

    return create_api(Services(desk, report, judge, eraser), "1.2.3", by_cookie)


@pytest.fixture
def client(api: Flask) -> FlaskClient:
    """A stranger's client; pass `headers=bearer("read")` to be somebody."""
    outer = Flask("outer", static_folder=None)
    outer.register_blueprint(mounted(api))
    return outer.test_client()
