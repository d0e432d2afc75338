"""What noting one record costs the caller's thread, beside the cheapest thing that could hold it.

Run: python -m benchmarks.sdk_record [--save]. Nobody listens at the collector's address, so that what is
measured is the caller's side, with the shipper's thread at work and records piling up in a memory that holds
them all. Times are of the calling thread alone (thread_time), the median of many short runs, each begun with
cold caches. --save writes results/sdk_record.md.
"""

import argparse
import logging
import platform
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from hookvitals import Recorder, Shipper

CALLS, RUNS = 90, 200  # fewer calls than a batch: no run pays for the waking of the thread twice
GOAL_US = 1.0
RESULTS = Path(__file__).parent / "results" / "sdk_record.md"


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


def measured(shipper: Shipper) -> dict[str, float]:
    """Microseconds a call, by what is called."""
    recorder = Recorder("acme", "orders", shipper)
    limit: deque[object] = deque(maxlen=50_000)

    def append() -> None:
        limit.append((1, "succeeded", 2, {"event_id": "evt_1", "event_type": "t", "process_ms": 1.5}))

    def record() -> None:
        recorder.record("succeeded", 2, {"event_id": "evt_1", "event_type": "t", "process_ms": 1.5})

    def track() -> None:
        with recorder.track("evt_1", "t"):
            pass

    return {"deque.append of the same": us(append), "record()": us(record), "with track()": us(track)}


def us(call: Callable[[], None]) -> float:
    """Median microseconds of the calling thread."""
    runs = []
    for _ in range(RUNS):
        began = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        runs.append((time.thread_time_ns() - began) / CALLS / 1000)
        time.sleep(0.002)  # what a receiver does between bursts: lets the other threads run
    return statistics.median(runs)


def report(found: dict[str, float]) -> list[str]:
    floor = found["deque.append of the same"]
    rows = [f"| `{name}` | {value:.2f} | {value / floor:.1f} |" for name, value in found.items()]
    verdict = "met" if found["record()"] <= GOAL_US else "missed"
    return [
        "# What a record costs the caller",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; "
        "`python -m benchmarks.sdk_record --save`",
        "",
        "| call | µs on the caller's thread | times the limit |",
        "|---|---|---|",
        *rows,
        "",
        f"Goal: `record()` ≤ {GOAL_US:g} µs: {verdict}.",
    ]


if __name__ == "__main__":
    main()
