"""No counter of /metrics falls or counts twice: not over folds, purges, restarts, nor among dashboards."""

import itertools
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import to_us
from monitor.model import Outcome, Record
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create as create_postgres
from monitor.store.facts.protocol import FactReader, RecordFilter
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.conformance.store import at_once, meanwhile
from tests.control import new_control
from tests.facts import NOON, Filled, mixed, sqlite_facts
from tests.monitor.cli.running import run
from tests.monitor.clocks import FakeClock
from tests.monitor.metrics.test_facts import Samples, assert_grown, scrape
from tests.postgres_facts import postgres_facts, postgres_writer

HOUR = timedelta(hours=1)


def counters(reader: FactReader) -> Samples:
    """Every sample of a scrape that must never fall."""
    kinds = ("_total", "_bucket", "_count", "_sum")
    return {sample: value for sample, value in scrape(reader).items() if sample[0].endswith(kinds)}


def recorded(found: Samples) -> dict[str, float]:
    """hookvitals_records_total by outcome, over all endpoints."""
    counts: dict[str, float] = {}
    for (name, labels), value in found.items():
        if name == "hookvitals_records_total":
            outcome = dict(labels)["outcome"]
            counts[outcome] = counts.get(outcome, 0) + value
    return counts


def by_hand(records: Sequence[Record]) -> dict[str, float]:
    ordinary = [r.outcome for r in records if r.replay_id is None and not r.canary]
    return {outcome.value: ordinary.count(outcome) for outcome in Outcome}


def purge(fill: Filled, hours: float) -> None:
    while fill.writer.raise_floor(to_us(NOON + hours * HOUR), 50):
        pass
    fill.writer.prune()


def test_counters_stay_when_everything_they_counted_is_purged(tmp_path: Path) -> None:
    records = mixed(300, over=6 * HOUR)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(records)
        first = counters(reader)
        fill.writer.fold()
        folded = counters(reader)
        for hours in (0.5, 3, 3.25, 7, 24 * 30):
            purge(fill, hours)
            assert counters(reader) == first
        left = reader.page(RecordFilter(), 10).records

    assert left == []
    assert folded == first
    assert recorded(first) == by_hand(records)


@pytest.mark.parametrize("folded", [True, False])
def test_counters_go_on_where_they_were_after_a_restart_of_the_writer(tmp_path: Path, folded: bool) -> None:
    before, after = mixed(200, 1, over=HOUR), mixed(100, 2, start=NOON + HOUR, over=HOUR)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(before)
        if folded:
            fill.writer.fold()
        stopped = counters(reader)
    path = tmp_path / "facts.db"
    writer, reader = SqliteFactWriter(path, FakeClock(NOON + 2 * HOUR)), SqliteFactReader(path)
    fill = Filled(writer)
    assert counters(reader) == stopped
    fill.add(after)
    grown = assert_grown(stopped, counters(reader))
    writer.fold()
    assert counters(reader) == grown
    reader.close()
    writer.close()

    assert recorded(grown) == by_hand([*before, *after])


def test_records_that_come_a_second_time_count_once(tmp_path: Path) -> None:
    records = mixed(200, over=HOUR)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(records[:150])
        fill.writer.fold()
        fill.add(records[100:])
        found = counters(reader)
        fill.add(records)
        fill.writer.fold()
        again = counters(reader)

    assert again == found
    assert recorded(again) == by_hand(records)


def test_a_record_below_the_floor_is_neither_stored_nor_counted(tmp_path: Path) -> None:
    records = mixed(100, 1, over=HOUR)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(records)
        fill.writer.fold()
        purge(fill, 2)
        found = counters(reader)
        late = fill.add(mixed(50, 2, over=HOUR))
        assert counters(reader) == found

    assert len(late.too_old) == 50


def test_two_dashboards_never_contradict_each_other(tmp_path: Path) -> None:
    """A scrape of either, begun after another has ended, shows no less, whatever goes on in the store."""
    scrapes: list[Samples] = [{}]
    with sqlite_facts(tmp_path) as (fill, reader):
        other = SqliteFactReader(tmp_path / "facts.db")

        def look() -> None:
            for dashboard in (reader, other):
                scrapes.append(assert_grown(scrapes[-1], counters(dashboard)))

        with meanwhile(look):
            for number in range(25):
                fill.add(mixed(30, seed=number + 1, start=NOON + number * HOUR, over=HOUR))
                fill.writer.fold()
                fill.writer.raise_floor(to_us(NOON + (number - 2) * HOUR), 20)
                fill.writer.prune()
        assert counters(other) == counters(reader)
        other.close()

    assert len({frozenset(found.items()) for found in scrapes}) > 2


def test_a_restored_store_goes_on_from_the_counters_of_its_backup(tmp_path: Path) -> None:
    for name in ("data", "new"):
        (tmp_path / name).mkdir()
    new_control(tmp_path / "data", FakeClock(NOON)).close()
    with sqlite_facts(tmp_path / "data") as (fill, reader):
        fill.add(mixed(200, 1, over=2 * HOUR))
        fill.writer.fold()
        purge(fill, 1)
        fill.add(mixed(100, 2, start=NOON + HOUR, over=HOUR))
        kept = counters(reader)
        assert run("backup", str(tmp_path / "backup"), data_dir=tmp_path / "data").exit_code == 0
    assert run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new").exit_code == 0

    path = tmp_path / "new" / "facts.db"
    writer, after = SqliteFactWriter(path, FakeClock(NOON + 2 * HOUR)), SqliteFactReader(path)
    restored = counters(after)
    Filled(writer).add(mixed(50, 3, start=NOON + 2 * HOUR, over=HOUR))
    writer.fold()
    grown = assert_grown(restored, counters(after))
    after.close()
    writer.close()

    assert restored == kept
    assert sum(recorded(grown).values()) > sum(recorded(kept).values())


@pytest.mark.postgres
def test_collectors_and_dashboards_on_one_postgresql_count_as_one(postgres_url: str) -> None:
    create_postgres(postgres_url)
    numbers = itertools.count(1)
    scrapes: list[Samples] = [{}]
    with postgres_facts(postgres_url) as (fill, reader), closing(PostgresFactReader(postgres_url)) as other:
        second = postgres_writer(postgres_url)
        batches = [mixed(60, n, start=NOON + n * HOUR, over=HOUR) for n in range(12)]

        def look() -> None:
            for dashboard in (reader, other):
                scrapes.append(assert_grown(scrapes[-1], counters(dashboard)))

        def collect(collector: Filled) -> None:
            """Both send every batch, as after a lost answer; each folds as it likes."""
            for batch in batches:
                collector.add(batch)
                if next(numbers) % 3 == 0:
                    collector.writer.fold()

        with meanwhile(look):
            at_once(lambda: collect(fill), lambda: collect(second))
            while fill.writer.raise_floor(to_us(NOON + 6 * HOUR), 100):
                pass
            fill.writer.prune()
            while second.writer.fold():
                pass
        assert counters(other) == counters(reader)
        found = recorded(counters(reader))
        second.writer.close()

    assert found == by_hand([record for batch in batches for record in batch])
