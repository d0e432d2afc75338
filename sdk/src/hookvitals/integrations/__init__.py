"""Receivers inside web frameworks: each adapter passes the raw request on and returns the answer, no more.

What the adapters share: reading a body up to a bound, and the path as the sender wrote it.
"""

from typing import Any, List, NamedTuple, Optional, Protocol, Tuple
from urllib.parse import quote, unquote

from hookvitals.schemes.signed import HeadersLike

Response = Tuple[int, List[Tuple[str, str]], bytes]
_CHUNK_BYTES = 64 * 1024
_IN_A_PATH = "/;=,:@!$&'()*+~"


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
        cut_off: bool = False,
    ) -> Response: ...


class Body(NamedTuple):
    """What was read of a body. cut_off: its sender went away before its end."""

    data: bytes
    cut_off: bool = False


def body_of(stream: Any, max_bytes: int, length: Optional[int] = None) -> Body:
    """The body, or one byte more than allowed: enough for the receiver to refuse it.

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
    except Exception:  # each server has an error of its own for a connection that was lost
        return Body(b"".join(parts), cut_off=True)
    return Body(b"".join(parts), cut_off=left > 0 and length is not None)


def path_of(written: str, path: bytes) -> str:
    """The URL's path, quoted. written: as the sender wrote it, where the server tells; it counts if it means
    `path`, which is what the application sees: a proxy or a middleware may have put a prefix before it."""
    if written.isascii() and unquote(written) == path.decode("utf-8", "replace"):
        return written
    return quote(path, _IN_A_PATH)
