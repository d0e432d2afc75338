"""What was seen at an endpoint, value by value: which types, addresses and secrets, and when.

Values only. They are found in stored records that verified; payloads are in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Aspect(StrEnum):
    """Of what a sighting is a value."""

    TYPE = "event type"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105  # the word


@dataclass(frozen=True, slots=True)
class Sighting:
    """value: an event type, a sender's address, or the short keyed hash of the secret that verified.

    first_at, last_at: by the time of the records. sample: the id of the first of them.
    """

    aspect: Aspect
    value: str
    first_at: datetime
    last_at: datetime
    sample: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What a receiver says: types, and patterns with `*`, that it handles; those that it expects."""

    handled: frozenset[str] = frozenset()
    expected: frozenset[str] = frozenset()
