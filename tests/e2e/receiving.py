"""The receiver's process: started beside a monitor, put into trouble, and helped out of it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.processes import Monitor, eventually, is_up, process
from tests.e2e.sender import Sender
from tests.ports import free_port

SECRET = "whsec_" + "c2lnbmluZy1zZWNyZXQt" * 2
REPLAY_SECRET = "whsec_" + "cmVwbGF5LXNlY3JldC0t" * 2
APP = Path(__file__).with_name("receiver_app.py")


@dataclass(frozen=True)
class Receiving:
    """A receiver that runs, and the provider that sends to it."""

    url: str
    sender: Sender
    trouble: Path

    def begin(self, endpoint: str, trouble: str) -> None:
        """From now on the endpoint's handler does `fail`, is `slow` or `stuck`."""
        (self.trouble / f"{endpoint}-{trouble}").touch()

    def end(self, endpoint: str, trouble: str) -> None:
        (self.trouble / f"{endpoint}-{trouble}").unlink()


@contextmanager
def receiving(monitor: Monitor, port: int | None = None) -> Iterator[Receiving]:
    """The receiver that reports to the monitor, until the block ends."""
    directory = monitor.directory / "receiver"
    trouble = directory / "trouble"
    trouble.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "COLLECTOR": monitor.collector,
        "KEY": monitor.key,
        "SECRET": SECRET,
        "REPLAY_SECRET": REPLAY_SECRET,
        "STATE": f"{directory}/",
        "TROUBLE": str(trouble),
    }
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    with process([sys.executable, str(APP), str(port)], directory, environment, directory / "receiver.log"):
        eventually("the receiver", 20, lambda: is_up(f"{url}/alive"))
        yield Receiving(url, Sender(url, SECRET), trouble)
        for left in trouble.iterdir():
            left.unlink()
