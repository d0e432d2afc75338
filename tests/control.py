"""Control stores for tests: real SQLite files, brought to the head once a run and copied for each test."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from monitor.clock import Clock
from monitor.store.control import Control, upgrade
from monitor.store.control.leases import WORKER


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hookvitals-control-")) / "control.db"
    upgrade(f"sqlite:///{path}")
    return path


def control_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'control.db'}"


def new_control(folder: Path, clock: Clock) -> Control:
    """A new, empty control store in the folder."""
    shutil.copy(_template(), folder / "control.db")
    return Control.open(control_url(folder), clock)


def lead(control: Control, owner: str = "worker-1") -> int:
    """The epoch of a new leader, whoever led before."""
    epoch = control.leases.take(WORKER, owner, control.leases.read(WORKER))
    assert epoch is not None
    return epoch
