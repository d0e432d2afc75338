"""The end of a conversation: it is hung up when its time is over, however busily the other side drips.

A socket's own time limit holds for each wait; a byte now and then would keep such a conversation for hours.
"""

from __future__ import annotations

import contextlib
import socket
import threading


class Deadline:
    """Counts from `watch` on. is_over: it was hung up."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._twin: socket.socket | None = None

    def watch(self, connection: socket.socket) -> None:
        """Starts the time. A twin is kept, since encrypting takes the connection itself over."""
        self._twin = connection.dup()
        self._timer.start()

    def end(self) -> None:
        """The conversation is over by itself."""
        self._timer.cancel()
        if self._twin is not None:
            self._twin.close()

    def _hang_up(self) -> None:
        self.is_over = True
        if self._twin is not None:
            with contextlib.suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)
