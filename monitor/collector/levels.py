"""What is left of each key's allowance, in a small mapped file that all front processes of a collector share.

So a key gets its rate whichever process its connections reach. Where the file cannot be had, each process
counts for itself.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_PLACES = 8_192
"""Of a hundred keys two share a place, and so an allowance, in half of all installations."""

Level = NDArray[np.float64]
"""Two numbers of a key; both 0 for one never seen."""


class Levels:
    """Used by all threads of a process, and by other processes beside it."""

    def __init__(self, path: Path | None = None) -> None:
        """path: of the file; None for this process alone."""
        self._lock = threading.Lock()
        self._file = -1
        self._levels: Level = np.zeros((_PLACES, 2))
        if path is not None:
            self._share(path)

    @contextmanager
    def of(self, key: str) -> Iterator[Level]:
        """The level of a key, to be read and changed; nobody else has it meanwhile."""
        with self._lock:
            if self._file >= 0:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield self._levels[crc32(key.encode()) % _PLACES]
            finally:
                if self._file >= 0:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def _share(self, path: Path) -> None:
        size = self._levels.nbytes
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # a page that finds no room on the disk when it is first written would kill the process
            os.posix_fallocate(file, 0, size)
            self._levels = np.frombuffer(mmap.mmap(file, size), dtype=np.float64).reshape(_PLACES, 2)
            self._file = file
        except OSError:
            os.close(file)
