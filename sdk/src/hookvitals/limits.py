"""How many requests may come: token buckets, asked with the time so that tests need not wait.

Kept in the memory of one process; several processes each allow as much.
"""

from collections import OrderedDict
from typing import Optional

from hookvitals.locks import Lock

_ADDRESSES = 4096


class TokenBucket:
    """`rate_per_minute` tokens a minute, at most `burst` at once (default: a minute's worth)."""

    def __init__(self, rate_per_minute: float, burst: Optional[float] = None) -> None:
        if rate_per_minute <= 0:
            raise ValueError("a rate limit must be above 0 a minute; None switches it off")
        self._per_s = rate_per_minute / 60.0
        self._size = max(1.0, burst if burst is not None else rate_per_minute)
        self._tokens = self._size
        self._at_s: Optional[float] = None
        self._lock = Lock()

    def wait_s(self, now_s: float, *, take: bool = True) -> float:
        """0 and one token taken, or the seconds until there will be one. now_s: a monotonic clock.

        take: False only looks.
        """
        with self._lock:
            if self._at_s is not None:
                self._tokens = min(self._size, self._tokens + max(0.0, now_s - self._at_s) * self._per_s)
            self._at_s = now_s
            if self._tokens >= 1.0:
                self._tokens -= 1.0 if take else 0.0
                return 0.0
            return (1.0 - self._tokens) / self._per_s


class FailureLimit:
    """How often an address may fail before it is turned away unheard. Who never fails is never limited.

    Remembers the addresses that failed last, a bounded number of them.
    """

    def __init__(self, failures_per_minute: float, max_addresses: int = _ADDRESSES) -> None:
        self._rate = failures_per_minute
        self._max_addresses = max_addresses
        self._buckets: "OrderedDict[str, TokenBucket]" = OrderedDict()
        self._lock = Lock()
        TokenBucket(failures_per_minute)  # refuses a rate that cannot be one

    def wait_s(self, address: str, now_s: float) -> float:
        """0, or the seconds until this address is heard again."""
        bucket = self._buckets.get(address)
        return 0.0 if bucket is None else bucket.wait_s(now_s, take=False)

    def failed(self, address: str, now_s: float) -> None:
        """Counts a failure."""
        with self._lock:
            bucket = self._buckets.setdefault(address, TokenBucket(self._rate))
            self._buckets.move_to_end(address)
            if len(self._buckets) > self._max_addresses:
                self._buckets.popitem(last=False)
        bucket.wait_s(now_s)
