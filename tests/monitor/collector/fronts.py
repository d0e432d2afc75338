"""A front for tests: the real routes over a real store, the writer's desk called in place of its socket."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from monitor.clock import to_us
from monitor.collector import frames
from monitor.collector.app import create_app
from monitor.collector.counters import Counters, cleared
from monitor.collector.desk import Desk
from monitor.collector.front import Front, front
from monitor.collector.keys import Key
from monitor.collector.link import Link
from monitor.collector.settings import CollectorSettings
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import FakeClock

SECRET = "s3cret-with_underscores"
TOKEN = f"hv_k1_{SECRET}"


def key(**given: Any) -> Key:
    """A key for ingest whose token is TOKEN."""
    stated = {
        "id": "k1",
        "hash": hashlib.sha256(SECRET.encode()).hexdigest(),
        "scopes": frozenset({"ingest"}),
    }
    return Key(**(stated | given))


class DirectLink(Link):
    """A Link whose frames reach a desk in this process: everything of the way but the socket."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(Path("no-socket"))
        self._desk = desk

    def _exchange(self, question: bytes, wait_s: float) -> tuple[object, ...]:
        (message,) = frames.Frames().feed(question)
        (answer,) = frames.Frames().feed(self._desk.answers([message])[0])  # type: ignore[list-item]
        return answer


@dataclass
class Stand:
    """A collector without processes, at the time of its clock."""

    client: FlaskClient
    front: Front
    store: SqliteFactWriter
    clock: FakeClock
    keys: list[Key] = field(default_factory=list)

    @property
    def now_us(self) -> int:
        return to_us(self.clock.now())

    def record(self, **given: Any) -> dict[str, Any]:
        """A well-formed record of now; None leaves a field out."""
        stated = {
            "source": "orum",
            "endpoint": "payouts",
            "event_type": "transfer.updated",
            "event_id": "evt_1",
            "received_at": self.now_us - 1000,
            "outcome": "succeeded",
        }
        return {name: value for name, value in (stated | given).items() if value is not None}

    def post(
        self,
        body: Any,
        route: str = "records",
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """The answer to a body: bytes as they are, anything else as JSON."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.client.post(f"/api/v1/{route}", data=data, headers=sent)

    def send(self, *records: dict[str, Any]) -> dict[str, Any]:
        """The decoded 200 of a batch."""
        response = self.post(list(records))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.get_json()
        return found


def stand(tmp_path: Path, keys: Sequence[Key] = (), **settings: Any) -> Stand:
    """A Stand with a new store in `tmp_path`; close its store."""
    clock = FakeClock()
    create(tmp_path / "facts.db")
    return stand_over(SqliteFactWriter(tmp_path / "facts.db", clock), clock, tmp_path, keys, **settings)


def stand_over(
    store: Any, clock: FakeClock, tmp_path: Path, keys: Sequence[Key] = (), **settings: Any
) -> Stand:
    """A Stand over a store that is open."""
    told = CollectorSettings(tmp_path, bytes(32), workers=1, **settings)
    counters = Counters(cleared(told.counters_dir))
    known = list(keys) or [key()]
    desk = Desk(store, counters, lambda: to_us(clock.now()))
    made = front(told, lambda: known, DirectLink(desk), counters, clock)
    return Stand(create_app(made).test_client(), made, store, clock, known)


HOUR = timedelta(hours=1)
