"""Bounds over time: records a second of each key, rejections stored in full a minute. In memory only.

Each front process counts for itself, so it is given its share of a bound.
"""

import math
import threading
from collections.abc import Callable, Hashable

from monitor.errors import TooManyRequests

_MOST_WINDOWS = 10_000
"""Distinct keys counted in one minute; what comes after them counts as one."""


class Buckets:
    """A token bucket per key: `rate` a second, at most one second's worth saved up."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        """rate: 0 for no bound."""
        self._rate = rate
        self._monotonic = monotonic
        self._levels: dict[str, tuple[float, float]] = {}  # key → tokens, when
        self._lock = threading.Lock()

    def take(self, key: str, wanted: int) -> None:
        """Takes `wanted` tokens; a bucket with any left may go into debt. Raises TooManyRequests when not.

        So a batch larger than a second's worth passes, and the key waits until it is paid for.
        """
        if self._rate <= 0:
            return
        now = self._monotonic()
        with self._lock:
            tokens, at = self._levels.get(key, (self._rate, now))
            tokens = min(self._rate, tokens + (now - at) * self._rate)
            if tokens <= 0:
                wait_s = max(1, math.ceil(-tokens / self._rate))
                raise TooManyRequests(
                    "this key sends more records than it may",
                    "send slower, or raise key_records_per_s",
                    retry_after_s=wait_s,
                )
            self._levels[key] = (tokens - wanted, now)


class PerMinute:
    """At most `most` a minute per key, each minute of the clock counted apart."""

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._minute = -1
        self._counts: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def allows(self, key: Hashable, times: int = 1) -> bool:
        """Counts one; whether it is within the bound, or so many times the bound."""
        minute = int(self._monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._counts.clear()
            if key not in self._counts and len(self._counts) >= _MOST_WINDOWS:
                key = None
            count = self._counts[key] = self._counts.get(key, 0) + 1
        return count <= self._most * times
