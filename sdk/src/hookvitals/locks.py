"""A lock that the child of a fork finds free, whoever held it in the parent.

For what is changed under it in one step or counts a little wrong at worst. A thread that held it at the fork
does not exist in the child, and nobody else could ever let it go.
"""

import os
import threading
import weakref


class Lock:
    """Used by `with`, as threading.Lock is."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _LIVE.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        if self._lock.locked():  # else this is the child of a fork within
            self._lock.release()

    def free_in_child(self) -> None:
        """After a fork."""
        self._lock = threading.Lock()


_LIVE: "weakref.WeakSet[Lock]" = weakref.WeakSet()


def _free_all_in_child() -> None:
    for lock in list(_LIVE):
        lock.free_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all_in_child)
