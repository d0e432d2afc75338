"""A whole collector in processes of its own, for tests that kill parts of it.

`python -m tests.faults.collector_process <directory> <port>` serves until SIGTERM; the port goes to stdout.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from monitor.collector.keys import Key
from monitor.collector.serve import serve
from monitor.collector.settings import CollectorSettings
from monitor.store.facts.sqlite.file import LOCK_NAME
from monitor.store.facts.sqlite.writer import create

TOKEN = "hv_k1_secret"


def keys() -> Sequence[Key]:
    return [Key("k1", hashlib.sha256(b"secret").hexdigest(), frozenset({"ingest"}))]


class CollectorProcess:
    """A collector that runs until it is stopped or killed."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        create(directory / "facts.db")
        self.directory = directory
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.collector_process", str(directory), str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def writer_pid(self) -> int:
        """The process that writes the store now."""
        return int((self.directory / LOCK_NAME).read_text())

    def family(self) -> list[int]:
        """The collector and everything it started, parents first."""
        return [self.pid, *_descendants(self.pid)]

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, within_s: float) -> float:
        """Seconds until it was ready. Fails when that takes longer than `within_s`."""
        started = time.monotonic()
        while not self.is_ready():
            assert time.monotonic() - started < within_s, f"not ready within {within_s} s"
            time.sleep(0.05)
        return time.monotonic() - started

    def stop(self) -> int:
        """Ends it in good order; its exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """Kills whatever still runs of it."""
        if self._process.poll() is None:
            for pid in self.family():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.wait()

    def wait(self) -> int:
        code = self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


def _descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *_descendants(child))]


def main() -> None:
    directory, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = CollectorSettings(directory, bytes(32), port=port, retention_s=10 * 365 * 86_400)
    serve(settings, keys, on_listening=lambda _, listening: print(listening, flush=True))


if __name__ == "__main__":
    main()
