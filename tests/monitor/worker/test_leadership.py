"""Who leads, with two workers, one lease row and a clock that a test moves."""

from datetime import timedelta

from monitor.store.control.leases import LeaseRow
from monitor.worker.leadership import TAKEOVER_S, Leadership
from tests.monitor.clocks import FakeClock


class Rows:
    """The lease row in memory; `away` stands for a store that cannot be reached."""

    def __init__(self) -> None:
        self.row: LeaseRow | None = None

    def read(self, name: str) -> LeaseRow | None:
        return self.row

    def take(self, name: str, owner: str, seen: LeaseRow | None) -> int | None:
        if self.row != seen:
            return None
        self.row = LeaseRow(owner, seen.epoch + 1 if seen else 1, 0)
        return self.row.epoch

    def beat(self, name: str, owner: str, epoch: int) -> bool:
        if self.row is None or (self.row.owner, self.row.epoch) != (owner, epoch):
            return False
        self.row = LeaseRow(owner, epoch, self.row.beat + 1)
        return True

    def release(self, name: str, owner: str, epoch: int) -> None:
        if self.row is not None and (self.row.owner, self.row.epoch) == (owner, epoch):
            self.row = LeaseRow("", epoch, self.row.beat)


def pair(rows: Rows, clock: FakeClock) -> tuple[Leadership, Leadership]:
    return Leadership(rows, "one", clock), Leadership(rows, "two", clock)


def beat_for(clock: FakeClock, seconds: int, *workers: Leadership) -> None:
    for _ in range(0, seconds, 5):
        clock.move(timedelta(seconds=5))
        for worker in workers:
            worker.tend()


def test_first_worker_leads_at_once() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    assert one.tend()
    assert not two.tend()
    assert (one.epoch(), two.epoch()) == (1, None)


def test_leader_that_beats_is_left_alone() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    one.tend()
    beat_for(clock, 600, one, two)
    assert (one.epoch(), two.epoch()) == (1, None)


def test_follower_takes_over_when_the_beat_stands_still() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    one.tend()
    beat_for(clock, 10, two)
    assert two.epoch() is None
    beat_for(clock, 10, two)
    assert two.epoch() == 2


def test_leader_that_was_frozen_stops_before_it_learns_of_the_other() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    one.tend()
    beat_for(clock, 20, two)
    assert clock.monotonic() >= TAKEOVER_S
    assert one.epoch() is None
    assert not one.tend()
    assert two.epoch() == 2


def test_lease_that_was_given_back_is_taken_at_once() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    one.tend()
    one.release()
    assert one.epoch() is None
    assert two.tend()
    assert two.epoch() == 2


def test_wall_clock_that_jumps_changes_nothing() -> None:
    rows, clock = Rows(), FakeClock()
    one, two = pair(rows, clock)
    one.tend()
    two.tend()
    clock.at += timedelta(days=400)
    assert not two.tend()
    assert one.epoch() == 1
