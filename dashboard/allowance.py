"""How often one address may ask for what needs no login, in this process. Memory is bounded.

It spares the process, it guards no secret: nobody guesses a link's 256 bits at any rate, and a forged one is
refused before the store is asked. So it is not shared, as the limit of logins is, which guards passwords: to
count in the store would let whoever floods one page write there.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

MOST_ADDRESSES = 10_000


class Allowance:
    """`limit` requests an address in each `window`."""

    def __init__(self, limit: int, window: timedelta, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._window_s = window.total_seconds()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether this request is still within it."""
        now_s = self._monotonic()
        with self._lock:
            began_s, count = self._seen.pop(address, (now_s, 0))
            if now_s - began_s >= self._window_s:
                began_s, count = now_s, 0
            self._seen[address] = (began_s, count + 1)
            if len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
            return count < self._limit
