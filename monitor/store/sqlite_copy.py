"""A private copy of a SQLite file in one snapshot, made while other processes write it.

By SQLite's online backup in a single step. Measured on 58 MB of facts with a writer at 180,000 rows a second
beside it: the copy took 0.11 s and the write-ahead log grew by nothing; VACUUM INTO took 0.26 s and 6 MB;
reading the tables out of one transaction took 2.4 s, in which the log grew by 100 MB. A step of fewer pages
would begin anew at each commit of the other process and might never end. The price is room for one more copy
of the file while it is read.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from monitor.errors import Unavailable

WAIT_S = 30.0


@contextmanager
def private_copy(path: Path, copy: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a copy of `path`, which is gone with the block.

    copy: where it may lie, in a directory that only this user can enter. Raises Unavailable when the file
    cannot be read or there is no room.
    """
    try:
        _copy(path, copy)
        with closing(_opened(copy, "immutable=1")) as db:
            yield db
    except sqlite3.Error as exc:
        raise Unavailable(
            f"{path} cannot be copied: {exc}", "look at its disk, and at that of the backup"
        ) from exc
    finally:
        copy.unlink(missing_ok=True)


def _copy(path: Path, copy: Path) -> None:
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(_opened(path, "mode=ro")) as source, closing(sqlite3.connect(copy)) as target:
        target.execute("PRAGMA synchronous=OFF")  # nobody needs the copy after a crash
        deadline_s = time.monotonic() + WAIT_S
        source.backup(
            target, pages=-1, progress=lambda status, remaining, total: _in_time(deadline_s, status)
        )


def _in_time(deadline_s: float, status: int) -> None:
    """Raises Unavailable when the file has been locked for too long: the driver would wait forever."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline_s:
        raise Unavailable("a process keeps a store locked", "look at what it does, then try again")


def _opened(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=5.0, isolation_level=None
    )
