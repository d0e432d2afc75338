"""Bounds over time: records a second of each key, rejections stored in full a minute.

The front processes share what is left of a key's allowance; of rejections each counts its own share.
"""

import math
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from monitor.collector.levels import Level, Levels
from monitor.errors import TooManyRequests

_SEEN_S = 1.0
"""Added to the time of a level: nought says that there is none."""
_MOST_WINDOWS = 10_000
"""Distinct keys counted in one minute; what comes after them counts as one."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still send now, of how much a second, and in how many seconds it is all there again."""

    limit: int
    remaining: int
    reset_s: int


class Buckets:
    """A token bucket per key: `rate` a second, at most one second's worth saved up."""

    def __init__(self, rate: float, monotonic: Callable[[], float], levels: Levels | None = None) -> None:
        """rate: 0 for no bound. levels: where they are kept; of this process alone when None. All that share
        them need the same clock."""
        self._rate = rate
        self._monotonic = monotonic
        self._levels = levels or Levels()

    def take(self, key: str, wanted: int) -> None:
        """Takes `wanted` tokens; a bucket with any left may go into debt. Raises TooManyRequests when not.

        So a batch larger than a second's worth passes, and the key waits until it is paid for.
        """
        if self._rate <= 0:
            return
        now = self._monotonic()
        with self._levels.of(key) as level:
            tokens = self._tokens(level, now)
            if tokens <= 0:
                raise self._refusal(tokens)
            level[:] = tokens - wanted, now + _SEEN_S

    def require(self, key: str) -> None:
        """Raises TooManyRequests when `take` would, and takes nothing."""
        if self._rate <= 0:
            return
        with self._levels.of(key) as level:
            tokens = self._tokens(level, self._monotonic())
        if tokens <= 0:
            raise self._refusal(tokens)

    def give_back(self, key: str, taken: int) -> None:
        """Undoes a `take` that came to nothing."""
        if self._rate > 0:
            with self._levels.of(key) as level:
                level[0] += taken

    def allowance(self, key: str) -> Allowance | None:
        """What the key may send now; None where there is no bound."""
        if self._rate <= 0:
            return None
        with self._levels.of(key) as level:
            tokens = self._tokens(level, self._monotonic())
        reset_s = math.ceil((self._rate - tokens) / self._rate)
        return Allowance(int(self._rate), max(0, int(tokens)), max(0, reset_s))

    def _tokens(self, level: Level, now: float) -> float:
        tokens, at = float(level[0]), float(level[1]) - _SEEN_S
        if not 0 <= at <= now:  # never seen, or before the machine was started
            return self._rate
        return min(self._rate, tokens + (now - at) * self._rate)

    def _refusal(self, tokens: float) -> TooManyRequests:
        return TooManyRequests(
            f"this key sends more than {self._rate:g} records a second",
            "send slower, or raise key_records_per_s",
            retry_after_s=max(1, math.ceil(-tokens / self._rate)),
        )


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
