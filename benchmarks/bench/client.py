"""Clients of the collector: a few connections, each sends one request after the other's answer."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
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
    found, problems = Sent(), list[bytes]()
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_send, args=(address, requests, began, found, problems))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.taken_s = time.perf_counter() - began
    if problems:
        raise SystemExit(f"the collector refused a request: {problems[0][:500]!r}")
    return found


def _send(address: Address, requests: Next, began: float, found: Sent, problems: list[bytes]) -> None:
    with socket.create_connection(address, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not problems and (given := requests()) is not None:
            request, due = given
            time.sleep(max(0.0, due - time.perf_counter()))
            due = due or time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65_536)
            while b'"rejected":[]}' not in answer:
                more = connection.recv(65_536)
                answer += more
                if not more or len(answer) > 100_000 or not answer.startswith(b"HTTP/1.1 200"):
                    problems.append(answer)
                    return
            now = time.perf_counter()
            found.answer_ms.append((now - due) * 1000)
            found.answered_s.append(now - began)
