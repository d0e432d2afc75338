"""Records that wait on disk for the collector: one writer's files, in order, within bounds of size and age.

A spool is NAME.lock, which its writer holds by flock as long as it lives, and segments that are only ever
appended to. Each segment begins with a ledger, the writer's counts, and gets another whenever they change.
A spool whose lock is free is an orphan: whoever gets the lock goes on with it. Damage costs the records that
it hits and no others; how many they were is told to the caller. Raises OSError where the disk refuses.
"""

import contextlib
import errno
import json
import os
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from hookvitals.bounds import MAX_SPOOL_AGE_S, MAX_SPOOL_BYTES
from hookvitals.frames import LEDGER, RECORD, frames, packed, torn_records
from hookvitals.segments import (
    Segment,
    lock_path,
    locked,
    names_in,
    opened,
    segments_of,
    sync_directory,
    unlink,
)

_SEGMENT_BYTES = 1 << 20
_SMALL_BYTES = 1 << 16
_SEGMENTS = 8  # of the room and of the age: what goes at once is an eighth


@dataclass
class Taken:
    """records: the oldest, in order. lost: how many before them were found damaged, now given up."""

    records: List[bytes] = field(default_factory=list)
    lost: int = 0


class Spool:
    """One writer's records on disk. Made by `create` and `orphans`. One thread ships, any may append."""

    def __init__(
        self,
        directory: str,
        name: str,
        lock_fd: int,
        *,
        max_bytes: int = MAX_SPOOL_BYTES,
        max_age_s: float = MAX_SPOOL_AGE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.torn = 0
        """Records whose end was missing when an orphan was taken over; cut off."""
        self.ledger: Dict[str, Any] = {}
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._segment_bytes = max(1, min(_SEGMENT_BYTES, max_bytes // _SEGMENTS))
        self._now = now
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._fd = -1
        self._unlock = weakref.finalize(self, os.close, lock_fd)
        # The end of a process still writes here; then the system frees the lock.
        self._unlock.atexit = False  # type: ignore[misc]  # a property, which its stubs do not say
        self._segments: List[Segment] = []
        self._next = 0  # the number of the next record
        self._settled = 0  # the first that is not settled
        self._offset = 0  # in the oldest segment: what lies before it is settled
        self._ends: List[int] = []  # of the records in flight
        self._synced = 0
        self._entered = False  # whether the directory's newest entry is on disk

    @classmethod
    def create(cls, directory: str, **bounds: Any) -> "Spool":
        """A new one, held until this process ends. The directory is made, for its owner alone."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        sync_directory(os.path.dirname(os.path.abspath(directory)))
        while True:
            name = f"{time.time_ns() // 1000}-{os.getpid()}-{os.urandom(4).hex()}"
            lock_fd = locked(lock_path(directory, name), os.O_CREAT | os.O_EXCL)
            if lock_fd is not None:
                return cls(directory, name, lock_fd, **bounds)

    def waiting(self) -> int:
        """Records that are not settled."""
        return self._next - self._settled

    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self._segments)

    def append(self, records: Sequence[bytes]) -> int:
        """Keeps them, all or none; how many of the oldest had to go for them."""
        with self._lock:
            self._make_ready()
            self._write(b"".join(packed(RECORD, self._next + at, one) for at, one in enumerate(records)))
            self._next += len(records)
            return self._shrink(self._max_bytes)

    def sync(self) -> None:
        """Returns once all that was appended before survives a power cut. Callers at once share a sync."""
        wanted = self._next
        with self._sync_lock:
            if self._synced >= wanted:
                return
            with self._lock:
                reached, fd, entered = self._next, os.dup(self._fd), self._entered
            try:
                if not os.fstat(fd).st_nlink:
                    raise OSError(errno.ENOENT, "its files were removed")
                os.fdatasync(fd) if hasattr(os, "fdatasync") else os.fsync(fd)
            finally:
                os.close(fd)
            if not entered:
                sync_directory(self._directory)
                self._entered = True
            self._synced = reached

    def take(self, max_records: int, max_bytes: int) -> Taken:
        """The oldest records, at least one where any is whole. `settle` says what became of them."""
        taken = Taken()
        with self._lock:
            self._ends = []
            while not taken.records and self._settled < self._next:
                self._unlink_settled()
                self._take_from_oldest(taken, max_records, max_bytes)
        return taken

    def settle(self, number: int) -> None:
        """So many of what was taken, from the first on, are no longer needed; the others wait again."""
        with self._lock:
            if number:
                self._settled += number
                self._offset = self._ends[number - 1]
            self._ends = []

    def note(self, ledger: Mapping[str, Any]) -> None:
        """Keeps the writer's counts beside what is settled, then removes the files that are done with."""
        with self._lock:
            self.ledger = dict(ledger)
            try:
                if not self._make_ready():
                    self._write(self._packed_ledger())
            finally:
                self._unlink_settled()

    def expire(self) -> int:
        """Gives up what is older than the bound; how many records."""
        before_s = self._now() - self._max_age_s
        with self._lock:
            if not self._segments or self._ends:
                return 0
            newest = self._segments[-1]
            if newest.first < self._next and os.path.getmtime(newest.path) < before_s:
                self._open_segment()
                return self._shrink(0)
            lost = 0
            while len(self._segments) > 1 and self._segments[1].opened_s < before_s:
                lost += self._drop_oldest()
            return lost

    def shrink(self, max_bytes: int) -> int:
        """Gives up the oldest until so many bytes are left; how many records."""
        with self._lock:
            if self._segments and self.size() > max_bytes and self._segments[-1].first < self._next:
                self._open_segment()
            return self._shrink(max_bytes)

    def remove(self) -> bool:
        """Whether nothing waited: its files are gone, its lock is free, and it takes no more."""
        with self._lock:
            if self._settled < self._next or not self._unlock.alive:
                return False
            self._close()
            for segment in self._segments:
                unlink(segment.path)
            self._segments = []
            unlink(lock_path(self._directory, self.name))
            self._unlock()
            return True

    def release(self) -> None:
        """Its files stay and its lock is free. Also for a forked child, where the parent keeps its own."""
        self._close()
        self._unlock()

    # --- with the lock held ---

    def _make_ready(self) -> bool:
        """Whether a new segment was begun."""
        if self._segments and self._fd >= 0:
            newest = self._segments[-1]
            old = self._now() - newest.opened_s >= self._max_age_s / _SEGMENTS
            spent = newest.size >= _SMALL_BYTES and self._settled == self._next
            if newest.size < self._segment_bytes and not spent and not old:
                return False
        self._open_segment()
        return True

    def _open_segment(self) -> None:
        if not self._unlock.alive:
            raise OSError(errno.EBADF, "this spool was given up")
        if self._fd >= 0 and self._synced < self._next:
            os.fsync(self._fd)  # whoever waits for a sync finds only the new one
        opened_s = int(self._now())
        index = self._segments[-1].index + 1 if self._segments else 0
        name = f"{self.name}.{index:08d}.{self._next:016d}.{opened_s}.spool"
        path = os.path.join(self._directory, name)
        fd = opened(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        self._close()
        self._fd = fd
        self._entered = False
        self._segments.append(Segment(path, index, self._next, opened_s, 0))
        self._write(self._packed_ledger())

    def _packed_ledger(self) -> bytes:
        told = {**self.ledger, "settled": self._settled}
        return packed(LEDGER, self._next, json.dumps(told).encode())

    def _write(self, data: bytes) -> None:
        """At the end of the newest segment; what a full disk leaves of it is written over."""
        newest = self._segments[-1]
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], newest.size + done)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, newest.size)
            raise
        newest.size += len(data)

    def _take_from_oldest(self, taken: Taken, max_records: int, max_bytes: int) -> None:
        """Up to a gap, the segment's end or a bound. A gap before the first record is given up."""
        oldest = self._segments[0]
        until = self._segments[1].first if len(self._segments) > 1 else self._next
        size = 0
        for frame in frames(self._read(oldest, self._offset)):
            if frame.kind != RECORD or frame.number < self._settled:
                continue
            gap = frame.number - self._settled - len(taken.records)
            size += len(frame.payload)
            if taken.records and (gap or size > max_bytes or len(taken.records) >= max_records):
                return
            if gap:
                self._lose(taken, gap)
            taken.records.append(frame.payload)
            self._ends.append(self._offset + frame.end)
        if not taken.records:
            self._lose(taken, until - self._settled)

    def _lose(self, taken: Taken, number: int) -> None:
        taken.lost += number
        self._settled += number

    def _read(self, segment: Segment, at: int) -> bytes:
        """Nothing where the file is gone or its disk cannot read it any more."""
        try:
            if segment is self._segments[-1] and self._fd >= 0:
                return os.pread(self._fd, segment.size - at, at)
            with open(segment.path, "rb", buffering=0) as file:
                file.seek(at)
                return file.read(segment.size - at)
        except OSError as exc:
            if exc.errno in (errno.ENOENT, errno.EIO):
                return b""
            raise

    def _unlink_settled(self) -> None:
        if self._ends or not self._unlock.alive:
            return
        while len(self._segments) > 1 and self._segments[1].first <= self._settled:
            self._drop_oldest()

    def _shrink(self, max_bytes: int) -> int:
        lost = 0
        while len(self._segments) > 1 and self.size() > max_bytes and not self._ends:
            lost += self._drop_oldest()
        return lost

    def _drop_oldest(self) -> int:
        """How many records went with it that were not settled."""
        oldest = self._segments.pop(0)
        lost = max(0, self._segments[0].first - self._settled)
        self._settled += lost
        self._offset = 0
        unlink(oldest.path)
        return lost

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _reopen(self) -> None:
        """Finds out what an earlier process left, and cuts off what it could not finish."""
        self._segments = segments_of(self._directory, self.name)
        if not self._segments:
            return
        newest = self._segments[-1]
        self._settled = self._segments[0].first
        self._next = newest.first
        data = self._read(newest, 0)
        end = 0
        for frame in frames(data):
            end = frame.end
            self._next = frame.number + (frame.kind == RECORD)
        self.torn = torn_records(data[end:])
        self._fd = opened(newest.path, os.O_RDWR)
        if end < newest.size:
            os.ftruncate(self._fd, end)
            newest.size = end
        for segment in reversed(self._segments):
            ledgers = [one for one in frames(self._read(segment, 0)) if one.kind == LEDGER]
            if ledgers:
                self.ledger = json.loads(ledgers[-1].payload)
                self._settled = max(self._settled, self.ledger.pop("settled"))
                return


def orphans(directory: str, **bounds: Any) -> Iterator[Spool]:
    """The spools whose writers have ended, the oldest first, each now held by this process."""
    with contextlib.suppress(OSError):
        for name in names_in(directory):
            spool = _adopted(directory, name, bounds)
            if spool is not None:
                yield spool


def _adopted(directory: str, name: str, bounds: Mapping[str, Any]) -> Optional[Spool]:
    """None when it belongs to somebody, or cannot be read now."""
    try:
        lock_fd = locked(lock_path(directory, name))
    except OSError:
        return None
    if lock_fd is None:
        return None
    spool = Spool(directory, name, lock_fd, **bounds)
    try:
        spool._reopen()
    except OSError:
        spool.release()
        return None
    return spool
