"""Eight days of the worker's jobs over real stores, under a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dashboard.__main__ import dashboard_of
from monitor.clock import to_us
from monitor.config import Settings, stored
from monitor.maintain.demo.catcher import Catcher, Caught
from monitor.model import Outcome
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from monitor.wiring.applying import apply
from monitor.wiring.following import Following
from monitor.wiring.jobs import Parts, jobs_of
from monitor.worker.schedule import Job, Runner
from tests.alerts.support import Service, serving
from tests.facts import Filled, RecordFactory
from tests.monitor.clocks import FakeClock

KEY = b"k" * 32
STEP = timedelta(hours=1)
WEEK_AND_A_DAY = timedelta(days=8)


class World:
    """Stores, a collector that takes probes, a mailbox, and the jobs."""

    receiver: Service

    def __init__(self, directory: Path, collector_url: str, smtp_port: int, receiver_url: str) -> None:
        self.clock = FakeClock()
        self.settings = Settings.model_validate(
            {"data_dir": directory, "collector_url": collector_url, "secret_key": KEY.hex()}
        )
        (directory / "heartbeat_url").write_text(f"{receiver_url}/alive")
        sqlite_file.create(directory / "facts.db")
        url = f"sqlite:///{directory / 'control.db'}"
        upgrade(url)
        self.control = Control.open(url, self.clock)
        self.facts = SqliteFactReader(directory / "facts.db")
        self.writer = SqliteFactWriter(directory / "facts.db", self.clock)
        document = stored(
            {
                "egress": {"allow": ["127.0.0.0/8"]},
                "channels": [
                    {
                        "kind": "email",
                        "name": "desk",
                        "host": "127.0.0.1",
                        "port": smtp_port,
                        "security": "none",
                        "sender": "hookvitals@example.com",
                        "recipients": ["desk@example.com"],
                    }
                ],
                "endpoints": [
                    {"source": "stripe", "name": "payments", "url": receiver_url, "insecure": True}
                ],
                "report": {"channel": "desk"},
                "drill": {"enabled": True, "day": "wednesday", "hour": 10},
                "heartbeat": {"url": {"file": str(directory / "heartbeat_url")}},
            }
        )
        apply(
            self.control,
            document,
            origin="",
            by="test",
            at=self.clock.now(),
            sealer=Sealer(KEY),
            environ={},
        )
        following = Following(self.control.configs.latest, self.clock)
        self.jobs = jobs_of(Parts(self.settings, KEY, self.control, self.facts, following, self.clock))
        epoch = self.control.leases.take("worker", "me", None)
        self.runner = Runner(lambda: epoch, self.control.jobs, self.clock)
        self.ran: dict[str, int] = {job.name: 0 for job in self.jobs}
        self._next = {job.name: self.clock.now() + job.trigger.interval for job in self.jobs}

    def step(self) -> None:
        """Moves the clock one step and runs what came due, once each: the scheduler coalesces."""
        self.clock.move(STEP)
        self.writer.heartbeat("one", to_us(self.clock.now()))
        for job in self.jobs:
            if self._is_due(job):
                self.runner.run(job)
                self.ran[job.name] += 1

    def _is_due(self, job: Job) -> bool:
        now, due = self.clock.now(), False
        next_at = self._next[job.name]
        if next_at <= now:
            due = True
            self._next[job.name] = now + job.trigger.interval
        return due

    def close(self) -> None:
        self.writer.close()
        self.facts.close()
        self.control.close()


@pytest.fixture
def caught() -> list[Caught]:
    return []


@pytest.fixture
def world(tmp_path: Path, caught: list[Caught]) -> Iterator[World]:
    with serving(Service()) as collector, serving(Service()) as receiver, Catcher(caught.append) as catcher:
        made = World(tmp_path, collector.url, catcher.smtp_port, receiver.url)
        made.receiver = receiver
        yield made
        made.close()


@pytest.mark.timeout(300)  # some 20 s of processor time, however many share it
def test_every_job_runs_all_week_and_notes_its_success(world: World, caught: list[Caught]) -> None:
    make = RecordFactory()
    for _ in range(WEEK_AND_A_DAY // STEP):
        Filled(world.writer, world.clock.now()).add([make(Outcome.SUCCEEDED, world.clock.now())])
        world.step()

    noted = {row.name: row for row in world.control.jobs.all()}
    assert set(noted) == {job.name for job in world.jobs}
    assert {row.name: row.error for row in noted.values() if row.error} == {}
    last_hour = world.clock.now() - timedelta(hours=1)
    assert [row.name for row in noted.values() if (row.succeeded_at or last_hour) < last_hour] == []
    assert set(world.ran.values()) <= {WEEK_AND_A_DAY // STEP, WEEK_AND_A_DAY // timedelta(hours=1)}

    drills = [message.title for message in caught if message.title.startswith("[DRILL]")]
    assert drills == ["[DRILL] Weekly drill of the channel desk: nothing is wrong"]
    alive = [seen for seen in world.receiver.seen if seen.path == "/alive"]
    assert len(alive) == WEEK_AND_A_DAY // STEP

    reports = [message.title for message in caught if "report" in message.title]
    assert reports == ["Webhook report 2026-W46, production", "Webhook report 2026-W47, production"]


def test_dead_letter_of_the_feed_is_an_alert_in_the_mailbox_and_a_letter(
    world: World, caught: list[Caught]
) -> None:
    make = RecordFactory()
    at = datetime(2026, 11, 16, 0, 10, tzinfo=UTC)
    Filled(world.writer, at).add(
        [*(make(Outcome.SUCCEEDED, at) for _ in range(30)), make(Outcome.DEAD_LETTERED, at, event_id="evt_x")]
    )
    for job in world.jobs:
        world.clock.at = datetime(2026, 11, 16, 0, 12, tzinfo=UTC)
        world.writer.heartbeat("one", to_us(world.clock.now()))
        assert world.runner.run(job), job.name
    for job in world.jobs:
        world.runner.run(job)

    [told] = [message for message in caught if "dead_letters at stripe/payments" in message.title]
    assert_link_acts(world, told.text)
    [endpoint] = world.control.catalog.endpoints()
    assert endpoint.name == "payments"


def assert_link_acts(world: World, text: str) -> None:
    """What a person does with the mail: the link that the worker signed, pressed at the dashboard."""
    [path] = [
        urlsplit(line.split()[-1]).path for line in text.splitlines() if line.startswith("Acknowledge:")
    ]
    dashboard = dashboard_of(world.settings, world.control, world.facts, world.clock).test_client()
    assert dashboard.post(path).status_code == 200
    [alert] = [one for one in world.control.alerts.active() if one.rule == "dead_letters"]
    assert alert.ack is not None
    assert alert.ack.by == "link:desk"
