"""Records that wait for the collector: encoded, in order, within bounds of number and bytes.

Beyond a bound the oldest go, and the caller is told how many. Belongs to the shipper's thread alone.
"""

from collections import deque
from typing import Deque, List


class Waiting:
    """max_records and max_bytes bound what waits; the newest record is always kept."""

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._waiting: Deque[bytes] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def size(self) -> int:
        """Bytes of JSON."""
        return self._bytes

    def is_half_full(self) -> bool:
        return 2 * len(self._waiting) >= self._max_records or 2 * self._bytes >= self._max_bytes

    def add(self, record: bytes) -> int:
        """Takes one encoded record; how many old ones had to go for it."""
        self._waiting.append(record)
        self._bytes += len(record)
        dropped = 0
        while len(self._waiting) > 1 and (
            len(self._waiting) > self._max_records or self._bytes > self._max_bytes
        ):
            self.drop_oldest()
            dropped += 1
        return dropped

    def drop_oldest(self) -> None:
        """Raises IndexError when nothing waits."""
        self._bytes -= len(self._waiting.popleft())

    def take(self, max_records: int, max_bytes: int) -> List[bytes]:
        """The oldest records, at least one where there is any, out of it."""
        taken: List[bytes] = []
        size = 0
        while self._waiting and len(taken) < max_records:
            size += len(self._waiting[0])
            if taken and size > max_bytes:
                break
            taken.append(self._waiting.popleft())
            self._bytes -= len(taken[-1])
        return taken

    def give_back(self, records: List[bytes]) -> None:
        """Puts records that were taken back in front, in their order."""
        self._waiting.extendleft(reversed(records))
        self._bytes += sum(map(len, records))
