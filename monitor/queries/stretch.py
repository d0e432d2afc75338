"""A stretch of time as the facts can still count it: exact to the minute, or widened to whole hours or days.

Minutes below the floor are purged, and hours in time; days stay. A stretch that ends inside a bucket whose
finer ones are gone is widened to that bucket, so that nothing is lost, and says so. Reads only the floor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from monitor.clock import from_us, to_us
from monitor.model import Grain
from monitor.store.facts.protocol import FactReader

HOURS_KEPT = timedelta(days=399)
"""Hours are counted on for so long: a day less than the stores keep them, as clocks differ."""

_MINUTE_US = 60_000_000

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is counted: [start_at, end_at). rounded_to: HOUR or DAY where it had to be widened; None is exact.

    Exact means to the minute: both ends are rounded up to it, so that a stretch that ends now holds the
    minute that is running.
    """

    start_at: datetime
    end_at: datetime
    rounded_to: Grain | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on minutes and hours are whole (us)."""

    minutes_us: int
    hours_us: int

    @classmethod
    def of(cls, floor_us: int, now: datetime) -> "Kept":
        hours_us = min(floor_us, to_us(now - HOURS_KEPT))
        return cls(_up(floor_us, Grain.MINUTE), _up(hours_us, Grain.HOUR))

    def finest(self, start_us: int) -> Grain:
        """The finest grain that reaches back to `start_us`."""
        if start_us >= self.minutes_us:
            return Grain.MINUTE
        return Grain.HOUR if start_us >= self.hours_us else Grain.DAY


def counted(
    reader: FactReader,
    start_at: datetime,
    end_at: datetime,
    now: datetime,
    read: Callable[[int, int], Found],
) -> tuple[Stretch, Found]:
    """What `read` finds over [start_at, end_at), and the stretch it was told to read.

    A purge may raise the floor between looking at it and reading: then it is read again.
    """
    while True:
        kept = kept_now(reader, now)
        start_us, end_us, rounded_to = widened(kept, to_us(start_at), to_us(end_at))
        found = read(start_us, end_us)
        if widened(kept_now(reader, now), to_us(start_at), to_us(end_at)) == (start_us, end_us, rounded_to):
            return Stretch(from_us(start_us), from_us(end_us), rounded_to), found


def kept_now(reader: FactReader, now: datetime) -> Kept:
    return Kept.of(reader.floor_us(), now)


def widened(kept: Kept, start_us: int, end_us: int) -> tuple[int, int, Grain | None]:
    """[start, end) in whole minutes, each end moved outwards where the buckets up to it are gone."""
    start_us, end_us = _up(start_us, Grain.MINUTE), _up(end_us, Grain.MINUTE)
    rounded_to = None
    for grain, finer_from_us in ((Grain.HOUR, kept.minutes_us), (Grain.DAY, kept.hours_us)):
        before = (start_us, end_us)
        if start_us < finer_from_us:
            start_us = _down(start_us, grain)
        if max(start_us, _down(end_us, grain)) < finer_from_us:
            end_us = _up(end_us, grain)
        if (start_us, end_us) != before:
            rounded_to = grain
    return start_us, end_us, rounded_to


def _down(us: int, grain: Grain) -> int:
    return us - us % (grain.minutes * _MINUTE_US)


def _up(us: int, grain: Grain) -> int:
    return us + -us % (grain.minutes * _MINUTE_US)
