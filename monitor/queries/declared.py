"""Which event types receivers say that they handle and expect, by endpoint; read only.

What arrives and what was declared are held against each other elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.clock import from_us, to_us
from monitor.model import SeriesKey
from monitor.store.facts.protocol import FactReader

DECLARED_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Declared:
    """handled: types, and patterns with `*`. expected: types by their whole names. said_at: at the latest."""

    handled: frozenset[str]
    expected: frozenset[str]
    said_at: datetime


def declared_types(
    reader: FactReader, now: datetime, back: timedelta = DECLARED_BACK
) -> Mapping[SeriesKey, Declared]:
    """By endpoint, what the instance heard last says; an endpoint of which none speaks is not there."""
    found: dict[SeriesKey, Declared] = {}
    for client in sorted(reader.clients(to_us(now - back)), key=lambda each: each.seen_at_us):
        said: Any = client.state.get("types", ())
        for each in said:
            key = SeriesKey(each["environment"], each["source"], each["endpoint"])
            found[key] = Declared(
                frozenset(each["handled"]), frozenset(each["expected"]), from_us(client.seen_at_us)
            )
    return found
