"""Receivers inside web frameworks: each adapter passes the raw request on and returns the answer, no more.

What the adapters share: reading a body up to a bound, and the path as the sender wrote it.
"""

import logging
from typing import Any, List, Optional, Protocol, Tuple
from urllib.parse import quote, unquote

from hookvitals.schemes.signed import HeadersLike

log = logging.getLogger("hookvitals")

Response = Tuple[int, List[Tuple[str, str]], bytes]
_CHUNK_BYTES = 64 * 1024
_IN_A_PATH = "/;=,:@!$&'()*+~"
_BROKEN_OFF: Response = (400, [("Content-Type", "text/plain")], b"the body ended early\n")


class Limits(Protocol):
    """What an adapter must know of a receiver's settings."""

    @property
    def max_body_bytes(self) -> int: ...


class Mounted(Protocol):
    """What an adapter needs of a receiver."""

    @property
    def settings(self) -> Limits: ...

    def start(self) -> None: ...

    def close(self) -> None: ...

    def handle(
        self,
        method: str,
        url: str,
        headers: HeadersLike,
        body: bytes,
        remote_addr: Optional[str] = None,
        *,
        arrived_ns: Optional[int] = None,
    ) -> Response: ...


def answer_of(
    receiver: Mounted,
    method: str,
    url: str,
    headers: HeadersLike,
    body: Optional[bytes],
    remote_addr: Optional[str],
    arrived_ns: Optional[int] = None,
) -> Response:
    """What the receiver answers. body: None when it broke off: half a body is no event and no forgery."""
    if body is None:
        log.info("hookvitals: a sender went away before its whole body had come")
        return _BROKEN_OFF
    return receiver.handle(method, url, headers, body, remote_addr, arrived_ns=arrived_ns)


def body_of(stream: Any, max_bytes: int, length: Optional[int] = None) -> Optional[bytes]:
    """The body, or one byte more than allowed: enough for the receiver to refuse it. None when it broke off.

    length: as declared; without one the stream is read to its end, which the server must put there.
    """
    left = max_bytes + 1 if length is None else min(length, max_bytes + 1)
    parts: List[bytes] = []
    try:
        while left > 0:
            part = stream.read(min(left, _CHUNK_BYTES))
            if not part:
                break
            parts.append(part)
            left -= len(part)
    except OSError:  # how servers tell of a connection that was lost
        return None
    return None if left and length is not None else b"".join(parts)


def path_of(written: str, path: bytes) -> str:
    """The URL's path, quoted. written: as the sender wrote it, where the server tells; it counts if it means
    `path`, which is what the application sees: a proxy or a middleware may have put a prefix before it."""
    if written.isascii() and unquote(written) == path.decode("utf-8", "replace"):
        return written
    return quote(path, _IN_A_PATH)
