"""`hookvitals up` in an empty directory, as a process, from its first words to Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hookvitals import Recorder, Shipper
from tests.ports import free_port

pytestmark = pytest.mark.e2e

PATIENCE_S = 60.0


def until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code
    except OSError:
        return 0


def is_ready(port: int) -> bool:
    return status(f"http://127.0.0.1:{port}/readyz") == 200


@dataclass
class Up:
    """One `hookvitals up`. words: what it said on standard output so far."""

    directory: Path
    collector: int
    dashboard: int
    process: subprocess.Popen[bytes] | None = None

    def environ(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("HOOKVITALS_")}
        return {
            **others,
            "HOOKVITALS_COLLECTOR_PORT": str(self.collector),
            "HOOKVITALS_DASHBOARD_PORT": str(self.dashboard),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "monitor", *words]
        return subprocess.run(
            command, cwd=self.directory, env=self.environ(), capture_output=True, text=True, timeout=60
        )

    def start(self) -> None:
        with (self.directory / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "up"],
                cwd=self.directory,
                env=self.environ(),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def stop(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(40)
        self.process = None
        return code

    def words(self) -> str:
        return (self.directory / "out").read_text()

    def pid_of(self, name: str) -> int:
        return int(re.findall(rf"{name} started, pid (\d+)", self.words())[-1])

    def await_ready(self) -> None:
        for port in (self.collector, self.dashboard):
            until(partial(is_ready, port), f"port {port} is ready")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    collector, dashboard = free_port(), free_port()
    made = Up(tmp_path, collector, dashboard)
    yield made
    if made.process is not None:
        made.stop(signal.SIGTERM)


@pytest.mark.timeout(240)
def test_empty_directory_becomes_an_installation(up: Up) -> None:
    up.start()
    up.await_ready()

    said = up.words()
    assert re.search(r"password   \S{12,}", said)
    token = re.findall(r'key="(hv_\w+)"', said)[0]
    assert f'collector="http://127.0.0.1:{up.collector}"' in said
    assert (up.directory / "hookvitals-data").stat().st_mode & 0o077 == 0

    shipper = Shipper(f"http://127.0.0.1:{up.collector}", token, batch_delay_s=0.1)
    recorder = Recorder("stripe", "payments", shipper)
    with recorder.track(event_id="evt_1", event_type="invoice.paid"):
        pass
    assert shipper.close(10)
    assert "evt_1" in up.run("records", "tail").stdout
    assert up.run("doctor", "--ready").returncode == 0

    worker = up.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    until(lambda: up.pid_of("worker") != worker, "the worker is started again")

    children = [up.pid_of(name) for name in ("collector", "worker", "dashboard")]
    assert up.stop(signal.SIGINT) == 0
    assert up.words().rstrip().endswith("stopped")
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    up.start()
    up.await_ready()
    assert up.words().count("password   ") == 1, "the password is shown once"
    assert "evt_1" in up.run("records", "tail").stdout


@pytest.mark.timeout(120)
def test_misspelt_file_stops_it_before_anything_is_made(up: Up) -> None:
    (up.directory / "hookvitals.toml").write_text("[egres]\nallow = []\n")
    done = up.run("up")
    assert done.returncode == 1
    assert "hookvitals.toml, line 1: egres: unknown key (did you mean egress?)" in done.stderr
    assert not (up.directory / "hookvitals-data").exists()


@pytest.mark.timeout(120)
def test_port_in_use_is_one_clear_line(up: Up) -> None:
    with socket.create_server(("127.0.0.1", up.dashboard)):
        done = up.run("up")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"error: 127.0.0.1 port {up.dashboard} is in use "
        "(end the other process, or set HOOKVITALS_DASHBOARD_PORT to another port)"
    )


@pytest.mark.timeout(120)
def test_data_directory_that_cannot_be_written_is_one_clear_line(up: Up) -> None:
    (up.directory / "hookvitals-data").write_text("a file stands in the way")
    done = up.run("up")
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("error: the data directory hookvitals-data cannot be written")
    assert "HOOKVITALS_DATA_DIR" in line


@pytest.mark.timeout(240)
def test_changed_file_is_followed_on_sighup(up: Up) -> None:
    file = up.directory / "hookvitals.toml"
    file.write_text("")
    up.start()
    up.await_ready()
    file.write_text('[[rules]]\nkind = "error_rate"\nthreshold = 0.1\n')
    assert up.process is not None
    up.process.send_signal(signal.SIGHUP)

    def version() -> int:
        return int(json.loads(up.run("config", "show").stdout)["version"])

    until(lambda: version() == 2, "the changed file is in force", 20)
