"""A few questions to a Redis over one connection: RESP 2, replies of at most 64 KiB in all, one deadline."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from alerts.egress import Egress
from alerts.errors import Failure, RequestFailed
from alerts.http import trusting
from monitor.probes.queues.target import QueueTarget

REPLY_BYTES = 64 * 1024
DEEPEST = 8
PORT = 6379
Reply = int | bytes | None | list["Reply"]


class Redis:
    """One connection. Raises RequestFailed for whatever does not come as it should."""

    def __init__(
        self, connection: socket.socket, host: str, timeout_s: float, monotonic: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._host = host
        self._monotonic = monotonic
        self._until_s = monotonic() + timeout_s
        self._buffer = b""
        self._left = REPLY_BYTES

    def ask(self, *words: str | bytes | int) -> Reply:
        """The reply to one command."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        lines = [b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)]
        try:
            self._connection.sendall(b"".join(lines))
            return self._reply(DEEPEST)
        except TimeoutError:
            raise self._late() from None
        except OSError:
            raise self._broken() from None

    def number(self, *words: str | bytes | int) -> int:
        """The reply to a command that is answered by a number."""
        reply = self.ask(*words)
        if not isinstance(reply, int):
            raise self._broken()
        return reply

    def _reply(self, depth: int) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise self._refused(rest.decode(errors="replace"))
        if kind == b"+":
            return rest
        if kind == b":":
            return self._int(rest)
        length = self._int(rest)
        if kind == b"$":
            return None if length < 0 else self._bytes(length)
        if kind == b"*" and depth and length <= REPLY_BYTES:
            return None if length < 0 else [self._reply(depth - 1) for _ in range(length)]
        raise self._broken()

    def _int(self, text: bytes) -> int:
        try:
            return int(text)
        except ValueError:
            raise self._broken() from None

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _bytes(self, length: int) -> bytes:
        if length > self._left + len(self._buffer):
            raise self._too_large()
        while len(self._buffer) < length + 2:
            self._receive()
        content, self._buffer = self._buffer[:length], self._buffer[length + 2 :]
        return content

    def _receive(self) -> None:
        if self._left <= 0:
            raise self._too_large()
        left_s = self._until_s - self._monotonic()
        if left_s <= 0:
            raise self._late()
        self._connection.settimeout(left_s)
        received = self._connection.recv(min(8192, self._left))
        if not received:
            raise self._broken()
        self._left -= len(received)
        self._buffer += received

    def _late(self) -> RequestFailed:
        return RequestFailed(Failure.TIMEOUT, f"{self._host} did not answer in time", retryable=True)

    def _broken(self) -> RequestFailed:
        return RequestFailed(
            Failure.BROKEN_RESPONSE, f"{self._host} does not answer as a Redis does", retryable=True
        )

    def _too_large(self) -> RequestFailed:
        return RequestFailed(
            Failure.TOO_LARGE, f"{self._host} answered more than {REPLY_BYTES} bytes", retryable=False
        )

    def _refused(self, said: str) -> RequestFailed:
        code = said.split(" ", 1)[0][:32]
        if code in ("NOAUTH", "WRONGPASS", "NOPERM"):
            return RequestFailed(
                Failure.AUTHENTICATION,
                f"{self._host} refused the user or the password ({code})",
                retryable=False,
                hint="set user and password of this queue",
            )
        return RequestFailed(Failure.CLIENT_ERROR, f"{self._host} answered: {said[:200]}", retryable=False)


@contextmanager
def connected(
    target: QueueTarget,
    egress: Egress,
    timeout_s: float,
    *,
    ca_file: str | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Redis]:
    """A connection that is signed in, its database selected. Raises RequestFailed."""
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or PORT
    place = f"{host}:{port}"
    with egress.connect(host, port, timeout_s) as plain:
        connection = plain
        if parts.scheme == "rediss":
            context = trusting(ca_file)
            try:
                connection = context.wrap_socket(plain, server_hostname=host)
            except OSError:
                raise RequestFailed(Failure.TLS, f"{place}: TLS handshake failed", retryable=True) from None
        with connection:
            redis = Redis(connection, place, timeout_s, monotonic)
            if target.password:
                redis.ask("AUTH", *([target.user] if target.user else []), target.password)
            database = parts.path.strip("/")
            if database not in ("", "0"):
                redis.ask("SELECT", database)
            yield redis
