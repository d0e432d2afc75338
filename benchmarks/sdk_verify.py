"""What verifying one webhook of 20 KB costs, beside the bare HMAC over as many bytes in the same run.

Run: python -m benchmarks.sdk_verify [--save]. Median of many short runs of the calling thread's own time
(thread_time), the limit measured between them. --save writes results/sdk_verify.md.
"""

import argparse
import hmac
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from hookvitals.schemes import header_items, make

BODY = b'{"id": "evt_1", "filler": "' + b"x" * (20 * 1024 - 29) + b'"}'
NOW = 1_800_000_000.0
KEY = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CALLS, RUNS = 50, 100
GOAL_US = 60.0
SCHEMES = ("github", "stripe", "slack", "standard", "shopify", "hopnow")
ROUTINE = ("host", "user-agent", "content-type", "content-length", "accept", "x-forwarded-for", "traceparent")
RESULTS = Path(__file__).parent / "results" / "sdk_verify.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    lines = report(measured())
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured() -> dict[str, float]:
    """Microseconds a call; the bare digest first. Each name takes its turn in every run."""
    calls: dict[str, Callable[[], object]] = {"hmac.digest": lambda: hmac.digest(KEY, BODY, "sha256")}
    calls |= {name: verification(name) for name in SCHEMES}
    runs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(RUNS):
        for name, call in calls.items():
            runs[name].append(us(call))
    return {name: statistics.median(found) for name, found in runs.items()}


def verification(name: str) -> Callable[[], object]:
    """A call that verifies one request as a server hands it over."""
    scheme = make(name, [KEY])
    headers = header_items([(each, "of no interest") for each in ROUTINE] + scheme.sign(BODY, NOW))
    return lambda: scheme.verify(headers, BODY, NOW)


def us(call: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    for _ in range(CALLS):
        call()
    return (time.thread_time_ns() - began) / CALLS / 1000


def report(found: dict[str, float]) -> list[str]:
    limit = found["hmac.digest"]
    rows = [f"| `{name}` | {value:.1f} | {value / limit:.2f} |" for name, value in found.items()]
    worst = max(value for name, value in found.items() if name != "hmac.digest")
    return [
        "# What verifying a webhook of 20 KB costs",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; "
        "`python -m benchmarks.sdk_verify --save`",
        "",
        "| call | µs | times the limit |",
        "|---|---|---|",
        *rows,
        "",
        f"Goal: each ≤ {GOAL_US:g} µs: {'met' if worst <= GOAL_US else 'missed'}.",
    ]


if __name__ == "__main__":
    main()
