"""A Writer inside the front's own process, over a store that many may write at once.

Each request thread brings its batch. One that finds a pen free writes at once; the others wait, and whoever
lays a pen down gives it, with all that waits by then, to the first of them: one transaction for many
requests. Only so much may wait. Nothing is answered before it is on disk.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from monitor.clock import Clock, to_us
from monitor.collector.counters import Counters
from monitor.errors import HookvitalsError, Unavailable
from monitor.model import SeriesKey
from monitor.store.facts.protocol import Appended, Batch, FactWriter

log = logging.getLogger(__name__)

ROWS_A_COMMIT = 10_000
WAITING_ROWS = 100_000
WAITING_REQUESTS = 256
WAIT_S = 6.0
"""With what a request waits before it, shorter than clients wait: one that has given up sends again, too."""
PING_S = 1.0
"""How old the answer to a ping, or a failure to open the store, may be."""
PATIENCE_S = 2.0
"""How long a ping waits for a store that says nothing."""
_HINT = "send the same records again: none counts twice"


class _Request:
    """A batch that somebody waits for: settled by an answer or an error, or given a pen to write a group."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.called = threading.Event()
        self.group: list[_Request] | None = None
        self.answer: Appended | None = None
        self.error: HookvitalsError | None = None

    def settle(self, answer: Appended | None, error: HookvitalsError | None = None) -> None:
        self.answer, self.error = answer, error
        self.called.set()

    def result(self) -> Appended:
        if self.error is not None:
            raise _again(self.error) from self.error
        assert self.answer is not None
        return self.answer


class Pens:
    """A Writer for the threads of one process. The store is opened when it is first needed."""

    def __init__(
        self,
        open_store: Callable[[], FactWriter],
        counters: Counters,
        clock: Clock,
        name: str,
        *,
        pens: int = 2,
        waiting_rows: int = WAITING_ROWS,
        waiting_requests: int = WAITING_REQUESTS,
        wait_s: float = WAIT_S,
    ) -> None:
        """name: whose heartbeat tells that a store which failed takes writes again. pens: how many
        transactions at once."""
        self._opening = _Opening(open_store, clock)
        self._counters = counters
        self._clock = clock
        self._name = name
        self._bounds = (waiting_rows, waiting_requests)
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._free = pens
        self._waiting: deque[_Request] = deque()
        self._waiting_rows = 0
        self._is_failing = False
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="ping")
        self._pinging = threading.Lock()
        self._pinged_s = 0.0
        self._pong: Future[Mapping[str, int]] | None = None

    def append(self, batch: Batch) -> Appended:
        """Returns once the batch is on disk. Raises Unavailable, at once when too much waits already."""
        mine = _Request(batch)
        group = self._joined(mine) or self._waited(mine)
        if group is not None:
            try:
                self._write(group)
            finally:
                self._hand_on()
        return mine.result()

    def intern_series(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        return self._opening.store().intern_series(keys, to_us(self._clock.now()))

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        return self._opening.store().intern_errors(names)

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int:
        return self._opening.store().append_queues(samples)

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int:
        return self._opening.store().append_probes(results)

    def ping(self) -> Mapping[str, int]:
        """`used_bytes`, `floor_us` and `failing` of the store, as of the last second. Raises Unavailable."""
        with self._pinging:
            is_old = self._clock.monotonic() - self._pinged_s >= PING_S
            if self._pong is None or (self._pong.done() and is_old):
                self._pong = self._looker.submit(self._looked)
                self._pinged_s = self._clock.monotonic()
            pong = self._pong
        try:
            return pong.result(PATIENCE_S)
        except TimeoutError as exc:
            raise Unavailable("the facts store does not answer", _HINT, retry_after_s=2) from exc
        except HookvitalsError as exc:
            raise _again(exc) from exc

    def close(self) -> None:
        self._looker.shutdown()
        self._opening.close()

    def _joined(self, mine: _Request) -> list[_Request] | None:
        """The request alone, with a pen for it; None when it has to wait."""
        rows = len(mine.batch.rows)
        with self._lock:
            if self._free:
                self._free -= 1
                return [mine]
            most_rows, most_requests = self._bounds
            if len(self._waiting) >= most_requests or self._waiting_rows + rows > most_rows:
                raise Unavailable("more records wait for the store than may", _HINT, retry_after_s=1)
            self._waiting.append(mine)
            self._waiting_rows += rows
            return None

    def _waited(self, mine: _Request) -> list[_Request] | None:
        """The group that this thread is to write; None once another has settled the request."""
        if not mine.called.wait(self._wait_s):
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    self._waiting_rows -= len(mine.batch.rows)
                    raise Unavailable("the store does not keep up", _HINT, retry_after_s=2)
            mine.called.wait()  # it is being written, and the store has time limits of its own
        return mine.group

    def _hand_on(self) -> None:
        """Gives the pen to the first that waits, with all that waits behind it; else lays it down."""
        with self._lock:
            group: list[_Request] = []
            rows = 0
            while self._waiting and (not group or rows + len(self._waiting[0].batch.rows) <= ROWS_A_COMMIT):
                group.append(self._waiting.popleft())
                rows += len(group[-1].batch.rows)
            self._waiting_rows -= rows
            if not group:
                self._free += 1
                return
        group[0].group = group
        group[0].called.set()

    def _write(self, group: Sequence[_Request]) -> None:
        """Settles every request of the group, and no other."""
        started = time.perf_counter()
        answers: Sequence[Appended | None] = [None] * len(group)
        error: HookvitalsError | None = Unavailable("the process that wrote it ends", _HINT, retry_after_s=1)
        try:
            answers = self._opening.store().append([one.batch for one in group])
            error = None
            self._is_failing = False
        except HookvitalsError as exc:
            error = exc
            self._failed(exc)
        except Exception as exc:  # the boundary of a request: told to whoever waits, counted and logged
            error = Unavailable("the collector met an error of its own", "see its log", retry_after_s=5)
            self._failed(exc)
        finally:
            for request, answer in zip(group, answers, strict=True):
                request.settle(answer, error)
        taken_us = int((time.perf_counter() - started) * 1e6)
        self._counters.add({("commits", ""): int(error is None), ("commit_us", ""): taken_us})

    def _failed(self, error: Exception) -> None:
        if not self._is_failing:
            unforeseen = None if isinstance(error, HookvitalsError) else error
            log.error("the store refuses to write: %s", error, exc_info=unforeseen)
        self._is_failing = True
        self._counters.add({("store_errors", ""): 1})

    def _looked(self) -> Mapping[str, int]:
        store = self._opening.store()
        if self._is_failing:
            store.heartbeat(self._name, to_us(self._clock.now()))
            self._is_failing = False
        return {"used_bytes": store.used_bytes(), "floor_us": store.floor_us, "failing": 0}


class _Opening:
    """The store, opened when it is first needed; a failure to open it is told for a second to all who ask."""

    def __init__(self, open_store: Callable[[], FactWriter], clock: Clock) -> None:
        self._open = open_store
        self._clock = clock
        self._lock = threading.Lock()
        self._store: FactWriter | None = None
        self._error: HookvitalsError | None = None
        self._failed_s = 0.0

    def store(self) -> FactWriter:
        """Raises Unavailable while it cannot be opened."""
        if self._store is not None:
            return self._store
        with self._lock:
            if self._error is not None and self._clock.monotonic() - self._failed_s < PING_S:
                raise _again(self._error)
            if self._store is None:
                try:
                    self._store = self._open()
                except HookvitalsError as exc:
                    self._error, self._failed_s = exc, self._clock.monotonic()
                    raise
            return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def _again(error: HookvitalsError) -> HookvitalsError:
    """The same error for another thread: one instance gathers the traces of all who raise it."""
    return type(error)(error.message, error.hint, retry_after_s=error.retry_after_s)
