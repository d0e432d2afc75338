"""One event of a resource at a time, among all who share a state.

From the question whether something newer was processed until it is known that this was, no other event of the
same resource is worked: two handlers could run at once, and the older one be the last to write. A turn ends
with its lease, whatever becomes of the process.
"""

import os
from typing import Callable, Optional

from hookvitals.state import State

_NOBODYS = b""


class Turns:
    """The turns of one receiver's resources. lease_s: how long one may be had."""

    def __init__(self, state: State, lease_s: float, now_us: Callable[[], int]) -> None:
        self._state = state
        self._lease_us = int(lease_s * 1e6)
        self._now_us = now_us

    def take(self, resource: str) -> Optional[bytes]:
        """The turn, to be given back; None while somebody else has it."""
        now_us = self._now_us()
        until_us = now_us + self._lease_us
        mine = b"%s %d" % (os.urandom(8).hex().encode(), until_us)
        held = self._state.change(_note(resource), lambda one: _next(one, mine, now_us), until_us)
        return mine if held == mine else None

    def give_back(self, resource: str, turn: bytes) -> None:
        """Ends this turn; one that somebody else has had since stays."""
        until_us = self._now_us() + self._lease_us  # also of the turn that stays
        self._state.change(
            _note(resource), lambda held: _NOBODYS if held is None or held == turn else held, until_us
        )


def _next(held: Optional[bytes], mine: bytes, now_us: int) -> bytes:
    """Whose turn it is after `mine` was asked for."""
    try:
        taken_until_us = int((held or b"").split()[1])
    except (IndexError, ValueError):
        return mine
    return held if held is not None and taken_until_us > now_us else mine


def _note(resource: str) -> str:
    return f"turn\x1f{resource}"
