"""`hookvitals collector` as an operator starts it, for tests that kill, fill or corrupt parts of it.

The stores are made beforehand, as `hookvitals db upgrade` makes them, with one key. Its processes are found
by their parents and ended by their ids; whoever starts a collector kills what is left of it.
"""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import requests

from monitor.clock import SystemClock
from monitor.store.control.keys import ApiKey
from monitor.store.facts.sqlite.file import LOCK_NAME, create
from tests.control import new_control

COMMAND = Path(sys.executable).with_name("hookvitals")
TOKEN = "hv_k1_secret"
FACTS = "facts.db"
_AT = re.compile(r"collector starts at http://127\.0\.0\.1:(\d+)")


def make_stores(directory: Path) -> Path:
    """The directory with both stores on SQLite, and the key of TOKEN in control."""
    directory.mkdir(exist_ok=True)
    create(directory / FACTS)
    add_key(directory)
    return directory


def add_key(directory: Path) -> None:
    """A control store in the directory that knows TOKEN."""
    clock = SystemClock()
    control = new_control(directory, clock)
    digest = hashlib.sha256(b"secret").hexdigest()
    key = ApiKey("k1", digest, "tests", frozenset({"ingest"}), frozenset(), None, "tests", clock.now())
    with control.write() as tx:
        control.keys.add(tx, key)
    control.close()


class CollectorProcess:
    """A collector that runs until it is stopped or killed."""

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        log: Path | None = None,
        before: Sequence[str] = (),
        **settings: str,
    ) -> None:
        """Started, not ready yet. before: a command that runs it. settings: its environment, lower case."""
        self.directory = directory
        self.log = log or directory / "collector.log"
        with self.log.open("ab") as output:
            self._from = output.tell()
            self._process = subprocess.Popen(
                [*before, str(COMMAND), "collector"],
                env=_environment(directory, port, settings),
                cwd=directory,
                stdout=output,
                stderr=output,
            )
        self.port = port

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        """What it wrote to its log since it was started."""
        return self.log.read_bytes()[self._from :].decode()

    def wait_ready(self, within_s: float = 40) -> "CollectorProcess":
        """Itself, once its port is known and it is ready. Fails when that takes longer than `within_s`."""
        self.wait_until(lambda: self._knows_port() and self.is_ready(), within_s, "ready")
        return self

    def wait_until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < within_s, f"not {what} within {within_s} s: {self.said()}"
            time.sleep(0.02)

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def writer_pid(self) -> int:
        """The process that writes the SQLite store now, or wrote it last."""
        return int((self.directory / LOCK_NAME).read_text() or 0)

    def front_pid(self) -> int:
        """The process above the front's workers; 0 while there is none."""
        return next((pid for pid in _children(self.pid) if pid != self.writer_pid()), 0)

    def worker_pids(self) -> list[int]:
        """The front's workers."""
        return _children(front) if (front := self.front_pid()) else []

    def front_and_workers(self) -> list[int]:
        """Where no process writes alone: the front is the one that has children."""
        front = next(pid for pid in _children(self.pid) if _children(pid))
        return [front, *_children(front)]

    def family(self) -> list[int]:
        """The collector and everything it started, parents first."""
        return [self.pid, *descendants(self.pid)]

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Ends it in good order; its exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """Kills whatever still runs of it."""
        if self.running():
            for pid in self.family():
                kill(pid)
            self.wait()

    def wait(self, within_s: float = 30) -> int:
        return self._process.wait(within_s)

    def _knows_port(self) -> bool:
        if not self.port:
            assert self.running(), self.said()
            found = _AT.search(self.said())
            self.port = int(found[1]) if found else 0
        return self.port != 0


def kill(pid: int) -> bool:
    """Kills one process; False when it is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def is_running(pid: int) -> bool:
    """False for a zombie, too: whoever has to take note of its end may be late."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@contextlib.contextmanager
def starting() -> Iterator[Callable[..., CollectorProcess]]:
    """Starts collectors, and leaves none of them running."""
    made: list[CollectorProcess] = []

    def start(directory: Path, port: int = 0, **options: object) -> CollectorProcess:
        made.append(CollectorProcess(directory, port, **options))  # type: ignore[arg-type]  # as its own
        return made[-1]

    try:
        yield start
    finally:
        for each in made:
            each.kill()


def _environment(directory: Path, port: int, settings: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HOOKVITALS_")}
    named = {"data_dir": str(directory), "collector_port": str(port), **settings}
    return own | {f"HOOKVITALS_{name.upper()}": value for name, value in named.items()}


def _children(pid: int) -> list[int]:
    """Its child processes but for the helpers of Python's own that follow shared resources."""
    return [child for child in _started_by(pid) if b"resource_tracker" not in _command(child)]


def descendants(pid: int) -> list[int]:
    """Whatever it started, and what that started; parents first."""
    return [each for child in _started_by(pid) for each in (child, *descendants(child))]


def _started_by(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
