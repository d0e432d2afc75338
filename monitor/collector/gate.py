"""How much one front process works on at once: so many requests and bytes of bodies; a few more may wait.

What comes on top is told at once to come again: a queue without end would fill the memory and be answered
after its clients have given up. While the store does not answer, one request at a time finds out whether it
does again, and the others are told at once too.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from monitor.errors import Overloaded, Unavailable

RETRY_S = 2
STALLED_S = 3.0
"""A request that failed after so long waited in vain: the next ones need not."""
_HINT = "send the same records again: none counts twice"


class Admission:
    """The place of one request inside the gate."""

    def __init__(self, gate: "Gate", size: int) -> None:
        self._gate = gate
        self.size = size

    def resize(self, size: int) -> None:
        """Says how many bytes the body really has. Raises Overloaded when there is no room for them."""
        self._gate.resize(self, size)


class Gate:
    """Used by all threads of a process."""

    def __init__(
        self,
        requests: int,
        waiting: int,
        wait_s: float,
        inflight_bytes: int,
        monotonic: Callable[[], float],
    ) -> None:
        """requests: worked on at once. waiting: that wait for it, `wait_s` at most. inflight_bytes: of the
        bodies that are worked on; one body alone may be larger."""
        self._requests = requests
        self._most_waiting = waiting
        self._wait_s = wait_s
        self._most_bytes = inflight_bytes
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._active = 0
        self.waiting = 0
        """Requests that wait now."""
        self._stalled = False
        self.bytes = 0
        """Of the bodies that are worked on now."""

    @contextmanager
    def admitted(self, size: int) -> Iterator[Admission]:
        """A place for a body of about `size` bytes. Raises Overloaded when none is free in time, Unavailable
        while the store does not answer; both with a time to come again."""
        admission = Admission(self, size)
        self._enter(admission)
        started_s = self._monotonic()
        stalled = self._stalled
        try:
            yield admission
            stalled = False
        except Unavailable:
            stalled = stalled or self._monotonic() - started_s >= STALLED_S
            raise
        finally:
            with self._changed:
                self._active -= 1
                self.bytes -= admission.size
                self._stalled = stalled
                self._changed.notify_all()

    def resize(self, admission: Admission, size: int) -> None:
        """Counts another size for this admission."""
        with self._changed:
            if self._active > 1 and self.bytes - admission.size + size > self._most_bytes:
                raise _busy()
            self.bytes += size - admission.size
            admission.size = size
            self._changed.notify_all()

    def _enter(self, admission: Admission) -> None:
        with self._changed:
            if not self._has_room(admission.size):
                if self._stalled:
                    raise Unavailable("the store does not answer in time", _HINT, retry_after_s=RETRY_S)
                self._wait(admission.size)
            self._active += 1
            self.bytes += admission.size

    def _wait(self, size: int) -> None:
        if self.waiting >= self._most_waiting:
            raise _busy()
        self.waiting += 1
        try:
            if not self._changed.wait_for(lambda: self._stalled or self._has_room(size), self._wait_s):
                raise _busy()
        finally:
            self.waiting -= 1
        if not self._has_room(size):
            raise Unavailable("the store does not answer in time", _HINT, retry_after_s=RETRY_S)

    def _has_room(self, size: int) -> bool:
        if self._active == 0:
            return True
        return not self._stalled and self._active < self._requests and self.bytes + size <= self._most_bytes


def _busy() -> Overloaded:
    return Overloaded("more comes in than can be stored", _HINT, retry_after_s=RETRY_S)
