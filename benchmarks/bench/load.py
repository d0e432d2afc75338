"""Ingest at a fixed pace beside whatever is measured: a writer process, fsync before each answer.

The pace is half of what the same writer does flat out on this machine, found in the same run. It folds
as often as the collector does.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import numpy as np

from benchmarks.bench.places import Place
from benchmarks.bench.traffic import Traffic
from monitor.clock import SystemClock, to_us
from monitor.collector.chores import FOLD_S, MANY_FOLDED, NEXT_STEP_S
from monitor.memory import keep_free_memory
from monitor.store.facts.protocol import FactWriter

RECORDS_A_TRANSACTION = 2_000
FLAT_OUT_S = 3.0
FIRST = 1 << 40
"""Numbers of these records start here: no record of the filling has such an id."""


def flat_out(place: Place) -> float:
    """Records a second of one writer that does nothing else, packing included."""
    writer = place.writer()
    began = time.perf_counter()
    stored = _write(writer, began + FLAT_OUT_S, None, FIRST)
    taken_s = time.perf_counter() - began
    writer.close()
    return stored / taken_s


@contextmanager
def ingesting(place: Place, pace: float) -> Iterator[None]:
    """Records arrive at `pace` a second while the block runs, or slower where the machine gives no more."""
    spawn = multiprocessing.get_context("spawn")
    running, end = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_ingest, args=(place, pace, running, end))
    process.start()
    try:
        if not running.wait(30):
            raise SystemExit("the writer did not start")
        yield
    finally:
        end.set()
        process.join(30)
    if process.exitcode:
        raise SystemExit("the writer failed: its error is above")


def _ingest(place: Place, pace: float, running: Event, end: Event) -> None:
    keep_free_memory()  # as the collector's writer does
    writer = place.writer()
    running.set()
    _write(writer, None, pace, FIRST << 1, end)
    writer.close()


def _write(
    writer: FactWriter, until: float | None, pace: float | None, first: int, end: Event | None = None
) -> int:
    traffic = Traffic(writer, to_us(SystemClock().now()), seed=2)
    began = time.perf_counter()
    fold_due = began + FOLD_S
    stored = 0
    while (until is None or time.perf_counter() < until) and not (end is not None and end.is_set()):
        if pace is not None and (early_s := stored / pace - (time.perf_counter() - began)) > 0:
            time.sleep(early_s)
        at_us = np.full(RECORDS_A_TRANSACTION, to_us(SystemClock().now()), dtype=np.int64)
        (answer,) = writer.append([traffic.batch(first + stored, at_us)])
        assert answer.accepted == RECORDS_A_TRANSACTION, answer
        stored += RECORDS_A_TRANSACTION
        if time.perf_counter() >= fold_due:
            taken = writer.fold()
            fold_due = time.perf_counter() + (FOLD_S if taken < MANY_FOLDED else NEXT_STEP_S)
    while writer.fold():
        pass
    return stored
