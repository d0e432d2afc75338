"""Clients of a collector that behave as the SDK does: a batch is sent again until it is acknowledged.

The same seed sends the same kinds of requests: single records and batches, some records twice in a request,
some that another client has sent before. What a record says follows from its id alone, so that a test can
count the stored ones without reading anything else.
"""

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import count
from uuid import UUID

import msgspec
import requests

from monitor.model import Outcome, SeriesKey
from tests.faults.collector_process import TOKEN

CLIENTS = 4
LARGEST = 60
"""Records in one request."""
PAUSE_S = 0.04
"""Of a client between two requests: the load is bounded, whatever the collector could take."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the record of an id says."""

    series: SeriesKey
    outcome: Outcome
    error_class: str | None
    at_us: int


def said(record_id: UUID) -> Said:
    """What the record with this id says; its number is its low bits, its time its stamp."""
    number = record_id.int & 0xFFFFFFFF
    outcome = Outcome.SUCCEEDED
    if number % 10 == 0:
        outcome = Outcome.FAILED if number % 30 else Outcome.DEAD_LETTERED
    return Said(
        SeriesKey("production", "orum", f"endpoint-{number % 3}", f"type-{number % 7}"),
        outcome,
        f"Error{number % 2}" if outcome is not Outcome.SUCCEEDED else None,
        (record_id.int >> 80) * 1000,
    )


def new_id(client: int, number: int) -> UUID:
    """The id of a client's `number`-th record, made now."""
    return UUID(int=time.time_ns() // 1_000_000 << 80 | 7 << 76 | 2 << 62 | client << 32 | number)


def record(record_id: UUID) -> dict[str, object]:
    """The record of an id, as it goes over the wire."""
    told = said(record_id)
    return {
        "record_id": str(record_id),
        "event_id": f"evt-{record_id.int & 0xFFFFFFFFFFFF}",
        "source": told.series.source,
        "endpoint": told.series.endpoint,
        "event_type": told.series.event_type,
        "received_at": told.at_us,
        "outcome": told.outcome.value,
        "error_class": told.error_class,
        "process_ms": told.at_us % 100 + 0.5,
    }


class Load:
    """Clients at work for the length of a `with`; what they did is in `acknowledged`, `sent`, `problems`."""

    def __init__(self, *ports: int, seed: int = 1, patience_s: float = 15.0) -> None:
        """ports: of collectors over one store; each request goes to one of them. patience_s: how long a
        client that is told to stop goes on with the request that is under way."""
        self._urls = [f"http://127.0.0.1:{port}/api/v1/records" for port in ports]
        self._seed = seed
        self._patience_s = patience_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        self._known: deque[UUID] = deque(maxlen=10_000)
        self.sent: set[UUID] = set()
        self.acknowledged: set[UUID] = set()
        self.accepted = 0
        """Records that answers called new. An answer may be lost, so this may be less than is stored."""
        self.refusals: list[int] = []
        self.problems: list[str] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * self._patience_s + 30)
        self.problems += [f"client {t.name} hangs" for t in self._threads if t.is_alive()]

    def wait_for(self, more: int, within_s: float = 30) -> None:
        """Returns once `more` records than now are acknowledged."""
        wanted = len(self.acknowledged) + more
        deadline = time.monotonic() + within_s
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {wanted} acknowledged"
            time.sleep(0.01)

    def _run(self, client: int) -> None:
        dice = random.Random(f"{self._seed} {client}")
        numbers = count()
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {TOKEN}"
            while not self._stop.is_set():
                self._until_acknowledged(session, self._some(dice, client, numbers), dice)
                self._stop.wait(PAUSE_S * 2 * dice.random())

    def _some(self, dice: random.Random, client: int, numbers: "count[int]") -> list[UUID]:
        size = 1 if dice.random() < 0.3 else dice.randint(2, LARGEST)
        ids = [new_id(client, next(numbers)) for _ in range(size)]
        if dice.random() < 0.2:
            ids.append(dice.choice(ids))  # twice in one request
        if dice.random() < 0.2 and self._known:
            ids.append(dice.choice(list(self._known)))  # sent before, perhaps by another client
        self._known.extend(ids)
        return ids

    def _until_acknowledged(self, session: requests.Session, ids: list[UUID], dice: random.Random) -> None:
        self.sent.update(ids)
        body = msgspec.json.encode([record(each) for each in ids])
        give_up_s = float("inf")
        while time.monotonic() < give_up_s:
            if self._stop.is_set():
                give_up_s = min(give_up_s, time.monotonic() + self._patience_s)
            try:
                answer = session.post(dice.choice(self._urls), data=body, timeout=(2, 30))
            except requests.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self._note(answer, ids)
                if dice.random() < 0.05:
                    continue  # as if the answer had been lost: all of it once more
                return
            self.refusals.append(answer.status_code)
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                self.problems.append(f"{answer.status_code} {answer.text}")
                return
            time.sleep(0.05)

    def _note(self, answer: requests.Response, ids: list[UUID]) -> None:
        found = answer.json()
        if found["rejected"] or found["accepted"] + found["duplicates"] != len(ids):
            self.problems.append(answer.text)
        self.accepted += found["accepted"]  # only told, never judged by itself: threads may race here
        self.acknowledged.update(ids)
