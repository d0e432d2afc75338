"""What a receiver must remember: which events it has claimed, and the newest version of each resource."""

from enum import Enum
from typing import Optional, Protocol


class Claim(Enum):
    """What became of asking for an event."""

    NEW = "new"  # yours, until the lease ends
    DONE = "done"  # handled before
    BUSY = "busy"  # another copy is being handled now


class State(Protocol):
    """Shared by all threads, and by all processes of a host where the implementation says so."""

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        """Atomic: of any number of copies at once, one is told NEW."""

    def done(self, key: str, until_us: int) -> None:
        """The event was handled; remembered until `until_us`."""

    def release(self, key: str, now_us: int) -> None:
        """The event was not handled: the next copy may have it. How often it was tried is kept."""

    def attempts(self, key: str) -> int:
        """How often the event was claimed as NEW so far."""

    def version(self, resource: str) -> Optional[float]:
        """The newest version seen of a resource."""

    def advance(self, resource: str, version: float, now_us: int) -> None:
        """Remembers the version unless a newer one is known."""

    def close(self) -> None: ...
