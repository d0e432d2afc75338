"""Requests of the fronts answered from the store: all that is to append in one transaction, the rest singly.

Knows frames and the store; no sockets and no time.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

from monitor.collector import frames
from monitor.collector.counters import Counters
from monitor.errors import HookvitalsError, Unavailable
from monitor.model import SeriesKey
from monitor.store.facts.expunging import Expunge
from monitor.store.facts.protocol import FactWriter

log = logging.getLogger(__name__)

Question = tuple[int, Any]
"""(kind, content), as a front sent it."""


class Desk:
    """Answers questions; used by the writer's one thread."""

    def __init__(self, store: FactWriter, counters: Counters, now_us: Callable[[], int]) -> None:
        self._store = store
        self._counters = counters
        self._now_us = now_us
        self.is_failing = False
        """Whether the last commit failed."""

    def answers(self, questions: Sequence[Question]) -> list[bytes]:
        """One frame a question, in their order; what was to be appended is on disk then."""
        found: list[tuple[object, ...]] = [()] * len(questions)
        appends = []
        for place, (kind, content) in enumerate(questions):
            if kind == frames.APPEND:
                appends.append(place)
            else:
                found[place] = self._guarded(lambda k=kind, c=content: self._answer(k, c))  # type: ignore[misc]
        if appends:
            done = self._guarded(lambda: self._appended([questions[place][1] for place in appends]))
            for nth, place in enumerate(appends):
                found[place] = (frames.DONE, done[1][nth]) if done[0] == frames.DONE else done  # type: ignore[index]
        return [frames.frame(answer) for answer in found]

    def _appended(self, contents: Sequence[Any]) -> list[tuple[object, ...]]:
        started = time.perf_counter()
        answers = self._store.append([frames.to_batch(content) for content in contents])
        taken_us = int((time.perf_counter() - started) * 1e6)
        self._counters.add({("commits", ""): 1, ("commit_us", ""): taken_us})
        self.is_failing = False
        return [frames.from_appended(answer) for answer in answers]

    def _answer(self, kind: int, content: Any) -> object:
        if kind == frames.SERIES:
            codes = self._store.intern_series([SeriesKey(*parts) for parts in content], self._now_us())
            return [
                ((key.environment, key.source, key.endpoint, key.event_type), code)
                for key, code in codes.items()
            ]
        if kind == frames.ERRORS:
            return list(self._store.intern_errors(content).items())
        if kind == frames.QUEUES:
            return self._store.append_queues(content)
        if kind == frames.PROBES:
            return self._store.append_probes(content)
        if kind == frames.EXPUNGE:
            return astuple(self._store.expunge(Expunge(*content)))
        return {
            "used_bytes": self._store.used_bytes(),
            "floor_us": self._store.floor_us,
            "failing": int(self.is_failing),
        }

    def _guarded(self, work: Callable[[], object]) -> tuple[object, ...]:
        """The answer that carries the result, or the error: one bad request never ends the writer."""
        try:
            return (frames.DONE, work())
        except HookvitalsError as exc:
            if isinstance(exc, Unavailable):
                self._failed(exc)
            return (frames.REFUSED, exc.code, exc.message, exc.hint, exc.retry_after_s)
        except Exception as exc:  # the boundary of a request: told to the front, counted and logged
            self._failed(exc)
            return (frames.REFUSED, "unavailable", "the writer met an error of its own", "see its log", 5)

    def _failed(self, error: Exception) -> None:
        if not self.is_failing:
            unforeseen = None if isinstance(error, HookvitalsError) else error
            log.error("the store refuses to write: %s", error, exc_info=unforeseen)
        self.is_failing = True
        self._counters.add({("store_errors", ""): 1})
