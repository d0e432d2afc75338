"""Whole processes for the end-to-end tests: `hookvitals up` as an operator starts it, and others beside it.

Every process listens on loopback at a free port, writes its output to a file in the test's directory, and is
ended by its own id. Nothing of the product is patched or preset: what is configured stands in a file.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.ports import free_port

COMMAND = Path(sys.executable).with_name("hookvitals")


def eventually(what: str, within_s: float, true: Callable[[], bool], every_s: float = 0.2) -> None:
    """Returns once `true()` holds. Fails, naming what was awaited, when that takes longer."""
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, f"{what}: not within {within_s:g} s"
        time.sleep(every_s)


def is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@dataclass(frozen=True)
class Monitor:
    """A running `hookvitals up`, and what it printed once."""

    directory: Path
    collector: str
    dashboard: str
    password: str
    key: str
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """What `hookvitals …` prints in the same directory. Fails when the command does."""
        done = subprocess.run(
            [str(COMMAND), *arguments],
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def process(
    arguments: Sequence[str], directory: Path, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """The process, told to stop at the end of the block, and made to after 30 s."""
    with log.open("w") as output:
        running = subprocess.Popen(
            arguments,
            cwd=directory,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
                raise


@contextmanager
def monitor(directory: Path, more_environment: Mapping[str, str]) -> Iterator[Monitor]:
    """`hookvitals up` in the directory, ready; stopped in good order at the end."""
    ports = free_port(), free_port()
    environment = {
        **os.environ,
        "HOOKVITALS_COLLECTOR_PORT": str(ports[0]),
        "HOOKVITALS_DASHBOARD_PORT": str(ports[1]),
        "PYTHONUNBUFFERED": "1",
        **more_environment,
    }
    log = directory / "up.log"
    with process([str(COMMAND), "up"], directory, environment, log) as running:
        collector, dashboard = (f"http://127.0.0.1:{port}" for port in ports)
        try:
            for url in (f"{collector}/readyz", f"{dashboard}/healthz"):
                eventually(url, 60, lambda url=url: running.poll() is not None or is_up(url))  # type: ignore[misc]
            assert running.poll() is None
        except AssertionError as failed:
            raise AssertionError(f"{failed}\n{log.read_text()}") from failed
        text = log.read_text()
        yield Monitor(
            directory,
            collector,
            dashboard,
            _found(r"password\s+(\S+)", text),
            _found(r'key="(hv_\w+)"', text),
            environment,
        )
    assert running.returncode == 0, log.read_text()


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, f"{pattern} is not in:\n{text}"
    return found[1]
