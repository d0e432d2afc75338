"""The worker killed at every step of the notification path, or frozen there while another one takes over.

Real signals, a real store, a mailbox and a server shaped like Slack's. What is to be told arrives at each
channel at least once, and at most twice: once more for the one kill or freeze.
"""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL, SIGSTOP
from typing import Any

import psycopg
import pytest

from alerts.message import Links
from monitor.clock import SystemClock
from monitor.errors import LeaseLost
from monitor.store.control import Control, upgrade
from monitor.store.control.notifications import enqueue
from monitor.store.control.schema import alert, notification, transition
from monitor.worker.delivery import Delivery
from monitor.worker.leadership import Leadership
from tests.control import control_url, lead, new_control
from tests.e2e.catchers import Mailbox, SlackLike, mailbox, slack_like
from tests.e2e.processes import eventually
from tests.monitor.clocks import START, FakeClock
from tests.monitor.worker.books import FakeChannel
from tests.monitor.worker.test_delivery import page

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FIRING, RESOLVED = "Error: error_rate at 2 places", "Resolved: error_rate at 2 places"


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
        self,
        url: str,
        epoch: int,
        *rounds: str,
        at: int | None = None,
        signal: int = SIGKILL,
        later: timedelta = timedelta(0),
    ) -> dict[str, Any]:
        return self.ask(
            {
                "url": url,
                "epoch": epoch,
                "rounds": rounds,
                "at": at,
                "signal": int(signal),
                "now": (START + later).isoformat(),
                "mail_port": self.mail_port,
                "slack": self.slack_url,
            }
        )

    def emptied(self) -> None:
        self.mail.messages.clear()
        self.slack.posted.clear()

    def heard(self) -> dict[str, Counter[str]]:
        """For each channel, how often each thing was said."""
        said = {"chat": self.slack.texts(), "mail": self.mail.subjects()}
        return {
            channel: Counter(what for title in titles for what in (FIRING, RESOLVED) if what in title)
            for channel, titles in said.items()
        }


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with mailbox() as (mail, port), slack_like() as (slack, url):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.notification_process"],
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


@contextmanager
def store(folder: Path, made: Path | None = None) -> Iterator[tuple[str, Control]]:
    """A control store that worker 1 leads: a new one, or a copy of one that was made before."""
    folder.mkdir()
    if made is not None:
        shutil.copy(made, folder / "control.db")
        control = Control.open(control_url(folder), FakeClock(START))
    else:
        control = new_control(folder, FakeClock(START))
        lead(control)
    try:
        yield control_url(folder), control
    finally:
        control.close()


def assert_told(heard: dict[str, Counter[str]], *said: str, times: int) -> None:
    for channel, counted in heard.items():
        assert set(counted) == set(said), channel
        assert max(counted.values()) <= times, (channel, counted)


@pytest.mark.parametrize(
    ("before", "rounds", "then"),
    [((), ("bad",), ("bad", "good")), (("bad",), ("good",), ("good",))],
    ids=["on the way to firing", "on the way to resolved"],
)
def test_worker_killed_at_any_step_loses_no_message_and_doubles_each_at_most_once(
    tmp_path: Path, bench: Bench, before: tuple[str, ...], rounds: tuple[str, ...], then: tuple[str, ...]
) -> None:
    with store(tmp_path / "before") as (url, _):
        if before:
            bench.work(url, 1, *before)
    made = tmp_path / "before" / "control.db"
    with store(tmp_path / "whole", made) as (url, _):
        steps = len(bench.work(url, 1, *rounds)["steps"])
    assert steps > 30
    doubled = 0
    for at in range(steps):
        with store(tmp_path / str(at), made) as (url, control):
            bench.emptied()
            assert bench.work(url, 1, *rounds, at=at) | {"pid": 0, "pipe": 0} == {
                "pid": 0,
                "pipe": 0,
                "signal": SIGKILL,
            }, at
            later = timedelta(minutes=10)
            assert "steps" in bench.work(url, lead(control, "worker-2"), *then, later=later), at
            heard = bench.heard()
            assert_told(heard, *([] if before else [FIRING]), RESOLVED, times=2)
            doubled += sum(count == 2 for counted in heard.values() for count in counted.values())
    assert doubled > 0  # between the service's taking it and the store's noting it nothing can help


def test_nothing_is_doubled_when_nobody_is_killed(tmp_path: Path, bench: Bench) -> None:
    bench.emptied()
    with store(tmp_path / "whole") as (url, _):
        bench.work(url, 1, "bad", "good")
    assert_told(bench.heard(), FIRING, RESOLVED, times=1)


@pytest.fixture
def postgres_control(postgres_url: str) -> Iterator[Control]:
    upgrade(postgres_url)
    control = Control.open(postgres_url, SystemClock())
    yield control
    control.close()


def takeover(control: Control, url: str) -> int:
    """The epoch of worker 2. A frozen worker that sits in a transaction loses it after ten seconds, by a
    setting of ours; here at once."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND datname = current_database()"
        )
    return lead(control, "worker-2")


def emptied(control: Control) -> int:
    """The epoch of worker 1 over a store without alerts."""
    with control.write() as tx:
        for table in (transition, notification, alert):
            tx.execute(table.delete())
    return lead(control, "worker-1")


@pytest.mark.postgres
def test_leader_frozen_before_its_claim_sends_nothing_when_thawed_and_later_doubles_at_most_once(
    bench: Bench, postgres_url: str, postgres_control: Control
) -> None:
    """Frozen at each step after its round of rules. Until its first claim is committed, the worker that took
    over is the only one that sends."""
    control = postgres_control
    steps = bench.work(postgres_url, emptied(control), "bad")["steps"]
    claim_commits = steps.index("commit", steps.index("claim"))
    refused, doubled = set(), 0
    for at in range(steps.index("judged"), len(steps)):
        epoch = emptied(control)
        bench.emptied()
        frozen = bench.work(postgres_url, epoch, "bad", at=at, signal=SIGSTOP)
        assert frozen["stopped"], at
        second = takeover(control, postgres_url)
        assert "steps" in bench.work(postgres_url, second, "bad", later=timedelta(minutes=10)), at
        thawed = bench.ask({"thaw": frozen["pid"], "pipe": frozen["pipe"]})
        counted = [count for said in bench.heard().values() for count in said.values()]
        assert [set(said) for said in bench.heard().values()] == [{FIRING}, {FIRING}], at
        assert max(counted) <= 2, at
        if at <= claim_commits:
            assert counted == [1, 1], at
            refused.add(thawed.get("refused"))
        doubled += counted.count(2)
    assert {"LeaseLost", "Unavailable"} <= refused  # thawed between two transactions, or within one
    assert doubled > 0


@pytest.mark.postgres
def test_of_two_workers_on_one_database_each_message_leaves_once(
    bench: Bench, postgres_url: str, postgres_control: Control
) -> None:
    """One leads, gives the lease back in the middle, and the other goes on; both run all the time."""
    first, second = (
        Leadership(postgres_control.leases, f"worker-{n}", SystemClock(), takeover_s=60) for n in (1, 2)
    )
    assert first.tend()
    assert not second.tend()
    pages = [page(f"e{n}", rule=f"r{n}") for n in range(40)]
    with postgres_control.leading(first.epoch() or 0) as tx:
        enqueue(tx, pages)
    team = FakeChannel("team", gathers=False)
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(worked, leader, postgres_url, team) for leader in (first, second)]
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
                with suppress(LeaseLost):
                    job.run(epoch)
            time.sleep(0.001)
    return True
