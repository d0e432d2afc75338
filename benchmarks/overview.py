"""How long the overview takes over a million records, beside counting the same window's rows in plain SQL.

Run: python benchmarks/overview.py [records] [--save]. Fills a store of its own in a temporary directory
through the writer, folds it, and times what the screens ask. --save writes results/overview.md.
"""

import argparse
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np

from monitor.clock import SystemClock, to_us
from monitor.model import Duration, Outcome, SeriesKey
from monitor.queries.events import Search, find, timelines
from monitor.queries.overview import overview
from monitor.queries.stats import by_type
from monitor.rollup import ABSENT, DELTA, HAS_EVENT
from monitor.store.facts.detail import Detail, encode
from monitor.store.facts.protocol import Batch, FactReader
from monitor.store.facts.record_rows import first_id_at
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create

END = datetime(2026, 11, 20, 17, 23, tzinfo=UTC)  # no hour begins here: the windows have ragged edges
OVER = timedelta(hours=48)
WINDOW = timedelta(hours=24)
SOURCES, ENDPOINTS_EACH, TYPES_EACH = 5, 4, 10
BATCH = 10_000
REPEATS = 21
GOAL_MS = 20.0
RESULTS = Path(__file__).parent / "results" / "overview.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.db"
        began = time.perf_counter()
        fill(path, given.records)
        filled_s = time.perf_counter() - began
        lines = report(path, given.records, filled_s)
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n")


def fill(path: Path, count: int) -> None:
    """`count` records through the writer: 20 endpoints, 200 types, spread evenly over OVER."""
    create(path)
    writer = SqliteFactWriter(path, SystemClock())
    keys = [
        SeriesKey("production", f"source{s}", f"endpoint{s}{e}", f"type{t}.happened")
        for s in range(SOURCES)
        for e in range(ENDPOINTS_EACH)
        for t in range(TYPES_EACH)
    ]
    codes = writer.intern_series(keys, to_us(END))
    endpoints = [codes[SeriesKey(key.environment, key.source, key.endpoint)] for key in keys]
    errors = writer.intern_errors(
        [(endpoint, name) for endpoint in endpoints for name in ("Timeout", "KeyError")]
    )
    routes = np.array([codes[key] for key in keys])
    error_of = np.array([errors[endpoint, "Timeout"] for endpoint in endpoints])
    dice = np.random.default_rng(1)
    for first in range(0, count, BATCH):
        writer.append([batch(first, min(BATCH, count - first), count, routes, error_of, dice)])
        if first % (20 * BATCH) == 0:
            writer.fold()
    while writer.fold():
        pass
    writer.close()


def batch(
    first: int,
    size: int,
    count: int,
    routes: np.ndarray[tuple[int], np.dtype[np.int64]],
    error_of: np.ndarray[tuple[int], np.dtype[np.int64]],
    dice: np.random.Generator,
) -> Batch:
    """Records `first` to `first + size` of `count`, in the order of time: 95 % succeed, 4 % fail, 1 % die."""
    start_us = to_us(END - OVER)
    at_us = start_us + (np.arange(first, first + size) * (to_us(END) - start_us)) // count
    which = dice.integers(0, routes.size, size)
    outcome = dice.choice(
        [Outcome.SUCCEEDED.code, Outcome.FAILED.code, Outcome.DEAD_LETTERED.code], size, p=[0.95, 0.04, 0.01]
    )
    process_us = np.minimum(dice.lognormal(10.5, 0.9, size).astype(np.int64), 10**8)
    error = np.where(outcome == Outcome.SUCCEEDED.code, 0, error_of[which])
    ids = [
        (int(us) // 1000).to_bytes(6, "big") + b"\x70\x00\x80" + n.to_bytes(7, "big")
        for n, us in enumerate(at_us.tolist(), first)
    ]
    deltas = np.zeros(size, dtype=DELTA)
    deltas["record_id"] = np.frombuffer(b"".join(ids), dtype="V16")
    deltas["route"] = routes[which]
    deltas["minute"] = at_us // 60_000_000
    deltas["received_minute"] = (at_us - process_us) // 60_000_000
    deltas["durations"] = ABSENT
    deltas["durations"][:, Duration.PROCESS] = process_us
    deltas["durations"][:, Duration.ACK] = process_us + 900
    deltas["durations"][:, Duration.VERIFY] = 350
    deltas["durations"][:, Duration.LATENCY] = process_us + 1000
    deltas["error"] = error
    deltas["status"] = np.where(outcome == Outcome.SUCCEEDED.code, 200, 500)
    deltas["outcome"] = outcome
    hashes = [crc32(f"evt_{n}".encode()) for n in range(first, first + size)]
    deltas["event_hash"] = hashes
    deltas["flags"] = HAS_EVENT
    columns = (
        ids,
        routes[which].tolist(),
        outcome.tolist(),
        (at_us - process_us).tolist(),
        deltas["status"].tolist(),
        process_us.tolist(),
        error.tolist(),
        hashes,
    )
    rows = [
        (
            *row,
            encode(Detail(event_id=f"evt_{n}", ack_us=row[5] + 900, verify_us=350, attempt=1)),
        )
        for n, row in enumerate(zip(*columns, strict=True), first)
    ]
    return Batch(rows, deltas)


def report(path: Path, count: int, filled_s: float) -> list[str]:
    reader = SqliteFactReader(path)
    raw = sqlite3.connect(path)
    window = (first_id_at(to_us(END - WINDOW)), first_id_at(to_us(END)))
    counted = "SELECT count(*) FROM record WHERE record_id >= ? AND record_id < ?"
    limit_ms = median_ms(lambda: raw.execute(counted, window).fetchone())
    in_window = raw.execute(counted, window).fetchone()[0]
    shown = overview(reader, "production", END - WINDOW, END)
    assert shown.now.records == in_window, "the overview must say what the rows say"
    lines = [
        "# The overview's queries",
        "",
        f"{count:,} records over {OVER / timedelta(hours=1):.0f} h, {in_window:,} of them in the last 24 h;"
        f" {SOURCES * ENDPOINTS_EACH} endpoints, {SOURCES * ENDPOINTS_EACH * TYPES_EACH} types;"
        f" filled in {filled_s:.0f} s. Median of {REPEATS} runs, warm cache,"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}.",
        "",
        "The limit is `SELECT count(*)` over the window's records in the same run: the least that any answer"
        " from raw rows must do.",
        "",
        "| question | ms | of the limit |",
        "|---|---|---|",
        f"| limit: count the window's rows | {limit_ms:.1f} | 1.00 |",
    ]
    for name, ask in questions(reader, count).items():
        took_ms = median_ms(ask)
        lines.append(f"| {name} | {took_ms:.1f} | {took_ms / limit_ms:.2f} |")
        if name == OVERVIEW:
            verdict = "met" if took_ms <= GOAL_MS else "MISSED"
    lines += ["", f"Goal for the overview: at most {GOAL_MS:.0f} ms, {verdict}."]
    raw.close()
    reader.close()
    return lines


OVERVIEW = "overview, 24 h: tiles, the day before, chart, endpoints"


def questions(reader: FactReader, count: int) -> dict[str, Callable[[], object]]:
    start, middle = END - WINDOW, f"evt_{count // 2}"
    found = timelines(reader, "production", "source0", middle)
    source = next(
        name
        for name in (f"source{s}" for s in range(SOURCES))
        if found or timelines(reader, "production", name, middle)
    )
    failed = (Outcome.FAILED, Outcome.DEAD_LETTERED)
    return {
        OVERVIEW: lambda: overview(reader, "production", start, END),
        "the same over 1 h": lambda: overview(reader, "production", END - timedelta(hours=1), END),
        "24 h by event type, 200 types": lambda: by_type(reader, "production", END),
        "one page, no filter": lambda: find(reader, Search(), 50),
        "one page of failures": lambda: find(reader, Search(outcomes=failed), 50),
        "one page of one endpoint": lambda: find(reader, Search(source="source3", endpoint="endpoint31"), 50),
        "one event": lambda: timelines(reader, "production", source, middle),
    }


def median_ms(ask: Callable[[], object]) -> float:
    ask()
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    main()
