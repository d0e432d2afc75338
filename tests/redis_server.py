"""A Redis of the tests' own on a socket in a directory of its own: started, stopped and killed by its id."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

WITHIN_S = 20.0


def program() -> str | None:
    """The server's program; None where Redis is not installed."""
    return shutil.which("redis-server")


@dataclass(eq=False)
class Redis:
    """One server in a directory, its data in an append-only file that each write is synced to."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.directory / 'socket'}?db=0"

    def start(self) -> None:
        """Returns once it answers."""
        found = program()
        assert found is not None, "Redis is not installed"
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [found, "--port", "0", "--unixsocket", str(self.directory / "socket"), "--dir",
                 str(self.directory), "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
                cwd=self.directory, stdout=log, stderr=log,
            )  # fmt: skip
        end_s = time.monotonic() + WITHIN_S
        while not self._answers():
            assert time.monotonic() < end_s, (self.directory / "log").read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(WITHIN_S)
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextmanager
def server() -> Iterator[Redis]:
    """A server in a short-named directory (a socket's path may have 107 bytes), gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hv-rd-", dir="/tmp") as name:
        made = Redis(Path(name))
        made.start()
        try:
            yield made
        finally:
            made.stop()
