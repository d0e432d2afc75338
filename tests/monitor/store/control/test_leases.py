from datetime import timedelta

import pytest

from monitor.errors import LeaseLost
from monitor.store.control import Control
from monitor.store.control.leases import WORKER, LeaseRow
from monitor.store.control.marks import FeedMark
from monitor.worker.leadership import Leadership
from tests.control import lead
from tests.monitor.clocks import FakeClock


def test_the_first_worker_takes_epoch_one(control: Control) -> None:
    assert control.leases.take(WORKER, "a", None) == 1
    assert control.leases.read(WORKER) == LeaseRow("a", 1, 0)


def test_of_two_workers_that_saw_the_same_row_one_wins(control: Control) -> None:
    lead(control, "a")
    seen = control.leases.read(WORKER)

    assert control.leases.take(WORKER, "b", seen) == 2
    assert control.leases.take(WORKER, "c", seen) is None


def test_of_two_workers_that_saw_no_row_one_wins(control: Control) -> None:
    assert control.leases.take(WORKER, "a", None) == 1
    assert control.leases.take(WORKER, "b", None) is None


def test_a_beat_seen_too_late_keeps_the_follower_out(control: Control) -> None:
    epoch = lead(control, "a")
    seen = control.leases.read(WORKER)
    assert control.leases.beat(WORKER, "a", epoch)

    assert control.leases.take(WORKER, "b", seen) is None


def test_the_former_leader_finds_out_by_its_next_beat(control: Control) -> None:
    first = lead(control, "a")
    lead(control, "b")

    assert not control.leases.beat(WORKER, "a", first)
    assert not control.leases.holds(first)


def test_a_write_under_a_past_epoch_is_refused_and_undone(control: Control, clock: FakeClock) -> None:
    first = lead(control, "a")
    second = lead(control, "b")

    with pytest.raises(LeaseLost), control.leading(first) as tx:
        control.marks.put_feed(tx, FeedMark("store", 0, 1))
    assert control.marks.feed() is None

    clock.move(timedelta(seconds=1))
    with control.leading(second) as tx:
        control.marks.put_feed(tx, FeedMark("store", 0, 2))
    assert control.marks.feed() == FeedMark("store", 0, 2)


def test_a_lease_that_was_given_back_allows_no_more_writes(control: Control) -> None:
    epoch = lead(control, "a")
    control.leases.release(WORKER, "a", epoch)

    with pytest.raises(LeaseLost), control.leading(epoch):
        raise AssertionError("the block must not run")
    assert control.leases.take(WORKER, "b", control.leases.read(WORKER)) == epoch + 1


def test_a_follower_takes_over_after_fifteen_seconds_without_a_beat_and_not_before(
    control: Control, clock: FakeClock
) -> None:
    leader = Leadership(control.leases, "a", clock)
    follower = Leadership(control.leases, "b", clock)
    assert leader.tend()
    assert not follower.tend()

    for _ in range(4):
        clock.move(timedelta(seconds=5))
        assert leader.tend()
        assert not follower.tend()
    clock.move(timedelta(seconds=14))
    assert not follower.tend()
    clock.move(timedelta(seconds=1))
    assert follower.tend()

    assert leader.epoch() is None
    assert not leader.tend()
    assert follower.epoch() == 2


def test_a_jump_of_the_wall_clock_takes_no_lease_away(control: Control, clock: FakeClock) -> None:
    leader = Leadership(control.leases, "a", clock)
    follower = Leadership(control.leases, "b", clock)
    leader.tend()
    follower.tend()

    clock.at += timedelta(days=1)

    assert not follower.tend()
    assert leader.tend()
