"""What front and writer say to each other over their unix socket: frames of marshal, length first.

Both ends are processes of this collector, of one version, behind a socket only this user can open; nothing
from outside is ever unmarshalled.
"""

import marshal
import struct
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from monitor.errors import Unavailable
from monitor.rollup import DELTA
from monitor.store.facts.protocol import Appended, Batch, CaptureRow, ClientCounts

APPEND, SERIES, ERRORS, QUEUES, PROBES, PING, EXPUNGE = range(7)
"""Kinds of request."""
DONE, REFUSED = 0, 1
"""Kinds of answer: (DONE, result) or (REFUSED, code, message, hint, retry_after_s)."""

LARGEST_BYTES = 256 * 1024 * 1024
_HEAD = struct.Struct("<I")
_MARSHAL = 2
"""The version without references: looking for repeated objects took twice the time of writing them all."""


def frame(message: object) -> bytes:
    """The message as bytes on the socket. It holds nothing but built-in types."""
    content = marshal.dumps(message, _MARSHAL)  # type: ignore[arg-type]  # built-in types, as its caller promises
    return _HEAD.pack(len(content)) + content


class Frames:
    """Messages out of a stream of bytes that arrives in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[object, ...]]:
        """The messages that are whole now. Raises Unavailable for a frame too large to be ours."""
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            (length,) = _HEAD.unpack_from(self._buffer)
            if length > LARGEST_BYTES:
                raise Unavailable("a frame between front and writer is too large")
            end = _HEAD.size + length
            if len(self._buffer) < end:
                return
            with memoryview(self._buffer) as view:
                message = marshal.loads(view[_HEAD.size : end])  # noqa: S302  # our own processes only
            del self._buffer[:end]
            yield message


def from_batch(batch: Batch) -> tuple[object, ...]:
    """The batch in built-in types."""
    captures = [(c.index, c.endpoint, c.event_id, c.redacted, c.sealed) for c in batch.captures]
    client = asdict(batch.client) if batch.client else None
    fed = list(map(tuple, batch.fed))
    return list(batch.rows), batch.deltas.tobytes(), captures, fed, client, list(batch.bare)


def to_batch(message: tuple[object, ...]) -> Batch:
    """The batch that `from_batch` was given."""
    rows, items, captures, fed, client, bare = message
    return Batch(
        rows=rows,  # type: ignore[arg-type]  # a list of tuples, as sent
        deltas=np.frombuffer(items, dtype=DELTA),  # type: ignore[call-overload]
        captures=[CaptureRow(*capture) for capture in captures],  # type: ignore[attr-defined]
        fed=fed,  # type: ignore[arg-type]
        client=ClientCounts(**client) if client else None,  # type: ignore[arg-type]
        bare=bare,  # type: ignore[arg-type]
    )


def from_appended(appended: Appended) -> tuple[object, ...]:
    return appended.accepted, appended.duplicates, list(appended.too_old), list(appended.unstorable)
