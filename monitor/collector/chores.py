"""What the writer does by the clock: fold, heartbeat, floor, event index. Each chore has its own next time.

A chore that fails is logged once and tried again at its next time; it never stops the others.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.clock import Clock, to_us
from monitor.collector.counters import Counters
from monitor.collector.settings import CollectorSettings
from monitor.errors import HookvitalsError
from monitor.store.facts import floor
from monitor.store.facts.protocol import FactWriter

log = logging.getLogger(__name__)

FOLD_S = 0.5
"""Each question of a screen folds for itself what is left: 35,000 records, at half load, for 7 ms."""
AGAIN_S = 1.0
"""After what failed, and until there may be something to merge."""
MANY_FOLDED = 40_000
"""After a fold of so many the next follows soon: one fold does not take all there is, or much comes in."""
HEARTBEAT_S = 10.0
BUDGET_S = 10.0
THIN_S = 10.0
FLOOR_S = 3600.0
NEXT_STEP_S = 0.05
"""Between two steps of one purge or merge: ingest goes on meanwhile."""


@dataclass(slots=True)
class _Chore:
    name: str
    work: Callable[[], float]
    """Does it; returns after how many seconds to do it again."""
    due_s: float
    failing: bool = False


class Chores:
    """The chores of one store; used by the writer's one thread."""

    def __init__(
        self, store: FactWriter, settings: CollectorSettings, counters: Counters, clock: Clock
    ) -> None:
        self._store = store
        self._settings = settings
        self._counters = counters
        self._clock = clock
        now_s = clock.monotonic()
        self._floor = _Chore("floor", self._raise_floor, now_s)
        self._all = [
            _Chore("fold", self._fold, now_s),
            _Chore("events", self._merge_events, now_s),
            _Chore("heartbeat", self._heartbeat, now_s),
            _Chore("thin", self._thin, now_s + THIN_S),
            _Chore("budget", self._keep_budget, now_s + BUDGET_S),
            self._floor,
        ]

    def wait_s(self) -> float:
        """Seconds until the next chore is due, at least 0."""
        return max(0.0, min(chore.due_s for chore in self._all) - self._clock.monotonic())

    def run_due(self) -> None:
        """Does every chore whose time has come."""
        now_s = self._clock.monotonic()
        for chore in self._all:
            if chore.due_s <= now_s:
                self._run(chore, now_s)

    def _run(self, chore: _Chore, now_s: float) -> None:
        try:
            chore.due_s = now_s + chore.work()
            chore.failing = False
        except Exception as exc:  # the boundary of a job: ingest goes on without it
            if not chore.failing:
                unforeseen = None if isinstance(exc, HookvitalsError) else exc
                log.error("%s failed and will be tried again: %s", chore.name, exc, exc_info=unforeseen)
            chore.failing = True
            chore.due_s = now_s + AGAIN_S
            self._counters.add({("store_errors", ""): 1})

    def _fold(self) -> float:
        started = time.perf_counter()
        taken = self._store.fold()
        if taken:
            taken_us = int((time.perf_counter() - started) * 1e6)
            self._counters.add({("folded_records", ""): taken, ("fold_us", ""): taken_us})
        return FOLD_S if taken < MANY_FOLDED else NEXT_STEP_S

    def _merge_events(self) -> float:
        return NEXT_STEP_S if self._store.merge_events() else AGAIN_S

    def _thin(self) -> float:
        now_us = to_us(self._clock.now())
        return NEXT_STEP_S if self._store.thin(now_us, floor.ROWS_A_STEP) else THIN_S

    def _heartbeat(self) -> float:
        self._store.heartbeat(self._settings.name, to_us(self._clock.now()))
        return HEARTBEAT_S

    def _keep_budget(self) -> float:
        if floor.floor_by_budget(self._store, self._settings.budget_bytes):
            self._floor.due_s = self._clock.monotonic()
        return BUDGET_S

    def _raise_floor(self) -> float:
        now_us = to_us(self._clock.now())
        if floor.step(self._store, now_us, self._settings.retention_s, self._settings.budget_bytes):
            return NEXT_STEP_S
        self._store.prune()
        return FLOOR_S
