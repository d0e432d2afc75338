"""What the demo's providers send, and when: steady traffic with the faults of real life, as pure values.

It sends nothing; `sender.py` does. A failing period is no part of it: that is the ledger's.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

PER_SECOND = 3.0
BURST_EVERY_S = 45
BURST = 15


class Fault(StrEnum):
    """What is out of the ordinary about one request."""

    NONE = "none"
    DUPLICATE = "duplicate"
    FORGED = "forged"
    OUT_OF_ORDER = "out_of_order"
    SLOW = "slow"


SHARES = {Fault.DUPLICATE: 0.05, Fault.FORGED: 0.05, Fault.OUT_OF_ORDER: 0.04, Fault.SLOW: 0.03}
TYPES = {
    "acme": ("order.placed", "order.paid", "order.shipped"),
    "hopnow": ("account.created", "payment.settled"),
    "orum": ("transfer.created", "transfer.settled"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event as its provider writes it."""

    source: str
    event_id: str
    at: datetime
    fields: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        return json.dumps(self.fields, separators=(",", ":")).encode()


class Provider:
    """Makes one source's events; remembers its latest ones, so that it can repeat and reorder them."""

    def __init__(self, source: str, chance: random.Random) -> None:
        self.source = source
        self._chance = chance
        self._made = 0
        self._latest: Event | None = None

    def next(self, at: datetime, fault: Fault) -> Event:
        """An event of `at`; the latest once more for a duplicate."""
        if fault is Fault.DUPLICATE and self._latest is not None:
            return self._latest
        self._made += 1
        changed_at = at - timedelta(minutes=10) if fault is Fault.OUT_OF_ORDER else at
        event_id = f"{self.source}_{self._chance.getrandbits(64):016x}"
        event_type = self._chance.choice(TYPES[self.source])
        thing = f"obj_{self._made % 20}"
        fields = shaped(self.source, event_id, event_type, thing, at, changed_at, slow=fault is Fault.SLOW)
        event = Event(self.source, event_id, at, fields)
        if fault is Fault.NONE:
            self._latest = event
        return event


def shaped(
    source: str, event_id: str, event_type: str, thing: str, at: datetime, changed_at: datetime, *, slow: bool
) -> Mapping[str, Any]:
    """The body's fields, in the shape of the provider's own documents."""
    data = {"id": thing, "amount": 1000 + len(thing), "slow": slow}
    if source == "orum":
        return {
            "event_id": event_id,
            "event_type": event_type,
            "created_at": _text(at),
            "event_data": {**data, "updated_at": _text(changed_at)},
        }
    if source == "hopnow":
        return {
            "id": event_id,
            "type": event_type,
            "created": _text(at),
            "data": {**data, "updated": _text(changed_at)},
        }
    return {"type": event_type, "timestamp": _text(at), "data": {**data, "updated_at": _text(changed_at)}}


def faults(chance: random.Random) -> Iterator[Fault]:
    """An endless row of faults in their shares."""
    kinds, shares = list(SHARES), list(SHARES.values())
    while True:
        yield chance.choices([Fault.NONE, *kinds], [1 - sum(shares), *shares])[0]


def due(elapsed_s: float, sent: int) -> int:
    """How many requests are due now, bursts included. sent: how many have left."""
    bursts = int(elapsed_s // BURST_EVERY_S) * BURST
    return max(0, int(elapsed_s * PER_SECOND) + bursts - sent)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
