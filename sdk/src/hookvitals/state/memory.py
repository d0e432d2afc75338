"""State of one process, forgotten when it ends: for tests, and where handling an event twice is harmless."""

import threading
from typing import Dict, Optional

from hookvitals.state.base import Change, Claim

_KEEP_UNDONE_US = 7 * 86_400 * 1_000_000
"""An unfinished claim stays a week, for its count of attempts."""


class MemoryState:
    """A State in dictionaries. Entries that have expired are dropped now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: Dict[str, "tuple[bool, int]"] = {}  # key → (done, until_us)
        self._attempts: Dict[str, int] = {}
        self._versions: Dict[str, float] = {}
        self._notes: Dict[str, "tuple[bytes, int]"] = {}  # note → (value, until_us)
        self._asked = 0

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        with self._lock:
            self._expire(now_us)
            held = self._claims.get(key)
            if held is not None and held[1] > now_us:
                return Claim.DONE if held[0] else Claim.BUSY
            self._claims[key] = (False, now_us + lease_us)
            self._attempts[key] = self._attempts.get(key, 0) + 1
            return Claim.NEW

    def done(self, key: str, until_us: int) -> None:
        with self._lock:
            self._claims[key] = (True, until_us)

    def release(self, key: str, now_us: int) -> None:
        with self._lock:
            self._claims[key] = (False, now_us)

    def attempts(self, key: str) -> int:
        return self._attempts.get(key, 0)

    def version(self, resource: str) -> Optional[float]:
        return self._versions.get(resource)

    def advance(self, resource: str, version: float, now_us: int) -> None:
        with self._lock:
            self._versions[resource] = max(version, self._versions.get(resource, version))

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        with self._lock:
            held = self._notes.get(note)
            value = change(None if held is None else held[0])
            self._notes[note] = (value, until_us)
            return value

    def close(self) -> None:
        """Nothing to close."""

    def _expire(self, now_us: int) -> None:
        self._asked += 1
        if self._asked % 10_000 == 0:
            expired = [
                key
                for key, (done, until_us) in self._claims.items()
                if until_us <= (now_us if done else now_us - _KEEP_UNDONE_US)
            ]
            for key in expired:
                del self._claims[key]
                self._attempts.pop(key, None)
            for note in [note for note, (_, until_us) in self._notes.items() if until_us <= now_us]:
                del self._notes[note]
