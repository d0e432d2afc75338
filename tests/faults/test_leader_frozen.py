"""The leader frozen at every step of the notification path while another one takes over, and thawed after.

Real signals, both kinds of store, a mailbox and a server shaped like Slack's. What is to be told arrives at
each channel at least once, and at most twice: once more for the one freeze.
"""

import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts.message import Links
from monitor.clock import SystemClock
from monitor.errors import LeaseLost, Unavailable
from monitor.store.control import Control
from monitor.store.control.engine import sqlite_path
from monitor.store.control.notifications import enqueue
from monitor.store.control.schema import alert, notification, transition
from monitor.worker.delivery import Delivery
from monitor.worker.leadership import Leadership
from tests.control import KINDS, lead, new_control_url
from tests.e2e.catchers import Mailbox, SlackLike, mailbox, slack_like
from tests.e2e.processes import eventually
from tests.monitor.clocks import START
from tests.monitor.worker.books import FakeChannel
from tests.monitor.worker.test_delivery import page

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FIRING = "Error: error_rate at 2 places"


@dataclass
class Bench:
    """A process that works in forks of itself, and the inboxes that its workers reach."""

    process: subprocess.Popen[str]
    mail: Mailbox
    mail_port: int
    slack: SlackLike
    slack_url: str

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def work(
        self, url: str, epoch: int, *, freeze_at: int | None = None, later: timedelta = timedelta(0)
    ) -> dict[str, Any]:
        """How a worker fared that judged and told once."""
        return self.ask(
            {
                "url": url,
                "epoch": epoch,
                "freeze_at": freeze_at,
                "now": (START + later).isoformat(),
                "mail_port": self.mail_port,
                "slack": self.slack_url,
            }
        )

    def emptied(self) -> None:
        self.mail.messages.clear()
        self.slack.posted.clear()

    def heard(self) -> list[int]:
        """How often each channel was told."""
        return [
            sum(FIRING in title for title in titles) for titles in (self.slack.texts(), self.mail.subjects())
        ]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with mailbox() as (mail, port), slack_like() as (slack, url):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.leader_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Bench(process, mail, port, slack, url)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


@dataclass(frozen=True)
class Store:
    """A control store that workers share."""

    url: str
    control: Control

    def emptied(self) -> int:
        """The epoch of worker 1 over it, without alerts."""
        with self.control.write() as tx:
            for table in (transition, notification, alert):
                tx.execute(table.delete())
        return lead(self.control, "worker-1")

    def is_held(self) -> bool:
        """Whether a frozen worker sits in a transaction that holds up every other."""
        if (path := sqlite_path(self.url)) is None:
            return False
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
            try:
                db.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return True
        return False

    def takeover(self) -> int:
        """The epoch of worker 2. On PostgreSQL a frozen worker that sits in a transaction loses it after ten
        seconds, by a setting of ours; here at once."""
        if sqlite_path(self.url) is None:
            with psycopg.connect(self.url, autocommit=True) as db:
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE state = 'idle in transaction' AND datname = current_database()"
                )
        return lead(self.control, "worker-2")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with new_control_url(request, tmp_path) as url, closing(Control.open(url, SystemClock())) as control:
        yield Store(url, control)


def test_leader_frozen_before_its_claim_sends_nothing_when_thawed_and_later_doubles_at_most_once(
    bench: Bench, store: Store
) -> None:
    """Frozen at each step after its round of rules. Until its first claim is committed, the worker that took
    over is the only one that sends. On SQLite nobody takes over from one that is frozen in a transaction: it
    goes on where it was, and is the only one that sends."""
    steps = bench.work(store.url, store.emptied())["steps"]
    claim_commits = steps.index("commit", steps.index("claim"))
    ended, doubled = set(), 0
    for at in range(steps.index("judged"), len(steps)):
        epoch = store.emptied()
        bench.emptied()
        frozen = bench.work(store.url, epoch, freeze_at=at)
        assert frozen["stopped"], at
        is_alone = store.is_held()
        if not is_alone:
            second = bench.work(store.url, store.takeover(), later=timedelta(minutes=10))
            assert "steps" in second, at
        thawed = bench.ask({"thaw": frozen["pid"], "pipe": frozen["pipe"]})
        heard = bench.heard()
        assert min(heard) >= 1, at
        assert max(heard) <= (1 if is_alone or at <= claim_commits else 2), at
        ended.add("alone" if is_alone else thawed.get("refused"))
        doubled += heard.count(2)
    # Thawed between two transactions, or within one: that is lost on PostgreSQL, and keeps SQLite's lock.
    assert {"LeaseLost", "alone" if sqlite_path(store.url) else "Unavailable"} <= ended
    assert doubled > 0


def test_of_two_workers_on_one_database_each_message_leaves_once(store: Store) -> None:
    """One leads, gives the lease back in the middle, and the other goes on; both run all the time."""
    first, second = (
        Leadership(store.control.leases, f"worker-{n}", SystemClock(), takeover_s=60) for n in (1, 2)
    )
    assert first.tend()
    assert not second.tend()
    pages = [page(f"e{n}", rule=f"r{n}") for n in range(40)]
    with store.control.leading(first.epoch() or 0) as tx:
        enqueue(tx, pages)
    team = FakeChannel("team", gathers=False)
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(worked, leader, store.url, team) for leader in (first, second)]
        eventually("half of them", 30, lambda: len(team.sent) >= 20, every_s=0.01)
        first.release()
        second.tend()
        eventually("all of them", 30, lambda: len(team.sent) >= 40, every_s=0.01)
        assert [each.result(30) for each in done]
    assert Counter(message.key for message in team.sent) == Counter(one.key for one in pages)


def worked(leader: Leadership, url: str, team: FakeChannel) -> bool:
    """Runs a worker's delivery whenever it leads, until everything was sent."""
    with closing(Control.open(url, SystemClock())) as control:
        links = Links("https://hooks.example.com")
        job = Delivery(control.notifications, lambda: {"team": team}, links, SystemClock().now, lambda: 0.5)
        while len(team.sent) < 40:
            if (epoch := leader.epoch()) is not None:
                with suppress(LeaseLost, Unavailable):
                    job.run(epoch)
            time.sleep(0.001)
    return True
