"""Where a receiver keeps its claims and versions: in memory, in a file that the processes of a host share, or
in a server that any number of hosts share, Redis or a SQL database.
"""

from hookvitals.state.base import Claim, State, StateUnavailable
from hookvitals.state.memory import MemoryState
from hookvitals.state.redis import RedisState
from hookvitals.state.sql import SqlState
from hookvitals.state.sqlite import SqliteState

__all__ = ["Claim", "MemoryState", "RedisState", "SqlState", "SqliteState", "State", "StateUnavailable"]
