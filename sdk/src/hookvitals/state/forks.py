"""Connections never cross a fork: a driver that has some is told so in the child, and makes its own there."""

import os
import weakref
from typing import List, Protocol


class Connected(Protocol):
    """What has connections to a server."""

    def connect_anew(self) -> object:
        """Has connections of its own from now on; gives those of before, which belong to the parent."""


def tell_in_child(driver: Connected) -> None:
    """Calls `connect_anew` in every child that is forked while the driver lives."""
    _LIVE.add(driver)


_LIVE: "weakref.WeakSet[Connected]" = weakref.WeakSet()
_INHERITED: List[object] = []
"""Kept, for closing them could end the parent's sessions."""


def _in_child() -> None:
    for driver in list(_LIVE):
        _INHERITED.append(driver.connect_anew())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
