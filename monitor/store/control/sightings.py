"""What was seen at each endpoint, value by value, with its first and last time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, delete, func, literal, or_, select, tuple_

from alerts.sightings import Aspect, Sighting
from monitor.clock import from_us, to_us
from monitor.model import SeriesKey
from monitor.store.control.engine import Tx, read, upsert
from monitor.store.control.leases import leading
from monitor.store.control.schema import sighting

MOST = 100
"""Values of one aspect of one endpoint; what comes beyond is not kept. Types are all kept: the facts bound
how many a source has."""

Seen = tuple[SeriesKey, Sighting]


Key = tuple[str, ...]
"""The primary key: environment, source, endpoint, aspect, value."""


def key_of(place: SeriesKey, one: Sighting) -> Key:
    return place.environment, place.source or "", place.endpoint or "", one.aspect.value, one.value


@dataclass(frozen=True, slots=True)
class SightingFilter:
    """Which sightings; None matches all."""

    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    aspect: Aspect | None = None


@dataclass(frozen=True, slots=True)
class Sightings:
    engine: Engine

    def note(self, seen: Iterable[Seen], epoch: int) -> int:
        """Widens what is known, adds what is not; how many values were new. Noting twice changes nothing."""
        with leading(self.engine, epoch) as tx:
            return sum(_note(tx, place, one) for place, one in seen)

    def all(self) -> Mapping[SeriesKey, Sequence[Sighting]]:
        """By endpoint; there are few, because each aspect is bounded."""
        found: dict[SeriesKey, list[Sighting]] = {}
        with read(self.engine) as tx:
            for row in tx.execute(select(sighting)).all():
                found.setdefault(SeriesKey(row.environment, row.source, row.endpoint), []).append(_seen(row))
        return found

    def page(
        self, wanted: SightingFilter, limit: int, below: tuple[datetime, Key] | None = None
    ) -> Sequence[Seen]:
        """What was last seen for the first time comes first; `below` is (first time, key) to go on below.

        Found by the primary key and sorted: each endpoint has few.
        """
        asked = {
            sighting.c.environment: wanted.environment,
            sighting.c.source: wanted.source,
            sighting.c.endpoint: wanted.endpoint,
            sighting.c.aspect: wanted.aspect and wanted.aspect.value,
        }
        chosen = select(sighting).where(*(column == value for column, value in asked.items() if value))
        if below is not None:
            chosen = chosen.where(_below(*below))
        ordered = chosen.order_by(sighting.c.first_us.desc(), *sighting.primary_key.columns).limit(limit)
        with read(self.engine) as tx:
            rows = tx.execute(ordered).all()
        return [(SeriesKey(row.environment, row.source, row.endpoint), _seen(row)) for row in rows]

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes what was not seen since; how many."""
        with leading(self.engine, epoch) as tx:
            return tx.execute(delete(sighting).where(sighting.c.last_us < to_us(before))).rowcount


def _note(tx: Tx, place: SeriesKey, one: Sighting) -> bool:
    of_aspect = [
        sighting.c.environment == place.environment,
        sighting.c.source == place.source,
        sighting.c.endpoint == place.endpoint,
        sighting.c.aspect == one.aspect.value,
    ]
    known = tx.execute(select(sighting).where(*of_aspect, sighting.c.value == one.value)).first()
    is_bounded = known is None and one.aspect is not Aspect.TYPE
    if is_bounded and (tx.scalar(select(func.count()).where(*of_aspect)) or 0) >= MOST:
        return False
    first_us, last_us, sample = to_us(one.first_at), to_us(one.last_at), one.sample
    if known is not None:
        last_us = max(last_us, known.last_us)
        if known.first_us <= first_us:
            first_us, sample = known.first_us, known.sample or sample
    row = {
        "environment": place.environment,
        "source": place.source,
        "endpoint": place.endpoint,
        "aspect": one.aspect.value,
        "value": one.value,
        "first_us": first_us,
        "last_us": last_us,
        "sample": sample,
    }
    upsert(tx, sighting, row)
    return known is None


def _below(first_at: datetime, key: Key) -> ColumnElement[bool]:
    """What comes after this row: an earlier first time, or the same and a later key."""
    first_us = to_us(first_at)
    later = tuple_(*sighting.primary_key.columns) > tuple_(*map(literal, key))
    return or_(sighting.c.first_us < first_us, and_(sighting.c.first_us == first_us, later))


def _seen(row: Row[Any]) -> Sighting:
    return Sighting(Aspect(row.aspect), row.value, from_us(row.first_us), from_us(row.last_us), row.sample)
