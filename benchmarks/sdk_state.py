"""What a receiver's state costs an event, for each place it can be kept in, beside one synced write.

Run: python -m benchmarks.sdk_state [--save]. An event: claim, count of attempts, done. A copy: the claim that
finds it done. A note: a counter that 1 and 4 processes raise, as the rate limit does at each request; after
it the counter must be right. Redis syncs each write (appendfsync always), PostgreSQL is durable; both are
servers of the benchmark's own on a socket. --save writes results/sdk_state.md.
"""

import argparse
import multiprocessing
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from hookvitals import MemoryState, RedisState, SqliteState, SqlState
from hookvitals.state import Claim, State
from tests import postgres, redis_server

EVENTS, CHANGES, PROCESSES = 1000, 5000, 4
GOAL_US = 100.0
LATER_US = 2**60
RESULTS = Path(__file__).parent / "results" / "sdk_state.md"
MADE: dict[str, Callable[[str], State]] = {
    "memory": lambda where: MemoryState(),
    "sqlite": SqliteState,
    "redis": RedisState,
    "postgresql": SqlState,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as servers:
        directory = Path(name)
        places = {"memory": "", "sqlite": str(directory / "state.db")}
        if redis_server.program() is not None:
            places["redis"] = servers.enter_context(redis_server.server()).url
        if postgres.programs() is not None:
            places["postgresql"] = servers.enter_context(postgres.server(durable=True)).url("postgres")
        lines = report(
            us(synced_write(directory)), {kind: row(kind, place) for kind, place in places.items()}
        )
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def synced_write(directory: Path) -> Callable[[int], object]:
    file = os.open(directory / "floor", os.O_CREAT | os.O_WRONLY)

    def write(number: int) -> None:
        os.pwrite(file, b"x" * 4096, 4096 * number)
        os.fdatasync(file)

    return write


def row(kind: str, place: str) -> list[str]:
    """Event, copy, note by one process, note by several: microseconds as text."""
    state, now_us = MADE[kind](place), time.time_ns() // 1000

    def event(number: int) -> None:
        state.claim(f"evt_{number}", now_us, LATER_US - now_us)
        state.attempts(f"evt_{number}")
        state.done(f"evt_{number}", LATER_US)

    def copy(number: int) -> None:
        assert state.claim(f"evt_{number}", now_us, LATER_US - now_us) is Claim.DONE

    state.claim("first", now_us, 1)  # connects, makes tables
    cells = [us(event), us(copy)]
    state.close()
    cells.append(notes(kind, place, 1))
    cells.append("—" if kind == "memory" else notes(kind, place, PROCESSES))
    return cells


def us(call: Callable[[int], object]) -> str:
    times = []
    for number in range(EVENTS):
        began = time.perf_counter_ns()
        call(number)
        times.append((time.perf_counter_ns() - began) / 1000)
    times.sort()
    return f"{times[len(times) // 2]:,.0f} (p99 {times[int(len(times) * 0.99)]:,.0f})"


def notes(kind: str, place: str, processes: int) -> str:
    """The mean of a change, all processes at it without a pause."""
    note = f"count of {processes}"
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        means = pool.starmap(raised, [(kind, place, note)] * processes, chunksize=1)
    if kind != "memory":
        state = MADE[kind](place)
        assert int(state.change(note, lambda held: held or b"0", LATER_US)) == processes * CHANGES
        state.close()
    return f"{sum(means) / processes:,.0f}"


def raised(kind: str, place: str, note: str) -> float:
    state = MADE[kind](place)
    began = time.perf_counter_ns()
    for _ in range(CHANGES):
        state.change(note, lambda held: b"%d" % (int(held or b"0") + 1), LATER_US)
    took = time.perf_counter_ns() - began
    state.close()
    return took / CHANGES / 1000


def report(floor: str, rows: dict[str, list[str]]) -> list[str]:
    return [
        "# The state of a receiver",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}, {sys.platform}. Microseconds; median and p99 of {EVENTS}"
        f" one after the other, for notes the mean of {CHANGES} by each process.",
        "",
        f"| state | event | copy | note | note, {PROCESSES} processes at once |",
        "|---|---|---|---|---|",
        f"| floor: 4 KB written and synced | {floor} | | | |",
        *(f"| {kind} | {' | '.join(cells)} |" for kind, cells in rows.items()),
        "",
        f"Goal: a note in the file at most {GOAL_US:.0f} µs with {PROCESSES} processes.",
        f"Load of the machine meanwhile: {os.getloadavg()[0]:.1f}.",
    ]


if __name__ == "__main__":
    main()
