"""A monitor and a receiver for the tests of replay: real stores, a moved clock, a receiver that reports.

The receiver is somebody else's service: it checks signatures with a library that is not ours, deduplicates by
event id, and writes its records into the facts as the collector would.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from standardwebhooks.webhooks import Webhook

from alerts.http import Response
from alerts.model import Route
from monitor.dead_letters import Item, Letter, LetterKey, Replay
from monitor.model import Capture, Outcome, Record
from monitor.operations import Actor, Desk, Passwords, replays
from monitor.replay.engine import ReplayEngine
from monitor.replay.intake import Intake
from monitor.replay.secrets import sealed_secret
from monitor.seal import Sealer, capture_context, sealed_capture
from monitor.store.control import Control
from monitor.store.control.accounts import Role
from monitor.store.control.catalog import Endpoint, ManagedBy
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.control import lead, new_control
from tests.facts import NOON, Captured, Filled, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

PLACE = ("production", "stripe", "payments")
URL = "https://receiver.example/hooks/stripe?token=in-the-url"
SECRET = "whsec_c2VjcmV0LWZvci1yZXBsYXlzLTMyLWJ5dGVzISE="
BODY = b'{"id": "evt", "amount": 1}\n'
OPERATOR = Actor("ada", Role.OPERATOR, "cli")
SEALER = Sealer(b"k" * 32)

Answer = Callable[[str, str], int]
"""(event id, item id) → the status to answer."""


@dataclass(slots=True)
class Receiver:
    """outcomes: per event, what its next replays come to; succeeded when nothing is said. reports_replays:
    whether its records carry the item's id."""

    world: "World"
    status: int = 200
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    reports: bool = True
    reports_replays: bool = True
    done: set[str] = field(default_factory=set)
    effects: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    to_report: list[tuple[Outcome, str, str | None]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response:
        assert headers is not None
        assert (method, url) == ("POST", URL)
        event_id = body.decode().split('"')[3]
        item_id = headers["Hookvitals-Replay"]
        self.headers.append(headers)
        self.requests.append((event_id, item_id))
        if self.reports:
            self.to_report.append(
                (self._outcome(event_id), event_id, item_id if self.reports_replays else None)
            )
        return Response(self.status, {}, b"", 1.0)

    def ship(self) -> None:
        """What the receiver recorded reaches the facts; their writer has one thread."""
        for record in self.to_report:
            self.world.report(*record)
        self.to_report.clear()

    def _outcome(self, event_id: str) -> Outcome:
        if event_id in self.done:
            return Outcome.DUPLICATE
        told = self.outcomes.get(event_id) or [Outcome.SUCCEEDED]
        outcome = told.pop(0)
        if outcome is Outcome.SUCCEEDED:
            self.done.add(event_id)
            self.effects.append(event_id)
        return outcome


class World:
    """Everything at one place. `turn` lets the worker's two jobs run once and a second pass."""

    def __init__(self, control: Control, filled: Filled, facts: SqliteFactReader, clock: FakeClock) -> None:
        self.control, self.filled, self.facts, self.clock = control, filled, facts, clock
        self.make = RecordFactory()
        self.receiver = Receiver(self)
        self.routes: list[Route] = []
        self._ids = 0
        self.epoch = lead(control)
        self.intake = Intake(control, facts, lambda: self.routes, clock)
        self.engine = self.new_engine()
        self.desk = Desk(control, facts, clock, SEALER, self.random_hex, Passwords("scrypt:1024:8:1"))

    def new_engine(self) -> ReplayEngine:
        return ReplayEngine(self.control, self.facts, lambda: self.receiver, SEALER, self.clock)

    def random_hex(self, size: int) -> str:
        self._ids += 1
        return f"{self._ids:0{2 * size}x}"

    def register(self, secret: str | None = SECRET, url: str | None = URL) -> None:
        sealed = None if secret is None else sealed_secret(SEALER, secret, *PLACE)
        endpoint = Endpoint(*PLACE, ManagedBy.API, self.clock.now(), url=url, replay_secret=sealed)
        with self.control.write() as tx:
            self.control.catalog.register_within(tx, PLACE, self.clock.now())
            self.control.catalog.put_endpoint(tx, endpoint, self.clock.now())

    def die(self, event_id: str, *, redacted: bool = False, captured: bool = True) -> str:
        """The event dies at the receiver; its letter's id once the feed was taken in."""
        record = self.make(
            Outcome.DEAD_LETTERED, self.clock.now(), event_id=event_id, error_class="KeyError", attempt=3
        )
        if captured:
            body = BODY.replace(b"evt", event_id.encode())
            capture = Capture({"X-Request-Id": "r1"}, body, "application/json", redacted)
            sealed = sealed_capture(SEALER, capture, capture_context(*PLACE, event_id))
            self.filled.captures[record.record_id] = Captured(sealed, redacted)
        self.filled.add([record])
        return LetterKey(*PLACE, event_id).id

    def report(self, outcome: Outcome, event_id: str, item_id: str | None, **given: object) -> Record:
        """The receiver's record of a replayed event reaches the facts."""
        named = {} if outcome is Outcome.REJECTED else {"event_id": event_id}
        error = {"error_class": "StillBroken"} if outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED) else {}
        at = self.clock.now() + timedelta(milliseconds=1)
        record = self.make(outcome, at, replay_id=item_id, **named, **error, **given)
        self.filled.add([record])
        return record

    def take_in(self) -> str:
        return self.intake.run(self.epoch)

    def start(self, *letter_ids: str, per_second: float = 1000.0) -> str:
        return replays.start(self.desk, OPERATOR, letter_ids, "fixed it", per_second).id

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.engine.run(self.epoch)
            self.receiver.ship()
            self.intake.run(self.epoch)
            self.clock.move(timedelta(seconds=1))

    def letter(self, id: str) -> Letter:
        found = self.control.letters.get(id)
        assert found is not None
        return found

    def replay(self, id: str) -> Replay:
        found = self.control.replays.get(id)
        assert found is not None
        return found

    def items(self, replay_id: str) -> list[Item]:
        return list(self.control.replays.items(replay_id))


def verified(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the standardwebhooks library takes the request for genuine; raises when not."""
    webhook = Webhook(SECRET)
    stamp = headers["Hookvitals-Timestamp"]
    expected = webhook.sign(
        headers["Hookvitals-Replay"], NOON.fromtimestamp(int(stamp), tz=NOON.tzinfo), body.decode()
    )
    return bool(expected == headers["Hookvitals-Signature"])


@contextmanager
def new_world(folder: Path, control_url: str | None = None) -> Iterator[World]:
    """Empty stores in the folder; control at the URL, if one is given."""
    clock = FakeClock(NOON)
    control = Control.open(control_url, clock) if control_url else new_control(folder, clock)
    try:
        with sqlite_facts(folder) as (filled, facts):
            world = World(control, filled, facts, clock)
            world.register()
            yield world
    finally:
        control.close()
