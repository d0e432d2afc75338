"""What a receiver adds to the handler it calls, and what importing the SDK costs a program that starts.

Run: python -m benchmarks.sdk_pipeline [--save]. Events of their own ids go through `Receiver.handle`:
verified, limited, parsed, claimed in memory, handled, answered and recorded, with nobody at the collector's
address. Times are of the calling thread alone (thread_time), the median of many short runs; the import is
the median of fresh processes against `python -c pass`, in processor time. --save writes
results/sdk_pipeline.md.
"""

import argparse
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hookvitals import Event, Receiver, Shipper, make
from hookvitals.testing import signed_request

CALLS, RUNS, STARTS = 50, 200, 21
GOAL_US, GOAL_IMPORT_MS = 60.0, 60.0
NOW = 1_800_000_000.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DATA = {"data": {"id": "inv_1", "amount": 1200, "currency": "eur", "lines": [{"sku": "a", "n": 1}] * 5}}
MADE = f"""
from hookvitals import Receiver
Receiver("standard", endpoint="orders", secrets=["{SECRET}"], collector="http://127.0.0.1:9", key="hv_none")
"""
RESULTS = Path(__file__).parent / "results" / "sdk_pipeline.md"
Request = tuple[list[tuple[str, str]], bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    lines = report(pipeline_us(), import_ms())
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def pipeline_us() -> dict[str, float]:
    """Microseconds an event, by what is called."""
    requests = list(made("standard", CALLS * RUNS))
    event = Event("evt_1", "invoice.paid", DATA, b"", [], 0)
    scheme = make("standard", [SECRET])
    headers, body = requests[0]
    items = [(name.lower(), value) for name, value in headers]
    found = {
        "the handler alone": us(iter([(handler, (event,))] * CALLS * RUNS)),
        "verifying alone": us(iter([(scheme.verify, (items, body, NOW))] * CALLS * RUNS)),
    }
    shipper = Shipper("http://127.0.0.1:9", "hv_none", batch_delay_s=0.2)
    for name, shared in (("handle(), recorded", shipper), ("handle(), without a collector", None)):
        receiver = Receiver(
            "standard",
            endpoint="orders",
            secrets=[SECRET],
            shipper=shared,
            profile={"rate_per_minute": 1e9},
            now=lambda: NOW,
        )
        receiver.on("invoice.*")(handler)
        url = "https://hooks.example.com/webhooks/orders"
        calls = ((receiver.handle, ("POST", url, pairs, data, "192.0.2.1")) for pairs, data in requests)
        found[name] = us(calls)
        receiver.close()
    shipper.close(0.0)
    return found


def handler(event: Event) -> None:
    """Does nothing: what remains is ours."""


def made(system: str, number: int) -> Iterator[Request]:
    for each in range(number):
        yield signed_request(system, SECRET, f"evt_{each}", "invoice.paid", DATA, now=NOW)


def us(calls: Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]) -> float:
    """Median microseconds of the calling thread, over RUNS runs of CALLS calls."""
    runs = []
    for _ in range(RUNS):
        batch = [next(calls) for _ in range(CALLS)]
        began = time.thread_time_ns()
        for call, arguments in batch:
            call(*arguments)
        runs.append((time.thread_time_ns() - began) / CALLS / 1000)
        time.sleep(0.002)  # what a receiver does between bursts: lets the other threads run
    return statistics.median(runs)


def import_ms() -> dict[str, float]:
    """Milliseconds of processor time that a fresh process takes, by what it does; compiled as installed."""
    programs = {"pass": "pass", "import hookvitals": "import hookvitals", "… and a receiver is made": MADE}
    times: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as compiled:
        around = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        around.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(STARTS + 1):  # in turns, so that a busy moment hits both
            for name, program in programs.items():
                told = subprocess.run(
                    [sys.executable, "-c", f"{program}\nimport time; print(time.process_time())"],
                    env=around, check=True, capture_output=True, text=True,
                )  # fmt: skip
                if turn > 0:
                    times[name].append(float(told.stdout) * 1000)
    return {name: statistics.median(each) for name, each in times.items()}


def report(pipeline: dict[str, float], imports: dict[str, float]) -> list[str]:
    floor = pipeline["the handler alone"]
    added = pipeline["handle(), recorded"] - floor
    brought = imports["import hookvitals"] - imports["pass"]
    return [
        "# What a receiver costs",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} with this program; "
        "`python -m benchmarks.sdk_pipeline --save`",
        "",
        "| an event through | µs on the caller's thread | above the handler |",
        "|---|---|---|",
        *(f"| {name} | {value:.1f} | {value - floor:.1f} |" for name, value in pipeline.items()),
        "",
        "| `python -c` | ms |",
        "|---|---|",
        *(f"| `{name}` | {value:.1f} |" for name, value in imports.items()),
        "",
        f"Goal: `handle()` with inline processing and state in memory ≤ {GOAL_US:g} µs above the handler: "
        f"{added:.1f}, {'met' if added <= GOAL_US else 'missed'}. Importing ≤ {GOAL_IMPORT_MS:g} ms: "
        f"{brought:.1f}, {'met' if brought <= GOAL_IMPORT_MS else 'missed'}.",
    ]


if __name__ == "__main__":
    main()
