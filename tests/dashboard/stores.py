"""Both stores for real, in a folder of their own, with people in them: what the dashboard stands on."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask

from alerts.model import Alert, Change, Evidence, Severity, State, Transition, fingerprint_of
from dashboard.__main__ import dashboard_of
from monitor.config import Settings, secret_key
from monitor.model import Capture, Outcome, Record
from monitor.operations import Actor, Desk, Passwords, endpoints, users
from monitor.operations.endpoints import EndpointChange
from monitor.replay.intake import Intake
from monitor.seal import Sealer, capture_context, sealed_capture
from monitor.store.control import Control
from monitor.store.control.accounts import Role
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.control import lead, new_control
from tests.facts import Captured, Filled, RecordFactory, mixed, sqlite_facts
from tests.monitor.clocks import FakeClock

PASSWORD = "a long enough password"
BODY = b'{"amount": 1200, "password": "hunter2"}'
ADMIN = Actor("tests", Role.ADMIN, "cli")
QUICK = "scrypt:1024:8:1"  # the shipped one takes 128 MiB a look


@dataclass
class Installation:
    """A monitor without its processes: tests write the facts and the alerts, the dashboard shows them."""

    folder: Path
    settings: Settings
    clock: FakeClock
    control: Control
    facts: SqliteFactReader
    fill: Filled
    desk: Desk
    epoch: int

    def app(self) -> Flask:
        return dashboard_of(self.settings, self.control, self.facts, self.clock)

    def add_people(self) -> None:
        """One of each role, named as it, with PASSWORD."""
        for role in Role:
            users.create(self.desk, ADMIN, role.value, PASSWORD, role)

    def add_records(self, count: int, over: timedelta) -> list[Record]:
        """Records of every kind in the time before now; replays are no replay of ours and are left out."""
        start = self.clock.now() - over
        records = [r for r in mixed(count, start=start, over=over) if r.replay_id is None]
        for at in range(0, len(records), 5000):
            self.fill.add(records[at : at + 5000])
        return records

    def add_dead(self, count: int) -> list[Record]:
        """Dead letters of orum/transfers with a captured body, taken in, at a registered endpoint."""
        make, now = RecordFactory(made=10_000_000), self.clock.now()
        place = {"source": "orum", "endpoint": "transfers", "event_type": "transfer.completed"}
        dead = [
            make(Outcome.DEAD_LETTERED, now - timedelta(seconds=90 - i), has_capture=True, attempt=3, **place)
            for i in range(count)
        ]
        for record in dead:
            context = capture_context("production", "orum", "transfers", record.event_id or "")
            capture = Capture({"content-type": "application/json"}, BODY, "application/json", False)
            self.fill.captures[record.record_id] = Captured(
                sealed_capture(self.desk.sealer, capture, context)
            )
        self.fill.add(dead)
        endpoints.put(
            self.desk,
            ADMIN,
            EndpointChange(
                "production",
                "orum",
                "transfers",
                "https://receiver.example.com/hook",
                replay_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ),
        )
        Intake(self.control, self.facts, list, self.clock).run(self.epoch)
        return dead

    def add_alert(self, source: str, endpoint: str, exemplars: Sequence[str] = ()) -> Alert:
        """A critical alert that fires since five minutes."""
        now = self.clock.now()
        labels = {"environment": "production", "source": source, "endpoint": endpoint}
        evidence = Evidence(
            f"18 % of attempts at {source}/{endpoint} failed; the limit is 5 %.",
            0.18,
            0.05,
            "share",
            sample=400,
            exemplars=tuple(exemplars),
        )
        since = now - timedelta(minutes=5)
        fingerprint = fingerprint_of("error_rate", labels)
        alert = Alert(
            fingerprint, "error_rate", "error_rate", Severity.CRITICAL, labels, State.FIRING, since, now,
            evidence, firing_since=since, revision=1, episode=1,
        )  # fmt: skip
        move = Transition(
            fingerprint, 1, State.INACTIVE, State.FIRING, Severity.CRITICAL, since, Change.BREACH_STARTED,
            "18 % failed",
        )  # fmt: skip
        with self.control.write() as tx:
            self.control.alerts.put(tx, alert, [move])
        return alert


@contextmanager
def installation(folder: Path, now: datetime) -> Iterator[Installation]:
    """Empty stores in the folder, as of `now`."""
    clock = FakeClock(now)
    settings = Settings(data_dir=folder, dashboard_port=0)
    with sqlite_facts(folder, now) as (fill, facts), closing(new_control(folder, clock)) as control:
        sealer = Sealer(secret_key(settings))
        desk = Desk(control, facts, clock, sealer, secrets.token_hex, Passwords(QUICK))
        yield Installation(folder, settings, clock, control, facts, fill, desk, lead(control))
