"""Hookvitals for receivers: verify, deduplicate, acknowledge, process and report every webhook.

This module is the public face; everything else may move. Framework adapters stand in
`hookvitals.integrations`, signed requests for tests in `hookvitals.testing`.
"""

from hookvitals.event import Event
from hookvitals.profiles import PROFILES, Profile, profile_of
from hookvitals.receiver import Receiver
from hookvitals.recorder import Recorder
from hookvitals.replay import replay_headers
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import SCHEMES, MissingDependency, VerificationError, Verified, make
from hookvitals.shipper import Shipper
from hookvitals.state import MemoryState, SqliteState
from hookvitals.version import VERSION as __version__

__all__ = [
    "PROFILES",
    "SCHEMES",
    "Event",
    "MemoryState",
    "MissingDependency",
    "Profile",
    "Receiver",
    "Recorder",
    "RetryPolicy",
    "Shipper",
    "SqliteState",
    "VerificationError",
    "Verified",
    "__version__",
    "make",
    "profile_of",
    "replay_headers",
]
