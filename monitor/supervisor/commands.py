"""The three children of `hookvitals up`, and how they are started."""

import os
import sys
from collections.abc import Sequence

from monitor.supervisor.processes import Command

NAMES = ("collector", "worker", "dashboard")


def commands(names: Sequence[str] = NAMES) -> list[Command]:
    """Each process as a command of this same program, that ends when this process does."""
    return [
        Command(name, [sys.executable, "-m", "monitor", name, "--parent", str(os.getpid())]) for name in names
    ]
