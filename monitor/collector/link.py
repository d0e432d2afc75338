"""The front's way to the writer: one socket a thread; send, wait, answer.

A writer that restarted is reached again at once, and the request is sent a second time: whatever it holds
is known by its key, so nothing counts twice.
"""

import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, Protocol

from monitor.collector import frames
from monitor.errors import HookvitalsError, StoreFull, TooLarge, Unavailable
from monitor.model import SeriesKey
from monitor.store.facts.expunging import Expunge, Expunged
from monitor.store.facts.protocol import Appended, Batch

WAIT_S = 6.0
"""With what a request waits before it, shorter than clients wait: one that has given up sends again, too."""
PING_S = 2.0
_HINT = "send the same records again: none counts twice"
_ERRORS: Mapping[str, type[HookvitalsError]] = {
    error.code: error for error in (Unavailable, StoreFull, TooLarge)
}


class Writer(Protocol):
    """What a front needs of the writer, wherever it runs."""

    def append(self, batch: Batch) -> Appended: ...

    def intern_series(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]: ...

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]: ...

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int: ...

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int: ...

    def ping(self) -> Mapping[str, int]: ...


class Link:
    """A Writer at the other end of a unix socket. Raises Unavailable while nobody answers there."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self._path = path
        self._wait_s = wait_s
        self._local = threading.local()

    def append(self, batch: Batch) -> Appended:
        question = frames.frame((frames.APPEND, frames.from_batch(batch)))
        del batch  # what it holds is not needed while this waits
        return Appended(*self._sent(question, self._wait_s))

    def intern_series(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        asked = [(key.environment, key.source, key.endpoint, key.event_type) for key in keys]
        found = self._ask(frames.SERIES, asked)
        return {SeriesKey(*parts): code for parts, code in found}

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        return dict(self._ask(frames.ERRORS, list(names)))

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int:
        return int(self._ask(frames.QUEUES, list(samples)))

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int:
        return int(self._ask(frames.PROBES, list(results)))

    def expunge(self, wanted: Expunge) -> Expunged:
        """Asked of a writer by whoever may open its socket: the user that runs it, and the command line."""
        return Expunged(*self._ask(frames.EXPUNGE, astuple(wanted)))

    def ping(self) -> Mapping[str, int]:
        """What the writer says of its store: `used_bytes`, `floor_us`, `failing` (1: it cannot commit)."""
        return dict(self._ask(frames.PING, None, min(PING_S, self._wait_s)))

    def close(self) -> None:
        """Closes this thread's socket."""
        connection: socket.socket | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            connection.close()

    def _ask(self, kind: int, content: object, wait_s: float | None = None) -> Any:
        return self._sent(frames.frame((kind, content)), wait_s or self._wait_s)

    def _sent(self, question: bytes, wait_s: float) -> Any:
        reused = getattr(self._local, "connection", None) is not None
        try:
            answer = self._exchange(question, wait_s)
        except TimeoutError as exc:
            self.close()
            raise Unavailable("the writer does not answer in time", _HINT, retry_after_s=2) from exc
        except OSError as exc:
            self.close()
            if not reused:
                raise Unavailable("the writer is not there", _HINT, retry_after_s=1) from exc
            return self._sent(question, wait_s)  # the connection was of a writer before this one
        if answer[0] == frames.DONE:
            return answer[1]
        code, message, hint, retry_after_s = answer[1:]
        raise _ERRORS.get(str(code), Unavailable)(str(message), str(hint), retry_after_s=retry_after_s)  # type: ignore[arg-type]

    def _exchange(self, question: bytes, wait_s: float) -> tuple[object, ...]:
        connection = self._connection(wait_s)
        incoming = frames.Frames()
        try:
            connection.sendall(question)
            while True:
                data = connection.recv(1 << 16)
                if not data:
                    raise ConnectionResetError("the writer closed the connection")
                for message in incoming.feed(data):
                    return message
        except BlockingIOError as exc:
            raise TimeoutError from exc

    def _connection(self, wait_s: float) -> socket.socket:
        """This thread's socket, whose calls wait so long at most."""
        connection: socket.socket | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(self._path))
            except OSError:
                connection.close()
                raise
            self._local.connection, self._local.wait_s = connection, None
        if self._local.wait_s != wait_s:
            # the kernel's clock: with `settimeout` each call would be three, and as many changes of thread
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                connection.setsockopt(socket.SOL_SOCKET, option, _timeval(wait_s))
            self._local.wait_s = wait_s
        return connection


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
