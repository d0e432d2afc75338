"""Receivers inside web frameworks: each adapter passes the raw request on and returns the answer, no more."""

from typing import Any, List, Optional, Protocol, Tuple

from hookvitals.schemes.signed import HeadersLike

_CHUNK_BYTES = 64 * 1024


class Limits(Protocol):
    """What an adapter must know of a receiver's settings."""

    @property
    def max_body_bytes(self) -> int: ...


class Mounted(Protocol):
    """What an adapter needs of a receiver."""

    @property
    def settings(self) -> Limits: ...

    def start(self) -> None: ...

    def handle(
        self, method: str, url: str, headers: HeadersLike, body: bytes, remote_addr: Optional[str] = None
    ) -> Tuple[int, List[Tuple[str, str]], bytes]: ...


def body_of(stream: Any, max_bytes: int) -> bytes:
    """The body, or one byte more than allowed: enough for the receiver to refuse it."""
    parts: List[bytes] = []
    left = max_bytes + 1
    while left > 0:
        part = stream.read(min(left, _CHUNK_BYTES))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
