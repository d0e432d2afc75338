"""Registering what was never seen before: the source and endpoint of a first verified record.

What was only ever rejected is not registered: anybody can send that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.model import UNVERIFIED, SeriesKey


class Register(Protocol):
    """Adds the (environment, source, endpoint) that are not known yet; how many were new."""

    def __call__(self, seen: Iterable[tuple[str, str, str]], at: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Cataloguing:
    """The job."""

    series: Callable[[], Mapping[int, SeriesKey]]
    register: Register
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Registers new endpoints; says how many."""
        new = self.register(verified_places(self.series().values()), self.now())
        return f"{new} new endpoints" if new else ""


def verified_places(series: Iterable[SeriesKey]) -> set[tuple[str, str, str]]:
    """(environment, source, endpoint) of everything that had a verified event."""
    return {
        (key.environment, key.source, key.endpoint)
        for key in series
        if key.source and key.endpoint and key.event_type not in (None, UNVERIFIED)
    }
