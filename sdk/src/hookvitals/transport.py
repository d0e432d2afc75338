"""One kept-alive connection to the collector: posts JSON, compressed, and reads the answer within bounds.

Knows nothing of records. Used by one thread at a time; raises OSError or HTTPException when nothing answers.
"""

import contextlib
import copy
import email.utils
import encodings.idna  # noqa: F401  # connecting imports it; a fork just then would leave its lock held in the child
import gzip
import json
import socket
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Any, Optional
from urllib.parse import urlsplit

from hookvitals.version import VERSION

_ANSWER_BYTES = 1 << 20
_LONGEST_RETRY_AFTER_S = 300.0


@dataclass(frozen=True)
class Answered:
    """What the collector said. document: the decoded JSON, None when it was none."""

    status: int
    document: Any
    retry_after_s: Optional[float]


class Transport:
    """url: http(s)://host[:port][/base]. key: sent as Bearer. Raises ValueError for any other form."""

    def __init__(self, url: str, key: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the collector's address {url!r} is not http(s)://host:port")
        if not key or not key.isascii() or not key.isprintable():
            raise ValueError("an ingest key is needed; `hookvitals key create` makes one")
        self._host, self._port = parts.hostname, parts.port
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._base = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"hookvitals-python/{VERSION}",
        }
        self._connection: Optional[HTTPConnection] = None

    def post(self, path: str, body: bytes) -> Answered:
        """The answer to this JSON. A kept connection that turns out closed is replaced once."""
        packed = gzip.compress(body, 1)
        kept = self._connection is not None
        try:
            return self._posted(path, packed)
        except (HTTPException, OSError) as exc:
            self.close()
            if not kept or not isinstance(exc, (HTTPException, ConnectionError)):
                raise
        try:
            return self._posted(path, packed)
        except (HTTPException, OSError):
            self.close()
            raise

    def fresh(self) -> "Transport":
        """The same without a connection."""
        made = copy.copy(self)
        made._connection = None
        return made

    def close(self) -> None:
        """Ends the connection; the next post opens another."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def _posted(self, path: str, packed: bytes) -> Answered:
        if self._connection is None:
            self._connection = self._kind(self._host, self._port, timeout=self._timeout_s)
            self._connection.connect()
            with contextlib.suppress(OSError):
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.request("POST", self._base + path, packed, self._headers)
        response = self._connection.getresponse()
        text = response.read(_ANSWER_BYTES + 1)
        if len(text) > _ANSWER_BYTES:
            raise HTTPException("the collector's answer is too long to be one")
        if response.length:
            raise IncompleteRead(text, response.length)
        return Answered(
            response.status, _decoded(text), retry_after_s(response.getheader("Retry-After"), time.time())
        )


def retry_after_s(value: Optional[str], now: float) -> Optional[float]:
    """Seconds to wait, from a Retry-After of seconds or of a date; None without one that can be read."""
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        wait_s = float(text[:9])
    else:
        try:
            wait_s = email.utils.parsedate_to_datetime(text).timestamp() - now
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
    return min(_LONGEST_RETRY_AFTER_S, max(0.1, wait_s))


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
