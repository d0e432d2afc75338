"""Durations in logarithmic bins: which bin, the quantile, the share above a limit.

Bins are schema 4 of Prometheus native histograms and OpenTelemetry exponential histograms: bin i holds
seconds in (2**((i-1)/16), 2**(i/16)], so a quantile is off by at most 2**(1/32) - 1 = 2.2 %. Stored
numbers are i + OFFSET, with 0 for a duration of zero. Pure: no store, no clock.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from monitor.sparse import Ints

SCHEMA = 4
OFFSET = 320  # 1 µs is i = -318
BINS = 1024  # stored numbers stay below this: 2**43 s
RELATIVE_ERROR = 2 ** (1 / 32) - 1


def bins_of(duration_us: Ints) -> Ints:
    """The stored bin number of each duration, in microseconds; zero and below give 0."""
    positive = np.maximum(duration_us, 1)
    exact = np.ceil(np.log2(positive / 1e6) * 16).astype(np.int64) + OFFSET
    return np.where(duration_us <= 0, 0, np.clip(exact, 1, BINS - 1))


def upper_ms(number: int) -> float:
    """The upper bound of a stored bin, in milliseconds."""
    return 0.0 if number == 0 else 1000.0 * 2.0 ** ((number - OFFSET) / 16)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Durations of one kind over some time: stored bin number → count, with exact sum and extremes.

    sum_us, min_us and max_us are microseconds; the extremes are None when nothing was counted.
    """

    bins: Mapping[int, int]
    sum_us: int = 0
    min_us: int | None = None
    max_us: int | None = None

    @property
    def count(self) -> int:
        return sum(self.bins.values())

    def mean(self) -> float | None:
        """Milliseconds; None when nothing was counted."""
        return self.sum_us / self.count / 1000 if self.bins else None

    def quantile(self, q: float) -> float | None:
        """The q-quantile (0..1) in milliseconds, within RELATIVE_ERROR; None when nothing was counted."""
        return self.quantiles(q)[0]

    def quantiles(self, *qs: float) -> Sequence[float | None]:
        """Each as `quantile` gives it; cheaper than one by one, as most of the work is the same."""
        numbers = sorted(self.bins)
        seen = list(accumulate(map(self.bins.__getitem__, numbers)))
        if not seen or not seen[-1]:
            return [None] * len(qs)
        return [self._middle(numbers[bisect_left(seen, max(1, math.ceil(q * seen[-1])))]) for q in qs]

    def _middle(self, number: int) -> float:
        """What stands for a bin's durations, in milliseconds: its middle, within the extremes."""
        middle = 0.0 if number == 0 else upper_ms(number) * 2 ** (-1 / 32)
        low = self.min_us / 1000 if self.min_us is not None else middle
        high = self.max_us / 1000 if self.max_us is not None else middle
        return min(max(middle, low), high)

    def share_above(self, limit_ms: float) -> float:
        """The share (0..1) of durations above `limit_ms`; the bin it falls in is split by its logarithm."""
        count = self.count
        if not count:
            return 0.0
        above = 0.0
        for number, n in self.bins.items():
            upper = upper_ms(number)
            lower = upper * 2 ** (-1 / 16)
            if lower >= limit_ms and number:
                above += n
            elif upper > limit_ms > 0:
                above += n * math.log2(upper / limit_ms) * 16
        return min(1.0, above / count)

    def merged(self, other: "Distribution") -> "Distribution":
        bins = dict(self.bins)
        for number, n in other.bins.items():
            bins[number] = bins.get(number, 0) + n
        lows = [v for v in (self.min_us, other.min_us) if v is not None]
        highs = [v for v in (self.max_us, other.max_us) if v is not None]
        return Distribution(
            bins, self.sum_us + other.sum_us, min(lows, default=None), max(highs, default=None)
        )
