"""A rule that breaks when it is evaluated, for a part of the store is damaged: from there to those who are
told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.model import State, Steady, Why
from monitor.clock import boot_name, to_us
from monitor.config import Settings, stored
from monitor.model import Outcome
from monitor.seal import Sealer
from monitor.store.control import Control
from monitor.wiring.applying import apply
from monitor.wiring.following import Following
from monitor.wiring.jobs import Parts, jobs_of
from tests.control import lead, new_control
from tests.facts import NOON, Filled, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

KEY = b"k" * 32
CHANNEL = {"kind": "webhook", "name": "team", "url": "https://own.example.com/", "secret": {"env": "OWN"}}
COUNT = {"kind": "failure_count", "threshold": 3}
DEEP = {"kind": "queue_depth", "name": "deep"}


class Worker:
    """Its jobs over real stores, and the traffic of one minute after the other."""

    def __init__(self, control: Control, filled: Filled, parts: Parts, clock: FakeClock) -> None:
        self.control, self.filled, self.clock = control, filled, clock
        self.jobs = {job.name: job for job in jobs_of(parts)}
        self.epoch = lead(control)
        self.record = RecordFactory()

    def apply(self, *rules: dict[str, Any]) -> None:
        document = stored({"channels": [CHANNEL], "rules": list(rules)})
        sealer = Sealer(KEY)
        apply(self.control, document, origin="", by="ann", at=self.clock.now(), sealer=sealer, environ={})

    def minute(self, failed: int) -> None:
        self.clock.move(timedelta(minutes=1))
        self.filled.now = now = self.clock.now()
        self.filled.add([self.record(Outcome.FAILED, now - timedelta(seconds=7)) for _ in range(failed)])
        self.filled.writer.fold()
        self.filled.writer.heartbeat("one", to_us(now))
        for job in ("catalog", "rules"):
            self.jobs[job].run(self.epoch)

    def firing(self) -> dict[str, str]:
        """Rule → its sentence, of what fires."""
        active = self.control.alerts.active()
        return {alert.rule: alert.evidence.summary for alert in active if alert.state is State.FIRING}

    def told(self, rule: str) -> list[tuple[str, Why]]:
        (alert,) = [one for one in self.control.alerts.active() if one.rule == rule]
        rows = self.control.notifications.of_alert(alert.fingerprint)
        return [(row.notification.channel, row.notification.reason) for row in rows]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    clock = FakeClock(NOON)
    control = new_control(tmp_path, clock)
    settings = Settings.model_validate({"data_dir": tmp_path, "secret_key": KEY.hex()})
    with sqlite_facts(tmp_path) as (filled, facts):
        following = Following(control.configs.latest, clock)
        parts = Parts(settings, KEY, control, facts, following, clock)
        yield Worker(control, filled, parts, clock)
    control.close()


def renamed(folder: Path, table: str, name: str) -> None:
    with closing(sqlite3.connect(folder / "facts.db")) as facts, facts:
        facts.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_a_rule_that_breaks_stops_no_other_and_is_told_of_until_it_is_mended(
    worker: Worker, tmp_path: Path
) -> None:
    worker.apply(COUNT, DEEP, {"kind": "queue_depth", "enabled": False})
    renamed(tmp_path, "queue_sample", "lost")
    worker.minute(failed=10)

    assert "failure_count" in worker.firing()
    assert worker.firing()["rule_broken"].startswith('Rule "deep" could not be evaluated (')
    assert worker.told("rule_broken") == [("team", Why.FIRING)]
    assert worker.told("failure_count") == [("team", Why.FIRING)]

    renamed(tmp_path, "lost", "queue_sample")
    worker.minute(failed=10)

    assert "rule_broken" not in worker.firing()
    assert "failure_count" in worker.firing()


def test_an_alert_remembers_by_which_start_of_the_machine_its_time_was_told(worker: Worker) -> None:
    worker.apply(COUNT)
    worker.minute(failed=10)

    [alert] = [one for one in worker.control.alerts.active() if one.rule == "failure_count"]
    assert alert.steady == Steady(boot_name(), worker.clock.monotonic())
