"""Where a state can be kept in these tests, in words that another process understands too."""

from typing import NamedTuple

from hookvitals import MemoryState, RedisState, SqliteState, SqlState
from hookvitals.state import State
from tests.sdk.world import Clock

SHARED = ("sqlite", "redis", "postgresql", "sql on sqlite")
"""What several processes may share."""
KINDS = ("memory", *SHARED)


class Place(NamedTuple):
    """kind: one of KINDS. where: its path or URL."""

    kind: str
    where: str

    def opened(self, clock: Clock) -> State:
        if self.kind == "memory":
            return MemoryState(clock)
        if self.kind == "sqlite":
            return SqliteState(self.where, clock)
        if self.kind == "redis":
            return RedisState(self.where, now=clock)
        return SqlState(self.where, now=clock)
