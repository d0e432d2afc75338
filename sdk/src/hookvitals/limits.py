"""How many requests a source may send: a token bucket, asked with the time so that tests need not wait."""

import threading
from typing import Optional


class TokenBucket:
    """`rate_per_minute` tokens a minute, at most `burst` at once (default: a minute's worth)."""

    def __init__(self, rate_per_minute: float, burst: Optional[float] = None) -> None:
        if rate_per_minute <= 0:
            raise ValueError("a rate limit must be above 0 a minute; None switches it off")
        self._per_s = rate_per_minute / 60.0
        self._size = burst if burst is not None else rate_per_minute
        self._tokens = self._size
        self._at_s: Optional[float] = None
        self._lock = threading.Lock()

    def wait_s(self, now_s: float) -> float:
        """0 and one token taken, or the seconds until there will be one. now_s: a monotonic clock."""
        with self._lock:
            if self._at_s is not None:
                self._tokens = min(self._size, self._tokens + max(0.0, now_s - self._at_s) * self._per_s)
            self._at_s = now_s
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0.0
            return (1.0 - self._tokens) / self._per_s
