"""Records a second through the whole collector, beside raw inserts of the same records into the same disk.

Run: python -m benchmarks.ingest [--records N] [--rounds N] [--stored N] [--save]. Each round starts a
collector (2 front workers, one writer, fsync before each answer), sends pre-encoded batches of 500 over 8
connections and runs the control before and after it: stdlib executemany of the full row and event key, 5000 a
transaction, the same pragmas and indexes. A round in which other programs took more than a tenth of the
machine is run again, three at most. --save writes results/ingest.md.

Other questions, one at a time: --paced RATE (how long answers take at so many records a second), --singles
(requests of one record), --minutes M (whether the rate lasts), --flood (every record fails).
"""

import argparse
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.bench import client, machine
from benchmarks.bench.collector import Costs, collecting
from benchmarks.bench.control import CONTROL_BATCH, raw_inserts, row_of
from benchmarks.bench.requests import BATCH, Endless, made, request_of
from benchmarks.bench.traffic import Traffic
from monitor.clock import SystemClock, to_us
from monitor.model import SeriesKey
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create

CONNECTIONS = 8
GOAL = 0.80
MOST_OTHERS = 0.10
EXTRA_ROUNDS = 3
WINDOWS = 19
"""Rounds follow each other in the records' time, too, after what is stored beforehand: none lies between."""
PACED_S = 15.0
SINGLES = 30_000
RESULTS = Path(__file__).parent / "results" / "ingest.md"
PRODUCTION = SeriesKey("production")


@dataclass(frozen=True, slots=True)
class Round:
    """Rates are records a second; …_us is CPU a record; others the share of other programs."""

    collector: float
    control: float
    p50_ms: float
    p99_ms: float
    front_us: float
    writer_us: float
    control_us: float
    peak_mib: float
    others: float

    @property
    def ratio(self) -> float:
        return self.collector / self.control


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stored", type=int, default=0, metavar="N", help="records in the store beforehand")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--paced", type=int, metavar="RATE")
    parser.add_argument("--singles", action="store_true")
    parser.add_argument("--flood", action="store_true")
    parser.add_argument("--minutes", type=float, metavar="M")
    given = parser.parse_args()
    with store(given.stored) as directory:
        if given.paced:
            print(at_pace(directory, given.paced))
        elif given.singles:
            print(one_by_one(directory))
        elif given.flood:
            print("\n".join(flooded(given.records)))
        elif given.minutes:
            print("\n".join(steady(directory, given.minutes)))
        else:
            lines = in_rounds(directory if given.stored else None, given.records, given.rounds, given.stored)
            if given.save:
                RESULTS.parent.mkdir(exist_ok=True)
                RESULTS.write_text("\n".join(lines) + "\n")


@contextmanager
def store(stored: int) -> Iterator[Path]:
    """A directory with a facts store that holds so many records of the last hours, folded and merged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.db"
        create(path)
        if stored:
            fill(path, stored)
        yield Path(folder)


def fill(path: Path, stored: int) -> None:
    writer, size = SqliteFactWriter(path, SystemClock()), 10_000
    now_us = to_us(SystemClock().now())
    traffic = Traffic(writer, now_us)
    for first in range(0, stored, size):
        since_us = np.arange(first, min(stored, first + size)) * 82_800_000_000 // stored
        writer.append([traffic.batch(first, now_us - 86_400_000_000 + since_us)])
        if first // size % 15 == 0:
            writer.fold()
            while writer.merge_events():
                pass
    while writer.fold() or writer.merge_events():
        pass
    writer.close()


def in_rounds(directory: Path | None, count: int, wanted: int, stored: int) -> list[str]:
    """The report. directory: the store for all rounds; None for a new one each."""
    rounds: list[Round] = []
    left = EXTRA_ROUNDS
    while len(quiet(rounds)) < wanted and (len(rounds) < wanted or left > 0):
        left -= len(rounds) >= wanted
        if directory is None:
            rounds.append(fresh_round(made(count, len(rounds), WINDOWS - len(rounds))))
        else:
            rounds.append(one_round(directory, made(count, len(rounds), WINDOWS - len(rounds))))
        print(row(len(rounds), rounds[-1]), flush=True)
    lines = report(rounds, count, stored)
    print("\n".join(lines))
    return lines


def quiet(rounds: Sequence[Round]) -> list[Round]:
    """Those in which other programs took little."""
    return [found for found in rounds if found.others <= MOST_OTHERS]


def fresh_round(records: list[dict[str, object]]) -> Round:
    """A round on a store of its own."""
    with store(0) as folder:
        return one_round(folder, records)


def one_round(directory: Path, records: list[dict[str, object]]) -> Round:
    """Control, collector, control. Exits if a record is lost or miscounted."""
    count = len(records)
    requests = [request_of(records[at : at + BATCH]) for at in range(0, count, BATCH)]
    rows = [row_of(record, at) for at, record in enumerate(records)]
    records.clear()
    with machine.watching() as watched:
        began_s = time.process_time()
        before = raw_inserts(rows)
        control_s = time.process_time() - began_s
        answers, costs = sent(directory, lambda: client.flat_out(requests), BATCH)
        control = (before + raw_inserts(rows)) / 2
    return Round(
        count / answers.taken_s,
        control,
        *percentiles(answers.answer_ms),
        costs.front_s / count * 1e6,
        costs.writer_s / count * 1e6,
        control_s / count * 1e6,
        costs.peak_mib,
        watched.others,
    )


def sent(directory: Path, requests: Callable[[], client.Next], size: int) -> tuple[client.Sent, Costs]:
    """What a collector over this store made of requests of so many records. Exits if it miscounts them."""
    before = counted(directory)
    with collecting(directory) as found:
        answers = client.sent(found.address, requests(), CONNECTIONS)
        costs = found.costs()
    after = counted(directory) - before
    if after != size * len(answers.answer_ms):
        raise SystemExit(f"{size * len(answers.answer_ms)} records were accepted and {after} counted")
    return answers, costs


def counted(directory: Path) -> int:
    reader = SqliteFactReader(directory / "facts.db")
    found = reader.ever([PRODUCTION])
    reader.close()
    return found[PRODUCTION].records() if found else 0


def at_pace(directory: Path, rate: int) -> str:
    """How long answers take, from when each request was due, at `rate` records a second."""
    endless = Endless(made(BATCH, 0), 0)
    with machine.watching() as watched:
        answers, costs = sent(directory, lambda: client.paced(endless.next, rate / BATCH, PACED_S), BATCH)
    p50, p99 = percentiles(answers.answer_ms)
    return (
        f"{rate:,} records/s in batches of {BATCH} for {PACED_S:.0f} s: p50 {p50:.1f} ms, p99 {p99:.1f} ms;"
        f" {said(costs, len(answers.answer_ms) * BATCH, watched.others)}"
    )


def one_by_one(directory: Path) -> str:
    """Posts of one record a second, as fast as they are answered."""
    requests = [request_of([record]) for record in made(SINGLES, 0)]
    with machine.watching() as watched:
        answers, costs = sent(directory, lambda: client.flat_out(requests), 1)
    posts = len(answers.answer_ms)
    p50, p99 = percentiles(answers.answer_ms)
    return (
        f"{posts / answers.taken_s:,.0f} posts/s of one record over {CONNECTIONS} connections:"
        f" p50 {p50:.1f} ms, p99 {p99:.1f} ms; {said(costs, posts, watched.others)}"
    )


def flooded(count: int) -> list[str]:
    """The rate when every record fails: all for one reason, then each for a reason that reads differently."""
    return [
        f"all fail with {texts:,} texts: {found.collector / 1000:.0f}k records/s, {found.ratio:.2f} of the"
        f" control, p99 {found.p99_ms:.0f} ms; CPU a record {found.front_us:.1f} µs in the front,"
        f" {found.writer_us:.1f} in the writer; peak memory {found.peak_mib:.0f} MiB; other programs"
        f" {found.others:.0%}"
        for texts in (1, count)
        for found in [fresh_round(made(count, 0, WINDOWS, failing_share=1.0, texts=texts))]
    ]


def steady(directory: Path, minutes: float) -> list[str]:
    """The rate of each quarter of the time."""
    endless = Endless(made(BATCH, 0), 0)
    with machine.watching() as watched:
        answers, costs = sent(directory, lambda: client.for_seconds(endless.next, minutes * 60), BATCH)
    bounds = np.linspace(0, answers.taken_s, 5)
    batches, _ = np.histogram(answers.answered_s, bounds)
    rates = batches * BATCH / (answers.taken_s / 4)
    p50, p99 = percentiles(answers.answer_ms)
    return [
        f"{len(answers.answer_ms) * BATCH:,} records in {minutes:g} min, each quarter of it: "
        + ", ".join(f"{rate / 1000:.0f}k/s" for rate in rates),
        f"last quarter to first: {rates[3] / rates[0]:.2f}; p50 {p50:.0f} ms, p99 {p99:.0f} ms;"
        f" {said(costs, len(answers.answer_ms) * BATCH, watched.others)}",
    ]


def percentiles(answer_ms: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(answer_ms), statistics.quantiles(answer_ms, n=100)[98]


def said(costs: Costs, count: int, others: float) -> str:
    front_us, writer_us = costs.front_s / count * 1e6, costs.writer_s / count * 1e6
    return (
        f"CPU a record {front_us:.1f} µs in the front, {writer_us:.1f} in the writer;"
        f" peak memory {costs.peak_mib:.0f} MiB; other programs {others:.0%}"
    )


def row(number: int, found: Round) -> str:
    return (
        f"| {number} | {found.collector / 1000:.0f}k | {found.control / 1000:.0f}k | {found.ratio:.2f}"
        f" | {found.p50_ms:.0f} | {found.p99_ms:.0f} | {found.front_us:.1f} + {found.writer_us:.1f}"
        f" | {found.control_us:.1f} | {found.peak_mib:.0f} | {found.others:.0%} |"
    )


def report(rounds: Sequence[Round], count: int, stored: int) -> list[str]:
    """The figures as a page of Markdown."""
    judged = quiet(rounds) or rounds
    ratio = statistics.median(found.ratio for found in judged)
    collector_rate = statistics.median(found.collector for found in judged)
    control_rate = statistics.median(found.control for found in judged)
    verdict = "met" if ratio >= GOAL else "missed"
    disturbed = len(rounds) - len(quiet(rounds))
    return [
        "# Ingest, end to end",
        "",
        f"{count:,} records a round, {BATCH} a request, {CONNECTIONS} connections, 2 front workers, one"
        " writer; validation, names, exact deduplication, rollup deltas and fsync before each answer; client"
        f" on the same machine; {stored:,} records in the store before the first round. Control: stdlib"
        f" `executemany` of the full 20-column row and event key into an empty file, {CONTROL_BATCH} a"
        " transaction, mean of a run before and a run after each round.",
        "",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} CPUs,"
        f" {platform.machine()}. Written by `python -m benchmarks.ingest --save`.",
        "",
        f"**Ratio to the control: {ratio:.2f}** (median of {len(judged)}; goal {GOAL:.2f}: {verdict}),"
        f" {collector_rate / 1000:.0f}k records/s beside {control_rate / 1000:.0f}k. {disturbed} of"
        f" {len(rounds)} rounds had other programs take more than {MOST_OTHERS:.0%} of the machine"
        f" {'and are left out' if quiet(rounds) else 'and none was left, so all of them count'}.",
        "",
        "| round | collector | control | ratio | p50 ms | p99 ms | CPU µs/record front + writer"
        " | of the control | peak MiB | others |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(row(number, found) for number, found in enumerate(rounds, 1)),
    ]


if __name__ == "__main__":
    main()
