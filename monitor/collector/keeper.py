"""The keeper process, in place of a writer where the front writes itself: it does what is done by the clock.

Fold, heartbeat, floor, and partitions for the days to come. Any number of collectors may each have one.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol

from monitor.clock import Clock, SystemClock, to_us
from monitor.collector.chores import AGAIN_S, Chores
from monitor.collector.counters import Counters
from monitor.collector.settings import CollectorSettings
from monitor.errors import HookvitalsError
from monitor.memory import keep_free_memory
from monitor.signals import on_signals
from monitor.store.facts.protocol import FactWriter

log = logging.getLogger(__name__)

DAYS_S = 3600.0


class SharedStore(FactWriter, Protocol):
    """A FactWriter that several threads and processes may use at once, and that keeps a partition a day."""

    def prepare_days(self, now_us: int) -> object:
        """Makes sure that the partitions of the days to come exist."""


OpenStore = Callable[[], SharedStore]
"""Opens the store in the process that calls it; picklable."""


def start(settings: CollectorSettings, open_store: OpenStore, prepare: Callable[[], None]) -> None:
    """`run` as the body of a process of its own, until SIGTERM, SIGINT or the end of its parent."""
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which ends its children in order
    prepare()
    keep_free_memory()
    stop = threading.Event()
    on_signals(stop.set, signal.SIGTERM, signal.SIGINT)
    run(settings, open_store, SystemClock(), stop)


def run(settings: CollectorSettings, open_store: OpenStore, clock: Clock, stop: threading.Event) -> None:
    """Does the chores until told to stop, then folds what is left. A store that is away is tried again."""
    store = _opened(open_store, stop)
    if store is None:
        return
    try:
        days = _Days(store, clock)
        chores = Chores(store, settings, Counters(settings.counters_dir), clock)
        while not _is_over(stop):
            days.prepare_due()
            chores.run_due()
            stop.wait(min(AGAIN_S, chores.wait_s()))
        _fold_the_rest(store)
    finally:
        store.close()


class _Days:
    """The partitions, made at the start and each hour; each second while it fails."""

    def __init__(self, store: SharedStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._due_s = clock.monotonic()
        self._is_failing = False

    def prepare_due(self) -> None:
        if self._clock.monotonic() < self._due_s:
            return
        try:
            self._store.prepare_days(to_us(self._clock.now()))
            self._due_s, self._is_failing = self._clock.monotonic() + DAYS_S, False
        except HookvitalsError as exc:
            if not self._is_failing:
                log.error("the days to come are not prepared and will be tried again: %s", exc)
            self._due_s, self._is_failing = self._clock.monotonic() + AGAIN_S, True


def _opened(open_store: OpenStore, stop: threading.Event) -> SharedStore | None:
    """The store, once it can be opened; None when told to stop before that."""
    said = ""
    while not _is_over(stop):
        try:
            return open_store()
        except HookvitalsError as exc:
            if str(exc) != said:
                said = str(exc)
                log.error("the facts store is not reached, tried again each second: %s", exc)
        stop.wait(AGAIN_S)
    return None


def _fold_the_rest(store: SharedStore) -> None:
    try:
        store.fold()
    except HookvitalsError as exc:
        log.warning("the last records stay unfolded until a collector runs again: %s", exc)


def _is_over(stop: threading.Event) -> bool:
    """Whether it was told to stop, or the process that started it is gone."""
    parent = multiprocessing.parent_process()
    return stop.is_set() or (parent is not None and not parent.is_alive())
