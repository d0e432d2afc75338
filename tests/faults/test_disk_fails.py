"""A disk that turns read-only under the collector: refused in plain words, nothing acknowledged, no restarts.

Not collected where no disk can be mounted: conftest.py says why.
"""

from contextlib import closing
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, make_stores, starting
from tests.faults.load import Load
from tests.faults.power import disk
from tests.faults.stored import assert_exact

pytestmark = pytest.mark.faults


def test_a_disk_that_turns_read_only_is_told_of_and_costs_nothing(tmp_path: Path) -> None:
    with disk(tmp_path) as drive, starting() as start:
        data = make_stores(drive.directory / "data")
        collector = start(data, log=tmp_path / "log").wait_ready()
        with Load(collector.port, patience_s=0.5) as load:
            load.wait_for(500)
            # ext4 confirms a sync that is under way while it turns read-only: what counts is what came before
            acknowledged = set(load.acknowledged)
            drive.fail()
            refused = len(load.refusals)
            collector.wait_until(lambda: len(load.refusals) > refused + 3, 20, "refusing")
            is_ready = collector.is_ready()
        said = collector.said()
        assert collector.stop() == 0

        again = start(data, log=tmp_path / "log")
        assert again.wait() == 1
        (line,) = again.said().splitlines()

        drive.unmount()
        drive.repair()
        drive.mount()
        with closing(SqliteFactReader(data / FACTS)) as reader:
            assert_exact(reader, acknowledged, load.sent)
        repaired = start(data, log=tmp_path / "log").wait_ready()
        assert repaired.stop() == 0

    assert not is_ready
    assert load.problems == []
    assert "the facts store cannot be written" in said
    assert "mounted and writable" in said
    assert "Traceback" not in said
    assert "ended with exit code" not in said, "the same writer goes on refusing"
    assert line.startswith("error: ")
    assert "Read-only" in line or "cannot be written" in line
