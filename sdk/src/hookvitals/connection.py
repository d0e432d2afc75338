"""One HTTP connection to a receiver, as a provider has it: follows no redirect, reads a bounded answer.

Kept open between requests and opened again where the receiver let go. Tells what came; judges nothing.
"""

import http.client
import time
from dataclasses import dataclass
from typing import Dict, Mapping, Union
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
ANSWER_BYTES = 2000
"""Of an answer's body, what is kept; what comes beyond is not waited for."""

_FAULTS = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """What the receiver answered. headers: by their lower-case names; of a doubled one the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def told(self) -> str:
        return f"HTTP {self.status}"

    @property
    def taken(self) -> bool:
        """What a sender counts as received."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class NoAnswer:
    """What went wrong instead. let_go: the receiver ended the connection; unread: before it had read all."""

    error: str
    let_go: bool = False
    unread: bool = False
    status: int = 0
    taken: bool = False

    @property
    def told(self) -> str:
        return f"no answer: {self.error}"


Told = Union[Answer, NoAnswer]


class Connection:
    """To one address. timeout_s: for each wait, and for the whole of an answer's body.

    Raises ValueError for an address that is not http.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname or place.port == 0:
            raise ValueError(f"{url!r} is not an http address")
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._http = kind(place.hostname, place.port, timeout=timeout_s)
        self._path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        self._timeout_s = timeout_s

    def send(self, headers: Mapping[str, str], body: bytes, method: str = "POST") -> Told:
        """The answer to one request, whatever happens."""
        reused = self._http.sock is not None
        told = self._sent(headers, body, method)
        if reused and isinstance(told, NoAnswer) and told.let_go:
            return self._sent(
                headers, body, method
            )  # it had closed an idle connection: nobody has heard this
        return told

    def close(self) -> None:
        self._http.close()

    def _sent(self, headers: Mapping[str, str], body: bytes, method: str) -> Told:
        began_s = time.perf_counter()
        broke_off = ""
        try:
            try:
                self._http.request(method, self._path, body or None, dict(headers))
            except ConnectionError as exc:
                if self._http.sock is None:
                    raise
                broke_off = type(exc).__name__  # it may have answered before it let go
            return self._answer(began_s)
        except _FAULTS as exc:
            self.close()
            error = broke_off or type(exc).__name__
            unread = bool(broke_off) or type(exc) is ConnectionResetError  # TCP resets what is closed unread
            return NoAnswer(error, isinstance(exc, ConnectionError), unread)

    def _answer(self, began_s: float) -> Answer:
        response = self._http.getresponse()
        try:
            body = self._read(response, began_s + self._timeout_s)
        finally:
            if not response.isclosed():  # more than is kept: the connection cannot be used again
                self.close()
        found: Dict[str, str] = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, body, time.perf_counter() - began_s)

    def _read(self, response: http.client.HTTPResponse, until_s: float) -> bytes:
        parts = b""
        while len(parts) <= ANSWER_BYTES and time.perf_counter() < until_s:
            part = response.read1(ANSWER_BYTES + 1)
            if not part:
                break
            parts += part
        return parts[:ANSWER_BYTES]
