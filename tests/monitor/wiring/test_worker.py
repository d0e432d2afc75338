"""The worker as a process runs it: leads, notes its jobs, hands the lease back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.config import Loaded, Settings, load
from monitor.errors import WrongSchema
from monitor.store.control import Control, upgrade
from monitor.wiring.internal_key import internal_key
from monitor.wiring.stores import control_url, upgrade_facts
from monitor.wiring.worker import Signals, run_worker

KEY = "ab" * 32


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def settings_file(tmp_path: Path, text: str = "") -> Path:
    file = tmp_path / "hookvitals.toml"
    file.write_text(f'[process]\ndata_dir = "{tmp_path}"\nsecret_key = "{KEY}"\n{text}')
    return file


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    here = load(settings_file(tmp_path), {})
    upgrade_facts(here.settings)
    upgrade(control_url(here.settings))
    return here


@pytest.fixture
def control(loaded: Loaded) -> Iterator[Control]:
    opened = Control.open(control_url(loaded.settings))
    yield opened
    opened.close()


@contextmanager
def working(loaded: Loaded) -> Iterator[Signals]:
    signals = Signals(threading.Event(), threading.Event())
    thread = threading.Thread(target=run_worker, args=(loaded, SystemClock(), signals))
    thread.start()
    try:
        yield signals
    finally:
        signals.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_worker_leads_runs_its_jobs_and_hands_the_lease_back(loaded: Loaded, control: Control) -> None:
    with working(loaded):
        until(lambda: {"rules", "prune"} <= {job.name for job in control.jobs.all()}, "jobs were noted")
    lease = control.leases.read("worker")
    assert lease is not None
    assert (lease.epoch, lease.owner) == (1, "")
    assert {job.error for job in control.jobs.all()} == {""}


def test_second_worker_stands_by_and_takes_over(loaded: Loaded, control: Control) -> None:
    def epoch() -> int:
        row = control.leases.read("worker")
        return row.epoch if row else 0

    with working(loaded):
        until(lambda: epoch() == 1, "the first leads")
        with working(loaded) as second:
            second.stop.wait(1)
            assert epoch() == 1
    with working(loaded):
        until(lambda: epoch() == 2, "a third takes the lease that was handed back")


def test_key_of_its_probes_is_known_to_control_by_its_hash(loaded: Loaded, control: Control) -> None:
    with working(loaded):
        until(lambda: bool(control.keys.all()), "the key is there")
    [key] = control.keys.all()
    token = internal_key(bytes.fromhex(KEY))
    assert token.split("_")[1] == key.id
    assert token.split("_")[2] not in repr(key)


def test_file_is_applied_again_when_asked_and_mistakes_change_nothing(
    loaded: Loaded, control: Control
) -> None:
    assert loaded.file is not None
    with working(loaded) as signals:
        until(lambda: bool(control.jobs.all()), "it leads")
        settings_file(loaded.file.parent, "[egress]\nalow = []\n")
        signals.again.set()
        until(lambda: not signals.again.is_set(), "the file with a mistake was looked at")
        settings_file(loaded.file.parent, '[egress]\nallow = ["10.0.0.0/8"]\n')
        signals.again.set()
        until(lambda: control.configs.latest() is not None, "the file is in force")
    assert control.configs.latest() == (1, {"egress": {"allow": ["10.0.0.0/8"]}})


def test_missing_store_is_told_of_before_anything_starts(tmp_path: Path) -> None:
    here = Loaded(
        Settings.model_validate({"data_dir": tmp_path, "secret_key": KEY}), load(None, {}).document, None
    )
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        run_worker(here, SystemClock(), Signals(threading.Event(), threading.Event()))
