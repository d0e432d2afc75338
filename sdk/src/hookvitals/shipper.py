"""Carries records to the collector from a thread of its own: in batches, compressed, tried again, bounded.

`put` appends and returns. While the collector is away records wait in memory up to a bound; beyond it the
oldest are dropped and counted by reason, so that produced = accepted + waiting + dropped. Nothing here ever
raises into the caller or keeps the interpreter from ending.
"""

import atexit
import contextlib
import gzip
import json
import logging
import os
import random
import socket
import threading
import time
import weakref
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

from hookvitals.ids import uuid7
from hookvitals.version import VERSION

log = logging.getLogger("hookvitals")

Noted = Tuple[int, Dict[str, Any], str, int, Optional[Dict[str, Any]]]
"""(time_ns, base fields, outcome, received_at_us, other fields): all that the caller's thread leaves."""

RETRY_FIRST_S = 0.5
RETRY_CAP_S = 30.0
FINAL_FLUSH_S = 3.0


class Shipper:
    """One collector, one key, one thread.

    url: the collector's address, e.g. http://127.0.0.1:8700. key: an ingest key. max_waiting: records kept in
    memory at most. samples: gives queue samples to post each `sample_every_s`.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        batch_size: int = 100,
        batch_delay_s: float = 5.0,
        max_waiting: int = 50_000,
        timeout_s: float = 10.0,
        sample_every_s: float = 10.0,
        instance: str = "",
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the collector's address {url!r} is not http(s)://host:port")
        if not key:
            raise ValueError("an ingest key is needed; `hookvitals key create` makes one")
        self._parts = parts
        self._key = key
        self._batch_size = batch_size
        self._batch_delay_s = batch_delay_s
        self._timeout_s = timeout_s
        self._sample_every_s = sample_every_s
        self._instance = instance or f"{socket.gethostname()}-{os.getpid()}"
        self._given_instance = instance
        self._max_waiting = max_waiting
        self._samplers: List[Callable[[], List[Dict[str, Any]]]] = []
        self._start()
        _LIVE.add(self)

    def _start(self) -> None:
        """State of one process; made anew in a forked child, whose parent ships what it had noted."""
        self._waiting: Deque[Noted] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._flushed = threading.Condition(self._lock)
        self._closing = False
        self._thread: Optional[threading.Thread] = None
        self._connection: Optional[HTTPConnection] = None
        self._batch: List[Dict[str, Any]] = []
        self._settled = 0
        self._dropped: Dict[str, int] = {}
        self._started_at_us = time.time_ns() // 1000
        self._due_s = 0.0
        self._sampled_s = 0.0

    def put(self, noted: Noted) -> None:
        """Takes a record; never blocks, never raises. The oldest is dropped when too many wait."""
        try:
            waiting = self._waiting
            waiting.append(noted)
            if self._thread is None or len(waiting) >= self._batch_size:
                self._nudge()
        except Exception:  # the handler's work is worth more than its record
            log.debug("a record could not be kept", exc_info=True)

    def sample(self, sampler: Callable[[], List[Dict[str, Any]]]) -> None:
        """Registers a function that gives queue samples (the collector's format) when asked."""
        self._samplers.append(sampler)
        self._nudge()

    def counts(self) -> Dict[str, Any]:
        """produced, waiting, and dropped by reason, since this process began."""
        with self._lock:
            waiting = len(self._waiting) + len(self._batch)
            dropped = dict(self._dropped)
            return {
                "produced": self._settled + waiting + sum(dropped.values()),
                "waiting": waiting,
                "accepted": self._settled,
                "dropped": dropped,
            }

    def flush(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Ships what waits, for at most `timeout_s`; whether nothing waits any more."""
        deadline = time.monotonic() + timeout_s
        self._nudge(now=True)
        with self._flushed:
            while self._waiting or self._batch:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._wake.set()
                self._flushed.wait(min(left, 0.05))
        return True

    def close(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        """Flushes and ends the thread; whether everything was shipped."""
        shipped = self.flush(timeout_s)
        self._closing = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        return shipped

    def _nudge(self, *, now: bool = False) -> None:
        if now:
            self._due_s = 0.0
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="hookvitals-shipper", daemon=True)
                    self._thread.start()
        self._bound()
        self._wake.set()

    def restart_in_child(self) -> None:
        """After a fork: what waited is the parent's to ship; this process counts from nothing."""
        self._start()
        self._instance = self._given_instance or f"{socket.gethostname()}-{os.getpid()}"

    def _bound(self) -> None:
        over = len(self._waiting) - self._max_waiting
        for _ in range(over):
            with contextlib.suppress(IndexError):
                self._waiting.popleft()
                self._count_dropped("memory_full", 1)

    def _count_dropped(self, reason: str, number: int) -> None:
        with self._lock:
            self._dropped[reason] = self._dropped.get(reason, 0) + number

    # --- the thread ---

    def _run(self) -> None:
        failures = 0
        self._due_s = time.monotonic() + self._batch_delay_s
        while not self._closing:
            full = len(self._waiting) >= self._batch_size
            pause_s = min(max(0.0, self._due_s - time.monotonic()), self._next_sample_s())
            if not full and not self._batch and pause_s > 0:
                self._wake.wait(pause_s)
                self._wake.clear()
            try:
                retry_after_s = self._work()
                failures = 0 if retry_after_s is None else failures + 1
            except Exception as exc:  # whatever it is, the next round tries again
                log.debug("shipping failed", exc_info=True)
                self._disconnect()
                failures += 1
                retry_after_s = self._backoff_s(failures, exc)
            if retry_after_s:
                self._bound()
                self._wait(retry_after_s)

    def _wait(self, seconds: float) -> None:
        """Waits; `close` and `flush` do not cut a server's Retry-After short."""
        deadline = time.monotonic() + seconds
        while not self._closing and time.monotonic() < deadline:
            time.sleep(min(0.05, seconds))
            self._bound()

    def _backoff_s(self, failures: int, exc: Exception) -> float:
        if failures == 1:
            log.warning("hookvitals: the collector cannot be reached (%s); records wait in memory", exc)
        return random.uniform(0.1, min(RETRY_CAP_S, RETRY_FIRST_S * 2.0 ** min(failures, 10)))  # noqa: S311  # jitter

    def _work(self) -> Optional[float]:
        """One batch and the samples that are due; seconds to wait when the collector asks for it."""
        now_s = time.monotonic()
        if not self._batch and (now_s >= self._due_s or len(self._waiting) >= self._batch_size):
            self._batch = self._taken()
            self._due_s = now_s + self._batch_delay_s
        if self._batch:
            retry_after_s = self._ship()
            if retry_after_s is not None:
                return retry_after_s
        if self._next_sample_s() <= 0:
            self._sampled_s = time.monotonic()
            self._ship_samples()
        return None

    def _taken(self) -> List[Dict[str, Any]]:
        taken = []
        with self._lock:
            for _ in range(min(self._batch_size, len(self._waiting))):
                taken.append(_as_record(self._waiting.popleft()))
        return taken

    def _ship(self) -> Optional[float]:
        status, headers, answer = self._post(
            "/api/v1/records", {"client": self._client(), "records": self._batch}
        )
        number = len(self._batch)
        if status == 200:
            rejected = answer.get("rejected", []) if isinstance(answer, dict) else []
            for one in rejected:
                self._count_dropped(f"rejected_{one.get('code', 'unknown')}", 1)
            self._done(number - len(rejected))
            return None
        if status in (401, 403, 408, 429) or status >= 500:
            if status in (401, 403):
                log.warning("hookvitals: the collector refuses this key (HTTP %d); check it", status)
            return _retry_after_s(headers) or self._backoff_s(2, HTTPException(str(status)))
        if status == 413 and number > 1:
            half = [self._batch[: number // 2], self._batch[number // 2 :]]
            for part in half:
                self._batch = part
                waited = self._ship()
                if waited is not None:
                    self._batch = part if part is half[1] else part + half[1]
                    return waited
            return None
        self._count_dropped(f"refused_{status}", number)
        self._done(0)
        return None

    def _done(self, accepted: int) -> None:
        with self._flushed:
            self._settled += accepted
            self._batch = []
            self._flushed.notify_all()

    def _next_sample_s(self) -> float:
        if not self._samplers:
            return 3600.0
        return max(0.0, self._sampled_s + self._sample_every_s - time.monotonic())

    def _ship_samples(self) -> None:
        samples = [sample for sampler in self._samplers for sample in sampler()]
        if samples:
            status, _, _ = self._post("/api/v1/queues", samples)
            if status >= 400:
                log.debug("queue samples were refused: HTTP %d", status)

    def _client(self) -> Dict[str, Any]:
        counts = self.counts()
        return {
            "name": "hookvitals-python",
            "version": VERSION,
            "instance": self._instance,
            "started_at": self._started_at_us,
            "sent_at": time.time_ns() // 1000,
            "produced": counts["produced"],
            "spooled": counts["waiting"] - len(self._batch),
            "dropped": counts["dropped"],
            "cpu_seconds": time.process_time(),
        }

    def _post(self, path: str, payload: Any) -> Tuple[int, Dict[str, str], Any]:
        body = gzip.compress(json.dumps(payload, separators=(",", ":")).encode(), 1)
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"hookvitals-python/{VERSION}",
        }
        for fresh in (
            False,
            True,
        ):  # a kept connection may have been closed meanwhile: once more on a new one
            connection = self._connected(fresh)
            try:
                connection.request("POST", self._parts.path.rstrip("/") + path, body, headers)
                response = connection.getresponse()
                text = response.read(1 << 20)
                return response.status, dict(response.getheaders()), _json(text)
            except (HTTPException, ConnectionError):
                self._disconnect()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def _connected(self, fresh: bool) -> HTTPConnection:
        if self._connection is None or fresh:
            kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
            self._connection = kind(str(self._parts.hostname), self._parts.port, timeout=self._timeout_s)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None


def _as_record(noted: Noted) -> Dict[str, Any]:
    at_ns, base, outcome, received_at_us, fields = noted
    record = {"record_id": uuid7(at_ns // 1000), "outcome": outcome, "received_at": received_at_us}
    record.update(base)
    if fields:
        record.update(fields)
    return record


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _retry_after_s(headers: Dict[str, str]) -> Optional[float]:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return min(300.0, max(0.1, float(value)))
            except ValueError:
                return None
    return None


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
