"""How long finding an event takes, beside reading the same record by its id: it must stay flat as they grow.

Run: python -m benchmarks.event_lookup [--records N] [--save]. Fills a store of its own through the writer,
which folds and merges as it does behind a collector, and asks for events at random. Ten million records take
some minutes. --save writes results/event_lookup.md.
"""

import argparse
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from benchmarks.ingest import fill
from monitor.model import Record
from monitor.store.facts.sqlite.event_runs import live_runs
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import create

ASKED = 500
GOAL_MS = 2.0
RESULTS = Path(__file__).parent / "results" / "event_lookup.md"


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds of each answer, sorted."""

    ms: Sequence[float]

    def __str__(self) -> str:
        return f"{statistics.median(self.ms):.2f} | {self.ms[len(self.ms) * 99 // 100]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.db"
        create(path)
        began = time.perf_counter()
        fill(path, given.records)
        lines = report(path, given.records, time.perf_counter() - began)
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n")


def report(path: Path, count: int, filled_s: float) -> list[str]:
    reader = SqliteFactReader(path)
    with closing(sqlite3.connect(path)) as db:
        runs = live_runs(db)
        index_bytes = db.execute("SELECT sum(length(entries)) FROM event_block").fetchone()[0]
        chosen = some_records(db, reader)
    by_id = asked([lambda record=record: reader.get(record.record_id) for record in chosen])  # type: ignore[misc]
    by_event = asked([lambda record=record: found(reader, record) for record in chosen])  # type: ignore[misc]
    unknown = asked([lambda n=n: reader.event(None, "source0", f"nothing_{n}") for n in range(ASKED)])  # type: ignore[misc]
    reader.close()
    median_ms = statistics.median(by_event.ms)
    verdict = "met" if median_ms <= GOAL_MS else "MISSED"
    return [
        "# Finding an event",
        "",
        f"{count:,} records, each of its own event, in {len(runs)} sorted runs, the largest of"
        f" {max(run.entries for run in runs):,}; {index_bytes / count:.0f} bytes a record. Filled in"
        f" {filled_s:.0f} s, merges included. {ASKED} events at random, each asked once; warm cache, no"
        f" ingest meanwhile. Python {platform.python_version()}, SQLite {sqlite3.sqlite_version},"
        f" {platform.machine()}.",
        "",
        "| question | p50 ms | p99 ms |",
        "|---|---|---|",
        f"| limit: the record by its id | {by_id} |",
        f"| all records of an event | {by_event} |",
        f"| an event that there is not | {unknown} |",
        "",
        f"Goal: a median of at most {GOAL_MS:.0f} ms at ten million records; {verdict} at {count:,}.",
    ]


def some_records(db: sqlite3.Connection, reader: SqliteFactReader) -> list[Record]:
    """ASKED records, each by a time at random."""
    dice, found = random.Random(1), []
    (first,) = db.execute("SELECT min(record_id) FROM record").fetchone()
    (last,) = db.execute("SELECT max(record_id) FROM record").fetchone()
    for _ in range(ASKED):
        at = dice.randrange(int.from_bytes(first, "big"), int.from_bytes(last, "big")).to_bytes(16, "big")
        row = db.execute("SELECT record_id FROM record WHERE record_id >= ? LIMIT 1", (at,)).fetchone()
        record = reader.get(UUID(bytes=row[0]))
        assert record is not None
        found.append(record)
    return found


def found(reader: SqliteFactReader, record: Record) -> None:
    """Finds the record by its event."""
    assert record.event_id is not None
    records = reader.event(record.environment, record.source, record.event_id)
    assert [one.record_id for one in records] == [record.record_id], "an event must be found by its id"


def asked(questions: Sequence[Callable[[], object]]) -> Asked:
    """Asks each once, after a first round that warms the cache."""
    for ask in questions:
        ask()
    took = []
    for ask in questions:
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return Asked(sorted(took))


if __name__ == "__main__":
    main()
