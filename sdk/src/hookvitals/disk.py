"""What a shipper has on disk: the spool of its own process, and those that processes left which have ended.

Counts what lies in its own, and what is on the way there, under the shipper's lock. A disk that refuses is
told of once, and asked again after a while; what it would not take waits in memory.
"""

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, Optional

from hookvitals.account import Account
from hookvitals.orphans import Orphan
from hookvitals.segments import names_in
from hookvitals.settled import Settled
from hookvitals.spool import Spool, orphans
from hookvitals.waiting import Waiting

if TYPE_CHECKING:
    from hookvitals.delivery import Client, Delivery

log = logging.getLogger("hookvitals")

TEND_EVERY_S = 30.0
RETRY_S = 10.0


class Disk:
    """One directory, as one process uses it. All but `append` and `sync` is for one thread at a time.

    bounds: max_bytes and max_age_s of each spool. lock: guards `account`, `records` and `on_the_way`.
    waiting: how many records wait anywhere; asked with the lock held. batch_records, batch_bytes: of a post,
    at most.
    """

    def __init__(
        self,
        directory: str,
        bounds: Mapping[str, Any],
        account: Account,
        lock: threading.Lock,
        waiting: Callable[[], int],
        batch_records: int,
        batch_bytes: int,
    ) -> None:
        self.records = 0
        """In the spool of this process."""
        self.on_the_way = 0
        """From memory into the spool."""
        self._directory = directory
        self._bounds = bounds
        self._account = account
        self._lock = lock
        self._waiting = waiting
        self._batch = (batch_records, batch_bytes)
        self._spool: Optional[Spool] = None
        self._orphans: List[Orphan] = []
        self._opening = threading.Lock()
        self._tend_due_s = 0.0
        self._retry_due_s = 0.0
        self._refused = False

    # --- the caller's side ---

    def append(self, record: bytes) -> bool:
        """Whether it is in the file; it counts as waiting before the thread can settle it."""
        spool = self._opened()
        if spool is None:
            return False
        with self._lock:
            self.records += 1
        try:
            lost = spool.append([record])
        except OSError as exc:
            with self._lock:
                self.records -= 1
            self.refuses(exc)
            return False
        self._lose("spool_full", lost)
        return True

    def sync(self) -> bool:
        """Whether all that was appended is there to stay."""
        spool = self._spool
        try:
            if spool is not None:  # else it was removed meanwhile, for the collector has it all
                spool.sync()
        except OSError as exc:
            self.refuses(exc)
            return False
        self._refused = False
        return True

    def has_spools(self) -> bool:
        """Whether any process has something here, or left it."""
        with contextlib.suppress(OSError):
            return bool(names_in(self._directory))
        return False

    def refuses(self, exc: OSError) -> None:
        """Says so, once until it takes something again."""
        if not self._refused:
            log.warning("hookvitals: the spool in %s cannot be used: %s", self._directory, exc)
        self._refused = True

    # --- the thread's side ---

    def take_all(self, memory: Waiting) -> bool:
        """Moves what memory holds into the spool; whether memory is empty now."""
        spool = self._opened()
        while spool is not None and len(memory):
            with self._lock:
                records = memory.take(*self._batch)
                self.on_the_way += len(records)
            kept, lost = 0, 0
            try:
                lost = spool.append(records)
                kept = len(records)
                self._refused = False
            except OSError as exc:
                self.refuses(exc)
                break
            finally:
                with self._lock:
                    self.on_the_way -= len(records)
                    self.records += kept - lost
                    self._account.drop("spool_full", lost)
                    memory.give_back(records[kept:])
        return not len(memory)

    def note(self, only_in_memory: int = 0) -> None:
        """Tells the spool how things stand, for whoever may take it over. only_in_memory: in the post, and
        not on disk."""
        spool = self._spool
        if spool is not None:
            with self._lock:
                ledger = self._account.ledger(self._waiting(), only_in_memory)
            try:
                spool.note(ledger)
            except OSError as exc:
                self.refuses(exc)

    def ship(self, delivery: "Delivery", client: "Client") -> None:
        """Sends one batch of its own records, the oldest. Raises OSError."""
        spool = self._spool
        if spool is None:
            return
        taken = spool.take(*self._batch)
        self._lose("spool_damaged", taken.lost)
        settled = 0

        def settle(part: Settled) -> None:
            nonlocal settled
            with self._lock:
                self._account.settle(part)
                self.records -= part.number()
                settled += part.number()

        try:
            if taken.records:
                delivery.ship(taken.records, client, settle)
        finally:
            spool.settle(settled)
            self.note()

    def has_orphans(self) -> bool:
        """Whether there is something to ship that others left."""
        return bool(self._orphans)

    def ship_orphan(self, delivery: "Delivery") -> bool:
        """Sends one batch of what others left, the oldest; whether there was any."""
        if not self._orphans:
            return False
        try:
            if self._orphans[0].ship(delivery, *self._batch):
                del self._orphans[0]
        except OSError as exc:
            self.refuses(exc)
            self._orphans.pop(0).release()
        return True

    def tend(self) -> None:
        """Makes this process's own spool once it has a record, adopts those of processes that have ended,
        holds all within bounds."""
        with self._lock:
            has_records = self._account.produced(self._waiting()) > 0
        spool = self._opened() if has_records else self._spool
        now_s = time.monotonic()
        if now_s < self._tend_due_s:
            return
        self._tend_due_s = now_s + TEND_EVERY_S
        room = self._bounds["max_bytes"]
        try:
            if spool is not None:
                self._lose("spool_expired", spool.expire())
                room -= spool.size()
            for found in orphans(self._directory, **self._bounds):
                self._orphans.append(Orphan(found))
            for orphan in reversed(self._orphans):
                room -= orphan.bound(max(0, int(room)))
        except OSError as exc:
            self.refuses(exc)

    # --- the end ---

    def put_away(self) -> None:
        """Removes a spool in which nothing waits; leaves one in which something does to the next process."""
        if self._spool is not None and self._spool.remove():
            self._spool = None
        self.note()

    def leave_orphans(self) -> None:
        """To others. Once the thread has ended."""
        for orphan in self._orphans:
            orphan.release()
        self._orphans = []
        self._tend_due_s = 0.0

    def release_in_child(self) -> None:
        """After a fork: all of it is the parent's."""
        for held in (self._spool, *self._orphans):
            if held is not None:
                held.release()

    def _opened(self) -> Optional[Spool]:
        """The spool of this process; None for a while after the disk refused one."""
        if self._spool is None and time.monotonic() >= self._retry_due_s:
            with self._opening:
                if self._spool is None:
                    self._spool = self._made()
        return self._spool

    def _made(self) -> Optional[Spool]:
        spool: Optional[Spool] = None
        try:
            spool = Spool.create(self._directory, **self._bounds)
            with self._lock:
                ledger = self._account.ledger(self._waiting())
            spool.note(ledger)
        except OSError as exc:
            self._retry_due_s = time.monotonic() + RETRY_S
            self.refuses(exc)
            if spool is not None:
                spool.remove()
            return None
        return spool

    def _lose(self, reason: str, number: int) -> None:
        if number:
            with self._lock:
                self._account.drop(reason, number)
                self.records -= number
