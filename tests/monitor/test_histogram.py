import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.histogram import BINS, OFFSET, RELATIVE_ERROR, Distribution, bins_of, upper_ms

durations_us = st.lists(st.integers(1, 10**13), min_size=1, max_size=200)


def of(values_us: list[int]) -> Distribution:
    bins: dict[int, int] = {}
    for number in bins_of(np.array(values_us, dtype=np.int64)).tolist():
        bins[number] = bins.get(number, 0) + 1
    return Distribution(bins, sum(values_us), min(values_us), max(values_us))


def exact(values_us: list[int], q: float) -> float:
    return sorted(values_us)[max(1, math.ceil(q * len(values_us))) - 1] / 1000


@given(durations_us, st.sampled_from([0.0, 0.5, 0.95, 0.99, 0.999, 1.0]))
def test_quantile_is_off_by_at_most_its_stated_error(values: list[int], q: float) -> None:
    found = of(values).quantile(q)
    assert found == pytest.approx(exact(values, q), rel=RELATIVE_ERROR * 1.001)
    assert of(values).quantiles(0.5, q) == [of(values).quantile(0.5), found]


@given(durations_us)
def test_each_duration_lies_in_its_bin_upper_bound_included(values: list[int]) -> None:
    for value, number in zip(values, bins_of(np.array(values)).tolist(), strict=True):
        upper = upper_ms(number) * 1000
        assert upper / 2 ** (1 / 16) * (1 - 1e-12) < value <= upper * (1 + 1e-12)


def test_bins_are_those_of_native_histograms_of_schema_four() -> None:
    # bin i holds seconds in (2**((i-1)/16), 2**(i/16)]: 1 s is the upper bound of bin 0, 2 s of bin 16
    numbers = bins_of(np.array([1_000_000, 1_000_001, 2_000_000, 0, -5])).tolist()
    assert numbers == [OFFSET, OFFSET + 1, OFFSET + 16, 0, 0]
    assert bins_of(np.array([1, 2**63 - 1])).tolist() == [OFFSET - 318, 1010]
    assert BINS > 1010


@given(durations_us, durations_us)
def test_merging_is_counting_together(first: list[int], second: list[int]) -> None:
    assert of(first).merged(of(second)) == of(first + second)
    assert of(first).merged(Distribution({})) == of(first)


def test_nothing_counted_is_no_figure() -> None:
    empty = Distribution({})
    assert (empty.count, empty.mean(), empty.quantile(0.5), empty.share_above(5)) == (0, None, None, 0.0)
    assert empty.quantiles(0.5, 0.95) == [None, None]


def test_share_above_follows_the_exact_share() -> None:
    chance = random.Random(3)
    values = [round(chance.lognormvariate(11, 1)) + 1 for _ in range(20_000)]
    for limit_ms in (5.0, 60.0, 250.0, 1000.0):
        share = sum(value > limit_ms * 1000 for value in values) / len(values)
        assert of(values).share_above(limit_ms) == pytest.approx(share, abs=0.01)
    assert of(values).share_above(1e9) == 0.0
    assert of(values).share_above(0.0) == pytest.approx(1.0)


def test_mean_is_exact_in_milliseconds() -> None:
    assert of([1_000, 2_000, 6_000]).mean() == 3.0
