"""What looking for the cause of a refusal costs, beside one verification of the same body.

Run: python -m benchmarks.sdk_forensics [--save]. Bodies of 2, 20 and 60 KB that nobody signed: the search
tries everything it knows and finds nothing, the dearest case. Times are of the calling thread alone
(thread_time). --save writes results/sdk_forensics.md.
"""

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from hookvitals.forensics import Forensics
from hookvitals.schemes import VerificationError

SIZES, RUNS = (2_000, 20_000, 60_000), 1000
GOAL_MS, GOAL_BYTES = 1.0, 20_000
RESULTS = Path(__file__).parent / "results" / "sdk_forensics.md"
NOW = 1_800_000_000.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SCHEMES = ("standard", "timestamped", "hopnow")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    lines = report([measured(scheme, size) for scheme in SCHEMES for size in SIZES])
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(scheme: str, size: int) -> tuple[str, int, float, float, float]:
    """(scheme, body bytes, ms of one verification, median and p99 ms of a search)."""
    place = ("production", "acme", "orders")
    forensics = Forensics(place, scheme, {}, [SECRET], previous=[SECRET + "AAAA"], per_minute=1e9)
    body = body_of(size)
    headers = [(name.lower(), value) for name, value in forensics.scheme.sign(b"another", NOW)]
    error = VerificationError("bad_signature", "")

    def verify() -> None:
        try:
            forensics.scheme.verify(headers, body, NOW)
        except VerificationError:
            return
        raise AssertionError("it was accepted")

    def search() -> None:
        cause = forensics.cause(error, headers, body, NOW, monotonic=time.monotonic())
        assert cause == "unknown", cause

    search()  # the first of a process looks through the table of schemes
    one, found = times_ms(verify), times_ms(search)
    return scheme, len(body), statistics.median(one), statistics.median(found), found[int(0.99 * len(found))]


def body_of(size: int) -> bytes:
    """JSON of about this size: orders with texts, some of them beyond ASCII, and floats."""
    rng = random.Random(size)
    items: list[dict[str, object]] = []
    while len(json.dumps(items, separators=(",", ":"))) < size:
        items.append(
            {
                "id": f"item_{rng.randrange(10**12)}",
                "price": round(rng.random() * 1000, 2),
                "name": rng.choice(["Zoë", "bicycle lamp", "Ωmega 3", "a/b connector"]) * 2,
                "paid": True,
                "address": {"street": "Long Street 5", "city": "Köln", "code": "50667"},
            }
        )
    return json.dumps({"type": "order.paid", "id": "evt_1", "items": items}, separators=(",", ":")).encode()


def times_ms(call: Callable[[], None]) -> list[float]:
    """Sorted, of the calling thread."""
    runs = []
    for _ in range(RUNS):
        began = time.thread_time_ns()
        call()
        runs.append((time.thread_time_ns() - began) / 1e6)
    return sorted(runs)


def report(rows: list[tuple[str, int, float, float, float]]) -> list[str]:
    worst = max(p99 for _, size, _, _, p99 in rows if 0.9 <= size / GOAL_BYTES <= 1.1)
    return [
        "# What looking for the cause of a refusal costs",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} with this program; "
        "`python -m benchmarks.sdk_forensics --save`. A search that finds nothing, the dearest case.",
        "",
        "| scheme | body, bytes | one verification, ms | search, ms | p99 | times a verification |",
        "|---|---|---|---|---|---|",
        *(
            f"| {scheme} | {size} | {one:.3f} | {median:.2f} | {p99:.2f} | {median / one:.0f} |"
            for scheme, size, one, median, p99 in rows
        ),
        "",
        f"Goal: p99 ≤ {GOAL_MS:g} ms at 20 KB: {'met' if worst <= GOAL_MS else 'missed'} ({worst:.2f}).",
        "At most ten a minute and endpoint.",
    ]


if __name__ == "__main__":
    main()
