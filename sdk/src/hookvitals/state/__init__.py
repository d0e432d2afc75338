"""Where a receiver keeps its claims and versions: in memory, in a file that the processes of a host share, or
in a server that any number of hosts share, Redis or a SQL database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hookvitals.state.base import Claim, State, StateUnavailable
from hookvitals.state.memory import MemoryState

if TYPE_CHECKING:
    from hookvitals.state.redis import RedisState
    from hookvitals.state.sql import SqlState
    from hookvitals.state.sqlite import SqliteState

__all__ = ["Claim", "MemoryState", "RedisState", "SqlState", "SqliteState", "State", "StateUnavailable"]

_DRIVERS = {"RedisState": "redis", "SqlState": "sql", "SqliteState": "sqlite"}

if not TYPE_CHECKING:  # a type checker is shown these names and no others

    def __getattr__(name: str) -> Any:
        """A driver, imported when it is first asked for: most receivers need one of them or none."""
        if name not in _DRIVERS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_DRIVERS[name]}"), name)
