"""Counts stay whole where minutes or hours are purged: a range is widened and says so, never cut."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.clock import from_us, to_us
from monitor.model import Grain, Record, SeriesKey
from monitor.queries.overview import overview
from monitor.queries.sla import week_facts
from monitor.queries.stats import By, table
from monitor.queries.stretch import Kept, widened
from monitor.queries.summary import chart
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.protocol import FactReader
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import NOON, Filled, mixed, sqlite_facts
from tests.monitor.clocks import FakeClock
from tests.postgres_facts import postgres_facts

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WHOLE = SeriesKey("production")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Filled, FactReader]]:
    """Every store purges alike, as far as a range can tell."""
    if request.param == "sqlite":
        with sqlite_facts(tmp_path) as both:
            yield both
        return
    url = request.getfixturevalue("postgres_url")
    create(url)
    with postgres_facts(url) as both_there:
        yield both_there


@pytest.fixture
def fill(opened: tuple[Filled, FactReader]) -> Filled:
    return opened[0]


@pytest.fixture
def reader(opened: tuple[Filled, FactReader]) -> FactReader:
    return opened[1]


def ordinary(records: Sequence[Record], start_at: datetime, end_at: datetime) -> int:
    """Records of [start_at, end_at) that statistics count, one by one."""
    return sum(
        start_at <= record.recorded_at < end_at and record.replay_id is None and not record.canary
        for record in records
    )


def purge(fill: Filled, floor_at: datetime) -> None:
    """Everything below floor_at is gone: records, minutes, and hours where they are past their time."""
    fill.writer.fold()
    while fill.writer.raise_floor(to_us(floor_at), 500):
        pass
    fill.writer.prune()


def ranges(seed: int, first_at: datetime, last_at: datetime) -> list[tuple[datetime, datetime]]:
    """Stretches of every length in [first_at, last_at], with ragged and with even ends."""
    dice = random.Random(seed)
    found = []
    for _ in range(60):
        ends = sorted(first_at + (last_at - first_at) * dice.random() for _ in range(2))
        unit = dice.choice([timedelta(microseconds=1), MINUTE, HOUR, DAY])
        start_at, end_at = (at - (at - first_at) % unit for at in ends)
        found.append((start_at, end_at + unit))
    return found


@pytest.mark.parametrize("floor_at", [NOON + 30 * HOUR, NOON + 30 * HOUR + timedelta(minutes=23, seconds=17)])
def test_no_range_loses_a_record_to_the_floor(fill: Filled, reader: FactReader, floor_at: datetime) -> None:
    records = mixed(600, over=60 * HOUR)
    fill.add(records)
    purge(fill, floor_at)

    for start_at, end_at in ranges(1, NOON - HOUR, NOON + 61 * HOUR):
        found = table(reader, "production", start_at, end_at, By.SOURCE)
        covered = found.stretch
        assert covered.start_at <= start_at + MINUTE
        assert end_at <= covered.end_at
        assert sum(line.total for line in found.lines) == ordinary(records, covered.start_at, covered.end_at)
        if start_at >= floor_at + MINUTE:
            assert covered.rounded_to is None
            assert max(covered.start_at - start_at, covered.end_at - end_at) < MINUTE


@pytest.mark.parametrize("step", [MINUTE, 15 * MINUTE, HOUR])
def test_a_chart_that_begins_below_the_floor_counts_every_record(
    fill: Filled, reader: FactReader, step: timedelta
) -> None:
    records = mixed(600, over=60 * HOUR)
    fill.add(records)
    purge(fill, NOON + 30 * HOUR)

    for start_at, end_at in ranges(2, NOON - HOUR, NOON + 61 * HOUR):
        drawn = chart(reader, WHOLE, start_at, end_at, max(1, int((end_at - start_at) / step)))
        first_at, last_at = drawn.points[0][0], drawn.points[-1][0] + drawn.step
        assert first_at <= start_at < first_at + drawn.step
        assert end_at <= last_at
        counted = sum(sum(figures.outcomes.values()) for _, figures in drawn.points)
        assert counted == ordinary(records, first_at, last_at)


def test_a_chart_says_when_its_steps_are_coarser_than_asked_for(fill: Filled, reader: FactReader) -> None:
    fill.add(mixed(50, over=4 * HOUR))
    purge(fill, NOON + 2 * HOUR)

    below = chart(reader, WHOLE, NOON, NOON + HOUR, 60)
    above = chart(reader, WHOLE, NOON + 2 * HOUR, NOON + 3 * HOUR, 60)

    assert (below.step, below.rounded_to) == (HOUR, Grain.HOUR)
    assert (above.step, above.rounded_to) == (MINUTE, None)


def test_hours_past_their_time_are_counted_by_days(tmp_path: Path) -> None:
    records = mixed(300, over=5 * DAY)
    now = NOON + 402 * DAY
    with sqlite_facts(tmp_path) as (fill, _):
        fill.add(records)
    writer, reader = (
        SqliteFactWriter(tmp_path / "facts.db", FakeClock(now)),
        SqliteFactReader(tmp_path / "facts.db"),
    )
    purge(Filled(writer), NOON + 10 * DAY)

    for start_at, end_at in ranges(3, NOON - DAY, NOON + 6 * DAY):
        found = table(reader, "production", start_at, end_at, By.OUTCOME, now=now)
        covered = found.stretch
        assert covered.start_at <= start_at + MINUTE
        assert end_at <= covered.end_at
        assert sum(line.total for line in found.lines) == ordinary(records, covered.start_at, covered.end_at)
        drawn = chart(reader, WHOLE, start_at, end_at, 500, now=now)
        last_at = drawn.points[-1][0] + drawn.step
        assert sum(sum(figures.outcomes.values()) for _, figures in drawn.points) == ordinary(
            records, drawn.points[0][0], last_at
        )
    assert drawn.rounded_to is Grain.DAY
    reader.close()
    writer.close()


def test_the_overview_is_whole_and_its_comparison_does_not_overlap(fill: Filled, reader: FactReader) -> None:
    records = mixed(600, over=48 * HOUR)
    fill.add(records)
    purge(fill, NOON + 40 * HOUR + 10 * MINUTE)

    for start_at in (NOON + 24 * HOUR + 7 * MINUTE, NOON + 40 * HOUR + 20 * MINUTE):
        shown = overview(reader, "production", start_at, NOON + 48 * HOUR)
        assert sum(shown.now.outcomes.values()) == ordinary(records, shown.start_at, shown.end_at)
        length = shown.end_at - shown.start_at
        before_at = {shown.start_at, shown.start_at.replace(minute=0)}
        assert sum(shown.before.outcomes.values()) in {
            ordinary(records, at - length, at) for at in before_at
        } | {ordinary(records, (at - length).replace(minute=0), at) for at in before_at}
    assert overview(reader, "production", NOON, NOON + HOUR).rounded_to is None  # even hours are exact


def test_a_week_between_midnights_of_half_hours_is_whole_and_says_what_it_covers(
    fill: Filled, reader: FactReader
) -> None:
    records = mixed(900, start=NOON - 3 * DAY, over=8 * DAY)
    fill.add(records)
    purge(fill, NOON + 20 * DAY)

    facts = week_facts(reader, "2026-W47", ZoneInfo("Asia/Kolkata"), now=NOON + 20 * DAY)

    assert facts.counted.rounded_to is Grain.HOUR
    assert (facts.start_at - facts.counted.start_at, facts.counted.end_at - facts.end_at) == (
        HOUR / 2,
        HOUR / 2,
    )
    assert sum(r.records() for key, r in facts.totals.items() if key.endpoint is None) == sum(
        facts.counted.start_at <= record.recorded_at < facts.counted.end_at for record in records
    )


def test_a_floor_raised_between_looking_and_reading_is_noticed(fill: Filled, reader: FactReader) -> None:
    records = mixed(300, over=6 * HOUR)
    fill.add(records)

    class Purging:
        """Reads as the store does, and purges once after the floor was looked at."""

        def __init__(self) -> None:
            self.purged = False

        def floor_us(self) -> int:
            seen = reader.floor_us()
            if not self.purged:
                self.purged = True
                purge(fill, NOON + 5 * HOUR)
            return seen

        def __getattr__(self, name: str) -> object:
            return getattr(reader, name)

    racing: FactReader = Purging()  # type: ignore[assignment]  # all but one method is the reader's own
    found = table(racing, "production", NOON + 10 * MINUTE, NOON + 3 * HOUR, By.SOURCE)

    assert found.stretch.rounded_to is Grain.HOUR
    assert sum(line.total for line in found.lines) == ordinary(records, NOON, NOON + 3 * HOUR)


def test_a_range_is_widened_no_further_than_to_what_is_kept() -> None:
    kept = Kept.of(to_us(NOON + 90 * MINUTE), NOON)

    def ends(start: timedelta, end: timedelta) -> tuple[datetime, datetime, Grain | None]:
        start_us, end_us, rounded_to = widened(kept, to_us(NOON + start), to_us(NOON + end))
        return from_us(start_us), from_us(end_us), rounded_to

    assert ends(10 * MINUTE, 70 * MINUTE) == (NOON, NOON + 2 * HOUR, Grain.HOUR)
    assert ends(10 * MINUTE, 3 * HOUR + 5 * MINUTE) == (NOON, NOON + 3 * HOUR + 5 * MINUTE, Grain.HOUR)
    assert ends(90 * MINUTE, 95 * MINUTE) == (NOON + 90 * MINUTE, NOON + 95 * MINUTE, None)
    assert ends(-HOUR, 2 * HOUR) == (NOON - HOUR, NOON + 2 * HOUR, None)
