"""Which of several workers leads: a lease row, won by compare-and-set and kept by beating.

No wall clock decides. A follower takes over when the row's (epoch, beat) has stood still for TAKEOVER_S of
the follower's own monotonic clock; a leader whose beat finds another epoch knows that it leads no more.
"""

import threading
from typing import Protocol

from monitor.clock import Clock
from monitor.store.control.leases import LeaseRow

LEASE = "worker"
BEAT_S = 5.0
TAKEOVER_S = 15.0


class LeaseRows(Protocol):
    """The stored lease. The writes are conditional: False or None says that another one was quicker."""

    def read(self, name: str) -> LeaseRow | None: ...

    def take(self, name: str, owner: str, seen: LeaseRow | None) -> int | None:
        """The new epoch, if the row still was as seen."""
        ...

    def beat(self, name: str, owner: str, epoch: int) -> bool: ...

    def release(self, name: str, owner: str, epoch: int) -> None: ...


class Leadership:
    """This process's view of the lease. `tend` is called each few seconds by one thread; others read."""

    def __init__(self, rows: LeaseRows, owner: str, clock: Clock, *, takeover_s: float = TAKEOVER_S) -> None:
        self._rows = rows
        self._owner = owner
        self._clock = clock
        self._takeover_s = takeover_s
        self._lock = threading.Lock()
        self._epoch: int | None = None
        self._beaten_s = 0.0
        self._seen: LeaseRow | None = None
        self._seen_since_s = 0.0

    def epoch(self) -> int | None:
        """The epoch this process leads under; None when it does not, or could not beat for so long that
        another one may have taken over."""
        with self._lock:
            if self._epoch is not None and self._clock.monotonic() - self._beaten_s < self._takeover_s:
                return self._epoch
            return None

    def tend(self) -> bool:
        """Beats as the leader, or takes the lease when nobody beats. True when this process leads."""
        with self._lock:
            now_s = self._clock.monotonic()
            if self._epoch is not None:
                if self._rows.beat(LEASE, self._owner, self._epoch):
                    self._beaten_s = now_s
                    return True
                self._epoch = None
            self._follow(now_s)
            return self._epoch is not None

    def release(self) -> None:
        """Gives the lease back, so that the next worker need not wait."""
        with self._lock:
            if self._epoch is not None:
                self._rows.release(LEASE, self._owner, self._epoch)
                self._epoch = None

    def _follow(self, now_s: float) -> None:
        row = self._rows.read(LEASE)
        if row != self._seen:
            self._seen, self._seen_since_s = row, now_s
        abandoned = row is None or not row.owner or now_s - self._seen_since_s >= self._takeover_s
        if abandoned:
            self._epoch = self._rows.take(LEASE, self._owner, row)
            self._beaten_s = now_s
            self._seen = None
