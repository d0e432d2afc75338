"""What a receiver must remember: which events it has claimed, the newest version of each resource, and small
notes such as what is left of an allowance.

Every driver keeps the same promises (one suite of tests holds them all to it). Times are those of the caller,
who passes them in; a driver's own clock, `now`, only says when what has expired may be dropped.
"""

from enum import Enum
from typing import Callable, Optional, Protocol

Change = Callable[[Optional[bytes]], bytes]
"""A note's next value from its present one, None for none. Pure: it may be called more than once."""

KEEP_UNDONE_US = 7 * 86_400 * 1_000_000
"""An unfinished claim stays a week after its lease, for its count of attempts."""
KEEP_VERSION_US = 28 * 86_400 * 1_000_000
"""A resource's version is forgotten four weeks after it last grew."""


class Claim(Enum):
    """What became of asking for an event."""

    NEW = "new"  # yours, until the lease ends
    DONE = "done"  # handled before
    BUSY = "busy"  # another copy is being handled now


UNDONE, HANDLED, HANDED_OVER = 0, 1, 2
"""What stands in a claim's `done`."""


class StateUnavailable(Exception):
    """The state cannot be asked now: its server is away, its file is locked or full. Nothing was promised."""


class State(Protocol):
    """Shared by all threads, and by all processes and hosts where the driver says so.

    Every method but close raises StateUnavailable where what keeps the state is away.
    """

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        """Atomic: of any number of copies at once, one is told NEW."""

    def done(self, key: str, until_us: int, *, handed_over: bool = False) -> None:
        """The event was handled; remembered until `until_us`. handed_over: to somebody who will handle it.

        Whoever says so: one that outlived its lease did the work all the same, and a copy that took over
        need not make another do it a third time.
        """

    def release(self, key: str, lease_until_us: int, now_us: int) -> None:
        """The event was not handled: the next copy may have it. How often it was tried is kept.

        lease_until_us: the end of the lease that the claim was asked for with (`now_us + lease_us`). No two
        claims of a key have the same one, so it fences: who outlived its lease frees nobody else's claim, nor
        what is done.
        """

    def reopen(self, key: str, now_us: int) -> None:
        """An event that was only handed over may be claimed again; one that was handled stays done."""

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
