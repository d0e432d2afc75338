"""Where a receiver keeps its claims and versions: in memory, or in a SQLite file shared by a host."""

from hookvitals.state.base import Claim, State
from hookvitals.state.memory import MemoryState
from hookvitals.state.sqlite import SqliteState

__all__ = ["Claim", "MemoryState", "SqliteState", "State"]
