"""Receivers under a clock that is set by hand, reporting to a collector on loopback."""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hookvitals import Event, Receiver, RetryPolicy, Shipper
from hookvitals.settings import SEPARATOR
from hookvitals.state import Claim
from hookvitals.testing import signed_request
from tests.sdk.collector import KEY, Collector

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/webhooks/billing"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REPLAY_SECRET = "whsec_cmVwbGF5IHNlY3JldCBvZiB0aGlzIGVuZHBvaW50"
Headers = list[tuple[str, str]]


class Clock:
    """Seconds since 1970, moved by hand; also serves as a monotonic clock."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Answered:
    """What `handle` returned."""

    def __init__(self, answer: tuple[int, Headers, bytes]) -> None:
        self.status, pairs, self.body = answer
        self.headers = dict(pairs)

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["Content-Type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        return document


class World:
    """One collector, one clock, any number of receivers; `handled` holds what the handlers saw."""

    def __init__(self, collector: Collector, url: str, directory: Path) -> None:
        self.collector = collector
        self.url = url
        self.directory = directory
        self.clock = Clock()
        self.shipper = Shipper(url, KEY, batch_delay_s=60.0, sample_every_s=3600.0)
        self.handled: list[Event] = []
        self.changed = threading.Condition()
        self.behave: Callable[[Event], None] = lambda event: None
        self._receivers: list[Receiver] = []

    def receiver(self, source: str = "acme", *, handle: str | None = "*", **settings: Any) -> Receiver:
        """A receiver of Standard Webhooks unless `system` says otherwise; `behave` handles everything."""
        given: dict[str, Any] = {
            "endpoint": "orders",
            "secrets": [SECRET],
            "system": "standard",
            "shipper": self.shipper,
            "now": self.clock,
            "monotonic": self.clock,
            "replay_secret": REPLAY_SECRET,
            "retry": RetryPolicy(uniform=lambda low, high: 0.0),
        }
        receiver = Receiver(source, **{**given, **settings})
        if handle:
            receiver.on(handle)(self._handle)
        self._receivers.append(receiver)
        return receiver

    def inbox(self, **settings: Any) -> Receiver:
        """A receiver that acknowledges first, its state in `state.db`."""
        return self.receiver(state_path=str(self.directory / "state.db"), inbox=True, **settings)

    def crash_within(self, receiver: Receiver, event_id: str = "evt_1") -> None:
        """Leaves the state as a process does that is killed while it handles this event."""
        key = f"{receiver.settings.scope}{SEPARATOR}{event_id}"
        lease_us = int(receiver.settings.lease_s * 1e6)
        assert receiver.state.claim(key, int(self.clock.now * 1e6), lease_us) is Claim.NEW

    def _handle(self, event: Event) -> None:
        with self.changed:
            self.handled.append(event)
            self.changed.notify_all()
        self.behave(event)

    def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Returns once `holds()`, which is asked whenever a handler is entered and each 10 ms."""
        with self.changed:
            for _ in range(int(timeout_s * 100)):
                if holds():
                    return
                self.changed.wait(0.01)
        raise AssertionError(f"not within {timeout_s} s")

    def records(self) -> list[dict[str, Any]]:
        """All records so far, in the order they were noted in."""
        assert self.shipper.flush(10.0), self.shipper.counts()
        return self.collector.records

    def outcomes(self) -> list[str]:
        return [record["outcome"] for record in self.records()]

    def close(self) -> None:
        for receiver in self._receivers:
            receiver.close()
        self.shipper.close()


def request(
    event_id: str = "evt_1",
    event_type: str = "invoice.paid",
    data: Mapping[str, Any] | None = None,
    *,
    at: float = NOW,
    secret: str = SECRET,
    system: str = "standard",
) -> tuple[Headers, bytes]:
    """(headers, body) as `system` would send them at `at`."""
    return signed_request(system, secret, event_id, event_type, dict(data or {}), now=at)


def deliver(
    receiver: Receiver,
    event_id: str = "evt_1",
    *,
    address: str = "192.0.2.1",
    more: Headers | None = None,
    **made: Any,
) -> Answered:
    """What the receiver answers to one event."""
    headers, body = request(event_id, **made)
    return Answered(receiver.handle("POST", URL, [*headers, *(more or [])], body, address))
