"""What a receiver must remember: which events it has claimed, the newest version of each resource, and small
notes such as what is left of an allowance.
"""

from enum import Enum
from typing import Callable, Optional, Protocol

Change = Callable[[Optional[bytes]], bytes]
"""A note's next value from its present one, None for none. Pure: it may be called more than once."""


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

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        """Gives a note its next value, atomically, and returns that; forgotten after `until_us`.

        A note may be lost with the power, never with a process: it holds nothing that was promised.
        """

    def close(self) -> None: ...
