import pytest

from monitor.collector.limits import Buckets, PerMinute
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


def test_rate_of_nought_sets_no_bound() -> None:
    buckets = Buckets(0, Time())
    for _ in range(3):
        buckets.take("k", 10**9)


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
