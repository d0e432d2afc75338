"""Hookvitals for receivers: verify, deduplicate, acknowledge, process and report every webhook.

This module is the public face; everything else may move. Framework adapters stand in
`hookvitals.integrations`, signed requests for tests in `hookvitals.testing`.
"""

from typing import TYPE_CHECKING, Any

from hookvitals import state
from hookvitals.accepted import ACCEPTED
from hookvitals.batches import BatchFailed
from hookvitals.breaker import BreakerPolicy
from hookvitals.event import Event
from hookvitals.failures import Permanent, Transient
from hookvitals.log import JsonFormatter, LogContext
from hookvitals.profiles import PROFILES, Profile, profile_of, register
from hookvitals.receiver import Receiver
from hookvitals.recorder import Recorder
from hookvitals.replay import canary_headers, replay_headers
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import SCHEMES, MissingDependency, VerificationError, Verified, make
from hookvitals.shipper import Shipper
from hookvitals.state import MemoryState, StateUnavailable
from hookvitals.version import VERSION as __version__

if TYPE_CHECKING:
    from hookvitals.state import RedisState, SqliteState, SqlState

__all__ = [
    "ACCEPTED",
    "PROFILES",
    "SCHEMES",
    "BatchFailed",
    "BreakerPolicy",
    "Event",
    "JsonFormatter",
    "LogContext",
    "MemoryState",
    "MissingDependency",
    "Permanent",
    "Profile",
    "Receiver",
    "Recorder",
    "RedisState",
    "RetryPolicy",
    "Shipper",
    "SqlState",
    "SqliteState",
    "StateUnavailable",
    "Transient",
    "VerificationError",
    "Verified",
    "__version__",
    "canary_headers",
    "make",
    "profile_of",
    "register",
    "replay_headers",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A state's driver, imported when it is first asked for."""
        if name not in ("RedisState", "SqlState", "SqliteState"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(state, name)
