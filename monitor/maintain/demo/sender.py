"""The demo's providers at work: sends what `traffic.py` makes to the receiver, from a thread, until stopped.

Like a provider it redelivers what was not answered 2xx, a few times; it knows nothing of the monitor.
"""

import http.client
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import TracebackType
from urllib.parse import urlsplit

from monitor.clock import Clock
from monitor.maintain.demo.signing import Sign
from monitor.maintain.demo.traffic import Event, Fault, Provider, due, faults

TICK_S = 0.1
TIMEOUT_S = 10.0
REDELIVERIES = 2
REDELIVER_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where one source's events go, and how they are signed."""

    source: str
    path: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Again:
    """A request to redeliver at `at_s`."""

    at_s: float
    route: Route
    event: Event
    left: int


class Sender:
    """A thread that sends from `with` to its end. answers: how often each status came back."""

    def __init__(self, receiver_url: str, routes: tuple[Route, ...], clock: Clock, chance: Random) -> None:
        self._host = urlsplit(receiver_url).netloc
        self._routes = routes
        self._clock = clock
        self._providers = {route.source: Provider(route.source, chance) for route in routes}
        self._faults = faults(chance)
        self._again: deque[Again] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-sender")
        self.answers: Counter[int | str] = Counter()

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        started_s, sent = self._clock.monotonic(), 0
        while not self._stop.wait(TICK_S):
            now_s = self._clock.monotonic()
            for _ in range(due(now_s - started_s, sent)):
                if self._stop.is_set():
                    return
                self._new(self._routes[sent % len(self._routes)])
                sent += 1
            while self._again and self._again[0].at_s <= now_s:
                again = self._again.popleft()
                self._deliver(again.route, again.event, Fault.NONE, again.left)

    def _new(self, route: Route) -> None:
        fault = next(self._faults)
        event = self._providers[route.source].next(self._clock.now(), fault)
        self._deliver(route, event, fault, REDELIVERIES)

    def _deliver(self, route: Route, event: Event, fault: Fault, left: int) -> None:
        # Signed anew at each delivery, as providers do: a signed time of long ago would be refused.
        headers = dict(route.sign(event.event_id, self._clock.now(), event.body, event.fields))
        body = event.body[:-1] + b" }" if fault is Fault.FORGED else event.body
        status = self._post(route.path, {"Content-Type": "application/json", **headers}, body)
        self.answers[status] += 1
        refused = isinstance(status, str) or status in (429, 500, 502, 503, 504)
        if refused and left:
            at_s = self._clock.monotonic() + REDELIVER_AFTER_S
            self._again.append(Again(at_s, route, event, left - 1))

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> int | str:
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, body, dict(headers))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as exc:
            return type(exc).__name__
        finally:
            connection.close()
