import threading
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.collector.levels import Levels
from monitor.collector.limits import Allowance, Buckets, PerMinute
from monitor.errors import TooManyRequests


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_batch_larger_than_a_second_passes_and_is_paid_for_afterwards() -> None:
    time = Time()
    buckets = Buckets(10, time)
    buckets.take("k", 35)
    time.now += 2.4
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("k", 1)
    assert refused.value.retry_after_s == 1
    buckets.take("other", 1)
    time.now += 0.2
    buckets.take("k", 1)


def test_processes_share_what_is_left_of_a_key(tmp_path: Path) -> None:
    time = Time()
    one, other = (Buckets(10, time, Levels(tmp_path / "levels")) for _ in range(2))
    one.take("k", 4)
    assert other.allowance("k") == Allowance(10, 6, 1)
    other.take("k", 6)
    with pytest.raises(TooManyRequests):
        one.take("k", 1)
    time.now += 0.5
    assert one.allowance("k") == other.allowance("k") == Allowance(10, 5, 1)
    one.take("another", 10)


def test_many_threads_of_many_processes_take_no_more_than_there_is(tmp_path: Path) -> None:
    time = Time()
    taken = []

    def take(buckets: Buckets) -> None:
        for _ in range(300):
            with suppress(TooManyRequests):
                buckets.take("k", 1)
                taken.append(1)

    shared = [Buckets(500, time, Levels(tmp_path / "levels")) for _ in range(4)]
    threads = [threading.Thread(target=take, args=(buckets,)) for buckets in shared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 500


def test_level_of_before_the_machine_started_is_a_new_one(tmp_path: Path) -> None:
    time = Time()
    Buckets(10, time, Levels(tmp_path / "levels")).take("k", 99)
    time.now = 5.0  # a clock that never runs backwards begins anew with the machine
    Buckets(10, time, Levels(tmp_path / "levels")).take("k", 1)


def test_what_came_to_nothing_is_given_back() -> None:
    buckets = Buckets(10, Time())
    buckets.take("k", 10)
    buckets.give_back("k", 10)
    assert buckets.allowance("k") == Allowance(10, 10, 0)


def test_looking_takes_nothing() -> None:
    buckets = Buckets(10, Time())
    for _ in range(20):
        buckets.require("k")
    buckets.take("k", 10)
    with pytest.raises(TooManyRequests, match="more than 10 records a second"):
        buckets.require("k")


def test_rate_of_nought_sets_no_bound() -> None:
    buckets = Buckets(0, Time())
    for _ in range(3):
        buckets.take("k", 10**9)
        buckets.require("k")
    assert buckets.allowance("k") is None


def test_each_minute_counts_apart_and_keys_count_apart() -> None:
    time = Time()
    bound = PerMinute(2, time)
    assert [bound.allows("a") for _ in range(3)] == [True, True, False]
    assert bound.allows("b")
    time.now += 60
    assert bound.allows("a")


def test_keys_without_end_share_one_count() -> None:
    bound = PerMinute(2, Time())
    allowed = [bound.allows(number) for number in range(10_005)]
    assert allowed == [True] * 10_002 + [False] * 3
