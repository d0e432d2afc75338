"""PostgreSQL and its clients killed under load: two collectors before one durable server.

What was acknowledged is stored and counted once, whatever dies: the server at once (SIGKILL), the server
without a checkpoint (`-m immediate`), a front worker, or a whole collector. The seed is printed when a test
fails; FAULTS_SEED repeats it.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create
from tests.faults.collector_process import CollectorProcess, add_key, is_running, kill
from tests.faults.conftest import Start
from tests.faults.load import CLIENTS, LARGEST, Load
from tests.faults.stored import assert_exact
from tests.postgres import Postgres, programs, server

SEED = int(os.environ.get("FAULTS_SEED") or time.time_ns() % 1_000_000)
ROUNDS = max(1, int(os.environ.get("FAULTS_KILLS", "25")) // 25)
"""Of one kill of each kind."""
BACK_S = 40.0

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(120 + 120 * ROUNDS)]


@pytest.fixture
def durable() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with server(durable=True) as started:
        yield started


class Pair:
    """Two collectors before one server, and ways to kill any of the three."""

    def __init__(self, postgres: Postgres, url: str, directories: list[Path], start: Start) -> None:
        self._postgres = postgres
        self._url = url
        self._start = start
        for directory in directories:
            directory.mkdir()
            add_key(directory)
        self.collectors: list[CollectorProcess] = [
            start(directory, facts_url=url).wait_ready(BACK_S) for directory in directories
        ]

    @property
    def ports(self) -> list[int]:
        return [collector.port for collector in self.collectors]

    def kill_server(self) -> None:
        self._restart(signal.SIGKILL)

    def stop_server_immediately(self) -> None:
        self._restart(signal.SIGQUIT)

    def kill_worker(self) -> None:
        collector = self.collectors[0]
        killed = collector.front_and_workers()[-1]
        kill(killed)
        collector.wait_until(lambda: not is_running(killed), BACK_S, "rid of its worker")

    def kill_collector(self) -> None:
        killed = self.collectors[1]
        for pid in killed.family():
            kill(pid)
        killed.wait()
        self.collectors[1] = self._start(killed.directory, killed.port, facts_url=self._url)

    def wait_ready(self) -> float:
        """Seconds until both are ready."""
        started_s = time.monotonic()
        for collector in self.collectors:
            collector.wait_ready(BACK_S)
        return time.monotonic() - started_s

    def _restart(self, how: signal.Signals) -> None:
        self._postgres.stop(how)
        for collector in self.collectors:
            collector.wait_until(lambda one=collector: not one.is_ready(), BACK_S, "telling of it")  # type: ignore[misc]
        self._postgres.start()


def test_nothing_is_lost_or_counted_twice(durable: Postgres, tmp_path: Path, start: Start) -> None:
    dice = random.Random(SEED)
    url = durable.url(durable.create())
    create(url)
    pair = Pair(durable, url, [tmp_path / "one", tmp_path / "two"], start)
    kinds = [pair.kill_server, pair.stop_server_immediately, pair.kill_worker, pair.kill_collector]
    took: list[str] = []
    with Load(*pair.ports, seed=SEED) as load:
        for _ in range(ROUNDS):
            for harm in dice.sample(kinds, len(kinds)):
                load.wait_for(200)
                time.sleep(dice.random() / 2)  # the moment itself is what is drawn
                harm()
                took.append(f"{harm.__name__} {pair.wait_ready():.2f} s")
                load.wait_for(CLIENTS * LARGEST + 1, BACK_S)
    print(f"seed {SEED}; ready again: {', '.join(took)}")

    assert [collector.stop() for collector in pair.collectors] == [0, 0]
    assert load.problems == []
    with closing(PostgresFactReader(url)) as reader:
        stored = assert_exact(reader, load.acknowledged, load.sent)
    with psycopg.connect(url) as db:
        assert db.execute("SELECT count(*) FROM facts.record").fetchone() == (stored,)
    print(f"{stored} records stored, {len(load.acknowledged)} acknowledged, {len(load.refusals)} refusals")
