"""The one thread that works an inbox. Of several processes one at a time does it: it holds a lock that the
system lets go when the process dies. Knows nothing of handlers or records.
"""

import logging
import os
import sys
import threading
import weakref
from typing import Callable, Optional

from hookvitals.inbox import Inbox, Work

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("hookvitals")

IDLE_S = 0.5


Settle = Callable[[], None]
"""Stores what became of an event. May be called again after it failed."""


class InboxWorker:
    """Hands due events to `process`, one after the other, and stores what became of each.

    lock_path: a file for the lock alone. process: works an event once and gives what remains to be stored.
    hold_s: for how long nothing may be worked, 0 when something may.
    """

    def __init__(
        self, inbox: Inbox, lock_path: str, process: Callable[[Work], Settle], hold_s: Callable[[], float]
    ) -> None:
        self._inbox = inbox
        self._lock_path = lock_path
        self._process = process
        self._hold_s = hold_s
        self._start_anew()
        _LIVE.add(self)

    def _start_anew(self) -> None:
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._thread: Optional[threading.Thread] = None
        self._lock_file = -1

    def start(self) -> None:
        """Starts the thread if this process has none."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._closing = False
                thread = threading.Thread(target=self._run, name="hookvitals-inbox", daemon=True)
                thread.start()
                self._thread = thread

    def wake(self) -> None:
        """Says that there is something to do."""
        self.start()
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends after the event in hand; what is left waits for the next start."""
        self._closing = True
        self._wake.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
            self._thread = None

    def restart_in_child(self) -> None:
        """After a fork: the thread stayed with the parent, and so must its lock."""
        if self._lock_file >= 0:
            os.close(self._lock_file)
        self._start_anew()

    def _run(self) -> None:
        try:
            self._lock_file = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, 0o600)
            while not self._closing and not _locked(self._lock_file):
                self._pause()
            while not self._closing:
                hold_s = self._hold_s()
                if hold_s > 0:
                    self._pause(hold_s)
                elif not self._worked():
                    self._pause(self._until_due_s())
        except OSError:
            log.exception("hookvitals: the inbox is not worked: its lock cannot be had")
        finally:
            if self._lock_file >= 0:
                os.close(self._lock_file)
                self._lock_file = -1

    def _worked(self) -> bool:
        try:
            work = self._inbox.take()
            if work is None:
                return False
            settle = self._process(work)
        except Exception:  # the file may be locked or full for a while: the event is still in it
            log.exception("hookvitals: the inbox could not be worked; trying again")
            return False
        while not self._settled(settle) and not self._closing:
            self._pause()
        return True

    def _settled(self, settle: Settle) -> bool:
        """Whether it could be stored: an event that was worked is not worked again for want of that."""
        try:
            settle()
        except Exception:
            log.exception("hookvitals: an event was worked, and that could not be stored; trying again")
            return False
        return True

    def _until_due_s(self) -> Optional[float]:
        try:
            return self._inbox.wait_s()
        except Exception:
            return None

    def _pause(self, until_due_s: Optional[float] = None) -> None:
        """Until something is put in or due; other processes put in too, so never for long."""
        self._wake.wait(IDLE_S if until_due_s is None else min(IDLE_S, until_due_s + 0.001))
        self._wake.clear()


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":  # no such lock there: one process an inbox is the rule
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


_LIVE: "weakref.WeakSet[InboxWorker]" = weakref.WeakSet()


def _restart_all_in_child() -> None:
    for worker in list(_LIVE):
        worker.restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all_in_child)
