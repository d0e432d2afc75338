"""The threads that work an inbox, of one process among several. What a process had in hand when it died is
taken up again, for its slot is free then. Knows nothing of handlers or records.
"""

import logging
import os
import threading
import time
import weakref
from typing import Callable, List, Optional

from hookvitals.inbox import Inbox, Work
from hookvitals.slots import Slot

log = logging.getLogger("hookvitals")

IDLE_S = 0.5
_LOOK_FOR_DEAD_S = 1.0

Settle = Callable[[], None]
"""Stores what became of an event. May be called again after it failed."""


class InboxWorker:
    """Hands due events to `process`, one after the other in each thread, and stores what became of each.

    lock_path: where the files of the slots begin. process: works an event once and gives what remains to be
    stored. hold_s: for how long nothing may be worked, 0 when something may.
    """

    def __init__(
        self,
        inbox: Inbox,
        lock_path: str,
        process: Callable[[Work], Settle],
        hold_s: Callable[[], float],
        threads: int = 1,
    ) -> None:
        self._inbox = inbox
        self._process = process
        self._hold_s = hold_s
        self._number = threads
        self._slot = Slot(lock_path)
        self._start_anew()
        _LIVE.add(self)

    def _start_anew(self) -> None:
        self._starting = threading.Lock()
        self._entering = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._threads: List[threading.Thread] = []
        self._running = 0
        self._held = -1
        self._looked_s = 0.0

    def start(self) -> None:
        """Starts the threads that this process lacks."""
        if len(self._threads) == self._number and all(thread.is_alive() for thread in self._threads):
            return
        with self._starting:
            self._closing = False
            alive = {thread.name: thread for thread in self._threads if thread.is_alive()}
            self._threads = [
                alive.get(_name(number)) or self._started(number) for number in range(self._number)
            ]

    def _started(self, number: int) -> threading.Thread:
        thread = threading.Thread(target=self._run, args=(number,), name=_name(number), daemon=True)
        thread.start()
        return thread

    def wake(self) -> None:
        """Says that there is something to do. Where no thread can be started it waits on disk."""
        try:
            self.start()
        except RuntimeError:
            log.exception("hookvitals: no thread can be started for the inbox; its events wait")
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends after the events in hand; what is left waits for the next start."""
        self._closing = True
        self._wake.set()
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        self._threads = []

    def restart_in_child(self) -> None:
        """After a fork: the threads stayed with the parent, and so must its slot."""
        self._slot.leave()
        self._start_anew()

    def _run(self, number: int) -> None:
        owner = self._entered(number)
        while owner is None and not self._closing:
            self._pause()
            owner = self._entered(number)
        if owner is None:
            return
        try:
            clean = True
            while not self._closing:
                hold_s = self._hold_s()
                if hold_s > 0:
                    self._pause(hold_s)
                    continue
                clean = clean or self._cleaned(owner)
                worked = clean and self._worked(owner)
                clean = worked is not None
                if not worked:
                    self._tend()
                    self._pause(self._until_due_s() if clean else None)
                elif number == 0:
                    self._tend()
        finally:
            self._left()

    def _entered(self, number: int) -> Optional[str]:
        """The owner that this thread is, with nothing in its hands. The first thread takes the slot."""
        with self._entering:
            try:
                held = self._slot.take() if self._held < 0 else self._held
                self._inbox.free(f"{held}." if self._held < 0 else f"{held}.{number}")
            except Exception:
                log.exception("hookvitals: the inbox is not worked: its slot cannot be had; trying again")
                if self._held < 0:
                    self._slot.leave()
                return None
            self._held = held
            self._running += 1
            return f"{held}.{number}"

    def _left(self) -> None:
        with self._entering:
            self._running -= 1
            if not self._running:
                self._slot.leave()
                self._held = -1

    def _worked(self, owner: str) -> Optional[bool]:
        """Whether there was something; None when it went wrong and may still be in this owner's hands."""
        try:
            work = self._inbox.take(owner)
            if work is None:
                return False
            settle = self._process(work)
        except Exception:  # the file may be locked or full for a while: the event is still in it
            log.exception("hookvitals: the inbox could not be worked; trying again")
            return None
        while not self._settled(settle) and not self._closing:
            self._pause()
        return True

    def _cleaned(self, owner: str) -> bool:
        """After the inbox could not be worked: no handler was called."""
        try:
            self._inbox.free(owner, tried=False)
        except Exception:
            return False
        return True

    def _settled(self, settle: Settle) -> bool:
        """Whether it could be stored: an event that was worked is not worked again for want of that."""
        try:
            settle()
        except Exception:
            log.exception("hookvitals: an event was worked, and that could not be stored; trying again")
            return False
        return True

    def _tend(self) -> None:
        """Now and then: what processes that are gone had in hand, and what a clock that was set back keeps
        waiting."""
        now_s = time.monotonic()
        if now_s < self._looked_s + _LOOK_FOR_DEAD_S:
            return
        self._looked_s = now_s
        try:
            self._inbox.forgive_clock()
            for slot in self._inbox.slots():
                if slot == self._held:
                    continue
                with self._slot.abandoned(slot) as abandoned:
                    if abandoned:
                        self._inbox.free(f"{slot}.")
        except Exception:
            log.debug("hookvitals: it could not be seen who works the inbox", exc_info=True)

    def _until_due_s(self) -> Optional[float]:
        try:
            return self._inbox.wait_s()
        except Exception:
            return None

    def _pause(self, until_due_s: Optional[float] = None) -> None:
        """Until something is put in or due; other processes put in too, so never for long."""
        self._wake.wait(IDLE_S if until_due_s is None else min(IDLE_S, until_due_s + 0.001))
        self._wake.clear()


def _name(number: int) -> str:
    return f"hookvitals-inbox-{number}"


_LIVE: "weakref.WeakSet[InboxWorker]" = weakref.WeakSet()


def _restart_all_in_child() -> None:
    for worker in list(_LIVE):
        worker.restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all_in_child)
