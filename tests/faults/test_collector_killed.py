"""One SIGKILL at a time, under load: who takes over, and what clients see meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, CollectorProcess, is_running, kill, make_stores
from tests.faults.conftest import Start
from tests.faults.load import CLIENTS, LARGEST, Load
from tests.faults.stored import assert_exact

ON_ITS_WAY = CLIENTS * LARGEST
"""Records that may be acknowledged after a kill though the killed process stored them."""

pytestmark = pytest.mark.faults


def assert_nothing_lost(collector: CollectorProcess, load: Load) -> None:
    assert load.problems == []
    reader = SqliteFactReader(collector.directory / FACTS)
    try:
        assert assert_exact(reader, load.acknowledged, load.sent) == len(load.acknowledged)
    finally:
        reader.close()


def test_killed_writer_is_replaced_and_clients_are_told_to_wait(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    with Load(collector.port) as load:
        for _ in range(2):
            load.wait_for(300)
            killed = collector.writer_pid()
            kill(killed)
            load.wait_for(ON_ITS_WAY + 1)
            assert collector.writer_pid() != killed
    assert collector.stop() == 0

    assert set(load.refusals) == {503}
    assert_nothing_lost(collector, load)


def test_killed_front_worker_is_replaced(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    with Load(collector.port) as load:
        load.wait_for(300)
        workers = collector.worker_pids()
        kill(workers[0])
        load.wait_for(ON_ITS_WAY + 1)
        collector.wait_until(lambda: len(collector.worker_pids()) == len(workers), 20, "whole again")
    assert not is_running(workers[0])
    assert collector.stop() == 0

    assert_nothing_lost(collector, load)


def test_everything_is_counted_already_when_the_whole_collector_is_dead(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    with Load(collector.port) as load:
        load.wait_for(300)
        for pid in collector.family():
            kill(pid)
        collector.wait()
        reader = SqliteFactReader(tmp_path / FACTS)
        assert_exact(reader, set(load.acknowledged), load.sent)
        reader.close()

        again = start(tmp_path, collector.port).wait_ready()
        load.wait_for(ON_ITS_WAY + 1)
    assert again.stop() == 0

    assert_nothing_lost(again, load)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_nothing_is_left_running_when_only_the_parent_dies(
    tmp_path: Path, start: Start, number: signal.Signals
) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    family = collector.family()
    os.kill(collector.pid, number)
    collector.wait()

    again = start(tmp_path, collector.port).wait_ready()  # takes port and store over, or fails
    again.wait_until(lambda: not any(map(is_running, family)), 10, "rid of the orphans")
    assert again.stop() == 0
