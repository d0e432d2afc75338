"""Whether the rollups say what the stored records say: all counted again and compared. It repairs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.clock import from_us, to_us
from monitor.model import Grain, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader

Places = Mapping[tuple[SeriesKey, int], Rollup]


@dataclass(frozen=True, slots=True)
class Difference:
    """One series in one minute. counted: from the records; stored: from the rollups; both in records."""

    series: SeriesKey
    minute_at: datetime
    counted: int
    stored: int


@dataclass(frozen=True, slots=True)
class Verified:
    """records: how many lie in the range. moved: places that records reached while they were counted."""

    places: int
    records: int
    moved: int
    differences: Sequence[Difference]


def verify(reader: FactReader, start_at: datetime, end_at: datetime) -> Verified:
    """Every minute of every series in [start_at, end_at), counted again. Reads every stored record."""
    start_us, end_us = max(to_us(start_at), reader.floor_us()), to_us(end_at)
    before = _stored(reader, start_us, end_us)
    counted = reader.recount(start_us, end_us)
    after = _stored(reader, start_us, end_us)
    still = {place for place in {*before, *after, *counted} if before.get(place) == after.get(place)}
    differing = sorted(
        (place for place in still if counted.get(place) != after.get(place)),
        key=lambda place: (place[1], repr(place[0])),
    )
    everything = sum(rollup.records() for (key, _), rollup in counted.items() if key.source is None)
    return Verified(
        len(still),
        everything,
        len({*before, *after, *counted}) - len(still),
        [
            Difference(key, from_us(at), _records(counted, key, at), _records(after, key, at))
            for key, at in differing
        ],
    )


def _stored(reader: FactReader, start_us: int, end_us: int) -> Places:
    keys = list(reader.series().values())
    found = reader.rollups(keys, Grain.MINUTE, start_us, end_us)
    return {(key, at): rollup for key, buckets in found.items() for at, rollup in buckets.items()}


def _records(places: Places, key: SeriesKey, at: int) -> int:
    found = places.get((key, at))
    return 0 if found is None else found.records()
