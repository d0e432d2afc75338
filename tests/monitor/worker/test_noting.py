"""What each minute held when it was over, so that what comes late can be told."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.queries.minutes import records_by_minute
from monitor.store.control import Control
from monitor.wiring.backtest import late_minutes
from monitor.worker.noting import ON_TIME, Noting
from tests.control import lead, new_control
from tests.facts import NOON, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    found = new_control(tmp_path, clock)
    yield found
    found.close()


def test_a_minute_is_noted_once_it_is_over_and_what_comes_later_is_late(
    tmp_path: Path, clock: FakeClock, control: Control
) -> None:
    make, epoch = RecordFactory(), lead(control)
    with sqlite_facts(tmp_path) as (filled, facts):
        noting = Noting(lambda start, end: records_by_minute(facts, start, end), control.minutes, clock.now)
        filled.add([make(at=NOON + SECOND) for _ in range(3)])
        clock.move(MINUTE + ON_TIME)
        noting.run(epoch)
        filled.add([make(at=NOON + 2 * SECOND) for _ in range(2)])
        noting.run(epoch)

        assert control.minutes.seen(NOON, NOON + MINUTE) == {(NOON, "production"): 3}
        assert late_minutes(control, facts, NOON, NOON + 2 * MINUTE) == {NOON: 2}
        assert late_minutes(control, facts, NOON + MINUTE, NOON + 2 * MINUTE) == {}


def asked_for(run_at: list[datetime], newest: datetime | None) -> list[tuple[datetime, datetime]]:
    """The stretches that are counted when the job runs at these times."""
    asked: list[tuple[datetime, datetime]] = []

    class Notes:
        def newest(self) -> datetime | None:
            return newest

        def note(self, counts: object, epoch: int) -> None: ...

    def count(start_at: datetime, end_at: datetime) -> dict[tuple[datetime, str], int]:
        asked.append((start_at, end_at))
        return {}

    times = iter(run_at)
    noting = Noting(count, Notes(), lambda: next(times))
    for _ in run_at:
        noting.run(1)
    return asked


def test_every_minute_is_counted_once() -> None:
    at = NOON + 20 * SECOND
    assert asked_for([at, at + 10 * SECOND, at + MINUTE, at + 3 * MINUTE], NOON - 2 * MINUTE) == [
        (NOON - MINUTE, NOON),
        (NOON, NOON + MINUTE),
        (NOON + MINUTE, NOON + 3 * MINUTE),
    ]


def test_a_minute_that_is_not_whole_waits() -> None:
    assert asked_for([NOON + 10 * SECOND], NOON - 2 * MINUTE) == []


def test_after_a_long_pause_only_the_last_hour_is_counted() -> None:
    assert asked_for([NOON + 20 * SECOND], NOON - timedelta(days=1)) == [(NOON - timedelta(hours=1), NOON)]


def test_what_is_past_its_time_goes(control: Control) -> None:
    epoch = lead(control)
    control.minutes.note({(NOON, "production"): 3, (NOON + MINUTE, "production"): 4}, epoch)
    control.minutes.note({(NOON, "production"): 9}, epoch)

    assert control.minutes.newest() == NOON + MINUTE
    assert control.minutes.purge(NOON + MINUTE, epoch) == 1
    assert control.minutes.seen(NOON, NOON + 5 * MINUTE) == {(NOON + MINUTE, "production"): 4}
