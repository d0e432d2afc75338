"""Clients of the collector: a few connections, each sends one request after the other's answer."""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

Address = tuple[str, int]
Next = Callable[[], tuple[bytes, float] | None]
"""The next request and when it is due (time.perf_counter; 0 for at once); None once there are no more."""


@dataclass(slots=True)
class Sent:
    """What came of it. answered_s: when each answer came, since the first byte was sent."""

    taken_s: float = 0.0
    answer_ms: list[float] = field(default_factory=list)
    """From when each request was due, or was sent if it had no time, to its answer."""
    answered_s: list[float] = field(default_factory=list)


def flat_out(requests: Sequence[bytes]) -> Next:
    """All requests, as fast as they are answered."""
    left = iter(requests)
    lock = threading.Lock()

    def one() -> tuple[bytes, float] | None:
        with lock:
            request = next(left, None)
        return None if request is None else (request, 0.0)

    return one


def for_seconds(request: Callable[[], bytes], seconds: float) -> Next:
    """Requests made anew, as fast as they are answered."""
    end = time.perf_counter() + seconds
    return lambda: (request(), 0.0) if time.perf_counter() < end else None


def paced(request: Callable[[], bytes], a_second: float, seconds: float) -> Next:
    """Requests at an even pace, whether or not those before were answered."""
    began, numbers = time.perf_counter(), count()

    def one() -> tuple[bytes, float] | None:
        due = began + next(numbers) / a_second
        return None if due > began + seconds else (request(), due)

    return one


def sent(address: Address, requests: Next, connections: int) -> Sent:
    """Sends them all over so many connections. Exits when one is not answered well."""
    client = _Client(address, requests, connections)
    try:
        client.run()
    finally:
        client.close()
    return client.found


class _Connection:
    """One socket: what is left to send of its request, what came of the answer, since when it is due."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.left = memoryview(b"")
        self.answer = b""
        self.due = 0.0


class _Client:
    """One thread for all connections: threads would take processor time from the collector for themselves."""

    def __init__(self, address: Address, requests: Next, connections: int) -> None:
        self.found = Sent()
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._all = [_Connection(address) for _ in range(connections)]
        self._idle = deque(self._all)
        self._next: tuple[bytes, float] | None = None
        self._began = time.perf_counter()
        for connection in self._all:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def run(self) -> None:
        self._next = self._requests()
        while self._next is not None or len(self._idle) < len(self._all):
            wait_s = self._start_due()
            for key, events in self._selector.select(wait_s):
                if events & selectors.EVENT_WRITE:
                    self._send(key.data)
                if events & selectors.EVENT_READ:
                    self._receive(key.data)
        self.found.taken_s = time.perf_counter() - self._began

    def close(self) -> None:
        for connection in self._all:
            connection.socket.close()
        self._selector.close()

    def _start_due(self) -> float:
        """Gives idle connections what is due; seconds to wait at most for what may happen next."""
        while self._idle and self._next is not None:
            request, due = self._next
            now = time.perf_counter()
            if due > now:
                return due - now
            connection = self._idle.popleft()
            connection.left, connection.due = memoryview(request), due or now
            self._send(connection)
            self._next = self._requests()
        return 60.0

    def _send(self, connection: _Connection) -> None:
        """As much as the socket takes; the rest when it takes more."""
        with suppress(BlockingIOError):
            while connection.left:
                connection.left = connection.left[connection.socket.send(connection.left) :]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.left else 0)
        if self._selector.get_key(connection.socket).events != wanted:
            self._selector.modify(connection.socket, wanted, connection)

    def _receive(self, connection: _Connection) -> None:
        more = connection.socket.recv(65_536)
        connection.answer += more
        if b'"rejected":[]}' in connection.answer:
            now = time.perf_counter()
            self.found.answer_ms.append((now - connection.due) * 1000)
            self.found.answered_s.append(now - self._began)
            connection.answer = b""
            self._idle.append(connection)
        elif (
            not more or len(connection.answer) > 100_000 or not connection.answer.startswith(b"HTTP/1.1 200")
        ):
            raise SystemExit(f"the collector refused a request: {connection.answer[:500]!r}")
