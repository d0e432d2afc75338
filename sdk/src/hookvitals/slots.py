"""Which processes are alive: each holds a numbered lock file that the system lets go when the process dies.

A number that nobody holds is free, and whatever was done under it is abandoned. No clock is asked. Where the
system has no such locks every number is taken for free: one process is the rule there.
"""

import os
import sys
from contextlib import contextmanager
from typing import Iterator

if sys.platform != "win32":
    import fcntl

_MOST = 1024


class Slot:
    """The number of this process among those that share the files `<path>.<number>`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def take(self) -> int:
        """The first free number, held until `leave`. Raises OSError."""
        for number in range(_MOST):
            file = os.open(f"{self._path}.{number}", os.O_CREAT | os.O_RDWR, 0o600)
            if _locked(file):
                self._file = file
                return number
            os.close(file)
        raise OSError(f"{_MOST} processes work at {self._path} already")

    def leave(self) -> None:
        """Lets it go. In the child of a fork the parent keeps it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @contextmanager
    def abandoned(self, number: int) -> Iterator[bool]:
        """Whether nobody holds this number; nobody can take it while the block lasts."""
        file = os.open(f"{self._path}.{number}", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield _locked(file)
        finally:
            os.close(file)


def _locked(file: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
