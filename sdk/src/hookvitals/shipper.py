"""Carries records to the collector from a thread of its own: in batches, tried again, bounded, counted.

`put` appends and returns. While the collector is away records wait in memory up to a bound; beyond it the
oldest are dropped and counted by reason, so that produced = accepted + waiting + dropped. Nothing here ever
raises into the caller or keeps the interpreter from ending.
"""

import atexit
import contextlib
import json
import logging
import os
import random
import socket
import threading
import time
import weakref
from collections import deque
from http.client import HTTPException
from typing import Any, Callable, Deque, Dict, List, Optional

from hookvitals.process import memory_bytes
from hookvitals.record_json import Noted, capture_bytes, encoded, leave_body_out, without_body
from hookvitals.settled import Settled
from hookvitals.spool import Spool
from hookvitals.transport import Answered, Transport
from hookvitals.version import VERSION

log = logging.getLogger("hookvitals")

Sampler = Callable[[], List[Dict[str, Any]]]
"""Gives queue samples, in the collector's format."""

RETRY_FIRST_S = 0.5
RETRY_CAP_S = 30.0
FINAL_FLUSH_S = 3.0
MAX_WAITING_BYTES = 32 << 20
_POST_BYTES = 1_000_000  # the collector takes 1 MiB compressed
_POST_RECORDS = 500  # at most, when many wait
_TOO_MUCH = (400, 413, 422)  # the batch itself is at fault: halve it, in the end drop the one
_MISCONFIGURED = (401, 403, 404, 405)  # the key or the address is: wait for somebody to mend it


class Shipper:
    """One collector, one key, one thread; shared by any number of receivers and recorders.

    url: the collector's address, e.g. http://127.0.0.1:8700. key: an ingest key. A batch leaves when
    batch_size records wait, or batch_delay_s after the last. max_waiting: records kept in memory at most;
    max_waiting_bytes bounds them too; captured bodies beyond it are left out of their records. Queue samples
    are posted each sample_every_s. Raises ValueError for an address or key that cannot be one.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        batch_size: int = 100,
        batch_delay_s: float = 5.0,
        max_waiting: int = 50_000,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
        timeout_s: float = 10.0,
        sample_every_s: float = 10.0,
        instance: str = "",
        uniform: Callable[[float, float], float] = random.SystemRandom().uniform,
    ) -> None:
        self._transport = Transport(url, key, timeout_s)
        self._batch_size = batch_size
        self._batch_delay_s = batch_delay_s
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._sample_every_s = sample_every_s
        self._given_instance = instance
        self._uniform = uniform
        self._samplers: List[Sampler] = []
        self._start()
        _LIVE.add(self)

    def _start(self) -> None:
        """State of one process; made anew in a forked child, whose parent ships what it had noted."""
        self._instance = self._given_instance or f"{socket.gethostname()[:100]}-{os.getpid()}"
        self._noted: Deque[Noted] = deque()
        self._spool = Spool(self._max_waiting, self._max_waiting_bytes)
        self._in_flight = 0
        self._accepted = 0
        self._dropped: Dict[str, int] = {}
        self._lock = threading.Lock()
        self._moved = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._closing = False
        self._thread: Optional[threading.Thread] = None
        self._capture_bytes = 0
        self._nudge_at = min(self._batch_size, self._max_waiting)
        self._started_at_us = time.time_ns() // 1000
        self._due_s = 0.0
        self._not_before_s = 0.0
        self._told_to_wait = False
        self._failures = 0
        self._sample_due_s = 0.0
        self._sampled: List[Dict[str, Any]] = []

    # --- the caller's side ---

    def put(self, noted: Noted) -> None:
        """Takes a record; never blocks on the network, never raises."""
        try:
            if noted[4] is not None and "capture" in noted[4]:
                self._bound_capture(noted[4]["capture"])
            self._noted.append(noted)
            number = len(self._noted)
            if number >= self._nudge_at or self._thread is None:
                self._nudge(number)
        except Exception:  # the handler's work is worth more than its record
            log.debug("a record could not be kept", exc_info=True)

    def sample(self, sampler: Sampler) -> None:
        """Registers a function that gives queue samples when asked."""
        self._samplers.append(sampler)
        self._nudge()

    def forget(self, sampler: Sampler) -> None:
        """Asks this function no more."""
        with contextlib.suppress(ValueError):
            self._samplers.remove(sampler)

    def counts(self) -> Dict[str, Any]:
        """produced, accepted, waiting, and dropped by reason, since this process began."""
        with self._lock:
            waiting = len(self._noted) + len(self._spool) + self._in_flight
            dropped = dict(self._dropped)
            return {
                "produced": self._accepted + waiting + sum(dropped.values()),
                "waiting": waiting,
                "accepted": self._accepted,
                "dropped": dropped,
            }

    def flush(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Ships what waits, for at most `timeout_s`; whether nothing waits any more."""
        deadline_s = time.monotonic() + timeout_s
        self._closing = False  # after a close: once more
        self._due_s = 0.0
        if not self._told_to_wait:
            self._not_before_s = 0.0
        self._nudge()
        with self._moved:
            while self._noted or len(self._spool) or self._in_flight:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._due_s = 0.0
                self._wake.set()
                self._moved.wait(min(left_s, 0.05))
        return True

    def close(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Flushes and ends the thread; whether everything was shipped."""
        shipped = self.flush(timeout_s)
        self._closing = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        return shipped

    def restart_in_child(self) -> None:
        """After a fork: what waited is the parent's to ship; this process counts from nothing."""
        _INHERITED.append(self._transport)  # closing it could wait for ever for the parent's thread
        self._transport = self._transport.fresh()
        self._start()

    def _nudge(self, number: int = 0) -> None:
        while number + len(self._spool) + self._in_flight > self._max_waiting and self._drop_oldest():
            number = len(self._noted)
        thread = self._thread
        if (thread is None or not thread.is_alive()) and not self._closing:
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._due_s = time.monotonic() + self._batch_delay_s
                    self._thread = threading.Thread(target=self._run, name="hookvitals-shipper", daemon=True)
                    self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    def _set_nudge(self) -> None:
        """How many noted records call for attention: a batch, or what fills the room that is left. Under
        the lock."""
        room = self._max_waiting - len(self._spool) - self._in_flight
        self._nudge_at = max(1, min(self._batch_size, room + 1))

    def _drop_oldest(self) -> bool:
        """Whether anything was left to drop."""
        with self._lock:
            if len(self._spool):
                self._spool.drop_oldest()
            elif self._noted:
                self._uncount_capture(self._noted.popleft())
            else:
                return False
            self._drop("memory_full")
            self._set_nudge()
            return True

    def _bound_capture(self, capture: Any) -> None:
        """Leaves the body out when the captures that wait are too many bytes: the record matters more."""
        size = capture_bytes(capture)
        with self._lock:
            if self._capture_bytes + size <= self._max_waiting_bytes:
                self._capture_bytes += size
            else:
                leave_body_out(capture)

    def _uncount_capture(self, noted: Noted) -> None:
        if noted[4] is not None and "capture" in noted[4]:
            self._capture_bytes -= capture_bytes(noted[4]["capture"])

    def _drop(self, reason: str, number: int = 1) -> None:
        """Counts; the caller has the lock."""
        if number:
            self._dropped[reason] = self._dropped.get(reason, 0) + number

    # --- the thread's side ---

    def _run(self) -> None:
        while not self._closing:
            try:
                self._round()
            except Exception:  # whatever it is, the next round tries again
                log.exception("hookvitals: records could not be shipped")
                self._back_off("an error of our own")
            self._wake.wait(self._pause_s())
            self._wake.clear()
        self._transport.close()

    def _pause_s(self) -> float:
        now_s = time.monotonic()
        wake_s = min(self._due_s, self._sample_due_s) if self._samplers else self._due_s
        return max(0.005, max(wake_s, self._not_before_s) - now_s)

    def _round(self) -> None:
        """Encodes what was noted, then ships what is due."""
        self._encode()
        due = time.monotonic() >= self._due_s
        while time.monotonic() >= self._not_before_s and not self._closing:
            if len(self._spool) < (1 if due else self._batch_size):
                break
            self._ship()
            self._encode()
        if due and not len(self._spool):
            self._due_s = time.monotonic() + self._batch_delay_s
        now_s = time.monotonic()
        if self._samplers and now_s >= self._sample_due_s and now_s >= self._not_before_s:
            self._sample_due_s = now_s + self._sample_every_s
            self._ship_samples()

    def _encode(self) -> None:
        """Moves what was noted into the spool, as JSON."""
        for _ in range(len(self._noted)):
            with self._lock:
                if not self._noted:
                    return
                noted = self._noted.popleft()
                self._uncount_capture(noted)
                record = encoded(noted)
                if record:
                    self._drop("memory_full", self._spool.add(record))
                else:
                    self._drop("unencodable")
                self._set_nudge()

    def _ship(self) -> None:
        """One batch: what is accepted or beyond help leaves, the rest goes back in front."""
        with self._lock:
            records = self._spool.take(_POST_RECORDS, _POST_BYTES)
            self._in_flight = len(records)
        settled = Settled(left=records)
        try:
            settled = self._posted(records)
        finally:
            with self._moved:
                self._accepted += settled.accepted
                for reason, number in settled.dropped.items():
                    self._drop(reason, number)
                self._spool.give_back(settled.left)
                self._in_flight = 0
                self._set_nudge()
                self._moved.notify_all()

    def _posted(self, records: List[bytes]) -> Settled:
        document = b'{"client":%b,"records":[%b]}' % (self._client(), b",".join(records))
        try:
            answer = self._transport.post("/api/v1/records", document)
        except (HTTPException, OSError) as exc:
            self._back_off(f"the collector cannot be reached ({exc})")
            return Settled(left=records)
        if answer.status == 200 and _is_collectors(answer.document):
            return self._taken(len(records), answer.document)
        if answer.status not in _TOO_MUCH:
            self._refused(answer)
            return Settled(left=records)
        if len(records) > 1:
            half = len(records) // 2
            first = self._posted(records[:half])
            rest = Settled(left=records[half:]) if first.left else self._posted(records[half:])
            return first.add(rest)
        smaller = without_body(records[0])
        if answer.status == 413 and smaller is not None:
            log.warning("hookvitals: a captured body is larger than the collector takes; sent without it")
            return self._posted([smaller])
        lost = Settled()
        lost.drop(f"refused_{answer.status}")
        return lost

    def _taken(self, number: int, document: Dict[str, Any]) -> Settled:
        """The collector stored the records, but for those it names."""
        settled = Settled()
        rejected = document.get("rejected")
        for one in (rejected if isinstance(rejected, list) else [])[:number]:
            code = one.get("code") if isinstance(one, dict) else None
            settled.drop(f"rejected_{str(code or 'unknown')[:50]}")
        settled.accepted = number - sum(settled.dropped.values())
        if self._failures:
            log.info("hookvitals: the collector answers again")
        self._failures, self._told_to_wait = 0, False
        return settled

    def _refused(self, answer: Answered) -> None:
        if answer.status < 400 or answer.status in _MISCONFIGURED:
            wait_s = self._uniform(RETRY_CAP_S / 2, RETRY_CAP_S)
            self._back_off(f"HTTP {answer.status}: check the collector's address and the key", wait_s)
        else:
            self._back_off(f"the collector answers HTTP {answer.status}", answer.retry_after_s)

    def _back_off(self, why: str, wait_s: Optional[float] = None) -> None:
        if self._failures == 0:
            log.warning("hookvitals: %s; records wait in memory", why)
        self._failures += 1
        self._told_to_wait = wait_s is not None
        if wait_s is None:
            bound_s = min(RETRY_CAP_S, RETRY_FIRST_S * 2.0 ** min(self._failures, 10))
            wait_s = self._uniform(0.1, bound_s)
        self._not_before_s = time.monotonic() + wait_s

    def _ship_samples(self) -> None:
        samples: List[Dict[str, Any]] = []
        for sampler in list(self._samplers):
            try:
                samples.extend(sampler())
            except Exception:  # its file may be locked or closed: the next round asks again
                log.debug("hookvitals: a queue could not be sampled", exc_info=True)
        self._sampled = samples
        if samples:
            try:
                answer = self._transport.post("/api/v1/queues", json.dumps(samples).encode())
            except (HTTPException, OSError) as exc:
                self._back_off(f"the collector cannot be reached ({exc})")
                return
            if answer.status >= 400:
                log.debug("hookvitals: queue samples were refused: HTTP %d", answer.status)

    def _client(self) -> bytes:
        """Who ships, with cumulative counts."""
        counts = self.counts()
        client = {
            "name": "hookvitals-python",
            "version": VERSION,
            "instance": self._instance,
            "started_at": self._started_at_us,
            "sent_at": time.time_ns() // 1000,
            "produced": counts["produced"],
            "spooled": counts["waiting"] - self._in_flight,
            "dropped": counts["dropped"],
            "cpu_seconds": time.process_time(),
            "memory_bytes": memory_bytes(),
        }
        if self._sampled:
            client["inbox_depth"] = sum(one["depth"] for one in self._sampled)
            client["inbox_oldest_age_s"] = max(one["oldest_age_s"] for one in self._sampled)
        return json.dumps(client).encode()


def _is_collectors(document: Any) -> bool:
    """Whether this is a collector's answer, and not a login page's or a proxy's."""
    return isinstance(document, dict) and isinstance(document.get("accepted"), int)


_INHERITED: List[Transport] = []
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
            shipper.close(FINAL_FLUSH_S)
