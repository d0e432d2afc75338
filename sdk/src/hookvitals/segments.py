"""The files of which spools are made: their names, their locks, and what of a spool lies in a directory.

Knows nothing of what is in them. Raises OSError where the disk refuses.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from typing import List, Optional

_LOCK = re.compile(r"(-?\d+-\d+-[0-9a-f]{8})\.lock", re.ASCII)
_SEGMENT = re.compile(r"(.+)\.(\d+)\.(\d+)\.(-?\d+)\.spool", re.ASCII)


@dataclass
class Segment:
    """first: the number of its first record, when it has one. opened_s: since 1970."""

    path: str
    index: int
    first: int
    opened_s: int
    size: int


def locked(path: str, flags: int = 0) -> Optional[int]:
    """A descriptor that holds the lock; None when somebody else holds it, or is done with the spool."""
    import fcntl  # noqa: PLC0415  # no Windows has it

    fd = opened(path, os.O_RDWR | flags)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink:
            return fd
    except BlockingIOError:
        pass
    except OSError:
        os.close(fd)
        raise
    os.close(fd)
    return None


def opened(path: str, flags: int) -> int:
    """A descriptor of this very file, for its owner alone; a link is refused, which may lead to anybody's."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def names_in(directory: str) -> List[str]:
    """Of the spools there, the oldest first; files of other forms are somebody else's."""
    return sorted(found[1] for found in map(_LOCK.fullmatch, os.listdir(directory)) if found)


def lock_path(directory: str, name: str) -> str:
    return os.path.join(directory, f"{name}.lock")


def segments_of(directory: str, name: str) -> List[Segment]:
    """Oldest first."""
    found = []
    for entry in os.listdir(directory):
        parts = _SEGMENT.fullmatch(entry)
        if parts is not None and parts[1] == name:
            path = os.path.join(directory, entry)
            found.append(Segment(path, int(parts[2]), int(parts[3]), int(parts[4]), os.path.getsize(path)))
    return sorted(found, key=lambda segment: segment.index)


def sync_directory(directory: str) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unlink(path: str) -> None:
    with contextlib.suppress(OSError):  # what cannot be removed is not read again either
        os.unlink(path)
