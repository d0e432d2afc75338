"""A store that is damaged, cut short, gone or read-only: one clear error, nothing acknowledged, no storm.

Where the collector cannot start it says why and ends; where it is running already it goes on refusing, and
starts its writer again more and more slowly.
"""

import os
import random
import re
import time
from pathlib import Path

import pytest
import requests

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, TOKEN, CollectorProcess, kill, make_stores
from tests.faults.conftest import Start
from tests.faults.load import CLIENTS, LARGEST, Load, new_id, record
from tests.faults.stored import assert_exact

PAGE = 16384
pytestmark = pytest.mark.faults


def filled(directory: Path, start: Start) -> CollectorProcess:
    """A collector that has stored some thousand records in the directory."""
    collector = start(make_stores(directory)).wait_ready()
    with Load(collector.port) as load:
        load.wait_for(2_000)
    return collector


def damage(file: Path, *, first_page: int) -> None:
    """Overwrites every page from `first_page` on."""
    with file.open("r+b") as pages:
        for at in range(first_page * PAGE, file.stat().st_size, PAGE):
            pages.seek(at)
            pages.write(random.Random(at).randbytes(PAGE))


def post(collector: CollectorProcess) -> requests.Response:
    return requests.post(
        f"{collector.url}/api/v1/records",
        json=[record(new_id(CLIENTS, time.monotonic_ns() % 2**31))],
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=35,
    )


def pauses_s(collector: CollectorProcess) -> list[float]:
    """How long the collector waited each time before it started its writer again."""
    return [float(found) for found in re.findall(r"writer ended .* again in ([\d.]+) s", collector.said())]


def one_error(said: str) -> str:
    """The last line, and no traceback before it."""
    assert "Traceback" not in said, said
    return said.strip().splitlines()[-1]


@pytest.mark.parametrize("first_page", [0, 1])
def test_a_damaged_file_is_not_opened(tmp_path: Path, start: Start, first_page: int) -> None:
    collector = filled(tmp_path, start)
    assert collector.stop() == 0
    damage(tmp_path / FACTS, first_page=first_page)

    again = start(tmp_path)

    assert again.wait() == 1
    error = one_error(again.said())
    assert "damaged" in error, error
    assert "hookvitals restore" in error, error


def test_a_missing_file_is_not_made_anew(tmp_path: Path, start: Start) -> None:
    make_stores(tmp_path)
    (tmp_path / FACTS).unlink()

    collector = start(tmp_path)

    assert collector.wait() == 1
    assert "hookvitals db upgrade" in one_error(collector.said())
    assert not (tmp_path / FACTS).exists()


def test_a_log_cut_short_leaves_a_store_that_agrees_with_itself(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    with Load(collector.port) as load:
        load.wait_for(500)
        for pid in collector.family():
            kill(pid)
        collector.wait()
        log = tmp_path / f"{FACTS}-wal"
        os.truncate(log, log.stat().st_size * 2 // 3)

        again = start(tmp_path, collector.port).wait_ready()
        load.wait_for(CLIENTS * LARGEST + 1)
    assert again.stop() == 0

    reader = SqliteFactReader(tmp_path / FACTS)
    assert assert_exact(reader, (), load.sent) > 0
    reader.close()


@pytest.mark.parametrize("harm", ["damaged", "deleted"])
def test_a_running_collector_refuses_and_starts_its_writer_ever_more_slowly(
    tmp_path: Path, start: Start, harm: str
) -> None:
    collector = filled(tmp_path, start)
    kill(collector.writer_pid())  # first, so that nothing is in a memory that would hide the harm
    if harm == "damaged":
        damage(tmp_path / FACTS, first_page=0)
        (tmp_path / f"{FACTS}-wal").unlink()
    else:
        (tmp_path / FACTS).unlink()

    collector.wait_until(lambda: len(pauses_s(collector)) > 3, 60, "starting its writer again")
    answer = post(collector)
    pauses, said = pauses_s(collector), collector.said()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert not collector.is_ready()
    assert "Traceback" not in said
    assert ("hookvitals restore" if harm == "damaged" else "hookvitals db upgrade") in said
    assert said.count("the writer cannot go on") <= len(pauses)  # the first end was the kill
    assert pauses[1:] == [min(2 * pause, 5) for pause in pauses[:-1]], (
        "each twice the one before, 5 s at most"
    )
    assert collector.stop() == 0


def test_a_file_deleted_under_a_running_writer_takes_no_record_with_it(tmp_path: Path, start: Start) -> None:
    collector = filled(tmp_path, start)
    moved = tmp_path / "aside"
    (tmp_path / FACTS).rename(moved)

    answer = post(collector)
    is_ready = collector.is_ready()
    moved.rename(tmp_path / FACTS)

    assert answer.status_code == 503
    assert "moved or deleted" in answer.text
    assert not is_ready
    assert post(collector).status_code == 200
    assert collector.is_ready()
    assert collector.stop() == 0
