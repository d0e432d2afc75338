"""Carries records to the collector from a thread of its own: in batches, tried again, bounded, counted.

`put` appends and returns. While the collector is away records wait on disk where a spool is given, else in
memory; beyond the bounds the oldest are dropped and counted by reason, so that produced = accepted + waiting
+ dropped. Nothing here ever raises into the caller or keeps the interpreter from ending.
"""

import atexit
import contextlib
import json
import logging
import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, List, Optional

from hookvitals.account import Account
from hookvitals.bounds import MAX_SPOOL_AGE_S, MAX_SPOOL_BYTES, MAX_WAITING, MAX_WAITING_BYTES
from hookvitals.declarations import Declarations, Said
from hookvitals.jitter import uniform
from hookvitals.process import memory_bytes
from hookvitals.record_json import Noted, encoded, leave_texts_out, text_bytes
from hookvitals.settled import Settled
from hookvitals.waiting import Waiting

if TYPE_CHECKING:
    from hookvitals.disk import Disk
    from hookvitals.transport import Transport

log = logging.getLogger("hookvitals")

Sampler = Callable[[], List[Dict[str, Any]]]
"""Gives queue samples, in the collector's format."""

FINAL_FLUSH_S = 3.0
_POST_BYTES = 1_000_000  # the collector takes 1 MiB compressed
_POST_RECORDS = 500  # at most, when many wait
_AWAY_FLUSH_S = 0.5
_ENDLESS_S = 1e9
"""Longer no thread can wait on every system."""


class Shipper:
    """One collector, one key, one thread; shared by any number of receivers and recorders.

    url: the collector's address, e.g. http://127.0.0.1:8700. key: an ingest key. A batch leaves when
    batch_size records wait, or batch_delay_s after the last. max_waiting: records kept in memory at most;
    max_waiting_bytes bounds them too, and captured bodies and stacks beyond it are left out of their records:
    by default 20 MiB in all. Queue samples are posted each sample_every_s. spool_dir: a directory on a local
    disk, for processes that report to the same collector with keys to the same sources; records wait there
    while the collector is away or memory fills, max_spool_bytes a process and max_spool_age_s at most, and
    what a process leaves when it ends another one ships. Raises ValueError for a setting that cannot work.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        batch_size: int = 100,
        batch_delay_s: float = 5.0,
        max_waiting: int = MAX_WAITING,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
        timeout_s: float = 10.0,
        sample_every_s: float = 10.0,
        instance: str = "",
        spool_dir: Optional[str] = None,
        max_spool_bytes: int = MAX_SPOOL_BYTES,
        max_spool_age_s: float = MAX_SPOOL_AGE_S,
        uniform: Callable[[float, float], float] = uniform,
    ) -> None:
        if spool_dir is not None and os.name != "posix":
            raise ValueError("spool_dir needs a system with flock")
        if spool_dir is not None and (not spool_dir or "\0" in spool_dir):
            raise ValueError("spool_dir must name a directory")
        if not (1 <= max_spool_bytes < float("inf") and max_spool_age_s > 0):
            raise ValueError("the bounds of spool_dir, max_spool_bytes and max_spool_age_s, must be above 0")
        if min(batch_size, max_waiting, max_waiting_bytes) < 1:
            raise ValueError("batch_size, max_waiting and max_waiting_bytes must be 1 or more")
        if not 0 <= batch_delay_s < _ENDLESS_S or not 0 < sample_every_s < _ENDLESS_S:
            raise ValueError("batch_delay_s must be 0 s or more, and sample_every_s above 0 s")
        if not 0 < timeout_s < _ENDLESS_S:
            raise ValueError("timeout_s must be above 0 s")
        from hookvitals.transport import Transport  # noqa: PLC0415  # http.client: a tenth of the import

        self._transport = Transport(url, key, timeout_s)
        self._batch_size = batch_size
        self._batch_delay_s = batch_delay_s
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._sample_every_s = sample_every_s
        self._given_instance = instance
        self.spool_dir = spool_dir
        self._spool_bounds = {"max_bytes": max_spool_bytes, "max_age_s": max_spool_age_s}
        self._uniform = uniform
        self._samplers: List[Sampler] = []
        self._breakers: Dict[str, Callable[[], str]] = {}
        self._declarations = Declarations()
        self._start()
        _LIVE.add(self)

    def _start(self) -> None:
        """State of one process; made anew in a forked child, whose parent ships what it had noted."""
        import socket  # noqa: PLC0415  # http.client has it

        from hookvitals.delivery import Delivery  # noqa: PLC0415  # http.client, too

        instance = self._given_instance or f"{socket.gethostname()[:100]}-{os.getpid()}"
        self._account = Account(instance, time.time_ns() // 1000)
        self._delivery = Delivery(self._transport, self._uniform)
        self._noted: Deque[Noted] = deque()
        self._memory = Waiting(self._max_waiting, self._max_waiting_bytes)
        self._flying: Optional[List[bytes]] = None  # of the memory's, those that are in the post
        self._in_flight = 0
        self._lock = threading.Lock()
        self._disk = None if self.spool_dir is None else self._disk_at(self.spool_dir)
        self._moved = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._closing = False
        self._thread: Optional[threading.Thread] = None
        self._text_bytes = 0  # of what was noted: captured bodies and stacks
        self._nudge_at = min(self._batch_size, self._max_waiting)
        self._due_s = 0.0
        self._sample_due_s = 0.0
        self._sampled: List[Dict[str, Any]] = []
        self._declarations.begin()

    def _disk_at(self, directory: str) -> "Disk":
        from hookvitals.disk import Disk  # noqa: PLC0415  # for those who use it

        bounds, most = self._spool_bounds, (_POST_RECORDS, _POST_BYTES)
        return Disk(directory, bounds, self._account, self._lock, self._waiting, *most)

    # --- the caller's side ---

    def start(self) -> None:
        """Ships what earlier processes left in the spool, if any did; otherwise the first record starts the
        thread. For a program that begins to serve. Never raises."""
        with contextlib.suppress(RuntimeError):  # no thread could be started
            if self._disk is not None and self._disk.has_spools():
                self._nudge()

    def put(self, noted: Noted) -> None:
        """Takes a record; never blocks on the network or a disk, never raises."""
        try:
            fields = noted[4]
            if fields is not None and ("capture" in fields or "error_stack" in fields):
                self._bound_texts(fields)
            self._noted.append(noted)
            number = len(self._noted)
            if number >= self._nudge_at or self._thread is None:
                self._nudge(number)
        except Exception:  # the handler's work is worth more than its record
            log.debug("a record could not be kept", exc_info=True)

    def put_durably(self, noted: Noted) -> bool:
        """Takes a record and returns once it is on disk to stay; never raises.

        False where the disk refuses: the record waits in memory then, or is on disk without a promise.
        """
        try:
            record, disk = encoded(noted), self._disk
            if record and disk is not None and disk.append(record):
                if disk.records >= self._batch_size or self._thread is None:
                    self._nudge(len(self._noted))
                return disk.sync()
        except Exception:
            log.debug("a record could not be spooled", exc_info=True)
        self.put(noted)
        return False

    def sample(self, sampler: Sampler) -> None:
        """Registers a function that gives queue samples when asked."""
        self._samplers.append(sampler)
        self._nudge()

    def watch(self, breaker: str, state: Optional[Callable[[], str]]) -> None:
        """Tells the collector this breaker's state with each batch. state: None ends it."""
        self._breakers.pop(breaker, None)
        if state is not None:
            self._breakers[breaker] = state

    def declare(self, receiver: str, said: Optional[Said]) -> None:
        """Tells the collector, now and then, which types this receiver handles and expects. said: None ends
        it."""
        self._declarations.declare(receiver, said)

    def forget(self, sampler: Sampler) -> None:
        """Asks this function no more."""
        with contextlib.suppress(ValueError):
            self._samplers.remove(sampler)

    def counts(self) -> Dict[str, Any]:
        """produced, accepted, waiting (on_disk: of these), and dropped by reason, since this process began.
        What an earlier process left is not in them."""
        with self._lock:
            waiting = self._waiting()
            return {
                "produced": self._account.produced(waiting),
                "waiting": waiting,
                "on_disk": self._on_disk(),
                "accepted": self._account.accepted,
                "dropped": dict(self._account.dropped),
            }

    def flush(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Ships what waits, for at most `timeout_s`; whether nothing waits any more."""
        deadline_s = time.monotonic() + timeout_s
        self._closing = False  # after a close: once more
        self._due_s = 0.0
        self._delivery.hurry()
        self._nudge()
        with self._moved:
            while self._waiting():
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._due_s = 0.0
                self._wake.set()
                self._moved.wait(min(left_s, 0.05))
        return True

    def close(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Flushes and ends the thread; whether everything was shipped. What was not waits in the spool."""
        shipped = False
        with contextlib.suppress(RuntimeError):  # no thread could be started
            shipped = self.flush(timeout_s)
        self._closing = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        if self._disk is not None:
            self._put_away(self._disk)
        return shipped

    def restart_in_child(self) -> None:
        """After a fork: what waited is the parent's to ship; this process counts from nothing."""
        _INHERITED.append(self._transport)  # closing it could wait for ever for the parent's thread
        self._transport = self._transport.fresh()
        if self._disk is not None:
            self._disk.release_in_child()
        self._start()

    def _waiting(self) -> int:
        in_memory = len(self._noted) + len(self._memory) + self._in_flight
        return in_memory if self._disk is None else in_memory + self._disk.on_the_way + self._disk.records

    def _on_disk(self) -> int:
        return 0 if self._disk is None else self._disk.records

    def _nudge(self, number: int = 0) -> None:
        while number + len(self._memory) + self._in_flight > self._max_waiting and self._drop_oldest():
            number = len(self._noted)
        room = self._max_waiting - len(self._memory) - self._in_flight
        self._nudge_at = max(1, min(number + self._batch_size, room + 1))  # until the thread has looked
        thread = self._thread
        if (thread is None or not thread.is_alive()) and not self._closing:
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._due_s = time.monotonic() + self._batch_delay_s
                    thread = threading.Thread(target=self._run, name="hookvitals-shipper", daemon=True)
                    thread.start()  # Python 3.12 starts none while the interpreter ends
                    self._thread = thread
        if not self._wake.is_set():
            self._wake.set()

    def _set_nudge(self) -> None:
        """How many noted records call for attention: a batch, or what fills the room that is left. Under
        the lock."""
        room = self._max_waiting - len(self._memory) - self._in_flight
        to_a_batch = self._batch_size - len(self._memory) - self._on_disk()
        self._nudge_at = max(1, min(to_a_batch if to_a_batch > 0 else self._batch_size, room + 1))

    def _drop_oldest(self) -> bool:
        """Whether anything was left to drop. A hundredth of the room goes at once: not each record that finds
        no room shall wake the thread."""
        with self._lock:
            for dropped in range(max(1, self._max_waiting // 100)):
                if len(self._memory):
                    self._memory.drop_oldest()
                elif self._noted:
                    self._forget_texts(self._noted.popleft())
                else:
                    return dropped > 0
                self._account.drop("memory_full")
            self._set_nudge()
            return True

    def _bound_texts(self, fields: Dict[str, Any]) -> None:
        """Leaves bodies and stacks out when those that wait are too many bytes: the record matters more."""
        size = text_bytes(fields)
        with self._lock:
            if self._text_bytes + self._memory.size() + size > self._max_waiting_bytes:
                leave_texts_out(fields)
                size = text_bytes(fields)
            self._text_bytes += size

    def _forget_texts(self, noted: Noted) -> None:
        if noted[4] is not None and ("capture" in noted[4] or "error_stack" in noted[4]):
            self._text_bytes -= text_bytes(noted[4])

    def _put_away(self, disk: "Disk") -> None:
        """After the thread: what did not get away waits on disk; where all did, nothing is left there."""
        with self._lock:
            flying, self._flying = self._flying, None  # the thread may still wait for an answer about them
            if flying:
                self._in_flight -= len(flying)
                self._memory.give_back(flying)
        self._encode()
        if not self._move_to_disk():
            log.warning("hookvitals: %d records wait in memory alone", len(self._memory))
        disk.put_away()
        if self._thread is None or not self._thread.is_alive():
            disk.leave_orphans()

    def _move_to_disk(self) -> bool:
        """Whether memory is empty now."""
        if self._disk is None:
            return not len(self._memory)
        try:
            return self._disk.take_all(self._memory)
        finally:
            with self._lock:
                self._set_nudge()

    # --- the thread's side ---

    def _run(self) -> None:
        while not self._closing:
            try:
                self._round()
            except Exception:  # whatever it is, the next round tries again
                log.exception("hookvitals: records could not be shipped")
                self._delivery.back_off("an error of our own")
            self._wake.wait(self._pause_s())
            self._wake.clear()
        self._delivery.close()

    def _pause_s(self) -> float:
        """Until something is due, and the collector may be asked again."""
        left_s = min(self._due_s, self._sample_due_s) if self._samplers else self._due_s
        left_s -= time.monotonic()
        if len(self._memory) + self._on_disk() >= self._batch_size:
            left_s = 0.0
        if self._disk is not None and self._disk.has_orphans():
            left_s = 0.0
        return max(0.005, left_s, self._delivery.pause_s())

    def _round(self) -> None:
        """Encodes what was noted, then ships what is due."""
        disk = self._disk
        self._encode()
        if disk is not None:
            disk.tend()
        due = time.monotonic() >= self._due_s
        while self._delivery.pause_s() <= 0 and not self._closing:
            if len(self._memory) + self._on_disk() >= (1 if due else self._batch_size):
                self._ship()
            elif disk is None or not disk.ship_orphan(self._delivery):
                break
            self._encode()
        if self._delivery.failures:
            self._move_to_disk()
        if due and not len(self._memory) + self._on_disk():
            self._due_s = time.monotonic() + self._batch_delay_s
        now_s = time.monotonic()
        if self._samplers and now_s >= self._sample_due_s and self._delivery.pause_s() <= 0:
            self._sample_due_s = now_s + self._sample_every_s
            self._ship_samples()

    def _encode(self) -> None:
        """Turns what was noted into JSON, which goes to disk while memory is half full."""
        for at in range(len(self._noted)):
            if at % _POST_RECORDS == 0 and self._memory.is_half_full() and self._disk is not None:
                self._move_to_disk()
            with self._lock:
                if not self._noted:
                    break
                noted = self._noted.popleft()
                self._forget_texts(noted)
                record = encoded(noted)
                if record:
                    self._account.drop("memory_full", self._memory.add(record))
                else:
                    self._account.drop("unencodable")
                self._set_nudge()
        with self._lock:
            self._set_nudge()

    def _ship(self) -> None:
        """One batch, the oldest: what is on disk is older than what memory holds."""
        if self._disk is None or not self._disk.records:
            return self._ship_from_memory()
        try:
            self._disk.ship(self._delivery, self._client)
        except OSError as exc:
            self._disk.refuses(exc)
            self._delivery.back_off("the spool cannot be read")
        finally:
            with self._moved:
                self._moved.notify_all()

    def _ship_from_memory(self) -> None:
        with self._lock:
            records = self._memory.take(_POST_RECORDS, _POST_BYTES)
            self._flying = flying = list(records)
            self._in_flight = len(records)
        if self._disk is not None:
            self._disk.note(only_in_memory=len(records))

        def settle(part: Settled) -> None:
            with self._moved:
                if self._flying is flying:  # else they were put away, and will be sent once more
                    self._account.settle(part)
                    self._in_flight -= part.number()
                    del flying[: part.number()]

        try:
            self._delivery.ship(records, self._client, settle)
        finally:
            with self._moved:
                if self._flying is flying:
                    self._memory.give_back(flying)
                    self._flying, self._in_flight = None, 0
                self._set_nudge()
                self._moved.notify_all()
            if flying and self._disk is not None:
                self._disk.note()  # they are in the post no more, and perhaps on disk the next moment

    def _ship_samples(self) -> None:
        samples: List[Dict[str, Any]] = []
        for sampler in list(self._samplers):
            try:
                samples.extend(sampler())
            except Exception:  # its file may be locked or closed: the next round asks again
                log.debug("hookvitals: a queue could not be sampled", exc_info=True)
        self._sampled = samples
        if samples:
            answer = self._delivery.post("/api/v1/queues", json.dumps(samples).encode())
            if answer is not None and answer.status >= 400:
                log.debug("hookvitals: queue samples were refused: HTTP %d", answer.status)

    def _client(self, in_post: int) -> bytes:
        """Who ships, with cumulative counts."""
        with self._lock:
            said = self._account.said(self._waiting(), in_post)
        client = {
            **said,
            "cpu_seconds": time.process_time(),
            "memory_bytes": memory_bytes(),
        }
        if self._breakers:
            client["breakers"] = {name: state() for name, state in list(self._breakers.items())}
        types = self._declarations.due(arrived=not self._delivery.failures)
        if types:
            client["types"] = types
        inboxes = [one for one in self._sampled if one["queue"] == "inbox"]
        if inboxes:
            client["inbox_depth"] = sum(one["depth"] for one in inboxes)
            client["inbox_oldest_age_s"] = max(one.get("oldest_age_s") or 0.0 for one in inboxes)
        return json.dumps(client).encode()

    def _patience_s(self) -> float:
        """How long the end of the process waits for the collector."""
        away = self.spool_dir is not None and self._delivery.failures > 0
        return _AWAY_FLUSH_S if away else FINAL_FLUSH_S


_INHERITED: "List[Transport]" = []
_LIVE: "weakref.WeakSet[Shipper]" = weakref.WeakSet()


def _restart_all_in_child() -> None:
    for shipper in list(_LIVE):
        shipper.restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all_in_child)


@atexit.register
def _flush_all() -> None:
    for shipper in list(_LIVE):
        with contextlib.suppress(Exception):
            shipper.close(shipper._patience_s())
            counts = shipper.counts()
            lost = counts["waiting"] - counts["on_disk"]
            if lost:
                log.warning("hookvitals: the process ends, and records in memory with it: %d lost", lost)
