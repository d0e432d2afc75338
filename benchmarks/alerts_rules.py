"""How long one evaluation of all rules takes over 200 endpoints, and whether the history behind them matters.

Run: python -m benchmarks.alerts_rules [--store sqlite|postgres] [--long] [--save]. Each store holds the same
last three days and, older than those, no record, 1 million or (--long) 10 million. 1,000 rules, five kinds
for each endpoint, and the shipped rules over all endpoints are judged as the worker does it: what was
observed, each verdict, what it makes of the alerts. Then again with every endpoint in trouble, so that all
rules that look at failures breach and ask for their examples. --save writes results/alerts_rules-<store>.md.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from alerts.lifecycle import advance
from alerts.model import Rule, Terms, Verdict
from alerts.rules import default_rules, make
from alerts.rules.evaluate import Round, evaluate
from benchmarks.bench.machine import watching
from benchmarks.bench.places import Place, place
from benchmarks.bench.traffic import Ints, Shape, Traffic
from monitor.clock import to_us
from monitor.model import SeriesKey
from monitor.queries.windows import StoredObservations
from monitor.store.facts.protocol import FactReader, FactWriter

HEALTHY = Shape(sources=10, endpoints_each=20, types_each=2, skew=0.2, shares=(0.997, 0.00299, 0.00001))
FAILING = Shape(sources=10, endpoints_each=20, types_each=2, skew=0.2, shares=(0.5, 0.4, 0.1))
PLACES = HEALTHY.keys()
KINDS_EACH = ("error_rate", "failure_count", "slow_processing", "ack_deadline", "wrong_status")
HISTORIES = (0, 1_000_000)
LONG = (*HISTORIES, 10_000_000)
RECENT, HISTORY = timedelta(days=3), timedelta(days=60)
RECENT_RECORDS, LATEST_RECORDS = 300_000, 20_000
"""In the last three days, and of the last 15 minutes alone: a hundred for each endpoint."""
LATEST = timedelta(minutes=15)
BATCH = 10_000
REPEATS = 15
GOAL_S, GOAL_RATIO = 1.0, 1.2
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one store: seconds of an evaluation, median and 95th percentile, of its processor time, and with all
    endpoints in trouble; how many verdicts there were, and how many of them were breaches then."""

    history: int
    wall_s: float
    p95_s: float
    cpu_s: float
    failing_s: float
    verdicts: int
    breaches: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--long", action="store_true", help="a store of 10 million records too")
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    measured = []
    with watching() as watched:
        for history in LONG if given.long else HISTORIES:
            with tempfile.TemporaryDirectory() as folder, place(given.store, Path(folder), None) as where:
                measured.append(measure(where, history))
                version = where.version()
    lines = report(measured, version, watched.others)
    print("\n".join(lines))
    if given.save:
        (RESULTS / f"alerts_rules-{given.store}.md").write_text("\n".join(lines) + "\n")


def measure(where: Place, history: int) -> Measured:
    where.make()
    now = datetime.now(UTC)
    writer, reader = where.writer(), where.reader()
    healthy = Traffic(writer, to_us(now), shape=HEALTHY)
    recent_at = now - RECENT
    number = fill(writer, healthy, 0, even(recent_at - HISTORY, recent_at, history))
    number = fill(writer, healthy, number, even(recent_at, now - LATEST, RECENT_RECORDS))
    number = fill(writer, healthy, number, even(now - LATEST, now, LATEST_RECORDS))
    calm, cpu_s, found = timed(reader, now)
    failing = Traffic(writer, to_us(now), seed=2, shape=FAILING)
    fill(writer, failing, number, even(now - LATEST, now, LATEST_RECORDS))
    troubled, _, worst = timed(reader, now)
    writer.close()
    reader.close()
    return Measured(
        history,
        statistics.median(calm),
        statistics.quantiles(calm, n=20)[18],
        cpu_s,
        statistics.median(troubled),
        len(found.evaluations),
        sum(one.verdict is Verdict.BREACH for one in worst.evaluations),
    )


def even(start_at: datetime, end_at: datetime, count: int) -> Ints:
    return np.linspace(to_us(start_at), to_us(end_at), count, endpoint=False).astype(np.int64)


def fill(writer: FactWriter, traffic: Traffic, first: int, times: Ints) -> int:
    """Stores a record a time, folded; the number of the next one."""
    for at in range(0, times.size, BATCH):
        writer.append([traffic.batch(first + at, times[at : at + BATCH])])
        if at % (20 * BATCH) == 0:
            _fold(writer)
    _fold(writer)
    return first + times.size


def _fold(writer: FactWriter) -> None:
    while writer.fold():
        pass
    while writer.merge_events():
        pass


def rules() -> list[Rule]:
    """The shipped ones, and five for each endpoint."""
    endpoints = {(key.source, key.endpoint) for key in PLACES}
    own = [
        make(kind, f"{kind} {source}/{endpoint}", source=source, endpoint=endpoint)
        for source, endpoint in sorted(endpoints, key=str)
        for kind in KINDS_EACH
    ]
    return [*default_rules(), *own]


def terms() -> Mapping[SeriesKey, Terms]:
    keys = (SeriesKey(key.environment, key.source, key.endpoint) for key in PLACES)
    return dict.fromkeys(keys, Terms(objective=0.999))


def timed(reader: FactReader, now: datetime) -> tuple[list[float], float, Round]:
    """Seconds of each of REPEATS evaluations, the median of their processor time, and what the last found."""
    judged, agreed = rules(), terms()
    wall, cpu = [], []
    for _ in range(REPEATS + 1):
        began, spent = time.perf_counter(), time.process_time()
        found = evaluate(judged, Live(reader, now, agreed, agreed), now)
        advance({}, found)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    return wall[1:], statistics.median(cpu[1:]), found


class Live(StoredObservations):
    """As behind a collector that beats: this store has none."""

    def last_heartbeat_at(self) -> datetime | None:
        return self._now


def report(measured: Sequence[Measured], version: str, others: float) -> list[str]:
    slowest = max(one.wall_s for one in measured)
    ratio = max(one.cpu_s for one in measured) / measured[0].cpu_s
    verdict = "met" if slowest <= GOAL_S and ratio <= GOAL_RATIO else "MISSED"
    return [
        "# All rules, judged once",
        "",
        f"{len(rules()):,} rules over 200 endpoints: five for each of them and the shipped ones over all."
        f" {RECENT_RECORDS + LATEST_RECORDS:,} records in the last three days, {LATEST_RECORDS:,} of them in"
        f" the last 15 minutes, and the history behind them. {REPEATS} evaluations each; warm cache;"
        f" {version}, Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}, of"
        f" which other programs took {others:.0%} meanwhile. One evaluation uses one of them.",
        "",
        "| history, records | verdicts | seconds | p95 | CPU seconds | all endpoints failing: s | breaches |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {one.history:,} | {one.verdicts:,} | {one.wall_s:.2f} | {one.p95_s:.2f} | {one.cpu_s:.2f}"
            f" | {one.failing_s:.2f} | {one.breaches:,} |"
            for one in measured
        ),
        "",
        f"Goal: at most {GOAL_S:.0f} s, and at most {GOAL_RATIO} times the processor time of no history:"
        f" {verdict} ({slowest:.2f} s, {ratio:.2f} times).",
    ]


if __name__ == "__main__":
    main()
