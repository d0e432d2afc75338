"""What the SDK adds to a process whose collector is away for good: its queue full, in each of its forms.

Run: python -m benchmarks.sdk_memory [--save]. Each row is a process of its own, Linux only; the growth of its
resident memory from the first record on. `noted` is how records lie while the shipper's thread hangs in a
post, `encoded` how they lie otherwise. --save writes results/sdk_memory.md.
"""

import argparse
import gc
import logging
import multiprocessing
import platform
import socket
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from hookvitals import Recorder, Shipper
from hookvitals.process import memory_bytes

GOAL_MIB = 20.0
RECORDS = 40_000
RESULTS = Path(__file__).parent / "results" / "sdk_memory.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    rows, most = [], 0.0
    for name, hangs, capture_bytes, spooled in (
        ("encoded", False, 0, False),
        ("noted", True, 0, False),
        ("noted, with captured bodies of 8 kB", True, 8_000, False),
        ("with a spool", False, 0, True),
    ):
        waiting, mib = measured(hangs, capture_bytes, spooled)
        most = max(most, mib)
        rows.append(f"| {name} | {waiting:,} | {mib:.1f} |")
    lines = [
        "# What a full queue adds to a process",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; "
        f"`python -m benchmarks.sdk_memory --save`: {RECORDS:,} records of 17 fields, the default bounds",
        "",
        "| records lie | wait in memory | MiB |",
        "|---|---|---|",
        *rows,
        "",
        f"Goal: at most {GOAL_MIB:g} MiB: {'met' if most <= GOAL_MIB else 'missed'}.",
    ]
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(hangs: bool, capture_bytes: int, spooled: bool) -> tuple[int, float]:
    """(records that wait in memory, MiB that were added)."""
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as directory, socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)
        url = f"http://127.0.0.1:{hole.getsockname()[1] if hangs else 9}"
        given = (theirs, url, capture_bytes, directory if spooled else None)
        made = multiprocessing.get_context("spawn").Process(target=fill, args=given)
        made.start()
        found: tuple[int, float] = ours.recv()
        made.kill()
        made.join()
    return found


def fill(link: Connection, url: str, capture_bytes: int, spool_dir: str | None) -> None:
    logging.disable(logging.CRITICAL)
    shipper = Shipper(url, "hv_none", batch_delay_s=0.05, timeout_s=600.0, spool_dir=spool_dir)
    recorder = Recorder("acme", "orders", shipper)
    recorder.record("succeeded", 1, fields(0, 0))
    time.sleep(1.0)  # the thread has tried once, and hangs where it should
    gc.collect()
    before = memory_bytes() or 0
    for number in range(RECORDS):
        recorder.record("succeeded", number, fields(number, capture_bytes))
        if number % 100 == 0:
            time.sleep(0.005)
    time.sleep(2.0)
    counts = shipper.counts()
    link.send((counts["waiting"] - counts["on_disk"], ((memory_bytes() or 0) - before) / 2**20))


def fields(number: int, capture_bytes: int) -> dict[str, object]:
    """What a receiver notes of a delivery, each value an object of its own."""
    made: dict[str, object] = {
        "event_id": f"evt_{number:016d}", "event_type": "invoice.payment_succeeded", "http_status": 200,
        "attempt": 1, "remote_ip": f"192.0.2.{number % 256}", "user_agent": f"Acme-Webhooks/1.0 ({number})",
        "secret_id": f"{number:012x}", "resource": f"inv_{number}", "version": number,
        "skew_ms": number + 0.1, "verify_ms": number + 0.2, "queue_ms": number + 0.3,
        "process_ms": number + 0.4, "ack_ms": number + 0.5, "latency_ms": number + 0.6,
    }  # fmt: skip
    if capture_bytes:
        made["capture"] = {"headers": {}, "body": "A" * capture_bytes}
    return made


if __name__ == "__main__":
    main()
