"""What noting one record costs the caller's thread, beside the cheapest thing that could hold it.

Run: python -m benchmarks.sdk_record [--save]. Nobody listens at the collector's address, so that what is
measured is the caller's side, with the shipper's thread at work and records piling up in a memory that holds
them all. Times are of the calling thread alone (thread_time), of many short runs, each begun with cold
caches; the calls take turns, so that a busy moment hits all. Beside them the least that a `with` can do, and
a counter and a histogram of prometheus_client. --save writes results/sdk_record.md.
"""

import argparse
import logging
import os
import platform
import statistics
import time
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram

from hookvitals import Recorder, Shipper

CALLS, RUNS = 90, 200  # fewer calls than a batch: no run pays for the waking of the thread twice
GOAL_US = 1.0
RESULTS = Path(__file__).parent / "results" / "sdk_record.md"
Times = dict[str, tuple[float, float]]
"""Least and median microseconds a call, by what is called."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    shipper = Shipper("http://127.0.0.1:9", "hv_none", batch_delay_s=0.2, max_waiting=100_000)
    lines = report(measured(shipper))
    shipper.close(0.0)
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(shipper: Shipper) -> Times:
    recorder = Recorder("acme", "orders", shipper)
    limit: deque[object] = deque(maxlen=50_000)

    def append() -> None:
        limit.append((1, "succeeded", 2, {"event_id": "evt_1", "event_type": "t", "process_ms": 1.5}))

    def bare() -> None:
        with nullcontext():
            pass

    def record() -> None:
        recorder.record("succeeded", 2, {"event_id": "evt_1", "event_type": "t", "process_ms": 1.5})

    def track() -> None:
        with recorder.track("evt_1", "t"):
            pass

    calls = {
        "deque.append of the same": append,
        "with nullcontext()": bare,
        "record()": record,
        "with track()": track,
        "prometheus_client: counted and timed by labels": prometheus(),
    }
    return us(calls)


def prometheus() -> Callable[[], None]:
    registry = CollectorRegistry()
    names = ("source", "endpoint", "event_type")
    counter = Counter("events", "Events.", (*names, "outcome"), registry=registry)
    seconds = Histogram("processing_seconds", "Processing.", names, registry=registry)

    def track() -> None:
        with seconds.labels("acme", "orders", "t").time():
            pass
        counter.labels("acme", "orders", "t", "succeeded").inc()

    return track


def us(calls: dict[str, Callable[[], None]]) -> Times:
    """Of the calling thread."""
    runs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(RUNS):
        for name, call in calls.items():
            began = time.thread_time_ns()
            for _ in range(CALLS):
                call()
            runs[name].append((time.thread_time_ns() - began) / CALLS / 1000)
            time.sleep(0.002)  # what a receiver does between bursts: lets the other threads run
    return {name: (min(each), statistics.median(each)) for name, each in runs.items()}


def report(found: Times) -> list[str]:
    floor = found["deque.append of the same"][1]
    rows = [
        f"| `{name}` | {least:.2f} | {middle:.2f} | {middle / floor:.1f} |"
        for name, (least, middle) in found.items()
    ]
    worst = max(found["record()"][1], found["with track()"][1])
    return [
        "# What a record costs the caller",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} with this program; "
        "`python -m benchmarks.sdk_record --save`. Microseconds on the caller's thread.",
        "",
        "| call | least | median | times the limit |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Goal: either ≤ {GOAL_US:g} µs: {'met' if worst <= GOAL_US else 'missed'} ({worst:.2f}).",
    ]


if __name__ == "__main__":
    main()
