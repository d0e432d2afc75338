"""What was seen at an endpoint, value by value: which types, addresses and secrets, and when.

Values only. They are found in what verified; of payloads they hold the names of fields and no value.
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
    FIELD = "field"
    SPEC_VERSION = "spec_version"
    SIGNATURE_HEADERS = "signature_headers"


SHAPES = (Aspect.FIELD, Aspect.SPEC_VERSION, Aspect.SIGNATURE_HEADERS)
"""What receivers themselves tell of their requests, by their names alone."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """value: an event type, a sender's address, or the short keyed hash of the secret that verified; of a
    shape the name of a field, a version, the names of headers.

    first_at, last_at: by the time of the records; of a shape by when receivers told of it. sample: the id of
    the first record; of a shape that of its event.
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
