"""How long the screens' questions take, on an idle store and beside ingest, next to counting the same rows.

Run: python -m benchmarks.overview [--records N] [--store sqlite|postgres] [--pace N] [--url URL]
[--keep DIRECTORY] [--save]. Fills a store of its own through the writer, folds it, and times each question;
then again while a writer in another process stores --pace records a second: as a rule half of what a whole
collector takes on two such CPUs (results/ingest.md), and no more than half of what the writer can.
--url names an empty PostgreSQL database, otherwise a server is started. --keep fills the directory's store
once and leaves it there. --save writes results/overview-<store>.md.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.bench.load import flat_out, ingesting
from benchmarks.bench.machine import watching
from benchmarks.bench.places import Place, place
from benchmarks.bench.traffic import ENDPOINTS_EACH, SOURCES, TYPES_EACH, Ints, Traffic, event_id
from monitor.clock import to_us
from monitor.memory import keep_free_memory
from monitor.model import Outcome, SeriesKey
from monitor.queries.events import Search, find, timelines
from monitor.queries.overview import overview
from monitor.queries.stats import By, table
from monitor.queries.stretch import counted
from monitor.queries.summary import DRAWN, Summary, chart
from monitor.store.facts.protocol import FactReader

OVER, RECENT = timedelta(days=90), timedelta(hours=48)
RECENT_SHARE = 0.4
"""So much of the records lies in the last 48 h: traffic grows, and the busiest hours are looked at most."""
DAY, HOUR = timedelta(hours=24), timedelta(hours=1)
BATCH, BATCHES_AT_ONCE = 10_000, 20
POINTS = 96
REPEATS = 41
LOADED_S = 15.0
"""How long the questions are asked in turn beside ingest."""
PRODUCTION = SeriesKey("production")
RESULTS = Path(__file__).parent / "results"

Ask = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of one question: the median, what one in twenty exceeds, and the median of the processor
    time that this process spent on it, which other programs disturb least."""

    median_ms: float
    p95_ms: float
    cpu_ms: float

    @classmethod
    def of(cls, taken: list[tuple[float, float]]) -> "Took":
        wall, cpu = zip(*taken, strict=True)
        return cls(statistics.median(wall), statistics.quantiles(wall, n=20)[18], statistics.median(cpu))

    def __str__(self) -> str:
        return f"{self.median_ms:.1f} | {self.p95_ms:.1f} | {self.cpu_ms:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--pace", type=int, default=70_000)
    parser.add_argument("--url")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    keep_free_memory()  # as the dashboard does
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        with place(given.store, folder, given.url) as where:
            filled_s = None if where.is_made() else fill(where, given.records)
            lines = report(where, given.records, filled_s, given.pace)
    print("\n".join(lines))
    if given.save:
        (RESULTS / f"overview-{given.store}.md").write_text("\n".join(lines) + "\n")


def fill(where: Place, count: int) -> float:
    """`count` records through the writer, over 90 days that end now, and folded; the seconds it took."""
    began = time.perf_counter()
    where.make()
    writer = where.writer()
    times = times_of(count, datetime.now(UTC))
    traffic = Traffic(writer, int(times[-1]))
    firsts = range(0, count, BATCH)
    for at in range(0, len(firsts), BATCHES_AT_ONCE):
        writer.append([traffic.batch(f, times[f : f + BATCH]) for f in firsts[at : at + BATCHES_AT_ONCE]])
        while writer.fold():
            pass
    while writer.merge_events():
        pass
    writer.close()
    return time.perf_counter() - began


def times_of(count: int, end_at: datetime) -> Ints:
    """The times of the records (us), oldest first, even over the last 48 h and over the days before."""
    recent = int(count * RECENT_SHARE)
    start, middle, end = (to_us(at) for at in (end_at - OVER, end_at - RECENT, end_at))
    return np.concatenate(
        [
            np.linspace(start, middle, count - recent, endpoint=False).astype(np.int64),
            np.linspace(middle, end, recent, endpoint=False).astype(np.int64),
        ]
    )


def questions(reader: FactReader, count: int) -> Mapping[str, tuple[Ask, float | None]]:
    """Each with its goal in milliseconds, if it has one. They end when they are asked, as a screen does."""
    source, endpoint = SeriesKey("production", "source0"), SeriesKey("production", "source0", "endpoint00")
    event = event_id(count - 7)
    seen_by = next(
        name
        for name in (f"source{s}" for s in range(SOURCES))
        if timelines(reader, "production", name, event)
    )
    failed = (Outcome.FAILED, Outcome.DEAD_LETTERED)
    return {
        "24 h, all traffic: counts, p50, p95": (lambda: whole(reader, PRODUCTION, DAY), 10.0),
        "24 h, one source: the same": (lambda: whole(reader, source, DAY), 10.0),
        "90 days, all traffic: the same, a day a point": (lambda: panel(reader, PRODUCTION, OVER), 50.0),
        "90 days, one endpoint: the same, a day a point": (lambda: panel(reader, endpoint, OVER), 50.0),
        "24 h, all traffic, 15 minutes a point": (lambda: panel(reader, PRODUCTION, DAY), 10.0),
        "24 h, one source, 15 minutes a point": (lambda: panel(reader, source, DAY), 10.0),
        "overview, 24 h: tiles, the day before, chart, endpoints": (lambda: screen(reader, DAY), 20.0),
        "overview, 1 h": (lambda: screen(reader, HOUR), None),
        "24 h by event type": (lambda: stats(reader, By.EVENT_TYPE), None),
        "24 h by endpoint": (lambda: stats(reader, By.ENDPOINT), None),
        "24 h by error class": (lambda: stats(reader, By.ERROR_CLASS), None),
        "one page, no filter": (lambda: find(reader, Search(), 50), None),
        "one page of failures": (lambda: find(reader, Search(outcomes=failed), 50), None),
        "one page of one endpoint": (lambda: find(reader, Search(endpoint="endpoint31"), 50), None),
        "one event": (lambda: timelines(reader, "production", seen_by, event), None),
    }


def panel(reader: FactReader, key: SeriesKey, length: timedelta) -> object:
    end_at = datetime.now(UTC)
    drawn = chart(reader, key, end_at - length, end_at, POINTS)
    return [
        (figures.error_rate.share, figures.process_ms.quantiles(0.5, 0.95)) for _, figures in drawn.points
    ]


def whole(reader: FactReader, key: SeriesKey, length: timedelta) -> object:
    end_at = datetime.now(UTC)
    _, found = counted(
        reader,
        end_at - length,
        end_at,
        end_at,
        lambda start_us, end_us: reader.total([key], start_us, end_us, DRAWN),
    )
    shown = Summary(found[key])
    return shown.outcomes, shown.process_ms.quantiles(0.5, 0.95)


def screen(reader: FactReader, length: timedelta) -> object:
    end_at = datetime.now(UTC)
    shown = overview(reader, "production", end_at - length, end_at)
    return [row.now.process_ms.quantile(0.95) for row in shown.endpoints]


def stats(reader: FactReader, by: By) -> object:
    end_at = datetime.now(UTC)
    found = table(reader, "production", end_at - DAY, end_at, by)
    return [(line.p50_ms, line.p95_ms, line.p99_ms) for line in found.lines]


def report(where: Place, count: int, filled_s: float | None, pace: int) -> list[str]:
    """The page of Markdown. Exits when a question's answer is not what the rows say."""
    reader = where.reader()
    now_us = to_us(datetime.now(UTC))
    counting = where.counting(now_us - DAY // timedelta(microseconds=1), now_us)
    asked = questions(reader, count)
    must_agree(reader, where)
    stored = reader.ever([PRODUCTION])[PRODUCTION].records()
    with watching() as watched:
        limit = taken(counting)
        idle = {name: taken(ask) for name, (ask, _) in asked.items()}
        fastest = flat_out(where)
        half = min(pace, fastest / 2)
        loaded, arrived = beside_ingest(where, {name: ask for name, (ask, _) in asked.items()}, half)
    reader.close()
    filled = "" if filled_s is None else f" Filled and folded in {filled_s:.0f} s."
    return [
        f"# The screens' questions on {where.version()}",
        "",
        f"{stored:,} records over {OVER.days} days, {counting():,} of them in the last 24 h;"
        f" {SOURCES * ENDPOINTS_EACH} endpoints, {SOURCES * ENDPOINTS_EACH * TYPES_EACH} types.{filled}"
        f" Warm cache; {where.version()}, Python {platform.python_version()}, {os.cpu_count()} CPUs,"
        f" {platform.machine()}, of which other programs took {watched.others:.0%} meanwhile.",
        "",
        f"Idle: {REPEATS} runs each. Beside ingest: asked in turn for {LOADED_S:.0f} s while another process"
        f" is to store {half:,.0f} records a second, fsync and fold included; it stored {arrived:,.0f}."
        f" Flat out and alone it stores {fastest:,.0f}. CPU is the asking process's own processor time:"
        " with SQLite that is the database's too.",
        "",
        "The limit is counting the window's rows in plain SQL, in the same run: the least that any answer"
        " from raw records must do.",
        "",
        "| question | idle: ms | p95 | CPU ms | of the limit | beside ingest: ms | p95 | CPU ms | goal ms |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| limit: count the rows of 24 h | {limit} | 1.00 | | | | |",
        *(row(name, idle[name], limit, loaded[name], goal) for name, (_, goal) in asked.items()),
    ]


def must_agree(reader: FactReader, where: Place) -> None:
    """The whole of yesterday's hours, by the rollups and by the rows."""
    end_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start_us, end_us = to_us(end_at - DAY), to_us(end_at)
    folded, rows = (
        reader.total([PRODUCTION], start_us, end_us)[PRODUCTION].records(),
        where.counting(start_us, end_us)(),
    )
    if folded != rows:
        raise SystemExit(f"the rollups count {folded} records, the rows are {rows}")


def taken(ask: Ask) -> Took:
    ask()
    return Took.of([once(ask) for _ in range(REPEATS)])


def once(ask: Ask) -> tuple[float, float]:
    """Milliseconds by the clock and of this process's processor time."""
    began, spent = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - began) * 1000, (time.process_time() - spent) * 1000


def beside_ingest(where: Place, asked: Mapping[str, Ask], pace: float) -> tuple[dict[str, Took], float]:
    """What each took while records arrived at `pace` a second, and how many a second arrived."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    reader = where.reader()
    before = reader.ever([PRODUCTION])[PRODUCTION].records()
    with ingesting(where, pace):
        began = time.perf_counter()
        while time.perf_counter() < began + LOADED_S:
            for name, ask in asked.items():
                found[name].append(once(ask))
        arrived = reader.ever([PRODUCTION])[PRODUCTION].records() - before
        rate = arrived / (time.perf_counter() - began)
    reader.close()
    return {name: Took.of(taken_ms) for name, taken_ms in found.items()}, rate


def row(name: str, idle: Took, limit: Took, loaded: Took, goal: float | None) -> str:
    told = ""
    if goal is not None:
        verdicts = ("met" if each.median_ms <= goal else "missed" for each in (idle, loaded))
        told = f"{goal:.0f}: {' / '.join(verdicts)}"
    return f"| {name} | {idle} | {idle.median_ms / limit.median_ms:.2f} | {loaded} | {told} |"


if __name__ == "__main__":
    main()
