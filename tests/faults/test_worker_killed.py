"""The whole worker killed at every step of the notification path: each message at least once, at most twice.

The worker is the one that `hookvitals worker` runs, with all its jobs, over real stores; SIGKILL takes it at
each step in turn, and another one goes on with what it left. What arrived is counted in a mailbox that speaks
SMTP and at a server shaped like Slack's. By their clocks the workers are some minutes apart. On PostgreSQL
the message of an end has its turn where FAULTS_TOLD is 2, as in `make faults-long`.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from alerts.model import Delivery as Stage
from monitor.clock import SystemClock, to_us
from monitor.config import load
from monitor.model import Outcome
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.control.leases import WORKER
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from monitor.wiring.applying import apply
from tests.control import KINDS, control_url, lead, new_control
from tests.e2e.catchers import mailbox, slack_like
from tests.e2e.conftest import Inboxes
from tests.e2e.processes import eventually
from tests.facts import Filled, RecordFactory
from tests.faults.worker_process import Worker, steps_in
from tests.postgres import Postgres

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

FIRING, RESOLVED = "Error: error_rate at 2 places", "Resolved: error_rate at 2 places"
LANES = 5
"""Kills under way at a time: a worker mostly waits for its next second."""
TOLD = int(os.environ.get("FAULTS_TOLD", "1"))
"""On PostgreSQL: 1 for the alert, 2 for its end, too."""
WITHIN_S = 60
APART = timedelta(minutes=4)
"""Between two workers: what the first had claimed is free again after two."""
RULES = """
[[rules]]
kind = "error_rate"
window = "1m"
interval = "5m"
for = "0s"
keep_firing_for = "0s"
min_sample = 5
"""
OTHERS = ("failure_count", "new_issue", "evaluator_late")
"""What would have something to say of such facts, too."""


@dataclass(frozen=True)
class Times:
    """What the clocks of the workers say as each begins: two within the trouble, two after it."""

    bad: datetime
    still_bad: datetime
    good: datetime
    still_good: datetime


@pytest.fixture(scope="module")
def times() -> Times:
    first = datetime.now(UTC) - 4 * APART
    return Times(*(first + number * APART for number in range(4)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, times: Times) -> Path:
    """A data directory whose facts tell of trouble at two endpoints, and of its end."""
    folder = tmp_path_factory.mktemp("data")
    create(folder / "facts.db")
    begin, over, end = times.bad - APART, times.good - APART / 2, times.still_good + APART
    moments = [begin + n * timedelta(seconds=2) for n in range((end - begin) // timedelta(seconds=2))]
    made = RecordFactory()
    with closing(SqliteFactWriter(folder / "facts.db", SystemClock())) as writer:
        Filled(writer, datetime.now(UTC)).add(
            made(Outcome.FAILED if at < over and n % 2 else Outcome.SUCCEEDED, at, endpoint=endpoint)
            for n, at in enumerate(moments)
            for endpoint in ("payments", "refunds")
        )
        for at in moments[::5]:
            writer.heartbeat("collector", to_us(at))
    return folder


@dataclass(frozen=True)
class Lane:
    """Where a worker is killed and another one goes on: its inboxes, and a store that leads to them."""

    folder: Path
    data: Path
    inboxes: Inboxes

    def configure(self, url: str) -> None:
        off = "".join(f'[[rules]]\nkind = "{kind}"\nenabled = false\n' for kind in OTHERS)
        (self.folder / "hookvitals.toml").write_text(self.inboxes.channels() + RULES + off)
        document = load(self.folder / "hookvitals.toml", {}).document
        with closing(Control.open(url, SystemClock())) as control:
            now, sealer = datetime(2026, 1, 1, tzinfo=UTC), Sealer(bytes(32))
            apply(
                control,
                document,
                origin="",
                by="tests",
                at=now,
                sealer=sealer,
                environ=self._environment(url),
            )

    def emptied(self) -> None:
        self.inboxes.mail.messages.clear()
        self.inboxes.slack.posted.clear()

    def runs(self, url: str, at: datetime, said: str, die_at: str = "") -> Sequence[str]:
        """The steps of a worker that is killed at one, or runs until both channels were told for good."""
        with closing(Control.open(url, SystemClock())) as control:
            worker = Worker(self.folder, self._environment(url), at, die_at)
            try:
                if not die_at:
                    eventually(said, WITHIN_S, lambda: self._told(control, said), 0.02)
                    worker.end()
                eventually("its end", WITHIN_S, lambda: worker.exit_code() is not None, 0.02)
                assert worker.exit_code() == (-SIGKILL if die_at else 0), self._log()
            finally:
                worker.end(SIGKILL)
        return steps_in(self.folder)

    def heard(self) -> Mapping[str, Counter[str]]:
        """For each channel, how often each title came."""
        titles = {"chat": self.inboxes.slack.texts(), "mail": self.inboxes.mail.subjects()}
        return {
            channel: Counter(title.split("\n")[0].lstrip("🟠🟢 ") for title in all_of_them)
            for channel, all_of_them in titles.items()
        }

    def _told(self, control: Control, said: str) -> bool:
        return self.inboxes.both_hold(said) and control.notifications.counts()[Stage.DUE] == 0

    def _environment(self, url: str) -> dict[str, str]:
        return {
            "HOOKVITALS_DATA_DIR": str(self.data),
            "HOOKVITALS_SECRET_KEY": "ab" * 32,
            "HOOKVITALS_CONTROL_URL": url,
            "SLACK_URL": self.inboxes.slack_url,
        }

    def _log(self) -> str:
        return (self.folder / "worker.log").read_text()


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Sequence[Lane]]:
    with ExitStack() as inboxes:
        yield [
            Lane(
                tmp_path_factory.mktemp("lane"),
                data,
                Inboxes(*inboxes.enter_context(mailbox()), *inboxes.enter_context(slack_like())),
            )
            for _ in range(LANES)
        ]


class Files:
    """Control stores in files."""

    def new(self, lane: Lane) -> str:
        new_control(lane.folder, SystemClock()).close()
        return control_url(lane.folder)

    @contextmanager
    def copy(self, url: str, lane: Lane) -> Iterator[str]:
        with TemporaryDirectory(dir=lane.folder) as folder:
            shutil.copy(url.removeprefix("sqlite:///"), folder)
            yield control_url(Path(folder))


@dataclass(frozen=True)
class Databases:
    """Control stores in PostgreSQL."""

    postgres: Postgres

    def new(self, lane: Lane) -> str:
        url = self.postgres.url(self.postgres.create())
        upgrade(url)
        return url

    @contextmanager
    def copy(self, url: str, lane: Lane) -> Iterator[str]:
        name = self.postgres.create(like=urlsplit(url).path[1:])
        try:
            yield self.postgres.url(name)
        finally:
            self.postgres.drop(name)


Stores = Files | Databases


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return Files() if request.param == "sqlite" else Databases(request.getfixturevalue("postgres"))


@dataclass(frozen=True)
class Telling:
    """What is said when a worker begins at a time; and when the next one begins, if that one dies."""

    said: str
    at: datetime
    later: datetime

    def whole(self, lane: Lane, url: str) -> Sequence[str]:
        """The steps of a worker that nobody kills."""
        lane.emptied()
        steps = lane.runs(url, self.at, self.said)
        assert lane.heard() == {"chat": {self.said: 1}, "mail": {self.said: 1}}
        return steps

    def killed(self, lane: Lane, stores: Stores, url: str, steps: Sequence[str]) -> int:
        """How many messages came twice from a store like that one, over a kill at each of the steps."""
        doubled = 0
        for step in steps:
            with stores.copy(url, lane) as copy:
                lane.emptied()
                lane.runs(copy, self.at, self.said, die_at=step)
                given_back(copy)
                lane.runs(copy, self.later, self.said)
                heard = lane.heard()
            assert [set(titles) for titles in heard.values()] == [{self.said}] * 2, (step, heard)
            times = [titles[self.said] for titles in heard.values()]
            assert max(times) <= 2, (step, heard)
            doubled += times.count(2)
        return doubled


def given_back(url: str) -> None:
    """The lease of a worker that is gone is free, as it is once others saw it stand still for its time."""
    with closing(Control.open(url, SystemClock())) as control:
        control.leases.release(WORKER, "watcher", lead(control, "watcher"))


def test_each_message_arrives_at_least_once_and_is_doubled_at_most_once(
    lanes: Sequence[Lane], stores: Stores, times: Times
) -> None:
    befores = [stores.new(lane) for lane in lanes]
    for lane, url in zip(lanes, befores, strict=True):
        lane.configure(url)
    tellings = Telling(FIRING, times.bad, times.still_bad), Telling(RESOLVED, times.good, times.still_good)
    with ExitStack() as kept, ThreadPoolExecutor(LANES) as threads:
        for telling in tellings[: TOLD if isinstance(stores, Databases) else None]:
            afters = [kept.enter_context(stores.copy(*each)) for each in zip(befores, lanes, strict=True)]
            steps = list(threads.map(telling.whole, lanes, afters))
            assert len({frozenset(each) for each in steps}) == 1, steps
            assert len(steps[0]) > 20
            shares = [steps[0][n::LANES] for n in range(LANES)]
            doubled = threads.map(telling.killed, lanes, [stores] * LANES, befores, shares)
            assert (
                sum(doubled) > 0
            )  # between the service's taking it and the store's noting it nothing can help
            befores = afters
