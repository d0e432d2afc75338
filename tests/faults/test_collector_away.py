"""A collector that is away for ten minutes while receivers spool: nothing ends, nothing pages but blindness.

The collector is a real process, and none while it is away; the receivers' records lie in real spool files and
arrive late, after it is back. The clock of the worker and of the receivers moves when the test moves it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts.model import State
from hookvitals import Recorder, Shipper
from monitor.clock import to_us
from monitor.config import Settings, load
from monitor.model import SeriesKey
from monitor.seal import Sealer
from monitor.store.control import Control
from monitor.store.control.engine import read
from monitor.store.control.schema import alert, transition
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.wiring.applying import apply
from monitor.wiring.following import Following
from monitor.wiring.jobs import Parts, jobs_of
from monitor.worker.schedule import Job, Runner
from tests.control import control_url, lead
from tests.e2e.catchers import mailbox, slack_like
from tests.e2e.conftest import Inboxes
from tests.faults.collector_process import FACTS, TOKEN, CollectorProcess, make_stores
from tests.faults.conftest import Start
from tests.monitor.clocks import FakeClock

pytestmark = pytest.mark.faults

STEP = timedelta(seconds=30)
BEFORE, AWAY, AFTER = timedelta(minutes=20), timedelta(minutes=10), timedelta(minutes=20)
UNTIL_SHIPPED = timedelta(seconds=30)
"""So long after its return the collector knows nothing of what the receivers kept: their longest pause."""
RULES = """
[[rules]]
kind = "no_events"
name = "nervous"
threshold = "2m"
params = { usual_weeks = 0 }
interval = "10s"
for = "0s"
"""
PAUSE_S = 60.0
"""Of a shipper that met nobody: longer than the test takes; a flush ends it."""
JOBS = ("catalog", "rules", "watch", "notifications")
KEY = bytes(32)
STRIPE = SeriesKey("production", "stripe")


class Heard(SqliteFactReader):
    """Reads as the worker does, but that a collector was heard of at the time of the test."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path)
        self._clock = clock
        self._heard_us: int | None = None

    def collector_lives(self) -> None:
        self._heard_us = to_us(self._clock.now())

    def heartbeat_us(self, before_us: int | None = None) -> int | None:
        return self._heard_us


class Outage:
    """Two endpoints, one of which fails half of its events, a collector and a worker."""

    def __init__(self, directory: Path, inboxes: Inboxes, start: Start) -> None:
        self.directory = make_stores(directory)
        self.clock = FakeClock(datetime.now(UTC) - BEFORE - AWAY - AFTER - timedelta(minutes=10))
        self.inboxes = inboxes
        self.control = Control.open(control_url(directory), self.clock)
        self.facts = Heard(directory / FACTS, self.clock)
        self._start = start
        self.collector: CollectorProcess = start(directory).wait_ready()
        self.shipper = Shipper(
            self.collector.url,
            TOKEN,
            batch_delay_s=0.01,
            spool_dir=str(directory / "spool"),
            uniform=lambda low, high: PAUSE_S,
        )
        self._recorders = {
            endpoint: Recorder(
                "stripe", endpoint, self.shipper, durable=True, now_ns=lambda: to_us(self.clock.now()) * 1000
            )
            for endpoint in ("payments", "refunds")
        }
        self.noted = 0
        epoch = lead(self.control)
        self._runner = Runner(lambda: epoch, self.control.jobs, self.clock)
        self._jobs = self._work(inboxes)

    def _work(self, inboxes: Inboxes) -> list[Job]:
        """The worker's jobs from the rules to the channels, put together as the worker does."""
        file = self.directory / "hookvitals.toml"
        file.write_text(inboxes.channels() + RULES)
        document, now, sealer = load(file, {}).document, self.clock.now(), Sealer(KEY)
        apply(self.control, document, origin="", by="tests", at=now, sealer=sealer, environ={})
        settings = Settings.model_validate({"data_dir": self.directory, "secret_key": KEY.hex()})
        following = Following(self.control.configs.latest, self.clock)
        parts = Parts(settings, KEY, self.control, self.facts, following, self.clock)
        return [job for job in jobs_of(parts) if job.name in JOBS]

    def lives_for(self, length: timedelta, *, ships: bool = True) -> None:
        """Traffic at both endpoints, and the worker's rounds. ships: all that there is arrives before."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.clock.move(STEP)
            for _ in range(4):
                self._note("payments", "failed" if self.noted % 4 else "succeeded")
                self._note("refunds", "succeeded")
            if self.collector.running():
                self.facts.collector_lives()
                assert not ships or self.shipper.flush(30)
            for job in self._jobs:
                assert self._runner.run(job)

    def collector_goes(self) -> None:
        self.collector.kill()

    def collector_returns(self) -> None:
        """On the same port. Its receivers pause, and ask again half a minute later."""
        self.collector = self._start(self.directory, self.collector.port).wait_ready()
        self.lives_for(UNTIL_SHIPPED, ships=False)

    def stored(self) -> int:
        return self.facts.ever([STRIPE])[STRIPE].records()

    def titles(self) -> list[list[str]]:
        """What each channel was told, in order."""
        chat = [text.split("\n")[0].lstrip("🔴🟠🟢 ") for text in self.inboxes.slack.texts()]
        return [chat, self.inboxes.mail.subjects()]

    def moves(self) -> list[tuple[str, State]]:
        """What each rule's alerts became, in order."""
        with read(self.control.engine) as tx:
            rows = tx.execute(
                select(alert.c.rule, transition.c.to_state)
                .join(alert, alert.c.fingerprint == transition.c.fingerprint)
                .order_by(transition.c.at_us)
            ).all()
        return [(row.rule, State(row.to_state)) for row in rows]

    def close(self) -> None:
        self.shipper.close()
        self.facts.close()
        self.control.close()

    def _note(self, endpoint: str, outcome: str) -> None:
        self.noted += 1
        at_us = to_us(self.clock.now())
        fields = {
            "event_id": f"evt_{endpoint}_{self.noted}",
            "event_type": "invoice.paid",
            "process_ms": 20.0,
        }
        if outcome == "failed":
            fields["error_class"] = "LedgerUnavailable"
        self._recorders[endpoint].record(outcome, at_us - 50_000, fields)


@pytest.fixture
def outage(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outage]:
    with mailbox() as (mail, mail_port), slack_like() as (slack, slack_url):
        monkeypatch.setenv("SLACK_URL", slack_url)
        made = Outage(tmp_path, Inboxes(mail, mail_port, slack, slack_url), start)
        yield made
        made.close()


def test_nothing_ends_and_nothing_pages_but_blindness(outage: Outage) -> None:
    outage.lives_for(BEFORE)
    before, told_before = outage.moves(), outage.titles()
    assert {rule for rule, state in before if state is State.FIRING} == {"error_rate", "failure_count"}
    outage.collector_goes()
    outage.lives_for(AWAY)
    assert outage.noted - outage.stored() == AWAY // STEP * 8
    outage.collector_returns()
    outage.lives_for(AFTER)

    assert outage.stored() == outage.noted
    assert outage.moves()[len(before) :] == [
        ("monitor_blind", State.PENDING),
        ("monitor_blind", State.FIRING),
        ("monitor_blind", State.RESOLVED),
    ]
    blindness = ["Critical: monitor_blind at the monitor", "Resolved: monitor_blind at the monitor"]
    assert outage.titles() == [[*titles, *blindness] for titles in told_before]
