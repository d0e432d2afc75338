"""Many signed events at a fixed rate over several connections: how a receiver fares under load.

Events fall due by the clock, not when the one before was answered, and an answer is timed from when its event
was due: a receiver that stalls is seen to stall, however few connections there are. Measures, never judges.
"""

import http.client
import itertools
import math
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import SplitResult, urlsplit

MOST_CONNECTIONS = 256
TIMEOUT_S = 30.0

Signed = Tuple[Sequence[Tuple[str, str]], bytes]
"""(headers, body) of one request."""


@dataclass(frozen=True)
class Answer:
    """What became of one event. told: `HTTP 200`, or what went wrong; seconds: since it was due."""

    told: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.told.startswith("HTTP 2")


@dataclass(frozen=True)
class Report:
    """Every answer, and how long all took together."""

    answers: Sequence[Answer]
    took_s: float

    @property
    def all_good(self) -> bool:
        return bool(self.answers) and all(answer.good for answer in self.answers)

    def by_answer(self) -> Dict[str, int]:
        """How often each was told, the most frequent first."""
        counts: Dict[str, int] = {}
        for answer in self.answers:
            counts[answer.told] = counts.get(answer.told, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def quantile_ms(self, q: float) -> float:
        """The nearest rank of the times of all answers, errors included. At least one answer."""
        ordered = sorted(answer.seconds for answer in self.answers)
        return 1000 * ordered[max(1, math.ceil(q * len(ordered))) - 1]

    def lines(self) -> List[str]:
        """For people."""
        if not self.answers:
            return ["no event was sent"]
        count = len(self.answers)
        times = ", ".join(
            f"{name} {self.quantile_ms(q):.1f} ms"
            for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        )
        return [
            f"{count} events in {self.took_s:.1f} s, {count / self.took_s:.1f} a second",
            *(f"{n:>8}  {told}" for told, n in self.by_answer().items()),
            f"from due to answered: {times}",
        ]


def run(
    url: str,
    signed: Callable[[int], Signed],
    count: int,
    *,
    rate: Optional[float] = None,
    connections: int = 1,
) -> Report:
    """Sends the events 0 to `count` - 1, each made by `signed` in its turn, and waits for the answers.

    rate: events a second; without one each connection sends as soon as it was answered. An interrupt ends it
    early, with a report of what was sent. Raises ValueError for senseless numbers or an address without http.
    """
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname or place.port == 0:
        raise ValueError(f"{url!r} is not an http address")
    if count < 1 or not 1 <= connections <= MOST_CONNECTIONS or (rate is not None and not rate > 0):
        raise ValueError(
            f"expected at least one event, 1 to {MOST_CONNECTIONS} connections and a rate above zero"
        )
    senders = _Senders(place, signed, count, rate)
    began = time.perf_counter()
    threads = [threading.Thread(target=senders.work, args=(began,)) for _ in range(min(connections, count))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        senders.end.set()
        for thread in threads:
            thread.join()
    if senders.failure is not None:
        raise senders.failure
    return Report(senders.answers, time.perf_counter() - began)


class _Senders:
    """What the threads share; each has a connection of its own."""

    def __init__(
        self, place: SplitResult, signed: Callable[[int], Signed], count: int, rate: Optional[float]
    ) -> None:
        self._place = place
        self._signed = signed
        self._rate = rate
        self._numbers: Iterator[int] = iter(range(count))  # next() of it is atomic
        self.answers: List[Answer] = []
        self.end = threading.Event()
        self.failure: Optional[Exception] = None

    def work(self, began: float) -> None:
        connection = _Connection(self._place)
        try:
            for number in itertools.takewhile(lambda _: not self.end.is_set(), self._numbers):
                headers, body = self._signed(number)
                due = time.perf_counter() if self._rate is None else began + number / self._rate
                if self.end.wait(max(0.0, due - time.perf_counter())):
                    return
                told = connection.post(dict(headers), body)
                self.answers.append(Answer(told, time.perf_counter() - due))
        except (ValueError, RuntimeError) as exc:  # what cannot be signed stops all of them
            self.failure = exc
            self.end.set()
        finally:
            connection.close()


class _Connection:
    """One connection, kept open; opened again after an error."""

    def __init__(self, place: SplitResult) -> None:
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._http = kind(place.hostname or "", place.port, timeout=TIMEOUT_S)
        self._path = (place.path or "/") + (f"?{place.query}" if place.query else "")

    def post(self, headers: Mapping[str, str], body: bytes) -> str:
        """`HTTP <status>`, or the name of what went wrong."""
        reused = self._http.sock is not None
        try:
            return self._post(headers, body)
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError) as exc:
            self.close()
            if not reused:
                return f"no answer: {type(exc).__name__}"
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            return f"no answer: {type(exc).__name__}"
        try:  # the receiver had closed an idle connection: the event has not been heard
            return self._post(headers, body)
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            return f"no answer: {type(exc).__name__}"

    def close(self) -> None:
        self._http.close()

    def _post(self, headers: Mapping[str, str], body: bytes) -> str:
        self._http.request("POST", self._path, body, dict(headers))
        response = self._http.getresponse()
        response.read()
        return f"HTTP {response.status}"
