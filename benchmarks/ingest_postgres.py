"""Records a second through collectors on PostgreSQL, beside raw inserts into SQLite on the same disk.

Run: python -m benchmarks.ingest_postgres [--records N] [--rounds N] [--save]. Each round has a durable server
of its own and an empty database a measurement: one collector, then two that share the clients, the control
before and after (benchmarks/ingest.py tells what it is). Batches of 500 over 8 connections. A round in which
other programs took more than a tenth of the machine is run again, three at most. --save writes
results/ingest_postgres.md.
"""

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

from benchmarks.bench import client, machine
from benchmarks.bench.collector import collecting
from benchmarks.bench.control import CONTROL_BATCH, raw_inserts, row_of
from benchmarks.bench.requests import BATCH, made, request_of
from monitor.clock import SystemClock
from monitor.model import SeriesKey
from monitor.store.facts.postgres import setup
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.postgres import Postgres, database, server

CONNECTIONS = 8
GOAL, TWO_GOAL = 0.55, 0.90
MOST_OTHERS = 0.10
EXTRA_ROUNDS = 3
RESULTS = Path(__file__).parent / "results" / "ingest_postgres.md"
PRODUCTION = SeriesKey("production")


@dataclass(frozen=True, slots=True)
class Round:
    """Records a second of each, the 99th percentile of one collector's answers, the share of others."""

    one: float
    two: float
    control: float
    p99_ms: float
    others: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=700_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    rounds: list[Round] = []
    left = EXTRA_ROUNDS
    while len(quiet(rounds)) < given.rounds and (len(rounds) < given.rounds or left > 0):
        left -= len(rounds) >= given.rounds
        rounds.append(one_round(given.records, len(rounds)))
        print(row(len(rounds), rounds[-1]), flush=True)
    lines = report(rounds, given.records)
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n")


def quiet(rounds: Sequence[Round]) -> list[Round]:
    """Those in which other programs took little."""
    return [found for found in rounds if found.others <= MOST_OTHERS]


def one_round(count: int, number: int) -> Round:
    """Control, one collector, two collectors, control. Exits if a record is lost or miscounted."""
    records = made(count, number)
    requests = [request_of(records[at : at + BATCH]) for at in range(0, count, BATCH)]
    rows = [row_of(record, at) for at, record in enumerate(records)]
    del records
    with machine.watching() as watched:
        before = raw_inserts(rows)
        with server(durable=True, shared_buffers="1GB") as postgres:
            one, answer_ms = through(postgres, requests, 1)
            two, _ = through(postgres, requests, 2)
        control = (before + raw_inserts(rows)) / 2
    p99_ms = statistics.quantiles(answer_ms, n=100)[98]
    return Round(one, two, control, p99_ms, watched.others)


def through(postgres: Postgres, requests: Sequence[bytes], collectors: int) -> tuple[float, Sequence[float]]:
    """Records a second through so many collectors over one empty database, and how long answers took."""
    with ExitStack() as stack:
        url = stack.enter_context(database(postgres))
        setup.create(url)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = []
        for number in range(collectors):
            (folder / str(number)).mkdir()
            started = stack.enter_context(collecting(folder / str(number), partial(opened, url)))
            addresses.append(started.address)
        source = client.flat_out(requests)
        found: list[client.Sent] = []
        threads = [
            Thread(target=lambda to=to: found.append(client.sent(to, source, CONNECTIONS // collectors)))
            for to in addresses
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        require_counts(url, len(requests) * BATCH)
    taken_s = max(one.taken_s for one in found)
    return len(requests) * BATCH / taken_s, [ms for one in found for ms in one.answer_ms]


def opened(url: str) -> PostgresFactWriter:
    return PostgresFactWriter(url, SystemClock())


def require_counts(url: str, wanted: int) -> None:
    """Exits unless rollups and deltas count each record once."""
    reader = PostgresFactReader(url)
    found = reader.ever([PRODUCTION])
    reader.close()
    counted = found[PRODUCTION].records() if found else 0
    if counted != wanted:
        raise SystemExit(f"{wanted} records were accepted and {counted} counted")


def row(number: int, found: Round) -> str:
    return (
        f"| {number} | {found.one / 1000:.0f}k | {found.two / 1000:.0f}k | {found.control / 1000:.0f}k"
        f" | {found.one / found.control:.2f} | {found.two / found.one:.2f} | {found.p99_ms:.0f}"
        f" | {found.others:.0%} |"
    )


def report(rounds: Sequence[Round], count: int) -> list[str]:
    """The figures as a page of Markdown."""
    judged = quiet(rounds) or rounds
    ratio = statistics.median(found.one / found.control for found in judged)
    two = statistics.median(found.two / found.one for found in judged)
    disturbed = len(rounds) - len(quiet(rounds))
    return [
        "# Ingest on PostgreSQL, end to end",
        "",
        f"{count:,} records a measurement, {BATCH} a request, {CONNECTIONS} connections, 2 front workers a"
        " collector, a durable server on the same machine; fold and exact deduplication in place. Control:"
        f" stdlib `executemany` of the full row into an empty SQLite file, {CONTROL_BATCH} a transaction,"
        " mean of a run before and a run after each round.",
        "",
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}. Written by"
        " `python -m benchmarks.ingest_postgres --save`.",
        "",
        f"**One collector to the control: {ratio:.2f}** (median of {len(judged)}; goal {GOAL:.2f}:"
        f" {said(ratio, GOAL)}). **Two collectors to one: {two:.2f}** (goal {TWO_GOAL:.2f}:"
        f" {said(two, TWO_GOAL)}); each counted every record once. {disturbed} of {len(rounds)} rounds had"
        f" other programs take more than {MOST_OTHERS:.0%} of the machine"
        f" {'and are left out' if quiet(rounds) else '; none was left undisturbed, so all of them count'}.",
        "",
        "| round | one | two | control | one / control | two / one | p99 ms | others |",
        "|---|---|---|---|---|---|---|---|",
        *(row(number, found) for number, found in enumerate(rounds, 1)),
    ]


def said(found: float, goal: float) -> str:
    return "met" if found >= goal else "missed"


if __name__ == "__main__":
    main()
