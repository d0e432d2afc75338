"""State of one process, forgotten when it ends: for tests, and where handling an event twice is harmless."""

import time
from typing import Callable, Dict, Optional

from hookvitals.locks import Lock
from hookvitals.state.base import (
    HANDED_OVER,
    HANDLED,
    KEEP_UNDONE_US,
    KEEP_VERSION_US,
    UNDONE,
    Change,
    Claim,
)

_EXPIRE_EVERY = 10_000


class MemoryState:
    """A State in dictionaries. What has expired is dropped now and then. now: seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = Lock()
        self._claims: Dict[str, "tuple[int, int]"] = {}  # key → (done, until_us)
        self._attempts: Dict[str, int] = {}
        self._versions: Dict[str, "tuple[float, int]"] = {}  # resource → (version, until_us)
        self._notes: Dict[str, "tuple[bytes, int]"] = {}  # note → (value, until_us)
        self._asked = 0

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        with self._lock:
            self._expire_now_and_then(now_us)
            held = self._claims.get(key)
            if held is not None and held[1] > now_us:
                return Claim.DONE if held[0] else Claim.BUSY
            self._claims[key] = (UNDONE, now_us + lease_us)
            self._attempts[key] = self._attempts.get(key, 0) + 1
            return Claim.NEW

    def done(self, key: str, until_us: int, *, handed_over: bool = False) -> None:
        with self._lock:
            self._claims[key] = (HANDED_OVER if handed_over else HANDLED, until_us)

    def release(self, key: str, lease_until_us: int, now_us: int) -> None:
        with self._lock:
            if self._claims.get(key) == (UNDONE, lease_until_us):
                self._claims[key] = (UNDONE, now_us)

    def reopen(self, key: str, now_us: int) -> None:
        with self._lock:
            if self._claims.get(key, (UNDONE, 0))[0] == HANDED_OVER:
                self._claims[key] = (UNDONE, now_us)

    def attempts(self, key: str) -> int:
        return self._attempts.get(key, 0)

    def version(self, resource: str) -> Optional[float]:
        held = self._versions.get(resource)
        return None if held is None else held[0]

    def advance(self, resource: str, version: float, now_us: int) -> None:
        with self._lock:
            self._expire_now_and_then(now_us)
            held = self._versions.get(resource)
            if held is None or held[0] < version:
                self._versions[resource] = (version, now_us + KEEP_VERSION_US)

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        with self._lock:
            now_us = int(self._now() * 1e6)
            self._expire_now_and_then(now_us)
            held = self._notes.get(note)
            value = change(None if held is None or held[1] <= now_us else held[0])
            self._notes[note] = (value, until_us)
            return value

    def close(self) -> None:
        """Nothing to close."""

    def _expire_now_and_then(self, now_us: int) -> None:
        self._asked += 1
        if self._asked % _EXPIRE_EVERY:
            return
        for key in [
            key
            for key, (done, until_us) in self._claims.items()
            if until_us <= (now_us if done else now_us - KEEP_UNDONE_US)
        ]:
            del self._claims[key]
            self._attempts.pop(key, None)
        for resource in [name for name, (_, until_us) in self._versions.items() if until_us <= now_us]:
            del self._versions[resource]
        for note in [name for name, (_, until_us) in self._notes.items() if until_us <= now_us]:
            del self._notes[note]
